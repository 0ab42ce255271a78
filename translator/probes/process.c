/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of programs and libraries, by debug information or ELF symbol. */
#include <string.h>

#include "probes/code.h"
#include "probes/program.h"

/* What the C start-up files put into each program: no script means these by "*". */
static const char *const startup_names[] = {
	"_start",
	"_init",
	"_fini",
	"deregister_tm_clones",
	"register_tm_clones",
	"__do_global_dtors_aux",
	"frame_dummy",
	"_dl_relocate_static_pie",
	"__libc_csu_init",
	"__libc_csu_fini",
};

static bool is_startup(const char *name)
{
	for (size_t i = 0; i < sizeof(startup_names) / sizeof(startup_names[0]); i++)
		if (strcmp(startup_names[i], name) == 0)
			return true;
	return false;
}

static bool process_hidden(const struct sym_func *f)
{
	return is_startup(f->name);
}

static bool process_place(struct code_object *c, const struct sym_func *f, uint64_t addr,
			  struct ir_probe *p)
{
	p->target = c->path;
	p->symbol = f->name;
	return sym_file_offset(c->obj, addr, &p->offset);
}

/* Adds the sites of one program, which count where it says. */
static enum probe_result resolve_in(struct code_object *c, const struct program *program, const struct pp_component *blame)
{
	struct probe_env *env = c->env;
	uint32_t had = c->out->n;
	const char *why = "programs are not opened in this run";
	enum probe_result r;

	c->path = c->what = program->path;
	c->obj = env->symbols ? sym_open_file(env->symbols, c->path, &why) : NULL;
	if (!c->obj) {
		if (!c->quiet)
			diag_error(env->diag, TAG_ELF, probe_arg_span(blame), "cannot probe %s: %s", c->path, why);
		return PROBE_NOMATCH;
	}
	c->named = probe_program_point(env, c->pp, program);
	r = code_resolve(c);
	for (uint32_t i = had; i < c->out->n; i++) {
		c->out->v[i].probe.exe = program->exe;
		c->out->v[i].probe.pid = program->pid;
	}
	return r;
}

enum probe_result process_resolve(struct probe_env *env, const struct probe_family *fam,
				  const struct probe_point *pp, bool quiet, site_vec *out)
{
	program_vec programs = { 0 };
	uint32_t next, had = out->n;
	enum probe_result r = probe_programs(env, pp, quiet, &programs, &next);

	if (r != PROBE_OK)
		return r;
	for (uint32_t i = 0; i < programs.n; i++) {
		/* of many, some have no such function */
		struct code_object c = { .env = env, .fam = fam, .pp = pp, .comp = next, .user = true,
					 .quiet = quiet || programs.n > 1, .place = process_place,
					 .hidden = process_hidden, .out = out };

		r = resolve_in(&c, &programs.v[i], &pp->comps.v[next - 1]);
		if (r == PROBE_BAD)
			return r;
	}
	if (out->n > had)
		return PROBE_OK;
	if (!quiet && programs.n > 1)
		diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(&pp->comps.v[next]),
			   "nothing in %s matches \"%s\"", probe_programs_text(env, &programs),
			   pp->comps.v[next].arg == PP_STR ? pp->comps.v[next].str : pp->comps.v[next].name);
	return PROBE_NOMATCH;
}
