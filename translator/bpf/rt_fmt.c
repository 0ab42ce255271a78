/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sprintf in the kernel: the same text as base/fmt.c makes, appended to slot.fmt piece by piece. */
#include "bpf/gen.h"

#include "base/fmt.h"

#define DIGITS 64

/* What fmt_int() keeps in the slot while it works. */
enum {
	FI_DIGITS = SH_TMP,
	FI_PREFIX = SH_TMP + 8,
	FI_NPREFIX = SH_TMP + 16,
	FI_ZEROS = SH_TMP + 24
};

/* Appends R2 bytes (not negative) from R3; what finds no room is dropped. */
static void append(struct gen *g)
{
	int32_t last = (int32_t)g->u->maxstr - 1;
	uint32_t inside = ba_label(g->as), fits = ba_label(g->as), sane = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_ji(g->as, BPF_JLE, R1, last, inside);
	ba_movi(g->as, R1, last);
	ba_place(g->as, inside);
	ba_movi(g->as, R4, last);
	ba_alu(g->as, BPF_SUB, R4, R1);
	ba_j(g->as, BPF_JLE, R2, R4, fits);
	ba_mov(g->as, R2, R4);
	ba_place(g->as, fits);
	ba_ji(g->as, BPF_JLE, R2, last, sane);
	ba_movi(g->as, R2, 0);
	ba_place(g->as, sane);
	ba_mov(g->as, R5, R1);
	ba_alu(g->as, BPF_ADD, R5, R2);
	ba_st(g->as, BPF_DW, R9, SH_FMTLEN, R5);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.fmt);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
}

void rt_terminate(struct gen *g)
{
	uint32_t ok = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_FMTLEN);
	ba_ji(g->as, BPF_JLT, R1, (int32_t)g->u->maxstr, ok);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, ok);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.fmt);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_sti(g->as, BPF_B, R1, 0, 0);
}

void rt_fmt_end(struct gen *g)
{
	rt_terminate(g);
	ba_movi(g->as, R0, 0);
	rt_end(g);
}

/* Read-only data of MAXSTRINGLEN - 1 times the same byte. */
static void fill_source(struct gen *g, char c)
{
	char *s = arena_alloc(g->u->arena, g->u->maxstr + 1);

	if (!c) {
		ba_ld_rodata(g->as, R3, RD_ZERO);
		return;
	}
	for (uint32_t k = 0; k < g->u->maxstr; k++)
		s[k] = c;
	ba_ld_rodata(g->as, R3, unit_literal(g->u, s));
}

/* Appends @reg bytes @c. */
void rt_fill(struct gen *g, int reg, char c)
{
	uint32_t none = ba_label(g->as);

	ba_ji(g->as, BPF_JSLE, reg, 0, none);
	ba_mov(g->as, R2, reg);
	fill_source(g, c);
	append(g);
	ba_place(g->as, none);
}

/* Jumps to @label when the flag of the spec in R7 is (not) @flag. */
static void on_flag(struct gen *g, int op, enum fmt_flag flag, uint32_t label)
{
	ba_mov(g->as, R1, R7);
	ba_alui(g->as, BPF_AND, R1, 255);
	ba_ji(g->as, op, R1, flag, label);
}

/* The text is at stmp[2], its length in SH_TMP; R8: width. */
static void put_padded(struct gen *g)
{
	uint32_t left = ba_label(g->as), end = ba_label(g->as), nonneg = ba_label(g->as);

	ba_ji(g->as, BPF_JSGE, R8, 0, nonneg);
	ba_movi(g->as, R8, 0);
	ba_place(g->as, nonneg);
	ba_ld(g->as, BPF_DW, R1, R9, SH_TMP);
	ba_alu(g->as, BPF_SUB, R8, R1);
	on_flag(g, BPF_JEQ, FMT_F_MINUS, left);
	rt_fill(g, R8, ' ');
	ba_place(g->as, left);
	ba_ld(g->as, BPF_DW, R2, R9, SH_TMP);
	g_slot_addr(g, R3, g->u->slot.stmp + 2 * g->u->lay.strsz);
	append(g);
	on_flag(g, BPF_JNE, FMT_F_MINUS, end);
	rt_fill(g, R8, ' ');
	ba_place(g->as, end);
	rt_fmt_end(g);
}

