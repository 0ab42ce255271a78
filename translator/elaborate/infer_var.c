/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of variables: locals, globals, elements of arrays, statistics. */
#include "elaborate/internal.h"

struct tvar *unsupported(struct infer *i, struct span at, const char *what)
{
	diag_error(i->e->diag, TAG_UNSUPPORTED, at, "%s not supported yet", what);
	return type_new(i->e, T_UNKNOWN, SPAN_NONE);
}

static struct local *find_local(const struct infer *i, const char *name)
{
	for (uint32_t n = 0; n < i->locals->n; n++)
		if (i->locals->v[n]->sym.name == name)
			return i->locals->v[n];
	return NULL;
}

bool infer_is_local(const struct infer *i, const char *name)
{
	return find_local(i, name);
}

bool infer_is_typed_local(const struct infer *i, const char *name)
{
	const struct local *l = find_local(i, name);

	return l && l->sym.ctype.type && !l->sym.mixed;
}

static struct local *add_local(struct infer *i, struct expr *x)
{
	struct local *l = arena_new(i->e->arena, struct local);

	l->sym = (struct symbol){
		.kind = SYM_LOCAL, .name = x->name, .at = x->at, .type = type_new(i->e, T_UNKNOWN, x->at)
	};
	vec_push(i->e->arena, i->locals, l);
	return l;
}

static void touch_local(const struct infer *i, struct local *l, struct expr *x, unsigned int access)
{
	if (access & ACC_WRITE) {
		l->assigned = true;
		if (!l->assigned_at.src && !i->shared)
			l->assigned_at = x->at;
	}
	l->needed = l->needed || (access & ACC_READ);
	if ((access & (ACC_READ | ACC_UPDATE)) && !l->read && !i->shared) {
		l->read = true;
		l->read_at = x->at;
	}
}

/* Two scripts of one session share names, meant or not. */
static void warn_cross_file(const struct infer *i, const struct global *g, struct span at)
{
	if (g->file == i->file || g->file->src->library || i->file->src->library)
		return;
	diag_warning(i->e->diag, TAG_CROSS_FILE, at,
		     "global variable \"%s\" of another file is used here", g->sym.name);
	diag_note(i->e->diag, g->sym.at, "declared here");
	diag_hint(i->e->diag, "a variable that is meant for one file only is declared \"private\"");
}

/* Counts a use of a global and refuses what would change an array that is being gone through. */
static bool touch_global(struct infer *i, struct global *g, struct span at, unsigned int access)
{
	if (!g->mentioned)
		warn_cross_file(i, g, at);
	g->mentioned = true;
	if (i->live) {
		g->used = true;
		g->read = g->read || (access & ACC_READ);
		g->written = g->written || (access & ACC_WRITE);
	}
	if ((access & ACC_READ) && !g->read_at.src && !i->file->src->library)
		g->read_at = at;
	if (!(access & ACC_WRITE))
		return true;
	if (i->in_guard) {
		diag_error(i->e->diag, TAG_STATEMENT, at,
			   "a probe's condition may not change \"%s\"", g->sym.name);
		return false;
	}
	for (const struct foreach_frame *f = i->iterating; f; f = f->up)
		if (f->g == g) {
			diag_error(i->e->diag, TAG_STATEMENT, at,
				   "\"%s\" is changed inside a foreach over it", g->sym.name);
			diag_note(i->e->diag, f->at, "the foreach");
			diag_hint(i->e->diag,
				  "collect the keys in another array and change \"%s\" afterwards",
				  g->sym.name);
			return false;
		}
	return true;
}

void infer_use_global(struct infer *i, struct global *g, struct span at, unsigned int access)
{
	(void)touch_global(i, g, at, access);
}

/* A name that stands alone: a parameter or local, a global scalar, or a local that starts here. */
struct tvar *infer_symbol(struct infer *i, struct expr *x, unsigned int access)
{
	struct local *l = find_local(i, x->name);
	struct global *g;

