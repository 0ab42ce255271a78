/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/elf.h"

#define SYS_BTF "/sys/kernel/btf"
#define EVENTS "/sys/kernel/tracing/events"

struct module_btf {
	const char *name;
	const struct kbtf *btf;
};

struct kernel_syms {
	struct session *session;
	struct arena *arena;
	bool tried, modules_tried;
	const struct kbtf *btf;
	uint64_t btf_size;
	const char *why, *hint;
	VEC(struct module_btf) modules, named; /* the running kernel's; those that were asked for */
};

struct kernel_syms *kernel_syms_new(struct session *s)
{
	struct kernel_syms *k = arena_new(&s->arena, struct kernel_syms);

	k->session = s;
	k->arena = &s->arena;
	return k;
}

/* Fills fresh memory, which unlike the arena's needs no zeroing first, from @fd. */
static const void *kernel_read(int fd, size_t size, size_t *len)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (*len = 0; p != MAP_FAILED && *len < size;) {
		ssize_t n = read(fd, p + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*len += n;
	}
	return p == MAP_FAILED ? NULL : p;
}

/*
 * The bytes of a file, for as long as the program runs. The BTF files of sysfs can be mapped since
 * 6.16, which saves 2 ms; before, they are read.
 */
static const void *kernel_load(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const void *p = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		*len = st.st_size;
		p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			p = kernel_read(fd, st.st_size, len);
	}
	close(fd);
	return p;
}

/* Takes @bytes as the kernel's BTF, or notes why not. */
static bool kernel_take(struct kernel_syms *k, const char *path, const void *bytes, size_t len)
{
	const char *why;

	k->btf = kbtf_new(k->arena, bytes, len, NULL, &why);
	if (!k->btf)
		k->why = arena_printf(k->arena, "the BTF of %s cannot be used: %s", path, why);
	else
		k->btf_size = len;
	return k->btf;
}

static bool kernel_from_file(struct kernel_syms *k, const char *path)
{
	size_t len;
	const void *bytes = kernel_load(path, &len);

	return bytes && kernel_take(k, path, bytes, len);
}

uint64_t kernel_btf_size(const struct kernel_syms *k)
{
	return k->btf_size;
}

/* An uncompressed vmlinux. The file stays mapped: its BTF is used in place. */
static bool kernel_from_vmlinux(struct kernel_syms *k, const char *path)
{
	const char *why;
	struct elf_file *f = elf_open(k->arena, path, &why);
	const void *bytes;
	size_t len;

	if (!f)
		return false;
	bytes = elf_section(f, ".BTF", &len);
	if (bytes && (uintptr_t)bytes % 4) {
		void *copy = arena_alloc(k->arena, len);

		bytes = memcpy(copy, bytes, len);
	}
	if (bytes && kernel_take(k, path, bytes, len))
		return true;
	elf_close(f);
	return false;
}

/* Keeps extracted BTF for the next run. A cache that cannot be written costs time, not results. */
static void kernel_save(const char *dir, const char *path, const struct buf *b, struct arena *a)
{
	char *tmp = arena_printf(a, "%s.XXXXXX", path);
	bool written;
	int fd;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return;
	fd = mkstemp(tmp);
	if (fd < 0)
		return;
	written = fchmod(fd, 0644) == 0 && write(fd, b->p, b->len) == (ssize_t)b->len;
	if (close(fd) < 0 || !written || rename(tmp, path) < 0)
		unlink(tmp);
}

