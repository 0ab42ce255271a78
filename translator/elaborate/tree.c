/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Visiting and copying trees. */
#include <string.h>

#include "elaborate/internal.h"

static bool tree_enter(struct tree_walker *w)
{
	if (w->depth >= ELAB_MAXDEPTH) {
		w->too_deep = true;
		return false;
	}
	w->depth++;
	return true;
}

void tree_walk_expr(struct tree_walker *w, struct expr *e)
{
	if (!e || !tree_enter(w))
		return;
	if (w->expr)
		w->expr(e, w->arg);
	if (w->skip) {
		w->skip = false;
		w->depth--;
		return;
	}
	tree_walk_expr(w, e->a);
	tree_walk_expr(w, e->b);
	tree_walk_expr(w, e->c);
	for (uint32_t i = 0; i < e->args.n; i++)
		tree_walk_expr(w, e->args.v[i]);
	for (uint32_t i = 0; i < e->suffixes.n; i++)
		tree_walk_expr(w, e->suffixes.v[i].index);
	w->depth--;
}

void tree_walk_stmt(struct tree_walker *w, struct stmt *s)
{
	if (!s || !tree_enter(w))
		return;
	tree_walk_expr(w, s->e);
	tree_walk_expr(w, s->init);
	tree_walk_expr(w, s->step);
	for (uint32_t i = 0; i < s->keys.n; i++)
		tree_walk_expr(w, s->keys.v[i]);
	tree_walk_expr(w, s->value);
	tree_walk_expr(w, s->array);
	tree_walk_expr(w, s->limit);
	tree_walk_expr(w, s->catch_var);
	for (uint32_t i = 0; i < s->body.n; i++)
		tree_walk_stmt(w, s->body.v[i]);
	tree_walk_stmt(w, s->then);
	tree_walk_stmt(w, s->otherwise);
	w->depth--;
}

static void clone_exprs(struct arena *a, expr_vec *out, const expr_vec *in)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < in->n; i++)
		vec_push(a, out, clone_expr(a, in->v[i]));
}

struct expr *clone_expr(struct arena *a, const struct expr *e)
{
	struct expr *c;

	if (!e)
		return NULL;
	c = arena_new(a, struct expr);
	*c = *e;
	c->a = clone_expr(a, e->a);
	c->b = clone_expr(a, e->b);
	c->c = clone_expr(a, e->c);
	clone_exprs(a, &c->args, &e->args);
	memset(&c->suffixes, 0, sizeof(c->suffixes));
	for (uint32_t i = 0; i < e->suffixes.n; i++) {
		struct suffix s = e->suffixes.v[i];

		s.index = clone_expr(a, s.index);
		vec_push(a, &c->suffixes, s);
	}
	return c;
}

struct stmt *clone_stmt(struct arena *a, const struct stmt *s)
{
	struct stmt *c;

	if (!s)
		return NULL;
	c = arena_new(a, struct stmt);
	*c = *s;
	memset(&c->body, 0, sizeof(c->body));
	for (uint32_t i = 0; i < s->body.n; i++)
		vec_push(a, &c->body, clone_stmt(a, s->body.v[i]));
	c->e = clone_expr(a, s->e);
	c->init = clone_expr(a, s->init);
	c->step = clone_expr(a, s->step);
	c->then = clone_stmt(a, s->then);
	c->otherwise = clone_stmt(a, s->otherwise);
	clone_exprs(a, &c->keys, &s->keys);
	c->value = clone_expr(a, s->value);
	c->array = clone_expr(a, s->array);
	c->limit = clone_expr(a, s->limit);
	c->catch_var = clone_expr(a, s->catch_var);
	return c;
}

bool check_depth(struct elab *e, struct stmt *s, struct expr *x, struct span at)
{
	struct tree_walker w = { 0 };

	tree_walk_stmt(&w, s);
	tree_walk_expr(&w, x);
	if (w.too_deep) {
		diag_error(e->diag, TAG_LIMIT, at, "code nested deeper than %d levels",
			   ELAB_MAXDEPTH);
		diag_hint(e->diag, "a very long expression counts too: split it with a variable");
	}
	return !w.too_deep;
}

static void note_assignment(struct expr *e, void *arg)
{
	bool *found = arg;

	if (e->kind == E_ASSIGN || (e->kind >= E_PREINC && e->kind <= E_POSTDEC))
		*found = true;
}

bool expr_assigns(struct expr *e)
{
	bool found = false;
	struct tree_walker w = { .expr = note_assignment, .arg = &found };

	tree_walk_expr(&w, e);
	return found;
}
