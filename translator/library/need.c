/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which library files a script needs, found by the names it uses and does not define. */
#include "library.h"
#include "parse/walk.h"

struct need {
	struct library *library;
	struct ast_file *const *own; /* the user's files */
	uint32_t nown;
};

static bool defines_function(const struct need *n, const char *name)
{
	for (uint32_t f = 0; f < n->nown; f++) {
		for (uint32_t i = 0; i < n->own[f]->functions.n; i++) {
			if (n->own[f]->functions.v[i]->name == name)
				return true;
		}
	}
	return false;
}

static bool defines_global(const struct need *n, const char *name)
{
	for (uint32_t f = 0; f < n->nown; f++) {
		for (uint32_t i = 0; i < n->own[f]->globals.n; i++) {
			if (n->own[f]->globals.v[i]->name == name)
				return true;
		}
	}
	return false;
}

static void need_expr(struct expr *e, void *arg)
{
	struct need *n = arg;

	if (e->kind == E_CALL && !defines_function(n, e->name))
		library_need(n->library, LIB_FUNCTION, e->name);
	else if ((e->kind == E_SYMBOL || e->kind == E_INDEX || e->kind == E_IN) && e->name &&
		 !defines_global(n, e->name))
		library_need(n->library, LIB_GLOBAL, e->name);
}

static void need_probe(struct need *n, const struct ast_probe *p)
{
	for (uint32_t i = 0; i < p->points.n; i++) {
		const struct probe_point *pp = p->points.v[i];

		if (pp->comps.n)
			library_need(n->library, LIB_ALIAS, pp->comps.v[0].name);
		walk_expr(pp->cond, need_expr, n);
	}
	walk_stmt(p->body, need_expr, n);
	walk_stmt(p->epilogue, need_expr, n);
}

static void need_file(struct need *n, const struct ast_file *f)
{
	for (uint32_t i = 0; i < f->probes.n; i++)
		need_probe(n, f->probes.v[i]);
	for (uint32_t i = 0; i < f->aliases.n; i++)
		need_probe(n, f->aliases.v[i]);
	for (uint32_t i = 0; i < f->functions.n; i++)
		walk_stmt(f->functions.v[i]->body, need_expr, n);
}

void library_need_for(struct library *l, struct ast_file *const *files, uint32_t nfiles)
{
	struct need n = { .library = l, .own = files, .nown = nfiles };
	uint32_t count;

	for (uint32_t i = 0; i < nfiles; i++)
		need_file(&n, files[i]);
	/* library files may need more: the list grows while it is walked */
	for (uint32_t i = 0; library_files(l, &count), i < count; i++)
		need_file(&n, library_files(l, &count)[i]);
}