static bool kernel_from_image(struct kernel_syms *k, const char *image)
{
	struct session *s = k->session;
	const char *dir = NULL, *path = NULL, *bad;
	struct stat st;
	struct buf b;

	if (stat(image, &st) < 0)
		return false;
	if (s->cache_dir) {
		dir = arena_printf(k->arena, "%s/btf", s->cache_dir);
		path = arena_printf(k->arena, "%s/%s.%llx.%llx", dir, s->release,
				    (unsigned long long)st.st_mtime,
				    (unsigned long long)st.st_size);
		if (kernel_from_file(k, path))
			return true;
	}
	buf_init(&b);
	bad = kimage_btf(k->arena, image, &b);
	if (bad) {
		k->why = arena_printf(k->arena, "no BTF from %s: %s", image, bad);
	} else {
		size_t len = b.len;
		void *copy = arena_alloc(k->arena, len);

		memcpy(copy, b.p, len);
		if (kernel_take(k, image, copy, len) && path)
			kernel_save(dir, path, &b, k->arena);
	}
	buf_fini(&b);
	return k->btf;
}

static const struct {
	const char *path; /* under a root; %s is the release */
	bool (*take)(struct kernel_syms *k, const char *path);
} sources[] = {
	{ "/usr/lib/debug/boot/vmlinux-%s", kernel_from_vmlinux },
	{ "/usr/lib/debug/lib/modules/%s/vmlinux", kernel_from_vmlinux },
	{ "/boot/vmlinux-%s", kernel_from_vmlinux },
	{ "/boot/vmlinuz-%s", kernel_from_image },
	{ "/lib/modules/%s/vmlinuz", kernel_from_image },
};

static bool kernel_from_root(struct kernel_syms *k, const char *root)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const char *at = strchr(sources[i].path, '%');
		const char *path =
			arena_printf(k->arena, "%s%.*s%s%s", root, (int)(at - sources[i].path),
				     sources[i].path, k->session->release, at + 2);

		if (sources[i].take(k, path))
			return true;
	}
	return false;
}

static bool kernel_find_btf(struct kernel_syms *k)
{
	struct session *s = k->session;
	const char *root = getenv("SPILE_KERNEL_ROOT");

	if (!s->foreign_kernel && kernel_from_file(k, SYS_BTF "/vmlinux"))
		return true;
	if (!s->release)
		return false;
	if (s->kernel_build &&
	    kernel_from_vmlinux(k, arena_printf(k->arena, "%s/vmlinux", s->kernel_build)))
		return true;
	if (root && *root && kernel_from_root(k, root))
		return true;
	if (kernel_from_root(k, ""))
		return true;
	return s->cache_dir &&
	       kernel_from_file(k, arena_printf(k->arena, "%s/btf/%s", s->cache_dir, s->release));
}

const struct kbtf *kernel_btf(struct kernel_syms *k, const char **why, const char **hint)
{
	struct session *s = k->session;

	if (!k->tried) {
		k->tried = true;
		if (!kernel_find_btf(k)) {
			if (!k->why)
				k->why = arena_printf(
					k->arena, "found no type information (BTF) of kernel %s",
					s->release ? s->release : "(unknown)");
			k->hint = arena_printf(
				k->arena,
				"install linux-image-%s, or set SPILE_KERNEL_ROOT to a folder "
				"that holds boot/vmlinuz-%s",
				s->release ? s->release : "RELEASE",
				s->release ? s->release : "RELEASE");
		}
	}
	*why = k->why;
	*hint = k->hint;
	return k->btf;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct module_btf *)a)->name, ((const struct module_btf *)b)->name);
}

/* Only names here: a module's types are read when its turn comes. */
static void kernel_list_modules(struct kernel_syms *k)
{
	DIR *d = opendir(SYS_BTF);
	const struct dirent *e;

	k->modules_tried = true;
	if (!d)
		return;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, "vmlinux") != 0)
			vec_push(
				k->arena, &k->modules,
				((struct module_btf){ .name = arena_strdup(k->arena, e->d_name) }));
	closedir(d);
	if (k->modules.n)
		qsort(k->modules.v, k->modules.n, sizeof(*k->modules.v), by_name);
}

