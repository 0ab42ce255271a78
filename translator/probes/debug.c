/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Context variables that debug information names: shared by the families that probe functions. */
#include <string.h>

#include "probes/families.h"
#include "symbols/symbols.h"

/* kretprobe instances the kernel may preallocate for one probe: the runtime's memory is bounded. */
#define MAX_MAXACTIVE 65536

static bool at_return(const struct probe_site *site)
{
	return site && (site->probe.kind == AT_URETPROBE || site->probe.kind == AT_KRETPROBE);
}

static bool is_user(const struct probe_site *site)
{
	return site && (site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE);
}

static struct sym_scope *scope_of(const struct probe_site *site, const struct debug_site *d)
{
	return d ? sym_scope_new(d->obj, &d->func, d->pc, at_return(site)) : NULL;
}

static bool uses(const struct sym_loc *loc, enum sym_lop op)
{
	for (uint32_t n = 0; n < loc->pieces.n; n++)
		for (uint32_t k = 0; k < loc->pieces.v[n].ops.n; k++)
			if (loc->pieces.v[n].ops.v[k].op == op)
				return true;
	return false;
}

static void place(struct probe_env *env, const struct probe_site *site, struct probe_var *v,
		  const char *why, struct sym_loc loc)
{
	struct sym_loc *copy = arena_new(env->arena, struct sym_loc);

	v->why = why;
	*copy = loc;
	v->loc = v->why ? NULL : copy;
	v->from_entry = v->loc && at_return(site) && is_user(site) && uses(v->loc, SL_STATIC);
}

static struct probe_var make_var(struct probe_env *env, const struct probe_site *site,
				 struct sym_scope *sc, const struct sym_var *from)
{
	struct sym_loc loc = { 0 };
	const char *why = from->type ? sym_locate(sc, from, &loc) : "its type is not known";
	struct probe_var v = {
		.name = arena_printf(env->arena, "$%s", from->name),
		.kind = PV_SYM,
		.type = from->type,
		.type_name = from->type_text,
		.obj = sym_scope_object(sc),
		.pc = sym_scope_pc(sc),
		.user = is_user(site),
		.is_param = from->kind == SV_PARAM,
	};

	place(env, site, &v, why, loc);
	return v;
}

static bool make_return(struct probe_env *env, const struct probe_site *site, struct sym_scope *sc,
			struct probe_var *v)
{
	struct sym_loc loc = { 0 };
	const char *why;

	*v = (struct probe_var){ .name = "$return", .kind = PV_SYM, .obj = sym_scope_object(sc),
				  .pc = sym_scope_pc(sc), .user = is_user(site) };
	v->type = sym_return_type(sc, &v->type_name);
	if (!v->type || v->type->kind == ST_VOID)
		return false;
	why = sym_locate_return(sc, &loc);
	place(env, site, v, why, loc);
	return true;
}

/* A module only declares the kernel's globals. */
static bool kernel_global(struct probe_env *env, const struct debug_site *d, const char *name, struct sym_var *v,
			  struct sym_scope **sc)
{
	const char *why;
	struct sym_object *kernel = sym_module_name(d->obj) ? sym_open_kernel(env->symbols, &why) : NULL;

	return kernel && sym_global_find(kernel, name, v, sc) && v->kind == SV_GLOBAL;
}

bool debug_var_at(struct probe_env *env, const struct probe_site *site, const struct debug_site *d,
		  const char *name, struct probe_var *out)
{
	/* "$$vars" and the like are no variables: do not search all of the binary for them */
	struct sym_scope *sc = name[1] == '$' ? NULL : scope_of(site, d);
	struct sym_var v;

	if (!sc)
		return false;
	if (at_return(site))
		return !strcmp(name, "$return") && make_return(env, site, sc, out);
	if (!sym_scope_find(sc, name + 1, &v) && !kernel_global(env, d, name + 1, &v, &sc))
		return false;
	*out = make_var(env, site, sc, &v);
	return true;
}

struct each {
	struct probe_env *env;
	const struct probe_site *site;
	struct sym_scope *sc;
	void (*fn)(const struct probe_var *v, void *arg);
	void *arg;
	uint32_t n;
	enum sym_var_kind kind;
};

static bool each_var(const struct sym_var *from, void *arg)
{
	struct each *e = arg;
	struct probe_var v;

	if ((from->kind == SV_PARAM) != (e->kind == SV_PARAM))
		return true;
	v = make_var(e->env, e->site, e->sc, from);
	e->fn(&v, e->arg);
	e->n++;
	return true;
}

