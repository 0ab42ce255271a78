/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long blocks become several, for a backend that can only translate so much in one piece. */
#include "cfg.h"

static void split_block(struct ir_module *m, struct ir_func *f, uint32_t block, uint32_t max)
{
	while (f->blocks.v[block]->insns.n > max) {
		uint32_t rest = ir_new_block(m, f);
		struct ir_block *b = f->blocks.v[block];

		for (uint32_t n = max - 1; n < b->insns.n; n++)
			vec_push(m->arena, &f->blocks.v[rest]->insns, b->insns.v[n]);
		b->insns.n = max - 1;
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
