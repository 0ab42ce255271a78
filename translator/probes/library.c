/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where programs, their libraries and their processes are: the loader's rules, and /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "probes/program.h"

#define MOST_LIBRARIES 1000 /* of one program */
#define LD_CACHE "/etc/ld.so.cache"

/* The loader's own list, without what is built into it for each system. */
static const char *const usual_folders[] = {
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
};

struct loader {
	struct arena *a;
	const char *root; /* of the program's file system: "" or "/proc/PID/root" */
	const char *exe_rpath;
	struct buf cache;
	bool cache_read;
	text_vec found; /* files */
	text_vec asked; /* names */
};

static bool contains(const text_vec *v, const char *s)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (!strcmp(v->v[i], s))
			return true;
	return false;
}

static bool is_object(struct arena *a, const char *path)
{
	const char *why;
	struct elf_file *f = elf_open(a, path, &why);

	elf_close(f);
	return f;
}

/* "$ORIGIN" and "${ORIGIN}" stand for the folder of the object that asks. */
static const char *expand_origin(struct arena *a, const char *folder, const char *by)
{
	const char *slash = by ? strrchr(by, '/') : NULL, *at = strstr(folder, "$ORIGIN");
	size_t n = 7;

	if (!at) {
		at = strstr(folder, "${ORIGIN}");
		n = 9;
	}
	if (!at || !slash)
		return folder;
	return arena_printf(a, "%.*s%.*s%s", (int)(at - folder), folder, (int)(slash - by), by, at + n);
}

/* In the folders of a list between colons; @by: the object whose list it is. */
static const char *in_folders(struct loader *l, const char *list, const char *name, const char *by)
{
	while (list && *list) {
		size_t n = strcspn(list, ":");
		const char *dir = expand_origin(l->a, arena_strndup(l->a, list, n), by), *path;
		bool placed = by && strstr(list, "ORIGIN") && *l->root && !strncmp(dir, l->root, strlen(l->root));

		path = arena_printf(l->a, "%s%s/%s", placed ? "" : l->root, dir, name);
		if (n && is_object(l->a, path))
			return path;
		list += n + (list[n] == ':');
	}
	return NULL;
}

static const char *in_cache(struct loader *l, const char *name)
{
	const char *path;

	if (!l->cache_read) {
		l->cache_read = true;
		if (buf_read_file(&l->cache, arena_printf(l->a, "%s" LD_CACHE, l->root)))
			l->cache.len = 0;
	}
	path = ldcache_find(l->a, l->cache.p, l->cache.len, name);
	path = path ? arena_printf(l->a, "%s%s", l->root, path) : NULL;
	return path && is_object(l->a, path) ? path : NULL;
}

/* Where the loader would find the library for @by; NULL: nowhere. */
static const char *locate(struct loader *l, const char *name, const struct elf_needs *needs,
			  const char *by)
{
	const char *path;

	if (strchr(name, '/')) {
		path = arena_printf(l->a, "%s%s", l->root, expand_origin(l->a, name, by));
		return is_object(l->a, path) ? path : NULL;
	}
	path = needs && !needs->runpath ? in_folders(l, needs->rpath, name, by) : NULL;
	if (!path && needs && !needs->runpath)
		path = in_folders(l, l->exe_rpath, name, l->found.n ? l->found.v[0] : by);
	if (!path && !*l->root)
		path = in_folders(l, getenv("LD_LIBRARY_PATH"), name, NULL);
	if (!path && needs)
		path = in_folders(l, needs->runpath, name, by);
	if (!path)
		path = in_cache(l, name);
	for (size_t i = 0; i < sizeof(usual_folders) / sizeof(usual_folders[0]) && !path; i++)
		path = in_folders(l, usual_folders[i], name, NULL);
	return path;
}

static void add_found(struct loader *l, const char *path)
{
	const char *real = path ? program_real(l->a, path) : NULL;

	if (real && !contains(&l->found, real) && l->found.n < MOST_LIBRARIES)
		vec_push(l->a, &l->found, real);
}

/* All libraries of a program, breadth first as the loader does; the program itself is the first found. */
static void load(struct loader *l, const char *exe)
{
	vec_push(l->a, &l->found, exe);
	for (uint32_t i = 0; i < l->found.n; i++) {
		const char *by = l->found.v[i], *why;
		struct elf_file *f = elf_open(l->a, by, &why);
		struct elf_needs needs;

		if (!f)
			continue;
		elf_read_needs(f, l->a, &needs);
		elf_close(f);
		if (!i)
			l->exe_rpath = needs.runpath ? NULL : needs.rpath;
		if (!i && needs.interpreter)
			add_found(l, locate(l, needs.interpreter, NULL, NULL));
		for (uint32_t k = 0; k < needs.names.n; k++) {
			if (contains(&l->asked, needs.names.v[k]))
				continue;
			vec_push(l->a, &l->asked, needs.names.v[k]);
			add_found(l, locate(l, needs.names.v[k], &needs, by));
		}
	}
}

/* A path of a process's own file system as one of ours; NULL: it cannot be reached. */
static const char *reachable(struct arena *a, int64_t pid, const char *path, const struct stat *want)
{
	const char *inside = arena_printf(a, "/proc/%lld/root%s", (long long)pid, path);
	struct stat st;

	if (!stat(path, &st) && st.st_ino == want->st_ino && st.st_dev == want->st_dev)
		return path;
	if (!stat(inside, &st) && st.st_ino == want->st_ino && st.st_dev == want->st_dev)
		return inside;
	return NULL;
}

