/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conditions of conditionals: comparisons joined with && and ||, of which && binds tighter; there are no
 * parentheses. What stands on the left decides how a comparison is done: rows of the table below.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

/* One side of a comparison. */
struct side {
	enum { SIDE_STRING, SIDE_NUMBER, SIDE_CONFIG, SIDE_NAME, SIDE_NONE } kind;
	struct span at;
	const char *text; /* the string, or the name */
	int64_t num;
	unsigned int row; /* SIDE_NAME: in the table */
};

struct eval {
	struct preproc *pp;
	struct token t; /* the token that is looked at */
};

enum how {
	HOW_VERSION, /* by strverscmp, or a pattern */
	HOW_NAME, /* a pattern; no order */
	HOW_FLAG, /* the number 0 or 1 */
};

static const char *ask_kernel_v(const struct parse_env *env)
{
	return env->facts ? env->facts->kernel_v : NULL;
}

static const char *ask_kernel_vr(const struct parse_env *env)
{
	return env->facts ? env->facts->kernel_vr : NULL;
}

static const char *ask_systemtap_v(const struct parse_env *env)
{
	return env->compatible ? env->compatible : SPILE_LIKE;
}

static const char *ask_arch(const struct parse_env *env)
{
	return env->facts ? env->facts->arch : NULL;
}

static const char *ask_runtime(const struct parse_env *env)
{
	return env->facts ? env->facts->runtime(env->facts->arg) : NULL;
}

static const char *ask_privilege(const struct parse_env *env)
{
	return env->facts ? env->facts->privilege : NULL;
}

static const char *ask_guru(const struct parse_env *env)
{
	return env->facts && env->facts->guru ? "1" : "0";
}

static const struct {
	const char *name;
	enum how how;
	const char *(*ask)(const struct parse_env *env); /* NULL result: not known here */
} names[] = {
	{ "kernel_v", HOW_VERSION, ask_kernel_v },
	{ "kernel_vr", HOW_VERSION, ask_kernel_vr },
	{ "systemtap_v", HOW_VERSION, ask_systemtap_v },
	{ "arch", HOW_NAME, ask_arch },
	{ "runtime", HOW_NAME, ask_runtime },
	{ "systemtap_privilege", HOW_NAME, ask_privilege },
	{ "guru_mode", HOW_FLAG, ask_guru },
};

#define NNAMES (sizeof(names) / sizeof(names[0]))

/* ---- reading ---- */

static void advance(struct eval *e)
{
	macro_next(e->pp, &e->t);
}

static bool __attribute__((format(printf, 3, 4))) wrong(struct eval *e, struct span at,
							const char *fmt, ...)
{
	struct diag *d = e->pp->env->diag;
	va_list ap;

	if (e->t.kind == TK_JUNK)
		return false; /* told already */
	va_start(ap, fmt);
	diag_error(d, TAG_CONDITION, at, "%s", arena_vprintf(e->pp->env->arena, fmt, ap));
	va_end(ap);
	lex_count_error(&e->pp->lex);
	return false;
}

static bool name_side(struct eval *e, struct side *s)
{
	struct near_match near;
	unsigned int i;

	s->text = e->t.name;
	if (!strncmp(s->text, "CONFIG_", 7)) {
		s->kind = SIDE_CONFIG;
		return true;
	}
	near_init(&near, s->text);
	for (i = 0; i < NNAMES; i++) {
		near_try(&near, names[i].name);
		if (strcmp(names[i].name, s->text))
			continue;
		s->kind = SIDE_NAME;
		s->row = i;
		return true;
	}
	wrong(e, s->at, "a condition cannot ask for %s", s->text);
	if (near_best(&near))
		diag_hint(e->pp->env->diag, "did you mean %s?", near_best(&near));
	else
		diag_hint(e->pp->env->diag,
			  "conditions know kernel_v, kernel_vr, systemtap_v, arch, runtime, CONFIG_*, "
			  "systemtap_privilege, guru_mode and literals");
	return false;
}

