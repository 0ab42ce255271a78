/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routines for names and backtraces. */
#include "bpf/gen.h"

#define PT_BP 32
#define PT_IP 128
#define PT_CS 136
#define PT_SP 152

/* ---- names ---- */

enum {
	NAME_POS = SH_TMP, /* of the space before a module's name, or the text's length */
	NAME_SPACE = SH_TMP + 8,
};

/* Looks for the space. */
static void build_name_step(struct unit *u, uint32_t step)
{
	uint32_t end, space, more;
	struct gen g;

	rt_begin_step(&g, u, step);
	end = ba_label(g.as);
	space = ba_label(g.as);
	more = ba_label(g.as);
	ba_mov(g.as, R3, R1);
	ba_alui(g.as, BPF_ADD, R3, (int32_t)u->slot.stmp);
	ba_alu(g.as, BPF_ADD, R3, R9);
	ba_ld(g.as, BPF_B, R3, R3, 0);
	ba_ji(g.as, BPF_JEQ, R3, ' ', space);
	ba_ji(g.as, BPF_JEQ, R3, 0, end);
	ba_ja(g.as, more);
	ba_place(g.as, space);
	ba_sti(g.as, BPF_DW, R9, NAME_SPACE, 1);
	ba_place(g.as, end);
	ba_st(g.as, BPF_DW, R9, NAME_POS, R1);
	rt_end_step(&g, 1);
	ba_place(g.as, more);
	rt_end_step(&g, 0);
}

/* The destination = the string at R3. */
static void name_result(struct gen *g)
{
	ba_mov(g->as, R1, R6);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
}

/* "name [module]" -> "module" */
static void module_name(struct gen *g)
{
	uint32_t none = ba_label(g->as), hex = ba_label(g->as), out = ba_label(g->as), known = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, NAME_SPACE);
	ba_ji(g->as, BPF_JEQ, R1, 0, none);
	ba_mov(g->as, R3, R9);
	ba_alui(g->as, BPF_ADD, R3, (int32_t)g->u->slot.stmp + 2);
	ba_alu(g->as, BPF_ADD, R3, R8);
	name_result(g);
	/* without the bracket, which is the byte before the terminator */
	ba_ji(g->as, BPF_JSLT, R0, 2, out);
	ba_ji(g->as, BPF_JGT, R0, (int32_t)g->u->maxstr, out);
	ba_alu(g->as, BPF_ADD, R6, R0);
	ba_sti(g->as, BPF_B, R6, -2, 0);
	ba_ja(g->as, out);
	ba_place(g->as, none);
	ba_ld(g->as, BPF_B, R1, R9, (int)g->u->slot.stmp);
	ba_ji(g->as, BPF_JEQ, R1, '0', hex);
	ba_ld_rodata(g->as, R3, unit_literal(g->u, "kernel"));
	ba_ja(g->as, known);
	ba_place(g->as, hex);
	ba_ld_rodata(g->as, R3, unit_literal(g->u, ""));
	ba_place(g->as, known);
	name_result(g);
	ba_place(g->as, out);
}

/* The kernel does not say that a symbol is its own. */
static void add_kernel(struct gen *g)
{
	int32_t last = (int32_t)g->u->maxstr - 10;
	uint32_t out = ba_label(g->as);

	g_slot_addr(g, R3, g->u->slot.stmp);
	name_result(g);
	ba_ld(g->as, BPF_DW, R1, R9, NAME_SPACE);
	ba_ji(g->as, BPF_JNE, R1, 0, out);
	ba_ld(g->as, BPF_B, R1, R9, (int)g->u->slot.stmp);
	ba_ji(g->as, BPF_JEQ, R1, '0', out);
	ba_ji(g->as, BPF_JGT, R8, last, out);
	ba_mov(g->as, R1, R6);
	ba_alu(g->as, BPF_ADD, R1, R8);
	ba_movi(g->as, R2, 10);
	ba_ld_rodata(g->as, R3, unit_literal(g->u, " [kernel]"));
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
	ba_place(g->as, out);
}

