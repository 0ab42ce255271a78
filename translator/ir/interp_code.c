/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From IR to struct code: slots, resolved targets, a few operations fused. */
#include "interp_int.h"

struct decoder {
	struct interp *in;
	const struct ir_func *f;
	struct ifunc *out;
	struct code *code;
	uint32_t ncode;
	uint32_t *start; /* per block */
	union slot *consts;
	uint32_t *own; /* per register: slot of its buffer */
};

static uint32_t const_slot(struct decoder *d, union slot v)
{
	d->consts[d->out->nconsts] = v;
	return d->out->first_const + d->out->nconsts++;
}

static struct istr *const_string(struct interp *in, const char *s)
{
	size_t n = strlen(s);
	struct istr *out;

	if (n > in->maxlen)
		n = in->maxlen;
	out = arena_alloc(&in->arena, sizeof(*out) + n + 1);
	istr_set(in, out, s, n);
	return out;
}

static uint32_t val_slot(struct decoder *d, struct ir_val v)
{
	if (v.kind == IRV_REG)
		return v.reg;
	if (v.kind == IRV_INT)
		return const_slot(d, (union slot){ .i = v.num });
	return const_slot(d, (union slot){ .s = const_string(d->in, d->in->m->strings.v[v.str]) });
}

/* What interp_exec() does not do itself goes through code->fn. */
static enum interp_label label_of(const struct ir_insn *i)
{
	static const uint8_t labels[IR_OP_COUNT] = {
#define LABEL(name) [IR_##name] = L_##name + 1,
		LABEL(mov) LABEL(add) LABEL(sub) LABEL(mul) LABEL(div) LABEL(mod) LABEL(and)
			LABEL(or) LABEL(xor) LABEL(shl) LABEL(shr) LABEL(ushr) LABEL(neg) LABEL(com)
				LABEL(eq) LABEL(ne) LABEL(lt) LABEL(le) LABEL(gt) LABEL(ge)
					LABEL(br) LABEL(jmp) LABEL(action) LABEL(call) LABEL(ret)
						LABEL(done) LABEL(abort)
#undef LABEL
	};

	/* A constant string is never written to, so that the register may point to it. */
	if (i->op == IR_smov && i->args[0].kind == IRV_STR)
		return L_share;
	return labels[i->op] ? labels[i->op] - 1 : L_fn;
}

static void decode_insn(struct decoder *d, const struct ir_insn *i)
{
	struct code *c = &d->code[d->ncode++];
	enum interp_label label = label_of(i);
	uint32_t *args = arena_alloc(&d->in->arena, i->nargs * sizeof(*args) + 1);

	for (uint32_t k = 0; k < i->nargs; k++)
		args[k] = val_slot(d, i->args[k]);
	c->label = d->in->labels[label];
	c->insn = i;
	c->args = args;
	c->a = i->nargs > 0 ? args[0] : 0;
	c->b = i->nargs > 1 ? args[1] : 0;
	c->d = i->dst != IR_NONE ? i->dst : d->out->nslots - 1;
	c->n = i->op == IR_action ? i->imm : i->dst != IR_NONE ? d->own[i->dst] : 0;
	if (label == L_fn)
		c->fn = i->op == IR_intr ? interp_intrinsic_fn[i->ref] : interp_op_fn(i->op);
}

/* A branch on the comparison right before it becomes one with it. */
static bool fuse_branch(struct decoder *d, const struct ir_insn *br, const struct ir_insn *before)
{
	static const uint8_t fused[IR_OP_COUNT] = {
		[IR_eq] = L_beq + 1, [IR_ne] = L_bne + 1, [IR_lt] = L_blt + 1,
		[IR_le] = L_ble + 1, [IR_gt] = L_bgt + 1, [IR_ge] = L_bge + 1,
	};
	struct code *c = &d->code[d->ncode - 1];

	if (br->op != IR_br || !before || !fused[before->op] || br->args[0].kind != IRV_REG ||
	    br->args[0].reg != before->dst)
		return false;
	c->label = d->in->labels[fused[before->op] - 1];
	c->insn = br;
	c->n = 0;
	return true;
}

