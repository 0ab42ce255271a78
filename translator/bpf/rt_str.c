/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String routines. Loops go a word at a time, so that the verifier walks MAXSTRINGLEN / 8 small
 * steps.
 */
#include "bpf/gen.h"

#define ONES 0x0101010101010101ll
#define HIGHS ((int64_t)0x8080808080808080ull)

/*
 * R0 = a mark at the top bit of the first zero byte of @word (exact for the lowest mark), 0 when
 * there is none. R2 holds ONES, R3 HIGHS. Changes R1.
 */
static void zero_marks(struct bpf_asm *as, int word)
{
	ba_mov(as, R0, word);
	ba_alu(as, BPF_SUB, R0, R2);
	ba_mov(as, R1, word);
	ba_alui(as, BPF_XOR, R1, -1);
	ba_alu(as, BPF_AND, R0, R1);
	ba_alu(as, BPF_AND, R0, R3);
}

/* reg &= -reg */
static void lowest_bit(struct bpf_asm *as, int reg, int tmp)
{
	ba_mov(as, tmp, reg);
	ba_neg(as, tmp);
	ba_alu(as, BPF_AND, reg, tmp);
}

/* Words R4 and R5 differ: unless a terminator comes first, the first differing byte decides. */
static void compare_differ(struct gen *g, uint32_t equal, uint32_t end)
{
	uint32_t differ = ba_label(g->as), less = ba_label(g->as);

	zero_marks(g->as, R4);
	ba_ji(g->as, BPF_JEQ, R0, 0, differ);
	lowest_bit(g->as, R0, R1);
	ba_mov(g->as, R2, R4);
	ba_alu(g->as, BPF_XOR, R2, R5);
	lowest_bit(g->as, R2, R1);
	ba_j(g->as, BPF_JGT, R2, R0, equal);
	ba_place(g->as, differ);
	ba_be64(g->as, R4);
	ba_be64(g->as, R5);
	ba_j(g->as, BPF_JLT, R4, R5, less);
	ba_movi(g->as, R0, 1);
	ba_ja(g->as, end);
	ba_place(g->as, less);
	ba_movi(g->as, R0, -1);
}

void rt_compare(struct gen *g)
{
	uint32_t loop = ba_label(g->as), differ = ba_label(g->as), equal = ba_label(g->as),
		 end = ba_label(g->as);

	ba_movi(g->as, R8, 0);
	ba_movi(g->as, R2, ONES);
	ba_movi(g->as, R3, HIGHS);
	ba_place(g->as, loop);
	ba_ld(g->as, BPF_DW, R4, R6, 0);
	ba_ld(g->as, BPF_DW, R5, R7, 0);
	ba_j(g->as, BPF_JNE, R4, R5, differ);
	zero_marks(g->as, R4);
	ba_ji(g->as, BPF_JNE, R0, 0, equal);
	ba_alui(g->as, BPF_ADD, R6, 8);
	ba_alui(g->as, BPF_ADD, R7, 8);
	ba_alui(g->as, BPF_ADD, R8, 1);
	ba_ji(g->as, BPF_JLT, R8, (int32_t)g->u->lay.strsz / 8, loop);
	ba_place(g->as, equal);
	ba_movi(g->as, R0, 0);
	ba_ja(g->as, end);
	ba_place(g->as, differ);
	compare_differ(g, equal, end);
	ba_place(g->as, end);
}

/* scmp(a, b): -1, 0, 1 by unsigned bytes */
void rt_build_scmp(struct unit *u, uint32_t fn)
{
	struct gen g;

	rt_begin(&g, u, fn, 3, 1u << 2 | 1u << 3);
	rt_compare(&g);
	rt_end(&g);
}

/* R0 = length of the string just copied (its size is in R0), 0 after a fault. */
void rt_length(struct gen *g)
{
	uint32_t ok = ba_label(g->as);

	ba_ji(g->as, BPF_JSGT, R0, 0, ok);
	ba_movi(g->as, R0, 1);
	ba_place(g->as, ok);
	ba_alui(g->as, BPF_SUB, R0, 1);
}

/* scat(dst, a, b); dst may be a, not b */
void rt_build_scat(struct unit *u, uint32_t fn)
{
	struct gen g;

	rt_begin(&g, u, fn, 4, 1u << 2 | 1u << 3 | 1u << 4);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, u->maxstr);
	ba_mov(g.as, R3, R7);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	rt_length(&g);
	ba_mov(g.as, R1, R6);
	ba_alu(g.as, BPF_ADD, R1, R0);
	ba_movi(g.as, R2, u->maxstr);
	ba_alu(g.as, BPF_SUB, R2, R0);
	ba_mov(g.as, R3, R8);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* substr(dst, src, start, length) */
