/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Context variables of points in code: by debug information, the kernel's types, or the calling convention alone. */
#include <string.h>

#include "probes/code.h"
#include "symbols/proto.h"

static bool is_return(const struct probe_site *site)
{
	return site->probe.kind == AT_KRETPROBE || site->probe.kind == AT_URETPROBE;
}

static bool btf_value(struct probe_env *env, const struct code_site *k, uint32_t type,
		      struct probe_var *v)
{
	if (!kbtf_scalar(k->btf, type, &v->width, &v->is_signed))
		return false;
	v->type_name = kbtf_type_text(k->btf, env->arena, type);
	if (env->symbols)
		v->type = sym_btf_type(sym_open_btf(env->symbols, k->btf), type);
	return true;
}

/* What is not needed for a mere list of functions. */
static void find_places(struct probe_env *env, struct code_site *k)
{
	if (k->proto || k->nparams < 0)
		return;
	k->proto = proto_text(k->btf, env->arena, k->id, false);
	k->places = arena_alloc(env->arena, sizeof(*k->places) * ((size_t)k->nparams + 1));
	proto_places(k->btf, k->params, k->nparams, k->ret, k->places);
}

/* Parameter @i from 0 by the calling convention; false: it is not passed in one place. */
static bool btf_param(struct probe_env *env, const struct code_site *k, int i, struct probe_var *v)
{
	*v = (struct probe_var){ .kind = PV_ARG, .n = k->places[i], .is_param = true };
	v->name = arena_printf(env->arena, "$%s", k->params[i].name);
	return v->n && btf_value(env, k, k->params[i].type, v);
}

static bool btf_return(struct probe_env *env, const struct code_site *k, struct probe_var *v)
{
	*v = (struct probe_var){ .name = "$return", .kind = PV_RETVAL };
	return k->nparams >= 0 && btf_value(env, k, k->ret, v);
}

static bool btf_var(struct probe_env *env, const struct probe_site *site, const char *name,
		    struct probe_var *v)
{
	struct code_site *k = site->priv;

	find_places(env, k);
	if (is_return(site))
		return !strcmp(name, "$return") && btf_return(env, k, v);
	for (int i = 0; i < k->nparams; i++)
		if (!strcmp(name + 1, k->params[i].name) && btf_param(env, k, i, v))
			return true;
	return false;
}

static void btf_each(struct probe_env *env, const struct probe_site *site,
		     void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct code_site *k = site->priv;
	struct probe_var v;

	find_places(env, k);
	if (is_return(site)) {
		if (btf_return(env, k, &v))
			fn(&v, arg);
		return;
	}
	for (int i = 0; i < k->nparams; i++)
		if (btf_param(env, k, i, &v))
			fn(&v, arg);
}

/* Whole registers, where a program's function is called. */
static bool plain_var(const struct probe_site *site, const char *name, struct probe_var *v)
{
	*v = (struct probe_var){ .name = name, .width = 8, .is_signed = true };
	v->n = probe_arg_number(name);
	v->kind = is_return(site) ? PV_RETVAL : PV_ARG;
	return is_return(site) ? !strcmp(name, "$return") : v->n;
}

static void plain_each(struct probe_env *env, const struct probe_site *site,
		       void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct probe_var v = { .width = 8, .is_signed = true };

	if (is_return(site)) {
		v.name = "$return";
		v.kind = PV_RETVAL;
		fn(&v, arg);
		return;
	}
	for (int i = 0; i < PROBE_NARGS; i++) {
		v.name = arena_printf(env->arena, "$arg%d", i + 1);
		v.kind = PV_ARG;
		v.n = i + 1;
		fn(&v, arg);
	}
}

const struct probe_var *code_var(struct probe_env *env, const struct probe_site *site,
				 const char *name)
{
	const struct code_site *k = site->priv;
	struct probe_var *v = arena_new(env->arena, struct probe_var);

	if (!strcmp(name, PROBE_CALLERS)) {
		*v = (struct probe_var){ .name = name, .kind = PV_CALLERS, .callers = k->callers };
		return k->callers && !is_return(site) ? v : NULL;
	}
	if (k->debug.obj && debug_var_at(env, site, &k->debug, name, v))
		return v;
	if (!strcmp(name, "$$name")) {
		*v = (struct probe_var){ .name = name, .kind = PV_STR, .str = k->function };
		return v;
	}
	if (k->user)
		return !k->inside && plain_var(site, name, v) ? v : NULL;
	return !k->debug.obj && btf_var(env, site, name, v) ? v : NULL;
}

void code_each_var(struct probe_env *env, const struct probe_site *site,
		   void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	const struct code_site *k = site->priv;
	struct probe_var v = { .name = "$$name", .kind = PV_STR, .str = k->function };

	if (k->debug.obj)
		debug_each_var_at(env, site, &k->debug, fn, arg);
	else if (k->user && !k->inside)
		plain_each(env, site, fn, arg);
	else if (!k->user)
		btf_each(env, site, fn, arg);
	fn(&v, arg);
}
