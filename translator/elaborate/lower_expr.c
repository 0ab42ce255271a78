/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of expressions. */
#include <string.h>

#include "elaborate/internal.h"

typedef struct ir_val (*lower_fn)(struct lower *l, struct expr *x);

static struct span op_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

static struct ir_val lower_number(struct lower *l, struct expr *x)
{
	(void)l;
	return ir_num(x->num);
}

static struct ir_val lower_string(struct lower *l, struct expr *x)
{
	return lower_str(l, x->str);
}

static struct ir_val lower_unary(struct lower *l, struct expr *x)
{
	struct ir_val a = lower_expr(l, x->a);

	switch (x->op) {
	case U_MINUS:
		return lower_op1(l, IR_neg, a);
	case U_COMPL:
		return lower_op1(l, IR_com, a);
	case U_NOT:
		return lower_op2(l, IR_eq, a, ir_num(0), op_span(x));
	default:
		return a;
	}
}

struct ir_val lower_binary_op(struct lower *l, enum bin_op op, struct ir_val a, struct ir_val b,
			      struct span at)
{
	static const uint8_t ops[] = {
		[B_ADD] = IR_add, [B_SUB] = IR_sub, [B_MUL] = IR_mul,   [B_DIV] = IR_div,
		[B_MOD] = IR_mod, [B_AND] = IR_and, [B_OR] = IR_or,     [B_XOR] = IR_xor,
		[B_SHL] = IR_shl, [B_SHR] = IR_shr, [B_USHR] = IR_ushr, [B_CAT] = IR_scat,
		[B_LT] = IR_lt,   [B_LE] = IR_le,   [B_GT] = IR_gt,     [B_GE] = IR_ge,
		[B_EQ] = IR_eq,   [B_NE] = IR_ne,
	};

	return lower_op2(l, (enum ir_op)ops[op], a, b, at);
}

/*
 * A local's own register is the value of its name, of an assignment to it, of a unary plus: copied,
 * when what comes next may change the local.
 */
static bool is_local_reg(const struct lower *l, struct ir_val v)
{
	return v.kind == IRV_REG && l->f->reg_names.v[v.reg];
}

static struct ir_val copied(struct lower *l, struct ir_val v)
{
	uint32_t r = lower_temp(l, l->f->regs.v[v.reg]);

	lower_move(l, r, v);
	return ir_reg(r);
}

/* The values of two operands, in order. */
static void lower_pair(struct lower *l, struct expr *x, struct ir_val *a, struct ir_val *b)
{
	*a = lower_expr(l, x->a);
	if (is_local_reg(l, *a) && expr_assigns(x->b))
		*a = copied(l, *a);
	*b = lower_expr(l, x->b);
}

static struct ir_val lower_binary(struct lower *l, struct expr *x)
{
	struct ir_val a, b, r;

	if (x->op == B_MATCH || x->op == B_NOMATCH)
		return lower_regex(l, x);
	lower_pair(l, x, &a, &b);
	if (x->op < B_LT || x->op > B_NE || x->a->type != T_STRING)
		return lower_binary_op(l, x->op, a, b, op_span(x));
	if (x->op == B_EQ)
		return lower_op2(l, IR_seq, a, b, op_span(x));
	r = lower_op2(l, x->op == B_NE ? IR_seq : IR_scmp, a, b, op_span(x));
	return lower_binary_op(l, x->op == B_NE ? B_EQ : x->op, r, ir_num(0), op_span(x));
}

/* A condition as a value: 1 or 0. */
static struct ir_val lower_logic(struct lower *l, struct expr *x)
{
	uint32_t yes = ir_new_block(l->m, l->f), no = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f);
	uint32_t r = lower_temp(l, IR_I64);

	lower_cond(l, x, yes, no);
	l->cur = yes;
	lower_move(l, r, ir_num(1));
	lower_jump(l, end);
	l->cur = no;
	lower_move(l, r, ir_num(0));
	lower_jump(l, end);
	l->cur = end;
	return ir_reg(r);
}

static struct ir_val lower_conditional(struct lower *l, struct expr *x)
{
	uint32_t yes = ir_new_block(l->m, l->f), no = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f);
	uint32_t r = lower_temp(l, lower_type(x->type));

	lower_cond(l, x->a, yes, no);
	l->cur = yes;
	lower_move(l, r, lower_expr(l, x->b));
	lower_jump(l, end);
	l->cur = no;
	lower_move(l, r, lower_expr(l, x->c));
	lower_jump(l, end);
	l->cur = end;
	return ir_reg(r);
}

/* Continues at @yes when @x is not zero, else at @no. Ends the current block. */
void lower_cond(struct lower *l, struct expr *x, uint32_t yes, uint32_t no)
{
	uint32_t more;

	if (x->kind == E_UNARY && x->op == U_NOT) {
		lower_cond(l, x->a, no, yes);
	} else if (x->kind == E_ANDAND || x->kind == E_OROR) {
		more = ir_new_block(l->m, l->f);
		if (x->kind == E_ANDAND)
			lower_cond(l, x->a, more, no);
		else
			lower_cond(l, x->a, yes, more);
		l->cur = more;
		lower_cond(l, x->b, yes, no);
	} else {
		lower_branch(l, lower_expr(l, x), yes, no);
	}
}

