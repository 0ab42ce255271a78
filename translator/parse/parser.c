/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser's frame: the window on the tokens, failing and recovering, and the loop over top-level items. */
#include "parser.h"

#include <string.h>

const struct token *parser_peek(struct parser *p, unsigned int ahead)
{
	while (p->count <= ahead) {
		preproc_next(&p->pp, &p->win[(p->head + p->count) & (PARSER_AHEAD - 1)]);
		p->count++;
	}
	return &p->win[(p->head + ahead) & (PARSER_AHEAD - 1)];
}

struct token parser_take(struct parser *p)
{
	struct token t = *parser_tok(p);

	p->last = t.at;
	p->last_kind = t.kind;
	p->head++;
	p->count--;
	parser_peek(p, 0);
	return t;
}

bool parser_accept(struct parser *p, enum token_kind k)
{
	if (!parser_at(p, k))
		return false;
	parser_take(p);
	return true;
}

void parser_error(struct parser *p, enum diag_tag tag, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_error(p->env->diag, tag, at, "%s", arena_vprintf(p->env->arena, fmt, ap));
	va_end(ap);
	lex_count_error(&p->pp.lex);
}

void parser_panic(struct parser *p)
{
	longjmp(p->panic, 1);
}

/* How a message names the token that is in the way. */
static const char *describe(struct parser *p, const struct token *t)
{
	struct arena *a = p->env->arena;

	if (t->kind == TK_IDENT || t->kind == TK_NUMBER)
		return arena_printf(a, "'%s'", t->name);
	if (t->kind < KW_FIRST)
		return token_kind_text(t->kind);
	return arena_printf(a, "'%s'", token_kind_text(t->kind));
}

void parser_fail(struct parser *p, const char *what)
{
	const struct token *t = parser_tok(p);

	if (t->kind == TK_JUNK || p->pp.lex.budget <= 0)
		parser_panic(p);
	if (t->kind == TK_EOF && p->open) {
		diag_error(p->env->diag, TAG_UNBALANCED, t->at,
			   "expected %s before the end of the script", what);
		diag_note(p->env->diag, p->open->open.at, "this '%s' is still open",
			  token_kind_text(p->open->open.kind));
	} else {
		diag_error(p->env->diag, TAG_PARSE, t->at, "expected %s, found %s", what,
			   describe(p, t));
	}
	lex_count_error(&p->pp.lex);
	parser_panic(p);
}

struct token parser_expect(struct parser *p, enum token_kind k, const char *where)
{
	if (!parser_at(p, k))
		parser_fail(p, arena_printf(p->env->arena, k < KW_FIRST ? "%s%s%s" : "'%s'%s%s",
					    token_kind_text(k), *where ? " " : "", where));
	return parser_take(p);
}

void parser_open(struct parser *p, struct bracket *b, enum token_kind k, const char *where)
{
	b->open = parser_expect(p, k, where);
	b->outer = p->open;
	p->open = b;
}

struct span parser_close(struct parser *p, struct bracket *b)
{
	enum token_kind k = b->open.kind == OP_LPAREN     ? OP_RPAREN
			    : b->open.kind == OP_LBRACKET ? OP_RBRACKET
							  : OP_RBRACE;

	if (!parser_at(p, k)) {
		const struct token *t = parser_tok(p);

		if (t->kind == TK_EOF || t->kind == TK_JUNK || p->pp.lex.budget <= 0)
			parser_fail(p, arena_printf(p->env->arena, "'%s'", token_kind_text(k)));
		diag_error(p->env->diag, TAG_PARSE, t->at, "expected '%s', found %s",
			   token_kind_text(k), describe(p, t));
		diag_note(p->env->diag, b->open.at, "to match this '%s'",
			  token_kind_text(b->open.kind));
		lex_count_error(&p->pp.lex);
		parser_panic(p);
	}
	p->open = b->outer;
	return parser_take(p).at;
}

void parser_enter(struct parser *p)
{
	if (++p->depth <= PARSE_MAX_DEPTH)
		return;
	parser_error(p, TAG_LIMIT, parser_tok(p)->at, "nested deeper than %d levels",
		     PARSE_MAX_DEPTH);
	diag_hint(p->env->diag, "move a part into a function");
	parser_panic(p);
}

bool token_is_name(const struct token *t)
{
	return t->kind == TK_IDENT && t->name[0] != '$' && t->name[0] != '@';
}

