/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs and libraries: symbols, lines and unwind tables, by libdw, which is loaded when the first object is asked for:
 * few sessions need it, and all would wait for it. Addresses are the file's own (link-time).
 */
#ifndef SPILE_STAPRUN_UOBJECT_H
#define SPILE_STAPRUN_UOBJECT_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

struct uobjects;
struct uobject;
struct uobjects *uobjects_new(void);
void uobjects_free(struct uobjects *all);
/* NULL: no such file, or no ELF file. Opening it again yields the same. "[vdso]" is this process's own. */
struct uobject *uobject_open(struct uobjects *all, const char *path);

/* The address of a byte of the file; false: it is in no loaded segment. */
bool uobject_address(const struct uobject *o, uint64_t offset, uint64_t *addr);
/* From its first to its last loaded byte. */
uint64_t uobject_size(const struct uobject *o, uint64_t *first);
/* The symbol that covers @addr, or NULL. */
const char *uobject_symbol(struct uobject *o, uint64_t addr, uint64_t *offset, uint64_t *size);
/* The address of a symbol. */
bool uobject_find(struct uobject *o, const char *name, uint64_t *addr);
/* The source line that @addr belongs to; NULL: not known. */
const char *uobject_line(struct uobject *o, uint64_t addr, int *line);

/* Where the caller's registers are, for code at @addr: to be freed by uframe_free(). NULL: not known. */
Dwarf_Frame *uframe_at(struct uobject *o, uint64_t addr);
void uframe_free(Dwarf_Frame *f);
bool uframe_signal(Dwarf_Frame *f); /* of a signal handler's caller: its address is exact */
/* As libdw's dwarf_frame_cfa() and dwarf_frame_register(). */
bool uframe_cfa(Dwarf_Frame *f, Dwarf_Op **ops, size_t *n);
bool uframe_register(Dwarf_Frame *f, int reg, Dwarf_Op mem[3], Dwarf_Op **ops, size_t *n);

#endif
