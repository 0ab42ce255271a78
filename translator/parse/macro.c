/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macros: @define NAME %( body %), @define NAME(a, b) %( body %), and their use. An argument is a closure: its
 * tokens mean what they mean where they are written. Only what has parameters takes a '(' behind its name.
 */
#include <string.h>

#include "parser.h"

const char *macro_name(const struct pp_macro *m)
{
	return m->name;
}

struct span macro_place(const struct pp_macro *m)
{
	return m->at;
}

static struct pp_macro **bucket_of(struct preproc *pp, const char *name)
{
	return &pp->macros[((uintptr_t)name >> 3) % MACRO_BUCKETS];
}

static struct pp_macro *find_own(struct preproc *pp, const char *name)
{
	struct pp_macro *m = *bucket_of(pp, name);

	while (m && m->name != name)
		m = m->next;
	return m;
}

void macro_near(const struct preproc *pp, struct near_match *near)
{
	uint32_t i;

	for (i = 0; i < pp->defined.n; i++)
		near_try(near, pp->defined.v[i]->name);
}

/* ---- definitions ---- */

static bool of_head(enum token_kind k)
{
	return k == TK_IDENT || k == TK_NUMBER || k == TK_STRING || k == OP_LPAREN ||
	       k == OP_COMMA || k == OP_RPAREN;
}

/* From the broken token @t of a definition's head to behind its text, so that one mistake is one message. */
static void skip_definition(struct preproc *pp, struct token *t, enum token_kind broken)
{
	enum token_kind k = broken;
	unsigned int depth = 0;
	struct token next = *t;

	pp->lex.skipping = true;
	while (of_head(k)) {
		preproc_raw(pp, &next);
		k = next.kind;
	}
	if (k != OP_PP_OPEN && k != broken) {
		pp->held = next;
		pp->held_back = true;
	}
	while (k == OP_PP_OPEN || (depth && k != TK_EOF)) {
		depth += k == OP_PP_OPEN;
		preproc_raw(pp, &next);
		k = next.kind;
		if (k == OP_PP_CLOSE && --depth == 0)
			break;
	}
	pp->lex.skipping = false;
}

/* After the report of a definition that does not begin as one. */
static void fail_head(struct preproc *pp, struct token *t)
{
	enum token_kind broken = t->kind;

	preproc_fail(pp, t);
	skip_definition(pp, t, broken);
}

/* A word, as the "@word" that its uses are written as. NULL after an error. */
static const char *take_word(struct preproc *pp, struct token *t, const char *what)
{
	preproc_raw(pp, t);
	if (token_is_word(t))
		return strtab_intern(pp->env->names,
				     arena_printf(pp->env->arena, "@%s",
						  t->kind == TK_IDENT ? t->name
								      : token_kind_text(t->kind)));
	if (t->kind != TK_JUNK) {
		diag_error(pp->env->diag, TAG_MACRO, t->at, "expected %s", what);
		diag_hint(pp->env->diag,
			  "a definition is @define NAME %%( TEXT %%) or @define NAME(A, B) %%( TEXT %%)");
		fail_head(pp, t);
	}
	return NULL;
}

static bool add_param(struct preproc *pp, struct pp_macro *m, const char *name, struct token *t)
{
	uint32_t i;

	for (i = 0; i < m->params.n; i++) {
		if (m->params.v[i] != name)
			continue;
		diag_error(pp->env->diag, TAG_DUPLICATE, t->at, "%s has two parameters called %s",
			   m->name, name + 1);
		fail_head(pp, t);
		return false;
	}
	vec_push(pp->env->arena, &m->params, name);
	return true;
}

/* Behind the '(': names with commas between them, then ')'. */
static bool take_params(struct preproc *pp, struct pp_macro *m, struct token *t)
{
	const char *name;

	m->called = true;
	preproc_raw(pp, t);
	if (t->kind == OP_RPAREN)
		return true;
	pp->held = *t;
	pp->held_back = true;
	do {
		name = take_word(pp, t, "the name of a parameter");
		if (!name || !add_param(pp, m, name, t))
			return false;
		preproc_raw(pp, t);
	} while (t->kind == OP_COMMA);
	if (t->kind == OP_RPAREN)
		return true;
	diag_error(pp->env->diag, TAG_MACRO, t->at,
		   "expected ',' or ')' in the parameters of a macro");
	fail_head(pp, t);
	return false;
}

