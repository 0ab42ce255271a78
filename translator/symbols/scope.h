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

#endif
