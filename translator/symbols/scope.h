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
};

/* abi.c: where a parameter is at the first instruction; in memory, debug information is right from the start. */
enum abi_place { ABI_UNKNOWN, ABI_REGISTER, ABI_VECTOR, ABI_MEMORY };
enum abi_place abi_locate(struct sym_scope *sc, const struct sym_var *v, int *reg);

#endif
