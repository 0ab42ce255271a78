/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an index: scan the folders, parse every file, note the names. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "index.h"
#include "macros.h"
#include "scan.h"

#define SETTLED_NS 50000000u /* a time stamp older than this changes with the next write */

struct found_name {
	enum lib_kind kind;
	const char *name;
	uint32_t file;
};

struct builder {
	const struct parse_env *env;
	struct arena arena;
	struct lib_scan scan;
	VEC(struct found_name) names;
	uint32_t nmacros; /* the first of the names are macros */
	bool broken;
};

/* The macros that one file sees while its names are noted: parse_env's macro_arg. */
struct scratch_macros {
	struct builder *b;
	const struct parse_env *env;
	struct macro_files files;
};

/* ---- noting the names ---- */

void index_report_broken(const struct parse_env *env, const char *path, const struct diag *errors)
{
	const char *text;
	struct span at;

	if (!diag_first_error(errors, &at, &text))
		return;
	diag_warning(env->diag, TAG_LIBRARY, SPAN_NONE, "library file %s is left out: %s", path,
		     text);
	diag_note(env->diag, at, "the first of %u error%s in it", errors->errors,
		  errors->errors == 1 ? "" : "s");
}

static void note_name(struct builder *b, enum lib_kind kind, const char *name, uint32_t file)
{
	struct found_name f = { kind, arena_strdup(&b->arena, name), file };

	vec_push(&b->arena, &b->names, f);
}

static void note_file(struct builder *b, const struct ast_file *f, uint32_t file)
{
	uint32_t i, k;

	for (i = 0; i < f->functions.n; i++)
		if (!f->functions.v[i]->is_private)
			note_name(b, LIB_FUNCTION, f->functions.v[i]->name, file);
	for (i = 0; i < f->globals.n; i++)
		if (!f->globals.v[i]->is_private)
			note_name(b, LIB_GLOBAL, f->globals.v[i]->name, file);
	for (i = 0; i < f->aliases.n; i++)
		for (k = 0; k < f->aliases.v[i]->alias_names.n && !f->aliases.v[i]->is_private; k++)
			note_name(b, LIB_ALIAS, f->aliases.v[i]->alias_names.v[k]->comps.v[0].name,
				  file);
}

/* ---- reading the files ---- */

const char *library_program_dir(struct arena *a, const char *path)
{
	const char *p = strstr(path, "/PATH/"), *slash = strrchr(path, '/');

	return p ? arena_strndup(a, p + 5, (size_t)(slash - p - 5)) : NULL;
}

/* The index is the same for every run, so the script's arguments are not there. */
static struct parse_env env_for(const struct parse_env *outer, struct arena *arena,
				struct strtab *names, struct diag *d)
{
	struct parse_env env = *outer;

	env.arena = arena;
	env.names = names;
	env.diag = d;
	env.argc = 0;
	env.arg_used = NULL;
	env.privileged = env.newest = true;
	return env;
}

static const struct pp_macro *find_macro(void *arg, const char *name)
{
	struct scratch_macros *m = arg;
	const struct builder *b = m->b;
	VEC(const struct macro_file *) found = { 0 };
	uint32_t i;

	for (i = 0; i < b->nmacros; i++) {
		const struct found_name *f = &b->names.v[i];

		if (!strcmp(f->name, name))
			vec_push(m->env->arena, &found,
				 macro_file_read(&m->files, m->env, b->scan.files.v[f->file].path,
						 NULL));
	}
	return macro_find_one(&m->files, m->env, found.v, found.n, name);
}

static struct ast_file *read_script(struct builder *b, struct parse_env *env, const char *path,
				    const struct buf *text)
{
	struct scratch_macros macros = { .b = b, .env = env, .files = { .arena = env->arena } };
	struct source *src = source_new(env->arena, path, text->p ? text->p : "", text->len);

	src->library = true;
	env->find_macro = find_macro;
	env->macro_arg = &macros;
	env->program_dir = library_program_dir(env->arena, path);
	return parse_file(env, src);
}

/* A broken file's errors are made again outside the scratch memory: the warning outlives it. */
static void report_from_scratch(struct builder *b, const char *path, const struct diag *errors,
				const struct buf *text)
{
	struct parse_env env;
	struct diag d;

	diag_init(&d, b->env->arena);
	env = env_for(b->env, b->env->arena, b->env->names, &d);
	b->broken = true;
	if (text) {
		(void)read_script(b, &env, path, text);
		errors = &d;
	}
	index_report_broken(b->env, path, errors);
}

static void note_script(struct builder *b, uint32_t file)
{
	const char *path = b->scan.files.v[file].path;
	struct parse_env env;
	struct arena scratch;
	struct strtab names;
	struct diag d;
	struct buf text;
	int err;

	arena_init(&scratch);
	strtab_init(&names, &scratch);
	diag_init(&d, &scratch);
	buf_init(&text);
	env = env_for(b->env, &scratch, &names, &d);
	err = buf_read_file(&text, path);
	if (err) {
		diag_error(&d, TAG_FILE, SPAN_NONE, "%s", strerror(-err));
		report_from_scratch(b, path, &d, NULL);
	} else {
		struct ast_file *f = read_script(b, &env, path, &text);

		if (d.errors)
			report_from_scratch(b, path, &d, &text);
		else
			note_file(b, f, file);
	}
	buf_fini(&text);
	strtab_fini(&names);
	arena_fini(&scratch);
}