static bool number_side(struct eval *e, struct side *s, bool negative)
{
	s->kind = SIDE_NUMBER;
	if (!e->t.num_ok) {
		diag_error(e->pp->env->diag, TAG_NUMBER, s->at,
			   "%s is not a number, or is out of range", e->t.name);
		lex_count_error(&e->pp->lex);
		return false;
	}
	s->num = negative ? (int64_t)(0 - (uint64_t)e->t.num) : e->t.num;
	advance(e);
	return true;
}

/* Adjacent strings are one. */
static void string_side(struct eval *e, struct side *s)
{
	s->kind = SIDE_STRING;
	s->text = e->t.str;
	for (advance(e); e->t.kind == TK_STRING; advance(e))
		s->text = arena_printf(e->pp->env->arena, "%s%s", s->text, e->t.str);
}

/*
 * One side, @wanted or only read over: what && and || make irrelevant may name arguments that are not there. The
 * current token is then behind it.
 */
static bool take_side(struct eval *e, struct side *s, bool wanted)
{
	s->at = e->t.at;
	if (e->t.kind == TK_BADARG) {
		s->kind = SIDE_NONE;
		if (wanted)
			lex_report_argument(&e->pp->lex, &e->t);
		advance(e);
		return !wanted;
	}
	if (e->t.kind == TK_STRING) {
		string_side(e, s);
		return true;
	}
	if (e->t.kind == TK_NUMBER)
		return number_side(e, s, false);
	if (e->t.kind == OP_SUB) {
		advance(e);
		if (e->t.kind == TK_NUMBER)
			return number_side(e, s, true);
	} else if (e->t.kind == TK_IDENT) {
		bool ok = name_side(e, s);

		if (ok)
			advance(e);
		return ok;
	}
	return wrong(e, e->t.at, "expected what is compared: a name such as kernel_v, a string or a number");
}

/* ---- comparing ---- */

static bool by_order(enum token_kind op, int c)
{
	switch (op) {
	case OP_LT:
		return c < 0;
	case OP_LE:
		return c <= 0;
	case OP_GT:
		return c > 0;
	case OP_GE:
		return c >= 0;
	case OP_EQ:
		return c == 0;
	default:
		return c != 0;
	}
}

static bool equality(enum token_kind op)
{
	return op == OP_EQ || op == OP_NE;
}

