/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree as script text, for -p1. The text parses to an equal tree: operands are always in parentheses,
 * statements always end in what ends them, and groups of probe points are written out.
 */
#include <string.h>

#include "ast.h"
#include "base/buf.h"

/* ---- expressions ---- */

static void print_quoted(struct buf *out, const char *s, size_t n)
{
	buf_putc(out, '"');
	buf_put_escaped(out, s, n);
	buf_putc(out, '"');
}

static void print_paren(struct buf *out, const struct expr *e)
{
	buf_putc(out, '(');
	ast_print_expr(out, e);
	buf_putc(out, ')');
}

static void print_list(struct buf *out, const expr_vec *args)
{
	uint32_t i;

	for (i = 0; i < args->n; i++) {
		if (i)
			buf_puts(out, ", ");
		ast_print_expr(out, args->v[i]);
	}
}

static void print_suffixes(struct buf *out, const struct expr *e)
{
	uint32_t i;

	for (i = 0; i < e->suffixes.n; i++) {
		const struct suffix *s = &e->suffixes.v[i];

		switch (s->kind) {
		case SUF_MEMBER:
			buf_printf(out, "->%s", s->name);
			break;
		case SUF_INDEX:
			buf_putc(out, '[');
			ast_print_expr(out, s->index);
			buf_putc(out, ']');
			break;
		case SUF_PRETTY:
			buf_puts(out, s->depth == 1 ? "$" : "$$");
			break;
		}
	}
}

/* What a suffix can follow without parentheses and still belong to. */
static bool bare_base(const struct expr *base, const struct suffix *first)
{
	return base->kind == E_CALL || base->kind == E_INDEX || base->kind == E_STAT ||
	       (base->kind == E_SYMBOL && first->kind != SUF_INDEX);
}

static void print_suffixed(struct buf *out, const struct expr *e)
{
	if (bare_base(e->a, &e->suffixes.v[0]))
		ast_print_expr(out, e->a);
	else
		print_paren(out, e->a);
	print_suffixes(out, e);
}

static void print_binary(struct buf *out, const struct expr *e, const char *op)
{
	bool regex = e->kind == E_BINARY && (e->op == B_MATCH || e->op == B_NOMATCH);

	print_paren(out, e->a);
	buf_printf(out, " %s ", op);
	if (regex)
		ast_print_expr(out, e->b);
	else
		print_paren(out, e->b);
}

/* Where the grammar takes literals only, a negative number is one. */
static void print_literal(struct buf *out, const struct expr *e)
{
	if (e->kind == E_NUMBER)
		buf_printf(out, "%lld", (long long)e->num);
	else
		ast_print_expr(out, e);
}

static void print_stat(struct buf *out, const struct expr *e)
{
	uint32_t i;

	buf_printf(out, "%s(", stat_op_text((enum stat_op)e->op));
	ast_print_expr(out, e->a);
	for (i = 0; i < e->args.n; i++) {
		buf_puts(out, ", ");
		print_literal(out, e->args.v[i]);
	}
	buf_putc(out, ')');
}

static void print_named(struct buf *out, const struct expr *e, const char *name,
			const char *brackets)
{
	buf_puts(out, name);
	buf_putc(out, brackets[0]);
	print_list(out, &e->args);
	buf_putc(out, brackets[1]);
}

static void print_operator(struct buf *out, const struct expr *e)
{
	switch (e->kind) {
	case E_UNARY:
		buf_puts(out, un_op_text((enum un_op)e->op));
		print_paren(out, e->a);
		break;
	case E_PREINC:
	case E_PREDEC:
		buf_puts(out, e->kind == E_PREINC ? "++" : "--");
		print_paren(out, e->a);
		break;
	case E_POSTINC:
	case E_POSTDEC:
		print_paren(out, e->a);
		buf_puts(out, e->kind == E_POSTINC ? "++" : "--");
		break;
	case E_BINARY:
		print_binary(out, e, bin_op_text((enum bin_op)e->op));
		break;
	case E_ANDAND:
	case E_OROR:
		print_binary(out, e, e->kind == E_ANDAND ? "&&" : "||");
		break;
	case E_COND:
		print_paren(out, e->a);
		buf_puts(out, " ? ");
		print_paren(out, e->b);
		buf_puts(out, " : ");
		print_paren(out, e->c);
		break;
	default: /* E_ASSIGN: "<<<" is spelled whole, the rest is an operator and '=' */
		print_paren(out, e->a);
		buf_printf(out, " %s%s ", bin_op_text((enum bin_op)e->op),
			   e->op == B_NONE || e->op == B_STAT ? "" : "=");
		print_paren(out, e->b);
	}
}

