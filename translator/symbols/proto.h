/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of kernel functions and tracepoints as one line of text, which is made where a script is compiled and again
 * where it is loaded:
 *
 *	1 file *struct file;2 buf *i1;3 count u8;4 pos *i8;= i8
 *
 * is the place, name and type of each; "=" is the result. Places count from 1: of a function's integer registers, then the
 * words of its stack; of a tracepoint its arguments. "-" is what is in no such place or in several. Types: "i4", "u4" and "e4"
 * (integers by bytes and sign, enumerations), "*" and what it points to (two levels), "struct NAME" and
 * "union NAME" (by value; "-" when anonymous), "[]" an array, "()" a function, "void".
 */
#ifndef SPILE_SYMBOLS_PROTO_H
#define SPILE_SYMBOLS_PROTO_H

#include "symbols/btf.h"

/* NULL: @id is no function, nor a typedef of a pointer to one. */
const char *proto_text(const struct kbtf *b, struct arena *a, uint32_t id, bool tracepoint);
/* The function that a tracepoint calls, or its type; 0: there is no such tracepoint in @b. */
uint32_t proto_tracepoint(const struct kbtf *b, const char *name);

/*
 * The places of @n parameters, from 1; 0: in no place, or in several. @ret: the type of the result, since a long
 * structure takes a register, too.
 */
void proto_places(const struct kbtf *b, const struct kbtf_param *p, int n, uint32_t ret, uint32_t *place);

struct proto_entry {
	const char *name, *type; /* within the line */
	int name_len, type_len;
};
/* The entry with this place; @place 0: the result. False: there is none. */
bool proto_entry(const char *line, uint32_t place, struct proto_entry *out);
/* The place of the parameter with @e's name; 0: there is none. */
uint32_t proto_place_of(const char *line, const struct proto_entry *e);

#endif