/* name(dst, row): from what the kernel made in the first string temporary */
void rt_build_name(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_name_step", FN_GLOBAL, NULL, 1), loop, fits, data, module, out;
	struct gen g;

	build_name_step(u, step);
	loop = rt_loop(u, step, u->maxstr);
	rt_begin(&g, u, fn, 3, 1u << 2);
	fits = ba_label(g.as);
	data = ba_label(g.as);
	module = ba_label(g.as);
	out = ba_label(g.as);
	ba_sti(g.as, BPF_DW, R9, NAME_POS, 0);
	ba_sti(g.as, BPF_DW, R9, NAME_SPACE, 0);
	rt_each_byte(&g, loop);
	ba_ld(g.as, BPF_DW, R8, R9, NAME_POS);
	ba_ji(g.as, BPF_JLT, R8, (int32_t)u->maxstr - 2, fits);
	ba_movi(g.as, R8, 0);
	ba_place(g.as, fits);
	ba_ji(g.as, BPF_JEQ, R7, NM_symdata, data);
	ba_ji(g.as, BPF_JEQ, R7, NM_modname, module);
	ba_mov(g.as, R1, R9);
	ba_alu(g.as, BPF_ADD, R1, R8);
	ba_sti(g.as, BPF_B, R1, (int)u->slot.stmp, 0);
	g_slot_addr(&g, R3, u->slot.stmp);
	name_result(&g);
	ba_ja(g.as, out);
	ba_place(g.as, data);
	add_kernel(&g);
	ba_ja(g.as, out);
	ba_place(g.as, module);
	module_name(&g);
	ba_place(g.as, out);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* ---- a process's stack ---- */

/* slot.bt_regs = the memory at R6 + @off; R0: whether these are registers of a program of 64 bits. */
static void regs_at(struct gen *g, int32_t off, uint32_t yes)
{
	uint32_t no = ba_label(g->as);

	g_slot_addr(g, R1, g->u->slot.bt_regs);
	ba_movi(g->as, R2, 8 * REC_REGS);
	ba_mov(g->as, R3, R6);
	ba_alui(g->as, BPF_ADD, R3, off);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
	ba_ji(g->as, BPF_JNE, R0, 0, no);
	ba_ld(g->as, BPF_DW, R1, R9, (int)g->u->slot.bt_regs + PT_CS);
	ba_alui(g->as, BPF_AND, R1, 0xffff); /* FRED keeps more in it */
	ba_ji(g->as, BPF_JEQ, R1, 0x33, yes);
	ba_place(g->as, no);
}

#define THREAD_SIZE 16384

/*
 * uregs(): the registers with which the current process entered the kernel lie at the end of its kernel stack: there, or
 * 16 bytes below (CONFIG_X86_FRED). A kernel thread has none.
 */
void rt_build_uregs(struct unit *u, uint32_t fn)
{
	uint32_t found, none;
	struct gen g;

	rt_begin(&g, u, fn, 1, 0);
	found = ba_label(g.as);
	none = ba_label(g.as);
	ba_call(g.as, BPF_FUNC_get_current_task);
	ba_mov(g.as, R3, R0);
	ba_core(g.as, BPF_CORE_FIELD_BYTE_OFFSET, "struct task_struct 8.stack@0 *");
	ba_alui(g.as, BPF_ADD, R3, 0);
	ba_sti(g.as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g.as, R1, FP);
	ba_alui(g.as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(g.as, R2, 8);
	ba_call(g.as, BPF_FUNC_probe_read_kernel);
	ba_ld(g.as, BPF_DW, R6, FP, FRAME_BUF);
	ba_ji(g.as, BPF_JEQ, R6, 0, none);
	regs_at(&g, THREAD_SIZE - 8 * REC_REGS, found);
	regs_at(&g, THREAD_SIZE - 8 * REC_REGS - 16, found);
	ba_place(g.as, none);
	for (int k = 0; k < REC_REGS; k++)
		ba_sti(g.as, BPF_DW, R9, (int)u->slot.bt_regs + 8 * k, 0);
	ba_place(g.as, found);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

#define WALK_FP SH_TMP /* the frame that is next */
#define WALK_FRAME (-64) /* on the stack: a frame pointer and a return address */

/* slot.bt += R8; ends the step with @end when it is full. Changes R1, R2. */
static void add_address(struct gen *g, uint32_t end)
{
	ba_ld(g->as, BPF_DW, R1, R9, (int)g->u->slot.bt);
	ba_ji(g->as, BPF_JGE, R1, (int32_t)g->u->m->limits.maxbacktrace, end);
	ba_mov(g->as, R2, R1);
	ba_alui(g->as, BPF_ADD, R2, 1);
	ba_st(g->as, BPF_DW, R9, (int)g->u->slot.bt, R2);
	ba_alui(g->as, BPF_LSH, R1, 3);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_st(g->as, BPF_DW, R1, (int)g->u->slot.bt + 8, R8);
}

/* R0 = 0 when the @n bytes at R3 could be read to @off of the stack. */
static void read_user(struct gen *g, int off, int n)
{
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, off);
	ba_movi(g->as, R2, n);
	ba_call(g->as, BPF_FUNC_probe_read_user);
}

static void build_walk_step(struct unit *u, uint32_t step)
{
	struct gen g;
	uint32_t end;

	rt_begin(&g, u, step, 1, 0);
	end = ba_label(g.as);
	ba_sti(g.as, BPF_DW, FP, WALK_FRAME, 0);
	ba_sti(g.as, BPF_DW, FP, WALK_FRAME + 8, 0);
	ba_ld(g.as, BPF_DW, R7, R9, WALK_FP);
	ba_mov(g.as, R3, R7);
	read_user(&g, WALK_FRAME, 16);
	ba_ji(g.as, BPF_JNE, R0, 0, end);
	ba_ld(g.as, BPF_DW, R8, FP, WALK_FRAME + 8);
	ba_ji(g.as, BPF_JEQ, R8, 0, end);
	add_address(&g, end);
	ba_ld(g.as, BPF_DW, R1, FP, WALK_FRAME);
	ba_j(g.as, BPF_JLE, R1, R7, end);
	ba_st(g.as, BPF_DW, R9, WALK_FP, R1);
	rt_end_step(&g, 0);
	ba_place(g.as, end);
	rt_end_step(&g, 1);
}

/*
 * ustack(at entry): slot.bt = the addresses on the stack of the process whose registers are in slot.bt_regs, by frame
 * pointers. As sp_ustack() of the module's runtime.
 */
void rt_build_ustack(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_walk_step", FN_GLOBAL, NULL, 1), loop, out, walk;
	int regs = (int)u->slot.bt_regs;
	struct gen g;

	build_walk_step(u, step);
	loop = rt_loop(u, step, (uint64_t)u->m->limits.maxbacktrace);
	rt_begin(&g, u, fn, 2, 0);
	out = ba_label(g.as);
	walk = ba_label(g.as);
	ba_sti(g.as, BPF_DW, R9, (int)u->slot.bt, 0);
	ba_ld(g.as, BPF_DW, R8, R9, regs + PT_IP);
	ba_ji(g.as, BPF_JEQ, R8, 0, out);
	add_address(&g, out);
	ba_ji(g.as, BPF_JEQ, R6, 0, walk);
	ba_sti(g.as, BPF_DW, FP, WALK_FRAME, 0);
	ba_ld(g.as, BPF_DW, R3, R9, regs + PT_SP);
	read_user(&g, WALK_FRAME, 8);
	ba_ld(g.as, BPF_DW, R8, FP, WALK_FRAME);
	ba_ji(g.as, BPF_JEQ, R8, 0, walk);
	add_address(&g, out);
	ba_place(g.as, walk);
	ba_ld(g.as, BPF_DW, R1, R9, regs + PT_BP);
	ba_st(g.as, BPF_DW, R9, WALK_FP, R1);
	g_call_fn(&g, loop);
	ba_place(g.as, out);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* ---- addresses as text ---- */

enum {
	TEXT_AT = SH_TMP, /* the next address */
	TEXT_LEFT = SH_TMP + 8, /* how many are still to be written; below 0: any number */
};

/* Appends the digits of R8 without branches: each is written, and counts once one before it was not 0. */
static void put_digits(struct gen *g)
{
	ba_movi(g->as, R5, 0); /* digits so far, or-ed */
	for (int shift = 60; shift >= 0; shift -= 4) {
		ba_mov(g->as, R3, R8);
		ba_alui(g->as, BPF_RSH, R3, shift);
		ba_alui(g->as, BPF_AND, R3, 15);
		ba_alu(g->as, BPF_OR, R5, R3);
		ba_mov(g->as, R4, R3);
		ba_alui(g->as, BPF_ADD, R4, 6);
		ba_alui(g->as, BPF_RSH, R4, 4);
		ba_alui(g->as, BPF_MUL, R4, 'a' - 10 - '0');
		ba_alu(g->as, BPF_ADD, R3, R4);
		ba_alui(g->as, BPF_ADD, R3, '0');
		ba_st(g->as, BPF_B, R7, 0, R3);
		ba_mov(g->as, R3, R5);
		ba_alui(g->as, BPF_ADD, R3, 15);
		ba_alui(g->as, BPF_RSH, R3, 4);
		ba_alui(g->as, BPF_AND, R3, 1);
		ba_alu(g->as, BPF_ADD, R7, R3);
		ba_alu(g->as, BPF_ADD, R6, R3);
	}
}

/* "0x... ", whole or not at all. */
static void build_text_step(struct unit *u, uint32_t step)
{
	struct gen g;
	uint32_t end;

	rt_begin(&g, u, step, 1, 0);
	end = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R2, R9, TEXT_LEFT);
	ba_ji(g.as, BPF_JEQ, R2, 0, end);
	ba_alui(g.as, BPF_SUB, R2, 1);
	ba_st(g.as, BPF_DW, R9, TEXT_LEFT, R2);
	ba_ld(g.as, BPF_DW, R1, R9, TEXT_AT);
	ba_ji(g.as, BPF_JGE, R1, (int32_t)u->m->limits.maxbacktrace, end);
	ba_ld(g.as, BPF_DW, R2, R9, (int)u->slot.bt);
	ba_j(g.as, BPF_JGE, R1, R2, end);
	ba_mov(g.as, R2, R1);
	ba_alui(g.as, BPF_ADD, R2, 1);
	ba_st(g.as, BPF_DW, R9, TEXT_AT, R2);
	ba_alui(g.as, BPF_LSH, R1, 3);
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_ld(g.as, BPF_DW, R8, R1, (int)u->slot.bt + 8);
	ba_ld(g.as, BPF_DW, R6, R9, SH_FMTLEN);
	ba_ji(g.as, BPF_JGT, R6, (int32_t)u->maxstr - 20, end);
	ba_mov(g.as, R7, R9);
	ba_alui(g.as, BPF_ADD, R7, (int32_t)u->slot.fmt);
	ba_alu(g.as, BPF_ADD, R7, R6);
	ba_sti(g.as, BPF_B, R7, 0, '0');
	ba_sti(g.as, BPF_B, R7, 1, 'x');
	ba_alui(g.as, BPF_ADD, R7, 2);
	put_digits(&g);
	ba_sti(g.as, BPF_B, R7, 0, ' ');
	ba_alui(g.as, BPF_ADD, R6, 3);
	ba_st(g.as, BPF_DW, R9, SH_FMTLEN, R6);
	rt_end_step(&g, 0);
	ba_place(g.as, end);
	rt_end_step(&g, 1);
}

/* stack_text(dst, skip, most): of slot.bt */
void rt_build_stack_text(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_stack_step", FN_GLOBAL, NULL, 1), loop;
	struct gen g;

	build_text_step(u, step);
	loop = rt_loop(u, step, (uint64_t)u->m->limits.maxbacktrace);
	rt_begin(&g, u, fn, 4, 1u << 2);
	ba_st(g.as, BPF_DW, R9, TEXT_AT, R7);
	ba_st(g.as, BPF_DW, R9, TEXT_LEFT, R8);
	ba_sti(g.as, BPF_DW, R9, SH_FMTLEN, 0);
	g_call_fn(&g, loop);
	rt_terminate(&g);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, u->maxstr);
	g_slot_addr(&g, R3, u->slot.fmt);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* ---- a copy of the stack ---- */

#define PIECE 1024u
#define CRUMB 64u

static void read_piece(struct gen *g, uint32_t size)
{
	ba_mov(g->as, R1, R9);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)(g->u->slot.rec + REC_USTACK_AT));
	ba_alu(g->as, BPF_ADD, R1, R7);
	ba_movi(g->as, R2, size);
	ba_mov(g->as, R3, R6);
	ba_alu(g->as, BPF_ADD, R3, R7);
	ba_call(g->as, BPF_FUNC_probe_read_user);
}

