/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single instructions: locations, constants, error edges. */
#include <ctype.h>
#include <string.h>

#include "elaborate/internal.h"

/* Longer tokens are of no use in a message. */
#define LOC_TOKEN_MAX 40

static uint32_t make_loc(struct lower *l, const char *kind, struct span at, uint32_t len)
{
	const char *text;
	uint32_t n = 0;

	if (!at.src)
		return 0;
	if (len > LOC_TOKEN_MAX)
		len = LOC_TOKEN_MAX;
	while (n < len && (unsigned char)at.src->text[at.off + n] >= ' ')
		n++;
	text = arena_printf(l->arena, "%s '%.*s' at %s", kind, (int)n, at.src->text + at.off,
			    span_str(l->arena, at));
	return ir_string(l->m, text);
}

uint32_t lower_loc(struct lower *l, struct span at)
{
	char c = at.src && at.off < at.src->len ? at.src->text[at.off] : '\0';
	bool word = isalpha((unsigned char)c) || c == '_' || c == '$';

	return make_loc(l,
			word                        ? "identifier"
			: isdigit((unsigned char)c) ? "number"
						    : "operator",
			at, at.len);
}

uint32_t lower_keyword_loc(struct lower *l, struct span at)
{
	uint32_t n = 0;

	while (at.src && n < at.len && isalpha((unsigned char)at.src->text[at.off + n]))
		n++;
	return n ? make_loc(l, "keyword", at, n) : lower_loc(l, at);
}

/* Constants obey MAXSTRINGLEN like every other string. */
struct ir_val lower_str(struct lower *l, const char *s)
{
	size_t max = (size_t)l->e->s->limits.maxstringlen - 1;

	if (strlen(s) > max)
		s = arena_strndup(l->arena, s, max);
	return ir_strval(ir_string(l->m, s));
}

struct ir_insn *lower_insn(struct lower *l, enum ir_op op, uint32_t dst, const struct ir_val *args,
			   uint32_t nargs)
{
	struct ir_insn *i = ir_add(l->m, l->f, l->cur, op, dst, args, nargs);

	if (ir_ops[op].flags & IRF_FAIL)
		i->err = l->err;
	return i;
}

uint32_t lower_temp(struct lower *l, enum ir_type t)
{
	return ir_new_reg(l->m, l->f, t, NULL);
}

struct ir_val lower_op1(struct lower *l, enum ir_op op, struct ir_val a)
{
	uint32_t r = lower_temp(l, ir_ops[op].result);

	lower_insn(l, op, r, &a, 1);
	return ir_reg(r);
}

struct ir_val lower_op2(struct lower *l, enum ir_op op, struct ir_val a, struct ir_val b,
			struct span at)
{
	struct ir_val args[2] = { a, b };
	uint32_t r = lower_temp(l, ir_ops[op].result);
	struct ir_insn *i = lower_insn(l, op, r, args, 2);

	if (i->err != IR_NONE)
		i->loc = lower_loc(l, at);
	return ir_reg(r);
}

void lower_move(struct lower *l, uint32_t reg, struct ir_val v)
{
	lower_insn(l, l->f->regs.v[reg] == IR_STR ? IR_smov : IR_mov, reg, &v, 1);
}

void lower_jump(struct lower *l, uint32_t to)
{
	if (!ir_block_ended(l->f, l->cur))
		lower_insn(l, IR_jmp, IR_NONE, NULL, 0)->succ[0] = to;
}

void lower_branch(struct lower *l, struct ir_val c, uint32_t yes, uint32_t no)
{
	struct ir_insn *i = lower_insn(l, IR_br, IR_NONE, &c, 1);

	i->succ[0] = yes;
	i->succ[1] = no;
}
