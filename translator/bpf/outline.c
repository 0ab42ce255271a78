/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on arrays as routines, one for each operation and array. In line they cost a handler
 * some 70 instructions each, which is fastest; but verifiers open a gap in the program for every
 * look-up, moving all that follows: with thousands of them loading takes half a minute. So handlers
 * of more than one chunk call routines.
 */
#include "bpf/gen.h"

static bool is_outlined(const struct gen *g, const struct ir_insn *i)
{
	static const bool ops[IR_OP_COUNT] = { [IR_mget] = true,
					       [IR_mset] = true,
					       [IR_madd] = true,
					       [IR_mhas] = true,
					       [IR_sadd] = true };

	return ops[i->op] && g->h->chunks.n > 1;
}

/* The operation on the key and the value that its callers left in the slot. */
static void build(struct unit *u, uint32_t fn, enum ir_op op, uint32_t global)
{
	enum { ARG, RESULT };
	const struct ir_global *gl = u->m->globals.v[global];
	bool reads_string = op == IR_mget && gl->type == IR_STR;
	struct ir_val args[IR_MAXKEYS + 1] = { 0 };
	struct loc loc[] = {
		[ARG] = { LOC_MEM, op == IR_mset && gl->type == IR_STR ? 0 : (SH_ARG - SH_RET) / 8 },
		[RESULT] = { LOC_MEM, 0 },
	};
	struct fngen fg = {
		.loc = loc,
		.home_base = SH_RET,
		.str_base = reads_string ? u->slot.retstr : u->slot.val + BPF_ELEM_HEAD,
	};
	struct ir_insn i = { .op = (uint8_t)op,
			     .dst = ir_ops[op].result == IR_VOID && !ir_ops[op].any_result ?
					    IR_NONE :
					    (uint32_t)RESULT,
			     .ref = global,
			     .err = IR_NONE,
			     .nargs = gl->nkeys + 1,
			     .args = args };
	struct gen g;

	args[gl->nkeys] = ir_reg(ARG);
	rt_begin(&g, u, fn, 1, 0);
	g.fg = &fg;
	g.l_full = ba_label(g.as);
	g.staged = true;
	bpf_emitters[op](&g, &i);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
	ba_place(g.as, g.l_full);
	ba_movi(g.as, R0, 1);
	rt_end(&g);
}

static uint32_t routine(struct unit *u, enum ir_op op, uint32_t global)
{
	struct op_routine r = { op, global, 0 };

	for (uint32_t k = 0; k < u->op_routines.n; k++)
		if (u->op_routines.v[k].op == op && u->op_routines.v[k].global == global)
			return u->op_routines.v[k].fn;
	r.fn = unit_fn(u, arena_printf(u->arena, "rt_%s_%u", ir_ops[op].name, global), FN_GLOBAL,
		       NULL, 1);
	vec_push(u->arena, &u->op_routines, r);
	build(u, r.fn, op, global);
	return r.fn;
}

static void stage_value(struct gen *g, const struct ir_insn *i, const struct ir_val *v)
{
	if (i->op == IR_mset && g->u->m->globals.v[i->ref]->type == IR_STR) {
		g_copy_str(g, g->u->slot.val + BPF_ELEM_HEAD, v);
		return;
	}
	g_load(g, R1, v);
	ba_st(g->as, BPF_DW, R9, SH_ARG, R1);
}

static void take_result(struct gen *g, const struct ir_insn *i)
{
	if (g_dead(g, i->dst))
		return;
	if (i->op == IR_mget && g->u->m->globals.v[i->ref]->type == IR_STR) {
		g_slot_addr(g, R3, g->u->slot.retstr);
		g_read_str(g, g_str_of(g, i->dst));
		return;
	}
	ba_ld(g->as, BPF_DW, R0, R9, SH_RET);
	g_done(g, i->dst, R0);
}

bool outline(struct gen *g, const struct ir_insn *i)
{
	uint32_t nkeys;

	if (!is_outlined(g, i))
		return false;
	nkeys = g->u->m->globals.v[i->ref]->nkeys;
	g_key(g, i->ref, i->args);
	if (i->nargs > nkeys)
		stage_value(g, i, &i->args[nkeys]);
	g_call_fn(g, routine(g->u, i->op, i->ref));
	if (i->err != IR_NONE)
		ba_ji(g->as, BPF_JNE, R0, 0, g_overflow_stub(g, i));
	take_result(g, i);
	return true;
}