static bool unclosed(struct preproc *pp, struct token *t, struct span open, const char *what)
{
	diag_error(pp->env->diag, TAG_UNBALANCED, open, "%s", what);
	lex_count_error(&pp->lex);
	t->kind = TK_EOF;
	return false;
}

/* From behind %( to the %) that matches it. */
static bool take_body(struct preproc *pp, struct pp_macro *m, struct token *t)
{
	struct span open = t->at;
	unsigned int depth = 1;

	for (;;) {
		preproc_raw(pp, t);
		if (t->kind == TK_EOF)
			return unclosed(pp, t, open, "this macro's text is never closed with '%)'");
		if (t->kind == TK_IDENT && t->name == pp->define) {
			diag_error(pp->env->diag, TAG_MACRO, t->at,
				   "a macro cannot define another one");
			diag_hint(pp->env->diag, "close the first one with %%) before this");
			preproc_fail(pp, t);
		}
		if (t->kind == OP_PP_OPEN)
			depth++;
		else if (t->kind == OP_PP_CLOSE && --depth == 0)
			return true;
		vec_push(pp->env->arena, &m->body, *t);
	}
}

static bool is_new(struct preproc *pp, const struct pp_macro *m)
{
	const struct pp_macro *first = find_own(pp, m->name);

	if (!first) {
		if (parse_is_operator(pp->env, m->name))
			diag_warning(pp->env->diag, TAG_SHADOW, m->at,
				     "this macro takes the place of the operator %s", m->name);
		return true;
	}
	diag_error(pp->env->diag, TAG_DUPLICATE, m->at, "the macro %s is defined twice", m->name);
	diag_note(pp->env->diag, first->at, "the first definition");
	lex_count_error(&pp->lex);
	return false;
}

/* The rest of a definition. False after an error; @t is then what the parser stumbles on. */
static bool take_definition(struct preproc *pp, struct token *t)
{
	struct pp_macro *m = arena_new(pp->env->arena, struct pp_macro);

	m->name = take_word(pp, t, "the name of the macro");
	if (!m->name)
		return false;
	m->at = t->at;
	m->library = pp->lex.src->library;
	preproc_raw(pp, t);
	if (t->kind == OP_LPAREN) {
		if (!take_params(pp, m, t))
			return false;
		preproc_raw(pp, t);
	}
	if (t->kind != OP_PP_OPEN) {
		if (t->kind == TK_JUNK)
			return false;
		diag_error(pp->env->diag, TAG_MACRO, t->at, "expected '%%(' before the text of %s",
			   m->name);
		fail_head(pp, t);
		return false;
	}
	if (!take_body(pp, m, t))
		return false;
	if (is_new(pp, m)) {
		m->next = *bucket_of(pp, m->name);
		*bucket_of(pp, m->name) = m;
		vec_push(pp->env->arena, &pp->defined, m);
	}
	return true;
}

/* ---- uses ---- */

/* A parameter of the macro whose text is being read. */
static bool expand_param(struct preproc *pp, const struct pp_scope *scope, const struct token *t)
{
	uint32_t i;

	for (i = 0; i < scope->macro->params.n; i++) {
		if (scope->macro->params.v[i] != t->name)
			continue;
		preproc_push(pp, scope->args[i]);
		return true;
	}
	return false;
}

static const struct pp_macro *find_macro(struct preproc *pp, const struct pp_scope *scope,
					 const char *name)
{
	const struct parse_env *env = pp->env;
	const struct pp_macro *m = NULL;

	if (!scope || !scope->macro->library)
		m = find_own(pp, name);
	if (m || !env->find_macro || parse_is_operator(env, name))
		return m;
	return env->find_macro(env->macro_arg, name);
}

