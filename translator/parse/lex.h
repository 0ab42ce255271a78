/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to tokens. Script arguments ($1 @1 $# @#) are pasted here, where a token starts; what the
 * preprocessor knows (macros, conditionals) is not: it wraps lex_next().
 */
#ifndef SPILE_PARSE_LEX_H
#define SPILE_PARSE_LEX_H

#include "base/buf.h"
#include "parse.h"

enum token_kind {
	TK_EOF,
	TK_JUNK, /* not a token; the error is reported already */
	TK_IDENT, /* name; $names and @names too */
	TK_NUMBER, /* name is its text, num its value if num_ok */
	TK_STRING, /* str, len: unescaped */
	TK_EMBEDDED, /* str, len: what is between %{ and %} */
	TK_BADARG, /* $9 without a ninth argument: name is its text; lex_report_argument() tells why */
#define KEYWORD(id, text) KW_##id,
#define OP(id, text) OP_##id,
#include "tokens.def"
#undef KEYWORD
#undef OP
	TK_COUNT
};

#define KW_FIRST KW_PROBE
#define KW_LAST KW_CATCH
#define OP_FIRST OP_STAT

struct token {
	enum token_kind kind;
	bool space; /* white space or a comment came before it */
	bool num_ok; /* TK_NUMBER in range and well formed: judged when it is used, not when it is read */
	uint32_t len;
	struct span at;
	const char *name; /* interned */
	const char *str;
	int64_t num;
};

struct lexer {
	struct parse_env *env;
	struct source *src;
	const char *p, *end; /* what is being read: the source, or the paste buffer */
	/*
	 * The paste buffer: an argument's text, then the rest of the line behind the $1, so that a token may
	 * begin in one and end in the other. Reading goes back to the source at the first token past the argument.
	 */
	bool pasting;
	struct buf paste;
	uint32_t paste_len; /* of the argument */
	uint32_t resume; /* source offset behind the $1 */
	struct span paste_at;
	int budget; /* errors left before the lexer answers TK_EOF for good */
	bool skipping; /* the text is not used: no argument is pasted, no error reported */
	const char *keyword[KW_LAST - KW_FIRST + 1]; /* interned */
	uint8_t op_first[128]; /* first row of tokens.def for a byte, 0: none */
};

void lex_init(struct lexer *l, struct parse_env *env, struct source *src);
void lex_fini(struct lexer *l);
/*
 * The place of bytes @from to @to of a string literal's text, where it stands in the source at @at. All
 * of @at when that is no plain literal.
 */
struct span lex_place_in_string(struct span at, uint32_t from, uint32_t to);
void lex_next(struct lexer *l, struct token *t);
/*
 * Reports a TK_BADARG and makes it the number 0 or the string "", so that one missing argument is one message.
 * Apart from lexing, because what a conditional skips may name arguments that are not there.
 */
void lex_report_argument(struct lexer *l, struct token *t);
/* Spends one error; false (and a note, once) when the budget is used up. Called after the report. */
void lex_count_error(struct lexer *l);
/* Spelling of a fixed token ("probe", "<<<"), or a description ("a number"). */
const char *token_kind_text(enum token_kind k);

#endif
