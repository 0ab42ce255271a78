/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in the code of one binary: what follows "kernel", "process(...)" and the like is the same for all of them. A
 * family opens the binary, says how a place in it is probed and leaves the rest to code_resolve(). Private to probes/.
 */
#ifndef SPILE_PROBES_CODE_H
#define SPILE_PROBES_CODE_H

#include "probes/families.h"
#include "symbols/btf.h"

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
	site_vec *out;
	/* set by code_resolve() */
	struct sym_spec spec;
	bool glob;
	enum code_filter { CODE_ALL, CODE_CALL, CODE_INLINE, CODE_EXPORTED } filter;
	uint32_t maxactive;
	uint32_t added, inlined;
	uint64_t text; /* kernel: address of _stext once it was needed */
};

/* What a site knows of its function: site->priv. */
struct code_site {
	struct debug_site debug; /* obj NULL: there is no debug information */
	const char *function;
	bool user;
	/* by the kernel's types */
	const struct kbtf *btf;
	uint32_t id; /* of the function; 0: there is none */
	struct kbtf_param *params;
	uint32_t *places; /* of the parameters: see symbols/proto.h; set with proto */
	const char *proto; /* once a variable was asked for */
	int nparams; /* -1: not known */
	uint32_t ret;
};

/*
 * Reads the point from c->comp on (false: an error was reported), adds its sites to c->out, reports that there are none.
 * Between the last two a family may add sites by other means.
 */
bool code_parse(struct code_object *c);
void code_add_sites(struct code_object *c);
enum probe_result code_finish(struct code_object *c, const struct near_match *near);
enum probe_result code_resolve(struct code_object *c);

/* Adds a site at @pc in @f, its text made of @name; the caller says where it is placed unless @f is known. */
struct probe_site *code_add_site(struct code_object *c, const struct code_site *own, const char *name);

/* What the kernel's types say of a function; @id 0: nothing. */
void code_types(const struct code_object *c, struct code_site *own, const struct kbtf *btf, uint32_t id);

/* @pp with the string argument of component @i replaced. */
const struct probe_point *code_point_with(struct probe_env *env, const struct probe_point *pp, uint32_t i,
					  const char *arg);

#endif
