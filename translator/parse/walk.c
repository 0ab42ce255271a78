/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Depth is bounded by the parser's nesting limit. */
#include "walk.h"

void walk_expr(struct expr *e, expr_visit_fn fn, void *arg)
{
	if (!e)
		return;
	fn(e, arg);
	walk_expr(e->a, fn, arg);
	walk_expr(e->b, fn, arg);
	walk_expr(e->c, fn, arg);
	for (uint32_t i = 0; i < e->args.n; i++)
		walk_expr(e->args.v[i], fn, arg);
	for (uint32_t i = 0; i < e->suffixes.n; i++)
		walk_expr(e->suffixes.v[i].index, fn, arg);
}

void walk_stmt(struct stmt *s, expr_visit_fn fn, void *arg)
{
	if (!s)
		return;
	walk_expr(s->init, fn, arg);
	walk_expr(s->e, fn, arg);
	walk_expr(s->step, fn, arg);
	for (uint32_t i = 0; i < s->keys.n; i++)
		walk_expr(s->keys.v[i], fn, arg);
	walk_expr(s->value, fn, arg);
	walk_expr(s->array, fn, arg);
	walk_expr(s->limit, fn, arg);
	walk_expr(s->catch_var, fn, arg);
	for (uint32_t i = 0; i < s->body.n; i++)
		walk_stmt(s->body.v[i], fn, arg);
	walk_stmt(s->then, fn, arg);
	walk_stmt(s->otherwise, fn, arg);
}
