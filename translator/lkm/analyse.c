/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emitter must know before it writes: which functions run, how deep strings stack, how
 * foreachs are numbered.
 */
#include "lkm/emit.h"

/* Registers of one call that may at worst be on the kernel's stack; calls of the same nest. */
#define LKM_STACK_NUMBERS 256
#define LKM_STACK_NUMBERS_RECURSIVE 32

/* Marks what a handler may run, and counts no more than once what is reached twice. */
static void mark_used(struct lkm_emit *e, uint32_t handler)
{
	struct ir_uses uses;

	ir_uses(&e->arena, e->m, handler, &uses);
	for (uint32_t k = 0; k < e->m->funcs.n; k++)
		e->funcs[k].used |= uses.funcs[k];
}

/* Adds to a function's bytes those of the deepest that it calls; true when that changed them. */
static bool deepen(struct lkm_emit *e, uint32_t index, uint64_t *depth)
{
	const struct ir_func *f = e->m->funcs.v[index];
	uint64_t own = f->recursive ? 0 : e->funcs[index].frame_bytes, below = 0;

	for (uint32_t b = 0; b < f->blocks.n; b++) {
		for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++) {
			const struct ir_insn *i = &f->blocks.v[b]->insns.v[k];

			if (i->op == IR_call && depth[i->ref] > below)
				below = depth[i->ref];
			if (i->op == IR_embed && lkm_embed_bytes(e, &e->m->embeds.v[i->ref]) > below)
				below = lkm_embed_bytes(e, &e->m->embeds.v[i->ref]);
		}
	}
	if (depth[index] == own + below)
		return false;
	depth[index] = own + below;
	return true;
}

/*
 * The deepest use of the string stack. Functions that may call themselves take none in the chains
 * of calls, so that these have an end, and MAXNESTING times the largest frame of theirs on top.
 */
static uint64_t deepest(struct lkm_emit *e)
{
	uint64_t *depth = arena_alloc(&e->arena, (e->m->funcs.n + 1) * sizeof(*depth));
	uint64_t most = 0, largest = 0;
	bool changed = true;

	/* in both directions, so that chains in either order of numbers settle at once */
	for (uint32_t round = 0; changed && round <= e->m->funcs.n; round++) {
		changed = false;
		for (uint32_t i = 0; i < e->m->funcs.n; i++)
			changed |= e->funcs[i].used && deepen(e, i, depth);
		for (uint32_t i = e->m->funcs.n; i-- > 0;)
			changed |= e->funcs[i].used && deepen(e, i, depth);
	}
	for (uint32_t i = 0; i < e->m->funcs.n; i++) {
		if (depth[i] > most)
			most = depth[i];
		if (e->funcs[i].used && e->m->funcs.v[i]->recursive &&
		    e->funcs[i].frame_bytes > largest)
			largest = e->funcs[i].frame_bytes;
	}
	return most + largest * (uint64_t)e->m->limits.maxnesting;
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
	lf->spilled = f->regs.n >
		      (f->recursive ? LKM_STACK_NUMBERS_RECURSIVE : LKM_STACK_NUMBERS);
	lf->number_base = (lf->nstrings * (uint64_t)e->m->limits.maxstringlen + 7) & ~7ull;
	lf->frame_bytes = lf->number_base + (lf->spilled ? 8 * (uint64_t)f->regs.n : 0);
	lf->iter_base = e->niters;
	e->niters += f->iters.n;
}

void lkm_analyse(struct lkm_emit *e)
{
	const struct ir_module *m = e->m;

	e->funcs = arena_alloc(&e->arena, (m->funcs.n + 1) * sizeof(*e->funcs));
	for (uint32_t i = 0; i < m->funcs.n; i++)
		describe(e, i);
	for (uint32_t i = 0; i < m->probes.n; i++)
		if (m->probes.v[i]->kind != AT_NEVER && !m->probes.v[i]->user_side)
			mark_used(e, m->probes.v[i]->handler);
	e->string_bytes = deepest(e);
}