/* rec_stack(sp): the stack from there on, up to MAXUSTACK bytes or its end, goes to the end of the record. */
void rt_build_rec_stack(struct unit *u, uint32_t fn)
{
	uint32_t most = (uint32_t)u->m->limits.maxustack & ~(CRUMB - 1), crumbs, out;
	struct gen g;

	rt_begin(&g, u, fn, 2, 0);
	crumbs = ba_label(g.as);
	out = ba_label(g.as);
	ba_movi(g.as, R7, 0);
	for (uint32_t at = 0; at + PIECE <= most; at += PIECE) {
		read_piece(&g, PIECE);
		ba_ji(g.as, BPF_JNE, R0, 0, crumbs);
		ba_alui(g.as, BPF_ADD, R7, PIECE);
	}
	ba_place(g.as, crumbs);
	for (uint32_t at = 0; at < PIECE && most; at += CRUMB) {
		ba_ji(g.as, BPF_JGE, R7, (int32_t)most, out);
		read_piece(&g, CRUMB);
		ba_ji(g.as, BPF_JNE, R0, 0, out);
		ba_alui(g.as, BPF_ADD, R7, CRUMB);
	}
	ba_place(g.as, out);
	ba_alui(g.as, BPF_ADD, R7, REC_USTACK_AT);
	ba_st(g.as, BPF_DW, R9, SH_RECPOS, R7);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}