void ast_print_expr(struct buf *out, const struct expr *e)
{
	if (e->address_of)
		buf_putc(out, '&');
	switch (e->kind) {
	case E_NUMBER: /* a negative literal is one only where no operator may stand */
		buf_printf(out, "%llu", (unsigned long long)e->num);
		break;
	case E_STRING:
		print_quoted(out, e->str, e->str_len);
		break;
	case E_SYMBOL:
		buf_puts(out, e->name);
		break;
	case E_STAR:
		buf_putc(out, '*');
		break;
	case E_INDEX:
		print_named(out, e, e->name, "[]");
		break;
	case E_CALL:
	case E_PRINT:
		print_named(out, e, e->name, "()");
		break;
	case E_IN:
		print_named(out, e, "", "[]");
		buf_printf(out, " in %s", e->name);
		break;
	case E_STAT:
		print_stat(out, e);
		break;
	case E_TARGET:
		buf_puts(out, e->name);
		print_suffixes(out, e);
		break;
	case E_ATOP:
		print_named(out, e, e->name, "()");
		print_suffixes(out, e);
		break;
	case E_SUFFIXED:
		print_suffixed(out, e);
		break;
	case E_EMBEDDED:
		buf_puts(out, "%{");
		buf_add(out, e->str, e->str_len);
		buf_puts(out, "%}");
		break;
	default:
		print_operator(out, e);
	}
}

/* ---- statements ---- */

static void indent(struct buf *out, unsigned int level)
{
	while (level--)
		buf_puts(out, "  ");
}

static void print_stmt(struct buf *out, const struct stmt *s, unsigned int level);

/* A branch or loop body: blocks stay at the level of their head. */
static void print_body(struct buf *out, const struct stmt *s, unsigned int level)
{
	print_stmt(out, s, s->kind == ST_BLOCK ? level : level + 1);
}

static const char *sort_mark(const struct stmt *s, int key)
{
	if (!s->sort_dir || s->sort_key != key)
		return "";
	return s->sort_dir > 0 ? "+" : "-";
}

static void print_foreach(struct buf *out, const struct stmt *s, unsigned int level)
{
	uint32_t i;

	buf_puts(out, "foreach (");
	if (s->value)
		buf_printf(out, "%s = ", s->value->name);
	buf_putc(out, '[');
	for (i = 0; i < s->keys.n; i++)
		buf_printf(out, "%s%s%s", i ? ", " : "", s->keys.v[i]->name,
			   sort_mark(s, (int)i + 1));
	buf_puts(out, "] in ");
	ast_print_expr(out, s->array);
	if (s->sort_stat != S_NONE)
		buf_printf(out, " %s", stat_op_text(s->sort_stat));
	buf_puts(out, sort_mark(s, 0));
	if (s->limit) {
		buf_puts(out, " limit ");
		ast_print_expr(out, s->limit);
	}
	buf_puts(out, ")\n");
	print_body(out, s->then, level);
}

static void print_for(struct buf *out, const struct stmt *s, unsigned int level)
{
	buf_puts(out, "for (");
	if (s->init)
		ast_print_expr(out, s->init);
	buf_puts(out, "; ");
	if (s->e)
		ast_print_expr(out, s->e);
	buf_puts(out, "; ");
	if (s->step)
		ast_print_expr(out, s->step);
	buf_puts(out, ")\n");
	print_body(out, s->then, level);
}

static void print_block(struct buf *out, const struct stmt *s, unsigned int level)
{
	uint32_t i;

	buf_puts(out, "{\n");
	for (i = 0; i < s->body.n; i++)
		print_stmt(out, s->body.v[i], level + 1);
	indent(out, level);
	buf_puts(out, "}\n");
}

static void print_if(struct buf *out, const struct stmt *s, unsigned int level)
{
	buf_puts(out, s->kind == ST_IF ? "if " : "while ");
	print_paren(out, s->e);
	buf_putc(out, '\n');
	print_body(out, s->then, level);
	if (!s->otherwise)
		return;
	indent(out, level);
	buf_puts(out, "else\n");
	print_body(out, s->otherwise, level);
}

static void print_try(struct buf *out, const struct stmt *s, unsigned int level)
{
	buf_puts(out, "try\n");
	print_stmt(out, s->then, level);
	indent(out, level);
	buf_puts(out, "catch");
	if (s->catch_var)
		buf_printf(out, " (%s)", s->catch_var->name);
	buf_putc(out, '\n');
	print_stmt(out, s->otherwise, level);
}

static void print_simple(struct buf *out, const char *word, const struct expr *e)
{
	buf_puts(out, word);
	if (e) {
		if (*word)
			buf_putc(out, ' ');
		ast_print_expr(out, e);
	}
	buf_puts(out, ";\n");
}

