/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: integer operations and control flow; everything else is a call through code->fn. */
#include "interp_int.h"

#define GO goto * pc->label
#define NEXT                                                                                       \
	pc++;                                                                                      \
	GO

#define BINARY(name, expr)                                                                         \
	l_##name:                                                                                  \
	{                                                                                          \
		int64_t a = r[pc->a].i, b = r[pc->b].i;                                            \
		r[pc->d].i = (expr);                                                               \
		NEXT;                                                                              \
	}
#define UNARY(name, expr)                                                                          \
	l_##name:                                                                                  \
	{                                                                                          \
		int64_t a = r[pc->a].i;                                                            \
		r[pc->d].i = (expr);                                                               \
		NEXT;                                                                              \
	}
/* The fused form also counts the actions at the start of the block it branches to. */
#define COMPARE(name, op)                                                                          \
	BINARY(name, a op b)                                                                       \
	l_b##name : if (r[pc->a].i op r[pc->b].i)                                                  \
	{                                                                                          \
		r[pc->d].i = 1;                                                                    \
		left -= pc->n;                                                                     \
		if (left < 0 && pc->n)                                                             \
			goto spent;                                                                \
		pc = pc->t0;                                                                       \
	}                                                                                          \
	else                                                                                       \
	{                                                                                          \
		r[pc->d].i = 0;                                                                    \
		pc = pc->t1;                                                                       \
	}                                                                                          \
	GO;
#define DIVIDE(name, fn)                                                                           \
	l_##name:                                                                                  \
	{                                                                                          \
		int64_t b = r[pc->b].i;                                                            \
		if (!b) {                                                                          \
			interp_fail(in, pc, ERR_DIV0, 0);                                          \
			goto failed;                                                               \
		}                                                                                  \
		r[pc->d].i = fn(r[pc->a].i, b);                                                    \
		NEXT;                                                                              \
	}

/* Enters a function: NULL when nesting is too deep. Strings are passed by pointer. */
static const struct code *enter(struct interp *in, const struct code *c)
{
	const struct ifunc *f = &in->funcs[c->insn->ref];
	const union slot *from = in->frames[in->depth].r;
	struct frame *fr;

	if (in->depth >= in->maxdepth ||
	    (f->f->recursive && in->nesting >= (uint32_t)in->m->limits.maxnesting)) {
		interp_fail(in, c, ERR_NESTING, 0);
		return NULL;
	}
	in->depth++;
	in->nesting += f->f->recursive;
	fr = &in->frames[in->depth];
	if (fr->f != f)
		interp_frame_setup(in, f);
	fr->call = c;
	for (uint32_t k = 0; k < c->insn->nargs; k++)
		fr->r[k] = from[c->args[k]];
	return f->code;
}

/* Leaves a function with its result; returns the call's code. */
static const struct code *leave(struct interp *in, const struct code *c)
{
	struct frame *fr = &in->frames[in->depth--];
	const struct code *call = fr->call;
	union slot *r = in->frames[in->depth].r;

	in->nesting -= fr->f->f->recursive;
	if (fr->nopen)
		interp_frame_close(fr);
	if (!c->insn->nargs || call->insn->dst == IR_NONE)
		return call;
	if (fr->f->f->ret == IR_STR) {
		const struct istr *from = fr->r[c->a].s;

		istr_set(in, interp_result(r, call), from->s, from->len);
		r[call->d].s = interp_result(r, call);
	} else {
		r[call->d] = fr->r[c->a];
	}
	return call;
}

int interp_exec(struct interp *in, const struct code *pc)
{
#define LABEL(name) &&l_##name,
	static const void *const labels[] = { INTERP_LABELS(LABEL, LABEL) };
#undef LABEL
	const struct code *next;
	int64_t left = in->limit;
	union slot *r;

	if (!pc) {
		in->labels = labels;
		return 0;
	}
	r = in->frames[0].r;
	GO;
	UNARY(mov, a)
	UNARY(neg, (int64_t)(0 - (uint64_t)a))
	UNARY(com, ~a)
	BINARY(add, (int64_t)((uint64_t)a + (uint64_t)b))
	BINARY(sub, (int64_t)((uint64_t)a - (uint64_t)b))
	BINARY(mul, (int64_t)((uint64_t)a * (uint64_t)b))
	BINARY(and, a & b)
	BINARY(or, a | b)
	BINARY(xor, a ^ b)
	BINARY(shl, (int64_t)((uint64_t)a << (b & 63)))
	BINARY(shr, ir_shr(a, b))
	BINARY(ushr, (int64_t)((uint64_t)a >> (b & 63)))
	DIVIDE(div, ir_div)
	DIVIDE(mod, ir_mod)
	COMPARE(eq, ==)
	COMPARE(ne, !=)
	COMPARE(lt, <)
	COMPARE(le, <=)
	COMPARE(gt, >)
	COMPARE(ge, >=)
l_br:
	pc = r[pc->a].i ? pc->t0 : pc->t1;
	GO;
l_jmp:
	pc = pc->t0;
	GO;
l_share:
	r[pc->d] = r[pc->a];
	NEXT;
l_action:
	left -= pc->n;
	if (left >= 0) {
		NEXT;
	}
	interp_fail(in, pc, ERR_ACTION, 0);
	goto failed;
spent:
	/* The failure is that of the action in front of the branch's target. */
	pc = pc->t0 - 1;
	interp_fail(in, pc, ERR_ACTION, 0);
	goto failed;
l_fn:
	if (!pc->fn(in, r, pc)) {
		NEXT;
	}
failed:
	pc = pc->t0;
	GO;
l_call:
	next = enter(in, pc);
	if (!next)
		goto failed;
	pc = next;
	r = in->frames[in->depth].r;
	GO;
l_ret:
	pc = leave(in, pc);
	r = in->frames[in->depth].r;
	NEXT;
l_abort:
	if (!in->depth)
		return 1;
	if (in->frames[in->depth].nopen)
		interp_frame_close(&in->frames[in->depth]);
	in->nesting -= in->frames[in->depth].f->f->recursive;
	pc = in->frames[in->depth--].call;
	if (in->err.ncalls < REC_FRAMES)
		in->err.calls[in->err.ncalls] = pc->insn->loc;
	in->err.ncalls++;
	r = in->frames[in->depth].r;
	goto failed;
l_done:
	return 0;
}