/* A library of macros is small, and its warning must last: it is read into the run's own memory. */
static void note_macros(struct builder *b, uint32_t file)
{
	struct parse_env env = env_for(b->env, b->env->arena, b->env->names, b->env->diag);
	struct macro_files files = { .arena = b->env->arena };
	const struct macro_file *f;
	uint32_t i;

	env.find_macro = NULL;
	f = macro_file_read(&files, &env, b->scan.files.v[file].path, &b->broken);
	for (i = 0; i < f->macros.n; i++)
		note_name(b, LIB_MACRO, macro_name(f->macros.v[i]), file);
}

/* ---- writing ---- */

static int compare_names(const void *va, const void *vb)
{
	const struct found_name *a = va, *b = vb;
	int c;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	c = strcmp(a->name, b->name);
	if (c)
		return c;
	return a->file < b->file ? -1 : a->file > b->file;
}

/* Strings are collected apart; their place is known once the sections before them are. */
static uint32_t put_string(struct buf *strings, const char *s)
{
	size_t at = strings->len;

	buf_add(strings, s, strlen(s) + 1);
	return (uint32_t)at;
}

static void put_path(struct buf *out, struct buf *strings, uint32_t base,
		     const struct found_path *f)
{
	struct index_path row = { f->mtime, f->size, base + put_string(strings, f->path), 0 };

	buf_add(out, &row, sizeof(row));
}

/* The rows of names and, behind them, their references. Counts go to the header. */
static void put_names(struct builder *b, struct buf *out, struct buf *strings, uint32_t base,
		      struct index_header *h)
{
	struct buf refs;
	uint32_t i;

	buf_init(&refs);
	for (i = 0; i < b->names.n;) {
		const struct found_name *f = &b->names.v[i];
		struct index_name row = { f->kind, base + put_string(strings, f->name), h->nrefs,
					  0 };
		uint32_t last = UINT32_MAX;

		for (; i < b->names.n && b->names.v[i].kind == f->kind &&
		       !strcmp(b->names.v[i].name, f->name);
		     i++) {
			if (b->names.v[i].file == last) /* an overload in the same file */
				continue;
			last = b->names.v[i].file;
			buf_add(&refs, &last, sizeof(last));
			row.n++;
		}
		h->nrefs += row.n;
		h->nnames++;
		buf_add(out, &row, sizeof(row));
	}
	buf_add(out, refs.p, refs.len);
	buf_fini(&refs);
}

/* An upper bound of where the strings can start, which is where they are put. */
static uint32_t strings_start(const struct builder *b)
{
	uint64_t n = sizeof(struct index_header) +
		     ((uint64_t)b->scan.dirs.n + b->scan.files.n) * sizeof(struct index_path) +
		     (uint64_t)b->names.n * (sizeof(struct index_name) + sizeof(uint32_t));

	n = (n + 7) & ~(uint64_t)7;
	if (n > UINT32_MAX / 2)
		arena_oom();
	return (uint32_t)n;
}

static void write_out(struct builder *b, struct buf *out, int ndirs)
{
	struct index_header h = { .magic = INDEX_MAGIC, .version = INDEX_VERSION };
	struct buf strings;
	uint32_t i;

	buf_init(&strings);
	h.ndirs = b->scan.dirs.n;
	h.nfiles = b->scan.files.n;
	h.nroots = (uint32_t)ndirs;
	h.strings = strings_start(b);
	buf_add(out, &h, sizeof(h));
	for (i = 0; i < b->scan.dirs.n; i++)
		put_path(out, &strings, h.strings, &b->scan.dirs.v[i]);
	for (i = 0; i < b->scan.files.n; i++)
		put_path(out, &strings, h.strings, &b->scan.files.v[i]);
	put_names(b, out, &strings, h.strings, &h);
	while (out->len < h.strings)
		buf_putc(out, 0);
	buf_add(out, strings.p, strings.len);
	do
		buf_putc(out, 0);
	while (out->len % 8);
	buf_fini(&strings);
	h.size = (uint32_t)out->len;
	memcpy(out->p, &h, sizeof(h));
	h.sum = index_sum(out->p, out->len);
	memcpy(out->p, &h, sizeof(h));
}

bool index_build(struct buf *out, const struct parse_env *env, const char *const *dirs, int ndirs,
		 bool *keep)
{
	struct builder b = { .env = env };
	struct timespec now;
	uint64_t ns;
	uint32_t i;
	bool ok;

	arena_init(&b.arena);
	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	b.scan.env = env;
	b.scan.arena = &b.arena;
	ok = scan_folders(&b.scan, dirs, ndirs);
	if (ok) {
		for (i = 0; i < b.scan.files.n; i++)
			if (b.scan.files.v[i].macros)
				note_macros(&b, i);
		b.nmacros = b.names.n;
		for (i = 0; i < b.scan.files.n; i++)
			if (!b.scan.files.v[i].macros)
				note_script(&b, i);
		if (b.names.n)
			qsort(b.names.v, b.names.n, sizeof(*b.names.v), compare_names);
		write_out(&b, out, ndirs);
		*keep = !b.broken && b.scan.newest + SETTLED_NS < ns;
	}
	arena_fini(&b.arena);
	return ok;
}
