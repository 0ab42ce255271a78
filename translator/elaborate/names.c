/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of globals, functions and aliases. One name space over all files, user files before the
 * library, but for private names, which belong to a file. The library is asked for a name when no
 * user file has it.
 */
#include <fnmatch.h>
#include <string.h>

#include "elaborate/internal.h"

static uint32_t symtab_hash(const char *name)
{
	return (uint32_t)(((uintptr_t)name >> 3) * 0x9e3779b97f4a7c15ull >> 32);
}

/* The slot of an interned name, made when missing. */
static void **symtab_at(struct elab *e, struct symtab *t, const char *name)
{
	uint32_t i;

	if ((t->n + 1) * 4 > t->cap * 3) {
		struct symtab bigger = { .cap = t->cap ? t->cap * 2 : 64 };

		bigger.slot = arena_alloc(e->arena, bigger.cap * sizeof(*bigger.slot));
		for (i = 0; i < t->cap; i++)
			if (t->slot[i].name)
				*symtab_at(e, &bigger, t->slot[i].name) = t->slot[i].value;
		*t = bigger;
	}
	for (i = symtab_hash(name) & (t->cap - 1); t->slot[i].name; i = (i + 1) & (t->cap - 1))
		if (t->slot[i].name == name)
			return &t->slot[i].value;
	t->slot[i].name = name;
	t->n++;
	return &t->slot[i].value;
}

/* Code of the library must not meet a script's variables by chance. */
static bool hidden_from(const struct global *g, const struct ast_file *from)
{
	return g->ast->is_private || (from->src->library && !g->file->src->library);
}

/* Whether two declarations of one name exclude each other. */
static bool clash(const struct ast_file *f, bool private_f, const struct ast_file *g,
		  bool private_g)
{
	if (f == g)
		return true;
	return !private_f && !private_g && f->src->library == g->src->library;
}

static void report_duplicate(struct elab *e, const char *what, const char *name, struct span at,
			     struct span first)
{
	diag_error(e->diag, TAG_DUPLICATE, at, "%s \"%s\" is declared twice", what, name);
	diag_note(e->diag, first, "first here");
}

struct global *elab_add_global(struct elab *e, struct ast_file *f, const struct ast_global *ast)
{
	void **slot = symtab_at(e, &e->global_names, ast->name);
	struct global *g = arena_new(e->arena, struct global), **tail;

	for (const struct global *o = *slot; o; o = o->next)
		if (clash(f, ast->is_private, o->file, o->ast->is_private)) {
			report_duplicate(e, "global", ast->name, ast->at, o->sym.at);
			return NULL;
		}
	g->sym = (struct symbol){
		.kind = SYM_GLOBAL, .name = ast->name, .at = ast->at, .type = type_new(e, T_UNKNOWN, ast->at)
	};
	g->ast = ast;
	g->init = ast->init;
	g->file = f;
	g->nkeys = -1;
	g->index = IR_NONE;
	if (ast->init) {
		enum script_type t = ast->init->kind == E_STRING ? T_STRING : T_LONG;

		g->sym.type = type_new(e, t, ast->init->at);
		if (ast->size || ast->wrap) {
			diag_error(e->diag, TAG_ARRAY, ast->init->at,
				   "array \"%s\" cannot have an initial value", ast->name);
			diag_hint(e->diag, "fill it in probe begin");
		}
	}
	tail = (struct global **)slot;
	while (*tail)
		tail = &(*tail)->next;
	*tail = g;
	vec_push(e->arena, &e->globals, g);
	return g;
}

static void add_params(struct elab *e, struct function *fn)
{
	const struct ast_function *ast = fn->ast;

	for (uint32_t i = 0; i < ast->params.n; i++) {
		const struct ast_param *p = &ast->params.v[i];
		struct local *l = arena_new(e->arena, struct local);

		for (uint32_t j = 0; j < i; j++)
			if (ast->params.v[j].name == p->name) {
				report_duplicate(e, "parameter", p->name, p->at,
						 ast->params.v[j].at);
				break;
			}
		l->sym = (struct symbol){
		.kind = SYM_LOCAL, .name = p->name, .at = p->at, .type = type_new(e, p->type, p->at)
	};
		l->is_param = true;
		vec_push(e->arena, &fn->locals, l);
	}
}

struct function *elab_new_function(struct elab *e, struct ast_file *f, struct ast_function *ast)
{
	struct function *fn = arena_new(e->arena, struct function);

	fn->name = ast->name;
	fn->ast = ast;
	fn->file = f;
	fn->index = IR_NONE;
	fn->ret = type_new(e, ast->ret_type, ast->name_at);
	fn->valued = ast->ret_type != T_UNKNOWN;
	add_params(e, fn);
	vec_push(e->arena, &e->functions, fn);
	return fn;
}

static void add_function(struct elab *e, struct ast_file *f, struct ast_function *ast)
{
	void **slot = symtab_at(e, &e->function_names, ast->name);
	struct function **tail;

	for (const struct function *o = *slot; o; o = o->next) {
		if (o->ast->params.n != ast->params.n || !overload_hides(o, ast, f) ||
		    !clash(f, ast->is_private, o->file, o->ast->is_private))
			continue;
		report_duplicate(e, "function", ast->name, ast->name_at, o->ast->name_at);
		diag_hint(e->diag, "a call goes on to the second only when the first says \"next\"");
		return;
	}
	tail = (struct function **)slot;
	while (*tail)
		tail = &(*tail)->next;
	*tail = elab_new_function(e, f, ast);
}

