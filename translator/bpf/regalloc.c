/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear scan. One interval a register over the block order; i64 registers share R6-R8, what finds
 * none (or must survive a state boundary, where machine registers are lost) gets a home in the
 * scratch slot; strings are coloured the same way.
 */
#include "bpf/gen.h"

#include <stdlib.h>
#include <string.h>

#define NMACHINE 3

/*
 * In a handler of many blocks no value stays in a register from one block to the next. The
 * verifier of kernels before 6.3 compares all registers when paths meet, and what it knows of them
 * differs by path: the number of paths would grow with each branch. What is read from memory is
 * unknown, and equal.
 */
#define FEW_BLOCKS 16

struct interval {
	uint32_t reg, start, end; /* instruction n reads at 2n, writes at 2n + 1 */
	bool mem, used;
};

struct scan {
	struct fngen *fg;
	struct interval *iv; /* by register */
	struct ir_liveness live;
};

static bool bit(const uint64_t *set, uint32_t n)
{
	return set[n / 64] >> (n % 64) & 1;
}

static void touch(struct scan *s, uint32_t reg, uint32_t pos)
{
	struct interval *iv = &s->iv[reg];

	if (!iv->used)
		*iv = (struct interval){
			.reg = reg, .start = pos, .end = pos, .mem = iv->mem, .used = true
		};
	if (pos < iv->start)
		iv->start = pos;
	if (pos > iv->end)
		iv->end = pos;
}

static void touch_set(struct scan *s, const uint64_t *set, uint32_t pos, bool mem)
{
	for (uint32_t r = 0; r < s->fg->f->regs.n; r++) {
		if (!bit(set, r))
			continue;
		touch(s, r, pos);
		if (mem)
			s->iv[r].mem = true;
	}
}

/*
 * What lives across a call must be in memory: everything live after it but its result, and what
 * its error block reads.
 */
static void pin_around_calls(struct scan *s, struct arena *a, uint32_t block)
{
	const struct ir_block *b = s->fg->f->blocks.v[block];
	uint64_t *live = arena_alloc(a, sizeof(uint64_t) * (s->live.words + 1));

	memcpy(live, s->live.live_out[block], sizeof(uint64_t) * s->live.words);
	for (uint32_t n = b->insns.n; n-- > 0;) {
		const struct ir_insn *i = &b->insns.v[n];

		if (i->dst != IR_NONE)
			live[i->dst / 64] &= ~(1ull << (i->dst % 64));
		if (i->err != IR_NONE)
			for (uint32_t w = 0; w < s->live.words; w++)
				live[w] |= s->live.live_in[i->err][w];
		if (i->op == IR_call)
			for (uint32_t r = 0; r < s->fg->f->regs.n; r++)
				if (bit(live, r))
					s->iv[r].mem = true;
		for (uint32_t k = 0; k < i->nargs; k++)
			if (i->args[k].kind == IRV_REG)
				live[i->args[k].reg / 64] |= 1ull << (i->args[k].reg % 64);
	}
}

static void build_intervals(struct scan *s, struct arena *a, bool machine)
{
	struct fngen *fg = s->fg;
	uint32_t pos = 0;

	for (uint32_t p = 0; p < fg->f->nparams; p++)
		touch(s, p, 0);
	for (uint32_t k = 0; k < fg->norder; k++) {
		uint32_t block = fg->order[k];
		const struct ir_block *b = fg->f->blocks.v[block];

		touch_set(s, s->live.live_in[block], 2 * pos,
			  fg->state[block] != IR_NONE || fg->norder > FEW_BLOCKS);
		for (uint32_t n = 0; n < b->insns.n; n++, pos++) {
			const struct ir_insn *i = &b->insns.v[n];

			for (uint32_t j = 0; j < i->nargs; j++)
				if (i->args[j].kind == IRV_REG)
					touch(s, i->args[j].reg, 2 * pos);
			if (i->dst == IR_NONE)
				continue;
			touch(s, i->dst, 2 * pos + 1);
			/* a string operation writes its result while it still reads its operands */
			if (fg->f->regs.v[i->dst] == IR_STR)
				touch(s, i->dst, 2 * pos);
		}
		touch_set(s, s->live.live_out[block], 2 * pos - 1, false);
		if (machine)
			pin_around_calls(s, a, block);
	}
	for (uint32_t p = 0; p < fg->f->nparams; p++)
		s->iv[p].mem = true;
}

