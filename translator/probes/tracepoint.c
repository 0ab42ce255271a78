/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.trace("[system:]name"): tracepoints, found in BTF. For each tracepoint NAME the kernel has
 * the function
 * __traceiter_NAME, whose parameters after the first (the probe's own data) are the tracepoint's,
 * by name; and the typedef btf_trace_NAME, whose parameters have types only.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "probes/families.h"
#include "symbols/kernel.h"
#include "symbols/proto.h"

#define TYPEDEF "btf_trace_"

struct tp_site {
	VEC(struct probe_var) vars;
};

/* A tracepoint seen while looking for @want. */
struct tp_search {
	struct probe_env *env;
	const char *want; /* name or glob */
	bool glob;
	struct near_match *near;
	VEC(const char *) found;
};

static bool tp_visit(uint32_t id, const char *name, void *arg)
{
	struct tp_search *s = arg;

	(void)id;
	if (strncmp(name, TYPEDEF, strlen(TYPEDEF)) != 0)
		return true;
	name += strlen(TYPEDEF);
	if (s->glob ? fnmatch(s->want, name, 0) == 0 : strcmp(s->want, name) == 0)
		vec_push(s->env->arena, &s->found, name);
	else if (s->near)
		near_try(s->near, name);
	return true;
}

/*
 * The parameters as variables. A structure passed by value has no value of 64 bits and is left out.
 */
static void tp_add_params(struct probe_env *env, const struct kbtf *b, uint32_t id,
			  struct tp_site *t)
{
	struct kbtf_param *p = NULL;
	int n = kbtf_params(b, env->arena, id, &p, NULL);

	for (int i = 1; i < n; i++) {
		struct probe_var v = { .kind = PV_TPARG, .n = i - 1 };

		if (!kbtf_scalar(b, p[i].type, &v.width, &v.is_signed))
			continue;
		v.name = *p[i].name ? arena_printf(env->arena, "$%s", p[i].name)
				    : arena_printf(env->arena, "$arg%d", i);
		v.type_name = kbtf_type_text(b, env->arena, p[i].type);
		if (env->symbols)
			v.type = sym_btf_type(sym_open_btf(env->symbols, b), p[i].type);
		vec_push(env->arena, &t->vars, v);
	}
}

static void tp_add_str(struct probe_env *env, struct tp_site *t, const char *name,
		       const char *value)
{
	vec_push(env->arena, &t->vars,
		 ((struct probe_var){ .name = name, .kind = PV_STR, .str = value }));
}

static void tp_add_site(struct probe_env *env, const struct probe_family *fam,
			const struct probe_point *pp, bool quiet, const struct kbtf *b,
			const char *name, const char *system, site_vec *out)
{
	const char *text = probe_text_with(env, pp, 1, name);
	struct probe_site site = probe_site_new(fam, pp, 1, text, quiet);
	struct tp_site *t = arena_new(env->arena, struct tp_site);
	uint32_t id = proto_tracepoint(b, name);

	tp_add_params(env, b, id, t);
	tp_add_str(env, t, "$$name", name);
	if (system)
		tp_add_str(env, t, "$$system", system);
	site.probe.target = name;
	site.probe.proto = proto_text(b, env->arena, id, true);
	site.priv = t;
	vec_push(env->arena, out, site);
}

/* Adds what one BTF has of the wanted; true when it had some. A wrong system takes a match away. */
static bool tp_from_btf(struct tp_search *s, const struct probe_family *fam,
			const struct probe_point *pp, const char *system, bool quiet,
			const struct kbtf *b, site_vec *out)
{
	bool any = false;

	s->found.n = 0;
	kbtf_each(b, BTF_KIND_TYPEDEF, tp_visit, s);
	for (uint32_t i = 0; i < s->found.n; i++) {
		const char *real = NULL;

		if (kernel_has_event(probe_kernel(s->env), system, s->found.v[i], &real) ==
			    KERNEL_HAS_NOT &&
		    system)
			continue;
		if (!real && system && !probe_is_glob(system))
			real = system;
		tp_add_site(s->env, fam, pp, quiet, b, s->found.v[i], real, out);
		any = true;
	}
	return any;
}

static enum probe_result tp_no_btf(struct probe_env *env, const struct probe_point *pp, bool quiet,
				   const char *why, const char *hint)
{
	if (!quiet) {
		diag_error(env->diag, TAG_NO_BTF, pp->comps.v[1].at,
			   "cannot look up tracepoints: %s", why);
		diag_hint(env->diag, "%s", hint);
	}
	return PROBE_NOMATCH;
}

enum probe_result tracepoint_resolve(struct probe_env *env, const struct probe_family *fam,
				     const struct probe_point *pp, bool quiet, site_vec *out)
{
	const char *arg = pp->comps.v[1].str, *colon = strchr(arg, ':'), *why, *hint, *module;
	const char *system = colon ? arena_strndup(env->arena, arg, colon - arg) : NULL;
	struct kernel_syms *k = probe_kernel(env);
	const struct kbtf *b = kernel_btf(k, &why, &hint);
	struct tp_search s = { .env = env, .want = colon ? colon + 1 : arg };
	struct near_match near;
	bool any;

	if (!b)
		return tp_no_btf(env, pp, quiet, why, hint);
	near_init(&near, s.want);
	s.near = quiet ? NULL : &near;
	s.glob = probe_is_glob(s.want);
	any = tp_from_btf(&s, fam, pp, system, quiet, b, out);
	for (uint32_t i = 0; (s.glob || !any) && (b = kernel_module_btf(k, i, &module)); i++)
		any |= tp_from_btf(&s, fam, pp, system, quiet, b, out);
	if (any)
		return PROBE_OK;
	if (quiet)
		return PROBE_NOMATCH;
	if (s.found.n)
		diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(&pp->comps.v[1]),
			   "tracepoint \"%s\" is not in system \"%s\"", s.want, system);
	else
		diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(&pp->comps.v[1]),
			   "no tracepoint matches \"%s\"", s.want);
	if (!s.found.n && near_best(&near))
		diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
	return PROBE_NOMATCH;
}

const struct probe_var *tracepoint_var(struct probe_env *env, const struct probe_site *site,
				       const char *name)
{
	const struct tp_site *t = site->priv;

	(void)env;
	for (uint32_t i = 0; i < t->vars.n; i++)
		if (strcmp(t->vars.v[i].name, name) == 0)
			return &t->vars.v[i];
	return NULL;
}

void tracepoint_each_var(struct probe_env *env, const struct probe_site *site,
			 void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	const struct tp_site *t = site->priv;

	(void)env;
	for (uint32_t i = 0; i < t->vars.n; i++)
		fn(&t->vars.v[i], arg);
}
