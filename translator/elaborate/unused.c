/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script has and does not need: nearly always a slip. Only the user's own code is blamed. */
#include "elaborate/internal.h"

/* Of a function in C that says so of itself. */
static bool is_pure_call(const struct expr *e)
{
	const struct callee *c = e->sym;

	return c && c->fn && c->fn->ast->embedded && embed_is_pure(c->fn->ast->embedded);
}

static void note_effect(struct expr *e, void *arg)
{
	bool *found = arg;

	switch (e->kind) {
	case E_CALL:
		*found = *found || !is_pure_call(e);
		break;
	case E_PREINC:
	case E_PREDEC:
	case E_POSTINC:
	case E_POSTDEC:
	case E_ASSIGN:
		*found = true;
		break;
	case E_EMBEDDED:
		*found = *found || !embed_is_pure(e->str);
		break;
	case E_ATOP: /* reading memory may fail */
		*found = *found || !atop_is(e, "@entry");
		break;
	case E_PRINT:
		*found = *found || !(e->op & P_STRING);
		break;
	case E_BINARY: /* may fail, or leaves groups behind */
		*found = *found || e->op == B_DIV || e->op == B_MOD || e->op == B_MATCH ||
			 e->op == B_NOMATCH;
		break;
	case E_STAT: /* of an empty statistic */
		*found = *found || (e->op != S_COUNT && e->op != S_SUM);
		break;
	case E_TARGET: /* following pointers may fail */
	case E_SUFFIXED:
		*found = *found || e->suffixes.n;
		break;
	default:
		break;
	}
}

bool expr_has_effect(struct expr *x)
{
	bool found = false;
	struct tree_walker w = { .expr = note_effect, .arg = &found };

	tree_walk_expr(&w, x);
	return found || w.too_deep;
}

static void hint_near(struct elab *e, const struct near_match *m)
{
	if (near_best(m))
		diag_hint(e->diag, "did you mean %s?", near_best(m));
}

/* Locals that are read but never get a value are nearly always misspelt. */
static void warn_unassigned(const struct infer *i, const struct local *l)
{
	struct near_match m;

	diag_warning(i->e->diag, TAG_UNUSED, l->read_at,
		     "local variable \"%s\" is never assigned, it reads as 0 or \"\"", l->sym.name);
	near_init(&m, l->sym.name);
	for (uint32_t k = 0; k < i->locals->n; k++)
		if (i->locals->v[k]->assigned || i->locals->v[k]->is_param)
			near_try(&m, i->locals->v[k]->sym.name);
	if (i->file)
		elab_near_globals(i->e, i->file, &m);
	hint_near(i->e, &m);
}

static void warn_write_only(const struct infer *i, const struct local *l)
{
	struct near_match m;

	diag_warning(i->e->diag, TAG_UNUSED, l->assigned_at,
		     "local variable \"%s\" is assigned but never used", l->sym.name);
	near_init(&m, l->sym.name);
	for (uint32_t k = 0; k < i->locals->n; k++)
		if (i->locals->v[k] != l && i->locals->v[k]->read)
			near_try(&m, i->locals->v[k]->sym.name);
	hint_near(i->e, &m);
}

void warn_locals(const struct infer *i)
{
	for (uint32_t n = 0; n < i->locals->n; n++)
		i->locals->v[n]->pruned = is_pruned(i, i->locals->v[n]->sym.name);
	/* with errors, what is unused is often their consequence */
	if (i->e->diag->errors > i->e->errors_before && !i->e->diag->warnings_are_errors)
		return;
	for (uint32_t n = 0; n < i->locals->n; n++) {
		const struct local *l = i->locals->v[n];

		if (l->is_param || l->pruned)
			continue;
		if (l->read && !l->assigned && l->read_at.src && !l->read_at.src->library)
			warn_unassigned(i, l);
		else if (l->assigned && !l->needed && l->assigned_at.src &&
			 !l->assigned_at.src->library)
			warn_write_only(i, l);
	}
}

static void warn_never_written(struct elab *e, const struct global *g)
{
	struct near_match m;

	diag_warning(e->diag, TAG_UNUSED, g->read_at,
		     "global variable \"%s\" is never assigned, it reads as 0, \"\" or empty",
		     g->sym.name);
	near_init(&m, g->sym.name);
	for (uint32_t i = 0; i < e->globals.n; i++) {
		const struct global *o = e->globals.v[i];

		if (o != g && o->written && o->file == g->file)
			near_try(&m, o->sym.name);
	}
	hint_near(e, &m);
}

void warn_globals(struct elab *e)
{
	for (uint32_t i = 0; i < e->globals.n; i++) {
		const struct global *g = e->globals.v[i];

		if (g->file->src->library || g->synthetic)
			continue;
		if (!g->mentioned)
			diag_warning(e->diag, TAG_UNUSED, g->sym.at,
				     "global variable \"%s\" is never used", g->sym.name);
		else if (g->read && !g->written && !g->init && !g->setting && g->read_at.src &&
			 !g->pruned)
			warn_never_written(e, g);
	}
}
