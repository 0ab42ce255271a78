/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spellings of what the tree holds as numbers. */
#include "ast.h"

#define LOOKUP(table, i)                                                                           \
	((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[(size_t)(i)] : NULL)

const char *bin_op_text(enum bin_op op)
{
	static const char *const texts[] = {
		[B_ADD] = "+",  [B_SUB] = "-",    [B_MUL] = "*",    [B_DIV] = "/",
		[B_MOD] = "%",  [B_AND] = "&",    [B_OR] = "|",     [B_XOR] = "^",
		[B_SHL] = "<<", [B_SHR] = ">>",   [B_USHR] = ">>>", [B_CAT] = ".",
		[B_LT] = "<",   [B_LE] = "<=",    [B_GT] = ">",     [B_GE] = ">=",
		[B_EQ] = "==",  [B_NE] = "!=",    [B_MATCH] = "=~", [B_NOMATCH] = "!~",
		[B_NONE] = "=", [B_STAT] = "<<<",
	};

	return LOOKUP(texts, op);
}

const char *un_op_text(enum un_op op)
{
	static const char *const texts[] = {
		[U_PLUS] = "+", [U_MINUS] = "-", [U_NOT] = "!", [U_COMPL] = "~"
	};

	return LOOKUP(texts, op);
}

const char *stat_op_text(enum stat_op op)
{
	static const char *const texts[] = {
		[S_COUNT] = "@count",
		[S_SUM] = "@sum",
		[S_MIN] = "@min",
		[S_MAX] = "@max",
		[S_AVG] = "@avg",
		[S_VARIANCE] = "@variance",
		[S_HIST_LOG] = "@hist_log",
		[S_HIST_LINEAR] = "@hist_linear",
		[S_NONE] = "",
	};

	return LOOKUP(texts, op);
}

const char *script_type_text(enum script_type t)
{
	static const char *const texts[] = {
		[T_UNKNOWN] = "unknown", [T_LONG] = "long", [T_STRING] = "string",
		[T_STATS] = "stats",     [T_VOID] = "void",
	};

	return LOOKUP(texts, t);
}

/* NULL for flags that no function of the family has. */
const char *print_name(unsigned int flags)
{
	static const char *const texts[] = {
		[0] = "print",
		[P_NEWLINE] = "println",
		[P_DELIM] = "printd",
		[P_DELIM | P_NEWLINE] = "printdln",
		[P_FORMAT] = "printf",
		[P_CHAR] = "print_char",
		[P_STRING] = "sprint",
		[P_STRING | P_NEWLINE] = "sprintln",
		[P_STRING | P_DELIM] = "sprintd",
		[P_STRING | P_DELIM | P_NEWLINE] = "sprintdln",
		[P_STRING | P_FORMAT] = "sprintf",
	};

	return LOOKUP(texts, flags);
}
