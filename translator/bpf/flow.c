/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handler bodies: blocks in order, jumps, error exits, calls. In a state machine a transition
 * stores the number of the next state and ends the step; the dispatcher at the top of the next step
 * jumps to that state's label.
 */
#include "bpf/gen.h"

static uint32_t new_state(struct gen *g, uint32_t chunk, uint32_t label)
{
	struct chunk *c = &g->h->chunks.v[chunk];

	vec_push(g->u->arena, &c->states, label);
	return chunk << 16 | (c->states.n - 1);
}

/* Returns to the loop: 0 for another step, 1 for the end. */
static void leave_step(struct gen *g, int32_t r)
{
	ba_movi(g->as, R0, r);
	ba_exit(g->as);
}

/* A back edge, or into another chunk. */
static bool is_transition(const struct gen *g, uint32_t block)
{
	return g->fg->rank[block] <= g->rank || g->fg->chunk[block] != g->chunk;
}

static bool falls_through(const struct gen *g, uint32_t block)
{
	return g->fg->rank[block] == g->rank + 1 && !is_transition(g, block);
}

void emit_goto_block(struct gen *g, uint32_t block)
{
	if (is_transition(g, block)) {
		ba_sti(g->as, BPF_W, R9, SH_STATE, (int32_t)g->fg->state[block]);
		leave_step(g, 0);
		return;
	}
	ba_ja(g->as, g->fg->label[block]);
}

uint32_t emit_stub(struct gen *g, const struct ir_insn *i, enum ir_error kind, int64_t operand)
{
	struct stub s = { .label = ba_label(g->as),
			  .insn = i,
			  .rank = g->rank,
			  .kind = kind,
			  .operand = operand };

	vec_push(g->u->arena, &g->stubs, s);
	return s.label;
}

uint32_t emit_stub_arg(struct gen *g, const struct ir_insn *i, enum ir_error kind, uint32_t arg)
{
	uint32_t label = emit_stub(g, i, kind, 0);

	g->stubs.v[g->stubs.n - 1].operand_arg = arg + 1;
	return label;
}

static void flush_stubs(struct gen *g)
{
	for (uint32_t k = 0; k < g->stubs.n; k++) {
		const struct stub *s = &g->stubs.v[k];

		ba_place(g->as, s->label);
		if (s->operand_arg)
			g_load(g, R1, &s->insn->args[s->operand_arg - 1]);
		else
			ba_movi(g->as, R1, s->operand);
		ba_st(g->as, BPF_DW, R9, SH_ERR_OPERAND, R1);
		ba_sti(g->as, BPF_DW, R9, SH_ERR_KIND, (int32_t)s->kind);
		ba_sti(g->as, BPF_DW, R9, SH_ERR_LOC, (int32_t)s->insn->loc);
		g->rank = s->rank;
		emit_goto_block(g, s->insn->err);
	}
	g->stubs.n = 0;
}

void em_jmp(struct gen *g, const struct ir_insn *i)
{
	if (!falls_through(g, i->succ[0]))
		emit_goto_block(g, i->succ[0]);
}

/* Jumps to succ[0] when a condition that is already emitted as "skip when false" holds. */
static void branch_tail(struct gen *g, const struct ir_insn *i, uint32_t l_false)
{
	emit_goto_block(g, i->succ[0]);
	ba_place(g->as, l_false);
	if (!falls_through(g, i->succ[1]))
		emit_goto_block(g, i->succ[1]);
}

/* The conditional jump @op over @a and @b (register, or immediate when @imm). */
static void cond(struct gen *g, int op, int a, int b, bool imm, uint32_t label)
{
	if (imm)
		ba_ji(g->as, op, a, b, label);
	else
		ba_j(g->as, op, a, b, label);
}

static const struct {
	int op, inverse;
} compare_ops[IR_OP_COUNT] = {
	[IR_eq] = { BPF_JEQ, BPF_JNE },   [IR_ne] = { BPF_JNE, BPF_JEQ },
	[IR_lt] = { BPF_JSLT, BPF_JSGE }, [IR_le] = { BPF_JSLE, BPF_JSGT },
	[IR_gt] = { BPF_JSGT, BPF_JSLE }, [IR_ge] = { BPF_JSGE, BPF_JSLT },
};

