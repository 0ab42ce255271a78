/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an index: scan the folders, parse every file, note the names. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "index.h"

#define DEEPEST_FOLDER 32 /* below a search folder: also what ends a loop of symbolic links */
#define SETTLED_NS 50000000u /* a time stamp older than this changes with the next write */

struct found_path {
	const char *path;
	uint32_t root; /* length of the search folder in front of it */
	uint64_t mtime, size;
	dev_t dev;
	ino_t ino;
};

struct found_name {
	enum lib_kind kind;
	const char *name;
	uint32_t file;
};

struct builder {
	const struct parse_env *env;
	struct arena arena;
	VEC(struct found_path) dirs;
	VEC(struct found_path) files;
	VEC(struct found_name) names;
	uint64_t newest;
	bool broken;
};

/* ---- finding the files ---- */

static bool is_script(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && name[0] != '.' && !strcmp(name + n - 4, ".stp");
}

static bool stat_path(struct found_path *f, mode_t *mode)
{
	struct stat st;

	if (stat(f->path, &st))
		return false;
	*mode = st.st_mode;
	f->mtime = index_mtime(&st);
	f->size = S_ISDIR(st.st_mode) ? 0 : (uint64_t)st.st_size;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return true;
}

/* What goes into the index counts for how recent it is; other files in the folders do not. */
static void settle_after(struct builder *b, const struct found_path *f)
{
	if (f->mtime > b->newest)
		b->newest = f->mtime;
}

/* The same file by another path, or a file that an earlier search folder has under the same relative path. */
static bool known_file(const struct builder *b, const struct found_path *f)
{
	uint32_t i;

	for (i = 0; i < b->files.n; i++) {
		const struct found_path *o = &b->files.v[i];

		if ((o->dev == f->dev && o->ino == f->ino) ||
		    !strcmp(o->path + o->root, f->path + f->root))
			return true;
	}
	return false;
}

static bool known_dir(const struct builder *b, const struct found_path *f)
{
	uint32_t i;

	for (i = 0; i < b->dirs.n; i++)
		if (b->dirs.v[i].dev == f->dev && b->dirs.v[i].ino == f->ino)
			return true;
	return false;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool scan_dir(struct builder *b, struct found_path dir, int depth);

/* One entry of a folder: a script is noted, a folder scanned, anything else left alone. */
static void scan_entry(struct builder *b, const struct found_path *dir, const char *name, int depth)
{
	struct found_path f = { .path = arena_printf(&b->arena, "%s/%s", dir->path, name),
				.root = dir->root };
	mode_t mode;

	if (!stat_path(&f, &mode))
		return;
	if (S_ISDIR(mode) && depth < DEEPEST_FOLDER && !known_dir(b, &f)) {
		if (!scan_dir(b, f, depth + 1))
			diag_warning(b->env->diag, TAG_LIBRARY, SPAN_NONE,
				     "library folder %s cannot be read: %s", f.path,
				     strerror(errno));
	} else if (S_ISREG(mode) && is_script(name) && !known_file(b, &f)) {
		settle_after(b, &f);
		vec_push(&b->arena, &b->files, f);
	}
}

/* False, with errno, when the folder cannot be listed. In order of names: the index is the same every time. */
static bool scan_dir(struct builder *b, struct found_path dir, int depth)
{
	struct dirent **entries;
	int n = scandir(dir.path, &entries, not_hidden, by_name), i;

	if (n < 0)
		return false;
	settle_after(b, &dir);
	if (depth)
		vec_push(&b->arena, &b->dirs, dir);
	for (i = 0; i < n; i++) {
		scan_entry(b, &dir, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* The search folders come first in the index, so they are all noted before the first is scanned. */
static bool scan_roots(struct builder *b, const char *const *dirs, int ndirs)
{
	mode_t mode;
	int i;

	for (i = 0; i < ndirs; i++) {
		struct found_path f = { .path = dirs[i], .root = (uint32_t)strlen(dirs[i]) };

		if (stat_path(&f, &mode)) {
			if (S_ISDIR(mode)) {
				vec_push(&b->arena, &b->dirs, f);
				continue;
			}
			errno = ENOTDIR;
		}
		diag_error(b->env->diag, TAG_FILE, SPAN_NONE, "library folder %s: %s", dirs[i],
			   strerror(errno));
		diag_hint(b->env->diag, "name an existing folder with -I");
		return false;
	}
	for (i = 0; i < ndirs; i++) {
		if (scan_dir(b, b->dirs.v[i], 0))
			continue;
		diag_error(b->env->diag, TAG_FILE, SPAN_NONE,
			   "library folder %s cannot be read: %s", dirs[i], strerror(errno));
		return false;
	}
	return true;
}

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

/* A broken file's errors are copied out of the scratch memory: the warning outlives it. */
static void report_from_scratch(struct builder *b, const char *path, const struct diag *errors,
				const struct buf *text)
{
	struct parse_env env = *b->env;
	struct diag d;

	diag_init(&d, env.arena);
	env.diag = &d;
	env.arg_used = NULL;
	env.privileged = true;
	b->broken = true;
	if (text) {
		struct source *src = source_new(env.arena, path, text->p, text->len);

		src->library = true;
		(void)parse_file(&env, src);
		errors = &d;
	}
	index_report_broken(b->env, path, errors);
}

static void note_script(struct builder *b, uint32_t file)
{
	const char *path = b->files.v[file].path;
	struct parse_env env = *b->env;
	struct arena scratch;
	struct strtab names;
	struct source *src;
	struct diag d;
	struct buf text;
	int err;

	arena_init(&scratch);
	strtab_init(&names, &scratch);
	diag_init(&d, &scratch);
	buf_init(&text);
	env.arena = &scratch;
	env.names = &names;
	env.diag = &d;
	env.arg_used = NULL;
	env.privileged = true;
	err = buf_read_file(&text, path);
	if (err) {
		diag_error(&d, TAG_FILE, SPAN_NONE, "%s", strerror(-err));
		report_from_scratch(b, path, &d, NULL);
	} else {
		struct ast_file *f;

		src = source_new(&scratch, path, text.p, text.len);
		src->library = true;
		f = parse_file(&env, src);
		if (d.errors)
			report_from_scratch(b, path, &d, &text);
		else
			note_file(b, f, file);
	}
	buf_fini(&text);
	strtab_fini(&names);
	arena_fini(&scratch);
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
		     ((uint64_t)b->dirs.n + b->files.n) * sizeof(struct index_path) +
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
	h.ndirs = b->dirs.n;
	h.nfiles = b->files.n;
	h.nroots = (uint32_t)ndirs;
	h.strings = strings_start(b);
	buf_add(out, &h, sizeof(h));
	for (i = 0; i < b->dirs.n; i++)
		put_path(out, &strings, h.strings, &b->dirs.v[i]);
	for (i = 0; i < b->files.n; i++)
		put_path(out, &strings, h.strings, &b->files.v[i]);
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
	ok = scan_roots(&b, dirs, ndirs);
	if (ok) {
		for (i = 0; i < b.files.n; i++)
			note_script(&b, i);
		if (b.names.n)
			qsort(b.names.v, b.names.n, sizeof(*b.names.v), compare_names);
		write_out(&b, out, ndirs);
		*keep = !b.broken && b.newest + SETTLED_NS < ns;
	}
	arena_fini(&b.arena);
	return ok;
}