static bool by_pattern(enum token_kind op, const char *value, const char *pattern)
{
	return (fnmatch(pattern, value, FNM_NOESCAPE) == 0) == (op == OP_EQ);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static bool whole_number(const char *s, int64_t *out)
{
	char *end;

	*out = (int64_t)strtoll(s, &end, 0);
	return *s && !*end;
}

static bool only_equality(struct eval *e, const struct side *l, enum token_kind op, struct span at)
{
	if (equality(op))
		return true;
	wrong(e, at, "%s has no order: only == and != compare it", l->text);
	return false;
}

static bool compare_name(struct eval *e, const struct side *l, const struct token *op,
			 const struct side *r, bool *holds)
{
	const char *value = names[l->row].ask(e->pp->env);
	enum how how = names[l->row].how;

	if (!value)
		return wrong(e, l->at, "%s is not known here", l->text);
	if (how == HOW_FLAG) {
		if (r->kind != SIDE_NUMBER || (r->num != 0 && r->num != 1))
			return wrong(e, r->at, "%s is compared with 0 or 1", l->text);
		*holds = ((value[0] == '1') == (r->num == 1)) == (op->kind == OP_EQ);
		return only_equality(e, l, op->kind, op->at);
	}
	if (r->kind != SIDE_STRING)
		return wrong(e, r->at, "%s is compared with a string", l->text);
	if (equality(op->kind))
		*holds = by_pattern(op->kind, value, r->text);
	else if (how == HOW_NAME)
		return only_equality(e, l, op->kind, op->at);
	else if (strpbrk(r->text, "*?["))
		return wrong(e, r->at, "a pattern has no order: only == and != compare with it");
	else
		*holds = by_order(op->kind, strverscmp(value, r->text));
	return true;
}

static const char *config_value(struct eval *e, const struct side *s)
{
	const struct parse_facts *f = e->pp->env->facts;
	const char *v = f ? f->config(f->arg, s->text) : NULL;

	return v ? v : "";
}

static bool compare_config(struct eval *e, const struct side *l, const struct token *op,
			   const struct side *r, bool *holds)
{
	const char *value = config_value(e, l), *other;
	int64_t a, b;

	if (r->kind == SIDE_STRING) {
		*holds = by_pattern(op->kind, value, r->text);
		return only_equality(e, l, op->kind, op->at);
	}
	if (r->kind == SIDE_NUMBER) {
		*holds = whole_number(value, &a)
				 ? by_order(op->kind, compare_numbers(a, r->num))
				 : op->kind == OP_NE;
		return true;
	}
	if (r->kind != SIDE_CONFIG)
		return wrong(e, r->at, "%s is compared with a string, a number or another CONFIG_ name",
			     l->text);
	other = config_value(e, r);
	if (whole_number(value, &a) && whole_number(other, &b))
		*holds = by_order(op->kind, compare_numbers(a, b));
	else
		*holds = by_order(op->kind, strcmp(value, other));
	return true;
}

static bool compare_sides(struct eval *e, const struct side *l, const struct token *op,
			  const struct side *r, bool *holds)
{
	if (l->kind == SIDE_NAME)
		return compare_name(e, l, op, r, holds);
	if (l->kind == SIDE_CONFIG)
		return compare_config(e, l, op, r, holds);
	if (l->kind != r->kind) {
		wrong(e, r->at, "a %s is compared with a %s here",
		      l->kind == SIDE_STRING ? "string" : "number",
		      r->kind == SIDE_STRING   ? "string"
		      : r->kind == SIDE_NUMBER ? "number"
					       : "name");
		if (r->kind == SIDE_NAME || r->kind == SIDE_CONFIG)
			diag_hint(e->pp->env->diag, "write %s on the left side", r->text);
		return false;
	}
	*holds = by_order(op->kind, l->kind == SIDE_STRING ? strcmp(l->text, r->text)
							   : compare_numbers(l->num, r->num));
	return true;
}

/* ---- the condition ---- */

static bool comparison(struct eval *e, bool wanted, bool *holds)
{
	struct side l = { 0 }, r = { 0 };
	struct token op;

	if (!take_side(e, &l, wanted))
		return false;
	op = e->t;
	if (op.kind != OP_LT && op.kind != OP_LE && op.kind != OP_GT && op.kind != OP_GE &&
	    !equality(op.kind))
		return wrong(e, op.at, "expected a comparison: == != < <= > or >=");
	advance(e);
	if (!take_side(e, &r, wanted))
		return false;
	return !wanted || compare_sides(e, &l, &op, &r, holds);
}

static bool conjunction(struct eval *e, bool wanted, bool *holds)
{
	bool one;

	*holds = true;
	do {
		if (e->t.kind == OP_ANDAND)
			advance(e);
		one = true;
		if (!comparison(e, wanted && *holds, &one))
			return false;
		*holds = *holds && one;
	} while (e->t.kind == OP_ANDAND);
	return true;
}

bool cond_evaluate(struct preproc *pp, bool *holds)
{
	struct eval e = { .pp = pp };
	bool one;

	*holds = false;
	advance(&e);
	for (;;) {
		if (!conjunction(&e, !*holds, &one))
			return false;
		*holds = *holds || one;
		if (e.t.kind != OP_OROR)
			break;
		advance(&e);
	}
	if (e.t.kind == OP_PP_THEN)
		return true;
	wrong(&e, e.t.at, "expected '%%?' behind the condition");
	diag_hint(pp->env->diag, "a conditional is %%( CONDITION %%? TEXT %%: TEXT %%)");
	return false;
}
