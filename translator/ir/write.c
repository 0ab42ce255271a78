/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The binary form: what travels inside a .ko, .bo or .uo. Numbers are varints (7 bits a byte, low
 * first), signed ones zigzag; strings a length and bytes; lists a count and items. Indices into
 * tables mean the same after reading.
 */
#include "ir_int.h"

static void put_u(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(out, (char)(v | 0x80));
	buf_putc(out, (char)v);
}

static void put_s(struct buf *out, int64_t v)
{
	put_u(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_str(struct buf *out, const char *s)
{
	size_t n = strlen(s);

	put_u(out, n);
	buf_add(out, s, n);
}

/* NULL is 0, a string its length + 1. */
static void put_opt(struct buf *out, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	put_u(out, s ? n + 1 : 0);
	if (s)
		buf_add(out, s, n);
}

/* Indices that may be IR_NONE. */
static void put_ref(struct buf *out, uint32_t v)
{
	put_u(out, v == IR_NONE ? 0 : (uint64_t)v + 1);
}

static void put_global(struct buf *out, const struct ir_global *g)
{
	put_str(out, g->name);
	put_u(out, g->type);
	put_u(out, g->is_stat | g->wrap << 1 | g->sized << 2 | g->hex << 3);
	put_u(out, g->nkeys);
	for (uint32_t k = 0; k < g->nkeys; k++)
		put_u(out, g->keys[k]);
	put_u(out, g->max_entries);
	put_u(out, g->stat_ops);
	put_u(out, g->hist.kind);
	if (g->hist.kind == AGG_HIST_LINEAR) {
		put_s(out, g->hist.lo);
		put_s(out, g->hist.hi);
		put_s(out, g->hist.width);
	}
	put_s(out, g->init_num);
	put_opt(out, g->init_str);
}

static void put_fmt(struct buf *out, const struct ir_fmt *fmt)
{
	struct buf text;

	buf_init(&text);
	ir_fmt_text(&text, fmt);
	put_str(out, text.len ? text.p : "");
	buf_fini(&text);
	put_u(out, fmt->args.n);
	for (uint32_t i = 0; i < fmt->args.n; i++)
		put_u(out, fmt->args.v[i]);
}

static void put_insn(struct buf *out, const struct ir_insn *i)
{
	put_u(out, i->op);
	put_ref(out, i->dst);
	put_ref(out, i->ref);
	put_u(out, i->imm);
	put_u(out, i->aux);
	put_ref(out, i->err);
	put_u(out, i->loc);
	put_u(out, i->nargs);
	for (uint32_t k = 0; k < i->nargs; k++) {
		put_u(out, i->args[k].kind);
		if (i->args[k].kind == IRV_INT)
			put_s(out, i->args[k].num);
		else
			put_u(out, i->args[k].reg);
	}
	put_ref(out, i->succ[0]);
	put_ref(out, i->succ[1]);
}

static void put_func(struct buf *out, const struct ir_func *f)
{
	put_str(out, f->name);
	put_u(out, f->is_handler);
	put_u(out, f->ret);
	put_u(out, f->nparams);
	put_u(out, f->loc);
	put_u(out, f->regs.n);
	for (uint32_t r = 0; r < f->regs.n; r++) {
		put_u(out, f->regs.v[r]);
		put_opt(out, f->reg_names.v[r]);
	}
	put_u(out, f->iters.n);
	for (uint32_t n = 0; n < f->iters.n; n++) {
		put_u(out, f->iters.v[n].global);
		put_s(out, f->iters.v[n].sort_dir);
		put_u(out, (uint32_t)f->iters.v[n].sort_key);
		put_u(out, f->iters.v[n].sort_stat);
		put_u(out, f->iters.v[n].fixed);
	}
	put_u(out, f->blocks.n);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		put_u(out, f->blocks.v[b]->insns.n);
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++)
			put_insn(out, &f->blocks.v[b]->insns.v[n]);
	}
}

static void put_probe(struct buf *out, const struct ir_probe *p)
{
	put_u(out, p->kind);
	put_str(out, p->name);
	put_opt(out, p->chain);
	put_u(out, p->handler);
	put_s(out, p->seq);
	put_s(out, p->period);
	put_s(out, p->random);
	put_opt(out, p->target);
	put_opt(out, p->symbol);
	put_opt(out, p->proto);
	put_u(out, p->offset);
	put_u(out, p->semaphore);
	put_u(out, p->maxactive);
	put_s(out, p->pid);
	put_opt(out, p->exe);
	put_u(out, p->jiffies | p->optional << 1 | p->filter_target << 2 | p->user_side << 3 |
			   p->at_entry << 4);
	put_u(out, p->locks.n);
	for (uint32_t i = 0; i < p->locks.n; i++) {
		put_u(out, p->locks.v[i].global);
		put_u(out, p->locks.v[i].write);
	}
	put_u(out, p->nums.n);
	for (uint32_t i = 0; i < p->nums.n; i++)
		put_s(out, p->nums.v[i]);
	put_u(out, p->strs.n);
	for (uint32_t i = 0; i < p->strs.n; i++)
		put_str(out, p->strs.v[i]);
}

static void put_embed(struct buf *out, const struct ir_embed *x)
{
	put_str(out, x->name);
	put_str(out, x->sig);
	put_str(out, x->params);
	put_str(out, x->globals);
	put_str(out, x->file);
	put_str(out, x->text);
	put_u(out, x->line);
	put_u(out, x->flags);
}

static void put_sym(struct buf *out, const struct ir_sym *x)
{
	put_str(out, x->name);
	put_opt(out, x->anchor);
	put_u(out, x->anchor_off);
}

void ir_write(struct buf *out, const struct ir_module *m)
{
	buf_add(out, IR_MAGIC, sizeof(IR_MAGIC) - 1);
	put_str(out, m->name);
	put_u(out, m->recursive);
	put_opt(out, m->release);
	put_u(out, m->kernel_id);
	for (unsigned int i = 0; i < ir_limit_n; i++)
		put_s(out, *ir_limit_field(&m->limits, &ir_limit_table[i]));
	put_u(out, m->strings.n);
	for (uint32_t i = 0; i < m->strings.n; i++)
		put_str(out, m->strings.v[i]);
	put_u(out, m->globals.n);
	for (uint32_t i = 0; i < m->globals.n; i++)
		put_global(out, m->globals.v[i]);
	put_u(out, m->fmts.n);
	for (uint32_t i = 0; i < m->fmts.n; i++)
		put_fmt(out, m->fmts.v[i]);
	put_u(out, m->regexes.n);
	for (uint32_t i = 0; i < m->regexes.n; i++) {
		put_str(out, m->regexes.v[i].pattern);
		put_u(out, m->regexes.v[i].groups);
	}
	put_u(out, m->embeds.n);
	for (uint32_t i = 0; i < m->embeds.n; i++)
		put_embed(out, &m->embeds.v[i]);
	put_u(out, m->syms.n);
	for (uint32_t i = 0; i < m->syms.n; i++)
		put_sym(out, &m->syms.v[i]);
	put_u(out, m->builds.n);
	for (uint32_t i = 0; i < m->builds.n; i++) {
		put_str(out, m->builds.v[i].object);
		put_str(out, m->builds.v[i].id);
	}
	put_u(out, m->funcs.n);
	for (uint32_t i = 0; i < m->funcs.n; i++)
		put_func(out, m->funcs.v[i]);
	put_u(out, m->probes.n);
	for (uint32_t i = 0; i < m->probes.n; i++)
		put_probe(out, m->probes.v[i]);
}
