/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that refer to the context of a probe. Each handler that calls such a function gets a copy
 * of it, whose $variables are those of the handler's probe, and copies of the functions through which
 * it calls it. Others exist once.
 */
#include "elaborate/internal.h"

enum { CONTEXT_UNKNOWN, CONTEXT_NONE, CONTEXT_USED };

struct search {
	struct elab *e;
	struct function *fn;
	function_vec seen;
	bool found;
};

static void look_at(struct expr *x, void *arg)
{
	struct search *s = arg;
	struct function *other;
	function_vec fns = { 0 };

	if (x->kind == E_TARGET || atop_is(x, "@entry") || atop_is(x, "@var") || atop_is(x, "@uregister") ||
	    atop_is(x, "@kregister"))
		s->found = true;
	if (x->kind != E_CALL || s->found)
		return;
	overload_find(s->e, s->fn->file, x->name, x->args.n, &fns, &other);
	for (uint32_t n = 0; n < fns.n; n++) {
		struct function *f = fns.v[n];

		if (f->context == CONTEXT_USED)
			s->found = true;
		if (f->context != CONTEXT_UNKNOWN || f->searched)
			continue;
		f->searched = true;
		vec_push(s->e->arena, &s->seen, f);
	}
}

bool context_used(struct elab *e, struct function *fn)
{
	struct search s = { .e = e };
	struct tree_walker w = { .expr = look_at, .arg = &s };

	if (fn->context != CONTEXT_UNKNOWN)
		return fn->context == CONTEXT_USED;
	fn->searched = true;
	vec_push(e->arena, &s.seen, fn);
	for (uint32_t n = 0; n < s.seen.n && !s.found; n++) {
		s.fn = s.seen.v[n];
		tree_walk_stmt(&w, s.fn->ast->body);
	}
	/* without a find all that was seen has none; with one only the first is known to have it */
	for (uint32_t n = 0; n < s.seen.n; n++) {
		s.seen.v[n]->searched = false;
		if (!s.found)
			s.seen.v[n]->context = CONTEXT_NONE;
	}
	if (s.found)
		fn->context = CONTEXT_USED;
	return s.found;
}

bool context_called(struct elab *e, struct ast_file *from, const struct expr *x)
{
	struct function *other;
	function_vec fns = { 0 };

	overload_find(e, from, x->name, x->args.n, &fns, &other);
	for (uint32_t n = 0; n < fns.n; n++)
		if (context_used(e, fns.v[n]))
			return true;
	return false;
}

static struct function *clone_function(struct elab *e, struct function *fn, struct handler *h)
{
	struct ast_function *ast = arena_new(e->arena, struct ast_function);
	struct function *copy;

	*ast = *fn->ast;
	if (check_depth(e, ast->body, NULL, ast->at))
		ast->body = clone_stmt(e->arena, ast->body);
	else
		ast->body = NULL;
	copy = elab_new_function(e, fn->file, ast);
	copy->handler = h;
	copy->original = fn;
	vec_push(e->arena, &h->functions, copy);
	return copy;
}

struct function *context_function(struct infer *i, struct function *fn)
{
	if (!i->handler || !context_used(i->e, fn))
		return fn;
	fn->visited = true; /* by way of its copies */
	for (uint32_t n = 0; n < i->handler->functions.n; n++)
		if (i->handler->functions.v[n]->original == fn)
			return i->handler->functions.v[n];
	return clone_function(i->e, fn, i->handler);
}
