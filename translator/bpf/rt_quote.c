/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The '#' flag of %s and %c: bytes as escapes of a string literal, as base/fmt.c writes them. */
#include "bpf/gen.h"

/* "abtnvfr": the letters of the escapes of bytes 7 to 13, lowest first */
#define NAMED 0x007266766e746261ll

/* What the callback keeps in the slot. */
enum { Q_WIDTH = SH_TMP, Q_WRITE = SH_TMP + 8 };

/*
 * R3: a byte. R4 = its escape, first byte lowest; R5 = how many bytes that has. Changes R0 to R2.
 */
void rt_escape(struct gen *g, bool quote)
{
	uint32_t pair = ba_label(g->as), octal = ba_label(g->as), end = ba_label(g->as),
		 plain = ba_label(g->as);

	ba_mov(g->as, R4, R3);
	ba_ji(g->as, BPF_JEQ, R3, '\\', pair);
	if (quote)
		ba_ji(g->as, BPF_JEQ, R3, '"', pair);
	ba_ji(g->as, BPF_JGT, R3, 13, plain);
	ba_ji(g->as, BPF_JLT, R3, 7, octal);
	ba_mov(g->as, R1, R3);
	ba_alui(g->as, BPF_SUB, R1, 7);
	ba_alui(g->as, BPF_LSH, R1, 3);
	ba_movi(g->as, R4, NAMED);
	ba_alu(g->as, BPF_RSH, R4, R1);
	ba_alui(g->as, BPF_AND, R4, 255);
	ba_place(g->as, pair);
	ba_alui(g->as, BPF_LSH, R4, 8);
	ba_alui(g->as, BPF_OR, R4, '\\');
	ba_movi(g->as, R5, 2);
	ba_ja(g->as, end);
	ba_place(g->as, plain);
	ba_movi(g->as, R5, 1);
	ba_ji(g->as, BPF_JLT, R3, 0x20, octal);
	ba_ji(g->as, BPF_JLT, R3, 0x7f, end);
	ba_place(g->as, octal);
	ba_movi(g->as, R4, 0);
	for (int shift = 0; shift <= 6; shift += 3) {
		ba_mov(g->as, R1, R3);
		ba_alui(g->as, BPF_RSH, R1, shift);
		ba_alui(g->as, BPF_AND, R1, 7);
		ba_alui(g->as, BPF_OR, R1, '0');
		/* the lowest digit comes last */
		ba_alui(g->as, BPF_LSH, R4, 8);
		ba_alu(g->as, BPF_OR, R4, R1);
	}
	ba_alui(g->as, BPF_LSH, R4, 8);
	ba_alui(g->as, BPF_OR, R4, '\\');
	ba_movi(g->as, R5, 4);
	ba_place(g->as, end);
}

void rt_put_bytes(struct gen *g)
{
	int32_t last = (int32_t)g->u->maxstr - 1;
	uint32_t inside = ba_label(g->as), fits = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_ji(g->as, BPF_JLE, R1, last, inside);
	ba_movi(g->as, R1, last);
	ba_place(g->as, inside);
	ba_alu(g->as, BPF_ADD, R5, R1);
	ba_ji(g->as, BPF_JLE, R5, last, fits);
	ba_movi(g->as, R5, last);
	ba_place(g->as, fits);
	ba_st(g->as, BPF_DW, R9, SH_FMTLEN, R5);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.fmt);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_st(g->as, BPF_W, R1, 0, R4);
}

void rt_begin_step(struct gen *g, struct unit *u, uint32_t step)
{
	uint32_t inside;

	rt_begin(g, u, step, 1, 0);
	inside = ba_label(g->as);
	ba_ld(g->as, BPF_DW, R1, R9, SH_LOOP);
	ba_ji(g->as, BPF_JLT, R1, (int32_t)u->maxstr, inside);
	rt_end_step(g, 1);
	ba_place(g->as, inside);
	ba_mov(g->as, R2, R1);
	ba_alui(g->as, BPF_ADD, R2, 1);
	ba_st(g->as, BPF_DW, R9, SH_LOOP, R2);
}

void rt_end_step(struct gen *g, int32_t r)
{
	ba_movi(g->as, R0, r);
	rt_end(g);
}

/* One byte of the text: counted, or written. */
static void build_step(struct unit *u, uint32_t cb)
{
	struct gen g;
	uint32_t more, write;

	rt_begin_step(&g, u, cb);
	more = ba_label(g.as);
	write = ba_label(g.as);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)(u->slot.stmp + 2 * u->lay.strsz));
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_ld(g.as, BPF_B, R3, R1, 0);
	ba_ji(g.as, BPF_JNE, R3, 0, more);
	rt_end_step(&g, 1);
	ba_place(g.as, more);
	rt_escape(&g, true);
	ba_ld(g.as, BPF_DW, R1, R9, Q_WRITE);
	ba_ji(g.as, BPF_JNE, R1, 0, write);
	ba_ld(g.as, BPF_DW, R1, R9, Q_WIDTH);
	ba_alu(g.as, BPF_ADD, R1, R5);
	ba_st(g.as, BPF_DW, R9, Q_WIDTH, R1);
	rt_end_step(&g, 0);
	ba_place(g.as, write);
	rt_put_bytes(&g);
	rt_end_step(&g, 0);
}

void rt_each_byte(struct gen *g, uint32_t loop)
{
	ba_sti(g->as, BPF_DW, R9, SH_LOOP, 0);
	g_call_fn(g, loop);
}

static void each_byte(struct gen *g, uint32_t loop, int32_t write)
{
	ba_sti(g->as, BPF_DW, R9, Q_WRITE, write);
	rt_each_byte(g, loop);
}

static void put_quote(struct gen *g)
{
	ba_movi(g->as, R4, '"');
	ba_movi(g->as, R5, 1);
	rt_put_bytes(g);
}

/* fmt_quote(string, flag, width, precision): in quotes, padded on the left */
void rt_build_fmt_quote(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_quote_step", FN_GLOBAL, NULL, 1), loop, whole, cut;
	struct gen g;

	build_step(u, step);
	loop = rt_loop(u, step, u->maxstr);
	rt_begin(&g, u, fn, 5, 1u << 2);
	whole = ba_label(g.as);
	cut = ba_label(g.as);
	ba_mov(g.as, R3, R6);
	g_read_str(&g, u->slot.stmp + 2 * u->lay.strsz);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_ji(g.as, BPF_JSLT, R1, 0, whole);
	ba_ji(g.as, BPF_JLT, R1, (int32_t)u->maxstr, cut);
	ba_ja(g.as, whole);
	ba_place(g.as, cut);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)(u->slot.stmp + 2 * u->lay.strsz));
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_sti(g.as, BPF_B, R1, 0, 0);
	ba_place(g.as, whole);
	ba_sti(g.as, BPF_DW, R9, Q_WIDTH, 2);
	each_byte(&g, loop, 0);
	ba_ld(g.as, BPF_DW, R1, R9, Q_WIDTH);
	ba_alu(g.as, BPF_SUB, R8, R1);
	rt_fill(&g, R8, ' ');
	put_quote(&g);
	each_byte(&g, loop, 1);
	put_quote(&g);
	rt_fmt_end(&g);
}
