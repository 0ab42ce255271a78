/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Type paths: how a place within a structure of the kernel is named, so that it can be found again in another kernel.
 *
 *	struct file 232.f_path@1216 struct path 16.dentry@64 *
 *
 * reads: in a struct file of 232 bytes the member f_path, from bit 1216 on, is a struct path of 16 bytes, whose member
 * dentry, from its bit 64 on, is a pointer. A path of a type alone has no members. Members of anonymous structures stand
 * as if they were members of what surrounds these. Types: "struct NAME BYTES" and "union NAME BYTES" ("-" when anonymous),
 * "*" (pointer), "i4" "u4" (integers), "b1" (boolean), "e4" (enumeration), "f8" (floating point), all after any "[N]"
 * (array of). A bit field has its size in bits behind the place: "flags@5:3 u4".
 *
 * Behind "fixed " is what can not be found again: the structure has no name, or the name is not that of one structure
 * only. Such code is good for the kernel it was compiled for.
 */
#ifndef SPILE_IR_LAYOUT_H
#define SPILE_IR_LAYOUT_H

#include "ir/ir.h"

#define IR_PATH_MAX 32 /* members; the relocations of eBPF take 64 */
#define IR_PATH_DIMS 4
#define IR_PATH_FIXED "fixed "

struct ir_name {
	const char *s; /* within the path's text; NULL: none */
	uint32_t n;
};

struct ir_ctype {
	char kind; /* '*' 'i' 'u' 'b' 'e' 'f', 's' struct, 'n' union */
	struct ir_name name; /* of a struct or union */
	uint32_t size; /* bytes, of one element */
	uint32_t ndims, dims[IR_PATH_DIMS];
};

struct ir_path_step {
	struct ir_name member;
	uint32_t bit, bits; /* from the start of what holds it; size of a bit field, else 0 */
	struct ir_ctype type;
};

struct ir_path {
	bool fixed;
	struct ir_ctype root;
	uint32_t n;
	struct ir_path_step steps[IR_PATH_MAX];
};

/* False: malformed. The names point into @text. */
bool ir_path_parse(const char *text, struct ir_path *out);

static inline bool ir_name_is(struct ir_name a, const char *b)
{
	return a.s && !__builtin_strncmp(a.s, b, a.n) && !b[a.n];
}

#endif
