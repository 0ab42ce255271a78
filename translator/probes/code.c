/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .function("name[@file]")[.call | .inline | .exported | .return[.maxactive(n)]] of any binary. */
#include "probes/code.h"

#include <string.h>

static const struct {
	const char *name;
	enum code_filter filter;
} filters[] = {
	{ "call", CODE_CALL },
	{ "inline", CODE_INLINE },
	{ "exported", CODE_EXPORTED },
};

const struct probe_point *code_point_with(struct probe_env *env, const struct probe_point *pp,
					  uint32_t i, const char *arg)
{
	struct probe_point *out = arena_new(env->arena, struct probe_point);

	*out = *pp;
	out->comps.v = arena_alloc(env->arena, pp->comps.n * sizeof(*out->comps.v));
	memcpy(out->comps.v, pp->comps.v, pp->comps.n * sizeof(*out->comps.v));
	out->comps.v[i].str = arg;
	return out;
}

bool code_parse(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];

	for (uint32_t i = c->comp + 1; i < c->pp->comps.n; i++)
		for (size_t k = 0; k < sizeof(filters) / sizeof(filters[0]); k++)
			if (!strcmp(c->pp->comps.v[i].name, filters[k].name))
				c->filter = filters[k].filter;
	if (!probe_function_spec(c->env, comp, &c->spec) ||
	    !probe_maxactive(c->env, c->pp, &c->maxactive))
		return false;
	c->glob = probe_is_glob(c->spec.func) || (c->spec.file && probe_is_glob(c->spec.file));
	return true;
}

/* "name@file:line", as far as it is known. */
static const char *function_text(struct code_object *c, const struct sym_func *f)
{
	if (!f->file)
		return f->name;
	if (!f->line)
		return arena_printf(c->env->arena, "%s@%s", f->name, f->file);
	return arena_printf(c->env->arena, "%s@%s:%u", f->name, f->file, f->line);
}

struct probe_site *code_add_site(struct code_object *c, const struct code_site *own,
				 const char *name)
{
	struct probe_site site =
		probe_site_new(c->fam, c->pp, c->comp,
			       probe_text_with(c->env, c->named, c->comp, name), c->quiet);
	struct code_site *copy = arena_new(c->env->arena, struct code_site);

	*copy = *own;
	copy->user = c->user;
	site.priv = copy;
	site.obj = c->obj;
	site.proto = &copy->proto;
	site.probe.maxactive = c->maxactive;
	site.probe.symbol = own->function ? own->function : arena_strdup(c->env->arena, name);
	site.probe.filter_target = c->user;
	/* of many, some cannot be probed: that is no error */
	site.probe.optional = site.probe.optional || (c->glob && !c->user);
	vec_push(c->env->arena, c->out, site);
	c->added++;
	return &c->out->v[c->out->n - 1];
}

static bool is_return(const struct code_object *c)
{
	return c->fam->kind == AT_KRETPROBE || c->fam->kind == AT_URETPROBE;
}

void code_types(const struct code_object *c, struct code_site *own, const struct kbtf *btf, uint32_t id)
{
	own->btf = btf;
	if (id)
		own->nparams = kbtf_params(btf, c->env->arena, id, &own->params, &own->ret);
}

static bool add_function(const struct sym_func *f, void *arg)
{
	struct code_object *c = arg;
	struct code_site own = { .function = f->name, .nparams = -1 };
	bool instance = f->flags & SYMF_INLINE;
	struct ir_probe place = { 0 };
	struct debug_site *where;
	struct probe_site *site;

	if (instance && (is_return(c) || c->filter == CODE_CALL)) {
		c->inlined++;
		return true;
	}
	if ((!instance && c->filter == CODE_INLINE) ||
	    (c->filter == CODE_EXPORTED && !(f->flags & SYMF_EXTERNAL)) ||
	    (c->glob && c->hidden && c->hidden(f)) || !c->place(c, f, f->entry, &place))
		return true;
	if (f->die)
		own.debug = (struct debug_site){ c->obj, *f, f->entry };
	else if (c->btf)
		code_types(c, &own, c->btf, kbtf_find(c->btf, BTF_KIND_FUNC, f->name));
	where = arena_new(c->env->arena, struct debug_site);
	*where = (struct debug_site){ c->obj, *f, f->entry };
	site = code_add_site(c, &own, function_text(c, f));
	site->debug = where;
	site->probe.target = place.target;
	site->probe.symbol = f->name;
	site->probe.at_entry = c->fam->kind == AT_UPROBE && !instance;
	site->probe.offset = place.offset;
	return true;
}

void code_add_sites(struct code_object *c)
{
	if (c->obj)
		sym_functions(c->obj, &c->spec, true, add_function, c);
}

static void report_no_function(struct code_object *c, const struct near_match *near)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	const char *missing, *hint;

	if (c->user)
		diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
			   "no function of %s matches \"%s\"", c->what, comp->str);
	else
		diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
			   "no %s function matches \"%s\"", c->what, comp->str);
	missing = c->obj ? sym_missing(c->obj, &hint) : NULL;
	if (near_best(near))
		diag_hint(c->env->diag, "did you mean \"%s\"?", near_best(near));
	else if (missing && c->spec.file)
		diag_hint(c->env->diag, "source files are known by debug information only; %s: %s",
			  missing, hint);
	else if (missing && c->user)
		diag_hint(c->env->diag, "%s: %s", missing, hint);
}

enum probe_result code_finish(struct code_object *c, const struct near_match *near)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	struct near_match own;

	if (c->added)
		return PROBE_OK;
	if (c->quiet)
		return PROBE_NOMATCH;
	if (c->inlined) {
		diag_error(
			c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
			"\"%s\" is inlined wherever it is called: it has no entry and no return of its own",
			comp->str);
		diag_hint(c->env->diag, "probe its %u inlined instances with .inline", c->inlined);
		return PROBE_NOMATCH;
	}
	if (!near) {
		near_init(&own, c->spec.func);
		if (c->obj)
			sym_near_functions(c->obj, &own);
	}
	report_no_function(c, near ? near : &own);
	return PROBE_NOMATCH;
}

enum probe_result code_resolve(struct code_object *c)
{
	if (!code_parse(c))
		return PROBE_BAD;
	code_add_sites(c);
	return code_finish(c, NULL);
}
