/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditionals: %( CONDITION %? these tokens %: or these %). What is dropped is lexed and nothing more. */
#include "preproc.h"

/* What a misplaced mark is told. */
static void stray(struct preproc *pp, struct token *t)
{
	diag_error(pp->env->diag, TAG_UNBALANCED, t->at, "'%s' without a '%%(' before it",
		   token_kind_text(t->kind));
	diag_hint(pp->env->diag, "a conditional is %%( CONDITION %%? TEXT %%: TEXT %%)");
	preproc_fail(pp, t);
}

static void never_closed(struct preproc *pp, const struct token *open)
{
	if (pp->lex.budget <= 0)
		return;
	diag_error(pp->env->diag, TAG_UNBALANCED, open->at,
		   "this conditional is never closed with '%%)'");
	lex_count_error(&pp->lex);
}

enum skip_end { SKIP_CLOSE, SKIP_ELSE, SKIP_EOF };

/* Past the arm that is not wanted. Nothing in it counts: no macro, no argument, no broken token. */
static enum skip_end skip_arm(struct preproc *pp, const struct token *open)
{
	unsigned int depth = 0;
	struct token t;

	pp->lex.skipping = true;
	for (;;) {
		preproc_raw(pp, &t);
		if (t.kind == OP_PP_OPEN)
			depth++;
		else if (t.kind == TK_EOF || (t.kind == OP_PP_CLOSE && !depth--) ||
			 (t.kind == OP_PP_ELSE && !depth))
			break;
	}
	pp->lex.skipping = false;
	if (t.kind == OP_PP_CLOSE)
		return SKIP_CLOSE;
	if (t.kind == OP_PP_ELSE)
		return SKIP_ELSE;
	never_closed(pp, open);
	return SKIP_EOF;
}

static void enter(struct preproc *pp, const struct token *open, bool otherwise)
{
	struct pp_cond *c = arena_new(pp->env->arena, struct pp_cond);

	c->open = *open;
	c->otherwise = otherwise;
	c->outer = pp->conds;
	pp->conds = c;
}

/* False when @t is what the parser is to stumble on: the condition is wrong, and both arms are dropped. */
static bool open_cond(struct preproc *pp, struct token *t)
{
	struct token open = *t;
	bool holds;

	if (!cond_evaluate(pp, &holds)) {
		while (skip_arm(pp, &open) == SKIP_ELSE)
			continue;
		t->kind = TK_JUNK;
		return false;
	}
	if (holds)
		enter(pp, &open, false);
	else if (skip_arm(pp, &open) == SKIP_ELSE)
		enter(pp, &open, true);
	return true;
}

static bool else_cond(struct preproc *pp, struct token *t)
{
	struct pp_cond *c = pp->conds;

	if (!c) {
		stray(pp, t);
		return false;
	}
	if (c->otherwise) {
		diag_error(pp->env->diag, TAG_UNBALANCED, t->at, "a second '%%:' in one conditional");
		diag_note(pp->env->diag, c->open.at, "the conditional begins here");
		preproc_fail(pp, t);
		return false;
	}
	pp->conds = c->outer;
	while (skip_arm(pp, &c->open) == SKIP_ELSE) {
		diag_error(pp->env->diag, TAG_UNBALANCED, c->open.at,
			   "this conditional has more than one '%%:'");
		lex_count_error(&pp->lex);
	}
	return true;
}

/* The end of the file closes nothing. */
static void check_closed(struct preproc *pp)
{
	if (pp->conds)
		never_closed(pp, &pp->conds->open);
	pp->conds = NULL;
}

void preproc_next(struct preproc *pp, struct token *t)
{
	for (;;) {
		macro_next(pp, t);
		switch (t->kind) {
		case OP_PP_OPEN:
			pp->seen++;
			if (open_cond(pp, t))
				continue;
			return;
		case OP_PP_ELSE:
			if (else_cond(pp, t))
				continue;
			return;
		case OP_PP_CLOSE:
			if (pp->conds) {
				pp->conds = pp->conds->outer;
				continue;
			}
			stray(pp, t);
			return;
		case OP_PP_THEN:
			stray(pp, t);
			return;
		case TK_BADARG:
			lex_report_argument(&pp->lex, t);
			return;
		case TK_EOF:
			check_closed(pp);
			return;
		default:
			return;
		}
	}
}
