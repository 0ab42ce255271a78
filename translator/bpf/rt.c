/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routines: global BPF functions, which the verifier checks once each, with unknown arguments.
 * They take numbers only: the scratch slot's number and offsets into it, and look the slot up
 * themselves.
 */
#include "bpf/gen.h"

void rt_begin(struct gen *g, struct unit *u, uint32_t fn, uint32_t nargs, uint32_t offsets)
{
	uint32_t ok = ba_label(&u->fns.v[fn]->as);

	*g = (struct gen){ .u = u, .as = &u->fns.v[fn]->as };
	ba_st(g->as, BPF_W, FP, FRAME_IDX, R1);
	if (nargs >= 5)
		ba_st(g->as, BPF_DW, FP, FRAME_ARG5, R5);
	for (uint32_t k = 2; k <= nargs && k <= 4; k++)
		ba_mov(g->as, R4 + (int)k, (int)k);
	ba_ld_map(g->as, R1, u->map_scratch);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, FRAME_IDX);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JNE, R0, 0, ok);
	rt_end(g);
	ba_place(g->as, ok);
	ba_mov(g->as, R9, R0);
	for (int k = 2; k <= 4; k++) {
		uint32_t fits;

		if (!(offsets & 1u << k))
			continue;
		fits = ba_label(g->as);
		ba_ji(g->as, BPF_JLE, R4 + k, (int32_t)u->slot.off_max, fits);
		ba_movi(g->as, R0, 0);
		rt_end(g);
		ba_place(g->as, fits);
		ba_alu(g->as, BPF_ADD, R4 + k, R9);
	}
}

void rt_end(struct gen *g)
{
	ba_exit(g->as);
}

/*
 * pause(): some 4 microseconds of clock reads. A function of its own, so that the verifier walks
 * it once and not at each try.
 */
#define PAUSE_READS 128
#define PAUSE_US 4

static void build_pause(struct unit *u, uint32_t fn)
{
	struct bpf_asm *as = &u->fns.v[fn]->as;

	for (int k = 0; k < PAUSE_READS; k++)
		ba_call(as, BPF_FUNC_ktime_get_ns);
	ba_movi(as, R0, 0);
	ba_exit(as);
}

#define LOCK_TRIES_MAX 2000 /* 8 ms; verifiers give up at some 8,000 branches in a row */

/* As patient as the module's locks: MAXTRYLOCK * TRYLOCKDELAY. */
static int32_t lock_tries(const struct ir_limits *l)
{
	int64_t tries = l->maxtrylock * l->trylockdelay / PAUSE_US;

	return (int32_t)(tries < 1 ? 1 : tries > LOCK_TRIES_MAX ? LOCK_TRIES_MAX : tries);
}

/*
 * lock(word, add, others): 1 when had. @add was added to the lock word in vain: takes it away, waits,
 * tries again. Had when less than @others was there before. One path for readers and writers, so
 * that the verifier walks the tries once.
 */
static void build_lock(struct unit *u, uint32_t fn)
{
	struct bpf_asm *as = &u->fns.v[fn]->as;
	uint32_t ok = ba_label(as), loop = ba_label(as), never = ba_label(as), had = ba_label(as);
	uint32_t pause = rt_get(u, RT_PAUSE);

	ba_ji(as, BPF_JLE, R1, (int32_t)u->lay.data_size - 8, ok);
	ba_movi(as, R0, 0);
	ba_exit(as);
	ba_place(as, ok);
	ba_alui(as, BPF_AND, R1, -8);
	ba_ld_data(as, R6, 0);
	ba_alu(as, BPF_ADD, R6, R1);
	ba_mov(as, R7, R2);
	ba_mov(as, R9, R3);
	ba_movi(as, R8, lock_tries(&u->m->limits));
	ba_place(as, loop);
	ba_mov(as, R1, R7);
	ba_neg(as, R1);
	ba_xadd(as, BPF_W, R6, 0, R1);
	ba_ji(as, BPF_JEQ, R8, 0, never);
	ba_call_fn(as, pause);
	ba_alui(as, BPF_SUB, R8, 1);
	ba_xadd(as, BPF_W, R6, 0, R7);
	ba_ld(as, BPF_W, R0, R6, 0);
	ba_alu(as, BPF_SUB, R0, R7);
	ba_j(as, BPF_JGE, R0, R9, loop);
	ba_ja(as, had);
	ba_place(as, never);
	ba_movi(as, R0, 0);
	ba_exit(as);
	ba_place(as, had);
	ba_movi(as, R0, 1);
	ba_exit(as);
}

