/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operators that start with '@', other than statistics. */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

bool atop_is(const struct expr *x, const char *name)
{
	return x->kind == E_ATOP && !strcmp(x->name, name);
}

static struct tvar *long_here(struct infer *i, struct expr *x)
{
	return type_new(i->e, T_LONG, x->at);
}

static struct tvar *unknown_macro(struct infer *i, struct expr *x)
{
	diag_error(i->e->diag, TAG_MACRO, x->op_at.src ? x->op_at : x->at,
		   "there is no operator or macro %s", x->name);
	if (x->str)
		diag_hint(i->e->diag, "did you mean %s?", x->str);
	return type_new(i->e, T_UNKNOWN, SPAN_NONE);
}

/* ---- @defined: settled here, so that what hangs on it can be left out ---- */

static bool target_defined(struct infer *i, const struct expr *x)
{
	const struct probe_site *site = i->handler ? i->handler->site : NULL;
	const struct probe_var *v;
	int64_t number;

	if (!site)
		return false;
	v = site->family->var ? site->family->var(&i->e->env, site, x->name) : NULL;
	if (v && v->kind == PV_SYM)
		return v->loc && path_exists_var(i, x, v);
	if (v && v->type)
		return path_exists(i, x, v->type);
	if ((x->suffixes.n && x->suffixes.v[0].kind != SUF_PRETTY) || x->address_of)
		return false;
	if (v || probe_constant(&i->e->env, site, x->name + 1, &number))
		return true;
	if (entry_var(i->e, site, x->name))
		return true;
	return site->family->each_var &&
	       (!strcmp(x->name, "$$vars") || !strcmp(x->name, "$$parms"));
}

/* @x, followed by what stands behind @from. */
static const struct expr *with_suffixes(struct infer *i, const struct expr *x, const struct expr *from)
{
	struct expr *out = clone_expr(i->e->arena, x);

	for (uint32_t n = 0; n < from->suffixes.n; n++)
		vec_push(i->e->arena, &out->suffixes, from->suffixes.v[n]);
	return out;
}

static bool is_defined(struct infer *i, const struct expr *x)
{
	struct infer in = *i;
	struct handler h = { 0 };
	struct probe_site entry;

	if (x->kind == E_TARGET)
		return target_defined(i, x);
	if (x->kind == E_ATOP && (atop_is(x, "@kderef") || atop_is(x, "@uderef")))
		return true;
	if (atop_is(x, "@cast"))
		return cast_defined(i, x);
	if (atop_is(x, "@var"))
		return var_defined(i, x);
	if (!atop_is(x, "@entry") || !i->handler || !i->handler->site ||
	    !probe_entry_site(&i->e->env, i->handler->site, &entry))
		return false;
	h.site = &entry;
	in.handler = &h;
	return is_defined(&in, with_suffixes(i, x->args.v[0], x));
}

struct all_defined {
	struct infer *i;
	bool yes;
};

static void look_for_undefined(struct expr *x, void *arg)
{
	struct all_defined *a = arg;

	if (x->kind == E_TARGET || atop_is(x, "@var") || atop_is(x, "@cast") || atop_is(x, "@entry"))
		a->yes = a->yes && is_defined(a->i, x);
}

bool defined_within(struct infer *i, struct expr *x)
{
	struct all_defined a = { i, true };
	struct tree_walker w = { .expr = look_for_undefined, .arg = &a };

	tree_walk_expr(&w, x);
	return a.yes && !w.too_deep;
}

void elab_settle(struct expr *x, int64_t value)
{
	x->kind = E_NUMBER;
	x->num = value;
	x->synthetic = true;
	x->args.n = 0;
}

static struct tvar *infer_defined(struct infer *i, struct expr *x)
{
	const struct expr *a = x->args.v[0];

