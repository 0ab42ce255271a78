/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers are assigned before they are read: a forward data flow of bit sets, met by
 * intersection. The edge to an error block leaves before the destination is written.
 */
#include <stdlib.h>

#include "verify_int.h"

#define FLOW_LIMIT (256u << 20) /* bytes of bit sets; no honest function comes near */

struct flow {
	const struct ir_func *f;
	uint32_t words;
	uint64_t *in; /* per block: assigned on all paths to its start */
	uint64_t *cur;
	uint32_t *work, nwork; /* stack of blocks to visit */
	uint8_t *queued, *seen;
};

static uint64_t *block_in(struct flow *fl, uint32_t b)
{
	return fl->in + (size_t)b * fl->words;
}

/* Meets the current state into a successor and queues it when that changed anything. */
static void flow_edge(struct flow *fl, uint32_t to)
{
	uint64_t *in = block_in(fl, to);
	bool changed = !fl->seen[to];

	for (uint32_t w = 0; w < fl->words; w++) {
		uint64_t met = fl->seen[to] ? in[w] & fl->cur[w] : fl->cur[w];

		changed |= met != in[w];
		in[w] = met;
	}
	fl->seen[to] = 1;
	if (changed && !fl->queued[to]) {
		fl->queued[to] = 1;
		fl->work[fl->nwork++] = to;
	}
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
		if (i->dst != IR_NONE)
			bits_set(fl->cur, i->dst);
		for (uint32_t s = 0; s < 2; s++)
			if (i->succ[s] != IR_NONE)
				flow_edge(fl, i->succ[s]);
	}
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
			if (i->args[k].kind == IRV_REG && !bits_get(fl->cur, i->args[k].reg))
				return verify_fail(
					v, "%%%u is read but not assigned on every path here",
					i->args[k].reg);
		if (ir_always_fails(i))
			return true;
		if (i->dst != IR_NONE)
			bits_set(fl->cur, i->dst);
	}
	return true;
}

bool verify_flow(struct verifier *v)
{
	const struct ir_func *f = v->f;
	struct flow fl = { .f = f, .words = bits_words(f->regs.n) };
	bool ok = true;

	if ((uint64_t)fl.words * 8 * f->blocks.n > FLOW_LIMIT)
		return verify_fail(v, "too many blocks and registers");
	fl.in = calloc((size_t)f->blocks.n * fl.words + 1, sizeof(*fl.in));
	fl.cur = calloc(fl.words + 1, sizeof(*fl.cur));
	fl.work = calloc(f->blocks.n, sizeof(*fl.work));
	fl.queued = calloc(f->blocks.n, 1);
	fl.seen = calloc(f->blocks.n, 1);
	if (!fl.in || !fl.cur || !fl.work || !fl.queued || !fl.seen) {
		ok = verify_fail(v, "no memory to check it");
	} else {
		for (uint32_t r = 0; r < f->nparams; r++)
			bits_set(fl.cur, r);
		flow_edge(&fl, 0);
		while (fl.nwork) {
			uint32_t b = fl.work[--fl.nwork];

			fl.queued[b] = 0;
			flow_block(&fl, b);
		}
		for (uint32_t b = 0; b < f->blocks.n && ok; b++)
			ok = !fl.seen[b] || check_block(v, &fl, b);
	}
	free(fl.in);
	free(fl.cur);
	free(fl.work);
	free(fl.queued);
	free(fl.seen);
	return ok;
}