/* br with the condition op(a, b). */
static void branch_on(struct gen *g, const struct ir_insn *br, int op, int inverse, int a, int b,
		      bool imm)
{
	uint32_t l;

	if (!is_transition(g, br->succ[0]) && falls_through(g, br->succ[1])) {
		cond(g, op, a, b, imm, g->fg->label[br->succ[0]]);
		return;
	}
	if (!is_transition(g, br->succ[1]) && falls_through(g, br->succ[0])) {
		cond(g, inverse, a, b, imm, g->fg->label[br->succ[1]]);
		return;
	}
	l = ba_label(g->as);
	cond(g, inverse, a, b, imm, l);
	branch_tail(g, br, l);
}

void em_br(struct gen *g, const struct ir_insn *i)
{
	branch_on(g, i, BPF_JNE, BPF_JEQ, g_use(g, &i->args[0], R0), 0, true);
}

/* Operands of a comparison in registers, the second as an immediate where it fits. */
static void compare_args(struct gen *g, const struct ir_insn *i, int *a, int *b, bool *imm)
{
	*a = g_use(g, &i->args[0], R0);
	*imm = i->args[1].kind == IRV_INT && i->args[1].num == (int32_t)i->args[1].num;
	*b = *imm ? (int)i->args[1].num : g_use(g, &i->args[1], R1);
}

static void compare_value(struct gen *g, const struct ir_insn *i)
{
	uint32_t l = ba_label(g->as);
	bool imm;
	int a, b;

	compare_args(g, i, &a, &b, &imm);
	ba_movi(g->as, R2, 1);
	cond(g, compare_ops[i->op].op, a, b, imm, l);
	ba_movi(g->as, R2, 0);
	ba_place(g->as, l);
	g_done(g, i->dst, R2);
}

