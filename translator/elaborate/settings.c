/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -G name=value: other initial values for scalars. Found by name before unused ones are judged, applied when types are known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elaborate/internal.h"

/* The script's own global of that name before the library's. */
static struct global *find_setting(const struct elab *e, const char *name)
{
	struct global *best = NULL;

	for (uint32_t i = 0; i < e->globals.n; i++) {
		struct global *g = e->globals.v[i];

		if (strcmp(g->sym.name, name) || g->synthetic)
			continue;
		if (!best || (best->file->src->library && !g->file->src->library))
			best = g;
	}
	return best;
}

static void no_global(struct elab *e, const char *name)
{
	struct near_match m;

	diag_error(e->diag, TAG_OPTION, SPAN_NONE, "-G: there is no global variable \"%s\"", name);
	near_init(&m, name);
	for (uint32_t i = 0; i < e->globals.n; i++)
		if (!e->globals.v[i]->file->src->library && !e->globals.v[i]->synthetic)
			near_try(&m, e->globals.v[i]->sym.name);
	if (near_best(&m))
		diag_hint(e->diag, "did you mean %s?", near_best(&m));
}

static bool is_number(const char *s)
{
	char *end;

	strtoull(s, &end, 0);
	return end != s && !*end;
}

/* What nothing in the script says, the value does. */
static void settle_type(struct global *g)
{
	if (type_of(g->sym.type) == T_UNKNOWN && g->nkeys <= 0)
		type_root(g->sym.type)->type = is_number(g->setting) ? T_LONG : T_STRING;
}

void settings_find(struct elab *e)
{
	for (uint32_t i = 0; i < e->s->settings.n; i++) {
		const char *text = e->s->settings.v[i], *eq = strchr(text, '=');
		const char *name = arena_strndup(e->arena, text, (size_t)(eq - text));
		struct global *g = find_setting(e, name);

		if (!g) {
			no_global(e, name);
			continue;
		}
		g->setting = eq + 1;
		settle_type(g);
	}
}

static void apply(struct elab *e, struct global *g)
{
	struct expr *x = arena_new(e->arena, struct expr);
	enum script_type t = type_of(g->sym.type);
	char *end;

	if (g->nkeys > 0 || t == T_STATS) {
		diag_error(e->diag, TAG_OPTION, g->sym.at, "-G cannot set \"%s\": it is %s", g->sym.name,
			   g->nkeys > 0 ? "an array" : "a statistic");
		diag_hint(e->diag, "-G sets variables that hold one number or string");
		return;
	}
	*x = (struct expr){ .kind = E_STRING, .at = g->sym.at, .op_at = g->sym.at, .height = 1 };
	if (t == T_STRING) {
		x->str = g->setting;
		x->str_len = (uint32_t)strlen(g->setting);
	} else {
		x->kind = E_NUMBER;
		errno = 0;
		x->num = g->setting[0] == '-' ? strtoll(g->setting, &end, 0)
					      : (int64_t)strtoull(g->setting, &end, 0);
		if (errno || end == g->setting || *end) {
			diag_error(e->diag, TAG_OPTION, g->sym.at,
				   "-G: \"%s\" is no value for \"%s\", which holds a number",
				   g->setting, g->sym.name);
			diag_hint(e->diag, "declare it as global %s = \"\" if it is to hold a string",
				  g->sym.name);
			return;
		}
	}
	g->init = x;
}

void settings_apply(struct elab *e)
{
	for (uint32_t i = 0; i < e->globals.n; i++)
		if (e->globals.v[i]->setting)
			apply(e, e->globals.v[i]);
}
