/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long blocks become several, for a backend that can only translate so much in one piece. */
#include "cfg.h"

/* How many instructions of the block, at most, weigh @max; those with many operands weigh more. */
static uint32_t fitting(const struct ir_block *b, uint32_t max)
{
	uint32_t weight = 0, n = 0;

	while (n < b->insns.n && weight < max)
		weight += 1 + b->insns.v[n++].nargs / 4;
	return n;
}

static void split_block(struct ir_module *m, struct ir_func *f, uint32_t block, uint32_t max)
{
	for (;;) {
		uint32_t n = fitting(f->blocks.v[block], max), rest;
		struct ir_block *b;

		if (n == f->blocks.v[block]->insns.n)
			return;
		rest = ir_new_block(m, f);
		b = f->blocks.v[block];
		for (uint32_t k = n; k < b->insns.n; k++)
			vec_push(m->arena, &f->blocks.v[rest]->insns, b->insns.v[k]);
		b->insns.n = n;
		ir_add(m, f, block, IR_jmp, IR_NONE, NULL, 0)->succ[0] = rest;
		block = rest;
	}
}

void ir_split(struct ir_module *m, uint32_t max)
{
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		struct ir_func *f = m->funcs.v[k];
		uint32_t n = f->blocks.n;

		for (uint32_t b = 0; b < n; b++)
			split_block(m, f, b, max);
	}
}