	if (a->kind != E_TARGET && a->kind != E_ATOP && a->kind != E_SUFFIXED) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, a->at,
			   "@defined asks for a $variable, @var, @cast or @entry, not for this");
		return long_here(i, x);
	}
	if (a->kind == E_ATOP && a->op == ATOP_UNKNOWN)
		unknown_macro(i, x->args.v[0]);
	elab_settle(x, is_defined(i, a));
	return long_here(i, x);
}

/* ---- @probewrite ---- */

struct write_search {
	const struct expr *what;
	bool found;
};

static void look_for_write(struct expr *x, void *arg)
{
	struct write_search *w = arg;

	if (x->kind != E_ASSIGN && (x->kind < E_PREINC || x->kind > E_POSTDEC))
		return;
	if (x->a->kind == w->what->kind && x->a->name == w->what->name)
		w->found = true;
}

/* Whether the code that uses the alias writes the variable. */
static struct tvar *infer_probewrite(struct infer *i, struct expr *x)
{
	struct write_search s = { .what = x->args.v[0] };
	struct tree_walker w = { .expr = look_for_write, .arg = &s };

	if (s.what->kind != E_SYMBOL && s.what->kind != E_TARGET) {
		diag_error(i->e->diag, TAG_LVALUE, s.what->at,
			   "@probewrite asks for a variable or a $variable, not for this");
	} else if (!i->handler || i->fn || !i->shared) {
		diag_error(i->e->diag, TAG_STATEMENT, x->op_at,
			   "@probewrite works in the code of a probe alias only");
	} else {
		tree_walk_stmt(&w, i->handler->origin->body);
		elab_settle(x, s.found);
	}
	return long_here(i, x);
}

/* ---- memory ---- */

static struct tvar *infer_deref(struct infer *i, struct expr *x)
{
	int64_t size = x->args.v[0]->num;

	if (x->args.v[0]->kind != E_NUMBER || (size != 1 && size != 2 && size != 4 && size != 8)) {
		diag_error(i->e->diag, TAG_NUMBER, x->args.v[0]->at,
			   "%s reads 1, 2, 4 or 8 bytes, and the number is written out", x->name);
	}
	if (atop_is(x, "@kderef") && !i->e->s->guru && !i->file->src->library) {
		diag_error(i->e->diag, TAG_PRIVILEGE, x->op_at,
			   "@kderef reads any kernel address, which needs guru mode");
		diag_hint(i->e->diag, "run stap with -g");
	}
	infer_long(i, x->args.v[1]);
	return long_here(i, x);
}

/* ---- what needs types or more than this version has ---- */

static struct tvar *refuse_type(struct infer *i, struct expr *x)
{
	const struct expr *name = x->args.n > 1 ? x->args.v[1] : x->args.v[0];

	if (atop_is(x, "@enumname"))
		infer_long(i, x->args.v[0]);
	if (name->kind == E_STRING)
		diag_error(i->e->diag, TAG_NO_TYPE, name->at, "type \"%s\" is not found",
			   name->str);
	else
		diag_error(i->e->diag, TAG_NO_TYPE, name->at, "the type of this is not known");
	diag_hint(i->e->diag, "%s needs debugging information, which is not read yet; "
			      "@defined(%s(...)) is 0 for now",
		  x->name, x->name);
	return long_here(i, x);
}

static struct tvar *infer_enum(struct infer *i, struct expr *x)
{
	const struct expr *name = x->args.v[0];
	const struct probe_site *site = i->handler ? i->handler->site : NULL;
	int64_t value;

	if (name->kind == E_STRING && probe_constant(&i->e->env, site, name->str, &value)) {
		elab_settle(x, value);
		return long_here(i, x);
	}
	diag_error(i->e->diag, TAG_NO_TYPE, name->at, "no enumeration has the constant \"%s\"",
		   name->kind == E_STRING ? name->str : "");
	diag_hint(i->e->diag, "@enum takes the constant's name as text; #define is none: write the number");
	return long_here(i, x);
}

