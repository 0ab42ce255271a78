/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where values are: machine registers, homes in the scratch slot, strings. */
#include "bpf/gen.h"

/* Beyond this an offset does not fit an instruction's 16 bits. */
#define FAR 32000u

void g_ctx(struct gen *g, int reg)
{
	ba_ld(g->as, BPF_DW, reg, FP, FRAME_CTX);
	g->h->uses_ctx = true;
}

void g_slot_addr(struct gen *g, int reg, uint32_t off)
{
	ba_mov(g->as, reg, R9);
	if (off)
		ba_alui(g->as, BPF_ADD, reg, (int32_t)off);
}

void g_slot_ld(struct gen *g, int size, int reg, uint32_t off)
{
	if (off <= FAR) {
		ba_ld(g->as, size, reg, R9, (int)off);
		return;
	}
	g_slot_addr(g, reg, off);
	ba_ld(g->as, size, reg, reg, 0);
}

void g_slot_st(struct gen *g, int size, uint32_t off, int reg)
{
	if (off <= FAR) {
		ba_st(g->as, size, R9, (int)off, reg);
		return;
	}
	g_slot_addr(g, R5, off);
	ba_st(g->as, size, R5, 0, reg);
}

void g_slot_sti(struct gen *g, int size, uint32_t off, int32_t imm)
{
	if (off <= FAR) {
		ba_sti(g->as, size, R9, (int)off, imm);
		return;
	}
	g_slot_addr(g, R5, off);
	ba_sti(g->as, size, R5, 0, imm);
}

static uint32_t home_off(const struct gen *g, uint32_t home)
{
	return g->fg->home_base + 8 * home;
}

bool g_dead(const struct gen *g, uint32_t dst)
{
	return dst == IR_NONE || g->fg->loc[dst].kind == LOC_NONE;
}

void g_load(struct gen *g, int reg, const struct ir_val *v)
{
	struct loc l;

	if (v->kind == IRV_INT) {
		ba_movi(g->as, reg, v->num);
		return;
	}
	l = g->fg->loc[v->reg];
	if (l.kind == LOC_REG)
		ba_mov(g->as, reg, (int)l.idx);
	else
		g_slot_ld(g, BPF_DW, reg, home_off(g, l.idx));
}

bool g_is_reg(struct gen *g, const struct ir_val *v, int reg)
{
	return v->kind == IRV_REG && g->fg->loc[v->reg].kind == LOC_REG &&
	       (int)g->fg->loc[v->reg].idx == reg;
}

int g_use(struct gen *g, const struct ir_val *v, int tmp)
{
	if (v->kind == IRV_REG && g->fg->loc[v->reg].kind == LOC_REG)
		return (int)g->fg->loc[v->reg].idx;
	g_load(g, tmp, v);
	return tmp;
}

int g_def(struct gen *g, uint32_t dst, int tmp)
{
	if (g_dead(g, dst) || g->fg->loc[dst].kind != LOC_REG)
		return tmp;
	return (int)g->fg->loc[dst].idx;
}

void g_done(struct gen *g, uint32_t dst, int reg)
{
	if (g_dead(g, dst))
		return;
	if (g->fg->loc[dst].kind == LOC_REG)
		ba_mov(g->as, (int)g->fg->loc[dst].idx, reg);
	else
		g_slot_st(g, BPF_DW, home_off(g, g->fg->loc[dst].idx), reg);
}

uint32_t g_str_of(struct gen *g, uint32_t reg)
{
	/* a result that nobody reads still needs a place to be computed in */
	if (g_dead(g, reg))
		return g->u->slot.retstr;
	return g->fg->str_base + g->fg->loc[reg].idx * g->u->lay.strsz;
}

void g_str_ptr(struct gen *g, int reg, const struct ir_val *v)
{
	if (v->kind == IRV_STR)
		ba_ld_rodata(g->as, reg, unit_literal(g->u, g->u->m->strings.v[v->str]));
	else
		g_slot_addr(g, reg, g_str_of(g, v->reg));
}

/* Reads at most MAXSTRINGLEN bytes with the terminator; a fault leaves "". */
void g_read_str(struct gen *g, uint32_t dst_off)
{
	g_slot_addr(g, R1, dst_off);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
}

void g_copy_str(struct gen *g, uint32_t dst_off, const struct ir_val *v)
{
	if (v->kind == IRV_REG && g_str_of(g, v->reg) == dst_off)
		return;
	g_str_ptr(g, R3, v);
	g_read_str(g, dst_off);
}

uint32_t g_str_off(struct gen *g, const struct ir_val *v, uint32_t tmp)
{
	uint32_t off = g->u->slot.stmp + tmp * g->u->lay.strsz;

	if (v->kind == IRV_REG)
		return g_str_of(g, v->reg);
	g_copy_str(g, off, v);
	return off;
}

void g_str_clear(struct gen *g, uint32_t dst_off)
{
	g_slot_sti(g, BPF_B, dst_off, 0);
}

/*
 * Whoever adds one and then reads one was alone: at most one holds a word, though all of several may
 * fail.
 */
void g_try(struct gen *g, int base, int off, uint32_t got)
{
	ba_movi(g->as, R1, 1);
	ba_xadd(g->as, BPF_W, base, off, R1);
	ba_ld(g->as, BPF_W, R1, base, off);
	ba_ji(g->as, BPF_JEQ, R1, 1, got);
	g_release(g, base, off);
}

void g_release(struct gen *g, int base, int off)
{
	ba_movi(g->as, R2, -1);
	ba_xadd(g->as, BPF_W, base, off, R2);
}

void g_call_fn(struct gen *g, uint32_t fn)
{
	ba_ld(g->as, BPF_W, R1, R9, SH_IDX);
	ba_call_fn(g->as, fn);
}

void g_call_rt(struct gen *g, enum rt_routine rt)
{
	g_call_fn(g, rt_get(g->u, rt));
}
