/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module("name").function(...) and the like: which modules that is. The name may be a pattern, or the path of a file. A
 * module's own debug information answers; without it its symbol table and its types (BTF) do.
 */
#include <string.h>

#include "probes/code.h"
#include "symbols/kernel.h"

static bool module_place(struct code_object *c, const struct sym_func *f, uint64_t addr, struct ir_probe *p)
{
	struct sym_place at;

	if (!sym_place_code(c->obj, addr, &at))
		return false;
	p->target = at.name;
	p->symbol = f->name;
	p->offset = at.add;
	return true;
}

/* What kbuild puts into each module, and its own beginning and end: no pattern means these. */
static bool module_hidden(const struct sym_func *f)
{
	return !strcmp(f->name, "init_module") || !strcmp(f->name, "cleanup_module");
}

static const struct kbtf *module_btf(struct probe_env *env, struct sym_object *o, const char *name)
{
	size_t len = 0;
	const void *bytes = o ? sym_btf_bytes(o, &len) : NULL;

	return kernel_btf_of(probe_kernel(env), name, bytes, len);
}

struct sym_object *probe_site_types(struct probe_env *env, const struct probe_site *site)
{
	struct sym_object *o = site ? site->obj : NULL;
	const struct kbtf *btf;

	if (!o || !sym_module_name(o))
		return NULL;
	if (sym_providers(o) & SYM_DWARF)
		return o;
	btf = module_btf(env, o, sym_module_name(o));
	return btf ? sym_open_btf(env->symbols, btf) : NULL;
}

struct sym_object *probe_module_types(struct probe_env *env, const char *name, const char **why)
{
	struct probe_site in = { .obj = env->symbols ? sym_open_module(env->symbols, name, why) : NULL };
	const struct kbtf *btf;

	if (in.obj) {
		*why = "the module has neither debug information nor BTF";
		return probe_site_types(env, &in);
	}
	/* one that runs, of which there is no file */
	btf = env->symbols && !strchr(name, '/') ? module_btf(env, NULL, name) : NULL;
	return btf ? sym_open_btf(env->symbols, btf) : NULL;
}

struct module_search {
	struct code_object c; /* as it begins for each module */
	enum probe_result result;
	uint32_t modules;
};

/* Offsets are the same in the kernel's debug information and its BTF: what is there will do. */
static void complete_types(struct probe_env *env, struct sym_object *o)
{
	const char *why;
	struct sym_object *kernel = sym_open_kernel(env->symbols, &why);

	if (!(sym_providers(o) & SYM_DWARF))
		return;
	if (!kernel || !(sym_providers(kernel) & SYM_DWARF))
		kernel = probe_kernel_types(env, &why);
	if (kernel)
		sym_complete_from(o, kernel);
}

static enum probe_result resolve_in(struct code_object c, const char *name, const char **why)
{
	c.obj = sym_open_module(c.env->symbols, name, why);
	if (!c.obj)
		return PROBE_NOMATCH;
	complete_types(c.env, c.obj);
	c.what = arena_printf(c.env->arena, "module %s", sym_module_name(c.obj));
	c.named = code_point_with(c.env, c.pp, 0, sym_module_name(c.obj));
	if (!(sym_providers(c.obj) & SYM_DWARF))
		c.btf = module_btf(c.env, c.obj, sym_module_name(c.obj));
	return code_resolve(&c);
}

static bool resolve_one(const char *name, void *arg)
{
	struct module_search *s = arg;
	enum probe_result r;
	const char *why;

	s->modules++;
	r = resolve_in(s->c, name, &why);
	if (r == PROBE_OK || r == PROBE_BAD)
		s->result = r;
	return r != PROBE_BAD;
}

/* Of modules that a pattern names some have such a function. */
static enum probe_result resolve_pattern(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[0];
	struct module_search s = { .c = *c, .result = PROBE_NOMATCH };

	s.c.quiet = true;
	sym_modules(c->env->symbols, comp->str, resolve_one, &s);
	if (s.result != PROBE_NOMATCH || c->quiet)
		return s.result;
	if (!s.modules)
		diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
			   "no module of this kernel is named like \"%s\"", comp->str);
	else
		diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(&c->pp->comps.v[1]),
			   "nothing matches \"%s\" in the %u modules that are named like \"%s\"",
			   c->pp->comps.v[1].str ? c->pp->comps.v[1].str : "it", s.modules, comp->str);
	return PROBE_NOMATCH;
}

enum probe_result module_resolve(struct probe_env *env, const struct probe_family *fam,
				 const struct probe_point *pp, bool quiet, site_vec *out)
{
	const struct pp_component *comp = &pp->comps.v[0];
	struct code_object c = { .env = env, .fam = fam, .pp = pp, .named = pp, .comp = 1, .quiet = quiet,
				 .place = module_place, .hidden = module_hidden, .out = out };
	enum probe_result r;
	const char *why = "modules are not opened in this run";
	struct near_match near;

	if (env->symbols && !strchr(comp->str, '/') && probe_is_glob(comp->str))
		return resolve_pattern(&c);
	if (env->symbols) {
		r = resolve_in(c, comp->str, &why);
		if (r != PROBE_NOMATCH || sym_open_module(env->symbols, comp->str, &why))
			return r;
	}
	if (quiet)
		return PROBE_NOMATCH;
	diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp), "cannot probe the module \"%s\": %s", comp->str,
		   why);
	near_init(&near, comp->str);
	if (env->symbols)
		sym_near_modules(env->symbols, &near);
	if (near_best(&near))
		diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
	else
		diag_hint(env->diag, "a module that is elsewhere is named by its file: module(\"/path/to/name.ko\")");
	return PROBE_NOMATCH;
}
