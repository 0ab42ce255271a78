/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders of blocks and of functions; tidying of control flow. */
#include "cfg.h"

struct visit {
	uint32_t block, insn;
	unsigned int edge;
};

/* The next block that the walk of a block leads to; IR_NONE at its end. */
static uint32_t next_edge(const struct ir_func *f, struct visit *v)
{
	const struct ir_block *b = f->blocks.v[v->block];

	for (; v->insn < b->insns.n; v->insn++, v->edge = 0) {
		while (v->edge < IR_EDGES) {
			uint32_t to = ir_edge(&b->insns.v[v->insn], v->edge++);

			if (to != IR_NONE)
				return to;
		}
	}
	return IR_NONE;
}

void ir_postorder(struct arena *a, const struct ir_func *f, struct ir_order *out)
{
	struct visit *stack = arena_alloc(a, (f->blocks.n + 1) * sizeof(*stack));
	enum { NEW, OPEN, CLOSED };
	uint8_t *state = arena_alloc(a, f->blocks.n + 1);
	uint32_t depth = 1;

	*out = (struct ir_order){ .v = arena_alloc(a, (f->blocks.n + 1) * sizeof(*out->v)) };
	stack[0] = (struct visit){ 0 };
	state[0] = OPEN;
	while (depth) {
		uint32_t to = next_edge(f, &stack[depth - 1]);

		if (to == IR_NONE) {
			uint32_t b = stack[--depth].block;

			state[b] = CLOSED;
			out->v[out->n++] = b;
		} else if (state[to] == NEW) {
			state[to] = OPEN;
			stack[depth++] = (struct visit){ .block = to };
		} else {
			out->loops |= state[to] == OPEN;
		}
	}
}

/* Where a jump to @b ends up: blocks that only jump on are passed through. */
static uint32_t thread(const struct ir_func *f, uint32_t b)
{
	for (uint32_t steps = 0; steps < f->blocks.n; steps++) {
		const struct ir_insn *first = &f->blocks.v[b]->insns.v[0];

		if (first->op != IR_jmp)
			break;
		b = first->succ[0];
	}
	return b;
}

static bool retarget(const struct ir_func *f, uint32_t *to)
{
	uint32_t end;

	if (*to == IR_NONE)
		return false;
	end = thread(f, *to);
	if (end == *to)
		return false;
	*to = end;
	return true;
}

static void make_jmp(struct ir_insn *i, uint32_t to)
{
	*i = (struct ir_insn){ .op = IR_jmp,
			       .dst = IR_NONE,
			       .ref = IR_NONE,
			       .err = IR_NONE,
			       .loc = i->loc,
			       .succ = { to, IR_NONE } };
}

static bool thread_block(struct ir_module *m, struct ir_func *f, struct ir_block *b)
{
	bool changed = false;

	for (uint32_t n = 0; n < b->insns.n; n++) {
		struct ir_insn *i = &b->insns.v[n];

		changed |= retarget(f, &i->err);
		changed |= retarget(f, &i->succ[0]);
		changed |= retarget(f, &i->succ[1]);
		if (i->op == IR_br && i->succ[0] == i->succ[1]) {
			make_jmp(i, i->succ[0]);
			changed = true;
		}
		if (ir_always_fails(i) && (i[1].op != IR_jmp || i[1].succ[0] != i->err)) {
			uint32_t err = i->err;

			b->insns.n = n + 1;
			vec_push(m->arena, &b->insns, (struct ir_insn){ 0 });
			make_jmp(&b->insns.v[n + 1], err);
			return true;
		}
	}
	return changed;
}

static uint32_t *count_preds(struct arena *a, const struct ir_func *f, const struct ir_order *order)
{
	uint32_t *preds = arena_alloc(a, f->blocks.n * sizeof(*preds));

	preds[0] = 1;
	for (uint32_t k = 0; k < order->n; k++) {
		struct visit v = { .block = order->v[k] };
		uint32_t to;

		while ((to = next_edge(f, &v)) != IR_NONE)
			preds[to]++;
	}
	return preds;
}

/* Appends to @b the block that it alone jumps to. */
static bool join(struct ir_module *m, struct ir_func *f, uint32_t b, const uint32_t *preds)
{
	struct ir_block *blk = f->blocks.v[b], *next;
	const struct ir_insn *last = &blk->insns.v[blk->insns.n - 1];

	if (last->op != IR_jmp || last->succ[0] == b || preds[last->succ[0]] != 1)
		return false;
	next = f->blocks.v[last->succ[0]];
	blk->insns.n--;
	for (uint32_t n = 0; n < next->insns.n; n++)
		vec_push(m->arena, &blk->insns, next->insns.v[n]);
	/* What is left of it is unreachable and goes with the next renumbering. */
	next->insns.n = 1;
	next->insns.v[0] = (struct ir_insn){ .op = IR_abort,
					     .dst = IR_NONE,
					     .ref = IR_NONE,
					     .err = IR_NONE,
					     .succ = { IR_NONE, IR_NONE } };
	return true;
}

