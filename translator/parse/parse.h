/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pass 1: text to tree. */
#ifndef SPILE_PARSE_PARSE_H
#define SPILE_PARSE_PARSE_H

#include "ast.h"
#include "base/diag.h"

struct pp_macro;

/* What %( %) conditionals ask about: the target that the script is translated for. */
struct parse_facts {
	const char *kernel_vr, *kernel_v; /* "6.1.0-56-cloud-amd64", "6.1.0" */
	const char *arch; /* x86_64, i386, arm64 ... */
	const char *privilege; /* stapdev, stapsys, stapusr */
	bool guru;
	/* Name of the runtime; it may be chosen when first asked for. */
	const char *(*runtime)(void *arg);
	/* Value of CONFIG_x, "" when it is not set; NULL when the configuration is not known, which was reported. */
	const char *(*config)(void *arg, const char *name);
	void *arg;
};

/* What the text may refer to. All pointers are borrowed and must outlive the tree. */
struct parse_env {
	struct arena *arena;
	struct strtab *names;
	struct diag *diag;
	int argc; /* script arguments: $1 is argv[0] */
	char *const *argv;
	bool *arg_used; /* argc flags, set when an argument is pasted; may be NULL */
	const char *program_dir; /* where programs named without a folder are; NULL: anywhere */
	bool privileged; /* -g or a library file: embedded C is accepted */
	const struct parse_facts *facts; /* NULL: conditionals about the target are errors */
	bool newest; /* a library file: written in the whole language, whatever scripts are to be like */
	const char *compatible; /* --compatible: SystemTap's version to be like; NULL: SPILE_LIKE */
	/* A macro ("@name", interned) of the library, or NULL. May be NULL. */
	const struct pp_macro *(*find_macro)(void *arg, const char *name);
	void (*near_macro)(void *arg, struct near_match *near); /* tries their names; may be NULL */
	void *macro_arg;
};

/* The SystemTap release whose language this is. */
#define SPILE_LIKE "5.6"

/* Whether the language of release @since and later is wanted. */
bool parse_compatible(const struct parse_env *env, const char *since);

/* Parses a macro library: definitions only. Appends to @macros, in order. */
typedef VEC(const struct pp_macro *) macro_vec;
void parse_macros(struct parse_env *env, struct source *src, macro_vec *macros);
/* A macro that stands for a number, defined by the translator itself. */
const struct pp_macro *macro_number(struct parse_env *env, const char *name, int64_t value);
const char *macro_name(const struct pp_macro *m); /* "@name", interned */
struct span macro_place(const struct pp_macro *m);

/*
 * Parses one source. Always returns a tree (of what could be parsed); errors are in env->diag.
 * Nesting deeper than 1,000 levels is an error (E-LIMIT), never a stack overflow.
 */
struct ast_file *parse_file(struct parse_env *env, struct source *src);

#endif
