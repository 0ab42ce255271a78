/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreach (k in A), ([k1, k2] in A), (v = k in A), (v = [k1, k2] in A). One sort mark, + or -, behind a key,
 * behind v, or behind the array, there also after a statistic: A @count-. A may be a slice or a histogram.
 */
#include <string.h>

#include "parser.h"

/* A sort mark at the current token, if any; "v += k" is "v+ = k" here, so *@assign says that '=' came with it. */
static void parse_mark(struct parser *p, struct stmt *s, int key, bool *assign)
{
	enum token_kind k = parser_tok(p)->kind;
	bool with_assign = k == OP_ADD_ASSIGN || k == OP_SUB_ASSIGN;

	if (k != OP_ADD && k != OP_SUB && !(with_assign && assign))
		return;
	if (s->sort_dir) {
		parser_error(p, TAG_PARSE, parser_tok(p)->at, "foreach sorts by one thing only");
		parser_panic(p);
	}
	s->sort_dir = k == OP_ADD || k == OP_ADD_ASSIGN ? 1 : -1;
	s->sort_key = key;
	parser_take(p);
	if (with_assign)
		*assign = true;
}

static struct expr *parse_loop_var(struct parser *p, const char *what)
{
	struct expr *e;
	struct token t;

	if (!token_is_name(parser_tok(p)))
		parser_fail(p, what);
	t = parser_take(p);
	e = expr_new(p, E_SYMBOL, t.at);
	e->name = t.name;
	return expr_seal(p, e);
}

static void parse_key_list(struct parser *p, struct stmt *s)
{
	struct bracket b;

	parser_open(p, &b, OP_LBRACKET, "");
	do {
		struct expr *k = parse_loop_var(p, "the name of a variable for a key");

		vec_push(p->env->arena, &s->keys, k);
		parse_mark(p, s, (int)s->keys.n, NULL);
	} while (parser_accept(p, OP_COMMA));
	parser_close(p, &b);
}

/* What stands before "in": a name alone is a key unless '=' follows and makes it the value. */
static void parse_loop_vars(struct parser *p, struct stmt *s)
{
	bool assign = false;
	struct expr *e;

	if (parser_at(p, OP_LBRACKET)) {
		parse_key_list(p, s);
		return;
	}
	e = parse_loop_var(p, "the name of a variable, or a list of them in [ ]");
	parse_mark(p, s, 1, &assign);
	if (!assign)
		assign = parser_accept(p, OP_ASSIGN);
	if (!assign) {
		vec_push(p->env->arena, &s->keys, e);
		return;
	}
	s->value = e;
	s->sort_key = 0;
	if (parser_at(p, OP_LBRACKET)) {
		parse_key_list(p, s);
		return;
	}
	e = parse_loop_var(p, "the name of a variable for the key");
	vec_push(p->env->arena, &s->keys, e);
	parse_mark(p, s, 1, NULL);
}

static enum stat_op stat_of(const struct token *t)
{
	unsigned int i;

	if (t->kind == TK_IDENT)
		for (i = 0; i < S_HIST_LOG; i++)
			if (!strcmp(t->name, stat_op_text((enum stat_op)i)))
				return (enum stat_op)i;
	return S_NONE;
}

static void parse_loop_array(struct parser *p, struct stmt *s)
{
	const struct token *t = parser_tok(p);

	if (t->kind == TK_IDENT && t->name[0] == '@') {
		s->array = parse_value(p);
		if (s->array->kind != E_STAT ||
		    (s->array->op != S_HIST_LOG && s->array->op != S_HIST_LINEAR)) {
			parser_error(p, TAG_PARSE, s->array->at,
				     "foreach visits an array or a histogram");
			parser_panic(p);
		}
	} else {
		s->array = parse_loop_var(p, "the name of an array");
		if (parser_at(p, OP_LBRACKET)) {
			s->array->kind = E_INDEX;
			parse_index_list(p, s->array);
			expr_seal(p, s->array);
		}
	}
	s->sort_stat = stat_of(parser_tok(p));
	if (s->sort_stat != S_NONE) {
		parser_take(p);
		if (!parser_at(p, OP_ADD) && !parser_at(p, OP_SUB))
			parser_fail(p, "'+' or '-' after the statistic to sort by");
	}
	parse_mark(p, s, 0, NULL);
}

struct stmt *parse_foreach(struct parser *p)
{
	struct stmt *s = arena_new(p->env->arena, struct stmt);
	struct bracket b;

	s->kind = ST_FOREACH;
	s->at = parser_take(p).at;
	s->sort_stat = S_NONE;
	parser_open(p, &b, OP_LPAREN, "after 'foreach'");
	parse_loop_vars(p, s);
	parser_expect(p, KW_IN, "in the head of 'foreach'");
	parse_loop_array(p, s);
	if (parser_accept(p, KW_LIMIT))
		s->limit = parse_expr(p);
	parser_close(p, &b);
	s->then = parse_stmt(p);
	s->at = span_join(s->at, p->last);
	return s;
}
