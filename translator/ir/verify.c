/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks a module against ops.def and the promises of ir.h. What passes may be printed, run and
 * translated without further checks; what does not is our bug (or a damaged image), never the
 * script's.
 */
#include <stdarg.h>

#include "ir/layout.h"
#include "verify_int.h"

bool verify_fail(struct verifier *v, const char *fmt, ...)
{
	const struct ir_module *m = v->m;
	const char *where = "";
	va_list ap;

	if (v->msg)
		return false;
	if (v->f)
		where = arena_printf(m->arena, "%s %s: ", v->f->is_handler ? "handler" : "function",
				     v->f->name);
	if (v->f && v->block != IR_NONE)
		where = arena_printf(m->arena, "%sblock %u: ", where, v->block);
	if (v->f && v->block != IR_NONE && v->insn != IR_NONE)
		where = arena_printf(m->arena, "%sinstruction %u (%s): ", where, v->insn,
				     ir_ops[v->f->blocks.v[v->block]->insns.v[v->insn].op].name);
	va_start(ap, fmt);
	v->msg = arena_printf(m->arena, "%s%s", where, arena_vprintf(m->arena, fmt, ap));
	va_end(ap);
	return false;
}

static bool is_value(enum ir_type t)
{
	return t == IR_I64 || t == IR_STR;
}

/* What the dump can print and read back. */
static bool good_name(const char *s)
{
	if (!s || !*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || strchr("\"'~,[]();@%!?", *s))
			return false;
	return true;
}

/* @n: the operand's number from 1; 0: the destination. */
static bool check_type(struct verifier *v, struct ir_val val, enum ir_type want, uint32_t n)
{
	enum ir_type have;

	if (val.kind < IRV_REG || val.kind > IRV_STR)
		return verify_fail(v, "operand %u is of no kind", n);
	if (val.kind == IRV_REG && val.reg >= v->f->regs.n)
		return verify_fail(v, "there is no %%%u", val.reg);
	if (val.kind == IRV_STR && val.str >= v->m->strings.n)
		return verify_fail(v, "there is no string %u", val.str);
	have = ir_val_type(v->f, val);
	if (want == IR_VOID || have == want)
		return true;
	if (!n)
		return verify_fail(v, "%%%u is %s, the result is %s", val.reg, ir_type_name(have),
				   ir_type_name(want));
	return verify_fail(v, "operand %u is %s, not %s", n, ir_type_name(have),
			   ir_type_name(want));
}

/* Global kinds as an operation needs them. */
enum need {
	NEED_ANY,
	NEED_SCALAR,
	NEED_ARRAY,
	NEED_ARRAY_VALUE,
	NEED_ARRAY_LONG,
	NEED_STAT,
	NEED_HIST,
	NEED_CLEARABLE
};

static bool global_fits(const struct ir_global *g, enum need need)
{
	switch (need) {
	case NEED_ANY:
		return true;
	case NEED_SCALAR:
		return !g->nkeys && !g->is_stat;
	case NEED_ARRAY:
		return g->nkeys;
	case NEED_ARRAY_VALUE:
		return g->nkeys && !g->is_stat;
	case NEED_ARRAY_LONG:
		return g->nkeys && !g->is_stat && g->type == IR_I64;
	case NEED_STAT:
		return g->is_stat;
	case NEED_HIST:
		return g->is_stat && g->hist.kind;
	case NEED_CLEARABLE:
		return g->nkeys || g->is_stat;
	}
	return false;
}

