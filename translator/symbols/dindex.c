/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading an index: its checks and look-ups. */
#include "symbols/dindex.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint32_t item_size[DX_NSECTIONS] = {
	[DX_FILES] = sizeof(struct dx_file),       [DX_FUNCS] = sizeof(struct dx_func),
	[DX_INLINES] = sizeof(struct dx_inline),   [DX_BY_NAME] = sizeof(uint32_t),
	[DX_BY_ADDR] = sizeof(uint32_t),           [DX_TYPES] = sizeof(struct dx_name),
	[DX_ENUMERATORS] = sizeof(struct dx_name), [DX_GLOBALS] = sizeof(struct dx_name),
	[DX_UNITS] = sizeof(struct dx_unit),       [DX_SYMS] = sizeof(struct dx_sym),
	[DX_SYMS_BY_NAME] = sizeof(uint32_t),      [DX_STRINGS] = 1,
};

void dindex_fini(struct dindex *x)
{
	if (x->base)
		munmap((void *)x->base, x->size);
	memset(x, 0, sizeof(*x));
}

static bool dindex_whole(const struct dindex *x, uint64_t mtime, uint64_t size)
{
	const struct dx_header *h = x->h;

	if (x->size < sizeof(*h) || memcmp(h->magic, DX_MAGIC, sizeof(DX_MAGIC)) != 0 ||
	    h->version != DX_VERSION || h->sections != DX_NSECTIONS || h->size != x->size ||
	    h->debug_mtime != mtime || h->debug_size != size)
		return false;
	for (int i = 0; i < DX_NSECTIONS; i++) {
		uint64_t at = h->section[i].at, n = h->section[i].n;

		if (at % 8 || at > x->size || n > UINT32_MAX || n > (x->size - at) / item_size[i])
			return false;
	}
	return h->section[DX_STRINGS].n &&
	       !x->base[h->section[DX_STRINGS].at + h->section[DX_STRINGS].n - 1];
}

bool dindex_load(struct dindex *x, const char *path, uint64_t mtime, uint64_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	memset(x, 0, sizeof(*x));
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(struct dx_header)) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		x->size = (size_t)st.st_size;
		x->base = p == MAP_FAILED ? NULL : p;
		x->h = (const void *)x->base;
	}
	close(fd);
	if (x->base && dindex_whole(x, mtime, size))
		return true;
	dindex_fini(x);
	return false;
}

const void *dindex_section(const struct dindex *x, enum dx_section s, uint32_t *n)
{
	*n = (uint32_t)x->h->section[s].n;
	return x->base + x->h->section[s].at;
}

const char *dindex_string(const struct dindex *x, uint32_t at)
{
	return at < x->h->section[DX_STRINGS].n ? x->base + x->h->section[DX_STRINGS].at + at : "";
}

/* How the item at @i compares with what is looked for: below, at or above 0 as in strcmp(item, wanted). */
typedef int (*dx_compare)(const struct dindex *x, const void *items, uint32_t i, const void *want);

/* The first of @n sorted items that is not below @want. */
static uint32_t dindex_lower(const struct dindex *x, const void *items, uint32_t n, dx_compare cmp,
			     const void *want)
{
	uint32_t lo = 0;

	while (lo < n) {
		uint32_t mid = lo + (n - lo) / 2;

		if (cmp(x, items, mid, want) < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

static uint32_t dindex_equal(const struct dindex *x, const void *items, uint32_t n, dx_compare cmp,
			     const void *want, uint32_t *count)
{
	uint32_t first = dindex_lower(x, items, n, cmp, want);

	for (*count = 0; first + *count < n && cmp(x, items, first + *count, want) == 0;)
		++*count;
	return first;
}

static int compare_func(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	uint32_t n, f = ((const uint32_t *)items)[i];
	const struct dx_func *funcs = dindex_section(x, DX_FUNCS, &n);

	return f < n ? strcmp(dindex_string(x, funcs[f].name), want) : -1;
}

uint32_t dindex_by_name(const struct dindex *x, const char *name, uint32_t *n)
{
	uint32_t all;
	const void *items = dindex_section(x, DX_BY_NAME, &all);

	return dindex_equal(x, items, all, compare_func, name, n);
}

static int compare_addr(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	uint32_t n, f = ((const uint32_t *)items)[i];
	const struct dx_func *funcs = dindex_section(x, DX_FUNCS, &n);

	return f < n && funcs[f].entry > *(const uint64_t *)want ? 1 : -1;
}

const struct dx_func *dindex_by_addr(const struct dindex *x, uint64_t addr)
{
	uint32_t n, all;
	const struct dx_func *funcs = dindex_section(x, DX_FUNCS, &n);
	const uint32_t *order = dindex_section(x, DX_BY_ADDR, &all);
	uint32_t i = dindex_lower(x, order, all, compare_addr, &addr);
	const struct dx_func *f;

	if (!i || order[i - 1] >= n)
		return NULL;
	f = &funcs[order[i - 1]];
	return addr == f->entry || addr - f->entry < f->size ? f : NULL;
}

static int compare_sym(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	(void)x;
	return ((const struct dx_sym *)items)[i].addr > *(const uint64_t *)want ? 1 : -1;
}

/* How many symbols below an address may lie within the one that covers it. */
#define MAX_INNER 256

const struct dx_sym *dindex_sym_at(const struct dindex *x, uint64_t addr)
{
	uint32_t all;
	const struct dx_sym *s = dindex_section(x, DX_SYMS, &all), *open = NULL;
	uint32_t i = dindex_lower(x, s, all, compare_sym, &addr);

	for (uint32_t left = MAX_INNER; i && left; left--) {
		const struct dx_sym *sym = &s[--i];

		if (sym->flags & DXS_DATA)
			continue;
		if (addr - sym->addr < sym->size || addr == sym->addr)
			return sym;
		/* assembly: the end is not told */
		if (!sym->size && !open)
			open = sym;
	}
	return open;
}

static int compare_sym_name(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	uint32_t n, at = ((const uint32_t *)items)[i];
	const struct dx_sym *s = dindex_section(x, DX_SYMS, &n);

	return at < n ? strcmp(dindex_string(x, s[at].name), want) : -1;
}

const struct dx_sym *dindex_sym(const struct dindex *x, const char *name)
{
	uint32_t n, all, found;
	const struct dx_sym *s = dindex_section(x, DX_SYMS, &n);
	const uint32_t *order = dindex_section(x, DX_SYMS_BY_NAME, &all);
	uint32_t i = dindex_equal(x, order, all, compare_sym_name, name, &found);

	return found && order[i] < n ? &s[order[i]] : NULL;
}

static int compare_name(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	return strcmp(dindex_string(x, ((const struct dx_name *)items)[i].name), want);
}

const struct dx_name *dindex_names(const struct dindex *x, enum dx_section s, const char *name,
				   uint32_t *n)
{
	uint32_t all;
	const struct dx_name *items = dindex_section(x, s, &all);

	return items + dindex_equal(x, items, all, compare_name, name, n);
}

static int compare_file(const struct dindex *x, const void *items, uint32_t i, const void *want)
{
	return strcmp(dindex_string(x, ((const struct dx_file *)items)[i].path), want);
}

uint32_t dindex_file(const struct dindex *x, const char *path)
{
	uint32_t all, n;
	const struct dx_file *items = dindex_section(x, DX_FILES, &all);
	uint32_t i = dindex_equal(x, items, all, compare_file, path, &n);

	return n ? i : DX_NONE;
}
