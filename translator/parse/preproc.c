/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where tokens come from: the file, and on top of it the expansions that are being read. */
#include "preproc.h"

#include <string.h>

void preproc_init(struct preproc *pp, struct parse_env *env, struct source *src)
{
	memset(pp, 0, sizeof(*pp));
	lex_init(&pp->lex, env, src);
	pp->env = env;
	pp->define = strtab_intern(env->names, "@define");
}

void preproc_fini(struct preproc *pp)
{
	lex_fini(&pp->lex);
}

void preproc_fail(struct preproc *pp, struct token *t)
{
	lex_count_error(&pp->lex);
	t->kind = TK_JUNK;
}

void preproc_push(struct preproc *pp, struct pp_slice slice)
{
	struct pp_frame *f = pp->spare;

	if (f)
		pp->spare = f->below;
	else
		f = arena_new(pp->env->arena, struct pp_frame);
	f->slice = slice;
	f->pos = 0;
	f->below = pp->frames;
	pp->frames = f;
}

static void pop_frame(struct preproc *pp)
{
	struct pp_frame *f = pp->frames;

	pp->frames = f->below;
	f->below = pp->spare;
	pp->spare = f;
}

/* Past the limit one error ends the file. */
static void count_expanded(struct preproc *pp, struct token *t)
{
	if (++pp->expanded <= MACRO_MAX_TOKENS)
		return;
	diag_error(pp->env->diag, TAG_LIMIT, t->at, "the macros of %s expand to more than %d tokens",
		   pp->lex.src->name, MACRO_MAX_TOKENS);
	diag_hint(pp->env->diag, "does a macro use another one several times, and so on?");
	preproc_fail(pp, t);
	pp->lex.budget = 0;
}

void preproc_raw(struct preproc *pp, struct token *t)
{
	const struct pp_scope *scope;

	/* as the lexer, expansions have nothing more to give when the errors are too many */
	while (pp->frames && (pp->frames->pos == pp->frames->slice.n || pp->lex.budget <= 0))
		pop_frame(pp);
	if (!pp->frames) {
		if (pp->held_back)
			*t = pp->held;
		else
			lex_next(&pp->lex, t);
		pp->held_back = false;
		return;
	}
	scope = pp->frames->slice.scope;
	*t = pp->frames->slice.v[pp->frames->pos++];
	if (scope)
		t->at.src = scope->seen;
	count_expanded(pp, t);
}
