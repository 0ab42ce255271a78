/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions and sections of a linked ELF object, read straight from the mapped file. Only 64-bit
 * objects of this machine: the others cannot be probed by these runtimes. Every offset of the file
 * is checked before it is followed.
 */
#ifndef SPILE_SYMBOLS_ELF_H
#define SPILE_SYMBOLS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct elf_file;

/* NULL, with *@why set to a message such as "not an ELF file", when the file cannot be used. */
struct elf_file *elf_open(struct arena *a, const char *path, const char **why);
/* The same for a file that is in memory, which must outlive the result. */
struct elf_file *elf_open_bytes(struct arena *a, const void *bytes, size_t len, const char **why);
void elf_close(struct elf_file *f);

struct elf_func {
	const char *name; /* without a version suffix; lives in the arena */
	uint64_t addr; /* virtual address in the object */
	uint64_t offset; /* in the file: what a uprobe takes */
	uint64_t size;
};

/*
 * The functions defined in the object, sorted by offset then name, each (name, offset) once. Of
 * .symtab and .dynsym; a stripped object's separate debug file is used when it is installed under
 * its build id.
 */
const struct elf_func *elf_funcs(struct elf_file *f, uint32_t *n);
/* False when names of local functions are missing: no .symtab here nor in a debug file. */
bool elf_has_symtab(const struct elf_file *f);

/* False: no section of that name has bytes in the file. */
struct elf_section {
	const uint8_t *bytes; /* not aligned in a hostile file */
	size_t len;
	uint64_t addr;
};
bool elf_find_section(const struct elf_file *f, const char *name, struct elf_section *out);
/* The file offset of an address, of code or data; false: not in the file. */
bool elf_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset);
/* The address of a defined symbol of any kind, here or in the separate debug file; false: there is none. */
bool elf_symbol(struct elf_file *f, const char *name, uint64_t *addr);

/* The GNU build id's bytes, and how many; 0: it has none. */
size_t elf_build_id(const struct elf_file *f, const uint8_t **id);

/* The bytes of a section that has some; NULL when there is none of that name. */
const void *elf_section(const struct elf_file *f, const char *name, size_t *len);

#endif
