/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a function was called from certain places: its return address, and for longer chains those of its callers,
 * compared with addresses known from debug information. All of them are compared as distances from the probed
 * instruction, so that it does not matter where the binary was loaded.
 */
#include "elaborate/internal.h"

#define FRAME_POINTER 6 /* DWARF numbers (x86-64) */
#define STACK_POINTER 7
#define INSTRUCTION 16

/*
 * The kernel tells a kprobe's address with up to five bytes more: the breakpoint's, and an instruction for indirect
 * branches that it steps over. No call is as short.
 */
#define KPROBE_SLACK 5
#define KPROBE_MASK 7

struct walk {
	struct lower *l;
	const struct probe_callers *top;
	struct span at;
	bool user;
	uint32_t ip, slot,
		fp; /* registers: of the hit; where the return address is; the frame pointer */
	uint32_t yes, no; /* blocks */
};

static struct ir_val machine_reg(struct lower *l, uint32_t number)
{
	uint32_t r = lower_temp(l, IR_I64);

	lower_insn(l, IR_reg, r, NULL, 0)->imm = number;
	return ir_reg(r);
}

static struct ir_val load_word(struct walk *w, struct ir_val addr)
{
	uint32_t r = lower_temp(w->l, IR_I64);
	struct ir_insn *i = lower_insn(w->l, IR_load, r, &addr, 1);

	i->imm = IR_MEM(8, false) | (w->user ? IR_USER : IR_KERNEL);
	i->loc = lower_loc(w->l, w->at);
	return ir_reg(r);
}

static struct ir_val plus(struct walk *w, struct ir_val v, int64_t n)
{
	return n ? lower_op2(w->l, IR_add, v, ir_num(n), w->at) : v;
}

/* Leaves where the return address lies in w->slot, and the caller's frame pointer in w->fp. */
static void unwind(struct walk *w, struct ir_val sp, const struct probe_frame *f)
{
	struct lower *l = w->l;
	struct ir_val cfa = plus(w, f->by_fp ? ir_reg(w->fp) : sp, f->offset);

	if (f->fp_saved)
		lower_move(l, w->fp, load_word(w, plus(w, cfa, f->fp_offset)));
	lower_move(l, w->slot, plus(w, cfa, -8));
}

static void branch(struct lower *l, struct ir_val cond, uint32_t yes, uint32_t no)
{
	struct ir_insn *i = lower_insn(l, IR_br, IR_NONE, &cond, 1);

	i->succ[0] = yes;
	i->succ[1] = no;
}

static struct ir_val is_return_to(struct walk *w, struct ir_val distance, uint64_t pc)
{
	int64_t want = (int64_t)(pc - w->top->pc);

	if (w->user)
		return lower_op2(w->l, IR_eq, distance, ir_num(want), w->at);
	distance = plus(w, distance, KPROBE_SLACK - want);
	distance = lower_op2(w->l, IR_and, distance, ir_num(~(int64_t)KPROBE_MASK), w->at);
	return lower_op2(w->l, IR_eq, distance, ir_num(0), w->at);
}

/* One level: the return address at w->slot is that of one of the calls. Goes on where the next level begins. */
static void walk_level(struct walk *w, const struct probe_callers *c)
{
	struct lower *l = w->l;
	uint32_t up = c->next ? ir_new_block(l->m, l->f) : w->yes;
	struct ir_val d = lower_op2(l, IR_sub, load_word(w, ir_reg(w->slot)), ir_reg(w->ip), w->at);

	for (uint32_t i = 0; i < c->calls.n; i++) {
		uint32_t hit = c->next ? ir_new_block(l->m, l->f) : up;
		uint32_t miss = i + 1 < c->calls.n ? ir_new_block(l->m, l->f) : w->no;

		branch(l, is_return_to(w, d, c->calls.v[i].pc), hit, miss);
		if (c->next) {
			l->cur = hit;
			unwind(w, plus(w, ir_reg(w->slot), 8), &c->calls.v[i].frame);
			lower_jump(l, up);
		}
		l->cur = miss;
	}
	l->cur = up;
}

struct ir_val lower_callers(struct lower *l, const struct probe_callers *c, bool user,
			    struct span at)
{
	struct walk w = { .l = l, .top = c, .at = at, .user = user };
	uint32_t result = lower_temp(l, IR_I64), end = ir_new_block(l->m, l->f), err = l->err,
		 fault = ir_new_block(l->m, l->f);

	w.yes = ir_new_block(l->m, l->f);
	w.no = ir_new_block(l->m, l->f);
	w.ip = lower_temp(l, IR_I64);
	w.slot = lower_temp(l, IR_I64);
	w.fp = lower_temp(l, IR_I64);
	lower_move(l, result, ir_num(0));
	lower_move(l, w.ip, machine_reg(l, INSTRUCTION));
	lower_move(l, w.fp, machine_reg(l, FRAME_POINTER));
	/* a stack that cannot be read is not the one that is looked for */
	l->err = fault;
	unwind(&w, machine_reg(l, STACK_POINTER), &c->at);
	for (; c; c = c->next)
		walk_level(&w, c);
	l->err = err;
	lower_move(l, result, ir_num(1));
	lower_jump(l, end);
	l->cur = fault;
	lower_insn(l, IR_errclear, IR_NONE, NULL, 0);
	lower_jump(l, w.no);
	l->cur = w.no;
	lower_jump(l, end);
	l->cur = end;
	return ir_reg(result);
}
