/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel-side runtime, compiled once per kernel and kept in the cache. The entry's name is a
 * hash of everything it depends on: a stale runtime could corrupt a kernel silently where symbol
 * versions are off. An entry is built in a folder of its own and renamed into place, so that two
 * builds at once do no harm.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "build/build.h"

#define RUNTIME_FORMAT "spile runtime 1"
#define PLACEHOLDER "spile_placeholder_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* ---- the key ---- */

/* A file that is too large to read each time: touched means changed. */
static uint64_t hash_stat(uint64_t h, const char *path)
{
	struct stat st;

	h = hash_str(h, path);
	if (stat(path, &st))
		return hash_str(h, "none");
	h = hash_bytes(h, &st.st_size, sizeof(st.st_size));
	h = hash_bytes(h, &st.st_mtim, sizeof(st.st_mtim));
	return hash_bytes(h, &st.st_ino, sizeof(st.st_ino));
}

static uint64_t hash_file(uint64_t h, const char *path)
{
	struct buf b;

	buf_init(&b);
	h = buf_read_file(&b, path) == 0 ? hash_bytes(h, b.p, b.len) : hash_str(h, "none");
	buf_fini(&b);
	return h;
}

/* What lies in the runtime's source folder, its folders included. */
typedef int (*source_fn)(struct session *s, const char *path, const char *rel, bool folder,
			 void *arg);

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int each_source(struct session *s, const char *sub, int depth, source_fn fn, void *arg)
{
	const char *dir = arena_printf(&s->arena, "%s/%s", s->runtime_dir, sub);
	struct dirent **v;
	int n = scandir(dir, &v, NULL, by_name), rc = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		const char *rel =
			arena_printf(&s->arena, "%s%s%s", sub, *sub ? "/" : "", v[i]->d_name);
		const char *path = arena_printf(&s->arena, "%s/%s", s->runtime_dir, rel);
		struct stat st;

		if (!rc && v[i]->d_name[0] != '.' && !stat(path, &st)) {
			rc = fn(s, path, rel, S_ISDIR(st.st_mode), arg);
			if (!rc && S_ISDIR(st.st_mode) && depth < 4)
				rc = each_source(s, rel, depth + 1, fn, arg);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
	return rc;
}

static int hash_source(struct session *s, const char *path, const char *rel, bool folder, void *arg)
{
	uint64_t *h = arg;

	(void)s;
	*h = hash_str(*h, rel);
	if (!folder)
		*h = hash_file(*h, path);
	return 0;
}

static uint64_t runtime_key(struct session *s, const struct kernel_tree *t)
{
	static const char *const files[] = {
		".config",
		"Module.symvers",
		"Makefile",
		"scripts/module.lds",
		"arch/x86/module.lds",
		"tools/objtool/objtool",
		"scripts/mod/modpost",
		"include/generated/autoconf.h",
		"include/generated/asm-offsets.h",
	};
	uint64_t h = hash_str(HASH_START, RUNTIME_FORMAT);

	h = hash_str(hash_str(hash_str(h, t->dir), t->version), s->release);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		h = hash_stat(h, arena_printf(&s->arena, "%s/%s", t->dir, files[i]));
	h = hash_stat(h, t->compiler);
	(void)!each_source(s, "", 0, hash_source, &h);
	return h;
}

/* ---- building ---- */

static int copy_source(struct session *s, const char *path, const char *rel, bool folder, void *arg)
{
	const char *to = arena_printf(&s->arena, "%s/%s", (const char *)arg, rel);
	struct buf b;
	int rc;

	if (folder)
		return mkdir(to, 0755) && errno != EEXIST ? -errno : 0;
	buf_init(&b);
	rc = buf_read_file(&b, path);
	if (!rc)
		rc = buf_write_file(&b, to);
	buf_fini(&b);
	return rc;
}

int runtime_copy_sources(struct session *s, const char *to)
{
	int rc = each_source(s, "", 0, copy_source, (void *)to);

	if (!rc && !access(arena_printf(&s->arena, "%s/base/fmt.c", to), R_OK))
		return 0;
	diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
		   "cannot copy the module runtime's sources from %s to %s: %s", s->runtime_dir, to,
		   rc ? strerror(-rc) : "they are not all there");
	diag_hint(&s->diag, "install Spile again, or set SPILE_RUNTIME_DIR to its runtime folder");
	return -1;
}

