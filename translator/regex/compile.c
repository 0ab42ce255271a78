/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stages in order. Everything but the table lives in an arena that goes with the call. */
#include "regex/regex_int.h"

bool regex_check(const char *pattern, size_t len, struct regex_error *err,
		 struct regex_error *warning)
{
	struct arena tmp;
	uint32_t ngroups;
	bool ok;

	*warning = (struct regex_error){ 0 };
	arena_init(&tmp);
	ok = re_parse(&tmp, pattern, len, &ngroups, err, warning);
	arena_fini(&tmp);
	return ok;
}

static struct regex_tab *compile(struct arena *a, struct arena *tmp, const char *pattern,
				 size_t len, bool groups, struct regex_error *err)
{
	uint32_t ngroups;
	struct re_node *root = re_parse(tmp, pattern, len, &ngroups, err, NULL);
	struct re_program p = { 0 };

	if (!root)
		return NULL;
	err->len = (uint32_t)len;
	if (groups && ngroups > REGEX_MAXGROUPS) {
		err->text = "more than 31 groups: a script that calls matched() or ngroups() has "
			    "no room for their places";
		err->hint = "use fewer parentheses, or match the parts one after the other";
		return NULL;
	}
	if (!re_program(tmp, root, groups, &p)) {
		err->text = "this pattern is too large once its repetitions are written out";
		err->hint = "make repetition counts smaller: each of them repeats what is inside";
		return NULL;
	}
	return re_determine(a, &p, groups ? ngroups : 0, err);
}

const struct regex_tab *regex_compile(struct arena *a, const char *pattern, size_t len, bool groups,
				      struct regex_error *err)
{
	struct regex_tab *t;
	struct arena tmp;

	arena_init(&tmp);
	t = compile(a, &tmp, pattern, len, groups, err);
	arena_fini(&tmp);
	if (t)
		re_minimise(a, t);
	return t;
}
