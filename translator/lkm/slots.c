/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places of strings in a function's frame. Two registers share one unless one is written while the
 * other's text is still wanted. Every operation may write its result over one of its operands.
 */
#include <string.h>

#include "lkm/emit.h"

struct slots {
	const struct ir_func *f;
	struct lkm_func *lf;
	uint32_t n; /* strings that need a place */
	uint32_t *number; /* by register: which of those, or IR_NONE */
	uint32_t *reg; /* the other way */
	uint8_t *clash; /* n by n */
	struct ir_liveness live;
};

static bool is_live(const uint64_t *set, uint32_t r)
{
	return set[r / 64] >> (r % 64) & 1;
}

/* Register @r gets a new text while those of @set are wanted. */
static void clash_with_set(struct slots *s, uint32_t r, const uint64_t *set)
{
	uint32_t a = s->number[r];

	for (uint32_t b = 0; b < s->n; b++) {
		if (b != a && is_live(set, s->reg[b]))
			s->clash[a * s->n + b] = s->clash[b * s->n + a] = 1;
	}
}

static void walk_block(struct slots *s, uint32_t block, uint64_t *set)
{
	const struct ir_block *b = s->f->blocks.v[block];

	memcpy(set, s->live.live_out[block], s->live.words * sizeof(*set));
	for (uint32_t k = b->insns.n; k-- > 0;) {
		const struct ir_insn *i = &b->insns.v[k];

		for (uint32_t w = 0; i->err != IR_NONE && w < s->live.words; w++)
			set[w] |= s->live.live_in[i->err][w];
		if (i->dst != IR_NONE && s->number[i->dst] != IR_NONE)
			clash_with_set(s, i->dst, set);
		if (i->dst != IR_NONE &&
		    (i->err == IR_NONE || !is_live(s->live.live_in[i->err], i->dst)))
			set[i->dst / 64] &= ~(1ull << (i->dst % 64));
		for (uint32_t a = 0; a < i->nargs; a++) {
			if (i->args[a].kind == IRV_REG)
				set[i->args[a].reg / 64] |= 1ull << (i->args[a].reg % 64);
		}
	}
}

/* Parameters that are written to are copied at the start, all of them before any is used. */
static void clash_parameters(struct slots *s)
{
	for (uint32_t r = 0; r < s->f->nparams; r++) {
		if (s->number[r] == IR_NONE)
			continue;
		clash_with_set(s, r, s->live.live_in[0]);
		for (uint32_t q = 0; q < r; q++) {
			uint32_t a = s->number[r], b = s->number[q];

			if (b != IR_NONE)
				s->clash[a * s->n + b] = s->clash[b * s->n + a] = 1;
		}
	}
}

/* The lowest place that no clashing register has. */
static void choose(struct arena *a, struct slots *s)
{
	uint8_t *taken = arena_alloc(a, s->n + 1);

	for (uint32_t k = 0; k < s->n; k++) {
		uint32_t place = 0;

		memset(taken, 0, s->n + 1);
		for (uint32_t q = 0; q < k; q++) {
			if (s->clash[k * s->n + q])
				taken[s->lf->slot[s->reg[q]]] = 1;
		}
		while (taken[place])
			place++;
		s->lf->slot[s->reg[k]] = place;
		if (place >= s->lf->nstrings)
			s->lf->nstrings = place + 1;
	}
}

void lkm_place_strings(struct arena *a, const struct ir_func *f, struct lkm_func *lf)
{
	struct slots s = { .f = f, .lf = lf };
	uint64_t *set;

	lf->slot = arena_alloc(a, (f->regs.n + 1) * sizeof(*lf->slot));
	s.number = arena_alloc(a, (f->regs.n + 1) * sizeof(*s.number));
	s.reg = arena_alloc(a, (f->regs.n + 1) * sizeof(*s.reg));
	for (uint32_t r = 0; r < f->regs.n; r++) {
		s.number[r] = IR_NONE;
		if (f->regs.v[r] == IR_STR && lf->written[r]) {
			s.reg[s.n] = r;
			s.number[r] = s.n++;
		}
	}
	if (!s.n)
		return;
	s.clash = arena_alloc(a, (size_t)s.n * s.n);
	ir_liveness(a, f, &s.live);
	set = arena_alloc(a, (s.live.words + 1) * sizeof(*set));
	for (uint32_t b = 0; b < f->blocks.n; b++)
		walk_block(&s, b, set);
	clash_parameters(&s);
	choose(a, &s);
}
