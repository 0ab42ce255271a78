/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One binary as the files of this folder see it. Private to symbols/. */
#ifndef SPILE_SYMBOLS_OBJECT_H
#define SPILE_SYMBOLS_OBJECT_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "session.h"
#include "symbols/dindex.h"
#include "symbols/symbols.h"

enum object_kind { OBJ_KERNEL, OBJ_MODULE, OBJ_FILE, OBJ_BTF };

struct kbtf;

struct sym_object {
	struct symbols *all;
	struct arena *arena;
	enum object_kind kind;
	const char *name; /* "kernel", "types", or the path */
	const char
		*path; /* the ELF file; NULL: a kernel of which only the running image is there */
	uint8_t id[64];
	size_t id_len;
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf *dw; /* NULL: no DWARF */
	const char *debug_path; /* of the file that holds it */
	const struct kbtf *btf; /* OBJ_BTF */
	struct dindex dx;
	struct buf dx_bytes; /* where there is no cache */
	const char *module; /* OBJ_MODULE: its name in the kernel */
	struct sym_object *more; /* of that: where types are whole that it only declares, or NULL */
	const char *tree; /* of that: its place below lib/modules/RELEASE, NULL: it is elsewhere */
	int fd; /* of the file unpacked, -1: none */
	struct object_symbol {
		const char *name;
		uint64_t addr;
		uint32_t section;
		bool code, alone; /* alone: no other has this name */
	} * symbols; /* of a module, by address; see place.c */
	uint32_t nsymbols;
	const char *missing, *hint;
	struct type_slot {
		uint64_t id; /* of the DIE; 0: free */
		struct sym_type *type;
	} * types; /* by DIE: equal types are equal pointers */
	uint32_t ntypes, types_cap;
};

/* object.c: for the file that opens modules */
struct kmod_list;
struct session *object_session(const struct symbols *all);
struct kmod_list **object_modules(struct symbols *all);
struct sym_object *object_find(struct symbols *all, enum object_kind kind, const char *name);
struct sym_object *object_new(struct symbols *all, enum object_kind kind, const char *name);
/* Opens the file at o->path and its debug information; drops the object and says why when that fails. */
const char *object_open(struct sym_object *o);

/* kmodule.c: the file of separate debug information, open, or -1 */
int kmodule_debug_file(struct sym_object *o, char **path);

/* Whether a link-time address of the kernel is an offset in each CPU's area. */
bool object_is_percpu(struct sym_object *o, uint64_t addr);

/*
 * From the thread pointer to where a program's thread-local variables start (x86-64: the block ends at it). False with
 * *@why for a library, whose block is found at run time.
 */
bool object_tls_start(struct sym_object *o, int64_t *from, const char **why);

/* The index, built when it is not in the cache; NULL: there is no file to index. */
const struct dindex *object_index(struct sym_object *o);

/*
 * dindex_build.c: an entry of debug information as a number, and back: its offset, marked when it lies in the file that
 * dwz makes of what several have in common
 */
uint64_t object_die_id(Dwarf *dw, Dwarf_Die *die);
bool object_die(Dwarf *dw, uint64_t id, Dwarf_Die *die);
/* where a function or an inlined instance is entered; without a word on it, at its first range */
bool dindex_entry(Dwarf_Die *die, uint64_t *entry);

/* types_btf.c */
const struct sym_type *btf_sym_type(struct sym_object *o, uint32_t id);
const struct sym_type *btf_target(const struct sym_type *t);
void btf_members(const struct sym_type *t, bool (*fn)(const struct sym_member *m, void *arg), void *arg);
const struct sym_type *btf_find(struct sym_object *o, const char *name);
bool btf_enum_value(struct sym_object *o, const char *name, int64_t *value);
const char *btf_enum_name(const struct sym_type *t, int64_t value);
void btf_near_types(struct sym_object *o, struct near_match *m);

/* Where the object keeps the type with this handle. */
struct sym_type **object_type_slot(struct sym_object *o, uint64_t id);
struct sym_object *object_for_btf(struct symbols *all, const struct kbtf *b);

/* types.c: the type that @die is or, of a variable or member, has; with qualifiers and typedefs taken off */
const struct sym_type *object_type(struct sym_object *o, Dwarf_Die *die);
const struct sym_type *object_type_of(struct sym_object *o, Dwarf_Die *die);
/* As C spells the type that the DIE of a variable, member or function has. */
const char *object_type_text(struct sym_object *o, Dwarf_Die *die);

/* body.c */
/* The function, or inlined instance, at @addr in whose source the line is. */
bool object_scope_at(struct sym_object *o, uint64_t addr, const char *file, uint32_t line,
		     struct sym_func *out);

/* The number of a DW_AT_const_value. */
bool object_constant(Dwarf_Attribute *attr, int64_t *value);

/* functions.c */
struct sym_func object_func(struct sym_object *o, const struct dx_func *f);
bool object_file_matches(const char *pattern, const char *path);
bool object_glob(const char *pattern, const char *name);
/* Whether a path of a line table is the one that the index has cleaned (dindex_build.c). */
bool object_same_file(const char *raw, const char *clean);

#endif
