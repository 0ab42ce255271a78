/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A place in a function. Private to symbols/. */
#ifndef SPILE_SYMBOLS_SCOPE_H
#define SPILE_SYMBOLS_SCOPE_H

#include "symbols/object.h"

struct sym_scope {
	struct sym_object *obj;
	struct sym_func func;
	uint64_t pc;
	bool at_return;
	Dwarf_Die die; /* the function, or its inlined instance */
	Dwarf_Die frame; /* the function whose frame it runs in */
	Dwarf_Attribute *attr; /* of the location being translated */
	unsigned int depth; /* of locations within locations */
};

/* expr.c: a DWARF expression as a location. NULL, or why it cannot be one. */
const char *expr_location(struct sym_scope *sc, const Dwarf_Op *ops, size_t n, struct sym_loc *out);
const char *expr_constant(struct sym_scope *sc, Dwarf_Attribute *attr, struct sym_loc *out);
/* What lies @offset bytes from the frame address. */
const char *expr_frame(struct sym_scope *sc, int64_t offset, struct sym_loc *out);
/* Whether the place is the first instruction of the function whose frame it is in. */
bool scope_at_entry(struct sym_scope *sc);
/* Appends a piece that is the value of a register, of @bits (0: all). */
void expr_register(struct sym_scope *sc, struct sym_loc *out, int reg, uint32_t bits);

/*
 * abi.c: where a parameter is at the first instruction. The registers hold its words, low end first.
 */
#define ABI_VECTOR (-1)
struct abi_place {
	enum { ABI_UNKNOWN, ABI_REGISTERS, ABI_MEMORY } where;
	uint32_t nregs;
	int reg[2]; /* DWARF numbers, or ABI_VECTOR */
	uint64_t stack; /* bytes from the frame address on */
};
struct abi_place abi_locate(struct sym_scope *sc, const struct sym_var *v);
/* Where a function has left its result; in memory, the first register holds the address. */
struct abi_place abi_result(const struct sym_type *t);

#endif