static bool any_assigns(const expr_vec *xs, uint32_t from, struct expr *after)
{
	if (after && expr_assigns(after))
		return true;
	for (uint32_t i = from; i < xs->n; i++)
		if (expr_assigns(xs->v[i]))
			return true;
	return false;
}

struct ir_val lower_nth(struct lower *l, const expr_vec *xs, uint32_t n, struct expr *after)
{
	struct ir_val v = lower_expr(l, xs->v[n]);

	return is_local_reg(l, v) && any_assigns(xs, n + 1, after) ? copied(l, v) : v;
}

struct ir_val *lower_exprs(struct lower *l, const expr_vec *xs, struct expr *after, uint32_t extra)
{
	struct ir_val *v = arena_alloc(l->arena, (xs->n + extra + 1) * sizeof(*v));

	for (uint32_t i = 0; i < xs->n; i++)
		v[i] = lower_nth(l, xs, i, after);
	return v;
}

static uint32_t global_of(const struct expr *x)
{
	return ((const struct global *)x->sym)->index;
}

bool is_slice(const expr_vec *keys)
{
	for (uint32_t n = 0; n < keys->n; n++)
		if (keys->v[n]->kind == E_STAR)
			return true;
	return false;
}

struct ir_val *lower_slice(struct lower *l, const expr_vec *keys, uint32_t first, uint32_t *n,
			   uint32_t *fixed)
{
	struct ir_val *v = arena_alloc(l->arena, (first + keys->n + 1) * sizeof(*v));

	*n = first;
	*fixed = 0;
	for (uint32_t k = 0; k < keys->n; k++) {
		if (keys->v[k]->kind == E_STAR)
			continue;
		v[(*n)++] = lower_nth(l, keys, k, NULL);
		*fixed |= 1u << k;
	}
	return v;
}

static struct ir_val lower_in(struct lower *l, struct expr *x)
{
	uint32_t r = lower_temp(l, IR_I64), n = x->args.n, fixed;
	struct ir_val *keys;
	struct ir_insn *i;

	if (is_slice(&x->args)) {
		keys = lower_slice(l, &x->args, 0, &n, &fixed);
		i = lower_insn(l, IR_mhas_any, r, keys, n);
		i->imm = fixed;
	} else {
		keys = lower_exprs(l, &x->args, NULL, 0);
		i = lower_insn(l, IR_mhas, r, keys, n);
	}
	i->ref = global_of(x);
	return ir_reg(r);
}

static struct ir_val lower_stat(struct lower *l, struct expr *x)
{
	struct ir_val *keys = lower_exprs(l, &x->a->args, NULL, 0);
	uint32_t r = lower_temp(l, IR_I64);

	lower_aggregate(l, IR_sget, r, x, keys, 0)->imm = x->op;
	return ir_reg(r);
}

struct ir_insn *lower_aggregate(struct lower *l, enum ir_op op, uint32_t dst, const struct expr *x,
				struct ir_val *keys, uint32_t extra)
{
	struct ir_insn *i = lower_insn(l, op, dst, keys, x->a->args.n + extra);

	i->ref = global_of(x->a);
	i->loc = lower_loc(l, op_span(x));
	return i;
}

struct ir_val lower_hist_index(struct lower *l, struct expr *x)
{
	struct expr *index = x->suffixes.v[0].index;
	struct ir_val *keys = lower_exprs(l, &x->a->a->args, index, 1);
	uint32_t r = lower_temp(l, IR_I64);

	keys[x->a->a->args.n] = lower_expr(l, index);
	lower_aggregate(l, IR_hget, r, x->a, keys, 1);
	return ir_reg(r);
}

static struct ir_val lower_suffixed(struct lower *l, struct expr *x)
{
	if (x->a->kind == E_STAT)
		return lower_hist_index(l, x);
	return lower_path(l, lower_expr(l, x->a), x->sym, x->at);
}

/* The parser's and the IR's numbering of extractors are one. */
_Static_assert((int)S_COUNT == (int)IRS_COUNT && (int)S_VARIANCE == (int)IRS_VARIANCE,
	       "stat_op and ir_stat differ");

static const lower_fn lower_table[] = {
	[E_NUMBER] = lower_number,      [E_STRING] = lower_string,
	[E_SYMBOL] = lower_read_symbol, [E_INDEX] = lower_read_index,
	[E_CALL] = lower_call,          [E_UNARY] = lower_unary,
	[E_PREINC] = lower_incdec,      [E_PREDEC] = lower_incdec,
	[E_POSTINC] = lower_incdec,     [E_POSTDEC] = lower_incdec,
	[E_BINARY] = lower_binary,      [E_ANDAND] = lower_logic,
	[E_OROR] = lower_logic,         [E_COND] = lower_conditional,
	[E_ASSIGN] = lower_assign,      [E_IN] = lower_in,
	[E_STAT] = lower_stat,          [E_PRINT] = lower_print,
	[E_TARGET] = lower_target,      [E_ATOP] = lower_atop,
	[E_SUFFIXED] = lower_suffixed,
	[E_EMBEDDED] = lower_embed_expr,
};

/* Kinds without a row do not get past inference. */
struct ir_val lower_expr(struct lower *l, struct expr *x)
{
	return lower_table[x->kind](l, x);
}
