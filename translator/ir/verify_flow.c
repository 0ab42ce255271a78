/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers are assigned before they are read: a forward data flow of bit sets, met by
 * intersection. The edge to an error block leaves before the destination is written. Most registers
 * are temporaries that one block alone names: those have no bit, so that the sets stay small in
 * functions of many thousand blocks.
 */
#include "cfg.h"
#include "verify_int.h"

struct flow {
	const struct ir_func *f;
	uint32_t words;
	uint32_t *bit; /* by register; IR_NONE: one block alone names it */
	uint32_t *block; /* by register without a bit: 1 + the block that was seen to assign it */
	uint64_t *in; /* per block: assigned on all paths to its start */
	uint64_t *cur;
	uint8_t *seen;
	bool changed;
};

static uint64_t *block_in(struct flow *fl, uint32_t b)
{
	return fl->in + (size_t)b * fl->words;
}

/* Block of the register's first naming, then SEVERAL. */
#define SEVERAL (IR_NONE - 1)

static void name_register(uint32_t *home, uint32_t reg, uint32_t block)
{
	if (home[reg] == IR_NONE)
		home[reg] = block;
	else if (home[reg] != block)
		home[reg] = SEVERAL;
}

/* Numbers the registers that need a bit. */
static void number_registers(struct flow *fl)
{
	const struct ir_func *f = fl->f;
	uint32_t n = 0;

	for (uint32_t r = 0; r < f->regs.n; r++)
		fl->bit[r] = r < f->nparams ? SEVERAL : IR_NONE;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = f->blocks.v[b];

		for (uint32_t k = 0; k < blk->insns.n; k++) {
			const struct ir_insn *i = &blk->insns.v[k];

			for (uint32_t o = 0; o < i->nargs; o++)
				if (i->args[o].kind == IRV_REG)
					name_register(fl->bit, i->args[o].reg, b);
			if (i->dst != IR_NONE)
				name_register(fl->bit, i->dst, b);
		}
	}
	for (uint32_t r = 0; r < f->regs.n; r++)
		fl->bit[r] = fl->bit[r] == SEVERAL ? n++ : IR_NONE;
	fl->words = bits_words(n);
}

/* Meets the current state into a successor. */
static void flow_edge(struct flow *fl, uint32_t to)
{
	uint64_t *in = block_in(fl, to);

	for (uint32_t w = 0; w < fl->words; w++) {
		uint64_t met = fl->seen[to] ? in[w] & fl->cur[w] : fl->cur[w];

		fl->changed |= met != in[w];
		in[w] = met;
	}
	fl->changed |= !fl->seen[to];
	fl->seen[to] = 1;
}

static void assign(struct flow *fl, uint32_t reg, uint32_t block)
{
	if (fl->bit[reg] == IR_NONE)
		fl->block[reg] = block + 1;
	else
		bits_set(fl->cur, fl->bit[reg]);
}

static void flow_block(struct flow *fl, uint32_t b)
{
	const struct ir_block *blk = fl->f->blocks.v[b];

	memcpy(fl->cur, block_in(fl, b), fl->words * sizeof(*fl->cur));
	for (uint32_t n = 0; n < blk->insns.n; n++) {
		const struct ir_insn *i = &blk->insns.v[n];

		if (i->err != IR_NONE)
			flow_edge(fl, i->err);
		if (ir_always_fails(i))
			return;
		if (i->dst != IR_NONE && fl->bit[i->dst] != IR_NONE)
			bits_set(fl->cur, fl->bit[i->dst]);
		for (uint32_t s = 0; s < 2; s++)
			if (i->succ[s] != IR_NONE)
				flow_edge(fl, i->succ[s]);
	}
}

static bool is_assigned(const struct flow *fl, uint32_t reg, uint32_t block)
{
	if (fl->bit[reg] == IR_NONE)
		return fl->block[reg] == block + 1;
	return bits_get(fl->cur, fl->bit[reg]);
}

static bool check_block(struct verifier *v, struct flow *fl, uint32_t b)
{
	const struct ir_block *blk = fl->f->blocks.v[b];

	v->block = b;
	memcpy(fl->cur, block_in(fl, b), fl->words * sizeof(*fl->cur));
	for (uint32_t n = 0; n < blk->insns.n; n++) {
		const struct ir_insn *i = &blk->insns.v[n];

		v->insn = n;
		for (uint32_t k = 0; k < i->nargs; k++)
			if (i->args[k].kind == IRV_REG && !is_assigned(fl, i->args[k].reg, b))
				return verify_fail(
					v, "%%%u is read but not assigned on every path here",
					i->args[k].reg);
		if (ir_always_fails(i))
			return true;
		if (i->dst != IR_NONE)
			assign(fl, i->dst, b);
	}
	return true;
}

/* Sweeps in an order in which few blocks change again: one for each depth of loops, and one more. */
static void solve(struct flow *fl, const struct ir_order *order)
{
	for (uint32_t r = 0; r < fl->f->nparams; r++)
		bits_set(fl->cur, fl->bit[r]);
	flow_edge(fl, 0);
	do {
		fl->changed = false;
		for (uint32_t k = order->n; k-- > 0;)
			if (fl->seen[order->v[k]])
				flow_block(fl, order->v[k]);
	} while (fl->changed);
}

bool verify_flow(struct verifier *v)
{
	const struct ir_func *f = v->f;
	struct flow fl = { .f = f };
	struct ir_order order;
	struct arena a;
	bool ok = true;

	arena_init(&a);
	fl.bit = arena_alloc(&a, (f->regs.n + 1) * sizeof(*fl.bit));
	fl.block = arena_alloc(&a, (f->regs.n + 1) * sizeof(*fl.block));
	number_registers(&fl);
	fl.in = arena_alloc(&a, ((size_t)f->blocks.n * fl.words + 1) * sizeof(*fl.in));
	fl.cur = arena_alloc(&a, (fl.words + 1) * sizeof(*fl.cur));
	fl.seen = arena_alloc(&a, f->blocks.n);
	ir_postorder(&a, f, &order);
	solve(&fl, &order);
	for (uint32_t b = 0; b < f->blocks.n && ok; b++)
		ok = !fl.seen[b] || check_block(v, &fl, b);
	arena_fini(&a);
	return ok;
}