static int by_start(const void *a, const void *b)
{
	const struct interval *x = *(const struct interval *const *)a,
			      *y = *(const struct interval *const *)b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->reg < y->reg ? -1 : x->reg > y->reg;
}

static void assign_machine(struct scan *s, struct interval **v, uint32_t n)
{
	struct interval *active[NMACHINE] = { NULL };

	for (uint32_t k = 0; k < n; k++) {
		struct interval *iv = v[k], *worst = iv;
		int free_reg = -1, worst_reg = -1;

		if (iv->mem)
			continue;
		for (int r = 0; r < NMACHINE; r++) {
			if (!active[r] || active[r]->end < iv->start)
				free_reg = r;
			else if (active[r]->end > worst->end)
				worst = active[r], worst_reg = r;
		}
		if (free_reg < 0 && worst_reg >= 0) {
			s->fg->loc[worst->reg] = (struct loc){ LOC_MEM, 0 };
			free_reg = worst_reg;
		}
		if (free_reg < 0)
			continue;
		active[free_reg] = iv;
		s->fg->loc[iv->reg] = (struct loc){ LOC_REG, (uint32_t)(R6 + free_reg) };
	}
}

/* First fit over homes; returns how many were needed. */
static uint32_t assign_homes(struct arena *a, struct fngen *fg, struct interval **v, uint32_t n)
{
	uint32_t *busy_until = arena_alloc(a, sizeof(uint32_t) * (n + 1));
	uint32_t count = 0;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t h = 0;

		if (fg->loc[v[k]->reg].kind == LOC_REG)
			continue;
		while (h < count && busy_until[h] > v[k]->start)
			h++;
		if (h == count)
			count++;
		busy_until[h] = v[k]->end + 1;
		fg->loc[v[k]->reg] = (struct loc){ LOC_MEM, h };
	}
	return count;
}

void alloc_registers(struct unit *u, struct handler *h, struct fngen *fg)
{
	uint32_t nr = fg->f->regs.n, ni = 0, ns = 0;
	struct scan s = { .fg = fg,
			  .iv = arena_alloc(u->arena, sizeof(struct interval) * (nr + 1)) };
	struct interval **ints = arena_alloc(u->arena, sizeof(*ints) * (nr + 1));
	struct interval **strs = arena_alloc(u->arena, sizeof(*strs) * (nr + 1));

	fg->loc = arena_alloc(u->arena, sizeof(*fg->loc) * (nr + 1));
	fg->fused = arena_alloc(u->arena, sizeof(*fg->fused) * (nr + 1));
	ir_liveness(u->arena, fg->f, &s.live);
	build_intervals(&s, u->arena, h->machine);
	for (uint32_t r = 0; r < nr; r++) {
		if (!s.iv[r].used)
			continue;
		fg->fused[r] = (s.iv[r].start & 1) && s.iv[r].end == s.iv[r].start + 1;
		if (fg->f->regs.v[r] == IR_STR)
			strs[ns++] = &s.iv[r];
		else
			ints[ni++] = &s.iv[r];
	}
	qsort(ints, ni, sizeof(*ints), by_start);
	qsort(strs, ns, sizeof(*strs), by_start);
	assign_machine(&s, ints, ni);
	fg->iter_homes = assign_homes(u->arena, fg, ints, ni);
	fg->nhomes = fg->iter_homes + ITER_HOMES * fg->f->iters.n;
	fg->nstrs = assign_homes(u->arena, fg, strs, ns);
}
