/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes operations whose result nobody needs and that nobody can see otherwise, and blocks that
 * cannot be reached. A result that is at once copied to where it is wanted is written there.
 */
#include "cfg.h"

#define ROUNDS 8 /* each round may free more; what is left after these is only slower */

static bool removable(const struct ir_insn *i)
{
	unsigned int flags = ir_insn_flags(i);

	if (i->op == IR_div || i->op == IR_mod)
		return i->args[1].kind == IRV_INT && i->args[1].num;
	if (i->op == IR_sget || i->op == IR_it_stat)
		return i->imm == IRS_COUNT || i->imm == IRS_SUM;
	if (i->op == IR_embed)
		return i->imm & 1;
	return !(flags & (IRF_FAIL | IRF_WRITE | IRF_EFFECT | IRF_TERM));
}

static bool is_self_move(const struct ir_insn *i)
{
	return (i->op == IR_mov || i->op == IR_smov) && i->args[0].kind == IRV_REG &&
	       i->args[0].reg == i->dst;
}

/*
 * `t = op ...; x = mov t` with t not needed any more becomes `x = op ...`. @i is the mov, @live
 * what is live after it.
 */
static bool sink_move(struct ir_insn *i, bool first, const uint64_t *live)
{
	struct ir_insn *before = i - 1;

	if ((i->op != IR_mov && i->op != IR_smov) || first || i->args[0].kind != IRV_REG ||
	    before->dst != i->args[0].reg || bits_get(live, before->dst))
		return false;
	before->dst = i->dst;
	return true;
}

static bool clean_block(struct ir_liveness *lv, struct ir_block *b, uint32_t at, uint64_t *live)
{
	bool changed = false;
	uint32_t to = b->insns.n;

	memcpy(live, lv->live_out[at], lv->words * sizeof(*live));
	/* What stays gathers at the end of the array, and moves to its start below. */
	for (uint32_t n = b->insns.n; n-- > 0;) {
		struct ir_insn *i = &b->insns.v[n];
		bool dead = i->dst != IR_NONE && !bits_get(live, i->dst) && removable(i);

		if (dead || is_self_move(i) || sink_move(i, n == 0, live)) {
			changed = true;
			continue;
		}
		ir_live_before(lv, i, live);
		b->insns.v[--to] = *i;
	}
	b->insns.n -= to;
	memmove(b->insns.v, b->insns.v + to, b->insns.n * sizeof(*b->insns.v));
	return changed;
}

static bool clean_func(struct arena *a, struct ir_func *f)
{
	struct ir_liveness lv;
	bool changed = false;
	uint64_t *live;

	ir_liveness(a, f, &lv);
	live = arena_alloc(a, (lv.words + 1) * sizeof(*live));
	for (uint32_t b = 0; b < f->blocks.n; b++)
		changed |= clean_block(&lv, f->blocks.v[b], b, live);
	return changed;
}

/*
 * Drops registers that no instruction names: each costs a backend a variable, a string one
 * MAXSTRINGLEN bytes.
 */
static void compact_regs(struct arena *a, struct ir_func *f)
{
	uint32_t *to = arena_alloc(a, (f->regs.n + 1) * sizeof(*to)), n = 0;
	const uint32_t unused = IR_NONE;

	for (uint32_t r = 0; r < f->regs.n; r++)
		to[r] = r < f->nparams ? r : unused;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t b = 0; b < f->blocks.n; b++) {
			for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++) {
				struct ir_insn *i = &f->blocks.v[b]->insns.v[k];

				if (i->dst != IR_NONE && pass)
					i->dst = to[i->dst];
				else if (i->dst != IR_NONE)
					to[i->dst] = i->dst;
				for (uint32_t o = 0; pass && o < i->nargs; o++)
					if (i->args[o].kind == IRV_REG)
						i->args[o].reg = to[i->args[o].reg];
			}
		}
		for (uint32_t r = 0; !pass && r < f->regs.n; r++) {
			if (to[r] == unused)
				continue;
			f->regs.v[n] = f->regs.v[r];
			f->reg_names.v[n] = f->reg_names.v[r];
			to[r] = n++;
		}
	}
	f->regs.n = f->reg_names.n = n;
}

void ir_dce(struct ir_module *m)
{
	struct arena regs;

	arena_init(&regs);
	for (uint32_t i = 0; i < m->funcs.n; i++) {
		bool changed = true;

		for (int round = 0; changed && round < ROUNDS; round++) {
			struct arena a;

			arena_init(&a);
			changed = ir_cfg_clean(m, m->funcs.v[i]);
			changed |= clean_func(&a, m->funcs.v[i]);
			arena_fini(&a);
		}
		compact_regs(&regs, m->funcs.v[i]);
	}
	arena_fini(&regs);
}