static struct tvar *refuse_const(struct infer *i, struct expr *x)
{
	if (!i->e->s->guru && !i->file->src->library) {
		diag_error(i->e->diag, TAG_PRIVILEGE, x->op_at,
			   "@const evaluates C text, which needs guru mode");
		diag_hint(i->e->diag, "write the number, or run stap with -g");
		return long_here(i, x);
	}
	unsupported(i, x->op_at, "constants of C headers (@const) are");
	return long_here(i, x);
}

/* Registers at the hit, by DWARF number. */
static struct tvar *infer_register(struct infer *i, struct expr *x)
{
	const struct expr *n = x->args.v[0];
	const struct probe_site *site = i->handler ? i->handler->site : NULL;
	bool kernel = atop_is(x, "@kregister");

	if (kernel && !i->e->s->guru && !i->file->src->library) {
		diag_error(i->e->diag, TAG_PRIVILEGE, x->op_at,
			   "@kregister reads the kernel's registers, which needs guru mode");
		diag_hint(i->e->diag, "run stap with -g");
		return long_here(i, x);
	}
	if (n->kind != E_NUMBER || n->num < 0 || n->num > SYM_MAXREG)
		diag_error(i->e->diag, TAG_NUMBER, n->at,
			   "%s takes the DWARF number of a register, 0 to %d, written out", x->name, SYM_MAXREG);
	else if (!site || !(kernel ? site->probe.kind == AT_KPROBE || site->probe.kind == AT_KRETPROBE
				   : site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE))
		diag_error(i->e->diag, TAG_STATEMENT, x->op_at, "%s works in probes of %s code only", x->name,
			   kernel ? "kernel" : "a program's");
	return long_here(i, x);
}

static struct tvar *refuse_perf(struct infer *i, struct expr *x)
{
	unsupported(i, x->op_at, "perf counters as values are");
	return long_here(i, x);
}

static struct tvar *infer_entry_op(struct infer *i, struct expr *x)
{
	return infer_entry(i, x, x->args.v[0]);
}

static const struct {
	const char *name;
	struct tvar *(*infer)(struct infer *i, struct expr *x);
} atops[] = {
	{ "@defined", infer_defined },
	{ "@probewrite", infer_probewrite },
	{ "@entry", infer_entry_op },
	{ "@kderef", infer_deref },
	{ "@uderef", infer_deref },
	{ "@cast", infer_cast },
	{ "@enumname", refuse_type },
	{ "@var", infer_var },
	{ "@enum", infer_enum },
	{ "@const", refuse_const },
	{ "@kregister", infer_register },
	{ "@uregister", infer_register },
	{ "@perf", refuse_perf },
};

/* A saved value keeps its C type: what stands behind it applies to the value. */
static struct tvar *infer_entry_suffixed(struct infer *i, struct expr *x)
{
	struct expr *value = arena_new(i->e->arena, struct expr);

	*value = *x;
	memset(&value->suffixes, 0, sizeof(value->suffixes));
	value->address_of = false;
	x->kind = E_SUFFIXED;
	x->a = value;
	return infer_autocast(i, x);
}

static bool takes_suffixes(const struct expr *x)
{
	return atop_is(x, "@cast") || atop_is(x, "@var") || atop_is(x, "@defined");
}

struct tvar *infer_atop(struct infer *i, struct expr *x)
{
	if (x->op == ATOP_UNKNOWN)
		return unknown_macro(i, x);
	if (i->in_guard && !atop_is(x, "@defined")) {
		diag_error(i->e->diag, TAG_STATEMENT, x->op_at,
			   "a probe's condition can use globals only, not %s", x->name);
		return long_here(i, x);
	}
	if (atop_is(x, "@entry") && (x->suffixes.n || x->address_of))
		return infer_entry_suffixed(i, x);
	if ((x->suffixes.n || x->address_of) && !takes_suffixes(x))
		return unsupported(i, x->at, "members and elements of such values are");
	for (size_t n = 0; n < sizeof(atops) / sizeof(atops[0]); n++)
		if (atop_is(x, atops[n].name))
			return atops[n].infer(i, x);
	return unsupported(i, x->op_at, arena_printf(i->e->arena, "%s is", x->name));
}
