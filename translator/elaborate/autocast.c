/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values that keep the C type they were read with: x = $file; x->f_flags. The type travels with variables, conditional
 * expressions and the results of functions; where two different ones meet, there is none.
 */
#include "elaborate/internal.h"
#include "symbols/symbols.h"

static struct ctype of_path(const struct path *p)
{
	struct ctype none = { 0 };

	/* only what can be followed further is of use */
	if (!p || p->pretty || !p->type || (p->type->kind != ST_POINTER && p->type->kind != ST_ARRAY))
		return none;
	return (struct ctype){ p->type, p->user };
}

static bool same(struct ctype a, struct ctype b)
{
	const struct sym_type *ta = a.type, *tb = b.type;

	if (!ta || !tb || a.user != b.user)
		return false;
	if (ta == tb)
		return true;
	/* pointers are made anew, what they point to is not */
	return ta->kind == ST_POINTER && tb->kind == ST_POINTER && sym_type_target(ta) == sym_type_target(tb);
}

static struct ctype of_variable(const struct expr *x)
{
	const struct symbol *s = x->sym;
	struct ctype none = { 0 };

	return s && !s->mixed ? s->ctype : none;
}

static bool is_null(const struct expr *x)
{
	return x->kind == E_NUMBER && !x->num;
}

static struct ctype of_condition(const struct expr *x)
{
	struct ctype b = autocast_type(x->b), c = autocast_type(x->c), none = { 0 };

	if (is_null(x->b))
		return c;
	return is_null(x->c) || same(b, c) ? b : none;
}

static struct ctype of_call(const struct expr *x)
{
	const struct callee *c = x->sym;
	struct ctype none = { 0 };

	return c && c->fn && !c->fn->ret_mixed ? c->fn->ret_ctype : none;
}

struct ctype autocast_type(const struct expr *x)
{
	const struct target *t = x->sym;
	struct ctype none = { 0 };

	switch (x->kind) {
	case E_TARGET:
		if (t && !t->path && t->var && t->var->type && t->var->type->kind == ST_POINTER)
			return (struct ctype){ t->var->type, t->user };
		return t ? of_path(t->path) : none;
	case E_ATOP:
		if (atop_is(x, "@entry") && x->sym)
			return autocast_type(((const struct entry *)x->sym)->element);
		if (atop_is(x, "@var") && t)
			return of_path(t->path);
		return atop_is(x, "@cast") ? of_path(x->sym) : none;
	case E_SUFFIXED:
		return x->a->kind == E_STAT ? none : of_path(x->sym);
	case E_SYMBOL:
	case E_INDEX:
		return of_variable(x);
	case E_COND:
		return of_condition(x);
	case E_CALL:
		return of_call(x);
	case E_ASSIGN:
		return x->op == B_NONE ? autocast_type(x->b) : none;
	default:
		return none;
	}
}

/* 0 fits every pointer. */
static void meet(struct ctype *have, bool *mixed, const struct expr *value)
{
	struct ctype c = autocast_type(value);

	if (is_null(value))
		return;
	if (!have->type && !*mixed)
		*have = c;
	if (!same(*have, c))
		*mixed = true;
}

void autocast_assign(const struct expr *variable, const struct expr *value)
{
	struct symbol *s;

	if (variable->kind != E_SYMBOL && variable->kind != E_INDEX)
		return;
	s = variable->sym;
	if (!s)
		return;
	meet(&s->ctype, &s->mixed, value);
	if (s->kind == SYM_GLOBAL)
		((struct global *)s)->hex = s->ctype.type && !s->mixed;
}

void autocast_return(struct infer *i, const struct expr *value)
{
	meet(&i->fn->ret_ctype, &i->fn->ret_mixed, value);
}

/* The type of a function's result is known when its body has been walked: now, if it is not about to be. */
static void walk_callee(struct infer *i, struct function *fn)
{
	if (!fn || fn->visited || i->e->callees >= ELAB_MAXALIAS)
		return;
	i->e->callees++;
	infer_function(i->e, fn, i->live);
	i->e->callees--;
}

/* v[i] where v is no array but a local that holds a pointer: an index behind a value. False: it is none. */
bool autocast_index(struct infer *i, struct expr *x)
{
	struct expr *v;

	if (x->kind != E_INDEX || x->args.n != 1 || x->args.v[0]->kind == E_STAR ||
	    !infer_is_typed_local(i, x->name))
		return false;
	v = make_name(i->e, E_SYMBOL, x->name, x->op_at.src ? x->op_at : x->at);
	vec_push(i->e->arena, &x->suffixes,
		 ((struct suffix){ .kind = SUF_INDEX, .index = x->args.v[0], .at = x->args.v[0]->at }));
	x->kind = E_SUFFIXED;
	x->a = v;
	x->args.n = 0;
	return true;
}

/* What stands before the suffixes may end in one itself: v[i]->m is one way from v. */
static void join_suffixes(struct infer *i, struct expr *x)
{
	struct expr *a = x->a;

	if (!autocast_index(i, a))
		return;
	for (uint32_t n = 0; n < x->suffixes.n; n++)
		vec_push(i->e->arena, &a->suffixes, x->suffixes.v[n]);
	x->suffixes.v = a->suffixes.v;
	x->suffixes.n = a->suffixes.n;
	x->suffixes.cap = a->suffixes.cap;
	x->a = a->a;
}

/* -> and [] on a value. */
struct tvar *infer_autocast(struct infer *i, struct expr *x)
{
	struct ctype c;

	join_suffixes(i, x);
	infer_expr(i, x->a);
	if (x->a->kind == E_CALL && x->a->sym)
		walk_callee(i, ((const struct callee *)x->a->sym)->fn);
	c = autocast_type(x->a);
	if (!c.type) {
		diag_error(i->e->diag, TAG_NO_TYPE, x->at, "what this value points to is not known");
		diag_hint(i->e->diag, "say it with @cast(..., \"type\")");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	x->sym = path_infer(i, x, c.type, c.type->kind == ST_ARRAY, c.user);
	return path_result(i, x->sym, x->at);
}
