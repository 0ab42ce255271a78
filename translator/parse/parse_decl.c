/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Top-level items: globals, functions, embedded C; probes have a file of their own. */
#include <limits.h>
#include <string.h>

#include "parser.h"

static struct token take_name(struct parser *p, const char *what)
{
	if (!token_is_name(parser_tok(p)))
		parser_fail(p, what);
	return parser_take(p);
}

static void parse_global_size(struct parser *p, struct ast_global *g)
{
	struct bracket b;
	struct token t;

	parser_open(p, &b, OP_LBRACKET, "");
	t = parser_expect(p, TK_NUMBER, "for the array's size");
	g->size_at = t.at;
	g->size = parser_number(p, &t);
	if (t.num_ok && (g->size < 1 || g->size > INT_MAX)) {
		parser_error(p, TAG_NUMBER, t.at, "an array holds 1 to %d elements", INT_MAX);
		g->size = 1;
	}
	parser_close(p, &b);
}

static void parse_global(struct parser *p, bool is_private)
{
	struct ast_global *g = arena_new(p->env->arena, struct ast_global);
	struct token t = take_name(p, "the name of a global variable");

	g->name = t.name;
	g->at = t.at;
	g->is_private = is_private;
	g->wrap = parser_accept(p, OP_MOD);
	if (parser_at(p, OP_LBRACKET))
		parse_global_size(p, g);
	if (parser_at(p, OP_ASSIGN)) {
		parser_take(p);
		g->init = parser_literal(p, "a literal number or string as initial value");
		if (g->size || g->wrap) {
			parser_error(p, TAG_ARRAY, g->init->at, "an array has no initial value");
			diag_hint(p->env->diag, "fill it in a begin probe");
		}
	}
	vec_push(p->env->arena, &p->file->globals, g);
}

static void parse_globals(struct parser *p, bool is_private)
{
	do
		parse_global(p, is_private);
	while (parser_accept(p, OP_COMMA));
	parser_accept(p, OP_SEMICOLON);
}

/* ":long" or ":string", if a ':' is there and no number follows it (that is a priority). */
static enum script_type parse_type(struct parser *p)
{
	if (!parser_at(p, OP_COLON) || parser_peek(p, 1)->kind == TK_NUMBER)
		return T_UNKNOWN;
	parser_take(p);
	if (parser_accept(p, KW_LONG))
		return T_LONG;
	if (!parser_at(p, KW_STRING))
		parser_fail(p, "a type: long or string");
	parser_take(p);
	return T_STRING;
}

static void parse_params(struct parser *p, struct ast_function *f)
{
	struct bracket b;

	parser_open(p, &b, OP_LPAREN, "after the function's name");
	if (!parser_at(p, OP_RPAREN)) {
		do {
			struct token t = take_name(p, "the name of a parameter");
			struct ast_param param = { t.name, T_UNKNOWN, t.at };

			param.type = parse_type(p);
			vec_push(p->env->arena, &f->params, param);
		} while (parser_accept(p, OP_COMMA));
	}
	parser_close(p, &b);
}

static void parse_priority(struct parser *p, struct ast_function *f)
{
	struct token t;

	f->priority = -1;
	if (!parser_accept(p, OP_COLON))
		return;
	t = parser_expect(p, TK_NUMBER, "as priority");
	f->priority = parser_number(p, &t);
	if (t.num_ok && (f->priority < 1 || f->priority > INT_MAX)) {
		parser_error(p, TAG_NUMBER, t.at, "a function's priority is 1 to %d", INT_MAX);
		f->priority = 1;
	}
}

static void parse_function(struct parser *p, bool is_private, struct span first)
{
	struct ast_function *f = arena_new(p->env->arena, struct ast_function);
	struct token t;

	parser_take(p);
	if (!token_is_name(parser_tok(p)) && !parser_at(p, KW_STRING) && !parser_at(p, KW_LONG))
		parser_fail(p, "the name of a function");
	t = parser_take(p);
	f->name = parser_word(p, &t);
	f->name_at = t.at;
	f->is_private = is_private;
	f->ret_type = parse_type(p);
	parse_params(p, f);
	if (f->ret_type == T_UNKNOWN)
		f->ret_type = parse_type(p);
	parse_priority(p, f);
	p->saw_next = false;
	if (parser_at(p, TK_EMBEDDED)) {
		t = parser_embedded(p);
		f->embedded = t.str;
		f->embedded_at = t.at;
		f->has_next = strstr(t.str, "STAP_NEXT") != NULL;
	} else {
		if (!parser_at(p, OP_LBRACE))
			parser_fail(p, "the function's body in '{' '}'");
		f->body = parse_block(p);
		f->has_next = p->saw_next;
	}
	f->at = span_join(first, p->last);
	vec_push(p->env->arena, &p->file->functions, f);
}

static void parse_top_embedded(struct parser *p)
{
	struct token t = parser_embedded(p);
	struct expr *e = expr_new(p, E_EMBEDDED, t.at);

	e->str = t.str;
	e->str_len = t.len;
	expr_seal(p, e);
	vec_push(p->env->arena, &p->file->embeds, e);
}

static void parse_private(struct parser *p)
{
	struct span first = parser_take(p).at;

	switch (parser_tok(p)->kind) {
	case KW_FUNCTION:
		parse_function(p, true, first);
		break;
	case KW_PROBE:
		parse_probe(p, true, first);
		break;
	case KW_GLOBAL:
		parser_take(p);
		parse_globals(p, true);
		break;
	default:
		parse_globals(p, true);
	}
}

static void stray_brace(struct parser *p)
{
	parser_error(p, TAG_UNBALANCED, parser_tok(p)->at,
		     "no '{' is open that this '}' could close");
	parser_take(p);
	parser_panic(p);
}

void parse_item(struct parser *p)
{
	struct span first = parser_tok(p)->at;

	switch (parser_tok(p)->kind) {
	case KW_GLOBAL:
		parser_take(p);
		parse_globals(p, false);
		break;
	case KW_FUNCTION:
		parse_function(p, false, first);
		break;
	case KW_PROBE:
		parse_probe(p, false, first);
		break;
	case KW_PRIVATE:
		parse_private(p);
		break;
	case TK_EMBEDDED:
		parse_top_embedded(p);
		break;
	case OP_RBRACE:
		stray_brace(p);
		break;
	default:
		parser_fail(p, "'probe', 'global', 'private', 'function' or '%{'");
	}
}
