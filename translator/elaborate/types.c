/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type variables and what is asked of them. */
#include "elaborate/internal.h"

struct tvar *type_new(struct elab *e, enum script_type t, struct span at)
{
	struct tvar *v = arena_new(e->arena, struct tvar);

	v->type = t;
	v->at = at;
	return v;
}

struct tvar *type_root(struct tvar *t)
{
	while (t->up) {
		if (t->up->up)
			t->up = t->up->up;
		t = t->up;
	}
	return t;
}

enum script_type type_of(struct tvar *t)
{
	return type_root(t)->type;
}

enum script_type type_final(struct tvar *t)
{
	enum script_type k = type_of(t);

	return k == T_UNKNOWN ? T_LONG : k;
}

static bool same_place(struct span a, struct span b)
{
	return a.src == b.src && a.off == b.off && a.len == b.len;
}

static void note_origin(struct elab *e, const struct tvar *root, struct span at)
{
	if (root->at.src && !same_place(root->at, at))
		diag_note(e->diag, root->at, "the %s comes from here",
			  script_type_text(root->type));
}

static void hint_conversion(struct elab *e, enum script_type have, enum script_type want)
{
	if (have == T_STATS || want == T_STATS)
		diag_hint(e->diag,
			  "take a number out of a statistic with @count, @sum, @min, @max or @avg");
	else if (have == T_LONG && want == T_STRING)
		diag_hint(e->diag, "sprint() makes a string of a number");
	else if (have == T_STRING && want == T_LONG)
		diag_hint(e->diag, "strtol(string, 10) makes a number of a string");
}

bool type_want(struct elab *e, struct tvar *t, enum script_type want, struct span at,
	       enum diag_tag tag)
{
	struct tvar *r = type_root(t);

	if (r->type == T_UNKNOWN) {
		r->type = want;
		r->at = at;
		return true;
	}
	if (r->type == want)
		return true;
	diag_error(e->diag, tag, at,
		   r->type == T_VOID ? "this has no value (%s vs. %s)" : "type mismatch (%s vs. %s)",
		   script_type_text(r->type), script_type_text(want));
	note_origin(e, r, at);
	hint_conversion(e, r->type, want);
	return false;
}

bool type_unite(struct elab *e, struct tvar *a, struct tvar *b, struct span at)
{
	struct tvar *ra = type_root(a), *rb = type_root(b);

	if (ra == rb)
		return true;
	if (ra->type != T_UNKNOWN && rb->type != T_UNKNOWN && ra->type != rb->type) {
		diag_error(e->diag, TAG_TYPE, at, "type mismatch (%s vs. %s)",
			   script_type_text(ra->type), script_type_text(rb->type));
		note_origin(e, ra, at);
		note_origin(e, rb, at);
		if (ra->type == T_STATS || rb->type == T_STATS)
			hint_conversion(e, T_STATS, T_LONG);
		return false;
	}
	if (ra->type == T_UNKNOWN)
		ra->up = rb;
	else
		rb->up = ra;
	return true;
}

static const char *arity_text(struct elab *e, int n)
{
	if (n == 0)
		return "a scalar";
	return arena_printf(e->arena, "an array with %d key%s", n, n == 1 ? "" : "s");
}

bool type_arity(struct elab *e, struct global *g, uint32_t n, struct span at)
{
	if (n > IR_MAXKEYS) {
		diag_error(e->diag, TAG_ARRAY, at, "\"%s\" has %u keys, at most %d are possible",
			   g->sym.name, n, IR_MAXKEYS);
		return false;
	}
	if (g->nkeys < 0) {
		if (n == 0 && (g->ast->size || g->ast->wrap)) {
			diag_error(e->diag, TAG_ARRAY, at, "array \"%s\" is used without keys",
				   g->sym.name);
			diag_note(e->diag, g->sym.at, "it is declared as an array here");
			return false;
		}
		if (n > 0 && g->ast->init) {
			diag_error(e->diag, TAG_ARRAY, at, "\"%s\" is a scalar, used here as %s",
				   g->sym.name, arity_text(e, (int)n));
			diag_note(e->diag, g->ast->init->at,
				  "only a scalar can have an initial value");
			return false;
		}
		g->nkeys = (int)n;
		g->nkeys_at = at;
		return true;
	}
	if ((uint32_t)g->nkeys == n)
		return true;
	diag_error(e->diag, TAG_ARRAY, at, "\"%s\" is used as %s here and as %s elsewhere",
		   g->sym.name, arity_text(e, (int)n), arity_text(e, g->nkeys));
	diag_note(e->diag, g->nkeys_at, "%s here", arity_text(e, g->nkeys));
	return false;
}

static void report_void(struct elab *e, const struct expr *x)
{
	const struct callee *c = x->kind == E_CALL ? x->sym : NULL;

	if (!c) {
		/* what else has the type got it from a call, which is blamed */
		if (x->kind == E_PRINT)
			diag_error(e->diag, TAG_TYPE, x->at, "%s has no value",
				   print_name(x->op));
		return;
	}
	diag_error(e->diag, TAG_UNRESOLVED_TYPE, x->at,
		   "function \"%s\" returns no value, but one is used here", x->name);
	if (c->fn)
		diag_note(e->diag, c->fn->ast->name_at, "\"%s\" has no return with a value",
			  c->fn->name);
}

/* A variable without a value because the code that gives it one was cut off is 0. */
static bool lost_value(const struct expr *x)
{
	const struct symbol *s = x->sym;

	if ((x->kind != E_SYMBOL && x->kind != E_INDEX) || !s)
		return false;
	return s->kind == SYM_LOCAL ? ((const struct local *)x->sym)->pruned
				    : ((const struct global *)x->sym)->pruned;
}

/* Only where the statistic itself is named: what got its type from there would say the same again. */
static void report_stats(struct elab *e, const struct expr *x)
{
	const struct symbol *s = x->sym;

	if ((x->kind != E_SYMBOL && x->kind != E_INDEX) || !s || s->kind != SYM_GLOBAL)
		return;
	diag_error(e->diag, TAG_TYPE, x->at,
		   "a statistic has no value of its own (stats vs. long or string)");
	diag_hint(e->diag, "take a number out of it with @count, @sum, @min, @max or @avg");
}

/*
 * Settles every expression's type. An unknown one is harmless as long as nothing depends on it:
 * long.
 */
void type_finish(struct elab *e)
{
	/* one overload with a value gives it to all: the others return 0 or "" */
	for (uint32_t i = 0; i < e->functions.n; i++) {
		struct function *fn = e->functions.v[i];

		if (fn->overloads && fn->valued && type_of(fn->ret) == T_UNKNOWN)
			type_root(fn->ret)->type = T_LONG;
	}
	for (uint32_t i = 0; i < e->functions.n; i++) {
		struct function *fn = e->functions.v[i];

		if (fn->visited && !fn->valued && type_of(fn->ret) == T_UNKNOWN)
			type_root(fn->ret)->type = T_VOID;
	}
	for (; e->settled < e->pending.n; e->settled++) {
		struct pending *p = &e->pending.v[e->settled];
		enum script_type t = type_of(p->t);

		p->e->type = type_final(p->t);
		if (p->value && t == T_VOID) {
			report_void(e, p->e);
		} else if (p->value && t == T_STATS) {
			report_stats(e, p->e);
		} else if (p->printed && t == T_UNKNOWN && !lost_value(p->e)) {
			diag_error(e->diag, TAG_UNRESOLVED_TYPE, p->e->at,
				   "unresolved type: is this a number or a string?");
			diag_hint(e->diag, "give the variable a value somewhere");
		}
	}
}