const struct kbtf *kernel_module_btf(struct kernel_syms *k, uint32_t i, const char **module)
{
	const char *why, *hint;
	const struct kbtf *base = kernel_btf(k, &why, &hint);
	const void *bytes;
	size_t len;

	if (k->session->foreign_kernel || !base)
		return NULL;
	if (!k->modules_tried)
		kernel_list_modules(k);
	/* A module that went away, or whose BTF does not fit, is dropped from the list. */
	while (i < k->modules.n) {
		struct module_btf *m = &k->modules.v[i];

		if (!m->btf) {
			bytes = kernel_load(arena_printf(k->arena, SYS_BTF "/%s", m->name), &len);
			m->btf = bytes ? kbtf_new(k->arena, bytes, len, base, &why) : NULL;
		}
		if (m->btf) {
			*module = m->name;
			return m->btf;
		}
		memmove(m, m + 1, (k->modules.n - i - 1) * sizeof(*m));
		k->modules.n--;
	}
	return NULL;
}

const struct kbtf *kernel_btf_of(struct kernel_syms *k, const char *module, const void *bytes, size_t len)
{
	const char *why, *hint;
	const struct kbtf *base = kernel_btf(k, &why, &hint);
	struct module_btf m = { .name = module };

	for (uint32_t i = 0; i < k->named.n; i++)
		if (!strcmp(k->named.v[i].name, module))
			return k->named.v[i].btf;
	if (base && bytes)
		m.btf = kbtf_new(k->arena, bytes, len, base, &why);
	if (base && !m.btf && !k->session->foreign_kernel) {
		bytes = kernel_load(arena_printf(k->arena, SYS_BTF "/%s", module), &len);
		m.btf = bytes ? kbtf_new(k->arena, bytes, len, base, &why) : NULL;
	}
	vec_push(k->arena, &k->named, m);
	return m.btf;
}

static bool feed_near(uint32_t id, const char *name, void *arg)
{
	(void)id;
	near_try(arg, name);
	return true;
}

enum kernel_known kernel_has_function(struct kernel_syms *k, const char *name,
				      struct near_match *near)
{
	const char *why, *hint, *root = getenv("SPILE_KERNEL_ROOT");
	const struct kbtf *btf = kernel_btf(k, &why, &hint);
	enum kernel_known known = KERNEL_UNSURE;
	struct session *s = k->session;

	if (btf && kbtf_find(btf, BTF_KIND_FUNC, name))
		return KERNEL_HAS;
	/*
	 * BTF lacks assembler and some static functions: lists of symbols decide, when there are
	 * any.
	 */
	if (!s->foreign_kernel)
		known = kallsyms_find(k->arena, "/proc/kallsyms", name, near);
	else if (root && *root && s->release)
		known = kallsyms_find(
			k->arena, arena_printf(k->arena, "%s/boot/System.map-%s", root, s->release),
			name, near);
	if (known == KERNEL_UNSURE && s->foreign_kernel && s->release)
		known = kallsyms_find(k->arena,
				      arena_printf(k->arena, "/boot/System.map-%s", s->release),
				      name, near);
	if (known != KERNEL_UNSURE || !btf)
		return known;
	if (near)
		kbtf_each(btf, BTF_KIND_FUNC, feed_near, near);
	return KERNEL_HAS_NOT;
}

enum kernel_known kernel_has_event(struct kernel_syms *k, const char *system, const char *name,
				   const char **found)
{
	enum kernel_known known = KERNEL_HAS_NOT;
	glob_t g;

	*found = NULL;
	if (k->session->foreign_kernel || access(EVENTS "/header_page", F_OK) < 0)
		return KERNEL_UNSURE;
	if (glob(arena_printf(k->arena, EVENTS "/%s/%s", system ? system : "*", name), GLOB_NOSORT,
		 NULL, &g) == 0) {
		const char *sys = g.gl_pathv[0] + strlen(EVENTS) + 1;

		*found = arena_strndup(k->arena, sys, strcspn(sys, "/"));
		known = KERNEL_HAS;
	}
	globfree(&g);
	return known;
}
