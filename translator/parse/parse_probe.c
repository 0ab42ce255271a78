/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes and aliases. Brace groups are expanded here, in cartesian order, so that nothing later knows of them. */
#include <string.h>

#include "parser.h"

#define MOST_POINTS 10000u /* of one probe, after expansion */
#define MOST_COMPONENTS 64u

typedef VEC(struct probe_point *) point_vec;

/* ---- components ---- */

/* A word, a '*' or a number that belongs to the name of a component. */
static bool name_part(const struct token *t)
{
	return token_is_word(t) || t->kind == OP_MUL || t->kind == TK_NUMBER;
}

static const char *part_text(struct parser *p, const struct token *t)
{
	if (t->kind == OP_MUL)
		return "*";
	return t->kind == TK_NUMBER ? t->name : parser_word(p, t);
}

/* "vfs*read" is several tokens without space between them. */
static void parse_component_name(struct parser *p, struct pp_component *c)
{
	struct token t;
	struct buf b;

	if (!name_part(parser_tok(p)) || parser_at(p, TK_NUMBER))
		parser_fail(p, "the name of a probe point");
	t = parser_take(p);
	c->at = t.at;
	c->name = part_text(p, &t);
	if (!name_part(parser_tok(p)) || parser_tok(p)->space) {
		c->name = strtab_intern(p->env->names, c->name);
		return;
	}
	buf_init(&b);
	buf_puts(&b, c->name);
	while (name_part(parser_tok(p)) && !parser_tok(p)->space) {
		struct token more = parser_take(p);

		buf_puts(&b, part_text(p, &more));
		c->at = span_join(c->at, more.at);
	}
	c->name = strtab_intern_n(p->env->names, b.p, b.len);
	buf_fini(&b);
}

static struct pp_component parse_component(struct parser *p)
{
	struct pp_component c = { .arg = PP_NOARG };
	struct bracket b;
	struct expr *lit;

	parse_component_name(p, &c);
	if (!parser_at(p, OP_LPAREN))
		return c;
	parser_open(p, &b, OP_LPAREN, "");
	lit = parser_literal(p, "a literal number or string");
	parser_close(p, &b);
	c.arg = lit->kind == E_STRING ? PP_STR : PP_NUM;
	c.arg_at = lit->at;
	c.num = lit->num;
	c.str = lit->str;
	if (p->env->program_dir && c.arg == PP_STR && c.str[0] != '/' &&
	    (!strcmp(c.name, "process") || !strcmp(c.name, "library")))
		c.str = arena_printf(p->env->arena, "%s/%s", p->env->program_dir, c.str);
	c.at = span_join(c.at, p->last);
	return c;
}

/* ---- points ---- */

static struct probe_point *copy_point(struct parser *p, const struct probe_point *from)
{
	struct probe_point *pt = arena_new(p->env->arena, struct probe_point);
	uint32_t i;

	pt->at = from->at;
	for (i = 0; i < from->comps.n; i++)
		vec_push(p->env->arena, &pt->comps, from->comps.v[i]);
	return pt;
}

static void append_component(struct parser *p, struct probe_point *pt, const struct pp_component *c)
{
	if (pt->comps.n >= MOST_COMPONENTS) {
		parser_error(p, TAG_LIMIT, c->at, "a probe point of more than %u components",
			     MOST_COMPONENTS);
		parser_panic(p);
	}
	vec_push(p->env->arena, &pt->comps, *c);
}

static void check_final(struct parser *p, const struct probe_point *pt)
{
	if (!pt->optional)
		return;
	parser_error(p, TAG_PARSE, pt->at, "'?' and '!' stand behind the last component only");
	parser_panic(p);
}

static void parse_sequence(struct parser *p, point_vec *out);

/* {a, b.c}: the alternatives, each a sequence of its own. */
static void parse_group(struct parser *p, point_vec *out)
{
	struct bracket b;

	parser_enter(p);
	parser_open(p, &b, OP_LBRACE, "");
	do {
		point_vec one = { 0 };
		uint32_t i;

		parse_sequence(p, &one);
		for (i = 0; i < one.n; i++)
			vec_push(p->env->arena, out, one.v[i]);
		if (out->n > MOST_POINTS)
			break;
	} while (parser_accept(p, OP_COMMA));
	parser_close(p, &b);
	parser_leave(p);
}

/* Every point of @points continued by every one of @ends. */
static void multiply(struct parser *p, point_vec *points, const point_vec *ends)
{
	point_vec all = { 0 };
	uint32_t i, j, k;

	if ((uint64_t)points->n * ends->n > MOST_POINTS) {
		parser_error(p, TAG_LIMIT, p->last, "these groups make more than %u probe points",
			     MOST_POINTS);
		diag_hint(p->env->diag, "use a wildcard, or several probes");
		parser_panic(p);
	}
	for (i = 0; i < points->n; i++) {
		check_final(p, points->v[i]);
		for (j = 0; j < ends->n; j++) {
			struct probe_point *pt = copy_point(p, points->v[i]);
			const struct probe_point *end = ends->v[j];

			for (k = 0; k < end->comps.n; k++)
				append_component(p, pt, &end->comps.v[k]);
			pt->optional = end->optional;
			pt->sufficient = end->sufficient;
			pt->at = span_join(pt->at, end->at);
			vec_push(p->env->arena, &all, pt);
		}
	}
	*points = all;
}

