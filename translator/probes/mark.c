/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process("path").mark("label") and .provider("p").mark("label"): places that a program's author has marked with
 * <sys/sdt.h>, and their arguments.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "probes/program.h"
#include "symbols/sdt.h"

#define DWARF_IP 16 /* the instruction pointer's number in the hit's registers (x86-64) */

/* What a site needs for its variables. */
struct mark {
	struct sdt_note note;
	sdt_operand_vec args;
	const char **symbol_why; /* by argument: its symbol is not known; else NULL */
	uint64_t *symbol; /* by argument: the address of its symbol */
};

static const struct sym_type types[2][4] = {
	{ { .kind = ST_INT, .name = "uint8_t", .size = 1 },
	  { .kind = ST_INT, .name = "uint16_t", .size = 2 },
	  { .kind = ST_INT, .name = "uint32_t", .size = 4 },
	  { .kind = ST_INT, .name = "uint64_t", .size = 8 } },
	{ { .kind = ST_INT, .name = "int8_t", .size = 1, .is_signed = true },
	  { .kind = ST_INT, .name = "int16_t", .size = 2, .is_signed = true },
	  { .kind = ST_INT, .name = "int32_t", .size = 4, .is_signed = true },
	  { .kind = ST_INT, .name = "int64_t", .size = 8, .is_signed = true } },
};

static const struct sym_type *type_of(const struct sdt_operand *o)
{
	return &types[o->is_signed][o->width == 8 ? 3 : o->width / 2];
}

/* ---- finding marks ---- */

/*
 * A '-' in a label is two underlines in C, as in DTrace's definitions of probes; inside brackets of a pattern it is a
 * range.
 */
static const char *label_of(struct arena *a, const char *label)
{
	const char *out = "";
	bool range = false;

	if (!strchr(label, '-'))
		return label;
	for (; *label; label++) {
		range = *label == '[' || (range && *label != ']');
		if (*label == '-' && !range)
			out = arena_printf(a, "%s__", out);
		else
			out = arena_printf(a, "%s%c", out, *label);
	}
	return out;
}

struct find {
	struct probe_env *env;
	const struct probe_family *fam;
	const struct probe_point *pp;
	const struct program *program;
	const char *provider, *label; /* patterns; provider NULL: any */
	uint32_t provider_at, label_at; /* their components */
	bool quiet;
	struct elf_file *elf;
	struct near_match *near;
	bool any; /* the program has some marks */
	site_vec *out;
};

/* Symbols are looked up while the file is open. */
static void place_symbols(struct find *f, struct mark *m)
{
	struct arena *a = f->env->arena;

	m->symbol = arena_alloc(a, (m->args.n + 1) * sizeof(*m->symbol));
	m->symbol_why = arena_alloc(a, (m->args.n + 1) * sizeof(*m->symbol_why));
	for (uint32_t i = 0; i < m->args.n; i++) {
		const char *name = m->args.v[i].symbol;

		if (name && m->args.v[i].kind != SDT_UNREADABLE && !elf_symbol(f->elf, name, &m->symbol[i]))
			m->symbol_why[i] = arena_printf(a, "it is at the symbol %s, which the file does not have", name);
	}
}

static void add_mark(struct find *f, const struct sdt_note *n)
{
	struct probe_env *env = f->env;
	struct mark *m = arena_new(env->arena, struct mark);
	struct probe_point pp = *f->pp;
	struct probe_site site;
	uint64_t offset;

	m->note = *n;
	if (!elf_offset(f->elf, n->pc, &offset))
		return;
	sdt_operands(env->arena, n->args, &m->args);
	place_symbols(f, m);
	pp.comps.v = arena_alloc(env->arena, pp.comps.n * sizeof(*pp.comps.v));
	memcpy(pp.comps.v, f->pp->comps.v, pp.comps.n * sizeof(*pp.comps.v));
	if (f->provider)
		pp.comps.v[f->provider_at].str = n->provider;
	site = probe_program_site(env, f->fam, &pp, f->program, f->label_at, n->name, n->name, offset, f->quiet);
	if (n->semaphore && !elf_offset(f->elf, n->semaphore, &site.probe.semaphore))
		return;
	site.priv = m;
	vec_push(env->arena, f->out, site);
}

static void find_in(struct find *f)
{
	sdt_note_vec notes = { 0 };
	const char *why;

	f->elf = elf_open(f->env->arena, f->program->path, &why);
	if (!f->elf)
		return;
	sdt_notes(f->elf, f->env->arena, &notes);
	for (uint32_t i = 0; i < notes.n; i++) {
		f->any = true;
		near_try(f->near, notes.v[i].name);
		if ((!f->provider || !fnmatch(f->provider, notes.v[i].provider, 0)) &&
		    !fnmatch(f->label, notes.v[i].name, 0))
			add_mark(f, &notes.v[i]);
	}
	elf_close(f->elf);
}

static enum probe_result no_mark(const struct find *f, const program_vec *programs)
{
	const struct pp_component *c = &f->pp->comps.v[f->label_at];

	if (f->quiet)
		return PROBE_NOMATCH;
	diag_error(f->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c), "no mark of %s matches \"%s\"%s%s%s",
		   probe_programs_text(f->env, programs), c->str, f->provider ? " of provider \"" : "",
		   f->provider ? f->provider : "", f->provider ? "\"" : "");
	if (!f->any)
		diag_hint(f->env->diag,
			  "there are no marks at all: a program gets them by <sys/sdt.h>, often as a build option");
	else if (near_best(f->near))
		diag_hint(f->env->diag, "did you mean \"%s\"?", near_best(f->near));
	return PROBE_NOMATCH;
}

