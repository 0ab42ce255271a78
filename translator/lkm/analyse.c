/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emitter must know before it writes: which functions run, how deep strings stack, how
 * foreachs are numbered.
 */
#include "lkm/emit.h"

#define LKM_STACK_NUMBERS 256 /* registers that may at worst be on the kernel's stack at once */

enum mark { WHITE, GREY, BLACK };

struct walk {
	struct lkm_emit *e;
	uint8_t *mark;
	uint64_t *depth; /* string bytes of a function and the deepest it calls */
	bool cycle;
	uint64_t largest; /* frame of any function */
};

/* Depth first over calls; the depth of this walk is bounded by the number of functions. */
static void visit(struct walk *w, uint32_t index)
{
	const struct ir_func *f = w->e->m->funcs.v[index];
	uint64_t below = 0;

	w->mark[index] = GREY;
	w->e->funcs[index].used = true;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++) {
			const struct ir_insn *i = &f->blocks.v[b]->insns.v[k];

			if (i->op != IR_call)
				continue;
			if (w->mark[i->ref] == WHITE)
				visit(w, i->ref);
			else if (w->mark[i->ref] == GREY)
				w->cycle = true;
			if (w->depth[i->ref] > below)
				below = w->depth[i->ref];
		}
	}
	w->mark[index] = BLACK;
	w->depth[index] = w->e->funcs[index].frame_bytes + below;
	if (w->e->funcs[index].frame_bytes > w->largest)
		w->largest = w->e->funcs[index].frame_bytes;
}

static void describe(struct lkm_emit *e, uint32_t index)
{
	const struct ir_func *f = e->m->funcs.v[index];
	struct lkm_func *lf = &e->funcs[index];

	lf->written = arena_alloc(&e->arena, f->regs.n + 1);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++) {
			uint32_t dst = f->blocks.v[b]->insns.v[k].dst;

			if (dst != IR_NONE)
				lf->written[dst] = 1;
		}
	}
	lkm_place_strings(&e->arena, f, lf);
	lf->spilled = f->regs.n > LKM_STACK_NUMBERS;
	lf->number_base = (lf->nstrings * (uint64_t)e->m->limits.maxstringlen + 7) & ~7ull;
	lf->frame_bytes = lf->number_base + (lf->spilled ? 8 * (uint64_t)f->regs.n : 0);
	lf->iter_base = e->niters;
	e->niters += f->iters.n;
}

void lkm_analyse(struct lkm_emit *e)
{
	const struct ir_module *m = e->m;
	struct walk w = { .e = e };

	e->funcs = arena_alloc(&e->arena, (m->funcs.n + 1) * sizeof(*e->funcs));
	w.mark = arena_alloc(&e->arena, m->funcs.n + 1);
	w.depth = arena_alloc(&e->arena, (m->funcs.n + 1) * sizeof(*w.depth));
	for (uint32_t i = 0; i < m->funcs.n; i++)
		describe(e, i);
	for (uint32_t i = 0; i < m->probes.n; i++) {
		const struct ir_probe *p = m->probes.v[i];

		if (p->kind == AT_NEVER || p->user_side)
			continue;
		if (w.mark[p->handler] == WHITE)
			visit(&w, p->handler);
		if (w.depth[p->handler] > e->string_bytes)
			e->string_bytes = w.depth[p->handler];
	}
	if (w.cycle)
		e->string_bytes = w.largest * (uint64_t)(m->limits.maxnesting + 1);
	for (uint32_t i = 0; i < m->funcs.n; i++)
		e->funcs[i].recursive = w.cycle && !m->funcs.v[i]->is_handler;
}
