/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slices: which elements of an array have the keys that stand at their places in slot.key. Each
 * combination of an array and fixed keys has its own routines.
 */
#include "bpf/gen.h"

/* match(key, slot): 1 when the fixed ones of the two agree */
static uint32_t build_match(struct unit *u, uint32_t global, uint32_t fixed)
{
	const struct ir_global *gl = u->m->globals.v[global];
	uint32_t fn = unit_fn(u, arena_printf(u->arena, "rt_match_%u_%u", global, fixed), FN_STATIC,
			      NULL, 2);
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };
	uint32_t no = ba_label(g.as);

	ba_st(g.as, BPF_DW, FP, -8, R1);
	ba_mov(g.as, R9, R2);
	for (uint32_t k = 0; k < gl->nkeys; k++) {
		uint32_t off = u->lay.g[global].key_off[k];

		if (!(fixed >> k & 1))
			continue;
		ba_ld(g.as, BPF_DW, R6, FP, -8);
		ba_alui(g.as, BPF_ADD, R6, (int32_t)off);
		g_slot_addr(&g, R7, u->slot.key + off);
		if (gl->keys[k] == IR_STR) {
			rt_compare(&g);
			ba_ji(g.as, BPF_JNE, R0, 0, no);
		} else {
			ba_ld(g.as, BPF_DW, R1, R6, 0);
			ba_ld(g.as, BPF_DW, R2, R7, 0);
			ba_j(g.as, BPF_JNE, R1, R2, no);
		}
	}
	ba_movi(g.as, R0, 1);
	rt_end(&g);
	ba_place(g.as, no);
	ba_movi(g.as, R0, 0);
	rt_end(&g);
	return fn;
}

static struct slice_fns *slice_of(struct unit *u, uint32_t global, uint32_t fixed)
{
	struct slice_fns s = { global, fixed, IR_NONE, { IR_NONE, IR_NONE } };

	for (uint32_t k = 0; k < u->slices.n; k++)
		if (u->slices.v[k].global == global && u->slices.v[k].fixed == fixed)
			return &u->slices.v[k];
	s.match = build_match(u, global, fixed);
	vec_push(u->arena, &u->slices, s);
	return &u->slices.v[u->slices.n - 1];
}

uint32_t rt_match(struct unit *u, uint32_t global, uint32_t fixed)
{
	return slice_of(u, global, fixed)->match;
}

/* Callback over the array: (map, key, value, frame). */
static void build_visit(struct unit *u, uint32_t cb, uint32_t match, bool del)
{
	struct bpf_asm *as = &u->fns.v[cb]->as;
	uint32_t other = ba_label(as);

	ba_mov(as, R6, R1);
	ba_mov(as, R7, R2);
	ba_ld(as, BPF_DW, R9, R4, 0);
	ba_mov(as, R1, R7);
	ba_mov(as, R2, R9);
	ba_call_fn(as, match);
	ba_ji(as, BPF_JEQ, R0, 0, other);
	if (del) {
		ba_mov(as, R1, R6);
		ba_mov(as, R2, R7);
		ba_call(as, BPF_FUNC_map_delete_elem);
	} else {
		ba_movi(as, R1, 1);
		ba_st(as, BPF_DW, R9, SH_TMP, R1);
		ba_movi(as, R0, 1);
		ba_exit(as);
	}
	ba_place(as, other);
	ba_movi(as, R0, 0);
	ba_exit(as);
}

uint32_t rt_slice(struct unit *u, uint32_t global, uint32_t fixed, bool del)
{
	const char *id = arena_printf(u->arena, "%s_%u_%u", del ? "del" : "any", global, fixed);
	uint32_t match = slice_of(u, global, fixed)->match, fn, cb;
	struct gen g;

	if (slice_of(u, global, fixed)->fn[del] != IR_NONE)
		return slice_of(u, global, fixed)->fn[del];
	cb = unit_fn(u, arena_printf(u->arena, "cb_%s", id), FN_STATIC, NULL, 4);
	build_visit(u, cb, match, del);
	fn = unit_fn(u, arena_printf(u->arena, "rt_%s", id), FN_GLOBAL, NULL, 1);
	rt_begin(&g, u, fn, 1, 0);
	ba_sti(g.as, BPF_DW, R9, SH_TMP, 0);
	rt_each_elem(&g, global, cb);
	ba_ld(g.as, BPF_DW, R0, R9, SH_TMP);
	rt_end(&g);
	slice_of(u, global, fixed)->fn[del] = fn;
	return fn;
}
