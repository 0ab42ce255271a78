/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The syntax tree of one source file. Lives in the arena given to parse_file(); names are interned
 * in the session's string table, so equal names are equal pointers. Pass 2 annotates expressions
 * (type, sym) but never rewrites what was parsed.
 */
#ifndef SPILE_PARSE_AST_H
#define SPILE_PARSE_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"
#include "base/strtab.h"

/* How deep statements and expressions may nest; more is E-LIMIT. */
#define PARSE_MAX_DEPTH 1000

/* Script types. A symbol starts UNKNOWN and is settled by inference. */
enum script_type { T_UNKNOWN, T_LONG, T_STRING, T_STATS, T_VOID };

enum expr_kind {
	E_NUMBER, /* num */
	E_STRING, /* str */
	E_SYMBOL, /* name */
	E_INDEX, /* name, args: A[i, j]; an argument of kind E_STAR for a slice's '*' */
	E_STAR,
	E_CALL, /* name, args */
	E_UNARY, /* op, a: - + ! ~ */
	E_PREINC, E_PREDEC, E_POSTINC, E_POSTDEC, /* a */
	E_BINARY, /* op, a, b: arithmetic, shifts, bitwise, '.', comparisons, =~ !~ */
	E_ANDAND, E_OROR, /* a, b */
	E_COND, /* a ? b : c */
	E_ASSIGN, /* op, a, b: = += -= *= /= %= <<= >>= &= ^= |= .= <<< */
	E_IN, /* args in name: [e, *] in A */
	E_STAT, /* stat_op, a (the aggregate), args: literal parameters (shift; lo, hi, width) */
	E_PRINT, /* print */
	E_TARGET, /* name "$var" with suffixes: members, index, address_of, pretty */
	E_ATOP, /* op, name "@cast", "@var", "@defined", "@entry" ...; args; suffixes as E_TARGET */
	E_SUFFIXED, /* a with suffixes: x->m, f()[i] (autocast); @hist_log(x)[i] has an E_STAT as a */
	E_EMBEDDED, /* str: the C text of %{ %} */
};

enum bin_op {
	B_ADD, B_SUB, B_MUL, B_DIV, B_MOD, B_AND, B_OR, B_XOR, B_SHL, B_SHR, B_USHR, B_CAT,
	B_LT, B_LE, B_GT, B_GE, B_EQ, B_NE, B_MATCH, B_NOMATCH,
	B_NONE, /* plain = of E_ASSIGN */
	B_STAT, /* <<< of E_ASSIGN */
};

enum un_op { U_PLUS, U_MINUS, U_NOT, U_COMPL };

enum stat_op {
	S_COUNT, S_SUM, S_MIN, S_MAX, S_AVG, S_VARIANCE, S_HIST_LOG, S_HIST_LINEAR, S_NONE
};

/* op of E_ATOP. An unknown name is neither operator nor macro; str is then the name that was meant, or NULL. */
enum atop { ATOP_KNOWN, ATOP_UNKNOWN };

/* print family: what is appended and where it goes. */
enum print_flags {
	P_STRING = 1, /* sprint...: yields a string */
	P_NEWLINE = 2, /* ...ln */
	P_DELIM = 4, /* printd...: first argument is the delimiter */
	P_FORMAT = 8, /* printf: first argument is the format */
	P_CHAR = 16, /* print_char */
};

struct expr;
typedef VEC(struct expr *) expr_vec;

/* ->name, [index], trailing $ or $$ */
enum suffix_kind { SUF_MEMBER, SUF_INDEX, SUF_PRETTY };
struct suffix {
	enum suffix_kind kind;
	const char *name; /* SUF_MEMBER */
	struct expr *index; /* SUF_INDEX */
	int depth; /* SUF_PRETTY: 1 or 2 */
	struct span at;
};

struct expr {
	enum expr_kind kind;
	struct span at; /* whole expression */
	struct span op_at; /* the operator or name: what run-time errors point at */
	uint8_t op; /* bin_op, un_op, stat_op or print_flags */
	bool address_of; /* &$var->m */
	bool synthetic; /* made by pass 2: may call what scripts may not */
	uint16_t height; /* of the tree below, at most PARSE_MAX_DEPTH: bounds every recursion over it */
	enum script_type type; /* by pass 2 */
	const char *name;
	int64_t num;
	const char *str; /* E_STRING, E_EMBEDDED: unescaped bytes, NUL-terminated */
	uint32_t str_len;
	struct expr *a, *b, *c;
	expr_vec args;
	VEC(struct suffix) suffixes;
	void *sym; /* by pass 2: what the name refers to */
};

