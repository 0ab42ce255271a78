/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of the text form. */
#include <stdlib.h>

#include "parse_int.h"

#define MAXARGS 256

/* What a line says, before it becomes an instruction. */
struct line {
	struct ir_insn i;
	struct ir_val args[MAXARGS];
	const char *fmt;
};

static bool add_arg(struct ir_parser *p, struct line *l, struct ir_val v)
{
	if (l->i.nargs == MAXARGS)
		return text_fail(p, "too many operands");
	l->args[l->i.nargs++] = v;
	return true;
}

static bool operand(struct ir_parser *p, struct line *l)
{
	struct ir_val v = { 0 };
	const char *s;

	if (text_try(p, "%")) {
		v.kind = IRV_REG;
		if (!text_index(p, "", &v.reg))
			return false;
		if (v.reg >= p->f->regs.n)
			return text_fail(p, "there is no %%%u", v.reg);
	} else if (text_try(p, "\"")) {
		p->at--;
		s = text_string(p);
		if (!s)
			return false;
		v.kind = IRV_STR;
		v.str = ir_string(p->m, s);
	} else {
		v.kind = IRV_INT;
		if (!text_num(p, &v.num))
			return false;
	}
	return add_arg(p, l, v);
}

static bool keys(struct ir_parser *p, struct line *l)
{
	if (!text_try(p, "["))
		return true;
	do {
		if (!operand(p, l))
			return false;
	} while (text_try(p, ","));
	return text_expect(p, "]");
}

static bool intrinsic(struct ir_parser *p, struct line *l)
{
	const char *name = text_word(p);

	l->i.ref = name ? ir_intrinsic_find(name) : IN_COUNT;
	return l->i.ref < IN_COUNT || text_fail(p, "no intrinsic %s", name ? name : "here");
}

static bool regex(struct ir_parser *p, struct line *l)
{
	const char *pattern = text_string(p);

	if (!pattern)
		return false;
	l->i.ref = ir_regex_add(p->m, pattern, l->i.op == IR_capture, NULL);
	return l->i.ref != IR_NONE || text_fail(p, "malformed pattern \"%s\"", pattern);
}

static bool ref(struct ir_parser *p, struct line *l)
{
	switch (ir_ops[l->i.op].ref) {
	case IRR_GLOBAL:
		return text_global(p, &l->i.ref) && keys(p, l);
	case IRR_FUNC:
		return text_func(p, &l->i.ref);
	case IRR_INTR:
		return intrinsic(p, l);
	case IRR_ITER:
	case IRR_EMBED:
	case IRR_SYM:
		return text_index(p, "#", &l->i.ref);
	case IRR_REGEX:
		return regex(p, l);
	case IRR_FMT:
		l->fmt = text_string(p);
		return l->fmt != NULL;
	default:
		return true;
	}
}

/* ".s4" */
static bool mem_width(struct ir_parser *p, char *word, uint32_t *imm)
{
	if (!word || (word[0] != 's' && word[0] != 'u'))
		return text_fail(p, "expected a width such as u8");
	*imm |= IR_MEM((uint32_t)strtoul(word + 1, NULL, 10) & 15, word[0] == 's');
	return true;
}

/* ".user.hex" */
static bool buf_form(struct ir_parser *p, const char *space, const char *form, uint32_t *imm)
{
	uint32_t f = form ? text_find(ir_buf_name, IRB_N, form) : IRB_N;

	*imm = (strcmp(space, "user") == 0 ? IR_USER : IR_KERNEL) | f;
	return f < IRB_N || text_fail(p, "expected what becomes of the bytes");
}

