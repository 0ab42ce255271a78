/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies within a function: inlined instances, labels, calls, statements, and how to find its caller. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"

#define MAXDEPTH 200

/* A function, and the instances inlined into one another, that hold an address. */
struct chain {
	Dwarf_Die die[MAXDEPTH];
	unsigned int n;
};

static void descend(struct chain *c, Dwarf_Die *scope, uint64_t addr, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAXDEPTH || c->n == MAXDEPTH || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
		    dwarf_haspc(&die, addr) <= 0)
			continue;
		if (tag == DW_TAG_inlined_subroutine)
			c->die[c->n++] = die;
		descend(c, &die, addr, depth + 1);
		return;
	} while (!dwarf_siblingof(&die, &die));
}

/* Parts that compilers moved out of the function: the index does not know them. */
static bool find_apart(struct sym_object *o, uint64_t addr, Dwarf_Die *out)
{
	Dwarf_Die unit, *scopes = NULL;
	bool found = false;
	int n;

	if (!dwarf_addrdie(o->dw, addr, &unit))
		return false;
	n = dwarf_getscopes(&unit, addr, &scopes);
	for (int i = 0; i < n && !found; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram) {
			*out = scopes[i];
			found = true;
		}
	free(scopes);
	return found;
}

static bool find_chain(struct sym_object *o, uint64_t addr, struct chain *c)
{
	const struct dx_func *f = dindex_by_addr(&o->dx, addr);

	c->n = 0;
	if (f && f->die ? !object_die(o->dw, f->die, &c->die[0]) : !find_apart(o, addr, &c->die[0]))
		return false;
	c->n = 1;
	descend(c, &c->die[0], addr, 0);
	return true;
}

/* Whether a line can be in the source of a function, and is not where it was called. */
static bool holds_line(Dwarf_Die *die, const char *file, uint32_t line)
{
	const char *decl = dwarf_decl_file(die);
	Dwarf_Attribute attr;
	Dwarf_Word call;
	int first;

	if (!decl || dwarf_decl_line(die, &first) || first <= 0)
		return true;
	if ((uint32_t)first > line || !object_same_file(decl, file))
		return false;
	return dwarf_tag(die) != DW_TAG_inlined_subroutine ||
	       !dwarf_attr(die, DW_AT_call_line, &attr) || dwarf_formudata(&attr, &call) ||
	       call != line;
}

/* The index's function with this DIE. */
static const struct dx_func *indexed(struct sym_object *o, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	uint32_t n, all, nfuncs;
	const struct dx_func *funcs = dindex_section(&o->dx, DX_FUNCS, &nfuncs);
	const uint32_t *order = dindex_section(&o->dx, DX_BY_NAME, &all);
	uint32_t first = name ? dindex_by_name(&o->dx, name, &n) : 0;

	for (uint32_t i = first; name && i < first + n; i++)
		if (order[i] < nfuncs && funcs[order[i]].die == object_die_id(o->dw, die))
			return &funcs[order[i]];
	return NULL;
}

static void clean_file(struct sym_object *o, Dwarf_Die *die, struct sym_func *f)
{
	const char *file = dwarf_decl_file(die);
	char path[4096];
	int line;

	if (file) {
		dindex_clean_path(file, path, sizeof(path));
		f->file = arena_strdup(o->arena, path);
	}
	f->line = !dwarf_decl_line(die, &line) && line > 0 ? (uint32_t)line : 0;
}

static bool describe(struct sym_object *o, Dwarf_Die *die, struct sym_func *out)
{
	const struct dx_func *f = dwarf_tag(die) == DW_TAG_subprogram ? indexed(o, die) : NULL;

	if (f) {
		*out = object_func(o, f);
		return true;
	}
	*out = (struct sym_func){ .name = dwarf_diename(die), .die = object_die_id(o->dw, die) };
	if (dwarf_tag(die) == DW_TAG_inlined_subroutine)
		out->flags = SYMF_INLINE;
	if (!out->name || !dindex_entry(die, &out->entry))
		return false;
	out->body = out->entry;
	clean_file(o, die, out);
	return true;
}

bool object_scope_at(struct sym_object *o, uint64_t addr, const char *file, uint32_t line,
		     struct sym_func *out)
{
	struct chain c;

	if (!find_chain(o, addr, &c))
		return false;
	for (unsigned int i = c.n; i > 0; i--)
		if (holds_line(&c.die[i - 1], file, line))
			return describe(o, &c.die[i - 1], out);
	return describe(o, &c.die[c.n - 1], out);
}

bool sym_func_at(struct sym_object *o, uint64_t addr, struct sym_func *out)
{
	const struct dindex *x = object_index(o);
	const struct dx_func *f = x ? dindex_by_addr(x, addr) : NULL;

	if (f)
		*out = object_func(o, f);
	return f;
}