void rt_build_substr(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t empty, cut;

	rt_begin(&g, u, fn, 5, 1u << 2 | 1u << 3);
	empty = ba_label(g.as);
	cut = ba_label(g.as);
	ba_mov(g.as, R3, R7);
	g_read_str(&g, u->slot.stmp + 2 * u->lay.strsz);
	rt_length(&g);
	ba_j(g.as, BPF_JGE, R8, R0, empty);
	ba_ji(g.as, BPF_JGE, R8, (int32_t)u->maxstr, empty);
	ba_ld(g.as, BPF_DW, R2, FP, FRAME_ARG5);
	ba_ji(g.as, BPF_JSLE, R2, 0, empty);
	ba_ji(g.as, BPF_JLT, R2, (int32_t)u->maxstr, cut);
	ba_movi(g.as, R2, u->maxstr - 1);
	ba_place(g.as, cut);
	ba_alui(g.as, BPF_ADD, R2, 1);
	g_slot_addr(&g, R3, u->slot.stmp + 2 * u->lay.strsz);
	ba_alu(g.as, BPF_ADD, R3, R8);
	ba_mov(g.as, R1, R6);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
	ba_place(g.as, empty);
	ba_sti(g.as, BPF_B, R6, 0, 0);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* Calls the step @cb for each place of the string at @a; @b goes along. */
static void run_loop(struct gen *g, uint32_t cb, int a, int b)
{
	ba_mov(g->as, R2, a);
	ba_alu(g->as, BPF_SUB, R2, R9);
	ba_mov(g->as, R3, b);
	ba_alu(g->as, BPF_SUB, R3, R9);
	ba_sti(g->as, BPF_DW, R9, SH_LOOP, 0);
	g_call_fn(g, rt_loop(g->u, cb, g->u->maxstr));
}

/* step(a, b). R9: slot, R6: a + index, R7: b. Past the longest string the step ends the loop. */
static struct gen begin_callback(struct unit *u, uint32_t cb)
{
	struct gen g;
	uint32_t ok;

	rt_begin(&g, u, cb, 3, 1u << 2 | 1u << 3);
	ok = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R1, R9, SH_LOOP);
	ba_ji(g.as, BPF_JLT, R1, (int32_t)u->maxstr, ok);
	ba_movi(g.as, R0, 1);
	rt_end(&g);
	ba_place(g.as, ok);
	ba_alu(g.as, BPF_ADD, R6, R1);
	ba_alui(g.as, BPF_ADD, R1, 1);
	ba_st(g.as, BPF_DW, R9, SH_LOOP, R1);
	return g;
}

static void end_callback(struct gen *g, int32_t r)
{
	ba_movi(g->as, R0, r);
	rt_end(g);
}

/*
 * Goes on at @yes when the string at R7 is the start of the one at R6, else at @no, where R4 is the first
 * word at R6 if R8 is 0.
 */
static void match_here(struct gen *g, uint32_t yes, uint32_t no)
{
	uint32_t loop = ba_label(g->as), last = ba_label(g->as);

	ba_movi(g->as, R8, 0);
	ba_movi(g->as, R2, ONES);
	ba_movi(g->as, R3, HIGHS);
	ba_place(g->as, loop);
	ba_ld(g->as, BPF_DW, R4, R6, 0);
	ba_ld(g->as, BPF_DW, R5, R7, 0);
	zero_marks(g->as, R5);
	ba_ji(g->as, BPF_JNE, R0, 0, last);
	ba_j(g->as, BPF_JNE, R4, R5, no);
	ba_alui(g->as, BPF_ADD, R6, 8);
	ba_alui(g->as, BPF_ADD, R7, 8);
	ba_alui(g->as, BPF_ADD, R8, 1);
	ba_ji(g->as, BPF_JLT, R8, (int32_t)g->u->lay.strsz / 8, loop);
	ba_ja(g->as, no);
	ba_place(g->as, last);
	lowest_bit(g->as, R0, R1);
	ba_alui(g->as, BPF_RSH, R0, 7);
	ba_alui(g->as, BPF_SUB, R0, 1);
	ba_alu(g->as, BPF_XOR, R5, R4);
	ba_alu(g->as, BPF_AND, R0, R5);
	ba_ji(g->as, BPF_JNE, R0, 0, no);
	ba_ja(g->as, yes);
}