/* The parts of the operation's name behind its dots. */
static bool imm(struct ir_parser *p, struct line *l, char *rest)
{
	char *save = NULL, *first = rest ? strtok_r(rest, ".", &save) : NULL;
	enum ir_imm kind = ir_imm_kind(l->i.op);

	if (!first || kind == IMM_NONE)
		return kind == IMM_NONE && !first
			       ? true
			       : text_fail(p, "bad ending of %s", ir_ops[l->i.op].name);
	switch (kind) {
	case IMM_STAT:
		l->i.imm = text_find(ir_stat_name, IRS_NSTAT, first);
		return l->i.imm < IRS_NSTAT || text_fail(p, "no extractor %s", first);
	case IMM_STREAM:
		l->i.imm = text_find(ir_stream_name, 2, first);
		return l->i.imm < 2 || text_fail(p, "no stream %s", first);
	case IMM_ERROR:
		l->i.imm = text_find(ir_error_name, ERR_COUNT, first);
		return l->i.imm < ERR_COUNT || text_fail(p, "no error %s", first);
	case IMM_MEM:
		l->i.imm = strcmp(first, "user") == 0 ? IR_USER : IR_KERNEL;
		return mem_width(p, strtok_r(NULL, ".", &save), &l->i.imm);
	case IMM_LAYOUT:
		l->i.imm = text_find(ir_layout_name, IRL_N, first);
		return l->i.imm < IRL_N || text_fail(p, "types have no %s", first);
	case IMM_SEND:
		l->i.imm = ir_send_find(first);
		return l->i.imm < IR_SEND_COUNT || text_fail(p, "staprun has no %s", first);
	case IMM_NAME:
		l->i.imm = ir_name_find(first);
		return l->i.imm < NM_COUNT || text_fail(p, "there is no name %s", first);
	case IMM_BUF:
		return buf_form(p, first, strtok_r(NULL, ".", &save), &l->i.imm);
	case IMM_TPARG:
		l->i.imm = IR_TPARG(strtoul(first, NULL, 10));
		return mem_width(p, strtok_r(NULL, ".", &save), &l->i.imm);
	default:
		l->i.imm = (uint32_t)strtoul(first, NULL, 10);
		return true;
	}
}

static bool op_name(struct ir_parser *p, struct line *l)
{
	char *word = text_word(p), *dot = word ? strchr(word, '.') : NULL;
	uint32_t op = 0;

	if (!word)
		return text_fail(p, "expected an operation");
	if (dot)
		*dot = 0;
	while (op < IR_OP_COUNT && strcmp(ir_ops[op].name, word) != 0)
		op++;
	if (op == IR_OP_COUNT)
		return text_fail(p, "no operation %s", word);
	l->i.op = (uint8_t)op;
	return imm(p, l, dot ? dot + 1 : NULL);
}

static bool successors(struct ir_parser *p, struct line *l, uint32_t n)
{
	for (uint32_t s = 0; s < n; s++)
		if ((s && !text_expect(p, ",")) || !text_index(p, "b", &l->i.succ[s]))
			return false;
	return true;
}

/* Operands separated by commas, the reference first, successors last. */
static bool operands(struct ir_parser *p, struct line *l)
{
	bool has_ref = ir_ops[l->i.op].ref != IRR_NONE && ir_ops[l->i.op].ref != IRR_BLOCK;

	if (l->i.op == IR_jmp)
		return successors(p, l, 1);
	if (l->i.op == IR_br)
		return operand(p, l) && text_expect(p, ",") && successors(p, l, 2);
	if (!ref(p, l))
		return false;
	if (!has_ref) {
		if (text_end(p) || *p->at == '!' || *p->at == '@' ||
		    strncmp(p->at, "type ", 5) == 0)
			return true;
		if (!operand(p, l))
			return false;
	}
	while (text_try(p, ","))
		if (!operand(p, l))
			return false;
	return true;
}

static bool endings(struct ir_parser *p, struct line *l)
{
	if (text_try(p, "type ")) {
		const char *s = text_string(p);

		if (!s)
			return false;
		l->i.aux = ir_string(p->m, s);
	}
	if (text_try(p, "!") && !text_index(p, "b", &l->i.err))
		return false;
	if (!text_loc(p, &l->i.loc))
		return false;
	return text_end(p) || text_fail(p, "unexpected \"%s\"", p->at);
}

static bool find_fmt(struct ir_parser *p, struct line *l)
{
	enum ir_type types[MAXARGS];

	if (!l->fmt)
		return true;
	for (uint32_t k = 0; k < l->i.nargs; k++)
		types[k] = ir_val_type(p->f, l->args[k]);
	l->i.ref = ir_fmt_add(p->m, l->fmt, types, l->i.nargs);
	return l->i.ref != IR_NONE || text_fail(p, "malformed format \"%s\"", l->fmt);
}

bool text_insn(struct ir_parser *p)
{
	struct line l = { .i = { .dst = IR_NONE,
				 .ref = IR_NONE,
				 .err = IR_NONE,
				 .succ = { IR_NONE, IR_NONE } } };
	struct ir_insn *i;

	if (text_try(p, "%")) {
		if (!text_index(p, "", &l.i.dst) || !text_expect(p, "="))
			return false;
		if (l.i.dst >= p->f->regs.n)
			return text_fail(p, "there is no %%%u", l.i.dst);
	}
	if (!op_name(p, &l) || !operands(p, &l) || !endings(p, &l) || !find_fmt(p, &l))
		return false;
	i = ir_add(p->m, p->f, p->f->blocks.n - 1, l.i.op, l.i.dst, l.args, l.i.nargs);
	l.i.args = i->args;
	*i = l.i;
	return true;
}
