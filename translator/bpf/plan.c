/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a handler consists of: the IR functions it still calls after inlining, the order of their
 * blocks, and which blocks the state machine enters. The verifier accepts forward control flow as
 * it stands; a back edge, a call that may recurse or a jump out of a part that is large enough ends
 * one step of the state machine and names the block where the next step continues.
 */
#include "bpf/gen.h"

#include <string.h>

static uint32_t block_edges(const struct ir_block *b, uint32_t *out, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < b->insns.n; k++) {
		const struct ir_insn *i = &b->insns.v[k];

		if (i->err != IR_NONE && n < max)
			out[n++] = i->err;
	}
	if (b->insns.n) {
		const struct ir_insn *t = &b->insns.v[b->insns.n - 1];

		for (int s = 1; s >= 0; s--)
			if ((t->op == IR_jmp || t->op == IR_br) && t->succ[s] != IR_NONE && n < max)
				out[n++] = t->succ[s];
	}
	return n;
}

static uint32_t edge_count(const struct ir_block *b)
{
	return b->insns.n + 2;
}

struct visit {
	uint32_t block, next, n;
	uint32_t *edges;
};

/* Reverse postorder, without recursion. */
static void order_blocks(struct unit *u, struct fngen *fg)
{
	const struct ir_func *f = fg->f;
	uint32_t nb = f->blocks.n, depth = 0, post = 0;
	struct visit *st = arena_alloc(u->arena, sizeof(*st) * (nb + 1));
	uint32_t *po = arena_alloc(u->arena, sizeof(*po) * (nb + 1));
	uint8_t *seen = arena_alloc(u->arena, nb + 1);

	fg->rank = arena_alloc(u->arena, sizeof(*fg->rank) * (nb + 1));
	memset(fg->rank, 0xff, sizeof(*fg->rank) * (nb + 1));
	seen[0] = 1;
	st[depth++] = (struct visit){ .block = 0 };
	while (depth) {
		struct visit *v = &st[depth - 1];

		if (!v->edges) {
			uint32_t max = edge_count(f->blocks.v[v->block]);

			v->edges = arena_alloc(u->arena, sizeof(uint32_t) * max);
			v->n = block_edges(f->blocks.v[v->block], v->edges, max);
		}
		if (v->next < v->n) {
			uint32_t to = v->edges[v->next++];

			if (!seen[to]) {
				seen[to] = 1;
				st[depth++] = (struct visit){ .block = to };
			}
			continue;
		}
		po[post++] = v->block;
		depth--;
	}
	fg->order = arena_alloc(u->arena, sizeof(uint32_t) * (post + 1));
	fg->norder = post;
	for (uint32_t k = 0; k < post; k++) {
		fg->order[k] = po[post - 1 - k];
		fg->rank[fg->order[k]] = k;
	}
}

/* Blocks that are entered by a back edge or from another chunk need a state. */
static void mark_transitions(struct handler *h, struct fngen *fg)
{
	for (uint32_t k = 0; k < fg->norder; k++) {
		const struct ir_block *b = fg->f->blocks.v[fg->order[k]];

		for (uint32_t n = 0; n < b->insns.n; n++) {
			const struct ir_insn *i = &b->insns.v[n];
			uint32_t to[3] = { i->err, i->succ[0], i->succ[1] };
			uint32_t first = 0, last = i->op == IR_br ? 3 : i->op == IR_jmp ? 2 : 1;

			for (uint32_t e = first; e < last; e++) {
				if (to[e] == IR_NONE)
					continue;
				if (fg->rank[to[e]] > k &&
				    fg->chunk[to[e]] == fg->chunk[fg->order[k]])
					continue;
				fg->state[to[e]] = 0;
				h->machine = true;
			}
		}
	}
}

static void add_function(struct unit *u, struct handler *h, uint32_t index)
{
	struct fngen *fg = arena_new(u->arena, struct fngen);
	uint32_t nb;

	fg->f = u->m->funcs.v[index];
	fg->index = index;
	nb = fg->f->blocks.n;
	order_blocks(u, fg);
	fg->label = arena_alloc(u->arena, sizeof(uint32_t) * (nb + 1));
	fg->state = arena_alloc(u->arena, sizeof(uint32_t) * (nb + 1));
	memset(fg->state, 0xff, sizeof(uint32_t) * (nb + 1));
	h->iterates |= fg->f->iters.n != 0;
	h->fn_of[index] = h->fns.n;
	vec_push(u->arena, &h->fns, fg);
	for (uint32_t k = 0; k < fg->norder; k++) {
		const struct ir_block *b = fg->f->blocks.v[fg->order[k]];

		for (uint32_t n = 0; n < b->insns.n; n++) {
			const struct ir_insn *i = &b->insns.v[n];

			h->machine |= i->op == IR_call;
			h->exits |= i->op == IR_intr && i->ref == IN_exit;
		}
	}
}

