/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strtab.h"

static bool is_scalar(const struct ir_global *g)
{
	return !g->nkeys && !g->is_stat;
}

static int no_global(struct run *r, const char *name)
{
	struct near_match m;

	diag_error(&r->diag, TAG_OPTION, SPAN_NONE,
		   "the script has no variable \"%s\", or does not use it", name);
	near_init(&m, name);
	for (uint32_t i = 0; i < r->ir->globals.n; i++)
		if (is_scalar(r->ir->globals.v[i]))
			near_try(&m, r->ir->globals.v[i]->name);
	if (near_best(&m))
		diag_hint(&r->diag, "did you mean %s?", near_best(&m));
	return -1;
}

static int set_number(struct run *r, struct ir_global *g, const char *value)
{
	char *end;

	errno = 0;
	g->init_num = value[0] == '-' ? strtoll(value, &end, 0) : (int64_t)strtoull(value, &end, 0);
	if (!errno && end != value && !*end)
		return 0;
	diag_error(&r->diag, TAG_OPTION, SPAN_NONE,
		   "\"%s\" is no value for \"%s\", which holds a number", value, g->name);
	return -1;
}

static int set_one(struct run *r, const char *text)
{
	const char *eq = strchr(text, '=');
	const char *name = arena_strndup(&r->arena, text, (size_t)(eq - text));
	struct ir_global *g = NULL;
	uint32_t i;

	for (i = 0; i < r->ir->globals.n && !g; i++)
		if (!strcmp(r->ir->globals.v[i]->name, name))
			g = r->ir->globals.v[i];
	if (!g)
		return no_global(r, name);
	if (!is_scalar(g)) {
		diag_error(&r->diag, TAG_OPTION, SPAN_NONE, "\"%s\" cannot be set: it is %s", name,
			   g->nkeys ? "an array" : "a statistic");
		return -1;
	}
	vec_push(&r->arena, &r->set, i - 1);
	if (g->type == IR_STR)
		g->init_str = arena_strndup(&r->arena, eq + 1,
					    strnlen(eq + 1, (size_t)r->ir->limits.maxstringlen - 1));
	else
		return set_number(r, g, eq + 1);
	return 0;
}

int settings_apply(struct run *r)
{
	for (uint32_t i = 0; i < r->opt.settings.n; i++)
		if (set_one(r, r->opt.settings.v[i]))
			return -1;
	return 0;
}
