/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of zeroed memory, handed out from front to back. Block sizes double up to a ceiling: a small script
 * costs little, a big one few calls; a request larger than a block gets a block of its own.
 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN 16u
#define ARENA_FIRST (16u << 10)
#define ARENA_CEILING (1u << 20)

struct arena_block {
	struct arena_block *next;
	size_t size; /* of the payload; the header is padded to ARENA_ALIGN */
};

#define BLOCK_HEADER ((sizeof(struct arena_block) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1))

void arena_oom(void)
{
	fputs("stap: out of memory\n", stderr);
	exit(1);
}

void arena_init(struct arena *a)
{
	memset(a, 0, sizeof(*a));
}

void arena_fini(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
	memset(a, 0, sizeof(*a));
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = NULL;

	if (size < SIZE_MAX - BLOCK_HEADER)
		b = calloc(1, BLOCK_HEADER + size);
	if (!b)
		arena_oom();
	b->size = size;
	return b;
}

/* A block of its own goes behind the head, so that the head's remaining room stays in use. */
static void *alloc_large(struct arena *a, size_t size)
{
	struct arena_block *b = block_new(size);

	if (a->head) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		a->head = b;
		a->cur = a->end = (char *)b + BLOCK_HEADER + size;
	}
	return (char *)b + BLOCK_HEADER;
}

static void next_block(struct arena *a)
{
	size_t size = ARENA_FIRST;
	struct arena_block *b;

	if (a->head && a->head->size >= ARENA_FIRST)
		size = a->head->size < ARENA_CEILING ? a->head->size * 2 : ARENA_CEILING;
	b = block_new(size);
	b->next = a->head;
	a->head = b;
	a->cur = (char *)b + BLOCK_HEADER;
	a->end = a->cur + size;
}

void *arena_alloc(struct arena *a, size_t size)
{
	char *p;

	if (size > SIZE_MAX / 2)
		arena_oom();
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	a->used += size;
	if (size > (size_t)(a->end - a->cur)) {
		if (size > ARENA_FIRST / 2)
			return alloc_large(a, size);
		next_block(a);
	}
	p = a->cur;
	a->cur += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[256], *p;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, again);
	va_end(again);
	if (n < 0)
		arena_oom();
	if ((size_t)n < sizeof(small))
		return arena_strndup(a, small, (size_t)n);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t size)
{
	size_t old, want;
	uint32_t ncap;
	char *p = v;

	if (n < *cap)
		return v;
	if (*cap > UINT32_MAX / 2)
		arena_oom();
	ncap = *cap ? *cap * 2 : 2;
	old = ((size_t)*cap * size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	want = ((size_t)ncap * size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	*cap = ncap;
	/* The last allocation of the block grows where it is. */
	if (p && p + old == a->cur && want - old <= (size_t)(a->end - a->cur)) {
		a->cur += want - old;
		a->used += want - old;
		return p;
	}
	p = arena_alloc(a, want);
	if (n)
		memcpy(p, v, (size_t)n * size);
	return p;
}
