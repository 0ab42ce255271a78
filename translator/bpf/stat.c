/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics in handlers: adding, extracting, histograms. The arithmetic is that of base/agg.h. */
#include <stddef.h>

#include "bpf/gen.h"

static const struct ir_global *global_of(const struct gen *g, uint32_t index)
{
	return g->u->m->globals.v[index];
}

void g_stat_own_part(struct gen *g, uint32_t global, uint32_t fail)
{
	const struct bpf_global *bg = &g->u->lay.g[global];

	ba_ld(g->as, BPF_W, R1, R9, SH_CPU);
	ba_ld_rodata(g->as, R2, RD_NCPU);
	ba_ld(g->as, BPF_DW, R2, R2, 0);
	ba_j(g->as, BPF_JGE, R1, R2, fail);
	ba_alui(g->as, BPF_MUL, R1, (int32_t)bg->cpu_size);
	ba_alu(g->as, BPF_ADD, R0, R1);
	ba_alui(g->as, BPF_ADD, R0, BPF_STAT_HEAD);
	ba_mov(g->as, R4, R0);
	ba_ld(g->as, BPF_W, R1, R9, SH_LEVEL);
	ba_ji(g->as, BPF_JGE, R1, BPF_LEVELS, fail);
	ba_alui(g->as, BPF_MUL, R1, (int32_t)bg->part_size);
	ba_alu(g->as, BPF_ADD, R0, R1);
}

/* R1 = the bucket for R3; changes R2. */
static void linear_bucket(struct gen *g, const struct agg_hist *h)
{
	uint32_t below = ba_label(g->as), above = ba_label(g->as), done = ba_label(g->as);

	ba_movi(g->as, R2, h->lo);
	ba_j(g->as, BPF_JSLT, R3, R2, below);
	ba_mov(g->as, R1, R3);
	ba_alu(g->as, BPF_SUB, R1, R2);
	ba_movi(g->as, R2, h->width);
	ba_alu(g->as, BPF_DIV, R1, R2);
	ba_ji(g->as, BPF_JGE, R1, (int32_t)h->buckets - 2, above);
	ba_alui(g->as, BPF_ADD, R1, 1);
	ba_ja(g->as, done);
	ba_place(g->as, below);
	ba_movi(g->as, R1, 0);
	ba_ja(g->as, done);
	ba_place(g->as, above);
	ba_movi(g->as, R1, h->buckets - 1);
	ba_place(g->as, done);
}

/* R1 = the bucket for R3; R0, R3 and R4 stay. */
static void log_bucket(struct gen *g)
{
	ba_st(g->as, BPF_DW, FP, FRAME_PART, R0);
	ba_st(g->as, BPF_DW, FP, FRAME_VALUE, R3);
	ba_st(g->as, BPF_DW, FP, FRAME_BLOCK, R4);
	ba_mov(g->as, R1, R3);
	ba_call_fn(g->as, rt_get(g->u, RT_LOG_BUCKET));
	ba_mov(g->as, R1, R0);
	ba_ld(g->as, BPF_DW, R0, FP, FRAME_PART);
	ba_ld(g->as, BPF_DW, R3, FP, FRAME_VALUE);
	ba_ld(g->as, BPF_DW, R4, FP, FRAME_BLOCK);
}

/* The histogram of the CPU's block (R4) counts R3; handlers of all levels add to it. */
static void count_bucket(struct gen *g, uint32_t global)
{
	const struct agg_hist *h = &global_of(g, global)->hist;
	uint32_t skip = ba_label(g->as);

	if (h->kind == AGG_HIST_LINEAR)
		linear_bucket(g, h);
	else
		log_bucket(g);
	ba_ji(g->as, BPF_JGE, R1, (int32_t)h->buckets, skip);
	ba_alui(g->as, BPF_LSH, R1, 3);
	ba_alu(g->as, BPF_ADD, R4, R1);
	ba_movi(g->as, R2, 1);
	ba_xadd(g->as, BPF_DW, R4, (int)g->u->lay.g[global].hist_off, R2);
	ba_place(g->as, skip);
}