	if (!l) {
		g = elab_find_global(i->e, i->file, x->name);
		if (g) {
			x->sym = &g->sym;
			touch_global(i, g, x->at, access);
			type_arity(i->e, g, 0, x->at);
			return g->sym.type;
		}
		if (i->in_guard) {
			diag_error(i->e->diag, TAG_UNKNOWN_VAR, x->at,
				   "no global \"%s\": a probe's condition can use globals only",
				   x->name);
			return type_new(i->e, T_UNKNOWN, SPAN_NONE);
		}
		l = add_local(i, x);
	}
	touch_local(i, l, x, access);
	x->sym = &l->sym;
	return l->sym.type;
}

struct global *infer_array(struct infer *i, const char *name, struct span at, unsigned int access)
{
	struct local *l = find_local(i, name);
	struct global *g = l ? NULL : elab_find_global(i->e, i->file, name);
	struct near_match m;

	if (g) {
		touch_global(i, g, at, access);
		return g;
	}
	if (l) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, at,
			   "\"%s\" is a local variable, not a global array", name);
		diag_note(i->e->diag, l->sym.at, "the local");
		return NULL;
	}
	diag_error(i->e->diag, TAG_UNKNOWN_VAR, at, "no global array \"%s\"", name);
	near_init(&m, name);
	elab_near_globals(i->e, i->file, &m);
	if (near_best(&m))
		diag_hint(i->e->diag, "did you mean %s?", near_best(&m));
	else
		diag_hint(i->e->diag, "arrays are always global: declare it with \"global %s\"",
			  name);
	return NULL;
}

bool infer_keys(struct infer *i, struct global *g, const expr_vec *keys, struct span at, bool slice)
{
	bool ok = type_arity(i->e, g, keys->n, at);

	for (uint32_t n = 0; n < keys->n; n++) {
		struct expr *k = keys->v[n];
		struct tvar *t;

		if (k->kind == E_STAR && !slice) {
			diag_error(i->e->diag, TAG_ARRAY, k->at,
				   "\"*\" for any key is for \"foreach\", \"in\" and \"delete\" only");
			ok = false;
		}
		if (k->kind == E_STAR) {
			if (ok && !g->keys[n])
				g->keys[n] = type_new(i->e, T_UNKNOWN, SPAN_NONE);
			continue;
		}
		t = infer_expr(i, k);
		if (!ok)
			continue;
		if (!g->keys[n])
			g->keys[n] = type_new(i->e, T_UNKNOWN, SPAN_NONE);
		type_unite(i->e, t, g->keys[n], k->at);
	}
	return ok;
}

struct tvar *infer_index(struct infer *i, struct expr *x, unsigned int access)
{
	struct global *g = infer_array(i, x->name, x->op_at.src ? x->op_at : x->at, access);

	if (!g || !infer_keys(i, g, &x->args, x->at, false))
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	x->sym = &g->sym;
	return g->sym.type;
}

struct tvar *infer_lvalue(struct infer *i, struct expr *x, unsigned int access, const char *what)
{
	struct tvar *t;

	switch (x->kind) {
	case E_SYMBOL:
		t = infer_symbol(i, x, access);
		break;
	case E_INDEX:
		t = infer_index(i, x, access);
		break;
	case E_TARGET:
	case E_ATOP:
	case E_SUFFIXED:
		t = assign_infer(i, x);
		if (!t)
			return NULL;
		break;
	default:
		diag_error(i->e->diag, TAG_LVALUE, x->at, "%s needs a variable or an array element",
			   what);
		return NULL;
	}
	vec_push(i->e->arena, &i->e->pending, ((struct pending){ .e = x, .t = t }));
	return t;
}

struct tvar *infer_aggregate(struct infer *i, struct expr *x, unsigned int access)
{
	const struct symbol *s;
	struct tvar *t;

	if (x->kind != E_SYMBOL && x->kind != E_INDEX) {
		diag_error(i->e->diag, TAG_LVALUE, x->at,
			   "a statistic is a global variable or an array element");
		return NULL;
	}
	t = infer_lvalue(i, x, access, "a statistic");
	s = x->sym;
	if (!s)
		return NULL;
	if (s->kind == SYM_LOCAL) {
		diag_error(i->e->diag, TAG_LVALUE, x->at, "statistic \"%s\" must be a global",
			   x->name);
		diag_hint(i->e->diag, "declare it with \"global %s\"", x->name);
		return NULL;
	}
	return type_want(i->e, t, T_STATS, x->at, TAG_TYPE) ? t : NULL;
}