/* Keeps reachable blocks only, in their order. */
static bool renumber(struct arena *a, struct ir_func *f)
{
	uint32_t *to = arena_alloc(a, f->blocks.n * sizeof(*to)), n = 0;
	struct ir_order order;

	ir_postorder(a, f, &order);
	if (order.n == f->blocks.n)
		return false;
	for (uint32_t k = 0; k < order.n; k++)
		to[order.v[k]] = 1;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		if (!to[b])
			continue;
		to[b] = n;
		f->blocks.v[n++] = f->blocks.v[b];
	}
	f->blocks.n = n;
	for (uint32_t b = 0; b < n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b]->insns.n; i++) {
			struct ir_insn *insn = &f->blocks.v[b]->insns.v[i];

			if (insn->err != IR_NONE)
				insn->err = to[insn->err];
			for (uint32_t s = 0; s < 2; s++)
				if (insn->succ[s] != IR_NONE)
					insn->succ[s] = to[insn->succ[s]];
		}
	}
	return true;
}

bool ir_cfg_clean(struct ir_module *m, struct ir_func *f)
{
	struct ir_order order;
	struct arena a;
	uint32_t *preds;
	bool changed = false;

	arena_init(&a);
	for (uint32_t b = 0; b < f->blocks.n; b++)
		changed |= thread_block(m, f, f->blocks.v[b]);
	ir_postorder(&a, f, &order);
	preds = count_preds(&a, f, &order);
	for (uint32_t k = order.n; k-- > 0;)
		while (join(m, f, order.v[k], preds))
			changed = true;
	changed |= renumber(&a, f);
	arena_fini(&a);
	return changed;
}

/*
 * A depth-first walk of calls that finds cycles as it goes (Tarjan): a function whose walk comes
 * back no further than to itself closes a group of functions that all call each other.
 */
struct call_walk {
	const struct ir_module *m;
	struct visit *stack; /* block: a function, edge: its block */
	uint32_t *index, *low; /* by function: when it was met, from 1; the earliest it leads back to */
	uint32_t *group, ngroup; /* met, and in no closed group yet */
	uint8_t *in_group, *recursive;
	uint32_t *order, met, n;
};

static uint32_t next_call(const struct ir_func *f, struct visit *v)
{
	for (; v->edge < f->blocks.n; v->edge++, v->insn = 0) {
		const struct ir_block *b = f->blocks.v[v->edge];

		while (v->insn < b->insns.n) {
			const struct ir_insn *i = &b->insns.v[v->insn++];

			if (i->op == IR_call)
				return i->ref;
		}
	}
	return IR_NONE;
}

static void meet(struct call_walk *w, uint32_t depth, uint32_t f)
{
	w->stack[depth] = (struct visit){ .block = f };
	w->index[f] = w->low[f] = ++w->met;
	w->group[w->ngroup++] = f;
	w->in_group[f] = 1;
}

static void close_group(struct call_walk *w, uint32_t f)
{
	bool several = w->group[w->ngroup - 1] != f;
	uint32_t member;

	do {
		member = w->group[--w->ngroup];
		w->in_group[member] = 0;
		w->recursive[member] |= several;
	} while (member != f);
}

static void walk_calls(struct call_walk *w, uint32_t from)
{
	uint32_t depth = 1;

	meet(w, 0, from);
	while (depth) {
		struct visit *v = &w->stack[depth - 1];
		uint32_t f = v->block, to = next_call(w->m->funcs.v[f], v);

		if (to == IR_NONE) {
			w->order[w->n++] = f;
			if (w->low[f] == w->index[f])
				close_group(w, f);
			if (--depth && w->low[f] < w->low[w->stack[depth - 1].block])
				w->low[w->stack[depth - 1].block] = w->low[f];
		} else if (!w->index[to]) {
			meet(w, depth++, to);
		} else if (w->in_group[to]) {
			w->recursive[f] |= to == f;
			if (w->index[to] < w->low[f])
				w->low[f] = w->index[to];
		}
	}
}

void ir_call_graph(struct arena *a, const struct ir_module *m, uint8_t **recursive,
		   uint32_t **order)
{
	uint32_t n = m->funcs.n;
	struct call_walk w = { .m = m,
			       .stack = arena_alloc(a, (n + 1) * sizeof(*w.stack)),
			       .index = arena_alloc(a, n * sizeof(*w.index) + 1),
			       .low = arena_alloc(a, n * sizeof(*w.low) + 1),
			       .group = arena_alloc(a, n * sizeof(*w.group) + 1),
			       .in_group = arena_alloc(a, n + 1),
			       .recursive = arena_alloc(a, n + 1),
			       .order = arena_alloc(a, n * sizeof(*w.order) + 1) };

	for (uint32_t f = 0; f < n; f++)
		if (!w.index[f])
			walk_calls(&w, f);
	*order = w.order;
	*recursive = w.recursive;
}