/* One position of the searched string: does the needle start here? Leaves its number, from 1. */
static void build_strpos_step(struct unit *u, uint32_t cb)
{
	struct gen g = begin_callback(u, cb);
	uint32_t yes = ba_label(g.as), next = ba_label(g.as), no = ba_label(g.as);

	match_here(&g, yes, no);
	ba_place(g.as, no);
	/* at the end of the searched string the loop may stop; its first byte tells when R8 is 0 */
	ba_ji(g.as, BPF_JNE, R8, 0, next);
	ba_alui(g.as, BPF_AND, R4, 255);
	ba_ji(g.as, BPF_JNE, R4, 0, next);
	end_callback(&g, 1);
	ba_place(g.as, next);
	end_callback(&g, 0);
	ba_place(g.as, yes);
	ba_ld(g.as, BPF_DW, R1, R9, SH_LOOP);
	ba_st(g.as, BPF_DW, R9, SH_TMP, R1);
	end_callback(&g, 1);
}

/* strpos(a, b): where b occurs in a, from 1; 0: nowhere */
void rt_build_strpos(struct unit *u, uint32_t fn)
{
	uint32_t cb = unit_fn(u, "rt_strpos_step", FN_GLOBAL, NULL, 3);
	struct gen g;

	build_strpos_step(u, cb);
	rt_begin(&g, u, fn, 3, 1u << 2 | 1u << 3);
	ba_sti(g.as, BPF_DW, R9, SH_TMP, 0);
	run_loop(&g, cb, R6, R7);
	ba_ld(g.as, BPF_DW, R0, R9, SH_TMP);
	rt_end(&g);
}

/* str_replace's state */
enum { RP_SKIP = SH_TMP, RP_LEN = SH_TMP + 8, RP_BY = SH_TMP + 16 };

/* Appends the string at the offset RP_BY to slot.fmt. */
static void append_replacement(struct gen *g)
{
	int32_t last = (int32_t)g->u->maxstr - 1;
	uint32_t inside = ba_label(g->as), sane = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_ji(g->as, BPF_JLE, R1, last, inside);
	ba_movi(g->as, R1, last);
	ba_place(g->as, inside);
	ba_mov(g->as, R7, R1);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_alu(g->as, BPF_SUB, R2, R1);
	ba_ld(g->as, BPF_DW, R3, R9, RP_BY);
	ba_ji(g->as, BPF_JLE, R3, (int32_t)g->u->slot.off_max, sane);
	ba_movi(g->as, R3, 0);
	ba_place(g->as, sane);
	ba_alu(g->as, BPF_ADD, R3, R9);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.fmt);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
	rt_length(g);
	ba_alu(g->as, BPF_ADD, R7, R0);
	ba_st(g->as, BPF_DW, R9, SH_FMTLEN, R7);
}

/* One position: takes a byte, or puts the replacement and skips what it replaces. */
static void build_replace_step(struct unit *u, uint32_t cb)
{
	struct gen g = begin_callback(u, cb);
	uint32_t yes = ba_label(g.as), no = ba_label(g.as), here = ba_label(g.as),
		 more = ba_label(g.as);

	ba_ld(g.as, BPF_DW, R1, R9, SH_LOOP);
	ba_ld(g.as, BPF_DW, R2, R9, RP_SKIP);
	ba_j(g.as, BPF_JGT, R1, R2, here);
	end_callback(&g, 0);
	ba_place(g.as, here);
	ba_ld(g.as, BPF_B, R4, R6, 0);
	ba_ji(g.as, BPF_JNE, R4, 0, more);
	end_callback(&g, 1);
	ba_place(g.as, more);
	ba_st(g.as, BPF_DW, FP, FRAME_BUF, R4);
	match_here(&g, yes, no);
	ba_place(g.as, no);
	ba_ld(g.as, BPF_DW, R4, FP, FRAME_BUF);
	ba_movi(g.as, R5, 1);
	rt_put_bytes(&g);
	end_callback(&g, 0);
	ba_place(g.as, yes);
	append_replacement(&g);
	ba_ld(g.as, BPF_DW, R1, R9, SH_LOOP);
	ba_ld(g.as, BPF_DW, R2, R9, RP_LEN);
	ba_alu(g.as, BPF_ADD, R1, R2);
	ba_alui(g.as, BPF_SUB, R1, 1);
	ba_st(g.as, BPF_DW, R9, RP_SKIP, R1);
	end_callback(&g, 0);
}