int runtime_write_syms(struct session *s, const struct kernel_tree *t, const char *dir)
{
	static const char *const symbols[] = {
		"memcpy",
		"memset",
		"memmove",
		"memcmp",
		"strlen",
		"__stack_chk_fail",
		"__x86_return_thunk",
		"__x86_indirect_thunk_rax",
		"__x86_indirect_thunk_rbx",
		"__x86_indirect_thunk_rcx",
		"__x86_indirect_thunk_rdx",
		"__x86_indirect_thunk_rsi",
		"__x86_indirect_thunk_rdi",
		"__x86_indirect_thunk_rbp",
		"__x86_indirect_thunk_r8",
		"__x86_indirect_thunk_r9",
		"__x86_indirect_thunk_r10",
		"__x86_indirect_thunk_r11",
		"__x86_indirect_thunk_r12",
		"__x86_indirect_thunk_r13",
		"__x86_indirect_thunk_r14",
		"__x86_indirect_thunk_r15",
	};
	struct buf symvers, out;
	int rc;

	buf_init(&symvers);
	buf_init(&out);
	rc = buf_read_file(&symvers, arena_printf(&s->arena, "%s/Module.symvers", t->dir));
	for (size_t i = 0; !rc && i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (symvers.len && strstr(symvers.p, arena_printf(&s->arena, "\t%s\t", symbols[i])))
			buf_printf(&out, "SYM(%s)\n", symbols[i]);
	}
	if (!rc)
		rc = buf_write_file(&out, arena_printf(&s->arena, "%s/sp_syms.h", dir));
	buf_fini(&symvers);
	buf_fini(&out);
	if (rc)
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
			   "cannot prepare the module runtime in %s: %s", dir, strerror(-rc));
	return rc ? -1 : 0;
}

int runtime_make(struct session *s, const struct kernel_tree *t, const char *dir,
		 const words *extra, const char *log)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct arena *a = &s->arena;
	words argv = { 0 };

	vec_push(a, &argv, "make");
	vec_push(a, &argv, "-s");
	vec_push(a, &argv, arena_printf(a, "-j%ld", cpus < 1 ? 1 : cpus > 4 ? 4 : cpus));
	vec_push(a, &argv, "-C");
	vec_push(a, &argv, t->dir);
	vec_push(a, &argv, arena_printf(a, "M=%s", dir));
	/*
	 * No debugging information: pahole would fail on what has none, where headers come with a
	 * vmlinux.
	 */
	vec_push(a, &argv, "KCFLAGS=-g0");
	vec_push(a, &argv, "CONFIG_DEBUG_INFO_BTF_MODULES=");
	for (uint32_t i = 0; extra && i < extra->n; i++)
		vec_push(a, &argv, extra->v[i]);
	vec_push(a, &argv, "modules");
	return command_run(s, &argv, NULL, log);
}

static uint64_t entry_sum(struct session *s, const struct recipe *r, const char *dir)
{
	static const char *const files[] = { "runtime.o",  "mod.o",           "abi.h",
					     "base/fmt.h", "base/errors.def", "base/attach.def", "base/names.def",
					     "base/regex_walk.h", "base/track.h" };
	uint64_t h = HASH_START;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		h = hash_file(h, arena_printf(&s->arena, "%s/%s", dir, files[i]));
	for (uint32_t i = 0; i < r->more.n; i++)
		h = hash_file(h, arena_printf(&s->arena, "%s/%s", dir, r->more.v[i]));
	return h;
}

/* The objects that every script is linked with: Kbuild names them, so that both roads link the same. */
static int add_objects(struct session *s, const char *dir, words *argv)
{
	static const char key[] = "\nsp-objects := ";
	struct arena *a = &s->arena;
	char *line = NULL, *save;
	struct buf b;

	buf_init(&b);
	if (!buf_read_file(&b, arena_printf(a, "%s/Kbuild", dir))) {
		buf_putc(&b, '\0');
		line = strstr(b.p, key);
	}
	if (line) {
		line += sizeof(key) - 1;
		line[strcspn(line, "\n")] = '\0';
		for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
			vec_push(a, argv, arena_printf(a, "%s/%s", dir, w));
	} else {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
			   "the module runtime's Kbuild has no line \"sp-objects :=\"");
		diag_hint(&s->diag, "install Spile again, or set SPILE_RUNTIME_DIR to its runtime folder");
	}
	buf_fini(&b);
	return line ? 0 : -1;
}

