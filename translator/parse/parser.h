/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parser's files share. A syntax error is reported by parser_fail(), which does not return: it goes
 * back to parse_file(), which goes on at the next top-level item. So every other function here can
 * take success for granted. All memory is the arena's, and nothing needs undoing but what parse_file() resets.
 */
#ifndef SPILE_PARSE_PARSER_H
#define SPILE_PARSE_PARSER_H

#include <setjmp.h>

#include "preproc.h"

#define PARSER_AHEAD 4 /* tokens that can be looked at; a power of two */

/* A bracket that waits to be closed; lives in the stack frame of who opened it. */
struct bracket {
	struct token open;
	struct bracket *outer;
};

struct parser {
	struct preproc pp;
	struct parse_env *env;
	struct ast_file *file;
	struct token win[PARSER_AHEAD]; /* ring: win[head & 3] is the current token */
	unsigned int head, count; /* count is at least 1 */
	struct span last; /* of the token taken last */
	enum token_kind last_kind;
	struct bracket *open; /* innermost */
	unsigned int depth;
	bool saw_next; /* a "next" since the function being parsed began */
	const char *print_names[32]; /* interned, by enum print_flags */
	jmp_buf panic;
};

/* parser.c: tokens */
static inline const struct token *parser_tok(const struct parser *p)
{
	return &p->win[p->head & (PARSER_AHEAD - 1)];
}

static inline bool parser_at(const struct parser *p, enum token_kind k)
{
	return parser_tok(p)->kind == k;
}

const struct token *parser_peek(struct parser *p, unsigned int ahead); /* 0: the current one */
struct token parser_take(struct parser *p);
bool parser_accept(struct parser *p, enum token_kind k);
/* Takes a token of the kind, or fails with "expected 'k' @where, found ...". */
struct token parser_expect(struct parser *p, enum token_kind k, const char *where);
/* "expected @what, found ..." at the current token. */
void parser_fail(struct parser *p, const char *what) __attribute__((noreturn));
void parser_panic(struct parser *p) __attribute__((noreturn)); /* after a report of one's own */
void parser_error(struct parser *p, enum diag_tag tag, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5))); /* counted; returns */
void parser_open(struct parser *p, struct bracket *b, enum token_kind k, const char *where);
struct span parser_close(struct parser *p, struct bracket *b);
void parser_enter(struct parser *p); /* one level deeper; E-LIMIT when too deep */
static inline void parser_leave(struct parser *p)
{
	p->depth--;
}

bool token_is_name(const struct token *t); /* an identifier that is no $target and no @operator */
bool token_is_word(const struct token *t); /* the same, or a keyword */
int64_t parser_number(struct parser *p, const struct token *t); /* reports E-NUMBER */
/* A string of one or more adjacent literals. */
struct token parser_string(struct parser *p);
/* [-]number or string: what declarations and probe points take. Fails at anything else. */
struct expr *parser_literal(struct parser *p, const char *what);
const char *parser_word(struct parser *p,
			const struct token *t); /* a keyword's spelling, interned */

/* parse_expr.c, parse_value.c */
struct expr *expr_new(struct parser *p, enum expr_kind kind, struct span at);
struct expr *expr_seal(struct parser *p, struct expr *e); /* when its children are set */
struct expr *parse_expr(struct parser *p);
struct expr *parse_value(struct parser *p); /* operands, with calls, indices and members */
void parse_index_list(struct parser *p, struct expr *e); /* [a, *, b] into e->args */

bool parse_is_operator(const struct parse_env *env, const char *name); /* "@count" ... */

/* parse_stmt.c */
struct stmt *parse_block(struct parser *p);
struct stmt *parse_stmt(struct parser *p);
struct stmt *parse_foreach(struct parser *p);

/* parse_decl.c, parse_probe.c */
void parse_item(struct parser *p);
void parse_probe(struct parser *p, bool is_private, struct span first);
/* Embedded C at the current token, with the check that it is allowed. */
struct token parser_embedded(struct parser *p);

#endif
