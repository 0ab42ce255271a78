/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading an index: its checks and look-ups. */
#include "index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUM_FROM (offsetof(struct index_header, sum) + sizeof(uint64_t))

void index_fini(struct lib_index *x)
{
	if (x->base && x->mapped)
		munmap((void *)x->base, x->size);
	else
		free((void *)x->base);
	memset(x, 0, sizeof(*x));
}

/* FNV-1a over words of 8 bytes; the size of an index is a multiple of 8. */
uint64_t index_sum(const char *base, size_t size)
{
	uint64_t sum = 14695981039346656037u, word;
	size_t i;

	for (i = SUM_FROM; i + 8 <= size; i += 8) {
		memcpy(&word, base + i, 8);
		sum = (sum ^ word) * 1099511628211u;
		sum ^= sum >> 29;
	}
	return sum;
}

uint64_t index_mtime(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

const char *index_str(const struct lib_index *x, uint32_t at)
{
	return x->base + at;
}

/* Sets the section pointers from the counts. False when they do not fit the size. */
static bool lay_out(struct lib_index *x)
{
	const struct index_header *h = (const void *)x->base;
	uint64_t at = sizeof(*h);

	x->h = h;
	x->dirs = (const void *)(x->base + at);
	at += (uint64_t)h->ndirs * sizeof(*x->dirs);
	if (at > x->size)
		return false;
	x->files = (const void *)(x->base + at);
	at += (uint64_t)h->nfiles * sizeof(*x->files);
	if (at > x->size)
		return false;
	x->names = (const void *)(x->base + at);
	at += (uint64_t)h->nnames * sizeof(*x->names);
	if (at > x->size)
		return false;
	x->refs = (const void *)(x->base + at);
	at += (uint64_t)h->nrefs * sizeof(*x->refs);
	return at <= h->strings && h->strings < x->size && h->nroots <= h->ndirs &&
	       x->base[x->size - 1] == 0;
}

static bool refers_inside(const struct lib_index *x)
{
	uint32_t i;

	for (i = 0; i < x->h->ndirs; i++)
		if (x->dirs[i].path < x->h->strings || x->dirs[i].path >= x->size)
			return false;
	for (i = 0; i < x->h->nfiles; i++)
		if (x->files[i].path < x->h->strings || x->files[i].path >= x->size)
			return false;
	for (i = 0; i < x->h->nnames; i++)
		if (x->names[i].name < x->h->strings || x->names[i].name >= x->size ||
		    (uint64_t)x->names[i].first + x->names[i].n > x->h->nrefs)
			return false;
	for (i = 0; i < x->h->nrefs; i++)
		if (x->refs[i] >= x->h->nfiles)
			return false;
	return true;
}

static bool well_formed(struct lib_index *x)
{
	const struct index_header *h = (const void *)x->base;

	return x->size >= sizeof(*h) && x->size % 8 == 0 && !memcmp(h->magic, INDEX_MAGIC, 8) &&
	       h->version == INDEX_VERSION && h->size == x->size &&
	       h->sum == index_sum(x->base, x->size) && lay_out(x) && refers_inside(x);
}

static bool unchanged(const struct lib_index *x, const struct index_path *p, bool dir)
{
	struct stat st;

	return !stat(index_str(x, p->path), &st) && S_ISDIR(st.st_mode) == dir &&
	       index_mtime(&st) == p->mtime && (dir || (uint64_t)st.st_size == p->size);
}

/* Everything looked at for this index is on disk as it was. */
static bool up_to_date(const struct lib_index *x, const char *const *dirs, int ndirs)
{
	uint32_t i;

	if (x->h->nroots != (uint32_t)ndirs)
		return false;
	for (i = 0; i < x->h->ndirs; i++) {
		if (i < x->h->nroots && strcmp(index_str(x, x->dirs[i].path), dirs[i]))
			return false;
		if (!unchanged(x, &x->dirs[i], true))
			return false;
	}
	for (i = 0; i < x->h->nfiles; i++)
		if (!unchanged(x, &x->files[i], false))
			return false;
	return true;
}

bool index_load(struct lib_index *x, const char *path, const char *const *dirs, int ndirs)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map = MAP_FAILED;

	memset(x, 0, sizeof(*x));
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	x->base = map;
	x->size = (size_t)st.st_size;
	x->mapped = true;
	if (well_formed(x) && up_to_date(x, dirs, ndirs))
		return true;
	index_fini(x);
	return false;
}

void index_adopt(struct lib_index *x, struct buf *b)
{
	memset(x, 0, sizeof(*x));
	x->base = malloc(b->len);
	if (!x->base)
		arena_oom();
	memcpy((void *)x->base, b->p, b->len);
	x->size = b->len;
	if (!lay_out(x))
		abort(); /* index_build() made it a moment ago */
}

static int compare(const struct lib_index *x, const struct index_name *row, enum lib_kind kind,
		   const char *name)
{
	if (row->kind != (uint32_t)kind)
		return row->kind < (uint32_t)kind ? -1 : 1;
	return strcmp(index_str(x, row->name), name);
}

/* The first row that is not before (@kind, @name). */
static uint32_t lower_bound(const struct lib_index *x, enum lib_kind kind, const char *name)
{
	uint32_t lo = 0, hi = x->base ? x->h->nnames : 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare(x, &x->names[mid], kind, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct index_name *index_find(const struct lib_index *x, enum lib_kind kind, const char *name)
{
	uint32_t i = lower_bound(x, kind, name);

	if (!x->base || i == x->h->nnames || compare(x, &x->names[i], kind, name))
		return NULL;
	return &x->names[i];
}

void index_range(const struct lib_index *x, enum lib_kind kind, uint32_t *first, uint32_t *end)
{
	*first = lower_bound(x, kind, "");
	*end = lower_bound(x, (enum lib_kind)(kind + 1), "");
}
