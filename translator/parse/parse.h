/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pass 1: text to tree. */
#ifndef SPILE_PARSE_PARSE_H
#define SPILE_PARSE_PARSE_H

#include "ast.h"
#include "base/diag.h"

/* What the text may refer to. All pointers are borrowed and must outlive the tree. */
struct parse_env {
	struct arena *arena;
	struct strtab *names;
	struct diag *diag;
	int argc; /* script arguments: $1 is argv[0] */
	char *const *argv;
	bool *arg_used; /* argc flags, set when an argument is pasted; may be NULL */
	bool privileged; /* -g or a library file: embedded C is accepted */
};

/*
 * Parses one source. Always returns a tree (of what could be parsed); errors are in env->diag.
 * Nesting deeper than 1,000 levels is an error (E-LIMIT), never a stack overflow.
 */
struct ast_file *parse_file(struct parse_env *env, struct source *src);

#endif
