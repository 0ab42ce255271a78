/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a regular expression, and matching with them. Freestanding, like base/fmt.h: the
 * interpreter and the module runtime walk with this same source; the eBPF runtime has the same
 * walk in its own instructions.
 *
 * A plain table says whether the pattern occurs in a string. One with groups also finds where: the
 * walk forwards writes down the state at each byte and the end of the match; the walk backwards
 * follows, from entry to entry, how that match was reached.
 */
#ifndef SPILE_REGEX_REGEX_WALK_H
#define SPILE_REGEX_REGEX_WALK_H

#ifdef SPILE_KERNEL
#include "abi.h"
#else
#include <stdint.h>
#endif

#define REGEX_MAXGROUPS 32 /* of a table with groups; the whole match is one */
#define REGEX_NOWHERE 0xffffffffu

enum { REGEX_DEAD, REGEX_FOUND }; /* states of every table; FOUND: of plain tables only */

/* What a step does to the ends of groups: bit 2g is the start of group g, 2g + 1 its end. */
struct regex_mark {
	uint64_t set, clear;
};

struct regex_tab {
	uint32_t start, nstates, nclasses;
	uint32_t ngroups; /* with the whole match; 0: a plain table */
	uint32_t first_final; /* with groups: states from here on hold a match */
	uint32_t nback, nfirst, nmarks;
	uint32_t cost; /* of making it: instructions looked at */
	const uint8_t *classes; /* by byte */
	const uint16_t *next; /* by state and class */
	const uint16_t *end; /* by state: nonzero when the string may end here; see final */
	/* with groups */
	const uint16_t *final; /* by state: the entry of the match, from 1; end: that at the end */
	const uint32_t *back_at; /* by state and class: where the new state's entries start */
	const uint32_t *back; /* entry: the old state's entry | mark << 16 */
	const uint16_t *first; /* entries of the start state: mark */
	const struct regex_mark *marks;
};

#ifdef SPILE_KERNEL
#define REGEX_INLINE static inline __attribute__((always_inline))
#else
#define REGEX_INLINE static inline
#endif

/* 1 when the pattern occurs in @s, else 0. */
REGEX_INLINE int regex_match(const struct regex_tab *t, const char *s)
{
	uint32_t state = t->start;

	for (; state > REGEX_FOUND; s++) {
		if (!*s)
			return t->end[state];
		state = t->next[state * t->nclasses + t->classes[(uint8_t)*s]];
	}
	return (int)state;
}

/* Forwards: the length of the string up to the end of the match; REGEX_NOWHERE without one. */
REGEX_INLINE uint32_t regex_forward(const struct regex_tab *t, const char *s, uint16_t *log,
				    uint32_t *entry)
{
	uint32_t state = t->start, last = REGEX_NOWHERE, at;

	for (at = 0; state != REGEX_DEAD; at++) {
		log[at] = (uint16_t)state;
		if (!s[at]) {
			if (!t->end[state])
				break;
			*entry = t->end[state] - 1u;
			return at;
		}
		if (state >= t->first_final) {
			last = at;
			*entry = t->final[state] - 1u;
		}
		state = t->next[state * t->nclasses + t->classes[(uint8_t)s[at]]];
	}
	return last;
}

REGEX_INLINE void regex_mark(const struct regex_mark *m, uint64_t *seen, uint32_t *pos, uint32_t at)
{
	uint64_t set = m->set & ~*seen;

	*seen |= m->set | m->clear;
	for (; set; set &= set - 1)
		pos[__builtin_ctzll(set)] = at;
}

/*
 * 1 when the pattern occurs in @s: the longest of the leftmost matches. @pos gets start and end of
 * each group, REGEX_NOWHERE for one that took no part. @log has room for strlen(s) + 1 states.
 */
REGEX_INLINE int regex_capture(const struct regex_tab *t, const char *s, uint16_t *log,
			       uint32_t *pos)
{
	uint32_t entry = 0, at = regex_forward(t, s, log, &entry), e;
	uint64_t seen = 0;

	if (at == REGEX_NOWHERE)
		return 0;
	for (e = 0; e < 2 * t->ngroups; e++)
		pos[e] = REGEX_NOWHERE;
	for (; at && !(seen & 1); at--) {
		e = log[at - 1] * t->nclasses + t->classes[(uint8_t)s[at - 1]];
		e = t->back[t->back_at[e] + entry];
		entry = e & 0xffff;
		regex_mark(&t->marks[e >> 16], &seen, pos, at);
	}
	if (!(seen & 1))
		regex_mark(&t->marks[t->first[entry]], &seen, pos, 0);
	return 1;
}

#endif
