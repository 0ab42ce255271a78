/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as text that can be printed: as base/text.c and fmt_mem() write it. */
#include "bpf/gen.h"

/* What the steps keep in the slot. */
enum {
	TX_N = SH_TMP, /* bytes to take */
	TX_ROOM = SH_TMP + 8, /* bytes that the text may have, without the quote at its end */
	TX_CUT = SH_TMP + 16, /* where the quote and three dots would still fit */
	TX_FLAGS = SH_TMP + 24,
};
#define TEXT_WAS_CUT 8

/* R4 = the digits of the byte in R3, the first one lowest; R5 = 2 */
static void hex_digits(struct gen *g)
{
	ba_movi(g->as, R4, 0);
	for (int shift = 0; shift <= 4; shift += 4) {
		uint32_t decimal = ba_label(g->as);

		ba_mov(g->as, R1, R3);
		ba_alui(g->as, BPF_RSH, R1, shift);
		ba_alui(g->as, BPF_AND, R1, 15);
		ba_alui(g->as, BPF_LSH, R4, 8);
		ba_mov(g->as, R2, R1);
		ba_alui(g->as, BPF_ADD, R2, '0');
		ba_ji(g->as, BPF_JLE, R1, 9, decimal);
		ba_alui(g->as, BPF_ADD, R2, 'a' - 10 - '0');
		ba_place(g->as, decimal);
		ba_alu(g->as, BPF_OR, R4, R2);
	}
	ba_movi(g->as, R5, 2);
}

/* Appends an escape unless it has no room: whole, or not at all. */
static void append_escape(struct gen *g)
{
	uint32_t fits = ba_label(g->as), no_cut = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_alu(g->as, BPF_ADD, R1, R5);
	ba_ld(g->as, BPF_DW, R2, R9, TX_ROOM);
	ba_j(g->as, BPF_JLE, R1, R2, fits);
	ba_ld(g->as, BPF_DW, R1, R9, TX_FLAGS);
	ba_alui(g->as, BPF_OR, R1, TEXT_WAS_CUT);
	ba_st(g->as, BPF_DW, R9, TX_FLAGS, R1);
	rt_end_step(g, 1);
	ba_place(g->as, fits);
	rt_put_bytes(g);
	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_mov(g->as, R3, R1);
	ba_alui(g->as, BPF_ADD, R3, 3);
	ba_ld(g->as, BPF_DW, R2, R9, TX_ROOM);
	ba_j(g->as, BPF_JGT, R3, R2, no_cut);
	ba_st(g->as, BPF_DW, R9, TX_CUT, R1);
	ba_place(g->as, no_cut);
	rt_end_step(g, 0);
}

static void build_step(struct unit *u, uint32_t step)
{
	uint32_t stop, byte, hex, more;
	struct gen g;

	rt_begin_step(&g, u, step);
	stop = ba_label(g.as);
	byte = ba_label(g.as);
	hex = ba_label(g.as);
	more = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R2, R9, TX_N);
	ba_j(g.as, BPF_JLT, R1, R2, more);
	ba_place(g.as, stop);
	rt_end_step(&g, 1);
	ba_place(g.as, more);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)(u->slot.stmp + 2 * u->lay.strsz));
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_ld(g.as, BPF_B, R3, R1, 0);
	ba_ld(g.as, BPF_DW, R2, R9, TX_FLAGS);
	ba_ji(g.as, BPF_JNE, R3, 0, byte);
	ba_mov(g.as, R1, R2);
	ba_alui(g.as, BPF_AND, R1, TEXT_STOP);
	ba_ji(g.as, BPF_JNE, R1, 0, stop);
	ba_place(g.as, byte);
	ba_alui(g.as, BPF_AND, R2, TEXT_HEX);
	ba_ji(g.as, BPF_JNE, R2, 0, hex);
	rt_escape(&g, true);
	append_escape(&g);
	ba_place(g.as, hex);
	hex_digits(&g);
	rt_put_bytes(&g);
	rt_end_step(&g, 0);
}

/* R8 = the longest text: @least to a string's, which 0 and what is out of range mean, too. */
static void longest_text(struct gen *g, uint32_t plain)
{
	int32_t max = (int32_t)g->u->maxstr - 1;
	uint32_t set = ba_label(g->as), all = ba_label(g->as), quoted = ba_label(g->as);

	ba_ji(g->as, BPF_JSLE, R8, 0, all);
	ba_ji(g->as, BPF_JSLE, R8, max, set);
	ba_place(g->as, all);
	ba_movi(g->as, R8, max);
	ba_place(g->as, set);
	ba_ld(g->as, BPF_DW, R1, R9, TX_FLAGS);
	ba_alui(g->as, BPF_AND, R1, TEXT_QUOTED);
	ba_st(g->as, BPF_DW, R9, TX_ROOM, R8);
	ba_ji(g->as, BPF_JEQ, R1, 0, plain);
	ba_ji(g->as, BPF_JGE, R8, 5, quoted);
	ba_movi(g->as, R8, 5);
	ba_place(g->as, quoted);
	ba_alui(g->as, BPF_SUB, R8, 1);
	ba_st(g->as, BPF_DW, R9, TX_ROOM, R8);
}

static void put_text(struct gen *g, int64_t bytes, uint32_t n)
{
	ba_movi(g->as, R4, bytes);
	ba_movi(g->as, R5, n);
	rt_put_bytes(g);
}

/* The quote at the end, or what says that something was cut. */
static void end_quotes(struct gen *g, uint32_t end)
{
	uint32_t whole = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, TX_FLAGS);
	ba_mov(g->as, R2, R1);
	ba_alui(g->as, BPF_AND, R1, TEXT_QUOTED);
	ba_ji(g->as, BPF_JEQ, R1, 0, end);
	ba_alui(g->as, BPF_AND, R2, TEXT_WAS_CUT);
	ba_ji(g->as, BPF_JEQ, R2, 0, whole);
	ba_ld(g->as, BPF_DW, R1, R9, TX_CUT);
	ba_st(g->as, BPF_DW, R9, SH_FMTLEN, R1);
	put_text(g, '"' | '.' << 8 | '.' << 16 | '.' << 24, 4);
	ba_ja(g->as, end);
	ba_place(g->as, whole);
	put_text(g, '"', 1);
}

/* text(dst, bytes, longest, flags) */
void rt_build_text(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_text_step", FN_GLOBAL, NULL, 1), loop, plain, end;
	struct gen g;

	build_step(u, step);
	loop = rt_loop(u, step, u->maxstr);
	rt_begin(&g, u, fn, 5, 1u << 2);
	plain = ba_label(g.as);
	end = ba_label(g.as);
	ba_sti(g.as, BPF_DW, R9, SH_FMTLEN, 0);
	ba_st(g.as, BPF_DW, R9, TX_N, R7);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_st(g.as, BPF_DW, R9, TX_FLAGS, R1);
	longest_text(&g, plain);
	put_text(&g, '"', 1);
	ba_sti(g.as, BPF_DW, R9, TX_CUT, 1);
	ba_place(g.as, plain);
	rt_each_byte(&g, loop);
	end_quotes(&g, end);
	ba_place(g.as, end);
	rt_terminate(&g);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, u->maxstr);
	g_slot_addr(&g, R3, u->slot.fmt);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}
