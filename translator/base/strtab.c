/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interned strings, each stored behind its hash and length so that a look-up seldom compares bytes in vain. */
#include "base/strtab.h"

#include <stdlib.h>
#include <string.h>

struct interned {
	uint32_t hash, len;
	char s[];
};

#define INTERNED(p) ((const struct interned *)((p)-offsetof(struct interned, s)))
#define STRTAB_FIRST 256u

void strtab_init(struct strtab *t, struct arena *a)
{
	t->arena = a;
	t->slot = NULL;
	t->n = t->cap = 0;
}

void strtab_fini(struct strtab *t)
{
	free(t->slot);
	t->slot = NULL;
	t->n = t->cap = 0;
}

/* FNV-1a with a final mix: names are short, so one byte a step is no cost. */
static uint32_t hash_bytes(const char *s, size_t n)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h ^ (h >> 15);
}

static void strtab_resize(struct strtab *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : STRTAB_FIRST;
	const char **slot = calloc(cap, sizeof(*slot));
	uint32_t i, k;

	if (!slot)
		arena_oom();
	for (i = 0; i < t->cap; i++) {
		if (!t->slot[i])
			continue;
		for (k = INTERNED(t->slot[i])->hash & (cap - 1); slot[k]; k = (k + 1) & (cap - 1))
			;
		slot[k] = t->slot[i];
	}
	free(t->slot);
	t->slot = slot;
	t->cap = cap;
}

const char *strtab_intern_n(struct strtab *t, const char *s, size_t n)
{
	uint32_t hash = hash_bytes(s, n), i;
	struct interned *e;

	if (n >= UINT32_MAX - sizeof(*e))
		arena_oom();
	if (t->n >= t->cap / 2)
		strtab_resize(t);
	for (i = hash & (t->cap - 1); t->slot[i]; i = (i + 1) & (t->cap - 1)) {
		const struct interned *have = INTERNED(t->slot[i]);

		if (have->hash == hash && have->len == n && !memcmp(have->s, s, n))
			return have->s;
	}
	e = arena_alloc(t->arena, sizeof(*e) + n + 1);
	e->hash = hash;
	e->len = (uint32_t)n;
	memcpy(e->s, s, n);
	t->slot[i] = e->s;
	t->n++;
	return e->s;
}

const char *strtab_intern(struct strtab *t, const char *s)
{
	return strtab_intern_n(t, s, strlen(s));
}
