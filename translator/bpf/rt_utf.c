/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-16 and UTF-32 in memory as UTF-8: as text_utf8() of base/text.c makes it. */
#include "bpf/gen.h"

/* What the steps keep in the slot. */
enum {
	UTF_ADDR = SH_TMP, /* of the next unit */
	UTF_LIMIT = SH_TMP + 8, /* bytes of the result */
	UTF_HIGH = SH_TMP + 16, /* the first half of a pair, or 0 */
	UTF_FORM = SH_TMP + 24, /* IR_USER and the width of a unit; at the end enum utf_end */
};
enum utf_end { UTF_DONE, UTF_FAULT, UTF_BAD };

static void finish(struct gen *g, enum utf_end how)
{
	ba_sti(g->as, BPF_DW, R9, UTF_FORM, how);
	rt_end_step(g, 1);
}

/* R6 = the next unit. */
static void read_unit(struct gen *g)
{
	uint32_t user = ba_label(g->as), have = ba_label(g->as), ok = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R7, R9, UTF_FORM);
	ba_sti(g->as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, FRAME_BUF);
	ba_mov(g->as, R2, R7);
	ba_alui(g->as, BPF_AND, R2, 7);
	ba_ld(g->as, BPF_DW, R3, R9, UTF_ADDR);
	ba_alui(g->as, BPF_AND, R7, IR_USER);
	ba_ji(g->as, BPF_JNE, R7, 0, user);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
	ba_ja(g->as, have);
	ba_place(g->as, user);
	ba_call(g->as, BPF_FUNC_probe_read_user);
	ba_place(g->as, have);
	ba_ji(g->as, BPF_JEQ, R0, 0, ok);
	finish(g, UTF_FAULT);
	ba_place(g->as, ok);
	ba_ld(g->as, BPF_W, R6, FP, FRAME_BUF);
	ba_ld(g->as, BPF_DW, R1, R9, UTF_FORM);
	ba_alui(g->as, BPF_AND, R1, 7);
	ba_ld(g->as, BPF_DW, R2, R9, UTF_ADDR);
	ba_alu(g->as, BPF_ADD, R2, R1);
	ba_st(g->as, BPF_DW, R9, UTF_ADDR, R2);
}

/* R6: a unit that is not 0, becomes a character; the first half of a pair is kept. */
static void join_units(struct gen *g, uint32_t bad)
{
	uint32_t single = ba_label(g->as), whole = ba_label(g->as), half = ba_label(g->as);

	ba_mov(g->as, R2, R6);
	ba_alui(g->as, BPF_SUB, R2, 0xdc00);
	ba_ld(g->as, BPF_DW, R1, R9, UTF_HIGH);
	ba_ji(g->as, BPF_JEQ, R1, 0, single);
	ba_ji(g->as, BPF_JGT, R2, 0x3ff, bad);
	ba_sti(g->as, BPF_DW, R9, UTF_HIGH, 0);
	ba_alui(g->as, BPF_SUB, R1, 0xd800);
	ba_alui(g->as, BPF_LSH, R1, 10);
	ba_mov(g->as, R6, R2);
	ba_alu(g->as, BPF_ADD, R6, R1);
	ba_alui(g->as, BPF_ADD, R6, 0x10000);
	ba_ja(g->as, whole);
	ba_place(g->as, single);
	ba_ji(g->as, BPF_JLE, R2, 0x3ff, bad);
	ba_ji(g->as, BPF_JGT, R6, 0x10ffff, bad);
	ba_mov(g->as, R2, R6);
	ba_alui(g->as, BPF_SUB, R2, 0xd800);
	ba_ji(g->as, BPF_JLE, R2, 0x3ff, half);
	ba_ja(g->as, whole);
	ba_place(g->as, half);
	ba_ld(g->as, BPF_DW, R1, R9, UTF_FORM);
	ba_alui(g->as, BPF_AND, R1, 4);
	ba_ji(g->as, BPF_JNE, R1, 0, bad);
	ba_st(g->as, BPF_DW, R9, UTF_HIGH, R6);
	rt_end_step(g, 0);
	ba_place(g->as, whole);
}

