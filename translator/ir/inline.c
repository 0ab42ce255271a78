/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls become the called function's body. Its registers, iterators and blocks are copied behind
 * the caller's; `ret` moves the result and jumps behind the call, `abort` jumps to the call's error
 * block. Registers need no clearing: each is assigned before it is read on every path from the
 * function's entry, in a loop of the caller too.
 *
 * An iterator that the function leaves open stays open until the caller ends or begins it again,
 * which ir.h allows.
 */
#include "base/record.h"
#include "cfg.h"

#define GROWTH_LIMIT 50000 /* instructions of a function that has swallowed others */

struct inliner {
	struct ir_module *m;
	struct ir_func *f; /* the caller */
	const struct ir_func *g; /* what is called */
	struct ir_insn call;
	uint32_t reg, iter, block; /* what the callee's numbers start at */
	uint32_t cont; /* block behind the call */
};

static uint32_t count_insns(const struct ir_func *f)
{
	uint32_t n = 0;

	for (uint32_t b = 0; b < f->blocks.n; b++)
		n += f->blocks.v[b]->insns.n;
	return n;
}

static struct ir_val map_val(const struct inliner *in, struct ir_val v)
{
	return v.kind == IRV_REG ? ir_reg(v.reg + in->reg) : v;
}

static void add_move(const struct inliner *in, uint32_t block, uint32_t dst, struct ir_val v)
{
	enum ir_op op = in->f->regs.v[dst] == IR_STR ? IR_smov : IR_mov;

	ir_add(in->m, in->f, block, op, dst, &v, 1);
}

static void add_jmp(const struct inliner *in, uint32_t block, uint32_t to)
{
	ir_add(in->m, in->f, block, IR_jmp, IR_NONE, NULL, 0)->succ[0] = to;
}

/*
 * A place inside the called function with the place of the call behind it, one a line: what a
 * message calls "called from". More lines than a message shows are of no use.
 */
static uint32_t place_in_call(const struct inliner *in, uint32_t loc)
{
	const char *inner = in->m->strings.v[loc], *outer = in->m->strings.v[in->call.loc];
	uint32_t lines = 1;

	if (!loc || !in->call.loc)
		return loc ? loc : in->call.loc;
	for (const char *p = inner; *p; p++)
		lines += *p == '\n';
	if (lines >= REC_FRAMES + 2)
		return loc;
	return ir_string(in->m, arena_printf(in->m->arena, "%s\n%s", inner, outer));
}

static void copy_insn(const struct inliner *in, const struct ir_insn *i, uint32_t block)
{
	struct ir_insn *to;

	if (i->op == IR_abort) {
		add_jmp(in, block, in->call.err);
		return;
	}
	if (i->op == IR_ret) {
		if (i->nargs && in->call.dst != IR_NONE)
			add_move(in, block, in->call.dst, map_val(in, i->args[0]));
		add_jmp(in, block, in->cont);
		return;
	}
	to = ir_add(in->m, in->f, block, i->op, i->dst == IR_NONE ? IR_NONE : i->dst + in->reg,
		    i->args, i->nargs);
	for (uint32_t k = 0; k < to->nargs; k++)
		to->args[k] = map_val(in, to->args[k]);
	to->ref = ir_ops[i->op].ref == IRR_ITER ? i->ref + in->iter : i->ref;
	to->imm = i->imm;
	to->aux = i->aux;
	to->loc = i->err == IR_NONE ? i->loc : place_in_call(in, i->loc);
	to->err = i->err == IR_NONE ? IR_NONE : i->err + in->block;
	for (uint32_t s = 0; s < 2; s++)
		to->succ[s] = i->succ[s] == IR_NONE ? IR_NONE : i->succ[s] + in->block;
}

/* Moves what follows the call at (b, n) into a block of its own and cuts the call off. */
static void split(struct inliner *in, uint32_t b, uint32_t n)
{
	struct ir_block *blk = in->f->blocks.v[b];

	in->cont = ir_new_block(in->m, in->f);
	for (uint32_t k = n + 1; k < blk->insns.n; k++)
		vec_push(in->m->arena, &in->f->blocks.v[in->cont]->insns, blk->insns.v[k]);
	blk->insns.n = n;
}

static void inline_call(struct ir_module *m, struct ir_func *f, uint32_t b, uint32_t n)
{
	struct inliner in = { .m = m,
			      .f = f,
			      .call = f->blocks.v[b]->insns.v[n],
			      .reg = f->regs.n,
			      .iter = f->iters.n };

	in.g = m->funcs.v[in.call.ref];
	split(&in, b, n);
	in.block = f->blocks.n;
	for (uint32_t r = 0; r < in.g->regs.n; r++)
		ir_new_reg(m, f, in.g->regs.v[r], in.g->reg_names.v[r]);
	for (uint32_t k = 0; k < in.g->iters.n; k++)
		vec_push(m->arena, &f->iters, in.g->iters.v[k]);
	for (uint32_t k = 0; k < in.g->blocks.n; k++)
		ir_new_block(m, f);
	for (uint32_t k = 0; k < in.call.nargs; k++)
		add_move(&in, b, in.reg + k, in.call.args[k]);
	add_jmp(&in, b, in.block);
	for (uint32_t k = 0; k < in.g->blocks.n; k++)
		for (uint32_t i = 0; i < in.g->blocks.v[k]->insns.n; i++)
			copy_insn(&in, &in.g->blocks.v[k]->insns.v[i], in.block + k);
}

/* The next call to inline at or behind (*b, *n). */
static bool find_call(const struct ir_module *m, const struct ir_func *f, const uint8_t *recursive,
		      uint32_t max_insns, uint32_t *b, uint32_t *n)
{
	for (; *b < f->blocks.n; ++*b, *n = 0) {
		const struct ir_block *blk = f->blocks.v[*b];

		for (; *n < blk->insns.n; ++*n) {
			const struct ir_insn *i = &blk->insns.v[*n];

			if (i->op == IR_call && !recursive[i->ref] &&
			    count_insns(m->funcs.v[i->ref]) <= max_insns)
				return true;
		}
	}
	return false;
}

void ir_inline(struct ir_module *m, uint32_t max_insns)
{
	uint8_t *recursive;
	uint32_t *order;
	struct arena a;

	arena_init(&a);
	ir_call_graph(&a, m, &recursive, &order);
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		struct ir_func *f = m->funcs.v[order[k]];
		uint32_t size = count_insns(f), b = 0, n = 0;

		while (size < GROWTH_LIMIT && find_call(m, f, recursive, max_insns, &b, &n)) {
			size += count_insns(m->funcs.v[f->blocks.v[b]->insns.v[n].ref]);
			inline_call(m, f, b, n);
		}
		ir_cfg_clean(m, f);
	}
	arena_fini(&a);
}