enum sym_statement sym_statement_at(struct sym_object *o, uint64_t addr, struct sym_line *out,
				    uint64_t *before, uint64_t *after)
{
	enum sym_statement found = SYM_WITHIN;
	struct chain c;
	Dwarf_Lines *lines;
	Dwarf_Die unit;
	size_t n;

	*before = *after = 0;
	if (!object_index(o) || !o->dw || !find_chain(o, addr, &c) ||
	    !dwarf_diecu(&c.die[0], &unit, NULL, NULL) || dwarf_getsrclines(&unit, &lines, &n))
		return SYM_NO_CODE;
	*out = (struct sym_line){ .addr = addr };
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		bool is_stmt, end;
		Dwarf_Addr at;
		int no;

		if (dwarf_lineaddr(l, &at) || dwarf_linebeginstatement(l, &is_stmt) || !is_stmt ||
		    dwarf_lineendsequence(l, &end) || end || dwarf_haspc(&c.die[0], at) <= 0)
			continue;
		if (at > addr && (!*after || at < *after))
			*after = at;
		if (at > addr || at < *before || dwarf_lineno(l, &no) || no <= 0)
			continue;
		*before = at;
		out->file = dwarf_linesrc(l, NULL, NULL);
		out->line = (uint32_t)no;
		found = at == addr ? SYM_BEGINS : found;
	}
	if (out->file) {
		char path[4096];

		dindex_clean_path(out->file, path, sizeof(path));
		out->file = arena_strdup(o->arena, path);
	}
	return describe(o, &c.die[c.n - 1], &out->func) ? found : SYM_NO_CODE;
}

struct visit {
	struct sym_object *o;
	bool (*label)(const char *name, uint32_t line, uint64_t addr, void *arg);
	bool (*callee)(const struct sym_callee *c, void *arg);
	void *arg;
	uint64_t die; /* of the function, or instance */
	bool go;
};

static void visit_label(struct visit *v, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	Dwarf_Addr addr;
	int line;

	if (v->label && name && !dwarf_lowpc(die, &addr))
		v->go = v->label(name,
				 !dwarf_decl_line(die, &line) && line > 0 ? (uint32_t)line : 0,
				 addr, v->arg);
}

static bool same_origin(struct sym_object *o, Dwarf_Die *die, uint64_t origin)
{
	Dwarf_Attribute attr;
	Dwarf_Die of;

	if (object_die_id(o->dw, die) == origin)
		return true;
	return dwarf_attr(die, DW_AT_abstract_origin, &attr) && dwarf_formref_die(&attr, &of) &&
	       object_die_id(o->dw, &of) == origin;
}

/* The code of a function that a call names: its DIE, the abstract one's instance, or what is visible under that name. */
static bool find_called(struct sym_object *o, Dwarf_Die *origin, struct sym_func *out)
{
	const char *name = dwarf_diename(origin);
	const struct dx_func *best = NULL;
	uint32_t n, all, nfuncs;
	const struct dx_func *funcs = dindex_section(&o->dx, DX_FUNCS, &nfuncs);
	const uint32_t *order = dindex_section(&o->dx, DX_BY_NAME, &all);
	uint32_t first = name ? dindex_by_name(&o->dx, name, &n) : 0;

	for (uint32_t i = first; name && i < first + n; i++) {
		const struct dx_func *f = order[i] < nfuncs ? &funcs[order[i]] : NULL;
		Dwarf_Die die;

		if (!f || !f->die || (f->flags & (DXF_ABSTRACT | DXF_ALIAS)) ||
		    !object_die(o->dw, f->die, &die))
			continue;
		if (same_origin(o, &die, object_die_id(o->dw, origin))) {
			best = f;
			break;
		}
		if ((f->flags & DXF_EXTERNAL) && dwarf_hasattr(origin, DW_AT_declaration))
			best = f;
	}
	if (best)
		*out = object_func(o, best);
	return best;
}

static bool call_origin(Dwarf_Die *site, Dwarf_Die *out)
{
	Dwarf_Attribute attr;

	return (dwarf_attr(site, DW_AT_call_origin, &attr) ||
		dwarf_attr(site, DW_AT_abstract_origin, &attr)) &&
	       dwarf_formref_die(&attr, out);
}

/*
 * The innermost instance that a call is in. Compilers differ in where they write calls down: in the instance, or all of
 * them in the function.
 */
static uint64_t call_owner(struct sym_object *o, Dwarf_Die *top, Dwarf_Die *scope, uint64_t pc)
{
	struct chain c = { .n = 1 };

	if (!pc)
		return object_die_id(o->dw, scope);
	c.die[0] = *top;
	descend(&c, top, pc, 0);
	return object_die_id(o->dw, &c.die[c.n - 1]);
}