static void decode_block(struct decoder *d, uint32_t b)
{
	const struct ir_block *blk = d->f->blocks.v[b];

	d->start[b] = d->ncode;
	for (uint32_t n = 0; n < blk->insns.n; n++) {
		const struct ir_insn *i = &blk->insns.v[n];

		if (fuse_branch(d, i, n ? i - 1 : NULL) || (i->op == IR_jmp && i->succ[0] == b + 1))
			continue;
		decode_insn(d, i);
	}
}

static const struct code *target(const struct decoder *d, uint32_t block)
{
	return block == IR_NONE ? NULL : &d->code[d->start[block]];
}

/* A fused branch counts the actions that its target starts with, and goes on behind them. */
static void take_action(const struct decoder *d, struct code *c)
{
	bool fused = false;

	for (unsigned int l = L_beq; l <= L_bge; l++)
		fused |= c->label == d->in->labels[l];
	if (!fused || c->t0->label != d->in->labels[L_action])
		return;
	c->n = c->t0->n;
	c->t0++;
}

static void resolve(struct decoder *d)
{
	const void *jmp = d->in->labels[L_jmp];

	for (uint32_t n = 0; n < d->ncode; n++) {
		struct code *c = &d->code[n];

		if (c->insn->op == IR_jmp || c->insn->op == IR_br) {
			c->t0 = target(d, c->insn->succ[0]);
			c->t1 = target(d, c->insn->succ[1]);
		} else {
			c->t0 = target(d, c->insn->err);
		}
	}
	for (uint32_t n = 0; n < d->ncode; n++)
		take_action(d, &d->code[n]);
	/* A jump to what ends a block itself does that right away; loops branch once a round. */
	for (uint32_t n = 0; n < d->ncode; n++) {
		struct code *c = &d->code[n];

		if (c->label == jmp && (ir_ops[c->t0->insn->op].flags & IRF_TERM))
			*c = *c->t0;
	}
}

static void decode_layout(struct decoder *d, uint32_t *ncode)
{
	uint32_t noperands = 0, nstrings = 0;

	*ncode = 0;
	for (uint32_t b = 0; b < d->f->blocks.n; b++) {
		const struct ir_block *blk = d->f->blocks.v[b];

		*ncode += blk->insns.n;
		for (uint32_t n = 0; n < blk->insns.n; n++)
			for (uint32_t k = 0; k < blk->insns.v[n].nargs; k++)
				noperands += blk->insns.v[n].args[k].kind != IRV_REG;
	}
	d->own = arena_alloc(&d->in->arena, d->f->regs.n * sizeof(*d->own) + 1);
	d->out->first_const = d->f->regs.n;
	d->out->first_own = d->out->first_const + noperands;
	for (uint32_t r = 0; r < d->f->regs.n; r++)
		if (d->f->regs.v[r] == IR_STR)
			d->own[r] = d->out->first_own + nstrings++;
	d->out->nown = nstrings;
	d->out->nslots = d->out->first_own + nstrings + 1;
	d->consts = arena_alloc(&d->in->arena, noperands * sizeof(*d->consts) + 1);
}

static void decode_func(struct interp *in, const struct ir_func *f, struct ifunc *out)
{
	struct decoder d = { .in = in, .f = f, .out = out };
	uint32_t ncode;

	out->f = f;
	decode_layout(&d, &ncode);
	/* One more: a block that only jumps to the next one leaves nothing, even as the last. */
	d.code = arena_alloc(&in->arena, (ncode + 1) * sizeof(*d.code));
	d.start = arena_alloc(&in->arena, (f->blocks.n + 1) * sizeof(*d.start));
	for (uint32_t b = 0; b < f->blocks.n; b++)
		decode_block(&d, b);
	resolve(&d);
	out->code = d.code;
	out->consts = d.consts;
}

void interp_decode(struct interp *in)
{
	in->funcs = arena_alloc(&in->arena, in->m->funcs.n * sizeof(*in->funcs) + 1);
	for (uint32_t i = 0; i < in->m->funcs.n; i++)
		decode_func(in, in->m->funcs.v[i], &in->funcs[i]);
}
