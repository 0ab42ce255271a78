/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .function(...) and what may follow it, of any binary; statements, labels and callees have files of their own. */
#include "probes/code.h"

#include <string.h>

#define NAMES_SHOWN 4 /* of functions that are left out */

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

/* How deep callees are followed: their number grows with a power of it. */
#define MAXDEPTH 20

static bool parse_suffix(struct code_object *c, const struct pp_component *p)
{
	for (size_t k = 0; k < sizeof(filters) / sizeof(filters[0]); k++)
		if (!strcmp(p->name, filters[k].name))
			c->filter = filters[k].filter;
	if (!strcmp(p->name, "label"))
		c->label = p->str;
	if (!strcmp(p->name, "callee"))
		c->callee = p->str;
	if (!strcmp(p->name, "callees")) {
		c->callee = "*";
		c->depth = p->arg == PP_NUM ? p->num : 1;
	}
	c->nearest = c->nearest || !strcmp(p->name, "nearest");
	c->is_absolute = c->is_absolute || !strcmp(p->name, "absolute");
	if (!c->callee || strcmp(p->name, "callees") != 0 ||
	    (c->depth >= 1 && c->depth <= MAXDEPTH))
		return true;
	diag_error(c->env->diag, TAG_PROBE_ARG, probe_arg_span(p),
		   "callees are followed from 1 to %d levels deep, not %lld", MAXDEPTH,
		   (long long)c->depth);
	return false;
}

bool code_parse(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];

	for (uint32_t i = c->comp + 1; i < c->pp->comps.n; i++)
		if (!parse_suffix(c, &c->pp->comps.v[i]))
			return false;
	if (c->callee && !c->depth)
		c->depth = 1;
	if (!probe_maxactive(c->env, c->pp, &c->maxactive) ||
	    (comp->arg == PP_STR && !probe_function_spec(c->env, comp, true, &c->spec)))
		return false;
	c->glob = comp->arg == PP_STR &&
		  (probe_is_glob(c->spec.func) || (c->spec.file && probe_is_glob(c->spec.file)));
	return true;
}

const char *code_name(struct code_object *c, const char *name, const char *file, uint32_t line)
{
	if (!file)
		return name;
	if (!line)
		return arena_printf(c->env->arena, "%s@%s", name, file);
	return arena_printf(c->env->arena, "%s@%s:%u", name, file, line);
}

bool code_is_return(const struct code_object *c)
{
	return c->fam->kind == AT_KRETPROBE || c->fam->kind == AT_URETPROBE;
}

static const char *site_text(struct code_object *c, const char *name,
			     const struct probe_point *tail)
{
	struct probe_point *pp;

	if (!tail)
		return probe_text_with(c->env, c->named, c->comp, name);
	pp = arena_new(c->env->arena, struct probe_point);
	for (uint32_t i = 0; i <= c->comp; i++)
		vec_push(c->env->arena, &pp->comps, c->named->comps.v[i]);
	for (uint32_t i = 0; i < tail->comps.n; i++)
		vec_push(c->env->arena, &pp->comps, tail->comps.v[i]);
	return probe_text_with(c->env, pp, c->comp, name);
}

struct probe_site *code_add_site(struct code_object *c, const struct code_site *own,
				 const char *name, const struct probe_point *tail)
{
	struct probe_site site =
		probe_site_new(c->fam, c->pp, c->comp, site_text(c, name, tail), c->quiet);
	struct code_site *copy = arena_new(c->env->arena, struct code_site);

	*copy = *own;
	copy->user = c->user;
	site.priv = copy;
	site.obj = c->obj;
	site.proto = &copy->proto;
	if (!copy->function)
		copy->function = arena_strdup(c->env->arena, name);
	site.probe.symbol = copy->function;
	site.callers = own->callers;
	site.probe.maxactive = code_is_return(c) ? c->maxactive : 0;
	site.probe.filter_target = c->user;
	/* of many, some cannot be probed: that is no error */
	site.probe.optional = site.probe.optional || (c->glob && !c->user);
	vec_push(c->env->arena, c->out, site);
	c->added++;
	return &c->out->v[c->out->n - 1];
}