/* R4 = the bytes of the character in R6, the first one lowest; R5 = how many */
static void encode(struct gen *g)
{
	static const struct {
		int32_t below, mark;
	} lengths[] = { { 0x80, 0 }, { 0x800, 0xc0 }, { 0x10000, 0xe0 }, { 0x110000, 0xf0 } };
	uint32_t have = ba_label(g->as);

	for (int n = 1; n <= 4; n++) {
		uint32_t longer = ba_label(g->as);

		if (n < 4)
			ba_ji(g->as, BPF_JGE, R6, lengths[n - 1].below, longer);
		ba_mov(g->as, R4, R6);
		ba_alui(g->as, BPF_RSH, R4, 6 * (n - 1));
		ba_alui(g->as, BPF_OR, R4, lengths[n - 1].mark);
		for (int k = 1; k < n; k++) {
			ba_mov(g->as, R1, R6);
			ba_alui(g->as, BPF_RSH, R1, 6 * (n - 1 - k));
			ba_alui(g->as, BPF_AND, R1, 0x3f);
			ba_alui(g->as, BPF_OR, R1, 0x80);
			ba_alui(g->as, BPF_LSH, R1, 8 * k);
			ba_alu(g->as, BPF_OR, R4, R1);
		}
		ba_movi(g->as, R5, n);
		ba_ja(g->as, have);
		ba_place(g->as, longer);
	}
	ba_place(g->as, have);
}

static void build_step(struct unit *u, uint32_t step)
{
	uint32_t bad, more, room, end;
	struct gen g;

	rt_begin_step(&g, u, step);
	bad = ba_label(g.as);
	more = ba_label(g.as);
	room = ba_label(g.as);
	end = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_ld(g.as, BPF_DW, R2, R9, UTF_LIMIT);
	ba_j(g.as, BPF_JGE, R1, R2, end);
	read_unit(&g);
	ba_ji(g.as, BPF_JNE, R6, 0, more);
	ba_place(g.as, end);
	ba_ld(g.as, BPF_DW, R1, R9, UTF_HIGH);
	ba_ji(g.as, BPF_JNE, R1, 0, bad);
	finish(&g, UTF_DONE);
	ba_place(g.as, more);
	join_units(&g, bad);
	encode(&g);
	ba_ld(g.as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_alu(g.as, BPF_ADD, R1, R5);
	ba_ld(g.as, BPF_DW, R2, R9, UTF_LIMIT);
	ba_j(g.as, BPF_JLE, R1, R2, room);
	finish(&g, UTF_DONE);
	ba_place(g.as, room);
	rt_put_bytes(&g);
	rt_end_step(&g, 0);
	ba_place(g.as, bad);
	finish(&g, UTF_BAD);
}

/* utf(dst, address, most bytes, form): enum utf_end */
void rt_build_utf(struct unit *u, uint32_t fn)
{
	uint32_t step = unit_fn(u, "rt_utf_step", FN_GLOBAL, NULL, 1), loop, positive, fits, ok;
	struct gen g;

	build_step(u, step);
	loop = rt_loop(u, step, u->maxstr);
	rt_begin(&g, u, fn, 5, 1u << 2);
	positive = ba_label(g.as);
	fits = ba_label(g.as);
	ok = ba_label(g.as);
	ba_ji(g.as, BPF_JSGT, R8, 0, positive);
	ba_movi(g.as, R8, 0);
	ba_place(g.as, positive);
	ba_ji(g.as, BPF_JLT, R8, (int32_t)u->maxstr, fits);
	ba_movi(g.as, R8, u->maxstr - 1);
	ba_place(g.as, fits);
	ba_st(g.as, BPF_DW, R9, UTF_LIMIT, R8);
	ba_st(g.as, BPF_DW, R9, UTF_ADDR, R7);
	ba_sti(g.as, BPF_DW, R9, UTF_HIGH, 0);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_st(g.as, BPF_DW, R9, UTF_FORM, R1);
	ba_sti(g.as, BPF_DW, R9, SH_FMTLEN, 0);
	rt_each_byte(&g, loop);
	ba_ld(g.as, BPF_DW, R8, R9, UTF_FORM);
	ba_ji(g.as, BPF_JEQ, R8, UTF_DONE, ok);
	ba_mov(g.as, R0, R8);
	rt_end(&g);
	ba_place(g.as, ok);
	rt_terminate(&g);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, u->maxstr);
	g_slot_addr(&g, R3, u->slot.fmt);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}
