/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All ways through the program at once. A state is the list of places that the program may be at
 * after the bytes so far, the preferred way first; what matters of how each was reached is kept in
 * the steps between states, as entries that lead back.
 *
 * Ways that started at different bytes of the string are told apart by their origin, a number that
 * grows along the list: once a way has matched, those that started later are dropped. The search
 * for later starts is a place of its own, always the last.
 *
 * Without groups none of this matters: places are sorted, and the first match ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "regex/regex_int.h"

#define MAXWORK 5000000 /* instructions looked at: less than 100 ms */

/* A place: instruction * 2, + 1 where only the end of the string may follow. */
struct way {
	uint32_t place, origin;
};

struct state {
	uint32_t first, n; /* in ways */
	uint16_t final, end; /* as in struct regex_tab */
};

struct todo {
	uint32_t pc;
	bool at_end;
	struct regex_mark mark;
};

/* Items found by what they hold: slots have an item's number + 1. */
struct index {
	uint32_t *slots, cap;
	VEC(uint32_t) hashes; /* by item */
};

/* Entries that some steps have in common. */
struct run {
	uint32_t at, n;
};

struct dfa {
	struct arena *a;
	const struct re_program *p;
	bool groups;
	uint32_t search; /* the place that starts new ways */
	VEC(struct way) ways;
	VEC(struct state) states;
	VEC(uint16_t) next;
	VEC(uint32_t) back_at;
	VEC(uint32_t) back;
	VEC(struct run) runs;
	VEC(struct regex_mark) marks;
	struct index by_ways, by_run;
	/* the list being made */
	VEC(struct way) list;
	VEC(uint32_t) from; /* by way: the old entry | mark << 16 */
	VEC(struct todo) stack;
	uint32_t *seen, round; /* by place */
	bool matched; /* the match was reached before the end of the string */
	uint64_t work;
};

/* ---- one list ---- */

static uint32_t mark_number(struct dfa *d, struct regex_mark m)
{
	uint32_t k = 0;

	while (k < d->marks.n && (d->marks.v[k].set != m.set || d->marks.v[k].clear != m.clear))
		k++;
	if (k == d->marks.n)
		vec_push(d->a, &d->marks, m);
	d->work += k / 4;
	return k;
}

static void list_start(struct dfa *d)
{
	d->list.n = d->from.n = 0;
	d->round++;
	d->matched = false;
}

static void list_add(struct dfa *d, struct way w, uint32_t source, struct regex_mark mark)
{
	vec_push(d->a, &d->list, w);
	if (d->groups)
		vec_push(d->a, &d->from, source | mark_number(d, mark) << 16);
}

static void push(struct dfa *d, uint32_t pc, bool at_end, struct regex_mark mark)
{
	if (d->seen[2 * pc + at_end] != d->round)
		vec_push(d->a, &d->stack, ((struct todo){ pc, at_end, mark }));
}

/* A place that is there already for the whole string needs none for its end. */
static bool visit(struct dfa *d, const struct todo *t)
{
	d->work++;
	if (d->seen[2 * t->pc + t->at_end] == d->round ||
	    (t->at_end && d->seen[2 * t->pc] == d->round))
		return false;
	d->seen[2 * t->pc + t->at_end] = d->round;
	return true;
}

