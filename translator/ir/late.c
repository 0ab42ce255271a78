/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of addresses that are only printed. A record takes the address, and staprun, which has the symbol tables, makes
 * the text when it formats the record: that is cheaper for the probe, and possible where the kernel knows no name.
 * Only what is sure within one block is looked at: a register's value comes from the last instruction before that
 * writes it, and the operands of that must still be the same at the print.
 */
#include <string.h>

#include "cfg.h"

#define LATE_DEPTH 16 /* concatenations within each other */

struct late {
	struct ir_module *m;
	const struct ir_block *b;
	uint32_t at; /* of the print */
	struct ir_fmt fmt; /* the new one */
	VEC(struct ir_val) vals;
	bool found;
};

static bool is_plain(const struct fmt_spec *s)
{
	return s->conv == 's' && s->flag == FMT_F_NONE && s->width == FMT_NONE && s->prec == FMT_NONE;
}

/* Whether @v is the same at the print as before instruction @n. */
static bool lasts(const struct late *l, struct ir_val v, uint32_t n)
{
	if (v.kind != IRV_REG)
		return true;
	for (; n < l->at; n++)
		if (l->b->insns.v[n].dst == v.reg)
			return false;
	return true;
}

/* The instruction before @n that @v is from; IR_NONE: another block, or no register. */
static uint32_t maker(const struct late *l, struct ir_val v, uint32_t n)
{
	if (v.kind != IRV_REG)
		return IR_NONE;
	while (n-- > 0)
		if (l->b->insns.v[n].dst == v.reg)
			return n;
	return IR_NONE;
}

/* Whether the text of @v, as it is before @n, has a name that can wait. */
static bool has_name(const struct late *l, struct ir_val v, uint32_t n, unsigned int depth)
{
	uint32_t d = maker(l, v, n), k;
	const struct ir_insn *i;

	if (d == IR_NONE || depth > LATE_DEPTH)
		return false;
	i = &l->b->insns.v[d];
	for (k = 0; k < i->nargs; k++)
		if (!lasts(l, i->args[k], d))
			return false;
	if (i->op == IR_name)
		return true;
	if (i->op != IR_smov && i->op != IR_scat && i->op != IR_sfmt)
		return false;
	for (k = 0; k < i->nargs; k++)
		if (has_name(l, i->args[k], d, depth + 1) &&
		    (i->op != IR_sfmt || is_plain(l->m->fmts.v[i->ref]->specs.v[k])))
			return true;
	return false;
}

static void put_conversion(struct late *l, struct fmt_spec spec, struct ir_val v, enum ir_type t)
{
	vec_push(l->m->arena, &l->fmt.pieces, ((struct fmt_piece){ .spec = spec }));
	vec_push(l->m->arena, &l->fmt.args, t);
	vec_push(l->m->arena, &l->vals, v);
}

static void put_literal(struct late *l, const char *s, size_t n)
{
	vec_push(l->m->arena, &l->fmt.pieces, ((struct fmt_piece){ .lit = s, .lit_len = (uint32_t)n }));
}

static void put_format(struct late *l, const struct ir_insn *i, uint32_t n, unsigned int depth);

/* A string, as it is before @n. */
static void put_string(struct late *l, struct fmt_spec spec, struct ir_val v, uint32_t n, unsigned int depth)
{
	struct fmt_spec plain = { 's', FMT_F_NONE, FMT_NONE, FMT_NONE };
	const struct ir_insn *i;
	uint32_t d;

	if (v.kind == IRV_STR && is_plain(&spec)) {
		const char *s = l->m->strings.v[v.str];

		put_literal(l, s, strlen(s));
		return;
	}
	if (spec.prec != FMT_NONE || spec.width == FMT_STAR || !has_name(l, v, n, depth)) {
		put_conversion(l, spec, v, IR_STR);
		return;
	}
	d = maker(l, v, n);
	i = &l->b->insns.v[d];
	if (i->op == IR_name) {
		spec.conv = FMT_NAME;
		spec.prec = (int)i->imm;
		put_conversion(l, spec, i->args[0], ir_name_operand((enum ir_name_row)i->imm));
		l->found = true;
	} else if (i->op == IR_smov) {
		put_string(l, spec, i->args[0], d, depth + 1);
	} else if (!is_plain(&spec)) {
		put_conversion(l, spec, v, IR_STR);
	} else if (i->op == IR_scat) {
		put_string(l, plain, i->args[0], d, depth + 1);
		put_string(l, plain, i->args[1], d, depth + 1);
	} else {
		put_format(l, i, d, depth + 1);
	}
}

