/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions, variables, types and lines of one binary: the kernel, one of its modules, a program or a
 * library. Three providers answer behind this one interface: DWARF (libdw), BTF, and ELF symbols; the
 * cheapest that can answer does. Names, scopes and lines come from an index file per build id in the
 * cache (index.h), so that a question costs a look-up; only what a script names is read from DWARF.
 *
 * Everything returned lives in the arena given to sym_open_*() unless said otherwise. Strings are UTF-8 as
 * the binary has them. Addresses are link-time addresses of the object; struct sym_object says how they
 * relate to files and memory. DWARF expressions never leave this folder: they become struct sym_loc.
 */
#ifndef SPILE_SYMBOLS_SYMBOLS_H
#define SPILE_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strtab.h"

struct session;
struct sym_object;

/* What one run has opened. Lives in the session's arena; symbols_close() unmaps and closes. */
struct symbols;
struct symbols *symbols_new(struct session *s);
void symbols_close(struct symbols *all);

/* ---- objects ---- */

enum sym_provider { SYM_DWARF = 1, SYM_BTF = 2, SYM_ELF = 4 };

/*
 * Each opens one binary and reads no more than is needed to know what it is. NULL with *@why set ("no
 * such file") when there is no such binary; a binary without debug information opens: sym_providers()
 * tells what can be asked. Opening the same binary again yields the same object.
 */
struct sym_object *sym_open_kernel(struct symbols *all, const char **why);
struct sym_object *sym_open_file(struct symbols *all, const char *path, const char **why);

/*
 * A module of the kernel by name ('-' and '_' are the same) or by the path of its file. NULL with *@why: "no such file",
 * or that it is part of the kernel.
 */
struct sym_object *sym_open_module(struct symbols *all, const char *name, const char **why);
/* Where types that a module only declares are whole: the kernel. */
void sym_complete_from(struct sym_object *o, struct sym_object *more);
/* As the kernel calls it: "nf_tables". */
const char *sym_module_name(const struct sym_object *o);
/* Visits, by name, the modules installed for the kernel whose names match the pattern. */
void sym_modules(struct symbols *all, const char *pattern, bool (*fn)(const char *name, void *arg), void *arg);
void sym_near_modules(struct symbols *all, struct near_match *m);
/* The section .BTF of a module's file; NULL: it has none. */
const void *sym_btf_bytes(struct sym_object *o, size_t *len);

/* The types of a kernel or a module, without a binary. */
struct kbtf;
struct sym_object *sym_open_btf(struct symbols *all, const struct kbtf *b);
/* The type with this BTF id. */
const struct sym_type *sym_btf_type(struct sym_object *o, uint32_t id);
/* How many structures or unions (as @t is one) of @t's name the object, which is one of those, has. */
uint32_t sym_btf_count(struct sym_object *o, const struct sym_type *t);

unsigned int sym_providers(struct sym_object *o); /* mask of enum sym_provider */
/* What is missing and what to install or set for it: "no debug information for ..."; NULL: nothing. */
const char *sym_missing(struct sym_object *o, const char **hint);
const char *sym_object_path(const struct sym_object *o);
/* The file offset of a link-time address: what a uprobe takes. False: not in the file. */
bool sym_file_offset(const struct sym_object *o, uint64_t addr, uint64_t *offset);
/*
 * How the run-time address of what lies at the link-time @addr of the kernel or a module is found once the script is
 * loaded: a name as struct ir_sym has it, and what to add. No name: @add alone. False: it cannot be.
 */
struct sym_place {
	const char *name, *anchor;
	uint64_t anchor_off, add;
};
bool sym_place(struct sym_object *o, uint64_t addr, struct sym_place *out);
/* The same for a symbol by which a kprobe can be placed: no other has its name. */
bool sym_place_code(struct sym_object *o, uint64_t addr, struct sym_place *out);
/* The same for the variable of each CPU at @addr: what is to be added to the CPU's offset. */
bool sym_place_percpu(struct sym_object *o, uint64_t addr, struct sym_place *out);
/* The build id as text; NULL: it has none. */
const char *sym_build_text(const struct sym_object *o);
/* The symbol and distance by which a kprobe names @addr: "vfs_read" + 0x12. False: no symbol covers it. */
bool sym_addr_symbol(struct sym_object *o, uint64_t addr, const char **symbol, uint64_t *offset);