static bool check_global_use(struct verifier *v, const struct ir_insn *i)
{
	static const char *const needs[] = { "a global",
					     "a scalar",
					     "an array",
					     "an array of values",
					     "an array of long",
					     "a statistic",
					     "a statistic with a histogram",
					     "an array or statistic" };
	static const uint8_t need[IR_OP_COUNT] = {
		[IR_gget] = NEED_SCALAR,        [IR_gset] = NEED_SCALAR,
		[IR_mget] = NEED_ARRAY_VALUE,   [IR_mset] = NEED_ARRAY_VALUE,
		[IR_madd] = NEED_ARRAY_LONG,    [IR_mhas] = NEED_ARRAY,
		[IR_mdel] = NEED_ARRAY,         [IR_mclear] = NEED_CLEARABLE,
		[IR_sadd] = NEED_STAT,          [IR_sget] = NEED_STAT,
		[IR_it_val] = NEED_ARRAY_VALUE, [IR_mhas_any] = NEED_ARRAY,
		[IR_mdel_any] = NEED_ARRAY,     [IR_hget] = NEED_HIST,
		[IR_hemit] = NEED_HIST,         [IR_hstr] = NEED_HIST,
	};
	const struct ir_global *g = ir_insn_global(v->m, v->f, i);

	if (g && !global_fits(g, need[i->op]))
		return verify_fail(v, "%s is not %s", g->name, needs[need[i->op]]);
	if (i->op == IR_it_stat && !g->is_stat)
		return verify_fail(v, "%s holds no statistics", g->name);
	return true;
}

static enum ir_type sig_type(char letter)
{
	return letter == 'v' ? IR_VOID : letter == 's' ? IR_STR : IR_I64;
}

static bool check_embed(struct verifier *v, const struct ir_embed *x)
{
	const char *at = x->globals;
	uint32_t global;
	bool write;

	if (!x->sig[0] || x->sig[strspn(x->sig, "vis")] || strchr(x->sig + 1, 'v'))
		return verify_fail(v, "%s has the malformed signature \"%s\"", x->name, x->sig);
	while (ir_embed_global(&at, &global, &write))
		if (global >= v->m->globals.n)
			return verify_fail(v, "%s uses no global %u", x->name, global);
	return !*at || verify_fail(v, "%s has a malformed list of globals", x->name);
}

static bool check_ref(struct verifier *v, const struct ir_insn *i)
{
	static const char *const names[] = { "",          "global",   "function",           "format",
					     "intrinsic", "iterator", "regular expression", "embedded C", "symbol", "" };
	const uint32_t counts[] = {
		[IRR_GLOBAL] = v->m->globals.n, [IRR_FUNC] = v->m->funcs.n,
		[IRR_FMT] = v->m->fmts.n,       [IRR_INTR] = IN_COUNT,
		[IRR_ITER] = v->f->iters.n,     [IRR_REGEX] = v->m->regexes.n,
		[IRR_EMBED] = v->m->embeds.n,   [IRR_SYM] = v->m->syms.n,
	};
	enum ir_ref ref = ir_ops[i->op].ref;

	if (ref == IRR_NONE || ref == IRR_BLOCK)
		return i->ref == IR_NONE || verify_fail(v, "takes no reference");
	if (i->ref >= counts[ref])
		return verify_fail(v, "there is no %s %u", names[ref], i->ref);
	if (ref == IRR_FUNC && v->m->funcs.v[i->ref]->is_handler)
		return verify_fail(v, "calls the handler %s", v->m->funcs.v[i->ref]->name);
	if (ref == IRR_REGEX && v->m->regexes.v[i->ref].groups != (i->op == IR_capture))
		return verify_fail(v, "the pattern's table is not made for it");
	if (ref == IRR_EMBED && !check_embed(v, &v->m->embeds.v[i->ref]))
		return false;
	return check_global_use(v, i);
}

static bool check_mem(struct verifier *v, const struct ir_insn *i)
{
	uint32_t w = IR_MEM_WIDTH(i->imm);
	uint32_t known = i->op == IR_tparg ? 0xffff001fu : 0x3fu;

	if (i->imm & ~known)
		return verify_fail(v, "unknown bits in imm 0x%x", i->imm);
	if (w == 1 || w == 2 || w == 4 || w == 8 || (w == 0 && (i->op == IR_loadstr || i->op == IR_storestr)))
		return true;
	return verify_fail(v, "width %u", w);
}

/* Squares are kept only where the global says that its variance is wanted. */
static bool extracts(const struct ir_global *g, uint32_t stat)
{
	return stat < IRS_VARIANCE ||
	       (stat == IRS_VARIANCE && g->stat_ops & 1u << IRS_VARIANCE);
}