/* Everything that @pc leads to without taking a byte, the preferred first. */
static void follow(struct dfa *d, uint32_t pc, uint32_t origin, uint32_t source, bool at_start)
{
	push(d, pc, false, (struct regex_mark){ 0 });
	while (d->stack.n) {
		struct todo t = d->stack.v[--d->stack.n];
		const struct re_insn *i = &d->p->code.v[t.pc];
		struct way w = { 2 * t.pc + t.at_end, origin };

		if (!visit(d, &t))
			continue;
		switch (i->op) {
		case RI_SET:
			if (!t.at_end)
				list_add(d, w, source, t.mark);
			break;
		case RI_MATCH:
			d->matched |= !t.at_end;
			list_add(d, w, source, t.mark);
			break;
		case RI_SPLIT:
			push(d, i->y, t.at_end, t.mark);
			push(d, i->x, t.at_end, t.mark);
			break;
		case RI_JUMP:
			push(d, i->x, t.at_end, t.mark);
			break;
		case RI_MARK:
			t.mark.set |= UINT64_C(1) << i->x;
			t.mark.clear &= ~t.mark.set;
			push(d, t.pc + 1, t.at_end, t.mark);
			break;
		case RI_CLEAR:
			t.mark.clear |= i->clear;
			t.mark.set &= ~i->clear;
			push(d, t.pc + 1, t.at_end, t.mark);
			break;
		case RI_BOL:
			if (at_start)
				push(d, t.pc + 1, t.at_end, t.mark);
			break;
		case RI_EOL:
			push(d, t.pc + 1, true, t.mark);
			break;
		}
	}
}

static bool is_match(const struct dfa *d, const struct way *w)
{
	return w->place < d->search && d->p->code.v[w->place / 2].op == RI_MATCH;
}

/* What started after a match's start can only lose against it. */
static void drop_later(struct dfa *d)
{
	uint32_t n;

	for (uint32_t k = 0; k < d->list.n; k++) {
		if (!is_match(d, &d->list.v[k]) || d->list.v[k].place % 2)
			continue;
		for (n = k + 1; n < d->list.n && d->list.v[n].origin == d->list.v[k].origin; n++)
			;
		d->list.n = d->from.n = n;
		return;
	}
}

/* Origins count from 0 without gaps, so that equal lists are equal. */
static void renumber(struct dfa *d)
{
	uint32_t n = 0, was = 0;

	for (uint32_t k = 0; k < d->list.n; k++) {
		n += k && d->list.v[k].origin != was;
		was = d->list.v[k].origin;
		d->list.v[k].origin = n;
	}
}

static int by_place(const void *a, const void *b)
{
	uint32_t x = ((const struct way *)a)->place, y = ((const struct way *)b)->place;

	return (x > y) - (x < y);
}

static void list_finish(struct dfa *d)
{
	if (d->groups) {
		drop_later(d);
		renumber(d);
		return;
	}
	for (uint32_t k = 0; k < d->list.n; k++)
		d->list.v[k].origin = 0;
	qsort(d->list.v, d->list.n, sizeof(*d->list.v), by_place);
}

/* ---- states ---- */

static uint32_t hash_words(const void *p, size_t bytes)
{
	const uint32_t *w = p;
	uint32_t h = 2166136261u;

	for (size_t k = 0; k < bytes / sizeof(*w); k++) {
		h = (h ^ w[k]) * 0x9e3779b1u;
		h ^= h >> 15;
	}
	return h;
}

static void index_put(struct index *x, uint32_t item)
{
	uint32_t at = x->hashes.v[item] & (x->cap - 1);

	while (x->slots[at])
		at = (at + 1) & (x->cap - 1);
	x->slots[at] = item + 1;
}

static void index_add(struct arena *a, struct index *x, uint32_t hash)
{
	vec_push(a, &x->hashes, hash);
	if (x->hashes.n * 2 <= x->cap) {
		index_put(x, x->hashes.n - 1);
		return;
	}
	x->cap = x->cap ? x->cap * 2 : 64;
	x->slots = arena_alloc(a, x->cap * sizeof(*x->slots));
	for (uint32_t k = 0; k < x->hashes.n; k++)
		index_put(x, k);
}

/* The next item of that hash from slot *@at on; false when there is none. */
static bool index_next(const struct index *x, uint32_t hash, uint32_t *at, uint32_t *item)
{
	for (; x->cap; ++*at) {
		uint32_t slot = x->slots[*at & (x->cap - 1)];

		if (!slot)
			return false;
		if (x->hashes.v[slot - 1] != hash)
			continue;
		*item = slot - 1;
		++*at;
		return true;
	}
	return false;
}

