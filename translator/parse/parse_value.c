/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands: literals, names, calls, the print family, $targets, @operators, and what is written behind them. */
#include <string.h>

#include "parser.h"

/*
 * @operators that are no statistics. args: one letter an argument, e: expression, s: literal string, n: literal
 * number; those behind the bar may be left out.
 */
static const struct {
	const char *name, *args, *since; /* since: release that brought it; NULL: always there */
} at_ops[] = {
	{ "@cast", "es|s", NULL },	{ "@var", "s|s", NULL },
	{ "@defined", "e", NULL },	{ "@probewrite", "e", NULL },
	{ "@entry", "e", NULL },	{ "@perf", "s", NULL },
	{ "@const", "s", "3.1" },	{ "@enum", "s", "5.5" },
	{ "@enumname", "e|ss", "5.6" },	{ "@kregister", "n", "4.0" },
	{ "@uregister", "n", "4.0" },	{ "@kderef", "ne", "4.0" },
	{ "@uderef", "ne", "4.0" },
};

#define NOPS (sizeof(at_ops) / sizeof(at_ops[0]))

/* Literal numbers behind the aggregate: how few, how many. */
static const struct {
	uint8_t least, most;
} stat_params[] = {
	[S_VARIANCE] = { 0, 1 },
	[S_HIST_LINEAR] = { 3, 3 },
	[S_NONE] = { 0, 0 },
};

/* Length of the trailing run of '$'. */
static int trailing_dollars(const char *name)
{
	size_t n = strlen(name), k = 0;

	while (k < n && name[n - 1 - k] == '$')
		k++;
	return (int)k;
}

/* Splits "x$$" into the name and a pretty-printing suffix, unless nothing would remain of the name. */
static const char *split_pretty(struct parser *p, const char *name, int *depth)
{
	size_t n = strlen(name);

	*depth = trailing_dollars(name);
	if (strspn(name, "$") == n)
		*depth = 0;
	return *depth ? strtab_intern_n(p->env->names, name, n - (size_t)*depth) : name;
}

static void push_pretty(struct parser *p, struct expr *e, int depth, struct span at)
{
	/* more than two mean no more than two */
	struct suffix s = { .kind = SUF_PRETTY, .depth = depth > 2 ? 2 : depth, .at = at };

	if (depth)
		vec_push(p->env->arena, &e->suffixes, s);
}

static bool ends_pretty(const struct expr *e)
{
	return e->suffixes.n && e->suffixes.v[e->suffixes.n - 1].kind == SUF_PRETTY;
}

static bool pretty_token(const struct token *t)
{
	return t->kind == TK_IDENT && (!strcmp(t->name, "$") || !strcmp(t->name, "$$"));
}

static void parse_member(struct parser *p, struct expr *e)
{
	struct suffix s = { .kind = SUF_MEMBER };
	struct token t;
	int depth = 0;

	parser_take(p);
	if (!token_is_word(parser_tok(p)))
		parser_fail(p, "the name of a member after '->'");
	t = parser_take(p);
	s.name = split_pretty(p, parser_word(p, &t), &depth);
	s.at = t.at;
	vec_push(p->env->arena, &e->suffixes, s);
	push_pretty(p, e, depth, t.at);
	e->at = span_join(e->at, t.at);
}

static void parse_element(struct parser *p, struct expr *e)
{
	struct suffix s = { .kind = SUF_INDEX };
	struct bracket b;

	parser_open(p, &b, OP_LBRACKET, "");
	s.index = parse_expr(p);
	s.at = span_join(b.open.at, parser_close(p, &b));
	vec_push(p->env->arena, &e->suffixes, s);
	e->at = span_join(e->at, s.at);
}

/* Members and elements are pushed on what carries suffixes already, anything else is wrapped. */
static struct expr *suffix_carrier(struct parser *p, struct expr *e)
{
	struct expr *w;

	if ((e->kind == E_TARGET || e->kind == E_ATOP || e->kind == E_SUFFIXED) && !e->address_of &&
	    !ends_pretty(e))
		return e;
	w = expr_new(p, E_SUFFIXED, e->at);
	w->op_at = e->op_at;
	w->a = e;
	return w;
}