/* A macro within its own text would never end. */
static bool may_expand(struct preproc *pp, const struct pp_macro *m, const struct pp_scope *outer,
		       struct token *t)
{
	const struct pp_scope *s = outer;

	while (s && s->macro != m)
		s = s->outer;
	if (s) {
		diag_error(pp->env->diag, TAG_MACRO, t->at, "the macro %s uses itself", m->name);
		preproc_fail(pp, t);
		return false;
	}
	if (outer && outer->depth >= MACRO_MAX_DEPTH) {
		diag_error(pp->env->diag, TAG_LIMIT, t->at,
			   "macros that use macros to more than %d levels", MACRO_MAX_DEPTH);
		preproc_fail(pp, t);
		return false;
	}
	return true;
}

/* Where arguments are read from: the tokens of a frame as they lie, or the file's, collected. */
struct arg_reader {
	struct pp_frame *frame; /* NULL: the file */
	VEC(struct token) own;
	VEC(uint32_t) starts; /* of each argument; the last is behind the end */
};

static bool next_of_list(struct preproc *pp, struct arg_reader *r, struct token *t)
{
	if (!r->frame) {
		preproc_raw(pp, t);
		vec_push(pp->env->arena, &r->own, *t);
		return t->kind != TK_EOF;
	}
	if (r->frame->pos == r->frame->slice.n)
		return false;
	preproc_raw(pp, t);
	return pp->frames == r->frame;
}

static uint32_t place_of(const struct arg_reader *r)
{
	return r->frame ? r->frame->pos : r->own.n;
}

/* From behind the '(' to the ')' that closes it; notes where each argument begins. */
static bool read_list(struct preproc *pp, struct arg_reader *r)
{
	unsigned int depth = 0;
	struct token t;

	vec_push(pp->env->arena, &r->starts, place_of(r));
	while (next_of_list(pp, r, &t)) {
		switch (t.kind) {
		case OP_LPAREN:
		case OP_LBRACKET:
		case OP_PP_OPEN:
			depth++;
			break;
		case OP_RPAREN:
			if (!depth) {
				vec_push(pp->env->arena, &r->starts, place_of(r));
				return true;
			}
			depth--;
			break;
		case OP_RBRACKET:
		case OP_PP_CLOSE:
			if (!depth)
				return false;
			depth--;
			break;
		case OP_COMMA:
			if (!depth)
				vec_push(pp->env->arena, &r->starts, place_of(r));
			break;
		default:
			break;
		}
	}
	return false;
}

static struct pp_slice *make_slices(struct preproc *pp, const struct arg_reader *r,
				    const struct pp_scope *outer)
{
	const struct token *base = r->frame ? r->frame->slice.v : r->own.v;
	uint32_t n = r->starts.n - 1, i;
	struct pp_slice *args = arena_alloc(pp->env->arena, n * sizeof(*args));

	for (i = 0; i < n; i++) {
		args[i].v = base + r->starts.v[i];
		args[i].n = r->starts.v[i + 1] - 1 - r->starts.v[i];
		args[i].scope = outer;
	}
	return args;
}

/* Whether '(' is next, taking it. */
static bool take_open(struct preproc *pp, struct pp_frame *frame, struct token *open)
{
	if (frame && frame->pos == frame->slice.n)
		return false;
	preproc_raw(pp, open);
	if (open->kind == OP_LPAREN)
		return true;
	if (frame) {
		frame->pos--;
	} else {
		pp->held = *open;
		pp->held_back = true;
	}
	return false;
}

static bool list_fails(struct preproc *pp, struct token *t, enum diag_tag tag,
		       const struct pp_macro *m, const char *text)
{
	if (pp->lex.budget > 0) {
		diag_error(pp->env->diag, tag, t->at, "%s", text);
		diag_note(pp->env->diag, m->at, "%s is defined here", m->name);
		lex_count_error(&pp->lex);
	}
	t->kind = TK_JUNK;
	return false;
}

