/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in the code of one binary: what follows "kernel", "process(...)" and the like is the same for all of them. A
 * family opens the binary, says how a place in it is probed and leaves the rest to code_resolve(). Private to probes/.
 */
#ifndef SPILE_PROBES_CODE_H
#define SPILE_PROBES_CODE_H

#include "probes/families.h"
#include "symbols/btf.h"

/* Functions that a pattern matches and that are left out: how many, and the first of them. */
struct code_left_out {
	uint32_t n;
	const char *names; /* "a, b" */
};

/* The binary that a point's first components name, and what was found in it so far. */
struct code_object {
	struct probe_env *env;
	const struct probe_family *fam;
	const struct probe_point *pp; /* as written: what to blame */
	const struct probe_point *named; /* with the binary that was found: for texts */
	uint32_t comp; /* of pp: function(...) or statement(...) */
	struct sym_object *obj; /* NULL: nothing is known of it */
	bool user;
	const struct kbtf *btf; /* types of the functions of which debug information says nothing; or NULL */
	const char *path; /* user: the file to attach to */
	const char *what; /* for messages: "the kernel", a path */
	bool quiet;
	/* How a probe at the link-time address @addr is placed. False: it cannot be. */
	bool (*place)(struct code_object *c, const struct sym_func *f, uint64_t addr,
		      struct ir_probe *p);
	/* A function that no pattern means; NULL: there is none. */
	bool (*hidden)(const struct sym_func *f);
	/* A function that the kernel lets nobody probe; NULL: there is none. */
	bool (*refused)(struct code_object *c, const struct sym_func *f);
	/* The link-time address that a number in a script means; NULL: the number. */
	uint64_t (*address)(struct code_object *c, int64_t num);
	/* A site at a run-time address; NULL: there are no such. */
	enum probe_result (*absolute)(struct code_object *c, int64_t addr);
	site_vec *out;
	/* by code_parse() */
	struct sym_spec spec;
	bool glob;
	enum code_filter { CODE_ALL, CODE_CALL, CODE_INLINE, CODE_EXPORTED } filter;
	uint32_t maxactive;
	const char *label, *callee; /* patterns; NULL: none */
	int64_t depth; /* of callees; 0: none */
	bool nearest, is_absolute;
	/* while sites are added */
	uint32_t added, inlined, filtered;
	struct code_left_out left_out;
	/* kernel, once they were needed: address of _stext, and what the kernel lets nobody probe */
	uint64_t text;
	struct code_area {
		uint64_t from, to;
	} *areas;
};

/* What a site knows of its function: site->priv. */
struct code_site {
	struct debug_site debug; /* obj NULL: there is no debug information */
	const char *function;
	bool user, inside; /* inside: not at the function's entry */
	/* by the kernel's types */
	const struct kbtf *btf;
	uint32_t id; /* of the function; 0: there is none */
	struct kbtf_param *params;
	uint32_t *places; /* of the parameters: see symbols/proto.h; set with proto */
	const char *proto; /* once a variable was asked for */
	int nparams; /* -1: not known */
	uint32_t ret;
	const struct probe_callers *callers;
};

/*
 * Reads the point from c->comp on (false: an error was reported), adds its sites to c->out, reports that there are none.
 * Between the last two a family may add sites by other means.
 */
bool code_parse(struct code_object *c);
void code_add_sites(struct code_object *c);
enum probe_result code_finish(struct code_object *c, const struct near_match *near);
/* All three, and points by number. */
enum probe_result code_resolve(struct code_object *c);
/* A point by number: .function(ADDR), .statement(ADDR). False: it is none; *r has the result. */
bool code_by_number(struct code_object *c, enum probe_result *r);

/*
 * A site of the function own->function. Its text is c->named with @name as the argument of c->comp and, unless it is
 * NULL, what follows that component replaced by @tail. The caller says where it is placed.
 */
struct probe_site *code_add_site(struct code_object *c, const struct code_site *own, const char *name,
				 const struct probe_point *tail);
/* A site at @pc in @f; NULL: there is no probing it. @callers may be NULL. */
struct probe_site *code_add_place(struct code_object *c, const struct sym_func *f, uint64_t pc,
				  const char *name, const struct probe_point *tail,
				  const struct probe_callers *callers);
/* "name@file:line", as far as it is known. */
const char *code_name(struct code_object *c, const char *name, const char *file, uint32_t line);
/* Whether the point is one of returns. */
bool code_is_return(const struct code_object *c);
/* Calls @fn for each function, and with @inlined each inlined instance, that .function("...") means. */
void code_functions(struct code_object *c, bool inlined,
		    bool (*fn)(const struct sym_func *f, void *arg), void *arg);

/* code_lines.c, code_callees.c */
void code_add_lines(struct code_object *c);
void code_add_labels(struct code_object *c);
void code_add_callees(struct code_object *c);
/* Reports that nothing was found, in the words of the point; false: these have none of their own. */
bool code_no_line(struct code_object *c);
bool code_no_label(struct code_object *c);
bool code_no_callee(struct code_object *c);

/* What the kernel's types say of a function; @id 0: nothing. */
void code_types(const struct code_object *c, struct code_site *own, const struct kbtf *btf, uint32_t id);

/* @pp with the string argument of component @i replaced. */
const struct probe_point *code_point_with(struct probe_env *env, const struct probe_point *pp, uint32_t i,
					  const char *arg);

#endif