/* fmt_str(string, flag, width, precision) */
void rt_build_fmt_str(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t whole;

	rt_begin(&g, u, fn, 5, 1u << 2);
	whole = ba_label(g.as);
	ba_mov(g.as, R3, R6);
	g_read_str(&g, u->slot.stmp + 2 * u->lay.strsz);
	rt_length(&g);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_ji(g.as, BPF_JSLT, R1, 0, whole);
	ba_j(g.as, BPF_JGE, R1, R0, whole);
	ba_mov(g.as, R0, R1);
	ba_place(g.as, whole);
	ba_st(g.as, BPF_DW, R9, SH_TMP, R0);
	put_padded(&g);
}

/* R6: the value; one byte, none for NUL */
static void int_char(struct gen *g)
{
	uint32_t text = g->u->slot.stmp + 2 * g->u->lay.strsz, zero = ba_label(g->as),
		 plain = ba_label(g->as);

	on_flag(g, BPF_JNE, FMT_F_HASH, plain);
	ba_mov(g->as, R3, R6);
	ba_alui(g->as, BPF_AND, R3, 255);
	rt_escape(g, false);
	/* R5 first: the other store may take it for an address */
	ba_st(g->as, BPF_DW, R9, SH_TMP, R5);
	g_slot_st(g, BPF_W, text, R4);
	put_padded(g);
	ba_place(g->as, plain);
	g_slot_st(g, BPF_B, text, R6);
	ba_movi(g->as, R2, 0);
	ba_alui(g->as, BPF_AND, R6, 255);
	ba_ji(g->as, BPF_JEQ, R6, 0, zero);
	ba_movi(g->as, R2, 1);
	ba_place(g->as, zero);
	ba_st(g->as, BPF_DW, R9, SH_TMP, R2);
	put_padded(g);
}

/* The value's low bytes: as many as the precision, else the width, says; else 8. */
static void int_binary(struct gen *g)
{
	uint32_t have = ba_label(g->as), given = ba_label(g->as), left = ba_label(g->as),
		 end = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, FP, FRAME_ARG5);
	ba_ji(g->as, BPF_JSGE, R1, 0, given);
	ba_mov(g->as, R1, R8);
	ba_place(g->as, given);
	for (int n = 1; n <= 4; n *= 2)
		ba_ji(g->as, BPF_JEQ, R1, n, have);
	ba_movi(g->as, R1, 8);
	ba_place(g->as, have);
	ba_st(g->as, BPF_DW, R9, SH_TMP, R1);
	ba_alu(g->as, BPF_SUB, R8, R1);
	g_slot_st(g, BPF_DW, g->u->slot.stmp + 2 * g->u->lay.strsz, R6);
	on_flag(g, BPF_JEQ, FMT_F_MINUS, left);
	rt_fill(g, R8, 0);
	ba_place(g->as, left);
	ba_ld(g->as, BPF_DW, R2, R9, SH_TMP);
	g_slot_addr(g, R3, g->u->slot.stmp + 2 * g->u->lay.strsz);
	append(g);
	on_flag(g, BPF_JNE, FMT_F_MINUS, end);
	rt_fill(g, R8, 0);
	ba_place(g->as, end);
	rt_fmt_end(g);
}

/* R4 = the conversion's character. */
static void load_conv(struct gen *g)
{
	ba_mov(g->as, R4, R7);
	ba_alui(g->as, BPF_RSH, R4, 8);
}