const char *program_of_pid(struct arena *a, int64_t pid)
{
	const char *link = arena_printf(a, "/proc/%lld/exe", (long long)pid), *path;
	char text[4096];
	ssize_t n = readlink(link, text, sizeof(text));
	struct stat st;

	if (n < 0 || (size_t)n == sizeof(text) || stat(link, &st))
		return NULL;
	path = reachable(a, pid, arena_strndup(a, text, (size_t)n), &st);
	/* deleted or out of reach: the process still holds it */
	return path ? path : link;
}

/* Calls @fn with each file that a process has mapped as code. */
static void each_mapped(struct arena *a, int64_t pid, void (*fn)(const char *path, void *arg), void *arg)
{
	FILE *f = fopen(arena_printf(a, "/proc/%lld/maps", (long long)pid), "re");
	const char *last = "";
	char line[4352], perms[8];
	int at;

	while (f && fgets(line, sizeof(line), f)) {
		const char *path;
		struct stat st;

		at = 0;
		if (sscanf(line, "%*s %7s %*s %*s %*s %n", perms, &at) < 1 || !at || line[at] != '/' ||
		    !strchr(perms, 'x'))
			continue;
		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line + at, last))
			continue;
		last = arena_strdup(a, line + at);
		path = arena_printf(a, "/proc/%lld/root%s", (long long)pid, last);
		if (stat(path, &st))
			continue;
		path = reachable(a, pid, last, &st);
		if (path)
			fn(path, arg);
	}
	if (f)
		fclose(f);
}

static void add_mapped(const char *path, void *arg)
{
	add_found(arg, path);
}

static bool path_matches(const char *pattern, const char *path)
{
	const char *base = strrchr(path, '/');

	if (!strchr(pattern, '/'))
		return base && !fnmatch(pattern, base + 1, 0);
	return !fnmatch(pattern, path, 0) || (*pattern != '/' && strlen(path) > strlen(pattern) &&
	       path[strlen(path) - strlen(pattern) - 1] == '/' &&
	       !strcmp(path + strlen(path) - strlen(pattern), pattern));
}

/* "/proc/PID/root" of a path there, else "". */
static const char *root_of(struct arena *a, const char *path)
{
	const char *end = !strncmp(path, "/proc/", 6) ? strstr(path, "/root/") : NULL;

	return end ? arena_strndup(a, path, (size_t)(end - path) + 5) : "";
}

static void add_text(struct arena *a, text_vec *out, const char *path)
{
	if (path && !contains(out, path))
		vec_push(a, out, path);
}

void program_libraries(struct arena *a, const char *exe, int64_t pid, const char *pattern, text_vec *out)
{
	struct loader l = { .a = a, .root = exe ? root_of(a, exe) : "" };
	bool plain = !probe_is_glob(pattern);
	const char *named;

	buf_init(&l.cache);
	if (exe)
		load(&l, exe);
	if (pid)
		each_mapped(a, pid, add_mapped, &l);
	/* the name that a program asks by is often a link: libc.so.6 */
	for (uint32_t i = 0; i < l.asked.n && !strchr(pattern, '/'); i++)
		if (!fnmatch(pattern, l.asked.v[i], 0)) {
			named = locate(&l, l.asked.v[i], NULL, exe);
			add_text(a, out, named ? program_real(a, named) : NULL);
		}
	for (uint32_t i = 1; i < l.found.n; i++)
		if (path_matches(pattern, l.found.v[i]))
			add_text(a, out, l.found.v[i]);
	/* one that the program may load later */
	if (!out->n && plain) {
		named = strchr(pattern, '/') ? arena_printf(a, "%s%s", l.root, pattern) : locate(&l, pattern, NULL, NULL);
		add_text(a, out, named ? program_real(a, named) : NULL);
	}
	buf_fini(&l.cache);
}

/* ---- build ids ---- */

bool program_is_build_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	return n >= 16 && n <= 128 && n % 2 == 0 && !text[n];
}

struct wanted {
	struct arena *a;
	const char *hex, *found;
	text_vec seen;
};

static void try_build_id(const char *path, void *arg)
{
	struct wanted *w = arg;
	const char *why;
	struct elf_file *f;
	const uint8_t *id;
	size_t n;
	bool same;

	if (w->found || contains(&w->seen, path))
		return;
	vec_push(w->a, &w->seen, path);
	f = elf_open(w->a, path, &why);
	n = f ? elf_build_id(f, &id) : 0;
	same = n && n * 2 == strlen(w->hex);
	for (size_t i = 0; same && i < n; i++)
		same = !strncasecmp(arena_printf(w->a, "%02x", id[i]), w->hex + 2 * i, 2);
	elf_close(f);
	if (same)
		w->found = path;
}

const char *program_by_build_id(struct arena *a, const char *hex)
{
	struct wanted w = { .a = a, .hex = hex };
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	char *low = arena_strdup(a, hex), *real;

	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	real = realpath(arena_printf(a, "/usr/lib/debug/.build-id/%.2s/%s", low, low + 2), NULL);
	if (real)
		try_build_id(arena_strdup(a, real), &w);
	free(real);
	while (dir && !w.found && (e = readdir(dir))) {
		int64_t pid = strtoll(e->d_name, NULL, 10);
		const char *path = pid > 0 ? program_of_pid(a, pid) : NULL;

		if (path)
			try_build_id(path, &w);
		if (path && !w.found)
			each_mapped(a, pid, try_build_id, &w);
	}
	if (dir)
		closedir(dir);
	return w.found;
}
