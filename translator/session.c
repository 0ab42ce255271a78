/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/prune.h"

void session_init(struct session *s)
{
	memset(s, 0, sizeof(*s));
	arena_init(&s->arena);
	strtab_init(&s->names, &s->arena);
	diag_init(&s->diag, &s->arena);
	ir_limits_default(&s->limits);
	s->last_pass = 5;
}

/* Removes a folder of plain files and folders; it is this run's own. */
static void remove_tree(struct arena *a, const char *path, int depth)
{
	struct dirent *e;
	DIR *d = opendir(path);

	while (d && (e = readdir(d))) {
		const char *sub;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		sub = arena_printf(a, "%s/%s", path, e->d_name);
		if (unlink(sub) && errno == EISDIR && depth < 8)
			remove_tree(a, sub, depth + 1);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

void session_prune_objects(const char *dir)
{
	(void)!mkdir(dir, 0755);
	prune_files(dir, "", 7);
}

void session_fini(struct session *s)
{
	if (s->tmp_dir && s->keep_tmp)
		fprintf(stderr, "Keeping temporary directory \"%s\"\n", s->tmp_dir);
	else if (s->tmp_dir)
		remove_tree(&s->arena, s->tmp_dir, 0);
	strtab_fini(&s->names);
	arena_fini(&s->arena);
}

static const char *env_or(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v && *v ? v : otherwise;
}

/* $XDG_CACHE_HOME/spile or ~/.cache/spile, created; NULL when that cannot be. */
static const char *cache_dir(struct session *s)
{
	const char *base = env_or("XDG_CACHE_HOME", NULL), *home = getenv("HOME"), *dir;

	if (!base) {
		if (!home || home[0] != '/')
			return NULL;
		base = arena_printf(&s->arena, "%s/.cache", home);
	}
	dir = arena_printf(&s->arena, "%s/spile", base);
	if (mkdir(dir, 0755) && errno == ENOENT && !mkdir(base, 0700))
		(void)!mkdir(dir, 0755);
	return access(dir, W_OK | X_OK) ? NULL : dir;
}

static uint32_t hash_text(uint32_t h, const char *s)
{
	while (s && *s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

/* stap_<hash of the script's name and text>_<process id>: unique among what runs now. */
static const char *default_name(struct session *s)
{
	uint32_t h = hash_text(hash_text(2166136261u, s->script_file), s->script_text);

	return arena_printf(&s->arena, "stap_%08x_%d", h, (int)getpid());
}

/* Whether the kernel has a module of that name, loaded or not; '-' is '_'. */
static bool is_module(struct session *s, const char *name)
{
	char *plain = arena_printf(&s->arena, "/%s.ko", name), *line;
	struct buf b;
	bool found = false;

	for (char *p = plain; *p; p++)
		*p = *p == '-' ? '_' : *p;
	if (!access(arena_printf(&s->arena, "/sys/module/%.*s", (int)strlen(plain) - 4, plain + 1), F_OK))
		return true;
	buf_init(&b);
	if (!buf_read_file(&b, arena_printf(&s->arena, "%s/lib/modules/%s/modules.dep",
					    env_or("SPILE_KERNEL_ROOT", ""), s->release))) {
		for (line = b.p; line && *line; line++)
			*line = *line == '-' ? '_' : *line;
		found = strstr(b.p ? b.p : "", plain);
	}
	buf_fini(&b);
	return found;
}

/* -d: files become absolute paths; modules need no more than their name. */
static int find_objects(struct session *s)
{
	for (uint32_t i = 0; i < s->objects.n; i++) {
		const char *name = s->objects.v[i];
		char *path = realpath(name, NULL);

		if (path) {
			s->objects.v[i] = arena_strdup(&s->arena, path);
			free(path);
			continue;
		}
		if (!strchr(name, '/') && (!strcmp(name, "kernel") || is_module(s, name)))
			continue;
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "-d: there is no file and no kernel module \"%s\"", name);
		diag_hint(&s->diag, "give the path of a program or library, or a module's name as lsmod shows it");
		return -1;
	}
	return 0;
}

int session_setup(struct session *s)
{
	struct utsname uts;
	char *tmp;

	uname(&uts);
	s->runtime_dir = env_or("SPILE_RUNTIME_DIR", SPILE_RUNTIME_DIR);
	s->staprun = env_or("SPILE_STAPRUN", SPILE_STAPRUN);
	vec_push(&s->arena, &s->tapset_dirs, env_or("SPILE_TAPSET_DIR", SPILE_TAPSET_DIR));
	s->cache_dir = cache_dir(s);
	if (!s->release)
		s->release = arena_strdup(&s->arena, uts.release);
	if (!s->kernel_build)
		s->kernel_build = arena_printf(&s->arena, "/lib/modules/%s/build", s->release);
	s->foreign_kernel = strcmp(s->release, uts.release) != 0;
	if (!s->module_name)
		s->module_name = default_name(s);
	if (find_objects(s))
		return -1;
	if (s->last_pass < 3)
		return 0;
	tmp = arena_printf(&s->arena, "%s/stapXXXXXX", env_or("TMPDIR", "/tmp"));
	if (!mkdtemp(tmp)) {
		diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot make a temporary folder %s: %s", tmp,
			   strerror(errno));
		diag_hint(&s->diag, "set TMPDIR to a folder that can be written");
		return -1;
	}
	s->tmp_dir = tmp;
	return 0;
}