static void set_results(const struct dfa *d, struct state *s)
{
	for (uint32_t k = 0; k < d->list.n; k++) {
		if (!is_match(d, &d->list.v[k]))
			continue;
		if (!s->end)
			s->end = (uint16_t)(d->groups ? k + 1 : 1);
		if (d->list.v[k].place % 2 == 0 && !s->final)
			s->final = (uint16_t)(k + 1);
	}
}

static uint32_t add_state(struct dfa *d, uint32_t hash)
{
	struct state s = { .first = d->ways.n, .n = d->list.n };

	set_results(d, &s);
	for (uint32_t k = 0; k < d->list.n; k++)
		vec_push(d->a, &d->ways, d->list.v[k]);
	vec_push(d->a, &d->states, s);
	index_add(d->a, &d->by_ways, hash);
	return d->states.n - 1;
}

/* The state of the finished list, a new one when there is none. */
static uint16_t state_of_list(struct dfa *d)
{
	size_t bytes = d->list.n * sizeof(*d->list.v);
	uint32_t h = hash_words(d->list.v, bytes), at = h, k;

	if (!d->list.n)
		return REGEX_DEAD;
	if (!d->groups && d->matched)
		return REGEX_FOUND;
	while (index_next(&d->by_ways, h, &at, &k))
		if (d->states.v[k].n == d->list.n &&
		    memcmp(d->ways.v + d->states.v[k].first, d->list.v, bytes) == 0)
			return (uint16_t)k;
	return (uint16_t)add_state(d, h);
}

/* Where the entries back of the finished list are. */
static uint32_t back_of_list(struct dfa *d)
{
	size_t bytes = d->from.n * sizeof(*d->from.v);
	uint32_t h = hash_words(d->from.v, bytes), at = h, k;
	struct run new = { d->back.n, d->from.n };

	if (!d->from.n)
		return 0;
	while (index_next(&d->by_run, h, &at, &k))
		if (d->runs.v[k].n == d->from.n &&
		    memcmp(d->back.v + d->runs.v[k].at, d->from.v, bytes) == 0)
			return d->runs.v[k].at;
	vec_push(d->a, &d->runs, new);
	index_add(d->a, &d->by_run, h);
	for (k = 0; k < d->from.n; k++)
		vec_push(d->a, &d->back, d->from.v[k]);
	return new.at;
}

/* ---- steps ---- */

static void step(struct dfa *d, uint32_t state, uint32_t class)
{
	struct state s = d->states.v[state];
	uint32_t origin = 0;

	list_start(d);
	for (uint32_t k = 0; k < s.n && (d->groups || !d->matched); k++) {
		struct way w = d->ways.v[s.first + k];
		const struct re_insn *i = &d->p->code.v[w.place / 2];

		d->work++;
		origin = w.origin;
		if (w.place == d->search) {
			follow(d, 0, origin, k, false);
			list_add(d, (struct way){ d->search, origin + 1 }, k,
				 (struct regex_mark){ 0 });
		} else if (i->op == RI_SET && set_has(&d->p->sets.v[i->x], class)) {
			follow(d, w.place / 2 + 1, origin, k, false);
		}
	}
	list_finish(d);
}

static uint32_t table_bytes(const struct dfa *d)
{
	return d->states.n * d->p->nclasses * (d->groups ? 6 : 2) + 4 * d->back.n;
}

static const char *too_large(const struct dfa *d)
{
	if (d->states.n > REGEX_MAXSTATES)
		return "this pattern needs more than 4096 states";
	if (d->work > MAXWORK)
		return "this pattern takes too long to translate";
	if (table_bytes(d) > REGEX_MAXBYTES || d->marks.n > UINT16_MAX)
		return "this pattern needs a table of more than 256 KiB";
	return NULL;
}