/* str_replace(dst, string, what, by) */
void rt_build_str_replace(struct unit *u, uint32_t fn)
{
	uint32_t cb = unit_fn(u, "rt_str_replace_step", FN_GLOBAL, NULL, 3), none;
	struct gen g;

	build_replace_step(u, cb);
	rt_begin(&g, u, fn, 5, 1u << 2 | 1u << 3 | 1u << 4);
	none = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_st(g.as, BPF_DW, R9, RP_BY, R1);
	ba_sti(g.as, BPF_DW, R9, RP_SKIP, 0);
	ba_sti(g.as, BPF_DW, R9, SH_FMTLEN, 0);
	ba_mov(g.as, R3, R8);
	g_read_str(&g, u->slot.stmp + 2 * u->lay.strsz);
	rt_length(&g);
	ba_ji(g.as, BPF_JEQ, R0, 0, none);
	ba_st(g.as, BPF_DW, R9, RP_LEN, R0);
	run_loop(&g, cb, R7, R8);
	rt_terminate(&g);
	g_slot_addr(&g, R7, u->slot.fmt);
	ba_place(g.as, none);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, u->maxstr);
	ba_mov(g.as, R3, R7);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* strtol's state between characters */
enum { TOL_ACC = SH_TMP, TOL_BASE = SH_TMP + 8, TOL_PHASE = SH_TMP + 16, TOL_NEG = SH_TMP + 24 };
enum { PH_SPACE, PH_PREFIX, PH_DIGITS, PH_SKIP };

/* R3: the character. Jumps to @no unless it is a digit of base R4; R3 becomes its value. */
static void digit_value(struct bpf_asm *as, uint32_t no)
{
	uint32_t letter = ba_label(as), have = ba_label(as);

	ba_mov(as, R0, R3);
	ba_alui(as, BPF_SUB, R0, '0');
	ba_ji(as, BPF_JGT, R0, 9, letter);
	ba_ja(as, have);
	ba_place(as, letter);
	ba_mov(as, R0, R3);
	ba_alui(as, BPF_OR, R0, 32);
	ba_alui(as, BPF_SUB, R0, 'a');
	ba_ji(as, BPF_JGT, R0, 25, no);
	ba_alui(as, BPF_ADD, R0, 10);
	ba_place(as, have);
	ba_j(as, BPF_JGE, R0, R4, no);
	ba_mov(as, R3, R0);
}

/* acc = acc * base + digit, held at the largest magnitude. */
static void add_digit(struct gen *g)
{
	uint32_t fits = ba_label(g->as);

	ba_movi(g->as, R1, INT64_MAX);
	ba_ld(g->as, BPF_DW, R2, R9, TOL_NEG);
	ba_alu(g->as, BPF_ADD, R1, R2);
	ba_mov(g->as, R5, R1);
	ba_alu(g->as, BPF_SUB, R5, R3);
	ba_alu(g->as, BPF_DIV, R5, R4);
	ba_ld(g->as, BPF_DW, R2, R9, TOL_ACC);
	ba_j(g->as, BPF_JLE, R2, R5, fits);
	ba_st(g->as, BPF_DW, R9, TOL_ACC, R1);
	end_callback(g, 1);
	ba_place(g->as, fits);
	ba_alu(g->as, BPF_MUL, R2, R4);
	ba_alu(g->as, BPF_ADD, R2, R3);
	ba_st(g->as, BPF_DW, R9, TOL_ACC, R2);
	end_callback(g, 0);
}

