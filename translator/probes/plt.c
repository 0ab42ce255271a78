/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process("path").plt[("name")][.return]: the stubs through which a program calls functions of its libraries. */
#include <fnmatch.h>
#include <string.h>

#include "probes/program.h"
#include "symbols/plt.h"

struct find {
	struct probe_env *env;
	const struct probe_family *fam;
	const struct probe_point *pp;
	uint32_t at; /* its component */
	const char *name; /* a pattern */
	bool quiet;
	struct near_match *near;
	site_vec *out;
};

static void find_in(struct find *f, const struct program *program)
{
	const char *why;
	struct elf_file *elf = elf_open(f->env->arena, program->path, &why);
	const struct pp_component *c = &f->pp->comps.v[f->at];
	plt_vec stubs = { 0 };
	uint64_t offset;

	if (!elf)
		return;
	elf_plt(elf, f->env->arena, &stubs);
	for (uint32_t i = 0; i < stubs.n; i++) {
		near_try(f->near, stubs.v[i].name);
		if (!fnmatch(f->name, stubs.v[i].name, 0) && elf_offset(elf, stubs.v[i].addr, &offset))
			vec_push(f->env->arena, f->out,
				 probe_program_site(f->env, f->fam, f->pp, program, f->at,
						    c->arg == PP_STR ? stubs.v[i].name : NULL,
						    stubs.v[i].name, offset, f->quiet));
	}
	elf_close(elf);
}

static enum probe_result no_stub(const struct find *f, const program_vec *programs)
{
	const struct pp_component *c = &f->pp->comps.v[f->at];

	if (f->quiet)
		return PROBE_NOMATCH;
	diag_error(f->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c),
		   "%s calls no function of a library that matches \"%s\" through its linkage table",
		   probe_programs_text(f->env, programs), f->name);
	if (near_best(f->near))
		diag_hint(f->env->diag, "did you mean \"%s\"?", near_best(f->near));
	else
		diag_hint(f->env->diag,
			  "programs linked statically or with -fno-plt have no such table: probe the library's function");
	return PROBE_NOMATCH;
}

enum probe_result plt_resolve(struct probe_env *env, const struct probe_family *fam,
			      const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct find f = { .env = env, .fam = fam, .pp = pp, .quiet = quiet, .out = out };
	uint32_t had = out->n;
	program_vec programs = { 0 };
	struct near_match near;
	enum probe_result r = probe_programs(env, pp, quiet, &programs, &f.at);

	if (r != PROBE_OK)
		return r;
	f.name = pp->comps.v[f.at].arg == PP_STR ? pp->comps.v[f.at].str : "*";
	near_init(&near, f.name);
	f.near = &near;
	for (uint32_t i = 0; i < programs.n; i++)
		find_in(&f, &programs.v[i]);
	return out->n > had ? PROBE_OK : no_stub(&f, &programs);
}

static struct probe_var name_var(const struct probe_site *site)
{
	return (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = site->probe.symbol };
}

const struct probe_var *plt_var(struct probe_env *env, const struct probe_site *site, const char *name)
{
	struct probe_var *v;

	if (strcmp(name, "$$name") != 0)
		return NULL;
	v = arena_new(env->arena, struct probe_var);
	*v = name_var(site);
	return v;
}

void plt_each_var(struct probe_env *env, const struct probe_site *site,
		  void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct probe_var v = name_var(site);

	(void)env;
	fn(&v, arg);
}
