/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routines of one array or statistic each: merging, clearing, making room. */
#include "bpf/gen.h"

/* Adds the part at R6 + @off to the slot's sums. */
static void merge_part(struct gen *g, int off)
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
	ba_ld(g->as, BPF_DW, R1, R6, off + 8);
	ba_ld(g->as, BPF_DW, R2, R9, SH_STAT + 8);
	ba_alu(g->as, BPF_ADD, R1, R2);
	ba_st(g->as, BPF_DW, R9, SH_STAT + 8, R1);
	ba_place(g->as, skip);
}

/*
 * R6 walks the CPUs' parts of the value at R0; the count comes from frozen read-only data, so the
 * verifier knows it.
 */
static void each_cpu(struct gen *g, void (*part)(struct gen *g, int off))
{
	uint32_t loop = ba_label(g->as), end = ba_label(g->as);

	ba_mov(g->as, R6, R0);
	ba_alui(g->as, BPF_ADD, R6, BPF_STAT_HEAD);
	ba_ld_rodata(g->as, R7, RD_NCPU);
	ba_ld(g->as, BPF_DW, R7, R7, 0);
	ba_place(g->as, loop);
	ba_ji(g->as, BPF_JEQ, R7, 0, end);
	for (int level = 0; level < BPF_LEVELS; level++)
		part(g, level * (int)BPF_STAT_PART);
	ba_alui(g->as, BPF_ADD, R6, BPF_STAT_CPU);
	ba_alui(g->as, BPF_SUB, R7, 1);
	ba_ja(g->as, loop);
	ba_place(g->as, end);
}

void rt_merge_cpus(struct gen *g)
{
	each_cpu(g, merge_part);
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
	for (int k = 0; k < 4; k++)
		ba_sti(g.as, BPF_DW, R9, SH_STAT + 8 * k, 0);
	lookup_key(&g, global, none);
	each_cpu(&g, merge_part);
	ba_place(g.as, none);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

static void clear_part(struct gen *g, int off)
{
	for (int k = 0; k < 4; k++)
		ba_sti(g->as, BPF_DW, R6, off + 8 * k, 0);
}

/* Visits all elements of the global's map with the callback @cb; R9 goes along. */
static void each_elem(struct gen *g, uint32_t global, uint32_t cb)
{
	ba_st(g->as, BPF_DW, FP, FRAME_SLOT, R9);
	ba_ld_map(g->as, R1, g->u->map_of[global]);
	ba_ld_func(g->as, R2, cb);
	ba_mov(g->as, R3, FP);
	ba_alui(g->as, BPF_ADD, R3, FRAME_SLOT);
	ba_movi(g->as, R4, 0);
	ba_call(g->as, BPF_FUNC_for_each_map_elem);
}

/* clear(): drops every element; a statistic scalar becomes empty */
static void build_clear(struct unit *u, uint32_t fn, uint32_t global)
{
	struct gen g;
	uint32_t none;

	rt_begin(&g, u, fn, 1, 0);
	none = ba_label(g.as);
	if (u->m->globals.v[global]->nkeys) {
		uint32_t cb = unit_fn(u, arena_printf(u->arena, "cb_clear_%u", global), FN_STATIC,
				      NULL, 4);
		struct bpf_asm *as = &u->fns.v[cb]->as;

		ba_call(as, BPF_FUNC_map_delete_elem);
		ba_movi(as, R0, 0);
		ba_exit(as);
		each_elem(&g, global, cb);
	} else {
		g_slot_sti(&g, BPF_W, u->slot.key, 0);
		lookup_key(&g, global, none);
		each_cpu(&g, clear_part);
	}
	ba_place(g.as, none);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* Keeps the key of the element with the lowest sequence in slot.key2, the sequence in SH_TMP. */
static void build_evict_step(struct unit *u, uint32_t cb, uint32_t global)
{
	struct gen g = { .u = u, .as = &u->fns.v[cb]->as };
	uint32_t newer = ba_label(g.as);

	ba_ld(g.as, BPF_DW, R9, R4, 0);
	ba_ld(g.as, BPF_DW, R0, R3, 0);
	ba_ld(g.as, BPF_DW, R1, R9, SH_TMP);
	ba_j(g.as, BPF_JGE, R0, R1, newer);
	ba_st(g.as, BPF_DW, R9, SH_TMP, R0);
	ba_mov(g.as, R3, R2);
	g_slot_addr(&g, R1, u->slot.key2);
	ba_movi(g.as, R2, u->lay.g[global].key_size);
	ba_call(g.as, BPF_FUNC_probe_read_kernel);
	ba_place(g.as, newer);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

/* evict(): makes room in a full wrapping array by dropping the element inserted first */
static void build_evict(struct unit *u, uint32_t fn, uint32_t global)
{
	uint32_t cb =
		unit_fn(u, arena_printf(u->arena, "cb_oldest_%u", global), FN_STATIC, NULL, 4);
	struct gen g;

	build_evict_step(u, cb, global);
	rt_begin(&g, u, fn, 1, 0);
	ba_movi(g.as, R1, -1);
	ba_st(g.as, BPF_DW, R9, SH_TMP, R1);
	each_elem(&g, global, cb);
	ba_ld_map(g.as, R1, u->map_of[global]);
	g_slot_addr(&g, R2, u->slot.key2);
	ba_call(g.as, BPF_FUNC_map_delete_elem);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

static uint32_t own_routine(struct unit *u, uint32_t *slot, const char *what, uint32_t global,
			    void (*build)(struct unit *u, uint32_t fn, uint32_t global))
{
	if (*slot == IR_NONE) {
		*slot = unit_fn(u, arena_printf(u->arena, "rt_%s_%u", what, global), FN_GLOBAL,
				NULL, 1);
		build(u, *slot, global);
	}
	return *slot;
}

uint32_t rt_stat(struct unit *u, uint32_t global)
{
	return own_routine(u, &u->stat_fn[global], "stat", global, build_stat);
}

uint32_t rt_clear(struct unit *u, uint32_t global)
{
	return own_routine(u, &u->clear_fn[global], "clear", global, build_clear);
}

uint32_t rt_evict(struct unit *u, uint32_t global)
{
	return own_routine(u, &u->evict_fn[global], "evict", global, build_evict);
}