static bool call_place(Dwarf_Die *site, struct sym_callee *c, uint64_t *pc)
{
	Dwarf_Attribute attr;
	bool tail = false;

	*pc = 0;
	if ((dwarf_attr(site, DW_AT_call_tail_call, &attr) ||
	     dwarf_attr(site, DW_AT_GNU_tail_call, &attr)) &&
	    !dwarf_formflag(&attr, &tail) && tail) {
		c->tail = true;
		if (dwarf_attr(site, DW_AT_call_pc, &attr) && dwarf_formaddr(&attr, pc))
			*pc = 0;
		return true;
	}
	if (!(dwarf_attr(site, DW_AT_call_return_pc, &attr) ||
	      dwarf_attr(site, DW_AT_low_pc, &attr)) ||
	    dwarf_formaddr(&attr, &c->ret))
		return false;
	*pc = c->ret - 1;
	return true;
}

static void visit_call(struct visit *v, Dwarf_Die *top, Dwarf_Die *scope, Dwarf_Die *site)
{
	struct sym_callee c = { 0 };
	Dwarf_Die origin;
	uint64_t pc;

	if (call_origin(site, &origin) && call_place(site, &c, &pc) &&
	    call_owner(v->o, top, scope, pc) == v->die && find_called(v->o, &origin, &c.func))
		v->go = v->callee(&c, v->arg);
}

/* All calls in a function, in whatever was inlined into it. @scope: the instance that @block is in. */
static void visit_calls(struct visit *v, Dwarf_Die *top, Dwarf_Die *scope, Dwarf_Die *block,
			unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(block, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site)
			visit_call(v, top, scope, &die);
		else if (tag == DW_TAG_lexical_block)
			visit_calls(v, top, scope, &die, depth + 1);
		else if (tag == DW_TAG_inlined_subroutine)
			visit_calls(v, top, &die, &die, depth + 1);
	} while (v->go && !dwarf_siblingof(&die, &die));
}

/* @depth counts blocks; inlined instances are functions of their own. */
static void visit_body(struct visit *v, Dwarf_Die *scope, unsigned int depth)
{
	struct sym_callee c = { .inlined = true };
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(scope, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_label:
			visit_label(v, &die);
			break;
		case DW_TAG_inlined_subroutine:
			if (v->callee && describe(v->o, &die, &c.func))
				v->go = v->callee(&c, v->arg);
			break;
		case DW_TAG_lexical_block:
			visit_body(v, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (v->go && !dwarf_siblingof(&die, &die));
}

static void visit(struct visit *v, const struct sym_func *f)
{
	struct chain c;
	Dwarf_Die die;

	v->go = true;
	v->die = f->die;
	if (!object_index(v->o) || !v->o->dw || !f->die || !object_die(v->o->dw, f->die, &die))
		return;
	visit_body(v, &die, 0);
	if (!v->callee || !v->go)
		return;
	if (dwarf_tag(&die) == DW_TAG_inlined_subroutine && find_chain(v->o, f->entry, &c))
		die = c.die[0];
	visit_calls(v, &die, &die, &die, 0);
}

void sym_labels(struct sym_object *o, const struct sym_func *f,
		bool (*fn)(const char *name, uint32_t line, uint64_t addr, void *arg), void *arg)
{
	struct visit v = { .o = o, .label = fn, .arg = arg };

	visit(&v, f);
}

void sym_callees(struct sym_object *o, const struct sym_func *f,
		 bool (*fn)(const struct sym_callee *c, void *arg), void *arg)
{
	struct visit v = { .o = o, .callee = fn, .arg = arg };

	visit(&v, f);
}

/* "CFA + n" as libdw spells it. */
static bool saved_at(const Dwarf_Op *ops, size_t n, int64_t *offset)
{
	if (!n || n > 2 || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	*offset = n == 2 ? (int64_t)ops[1].number : 0;
	return n == 1 || ops[1].atom == DW_OP_plus_uconst;
}

/* "register + n". */
static bool base_of(const Dwarf_Op *op, struct sym_frame *out)
{
	bool x = op->atom == DW_OP_bregx;

	*out = (struct sym_frame){ .reg = x ? (int)op->number : op->atom - DW_OP_breg0,
				   .offset = (int64_t)(x ? op->number2 : op->number) };
	return x || (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31);
}

bool sym_frame_at(struct sym_object *o, uint64_t pc, int fp, struct sym_frame *out)
{
	GElf_Addr bias = 0;
	Dwarf_CFI *cfis[2];
	bool found = false;

	if (!o->mod)
		return false;
	cfis[0] = dwfl_module_dwarf_cfi(o->mod, &bias);
	cfis[1] = dwfl_module_eh_cfi(o->mod, &bias);
	for (int i = 0; i < 2 && !found; i++) {
		Dwarf_Op mem[3], *ops;
		Dwarf_Frame *frame;
		size_t n;

		if (!cfis[i] || dwarf_cfi_addrframe(cfis[i], pc, &frame))
			continue;
		found = !dwarf_frame_cfa(frame, &ops, &n) && n == 1 && base_of(&ops[0], out);
		if (found && !dwarf_frame_register(frame, fp, mem, &ops, &n))
			out->fp_saved = saved_at(ops, n, &out->fp_offset);
		free(frame);
	}
	return found;
}
