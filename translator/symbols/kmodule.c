/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of kernel modules. Those of a release are listed in lib/modules/RELEASE/modules.dep, under the folder that
 * SPILE_KERNEL_ROOT names and on this machine; where there is only the debug package, its tree is walked. Compressed files
 * are read as they are (libelf knows gzip and xz; zstd is unpacked here).
 */
#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/object.h"

#define MODULES "/lib/modules/"
#define DEBUG_MODULES "/usr/lib/debug/lib/modules/"
#define MAX_MODULE (1u << 30) /* bytes, unpacked: more is a damaged file */

struct kmod_file {
	const char *name; /* as the kernel calls it */
	const char *path;
	uint32_t order; /* in which it was found */
	const char *tree; /* below the release's folder, without ".ko" and what follows */
};
struct kmod_list {
	struct arena *arena;
	VEC(struct kmod_file) v; /* by name; of several the first that was found */
	const char *builtin; /* text of modules.builtin, or NULL */
};

/* "kernel/net/nf-tables.ko.xz": "nf_tables". NULL: no module's file. */
static const char *name_of_file(struct arena *a, const char *path)
{
	const char *base = strrchr(path, '/'), *end;
	char *name;

	base = base ? base + 1 : path;
	end = strstr(base, ".ko");
	if (!end || end == base || (end[3] && end[3] != '.'))
		return NULL;
	name = arena_strndup(a, base, (size_t)(end - base));
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

/* A name or a pattern, in which "[a-z]" keeps its meaning. */
static const char *kernel_name(struct arena *a, const char *name)
{
	char *copy = arena_strdup(a, name);
	bool set = false;

	for (char *p = copy; *p; p++) {
		set = *p == '[' || (set && *p != ']');
		if (*p == '-' && !set)
			*p = '_';
	}
	return copy;
}

static void add_file(struct kmod_list *l, const char *path, const char *below)
{
	struct kmod_file f = { .name = name_of_file(l->arena, path), .path = path, .order = l->v.n };

	if (!f.name)
		return;
	if (below)
		f.tree = arena_strndup(l->arena, below, (size_t)(strstr(strrchr(below, '/') ? strrchr(below, '/') : below,
								       ".ko") - below));
	vec_push(l->arena, &l->v, f);
}

static bool read_dep(struct kmod_list *l, const char *folder)
{
	struct buf b;
	char *line, *end;

	buf_init(&b);
	if (buf_read_file(&b, arena_printf(l->arena, "%s/modules.dep", folder)) < 0) {
		buf_fini(&b);
		return false;
	}
	for (line = b.p; line < b.p + b.len; line = end + 1) {
		size_t n;

		end = memchr(line, '\n', (size_t)(b.p + b.len - line));
		if (!end)
			break;
		*end = 0;
		n = strcspn(line, ":");
		line[n] = 0;
		if (line[n + 1] || n)
			add_file(l,
				 *line == '/' ? arena_strdup(l->arena, line)
					      : arena_printf(l->arena, "%s/%s", folder, line),
				 *line == '/' ? NULL : arena_strdup(l->arena, line));
	}
	buf_fini(&b);
	return true;
}

/* nftw() has no argument of its own. */
static __thread struct {
	struct kmod_list *list;
	size_t skip;
} walking;

static int walk_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_F)
		add_file(walking.list, arena_strdup(walking.list->arena, path),
			 arena_strdup(walking.list->arena, path + walking.skip));
	return 0;
}

static void walk_tree(struct kmod_list *l, const char *folder)
{
	walking.list = l;
	walking.skip = strlen(folder) + 1;
	(void)!nftw(folder, walk_file, 16, FTW_PHYS);
}

static int by_name(const void *pa, const void *pb)
{
	const struct kmod_file *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	return c ? c : a->order < b->order ? -1 : a->order > b->order;
}

static void read_builtin(struct kmod_list *l, const char *folder)
{
	struct buf b;

	buf_init(&b);
	if (!l->builtin && buf_read_file(&b, arena_printf(l->arena, "%s/modules.builtin", folder)) >= 0)
		l->builtin = arena_strndup(l->arena, b.p ? b.p : "", b.len);
	buf_fini(&b);
}

static struct kmod_list *list_of(struct symbols *all)
{
	struct session *s = object_session(all);
	const char *roots[] = { getenv("SPILE_KERNEL_ROOT"), "" };
	struct kmod_list *l = *object_modules(all);
	uint32_t n = 0;

	if (l)
		return l;
	l = *object_modules(all) = arena_new(&s->arena, struct kmod_list);
	l->arena = &s->arena;
	for (size_t r = 0; r < 2 && s->release; r++) {
		const char *folder = roots[r] ? arena_printf(l->arena, "%s" MODULES "%s", roots[r], s->release) : NULL;

		if (!folder)
			continue;
		read_builtin(l, folder);
		if (!read_dep(l, folder))
			walk_tree(l, arena_printf(l->arena, "%s" DEBUG_MODULES "%s", roots[r], s->release));
	}
	if (l->v.n)
		qsort(l->v.v, l->v.n, sizeof(*l->v.v), by_name);
	for (uint32_t i = 0; i < l->v.n; i++)
		if (!i || strcmp(l->v.v[i].name, l->v.v[n - 1].name) != 0)
			l->v.v[n++] = l->v.v[i];
	l->v.n = n;
	return l;
}

