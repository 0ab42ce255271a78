/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stubs through which an object calls functions of others: its procedure linkage table. */
#ifndef SPILE_SYMBOLS_PLT_H
#define SPILE_SYMBOLS_PLT_H

#include "symbols/elf.h"

struct plt_entry {
	const char *name; /* of the function called, in the arena */
	uint64_t addr; /* link-time address of the stub */
};
typedef VEC(struct plt_entry) plt_vec;

/* In the order of the file. */
void elf_plt(struct elf_file *f, struct arena *a, plt_vec *out);

#endif