/* rec_str(string): appends it to the record being built. */
static void build_rec_str(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t room, ok;
	int32_t last = (int32_t)(u->slot.rec_max - REC_STR_BYTES(u->lay.strsz));

	rt_begin(&g, u, fn, 2, 1u << 2);
	room = ba_label(g.as);
	ok = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R7, R9, SH_RECPOS);
	ba_ji(g.as, BPF_JLE, R7, last, room);
	ba_movi(g.as, R7, last);
	ba_place(g.as, room);
	ba_mov(g.as, R8, R9);
	ba_alui(g.as, BPF_ADD, R8, (int32_t)u->slot.rec);
	ba_alu(g.as, BPF_ADD, R8, R7);
	ba_mov(g.as, R1, R8);
	ba_alui(g.as, BPF_ADD, R1, 4);
	ba_movi(g.as, R2, u->maxstr);
	ba_mov(g.as, R3, R6);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_ji(g.as, BPF_JSGT, R0, 0, ok);
	ba_movi(g.as, R0, 1);
	ba_place(g.as, ok);
	ba_alui(g.as, BPF_SUB, R0, 1);
	ba_st(g.as, BPF_W, R8, 0, R0);
	ba_alu(g.as, BPF_ADD, R8, R0);
	ba_sti(g.as, BPF_DW, R8, 4, 0);
	ba_alui(g.as, BPF_ADD, R0, 4 + 7);
	ba_alui(g.as, BPF_AND, R0, -8);
	ba_alu(g.as, BPF_ADD, R7, R0);
	ba_st(g.as, BPF_DW, R9, SH_RECPOS, R7);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* rec_mem(address, bytes, user): appends memory to the record being built; 1 after a fault. */
static void build_rec_mem(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t room, fits, user, ok, fault;

	rt_begin(&g, u, fn, 4, 0);
	room = ba_label(g.as);
	fits = ba_label(g.as);
	user = ba_label(g.as);
	ok = ba_label(g.as);
	fault = ba_label(g.as);
	ba_mov(g.as, R3, R6);
	ba_ji(g.as, BPF_JLE, R7, (int32_t)u->slot.mem_max, fits);
	ba_movi(g.as, R7, 0);
	ba_place(g.as, fits);
	ba_mov(g.as, R2, R7);
	ba_ld(g.as, BPF_DW, R7, R9, SH_RECPOS);
	ba_ji(g.as, BPF_JLE, R7, (int32_t)u->slot.rec_max, room);
	ba_movi(g.as, R7, 0);
	ba_place(g.as, room);
	/* the end of its room is cleared first, up to a multiple of 8 */
	ba_mov(g.as, R0, R2);
	ba_alui(g.as, BPF_ADD, R0, 4 + 7);
	ba_alui(g.as, BPF_AND, R0, -8);
	ba_mov(g.as, R1, R9);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)u->slot.rec);
	ba_alu(g.as, BPF_ADD, R1, R7);
	ba_alu(g.as, BPF_ADD, R7, R0);
	ba_st(g.as, BPF_DW, R9, SH_RECPOS, R7);
	ba_mov(g.as, R6, R1);
	ba_alu(g.as, BPF_ADD, R6, R0);
	ba_sti(g.as, BPF_DW, R6, -8, 0);
	ba_st(g.as, BPF_W, R1, 0, R2);
	ba_alui(g.as, BPF_ADD, R1, 4);
	/* of nothing, no address is bad */
	ba_movi(g.as, R0, 0);
	ba_ji(g.as, BPF_JEQ, R2, 0, ok);
	ba_ji(g.as, BPF_JNE, R8, 0, user);
	ba_call(g.as, BPF_FUNC_probe_read_kernel);
	ba_ja(g.as, ok);
	ba_place(g.as, user);
	ba_call(g.as, BPF_FUNC_probe_read_user);
	ba_place(g.as, ok);
	ba_ji(g.as, BPF_JNE, R0, 0, fault);
	rt_end(&g);
	ba_place(g.as, fault);
	ba_movi(g.as, R0, 1);
	rt_end(&g);
}