/* Components and groups with dots between them, then '?' or '!': one point, or several when groups are in it. */
static void parse_sequence(struct parser *p, point_vec *out)
{
	struct probe_point *start = arena_new(p->env->arena, struct probe_point);
	struct token t;
	uint32_t i;

	start->at = parser_tok(p)->at;
	vec_push(p->env->arena, out, start);
	do {
		if (parser_at(p, OP_LBRACE)) {
			point_vec ends = { 0 };

			parse_group(p, &ends);
			multiply(p, out, &ends);
		} else {
			struct pp_component c = parse_component(p);

			for (i = 0; i < out->n; i++) {
				check_final(p, out->v[i]);
				append_component(p, out->v[i], &c);
				out->v[i]->at = span_join(out->v[i]->at, c.at);
			}
		}
	} while (parser_accept(p, OP_DOT));
	if (!parser_at(p, OP_QUESTION) && !parser_at(p, OP_NOT))
		return;
	t = parser_take(p);
	for (i = 0; i < out->n; i++) {
		out->v[i]->optional = true;
		out->v[i]->sufficient |= t.kind == OP_NOT;
	}
}

/* One item of a comma list: a sequence and its condition. */
static void parse_points(struct parser *p, point_vec *out)
{
	point_vec some = { 0 };
	struct expr *cond = NULL;
	struct bracket b;
	uint32_t i;

	parse_sequence(p, &some);
	if (parser_accept(p, KW_IF)) {
		parser_open(p, &b, OP_LPAREN, "after 'if'");
		cond = parse_expr(p);
		parser_close(p, &b);
	}
	for (i = 0; i < some.n; i++) {
		some.v[i]->cond = cond;
		vec_push(p->env->arena, out, some.v[i]);
	}
	if (out->n > MOST_POINTS) {
		parser_error(p, TAG_LIMIT, p->last, "more than %u probe points in one probe",
			     MOST_POINTS);
		parser_panic(p);
	}
}

static void parse_point_list(struct parser *p, point_vec *out)
{
	while (parser_accept(p, OP_COMMA))
		parse_points(p, out);
}

/* ---- probes and aliases ---- */

/* The name an alias is given: words with dots, nothing else. */
static void check_alias_name(struct parser *p, const struct probe_point *pt)
{
	uint32_t i;

	if (pt->optional || pt->cond)
		parser_error(p, TAG_PARSE, pt->at,
			     "the name of an alias has no '?', '!' or condition");
	for (i = 0; i < pt->comps.n; i++) {
		const struct pp_component *c = &pt->comps.v[i];

		if (c->arg != PP_NOARG || strchr(c->name, '*')) {
			parser_error(p, TAG_PARSE, c->at,
				     "the name of an alias has neither arguments nor '*'");
			return;
		}
	}
}

/* name = name = points, name += points. True for "+=". */
static bool parse_alias_head(struct parser *p, struct ast_probe *a, point_vec *points)
{
	bool epilogue = false;

	while (!epilogue && (parser_at(p, OP_ASSIGN) || parser_at(p, OP_ADD_ASSIGN))) {
		if (points->n != 1)
			parser_fail(p, "'{' or ','");
		check_alias_name(p, points->v[0]);
		vec_push(p->env->arena, &a->alias_names, points->v[0]);
		epilogue = parser_take(p).kind == OP_ADD_ASSIGN;
		*points = (point_vec){ 0 };
		parse_points(p, points);
	}
	return epilogue;
}

static struct stmt *parse_body(struct parser *p)
{
	if (!parser_at(p, OP_LBRACE))
		parser_fail(p, "',' or the probe's body in '{' '}'");
	return parse_block(p);
}

void parse_probe(struct parser *p, bool is_private, struct span first)
{
	struct ast_probe *a = arena_new(p->env->arena, struct ast_probe);
	point_vec points = { 0 };
	bool epilogue;

	parser_take(p);
	a->is_private = is_private;
	parse_points(p, &points);
	epilogue = parse_alias_head(p, a, &points);
	parse_point_list(p, &points);
	a->points.v = points.v;
	a->points.n = points.n;
	a->points.cap = points.cap;
	if (epilogue)
		a->epilogue = parse_body(p);
	else
		a->body = parse_body(p);
	if (a->alias_names.n && !epilogue && parser_accept(p, OP_COMMA))
		a->epilogue = parse_body(p);
	a->at = span_join(first, p->last);
	if (is_private && !a->alias_names.n)
		parser_error(p, TAG_PARSE, first,
			     "only aliases, globals and functions can be private");
	if (a->alias_names.n)
		vec_push(p->env->arena, &p->file->aliases, a);
	else
		vec_push(p->env->arena, &p->file->probes, a);
}