/* What precedes the digits of the value in R6; then R6 = its magnitude. */
static void int_prefix(struct gen *g)
{
	uint32_t is_signed = ba_label(g->as), set = ba_label(g->as), mark = ba_label(g->as),
		 end = ba_label(g->as);
	uint32_t not_minus = ba_label(g->as);

	ba_sti(g->as, BPF_DW, R9, FI_NPREFIX, 0);
	load_conv(g);
	ba_ji(g->as, BPF_JEQ, R4, 'd', is_signed);
	ba_ji(g->as, BPF_JEQ, R4, 'i', is_signed);
	ba_sti(g->as, BPF_H, R9, FI_PREFIX, '0' | 'x' << 8);
	ba_ji(g->as, BPF_JEQ, R4, 'p', mark);
	ba_ji(g->as, BPF_JEQ, R6, 0, end);
	on_flag(g, BPF_JNE, FMT_F_HASH, end);
	ba_ji(g->as, BPF_JEQ, R4, 'x', mark);
	ba_ji(g->as, BPF_JNE, R4, 'X', end);
	ba_sti(g->as, BPF_H, R9, FI_PREFIX, '0' | 'X' << 8);
	ba_place(g->as, mark);
	ba_sti(g->as, BPF_DW, R9, FI_NPREFIX, 2);
	ba_ja(g->as, end);
	ba_place(g->as, is_signed);
	ba_sti(g->as, BPF_B, R9, FI_PREFIX, '-');
	ba_ji(g->as, BPF_JSGE, R6, 0, not_minus);
	ba_neg(g->as, R6);
	ba_ja(g->as, set);
	ba_place(g->as, not_minus);
	ba_sti(g->as, BPF_B, R9, FI_PREFIX, '+');
	on_flag(g, BPF_JEQ, FMT_F_PLUS, set);
	ba_sti(g->as, BPF_B, R9, FI_PREFIX, ' ');
	on_flag(g, BPF_JNE, FMT_F_SPACE, end);
	ba_place(g->as, set);
	ba_sti(g->as, BPF_DW, R9, FI_NPREFIX, 1);
	ba_place(g->as, end);
}

/* R3 = base, R5 = what 'a' - 10 is for this conversion */
static void int_base(struct gen *g)
{
	uint32_t have = ba_label(g->as);

	load_conv(g);
	ba_movi(g->as, R5, 'a' - 10);
	ba_movi(g->as, R3, 10);
	for (const char *c = "diu"; *c; c++)
		ba_ji(g->as, BPF_JEQ, R4, *c, have);
	ba_movi(g->as, R3, 8);
	ba_ji(g->as, BPF_JEQ, R4, 'o', have);
	ba_movi(g->as, R3, 16);
	ba_ji(g->as, BPF_JNE, R4, 'X', have);
	ba_movi(g->as, R5, 'A' - 10);
	ba_place(g->as, have);
}

/*
 * Digits of R6 at the end of stmp[2]'s first DIGITS bytes; their number goes to FI_DIGITS. None
 * for 0.
 */
static void int_digits(struct gen *g)
{
	uint32_t loop = ba_label(g->as), end = ba_label(g->as), decimal = ba_label(g->as);

	int_base(g);
	g_slot_addr(g, R2, g->u->slot.stmp + 2 * g->u->lay.strsz + DIGITS);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, loop);
	ba_ji(g->as, BPF_JEQ, R6, 0, end);
	ba_mov(g->as, R0, R6);
	ba_alu(g->as, BPF_MOD, R0, R3);
	ba_alu(g->as, BPF_DIV, R6, R3);
	ba_mov(g->as, R4, R0);
	ba_alui(g->as, BPF_ADD, R4, '0');
	ba_ji(g->as, BPF_JLE, R0, 9, decimal);
	ba_mov(g->as, R4, R0);
	ba_alu(g->as, BPF_ADD, R4, R5);
	ba_place(g->as, decimal);
	ba_alui(g->as, BPF_SUB, R2, 1);
	ba_st(g->as, BPF_B, R2, 0, R4);
	ba_alui(g->as, BPF_ADD, R1, 1);
	/* 64 bits have 22 octal digits: a bound for the verifier */
	ba_ji(g->as, BPF_JLT, R1, 22, loop);
	ba_place(g->as, end);
	ba_st(g->as, BPF_DW, R9, FI_DIGITS, R1);
}