static struct expr *parse_suffixes(struct parser *p, struct expr *e)
{
	bool grown = false;

	while (!ends_pretty(e)) {
		const struct token *t = parser_tok(p);

		if (t->kind != OP_ARROW && t->kind != OP_LBRACKET && !pretty_token(t))
			break;
		e = suffix_carrier(p, e);
		grown = true;
		if (t->kind == OP_ARROW) {
			parse_member(p, e);
		} else if (t->kind == OP_LBRACKET) {
			parse_element(p, e);
		} else {
			push_pretty(p, e, trailing_dollars(t->name), t->at);
			e->at = span_join(e->at, t->at);
			parser_take(p);
		}
	}
	return grown ? expr_seal(p, e) : e;
}

/* (a, b, ...) into e->args; @least and @most count arguments, @most < 0 is no bound. */
static void parse_args(struct parser *p, struct expr *e, int least, int most)
{
	struct bracket b;
	int n;

	parser_open(p, &b, OP_LPAREN, "");
	if (!parser_at(p, OP_RPAREN)) {
		do {
			struct expr *x = parse_expr(p);

			vec_push(p->env->arena, &e->args, x);
		} while (parser_accept(p, OP_COMMA));
	}
	e->at = span_join(e->at, parser_close(p, &b));
	n = (int)e->args.n;
	if (n < least || (most >= 0 && n > most))
		parser_error(p, TAG_ARITY, e->op_at, "%s takes %s %d argument%s, not %d", e->name,
			     least == most ? "exactly"
			     : n < least   ? "at least"
					   : "at most",
			     n < least ? least : most, (n < least ? least : most) == 1 ? "" : "s",
			     n);
}

/* print and its kin. Their first argument is a literal where the output's shape depends on it. */
static struct expr *parse_print(struct parser *p, unsigned int flags)
{
	struct token t = parser_take(p);
	struct expr *e = expr_new(p, E_PRINT, t.at);
	bool bare_newline = (flags & P_NEWLINE) && !(flags & P_DELIM);

	e->op = (uint8_t)flags;
	e->name = t.name;
	parse_args(p, e, flags & P_DELIM ? 2 : bare_newline ? 0 : 1, flags & P_CHAR ? 1 : -1);
	if ((flags & (P_FORMAT | P_DELIM)) && e->args.n && e->args.v[0]->kind != E_STRING) {
		parser_error(p, TAG_FORMAT, e->args.v[0]->at,
			     "the first argument of %s must be a literal string", t.name);
		if (flags & P_FORMAT)
			diag_hint(p->env->diag, "write %s(\"%%s\", ...) to print a string", t.name);
	}
	return expr_seal(p, e);
}

/* print flags of the name, plus 1; 0: an ordinary function. */
static unsigned int print_flags_of(const struct parser *p, const char *name)
{
	unsigned int i;

	if (name[0] != 'p' && name[0] != 's')
		return 0;
	for (i = 0; i < 32; i++)
		if (p->print_names[i] == name)
			return i + 1;
	return 0;
}

static struct expr *parse_name(struct parser *p)
{
	bool call = parser_peek(p, 1)->kind == OP_LPAREN;
	unsigned int print = call ? print_flags_of(p, parser_tok(p)->name) : 0;
	struct token t;
	struct expr *e;
	int depth = 0;

	if (print)
		return parse_print(p, print - 1);
	t = parser_take(p);
	e = expr_new(p, E_SYMBOL, t.at);
	e->name = t.name;
	if (call) {
		e->kind = E_CALL;
		parse_args(p, e, 0, -1);
	} else if (parser_at(p, OP_LBRACKET)) {
		e->kind = E_INDEX;
		parse_index_list(p, e);
	} else {
		e->name = split_pretty(p, t.name, &depth);
	}
	expr_seal(p, e);
	if (depth) {
		e = suffix_carrier(p, e);
		push_pretty(p, e, depth, t.at);
		return expr_seal(p, e);
	}
	return parse_suffixes(p, e);
}

static struct expr *parse_target(struct parser *p)
{
	struct token t = parser_take(p);
	struct expr *e = expr_new(p, E_TARGET, t.at);
	int depth;

