/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routines for statistics: merging the CPUs' parts, clearing, @variance, histograms. */
#include <stddef.h>

#include "bpf/gen.h"

/* The 128 bits of (lo, hi) of SH_STAT += those at R6 + @off. */
static void merge_wide(struct gen *g, int off, int lo, int hi)
{
	uint32_t no_carry = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R6, off + lo);
	ba_ld(g->as, BPF_DW, R2, R9, SH_STAT + lo);
	ba_alu(g->as, BPF_ADD, R2, R1);
	ba_st(g->as, BPF_DW, R9, SH_STAT + lo, R2);
	ba_ld(g->as, BPF_DW, R3, R9, SH_STAT + hi);
	ba_j(g->as, BPF_JGE, R2, R1, no_carry);
	ba_alui(g->as, BPF_ADD, R3, 1);
	ba_place(g->as, no_carry);
	ba_ld(g->as, BPF_DW, R1, R6, off + hi);
	ba_alu(g->as, BPF_ADD, R3, R1);
	ba_st(g->as, BPF_DW, R9, SH_STAT + hi, R3);
}

/* Adds the part at R6 + @off to the slot's sums. */
static void merge_part(struct gen *g, uint32_t global, int off)
{
	uint32_t skip = ba_label(g->as), first = ba_label(g->as), sum = ba_label(g->as);
	uint32_t not_min = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R6, off);
	ba_ji(g->as, BPF_JEQ, R1, 0, skip);
	ba_ld(g->as, BPF_DW, R3, R6, off + 16);
	ba_ld(g->as, BPF_DW, R4, R6, off + 24);
	ba_ld(g->as, BPF_DW, R2, R9, SH_STAT);
	ba_ji(g->as, BPF_JEQ, R2, 0, first);
	ba_ld(g->as, BPF_DW, R5, R9, SH_STAT + 16);
	ba_j(g->as, BPF_JSLE, R5, R3, not_min);
	ba_st(g->as, BPF_DW, R9, SH_STAT + 16, R3);
	ba_place(g->as, not_min);
	ba_ld(g->as, BPF_DW, R5, R9, SH_STAT + 24);
	ba_j(g->as, BPF_JSGE, R5, R4, sum);
	ba_st(g->as, BPF_DW, R9, SH_STAT + 24, R4);
	ba_ja(g->as, sum);
	ba_place(g->as, first);
	ba_st(g->as, BPF_DW, R9, SH_STAT + 16, R3);
	ba_st(g->as, BPF_DW, R9, SH_STAT + 24, R4);
	ba_place(g->as, sum);
	ba_alu(g->as, BPF_ADD, R1, R2);
	ba_st(g->as, BPF_DW, R9, SH_STAT, R1);
	if (ir_stat_words(g->u->m->globals.v[global]) == AGG_WORDS_SQUARES) {
		merge_wide(g, off, offsetof(struct agg, sum), offsetof(struct agg, sum_hi));
		merge_wide(g, off, offsetof(struct agg, sq_lo), offsetof(struct agg, sq_hi));
	} else {
		ba_ld(g->as, BPF_DW, R1, R6, off + 8);
		ba_ld(g->as, BPF_DW, R2, R9, SH_STAT + 8);
		ba_alu(g->as, BPF_ADD, R1, R2);
		ba_st(g->as, BPF_DW, R9, SH_STAT + 8, R1);
	}
	ba_place(g->as, skip);
}

/*
 * R6 walks the CPUs' blocks of the value at R0 and what @block does may use R1-R5, R8; the count
 * comes from frozen read-only data, so the verifier knows it.
 */
static void each_cpu(struct gen *g, uint32_t global,
		     void (*block)(struct gen *g, uint32_t global))
{
	uint32_t loop = ba_label(g->as), end = ba_label(g->as);

	ba_mov(g->as, R6, R0);
	ba_alui(g->as, BPF_ADD, R6, BPF_STAT_HEAD);
	ba_ld_rodata(g->as, R7, RD_NCPU);
	ba_ld(g->as, BPF_DW, R7, R7, 0);
	ba_place(g->as, loop);
	ba_ji(g->as, BPF_JEQ, R7, 0, end);
	block(g, global);
	ba_alui(g->as, BPF_ADD, R6, (int32_t)g->u->lay.g[global].cpu_size);
	ba_alui(g->as, BPF_SUB, R7, 1);
	ba_ja(g->as, loop);
	ba_place(g->as, end);
}

