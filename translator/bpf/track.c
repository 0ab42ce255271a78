/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process a hit belongs to: the table of base/track.h as a map, the programs on the scheduler's tracepoints that
 * keep it, and the filters that ask it. Order of attaching is order of running (runtime-bpf/track.c): on fork and exec the
 * keeper comes before the script's handlers; on exit it comes before them to say who is the last, and the sweeper after.
 */
#include "bpf/gen.h"

#include <stddef.h>

#define PF_EXITING 0x4


struct track {
	struct gen g;
	struct bpf_asm *as;
	uint32_t out;
};

static void open_program(struct track *t, struct unit *u, const char *name, const char *section)
{
	uint32_t fn = unit_fn(u, name, FN_PROG, section, 1);

	*t = (struct track){ .g = { .u = u, .as = &u->fns.v[fn]->as } };
	t->as = t->g.as;
	u->fns.v[fn]->keeper = true;
	t->out = ba_label(t->as);
}

static void close_program(struct track *t)
{
	ba_place(t->as, t->out);
	ba_movi(t->as, R0, 0);
	ba_exit(t->as);
}

void track_read(struct bpf_asm *as, int reg, const char *field, uint32_t size)
{
	ba_mov(as, R3, reg);
	ba_core(as, BPF_CORE_FIELD_BYTE_OFFSET, field);
	ba_alui(as, BPF_ADD, R3, 0);
	ba_sti(as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(as, R1, FP);
	ba_alui(as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(as, R2, size);
	ba_call(as, BPF_FUNC_probe_read_kernel);
	ba_ld(as, size == 8 ? BPF_DW : BPF_W, reg, FP, FRAME_BUF);
}

/* ---- the map; the key is at FRAME_IDX ---- */

static void map_call(struct gen *g, int helper)
{
	ba_ld_map(g->as, R1, g->u->map_tasks);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, FRAME_IDX);
	if (helper == BPF_FUNC_map_update_elem) {
		ba_mov(g->as, R3, FP);
		ba_alui(g->as, BPF_ADD, R3, FRAME_ELEM);
		ba_movi(g->as, R4, BPF_ANY);
	}
	ba_call(g->as, helper);
}

/* R0: the element of the task whose id is in @reg, or goes to @none. */
static void look_up(struct gen *g, int reg, uint32_t none)
{
	ba_st(g->as, BPF_W, FP, FRAME_IDX, reg);
	map_call(g, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, none);
}

void track_bits(struct gen *g, int reg, uint32_t none)
{
	look_up(g, reg, none);
	ba_ld(g->as, BPF_DW, R0, R0, (int)offsetof(struct bpf_task, bits));
}

/* The element at FRAME_ELEM becomes that of the id in @reg. */
static void enter(struct gen *g, int reg)
{
	uint32_t had = ba_label(g->as);

	ba_st(g->as, BPF_W, FP, FRAME_IDX, reg);
	map_call(g, BPF_FUNC_map_update_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, had);
	ba_ld_data(g->as, R1, BD_UNTRACKED);
	ba_movi(g->as, R2, 1);
	ba_xadd(g->as, BPF_DW, R1, 0, R2);
	ba_place(g->as, had);
}

static void forget(struct gen *g, int reg)
{
	ba_st(g->as, BPF_W, FP, FRAME_IDX, reg);
	map_call(g, BPF_FUNC_map_delete_elem);
}

#define ELEM(field) (FRAME_ELEM + (int)offsetof(struct bpf_task, field))
#define OFF(field) ((int)offsetof(struct bpf_task, field))

static void clear_elem(struct gen *g)
{
	for (int k = 0; k < (int)sizeof(struct bpf_task); k += 8)
		ba_sti(g->as, BPF_DW, FP, FRAME_ELEM + k, 0);
}

/* What @reg holds stays as far as threads and children have it, too. */
static void inherit(struct bpf_asm *as, int reg)
{
	ba_movi(as, R1, (int64_t)TRACK_INHERITED);
	ba_alu(as, BPF_AND, reg, R1);
}

/* Goes to @is or on: whether the keepers were told so. */
static void if_told(struct bpf_asm *as, uint32_t what, uint32_t is)
{
	ba_ld_data(as, R1, BD_TRACK);
	ba_ld(as, BPF_DW, R1, R1, 0);
	ba_ji(as, BPF_JSET, R1, (int32_t)what, is);
}

static void current_tgid(struct bpf_asm *as, int reg)
{
	ba_call(as, BPF_FUNC_get_current_pid_tgid);
	ba_alui(as, BPF_RSH, R0, 32);
	ba_mov(as, reg, R0);
}

/* @reg: a task; becomes the bits of the files told apart. Zero without memory of its own: a kernel thread. */
static void exe_bits(struct gen *g, int reg)
{
	struct bpf_asm *as = g->as;
	uint32_t done = ba_label(as);

	track_read(as, reg, CORE_MM, 8);
	ba_ji(as, BPF_JEQ, reg, 0, done);
	track_read(as, reg, CORE_EXE_FILE, 8);
	ba_ji(as, BPF_JEQ, reg, 0, done);
	track_read(as, reg, CORE_INODE, 8);
	ba_ji(as, BPF_JEQ, reg, 0, done);
	ba_movi(as, R2, 0);
	for (uint32_t k = 0; k < g->u->track.nexe; k++) {
		uint32_t other = ba_label(as);

		ba_ld_data(as, R1, BD_FILES + 8 * k);
		ba_ld(as, BPF_DW, R1, R1, 0);
		ba_j(as, BPF_JNE, R1, reg, other);
		ba_movi(as, R1, (int64_t)(1ull << (TRACK_EXE_SHIFT + k)));
		ba_alu(as, BPF_OR, R2, R1);
		ba_place(as, other);
	}
	ba_mov(as, reg, R2);
	ba_place(as, done);
}

/* ---- keepers ---- */

/* R7: a new thread of process R8. */
static void fork_thread(struct track *t)
{
	struct bpf_asm *as = t->as;
	uint32_t fresh = ba_label(as);

	if_told(as, BPF_TRACK_ARMING, t->out);
	look_up(&t->g, R8, t->out);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	inherit(as, R9);
	ba_alui(as, BPF_OR, R9, TRACK_THREAD | TRACK_BEGUN);
	look_up(&t->g, R7, fresh);
	ba_ld(as, BPF_DW, R1, R0, OFF(bits));
	ba_ji(as, BPF_JSET, R1, TRACK_FOUND, t->out);
	ba_place(as, fresh);
	clear_elem(&t->g);
	ba_st(as, BPF_DW, FP, ELEM(bits), R9);
	enter(&t->g, R7);
}

/*
 * R6, R8: a new process. Its maker is the current one, whoever becomes its parent. One found already by who looks for
 * those that are there stays as it was found.
 */
static void fork_process(struct track *t)
{
	struct bpf_asm *as = t->as;
	uint32_t alone = ba_label(as), keep = ba_label(as), fresh = ba_label(as), arming = ba_label(as);

	track_read(as, R6, CORE_MM, 8);
	ba_ji(as, BPF_JEQ, R6, 0, t->out);
	current_tgid(as, R7);
	ba_movi(as, R9, 0);
	look_up(&t->g, R7, alone);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	inherit(as, R9);
	ba_place(as, alone);
	look_up(&t->g, R8, fresh);
	ba_ld(as, BPF_DW, R1, R0, OFF(bits));
	ba_ji(as, BPF_JSET, R1, TRACK_FOUND, t->out);
	forget(&t->g, R8);
	ba_place(as, fresh);
	ba_ji(as, BPF_JNE, R9, 0, keep);
	if_told(as, BPF_TRACK_ARMING | BPF_TRACK_ALL, keep);
	ba_ja(as, t->out);
	ba_place(as, keep);
	clear_elem(&t->g);
	if_told(as, BPF_TRACK_ARMING, arming);
	ba_alui(as, BPF_OR, R9, TRACK_BEGUN);
	ba_place(as, arming);
	ba_st(as, BPF_DW, FP, ELEM(bits), R9);
	ba_st(as, BPF_W, FP, ELEM(parent), R7);
	enter(&t->g, R8);
}

static void keep_fork(struct unit *u)
{
	struct track t;
	uint32_t process;

	open_program(&t, u, "track_fork", "raw_tp/sched_process_fork");
	process = ba_label(t.as);
	ba_ld(t.as, BPF_DW, R6, R1, 8);
	ba_mov(t.as, R7, R6);
	track_read(t.as, R7, CORE_PID, 4);
	ba_mov(t.as, R8, R6);
	track_read(t.as, R8, CORE_TGID, 4);
	ba_j(t.as, BPF_JEQ, R7, R8, process);
	if (u->track.threads)
		fork_thread(&t);
	ba_ja(t.as, t.out);
	ba_place(t.as, process);
	fork_process(&t);
	close_program(&t);
}

/* A thread that calls exec takes its process's id: its own is gone. */
static void exec_thread(struct track *t)
{
	uint32_t first = ba_label(t->as);

	ba_ld(t->as, BPF_DW, R9, R1, 8);
	ba_alui(t->as, BPF_AND, R9, INT32_MAX);
	ba_j(t->as, BPF_JEQ, R9, R8, first);
	forget(&t->g, R9);
	ba_place(t->as, first);
}

static void keep_exec(struct unit *u)
{
	struct track t;
	struct bpf_asm *as;
	uint32_t fresh, keep, arming, told;

	open_program(&t, u, "track_exec", "raw_tp/sched_process_exec");
	as = t.as;
	fresh = ba_label(as), keep = ba_label(as), arming = ba_label(as), told = ba_label(as);
	ba_ld(as, BPF_DW, R6, R1, 0);
	ba_mov(as, R9, R1);
	current_tgid(as, R8);
	ba_mov(as, R1, R9);
	if (u->track.threads)
		exec_thread(&t);
	clear_elem(&t.g);
	ba_movi(as, R7, 0);
	look_up(&t.g, R8, fresh);
	ba_ld(as, BPF_DW, R7, R0, OFF(bits));
	ba_ld(as, BPF_W, R1, R0, OFF(parent));
	ba_st(as, BPF_W, FP, ELEM(parent), R1);
	ba_place(as, fresh);
	ba_st(as, BPF_DW, FP, ELEM(old), R7);
	ba_mov(as, R9, R6);
	exe_bits(&t.g, R9);
	ba_mov(as, R1, R7);
	ba_alui(as, BPF_AND, R1, TRACK_TARGET);
	ba_alu(as, BPF_OR, R9, R1);
	/* one that was kept is so until its end, which belongs to what it was */
	ba_ji(as, BPF_JNE, R7, 0, keep);
	ba_ji(as, BPF_JNE, R9, 0, keep);
	if_told(as, BPF_TRACK_ALL, keep);
	ba_ja(as, t.out);
	ba_place(as, keep);
	if_told(as, BPF_TRACK_ARMING, arming);
	ba_alui(as, BPF_OR, R9, TRACK_BEGUN);
	ba_ja(as, told);
	ba_place(as, arming);
	/* what an earlier image began has no end that counts */
	ba_sti(as, BPF_DW, FP, ELEM(old), 0);
	ba_place(as, told);
	ba_st(as, BPF_DW, FP, ELEM(bits), R9);
	enter(&t.g, R8);
	close_program(&t);
}

/* R7, R8: ids of the current thread and its process. */
static void current_ids(struct bpf_asm *as)
{
	ba_call(as, BPF_FUNC_get_current_pid_tgid);
	ba_mov(as, R8, R0);
	ba_alui(as, BPF_RSH, R8, 32);
	ba_mov(as, R7, R0);
	ba_narrow(as, R7, 4, 0);
}

/*
 * Several threads that exit at once may all see that none is alive: the one that takes the process's element away is the
 * last, and keeps it under an id of its own.
 */
static void keep_exit(struct unit *u)
{
	struct track t;
	struct bpf_asm *as;

	open_program(&t, u, "track_exit", "raw_tp/sched_process_exit");
	as = t.as;
	ba_ld(as, BPF_DW, R6, R1, 0);
	if_told(as, BPF_TRACK_ARMING, t.out);
	track_read(as, R6, CORE_SIGNAL, 8);
	track_read(as, R6, CORE_LIVE, 4);
	ba_ji(as, BPF_JNE, R6, 0, t.out);
	current_ids(as);
	look_up(&t.g, R8, t.out);
	for (int k = 0; k < (int)sizeof(struct bpf_task); k += 8) {
		ba_ld(as, BPF_DW, R1, R0, k);
		ba_st(as, BPF_DW, FP, FRAME_ELEM + k, R1);
	}
	forget(&t.g, R8);
	ba_ji(as, BPF_JNE, R0, 0, t.out);
	ba_movi(as, R1, BPF_TASK_ENDING);
	ba_alu(as, BPF_OR, R7, R1);
	enter(&t.g, R7);
	close_program(&t);
}

static void sweep_exit(struct unit *u)
{
	struct track t;
	struct bpf_asm *as;

	open_program(&t, u, "track_sweep", "raw_tp/sched_process_exit");
	as = t.as;
	if_told(as, BPF_TRACK_ARMING, t.out);
	current_ids(as);
	if (u->track.threads) {
		uint32_t first = ba_label(as);

		ba_j(as, BPF_JEQ, R7, R8, first);
		forget(&t.g, R7);
		ba_place(as, first);
	}
	ba_movi(as, R1, BPF_TASK_ENDING);
	ba_alu(as, BPF_OR, R7, R1);
	forget(&t.g, R7);
	close_program(&t);
}

/* ---- those that are there at the start ---- */

/* R6: the task that the kernel's iterator shows, none at its end. R7, R8: its ids. */
static void iterated(struct bpf_asm *as, uint32_t out)
{
	ba_ld(as, BPF_DW, R6, R1, 8);
	ba_ji(as, BPF_JEQ, R6, 0, out);
	ba_mov(as, R7, R6);
	track_read(as, R7, CORE_PID, 4);
	ba_mov(as, R8, R6);
	track_read(as, R8, CORE_TGID, 4);
}

/* R6: a task of process R8, which nothing is known of yet, or that it was made while probes were armed. */
static void find_process(struct track *t, uint32_t known)
{
	struct bpf_asm *as = t->as;
	uint32_t fresh = ba_label(as), wanted = ba_label(as);

	clear_elem(&t->g);
	ba_movi(as, R9, 0);
	look_up(&t->g, R8, fresh);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	ba_ji(as, BPF_JSET, R9, TRACK_HELD, t->out);
	ba_ji(as, BPF_JSET, R9, TRACK_BEGUN, known);
	ba_ld(as, BPF_W, R1, R0, OFF(parent));
	ba_st(as, BPF_W, FP, ELEM(parent), R1);
	ba_place(as, fresh);
	ba_alui(as, BPF_AND, R9, TRACK_TARGET);
	ba_st(as, BPF_DW, FP, FRAME_TASK, R9);
	ba_mov(as, R9, R6);
	exe_bits(&t->g, R9);
	ba_ld(as, BPF_DW, R1, FP, FRAME_TASK);
	ba_alu(as, BPF_OR, R9, R1);
	ba_ji(as, BPF_JNE, R9, 0, wanted);
	if_told(as, BPF_TRACK_ALL, wanted);
	ba_ja(as, t->out);
	ba_place(as, wanted);
	ba_alui(as, BPF_OR, R9, TRACK_BEGUN | TRACK_FOUND);
	ba_st(as, BPF_DW, FP, ELEM(bits), R9);
	enter(&t->g, R8);
}

static void find_thread(struct track *t)
{
	struct bpf_asm *as = t->as;
	uint32_t fresh = ba_label(as);

	ba_j(as, BPF_JEQ, R7, R8, t->out);
	look_up(&t->g, R8, t->out);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	inherit(as, R9);
	ba_alui(as, BPF_OR, R9, TRACK_THREAD | TRACK_BEGUN | TRACK_FOUND);
	look_up(&t->g, R7, fresh);
	ba_ja(as, t->out);
	ba_place(as, fresh);
	clear_elem(&t->g);
	ba_st(as, BPF_DW, FP, ELEM(bits), R9);
	enter(&t->g, R7);
}

static void find_tasks(struct unit *u)
{
	struct track t;
	struct bpf_asm *as;
	uint32_t known;

	open_program(&t, u, "track_found", "iter/task");
	as = t.as;
	known = ba_label(as);
	iterated(as, t.out);
	ba_mov(as, R9, R6);
	track_read(as, R9, CORE_MM, 8);
	ba_ji(as, BPF_JEQ, R9, 0, t.out);
	ba_mov(as, R9, R6);
	track_read(as, R9, CORE_SIGNAL, 8);
	track_read(as, R9, CORE_LIVE, 4);
	ba_ji(as, BPF_JEQ, R9, 0, t.out);
	find_process(&t, known);
	ba_place(as, known);
	if (u->track.threads)
		find_thread(&t);
	close_program(&t);
}

/* Run by staprun: the inode of its own open file (argument 1) is that of file number (argument 2). */
static void find_inode(struct unit *u)
{
	struct track t;
	struct bpf_asm *as;

	open_program(&t, u, "track_inode", "raw_tp");
	as = t.as;
	ba_ld(as, BPF_DW, R7, R1, 0);
	ba_ld(as, BPF_DW, R8, R1, 8);
	ba_ji(as, BPF_JGE, R8, TRACK_MAXEXE, t.out);
	ba_call(as, BPF_FUNC_get_current_task);
	ba_mov(as, R6, R0);
	track_read(as, R6, CORE_FILES, 8);
	track_read(as, R6, CORE_FDT, 8);
	track_read(as, R6, CORE_FD, 8);
	ba_alui(as, BPF_LSH, R7, 3);
	ba_alu(as, BPF_ADD, R6, R7);
	ba_mov(as, R3, R6);
	ba_mov(as, R1, FP);
	ba_alui(as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(as, R2, 8);
	ba_call(as, BPF_FUNC_probe_read_kernel);
	ba_ld(as, BPF_DW, R6, FP, FRAME_BUF);
	track_read(as, R6, CORE_INODE, 8);
	ba_alui(as, BPF_LSH, R8, 3);
	ba_ld_data(as, R1, BD_FILES);
	ba_alu(as, BPF_ADD, R1, R8);
	ba_st(as, BPF_DW, R1, 0, R6);
	close_program(&t);
}

void track_programs(struct unit *u)
{
	if (!u->track.used)
		return;
	keep_fork(u);
	keep_exec(u);
	keep_exit(u);
	sweep_exit(u);
	find_tasks(u);
	if (u->track.nexe)
		find_inode(u);
}

/* ---- filters ---- */

/* R9: the bits of the task. */
static void want_bits(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	struct bpf_asm *as = g->as;
	uint32_t any = ba_label(as);

	if (p->exe) {
		ba_movi(as, R1, (int64_t)(1ull << (TRACK_EXE_SHIFT + ir_track_exe(&g->u->track, p->exe))));
		ba_alu(as, BPF_AND, R1, R9);
		ba_ji(as, BPF_JEQ, R1, 0, out);
	}
	if (!p->filter_target)
		return;
	ba_ld_data(as, R1, BD_TARGET);
	ba_ld(as, BPF_DW, R1, R1, 0);
	ba_ji(as, BPF_JEQ, R1, 0, any);
	ba_alui(as, BPF_AND, R9, TRACK_TARGET);
	ba_ji(as, BPF_JEQ, R9, 0, out);
	ba_place(as, any);
}

/* The bits that an exiting or exec'ing task's end is about. */
static void end_bits(struct gen *g, uint32_t out)
{
	struct bpf_asm *as = g->as;
	uint32_t exits = ba_label(as), have = ba_label(as), begun = ba_label(as);

	ba_mov(as, R9, R6);
	track_read(as, R9, CORE_FLAGS, 4);
	ba_ji(as, BPF_JSET, R9, PF_EXITING, exits);
	look_up(g, R8, out);
	ba_ld(as, BPF_DW, R9, R0, OFF(old));
	ba_ja(as, have);
	ba_place(as, exits);
	ba_movi(as, R1, BPF_TASK_ENDING);
	ba_alu(as, BPF_OR, R7, R1);
	look_up(g, R7, out);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	ba_place(as, have);
	ba_ji(as, BPF_JSET, R9, TRACK_BEGUN, begun);
	ba_ja(as, out);
	ba_place(as, begun);
}

/* The bits of a task that is there, if this is its begin (or, of a thread, its end). */
static void begin_bits(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	struct bpf_asm *as = g->as;
	bool thread = p->kind != AT_PROC_BEGIN;
	uint32_t begun = ba_label(as), found = ba_label(as);

	ba_j(as, thread ? BPF_JEQ : BPF_JNE, R7, R8, out);
	look_up(g, R7, out);
	ba_ld(as, BPF_DW, R9, R0, OFF(bits));
	ba_ji(as, BPF_JSET, R9, TRACK_BEGUN, begun);
	ba_ja(as, out);
	ba_place(as, begun);
	if (p->kind == AT_THREAD_END)
		return;
	if (g->h->found) {
		ba_ji(as, BPF_JSET, R9, TRACK_FOUND, found);
		ba_ja(as, out);
	} else {
		ba_ji(as, BPF_JSET, R9, TRACK_FOUND, out);
	}
	ba_place(as, found);
}

/*
 * R6: the task that an event is about. Programs for begin run on fork, whose second argument is the child, and on exec, where
 * it is an id.
 */
static void event_task(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	struct bpf_asm *as = g->as;
	uint32_t fork = ba_label(as);

	if (g->h->found) {
		iterated(as, out);
		return;
	}
	if (p->kind == AT_PROC_BEGIN || p->kind == AT_THREAD_BEGIN) {
		ba_ld(as, BPF_DW, R6, R1, 8);
		ba_ji(as, BPF_JSLT, R6, 0, fork);
	}
	ba_ld(as, BPF_DW, R6, R1, 0);
	ba_place(as, fork);
	ba_mov(as, R7, R6);
	track_read(as, R7, CORE_PID, 4);
	ba_mov(as, R8, R6);
	track_read(as, R8, CORE_TGID, 4);
}

static void want_pid(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	if (p->pid)
		ba_ji(g->as, BPF_JNE, R8, (int32_t)p->pid, out);
}

static void event_filter(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	event_task(g, p, out);
	ba_st(g->as, BPF_DW, FP, FRAME_TASK, R6);
	want_pid(g, p, out);
	if (p->kind == AT_PROC_END)
		end_bits(g, out);
	else
		begin_bits(g, p, out);
	want_bits(g, p, out);
}

void track_filter(struct gen *g, const struct ir_probe *p, uint32_t out)
{
	struct bpf_asm *as = g->as;
	uint32_t is = ba_label(as);

	if (ir_attaches[p->kind].flags & ATF_PROC) {
		event_filter(g, p, out);
		return;
	}
	if (!p->exe && !p->filter_target && !p->pid)
		return;
	current_tgid(as, R8);
	want_pid(g, p, out);
	if (!p->exe && p->filter_target) {
		/* without a target, or of the target itself, every hit counts */
		ba_ld_data(as, R1, BD_TARGET);
		ba_ld(as, BPF_DW, R1, R1, 0);
		ba_ji(as, BPF_JEQ, R1, 0, is);
		ba_j(as, BPF_JEQ, R1, R8, is);
	}
	if (p->exe || p->filter_target) {
		look_up(g, R8, out);
		ba_ld(as, BPF_DW, R9, R0, OFF(bits));
		want_bits(g, p, out);
	}
	ba_place(as, is);
}
