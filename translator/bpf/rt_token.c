/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tokenize(): as text_token() of base/text.c. The text lies in the slot for the handler's run. */
#include "bpf/gen.h"

enum { TK_FROM = SH_TMP, TK_END = SH_TMP + 8 }; /* the token; from: -1 before it begins */

/* One delimiter: its bit in slot.delims. */
static void build_delim_step(struct unit *u, uint32_t step)
{
	uint32_t more;
	struct gen g;

	rt_begin_step(&g, u, step);
	more = ba_label(g.as);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)(u->slot.stmp + 2 * u->lay.strsz));
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_ld(g.as, BPF_B, R3, R1, 0);
	ba_ji(g.as, BPF_JNE, R3, 0, more);
	rt_end_step(&g, 1);
	ba_place(g.as, more);
	ba_movi(g.as, R4, 1);
	ba_mov(g.as, R2, R3);
	ba_alui(g.as, BPF_AND, R2, 7);
	ba_alu(g.as, BPF_LSH, R4, R2);
	ba_alui(g.as, BPF_RSH, R3, 3);
	ba_alui(g.as, BPF_ADD, R3, (int32_t)u->slot.delims);
	ba_alu(g.as, BPF_ADD, R3, R9);
	ba_ld(g.as, BPF_B, R2, R3, 0);
	ba_alu(g.as, BPF_OR, R2, R4);
	ba_st(g.as, BPF_B, R3, 0, R2);
	rt_end_step(&g, 0);
}

/* One byte of the text, R3, at R1: jumps to @yes when it is a delimiter. */
static void test_delim(struct gen *g, uint32_t yes)
{
	ba_mov(g->as, R4, R3);
	ba_alui(g->as, BPF_RSH, R4, 3);
	ba_alui(g->as, BPF_ADD, R4, (int32_t)g->u->slot.delims);
	ba_alu(g->as, BPF_ADD, R4, R9);
	ba_ld(g->as, BPF_B, R4, R4, 0);
	ba_alui(g->as, BPF_AND, R3, 7);
	ba_alu(g->as, BPF_RSH, R4, R3);
	ba_alui(g->as, BPF_AND, R4, 1);
	ba_ji(g->as, BPF_JNE, R4, 0, yes);
}

static void build_token_step(struct unit *u, uint32_t step)
{
	uint32_t more, delim, skip, begun;
	struct gen g;

	rt_begin_step(&g, u, step);
	more = ba_label(g.as);
	delim = ba_label(g.as);
	skip = ba_label(g.as);
	begun = ba_label(g.as);
	ba_mov(g.as, R6, R1);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)u->slot.token);
	ba_alu(g.as, BPF_ADD, R1, R9);
	ba_ld(g.as, BPF_B, R3, R1, 0);
	ba_st(g.as, BPF_DW, R9, TK_END, R6);
	ba_st(g.as, BPF_DW, R9, SH_TOKEN_AT, R6);
	ba_ji(g.as, BPF_JNE, R3, 0, more);
	rt_end_step(&g, 1);
	ba_place(g.as, more);
	ba_ld(g.as, BPF_DW, R5, R9, TK_FROM);
	test_delim(&g, delim);
	ba_ji(g.as, BPF_JSGE, R5, 0, begun);
	ba_st(g.as, BPF_DW, R9, TK_FROM, R6);
	ba_place(g.as, begun);
	rt_end_step(&g, 0);
	ba_place(g.as, delim);
	ba_ji(g.as, BPF_JSLT, R5, 0, skip);
	ba_alui(g.as, BPF_ADD, R6, 1);
	ba_st(g.as, BPF_DW, R9, SH_TOKEN_AT, R6);
	rt_end_step(&g, 1);
	ba_place(g.as, skip);
	rt_end_step(&g, 0);
}

/* The string at R7 is the text from now on, unless it is "". */
static void take_text(struct gen *g)
{
	uint32_t same = ba_label(g->as);

	ba_ld(g->as, BPF_B, R1, R7, 0);
	ba_ji(g->as, BPF_JEQ, R1, 0, same);
	ba_mov(g->as, R3, R7);
	g_read_str(g, g->u->slot.token);
	ba_sti(g->as, BPF_DW, R9, SH_TOKEN_AT, 0);
	ba_place(g->as, same);
}

/* R6: where the token goes. */
static void copy_token(struct gen *g)
{
	int32_t max = (int32_t)g->u->maxstr - 1;
	uint32_t none = ba_label(g->as), end = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R3, R9, TK_FROM);
	ba_ld(g->as, BPF_DW, R2, R9, TK_END);
	ba_ji(g->as, BPF_JGT, R3, max, none);
	ba_alu(g->as, BPF_SUB, R2, R3);
	ba_ji(g->as, BPF_JGT, R2, max, none);
	ba_alui(g->as, BPF_ADD, R2, 1);
	ba_alui(g->as, BPF_ADD, R3, (int32_t)g->u->slot.token);
	ba_alu(g->as, BPF_ADD, R3, R9);
	ba_mov(g->as, R1, R6);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
	ba_ja(g->as, end);
	ba_place(g->as, none);
	ba_sti(g->as, BPF_B, R6, 0, 0);
	ba_place(g->as, end);
}

/* tokenize(dst, text, delimiters) */
void rt_build_tokenize(struct unit *u, uint32_t fn)
{
	uint32_t delim = unit_fn(u, "rt_delim_step", FN_GLOBAL, NULL, 1), delims;
	uint32_t token = unit_fn(u, "rt_token_step", FN_GLOBAL, NULL, 1), tokens;
	struct gen g;

	build_delim_step(u, delim);
	delims = rt_loop(u, delim, u->maxstr);
	build_token_step(u, token);
	tokens = rt_loop(u, token, u->maxstr);
	rt_begin(&g, u, fn, 4, 1u << 2 | 1u << 3 | 1u << 4);
	take_text(&g);
	ba_mov(g.as, R3, R8);
	g_read_str(&g, u->slot.stmp + 2 * u->lay.strsz);
	for (uint32_t k = 0; k < 32; k += 8)
		g_slot_sti(&g, BPF_DW, u->slot.delims + k, 0);
	rt_each_byte(&g, delims);
	ba_sti(g.as, BPF_DW, R9, TK_FROM, -1);
	ba_ld(g.as, BPF_DW, R1, R9, SH_TOKEN_AT);
	ba_st(g.as, BPF_DW, R9, SH_LOOP, R1);
	g_call_fn(&g, tokens);
	copy_token(&g);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}