/* What the print or sprintf @i, before which @n instructions are, writes. */
static void put_format(struct late *l, const struct ir_insn *i, uint32_t n, unsigned int depth)
{
	const struct ir_fmt *f = l->m->fmts.v[i->ref];
	uint32_t at = 0;

	for (uint32_t k = 0; k < f->pieces.n; k++) {
		const struct fmt_piece *p = &f->pieces.v[k];

		if (p->lit) {
			put_literal(l, p->lit, p->lit_len);
			continue;
		}
		if (p->spec.conv == 's' && p->spec.prec == FMT_NONE && p->spec.width != FMT_STAR) {
			put_string(l, p->spec, i->args[at++], n, depth);
			continue;
		}
		vec_push(l->m->arena, &l->fmt.pieces, *p);
		for (int stars = (p->spec.width == FMT_STAR) + (p->spec.prec == FMT_STAR); stars >= 0;
		     stars--, at++) {
			vec_push(l->m->arena, &l->fmt.args, f->args.v[at]);
			vec_push(l->m->arena, &l->vals, i->args[at]);
		}
	}
}

static bool late_insn(struct ir_module *m, struct ir_block *b, uint32_t n)
{
	struct late l = { .m = m, .b = b, .at = n };
	struct ir_insn *i = &b->insns.v[n];
	struct buf text;
	uint32_t fmt;

	put_format(&l, i, n, 0);
	if (!l.found)
		return false;
	buf_init(&text);
	ir_fmt_text(&text, &l.fmt);
	fmt = ir_fmt_add(m, arena_strndup(m->arena, text.p ? text.p : "", text.len), l.fmt.args.v,
			 l.fmt.args.n);
	buf_fini(&text);
	if (fmt == IR_NONE)
		return false;
	i->ref = fmt;
	i->args = l.vals.v;
	i->nargs = l.vals.n;
	return true;
}

static bool late_block(struct ir_module *m, struct ir_block *b)
{
	bool changed = false, names = false;

	for (uint32_t n = 0; n < b->insns.n; n++) {
		enum ir_op op = (enum ir_op)b->insns.v[n].op;

		names |= op == IR_name;
		if (names && (op == IR_emit || op == IR_emitmem))
			changed |= late_insn(m, b, n);
	}
	return changed;
}

/* Whether some function that handlers call makes names: the print may be in its caller. */
static bool names_in_functions(const struct ir_module *m)
{
	for (uint32_t f = 0; f < m->funcs.n; f++)
		for (uint32_t b = 0; b < m->funcs.v[f]->blocks.n && !m->funcs.v[f]->is_handler; b++)
			for (uint32_t n = 0; n < m->funcs.v[f]->blocks.v[b]->insns.n; n++)
				if (m->funcs.v[f]->blocks.v[b]->insns.v[n].op == IR_name)
					return true;
	return false;
}

#define LATE_INLINE 48 /* instructions */

void ir_late(struct ir_module *m)
{
	bool changed = false;

	if (names_in_functions(m)) {
		ir_inline(m, LATE_INLINE);
		ir_fold(m);
		ir_dce(m);
	}
	for (uint32_t f = 0; f < m->funcs.n; f++)
		for (uint32_t b = 0; b < m->funcs.v[f]->blocks.n; b++)
			changed |= late_block(m, m->funcs.v[f]->blocks.v[b]);
	if (changed)
		ir_dce(m);
}
