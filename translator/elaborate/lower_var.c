/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and changing variables. */
#include "elaborate/internal.h"

static bool is_local(const struct expr *x)
{
	return ((const struct symbol *)x->sym)->kind == SYM_LOCAL;
}

static uint32_t local_reg(const struct expr *x)
{
	return ((const struct local *)x->sym)->reg;
}

static uint32_t global_index(const struct expr *x)
{
	return ((const struct global *)x->sym)->index;
}

static struct span op_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

struct ir_val lower_read_symbol(struct lower *l, struct expr *x)
{
	uint32_t r;

	if (is_local(x))
		return ir_reg(local_reg(x));
	r = lower_temp(l, lower_type(x->type));
	lower_insn(l, IR_gget, r, NULL, 0)->ref = global_index(x);
	return ir_reg(r);
}

static struct ir_val get_element(struct lower *l, struct expr *x, const struct ir_val *keys)
{
	uint32_t r = lower_temp(l, lower_type(x->type));

	lower_insn(l, IR_mget, r, keys, x->args.n)->ref = global_index(x);
	return ir_reg(r);
}

struct ir_val lower_read_index(struct lower *l, struct expr *x)
{
	return get_element(l, x, lower_exprs(l, &x->args, NULL, 0));
}

void lower_set_symbol(struct lower *l, struct expr *x, struct ir_val v)
{
	if (is_local(x))
		lower_move(l, local_reg(x), v);
	else
		lower_insn(l, IR_gset, IR_NONE, &v, 1)->ref = global_index(x);
}

/* @keys has room for one more. */
static void set_element(struct lower *l, struct expr *x, struct ir_val *keys, struct ir_val v)
{
	struct ir_insn *i;

	keys[x->args.n] = v;
	i = lower_insn(l, IR_mset, IR_NONE, keys, x->args.n + 1);
	i->ref = global_index(x);
	i->loc = lower_loc(l, op_span(x));
}

/* Adds to an element and yields its new value. */
static struct ir_val add_element(struct lower *l, struct expr *x, struct ir_val *keys,
				 struct ir_val by)
{
	uint32_t r = lower_temp(l, IR_I64);
	struct ir_insn *i;

	keys[x->args.n] = by;
	i = lower_insn(l, IR_madd, r, keys, x->args.n + 1);
	i->ref = global_index(x);
	i->loc = lower_loc(l, op_span(x));
	return ir_reg(r);
}

static struct ir_val negated(struct lower *l, struct ir_val v)
{
	return v.kind == IRV_INT ? ir_num((int64_t)(0 - (uint64_t)v.num)) : lower_op1(l, IR_neg, v);
}

static struct ir_val assign_element(struct lower *l, struct expr *x)
{
	struct ir_val *keys = lower_exprs(l, &x->a->args, x->b, 1);
	struct ir_val v = lower_expr(l, x->b);

	if (x->op == B_ADD || x->op == B_SUB)
		return add_element(l, x->a, keys, x->op == B_ADD ? v : negated(l, v));
	if (x->op != B_NONE)
		v = lower_binary_op(l, x->op, get_element(l, x->a, keys), v, op_span(x));
	set_element(l, x->a, keys, v);
	return v;
}

static struct ir_val assign_stat(struct lower *l, struct expr *x)
{
	struct ir_val *keys = lower_exprs(l, &x->a->args, x->b, 1);
	struct ir_val v = lower_expr(l, x->b);
	struct ir_insn *i;

	keys[x->a->args.n] = v;
	i = lower_insn(l, IR_sadd, IR_NONE, keys, x->a->args.n + 1);
	i->ref = global_index(x->a);
	i->loc = lower_loc(l, op_span(x->a));
	return v;
}

struct ir_val lower_assign(struct lower *l, struct expr *x)
{
	struct ir_val v, old;

	if (x->op == B_STAT)
		return assign_stat(l, x);
	if (x->a->kind == E_INDEX)
		return assign_element(l, x);
	if (x->a->kind != E_SYMBOL)
		return assign_lower(l, x);
	v = lower_expr(l, x->b);
	if (x->op != B_NONE) {
		/* the variable is read after the right side has run, as in a = a + ... of C */
		old = lower_read_symbol(l, x->a);
		v = lower_binary_op(l, x->op, old, v, op_span(x));
	}
	lower_set_symbol(l, x->a, v);
	return is_local(x->a) ? ir_reg(local_reg(x->a)) : v;
}

struct ir_val lower_incdec(struct lower *l, struct expr *x)
{
	bool inc = x->kind == E_PREINC || x->kind == E_POSTINC;
	bool post = x->kind == E_POSTINC || x->kind == E_POSTDEC;
	struct ir_val by = ir_num(inc ? 1 : -1), old, now;

	if (x->a->kind != E_INDEX && x->a->kind != E_SYMBOL)
		return assign_incdec(l, x);
	if (x->a->kind == E_INDEX) {
		now = add_element(l, x->a, lower_exprs(l, &x->a->args, NULL, 1), by);
		return post ? lower_op2(l, IR_sub, now, by, op_span(x)) : now;
	}
	old = lower_read_symbol(l, x->a);
	if (post && is_local(x->a)) {
		uint32_t r = lower_temp(l, IR_I64);

		lower_move(l, r, old);
		old = ir_reg(r);
	}
	now = lower_op2(l, IR_add, old, by, op_span(x));
	lower_set_symbol(l, x->a, now);
	return post ? old : now;
}
