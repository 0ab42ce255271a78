/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements by line and by address, functions by address, labels. */
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "probes/code.h"

#define FILES_SHOWN 5

/* The files that lines were found in, or that a pattern names. */
struct files {
	struct code_object *c;
	VEC(const char *) v;
};

static void note_file(struct files *f, const char *file)
{
	for (uint32_t i = 0; i < f->v.n; i++)
		if (!strcmp(f->v.v[i], file))
			return;
	vec_push(f->c->env->arena, &f->v, file);
}

static const char *list_files(const struct files *f)
{
	const char *list = "";

	for (uint32_t i = 0; i < f->v.n && i < FILES_SHOWN; i++)
		list = arena_printf(f->c->env->arena, "%s%s%s", list, i ? ", " : "", f->v.v[i]);
	return f->v.n > FILES_SHOWN ? arena_printf(f->c->env->arena, "%s, ...", list) : list;
}

static bool add_line(const struct sym_line *l, void *arg)
{
	struct files *f = arg;

	note_file(f, l->file);
	code_add_place(f->c, &l->func, l->addr, code_name(f->c, l->func.name, l->file, l->line),
		       NULL, NULL);
	return true;
}

void code_add_lines(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	struct files f = { .c = c };

	if (!c->obj)
		return;
	sym_lines(c->obj, &c->spec, c->nearest, add_line, &f, NULL);
	if (f.v.n < 2 || probe_is_glob(c->spec.file) || c->quiet)
		return;
	diag_warning(c->env->diag, TAG_AMBIGUOUS, probe_arg_span(comp),
		     "\"%s\" is the name of %u files with code there, and all of them are probed",
		     c->spec.file, f.v.n);
	diag_hint(c->env->diag, "write more of the path of one of these: %s", list_files(&f));
}

static bool no_line_fits(const struct sym_line *l, void *arg)
{
	(void)l;
	(void)arg;
	return true;
}

static bool note_path(const char *path, void *arg)
{
	note_file(arg, path);
	return true;
}

static void hint_near(struct code_object *c, const struct sym_near_lines *near)
{
	if (near->below && near->above)
		diag_hint(c->env->diag,
			  "lines %u and %u are the nearest with code; .nearest takes line %u",
			  near->below, near->above, near->above);
	else if (near->below || near->above)
		diag_hint(c->env->diag, "line %u is the nearest with code; .nearest takes it",
			  near->below ? near->below : near->above);
}

/* Why there is no statement: no such file, no such function in it, no code on the line. */
bool code_no_line(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	struct sym_near_lines near;
	struct files f = { .c = c };

	if (c->spec.line_kind == SYML_NONE)
		return false;
	sym_files(c->obj, c->spec.file, note_path, &f);
	if (!f.v.n) {
		diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
			   "no source file with code matches \"%s\"", c->spec.file);
		return true;
	}
	sym_lines(c->obj, &c->spec, false, no_line_fits, NULL, &near);
	diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		   "no code matches \"%s\" in %s", comp->str, list_files(&f));
	if (f.v.n > 1)
		diag_hint(c->env->diag, "%u files have this name: write more of the path of one",
			  f.v.n);
	hint_near(c, &near);
	return true;
}

/* ---- by number ---- */

static enum probe_result no_code(struct code_object *c, uint64_t addr)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	const char *missing, *hint;

	if (c->quiet)
		return PROBE_NOMATCH;
	missing = c->obj ? sym_missing(c->obj, &hint) : NULL;
	diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		   "no function of %s%s holds the address 0x%" PRIx64, c->user ? "" : "the ",
		   c->what, addr);
	if (missing && !(sym_providers(c->obj) & SYM_DWARF))
		diag_hint(c->env->diag, "%s: %s", missing, hint);
	else
		diag_hint(c->env->diag, "give the address that nm shows for the file%s",
			  c->user ? "" : ", or the distance from _stext");
	return PROBE_NOMATCH;
}

static const char *hex(struct code_object *c)
{
	return arena_printf(c->env->arena, "0x%" PRIx64, (uint64_t)c->pp->comps.v[c->comp].num);
}

static enum probe_result function_at(struct code_object *c, uint64_t addr)
{
	struct sym_func f;