void em_eq(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

void em_ne(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

void em_lt(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

void em_le(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

void em_gt(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

void em_ge(struct gen *g, const struct ir_insn *i)
{
	compare_value(g, i);
}

/*
 * A comparison right before the branch on it: one jump. Its result is stored too, unless it dies
 * here.
 */
static bool fuse_branch(struct gen *g, const struct ir_insn *i, const struct ir_insn *next)
{
	bool imm;
	int a, b;

	if (!compare_ops[i->op].op || next->op != IR_br || next->args[0].kind != IRV_REG ||
	    next->args[0].reg != i->dst || !g->fg->fused[i->dst])
		return false;
	compare_args(g, i, &a, &b, &imm);
	branch_on(g, next, compare_ops[i->op].op, compare_ops[i->op].inverse, a, b, imm);
	return true;
}

/* How a handler ends. */
static void end_handler(struct gen *g, enum done_state how)
{
	if (!g->h->machine) {
		ba_ja(g->as, how == DONE_OK ? g->l_done : g->l_failed);
		return;
	}
	ba_sti(g->as, BPF_DW, R9, SH_DONE, how);
	leave_step(g, 1);
}

void em_done(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	end_handler(g, DONE_OK);
}

/*
 * A call's frame on the slot's stack, from the stack pointer up: the callee's window as an outer
 * activation left it, then the state to return to and the one for an error.
 */
enum { CALL_RET = 0, CALL_ERR = 8, CALL_BYTES = 16 };

static void stack_pos(struct gen *g, int reg, uint32_t fail)
{
	ba_ld(g->as, BPF_DW, reg, R9, SH_SP);
	ba_ji(g->as, BPF_JGT, reg, (int32_t)(g->u->slot.stack_size - g->u->slot.frame_max), fail);
	ba_alui(g->as, BPF_ADD, reg, (int32_t)g->u->slot.stack);
	ba_alu(g->as, BPF_ADD, reg, R9);
}

/* Ends the callee's activation and continues at the caller's state @which. */
static void leave_function(struct gen *g, int which)
{
	uint32_t win = g->fg->win_size, bad = ba_label(g->as);

	iter_close_all(g);
	ba_ld(g->as, BPF_DW, R1, R9, SH_SP);
	ba_alui(g->as, BPF_SUB, R1, (int32_t)(win + CALL_BYTES));
	ba_st(g->as, BPF_DW, R9, SH_SP, R1);
	if (g->fg->f->recursive) {
		ba_ld(g->as, BPF_DW, R1, R9, SH_DEPTH);
		ba_alui(g->as, BPF_SUB, R1, 1);
		ba_st(g->as, BPF_DW, R9, SH_DEPTH, R1);
	}
	stack_pos(g, R6, bad);
	ba_mov(g->as, R1, R6);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)win);
	ba_ld(g->as, BPF_DW, R2, R1, which);
	ba_st(g->as, BPF_W, R9, SH_STATE, R2);
	if (win) {
		g_slot_addr(g, R1, g->fg->home_base);
		ba_movi(g->as, R2, win);
		ba_mov(g->as, R3, R6);
		ba_call(g->as, BPF_FUNC_probe_read_kernel);
	}
	leave_step(g, 0);
	ba_place(g->as, bad);
	end_handler(g, DONE_FAILED);
}

void em_abort(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	if (g->fg->f->is_handler)
		end_handler(g, DONE_FAILED);
	else
		leave_function(g, CALL_ERR);
}

void em_ret(struct gen *g, const struct ir_insn *i)
{
	if (i->nargs && g->fg->f->ret == IR_STR) {
		g_copy_str(g, g->u->slot.retstr, &i->args[0]);
	} else if (i->nargs) {
		g_load(g, R1, &i->args[0]);
		ba_st(g->as, BPF_DW, R9, SH_RET, R1);
	}
	leave_function(g, CALL_RET);
}

/* Arguments go to a staging area first: the callee's window may be the caller's own. */
static void stage_args(struct gen *g, const struct ir_insn *i, const struct ir_func *callee)
{
	uint32_t nstr = 0;

	for (uint32_t k = 0; k < i->nargs; k++) {
		if (callee->regs.v[k] == IR_STR) {
			g_copy_str(g, g->u->slot.argstr + nstr++ * g->u->lay.strsz, &i->args[k]);
		} else {
			g_load(g, R1, &i->args[k]);
			ba_st(g->as, BPF_DW, R9, SH_ARG + 8 * (int)k, R1);
		}
	}
}

static void unstage_args(struct gen *g, const struct ir_insn *i, const struct fngen *callee)
{
	uint32_t nstr = 0;

	for (uint32_t k = 0; k < i->nargs; k++) {
		uint32_t idx = callee->loc[k].idx;

		if (callee->f->regs.v[k] == IR_STR) {
			g_slot_addr(g, R3, g->u->slot.argstr + nstr++ * g->u->lay.strsz);
			g_read_str(g, callee->str_base + idx * g->u->lay.strsz);
		} else {
			ba_ld(g->as, BPF_DW, R1, R9, SH_ARG + 8 * (int)k);
			g_slot_st(g, BPF_DW, callee->home_base + 8 * idx, R1);
		}
	}
}

static void push_frame(struct gen *g, const struct ir_insn *i, const struct fngen *callee,
		       uint32_t ret, uint32_t err)
{
	uint32_t nesting = emit_stub(g, i, ERR_NESTING, 0);

	if (callee->f->recursive) {
		ba_ld(g->as, BPF_DW, R1, R9, SH_DEPTH);
		ba_ji(g->as, BPF_JGE, R1, (int32_t)g->u->m->limits.maxnesting, nesting);
	}
	stage_args(g, i, callee->f);
	stack_pos(g, R6, nesting);
	if (callee->win_size) {
		ba_mov(g->as, R1, R6);
		ba_movi(g->as, R2, callee->win_size);
		g_slot_addr(g, R3, callee->home_base);
		ba_call(g->as, BPF_FUNC_probe_read_kernel);
	}
	iter_init(g, callee);
	ba_alui(g->as, BPF_ADD, R6, (int32_t)callee->win_size);
	ba_sti(g->as, BPF_DW, R6, CALL_RET, (int32_t)ret);
	ba_sti(g->as, BPF_DW, R6, CALL_ERR, (int32_t)err);
	ba_ld(g->as, BPF_DW, R1, R9, SH_SP);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)(callee->win_size + CALL_BYTES));
	ba_st(g->as, BPF_DW, R9, SH_SP, R1);
	if (callee->f->recursive) {
		ba_ld(g->as, BPF_DW, R1, R9, SH_DEPTH);
		ba_alui(g->as, BPF_ADD, R1, 1);
		ba_st(g->as, BPF_DW, R9, SH_DEPTH, R1);
	}
}

/* Appends the call's place to the error's list. */
static void note_failed_call(struct gen *g, uint32_t loc)
{
	uint32_t full = ba_label(g->as);

	ba_ld(g->as, BPF_W, R1, R9, SH_ERR_NCALLS);
	ba_mov(g->as, R3, R1);
	ba_alui(g->as, BPF_ADD, R3, 1);
	ba_st(g->as, BPF_W, R9, SH_ERR_NCALLS, R3);
	ba_ji(g->as, BPF_JGE, R1, REC_FRAMES, full);
	ba_alui(g->as, BPF_LSH, R1, 2);
	ba_mov(g->as, R2, R9);
	ba_alu(g->as, BPF_ADD, R2, R1);
	ba_sti(g->as, BPF_W, R2, SH_ERR_CALLS, (int32_t)loc);
	ba_place(g->as, full);
}

void em_call(struct gen *g, const struct ir_insn *i)
{
	const struct fngen *callee = g->h->fns.v[g->h->fn_of[i->ref]];
	uint32_t l_ret = ba_label(g->as), l_err = ba_label(g->as);
	uint32_t ret = new_state(g, g->chunk, l_ret), err = new_state(g, g->chunk, l_err);

	push_frame(g, i, callee, ret, err);
	unstage_args(g, i, callee);
	ba_sti(g->as, BPF_W, R9, SH_STATE, (int32_t)callee->state[0]);
	leave_step(g, 0);
	ba_place(g->as, l_err);
	note_failed_call(g, i->loc);
	emit_goto_block(g, i->err);
	ba_place(g->as, l_ret);
	if (g_dead(g, i->dst))
		return;
	if (callee->f->ret == IR_STR) {
		g_slot_addr(g, R3, g->u->slot.retstr);
		g_read_str(g, g_str_of(g, i->dst));
	} else {
		ba_ld(g->as, BPF_DW, R0, R9, SH_RET);
		g_done(g, i->dst, R0);
	}
}

/* R9 = the slot of a function that is given its number as the second argument. */
static void find_slot(struct bpf_asm *as, uint32_t scratch)
{
	uint32_t ok = ba_label(as);

	ba_st(as, BPF_W, FP, FRAME_IDX, R2);
	ba_ld_map(as, R1, scratch);
	ba_mov(as, R2, FP);
	ba_alui(as, BPF_ADD, R2, FRAME_IDX);
	ba_call(as, BPF_FUNC_map_lookup_elem);
	ba_ji(as, BPF_JNE, R0, 0, ok);
	ba_movi(as, R0, 1);
	ba_exit(as);
	ba_place(as, ok);
	ba_mov(as, R9, R0);
}

static uint32_t new_step(struct gen *g, const char *what, uint32_t n)
{
	return unit_fn(g->u, arena_printf(g->u->arena, "%s_%u_%u", what, g->h->probe, n), FN_GLOBAL,
		       NULL, 2);
}

static void enter_chunk(struct gen *g, uint32_t chunk)
{
	struct chunk *c = &g->h->chunks.v[chunk];

	g->chunk = chunk;
	g->as = &g->u->fns.v[c->fn]->as;
	ba_st(g->as, BPF_DW, FP, FRAME_CTX, R1);
	find_slot(g->as, g->u->map_scratch);
	c->l_dispatch = ba_label(g->as);
	ba_ja(g->as, c->l_dispatch);
}

static void emit_function(struct gen *g, struct fngen *fg)
{
	g->fg = fg;
	for (uint32_t k = 0; k < fg->norder; k++) {
		const struct ir_block *b = fg->f->blocks.v[fg->order[k]];

		g->rank = k;
		if (fg->chunk[fg->order[k]] != g->chunk) {
			flush_stubs(g);
			enter_chunk(g, fg->chunk[fg->order[k]]);
			g->rank = k;
		}
		ba_place(g->as, fg->label[fg->order[k]]);
		for (uint32_t n = 0; n < b->insns.n; n++) {
			const struct ir_insn *i = &b->insns.v[n];

			if (n + 1 < b->insns.n && fuse_branch(g, i, &b->insns.v[n + 1]))
				break;
			if (!outline(g, i))
				bpf_emitters[i->op](g, i);
		}
	}
	flush_stubs(g);
}

/* Jumps to the label of the number in R0: a search tree, so that many cost few tests. */
static void dispatch(struct bpf_asm *as, const uint32_t *labels, uint32_t from, uint32_t to)
{
	uint32_t mid = from + (to - from) / 2, upper;

	if (to - from == 1) {
		ba_ja(as, labels[from]);
		return;
	}
	upper = ba_label(as);
	ba_ji(as, BPF_JGE, R0, (int32_t)mid, upper);
	dispatch(as, labels, from, mid);
	ba_place(as, upper);
	dispatch(as, labels, mid, to);
}

void emit_bodies(struct gen *g)
{
	for (uint32_t k = 0; k < g->h->fns.n; k++) {
		struct fngen *fg = g->h->fns.v[k];

		for (uint32_t b = 0; b < fg->norder; b++) {
			uint32_t block = fg->order[b], chunk = fg->chunk[block];

			if (g->h->machine)
				g->as = &g->u->fns.v[g->h->chunks.v[chunk].fn]->as;
			fg->label[block] = ba_label(g->as);
			if (g->h->machine && fg->state[block] != IR_NONE)
				fg->state[block] = new_state(g, chunk, fg->label[block]);
		}
	}
	if (g->h->machine)
		enter_chunk(g, 0);
	for (uint32_t k = 0; k < g->h->fns.n; k++)
		emit_function(g, g->h->fns.v[k]);
}

/* The function that makes one step calls the chunk that the state is in. */
static uint32_t emit_choice(struct gen *g)
{
	struct handler *h = g->h;
	uint32_t fn = new_step(g, "step", 0), *labels;
	struct bpf_asm *as = &g->u->fns.v[fn]->as;

	labels = arena_alloc(g->u->arena, sizeof(*labels) * h->chunks.n);
	ba_mov(as, R6, R1);
	ba_mov(as, R7, R2);
	find_slot(as, g->u->map_scratch);
	ba_ld(as, BPF_W, R0, R9, SH_STATE);
	ba_alui(as, BPF_RSH, R0, 16);
	for (uint32_t k = 0; k < h->chunks.n; k++)
		labels[k] = ba_label(as);
	dispatch(as, labels, 0, h->chunks.n);
	for (uint32_t k = 0; k < h->chunks.n; k++) {
		ba_place(as, labels[k]);
		ba_mov(as, R1, R6);
		ba_mov(as, R2, R7);
		ba_call_fn(as, h->chunks.v[k].fn);
		ba_exit(as);
	}
	return fn;
}

uint32_t emit_chunks(struct gen *g)
{
	struct handler *h = g->h;

	for (uint32_t k = 0; k < h->chunks.n; k++)
		h->chunks.v[k].fn = new_step(g, "chunk", k);
	emit_bodies(g);
	for (uint32_t k = 0; k < h->chunks.n; k++) {
		struct bpf_asm *as = &g->u->fns.v[h->chunks.v[k].fn]->as;

		ba_place(as, h->chunks.v[k].l_dispatch);
		ba_ld(as, BPF_W, R0, R9, SH_STATE);
		ba_alui(as, BPF_AND, R0, 0xffff);
		dispatch(as, h->chunks.v[k].states.v, 0, h->chunks.v[k].states.n);
	}
	return h->chunks.n == 1 ? h->chunks.v[0].fn : emit_choice(g);
}
