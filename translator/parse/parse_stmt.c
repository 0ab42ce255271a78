/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements but foreach. Semicolons end expression statements where the writer likes. */
#include "parser.h"

static struct stmt *stmt_new(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = arena_new(p->env->arena, struct stmt);

	s->kind = kind;
	s->at = parser_tok(p)->at;
	s->sort_stat = S_NONE;
	return s;
}

static void finish_simple(struct parser *p, struct stmt *s)
{
	s->at = span_join(s->at, p->last);
	parser_accept(p, OP_SEMICOLON);
}

/* A keyword that starts a top-level item inside a block: the block was left open. */
static void check_unclosed(struct parser *p)
{
	const struct token *t = parser_tok(p);

	if (!p->open || (t->kind != KW_PROBE && t->kind != KW_FUNCTION && t->kind != KW_GLOBAL &&
			 t->kind != KW_PRIVATE))
		return;
	parser_error(p, TAG_UNBALANCED, t->at, "'%s' inside a block: a '}' is missing before it",
		     token_kind_text(t->kind));
	diag_note(p->env->diag, p->open->open.at, "this '%s' is still open",
		  token_kind_text(p->open->open.kind));
	parser_panic(p);
}

struct stmt *parse_block(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_BLOCK);
	struct bracket b;

	parser_enter(p);
	parser_open(p, &b, OP_LBRACE, "");
	while (!parser_at(p, OP_RBRACE)) {
		struct stmt *inner;

		check_unclosed(p);
		if (parser_at(p, TK_EOF))
			break;
		inner = parse_stmt(p);
		vec_push(p->env->arena, &s->body, inner);
	}
	s->at = span_join(s->at, parser_close(p, &b));
	parser_leave(p);
	return s;
}

/* The condition of if and while, in its parentheses. */
static struct expr *parse_condition(struct parser *p, const char *where)
{
	struct bracket b;
	struct expr *e;

	parser_open(p, &b, OP_LPAREN, where);
	e = parse_expr(p);
	parser_close(p, &b);
	return e;
}

static struct stmt *parse_if(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_IF);

	parser_take(p);
	s->e = parse_condition(p, "after 'if'");
	s->then = parse_stmt(p);
	if (parser_accept(p, KW_ELSE))
		s->otherwise = parse_stmt(p);
	s->at = span_join(s->at, p->last);
	return s;
}

static struct stmt *parse_while(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_WHILE);

	parser_take(p);
	s->e = parse_condition(p, "after 'while'");
	s->then = parse_stmt(p);
	s->at = span_join(s->at, p->last);
	return s;
}

static struct stmt *parse_for(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_FOR);
	struct bracket b;

	parser_take(p);
	parser_open(p, &b, OP_LPAREN, "after 'for'");
	if (!parser_at(p, OP_SEMICOLON))
		s->init = parse_expr(p);
	parser_expect(p, OP_SEMICOLON, "after the start of 'for'");
	if (!parser_at(p, OP_SEMICOLON))
		s->e = parse_expr(p);
	parser_expect(p, OP_SEMICOLON, "after the condition of 'for'");
	if (!parser_at(p, OP_RPAREN))
		s->step = parse_expr(p);
	parser_close(p, &b);
	s->then = parse_stmt(p);
	s->at = span_join(s->at, p->last);
	return s;
}

static struct stmt *parse_return(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_RETURN);

	parser_take(p);
	if (!parser_at(p, OP_SEMICOLON) && !parser_at(p, OP_RBRACE) && !parser_at(p, TK_EOF))
		s->e = parse_expr(p);
	finish_simple(p, s);
	return s;
}

static struct stmt *parse_delete(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_DELETE);

	parser_take(p);
	s->e = parse_value(p);
	finish_simple(p, s);
	return s;
}

static struct stmt *parse_try(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_TRY);
	struct bracket b;
	struct token t;

	parser_take(p);
	s->then = parse_block(p);
	parser_expect(p, KW_CATCH, "after the block of 'try'");
	if (parser_at(p, OP_LPAREN)) {
		parser_open(p, &b, OP_LPAREN, "");
		if (!token_is_name(parser_tok(p)))
			parser_fail(p, "the name of a variable for the error's text");
		t = parser_take(p);
		s->catch_var = expr_new(p, E_SYMBOL, t.at);
		s->catch_var->name = t.name;
		expr_seal(p, s->catch_var);
		parser_close(p, &b);
	}
	s->otherwise = parse_block(p);
	s->at = span_join(s->at, p->last);
	return s;
}

static struct stmt *parse_word(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = stmt_new(p, kind);

	parser_take(p);
	finish_simple(p, s);
	return s;
}

static struct stmt *parse_expr_stmt(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_EXPR);

	s->e = parse_expr(p);
	finish_simple(p, s);
	return s;
}

static struct stmt *parse_null(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_NULL);

	parser_take(p);
	return s;
}

static struct stmt *parse_any(struct parser *p)
{
	switch (parser_tok(p)->kind) {
	case OP_SEMICOLON:
		return parse_null(p);
	case OP_LBRACE:
		return parse_block(p);
	case KW_IF:
		return parse_if(p);
	case KW_WHILE:
		return parse_while(p);
	case KW_FOR:
		return parse_for(p);
	case KW_FOREACH:
		return parse_foreach(p);
	case KW_RETURN:
		return parse_return(p);
	case KW_DELETE:
		return parse_delete(p);
	case KW_TRY:
		return parse_try(p);
	case KW_BREAK:
		return parse_word(p, ST_BREAK);
	case KW_CONTINUE:
		return parse_word(p, ST_CONTINUE);
	case KW_NEXT:
		p->saw_next = true;
		return parse_word(p, ST_NEXT);
	case OP_RBRACE:
	case KW_ELSE:
	case KW_CATCH:
		parser_fail(p, "a statement");
	default:
		return parse_expr_stmt(p);
	}
}

struct stmt *parse_stmt(struct parser *p)
{
	struct stmt *s;

	check_unclosed(p);
	parser_enter(p);
	s = parse_any(p);
	parser_leave(p);
	return s;
}
