/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions that are known while names are resolved: @defined, @probewrite and what they decide. The
 * code that cannot run is cut off before its names are looked up, because it may be there just for a
 * variable that this probe does not have. Behind a literal 0 code is left: its types still count.
 */
#include "elaborate/internal.h"

int known_condition(const struct expr *x)
{
	int a, b;

	switch (x->kind) {
	case E_NUMBER:
		return x->synthetic ? x->num != 0 : -1;
	case E_UNARY:
		a = x->op == U_NOT ? known_condition(x->a) : -1;
		return a < 0 ? -1 : !a;
	case E_ANDAND:
	case E_OROR:
		a = known_condition(x->a);
		b = known_condition(x->b);
		if (a < 0 || a != (x->kind == E_ANDAND))
			return a;
		return b;
	default:
		return -1;
	}
}

static void note_name(struct expr *x, void *arg)
{
	struct infer *i = arg;

	if (x->kind == E_CALL)
		for (struct function *f = elab_functions_named(i->e, x->name); f; f = f->next)
			f->mentioned = true;
	if (x->kind != E_SYMBOL && x->kind != E_INDEX && x->kind != E_IN)
		return;
	for (uint32_t n = 0; n < i->pruned->n; n++)
		if (i->pruned->v[n] == x->name)
			return;
	vec_push(i->e->arena, i->pruned, x->name);
	for (uint32_t n = 0; n < i->e->globals.n; n++)
		if (i->e->globals.v[n]->sym.name == x->name)
			i->e->globals.v[n]->mentioned = i->e->globals.v[n]->pruned = true;
}

void prune_stmt(struct infer *i, struct stmt **s)
{
	struct tree_walker w = { .expr = note_name, .arg = i };

	tree_walk_stmt(&w, *s);
	*s = NULL;
}

/* @x becomes the number @value. */
void prune_expr(struct infer *i, struct expr *x, int64_t value)
{
	struct tree_walker w = { .expr = note_name, .arg = i };

	tree_walk_expr(&w, x);
	x->kind = E_NUMBER;
	x->num = value;
	x->synthetic = true;
	x->a = x->b = x->c = NULL;
	x->args.n = x->suffixes.n = 0;
}

bool is_pruned(const struct infer *i, const char *name)
{
	for (uint32_t n = 0; n < i->pruned->n; n++)
		if (i->pruned->v[n] == name)
			return true;
	return false;
}
