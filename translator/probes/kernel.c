/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.function(...) and kernel.statement(...). Where the kernel's debug information is installed it answers; else its
 * own types (BTF) and list of symbols do, which know parameters and results but no files, lines, locals or inlined code.
 */
#include <fnmatch.h>
#include <string.h>

#include "probes/code.h"
#include "symbols/kernel.h"

/*
 * A kprobe is placed by symbol and offset. Of several functions with one name the kernel would take the first: these are
 * placed by their distance from the start of the kernel's text.
 */
static bool kernel_place(struct code_object *c, const struct sym_func *f, uint64_t addr,
			 struct ir_probe *p)
{
	if (!sym_addr_symbol(c->obj, addr, &p->target, &p->offset))
		return false;
	if (sym_count(c->obj, f->name) < 2)
		return true;
	if (!c->text && !sym_symbol_addr(c->obj, "_stext", &c->text))
		return true;
	p->target = "_stext";
	p->offset = addr - c->text;
	return true;
}

static void add_plain(struct code_object *c, const struct kbtf *btf, uint32_t id, const char *name)
{
	struct code_site own = { .btf = btf, .id = id, .nparams = -1 };

	code_types(c, &own, btf, id);
	code_add_site(c, &own, name)->probe.target = arena_strdup(c->env->arena, name);
}

struct btf_visit {
	struct code_object *c;
	const struct kbtf *btf;
};

static bool visit_btf(uint32_t id, const char *name, void *arg)
{
	struct btf_visit *v = arg;

	if (!fnmatch(v->c->spec.func, name, 0))
		add_plain(v->c, v->btf, id, name);
	return true;
}

/* By the kernel's types and symbols. */
static void add_by_symbol(struct code_object *c, struct near_match *near)
{
	const char *why, *hint;
	const struct kbtf *btf = kernel_btf(probe_kernel(c->env), &why, &hint);
	struct btf_visit v = { c, btf };

	if (c->glob) {
		if (btf)
			kbtf_each(btf, BTF_KIND_FUNC, visit_btf, &v);
		return;
	}
	if (kernel_has_function(probe_kernel(c->env), c->spec.func, c->quiet ? NULL : near) !=
	    KERNEL_HAS_NOT)
		add_plain(c, btf, btf ? kbtf_find(btf, BTF_KIND_FUNC, c->spec.func) : 0,
			  c->spec.func);
}

enum probe_result kernel_resolve(struct probe_env *env, const struct probe_family *fam,
				 const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct code_object c = { .env = env, .fam = fam, .pp = pp, .named = pp, .comp = 1,
				 .what = "kernel", .quiet = quiet, .place = kernel_place, .out = out };
	struct near_match near;
	const char *why;

	if (!code_parse(&c))
		return PROBE_BAD;
	near_init(&near, c.spec.func);
	c.obj = env->symbols ? sym_open_kernel(env->symbols, &why) : NULL;
	if (c.obj && (sym_providers(c.obj) & SYM_DWARF)) {
		code_add_sites(&c);
		if (!c.added && !quiet)
			sym_near_functions(c.obj, &near);
	} else if (!c.spec.file && c.filter != CODE_INLINE) {
		add_by_symbol(&c, &near);
	}
	return code_finish(&c, &near);
}

struct sym_object *probe_kernel_types(struct probe_env *env, const char **why)
{
	const char *hint;
	const struct kbtf *btf = kernel_btf(probe_kernel(env), why, &hint);

	return btf && env->symbols ? sym_open_btf(env->symbols, btf) : NULL;
}

uint64_t probe_kernel_id(const struct probe_env *env)
{
	return env->kernel ? kernel_btf_size(env->kernel) : 0;
}

bool probe_constant(struct probe_env *env, const struct probe_site *site, const char *name,
		    int64_t *value)
{
	bool user = site && (site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE);
	struct sym_object *o;
	const char *why;

	if (!env->symbols)
		return false;
	if (site && site->obj && sym_module_name(site->obj)) {
		o = probe_site_types(env, site);
		if (o && sym_enum_value(o, name, value))
			return true;
	}
	o = user ? sym_open_file(env->symbols, site->probe.target, &why)
		 : probe_kernel_types(env, &why);
	return o && sym_enum_value(o, name, value);
}
