/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backward data flow of the registers that are still needed. */
#include "cfg.h"

static void add_set(const struct ir_liveness *lv, uint64_t *to, const uint64_t *from)
{
	for (uint32_t w = 0; w < lv->words; w++)
		to[w] |= from[w];
}

void ir_live_before(const struct ir_liveness *lv, const struct ir_insn *i, uint64_t *live)
{
	/* Nothing comes after a failure but its error block. */
	if (ir_always_fails(i))
		ir_live_clear(lv, live);
	if (i->dst != IR_NONE)
		bits_clear(live, i->dst);
	for (unsigned int k = 0; k < IR_EDGES; k++)
		if (ir_edge(i, k) != IR_NONE)
			add_set(lv, live, lv->live_in[ir_edge(i, k)]);
	for (uint32_t k = 0; k < i->nargs; k++)
		if (i->args[k].kind == IRV_REG)
			bits_set(live, i->args[k].reg);
}

static bool flow_block(const struct ir_func *f, struct ir_liveness *lv, uint32_t b, uint64_t *live)
{
	const struct ir_block *blk = f->blocks.v[b];
	const struct ir_insn *last = &blk->insns.v[blk->insns.n - 1];
	bool changed;

	ir_live_clear(lv, live);
	for (uint32_t s = 0; s < 2; s++)
		if (last->succ[s] != IR_NONE)
			add_set(lv, live, lv->live_in[last->succ[s]]);
	memcpy(lv->live_out[b], live, lv->words * sizeof(*live));
	for (uint32_t n = blk->insns.n; n-- > 0;)
		ir_live_before(lv, &blk->insns.v[n], live);
	changed = memcmp(lv->live_in[b], live, lv->words * sizeof(*live)) != 0;
	memcpy(lv->live_in[b], live, lv->words * sizeof(*live));
	return changed;
}

void ir_liveness(struct arena *a, const struct ir_func *f, struct ir_liveness *out)
{
	uint32_t n = f->blocks.n;
	uint64_t *live;
	bool changed;

	out->words = bits_words(f->regs.n);
	live = arena_alloc(a, (out->words + 1) * sizeof(*live));
	out->live_in = arena_alloc(a, (n + 1) * sizeof(*out->live_in));
	out->live_out = arena_alloc(a, (n + 1) * sizeof(*out->live_out));
	for (uint32_t b = 0; b < n; b++) {
		out->live_in[b] = arena_alloc(a, (out->words + 1) * sizeof(*live));
		out->live_out[b] = arena_alloc(a, (out->words + 1) * sizeof(*live));
	}
	do {
		changed = false;
		for (uint32_t b = n; b-- > 0;)
			changed |= flow_block(f, out, b, live);
	} while (changed);
}
