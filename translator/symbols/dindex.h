/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of one binary's debug information: what would otherwise need a walk over all of its DWARF. One block
 * of memory, the same on disk as in use, mapped read-only:
 *
 *	header, then the sections of enum dx_section, each 8-byte aligned
 *
 * It is host-endian and only read by the user who wrote it. A file that was cut off, or whose debug file
 * has changed, is not used; every place inside is checked before it is followed, so that a damaged one yields
 * wrong answers at worst.
 */
#ifndef SPILE_SYMBOLS_DINDEX_H
#define SPILE_SYMBOLS_DINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DX_MAGIC "SPILEDX"
#define DX_VERSION 5u
#define DX_NONE UINT32_MAX

enum dx_section {
	DX_FILES, /* struct dx_file, by path */
	DX_FUNCS, /* struct dx_func, by file, line, entry */
	DX_INLINES, /* struct dx_inline, by function, entry */
	DX_BY_NAME, /* uint32_t: functions by name */
	DX_BY_ADDR, /* uint32_t: functions with code, by entry */
	DX_TYPES, /* struct dx_name: by name, tag */
	DX_ENUMERATORS, /* struct dx_name: by name; tag: unused */
	DX_GLOBALS, /* struct dx_name: by name, unit; tag: the unit's file */
	DX_UNITS, /* struct dx_unit: by file */
	DX_SYMS, /* struct dx_sym: by address, of one address the best known last */
	DX_SYMS_BY_NAME, /* uint32_t: symbols by name */
	DX_STRINGS,
	DX_NSECTIONS
};

struct dx_header {
	char magic[8];
	uint32_t version, sections;
	uint64_t size; /* of the whole file */
	uint64_t debug_mtime, debug_size; /* of the file whose DWARF this is; nanoseconds, bytes */
	struct {
		uint64_t at, n; /* bytes from the start; number of items, bytes for strings */
	} section[DX_NSECTIONS];
};

enum dx_func_flags {
	DXF_EXTERNAL = 1,
	DXF_ABSTRACT = 2, /* only inlined instances: no code of its own */
	DXF_SYMBOL = 4, /* of the symbol table, not of DWARF */
	DXF_ALIAS = 8, /* another symbol of a function that has a row of its own */
};

struct dx_file {
	uint32_t path; /* string */
	uint32_t first_func, nfuncs;
	uint32_t first_unit, nunits; /* units with lines of this file */
};
struct dx_func {
	uint64_t entry, size, die; /* die: offset in .debug_info, 0 for symbols */
	uint32_t name, file, line, flags; /* file: index in DX_FILES, or DX_NONE */
	uint32_t first_inline, ninlines;
};
struct dx_inline {
	uint64_t entry, die;
	uint32_t func, pad;
};
struct dx_name {
	uint64_t die;
	uint32_t name, tag;
};
struct dx_unit {
	uint64_t die;
	uint32_t file, pad;
};

enum dx_sym_flags {
	DXS_FUNC = 1,
	DXS_DATA = 2, /* neither: assembly and marks of the linker */
	DXS_EXTERNAL = 4, /* global or weak */
};
struct dx_sym {
	uint64_t addr, size;
	uint32_t name, flags; /* enum dx_sym_flags */
};

struct dindex {
	const char *base; /* NULL: none */
	size_t size;
	const struct dx_header *h;
};

/* Maps the index at @path if it is whole and of the debug file with this time and size. */
bool dindex_load(struct dindex *x, const char *path, uint64_t mtime, uint64_t size);
void dindex_fini(struct dindex *x);

/* A section's items and, in *@n, their number. */
const void *dindex_section(const struct dindex *x, enum dx_section s, uint32_t *n);
const char *dindex_string(const struct dindex *x, uint32_t at); /* "" for a bad place */
/* The first of the functions by name, in DX_BY_NAME, and how many there are. */
uint32_t dindex_by_name(const struct dindex *x, const char *name, uint32_t *n);
/* The function whose code holds @addr; NULL: none. */
const struct dx_func *dindex_by_addr(const struct dindex *x, uint64_t addr);
/*
 * The symbol of a function or of assembly that covers @addr: the one that starts there or nearest below it. NULL: none.
 */
const struct dx_sym *dindex_sym_at(const struct dindex *x, uint64_t addr);
/* A symbol of any kind by name: a global one where there is one. NULL: none. */
const struct dx_sym *dindex_sym(const struct dindex *x, const char *name);
/* Of DX_TYPES, DX_ENUMERATORS or DX_GLOBALS: the first of that name, and how many. */
const struct dx_name *dindex_names(const struct dindex *x, enum dx_section s, const char *name,
				   uint32_t *n);
/* DX_NONE: no such file. */
uint32_t dindex_file(const struct dindex *x, const char *path);

/* ---- building ---- */

struct Dwarf; /* of libdw */

/* A symbol, its address laid out as in the debug information. */
struct dx_symbol {
	const char *name;
	uint64_t addr, size;
	uint32_t flags; /* enum dx_sym_flags */
};

/*
 * Walks the debug information (NULL: there is none), adds the symbols of functions where it has none, and
 * appends the index to @out. @mtime, @size: of the debug file.
 */
void dindex_build(struct buf *out, struct Dwarf *dw, const struct dx_symbol *symbols, size_t nsymbols,
		  uint64_t mtime, uint64_t size);

/* Takes "./" and "x/../" out of a path: how the index spells files. */
void dindex_clean_path(const char *path, char *out, size_t size);

/* Between the two halves of building: what was found, unsorted. */
struct dx_build {
	struct buf strings;
	uint32_t *slot; /* hash of strings: place + 1 */
	uint32_t nslots, nstrings;
	struct dx_rows {
		char *v;
		size_t n, cap, item;
	} files, funcs, inlines, types, enumerators, globals, units, syms;
};
uint32_t dx_string(struct dx_build *b, const char *s);
uint32_t dx_find_string(const struct dx_build *b, const char *s); /* DX_NONE: not there */
void *dx_row(struct dx_build *b, struct dx_rows *r); /* a new, zeroed one */
void dx_build_init(struct dx_build *b);
void dx_build_fini(struct dx_build *b);
/* Sorts, links and appends the finished index. @origins[inline.func]: the DIE of the function an instance is of. */
void dindex_write(struct buf *out, struct dx_build *b, const uint64_t *origins, uint64_t mtime,
		  uint64_t size);

#endif