static void merge_block(struct gen *g, uint32_t global)
{
	for (int level = 0; level < BPF_LEVELS; level++)
		merge_part(g, global, level * (int)g->u->lay.g[global].part_size);
}

void rt_merge_cpus(struct gen *g, uint32_t global)
{
	for (uint32_t k = 0; k < ir_stat_words(g->u->m->globals.v[global]); k++)
		ba_sti(g->as, BPF_DW, R9, SH_STAT + 8 * (int)k, 0);
	each_cpu(g, global, merge_block);
}

static void lookup_key(struct gen *g, uint32_t global, uint32_t none)
{
	ba_ld_map(g->as, R1, g->u->map_of[global]);
	g_slot_addr(g, R2, g->u->slot.key);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, none);
}

/* stat(): the merged parts of the element at slot.key; zeros when there is none */
static void build_stat(struct unit *u, uint32_t fn, uint32_t global)
{
	struct gen g;
	uint32_t none;

	rt_begin(&g, u, fn, 1, 0);
	none = ba_label(g.as);
	ba_sti(g.as, BPF_DW, R9, SH_STAT, 0);
	ba_sti(g.as, BPF_DW, R9, SH_STAT + 8, 0);
	lookup_key(&g, global, none);
	rt_merge_cpus(&g, global);
	ba_place(g.as, none);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

uint32_t rt_stat(struct unit *u, uint32_t global)
{
	return rt_own(u, &u->stat_fn[global], "stat", global, 1, build_stat);
}

static void clear_block(struct gen *g, uint32_t global)
{
	const struct bpf_global *bg = &g->u->lay.g[global];
	uint32_t end = bg->hist_off + 8 * g->u->m->globals.v[global]->hist.buckets;

	for (uint32_t off = 0; off < end; off += 8)
		ba_sti(g->as, BPF_DW, R6, (int)off, 0);
}

void rt_clear_scalar(struct gen *g, uint32_t global, uint32_t none)
{
	g_slot_sti(g, BPF_W, g->u->slot.key, 0);
	lookup_key(g, global, none);
	each_cpu(g, global, clear_block);
}

/* ---- histograms ---- */

/* bucket(number): what it counts, of the element at slot.key */
static void build_bucket(struct unit *u, uint32_t fn, uint32_t global)
{
	const struct bpf_global *bg = &u->lay.g[global];
	uint32_t none, loop, end;
	struct gen g;

	rt_begin(&g, u, fn, 2, 0);
	none = ba_label(g.as);
	loop = ba_label(g.as);
	end = ba_label(g.as);
	ba_ji(g.as, BPF_JGE, R6, (int32_t)u->m->globals.v[global]->hist.buckets, none);
	lookup_key(&g, global, none);
	ba_alui(g.as, BPF_LSH, R6, 3);
	ba_alu(g.as, BPF_ADD, R0, R6);
	ba_alui(g.as, BPF_ADD, R0, (int32_t)(BPF_STAT_HEAD + bg->hist_off));
	ba_mov(g.as, R1, R0);
	ba_movi(g.as, R0, 0);
	ba_ld_rodata(g.as, R7, RD_NCPU);
	ba_ld(g.as, BPF_DW, R7, R7, 0);
	ba_place(g.as, loop);
	ba_ji(g.as, BPF_JEQ, R7, 0, end);
	ba_ld(g.as, BPF_DW, R2, R1, 0);
	ba_alu(g.as, BPF_ADD, R0, R2);
	ba_alui(g.as, BPF_ADD, R1, (int32_t)bg->cpu_size);
	ba_alui(g.as, BPF_SUB, R7, 1);
	ba_ja(g.as, loop);
	ba_place(g.as, none);
	ba_movi(g.as, R0, 0);
	ba_place(g.as, end);
	rt_end(&g);
}

uint32_t rt_bucket(struct unit *u, uint32_t global)
{
	return rt_own(u, &u->bucket_fn[global], "bucket", global, 2, build_bucket);
}

/* R6: a CPU's block. The record's counts += its. */
static void merge_counts(struct gen *g, uint32_t global)
{
	const struct bpf_global *bg = &g->u->lay.g[global];
	uint32_t loop = ba_label(g->as), rec = g->u->slot.rec + (uint32_t)sizeof(struct rec);

	g_slot_addr(g, R3, rec);
	ba_mov(g->as, R4, R6);
	ba_alui(g->as, BPF_ADD, R4, (int32_t)bg->hist_off);
	ba_movi(g->as, R8, g->u->m->globals.v[global]->hist.buckets);
	ba_place(g->as, loop);
	ba_ld(g->as, BPF_DW, R1, R3, 0);
	ba_ld(g->as, BPF_DW, R2, R4, 0);
	ba_alu(g->as, BPF_ADD, R1, R2);
	ba_st(g->as, BPF_DW, R3, 0, R1);
	ba_alui(g->as, BPF_ADD, R3, 8);
	ba_alui(g->as, BPF_ADD, R4, 8);
	ba_alui(g->as, BPF_SUB, R8, 1);
	ba_ji(g->as, BPF_JNE, R8, 0, loop);
}

/* hist(): the counts of the element at slot.key into the record in the slot */
static void build_hist(struct unit *u, uint32_t fn, uint32_t global)
{
	uint32_t rec = u->slot.rec + (uint32_t)sizeof(struct rec), none;
	struct gen g;

	rt_begin(&g, u, fn, 1, 0);
	none = ba_label(g.as);
	for (uint32_t k = 0; k < u->m->globals.v[global]->hist.buckets; k++)
		g_slot_sti(&g, BPF_DW, rec + 8 * k, 0);
	lookup_key(&g, global, none);
	each_cpu(&g, global, merge_counts);
	ba_place(g.as, none);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

uint32_t rt_hist(struct unit *u, uint32_t global)
{
	return rt_own(u, &u->hist_fn[global], "hist", global, 1, build_hist);
}

/* log_bucket(value): its bucket; a function of its own, so that a verifier walks its paths once */
void rt_build_log_bucket(struct unit *u, uint32_t fn)
{
	struct bpf_asm *as = &u->fns.v[fn]->as;
	uint32_t some = ba_label(as), positive = ba_label(as), below = ba_label(as);

	ba_ji(as, BPF_JNE, R1, 0, some);
	ba_movi(as, R0, AGG_LOG_ZERO);
	ba_exit(as);
	ba_place(as, some);
	ba_mov(as, R2, R1);
	ba_ji(as, BPF_JSGE, R2, 0, positive);
	ba_neg(as, R2);
	ba_place(as, positive);
	ba_movi(as, R0, 0);
	for (int step = 32; step; step /= 2) {
		uint32_t less = ba_label(as);

		ba_mov(as, R3, R2);
		ba_alui(as, BPF_RSH, R3, step);
		ba_ji(as, BPF_JEQ, R3, 0, less);
		ba_mov(as, R2, R3);
		ba_alui(as, BPF_ADD, R0, step);
		ba_place(as, less);
	}
	ba_ji(as, BPF_JSLT, R1, 0, below);
	ba_alui(as, BPF_ADD, R0, AGG_LOG_ZERO + 1);
	ba_exit(as);
	ba_place(as, below);
	ba_neg(as, R0);
	ba_alui(as, BPF_ADD, R0, AGG_LOG_ZERO - 1);
	ba_exit(as);
}

/* ---- variance: as agg_variance() ---- */

/* mul_hi(a, b): the upper half of a product */
void rt_build_mul_hi(struct unit *u, uint32_t fn)
{
	struct bpf_asm *as = &u->fns.v[fn]->as;

	ba_mov(as, R3, R1);
	ba_alui(as, BPF_LSH, R3, 32);
	ba_alui(as, BPF_RSH, R3, 32);
	ba_alui(as, BPF_RSH, R1, 32);
	ba_mov(as, R4, R2);
	ba_alui(as, BPF_LSH, R4, 32);
	ba_alui(as, BPF_RSH, R4, 32);
	ba_alui(as, BPF_RSH, R2, 32);
	ba_mov(as, R5, R3);
	ba_alu(as, BPF_MUL, R5, R4);
	ba_alui(as, BPF_RSH, R5, 32);
	ba_mov(as, R0, R1);
	ba_alu(as, BPF_MUL, R0, R4);
	ba_alu(as, BPF_ADD, R0, R5);
	ba_alu(as, BPF_MUL, R3, R2);
	ba_mov(as, R5, R0);
	ba_alui(as, BPF_RSH, R5, 32);
	ba_alui(as, BPF_LSH, R0, 32);
	ba_alui(as, BPF_RSH, R0, 32);
	ba_alu(as, BPF_ADD, R0, R3);
	ba_alui(as, BPF_RSH, R0, 32);
	ba_alu(as, BPF_MUL, R1, R2);
	ba_alu(as, BPF_ADD, R0, R1);
	ba_alu(as, BPF_ADD, R0, R5);
	ba_exit(as);
}

/*
 * wide_div(hi, lo, d): the quotient for hi < d < 2^63, all ones for hi >= d. A bit a round without
 * branches: a verifier would follow 2^64 paths.
 */
void rt_build_wide_div(struct unit *u, uint32_t fn)
{
	struct bpf_asm *as = &u->fns.v[fn]->as;
	uint32_t loop = ba_label(as), fits = ba_label(as);

	ba_j(as, BPF_JLT, R1, R3, fits);
	ba_movi(as, R0, -1);
	ba_exit(as);
	ba_place(as, fits);
	ba_movi(as, R0, 0);
	ba_movi(as, R4, 64);
	ba_place(as, loop);
	ba_mov(as, R5, R2);
	ba_alui(as, BPF_RSH, R5, 63);
	ba_alui(as, BPF_LSH, R1, 1);
	ba_alu(as, BPF_OR, R1, R5);
	ba_alui(as, BPF_LSH, R2, 1);
	ba_alui(as, BPF_LSH, R0, 1);
	/* R7 = the borrow of R1 - R3 */
	ba_mov(as, R5, R1);
	ba_alu(as, BPF_SUB, R5, R3);
	ba_mov(as, R6, R1);
	ba_alui(as, BPF_XOR, R6, -1);
	ba_mov(as, R7, R6);
	ba_alu(as, BPF_AND, R7, R3);
	ba_alu(as, BPF_OR, R6, R3);
	ba_alu(as, BPF_AND, R6, R5);
	ba_alu(as, BPF_OR, R7, R6);
	ba_alui(as, BPF_RSH, R7, 63);
	/* a mask: ones when it goes in */
	ba_alui(as, BPF_SUB, R7, 1);
	ba_mov(as, R6, R3);
	ba_alu(as, BPF_AND, R6, R7);
	ba_alu(as, BPF_SUB, R1, R6);
	ba_alui(as, BPF_AND, R7, 1);
	ba_alu(as, BPF_OR, R0, R7);
	ba_alui(as, BPF_SUB, R4, 1);
	ba_ji(as, BPF_JNE, R4, 0, loop);
	ba_exit(as);
}

/* Stack of variance(). */
enum { V_Q = -48, V_R = -56, V_LO = -64, V_HI = -72 };

/* R6, R7 = the sum's absolute value, upper and lower half */
static void load_sum(struct gen *g)
{
	uint32_t positive = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R6, R9, SH_STAT + (int)offsetof(struct agg, sum_hi));
	ba_ld(g->as, BPF_DW, R7, R9, SH_STAT + (int)offsetof(struct agg, sum));
	ba_ji(g->as, BPF_JSGE, R6, 0, positive);
	ba_neg(g->as, R7);
	ba_alui(g->as, BPF_XOR, R6, -1);
	ba_ji(g->as, BPF_JNE, R7, 0, positive);
	ba_alui(g->as, BPF_ADD, R6, 1);
	ba_place(g->as, positive);
}

static void call_div(struct gen *g, int hi, int lo, int d)
{
	ba_mov(g->as, R1, hi);
	ba_mov(g->as, R2, lo);
	ba_mov(g->as, R3, d);
	ba_call_fn(g->as, rt_get(g->u, RT_WIDE_DIV));
}

/* R6, R7 = R6, R7 - (R2, R1), upper and lower half each. */
static void wide_sub(struct gen *g)
{
	uint32_t no_borrow = ba_label(g->as);

	ba_alu(g->as, BPF_SUB, R6, R2);
	ba_j(g->as, BPF_JGE, R7, R1, no_borrow);
	ba_alui(g->as, BPF_SUB, R6, 1);
	ba_place(g->as, no_borrow);
	ba_alu(g->as, BPF_SUB, R7, R1);
}

/* V_Q, V_R = the sum's quotient and remainder by R8; R6, R7 = sum + remainder */
static void divide_sum(struct gen *g)
{
	uint32_t no_carry = ba_label(g->as);

	load_sum(g);
	call_div(g, R6, R7, R8);
	ba_st(g->as, BPF_DW, FP, V_Q, R0);
	ba_alu(g->as, BPF_MUL, R0, R8);
	ba_mov(g->as, R1, R7);
	ba_alu(g->as, BPF_SUB, R1, R0);
	ba_st(g->as, BPF_DW, FP, V_R, R1);
	ba_alu(g->as, BPF_ADD, R7, R1);
	ba_j(g->as, BPF_JGE, R7, R1, no_carry);
	ba_alui(g->as, BPF_ADD, R6, 1);
	ba_place(g->as, no_carry);
}

/* R6, R7 = squares - V_Q * (R6, R7) */
static void subtract_mean(struct gen *g)
{
	ba_ld(g->as, BPF_DW, R1, FP, V_Q);
	ba_mov(g->as, R2, R7);
	ba_call_fn(g->as, rt_get(g->u, RT_MUL_HI));
	ba_ld(g->as, BPF_DW, R1, FP, V_Q);
	ba_mov(g->as, R2, R6);
	ba_alu(g->as, BPF_MUL, R2, R1);
	ba_alu(g->as, BPF_ADD, R2, R0);
	ba_alu(g->as, BPF_MUL, R1, R7);
	ba_ld(g->as, BPF_DW, R6, R9, SH_STAT + (int)offsetof(struct agg, sq_hi));
	ba_ld(g->as, BPF_DW, R7, R9, SH_STAT + (int)offsetof(struct agg, sq_lo));
	wide_sub(g);
	ba_st(g->as, BPF_DW, FP, V_HI, R6);
	ba_st(g->as, BPF_DW, FP, V_LO, R7);
}

/* R1 = r * r / n, rounded up; r: V_R, n: R8 */
static void remainder_part(struct gen *g)
{
	uint32_t whole = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, FP, V_R);
	ba_mov(g->as, R2, R1);
	ba_mov(g->as, R7, R1);
	ba_alu(g->as, BPF_MUL, R7, R7);
	ba_call_fn(g->as, rt_get(g->u, RT_MUL_HI));
	ba_mov(g->as, R6, R0);
	call_div(g, R6, R7, R8);
	ba_mov(g->as, R1, R0);
	ba_alu(g->as, BPF_MUL, R0, R8);
	ba_j(g->as, BPF_JEQ, R0, R7, whole);
	ba_alui(g->as, BPF_ADD, R1, 1);
	ba_place(g->as, whole);
}

/* variance(): of what SH_STAT holds */
void rt_build_variance(struct unit *u, uint32_t fn)
{
	uint32_t several, fits;
	struct gen g;

	rt_begin(&g, u, fn, 1, 0);
	several = ba_label(g.as);
	fits = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R8, R9, SH_STAT);
	ba_ji(g.as, BPF_JSGE, R8, 2, several);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
	ba_place(g.as, several);
	divide_sum(&g);
	subtract_mean(&g);
	remainder_part(&g);
	ba_ld(g.as, BPF_DW, R6, FP, V_HI);
	ba_ld(g.as, BPF_DW, R7, FP, V_LO);
	ba_movi(g.as, R2, 0);
	wide_sub(&g);
	ba_alui(g.as, BPF_SUB, R8, 1);
	call_div(&g, R6, R7, R8);
	ba_ji(g.as, BPF_JSGE, R0, 0, fits);
	ba_movi(g.as, R0, INT64_MAX);
	ba_place(g.as, fits);
	rt_end(&g);
}