bool debug_each_var_at(struct probe_env *env, const struct probe_site *site,
		       const struct debug_site *d, void (*fn)(const struct probe_var *v, void *arg),
		       void *arg)
{
	struct each e = { .env = env, .site = site, .sc = scope_of(site, d), .fn = fn, .arg = arg };
	struct probe_var v;

	if (!e.sc)
		return false;
	if (at_return(site)) {
		if (make_return(env, site, e.sc, &v))
			fn(&v, arg);
		return true;
	}
	/* parameters, then what the function declares itself */
	e.kind = SV_PARAM;
	sym_scope_vars(e.sc, each_var, &e);
	e.kind = SV_LOCAL;
	sym_scope_vars(e.sc, each_var, &e);
	return true;
}

const char *probe_var_elsewhere(struct probe_env *env, const struct probe_site *site, const char *name)
{
	(void)env;
	if (!site->debug || at_return(site) || name[0] != '$')
		return NULL;
	return sym_scope_elsewhere(scope_of(site, site->debug), name + 1);
}

/* The object that @module names, or what is probed; NULL with *@why. */
static struct sym_object *global_object(struct probe_env *env, const struct probe_site *site, const char *module,
					const char **why)
{
	bool kernel = module ? !strcmp(module, "kernel") : !site || !is_user(site);

	*why = "no binary is opened in this run";
	if (!env->symbols)
		return NULL;
	if (kernel)
		return sym_open_kernel(env->symbols, why);
	if (!module)
		return sym_open_file(env->symbols, site->probe.target, why);
	if (strchr(module, '/'))
		return sym_open_file(env->symbols, probe_real_path(env, module), why);
	return sym_open_module(env->symbols, module, why);
}

const struct probe_var *probe_global(struct probe_env *env, const struct probe_site *site, const char *name,
				     const char *module, const char **why)
{
	struct sym_object *o = global_object(env, site, module, why);
	struct probe_var *v;
	struct sym_scope *sc;
	struct sym_var var;
	const char *hint;

	if (!o)
		return NULL;
	*why = sym_missing(o, &hint);
	if (*why)
		*why = arena_printf(env->arena, "%s: %s", *why, hint);
	else
		*why = strchr(name, '@') ? "no unit of that name has such a variable"
					 : "no global or static variable has that name";
	/* a unit of the probed place comes first */
	if (!site || !site->debug || site->debug->obj != o || strchr(name, '@') ||
	    !sym_unit_find(scope_of(site, site->debug), name, &var, &sc)) {
		if (!sym_global_find(o, name, &var, &sc))
			return NULL;
	}
	v = arena_new(env->arena, struct probe_var);
	*v = make_var(env, site, sc, &var);
	v->user = !sym_module_name(o) && o != sym_open_kernel(env->symbols, &hint);
	v->pc = site && site->debug ? site->debug->pc : 0;
	v->from_entry = v->from_entry && v->user;
	if (v->loc && v->user && uses(v->loc, SL_STATIC) && (!site || !site->debug || site->debug->obj != o)) {
		v->loc = NULL;
		v->why = "where that file lies in memory is known in probes of its own code only";
	}
	return v;
}

bool probe_function_spec(struct probe_env *env, const struct pp_component *c, bool lines,
			 struct sym_spec *spec)
{
	const char *why;
	uint32_t at;

	if (sym_spec_parse(env->arena, c->str, spec, &why, &at) &&
	    (lines || spec->line_kind == SYML_NONE))
		return true;
	diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(c), "\"%s\" names no function: %s",
		   c->str, why ? why : "a callee is named without a line");
	diag_hint(env->diag,
		  lines ? "write \"NAME\", \"NAME@FILE\", \"NAME@FILE:LINE\", :FIRST-LAST, :LINE,LINE, :* or +LINES; name and file may be patterns" :
			  "write \"NAME\" or \"NAME@FILE\"; both may be patterns");
	return false;
}

bool probe_maxactive(struct probe_env *env, const struct probe_point *pp, uint32_t *n)
{
	const struct pp_component *max = NULL;

	*n = 0;
	for (uint32_t i = 0; i < pp->comps.n; i++)
		if (!strcmp(pp->comps.v[i].name, "maxactive"))
			max = &pp->comps.v[i];
	if (!max)
		return true;
	*n = (uint32_t)max->num;
	if (max->num >= 1 && max->num <= MAX_MAXACTIVE)
		return true;
	diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(max),
		   "maxactive must be from 1 to %d, not %lld", MAX_MAXACTIVE, (long long)max->num);
	return false;
}
