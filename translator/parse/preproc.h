/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layer between lexer and parser that macros and conditionals belong to. */
#ifndef SPILE_PARSE_PREPROC_H
#define SPILE_PARSE_PREPROC_H

#include "lex.h"

struct preproc {
	struct lexer lex;
	const char *define; /* "@define", interned */
};

void preproc_init(struct preproc *pp, struct parse_env *env, struct source *src);
void preproc_fini(struct preproc *pp);
/* The parser's only source of tokens. */
void preproc_next(struct preproc *pp, struct token *t);

#endif