/* The arguments of the use @t of @m. False after an error. */
static bool take_arguments(struct preproc *pp, const struct pp_macro *m,
			   const struct pp_scope *outer, struct token *t,
			   const struct pp_slice **args)
{
	struct arg_reader r = { .frame = pp->frames };
	struct arena *a = pp->env->arena;
	uint32_t want = m->params.n, have;
	struct pp_slice *list;
	struct token open;

	if (!take_open(pp, r.frame, &open))
		return list_fails(pp, t, TAG_ARITY, m,
				  arena_printf(a, "%s takes %u argument%s in '(' ')'", m->name,
					       want, want == 1 ? "" : "s"));
	if (!read_list(pp, &r))
		return list_fails(pp, t, TAG_UNBALANCED, m,
				  arena_printf(a, "the arguments of %s are never closed with ')'",
					       m->name));
	list = make_slices(pp, &r, outer);
	have = r.starts.n - 1;
	if (want == 0 && have == 1 && list[0].n == 0)
		have = 0;
	if (have != want)
		return list_fails(pp, t, TAG_ARITY, m,
				  arena_printf(a, "%s takes %u argument%s, not %u", m->name, want,
					       want == 1 ? "" : "s", have));
	*args = list;
	return true;
}

/* True when @t was a use and something else is to be read now. */
static bool expand(struct preproc *pp, struct token *t)
{
	const struct pp_scope *outer = pp->frames ? pp->frames->slice.scope : NULL;
	const struct pp_slice *args = NULL;
	const struct pp_macro *m;
	struct pp_scope *scope;

	if (outer && expand_param(pp, outer, t))
		return true;
	m = find_macro(pp, outer, t->name);
	if (!m || !may_expand(pp, m, outer, t))
		return false;
	if (m->called && !take_arguments(pp, m, outer, t, &args))
		return false;
	if (!m->body.n)
		return true;
	scope = arena_new(pp->env->arena, struct pp_scope);
	scope->macro = m;
	scope->outer = outer;
	scope->args = args;
	scope->depth = outer ? outer->depth + 1 : 1;
	scope->seen = source_expand(pp->env->arena, m->at.src, m->name, t->at);
	preproc_push(pp, (struct pp_slice){ m->body.v, m->body.n, scope });
	return true;
}

void macro_next(struct preproc *pp, struct token *t)
{
	for (;;) {
		preproc_raw(pp, t);
		if (t->kind != TK_IDENT || t->name[0] != '@')
			return;
		if (t->name != pp->define) {
			if (!expand(pp, t))
				return;
			continue;
		}
		if (pp->frames) {
			diag_error(pp->env->diag, TAG_MACRO, t->at,
				   "a definition cannot stand in a macro's argument");
			preproc_fail(pp, t);
			return;
		}
		pp->seen++;
		if (!take_definition(pp, t))
			return;
	}
}

const struct pp_macro *macro_number(struct parse_env *env, const char *name, int64_t value)
{
	const char *text = arena_printf(env->arena, "%lld", (long long)value);
	struct pp_macro *m = arena_new(env->arena, struct pp_macro);
	struct token t = { .kind = TK_NUMBER, .num = value, .num_ok = true };

	m->name = strtab_intern(env->names, name);
	m->library = true;
	m->at.src = source_new(env->arena, "<builtin>", text, strlen(text));
	m->at.len = m->at.src->len;
	t.name = strtab_intern(env->names, text);
	t.at = m->at;
	vec_push(env->arena, &m->body, t);
	return m;
}

void parse_macros(struct parse_env *env, struct source *src, macro_vec *macros)
{
	struct preproc pp;
	struct token t;
	uint32_t i;

	preproc_init(&pp, env, src);
	do {
		preproc_next(&pp, &t);
		if (t.kind == TK_EOF || t.kind == TK_JUNK)
			continue;
		diag_error(env->diag, TAG_MACRO, t.at, "a macro library holds only definitions");
		diag_hint(env->diag, "move the rest into a file whose name ends in .stp");
		break;
	} while (t.kind != TK_EOF);
	for (i = 0; i < pp.defined.n; i++)
		vec_push(env->arena, macros, pp.defined.v[i]);
	preproc_fini(&pp);
}