static void add_callees(struct unit *u, struct handler *h, const struct fngen *fg)
{
	for (uint32_t k = 0; k < fg->norder; k++) {
		const struct ir_block *b = fg->f->blocks.v[fg->order[k]];

		for (uint32_t n = 0; n < b->insns.n; n++) {
			const struct ir_insn *i = &b->insns.v[n];

			if (i->op == IR_call && h->fn_of[i->ref] == IR_NONE)
				add_function(u, h, i->ref);
		}
	}
}

/*
 * About how many BPF instructions an operation becomes; rather too many. A chunk of twice the usual
 * size is within the reach of a jump, 32,767.
 */
static uint32_t insn_cost(const struct ir_module *m, const struct ir_insn *i)
{
	unsigned int flags = ir_insn_flags(i);

	if (i->op == IR_action || (flags & IRF_TERM))
		return 10;
	if (ir_ops[i->op].result == IR_I64 && (flags & IRF_PURE) && i->op != IR_intr &&
	    ir_ops[i->op].operands[0] == 'i')
		return 6 + 2 * i->nargs;
	if (i->op == IR_sfmt)
		return 32 + 12 * i->nargs + 24 * m->fmts.v[i->ref]->pieces.n;
	return 40 + 12 * i->nargs;
}

#define CHUNK_MAX 12000u
/* A program may consist of 256 functions, some of which are routines. */
#define MANY_CHUNKS 190u

bool plan_fits(const struct ir_module *m, const struct ir_probe *p)
{
	struct arena a;
	struct ir_uses uses;
	uint64_t cost = 0;

	arena_init(&a);
	ir_uses(&a, m, p->handler, &uses);
	for (uint32_t f = 0; f < m->funcs.n; f++) {
		const struct ir_func *fn = m->funcs.v[f];

		if (f != p->handler && !uses.funcs[f])
			continue;
		for (uint32_t b = 0; b < fn->blocks.n; b++)
			for (uint32_t n = 0; n < fn->blocks.v[b]->insns.n; n++)
				cost += insn_cost(m, &fn->blocks.v[b]->insns.v[n]);
	}
	arena_fini(&a);
	return cost <= (uint64_t)MANY_CHUNKS * 2 * CHUNK_MAX;
}

/*
 * Divides a handler that is too large for one BPF function. Chunks follow the order of the blocks;
 * what leads from one to another is a step of the state machine.
 */
static void cut_chunks(struct unit *u, struct handler *h, uint32_t max)
{
	uint32_t size = 0;

	h->chunks.n = 0;
	vec_push(u->arena, &h->chunks, (struct chunk){ 0 });
	for (uint32_t f = 0; f < h->fns.n; f++) {
		struct fngen *fg = h->fns.v[f];

		fg->chunk = arena_alloc(u->arena, sizeof(uint32_t) * (fg->f->blocks.n + 1));
		for (uint32_t k = 0; k < fg->norder; k++) {
			const struct ir_block *b = fg->f->blocks.v[fg->order[k]];
			uint32_t cost = 0;

			for (uint32_t n = 0; n < b->insns.n; n++)
				cost += insn_cost(u->m, &b->insns.v[n]);
			if (size && size + cost > max) {
				vec_push(u->arena, &h->chunks, (struct chunk){ 0 });
				size = 0;
			}
			size += cost;
			fg->chunk[fg->order[k]] = h->chunks.n - 1;
		}
	}
}

struct handler *plan_handler(struct unit *u, uint32_t probe)
{
	struct handler *h = arena_new(u->arena, struct handler);

	h->probe = probe;
	h->fn_of = arena_alloc(u->arena, sizeof(uint32_t) * (u->m->funcs.n + 1));
	memset(h->fn_of, 0xff, sizeof(uint32_t) * (u->m->funcs.n + 1));
	add_function(u, h, u->m->probes.v[probe]->handler);
	for (uint32_t k = 0; k < h->fns.n; k++)
		add_callees(u, h, h->fns.v[k]);
	cut_chunks(u, h, CHUNK_MAX);
	if (h->chunks.n > MANY_CHUNKS)
		cut_chunks(u, h, 2 * CHUNK_MAX);
	for (uint32_t k = 0; k < h->fns.n; k++)
		mark_transitions(h, h->fns.v[k]);
	if (h->machine)
		for (uint32_t k = 0; k < h->fns.n; k++)
			h->fns.v[k]->state[0] = 0;
	for (uint32_t k = 0; k < h->fns.n; k++)
		alloc_registers(u, h, h->fns.v[k]);
	return h;
}
