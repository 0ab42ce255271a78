/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements, and whole bodies: handlers and functions. */
#include "elaborate/internal.h"

typedef void (*infer_stmt_fn)(struct infer *i, struct stmt *s);

static void infer_nothing(struct infer *i, struct stmt *s)
{
	(void)i;
	(void)s;
}

static void infer_block(struct infer *i, struct stmt *s)
{
	for (uint32_t n = 0; n < s->body.n; n++)
		infer_stmt(i, s->body.v[n]);
}

static void infer_expr_stmt(struct infer *i, struct stmt *s)
{
	infer_void(i, s->e);
	if (!s->e->at.src->library && !s->e->synthetic && !expr_has_effect(s->e))
		diag_warning(i->e->diag, TAG_EFFECT, s->e->at, "statement without effect");
}

static void infer_if(struct infer *i, struct stmt *s)
{
	int known;

	infer_long(i, s->e);
	known = known_condition(s->e);
	if (known >= 0)
		prune_stmt(i, known ? &s->otherwise : &s->then);
	infer_stmt(i, s->then);
	infer_stmt(i, s->otherwise);
}

static void infer_loop(struct infer *i, struct stmt *s)
{
	if (s->init)
		infer_void(i, s->init);
	if (s->e) {
		infer_long(i, s->e);
		if (known_condition(s->e) == 0)
			prune_stmt(i, &s->then);
	}
	if (s->step)
		infer_void(i, s->step);
	i->loops++;
	infer_stmt(i, s->then);
	i->loops--;
}

/* Variables that the syntax asks for may go unused. */
static void infer_need(const struct expr *x)
{
	const struct symbol *s = x->sym;

	if (s && s->kind == SYM_LOCAL)
		((struct local *)x->sym)->needed = true;
}

/* A key or value of a foreach is a plain variable that gets the type of the array's. */
static void infer_loop_var(struct infer *i, struct expr *v, struct tvar *t)
{
	struct tvar *have;

	if (v->kind != E_SYMBOL) {
		diag_error(i->e->diag, TAG_LVALUE, v->at,
			   "foreach needs plain variables before \"in\"");
		return;
	}
	have = infer_lvalue(i, v, ACC_WRITE, "foreach");
	infer_need(v);
	if (have)
		type_unite(i->e, have, t, v->at);
}

static void infer_foreach_sort(struct infer *i, struct stmt *s, struct global *g)
{
	enum stat_op op = s->sort_stat;

	if (op != S_NONE)
		type_want(i->e, g->sym.type, T_STATS, s->array->at, TAG_TYPE);
	if (i->live && s->sort_dir && s->sort_key == 0)
		infer_sort_stat(i, g, op == S_NONE ? S_COUNT : op);
}

static struct global *infer_foreach_array(struct infer *i, struct stmt *s)
{
	struct expr *a = s->array;
	struct global *g;

	g = infer_array(i, a->name, a->op_at.src ? a->op_at : a->at, ACC_READ);
	if (!g || !type_arity(i->e, g, s->keys.n, a->at))
		return NULL;
	if (a->kind == E_INDEX && !infer_keys(i, g, &a->args, a->at, true))
		return NULL;
	if (s->keys.n == 0) {
		diag_error(i->e->diag, TAG_ARRAY, a->at, "foreach needs a variable for each key");
		return NULL;
	}
	a->sym = &g->sym;
	return g;
}

/* After an error: the variables are known to the body all the same. */
static void infer_lost_loop_vars(struct infer *i, struct stmt *s)
{
	for (uint32_t n = 0; n < s->keys.n; n++)
		infer_loop_var(i, s->keys.v[n], type_new(i->e, T_UNKNOWN, SPAN_NONE));
	if (s->value)
		infer_loop_var(i, s->value, type_new(i->e, T_UNKNOWN, SPAN_NONE));
}

/* Over the buckets of a histogram: their numbers, and as the value what each counts. */
static struct global *infer_foreach_hist(struct infer *i, struct stmt *s)
{
	struct global *g = infer_hist(i, s->array);

	if (s->keys.n != 1)
		diag_error(i->e->diag, TAG_ARRAY, s->array->at,
			   "a histogram has one key, the number of a bucket, not %u", s->keys.n);
	if (s->sort_dir && !s->sort_key)
		diag_error(i->e->diag, TAG_STATEMENT, s->array->at,
			   "the buckets of a histogram can be sorted by their number only");
	for (uint32_t n = 0; n < s->keys.n; n++)
		infer_loop_var(i, s->keys.v[n], type_new(i->e, T_LONG, s->array->at));
	if (s->value)
		infer_loop_var(i, s->value, type_new(i->e, T_LONG, s->array->at));
	return g;
}

static void infer_foreach(struct infer *i, struct stmt *s)
{
	bool hist = is_hist(s->array);
	struct global *g = hist ? infer_foreach_hist(i, s) : infer_foreach_array(i, s);
	struct foreach_frame frame = { i->iterating, g, s->at };

	if (s->limit)
		infer_long(i, s->limit);
	if (g && !hist) {
		for (uint32_t n = 0; n < s->keys.n; n++) {
			if (!g->keys[n])
				g->keys[n] = type_new(i->e, T_UNKNOWN, SPAN_NONE);
			infer_loop_var(i, s->keys.v[n], g->keys[n]);
		}
		if (s->value) {
			infer_loop_var(i, s->value, g->sym.type);
			vec_push(i->e->arena, &i->e->pending,
				 ((struct pending){
					 .e = s->value, .t = g->sym.type, .value = true }));
		}
		infer_foreach_sort(i, s, g);
	} else if (!hist) {
		infer_lost_loop_vars(i, s);
	}
	i->iterating = g ? &frame : i->iterating;
	i->loops++;
	infer_stmt(i, s->then);
	i->loops--;
	i->iterating = frame.up;
}