/* "0x" before a hexadecimal digit, or a leading 0, chooses the base. */
static void strtol_prefix(struct gen *g, uint32_t digits)
{
	uint32_t plain = ba_label(g->as), maybe = ba_label(g->as), restore = ba_label(g->as);

	ba_sti(g->as, BPF_DW, R9, TOL_PHASE, PH_DIGITS);
	ba_ld(g->as, BPF_DW, R4, R9, TOL_BASE);
	ba_ji(g->as, BPF_JEQ, R4, 0, maybe);
	ba_ji(g->as, BPF_JNE, R4, 16, digits);
	ba_place(g->as, maybe);
	ba_ji(g->as, BPF_JNE, R3, '0', plain);
	ba_ld(g->as, BPF_B, R1, R6, 1);
	ba_alui(g->as, BPF_OR, R1, 32);
	ba_ji(g->as, BPF_JNE, R1, 'x', plain);
	ba_mov(g->as, R8, R3);
	ba_mov(g->as, R7, R4);
	ba_ld(g->as, BPF_B, R3, R6, 2);
	ba_movi(g->as, R4, 16);
	digit_value(g->as, restore);
	ba_sti(g->as, BPF_DW, R9, TOL_BASE, 16);
	ba_sti(g->as, BPF_DW, R9, TOL_PHASE, PH_SKIP);
	end_callback(g, 0);
	ba_place(g->as, restore);
	ba_mov(g->as, R3, R8);
	ba_mov(g->as, R4, R7);
	ba_place(g->as, plain);
	ba_ji(g->as, BPF_JNE, R4, 0, digits);
	ba_sti(g->as, BPF_DW, R9, TOL_BASE, 8);
	ba_ji(g->as, BPF_JEQ, R3, '0', digits);
	ba_sti(g->as, BPF_DW, R9, TOL_BASE, 10);
	ba_ja(g->as, digits);
}

static void build_strtol_step(struct unit *u, uint32_t cb)
{
	struct gen g = begin_callback(u, cb);
	uint32_t prefix = ba_label(g.as), digits = ba_label(g.as), stop = ba_label(g.as),
		 more = ba_label(g.as);
	uint32_t minus = ba_label(g.as), not_space = ba_label(g.as), skip = ba_label(g.as);

	ba_ld(g.as, BPF_B, R3, R6, 0);
	ba_ld(g.as, BPF_DW, R1, R9, TOL_PHASE);
	ba_ji(g.as, BPF_JEQ, R1, PH_DIGITS, digits);
	ba_ji(g.as, BPF_JEQ, R1, PH_PREFIX, prefix);
	ba_ji(g.as, BPF_JEQ, R1, PH_SKIP, skip);
	ba_ji(g.as, BPF_JEQ, R3, ' ', more);
	ba_mov(g.as, R1, R3);
	ba_alui(g.as, BPF_SUB, R1, '\t');
	ba_ji(g.as, BPF_JGT, R1, '\r' - '\t', not_space);
	ba_place(g.as, more);
	end_callback(&g, 0);
	ba_place(g.as, not_space);
	ba_sti(g.as, BPF_DW, R9, TOL_PHASE, PH_PREFIX);
	ba_ji(g.as, BPF_JEQ, R3, '-', minus);
	ba_ji(g.as, BPF_JEQ, R3, '+', more);
	ba_place(g.as, prefix);
	strtol_prefix(&g, digits);
	ba_place(g.as, minus);
	ba_sti(g.as, BPF_DW, R9, TOL_NEG, 1);
	ba_ja(g.as, more);
	ba_place(g.as, skip);
	ba_sti(g.as, BPF_DW, R9, TOL_PHASE, PH_DIGITS);
	ba_ja(g.as, more);
	ba_place(g.as, digits);
	ba_ld(g.as, BPF_DW, R4, R9, TOL_BASE);
	digit_value(g.as, stop);
	add_digit(&g);
	ba_place(g.as, stop);
	end_callback(&g, 1);
}

/* strtol(string, base) */
void rt_build_strtol(struct unit *u, uint32_t fn)
{
	uint32_t cb = unit_fn(u, "rt_strtol_step", FN_GLOBAL, NULL, 3), positive, bad;
	struct gen g;

	build_strtol_step(u, cb);
	rt_begin(&g, u, fn, 3, 1u << 2);
	positive = ba_label(g.as);
	bad = ba_label(g.as);
	ba_movi(g.as, R0, 0);
	ba_ji(g.as, BPF_JGT, R7, 36, bad);
	ba_ji(g.as, BPF_JEQ, R7, 1, bad);
	ba_sti(g.as, BPF_DW, R9, TOL_ACC, 0);
	ba_st(g.as, BPF_DW, R9, TOL_BASE, R7);
	ba_sti(g.as, BPF_DW, R9, TOL_PHASE, PH_SPACE);
	ba_sti(g.as, BPF_DW, R9, TOL_NEG, 0);
	run_loop(&g, cb, R6, R6);
	ba_ld(g.as, BPF_DW, R0, R9, TOL_ACC);
	ba_ld(g.as, BPF_DW, R1, R9, TOL_NEG);
	ba_ji(g.as, BPF_JEQ, R1, 0, positive);
	ba_neg(g.as, R0);
	ba_place(g.as, positive);
	ba_place(g.as, bad);
	rt_end(&g);
}
