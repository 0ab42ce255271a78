/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rows of probes.def name, and what families share. Private to probes/. */
#ifndef SPILE_PROBES_FAMILIES_H
#define SPILE_PROBES_FAMILIES_H

#include "probes/probes.h"
#include "symbols/symbols.h"

#define DECLARE_RESOLVE(name)                                                                      \
	enum probe_result name(struct probe_env *env, const struct probe_family *fam,              \
			       const struct probe_point *pp, bool quiet, site_vec *out)
#define DECLARE_VARS(prefix)                                                                       \
	const struct probe_var *prefix##_var(struct probe_env *env, const struct probe_site *site, \
					     const char *name);                                    \
	void prefix##_each_var(struct probe_env *env, const struct probe_site *site,               \
			       void (*fn)(const struct probe_var *v, void *arg), void *arg)

DECLARE_RESOLVE(session_resolve);
DECLARE_RESOLVE(timer_resolve);
DECLARE_RESOLVE(timer_resolve_jiffies);
DECLARE_RESOLVE(timer_resolve_hz);
DECLARE_RESOLVE(timer_resolve_profile);
DECLARE_RESOLVE(tracepoint_resolve);
DECLARE_VARS(tracepoint);
DECLARE_RESOLVE(kprobe_resolve);
DECLARE_VARS(kprobe);
DECLARE_RESOLVE(kernel_resolve);
DECLARE_RESOLVE(module_resolve);
DECLARE_RESOLVE(lifecycle_resolve);
DECLARE_VARS(syscall);
DECLARE_RESOLVE(process_resolve);
DECLARE_VARS(code);
DECLARE_RESOLVE(mark_resolve);
DECLARE_VARS(mark);
DECLARE_RESOLVE(plt_resolve);
DECLARE_VARS(plt);

/* The point as text, without '?' and condition: what pp() yields. In the arena. */
const char *probe_text(struct probe_env *env, const struct probe_point *pp);
/*
 * The same with the argument of component @i replaced by @arg: what a pattern, path or number
 * resolved to.
 */
const char *probe_text_with(struct probe_env *env, const struct probe_point *pp, uint32_t i,
			    const char *arg);

/* A site of the family at component @i, with kind, name and optional set. */
struct probe_site probe_site_new(const struct probe_family *fam, const struct probe_point *pp,
				 uint32_t i, const char *name, bool quiet);

/* Where to point at: the component's argument when it has one. */
struct span probe_arg_span(const struct pp_component *c);

/* "$arg1" .. "$arg6": the number, else 0. */
uint32_t probe_arg_number(const char *name);
/*
 * debug.c: what debug information says of a site. False: there is no such variable, or no debug information (@d is NULL).
 */
struct debug_site {
	struct sym_object *obj;
	struct sym_func func;
	uint64_t pc;
};
bool debug_var_at(struct probe_env *env, const struct probe_site *site, const struct debug_site *d,
		  const char *name, struct probe_var *out);
bool debug_each_var_at(struct probe_env *env, const struct probe_site *site, const struct debug_site *d,
		       void (*fn)(const struct probe_var *v, void *arg), void *arg);

/* The "name[@file]" of a function, patterns in both, with lines if @lines; false after an error. */
bool probe_function_spec(struct probe_env *env, const struct pp_component *c, bool lines,
			 struct sym_spec *spec);
/* The number in .maxactive, 0 without it; false after an error. */
bool probe_maxactive(struct probe_env *env, const struct probe_point *pp, uint32_t *n);

#define PROBE_NARGS 6 /* passed in registers */

bool probe_is_glob(const char *s);

/* A path without links, as the kernel knows the file; itself when there is none. */
const char *probe_real_path(struct probe_env *env, const char *path);

/* The kernel's symbols, opened on first use. */
struct kernel_syms *probe_kernel(struct probe_env *env);

#endif
