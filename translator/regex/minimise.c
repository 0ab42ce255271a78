/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A smaller table. States that lead to no match become DEAD, so that a walk may stop there; without
 * groups, states that behave alike become one; with groups, those that hold a match go to the end
 * of the table.
 */
#include <string.h>

#include "regex/regex_int.h"

#define MAXWORK 4000000 /* cells looked at; what is not joined by then stays apart */

struct table {
	struct arena *a;
	struct regex_tab *t;
	uint32_t *to; /* the new number of each state */
	uint32_t n; /* new states */
};

static bool may_match(const struct table *m, const uint8_t *useful, uint32_t s)
{
	const uint16_t *row = m->t->next + s * m->t->nclasses;

	if (m->t->end[s] || m->t->final[s])
		return true;
	for (uint32_t c = 0; c < m->t->nclasses; c++)
		if (useful[row[c]])
			return true;
	return false;
}

/* By state: whether some string leads from it to a match. */
static uint8_t *find_useful(const struct table *m)
{
	uint8_t *useful = arena_alloc(m->a, m->t->nstates + 1);
	bool changed = true;

	useful[REGEX_FOUND] = !m->t->ngroups;
	while (changed) {
		changed = false;
		/* backwards: most steps lead to states that were found later */
		for (uint32_t s = m->t->nstates; s-- > 1;) {
			if (useful[s] || !may_match(m, useful, s))
				continue;
			useful[s] = changed = true;
		}
	}
	return useful;
}

/* ---- joining: states are split into classes until those of one class agree everywhere ---- */

static uint64_t signature(const struct table *m, uint32_t s)
{
	const uint16_t *row = m->t->next + s * m->t->nclasses;
	uint64_t h = m->to[s] * UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t c = 0; c < m->t->nclasses; c++) {
		h = (h ^ m->to[row[c]]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return h;
}

static bool agree(const struct table *m, uint32_t a, uint32_t b)
{
	const uint16_t *x = m->t->next + a * m->t->nclasses, *y = m->t->next + b * m->t->nclasses;

	for (uint32_t c = 0; c < m->t->nclasses; c++)
		if (m->to[x[c]] != m->to[y[c]])
			return false;
	return m->to[a] == m->to[b];
}

/* One round: new classes from old. DEAD and FOUND keep their numbers. */
static void split(struct table *m, uint32_t *slots, uint32_t mask, uint32_t *fresh)
{
	uint32_t n = REGEX_FOUND + 1;

	memset(slots, 0, (mask + 1) * sizeof(*slots));
	for (uint32_t s = 0; s < m->t->nstates; s++) {
		uint32_t at;

		fresh[s] = m->to[s];
		if (m->to[s] <= REGEX_FOUND)
			continue;
		at = (uint32_t)signature(m, s) & mask;
		while (slots[at] && !agree(m, slots[at], s))
			at = (at + 1) & mask;
		fresh[s] = slots[at] ? fresh[slots[at]] : n++;
		slots[at] = slots[at] ? slots[at] : s;
	}
	memcpy(m->to, fresh, m->t->nstates * sizeof(*fresh));
	m->n = n;
}

static void join(struct table *m, const uint8_t *useful)
{
	uint32_t cap = 64, before, cells = regex_cells(m->t), *slots, *fresh;
	uint64_t work = 0;

	while (cap < 2 * m->t->nstates)
		cap *= 2;
	slots = arena_alloc(m->a, cap * sizeof(*slots));
	fresh = arena_alloc(m->a, m->t->nstates * sizeof(*fresh));
	for (uint32_t s = 0; s < m->t->nstates; s++)
		m->to[s] = !useful[s]         ? REGEX_DEAD
			   : s == REGEX_FOUND ? REGEX_FOUND
					      : 2u + m->t->end[s];
	m->n = 4;
	do {
		before = m->n;
		split(m, slots, cap - 1, fresh);
		work += cells;
	} while ((m->n != before || work == cells) && work < MAXWORK);
	if (work < MAXWORK)
		return;
	m->n = REGEX_FOUND + 1;
	for (uint32_t s = REGEX_FOUND + 1; s < m->t->nstates; s++)
		m->to[s] = useful[s] ? m->n++ : REGEX_DEAD;
}

static void order(struct table *m, const uint8_t *useful)
{
	m->n = REGEX_DEAD + 1;
	for (int final = 0; final < 2; final++) {
		if (final)
			m->t->first_final = m->n;
		for (uint32_t s = 1; s < m->t->nstates; s++)
			if (useful[s] && !!m->t->final[s] == final)
				m->to[s] = m->n++;
	}
}

/* The table with its states renumbered. */
static void rewrite(struct table *m, struct arena *a)
{
	struct regex_tab *t = m->t, old = *t;
	uint32_t nc = t->nclasses;
	uint16_t *next = arena_alloc(a, m->n * nc * sizeof(*next) + 1);
	uint16_t *end = arena_alloc(a, m->n * sizeof(*end) + 1);
	uint16_t *final = arena_alloc(a, m->n * sizeof(*final) + 1);
	uint32_t *back_at = arena_alloc(a, old.ngroups ? m->n * nc * sizeof(*back_at) : 1);

	for (uint32_t s = 0; s < old.nstates; s++) {
		uint32_t to = m->to[s];

		if (to == REGEX_DEAD)
			continue;
		end[to] = old.end[s];
		final[to] = old.final[s];
		for (uint32_t c = 0; c < nc; c++) {
			next[to * nc + c] = (uint16_t)m->to[old.next[s * nc + c]];
			if (old.ngroups)
				back_at[to * nc + c] = old.back_at[s * nc + c];
		}
	}
	t->start = m->to[old.start];
	t->nstates = m->n;
	t->next = next;
	t->end = end;
	t->final = final;
	t->back_at = back_at;
}

void re_minimise(struct arena *a, struct regex_tab *t)
{
	struct table m = { .t = t };
	const uint8_t *useful;
	struct arena tmp;

	arena_init(&tmp);
	m.a = &tmp;
	m.to = arena_alloc(&tmp, t->nstates * sizeof(*m.to));
	useful = find_useful(&m);
	if (t->ngroups)
		order(&m, useful);
	else
		join(&m, useful);
	rewrite(&m, a);
	arena_fini(&tmp);
}