static bool check_imm(struct verifier *v, const struct ir_insn *i)
{
	switch (ir_imm_kind(i->op)) {
	case IMM_NONE:
		return !i->imm || verify_fail(v, "imm is %u, not 0", i->imm);
	case IMM_STAT:
		return extracts(ir_insn_global(v->m, v->f, i), i->imm) ||
		       verify_fail(v, "no extractor %u", i->imm);
	case IMM_STREAM:
		return i->imm <= IRO_WARN || verify_fail(v, "no stream %u", i->imm);
	case IMM_ERROR:
		return (i->imm > ERR_USER && i->imm < ERR_COUNT) ||
		       verify_fail(v, "no error %u to raise", i->imm);
	case IMM_NUM:
		if (i->op == IR_it_key && i->imm >= ir_insn_global(v->m, v->f, i)->nkeys)
			return verify_fail(v, "no key %u", i->imm);
		if (i->op == IR_arg && !i->imm)
			return verify_fail(v, "arguments are counted from 1");
		if (i->op == IR_stack && i->imm > IRK_ALL)
			return verify_fail(v, "no stack %u", i->imm);
		if ((i->op == IR_reg || i->op == IR_setreg) && i->imm > IR_MAXREG)
			return verify_fail(v, "no register %u", i->imm);
		return true;
	case IMM_SEND:
		return i->imm < IR_SEND_COUNT || verify_fail(v, "staprun has no %u", i->imm);
	case IMM_LAYOUT:
		return i->imm < IRL_N || verify_fail(v, "types have no %u", i->imm);
	case IMM_NAME:
		return (i->imm < NM_COUNT &&
			check_type(v, i->args[0], ir_name_operand((enum ir_name_row)i->imm), 1)) ||
		       verify_fail(v, "no name %u of that", i->imm);
	case IMM_BUF:
		return !(i->imm & ~(IR_USER | 15u)) && IR_BUF_FORM(i->imm) < IRB_N
			       ? true
			       : verify_fail(v, "unknown imm 0x%x", i->imm);
	case IMM_MEM:
	case IMM_TPARG:
		return check_mem(v, i);
	}
	return true;
}

/* What the destination of an ANY operation is. */
static enum ir_type any_result(const struct verifier *v, const struct ir_insn *i)
{
	switch (i->op) {
	case IR_call:
		return v->m->funcs.v[i->ref]->ret;
	case IR_intr:
		return ir_intrinsics[i->ref].result;
	case IR_embed:
		return sig_type(v->m->embeds.v[i->ref].sig[0]);
	case IR_it_key:
		return ir_insn_global(v->m, v->f, i)->keys[i->imm];
	default:
		return ir_insn_global(v->m, v->f, i)->type;
	}
}

static bool check_dst(struct verifier *v, const struct ir_insn *i)
{
	enum ir_type want = ir_ops[i->op].any_result ? any_result(v, i) : ir_ops[i->op].result;

	if (i->dst == IR_NONE)
		return want == IR_VOID || i->op == IR_call ||
		       verify_fail(v, "the result goes nowhere");
	if (want == IR_VOID)
		return verify_fail(v, "has no result for %%%u", i->dst);
	return check_type(v, ir_reg(i->dst), want, 0);
}

static bool check_star(struct verifier *v, const struct ir_insn *i, uint32_t at, uint32_t n,
		       const enum ir_type *types)
{
	if (i->nargs - at != n)
		return verify_fail(v, "has %u operands, wants %u", i->nargs - at, n);
	for (uint32_t k = 0; k < n; k++)
		if (!check_type(v, i->args[at + k], types[k], at + k + 1))
			return false;
	return true;
}

static bool check_signature(struct verifier *v, const struct ir_insn *i, const char *letters)
{
	for (uint32_t k = 0; letters[k] && k < i->nargs; k++)
		if (!check_type(v, i->args[k], sig_type(letters[k]), k + 1))
			return false;
	return strlen(letters) == i->nargs || verify_fail(v, "has %u operands, wants %zu", i->nargs,
							  strlen(letters));
}

