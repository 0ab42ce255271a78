/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.function(...) and kernel.statement(...). Where the kernel's debug information is installed it answers; else its
 * own types (BTF) and list of symbols do, which know parameters and results but no files, lines, locals or inlined code.
 */
#include <fnmatch.h>
#include <string.h>

#include "probes/code.h"
#include "symbols/kernel.h"

/* Code that the kernel lets nobody probe, or has thrown away once it runs, between two symbols each. */
static const struct {
	const char *from, *to;
} refused_areas[] = {
	{ "__noinstr_text_start", "__noinstr_text_end" },
	{ "__entry_text_start", "__entry_text_end" },
	{ "__kprobes_text_start", "__kprobes_text_end" },
	{ "_sinittext", "_einittext" },
};

static bool kernel_refused(struct code_object *c, const struct sym_func *f)
{
	size_t n = sizeof(refused_areas) / sizeof(refused_areas[0]);

	if (!c->areas) {
		c->areas = arena_alloc(c->env->arena, n * sizeof(*c->areas));
		for (size_t i = 0; i < n; i++)
			if (!sym_symbol_addr(c->obj, refused_areas[i].from, &c->areas[i].from) ||
			    !sym_symbol_addr(c->obj, refused_areas[i].to, &c->areas[i].to))
				c->areas[i] = (struct code_area){ 0 };
	}
	for (size_t i = 0; i < n; i++)
		if (f->entry >= c->areas[i].from && f->entry < c->areas[i].to)
			return true;
	return false;
}

static uint64_t kernel_text(struct code_object *c)
{
	if (!c->text && !sym_symbol_addr(c->obj, "_stext", &c->text))
		c->text = 0;
	return c->text;
}

/* As the symbol table of vmlinux has it, or, when it is no address of the kernel, a distance from _stext. */
static uint64_t kernel_address(struct code_object *c, int64_t num)
{
	return num >= 0 ? kernel_text(c) + (uint64_t)num : (uint64_t)num;
}

/*
 * A kprobe is placed by symbol and offset. Of several functions with one name the kernel would take the first: these are
 * placed by their distance from the start of the kernel's text.
 */
static bool kernel_place(struct code_object *c, const struct sym_func *f, uint64_t addr,
			 struct ir_probe *p)
{
	(void)f;
	if (!sym_addr_symbol(c->obj, addr, &p->target, &p->offset))
		return false;
	if (sym_count(c->obj, p->target) < 2 || !kernel_text(c))
		return true;
	p->target = "_stext";
	p->offset = addr - c->text;
	return true;
}

static void add_plain(struct code_object *c, const struct kbtf *btf, uint32_t id, const char *name)
{
	struct code_site own = { .function = name, .btf = btf, .id = id, .nparams = -1 };

	code_types(c, &own, btf, id);
	code_add_site(c, &own, name, NULL)->probe.target = arena_strdup(c->env->arena, name);
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

/* An address as /proc/kallsyms has it: nothing is checked, so only guru mode may. */
static enum probe_result kernel_absolute(struct code_object *c, int64_t addr)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	struct code_site own = { .function = "", .nparams = -1, .inside = true };
	struct probe_site *site;

	if (!c->env->session->guru) {
		diag_error(
			c->env->diag, TAG_PRIVILEGE, probe_arg_span(comp),
			"a probe at an absolute address needs guru mode: in the middle of an instruction it is a crash");
		diag_hint(c->env->diag, "run stap with -g, or name the function or line");
		return PROBE_BAD;
	}
	site = code_add_site(c, &own,
			     arena_printf(c->env->arena, "0x%llx", (unsigned long long)addr), NULL);
	site->probe.target = "";
	site->probe.offset = (uint64_t)addr;
	return PROBE_OK;
}

enum probe_result kernel_resolve(struct probe_env *env, const struct probe_family *fam,
				 const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct code_object c = { .env = env,
				 .fam = fam,
				 .pp = pp,
				 .named = pp,
				 .comp = 1,
				 .what = "kernel",
				 .quiet = quiet,
				 .place = kernel_place,
				 .refused = kernel_refused,
				 .address = kernel_address,
				 .absolute = kernel_absolute,
				 .out = out };
	struct near_match near;
	enum probe_result r;
	const char *why;

	if (!code_parse(&c))
		return PROBE_BAD;
	c.obj = env->symbols ? sym_open_kernel(env->symbols, &why) : NULL;
	if (code_by_number(&c, &r))
		return r;
	near_init(&near, c.spec.func);
	if (c.obj && (sym_providers(c.obj) & SYM_DWARF)) {
		code_add_sites(&c);
		if (!c.added && !quiet)
			sym_near_functions(c.obj, &near);
	} else if (!c.spec.file && c.filter != CODE_INLINE && !c.label && !c.callee) {
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