/* error(probe): reports the error state; past MAXERRORS later hits return at once. */
static void build_error(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t user, send, within;
	uint32_t rec = u->slot.rec, pos = sizeof(struct rec);

	rt_begin(&g, u, fn, 2, 0);
	if (u->m->limits.suppress_errors) {
		ba_ld_data(g.as, R1, BD_ERRORS);
		ba_movi(g.as, R0, 1);
		ba_xadd(g.as, BPF_DW, R1, 0, R0);
		ba_movi(g.as, R0, 0);
		rt_end(&g);
		return;
	}
	user = ba_label(g.as);
	send = ba_label(g.as);
	within = ba_label(g.as);
	rec_begin(&g, REC_ERROR, 0);
	ba_ld(g.as, BPF_DW, R7, R9, SH_ERR_KIND);
	g_slot_st(&g, BPF_W, rec + 20, R7);
	ba_ld(g.as, BPF_DW, R1, R9, SH_ERR_OPERAND);
	g_slot_st(&g, BPF_DW, rec + pos, R1);
	ba_ld(g.as, BPF_W, R1, R9, SH_ERR_LOC);
	g_slot_st(&g, BPF_DW, rec + pos + 8, R1);
	g_slot_st(&g, BPF_DW, rec + pos + 16, R6);
	ba_ld(g.as, BPF_W, R1, R9, SH_ERR_NCALLS);
	g_slot_st(&g, BPF_DW, rec + pos + 24, R1);
	pos += 32;
	for (int k = 0; k < REC_FRAMES / 2; k++, pos += 8) {
		ba_ld(g.as, BPF_DW, R1, R9, SH_ERR_CALLS + 8 * k);
		g_slot_st(&g, BPF_DW, rec + pos, R1);
	}
	g_slot_sti(&g, BPF_DW, rec + pos, 0);
	ba_ji(g.as, BPF_JEQ, R7, ERR_USER, user);
	ba_sti(g.as, BPF_DW, R9, SH_RECPOS, (int32_t)pos + 8);
	ba_ja(g.as, send);
	ba_place(g.as, user);
	ba_sti(g.as, BPF_DW, R9, SH_RECPOS, (int32_t)pos);
	ba_movi(g.as, R2, u->slot.errtext);
	g_call_rt(&g, RT_REC_STR);
	ba_place(g.as, send);
	rec_send(&g, 0);
	ba_ld_data(g.as, R1, BD_ERRORS);
	ba_movi(g.as, R0, 1);
	ba_xadd(g.as, BPF_DW, R1, 0, R0);
	ba_ld(g.as, BPF_DW, R0, R1, 0);
	ba_ji(g.as, BPF_JLE, R0, (int32_t)u->m->limits.maxerrors, within);
	ba_ld_data(g.as, R1, BD_EXITING);
	ba_sti(g.as, BPF_W, R1, 0, 1);
	ba_place(g.as, within);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

static const struct {
	const char *name;
	uint32_t nargs;
	void (*build)(struct unit *u, uint32_t fn);
} routines[RT_COUNT] = {
	[RT_PAUSE] = { "rt_pause", 0, build_pause },
	[RT_LOCK] = { "rt_lock", 3, build_lock },
	[RT_DIV] = { "rt_div", 2, rt_build_div },
	[RT_MOD] = { "rt_mod", 2, rt_build_mod },
	[RT_SCMP] = { "rt_scmp", 3, rt_build_scmp },
	[RT_SCAT] = { "rt_scat", 4, rt_build_scat },
	[RT_SUBSTR] = { "rt_substr", 5, rt_build_substr },
	[RT_STRPOS] = { "rt_strpos", 3, rt_build_strpos },
	[RT_STR_REPLACE] = { "rt_str_replace", 5, rt_build_str_replace },
	[RT_TOKENIZE] = { "rt_tokenize", 4, rt_build_tokenize },
	[RT_STRTOL] = { "rt_strtol", 3, rt_build_strtol },
	[RT_MATCHED] = { "rt_matched", 3, rt_build_matched },
	[RT_FMT_STR] = { "rt_fmt_str", 5, rt_build_fmt_str },
	[RT_FMT_INT] = { "rt_fmt_int", 5, rt_build_fmt_int },
	[RT_FMT_QUOTE] = { "rt_fmt_quote", 5, rt_build_fmt_quote },
	[RT_ERRMSG] = { "rt_errmsg", 2, rt_build_errmsg },
	[RT_ITER_END] = { "rt_iter_end", 2, rt_build_iter_end },
	[RT_ITER_CLOSE] = { "rt_iter_close", 1, rt_build_iter_close },
	[RT_LOG_BUCKET] = { "rt_log_bucket", 1, rt_build_log_bucket },
	[RT_MUL_HI] = { "rt_mul_hi", 2, rt_build_mul_hi },
	[RT_WIDE_DIV] = { "rt_wide_div", 3, rt_build_wide_div },
	[RT_VARIANCE] = { "rt_variance", 1, rt_build_variance },
	[RT_REC_STR] = { "rt_rec_str", 2, build_rec_str },
	[RT_REC_MEM] = { "rt_rec_mem", 4, build_rec_mem },
	[RT_UTF] = { "rt_utf", 5, rt_build_utf },
	[RT_TEXT] = { "rt_text", 5, rt_build_text },
	[RT_NAME] = { "rt_name", 3, rt_build_name },
	[RT_UREGS] = { "rt_uregs", 1, rt_build_uregs },
	[RT_USTACK] = { "rt_ustack", 2, rt_build_ustack },
	[RT_STACK_TEXT] = { "rt_stack_text", 4, rt_build_stack_text },
	[RT_REC_STACK] = { "rt_rec_stack", 2, rt_build_rec_stack },
	[RT_ERROR] = { "rt_error", 2, build_error },
};

uint32_t rt_get(struct unit *u, enum rt_routine rt)
{
	if (u->rt[rt] == IR_NONE) {
		u->rt[rt] = unit_fn(u, routines[rt].name, FN_GLOBAL, NULL, routines[rt].nargs);
		routines[rt].build(u, u->rt[rt]);
	}
	return u->rt[rt];
}
