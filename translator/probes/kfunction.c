/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.function("name[@file]")[.call | .inline | .return[.maxactive(n)]]: kernel functions with their variables. Where
 * the kernel's debug information is installed it answers; else its own types (BTF) and list of symbols do, which
 * know parameters and results but no files, lines, locals or inlined code.
 */
#include <fnmatch.h>
#include <string.h>

#include "probes/families.h"
#include "symbols/kernel.h"

/* A site's own: debug information, or the function's types. */
struct kfunction_site {
	struct debug_site debug; /* obj NULL: there is none */
	const struct kbtf *btf;
	struct kbtf_param *params;
	int nparams; /* -1: not known */
	uint32_t ret;
};

struct add {
	struct probe_env *env;
	const struct probe_family *fam;
	const struct probe_point *pp;
	struct sym_object *obj;
	const struct sym_spec *spec;
	bool quiet, glob;
	site_vec *out;
	uint32_t added, inlined;
	uint64_t text; /* address of _stext */
	uint32_t maxactive;
};

enum { KF_ALL, KF_CALL, KF_INLINE };

static struct probe_site *add_site(struct add *a, const char *name,
				   const struct kfunction_site *own)
{
	struct probe_site site =
		probe_site_new(a->fam, a->pp, 1, probe_text_with(a->env, a->pp, 1, name), a->quiet);
	struct kfunction_site *copy = arena_new(a->env->arena, struct kfunction_site);

	*copy = *own;
	site.priv = copy;
	site.probe.maxactive = a->maxactive;
	/* of many, some cannot be probed: that is no error */
	site.probe.optional = site.probe.optional || a->glob;
	vec_push(a->env->arena, a->out, site);
	a->added++;
	return &a->out->v[a->out->n - 1];
}

/*
 * A kprobe is placed by symbol and offset. Of several functions with one name the kernel would take the first: these are
 * placed by their distance from the start of the kernel's text.
 */
static bool name_place(struct add *a, const struct sym_func *f, struct ir_probe *p)
{
	if (!sym_addr_symbol(a->obj, f->entry, &p->target, &p->offset))
		return false;
	if (sym_count(a->obj, f->name) < 2)
		return true;
	if (!a->text && !sym_symbol_addr(a->obj, "_stext", &a->text))
		return true;
	p->target = "_stext";
	p->offset = f->entry - a->text;
	return true;
}

static bool add_debug(const struct sym_func *f, void *arg)
{
	struct add *a = arg;
	struct kfunction_site own = { .debug = { a->obj, *f, f->entry }, .nparams = -1 };
	bool instance = f->flags & SYMF_INLINE;
	struct ir_probe place = { 0 };
	struct probe_site *site;

	if (instance && (a->fam->kind == AT_KRETPROBE || a->fam->param == KF_CALL)) {
		a->inlined++;
		return true;
	}
	if ((!instance && a->fam->param == KF_INLINE) || !name_place(a, f, &place))
		return true;
	site = add_site(a, f->name, &own);
	site->probe.target = place.target;
	site->probe.offset = place.offset;
	return true;
}

static void add_plain(struct add *a, const struct kbtf *btf, uint32_t id, const char *name)
{
	struct kfunction_site own = { .btf = btf, .nparams = -1 };

	if (id)
		own.nparams = kbtf_params(btf, a->env->arena, id, &own.params, &own.ret);
	add_site(a, name, &own)->probe.target = arena_strdup(a->env->arena, name);
}

struct btf_visit {
	struct add *a;
	const struct kbtf *btf;
};

static bool visit_btf(uint32_t id, const char *name, void *arg)
{
	struct btf_visit *v = arg;

	if (!fnmatch(v->a->spec->func, name, 0))
		add_plain(v->a, v->btf, id, name);
	return true;
}

/* By the kernel's types and symbols. */
static void add_by_symbol(struct add *a, struct near_match *near)
{
	const char *why, *hint;
	const struct kbtf *btf = kernel_btf(probe_kernel(a->env), &why, &hint);
	struct btf_visit v = { a, btf };

	if (a->glob) {
		if (btf)
			kbtf_each(btf, BTF_KIND_FUNC, visit_btf, &v);
		return;
	}
	if (kernel_has_function(probe_kernel(a->env), a->spec->func, a->quiet ? NULL : near) !=
	    KERNEL_HAS_NOT)
		add_plain(a, btf, btf ? kbtf_find(btf, BTF_KIND_FUNC, a->spec->func) : 0,
			  a->spec->func);
}

static enum probe_result no_match(struct add *a, const struct near_match *near)
{
	const struct pp_component *c = &a->pp->comps.v[1];
	const char *missing, *hint;

	if (a->quiet)
		return PROBE_NOMATCH;
	if (a->inlined) {
		diag_error(
			a->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c),
			"\"%s\" is inlined wherever it is called: it has no entry and no return of its own",
			c->str);
		diag_hint(a->env->diag, "probe its %u inlined instances with .inline", a->inlined);
		return PROBE_NOMATCH;
	}
	diag_error(a->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c),
		   "no kernel function matches \"%s\"", c->str);
	missing = a->obj ? sym_missing(a->obj, &hint) : NULL;
	if (near_best(near))
		diag_hint(a->env->diag, "did you mean \"%s\"?", near_best(near));
	else if (missing && a->spec->file)
		diag_hint(a->env->diag, "source files are known by debug information only; %s: %s",
			  missing, hint);
	return PROBE_NOMATCH;
}