/* The row of a state: for each class where it leads. */
static void add_row(struct dfa *d, uint32_t state)
{
	for (uint32_t c = 0; c < d->p->nclasses; c++) {
		step(d, state, c);
		vec_push(d->a, &d->next, state_of_list(d));
		if (d->groups)
			vec_push(d->a, &d->back_at, back_of_list(d));
	}
}

static const char *build(struct dfa *d)
{
	const char *wrong = NULL;

	for (uint32_t s = 0; s < d->states.n && !wrong; s++) {
		add_row(d, s);
		wrong = too_large(d);
	}
	return wrong;
}

/* States without ways: DEAD, and FOUND where it exists. No list is equal to theirs. */
static void add_fixed_states(struct dfa *d)
{
	list_start(d);
	for (uint32_t s = 0; s <= (d->groups ? REGEX_DEAD : REGEX_FOUND); s++)
		add_state(d, 0);
}

static void *copy(struct arena *a, const void *p, size_t n)
{
	void *to = arena_alloc(a, n + 1);

	if (n)
		memcpy(to, p, n);
	return to;
}

#define COPY(a, vec) copy(a, (vec)->v, (vec)->n * sizeof(*(vec)->v))

static struct regex_tab *to_table(const struct dfa *d, struct arena *a)
{
	struct regex_tab *t = arena_new(a, struct regex_tab);
	uint32_t n = d->states.n;
	uint16_t *end = arena_alloc(a, n * sizeof(*end)), *final = arena_alloc(a, n * sizeof(*end));

	for (uint32_t s = 0; s < n; s++) {
		end[s] = d->states.v[s].end;
		final[s] = d->states.v[s].final;
	}
	t->nstates = t->first_final = n;
	t->nclasses = d->p->nclasses;
	t->classes = copy(a, d->p->classes, 256);
	t->next = COPY(a, &d->next);
	t->end = end;
	t->final = final;
	t->nback = d->back.n;
	t->nmarks = d->marks.n;
	t->back_at = COPY(a, &d->back_at);
	t->back = COPY(a, &d->back);
	t->marks = COPY(a, &d->marks);
	return t;
}

/* The entries of the start state have none before them, only marks. */
static uint16_t *first_marks(const struct dfa *d, struct arena *a, uint32_t *n)
{
	uint16_t *first = arena_alloc(a, (d->from.n + 1) * sizeof(*first));

	*n = d->from.n;
	for (uint32_t k = 0; k < *n; k++)
		first[k] = (uint16_t)(d->from.v[k] >> 16);
	return first;
}

struct regex_tab *re_determine(struct arena *a, const struct re_program *p, uint32_t ngroups,
			       struct regex_error *err)
{
	struct dfa d = { .p = p, .groups = ngroups, .search = 2 * p->code.n };
	struct regex_tab *t = NULL;
	uint32_t start, nfirst;
	struct arena tmp;
	uint16_t *first;

	arena_init(&tmp);
	d.a = &tmp;
	d.seen = arena_alloc(&tmp, (2 * p->code.n + 2) * sizeof(*d.seen));
	add_fixed_states(&d);
	list_start(&d);
	follow(&d, 0, 0, 0, true);
	list_add(&d, (struct way){ d.search, 1 }, 0, (struct regex_mark){ 0 });
	list_finish(&d);
	first = first_marks(&d, a, &nfirst);
	start = state_of_list(&d);
	err->text = build(&d);
	if (!err->text) {
		t = to_table(&d, a);
		t->start = start;
		t->cost = (uint32_t)d.work;
		t->ngroups = ngroups;
		t->first = first;
		t->nfirst = nfirst;
	} else {
		err->hint = "make repetition counts smaller, anchor the pattern with ^, or match "
			    "its parts one after the other";
	}
	arena_fini(&tmp);
	return t;
}
