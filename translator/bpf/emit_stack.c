/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a hit was, backtraces, and names of kernel addresses. */
#include "bpf/gen.h"

#define PT_IP 128
#define PT_CS 136

static enum ir_attach kind_of(const struct gen *g)
{
	return g->u->m->probes.v[g->h->probe]->kind;
}

static bool in_user_code(const struct gen *g)
{
	return kind_of(g) == AT_UPROBE || kind_of(g) == AT_URETPROBE;
}

/* The context's registers, as they are, into slot.bt_regs. */
static void copy_regs(struct gen *g)
{
	g_ctx(g, R1);
	for (int k = 0; k < REC_REGS; k++) {
		ba_ld(g->as, BPF_DW, R2, R1, 8 * k);
		ba_st(g->as, BPF_DW, R9, (int)g->u->slot.bt_regs + 8 * k, R2);
	}
}

/* R0 = 1 when a program was interrupted. */
static void interrupted_user(struct gen *g)
{
	uint32_t no = ba_label(g->as);

	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R1, R1, PT_CS);
	ba_movi(g->as, R0, 0);
	ba_alui(g->as, BPF_AND, R1, 3);
	ba_ji(g->as, BPF_JEQ, R1, 0, no);
	ba_movi(g->as, R0, 1);
	ba_place(g->as, no);
}

/* slot.bt_regs = the registers of the current process; all 0 where it has none. */
static void user_regs(struct gen *g)
{
	uint32_t from_task = ba_label(g->as), done = ba_label(g->as);

	if (in_user_code(g)) {
		copy_regs(g);
		return;
	}
	if (kind_of(g) == AT_PROFILE) {
		interrupted_user(g);
		ba_ji(g->as, BPF_JEQ, R0, 0, from_task);
		copy_regs(g);
		ba_ja(g->as, done);
		ba_place(g->as, from_task);
	}
	g_call_rt(g, RT_UREGS);
	ba_place(g->as, done);
}

void bpf_in_addr(struct gen *g, const struct ir_insn *i)
{
	if (kind_of(g) == AT_TRACEPOINT) {
		ba_movi(g->as, R0, 0);
	} else {
		g_ctx(g, R1);
		ba_ld(g->as, BPF_DW, R0, R1, PT_IP);
		/* a kprobe's handler sees the address behind the breakpoint's byte, whatever the kprobe is made of */
		if (kind_of(g) == AT_KPROBE)
			ba_alui(g->as, BPF_SUB, R0, 1);
	}
	g_done(g, i->dst, R0);
}

void bpf_in_uaddr(struct gen *g, const struct ir_insn *i)
{
	user_regs(g);
	ba_ld(g->as, BPF_DW, R0, R9, (int)g->u->slot.bt_regs + PT_IP);
	g_done(g, i->dst, R0);
}

void bpf_in_user_mode(struct gen *g, const struct ir_insn *i)
{
	if (kind_of(g) == AT_PROFILE)
		interrupted_user(g);
	else
		ba_movi(g->as, R0, in_user_code(g));
	g_done(g, i->dst, R0);
}

/* R0 = bytes of addresses of the kernel's stack, which are at @off of the slot. */
static void kernel_stack(struct gen *g, uint32_t off)
{
	uint32_t some = ba_label(g->as);

	g_ctx(g, R1);
	g_slot_addr(g, R2, off);
	ba_movi(g->as, R3, 8 * g->u->m->limits.maxbacktrace);
	ba_movi(g->as, R4, 0);
	ba_call(g->as, BPF_FUNC_get_stack);
	ba_ji(g->as, BPF_JSGE, R0, 0, some);
	ba_movi(g->as, R0, 0);
	ba_place(g->as, some);
	if (kind_of(g) != AT_KPROBE)
		return;
	/* the first one: see addr() */
	ba_ld(g->as, BPF_DW, R1, R9, (int)off);
	ba_alui(g->as, BPF_SUB, R1, 1);
	ba_st(g->as, BPF_DW, R9, (int)off, R1);
}

/* slot.bt = the addresses. */
static void fill_kernel(struct gen *g)
{
	if (in_user_code(g)) {
		ba_movi(g->as, R0, 0);
	} else {
		kernel_stack(g, g->u->slot.bt + 8);
		ba_alui(g->as, BPF_RSH, R0, 3);
	}
	ba_st(g->as, BPF_DW, R9, (int)g->u->slot.bt, R0);
}

static void fill_user(struct gen *g)
{
	user_regs(g);
	ba_movi(g->as, R2, g->u->m->probes.v[g->h->probe]->at_entry);
	g_call_rt(g, RT_USTACK);
}

static void stack_text(struct gen *g, const struct ir_insn *i)
{
	g_load(g, R3, &i->args[0]);
	g_load(g, R4, &i->args[1]);
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	g_call_rt(g, RT_STACK_TEXT);
}

void bpf_in_kstack_text(struct gen *g, const struct ir_insn *i)
{
	fill_kernel(g);
	stack_text(g, i);
}

void bpf_in_ustack_text(struct gen *g, const struct ir_insn *i)
{
	fill_user(g);
	stack_text(g, i);
}

