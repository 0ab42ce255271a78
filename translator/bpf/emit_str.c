/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings: NUL-terminated in the scratch slot, so that the kernel's own bounded copy does most of
 * the work.
 */
#include "bpf/gen.h"

void em_smov(struct gen *g, const struct ir_insn *i)
{
	g_copy_str(g, g_str_of(g, i->dst), &i->args[0]);
}

/* Sets R2 and R3 to the offsets of two strings. */
static void two_strings(struct gen *g, const struct ir_insn *i)
{
	uint32_t a = g_str_off(g, &i->args[0], 0), b = g_str_off(g, &i->args[1], 1);

	ba_movi(g->as, R2, a);
	ba_movi(g->as, R3, b);
}

void em_scat(struct gen *g, const struct ir_insn *i)
{
	uint32_t dst = g_str_of(g, i->dst), a = g_str_off(g, &i->args[0], 0),
		 b = g_str_off(g, &i->args[1], 1);

	/* the result may be the second operand's register: keep its text from the first copy */
	if (b == dst) {
		b = g->u->slot.stmp + g->u->lay.strsz;
		g_copy_str(g, b, &i->args[1]);
	}
	ba_movi(g->as, R2, dst);
	ba_movi(g->as, R3, a);
	ba_movi(g->as, R4, b);
	g_call_rt(g, RT_SCAT);
}

void em_scmp(struct gen *g, const struct ir_insn *i)
{
	two_strings(g, i);
	g_call_rt(g, RT_SCMP);
	g_done(g, i->dst, R0);
}

void em_seq(struct gen *g, const struct ir_insn *i)
{
	uint32_t l = ba_label(g->as);

	two_strings(g, i);
	g_call_rt(g, RT_SCMP);
	ba_movi(g->as, R1, 1);
	ba_ji(g->as, BPF_JEQ, R0, 0, l);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, l);
	g_done(g, i->dst, R1);
}

/* The kernel's copy returns the length: cheaper than a loop of our own. */
void bpf_in_strlen(struct gen *g, const struct ir_insn *i)
{
	uint32_t ok = ba_label(g->as);

	g_str_ptr(g, R3, &i->args[0]);
	g_read_str(g, g->u->slot.stmp);
	ba_alui(g->as, BPF_SUB, R0, 1);
	ba_ji(g->as, BPF_JSGE, R0, 0, ok);
	ba_movi(g->as, R0, 0);
	ba_place(g->as, ok);
	g_done(g, i->dst, R0);
}

void bpf_in_substr(struct gen *g, const struct ir_insn *i)
{
	uint32_t src = g_str_off(g, &i->args[0], 0);

	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_movi(g->as, R3, src);
	g_load(g, R4, &i->args[1]);
	g_load(g, R5, &i->args[2]);
	g_call_rt(g, RT_SUBSTR);
}

void bpf_in_isinstr(struct gen *g, const struct ir_insn *i)
{
	uint32_t l = ba_label(g->as);

	two_strings(g, i);
	g_call_rt(g, RT_STRPOS);
	ba_ji(g->as, BPF_JEQ, R0, 0, l);
	ba_movi(g->as, R0, 1);
	ba_place(g->as, l);
	g_done(g, i->dst, R0);
}

void bpf_in_strpos(struct gen *g, const struct ir_insn *i)
{
	two_strings(g, i);
	g_call_rt(g, RT_STRPOS);
	ba_alui(g->as, BPF_SUB, R0, 1);
	g_done(g, i->dst, R0);
}

/* What follows a string's terminator is anything: its length decides. */
void bpf_in_stringat(struct gen *g, const struct ir_insn *i)
{
	uint32_t end = ba_label(g->as);

	g_str_ptr(g, R3, &i->args[0]);
	g_read_str(g, g->u->slot.stmp);
	ba_alui(g->as, BPF_SUB, R0, 1);
	g_load(g, R1, &i->args[1]);
	ba_movi(g->as, R2, 0);
	ba_j(g->as, BPF_JSGE, R1, R0, end);
	ba_ji(g->as, BPF_JGE, R1, (int32_t)g->u->maxstr, end);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.stmp);
	ba_alu(g->as, BPF_ADD, R1, R9);
	ba_ld(g->as, BPF_B, R2, R1, 0);
	ba_place(g->as, end);
	g_done(g, i->dst, R2);
}

void bpf_in_str_replace(struct gen *g, const struct ir_insn *i)
{
	uint32_t s = g_str_off(g, &i->args[0], 0), what = g_str_off(g, &i->args[1], 1);
	uint32_t by = g->u->slot.val + BPF_ELEM_HEAD;

	g_copy_str(g, by, &i->args[2]);
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_movi(g->as, R3, s);
	ba_movi(g->as, R4, what);
	ba_movi(g->as, R5, by);
	g_call_rt(g, RT_STR_REPLACE);
}

void bpf_in_text_strn(struct gen *g, const struct ir_insn *i)
{
	uint32_t plain = ba_label(g->as);

	g_copy_str(g, g->u->slot.stmp + 2 * g->u->lay.strsz, &i->args[0]);
	g_load(g, R4, &i->args[1]);
	g_load(g, R5, &i->args[2]);
	ba_ji(g->as, BPF_JEQ, R5, 0, plain);
	ba_movi(g->as, R5, TEXT_QUOTED);
	ba_place(g->as, plain);
	ba_alui(g->as, BPF_OR, R5, TEXT_STOP);
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_movi(g->as, R3, g->u->maxstr);
	g_call_rt(g, RT_TEXT);
}

void bpf_in_tokenize(struct gen *g, const struct ir_insn *i)
{
	uint32_t s = g_str_off(g, &i->args[0], 0), delim = g_str_off(g, &i->args[1], 1);

	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_movi(g->as, R3, s);
	ba_movi(g->as, R4, delim);
	g_call_rt(g, RT_TOKENIZE);
}

void bpf_in_strtol(struct gen *g, const struct ir_insn *i)
{
	uint32_t src = g_str_off(g, &i->args[0], 0);

	ba_movi(g->as, R2, src);
	g_load(g, R3, &i->args[1]);
	g_call_rt(g, RT_STRTOL);
	g_done(g, i->dst, R0);
}
