/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kprobe.function("name")[.call | .return[.maxactive(n)]]: kernel functions by name, without debug
 * information.
 */
#include <string.h>

#include "probes/families.h"
#include "symbols/kernel.h"

/* A function's name, with what compilers append (name.isra.0). */
static bool kprobe_is_name(const char *s)
{
	static const char ok[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$";

	return *s && !s[strspn(s, ok)];
}

static const struct pp_component *function_of(const struct probe_point *pp)
{
	return strcmp(pp->comps.v[1].name, "module") ? &pp->comps.v[1] : &pp->comps.v[2];
}

/* The module's file, where it is found, knows its functions; else the kernel decides when the probe is placed. */
static enum probe_result check_in_module(struct probe_env *env, const struct probe_point *pp, bool quiet,
					 struct probe_site *site)
{
	const struct pp_component *m = &pp->comps.v[1], *f = &pp->comps.v[2];
	const char *why, *name = m->str;
	struct near_match near;

	if (strchr(m->str, ':') || !*m->str) {
		diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(m), "\"%s\" is no module's name", m->str);
		return PROBE_BAD;
	}
	site->obj = env->symbols ? sym_open_module(env->symbols, m->str, &why) : NULL;
	if (site->obj)
		name = sym_module_name(site->obj);
	site->probe.target = arena_printf(env->arena, "%s:%s", name, f->str);
	if (!site->obj || sym_count(site->obj, f->str))
		return PROBE_OK;
	if (quiet)
		return PROBE_NOMATCH;
	diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(f), "no function of the module %s is named \"%s\"",
		   name, f->str);
	near_init(&near, f->str);
	sym_near_functions(site->obj, &near);
	if (near_best(&near))
		diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
	return PROBE_NOMATCH;
}

static enum probe_result kprobe_check(struct probe_env *env, const struct probe_point *pp,
				      bool quiet, struct probe_site *site)
{
	const struct pp_component *c = function_of(pp);
	struct near_match near;

	if (!kprobe_is_name(c->str)) {
		diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(c),
			   "kprobe.function takes the name of one kernel function, not \"%s\"",
			   c->str);
		return PROBE_BAD;
	}
	if (c != &pp->comps.v[1])
		return check_in_module(env, pp, quiet, site);
	site->probe.target = c->str;
	near_init(&near, c->str);
	if (kernel_has_function(probe_kernel(env), c->str, quiet ? NULL : &near) != KERNEL_HAS_NOT)
		return PROBE_OK;
	if (quiet)
		return PROBE_NOMATCH;
	diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c),
		   "no kernel function matches \"%s\"", c->str);
	if (near_best(&near))
		diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
	return PROBE_NOMATCH;
}

enum probe_result kprobe_resolve(struct probe_env *env, const struct probe_family *fam,
				 const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site = probe_site_new(fam, pp, 1, probe_text(env, pp), quiet);
	enum probe_result r;

	if (!probe_maxactive(env, pp, &site.probe.maxactive))
		return PROBE_BAD;
	r = kprobe_check(env, pp, quiet, &site);
	if (r != PROBE_OK)
		return r;
	site.probe.symbol = function_of(pp)->str;
	vec_push(env->arena, out, site);
	return PROBE_OK;
}

/* Types, where BTF knows the function: they only inform, the values are whole registers. */
struct kprobe_types {
	const struct kbtf *btf;
	struct kbtf_param *params;
	uint32_t ret;
	int n;
};

static struct kprobe_types kprobe_types(struct probe_env *env, const struct probe_site *site)
{
	const char *why, *hint;
	struct kprobe_types t = { .btf = kernel_btf(probe_kernel(env), &why, &hint), .n = -1 };
	uint32_t id = t.btf && !strchr(site->probe.target, ':') ? kbtf_find(t.btf, BTF_KIND_FUNC, site->probe.target) : 0;

	if (id)
		t.n = kbtf_params(t.btf, env->arena, id, &t.params, &t.ret);
	return t;
}

/* Without the module's name. */
static const char *plain_name(const struct probe_site *site)
{
	const char *colon = strchr(site->probe.target, ':');

	return colon ? colon + 1 : site->probe.target;
}

const struct probe_var *kprobe_var(struct probe_env *env, const struct probe_site *site,
				   const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);
	uint32_t n = probe_arg_number(name);

	*v = (struct probe_var){ .name = name, .n = n, .width = 8, .is_signed = true };
	if (site->probe.kind == AT_KPROBE && n) {
		v->kind = PV_ARG;
	} else if (site->probe.kind == AT_KRETPROBE && strcmp(name, "$return") == 0) {
		v->kind = PV_RETVAL;
	} else if (strcmp(name, "$$name") == 0) {
		v->kind = PV_STR;
		v->str = plain_name(site);
	} else {
		return NULL;
	}
	return v;
}

void kprobe_each_var(struct probe_env *env, const struct probe_site *site,
		     void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct kprobe_types t = kprobe_types(env, site);
	struct probe_var v = { .width = 8, .is_signed = true };
	int n = t.n >= 0 && t.n < PROBE_NARGS ? t.n : PROBE_NARGS;

	if (site->probe.kind == AT_KRETPROBE) {
		v.name = "$return";
		v.kind = PV_RETVAL;
		v.type_name = t.n >= 0 ? kbtf_type_text(t.btf, env->arena, t.ret) : NULL;
		fn(&v, arg);
	}
	for (int i = 0; i < n && site->probe.kind == AT_KPROBE; i++) {
		v.name = arena_printf(env->arena, "$arg%d", i + 1);
		v.kind = PV_ARG;
		v.n = i + 1;
		v.type_name = i < t.n ? kbtf_type_text(t.btf, env->arena, t.params[i].type) : NULL;
		fn(&v, arg);
	}
	v = (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = plain_name(site) };
	fn(&v, arg);
}
