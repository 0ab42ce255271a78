/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macros and conditionals are refused as a whole: one error each, and a broken token in their place, which
 * makes the parser give up the item they stand in without a further message.
 */
#include "preproc.h"

void preproc_init(struct preproc *pp, struct parse_env *env, struct source *src)
{
	lex_init(&pp->lex, env, src);
	pp->define = strtab_intern(env->names, "@define");
}

void preproc_fini(struct preproc *pp)
{
	lex_fini(&pp->lex);
}

/* Past the %) that matches the %( in @open. */
static void skip_group(struct preproc *pp, const struct token *open)
{
	unsigned int depth = 1;
	struct token t;

	while (depth) {
		lex_next(&pp->lex, &t);
		if (t.kind == OP_PP_OPEN)
			depth++;
		else if (t.kind == OP_PP_CLOSE)
			depth--;
		else if (t.kind == TK_EOF)
			break;
	}
	if (depth && pp->lex.budget > 0) {
		diag_error(pp->lex.env->diag, TAG_UNBALANCED, t.at,
			   "expected '%%)' before the end of the script");
		diag_note(pp->lex.env->diag, open->at, "this '%%(' is still open");
		lex_count_error(&pp->lex);
	}
}

static void refuse(struct preproc *pp, const struct token *t, const char *what)
{
	diag_error(pp->lex.env->diag, TAG_UNSUPPORTED, t->at, "%s are not supported yet", what);
	diag_hint(pp->lex.env->diag, "write out the text that is meant");
	lex_count_error(&pp->lex);
}

/* @define NAME %( body %) or @define NAME(a, b) %( body %): to the end of the body. */
static void skip_define(struct preproc *pp)
{
	struct token t;

	do
		lex_next(&pp->lex, &t);
	while (t.kind == TK_IDENT || t.kind == OP_LPAREN || t.kind == OP_COMMA ||
	       t.kind == OP_RPAREN);
	if (t.kind == OP_PP_OPEN)
		skip_group(pp, &t);
}

void preproc_next(struct preproc *pp, struct token *t)
{
	lex_next(&pp->lex, t);
	if (t->kind == OP_PP_OPEN) {
		refuse(pp, t, "preprocessor conditionals %( %)");
		skip_group(pp, t);
		t->kind = TK_JUNK;
	} else if (t->kind == TK_IDENT && t->name == pp->define) {
		refuse(pp, t, "macro definitions");
		skip_define(pp);
		t->kind = TK_JUNK;
	}
}