void elab_add_file(struct elab *e, struct ast_file *f)
{
	for (uint32_t i = 0; i < f->globals.n; i++)
		elab_add_global(e, f, f->globals.v[i]);
	for (uint32_t i = 0; i < f->functions.n; i++)
		add_function(e, f, f->functions.v[i]);
	for (uint32_t i = 0; i < f->aliases.n; i++)
		vec_push(e->arena, &e->aliases, ((struct alias){ f->aliases.v[i], f }));
	for (uint32_t i = 0; i < f->embeds.n; i++)
		vec_push(e->arena, &e->embeds, f->embeds.v[i]);
}

/* True when files came in. */
static bool need(struct elab *e, enum lib_kind kind, const char *name)
{
	struct ast_file *const *files;
	uint32_t n, before = e->lib_seen;

	if (!e->in->library || !library_need(e->in->library, kind, name))
		return false;
	files = library_files(e->in->library, &n);
	while (e->lib_seen < n) {
		struct ast_file *f = files[e->lib_seen++];

		elab_add_file(e, f);
		files = library_files(e->in->library, &n);
	}
	return e->lib_seen > before;
}

static struct global *pick_global(struct global *list, const struct ast_file *from)
{
	struct global *best = NULL;

	for (struct global *g = list; g; g = g->next) {
		if (g->file == from)
			return g;
		if (!hidden_from(g, from) &&
		    (!best || (best->file->src->library && !g->file->src->library)))
			best = g;
	}
	return best;
}

struct global *elab_find_global(struct elab *e, struct ast_file *from, const char *name)
{
	struct global *g = pick_global(*symtab_at(e, &e->global_names, name), from);

	if (!g && need(e, LIB_GLOBAL, name))
		g = pick_global(*symtab_at(e, &e->global_names, name), from);
	return g;
}

struct function *elab_functions_named(struct elab *e, const char *name)
{
	return *symtab_at(e, &e->function_names, name);
}

bool elab_need_function(struct elab *e, const char *name)
{
	return need(e, LIB_FUNCTION, name);
}

struct alias_search {
	struct elab *e;
	const char *pattern;
	VEC(const char *) found;
};

static bool collect_alias(const char *name, void *arg)
{
	struct alias_search *s = arg;

	if (fnmatch(s->pattern, name, 0) == 0)
		vec_push(s->e->arena, &s->found, name);
	return true;
}

void elab_need_alias(struct elab *e, const char *name)
{
	struct alias_search s = { .e = e, .pattern = name };

	if (!e->in->library)
		return;
	if (!strchr(name, '*')) {
		(void)need(e, LIB_ALIAS, name);
		return;
	}
	library_each(e->in->library, LIB_ALIAS, collect_alias, &s);
	for (uint32_t i = 0; i < s.found.n; i++)
		(void)need(e, LIB_ALIAS, s.found.v[i]);
}

static bool try_near(const char *name, void *arg)
{
	/* names that start with "__" are the library's own */
	if (strncmp(name, "__", 2) != 0)
		near_try(arg, name);
	return true;
}

void elab_near_functions(struct elab *e, struct near_match *m)
{
	for (unsigned int f = 0; f < 32; f++) {
		const char *name = print_name(f);

		if (name)
			near_try(m, name);
	}
	for (uint32_t i = 0; i < e->functions.n; i++)
		try_near(e->functions.v[i]->name, m);
	if (e->in->library)
		library_each(e->in->library, LIB_FUNCTION, try_near, m);
}

void elab_near_globals(struct elab *e, struct ast_file *from, struct near_match *m)
{
	for (uint32_t i = 0; i < e->globals.n; i++) {
		const struct global *g = e->globals.v[i];

		if (g->file == from || (!g->ast->is_private && !g->file->src->library))
			near_try(m, g->sym.name);
	}
}

const char *point_names(struct elab *e, const struct probe_point *pp)
{
	const char *s = "";

	for (uint32_t i = 0; i < pp->comps.n; i++)
		s = arena_printf(e->arena, "%s%s%s", s, i ? "." : "", pp->comps.v[i].name);
	return s;
}

const char *elab_near_alias(struct elab *e, const struct probe_point *pp)
{
	struct near_match whole, first;

	near_init(&whole, point_names(e, pp));
	near_init(&first, pp->comps.v[0].name);
	for (uint32_t i = 0; i < e->aliases.n; i++) {
		const struct ast_probe *p = e->aliases.v[i].ast;

		for (uint32_t j = 0; j < p->alias_names.n; j++)
			try_near(point_names(e, p->alias_names.v[j]), &whole);
	}
	if (near_best(&whole) || !e->in->library)
		return near_best(&whole);
	library_each(e->in->library, LIB_ALIAS, try_near, &first);
	return strcmp(near_best(&first) ? near_best(&first) : first.want, first.want) != 0
		       ? near_best(&first)
		       : NULL;
}