/* 128 bits at R0 + @off: sum_hi += sign of R3 and the carry of the lower half, which is R2 now. */
static void add_sum_hi(struct gen *g)
{
	uint32_t no_carry = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R0, offsetof(struct agg, sum_hi));
	ba_mov(g->as, R5, R3);
	ba_alui(g->as, BPF_ARSH, R5, 63);
	ba_alu(g->as, BPF_ADD, R1, R5);
	ba_j(g->as, BPF_JGE, R2, R3, no_carry);
	ba_alui(g->as, BPF_ADD, R1, 1);
	ba_place(g->as, no_carry);
	ba_st(g->as, BPF_DW, R0, offsetof(struct agg, sum_hi), R1);
}

/* The square of R3 into the part at R0. Changes R1, R2, R4, R5. */
static void add_square(struct gen *g)
{
	uint32_t positive = ba_label(g->as), no_carry = ba_label(g->as), done = ba_label(g->as);

	ba_mov(g->as, R5, R3);
	ba_ji(g->as, BPF_JSGE, R5, 0, positive);
	ba_neg(g->as, R5);
	ba_place(g->as, positive);
	ba_mov(g->as, R1, R5);
	ba_alui(g->as, BPF_LSH, R1, 32);
	ba_alui(g->as, BPF_RSH, R1, 32);
	ba_alui(g->as, BPF_RSH, R5, 32);
	ba_mov(g->as, R2, R1);
	ba_alu(g->as, BPF_MUL, R2, R5); /* middle */
	ba_alu(g->as, BPF_MUL, R1, R1); /* low */
	ba_alu(g->as, BPF_MUL, R5, R5); /* high */
	ba_mov(g->as, R4, R2);
	ba_alui(g->as, BPF_RSH, R4, 31);
	ba_alu(g->as, BPF_ADD, R5, R4);
	ba_alui(g->as, BPF_LSH, R2, 33);
	ba_alu(g->as, BPF_ADD, R2, R1); /* the square's lower half */
	ba_j(g->as, BPF_JGE, R2, R1, no_carry);
	ba_alui(g->as, BPF_ADD, R5, 1);
	ba_place(g->as, no_carry);
	ba_ld(g->as, BPF_DW, R1, R0, offsetof(struct agg, sq_lo));
	ba_alu(g->as, BPF_ADD, R1, R2);
	ba_st(g->as, BPF_DW, R0, offsetof(struct agg, sq_lo), R1);
	ba_j(g->as, BPF_JGE, R1, R2, done);
	ba_alui(g->as, BPF_ADD, R5, 1);
	ba_place(g->as, done);
	ba_ld(g->as, BPF_DW, R1, R0, offsetof(struct agg, sq_hi));
	ba_alu(g->as, BPF_ADD, R1, R5);
	ba_st(g->as, BPF_DW, R0, offsetof(struct agg, sq_hi), R1);
}

static void add_least_and_greatest(struct gen *g)
{
	uint32_t not_min = ba_label(g->as), not_max = ba_label(g->as), first = ba_label(g->as);
	uint32_t end = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R0, 0);
	ba_ji(g->as, BPF_JEQ, R1, 0, first);
	ba_ld(g->as, BPF_DW, R2, R0, 16);
	ba_j(g->as, BPF_JSLE, R2, R3, not_min);
	ba_st(g->as, BPF_DW, R0, 16, R3);
	ba_place(g->as, not_min);
	ba_ld(g->as, BPF_DW, R2, R0, 24);
	ba_j(g->as, BPF_JSGE, R2, R3, not_max);
	ba_st(g->as, BPF_DW, R0, 24, R3);
	ba_place(g->as, not_max);
	ba_ja(g->as, end);
	ba_place(g->as, first);
	ba_st(g->as, BPF_DW, R0, 16, R3);
	ba_st(g->as, BPF_DW, R0, 24, R3);
	ba_place(g->as, end);
	ba_alui(g->as, BPF_ADD, R1, 1);
	ba_st(g->as, BPF_DW, R0, 0, R1);
}

