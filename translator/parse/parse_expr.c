/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions by precedence. Unlike in C, comparisons are one level and bind tighter than & ^ |, and "in"
 * stands between them.
 */
#include "parser.h"

/* Levels of binary operators; a higher one binds tighter. */
enum {
	P_NONE,
	P_OROR,
	P_ANDAND,
	P_OR,
	P_XOR,
	P_AND,
	P_IN,
	P_COMPARE,
	P_SHIFT,
	P_CAT,
	P_ADD,
	P_MUL
};

static const struct {
	uint8_t prec, kind, op;
} binaries[TK_COUNT] = {
	[OP_OROR] = { P_OROR, E_OROR, 0 },
	[OP_ANDAND] = { P_ANDAND, E_ANDAND, 0 },
	[OP_OR] = { P_OR, E_BINARY, B_OR },
	[OP_XOR] = { P_XOR, E_BINARY, B_XOR },
	[OP_AND] = { P_AND, E_BINARY, B_AND },
	[KW_IN] = { P_IN, E_IN, 0 },
	[OP_LT] = { P_COMPARE, E_BINARY, B_LT },
	[OP_LE] = { P_COMPARE, E_BINARY, B_LE },
	[OP_GT] = { P_COMPARE, E_BINARY, B_GT },
	[OP_GE] = { P_COMPARE, E_BINARY, B_GE },
	[OP_EQ] = { P_COMPARE, E_BINARY, B_EQ },
	[OP_NE] = { P_COMPARE, E_BINARY, B_NE },
	[OP_MATCH] = { P_COMPARE, E_BINARY, B_MATCH },
	[OP_NOMATCH] = { P_COMPARE, E_BINARY, B_NOMATCH },
	[OP_SHL] = { P_SHIFT, E_BINARY, B_SHL },
	[OP_SHR] = { P_SHIFT, E_BINARY, B_SHR },
	[OP_USHR] = { P_SHIFT, E_BINARY, B_USHR },
	[OP_DOT] = { P_CAT, E_BINARY, B_CAT },
	[OP_ADD] = { P_ADD, E_BINARY, B_ADD },
	[OP_SUB] = { P_ADD, E_BINARY, B_SUB },
	[OP_MUL] = { P_MUL, E_BINARY, B_MUL },
	[OP_DIV] = { P_MUL, E_BINARY, B_DIV },
	[OP_MOD] = { P_MUL, E_BINARY, B_MOD },
};

/* bin_op of an assignment, plus 1; 0: not an assignment. */
static const uint8_t assigns[TK_COUNT] = {
	[OP_ASSIGN] = B_NONE + 1,    [OP_STAT] = B_STAT + 1,      [OP_ADD_ASSIGN] = B_ADD + 1,
	[OP_SUB_ASSIGN] = B_SUB + 1, [OP_MUL_ASSIGN] = B_MUL + 1, [OP_DIV_ASSIGN] = B_DIV + 1,
	[OP_MOD_ASSIGN] = B_MOD + 1, [OP_SHL_ASSIGN] = B_SHL + 1, [OP_SHR_ASSIGN] = B_SHR + 1,
	[OP_AND_ASSIGN] = B_AND + 1, [OP_XOR_ASSIGN] = B_XOR + 1, [OP_OR_ASSIGN] = B_OR + 1,
	[OP_CAT_ASSIGN] = B_CAT + 1,
};

struct expr *expr_new(struct parser *p, enum expr_kind kind, struct span at)
{
	struct expr *e = arena_new(p->env->arena, struct expr);

	e->kind = kind;
	e->at = e->op_at = at;
	return e;
}

static void raise_height(unsigned int *h, const struct expr *child)
{
	if (child && child->height >= *h)
		*h = child->height + 1u;
}

struct expr *expr_seal(struct parser *p, struct expr *e)
{
	unsigned int h = 1, i;

	raise_height(&h, e->a);
	raise_height(&h, e->b);
	raise_height(&h, e->c);
	for (i = 0; i < e->args.n; i++)
		raise_height(&h, e->args.v[i]);
	for (i = 0; i < e->suffixes.n; i++)
		raise_height(&h, e->suffixes.v[i].index);
	if (h > PARSE_MAX_DEPTH) {
		parser_error(p, TAG_LIMIT, e->op_at, "an expression of more than %d levels",
			     PARSE_MAX_DEPTH);
		diag_hint(p->env->diag, "split it into several statements");
		parser_panic(p);
	}
	e->height = (uint16_t)h;
	return e;
}

static struct expr *parse_ternary(struct parser *p);

/* An index in brackets may hold '*' where the place takes any key. */
void parse_index_list(struct parser *p, struct expr *e)
{
	struct bracket b;

	parser_open(p, &b, OP_LBRACKET, "");
	do {
		struct expr *x;

		if (parser_at(p, OP_MUL))
			x = expr_seal(p, expr_new(p, E_STAR, parser_take(p).at));
		else
			x = parse_expr(p);
		vec_push(p->env->arena, &e->args, x);
	} while (parser_accept(p, OP_COMMA));
	e->at = span_join(e->at, parser_close(p, &b));
}

/* "in A" behind the index; its op_at is the array's name. */
static struct expr *parse_in(struct parser *p, struct expr *e)
{
	struct token t;