/* The operands that a '*' stands for. */
static bool check_open(struct verifier *v, const struct ir_insn *i)
{
	const struct ir_global *g = ir_insn_global(v->m, v->f, i);
	enum ir_type types[16];
	const char *letters;
	uint32_t n = 0;

	if (i->op == IR_it_begin || i->op == IR_mhas_any || i->op == IR_mdel_any) {
		uint32_t fixed = i->op == IR_it_begin ? v->f->iters.v[i->ref].fixed : i->imm;

		if (fixed >> g->nkeys)
			return verify_fail(v, "%s has no such key", g->name);
		if (i->op == IR_it_begin)
			types[n++] = IR_I64;
		for (uint32_t k = 0; k < g->nkeys; k++)
			if (fixed >> k & 1)
				types[n++] = g->keys[k];
		return check_star(v, i, 0, n, types);
	}

	if (i->op == IR_call)
		return check_star(v, i, 0, v->m->funcs.v[i->ref]->nparams,
				  v->m->funcs.v[i->ref]->regs.v);
	if (i->op == IR_embed)
		return check_signature(v, i, v->m->embeds.v[i->ref].sig + 1);
	if (i->op == IR_ret)
		return check_star(v, i, 0, v->f->ret != IR_VOID, &v->f->ret);
	if (i->op == IR_fail) {
		types[0] = IR_I64;
		return check_star(v, i, 0, i->nargs ? 1 : 0, types);
	}
	if (i->op != IR_intr && i->op != IR_send)
		return check_star(v, i, 0, v->m->fmts.v[i->ref]->args.n,
				  v->m->fmts.v[i->ref]->args.v);
	letters = i->op == IR_send ? ir_send_operands[i->imm] : ir_intrinsics[i->ref].operands;
	for (; *letters; letters++)
		types[n++] = *letters == 's' ? IR_STR : IR_I64;
	return check_star(v, i, 0, n, types);
}

/* A format with %m or %M belongs to emitmem, and only there. */
static bool check_fmt_use(struct verifier *v, const struct ir_insn *i)
{
	if (ir_ops[i->op].ref != IRR_FMT)
		return true;
	if (i->op == IR_sfmt && ir_fmt_has_names(v->m->fmts.v[i->ref]))
		return verify_fail(v, "the format has names, which only records have");
	if (ir_fmt_has_mem(v->m->fmts.v[i->ref]) == (i->op == IR_emitmem))
		return true;
	return verify_fail(v, i->op == IR_emitmem ? "the format reads no memory"
						  : "the format reads memory");
}

static bool check_operands(struct verifier *v, const struct ir_insn *i)
{
	const struct ir_global *g = ir_insn_global(v->m, v->f, i);
	enum ir_type types[IR_MAXKEYS + 4];
	uint32_t n = 0;

	for (const char *l = ir_ops[i->op].operands; *l; l++) {
		if (*l == '*')
			return check_open(v, i);
		if (*l == 'k') {
			memcpy(types, g->keys, g->nkeys * sizeof(*types));
			n = g->nkeys;
			l++;
		} else {
			types[n++] = *l == 'i'   ? IR_I64
				     : *l == 's' ? IR_STR
				     : *l == 'v' ? g->type
						 : IR_VOID;
		}
	}
	return check_star(v, i, 0, n, types);
}

static bool check_edges(struct verifier *v, const struct ir_insn *i)
{
	uint32_t want = i->op == IR_jmp ? 1 : i->op == IR_br ? 2 : 0;
	bool may_fail = ir_insn_flags(i) & IRF_FAIL;

	for (uint32_t s = 0; s < 2; s++)
		if (s < want ? i->succ[s] >= v->f->blocks.n : i->succ[s] != IR_NONE)
			return verify_fail(v, "successor %u is b%u", s, i->succ[s]);
	if (may_fail && i->err >= v->f->blocks.n)
		return verify_fail(v, "may fail but names no error block");
	if (!may_fail && i->err != IR_NONE)
		return verify_fail(v, "cannot fail but names an error block");
	if ((i->op == IR_ret && v->f->is_handler) || (i->op == IR_done && !v->f->is_handler))
		return verify_fail(v, "ends a %s", v->f->is_handler ? "function" : "handler");
	return true;
}

