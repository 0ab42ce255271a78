/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program around a handler's body: filter, exit flag, scratch slot, locks; then the body in
 * line or a loop over the state machine's steps; then error report and release.
 */
#include "bpf/gen.h"

struct prog_labels {
	uint32_t out, skip_nest, skip_lock;
};

static void count(struct gen *g, int off)
{
	ba_ld_data(g->as, R1, (uint32_t)off);
	ba_movi(g->as, R2, 1);
	ba_xadd(g->as, BPF_DW, R1, 0, R2);
}

static void emit_filters(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	track_filter(g, p, out);
	ba_ld_data(g->as, R1, BD_EXITING);
	ba_ld(g->as, BPF_W, R1, R1, 0);
	ba_ji(g->as, BPF_JNE, R1, 0, out);
}

/* R9 = a free slot of this CPU. R6: its number, R7: level, R8: CPU. */
static void emit_take_slot(struct gen *g, const struct prog_labels *l)
{
	uint32_t got = ba_label(g->as);

	ba_call(g->as, BPF_FUNC_get_smp_processor_id);
	ba_mov(g->as, R8, R0);
	ba_mov(g->as, R6, R0);
	ba_alui(g->as, BPF_MUL, R6, BPF_LEVELS);
	for (int level = 0; level < BPF_LEVELS; level++) {
		ba_st(g->as, BPF_W, FP, FRAME_IDX, R6);
		ba_ld_map(g->as, R1, g->u->map_scratch);
		ba_mov(g->as, R2, FP);
		ba_alui(g->as, BPF_ADD, R2, FRAME_IDX);
		ba_call(g->as, BPF_FUNC_map_lookup_elem);
		ba_ji(g->as, BPF_JEQ, R0, 0, l->skip_nest);
		ba_movi(g->as, R7, level);
		g_try(g, R0, SH_BUSY, got);
		ba_alui(g->as, BPF_ADD, R6, 1);
	}
	ba_ja(g->as, l->skip_nest);
	ba_place(g->as, got);
	ba_mov(g->as, R9, R0);
}

static void emit_init_slot(struct gen *g)
{
	if (ir_attaches[g->u->m->probes.v[g->h->probe]->kind].flags & ATF_PROC) {
		ba_ld(g->as, BPF_DW, R1, FP, FRAME_TASK);
		ba_st(g->as, BPF_DW, R9, SH_TASK, R1);
	}
	ba_st(g->as, BPF_W, R9, SH_IDX, R6);
	ba_st(g->as, BPF_W, R9, SH_CPU, R8);
	ba_st(g->as, BPF_W, R9, SH_LEVEL, R7);
	ba_sti(g->as, BPF_DW, R9, SH_ACTIONS, 0);
	ba_sti(g->as, BPF_DW, R9, SH_ERR_KIND, ERR_NONE);
	if (g->h->exits)
		ba_sti(g->as, BPF_DW, R9, SH_EXIT, 0);
	if (g->u->slot.tokens) {
		ba_sti(g->as, BPF_DW, R9, SH_TOKEN_AT, 0);
		g_str_clear(g, g->u->slot.token);
	}
	if (g->u->slot.captures)
		ba_sti(g->as, BPF_DW, R9, (int)g->u->slot.match + SM_NGROUPS, 0);
}

static void emit_unlock(struct gen *g, const struct ir_lock *lock)
{
	ba_ld_data(g->as, R1, g->u->lay.g[lock->global].lock);
	ba_movi(g->as, R2, lock->write ? -BPF_WRITER : -1);
	ba_xadd(g->as, BPF_W, R1, 0, R2);
}

/*
 * One try in line, the spinning in a routine. On failure those already taken are released in
 * reverse.
 */
static void emit_locks(struct gen *g, const struct ir_probe *p, uint32_t skip)
{
	uint32_t *undo = arena_alloc(g->u->arena, sizeof(*undo) * (p->locks.n + 1)),
		 done = ba_label(g->as);

	if (!p->locks.n)
		return;
	for (uint32_t k = 0; k < p->locks.n; k++) {
		uint32_t got = ba_label(g->as);
		int32_t add = p->locks.v[k].write ? BPF_WRITER : 1;
		/* with fewer than this before it is had: a writer goes with nobody, a reader with readers */
		int32_t others = p->locks.v[k].write ? 1 : BPF_WRITER;

		undo[k] = k ? ba_label(g->as) : skip;
		ba_ld_data(g->as, R1, g->u->lay.g[p->locks.v[k].global].lock);
		ba_movi(g->as, R2, add);
		ba_xadd(g->as, BPF_W, R1, 0, R2);
		ba_ld(g->as, BPF_W, R0, R1, 0);
		ba_ji(g->as, BPF_JLT, R0, add + others, got);
		ba_movi(g->as, R1, g->u->lay.g[p->locks.v[k].global].lock);
		ba_movi(g->as, R2, add);
		ba_movi(g->as, R3, others);
		ba_call_fn(g->as, rt_get(g->u, RT_LOCK));
		ba_ji(g->as, BPF_JEQ, R0, 0, undo[k]);
		ba_place(g->as, got);
	}
	ba_ja(g->as, done);
	for (uint32_t k = p->locks.n; k-- > 1;) {
		ba_place(g->as, undo[k]);
		emit_unlock(g, &p->locks.v[k - 1]);
	}
	ba_ja(g->as, skip);
	ba_place(g->as, done);
}