/* From what kbuild made: runtime.o, which scripts are linked with, and mod.o. */
static int make_objects(struct session *s, const struct recipe *r, const char *dir)
{
	const char *out = arena_printf(&s->arena, "%s/runtime.o", dir),
		   *log = arena_printf(&s->arena, "%s/log", dir);
	struct arena *a = &s->arena;
	words argv = { 0 };
	int rc;

	vec_push(a, &argv, r->ld.v[0]);
	vec_push(a, &argv, "-r");
	vec_push(a, &argv, "-o");
	vec_push(a, &argv, out);
	if (add_objects(s, dir, &argv))
		return -1;
	rc = command_run(s, &argv, NULL, log);
	if (!rc && r->objtool_links) {
		argv.n = 0;
		for (uint32_t i = 0; i < r->objtool.n; i++)
			vec_push(a, &argv, r->objtool.v[i]);
		vec_push(a, &argv, out);
		rc = command_run(s, &argv, r->cwd, log);
	}
	if (rc) {
		command_report(s, TAG_BUILD, "linking the module runtime", rc, log);
		return -1;
	}
	return rename(arena_printf(a, "%s/%s.mod.o", dir, r->placeholder),
		      arena_printf(a, "%s/mod.o", dir))
		       ? -1
		       : 0;
}

static void remove_folder(struct session *s, const char *dir, int depth)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		const char *path = arena_printf(&s->arena, "%s/%s", dir, e->d_name);

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && unlink(path) && depth < 4)
			remove_folder(s, path, depth + 1);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static int build_entry(struct session *s, const struct kernel_tree *t, const char *dir,
		       struct recipe *r)
{
	const char *log = arena_printf(&s->arena, "%s/log", dir);
	int rc;

	memset(r, 0, sizeof(*r));
	r->placeholder = PLACEHOLDER;
	if (runtime_copy_sources(s, dir) || runtime_write_syms(s, t, dir))
		return -1;
	rc = runtime_make(s, t, dir, NULL, log);
	if (rc) {
		command_report(s, TAG_BUILD,
			       "compiling the module runtime with the kernel's own makefiles", rc,
			       log);
		diag_hint(&s->diag,
			  "look whether the headers in %s and the compiler fit the kernel", t->dir);
		return -1;
	}
	if (recipe_make(s, t, dir, r)) {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
			   "the commands that the kernel's makefiles used for a module are not "
			   "understood");
		diag_hint(&s->diag,
			  "set SPILE_BUILD=kbuild to build without them, and report this kernel");
		return -1;
	}
	return make_objects(s, r, dir);
}

static bool entry_good(struct session *s, const char *dir, struct recipe *r)
{
	uint64_t sum;

	return recipe_load(&s->arena, r, arena_printf(&s->arena, "%s/recipe", dir), &sum) == 0 &&
	       entry_sum(s, r, dir) == sum;
}

/*
 * Our entry into the place of none, or of a damaged one. Another run may have been faster: its entry
 * may be in use already and stays.
 */
static int install_entry(struct session *s, const char *tmp, const char *dir)
{
	const char *old = arena_printf(&s->arena, "%s.old", tmp);
	struct recipe theirs;
	int rc;

	if (!rename(tmp, dir))
		return 0;
	if (entry_good(s, dir, &theirs)) {
		remove_folder(s, tmp, 0);
		return 0;
	}
	if (rename(dir, old))
		return -1;
	rc = rename(tmp, dir);
	remove_folder(s, old, 0);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int runtime_get(struct session *s, const struct kernel_tree *t, struct kernel_runtime *rt)
{
	const char *base =
		s->cache_dir ? arena_printf(&s->arena, "%s/lkm", s->cache_dir) : s->tmp_dir;
	const char *dir =
		arena_printf(&s->arena, "%s/%016llx", base, (unsigned long long)runtime_key(s, t));
	const char *tmp = arena_printf(&s->arena, "%s.%d", dir, (int)getpid());
	int64_t began = now_ms();

	rt->dir = dir;
	if (entry_good(s, dir, &rt->recipe))
		return 0;
	if ((mkdir(base, 0755) && errno != EEXIST) || mkdir(tmp, 0755)) {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE, "cannot make the folder %s: %s", tmp,
			   strerror(errno));
		return -1;
	}
	if (build_entry(s, t, tmp, &rt->recipe)) {
		remove_folder(s, tmp, 0);
		return -1;
	}
	if (!strcmp(rt->recipe.cwd, tmp))
		rt->recipe.cwd = dir;
	if (recipe_save(&s->arena, &rt->recipe, arena_printf(&s->arena, "%s/recipe", tmp),
			entry_sum(s, &rt->recipe, tmp)) ||
	    install_entry(s, tmp, dir)) {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
			   "cannot keep the module runtime in %s: %s", dir, strerror(errno));
		remove_folder(s, tmp, 0);
		return -1;
	}
	if (s->verbose)
		fprintf(stderr, "Pass 4: built the kernel runtime for %s in %lld ms, cached\n",
			s->release, (long long)(now_ms() - began));
	return 0;
}