	if (!c->obj || !sym_func_at(c->obj, addr, &f))
		return no_code(c, addr);
	if (c->filter == CODE_EXPORTED && !(f.flags & SYMF_EXTERNAL))
		return no_code(c, addr);
	return code_add_place(c, &f, f.entry, hex(c), NULL, NULL) ? PROBE_OK : no_code(c, addr);
}

/* In the middle of an instruction a probe would be a disaster: statements begin with one. */
static enum probe_result statement_at(struct code_object *c, uint64_t addr)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	uint64_t before, after;
	struct sym_line l;
	enum sym_statement s =
		c->obj ? sym_statement_at(c->obj, addr, &l, &before, &after) : SYM_NO_CODE;

	if (s == SYM_NO_CODE)
		return no_code(c, addr);
	if (s == SYM_WITHIN && !c->nearest && !c->env->session->guru) {
		if (c->quiet)
			return PROBE_NOMATCH;
		diag_error(c->env->diag, TAG_PROBE_ARG, probe_arg_span(comp),
			   "no statement begins at 0x%" PRIx64 " in %s", addr, l.func.name);
		diag_hint(c->env->diag, "it belongs to line %u, which begins at 0x%" PRIx64 "%s",
			  l.line, before,
			  after ? arena_printf(c->env->arena,
					       "; the next statement begins at 0x%" PRIx64, after)
				: "");
		diag_hint(c->env->diag, ".nearest takes the first; with -g any address is taken");
		return PROBE_NOMATCH;
	}
	if (s == SYM_WITHIN && c->nearest && before)
		addr = before;
	return code_add_place(c, &l.func, addr, hex(c), NULL, NULL) ? PROBE_OK : no_code(c, addr);
}

bool code_by_number(struct code_object *c, enum probe_result *r)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp];
	uint64_t addr = (uint64_t)comp->num;

	if (comp->arg != PP_NUM)
		return false;
	if (c->is_absolute) {
		*r = c->absolute(c, comp->num);
		return true;
	}
	if (c->address && c->obj)
		addr = c->address(c, comp->num);
	*r = strcmp(comp->name, "statement") ? function_at(c, addr) : statement_at(c, addr);
	return true;
}

/* ---- labels ---- */

struct labels {
	struct code_object *c;
	const struct sym_func *f;
	struct near_match *near; /* for "did you mean"; NULL: sites are added */
	uint32_t n;
};

static bool add_label(const char *name, uint32_t line, uint64_t addr, void *arg)
{
	struct labels *l = arg;
	struct code_object *c = l->c;
	struct probe_point tail = { 0 };
	struct pp_component comp = { .name = "label", .arg = PP_STR, .str = name };

	l->n++;
	if (l->near) {
		near_try(l->near, name);
		return true;
	}
	if (fnmatch(c->label, name, 0) != 0)
		return true;
	vec_push(c->env->arena, &tail.comps, comp);
	code_add_place(c, l->f, addr, code_name(c, l->f->name, l->f->file, line), &tail, NULL);
	return true;
}

static bool labels_of(const struct sym_func *f, void *arg)
{
	struct labels *l = arg;

	l->f = f;
	sym_labels(l->c->obj, f, add_label, l);
	return true;
}

void code_add_labels(struct code_object *c)
{
	struct labels l = { .c = c };

	code_functions(c, true, labels_of, &l);
}

static bool count_function(const struct sym_func *f, void *arg)
{
	(void)f;
	++*(uint32_t *)arg;
	return true;
}

bool code_no_label(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp + 1];
	struct labels l = { .c = c };
	uint32_t functions = 0;
	struct near_match near;

	if (!c->label)
		return false;
	code_functions(c, true, count_function, &functions);
	if (!functions)
		return false;
	near_init(&near, c->label);
	l.near = &near;
	code_functions(c, true, labels_of, &l);
	diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		   "no label of \"%s\" matches \"%s\"", c->pp->comps.v[c->comp].str, c->label);
	if (near_best(&near))
		diag_hint(c->env->diag, "did you mean \"%s\"?", near_best(&near));
	else if (l.n)
		diag_hint(c->env->diag, "it has %u others", l.n);
	else
		diag_hint(
			c->env->diag,
			"it has none with a place in the code: compilers drop labels that nothing jumps to");
	return true;
}
