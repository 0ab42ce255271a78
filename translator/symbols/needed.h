/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which libraries an object asks for, where it wants them looked for, and the loader's own list of what is installed. */
#ifndef SPILE_SYMBOLS_NEEDED_H
#define SPILE_SYMBOLS_NEEDED_H

#include "symbols/elf.h"

typedef VEC(const char *) text_vec;

struct elf_needs {
	text_vec names; /* DT_NEEDED, in order */
	const char *rpath, *runpath; /* folders between colons; NULL: none */
	const char *soname, *interpreter; /* NULL: none */
};
void elf_read_needs(struct elf_file *f, struct arena *a, struct elf_needs *out);

/* Where the bytes of an ld.so.cache say that a library for this machine is; NULL: nowhere. */
const char *ldcache_find(struct arena *a, const void *bytes, size_t len, const char *name);

#endif