/* FI_ZEROS and R6 = padding, from precision, flags and width (R8). */
static void int_zeros(struct gen *g)
{
	uint32_t nonneg = ba_label(g->as), given = ba_label(g->as), octal = ba_label(g->as);
	uint32_t wide = ba_label(g->as), end = ba_label(g->as), star = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R2, FP, FRAME_ARG5);
	load_conv(g);
	ba_ji(g->as, BPF_JNE, R4, 'p', star);
	ba_movi(g->as, R2, FMT_NONE);
	ba_st(g->as, BPF_DW, FP, FRAME_ARG5, R2);
	ba_place(g->as, star);
	ba_ji(g->as, BPF_JSGE, R2, 0, given);
	ba_movi(g->as, R2, 1);
	ba_place(g->as, given);
	ba_ld(g->as, BPF_DW, R3, R9, FI_DIGITS);
	ba_alu(g->as, BPF_SUB, R2, R3);
	ba_ji(g->as, BPF_JSGE, R2, 0, nonneg);
	ba_movi(g->as, R2, 0);
	ba_place(g->as, nonneg);
	ba_ji(g->as, BPF_JNE, R2, 0, octal);
	ba_ji(g->as, BPF_JNE, R4, 'o', octal);
	on_flag(g, BPF_JNE, FMT_F_HASH, octal);
	ba_movi(g->as, R2, 1);
	ba_place(g->as, octal);
	ba_movi(g->as, R6, 0);
	ba_ji(g->as, BPF_JSLT, R8, 0, end);
	ba_mov(g->as, R6, R8);
	ba_alu(g->as, BPF_SUB, R6, R3);
	ba_alu(g->as, BPF_SUB, R6, R2);
	ba_ld(g->as, BPF_DW, R3, R9, FI_NPREFIX);
	ba_alu(g->as, BPF_SUB, R6, R3);
	on_flag(g, BPF_JNE, FMT_F_ZERO, end);
	ba_ld(g->as, BPF_DW, R3, FP, FRAME_ARG5);
	ba_ji(g->as, BPF_JSGE, R3, 0, end);
	ba_ji(g->as, BPF_JSLE, R6, 0, wide);
	ba_alu(g->as, BPF_ADD, R2, R6);
	ba_place(g->as, wide);
	ba_movi(g->as, R6, 0);
	ba_place(g->as, end);
	ba_st(g->as, BPF_DW, R9, FI_ZEROS, R2);
}

static void int_number(struct gen *g)
{
	uint32_t left = ba_label(g->as), end = ba_label(g->as), few = ba_label(g->as);

	int_prefix(g);
	int_digits(g);
	int_zeros(g);
	on_flag(g, BPF_JEQ, FMT_F_MINUS, left);
	rt_fill(g, R6, ' ');
	ba_place(g->as, left);
	ba_ld(g->as, BPF_DW, R2, R9, FI_NPREFIX);
	g_slot_addr(g, R3, FI_PREFIX);
	append(g);
	ba_ld(g->as, BPF_DW, R8, R9, FI_ZEROS);
	rt_fill(g, R8, '0');
	ba_ld(g->as, BPF_DW, R2, R9, FI_DIGITS);
	ba_ji(g->as, BPF_JLE, R2, DIGITS, few);
	ba_movi(g->as, R2, DIGITS);
	ba_place(g->as, few);
	g_slot_addr(g, R3, g->u->slot.stmp + 2 * g->u->lay.strsz + DIGITS);
	ba_alu(g->as, BPF_SUB, R3, R2);
	append(g);
	on_flag(g, BPF_JNE, FMT_F_MINUS, end);
	rt_fill(g, R6, ' ');
	ba_place(g->as, end);
	rt_fmt_end(g);
}

