/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "macros.h"

#include <string.h>

#include "base/buf.h"
#include "index.h"

static struct macro_file *known(const struct macro_files *m, const char *path)
{
	for (uint32_t i = 0; i < m->files.n; i++)
		if (!strcmp(m->files.v[i]->path, path))
			return m->files.v[i];
	return NULL;
}

/* The errors of a library file are not the script's: they are collected apart. */
static bool read_apart(const struct parse_env *outer, const char *path, macro_vec *macros)
{
	struct parse_env env = *outer;
	struct source *src;
	struct buf text;
	struct diag d;
	int err;

	diag_init(&d, env.arena);
	d.no_warnings = outer->diag->no_warnings;
	env.diag = &d;
	env.privileged = env.newest = true;
	buf_init(&text);
	err = buf_read_file(&text, path);
	if (err) {
		diag_error(&d, TAG_FILE, SPAN_NONE, "%s", strerror(-err));
	} else {
		src = source_new(env.arena, path, text.p ? text.p : "", text.len);
		src->library = true;
		parse_macros(&env, src, macros);
	}
	buf_fini(&text);
	if (d.errors)
		index_report_broken(outer, path, &d);
	return !d.errors;
}

const struct macro_file *macro_file_read(struct macro_files *m, const struct parse_env *env,
					 const char *path, bool *broken)
{
	struct macro_file *f = known(m, path);

	if (f)
		return f;
	f = arena_new(m->arena, struct macro_file);
	f->path = arena_strdup(m->arena, path);
	vec_push(m->arena, &m->files, f);
	if (!read_apart(env, f->path, &f->macros)) {
		f->macros.n = 0;
		if (broken)
			*broken = true;
	}
	return f;
}

static const struct pp_macro *find_in(const struct macro_file *f, const char *name)
{
	for (uint32_t i = 0; i < f->macros.n; i++)
		if (macro_name(f->macros.v[i]) == name)
			return f->macros.v[i];
	return NULL;
}

static bool reported(struct macro_files *m, const char *name)
{
	for (uint32_t i = 0; i < m->reported.n; i++)
		if (m->reported.v[i] == name)
			return true;
	vec_push(m->arena, &m->reported, name);
	return false;
}

const struct pp_macro *macro_find_one(struct macro_files *m, const struct parse_env *env,
				      const struct macro_file *const *found, uint32_t n,
				      const char *name)
{
	const struct pp_macro *first = NULL, *one;

	for (uint32_t i = 0; i < n; i++) {
		one = find_in(found[i], name);
		if (first && one && !reported(m, name)) {
			diag_error(env->diag, TAG_DUPLICATE, macro_place(one),
				   "the macro %s is defined in two library files", name);
			diag_note(env->diag, macro_place(first), "the other definition");
			diag_hint(env->diag, "rename one; a script can use neither as it is");
		}
		first = first ? first : one;
	}
	return first;
}