/* What the kernel calls the context of a program, and global functions that are given one. */
static const char *ctx_type(enum ir_attach kind)
{
	switch (kind) {
	case AT_PROFILE:
		return "bpf_perf_event_data";
	case AT_TRACEPOINT:
		return "bpf_raw_tracepoint_args";
	default:
		return "bpf_user_pt_regs_t";
	}
}

/*
 * Enough for what MAXACTION allows, an action being some steps at most; but no handler may keep its
 * CPU longer than rt_loop() can go on, 56 million steps.
 */
static uint64_t max_steps(const struct gen *g)
{
	return ((uint64_t)g->u->m->limits.maxaction + 1024) * (3 + g->h->chunks.n);
}

static uint32_t emit_steps(struct gen *g, uint32_t *times)
{
	struct gen s = { .u = g->u, .h = g->h };
	uint32_t step = emit_chunks(&s);

	if (g->h->uses_ctx) {
		const char *type = ctx_type(g->u->m->probes.v[g->h->probe]->kind);

		g->u->fns.v[step]->ctx = type;
		for (uint32_t k = 0; k < g->h->chunks.n; k++)
			g->u->fns.v[g->h->chunks.v[k].fn]->ctx = type;
	}
	return rt_loop_part(g->u, step, max_steps(g), times);
}

/* Calls @fn up to @times times, until it yields 1. */
static void emit_loop(struct gen *g, uint32_t fn, uint32_t times)
{
	uint32_t loop = ba_label(g->as), end = ba_label(g->as);

	ba_movi(g->as, R6, times);
	ba_place(g->as, loop);
	if (g->h->uses_ctx)
		g_ctx(g, R1);
	else
		ba_movi(g->as, R1, 0);
	ba_ld(g->as, BPF_W, R2, R9, SH_IDX);
	ba_call_fn(g->as, fn);
	ba_ji(g->as, BPF_JNE, R0, 0, end);
	ba_alui(g->as, BPF_SUB, R6, 1);
	ba_ji(g->as, BPF_JNE, R6, 0, loop);
	ba_place(g->as, end);
}

static void emit_machine(struct gen *g)
{
	uint32_t times, fn = emit_steps(g, &times), ended = ba_label(g->as);

	ba_sti(g->as, BPF_W, R9, SH_STATE, (int32_t)g->h->fns.v[0]->state[0]);
	ba_sti(g->as, BPF_DW, R9, SH_DONE, DONE_RUNNING);
	ba_sti(g->as, BPF_DW, R9, SH_SP, 0);
	ba_sti(g->as, BPF_DW, R9, SH_DEPTH, 0);
	ba_sti(g->as, BPF_DW, R9, SH_ITERS, 0);
	iter_init(g, g->h->fns.v[0]);
	emit_loop(g, fn, times);
	ba_ld(g->as, BPF_DW, R1, R9, SH_DONE);
	ba_ji(g->as, BPF_JEQ, R1, DONE_OK, g->l_done);
	ba_ji(g->as, BPF_JEQ, R1, DONE_FAILED, ended);
	/* out of steps: a loop that counts no actions */
	ba_sti(g->as, BPF_DW, R9, SH_ERR_KIND, ERR_ACTION);
	ba_sti(g->as, BPF_DW, R9, SH_ERR_OPERAND, 0);
	ba_sti(g->as, BPF_DW, R9, SH_ERR_LOC, 0);
	ba_place(g->as, ended);
	ba_ja(g->as, g->l_failed);
}

/* libbpf's section names: the kind decides the program type. */
static const char *section_name(struct unit *u, const struct ir_probe *p)
{
	switch (p->kind) {
	case AT_PROC_BEGIN:
	case AT_PROC_END:
	case AT_THREAD_BEGIN:
	case AT_THREAD_END:
		return "raw_tp"; /* the loader attaches it to several */
	case AT_PROFILE:
		return "perf_event";
	case AT_TRACEPOINT:
		return arena_printf(u->arena, "raw_tp/%s", p->target);
	case AT_KPROBE:
		return arena_printf(u->arena, "kprobe/%s", p->target);
	case AT_KRETPROBE:
		return arena_printf(u->arena, "kretprobe/%s", p->target);
	case AT_URETPROBE:
		return "uretprobe";
	default:
		return "uprobe";
	}
}

