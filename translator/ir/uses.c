/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a handler uses, with the functions it may call. */
#include "cfg.h"

static void embed_uses(const struct ir_embed *x, struct ir_uses *out)
{
	const char *at = x->globals;
	uint32_t global;
	bool write;

	out->embeds = true;
	while (ir_embed_global(&at, &global, &write)) {
		out->reads[global] |= !write;
		out->writes[global] |= write;
	}
}

static void insn_uses(const struct ir_module *m, const struct ir_func *f, const struct ir_insn *i,
		      struct ir_uses *out)
{
	const struct ir_global *g = ir_insn_global(m, f, i);
	unsigned int flags = ir_insn_flags(i);

	if (g) {
		uint32_t index = ir_ops[i->op].ref == IRR_ITER ? f->iters.v[i->ref].global : i->ref;

		out->reads[index] |= (flags & IRF_READ) != 0;
		out->writes[index] |= (flags & IRF_WRITE) != 0;
	}
	if (i->op == IR_embed)
		embed_uses(&m->embeds.v[i->ref], out);
	if (i->op == IR_call)
		out->calls = true;
	else if (i->op == IR_intr)
		out->intrinsics[i->ref] = 1;
	else if (i->op == IR_name)
		out->names[i->imm] = 1;
	else if (i->op == IR_it_begin)
		out->iterates = true;
	else if (i->op == IR_hstr)
		out->hist_text = true;
	else if (i->op == IR_setreg)
		out->sets_registers = true;
	else if (i->op == IR_store || i->op == IR_storestr)
		*(i->imm & IR_USER ? &out->writes_user : &out->writes_kernel) = true;
	else if (i->op == IR_load || i->op == IR_loadstr || i->op == IR_loadbuf ||
		 i->op == IR_emitmem || i->op == IR_symaddr)
		out->loads = true;
}

void ir_uses(struct arena *a, const struct ir_module *m, uint32_t func, struct ir_uses *out)
{
	uint32_t *work = arena_alloc(a, (m->funcs.n + 1) * sizeof(*work)), n = 1;

	*out = (struct ir_uses){
		.reads = arena_alloc(a, m->globals.n + 1),
		.writes = arena_alloc(a, m->globals.n + 1),
		.funcs = arena_alloc(a, m->funcs.n + 1),
	};
	work[0] = func;
	out->funcs[func] = 1;
	while (n) {
		const struct ir_func *f = m->funcs.v[work[--n]];
		struct ir_order order;

		ir_postorder(a, f, &order);
		out->loops |= order.loops;
		for (uint32_t k = 0; k < order.n; k++) {
			const struct ir_block *b = f->blocks.v[order.v[k]];

			for (uint32_t i = 0; i < b->insns.n; i++) {
				const struct ir_insn *insn = &b->insns.v[i];

				insn_uses(m, f, insn, out);
				if (insn->op == IR_call && !out->funcs[insn->ref]) {
					out->funcs[insn->ref] = 1;
					work[n++] = insn->ref;
				}
			}
		}
	}
}