enum stmt_kind {
	ST_NULL, ST_BLOCK, ST_EXPR, ST_IF, ST_WHILE, ST_FOR, ST_FOREACH, ST_RETURN, ST_BREAK,
	ST_CONTINUE, ST_NEXT, ST_DELETE, ST_TRY,
};

struct stmt;
typedef VEC(struct stmt *) stmt_vec;

struct stmt {
	enum stmt_kind kind;
	struct span at;
	stmt_vec body; /* ST_BLOCK */
	struct expr *e; /* ST_EXPR, condition, returned value, deleted lvalue */
	struct expr *init, *step; /* ST_FOR; each may be NULL, so may e */
	struct stmt *then, *otherwise; /* branches; then is also the loop body and try body */
	/* ST_FOREACH */
	expr_vec keys; /* E_SYMBOL each */
	struct expr *value; /* E_SYMBOL or NULL: foreach (v = k in A) */
	struct expr *array; /* E_SYMBOL, E_INDEX with E_STAR parts (slice), or E_STAT (histogram) */
	int sort_dir; /* 0 none, 1 ascending, -1 descending */
	int sort_key; /* 1..n: that key; 0: by value */
	enum stat_op sort_stat; /* A @count+: S_NONE when not written */
	struct expr *limit;
	/* ST_TRY */
	struct expr *catch_var; /* E_SYMBOL or NULL */
};

/* One global. */
struct ast_global {
	const char *name;
	struct span at;
	bool is_private;
	bool wrap; /* name% */
	int64_t size; /* name[N]; 0: not written */
	struct span size_at;
	struct expr *init; /* E_NUMBER or E_STRING, or NULL */
};

struct ast_param {
	const char *name;
	enum script_type type; /* T_UNKNOWN: not written */
	struct span at;
};

struct ast_function {
	const char *name;
	struct span at, name_at;
	bool is_private;
	VEC(struct ast_param) params;
	enum script_type ret_type; /* T_UNKNOWN: not written */
	int64_t priority; /* -1: not written */
	bool has_next; /* may hand its call on to another of that name */
	struct stmt *body; /* NULL: embedded C */
	const char *embedded;
	struct span embedded_at;
};

/* One component of a probe point: name or name(literal). */
struct pp_component {
	const char *name; /* may hold '*' */
	struct span at, arg_at;
	enum { PP_NOARG, PP_NUM, PP_STR } arg;
	int64_t num;
	const char *str;
};

struct probe_point {
	VEC(struct pp_component) comps;
	bool optional, sufficient; /* '?', '!' ('!' implies optional) */
	struct expr *cond; /* if (...) or NULL */
	struct span at;
};

struct ast_probe {
	struct span at;
	/* points, brace groups already expanded in cartesian order */
	VEC(struct probe_point *) points;
	struct stmt *body;
	/* aliases: probe NAME [= NAME...] = points { prologue } [, { epilogue }] or += { epilogue } */
	VEC(struct probe_point *) alias_names; /* empty: a plain probe */
	bool is_private;
	struct stmt *epilogue; /* NULL, or the block after "," or of "+=" (then body is NULL) */
};

struct ast_file {
	struct source *src;
	struct arena *arena;
	VEC(struct ast_global *) globals;
	VEC(struct ast_function *) functions;
	VEC(struct ast_probe *) probes;
	VEC(struct ast_probe *) aliases;
	VEC(struct expr *) embeds; /* top-level %{ %}: E_EMBEDDED */
};

/* Canonical text of a probe point: kernel.trace("sched_switch"), timer.s(1)?, ... */
struct buf;
void ast_print_point(struct buf *out, const struct probe_point *pp);
void ast_print_expr(struct buf *out, const struct expr *e);
void ast_print_file(struct buf *out, const struct ast_file *f); /* -p1 */

/* Spelling tables shared by printer, lowering and messages. */
const char *bin_op_text(enum bin_op op); /* "+" ... */
const char *un_op_text(enum un_op op);
const char *stat_op_text(enum stat_op op); /* "@count" ... */
const char *script_type_text(enum script_type t); /* "long", "string", "stats", "unknown", "void" */
const char *print_name(unsigned int flags); /* "printf" ... */

#endif
