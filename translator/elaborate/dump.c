/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session shows of itself when it ends: each global of the script that was written and never
 * read gets an end probe, as if the script had it, after all that the script has. No runtime knows
 * of it.
 */
#include <string.h>

#include "elaborate/internal.h"

static const enum stat_op shown_stats[] = { S_COUNT, S_MIN, S_MAX, S_SUM, S_AVG };
#define NSHOWN (sizeof(shown_stats) / sizeof(shown_stats[0]))

static bool is_shown(const struct global *g)
{
	return !g->file->src->library && !g->synthetic && g->used && g->written && !g->read &&
	       g->nkeys >= 0;
}

static const char *key_name(struct elab *e, int k)
{
	return arena_printf(e->arena, "__key%d", k);
}

/* The variable or, inside the foreach, its element. */
static struct expr *shown_value(struct elab *e, const struct global *g)
{
	struct expr *x = make_name(e, g->nkeys ? E_INDEX : E_SYMBOL, g->sym.name, g->sym.at);

	for (int k = 0; k < g->nkeys; k++)
		make_arg(e, x, make_name(e, E_SYMBOL, key_name(e, k), g->sym.at));
	return x;
}

static const char *shown_format(struct elab *e, const struct global *g, enum script_type t)
{
	const char *f = g->sym.name;

	for (int k = 0; k < g->nkeys; k++)
		f = arena_printf(e->arena, "%s%s%s%s", f, k ? "," : "[",
				 type_final(g->keys[k]) == T_STRING ? "%#s" : "%d",
				 k + 1 == g->nkeys ? "]" : "");
	if (t == T_STATS) {
		for (size_t s = 0; s < NSHOWN; s++)
			f = arena_printf(e->arena, "%s %s=%%d", f, stat_op_text(shown_stats[s]));
		return arena_printf(e->arena, "%s\n", f);
	}
	return arena_printf(e->arena, "%s=%s\n", f,
			    t == T_STRING ? "%#s"
			    : g->hex      ? "%p"
					  : "%d");
}

static struct stmt *show_value(struct elab *e, const struct global *g, enum script_type t)
{
	struct expr *p = make_printf(e, shown_format(e, g, t), g->sym.at);

	for (int k = 0; k < g->nkeys; k++)
		make_arg(e, p, make_name(e, E_SYMBOL, key_name(e, k), g->sym.at));
	if (t != T_STATS)
		make_arg(e, p,
			  g->nkeys ? make_name(e, E_SYMBOL, "__value", g->sym.at)
				   : shown_value(e, g));
	for (size_t s = 0; t == T_STATS && s < NSHOWN; s++)
		make_arg(e, p, make_op(e, E_STAT, shown_stats[s], shown_value(e, g), NULL));
	return make_stmt(e, ST_EXPR, p);
}

/* An empty statistic has neither a least nor a greatest value. */
static struct stmt *show_stat(struct elab *e, const struct global *g)
{
	struct expr *count = make_op(e, E_STAT, S_COUNT, shown_value(e, g), NULL);
	struct stmt *s = make_stmt(e, ST_IF, count);
	const char *none = arena_printf(e->arena, "%s @count=0x0\n", g->sym.name);

	s->then = show_value(e, g, T_STATS);
	s->otherwise = make_stmt(e, ST_EXPR, make_printf(e, none, g->sym.at));
	return s;
}

static struct stmt *show_array(struct elab *e, const struct global *g, enum script_type t)
{
	struct stmt *s = make_stmt(e, ST_FOREACH, NULL);

	s->at = g->sym.at;
	for (int k = 0; k < g->nkeys; k++)
		vec_push(e->arena, &s->keys,
			 make_name(e, E_SYMBOL, key_name(e, k), g->sym.at));
	if (t != T_STATS)
		s->value = make_name(e, E_SYMBOL, "__value", g->sym.at);
	s->array = make_name(e, E_SYMBOL, g->sym.name, g->sym.at);
	s->sort_dir = -1;
	s->then = show_value(e, g, t);
	return s;
}

/* The names of the loop must not mean globals of the script. */
static void add_loop_names(struct elab *e, struct handler *h, const struct global *g)
{
	for (int k = -1; k < g->nkeys; k++) {
		const char *name = k < 0 ? "__value" : key_name(e, k);
		struct local *l = arena_new(e->arena, struct local);

		if (k < 0 && (!g->nkeys || type_of(g->sym.type) == T_STATS))
			continue;
		l->sym = (struct symbol){ .kind = SYM_LOCAL,
					  .name = strtab_intern(&e->s->names, name),
					  .at = g->sym.at,
					  .type = type_new(e, T_UNKNOWN, g->sym.at) };
		vec_push(e->arena, &h->locals, l);
	}
}

static void show_global(struct elab *e, struct global *g)
{
	static const struct probe_family family = { .pattern = "end", .kind = AT_END };
	enum script_type t = type_final(g->sym.type);
	struct ast_probe *origin = arena_new(e->arena, struct ast_probe);
	struct probe_site *site = arena_new(e->arena, struct probe_site);
	struct elab_probe p = { .site = site };

	origin->at = g->sym.at;
	p.handler = make_handler(e, g->file, origin,
				  g->nkeys         ? show_array(e, g, t)
				  : t == T_STATS ? show_stat(e, g)
						   : show_value(e, g, t));
	site->family = &family;
	site->at = g->sym.at;
	site->probe = (struct ir_probe){ .kind = AT_END, .name = "end", .seq = INT64_MAX };
	p.handler->site = site;
	p.chain = arena_printf(e->arena, "display of %s", g->sym.name);
	vec_push(e->arena, &e->probes, p);
	add_loop_names(e, p.handler, g);
	infer_handler(e, p.handler);
}

void dump_globals(struct elab *e)
{
	for (uint32_t i = 0; i < e->globals.n; i++)
		if (is_shown(e->globals.v[i]))
			show_global(e, e->globals.v[i]);
}
