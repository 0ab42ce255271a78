/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions: names and types. Each kind has one function in the table at the end. */
#include <string.h>

#include "elaborate/internal.h"

typedef struct tvar *(*infer_fn)(struct infer *i, struct expr *x);

static struct span op_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

static struct tvar *long_at(struct infer *i, struct span at)
{
	return type_new(i->e, T_LONG, at);
}

static struct tvar *infer_number(struct infer *i, struct expr *x)
{
	return long_at(i, x->at);
}

static struct tvar *infer_string(struct infer *i, struct expr *x)
{
	return type_new(i->e, T_STRING, x->at);
}

static struct tvar *infer_read_symbol(struct infer *i, struct expr *x)
{
	return infer_symbol(i, x, i->dropped ? ACC_UPDATE : ACC_READ);
}

static struct tvar *infer_read_index(struct infer *i, struct expr *x)
{
	if (autocast_index(i, x))
		return infer_autocast(i, x);
	return infer_index(i, x, i->dropped ? ACC_UPDATE : ACC_READ);
}

static struct tvar *infer_star(struct infer *i, struct expr *x)
{
	return unsupported(i, x->at, "slices of arrays (\"*\" as a key) are");
}

static struct tvar *infer_unary(struct infer *i, struct expr *x)
{
	infer_long(i, x->a);
	return long_at(i, x->at);
}

static struct tvar *infer_incdec(struct infer *i, struct expr *x)
{
	struct tvar *t = infer_lvalue(i, x->a, ACC_WRITE | (i->dropped ? ACC_UPDATE : ACC_READ),
				      x->kind == E_PREINC || x->kind == E_POSTINC ? "++" : "--");

	if (t)
		type_want(i->e, t, T_LONG, x->a->at, TAG_TYPE);
	return long_at(i, x->at);
}

static struct tvar *infer_binary(struct infer *i, struct expr *x)
{
	struct tvar *a, *b;

	switch (x->op) {
	case B_CAT:
		a = infer_expr(i, x->a);
		b = infer_expr(i, x->b);
		type_want(i->e, a, T_STRING, x->a->at, TAG_TYPE);
		type_want(i->e, b, T_STRING, x->b->at, TAG_TYPE);
		return type_new(i->e, T_STRING, x->at);
	case B_MATCH:
	case B_NOMATCH:
		return infer_regex(i, x);
	case B_LT:
	case B_LE:
	case B_GT:
	case B_GE:
	case B_EQ:
	case B_NE:
		a = infer_expr(i, x->a);
		b = infer_expr(i, x->b);
		type_unite(i->e, a, b, x->at);
		break;
	default:
		infer_long(i, x->a);
		infer_long(i, x->b);
		break;
	}
	return long_at(i, x->at);
}

static struct tvar *infer_logic(struct infer *i, struct expr *x)
{
	bool and = x->kind == E_ANDAND;

	infer_long(i, x->a);
	if (known_condition(x->a) == !and)
		prune_expr(i, x->b, !and);
	infer_long(i, x->b);
	return long_at(i, x->at);
}

static struct tvar *infer_any(struct infer *i, struct expr *x, bool value, bool printed);

static struct tvar *infer_cond(struct infer *i, struct expr *x)
{
	struct tvar *b, *c;
	int known;

	infer_long(i, x->a);
	known = known_condition(x->a);
	if (known >= 0) {
		struct expr *taken = known ? x->b : x->c;

		prune_expr(i, known ? x->c : x->b, 0);
		*x = *taken;
		return infer_any(i, x, false, false);
	}
	b = infer_expr(i, x->b);
	c = infer_expr(i, x->c);
	type_unite(i->e, b, c, x->at);
	return b;
}

static struct tvar *infer_assign(struct infer *i, struct expr *x)
{
	unsigned int old = i->dropped ? ACC_UPDATE : ACC_READ;
	struct tvar *l, *r;

	if (x->op == B_STAT) {
		infer_aggregate(i, x->a, ACC_WRITE);
		infer_long(i, x->b);
		return long_at(i, x->at);
	}
	l = infer_lvalue(i, x->a, x->op == B_NONE ? ACC_WRITE : ACC_WRITE | old,
			 bin_op_text(x->op));
	r = infer_expr(i, x->b);
	if (!l)
		return r;
	if (x->op == B_NONE) {
		type_unite(i->e, r, l, x->b->at);
		autocast_assign(x->a, x->b);
		return l;
	}
	type_want(i->e, l, x->op == B_CAT ? T_STRING : T_LONG, x->a->at, TAG_TYPE);
	type_want(i->e, r, x->op == B_CAT ? T_STRING : T_LONG, x->b->at, TAG_TYPE);
	return l;
}

static struct tvar *infer_in(struct infer *i, struct expr *x)
{
	struct global *g = infer_array(i, x->name, op_span(x), ACC_READ);

	if (g && infer_keys(i, g, &x->args, x->at, true))
		x->sym = &g->sym;
	return long_at(i, x->at);
}

static struct tvar *infer_suffixed(struct infer *i, struct expr *x)
{
	if (is_hist(x->a))
		return infer_hist_index(i, x);
	return infer_autocast(i, x);
}

static struct tvar *infer_embedded(struct infer *i, struct expr *x)
{
	return embed_expr(i, x);
}

static const infer_fn infer_table[] = {
	[E_NUMBER] = infer_number,
	[E_STRING] = infer_string,
	[E_SYMBOL] = infer_read_symbol,
	[E_INDEX] = infer_read_index,
	[E_STAR] = infer_star,
	[E_CALL] = infer_call,
	[E_UNARY] = infer_unary,
	[E_PREINC] = infer_incdec,
	[E_PREDEC] = infer_incdec,
	[E_POSTINC] = infer_incdec,
	[E_POSTDEC] = infer_incdec,
	[E_BINARY] = infer_binary,
	[E_ANDAND] = infer_logic,
	[E_OROR] = infer_logic,
	[E_COND] = infer_cond,
	[E_ASSIGN] = infer_assign,
	[E_IN] = infer_in,
	[E_STAT] = infer_stat,
	[E_PRINT] = infer_print,
	[E_TARGET] = infer_target,
	[E_ATOP] = infer_atop,
	[E_SUFFIXED] = infer_suffixed,
	[E_EMBEDDED] = infer_embedded,
};

static struct tvar *infer_any(struct infer *i, struct expr *x, bool value, bool printed)
{
	struct tvar *t = infer_table[x->kind](i, x);

	vec_push(i->e->arena, &i->e->pending,
		 ((struct pending){
			 .e = x, .t = t, .value = value, .printed = printed && i->live }));
	return t;
}

struct tvar *infer_expr(struct infer *i, struct expr *x)
{
	i->dropped = false;
	return infer_any(i, x, true, false);
}

struct tvar *infer_printed(struct infer *i, struct expr *x)
{
	i->dropped = false;
	return infer_any(i, x, true, true);
}

void infer_void(struct infer *i, struct expr *x)
{
	i->dropped = true;
	infer_any(i, x, x->kind != E_CALL && x->kind != E_PRINT, false);
}

void infer_long(struct infer *i, struct expr *x)
{
	type_want(i->e, infer_expr(i, x), T_LONG, x->at, TAG_TYPE);
}
