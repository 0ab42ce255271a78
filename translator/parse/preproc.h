/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layer between lexer and parser, in two: macros (macro.c) read what the lexer or an expansion gives and
 * expand it; conditionals (cond.c) read that and drop what does not hold. So a condition may use macros, and a
 * macro's body may hold conditionals. Nothing here recurses: expansions stand on a stack of their own.
 */
#ifndef SPILE_PARSE_PREPROC_H
#define SPILE_PARSE_PREPROC_H

#include "lex.h"

#define MACRO_MAX_DEPTH 200 /* of uses within macros */
#define MACRO_MAX_TOKENS 1000000 /* that all expansions of a file may give */
#define MACRO_BUCKETS 256u

/* A macro. Lives in the arena, unchanged from its definition on. */
struct pp_macro {
	const char *name; /* "@name", interned */
	struct span at; /* of the name where it is defined */
	bool library; /* sees macros of the library only */
	bool called; /* has a list of parameters, maybe an empty one */
	VEC(const char *) params; /* "@param", interned */
	VEC(struct token) body;
	struct pp_macro *next; /* in its bucket */
};

/* One use of a macro: what the names in its body mean. */
struct pp_scope {
	const struct pp_macro *macro;
	const struct pp_scope *outer; /* where the use is written; NULL: in the file itself */
	const struct pp_slice *args;
	struct source *seen; /* the body's text as seen through this use */
	unsigned int depth;
};

/* Tokens to be read, and the scope that they were written in. */
struct pp_slice {
	const struct token *v;
	uint32_t n;
	const struct pp_scope *scope;
};

struct pp_frame {
	struct pp_slice slice;
	uint32_t pos;
	struct pp_frame *below;
};

/* A conditional whose arm is being read. */
struct pp_cond {
	struct token open;
	bool otherwise; /* in the arm behind %: */
	struct pp_cond *outer;
};

struct preproc {
	struct lexer lex;
	struct parse_env *env;
	const char *define; /* "@define", interned */
	struct pp_frame *frames; /* innermost expansion first */
	struct pp_frame *spare; /* for use again */
	struct pp_macro *macros[MACRO_BUCKETS]; /* of this file */
	macro_vec defined; /* the same, in order */
	uint32_t expanded; /* tokens given by expansions */
	bool held_back; /* @held comes before what the lexer gives */
	struct token held;
	struct pp_cond *conds; /* innermost first */
	uint32_t seen; /* tokens and definitions met: tells an empty file from one that nothing is left of */
};

void preproc_init(struct preproc *pp, struct parse_env *env, struct source *src);
void preproc_fini(struct preproc *pp);
/* The parser's only source of tokens: macros expanded, conditionals decided. */
void preproc_next(struct preproc *pp, struct token *t);
/* Counts an error that was reported and makes @t what the parser gives up at. */
void preproc_fail(struct preproc *pp, struct token *t);

/* preproc.c: the next token as written, of the innermost expansion or of the file. */
void preproc_raw(struct preproc *pp, struct token *t);
/* Makes a slice what is read next. */
void preproc_push(struct preproc *pp, struct pp_slice slice);

/* macro.c: the next token with macros expanded and definitions taken in. */
void macro_next(struct preproc *pp, struct token *t);
/* Every macro that the text could mean, for "did you mean". */
void macro_near(const struct preproc *pp, struct near_match *m);

/* cond_eval.c: reads and evaluates a condition up to %?. False after an error, which was reported. */
bool cond_evaluate(struct preproc *pp, bool *holds);

#endif