static void stack_at(struct gen *g, const struct ir_insn *i)
{
	uint32_t out = ba_label(g->as);

	g_load(g, R1, &i->args[0]);
	ba_movi(g->as, R0, 0);
	ba_ji(g->as, BPF_JGE, R1, (int32_t)g->u->m->limits.maxbacktrace, out);
	ba_ld(g->as, BPF_DW, R2, R9, (int)g->u->slot.bt);
	ba_j(g->as, BPF_JGE, R1, R2, out);
	ba_alui(g->as, BPF_LSH, R1, 3);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_ld(g->as, BPF_DW, R0, R1, (int)g->u->slot.bt + 8);
	ba_place(g->as, out);
	g_done(g, i->dst, R0);
}

void bpf_in_kstack_at(struct gen *g, const struct ir_insn *i)
{
	fill_kernel(g);
	stack_at(g, i);
}

void bpf_in_ustack_at(struct gen *g, const struct ir_insn *i)
{
	fill_user(g);
	stack_at(g, i);
}

static void head(struct gen *g, const struct ir_insn *i)
{
	uint32_t rec = g->u->slot.rec + sizeof(struct rec);

	rec_begin(g, REC_STACK, i->imm);
	ba_call(g->as, BPF_FUNC_get_current_pid_tgid);
	ba_alui(g->as, BPF_RSH, R0, 32);
	g_slot_st(g, BPF_DW, rec, R0);
	g_probe_number(g, R2);
	g_slot_st(g, BPF_DW, rec + 8, R2);
}

static void rec_kernel(struct gen *g, const struct ir_insn *i)
{
	uint32_t at = sizeof(struct rec) + 24;

	head(g, i);
	if (in_user_code(g))
		ba_movi(g->as, R0, 0);
	else
		kernel_stack(g, g->u->slot.rec + at);
	ba_mov(g->as, R1, R0);
	ba_alui(g->as, BPF_RSH, R1, 3);
	g_slot_st(g, BPF_DW, g->u->slot.rec + at - 8, R1);
	ba_alui(g->as, BPF_ADD, R0, (int32_t)at);
	ba_st(g->as, BPF_DW, R9, SH_RECPOS, R0);
	rec_send(g, 0);
}

/* Registers and a copy of the stack: staprun has the unwind tables. */
static void rec_user(struct gen *g, const struct ir_insn *i)
{
	uint32_t regs = g->u->slot.rec + REC_USTACK_AT - 8 * REC_REGS, given = ba_label(g->as);

	user_regs(g);
	head(g, i);
	for (uint32_t k = 0; k < REC_REGS; k++) {
		ba_ld(g->as, BPF_DW, R1, R9, (int)(g->u->slot.bt_regs + 8 * k));
		g_slot_st(g, BPF_DW, regs + 8 * k, R1);
	}
	for (uint32_t k = 0; k < 3; k++)
		g_slot_st(g, BPF_DW, regs - 24 + 8 * k, g_use(g, &i->args[k], R1));
	g_load(g, R2, &i->args[1]);
	ba_ji(g->as, BPF_JNE, R2, 0, given);
	ba_ld(g->as, BPF_DW, R2, R9, (int)(g->u->slot.bt_regs + 19 * 8));
	ba_place(g->as, given);
	g_call_rt(g, RT_REC_STACK);
	rec_send(g, 0);
}

void em_stack(struct gen *g, const struct ir_insn *i)
{
	if (i->imm & IRK_USER)
		rec_user(g, i);
	else
		rec_kernel(g, i);
}

/* The kernel's own text for an address, made what ours is. */
static void kernel_name(struct gen *g, uint32_t dst, enum ir_name_row row)
{
	uint32_t format = unit_literal(g->u, row == NM_symdata ? "%pS" : "%ps");

	g_slot_addr(g, R1, g->u->slot.stmp);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_ld_rodata(g->as, R3, format);
	ba_mov(g->as, R4, FP);
	ba_alui(g->as, BPF_ADD, R4, FRAME_BUF);
	ba_movi(g->as, R5, 8);
	ba_call(g->as, BPF_FUNC_snprintf);
	ba_movi(g->as, R2, dst);
	ba_movi(g->as, R3, row);
	g_call_rt(g, RT_NAME);
}

void em_name(struct gen *g, const struct ir_insn *i)
{
	ba_st(g->as, BPF_DW, FP, FRAME_BUF, g_use(g, &i->args[0], R1));
	kernel_name(g, g_str_of(g, i->dst), (enum ir_name_row)i->imm);
}

void bpf_in_probefunc(struct gen *g, const struct ir_insn *i)
{
	if (g->u->m->probes.v[g->h->probe]->symbol || kind_of(g) == AT_TRACEPOINT || in_user_code(g)) {
		bpf_in_ppfunc(g, i);
		return;
	}
	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R1, R1, PT_IP);
	ba_st(g->as, BPF_DW, FP, FRAME_BUF, R1);
	kernel_name(g, g_str_of(g, i->dst), NM_symname);
}
