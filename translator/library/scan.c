/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "index.h"

#define DEEPEST_FOLDER 32 /* below a search folder: also what ends a loop of symbolic links */

/* Folders of a search folder that only count for a runtime or a machine. Those for a release begin with a digit. */
static const char *const special[] = {
	"linux", "kernel", "dyninst", "bpf",  "user", "i386",  "x86_64",  "arm",
	"arm64", "ia64",   "powerpc", "s390", "mips", "riscv", "sparc64",
};

static bool is_special(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!strcmp(name, special[i]))
			return true;
	return name[0] >= '0' && name[0] <= '9';
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && name[0] != '.' && !strcmp(name + n - k, end);
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
static void settle_after(struct lib_scan *s, const struct found_path *f)
{
	if (f->mtime > s->newest)
		s->newest = f->mtime;
}

/* The same file by another path, or a file that came earlier under the same name. */
static bool known_file(const struct lib_scan *s, const struct found_path *f)
{
	uint32_t i;

	for (i = 0; i < s->files.n; i++) {
		const struct found_path *o = &s->files.v[i];

		if ((o->dev == f->dev && o->ino == f->ino) || !strcmp(o->rel, f->rel))
			return true;
	}
	return false;
}

static bool known_dir(const struct lib_scan *s, const struct found_path *f)
{
	uint32_t i;

	for (i = 0; i < s->dirs.n; i++)
		if (s->dirs.v[i].dev == f->dev && s->dirs.v[i].ino == f->ino)
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

static bool scan_dir(struct lib_scan *s, const struct found_path *dir, int depth);

/* One entry of a folder: a script is noted, a folder scanned, anything else left alone. */
static void scan_entry(struct lib_scan *s, const struct found_path *dir, const char *name, int depth)
{
	struct found_path f = { .path = arena_printf(s->arena, "%s/%s", dir->path, name),
				.rel = arena_printf(s->arena, "%s/%s", dir->rel, name),
				.macros = ends_in(name, ".stpm") };
	mode_t mode;

	if (!stat_path(&f, &mode))
		return;
	if (S_ISDIR(mode) && depth < DEEPEST_FOLDER && (depth || !is_special(name)) &&
	    !known_dir(s, &f)) {
		vec_push(s->arena, &s->dirs, f);
		if (!scan_dir(s, &f, depth + 1))
			diag_warning(s->env->diag, TAG_LIBRARY, SPAN_NONE,
				     "library folder %s cannot be read: %s", f.path,
				     strerror(errno));
	} else if (S_ISREG(mode) && (f.macros || ends_in(name, ".stp")) && !known_file(s, &f)) {
		settle_after(s, &f);
		vec_push(s->arena, &s->files, f);
	}
}

/* False, with errno, when the folder cannot be listed. In order of names: the index is the same every time. */
static bool scan_dir(struct lib_scan *s, const struct found_path *dir, int depth)
{
	struct dirent **entries;
	int n = scandir(dir->path, &entries, not_hidden, by_name), i;

	if (n < 0)
		return false;
	settle_after(s, dir);
	for (i = 0; i < n; i++) {
		scan_entry(s, dir, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* ---- the special folders ---- */

#define MOST_WORDS 4

/* The names that a level of special folders can have, the more special first; "" leaves the level out. */
struct level {
	const char *word[MOST_WORDS];
	int n;
};

static void add_word(struct level *l, const char *word)
{
	int i;

	for (i = 0; i < l->n; i++)
		if (!strcmp(l->word[i], word))
			return;
	l->word[l->n++] = word;
}

/* 6.1.0-9-amd64, 6.1.0, 6.1 */
static void add_releases(struct arena *a, struct level *l, const struct parse_facts *f)
{
	size_t major = strcspn(f->kernel_v, ".");
	size_t minor = f->kernel_v[major] ? strcspn(f->kernel_v + major + 1, ".") + 1 : 0;

	add_word(l, f->kernel_vr);
	add_word(l, f->kernel_v);
	add_word(l, arena_strndup(a, f->kernel_v, major + minor));
}

static void special_levels(const struct lib_scan *s, struct level *runtime, struct level *release,
			   struct level *arch)
{
	const struct parse_facts *f = s->env->facts;

	if (f) {
		add_word(runtime, f->runtime(f->arg));
		/* SystemTap's name for what its modules can do */
		if (!strcmp(runtime->word[0], "kernel"))
			add_word(runtime, "linux");
		add_releases(s->arena, release, f);
		add_word(arch, f->arch);
	}
	add_word(runtime, "");
	add_word(release, "");
	add_word(arch, "");
}

static void scan_special(struct lib_scan *s, const char *root, const char *runtime,
			 const char *release, const char *arch)
{
	struct arena *a = s->arena;
	struct found_path f = { 0 };
	mode_t mode;

	f.path = arena_printf(a, "%s%s%s%s%s%s%s", root, *runtime ? "/" : "", runtime,
			      *release ? "/" : "", release, *arch ? "/" : "", arch);
	f.rel = arena_printf(a, "%s/%s", runtime, arch);
	if (!stat_path(&f, &mode) || !S_ISDIR(mode) || known_dir(s, &f))
		return;
	vec_push(a, &s->dirs, f);
	if (!scan_dir(s, &f, 0))
		diag_warning(s->env->diag, TAG_LIBRARY, SPAN_NONE,
			     "library folder %s cannot be read: %s", f.path, strerror(errno));
}

/* Everything below a search folder but its general part, the most special first. */
static void scan_specials(struct lib_scan *s, const char *root)
{
	struct level runtime = { 0 }, release = { 0 }, arch = { 0 };
	int r, v, a;

	special_levels(s, &runtime, &release, &arch);
	for (r = 0; r < runtime.n; r++)
		for (v = 0; v < release.n; v++)
			for (a = 0; a < arch.n; a++)
				scan_special(s, root, runtime.word[r], release.word[v],
					     arch.word[a]);
}

/* The search folders come first in the index, so they are all noted before the first is scanned. */
bool scan_folders(struct lib_scan *s, const char *const *dirs, int ndirs)
{
	mode_t mode;
	int i;

	for (i = 0; i < ndirs; i++) {
		struct found_path f = { .path = dirs[i], .rel = "/" };

		if (stat_path(&f, &mode)) {
			if (S_ISDIR(mode)) {
				vec_push(s->arena, &s->dirs, f);
				continue;
			}
			errno = ENOTDIR;
		}
		diag_error(s->env->diag, TAG_FILE, SPAN_NONE, "library folder %s: %s", dirs[i],
			   strerror(errno));
		diag_hint(s->env->diag, "name an existing folder with -I");
		return false;
	}
	for (i = 0; i < ndirs; i++) {
		scan_specials(s, dirs[i]);
		if (scan_dir(s, &s->dirs.v[i], 0))
			continue;
		diag_error(s->env->diag, TAG_FILE, SPAN_NONE,
			   "library folder %s cannot be read: %s", dirs[i], strerror(errno));
		return false;
	}
	return true;
}