void code_types(const struct code_object *c, struct code_site *own, const struct kbtf *btf, uint32_t id)
{
	own->btf = btf;
	if (id)
		own->nparams = kbtf_params(btf, c->env->arena, id, &own->params, &own->ret);
}

struct probe_site *code_add_place(struct code_object *c, const struct sym_func *f, uint64_t pc,
				  const char *name, const struct probe_point *tail,
				  const struct probe_callers *callers)
{
	struct code_site own = { .function = f->name, .nparams = -1, .callers = callers };
	struct ir_probe place = { 0 };
	struct debug_site *where;
	struct probe_site *site;

	if (!c->place(c, f, pc, &place))
		return NULL;
	own.inside = pc != f->entry || (f->flags & SYMF_INLINE);
	if (f->die)
		own.debug = (struct debug_site){ c->obj, *f, pc };
	else if (c->btf && !own.inside)
		code_types(c, &own, c->btf, kbtf_find(c->btf, BTF_KIND_FUNC, f->name));
	where = arena_new(c->env->arena, struct debug_site);
	*where = (struct debug_site){ c->obj, *f, pc };
	site = code_add_site(c, &own, name, tail);
	site->debug = where;
	site->probe.target = place.target;
	site->probe.symbol = f->name;
	site->probe.at_entry = c->fam->kind == AT_UPROBE && !own.inside;
	site->probe.offset = place.offset;
	return site;
}

static void leave_out(struct code_object *c, const char *name)
{
	struct code_left_out *l = &c->left_out;

	if (l->n++ < NAMES_SHOWN)
		l->names = l->n == 1 ? name : arena_printf(c->env->arena, "%s, %s", l->names, name);
}

/* A part of a function that the compiler moved away: nobody calls it. */
static bool is_stub(const struct sym_func *f)
{
	const char *cold = f->flags & SYMF_NODEBUG ? strstr(f->name, ".cold") : NULL;

	return cold && (!cold[5] || cold[5] == '.');
}

static bool add_function(const struct sym_func *f, void *arg)
{
	struct code_object *c = arg;
	bool instance = f->flags & SYMF_INLINE;

	if (instance && (code_is_return(c) || c->filter == CODE_CALL)) {
		c->inlined++;
		return true;
	}
	if (c->filter == CODE_INLINE ? !instance
				     : c->filter == CODE_EXPORTED && !(f->flags & SYMF_EXTERNAL)) {
		c->filtered++;
		return true;
	}
	if (c->glob && ((c->hidden && c->hidden(f)) || is_stub(f)))
		return true;
	if (c->glob && c->refused && c->refused(c, f)) {
		leave_out(c, f->name);
		return true;
	}
	code_add_place(c, f, f->entry, code_name(c, f->name, f->file, f->line), NULL, NULL);
	return true;
}

/* Functions that have statements on the lines that are asked for, each once. */
struct on_lines {
	struct code_object *c;
	bool inlined;
	bool (*fn)(const struct sym_func *f, void *arg);
	void *arg;
	VEC(uint64_t) seen;
};

static bool once(struct on_lines *o, const struct sym_func *f)
{
	for (uint32_t i = 0; i < o->seen.n; i++)
		if (o->seen.v[i] == f->die)
			return true;
	vec_push(o->c->env->arena, &o->seen, f->die);
	return o->fn(f, o->arg);
}

static bool function_on_line(const struct sym_line *l, void *arg)
{
	struct on_lines *o = arg;

	return ((l->func.flags & SYMF_INLINE) && !o->inlined) || once(o, &l->func);
}

/* Where a function is declared there need be no code. */
static bool declared_on_line(const struct sym_func *f, void *arg)
{
	struct on_lines *o = arg;
	const struct sym_spec *spec = &o->c->spec;
	uint32_t line = spec->line_kind == SYML_RELATIVE ? 0 : f->line;

	for (uint32_t i = 0; i < spec->lines.n; i++)
		if (line >= spec->lines.v[i].from && line <= spec->lines.v[i].to)
			return once(o, f);
	return true;
}