/* ---- functions and lines ---- */

enum sym_func_flags {
	SYMF_EXTERNAL = 1, /* visible outside its compilation unit */
	SYMF_INLINE = 2, /* has no body of its own: its instances are inlined */
	SYMF_NODEBUG = 4, /* known by symbol only */
};

struct sym_func {
	const char *name;
	const char *file; /* as the compiler was given it, with its folder; NULL: unknown */
	uint32_t line; /* of the declaration; 0: unknown */
	uint32_t flags; /* enum sym_func_flags */
	uint64_t entry; /* address of the first instruction; instances: of the inlined code */
	uint64_t
		body; /* where parameters can be read by DWARF: past the prologue. Equal to entry without */
	uint64_t size; /* bytes; 0: unknown */
	uint64_t die; /* the provider's handle for sym_scope() */
};

/*
 * The parts of "NAME@FILE:LINE" as SystemTap has them. Patterns with * ? []; @file matches whole
 * trailing path components. NULL / SYML_NONE: not given.
 */
enum sym_line_kind { SYML_NONE, SYML_ABSOLUTE, SYML_RELATIVE, SYML_ALL, SYML_LIST };
struct sym_line_range {
	uint32_t from, to;
};
struct sym_spec {
	const char *func, *file;
	enum sym_line_kind line_kind;
	VEC(struct sym_line_range) lines; /* RELATIVE: from the function's line, one item */
};
/* False with *@why and the offset in @text of what is wrong. */
bool sym_spec_parse(struct arena *a, const char *text, struct sym_spec *out, const char **why,
		    uint32_t *at);

/* Visits, by file, line, then address, the functions that match; with @inlined also their inlined instances. */
void sym_functions(struct sym_object *o, const struct sym_spec *spec, bool inlined,
		   bool (*fn)(const struct sym_func *f, void *arg), void *arg);
/* How many functions of this name have code. */
uint32_t sym_count(struct sym_object *o, const char *name);
/* The address of a symbol of any kind. */
bool sym_symbol_addr(struct sym_object *o, const char *name, uint64_t *addr);
/* Names of all functions for "did you mean". */
void sym_near_functions(struct sym_object *o, struct near_match *m);

struct sym_line {
	const char *file;
	uint32_t line;
	uint64_t addr; /* start of a statement */
	struct sym_func func; /* the function, or inlined instance, in whose source the line is */
};
/* Lines with code around one without; 0: none. */
struct sym_near_lines {
	uint32_t below, above;
};
/*
 * Statements that match, by file, line, address: of each line the first in each function and inlined instance. Relative
 * lines count from where the function is declared. When @nearest is set and a line has no code, the next line that has, or
 * else the one before. *@near (may be NULL) is set when nothing matches.
 */
void sym_lines(struct sym_object *o, const struct sym_spec *spec, bool nearest,
	       bool (*fn)(const struct sym_line *l, void *arg), void *arg,
	       struct sym_near_lines *near);
/* Source files with code that a pattern (sym_spec.file) names. */
void sym_files(struct sym_object *o, const char *pattern, bool (*fn)(const char *path, void *arg),
	       void *arg);
/* The function whose code holds @addr. */
bool sym_func_at(struct sym_object *o, uint64_t addr, struct sym_func *out);
/*
 * The statement that @addr is in: *@out has its line and, as func, the innermost function or inlined instance there;
 * *@before where it begins, *@after where the next statement of the function does (0: nowhere).
 */