/* Later hits return at once; staprun ends the session when the record arrives. */
static void end_session(struct gen *g)
{
	rec_begin(g, REC_EXIT, 0);
	rec_send(g, sizeof(struct rec));
	ba_ld_data(g->as, R1, BD_EXITING);
	ba_sti(g->as, BPF_W, R1, 0, 1);
}

static void emit_exit(struct gen *g)
{
	uint32_t stay = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_EXIT);
	ba_ji(g->as, BPF_JEQ, R1, 0, stay);
	end_session(g);
	ba_place(g->as, stay);
}

/*
 * Returns 0, or 1 when the array is full. A statistic's value can only be written as a whole from
 * user space, which would undo what handlers add at the same time.
 */
void emit_user_add(struct unit *u, uint32_t global)
{
	uint32_t fn =
		unit_fn(u, arena_printf(u->arena, "user_add_%u", global), FN_PROG, "raw_tp", 1);
	struct handler none = { .probe = 0 };
	struct gen g = { .u = u, .h = &none, .as = &u->fns.v[fn]->as };
	uint32_t fail = ba_label(g.as), release = ba_label(g.as);
	struct prog_labels l = { .skip_nest = ba_label(g.as) };

	ba_st(g.as, BPF_DW, FP, FRAME_CTX, R1);
	emit_take_slot(&g, &l);
	emit_init_slot(&g);
	g_slot_addr(&g, R1, u->slot.key);
	ba_movi(g.as, R2, u->lay.g[global].key_size);
	ba_ld_data(g.as, R3, u->lay.stage);
	ba_call(g.as, BPF_FUNC_probe_read_kernel);
	g_stat_part(&g, global, fail);
	ba_ld(g.as, BPF_DW, R1, FP, FRAME_CTX);
	ba_ld(g.as, BPF_DW, R3, R1, 0);
	g_accumulate(&g, global);
	ba_movi(g.as, R0, 0);
	ba_place(g.as, release);
	g_release(&g, R9, SH_BUSY);
	ba_exit(g.as);
	ba_place(g.as, fail);
	ba_movi(g.as, R0, 1);
	ba_ja(g.as, release);
	ba_place(g.as, l.skip_nest);
	ba_movi(g.as, R0, 2);
	ba_exit(g.as);
}

/* A hit that did not get its locks. Too many end the session, as exit() does. */
static void emit_skip(struct gen *g)
{
	uint32_t within = ba_label(g->as);

	count(g, BD_SKIP_LOCK);
	ba_ld_data(g->as, R1, BD_SKIP_LOCK);
	ba_ld(g->as, BPF_DW, R1, R1, 0);
	ba_ji(g->as, BPF_JLE, R1, (int32_t)g->u->m->limits.maxskipped, within);
	end_session(g);
	ba_place(g->as, within);
}

static void emit_stubs(struct unit *u, const struct handler *h)
{
	for (uint32_t k = h->probe; h->nsites > 1 && k < u->m->probes.n; k++)
		if (u->groups[k].leader == h->probe)
			emit_site_stub(u, k, section_name(u, u->m->probes.v[k]));
}

void emit_program(struct unit *u, struct handler *h)
{
	const struct ir_probe *p = u->m->probes.v[h->probe];
	uint32_t fn = unit_fn(u, arena_printf(u->arena, "%s_%u", h->found ? "found" : "probe", h->probe),
			      FN_PROG, h->found ? "iter/task" : section_name(u, p), 1);
	struct gen g = { .u = u, .h = h, .as = &u->fns.v[fn]->as };
	struct prog_labels l = { ba_label(g.as), ba_label(g.as), ba_label(g.as) };
	uint32_t release = ba_label(g.as);

	g.l_done = ba_label(g.as);
	g.l_failed = ba_label(g.as);
	ba_st(g.as, BPF_DW, FP, FRAME_CTX, R1);
	emit_filters(&g, p, l.out);
	emit_take_slot(&g, &l);
	emit_init_slot(&g);
	emit_site(&g);
	emit_locks(&g, p, l.skip_lock);
	if (h->machine)
		emit_machine(&g);
	else
		emit_bodies(&g);
	ba_place(g.as, g.l_failed);
	g_probe_number(&g, R2);
	g_call_rt(&g, RT_ERROR);
	ba_place(g.as, g.l_done);
	if (h->iterates)
		g_call_rt(&g, RT_ITER_CLOSE);
	if (h->exits)
		emit_exit(&g);
	for (uint32_t k = p->locks.n; k-- > 0;)
		emit_unlock(&g, &p->locks.v[k]);
	ba_place(g.as, release);
	g_release(&g, R9, SH_BUSY);
	ba_place(g.as, l.out);
	ba_movi(g.as, R0, 0);
	ba_exit(g.as);
	ba_place(g.as, l.skip_lock);
	emit_skip(&g);
	ba_ja(g.as, release);
	ba_place(g.as, l.skip_nest);
	count(&g, BD_SKIP_NEST);
	ba_ja(g.as, l.out);
	emit_stubs(u, h);
}