	e->name = split_pretty(p, t.name, &depth);
	if (strspn(e->name, "$") == strlen(e->name)) {
		parser_error(p, TAG_PARSE, t.at, "'%s' is not the name of a target variable",
			     t.name);
		parser_panic(p);
	}
	push_pretty(p, e, depth, t.at);
	return parse_suffixes(p, expr_seal(p, e));
}

/* @count(x), @hist_linear(x, 0, 100, 10): the aggregate, then literals. */
static struct expr *parse_stat(struct parser *p, enum stat_op op)
{
	struct token t = parser_take(p);
	struct expr *e = expr_new(p, E_STAT, t.at);
	unsigned int least = 0, most = 0;
	struct bracket b;

	if ((size_t)op < sizeof(stat_params) / sizeof(stat_params[0])) {
		least = stat_params[op].least;
		most = stat_params[op].most;
	}
	e->op = (uint8_t)op;
	e->name = t.name;
	parser_open(p, &b, OP_LPAREN, "");
	e->a = parse_expr(p);
	while (parser_accept(p, OP_COMMA)) {
		struct expr *x;

		if (parser_at(p, TK_STRING))
			parser_fail(p, "a literal number");
		x = parser_literal(p, "a literal number");
		vec_push(p->env->arena, &e->args, x);
	}
	e->at = span_join(e->at, parser_close(p, &b));
	if (e->args.n < least || e->args.n > most)
		parser_error(p, TAG_ARITY, t.at,
			     "%s takes %s%u number%s behind the statistic, not %u", t.name,
			     least < most ? "at most " : "", most, most == 1 ? "" : "s", e->args.n);
	return parse_suffixes(p, expr_seal(p, e));
}

/* at_ops' number of an operator that this release's language has, or NOPS. */
static unsigned int find_at_op(const struct parse_env *env, const char *name)
{
	unsigned int i;

	for (i = 0; i < NOPS; i++)
		if (!strcmp(name, at_ops[i].name))
			return !at_ops[i].since || parse_compatible(env, at_ops[i].since) ? i : NOPS;
	return NOPS;
}

/* S_NONE: it is none. */
static enum stat_op find_stat_op(const struct parse_env *env, const char *name)
{
	unsigned int i;

	for (i = 0; i < S_NONE; i++)
		if (!strcmp(name, stat_op_text((enum stat_op)i)))
			break;
	return i == S_VARIANCE && !parse_compatible(env, "3.1") ? S_NONE : (enum stat_op)i;
}

bool parse_is_operator(const struct parse_env *env, const char *name)
{
	return find_at_op(env, name) != NOPS || find_stat_op(env, name) != S_NONE;
}

/* The name that was meant, or NULL. */
static const char *near_at_op(struct parser *p, const char *name)
{
	struct near_match near;
	unsigned int i;

	near_init(&near, name);
	for (i = 0; i < NOPS; i++)
		near_try(&near, at_ops[i].name);
	for (i = 0; i < S_NONE; i++)
		near_try(&near, stat_op_text((enum stat_op)i));
	macro_near(&p->pp, &near);
	if (p->env->near_macro)
		p->env->near_macro(p->env->macro_arg, &near);
	return near_best(&near);
}

/*
 * Neither operator nor macro, with or without arguments. An error of pass 2, so that a script whose macros are in a
 * library that is not here can be parsed.
 */
static struct expr *parse_unknown(struct parser *p)
{
	struct token t = parser_take(p);
	struct expr *e = expr_new(p, E_ATOP, t.at);

	e->op = ATOP_UNKNOWN;
	e->name = t.name;
	e->str = near_at_op(p, t.name);
	if (parser_at(p, OP_LPAREN))
		parse_args(p, e, 0, -1);
	return parse_suffixes(p, expr_seal(p, e));
}

