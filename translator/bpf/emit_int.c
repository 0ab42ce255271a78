/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer operations. */
#include "bpf/gen.h"

void em_mov(struct gen *g, const struct ir_insn *i)
{
	int d = g_def(g, i->dst, R0);

	g_load(g, d, &i->args[0]);
	g_done(g, i->dst, d);
}

/* dst = a op b, computed in place unless the destination is b's register. */
static void binary(struct gen *g, const struct ir_insn *i, int op)
{
	const struct ir_val *b = &i->args[1];
	int d = g_def(g, i->dst, R0);

	if (g_is_reg(g, b, d))
		d = R0;
	g_load(g, d, &i->args[0]);
	if (b->kind == IRV_INT && b->num == (int32_t)b->num)
		ba_alui(g->as, op, d, (int32_t)b->num);
	else
		ba_alu(g->as, op, d, g_use(g, b, R1));
	g_done(g, i->dst, d);
}

void em_add(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_ADD);
}

void em_sub(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_SUB);
}

void em_mul(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_MUL);
}

void em_and(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_AND);
}

void em_or(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_OR);
}

void em_xor(struct gen *g, const struct ir_insn *i)
{
	binary(g, i, BPF_XOR);
}

/* Shift counts are taken modulo 64. */
static void shift(struct gen *g, const struct ir_insn *i, int op)
{
	const struct ir_val *b = &i->args[1];

	g_load(g, R0, &i->args[0]);
	if (b->kind == IRV_INT) {
		ba_alui(g->as, op, R0, (int32_t)(b->num & 63));
	} else {
		g_load(g, R1, b);
		ba_alui(g->as, BPF_AND, R1, 63);
		ba_alu(g->as, op, R0, R1);
	}
	g_done(g, i->dst, R0);
}

void em_shl(struct gen *g, const struct ir_insn *i)
{
	shift(g, i, BPF_LSH);
}

void em_shr(struct gen *g, const struct ir_insn *i)
{
	shift(g, i, BPF_ARSH);
}

void em_ushr(struct gen *g, const struct ir_insn *i)
{
	shift(g, i, BPF_RSH);
}

void em_neg(struct gen *g, const struct ir_insn *i)
{
	g_load(g, R0, &i->args[0]);
	ba_neg(g->as, R0);
	g_done(g, i->dst, R0);
}

void em_com(struct gen *g, const struct ir_insn *i)
{
	g_load(g, R0, &i->args[0]);
	ba_alui(g->as, BPF_XOR, R0, -1);
	g_done(g, i->dst, R0);
}

/* reg = |reg|; as an unsigned number, so that INT64_MIN has one. */
static void magnitude(struct gen *g, int reg)
{
	uint32_t l = ba_label(g->as);

	ba_ji(g->as, BPF_JSGE, reg, 0, l);
	ba_neg(g->as, reg);
	ba_place(g->as, l);
}

/*
 * eBPF divides unsigned numbers: R0 by R1, which is not 0. Divides the magnitudes, then gives the
 * quotient the product's sign, the remainder the dividend's.
 */
static void divide_signed(struct gen *g, int op)
{
	uint32_t l = ba_label(g->as);

	ba_mov(g->as, R2, R0);
	if (op == BPF_DIV)
		ba_alu(g->as, BPF_XOR, R2, R1);
	magnitude(g, R0);
	magnitude(g, R1);
	ba_alu(g->as, op, R0, R1);
	ba_ji(g->as, BPF_JSGE, R2, 0, l);
	ba_neg(g->as, R0);
	ba_place(g->as, l);
}

static void build_divide(struct unit *u, uint32_t fn, int op)
{
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };

	ba_mov(g.as, R0, R2);
	divide_signed(&g, op);
	rt_end(&g);
}

/* div(b, a), mod(b, a): by a number that is not 0 */
void rt_build_div(struct unit *u, uint32_t fn)
{
	build_divide(u, fn, BPF_DIV);
}

void rt_build_mod(struct unit *u, uint32_t fn)
{
	build_divide(u, fn, BPF_MOD);
}

/* A routine in large handlers: verifiers open a gap in the program at each division. */
static void divide(struct gen *g, const struct ir_insn *i, int op)
{
	g_load(g, R1, &i->args[1]);
	ba_ji(g->as, BPF_JEQ, R1, 0, emit_stub(g, i, ERR_DIV0, 0));
	if (g->h->chunks.n > 1) {
		g_load(g, R2, &i->args[0]);
		ba_call_fn(g->as, rt_get(g->u, op == BPF_DIV ? RT_DIV : RT_MOD));
	} else {
		g_load(g, R0, &i->args[0]);
		divide_signed(g, op);
	}
	g_done(g, i->dst, R0);
}

void em_div(struct gen *g, const struct ir_insn *i)
{
	divide(g, i, BPF_DIV);
}

void em_mod(struct gen *g, const struct ir_insn *i)
{
	divide(g, i, BPF_MOD);
}
