/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recursion, and action counts that can be dropped or joined.
 *
 * A handler without loops and calls counts at most the sum along its longest path: where that is
 * within the limit, the counting is for nothing. Elsewhere the counts of one straight stretch
 * become one, when nothing that can be seen from outside lies between them: a failure then ends the
 * handler in the same state.
 */
#include "cfg.h"

/*
 * Most actions along any path from the start of a block. Blocks in post-order: what they lead to is
 * known.
 */
static int64_t block_cost(const struct ir_block *b, const int64_t *cost)
{
	int64_t sofar = 0, most = 0;

	for (uint32_t n = 0; n < b->insns.n; n++) {
		const struct ir_insn *i = &b->insns.v[n];

		if (i->op == IR_action)
			sofar += i->imm;
		for (unsigned int k = 0; k < IR_EDGES; k++) {
			uint32_t to = ir_edge(i, k);

			if (to != IR_NONE && sofar + cost[to] > most)
				most = sofar + cost[to];
		}
	}
	return sofar > most ? sofar : most;
}

static bool has_call(const struct ir_func *f)
{
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++)
			if (f->blocks.v[b]->insns.v[n].op == IR_call)
				return true;
	return false;
}

static bool within_limit(struct arena *a, const struct ir_func *f, int64_t limit)
{
	int64_t *cost = arena_alloc(a, f->blocks.n * sizeof(*cost) + 1);
	struct ir_order order;

	ir_postorder(a, f, &order);
	if (order.loops || has_call(f))
		return false;
	for (uint32_t k = 0; k < order.n; k++)
		cost[order.v[k]] = block_cost(f->blocks.v[order.v[k]], cost);
	return cost[0] <= limit;
}

/* Leaves error blocks that nothing leads to any more; they go too. */
static void drop_actions(struct ir_module *m, struct ir_func *f)
{
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *blk = f->blocks.v[b];
		uint32_t to = 0;

		for (uint32_t n = 0; n < blk->insns.n; n++)
			if (blk->insns.v[n].op != IR_action)
				blk->insns.v[to++] = blk->insns.v[n];
		blk->insns.n = to;
	}
	ir_cfg_clean(m, f);
}

/* Whether a failure there just ends the handler or function. */
static bool only_aborts(const struct ir_func *f, uint32_t block)
{
	return f->blocks.v[block]->insns.v[0].op == IR_abort;
}

static void join_actions(struct ir_func *f, struct ir_block *b)
{
	uint32_t first = IR_NONE, to = 0;

	for (uint32_t n = 0; n < b->insns.n; n++) {
		struct ir_insn *i = &b->insns.v[n];

		if (i->op == IR_action && first != IR_NONE && b->insns.v[first].err == i->err &&
		    b->insns.v[first].imm <= UINT32_MAX - i->imm) {
			b->insns.v[first].imm += i->imm;
			continue;
		}
		if (i->op == IR_action)
			first = only_aborts(f, i->err) ? to : IR_NONE;
		else if (ir_insn_flags(i) & (IRF_FAIL | IRF_WRITE | IRF_EFFECT | IRF_TERM))
			first = IR_NONE;
		b->insns.v[to++] = *i;
	}
	b->insns.n = to;
}

/*
 * Only calls of functions that may call themselves again count: the others nest no deeper than the
 * script is written, inlined or not. By default ten more of them are open at once than the longest
 * chain of different functions has, which is SystemTap's rule.
 */
#define NESTING_RECURSIVE 10

void ir_mark_recursion(struct ir_module *m)
{
	uint32_t *order, *depth, most = 0;
	uint8_t *recursive;
	struct arena a;

	arena_init(&a);
	ir_call_graph(&a, m, &recursive, &order);
	depth = arena_alloc(&a, (m->funcs.n + 1) * sizeof(*depth));
	m->recursive = false;
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		struct ir_func *f = m->funcs.v[order[k]];
		uint32_t below = 0;

		f->recursive = recursive[order[k]];
		m->recursive |= f->recursive;
		for (uint32_t b = 0; b < f->blocks.n; b++)
			for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++) {
				const struct ir_insn *i = &f->blocks.v[b]->insns.v[n];

				if (i->op == IR_call && depth[i->ref] > below)
					below = depth[i->ref];
			}
		depth[order[k]] = below + !f->is_handler;
		if (depth[order[k]] > most)
			most = depth[order[k]];
	}
	if (m->recursive && !m->limits.maxnesting)
		m->limits.maxnesting = (int64_t)most + NESTING_RECURSIVE;
	arena_fini(&a);
}

void ir_analyse(struct ir_module *m)
{
	int64_t limit = m->limits.maxaction, interruptible = m->limits.maxaction_interruptible;
	struct arena a;

	if (interruptible && interruptible < limit)
		limit = interruptible;
	arena_init(&a);
	ir_mark_recursion(m);
	for (uint32_t i = 0; i < m->funcs.n; i++) {
		struct ir_func *f = m->funcs.v[i];

		if (f->is_handler && within_limit(&a, f, limit))
			drop_actions(m, f);
		for (uint32_t b = 0; b < f->blocks.n; b++)
			join_actions(f, f->blocks.v[b]);
	}
	arena_fini(&a);
}