enum sym_statement { SYM_NO_CODE, SYM_WITHIN, SYM_BEGINS };
enum sym_statement sym_statement_at(struct sym_object *o, uint64_t addr, struct sym_line *out,
				    uint64_t *before, uint64_t *after);
/* Labels of a function, or inlined instance, that have a place in the code. */
void sym_labels(struct sym_object *o, const struct sym_func *f,
		bool (*fn)(const char *name, uint32_t line, uint64_t addr, void *arg), void *arg);

/* One call in a function of a function that is known; calls through pointers and of other binaries' functions are not. */
struct sym_callee {
	struct sym_func func;
	bool inlined; /* func is the instance in the caller */
	bool tail; /* a jump: it returns to the caller's caller */
	uint64_t ret; /* where it returns to; 0: inlined, or a jump */
};
void sym_callees(struct sym_object *o, const struct sym_func *f,
		 bool (*fn)(const struct sym_callee *c, void *arg), void *arg);

/*
 * The frame that runs at @pc: the caller's stack pointer is register @reg (DWARF number) plus @offset, the return address
 * 8 bytes below, and the caller's register @fp, when it was saved, fp_offset from there. False: not known.
 */
struct sym_frame {
	int reg;
	int64_t offset, fp_offset;
	bool fp_saved;
};
bool sym_frame_at(struct sym_object *o, uint64_t pc, int fp, struct sym_frame *out);

/* ---- types ---- */

enum sym_kind {
	ST_VOID,
	ST_INT,
	ST_BOOL,
	ST_CHAR,
	ST_FLOAT,
	ST_ENUM,
	ST_POINTER,
	ST_ARRAY,
	ST_STRUCT,
	ST_UNION,
	ST_FUNC,
	ST_INCOMPLETE,
};

/* A type with typedefs and qualifiers stripped. Equal types of one object are equal pointers. */
struct sym_type {
	enum sym_kind kind;
	const char *name; /* tag or base name; NULL: none */
	uint64_t size; /* bytes; 0: unknown */
	bool is_signed;
	uint64_t nelems; /* arrays: of the first dimension; 0: unknown */
	uint32_t dim; /* arrays: how many dimensions lie around this one in its DIE */
	struct sym_object *obj;
	uint64_t id; /* the provider's: a DIE's offset or a BTF id */
	enum sym_provider by;
};
/* What a pointer points to, an array holds; NULL for anything else. Pointers to void yield ST_VOID. */
const struct sym_type *sym_type_target(const struct sym_type *t);
/*
 * "struct foo", "union u", "enum e", a typedef's or base type's name, or a tag alone; with '*' behind it pointers to it.
 * NULL: there is none in this object.
 */
const struct sym_type *sym_type_find(struct sym_object *o, const char *name);
const struct sym_type *sym_type_pointer(const struct sym_type *t); /* a pointer to @t */
void sym_near_types(struct sym_object *o, struct near_match *m);

struct sym_member {
	const char *name; /* NULL: anonymous */
	const struct sym_type *type;
	const char *
		type_text; /* as C spells it, typedefs and qualifiers kept: "struct page *", "pid_t" */
	uint64_t
		offset; /* bytes from the start of the struct that was asked, whatever anonymous members lie between */
	bool base; /* C++: what the class inherits from */
	uint32_t bit_size,
		bit_offset; /* bit fields: size, and first bit above the low end of the byte at offset; else 0 */
};
/* Finds a member through anonymous members too. */
bool sym_member_find(const struct sym_type *t, const char *name, struct sym_member *out);
/* Direct members in order of declaration. */
void sym_members(const struct sym_type *t, bool (*fn)(const struct sym_member *m, void *arg),
		 void *arg);
void sym_near_members(const struct sym_type *t, struct near_match *m);
bool sym_enum_value(struct sym_object *o, const char *name, int64_t *value);
/* The first enumerator of that value; NULL: none. */
const char *sym_enum_name(const struct sym_type *t, int64_t value);

/* ---- variables and where they are ---- */