void code_functions(struct code_object *c, bool inlined,
		    bool (*fn)(const struct sym_func *f, void *arg), void *arg)
{
	struct on_lines o = { .c = c, .inlined = inlined, .fn = fn, .arg = arg };

	if (!c->obj)
		return;
	if (c->spec.line_kind == SYML_NONE || c->spec.line_kind == SYML_ALL) {
		sym_functions(c->obj, &c->spec, inlined, fn, arg);
		return;
	}
	sym_functions(c->obj, &c->spec, inlined, declared_on_line, &o);
	sym_lines(c->obj, &c->spec, false, function_on_line, &o, NULL);
}

static bool is_statement(const struct code_object *c)
{
	return !strcmp(c->pp->comps.v[c->comp].name, "statement");
}

void code_add_sites(struct code_object *c)
{
	if (c->label)
		code_add_labels(c);
	else if (c->callee)
		code_add_callees(c);
	else if (is_statement(c) && c->spec.line_kind != SYML_NONE)
		code_add_lines(c);
	else
		code_functions(c, true, add_function, c);
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
	else if (missing && (c->spec.file || c->user))
		diag_hint(c->env->diag, "source files are known by debug information only; %s: %s",
			  missing, hint);
}

static void report_inlined(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp + (c->callee ? 1 : 0)];

	diag_error(
		c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		"\"%s\" is inlined wherever it is called: it has no entry and no return of its own",
		c->callee ? c->callee : comp->str);
	if (c->callee)
		diag_hint(c->env->diag, "without .%s its place in the caller is probed",
			  code_is_return(c) ? "return" : "call");
	else
		diag_hint(c->env->diag, "probe its %u inlined instances with .inline", c->inlined);
}

/* What of the point only debug information knows; NULL: nothing. */
static const char *needs_debug(const struct code_object *c)
{
	if (c->label)
		return "labels are";
	if (c->callee)
		return "callees are";
	if (c->filter == CODE_INLINE)
		return "inlined functions are";
	return c->spec.line_kind != SYML_NONE ? "lines are" : NULL;
}

static bool no_debug(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	const char *need = needs_debug(c), *missing, *hint;

	if (!need || (c->obj && (sym_providers(c->obj) & SYM_DWARF)))
		return false;
	diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		   "%s known by debug information only", need);
	missing = c->obj ? sym_missing(c->obj, &hint) : NULL;
	if (missing)
		diag_hint(c->env->diag, "%s: %s", missing, hint);
	return true;
}

static void report_filtered(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	bool is_inline = c->filter == CODE_INLINE;

	diag_error(
		c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		is_inline
			? "no function that matches \"%s\" is inlined anywhere"
			: "no function that matches \"%s\" can be seen outside of its source file",
		comp->str);
	diag_hint(c->env->diag, "leave out .%s", is_inline ? "inline" : "exported");
}

/* Calls and returns of one pattern leave out the same. */
static bool told_of(struct probe_env *env, const char *pattern)
{
	for (uint32_t i = 0; i < env->left_out.n; i++)
		if (!strcmp(env->left_out.v[i], pattern))
			return true;
	vec_push(env->arena, &env->left_out, pattern);
	return false;
}

static enum probe_result finish_found(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];

	if (!c->left_out.n || c->quiet || told_of(c->env, comp->str))
		return PROBE_OK;
	diag_warning(
		c->env->diag, TAG_LEFT_OUT, probe_arg_span(comp),
		"%u of the functions that match \"%s\" are left out (the kernel lets nobody probe them, or dropped them after it started): %s%s",
		c->left_out.n, comp->str, c->left_out.names,
		c->left_out.n > NAMES_SHOWN ? ", ..." : "");
	return PROBE_OK;
}

enum probe_result code_finish(struct code_object *c, const struct near_match *near)
{
	struct near_match own;

	if (c->added)
		return finish_found(c);
	if (c->quiet)
		return PROBE_NOMATCH;
	if (no_debug(c))
		return PROBE_NOMATCH;
	if (c->inlined) {
		report_inlined(c);
		return PROBE_NOMATCH;
	}
	if (c->filtered) {
		report_filtered(c);
		return PROBE_NOMATCH;
	}
	if (code_no_line(c) || code_no_label(c) || code_no_callee(c))
		return PROBE_NOMATCH;
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
	enum probe_result r;

	if (!code_parse(c))
		return PROBE_BAD;
	if (code_by_number(c, &r))
		return r;
	code_add_sites(c);
	return code_finish(c, NULL);
}