enum probe_result kfunction_resolve(struct probe_env *env, const struct probe_family *fam,
				    const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct add a = { .env = env, .fam = fam, .pp = pp, .quiet = quiet, .out = out };
	struct sym_spec spec;
	struct near_match near;
	const char *why;

	if (!probe_function_spec(env, &pp->comps.v[1], &spec) ||
	    !probe_maxactive(env, pp, &a.maxactive))
		return PROBE_BAD;
	a.spec = &spec;
	a.glob = probe_is_glob(spec.func) || (spec.file && probe_is_glob(spec.file));
	near_init(&near, spec.func);
	a.obj = env->symbols ? sym_open_kernel(env->symbols, &why) : NULL;
	if (a.obj && (sym_providers(a.obj) & SYM_DWARF)) {
		sym_functions(a.obj, &spec, true, add_debug, &a);
		if (!a.added && !quiet)
			sym_near_functions(a.obj, &near);
	} else if (!spec.file && fam->param != KF_INLINE) {
		add_by_symbol(&a, &near);
	}
	return a.added ? PROBE_OK : no_match(&a, &near);
}

static bool is_return(const struct probe_site *site)
{
	return site->probe.kind == AT_KRETPROBE;
}

static const char *function_name(const struct probe_site *site)
{
	const struct kfunction_site *k = site->priv;

	return k->debug.obj ? k->debug.func.name : site->probe.target;
}

static bool btf_value(struct probe_env *env, const struct kfunction_site *k, uint32_t type,
		      struct probe_var *v)
{
	if (!kbtf_scalar(k->btf, type, &v->width, &v->is_signed))
		return false;
	v->type_name = kbtf_type_text(k->btf, env->arena, type);
	if (env->symbols)
		v->type = sym_btf_type(sym_open_btf(env->symbols, k->btf), type);
	return true;
}

/* Parameter @i from 0 by the calling convention; false: it is not passed in one register. */
static bool btf_param(struct probe_env *env, const struct kfunction_site *k, int i,
		      struct probe_var *v)
{
	*v = (struct probe_var){ .kind = PV_ARG, .n = (uint32_t)i + 1, .is_param = true };
	v->name = arena_printf(env->arena, "$%s", k->params[i].name);
	return i < PROBE_NARGS && btf_value(env, k, k->params[i].type, v);
}

static bool btf_return(struct probe_env *env, const struct kfunction_site *k, struct probe_var *v)
{
	*v = (struct probe_var){ .name = "$return", .kind = PV_RETVAL };
	return k->nparams >= 0 && btf_value(env, k, k->ret, v);
}

const struct probe_var *kfunction_var(struct probe_env *env, const struct probe_site *site,
				      const char *name)
{
	const struct kfunction_site *k = site->priv;
	struct probe_var *v = arena_new(env->arena, struct probe_var);

	if (k->debug.obj && debug_var_at(env, site, &k->debug, name, v))
		return v;
	if (!strcmp(name, "$$name")) {
		*v = (struct probe_var){ .name = name, .kind = PV_STR, .str = function_name(site) };
		return v;
	}
	if (k->debug.obj)
		return NULL;
	if (is_return(site))
		return !strcmp(name, "$return") && btf_return(env, k, v) ? v : NULL;
	for (int i = 0; i < k->nparams; i++)
		if (!strcmp(name + 1, k->params[i].name) && btf_param(env, k, i, v))
			return v;
	return NULL;
}

void kfunction_each_var(struct probe_env *env, const struct probe_site *site,
			void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	const struct kfunction_site *k = site->priv;
	struct probe_var v;

	if (k->debug.obj) {
		debug_each_var_at(env, site, &k->debug, fn, arg);
	} else if (is_return(site)) {
		if (btf_return(env, k, &v))
			fn(&v, arg);
	} else {
		for (int i = 0; i < k->nparams; i++)
			if (btf_param(env, k, i, &v))
				fn(&v, arg);
	}
	v = (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = function_name(site) };
	fn(&v, arg);
}

struct sym_object *probe_kernel_types(struct probe_env *env, const char **why)
{
	const char *hint;
	const struct kbtf *btf = kernel_btf(probe_kernel(env), why, &hint);

	return btf && env->symbols ? sym_open_btf(env->symbols, btf) : NULL;
}

bool probe_constant(struct probe_env *env, const struct probe_site *site, const char *name,
		    int64_t *value)
{
	bool user = site && (site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE);
	struct sym_object *o;
	const char *why;

	if (!env->symbols)
		return false;
	o = user ? sym_open_file(env->symbols, site->probe.target, &why)
		 : probe_kernel_types(env, &why);
	return o && sym_enum_value(o, name, value);
}