/*
 * A location as a program for a stack machine over 64-bit numbers; pass 2 lowers it to IR. It leaves one number:
 * the variable's address, or with @is_value its value.
 */
enum sym_lop {
	SL_NUM, /* push num */
	SL_REG, /* push the register with DWARF number num, at the probe hit */
	SL_STATIC, /* push the run-time address of link-time address num */
	SL_THREAD, /* push the current thread's pointer, which its static thread-local storage ends at */
	SL_PERCPU, /* push the address of the current CPU's copy of the per-CPU variable at num */
	SL_LOAD, /* pop an address, push the num bytes (1 2 4 8) there, zero-extended */
	SL_DUP,
	SL_DROP,
	SL_SWAP,
	SL_ROT,
	SL_PICK, /* PICK: num from the top, 0 is the top */
	SL_ADD,
	SL_SUB,
	SL_MUL,
	SL_DIV,
	SL_MOD,
	SL_AND,
	SL_OR,
	SL_XOR,
	SL_SHL,
	SL_SHR,
	SL_SAR,
	SL_NEG,
	SL_NOT,
	SL_ABS,
	SL_EQ,
	SL_NE,
	SL_LT,
	SL_LE,
	SL_GT,
	SL_GE,
};
struct sym_lop_insn {
	enum sym_lop op;
	int64_t num;
};
struct sym_loc;
struct sym_piece {
	VEC(struct sym_lop_insn) ops; /* empty: this part cannot be read */
	const char *why; /* it cannot be read; NULL: it is optimised away */
	bool is_value;
	uint32_t bits; /* of the variable, low end first; 0: all of it */
	/* a pointer without a value of its own: what lies target_offset bytes into what it points to can be read */
	const struct sym_loc *target;
	int64_t target_offset;
};
struct sym_loc {
	VEC(struct sym_piece) pieces;
};
#define SYM_MAXREG 16 /* highest DWARF number of a register that probes see (x86-64: the instruction pointer) */
#define SYM_IN_VECTOR "it is in a floating-point register, which probes cannot read"

enum sym_var_kind { SV_PARAM, SV_LOCAL, SV_STATIC, SV_GLOBAL };
struct sym_var {
	const char *name;
	enum sym_var_kind kind;
	const struct sym_type *type;
	const char *type_text;
	uint32_t line;
	uint64_t handle;
};

/* A program counter within a function: what a probe site sees. */
struct sym_scope;
struct sym_scope *sym_scope_new(struct sym_object *o, const struct sym_func *f, uint64_t pc,
				bool at_return);
struct sym_object *sym_scope_object(const struct sym_scope *sc);
uint64_t sym_scope_pc(const struct sym_scope *sc);
/* Variables visible at the place, innermost first; parameters in order. */
void sym_scope_vars(struct sym_scope *sc, bool (*fn)(const struct sym_var *v, void *arg),
		    void *arg);
bool sym_scope_find(struct sym_scope *sc, const char *name, struct sym_var *out);
/* Where a variable of that name is declared in the function, in a block that does not hold the place; NULL: nowhere. */
const char *sym_scope_elsewhere(struct sym_scope *sc, const char *name);
/* NULL, or why there is no location here: "it is optimised away here; it has a place at vfs_read+0x14..0x20" */
const char *sym_locate(struct sym_scope *sc, const struct sym_var *v, struct sym_loc *out);
/* The function's result at a return probe. NULL: not known. */
const struct sym_type *sym_return_type(struct sym_scope *sc, const char **type_text);
const char *sym_locate_return(struct sym_scope *sc, struct sym_loc *out);
/* A variable at the top of the unit that the place is in. */
bool sym_unit_find(struct sym_scope *sc, const char *name, struct sym_var *out, struct sym_scope **scope);
/* Globals and statics of the object by "name" or "name@unit"; several statics of a name: the shortest matching unit. */
bool sym_global_find(struct sym_object *o, const char *name, struct sym_var *out,
		     struct sym_scope **scope);

#endif
