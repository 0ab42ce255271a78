/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe families: from a probe point to attach descriptors. One file and one or more rows of
 * probes.def a family; nothing here knows which backend runs.
 */
#ifndef SPILE_PROBES_PROBES_H
#define SPILE_PROBES_PROBES_H

#include "parse/ast.h"
#include "session.h"

/* A context variable, as lowering needs it. */
enum probe_var_kind { PV_ARG, PV_RETVAL, PV_TPARG, PV_SYSARG, PV_NUM, PV_STR, PV_SYM, PV_CALLERS };
struct probe_var {
	const char *name; /* "$prev" */
	enum probe_var_kind kind;
	uint32_t n; /* PV_ARG: from 1; PV_TPARG: from 0; PV_SYSARG: as intrinsic sysarg */
	uint32_t width; /* bytes: 1 2 4 8 */
	bool is_signed;
	const char *type_name; /* "struct page *", for -L; NULL: unknown */
	int64_t num; /* PV_NUM */
	const char *str; /* PV_STR, such as $$name */
	/* PV_SYM: a variable of the probed code */
	const struct sym_type *type;
	const struct sym_loc *loc; /* NULL: it has no place here, and @why says why */
	const char *why;
	struct sym_object *obj;
	uint64_t pc; /* link-time address of the instruction pointer: says where the file was loaded */
	bool user; /* of a program, not of the kernel */
	bool from_entry; /* that instruction pointer is the one of the function's entry, not of the hit */
	bool is_param;
	const struct probe_callers *callers; /* PV_CALLERS: whether these led to the hit */
};

/* How a frame's caller is found: where the return address lies, and the caller's frame pointer. */
struct probe_frame {
	bool by_fp; /* the caller's stack pointer is the frame pointer, else the stack pointer, plus offset */
	int64_t offset;
	bool fp_saved; /* the caller's frame pointer is saved fp_offset from the caller's stack pointer */
	int64_t fp_offset;
};
/* A call, by the link-time address that it returns to. */
struct probe_call {
	uint64_t pc;
	struct probe_frame frame; /* of the caller at the call */
};
/* What must have called the function that is hit. */
struct probe_callers {
	uint64_t pc; /* of the hit, link-time */
	struct probe_frame at; /* at the hit */
	VEC(struct probe_call) calls; /* one of these did */
	const struct probe_callers *next; /* and its caller was called from one of those; NULL: from anywhere */
};
/* The variable of this kind: a name that no script can write. */
#define PROBE_CALLERS "$.callers"

struct probe_family;
struct sym_type;
struct sym_loc;
struct debug_site;

/* One place to attach, resolved. */
struct probe_site {
	const struct probe_family *family;
	struct ir_probe probe; /* kind, name, target ...; pass 2 fills in handler, chain, locks */
	struct span at; /* the component to blame */
	struct sym_object *obj; /* the binary it lies in; NULL: none that was opened */
	const char **proto; /* probe.proto is known there when variables have been looked up; or NULL */
	void *priv; /* the family's: what its var() needs */
	const struct debug_site *debug; /* the place in debug information; NULL: there is none */
	const struct probe_callers *callers; /* hits from elsewhere do not count; NULL: all do */
};
typedef VEC(struct probe_site) site_vec;

struct kernel_syms;
struct symbols;

/* One for a whole pass: what families read of the kernel is kept here. */
struct probe_env {
	struct session *session;
	struct arena *arena;
	struct diag *diag;
	struct symbols *symbols; /* binaries that were opened; NULL: none can be */
	struct kernel_syms *kernel; /* NULL at first; opened by the family that needs it */
	VEC(const char *) left_out; /* patterns of which it was told what they leave out */
};

enum probe_result {
	PROBE_OK, /* sites were added */
	PROBE_UNKNOWN, /* no family has such a point: it may be an alias. Nothing reported */
	PROBE_NOMATCH, /* a family's point, but nothing there; reported unless @quiet ('?', '!') */
	PROBE_BAD, /* malformed (argument out of range ...); always reported */
};

/* A family's resolver gets a point that fits the row's pattern. */
typedef enum probe_result (*probe_resolve_fn)(struct probe_env *env, const struct probe_family *fam,
					      const struct probe_point *pp, bool quiet,
					      site_vec *out);

struct probe_family {
	/*
	 * Components with argument kinds: "timer.ms(n).randomize(n)",
	 * "process(s).function(s).return"; n a number, s a string. A component without brackets
	 * takes no argument.
	 */
	const char *pattern;
	enum ir_attach kind;
	probe_resolve_fn resolve;
	/*
	 * Finds a context variable; NULL when the family has none of that name. @name has its '$'.
	 */
	const struct probe_var *(*var)(struct probe_env *env, const struct probe_site *site,
				       const char *name);
	/* Visits all context variables, for "did you mean", $$vars and -L. */
	void (*each_var)(struct probe_env *env, const struct probe_site *site,
			 void (*fn)(const struct probe_var *v, void *arg), void *arg);
	int64_t param; /* the row's own: nanoseconds of a timer unit ... */
};

extern const struct probe_family probe_families[];
extern const unsigned int probe_families_n;

/* The kernel's own types; NULL: there are none, and *@why says why. */
struct sym_object *probe_kernel_types(struct probe_env *env, const char **why);
/* Types of a module of the kernel, by name or path; the same. */
struct sym_object *probe_module_types(struct probe_env *env, const char *name, const char **why);

/* Types of the module that @site is in; NULL: it is in none, or has none. */
struct sym_object *probe_site_types(struct probe_env *env, const struct probe_site *site);

/* Of the kernel's types as far as they were read: what tells builds of one release apart; 0: nothing. */
uint64_t probe_kernel_id(const struct probe_env *env);

/* The value of an enumeration's constant, of the probed program or (and where @site is NULL) of the kernel. */
bool probe_constant(struct probe_env *env, const struct probe_site *site, const char *name, int64_t *value);

/*
 * A global or static variable by "name" or "name@unit", of @module (a path or "kernel"; NULL: what is probed). @site may be NULL.
 * NULL with *@why: there is none.
 */
const struct probe_var *probe_global(struct probe_env *env, const struct probe_site *site, const char *name,
				     const char *module, const char **why);
/* Where the function declares a variable that the place does not see; NULL: nowhere. */
const char *probe_var_elsewhere(struct probe_env *env, const struct probe_site *site, const char *name);

enum probe_result probe_resolve(struct probe_env *env, const struct probe_point *pp, bool quiet,
				site_vec *out);

/* The entry of the function whose return @site is, as a site. False: @site is no return. */
bool probe_entry_site(struct probe_env *env, const struct probe_site *site,
		      struct probe_site *entry);

/* The kinds of points, one a line, on standard output: "kernel.function(string).call". */
void probe_print_types(void);

/*
 * Reports a point that neither a family nor an alias matches (E-UNKNOWN-PROBE), with the nearest
 * pattern as a hint.
 */
void probe_report_unknown(struct probe_env *env, const struct probe_point *pp, const char *alias);

#endif