	parser_expect(p, KW_IN, "after the index");
	if (!token_is_name(parser_tok(p)))
		parser_fail(p, "the name of an array");
	t = parser_take(p);
	e->name = t.name;
	e->op_at = t.at;
	e->at = span_join(e->at, t.at);
	return expr_seal(p, e);
}

static struct expr *prefixed(struct parser *p, enum expr_kind kind, unsigned int op);

static struct expr *parse_unary(struct parser *p)
{
	struct expr *e, *post;

	switch (parser_tok(p)->kind) {
	case OP_SUB:
		return prefixed(p, E_UNARY, U_MINUS);
	case OP_ADD:
		return prefixed(p, E_UNARY, U_PLUS);
	case OP_NOT:
		return prefixed(p, E_UNARY, U_NOT);
	case OP_COMPL:
		return prefixed(p, E_UNARY, U_COMPL);
	case OP_INC:
		return prefixed(p, E_PREINC, 0);
	case OP_DEC:
		return prefixed(p, E_PREDEC, 0);
	default:
		break;
	}
	e = parse_value(p);
	if (!parser_at(p, OP_INC) && !parser_at(p, OP_DEC))
		return e;
	post = expr_new(p, parser_at(p, OP_INC) ? E_POSTINC : E_POSTDEC, e->at);
	post->op_at = parser_take(p).at;
	post->at = span_join(e->at, post->op_at);
	post->a = e;
	return expr_seal(p, post);
}

/* The operator is the current token. ++ and -- take a value: "++-x" means nothing. */
static struct expr *prefixed(struct parser *p, enum expr_kind kind, unsigned int op)
{
	struct expr *e = expr_new(p, kind, parser_take(p).at);

	parser_enter(p);
	e->op = (uint8_t)op;
	e->a = kind == E_UNARY ? parse_unary(p) : parse_value(p);
	e->at = span_join(e->at, e->a->at);
	parser_leave(p);
	return expr_seal(p, e);
}

static struct expr *parse_binary(struct parser *p, unsigned int min);

/* The right side of a binary operator whose token is the current one. */
static struct expr *finish_binary(struct parser *p, struct expr *left)
{
	enum token_kind k = parser_tok(p)->kind;
	struct expr *e = expr_new(p, (enum expr_kind)binaries[k].kind, left->at);

	if (k == KW_IN) {
		vec_push(p->env->arena, &e->args, left);
		return parse_in(p, e);
	}
	e->op_at = parser_take(p).at;
	e->op = binaries[k].op;
	e->a = left;
	if ((k == OP_MATCH || k == OP_NOMATCH) && !parser_at(p, TK_STRING))
		parser_fail(p, "a regular expression: a literal string");
	parser_enter(p);
	e->b = parse_binary(p, binaries[k].prec + 1u);
	parser_leave(p);
	e->at = span_join(left->at, e->b->at);
	return expr_seal(p, e);
}

/* Operators of level @min and up. "in", =~ and !~ do not chain: behind them only looser ones may follow. */
static struct expr *parse_binary(struct parser *p, unsigned int min)
{
	unsigned int max = P_MUL;
	struct expr *e;

	if (min <= P_IN && parser_at(p, OP_LBRACKET)) {
		e = expr_new(p, E_IN, parser_tok(p)->at);
		parse_index_list(p, e);
		e = parse_in(p, e);
		max = P_IN - 1;
	} else {
		e = parse_unary(p);
	}
	for (;;) {
		enum token_kind k = parser_tok(p)->kind;
		unsigned int prec = binaries[k].prec;

		if (!prec || prec < min || prec > max)
			return e;
		e = finish_binary(p, e);
		if (k == KW_IN || k == OP_MATCH || k == OP_NOMATCH)
			max = prec - 1;
		else
			max = prec;
	}
}

/* The third operand is another ternary, no assignment (it could be one before 4.0); the second is any expression. */
static struct expr *parse_ternary(struct parser *p)
{
	struct expr *cond = parse_binary(p, P_OROR), *e;

	if (!parser_at(p, OP_QUESTION))
		return cond;
	parser_enter(p);
	e = expr_new(p, E_COND, cond->at);
	e->op_at = parser_take(p).at;
	e->a = cond;
	e->b = parse_expr(p);
	parser_expect(p, OP_COLON, "of '?'");
	e->c = parse_compatible(p->env, "4.0") ? parse_ternary(p) : parse_expr(p);
	e->at = span_join(cond->at, e->c->at);
	parser_leave(p);
	return expr_seal(p, e);
}

/* Any expression. What may be assigned to is pass 2's to judge: it knows what the names are. */
struct expr *parse_expr(struct parser *p)
{
	struct expr *left, *e;
	unsigned int op;

	parser_enter(p);
	left = parse_ternary(p);
	op = assigns[parser_tok(p)->kind];
	if (op) {
		e = expr_new(p, E_ASSIGN, left->at);
		e->op_at = parser_take(p).at;
		e->op = (uint8_t)(op - 1);
		e->a = left;
		e->b = parse_expr(p);
		e->at = span_join(left->at, e->b->at);
		left = expr_seal(p, e);
	}
	parser_leave(p);
	return left;
}