enum probe_result mark_resolve(struct probe_env *env, const struct probe_family *fam,
			       const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct find f = { .env = env, .fam = fam, .pp = pp, .quiet = quiet, .out = out };
	uint32_t had = out->n, next;
	program_vec programs = { 0 };
	struct near_match near;
	enum probe_result r = probe_programs(env, pp, quiet, &programs, &next);

	if (r != PROBE_OK)
		return r;
	if (!strcmp(pp->comps.v[next].name, "provider")) {
		f.provider_at = next++;
		f.provider = pp->comps.v[f.provider_at].str;
	}
	f.label_at = next;
	f.label = label_of(env->arena, pp->comps.v[next].str);
	near_init(&near, f.label);
	f.near = &near;
	for (uint32_t i = 0; i < programs.n; i++) {
		f.program = &programs.v[i];
		find_in(&f);
	}
	return out->n > had ? PROBE_OK : no_mark(&f, &programs);
}

/* ---- arguments ---- */

struct place {
	struct arena *a;
	struct sym_piece *piece;
};

static void put(struct place *p, enum sym_lop op, int64_t num)
{
	vec_push(p->a, &p->piece->ops, ((struct sym_lop_insn){ op, num }));
}

/* The part of a register that is meant. */
static void put_register(struct place *p, const struct sdt_register *r, bool is_signed)
{
	put(p, SL_REG, r->dwarf);
	if (r->bits == 64)
		return;
	put(p, SL_NUM, 64 - r->bits - r->shift);
	put(p, SL_SHL, 0);
	put(p, SL_NUM, 64 - r->bits);
	put(p, is_signed ? SL_SAR : SL_SHR, 0);
}

/* A place in the file: as far from the instruction that was hit as it was when the file was linked. */
static void put_symbol(struct place *p, const struct mark *m, uint64_t addr)
{
	put(p, SL_REG, DWARF_IP);
	put(p, SL_NUM, (int64_t)(addr - m->note.pc));
	put(p, SL_ADD, 0);
}

static void put_address(struct place *p, const struct mark *m, const struct sdt_operand *o, uint64_t symbol)
{
	bool relative = o->base.dwarf == DWARF_IP;

	if (o->symbol)
		put_symbol(p, m, symbol + (uint64_t)o->num);
	else
		put(p, SL_NUM, o->num);
	if (o->base.dwarf >= 0 && !(relative && o->symbol)) {
		put_register(p, &o->base, false);
		put(p, SL_ADD, 0);
	}
	if (o->index.dwarf >= 0) {
		put_register(p, &o->index, false);
		put(p, SL_NUM, o->scale);
		put(p, SL_MUL, 0);
		put(p, SL_ADD, 0);
	}
}

static const struct sym_loc *operand_place(struct arena *a, const struct mark *m, uint32_t n)
{
	struct sym_loc *loc = arena_new(a, struct sym_loc);
	const struct sdt_operand *o = &m->args.v[n];
	struct sym_piece piece = { .is_value = true };
	struct place p = { a, &piece };

	switch (o->kind) {
	case SDT_REGISTER:
		put_register(&p, &o->base, o->is_signed);
		break;
	case SDT_NUMBER:
		if (o->symbol)
			put_symbol(&p, m, m->symbol[n] + (uint64_t)o->num);
		else
			put(&p, SL_NUM, o->num);
		break;
	default:
		put_address(&p, m, o, m->symbol[n]);
		put(&p, SL_LOAD, o->width);
		break;
	}
	vec_push(a, &loc->pieces, piece);
	return loc;
}

static struct probe_var argument(struct probe_env *env, const struct mark *m, uint32_t n)
{
	const struct sdt_operand *o = &m->args.v[n];
	struct probe_var v = {
		.name = arena_printf(env->arena, "$arg%u", n + 1),
		.kind = PV_SYM,
		.is_param = true,
		.type_name = "long",
		.type = type_of(o),
		.why = o->kind == SDT_UNREADABLE ? o->why : m->symbol_why[n],
	};

	if (v.why)
		v.why = arena_printf(env->arena, "%s (%s)", v.why, o->text);
	else
		v.loc = operand_place(env->arena, m, n);
	return v;
}

static struct probe_var text_var(const char *name, const char *text)
{
	return (struct probe_var){ .name = name, .kind = PV_STR, .str = text };
}

const struct probe_var *mark_var(struct probe_env *env, const struct probe_site *site, const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);
	const struct mark *m = site->priv;
	char *end;
	unsigned long n;

	if (!strcmp(name, "$$name")) {
		*v = text_var(name, m->note.name);
		return v;
	}
	if (!strcmp(name, "$$provider")) {
		*v = text_var(name, m->note.provider);
		return v;
	}
	if (strncmp(name, "$arg", 4) != 0 || name[4] < '1' || name[4] > '9')
		return NULL;
	n = strtoul(name + 4, &end, 10);
	if (*end || n > m->args.n)
		return NULL;
	*v = argument(env, m, (uint32_t)n - 1);
	return v;
}

void mark_each_var(struct probe_env *env, const struct probe_site *site,
		   void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	const struct mark *m = site->priv;
	struct probe_var v;

	for (uint32_t i = 0; i < m->args.n; i++) {
		v = argument(env, m, i);
		fn(&v, arg);
	}
	v = text_var("$$name", m->note.name);
	fn(&v, arg);
	v = text_var("$$provider", m->note.provider);
	fn(&v, arg);
}
