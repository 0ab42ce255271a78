/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * =~ and !~. Where some code that may run asks for the groups of a match, every pattern gets a table
 * that tells them; else the smaller and faster ones do.
 */
#include <string.h>

#include "elaborate/internal.h"
#include "parse/lex.h"

static void report(struct elab *e, struct span literal, const struct regex_error *err)
{
	diag_error(e->diag, TAG_REGEX, lex_place_in_string(literal, err->off, err->off + err->len),
		   "%s", err->text);
	if (err->hint)
		diag_hint(e->diag, "%s", err->hint);
}

static bool check_pattern(struct infer *i, const struct expr *literal)
{
	struct regex_error err, warning;

	if (!regex_check(literal->str, strlen(literal->str), &err, &warning)) {
		report(i->e, literal->at, &err);
		return false;
	}
	if (!warning.text)
		return true;
	diag_warning(i->e->diag, TAG_REGEX_ESCAPE,
		     lex_place_in_string(literal->at, warning.off, warning.off + warning.len), "%s",
		     warning.text);
	diag_hint(i->e->diag, "%s", warning.hint);
	return true;
}

static struct elab_regex *find_pattern(struct elab *e, const struct expr *literal)
{
	struct elab_regex *r;

	for (uint32_t k = 0; k < e->regexes.n; k++)
		if (!strcmp(e->regexes.v[k]->pattern, literal->str))
			return e->regexes.v[k];
	r = arena_new(e->arena, struct elab_regex);
	r->pattern = literal->str;
	r->at = literal->at;
	vec_push(e->arena, &e->regexes, r);
	return r;
}

struct tvar *infer_regex(struct infer *i, struct expr *x)
{
	type_want(i->e, infer_expr(i, x->a), T_STRING, x->a->at, TAG_TYPE);
	if (x->b->kind != E_STRING) {
		diag_error(i->e->diag, TAG_REGEX, x->b->at,
			   "the pattern of %s must be one literal string", bin_op_text(x->op));
		diag_hint(i->e->diag, "patterns are translated before the script runs");
	} else if (check_pattern(i, x->b) && i->live) {
		x->sym = find_pattern(i->e, x->b);
	}
	return type_new(i->e, T_LONG, x->at);
}

void regex_finish(struct elab *e)
{
	uint64_t cost = 0;

	for (uint32_t k = 0; k < e->regexes.n; k++) {
		struct elab_regex *r = e->regexes.v[k];
		struct regex_error err;

		r->tab = regex_compile(e->arena, r->pattern, strlen(r->pattern), e->captures, &err);
		if (!r->tab) {
			report(e, r->at, &err);
			continue;
		}
		cost += r->tab->cost;
		if (cost <= REGEX_MAXCOST)
			continue;
		diag_error(e->diag, TAG_REGEX, r->at,
			   "the patterns of this script together take too long to translate");
		diag_hint(e->diag, "make repetition counts smaller, or use fewer patterns");
		return;
	}
}

struct ir_val lower_regex(struct lower *l, struct expr *x)
{
	const struct elab_regex *re = x->sym;
	struct ir_val s = lower_expr(l, x->a);
	uint32_t r = lower_temp(l, IR_I64);

	lower_insn(l, l->e->captures ? IR_capture : IR_match, r, &s, 1)->ref =
		ir_regex_add(l->m, re->pattern, l->e->captures, re->tab);
	if (x->op == B_MATCH)
		return ir_reg(r);
	return lower_op2(l, IR_eq, ir_reg(r), ir_num(0), x->op_at);
}
