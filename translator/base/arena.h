/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Region allocator. Everything a pass builds lives in one arena and is freed with it.
 * Out of memory ends the process with a message: no caller checks for NULL.
 */
#ifndef SPILE_BASE_ARENA_H
#define SPILE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	char *cur, *end;
	size_t used; /* bytes handed out, for -vv */
};

/* How every allocator of this program ends when memory is out: a message, exit status 1. */
void arena_oom(void) __attribute__((noreturn));

void arena_init(struct arena *a);
void arena_fini(struct arena *a);

/* Zeroed memory, aligned for any object; lives until arena_fini(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* Returns the array that holds @n items of @size and has room for one more, moved when full. */
void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t size);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* A growable array in an arena: VEC(struct x) xs; vec_push(arena, &xs, item); xs.v[i], xs.n */
#define VEC(type)               \
	struct {                \
		type *v;        \
		uint32_t n, cap; \
	}
#define vec_push(a, vec, item)                                                              \
	((vec)->v = arena_grow((a), (vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)), \
	 (vec)->v[(vec)->n++] = (item))

#endif