static bool check_path(struct verifier *v, const struct ir_insn *i, bool takes)
{
	struct ir_path path;

	if (i->aux && !takes)
		return verify_fail(v, "takes no type path");
	if (i->op == IR_layout && (i->nargs != 1 || i->args[0].kind != IRV_INT))
		return verify_fail(v, "needs a constant");
	if (!i->aux)
		return i->op != IR_layout || verify_fail(v, "needs a type path");
	return ir_path_parse(v->m->strings.v[i->aux], &path) ||
	       verify_fail(v, "malformed type path \"%s\"", v->m->strings.v[i->aux]);
}

static bool check_insn(struct verifier *v, const struct ir_insn *i, bool last)
{
	bool path = i->op == IR_load || i->op == IR_layout;

	if (!last == !!(ir_ops[i->op].flags & IRF_TERM))
		return verify_fail(v,
				   last ? "the block has no end" : "ends the block in its middle");
	if (i->loc >= v->m->strings.n || i->aux >= v->m->strings.n)
		return verify_fail(v, "there is no string %u",
				   i->loc >= v->m->strings.n ? i->loc : i->aux);
	if (!check_path(v, i, path))
		return false;
	return check_ref(v, i) && check_fmt_use(v, i) && check_imm(v, i) && check_operands(v, i) && check_dst(v, i) &&
	       check_edges(v, i);
}

static bool check_blocks(struct verifier *v)
{
	for (uint32_t b = 0; b < v->f->blocks.n; b++) {
		const struct ir_block *blk = v->f->blocks.v[b];

		v->block = b;
		v->insn = IR_NONE;
		if (!blk->insns.n)
			return verify_fail(v, "is empty");
		for (uint32_t n = 0; n < blk->insns.n; n++) {
			v->insn = n;
			if (blk->insns.v[n].op >= IR_OP_COUNT) {
				v->insn = IR_NONE;
				return verify_fail(v, "instruction %u: unknown operation", n);
			}
			if (!check_insn(v, &blk->insns.v[n], n + 1 == blk->insns.n))
				return false;
		}
	}
	v->block = v->insn = IR_NONE;
	return true;
}

static bool check_iters(struct verifier *v)
{
	for (uint32_t n = 0; n < v->f->iters.n; n++) {
		const struct ir_iter *it = &v->f->iters.v[n];
		const struct ir_global *g;

		if (it->global >= v->m->globals.n)
			return verify_fail(v, "iterator %u: there is no global %u", n, it->global);
		g = v->m->globals.v[it->global];
		if (!g->nkeys)
			return verify_fail(v, "iterator %u: %s is no array", n, g->name);
		if (it->sort_dir < -1 || it->sort_dir > 1 || it->sort_key < 0 ||
		    it->sort_key > (int)g->nkeys)
			return verify_fail(v, "iterator %u: bad sort", n);
		if (it->fixed >> g->nkeys)
			return verify_fail(v, "iterator %u: a fixed key that %s has not", n,
					   g->name);
		if (g->is_stat && it->sort_dir && !it->sort_key &&
		    !extracts(g, it->sort_stat))
			return verify_fail(v, "iterator %u: no extractor %u", n, it->sort_stat);
	}
	return true;
}

/* What other functions rely on, before any instruction is looked at. */
static bool check_head(struct verifier *v)
{
	const struct ir_func *f = v->f;

	v->block = v->insn = IR_NONE;
	if (!good_name(f->name))
		return verify_fail(v, "bad name");
	if (f->nparams > f->regs.n || f->reg_names.n != f->regs.n)
		return verify_fail(v, "%u parameters, %u registers, %u names", f->nparams,
				   f->regs.n, f->reg_names.n);
	if (f->is_handler ? f->ret != IR_VOID || f->nparams
			  : f->ret != IR_VOID && !is_value(f->ret))
		return verify_fail(v, "bad result or parameters");
	for (uint32_t r = 0; r < f->regs.n; r++)
		if (!is_value(f->regs.v[r]) || (f->reg_names.v[r] && !good_name(f->reg_names.v[r])))
			return verify_fail(v, "%%%u has a bad type or name", r);
	if (f->loc >= v->m->strings.n)
		return verify_fail(v, "there is no string %u", f->loc);
	if (!f->blocks.n)
		return verify_fail(v, "has no block");
	return check_iters(v);
}

