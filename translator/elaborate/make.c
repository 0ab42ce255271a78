/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees that no script wrote: what the translator adds is built here and inferred like the rest. */
#include <string.h>

#include "elaborate/internal.h"

static struct expr *make_expr(struct elab *e, enum expr_kind kind, struct span at)
{
	struct expr *x = arena_new(e->arena, struct expr);

	x->kind = kind;
	x->at = x->op_at = at;
	x->synthetic = true;
	return x;
}

struct expr *make_number(struct elab *e, int64_t n, struct span at)
{
	struct expr *x = make_expr(e, E_NUMBER, at);

	x->num = n;
	return x;
}

struct expr *make_string(struct elab *e, const char *s, struct span at)
{
	struct expr *x = make_expr(e, E_STRING, at);

	x->str = s;
	x->str_len = (uint32_t)strlen(s);
	return x;
}

struct expr *make_name(struct elab *e, enum expr_kind kind, const char *name, struct span at)
{
	struct expr *x = make_expr(e, kind, at);

	x->name = strtab_intern(&e->s->names, name);
	return x;
}

struct expr *make_op(struct elab *e, enum expr_kind kind, unsigned int op, struct expr *a,
		      struct expr *b)
{
	struct expr *x = make_expr(e, kind, a->at);

	x->op = (uint8_t)op;
	x->a = a;
	x->b = b;
	return x;
}

void make_arg(struct elab *e, struct expr *x, struct expr *arg)
{
	vec_push(e->arena, &x->args, arg);
}

struct expr *make_printf(struct elab *e, const char *format, struct span at)
{
	struct expr *x = make_expr(e, E_PRINT, at);

	x->op = P_FORMAT;
	make_arg(e, x, make_string(e, format, at));
	return x;
}

struct stmt *make_stmt(struct elab *e, enum stmt_kind kind, struct expr *x)
{
	struct stmt *s = arena_new(e->arena, struct stmt);

	s->kind = kind;
	s->e = x;
	s->sort_stat = S_NONE;
	if (x)
		s->at = x->at;
	return s;
}

struct handler *make_handler(struct elab *e, struct ast_file *f, const struct ast_probe *origin,
			      struct stmt *body)
{
	struct handler *h = arena_new(e->arena, struct handler);

	h->origin = origin;
	h->synthetic = true;
	vec_push(e->arena, &h->parts, ((struct part){ body, f }));
	vec_push(e->arena, &h->orig_parts, ((struct part){ body, f }));
	vec_push(e->arena, &e->handlers, h);
	return h;
}
