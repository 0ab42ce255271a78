/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prune.h"
#include "index.h"
#include "macros.h"

#define KEEP_DAYS 7

enum file_state { FILE_UNSEEN, FILE_GOOD, FILE_BROKEN };

struct library {
	struct parse_env env;
	struct lib_index index;
	uint8_t *state; /* enum file_state, by the index' file numbers */
	VEC(struct ast_file *) files;
	struct macro_files macros;
};

static uint64_t hash_word(uint64_t hash, const char *p)
{
	for (; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	return (hash ^ ':') * 1099511628211u;
}

/*
 * "CACHE/tapset-HASH.idx": the folders by their full names, so that a relative one means where it is now, and what
 * the files' conditionals may ask.
 */
static char *index_path(const struct parse_env *env, const char *const *dirs, int ndirs,
			const char *cache)
{
	const struct parse_facts *f = env->facts;
	uint64_t hash = 14695981039346656037u;
	struct arena *a = env->arena;
	int i;

	for (i = 0; i < ndirs; i++)
		hash = hash_word(hash, dirs[i]);
	if (f) {
		hash = hash_word(hash, f->kernel_vr);
		hash = hash_word(hash, f->arch);
		hash = hash_word(hash, f->runtime(f->arg));
		hash = hash_word(hash, f->guru ? "guru" : "");
	}
	if (env->compatible)
		hash = hash_word(hash, env->compatible);
	return arena_printf(a, "%s/tapset-%016llx.idx", cache, (unsigned long long)hash);
}

static const char **full_names(struct arena *a, const char *const *dirs, int ndirs)
{
	const char **full = arena_alloc(a, ((size_t)ndirs + 1) * sizeof(*full));
	int i;

	for (i = 0; i < ndirs; i++) {
		char *cwd = dirs[i][0] == '/' ? NULL : getcwd(NULL, 0);

		full[i] = cwd ? arena_printf(a, "%s/%s", cwd, dirs[i]) : dirs[i];
		free(cwd);
	}
	return full;
}

/* Each folder of the path that is missing; failures show when the file cannot be written. */
static void make_folders(struct arena *a, const char *path)
{
	char *p = arena_strdup(a, path), *s;

	for (s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		(void)mkdir(p, 0755);
		*s = '/';
	}
	(void)mkdir(p, 0755);
}

/*
 * Best effort: without a saved index the next run builds it again. The name appears when the file is whole,
 * so runs at the same time never see a part of it.
 */
static void save_index(struct arena *a, const struct buf *b, const char *path, const char *cache)
{
	char *tmp = arena_printf(a, "%s.%ld", path, (long)getpid());

	make_folders(a, cache);
	if (buf_write_file(b, tmp) || rename(tmp, path))
		(void)unlink(tmp);
	else
		prune_files(cache, "tapset-", KEEP_DAYS); /* of folders and settings that nobody uses any more */
}

const struct pp_macro *library_macro(struct library *l, const char *name)
{
	const struct index_name *row = index_find(&l->index, LIB_MACRO, name);
	const struct macro_file **found;
	uint32_t i;

	if (!row)
		return NULL;
	found = arena_alloc(l->env.arena, row->n * sizeof(*found));
	for (i = 0; i < row->n; i++)
		found[i] = macro_file_read(
			&l->macros, &l->env,
			index_str(&l->index, l->index.files[l->index.refs[row->first + i]].path),
			NULL);
	return macro_find_one(&l->macros, &l->env, found, row->n, name);
}

void library_near_macro(struct library *l, struct near_match *near)
{
	uint32_t i, end;

	index_range(&l->index, LIB_MACRO, &i, &end);
	for (; i < end; i++)
		near_try(near, index_str(&l->index, l->index.names[i].name));
}

static const struct pp_macro *find_macro(void *arg, const char *name)
{
	return library_macro(arg, name);
}

struct library *library_open(struct parse_env *env, const char *const *dirs, int ndirs,
			     const char *cache)
{
	const char **full = full_names(env->arena, dirs, ndirs);
	const char *path = cache ? index_path(env, full, ndirs, cache) : NULL;
	struct library *l = calloc(1, sizeof(*l));
	struct buf b;
	bool keep;

	if (!l)
		arena_oom();
	l->env = *env;
	l->env.privileged = l->env.newest = true;
	l->env.find_macro = find_macro;
	l->env.near_macro = NULL;
	l->env.macro_arg = l;
	l->macros.arena = env->arena;
	if (!path || !index_load(&l->index, path, full, ndirs)) {
		buf_init(&b);
		if (!index_build(&b, &l->env, full, ndirs, &keep)) {
			buf_fini(&b);
			library_close(l);
			return NULL;
		}
		if (path && keep)
			save_index(env->arena, &b, path, cache);
		index_adopt(&l->index, &b);
		buf_fini(&b);
	}
	l->state = arena_alloc(env->arena, l->index.h->nfiles + 1);
	return l;
}

void library_close(struct library *l)
{
	if (!l)
		return;
	index_fini(&l->index);
	free(l);
}

/* Parses a file; its errors are no errors of the script's: they become one warning. */
static enum file_state read_library_file(struct library *l, const char *path)
{
	struct parse_env env = l->env;
	struct source *src;
	struct ast_file *f;
	struct buf text;
	struct diag d;
	int err;

	diag_init(&d, env.arena);
	d.no_warnings = l->env.diag->no_warnings;
	env.diag = &d;
	buf_init(&text);
	err = buf_read_file(&text, path);
	if (err) {
		diag_error(&d, TAG_FILE, SPAN_NONE, "%s", strerror(-err));
	} else {
		src = source_new(env.arena, path, text.p, text.len);
		src->library = true;
		env.program_dir = library_program_dir(env.arena, path);
		f = parse_file(&env, src);
		if (!d.errors)
			vec_push(env.arena, &l->files, f);
	}
	buf_fini(&text);
	if (!d.errors)
		return FILE_GOOD;
	index_report_broken(&l->env, path, &d);
	return FILE_BROKEN;
}

bool library_need(struct library *l, enum lib_kind kind, const char *name)
{
	const struct index_name *row = index_find(&l->index, kind, name);
	bool found = false;
	uint32_t i;

	for (i = 0; row && i < row->n; i++) {
		uint32_t file = l->index.refs[row->first + i];
		const char *path = index_str(&l->index, l->index.files[file].path);

		if (l->state[file] == FILE_UNSEEN)
			l->state[file] =
				(uint8_t)read_library_file(l, arena_strdup(l->env.arena, path));
		found |= l->state[file] == FILE_GOOD;
	}
	return found;
}

struct ast_file *const *library_files(const struct library *l, uint32_t *n)
{
	*n = l->files.n;
	return l->files.v;
}

void library_each(struct library *l, enum lib_kind kind, bool (*fn)(const char *name, void *arg),
		  void *arg)
{
	uint32_t i, end;

	index_range(&l->index, kind, &i, &end);
	for (; i < end; i++)
		if (!fn(index_str(&l->index, l->index.names[i].name), arg))
			return;
}
