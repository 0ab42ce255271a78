/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String interning: equal strings have equal pointers. Strings may hold no NUL. */
#ifndef SPILE_BASE_STRTAB_H
#define SPILE_BASE_STRTAB_H

#include "arena.h"

struct strtab {
	struct arena *arena;
	const char **slot; /* open addressing, power of two */
	uint32_t n, cap;
};

void strtab_init(struct strtab *t, struct arena *a);
void strtab_fini(struct strtab *t);
const char *strtab_intern(struct strtab *t, const char *s);
const char *strtab_intern_n(struct strtab *t, const char *s, size_t n);

/* Levenshtein distance with a cut-off, for "did you mean": more than @max returns @max + 1. */
unsigned int str_distance(const char *a, const char *b, unsigned int max);

/*
 * The best candidate seen so far for a misspelt @want. Feed every candidate; near_best() is
 * NULL when none is near enough to be worth proposing (distance over a third of the length).
 */
struct near_match {
	const char *want, *best;
	unsigned int dist;
};
void near_init(struct near_match *m, const char *want);
void near_try(struct near_match *m, const char *candidate);
const char *near_best(const struct near_match *m);

#endif