static void print_stmt(struct buf *out, const struct stmt *s, unsigned int level)
{
	indent(out, level);
	switch (s->kind) {
	case ST_NULL:
		buf_puts(out, ";\n");
		break;
	case ST_BLOCK:
		print_block(out, s, level);
		break;
	case ST_EXPR:
		print_simple(out, "", s->e);
		break;
	case ST_IF:
	case ST_WHILE:
		print_if(out, s, level);
		break;
	case ST_FOR:
		print_for(out, s, level);
		break;
	case ST_FOREACH:
		print_foreach(out, s, level);
		break;
	case ST_RETURN:
		print_simple(out, "return", s->e);
		break;
	case ST_DELETE:
		print_simple(out, "delete", s->e);
		break;
	case ST_BREAK:
		print_simple(out, "break", NULL);
		break;
	case ST_CONTINUE:
		print_simple(out, "continue", NULL);
		break;
	case ST_NEXT:
		print_simple(out, "next", NULL);
		break;
	case ST_TRY:
		print_try(out, s, level);
		break;
	}
}

/* ---- declarations ---- */

void ast_print_point(struct buf *out, const struct probe_point *pp)
{
	uint32_t i;

	for (i = 0; i < pp->comps.n; i++) {
		const struct pp_component *c = &pp->comps.v[i];

		buf_printf(out, "%s%s", i ? "." : "", c->name);
		if (c->arg == PP_NUM)
			buf_printf(out, "(%lld)", (long long)c->num);
		if (c->arg == PP_STR) {
			buf_putc(out, '(');
			print_quoted(out, c->str, strlen(c->str));
			buf_putc(out, ')');
		}
	}
	if (pp->sufficient)
		buf_putc(out, '!');
	else if (pp->optional)
		buf_putc(out, '?');
}

static void print_global(struct buf *out, const struct ast_global *g)
{
	buf_printf(out, "%sglobal %s%s", g->is_private ? "private " : "", g->name,
		   g->wrap ? "%" : "");
	if (g->size)
		buf_printf(out, "[%lld]", (long long)g->size);
	if (g->init) {
		buf_puts(out, " = ");
		print_literal(out, g->init);
	}
	buf_putc(out, '\n');
}

static void print_probe(struct buf *out, const struct ast_probe *p)
{
	bool plus = p->alias_names.n && !p->body;
	uint32_t i;

	buf_puts(out, p->is_private ? "private probe " : "probe ");
	for (i = 0; i < p->alias_names.n; i++) {
		ast_print_point(out, p->alias_names.v[i]);
		buf_puts(out, plus && i + 1 == p->alias_names.n ? " += " : " = ");
	}
	for (i = 0; i < p->points.n; i++) {
		if (i)
			buf_puts(out, ", ");
		ast_print_point(out, p->points.v[i]);
		if (p->points.v[i]->cond) {
			buf_puts(out, " if ");
			print_paren(out, p->points.v[i]->cond);
		}
	}
	buf_putc(out, '\n');
	if (p->body)
		print_stmt(out, p->body, 0);
	if (p->body && p->epilogue)
		buf_puts(out, ",\n");
	if (p->epilogue)
		print_stmt(out, p->epilogue, 0);
}

static void print_type(struct buf *out, enum script_type t)
{
	if (t != T_UNKNOWN)
		buf_printf(out, ":%s", script_type_text(t));
}

static void print_function(struct buf *out, const struct ast_function *f)
{
	uint32_t i;

	buf_printf(out, "%sfunction %s", f->is_private ? "private " : "", f->name);
	print_type(out, f->ret_type);
	buf_puts(out, " (");
	for (i = 0; i < f->params.n; i++) {
		buf_printf(out, "%s%s", i ? ", " : "", f->params.v[i].name);
		print_type(out, f->params.v[i].type);
	}
	buf_putc(out, ')');
	if (f->priority >= 0)
		buf_printf(out, " :%lld", (long long)f->priority);
	buf_putc(out, '\n');
	if (f->body)
		print_stmt(out, f->body, 0);
	else
		buf_printf(out, "%%{%s%%}\n", f->embedded);
}

void ast_print_file(struct buf *out, const struct ast_file *f)
{
	uint32_t i;

	buf_printf(out, "# file %s\n", f->src->name);
	for (i = 0; i < f->embeds.n; i++) {
		ast_print_expr(out, f->embeds.v[i]);
		buf_putc(out, '\n');
	}
	for (i = 0; i < f->globals.n; i++)
		print_global(out, f->globals.v[i]);
	for (i = 0; i < f->aliases.n; i++)
		print_probe(out, f->aliases.v[i]);
	for (i = 0; i < f->probes.n; i++)
		print_probe(out, f->probes.v[i]);
	for (i = 0; i < f->functions.n; i++)
		print_function(out, f->functions.v[i]);
}
