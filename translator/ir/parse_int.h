/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between parse.c (lines of a module) and parse_insn.c (lines of a function). */
#ifndef SPILE_IR_PARSE_INT_H
#define SPILE_IR_PARSE_INT_H

#include "ir_int.h"

struct ir_parser {
	struct ir_module *m;
	const char *next; /* start of the next line */
	char *line, *at; /* a copy of the current line, where reading stands */
	uint32_t lineno;
	const char *err; /* the first complaint, "line N: ..." */
	struct ir_func *f; /* inside a function */
};

bool text_fail(struct ir_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Tokens of the line. Each skips blanks first; those that return bool complain when the token is
 * not there.
 */
bool text_end(struct ir_parser *p); /* only blanks and a ';' comment are left */
bool text_try(struct ir_parser *p, const char *symbol); /* takes it when it is there */
bool text_expect(struct ir_parser *p, const char *symbol);
/* The next word ends at a blank or one of ",()[]"; NULL when there is none. */
char *text_word(struct ir_parser *p);
bool text_num(struct ir_parser *p, int64_t *out);
bool text_index(struct ir_parser *p, const char *sigil,
		uint32_t *out); /* sigil and a number: %3 b0 #1 */
const char *
text_string(struct ir_parser *p); /* a quoted string, in the arena; NULL after a complaint */
bool text_type(struct ir_parser *p, enum ir_type *out);
bool text_global(struct ir_parser *p, uint32_t *out); /* @name */
bool text_func(struct ir_parser *p, uint32_t *out);
bool text_loc(struct ir_parser *p, uint32_t *out); /* optional @"..." */
/* Position in a table of names; @n when it is not there. */
uint32_t text_find(const char *const *names, uint32_t n, const char *name);

/* One instruction, for the last block. */
bool text_insn(struct ir_parser *p);

#endif