static const struct kmod_file *find_file(struct symbols *all, const char *name)
{
	struct kmod_list *l = list_of(all);

	for (uint32_t i = 0; i < l->v.n; i++)
		if (!strcmp(l->v.v[i].name, name))
			return &l->v.v[i];
	return NULL;
}

static bool is_builtin(struct symbols *all, const char *name)
{
	struct kmod_list *l = list_of(all);
	const char *line = l->builtin;

	while (line && *line) {
		size_t n = strcspn(line, "\n");
		const char *is = name_of_file(l->arena, arena_strndup(l->arena, line, n));

		if (is && !strcmp(is, name))
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

/* ---- unpacking ---- */

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t got = write(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* The file in memory, unpacked; -1 with *@why. */
static int unpack_zstd(struct arena *a, const char *path, const char **why)
{
	unsigned long long (*frame_size)(const void *, size_t);
	size_t (*decompress)(void *, size_t, const void *, size_t), n = 0;
	void *lib = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
	unsigned long long room = 0;
	char *out = NULL;
	struct buf in;
	int fd = -1;

	buf_init(&in);
	*why = "it is damaged";
	if (!lib) {
		*why = "it is compressed with zstd: install libzstd1";
	} else if (buf_read_file(&in, path) < 0) {
		*why = "it cannot be read";
	} else {
		*(void **)&frame_size = dlsym(lib, "ZSTD_getFrameContentSize");
		*(void **)&decompress = dlsym(lib, "ZSTD_decompress");
		room = frame_size && decompress ? frame_size(in.p, in.len) : 0;
		if (room && room <= MAX_MODULE)
			out = arena_alloc(a, (size_t)room);
		n = out ? decompress(out, (size_t)room, in.p, in.len) : 0;
		if (n && n <= room)
			fd = memfd_create("module", MFD_CLOEXEC);
		if (fd >= 0 && !write_all(fd, out, n)) {
			close(fd);
			fd = -1;
		}
	}
	buf_fini(&in);
	if (lib)
		dlclose(lib);
	return fd;
}

/* ---- debug information ---- */

static bool same_build(int fd, const struct sym_object *o)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	const void *id;
	ssize_t n = elf ? dwelf_elf_gnu_build_id(elf, &id) : -1;
	bool same = n > 0 && (size_t)n == o->id_len && !memcmp(id, o->id, o->id_len);

	elf_end(elf);
	return same;
}

int kmodule_debug_file(struct sym_object *o, char **path)
{
	static const char *const ends[] = { ".ko.debug", ".ko" };
	const char *roots[] = { getenv("SPILE_KERNEL_ROOT"), "" };
	struct session *s = object_session(o->all);

	for (size_t r = 0; r < 2 && o->tree && o->id_len; r++)
		for (size_t e = 0; roots[r] && e < 2; e++) {
			const char *p = arena_printf(o->arena, "%s" DEBUG_MODULES "%s/%s%s", roots[r], s->release,
						     o->tree, ends[e]);
			int fd = open(p, O_RDONLY | O_CLOEXEC);

			if (fd >= 0 && same_build(fd, o)) {
				*path = strdup(p); /* libdwfl's to free */
				return fd;
			}
			if (fd >= 0)
				close(fd);
		}
	return -1;
}

/* ---- the interface ---- */

const char *sym_module_name(const struct sym_object *o)
{
	return o->module;
}

struct sym_object *sym_open_module(struct symbols *all, const char *name, const char **why)
{
	struct arena *a = &object_session(all)->arena;
	bool is_path = strchr(name, '/');
	const char *module = is_path ? name_of_file(a, name) : kernel_name(a, name);
	struct sym_object *o = object_find(all, OBJ_MODULE, is_path ? name : module);
	const struct kmod_file *f = NULL;
	int fd = -1;

	if (o)
		return o;
	*why = "it is no module's file: its name does not end in .ko";
	if (!module)
		return NULL;
	if (!is_path)
		f = find_file(all, module);
	if (!is_path && !f) {
		*why = is_builtin(all, module) ? "it is part of the kernel, not a module: use kernel.function"
					       : "no module of that name is installed for this kernel";
		return NULL;
	}
	if (access(f ? f->path : name, R_OK)) {
		*why = strerror(errno);
		return NULL;
	}
	if (ends_in(f ? f->path : name, ".zst")) {
		fd = unpack_zstd(a, f ? f->path : name, why);
		if (fd < 0)
			return NULL;
	}
	o = object_new(all, OBJ_MODULE, is_path ? name : module);
	o->module = module;
	o->path = f ? f->path : o->name;
	o->tree = f ? f->tree : NULL;
	o->fd = fd;
	*why = object_open(o);
	return *why ? NULL : o;
}

void sym_modules(struct symbols *all, const char *pattern, bool (*fn)(const char *name, void *arg), void *arg)
{
	struct kmod_list *l = list_of(all);
	const char *glob = kernel_name(l->arena, pattern);

	for (uint32_t i = 0; i < l->v.n; i++)
		if (!fnmatch(glob, l->v.v[i].name, 0) && !fn(l->v.v[i].name, arg))
			return;
}

void sym_near_modules(struct symbols *all, struct near_match *m)
{
	struct kmod_list *l = list_of(all);

	for (uint32_t i = 0; i < l->v.n; i++)
		near_try(m, l->v.v[i].name);
}