/* Arguments of an @operator after its row in at_ops. */
static void parse_at_args(struct parser *p, struct expr *e, const char *args)
{
	bool optional = false;
	struct bracket b;
	const char *a;

	parser_open(p, &b, OP_LPAREN, "");
	for (a = args; *a; a++) {
		struct expr *x;

		if (*a == '|') {
			optional = true;
			continue;
		}
		if (optional && parser_at(p, OP_RPAREN))
			break;
		if (a != args)
			parser_expect(p, OP_COMMA, "");
		if (*a == 's' && !parser_at(p, TK_STRING))
			parser_fail(p, "a literal string");
		if (*a == 'n' && parser_at(p, TK_STRING))
			parser_fail(p, "a literal number");
		x = *a == 'e' ? parse_expr(p) : parser_literal(p, "a literal number");
		vec_push(p->env->arena, &e->args, x);
	}
	e->at = span_join(e->at, parser_close(p, &b));
}

static struct expr *parse_at_op(struct parser *p)
{
	const struct token *t = parser_tok(p);
	enum stat_op stat = find_stat_op(p->env, t->name);
	unsigned int i = find_at_op(p->env, t->name);
	struct expr *e;

	if (stat != S_NONE)
		return parse_stat(p, stat);
	if (i == NOPS)
		return parse_unknown(p);
	e = expr_new(p, E_ATOP, t->at);
	e->name = t->name;
	parser_take(p);
	parse_at_args(p, e, at_ops[i].args);
	return parse_suffixes(p, expr_seal(p, e));
}

/* & before a $target, or before anything with a member. */
static struct expr *parse_address(struct parser *p)
{
	struct token amp = parser_take(p);
	struct expr *e;

	parser_enter(p);
	e = parse_value(p);
	parser_leave(p);
	if ((e->kind != E_TARGET && e->kind != E_ATOP && e->kind != E_SUFFIXED) || e->address_of) {
		parser_error(p, TAG_PARSE, e->at,
			     "'&' takes the address of a target variable or a "
			     "member, and this is neither");
		parser_panic(p);
	}
	e->address_of = true;
	e->at = span_join(amp.at, e->at);
	return e;
}

static struct expr *parse_paren(struct parser *p)
{
	struct span at = parser_tok(p)->at;
	struct bracket b;
	struct expr *e;

	parser_open(p, &b, OP_LPAREN, "");
	e = parse_expr(p);
	at = span_join(at, parser_close(p, &b));
	e->at = at;
	return parse_suffixes(p, e);
}

static struct expr *parse_embedded_value(struct parser *p)
{
	struct token t = parser_embedded(p);
	struct expr *e = expr_new(p, E_EMBEDDED, t.at);

	e->str = t.str;
	e->str_len = t.len;
	return expr_seal(p, e);
}

/* A keyword where a value is due: C habits get an answer of their own. */
static struct expr *parse_keyword_value(struct parser *p)
{
	struct token t = *parser_tok(p);
	struct expr *e;

	if (t.kind != KW_LONG && t.kind != KW_STRING)
		parser_fail(p, "an expression");
	if (parser_peek(p, 1)->kind == TK_IDENT) {
		parser_error(p, TAG_PARSE, t.at, "variables are not declared");
		diag_hint(p->env->diag, "assign to the variable; its type is inferred");
		parser_panic(p);
	}
	if (parser_peek(p, 1)->kind != OP_LPAREN)
		parser_fail(p, "an expression");
	parser_take(p);
	e = expr_new(p, E_CALL, t.at);
	e->name = parser_word(p, &t);
	parse_args(p, e, 0, -1);
	return parse_suffixes(p, expr_seal(p, e));
}

struct expr *parse_value(struct parser *p)
{
	const struct token *t = parser_tok(p);
	struct token number;
	struct expr *e;

	switch (t->kind) {
	case TK_NUMBER:
		number = parser_take(p);
		e = expr_new(p, E_NUMBER, number.at);
		e->num = parser_number(p, &number);
		return expr_seal(p, e);
	case TK_STRING:
		return parser_literal(p, "a string");
	case TK_IDENT:
		if (t->name[0] == '$')
			return parse_target(p);
		return t->name[0] == '@' ? parse_at_op(p) : parse_name(p);
	case TK_EMBEDDED:
		return parse_embedded_value(p);
	case OP_LPAREN:
		return parse_paren(p);
	case OP_AND:
		return parse_address(p);
	default:
		return parse_keyword_value(p);
	}
}