bool token_is_word(const struct token *t)
{
	return token_is_name(t) || (t->kind >= KW_FIRST && t->kind <= KW_LAST);
}

const char *parser_word(struct parser *p, const struct token *t)
{
	return t->kind == TK_IDENT ? t->name : p->pp.lex.keyword[t->kind - KW_FIRST];
}

int64_t parser_number(struct parser *p, const struct token *t)
{
	if (!t->num_ok) {
		parser_error(p, TAG_NUMBER, t->at, "%s is not a number, or is out of range",
			     t->name);
		diag_hint(p->env->diag,
			  "numbers are decimal, 0x hexadecimal or 0 octal, and fit in 64 bits");
	}
	return t->num;
}

struct token parser_string(struct parser *p)
{
	struct token t = parser_expect(p, TK_STRING, "");
	struct buf b;

	if (!parser_at(p, TK_STRING))
		return t;
	buf_init(&b);
	buf_add(&b, t.str, t.len);
	while (parser_at(p, TK_STRING)) {
		struct token more = parser_take(p);

		buf_add(&b, more.str, more.len);
		t.at = span_join(t.at, more.at);
	}
	t.str = arena_strndup(p->env->arena, b.p, b.len);
	t.len = (uint32_t)b.len;
	buf_fini(&b);
	return t;
}

struct expr *parser_literal(struct parser *p, const char *what)
{
	const struct token *first = parser_tok(p);
	struct span at = first->at;
	bool negative = first->kind == OP_SUB;
	struct expr *e;
	struct token t;

	if (first->kind == TK_STRING) {
		t = parser_string(p);
		e = expr_new(p, E_STRING, t.at);
		e->str = t.str;
		e->str_len = t.len;
		return expr_seal(p, e);
	}
	if (parser_peek(p, negative)->kind != TK_NUMBER)
		parser_fail(p, what);
	if (negative)
		parser_take(p);
	t = parser_take(p);
	e = expr_new(p, E_NUMBER, span_join(at, t.at));
	e->num = parser_number(p, &t);
	if (negative)
		e->num = (int64_t)(0 - (uint64_t)e->num);
	return expr_seal(p, e);
}

struct token parser_embedded(struct parser *p)
{
	struct token t = parser_take(p);

	if (!p->env->privileged) {
		parser_error(p, TAG_PRIVILEGE, t.at, "embedded C code is for trusted scripts only");
		diag_hint(p->env->diag, "run stap with -g if you trust this one");
	}
	return t;
}

static bool starts_item(enum token_kind k)
{
	return k == KW_PROBE || k == KW_GLOBAL || k == KW_FUNCTION || k == KW_PRIVATE;
}

/* To the next token that can start an item: a keyword that is neither a member nor part of a probe point. */
static void recover(struct parser *p)
{
	while (!parser_at(p, TK_EOF)) {
		if (starts_item(parser_tok(p)->kind) && p->last_kind != OP_ARROW &&
		    p->last_kind != OP_DOT)
			return;
		parser_take(p);
	}
}

static bool guarded_item(struct parser *p)
{
	if (setjmp(p->panic)) {
		p->open = NULL;
		p->depth = 0;
		return false;
	}
	parse_item(p);
	return true;
}

static void parser_init(struct parser *p, struct parse_env *env, struct source *src)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->env = env;
	p->file = arena_new(env->arena, struct ast_file);
	p->file->src = src;
	p->file->arena = env->arena;
	for (i = 0; i < 32; i++)
		if (print_name(i))
			p->print_names[i] = strtab_intern(env->names, print_name(i));
	preproc_init(&p->pp, env, src);
}

struct ast_file *parse_file(struct parse_env *env, struct source *src)
{
	unsigned int before = env->diag->errors;
	struct ast_file *f;
	struct parser p;

	parser_init(&p, env, src);
	parser_peek(&p, 0);
	while (!parser_at(&p, TK_EOF))
		if (!guarded_item(&p))
			recover(&p);
	f = p.file;
	if (!src->library && env->diag->errors == before && !f->globals.n && !f->functions.n &&
	    !f->probes.n && !f->aliases.n && !f->embeds.n) {
		diag_error(env->diag, TAG_EMPTY_SCRIPT, (struct span){ src, 0, 0 },
			   p.pp.seen ? "nothing is left of the script after preprocessing"
				     : "the script is empty");
		diag_hint(env->diag,
			  "a script needs at least one probe, as in: probe begin { exit() }");
	}
	preproc_fini(&p.pp);
	return f;
}
