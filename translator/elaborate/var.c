/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * @var("name[@unit]"[, "module"]): globals and statics of what is probed, of a program or of the kernel, wherever
 * the handler is.
 */
#include "elaborate/internal.h"
#include "symbols/symbols.h"

static bool strings(const struct expr *x)
{
	return x->args.n >= 1 && x->args.n <= 2 && x->args.v[0]->kind == E_STRING &&
	       (x->args.n < 2 || x->args.v[1]->kind == E_STRING);
}

static const struct probe_var *find(struct infer *i, const struct expr *x, const char **why)
{
	const struct probe_site *site = i->handler ? i->handler->site : NULL;

	return probe_global(&i->e->env, site, x->args.v[0]->str, x->args.n > 1 ? x->args.v[1]->str : NULL, why);
}

bool var_defined(struct infer *i, const struct expr *x)
{
	const struct probe_var *v;
	const char *why;

	if (!strings(x))
		return false;
	v = find(i, x, &why);
	return v && v->loc && path_exists_var(i, x, v);
}

void var_find_base(struct infer *i, struct target *t, struct span at)
{
	struct expr *x;

	if (!t->var->from_entry)
		return;
	x = make_name(i->e, E_ATOP, "@entry", at);
	infer_entry(i, x, make_name(i->e, E_CALL, "__ip", at));
	t->entry_ip = x;
}

struct tvar *infer_var(struct infer *i, struct expr *x)
{
	struct target *t = arena_new(i->e->arena, struct target);
	const struct expr *name = x->args.v[0];
	const char *why;

	if (!strings(x)) {
		diag_error(i->e->diag, TAG_ARITY, x->at,
			   "@var takes the name of a variable and perhaps a module, both as text");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	t->var = find(i, x, &why);
	if (!t->var) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, name->at, "no variable \"%s\" is found: %s", name->str, why);
		diag_hint(i->e->diag, "@defined(@var(...)) is 0 where it is not found");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	if (!t->var->loc) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, name->at, "\"%s\" cannot be read here: %s", name->str,
			   t->var->why);
		diag_hint(i->e->diag, "@defined(@var(...)) is 0 where it cannot be read");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	t->user = t->var->user;
	var_find_base(i, t, x->at);
	t->path = path_infer_var(i, x, t->var, t->user);
	x->sym = t;
	return path_result(i, t->path, x->at);
}