static bool check_global(struct verifier *v, const struct ir_global *g)
{
	if (!good_name(g->name))
		return verify_fail(v, "a global has a bad name");
	if (!is_value(g->type) || (g->is_stat && g->type != IR_I64))
		return verify_fail(v, "global %s: bad type", g->name);
	if (g->nkeys > IR_MAXKEYS)
		return verify_fail(v, "global %s: %u keys", g->name, g->nkeys);
	for (uint32_t k = 0; k < g->nkeys; k++)
		if (!is_value(g->keys[k]))
			return verify_fail(v, "global %s: bad type of key %u", g->name, k);
	if (g->hist.kind && (!g->is_stat || !g->hist.buckets))
		return verify_fail(v, "global %s: bad histogram", g->name);
	if (g->nkeys && !g->max_entries)
		return verify_fail(v, "global %s: no room for elements", g->name);
	return true;
}

/* Functions that a handler calls have no values of the site: they are the same for all. */
static bool check_values(struct verifier *v, const struct ir_func *f, uint32_t nums, uint32_t strs)
{
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++) {
			const struct ir_insn *i = &f->blocks.v[b]->insns.v[n];

			if ((i->op == IR_sitenum && i->imm >= nums) || (i->op == IR_sitestr && i->imm >= strs))
				return verify_fail(v, "%s: no value %u of a probe", f->name, i->imm);
		}
	return true;
}

static bool check_probe(struct verifier *v, uint32_t n)
{
	const struct ir_probe *p = v->m->probes.v[n];
	uint32_t before = 0;

	if ((unsigned int)p->kind >= AT_COUNT)
		return verify_fail(v, "probe %u: unknown kind", n);
	if (!p->name)
		return verify_fail(v, "probe %u: no name", n);
	if (p->handler >= v->m->funcs.n || !v->m->funcs.v[p->handler]->is_handler)
		return verify_fail(v, "probe %u: %u is no handler", n, p->handler);
	for (uint32_t i = 0; i < p->locks.n; i++) {
		if (p->locks.v[i].global >= v->m->globals.n ||
		    (i && p->locks.v[i].global <= before))
			return verify_fail(v, "probe %u: bad order of locks", n);
		before = p->locks.v[i].global;
	}
	return check_values(v, v->m->funcs.v[p->handler], p->nums.n, p->strs.n);
}

static bool check_fmt(struct verifier *v, uint32_t n)
{
	const struct ir_fmt *fmt = v->m->fmts.v[n];
	uint32_t at = 0;
	bool ok = true;

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		const struct fmt_piece *p = &fmt->pieces.v[i];
		enum ir_type want;

		if (p->lit)
			continue;
		for (int star = (p->spec.width == FMT_STAR) + (p->spec.prec == FMT_STAR); star > 0;
		     star--, at++)
			ok = ok && at < fmt->args.n && fmt->args.v[at] == IR_I64;
		ok = ir_spec_type(&p->spec, &want) && ok && at < fmt->args.n &&
		     fmt->args.v[at] == want;
		at++;
	}
	return (ok && at == fmt->args.n) ||
	       verify_fail(v, "format %u: arguments do not fit the text", n);
}

const char *ir_verify(const struct ir_module *m)
{
	struct verifier v = { .m = m, .block = IR_NONE, .insn = IR_NONE };
	bool ok = m->strings.n && !*m->strings.v[0];

	if (!ok)
		verify_fail(&v, "string 0 is not the empty one");
	for (uint32_t i = 0; i < m->globals.n && ok; i++)
		ok = check_global(&v, m->globals.v[i]);
	for (uint32_t i = 0; i < m->fmts.n && ok; i++)
		ok = check_fmt(&v, i);
	for (uint32_t i = 0; i < m->probes.n && ok; i++)
		ok = check_probe(&v, i);
	for (uint32_t i = 0; i < m->funcs.n && ok; i++) {
		v.f = m->funcs.v[i];
		ok = check_head(&v);
	}
	for (uint32_t i = 0; i < m->funcs.n && ok; i++) {
		v.f = m->funcs.v[i];
		ok = check_blocks(&v) && verify_flow(&v);
	}
	return v.msg;
}