static void infer_return(struct infer *i, struct stmt *s)
{
	struct tvar *t = s->e ? infer_expr(i, s->e) : NULL;

	if (!i->fn) {
		diag_error(i->e->diag, TAG_STATEMENT, s->at, "return outside of a function");
		diag_hint(i->e->diag, "a probe handler ends early with \"next\"");
		return;
	}
	if (!t)
		return;
	i->fn->valued = true;
	type_unite(i->e, t, i->fn->ret, s->e->at);
	autocast_return(i, s->e);
}

static void infer_loop_exit(struct infer *i, struct stmt *s)
{
	if (!i->loops)
		diag_error(i->e->diag, TAG_STATEMENT, s->at, "%s outside of a loop",
			   s->kind == ST_BREAK ? "break" : "continue");
}

static void infer_delete(struct infer *i, struct stmt *s)
{
	struct expr *x = s->e;
	const struct global *g;

	if (x->kind == E_SYMBOL && infer_is_local(i, x->name)) {
		infer_lvalue(i, x, ACC_WRITE, "delete");
	} else if (x->kind == E_SYMBOL) {
		struct symbol *sym;

		g = infer_array(i, x->name, x->at, ACC_WRITE);
		sym = g ? (struct symbol *)&g->sym : NULL;
		x->sym = sym;
		if (g)
			vec_push(i->e->arena, &i->e->pending,
				 ((struct pending){ .e = x, .t = g->sym.type }));
	} else if (x->kind == E_INDEX && is_slice(&x->args)) {
		struct global *array =
			infer_array(i, x->name, x->op_at.src ? x->op_at : x->at, ACC_WRITE);

		if (array && infer_keys(i, array, &x->args, x->at, true))
			x->sym = &array->sym;
	} else if (x->kind == E_INDEX) {
		infer_lvalue(i, x, ACC_WRITE, "delete");
	} else {
		diag_error(i->e->diag, TAG_LVALUE, x->at,
			   "delete needs a global variable or an array element");
	}
}

static void infer_try(struct infer *i, struct stmt *s)
{
	infer_stmt(i, s->then);
	if (s->catch_var) {
		struct tvar *t = infer_lvalue(i, s->catch_var, ACC_WRITE, "catch");

		infer_need(s->catch_var);
		if (t)
			type_want(i->e, t, T_STRING, s->catch_var->at, TAG_TYPE);
	}
	infer_stmt(i, s->otherwise);
}

static const infer_stmt_fn infer_stmt_table[] = {
	[ST_NULL] = infer_nothing,    [ST_BLOCK] = infer_block,
	[ST_EXPR] = infer_expr_stmt,  [ST_IF] = infer_if,
	[ST_WHILE] = infer_loop,      [ST_FOR] = infer_loop,
	[ST_FOREACH] = infer_foreach, [ST_RETURN] = infer_return,
	[ST_BREAK] = infer_loop_exit, [ST_CONTINUE] = infer_loop_exit,
	[ST_NEXT] = infer_nothing,       [ST_DELETE] = infer_delete,
	[ST_TRY] = infer_try,
};

void infer_stmt(struct infer *i, struct stmt *s)
{
	if (s)
		infer_stmt_table[s->kind](i, s);
}

void infer_part(struct elab *e, struct handler *h, uint32_t n)
{
	struct infer i = { .e = e,
			   .file = h->parts.v[n].file,
			   .locals = &h->locals,
			   .handler = h,
			   .pruned = &h->pruned,
			   .live = true };

	infer_stmt(&i, h->parts.v[n].s);
	warn_locals(&i);
}

void infer_handler(struct elab *e, struct handler *h)
{
	struct infer i = { .e = e,
			   .locals = &h->locals,
			   .handler = h,
			   .pruned = &h->pruned,
			   .live = true };

	if (h->inferred)
		return;
	h->inferred = true;
	i.in_guard = true;
	for (uint32_t n = 0; n < h->guards.n; n++) {
		i.file = h->guards.v[n].file;
		infer_long(&i, h->guards.v[n].e);
	}
	i.in_guard = false;
	for (uint32_t n = 0; n < h->parts.n; n++) {
		i.file = h->parts.v[n].file;
		i.shared = h->orig_parts.v[n].s != h->origin->body;
		infer_stmt(&i, h->parts.v[n].s);
	}
	warn_locals(&i);
}

static void warn_shadowed(struct elab *e, struct function *fn)
{
	for (uint32_t n = 0; n < fn->ast->params.n; n++) {
		struct local *l = fn->locals.v[n];
		struct global *g =
			fn->file->src->library ? NULL : elab_find_global(e, fn->file, l->sym.name);

		if (!g)
			continue;
		diag_warning(e->diag, TAG_SHADOW, l->sym.at,
			     "parameter \"%s\" hides a global of the same name", l->sym.name);
		diag_note(e->diag, g->sym.at, "the global");
	}
}

void infer_function(struct elab *e, struct function *fn, bool live)
{
	struct infer i = {
		.e = e,
		.file = fn->file,
		.locals = &fn->locals,
		.fn = fn,
		.handler = fn->handler,
		.pruned = &fn->pruned,
		.live = live,
	};

	fn->visited = true;
	if (!fn->ast->body) {
		embed_function(&i);
		return;
	}
	if (!check_depth(e, fn->ast->body, NULL, fn->ast->at)) {
		fn->ast->body->kind = ST_NULL;
		return;
	}
	warn_shadowed(e, fn);
	infer_stmt(&i, fn->ast->body);
	warn_locals(&i);
}
