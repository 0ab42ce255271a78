/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routines of one array or statistic each: clearing, making room. */
#include "bpf/gen.h"

void rt_each_elem(struct gen *g, uint32_t global, uint32_t cb)
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
		rt_each_elem(&g, global, cb);
	} else {
		rt_clear_scalar(&g, global, none);
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
	rt_each_elem(&g, global, cb);
	ba_ld_map(g.as, R1, u->map_of[global]);
	g_slot_addr(&g, R2, u->slot.key2);
	ba_call(g.as, BPF_FUNC_map_delete_elem);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
}

uint32_t rt_own(struct unit *u, uint32_t *slot, const char *what, uint32_t global, uint32_t nargs,
		void (*build)(struct unit *u, uint32_t fn, uint32_t global))
{
	if (*slot == IR_NONE) {
		*slot = unit_fn(u, arena_printf(u->arena, "rt_%s_%u", what, global), FN_GLOBAL,
				NULL, nargs);
		build(u, *slot, global);
	}
	return *slot;
}

uint32_t rt_clear(struct unit *u, uint32_t global)
{
	return rt_own(u, &u->clear_fn[global], "clear", global, 1, build_clear);
}

uint32_t rt_evict(struct unit *u, uint32_t global)
{
	return rt_own(u, &u->evict_fn[global], "evict", global, 1, build_evict);
}