void g_accumulate(struct gen *g, uint32_t global)
{
	bool squares = ir_stat_words(global_of(g, global)) == AGG_WORDS_SQUARES;

	if (global_of(g, global)->hist.kind)
		count_bucket(g, global);
	add_least_and_greatest(g);
	ba_ld(g->as, BPF_DW, R2, R0, 8);
	ba_alu(g->as, BPF_ADD, R2, R3);
	ba_st(g->as, BPF_DW, R0, 8, R2);
	if (squares) {
		add_sum_hi(g);
		add_square(g);
	}
}

/* R0 = SH_STAT's average, as long as it is not empty. */
void g_stat_average(struct gen *g)
{
	uint32_t done = ba_label(g->as), positive = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_STAT);
	ba_ld(g->as, BPF_DW, R0, R9, SH_STAT + 8);
	ba_mov(g->as, R2, R0);
	ba_ji(g->as, BPF_JSGE, R0, 0, positive);
	ba_neg(g->as, R0);
	ba_place(g->as, positive);
	ba_alu(g->as, BPF_DIV, R0, R1);
	ba_ji(g->as, BPF_JSGE, R2, 0, done);
	ba_neg(g->as, R0);
	ba_place(g->as, done);
}

void g_stat_value(struct gen *g, enum ir_stat stat)
{
	static const uint8_t word[IRS_NSTAT] = {
		[IRS_COUNT] = 0, [IRS_SUM] = 1, [IRS_MIN] = 2, [IRS_MAX] = 3
	};

	if (stat == IRS_AVG)
		g_stat_average(g);
	else if (stat == IRS_VARIANCE)
		g_call_rt(g, RT_VARIANCE);
	else
		ba_ld(g->as, BPF_DW, R0, R9, SH_STAT + 8 * word[stat]);
}

static void fail_if_empty(struct gen *g, const struct ir_insn *i)
{
	ba_ld(g->as, BPF_DW, R1, R9, SH_STAT);
	ba_ji(g->as, BPF_JEQ, R1, 0, emit_stub(g, i, ERR_EMPTY, 0));
}

void g_extract_stat(struct gen *g, const struct ir_insn *i)
{
	if (i->imm != IRS_COUNT && i->imm != IRS_SUM)
		fail_if_empty(g, i);
	g_stat_value(g, (enum ir_stat)i->imm);
	g_done(g, i->dst, R0);
}

void em_sadd(struct gen *g, const struct ir_insn *i)
{
	g_key(g, i->ref, i->args);
	g_stat_part(g, i->ref, g_overflow_stub(g, i));
	g_load(g, R3, &i->args[global_of(g, i->ref)->nkeys]);
	g_accumulate(g, i->ref);
}

/* The merged parts are in the slot after the array's own routine ran. */
static void merge(struct gen *g, const struct ir_insn *i)
{
	g_key(g, i->ref, i->args);
	g_call_fn(g, rt_stat(g->u, i->ref));
}

void em_sget(struct gen *g, const struct ir_insn *i)
{
	merge(g, i);
	g_extract_stat(g, i);
}

void em_hget(struct gen *g, const struct ir_insn *i)
{
	const struct ir_global *gl = global_of(g, i->ref);

	merge(g, i);
	fail_if_empty(g, i);
	g_load(g, R2, &i->args[gl->nkeys]);
	ba_ji(g->as, BPF_JGE, R2, (int32_t)gl->hist.buckets, emit_stub(g, i, ERR_HIST_RANGE, 0));
	g_call_fn(g, rt_bucket(g->u, i->ref));
	g_done(g, i->dst, R0);
}

void em_hemit(struct gen *g, const struct ir_insn *i)
{
	merge(g, i);
	fail_if_empty(g, i);
	rec_begin(g, REC_HIST, i->ref);
	g_call_fn(g, rt_hist(g->u, i->ref));
	rec_send(g, REC_HIST_BYTES(global_of(g, i->ref)->hist.buckets));
}

/* ir_place() lets no such handler get here. */
void em_hstr(struct gen *g, const struct ir_insn *i)
{
	unit_fail(g->u, i->loc, "the text of a histogram",
		  "print it, or use --runtime=kernel to have it as a string");
}