/* fmt_int(value, flag | conversion << 8, width, precision) */
void rt_build_fmt_int(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t is_char, is_binary;

	rt_begin(&g, u, fn, 5, 0);
	is_char = ba_label(g.as);
	is_binary = ba_label(g.as);
	load_conv(&g);
	ba_ji(g.as, BPF_JEQ, R4, 'c', is_char);
	ba_ji(g.as, BPF_JEQ, R4, 'b', is_binary);
	int_number(&g);
	ba_place(g.as, is_char);
	int_char(&g);
	ba_place(g.as, is_binary);
	int_binary(&g);
}

/* Appends a constant text. */
static void append_text(struct gen *g, const char *s, uint32_t n)
{
	if (!n)
		return;
	if (n >= g->u->maxstr)
		n = g->u->maxstr - 1;
	ba_movi(g->as, R2, n);
	ba_ld_rodata(g->as, R3, unit_literal(g->u, arena_strndup(g->u->arena, s, n)));
	append(g);
}

static void append_global_name(struct gen *g)
{
	uint32_t end = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R6, R9, SH_ERR_OPERAND);
	for (uint32_t k = 0; k < g->u->m->globals.n; k++) {
		const char *name = g->u->m->globals.v[k]->name;
		uint32_t other = ba_label(g->as);
		size_t n = 0;

		while (name[n])
			n++;
		ba_ji(g->as, BPF_JNE, R6, (int32_t)k, other);
		append_text(g, name, (uint32_t)n);
		ba_ja(g->as, end);
		ba_place(g->as, other);
	}
	ba_place(g->as, end);
}

/* The operand as a number. */
static void append_operand(struct gen *g, char conv)
{
	ba_ld(g->as, BPF_DW, R2, R9, SH_ERR_OPERAND);
	ba_movi(g->as, R3, conv << 8);
	ba_movi(g->as, R4, FMT_NONE);
	ba_movi(g->as, R5, FMT_NONE);
	g_call_rt(g, RT_FMT_INT);
}

static void append_user_text(struct gen *g)
{
	ba_movi(g->as, R2, g->u->slot.errtext);
	ba_movi(g->as, R3, FMT_F_NONE);
	ba_movi(g->as, R4, FMT_NONE);
	ba_movi(g->as, R5, FMT_NONE);
	g_call_rt(g, RT_FMT_STR);
}

/* One row of errors.def. */
static void append_error(struct gen *g, const char *text)
{
	uint32_t n = 0;

	for (; text[n]; n++) {
		if (text[n] != '%')
			continue;
		append_text(g, text, n);
		switch (text[n + 1]) {
		case 's':
			append_user_text(g);
			break;
		case 'g':
			append_global_name(g);
			break;
		default:
			append_operand(g, text[n + 1]);
			break;
		}
		text += n + 2;
		n = (uint32_t)-1;
	}
	append_text(g, text, n);
}

/* errmsg(dst): the text of the error being handled; R7 is the destination's place */
void rt_build_errmsg(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t end;

	rt_begin(&g, u, fn, 2, 1u << 2);
	end = ba_label(g.as);
	ba_mov(g.as, R7, R6);
	ba_sti(g.as, BPF_DW, R9, SH_FMTLEN, 0);
	g_str_clear(&g, u->slot.fmt);
	ba_ld(g.as, BPF_DW, R8, R9, SH_ERR_KIND);
	for (uint32_t k = ERR_NONE + 1; k < ERR_COUNT; k++) {
		uint32_t other = ba_label(g.as);

		ba_ji(g.as, BPF_JNE, R8, (int32_t)k, other);
		append_error(&g, ir_error_text[k]);
		ba_ja(g.as, end);
		ba_place(g.as, other);
	}
	ba_place(g.as, end);
	rt_terminate(&g);
	ba_mov(g.as, R1, R7);
	ba_movi(g.as, R2, u->maxstr);
	g_slot_addr(&g, R3, u->slot.fmt);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}
