/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's regular expressions. Only patterns travel in images; each reader makes the tables
 * again, which is cheap and bounded, so that no table from outside is ever walked.
 */
#include "ir_int.h"

uint32_t ir_regex_find(const struct ir_module *m, const char *pattern, bool groups)
{
	for (uint32_t k = 0; k < m->regexes.n; k++)
		if (m->regexes.v[k].groups == groups && !strcmp(m->regexes.v[k].pattern, pattern))
			return k;
	return IR_NONE;
}

uint32_t ir_regex_add(struct ir_module *m, const char *pattern, bool groups,
		      const struct regex_tab *tab)
{
	struct ir_regex r = { .pattern = pattern, .groups = groups, .tab = tab };
	uint32_t have = ir_regex_find(m, pattern, groups);
	struct regex_error err;

	if (have != IR_NONE)
		return have;
	if (!r.tab)
		r.tab = regex_compile(m->arena, pattern, strlen(pattern), groups, &err);
	if (!r.tab || m->regex_cost + r.tab->cost > REGEX_MAXCOST)
		return IR_NONE;
	m->regex_cost += r.tab->cost;
	vec_push(m->arena, &m->regexes, r);
	return m->regexes.n - 1;
}
