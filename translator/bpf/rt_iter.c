/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreach in the kernel. Its elements are copied when it begins, since the handler may change the
 * array meanwhile: into one region of the map spile_iter, their numbers into the same region of
 * spile_heap, ordered as a heap. So a foreach with a limit costs one pass over the array and a few
 * steps an element taken. Regions are shared by all handlers; a word of .data says which is in
 * use, a mask in the slot which this handler holds.
 */
#include "bpf/gen.h"

/* An element's copy: sequence, sort value, key, value (a statistic: count, sum, min, max). */
enum { ELEM_SEQ = 0, ELEM_SORT = 8, ELEM_KEY = ITER_KEY_OFF };

/* What filling keeps in the slot. */
enum { FILL_N = SH_TMP, FILL_REGION = SH_TMP + 8, FILL_BASE = SH_TMP + 16 };

/* Stack of the routines here. */
enum { ST_KEY = -4, ST_CHILD = -16, ST_FIRST = -24, ST_SECOND = -32 };

#define LEVELS_MAX 24 /* of a heap: 16 million elements */

uint32_t iter_value_off(const struct unit *u, uint32_t global)
{
	return ELEM_KEY + u->lay.g[global].key_size;
}

uint32_t iter_elem_size(const struct unit *u, uint32_t global)
{
	const struct ir_global *g = u->m->globals.v[global];

	return iter_value_off(u, global) + (g->is_stat          ? u->lay.g[global].part_size
					    : g->type == IR_STR ? u->lay.strsz
								: 8);
}

/* R0 = element number @reg of @map, or to @none. */
static void lookup(struct gen *g, uint32_t map, int reg, uint32_t none)
{
	ba_st(g->as, BPF_W, FP, ST_KEY, reg);
	ba_ld_map(g->as, R1, map);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, ST_KEY);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, none);
}

static bool sort_is_string(const struct unit *u, const struct ir_iter *it)
{
	const struct ir_global *g = u->m->globals.v[it->global];

	if (!it->sort_dir)
		return false;
	if (it->sort_key)
		return g->keys[it->sort_key - 1] == IR_STR;
	return !g->is_stat && g->type == IR_STR;
}

/* Where an element's copy has what it is sorted by. */
static uint32_t sort_off(const struct unit *u, const struct ir_iter *it)
{
	if (it->sort_key)
		return ELEM_KEY + u->lay.g[it->global].key_off[it->sort_key - 1];
	return u->m->globals.v[it->global]->is_stat ? (uint32_t)ELEM_SORT
						    : iter_value_off(u, it->global);
}

static void return_num(struct gen *g, int32_t n)
{
	ba_movi(g->as, R0, n);
	rt_end(g);
}

/* less(a, b): does element a come first */
static void build_less(struct unit *u, uint32_t fn, const struct ir_iter *it)
{
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };
	uint32_t no = ba_label(g.as), yes = ba_label(g.as), tie = ba_label(g.as);
	uint32_t off = sort_off(u, it);

	ba_mov(g.as, R7, R2);
	lookup(&g, u->map_iter, R1, no);
	ba_mov(g.as, R6, R0);
	lookup(&g, u->map_iter, R7, no);
	ba_mov(g.as, R7, R0);
	ba_ld(g.as, BPF_DW, R1, R6, ELEM_SEQ);
	ba_ld(g.as, BPF_DW, R2, R7, ELEM_SEQ);
	ba_st(g.as, BPF_DW, FP, ST_FIRST, R1);
	ba_st(g.as, BPF_DW, FP, ST_SECOND, R2);
	if (sort_is_string(u, it)) {
		ba_alui(g.as, BPF_ADD, R6, (int32_t)off);
		ba_alui(g.as, BPF_ADD, R7, (int32_t)off);
		rt_compare(&g);
		ba_ji(g.as, BPF_JEQ, R0, 0, tie);
		ba_ji(g.as, it->sort_dir > 0 ? BPF_JSLT : BPF_JSGT, R0, 0, yes);
		ba_ja(g.as, no);
	} else if (it->sort_dir) {
		ba_ld(g.as, BPF_DW, R1, R6, (int)off);
		ba_ld(g.as, BPF_DW, R2, R7, (int)off);
		ba_j(g.as, BPF_JEQ, R1, R2, tie);
		ba_j(g.as, it->sort_dir > 0 ? BPF_JSLT : BPF_JSGT, R1, R2, yes);
		ba_ja(g.as, no);
	}
	ba_place(g.as, tie);
	ba_ld(g.as, BPF_DW, R1, FP, ST_FIRST);
	ba_ld(g.as, BPF_DW, R2, FP, ST_SECOND);
	ba_j(g.as, BPF_JLT, R1, R2, yes);
	ba_place(g.as, no);
	return_num(&g, 0);
	ba_place(g.as, yes);
	return_num(&g, 1);
}

/* R6: the region's base. R0 = place of heap entry @reg. */
static void heap_at(struct gen *g, int reg, uint32_t none)
{
	ba_mov(g->as, R1, R6);
	ba_alu(g->as, BPF_ADD, R1, reg);
	lookup(g, g->u->map_heap, R1, none);
}

/* heap[@reg] = the number on the stack at @from */
static void heap_set(struct gen *g, int reg, int from, uint32_t none)
{
	heap_at(g, reg, none);
	ba_ld(g->as, BPF_W, R1, FP, from);
	ba_st(g->as, BPF_W, R0, 0, R1);
}

/* Stack slot @to = heap[@reg] */
static void heap_get(struct gen *g, int reg, int to, uint32_t none)
{
	heap_at(g, reg, none);
	ba_ld(g->as, BPF_W, R1, R0, 0);
	ba_st(g->as, BPF_W, FP, to, R1);
}

static void call_less(struct gen *g, uint32_t less, int a, int b)
{
	ba_ld(g->as, BPF_W, R1, FP, a);
	ba_ld(g->as, BPF_W, R2, FP, b);
	ba_call_fn(g->as, less);
}

/*
 * Makes @reg a number that verifiers know nothing of, its value unchanged: the difference of an
 * unknown number (@unknown) and itself is one, too. Kernels before 6.3 take all numbers of programs
 * with subprograms as significant: with the low bits of 2 * pos + 1 known they would follow every
 * path through the heap on its own, a million instructions and then a refusal.
 */
static void forget(struct gen *g, int reg, int unknown)
{
	ba_mov(g->as, R1, unknown);
	ba_alu(g->as, BPF_SUB, R1, unknown);
	ba_alu(g->as, BPF_ADD, reg, R1);
}

/* sift(base, pos, n): lets entry pos sink to its level; R9 counts the levels */
static void build_sift(struct unit *u, uint32_t fn, uint32_t less)
{
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };
	uint32_t loop = ba_label(g.as), end = ba_label(g.as), one = ba_label(g.as);

	ba_mov(g.as, R6, R1);
	ba_mov(g.as, R7, R2);
	ba_mov(g.as, R8, R3);
	ba_movi(g.as, R9, LEVELS_MAX);
	ba_place(g.as, loop);
	forget(&g, R7, R6);
	ba_mov(g.as, R1, R7);
	ba_alui(g.as, BPF_LSH, R1, 1);
	ba_alui(g.as, BPF_ADD, R1, 1);
	ba_j(g.as, BPF_JGE, R1, R8, end);
	ba_st(g.as, BPF_W, FP, ST_CHILD, R1);
	ba_mov(g.as, R3, R1);
	heap_get(&g, R3, ST_FIRST, end);
	ba_ld(g.as, BPF_W, R3, FP, ST_CHILD);
	ba_alui(g.as, BPF_ADD, R3, 1);
	ba_j(g.as, BPF_JGE, R3, R8, one);
	heap_get(&g, R3, ST_SECOND, end);
	call_less(&g, less, ST_SECOND, ST_FIRST);
	ba_ji(g.as, BPF_JEQ, R0, 0, one);
	ba_ld(g.as, BPF_W, R1, FP, ST_CHILD);
	ba_alui(g.as, BPF_ADD, R1, 1);
	ba_st(g.as, BPF_W, FP, ST_CHILD, R1);
	ba_ld(g.as, BPF_W, R1, FP, ST_SECOND);
	ba_st(g.as, BPF_W, FP, ST_FIRST, R1);
	ba_place(g.as, one);
	heap_get(&g, R7, ST_SECOND, end);
	call_less(&g, less, ST_FIRST, ST_SECOND);
	ba_ji(g.as, BPF_JEQ, R0, 0, end);
	heap_set(&g, R7, ST_FIRST, end);
	ba_ld(g.as, BPF_W, R7, FP, ST_CHILD);
	heap_set(&g, R7, ST_SECOND, end);
	ba_alui(g.as, BPF_SUB, R9, 1);
	ba_ji(g.as, BPF_JNE, R9, 0, loop);
	ba_place(g.as, end);
	return_num(&g, 0);
}

/* pop(base, n): takes the first element of the heap; its number */
static void build_pop(struct unit *u, uint32_t fn, uint32_t sift)
{
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };
	uint32_t end = ba_label(g.as);

	ba_mov(g.as, R6, R1);
	ba_mov(g.as, R8, R2);
	ba_sti(g.as, BPF_W, FP, ST_FIRST, -1);
	ba_movi(g.as, R7, 0);
	heap_get(&g, R7, ST_FIRST, end);
	ba_alui(g.as, BPF_SUB, R8, 1);
	heap_get(&g, R8, ST_SECOND, end);
	heap_set(&g, R7, ST_SECOND, end);
	ba_mov(g.as, R1, R6);
	ba_movi(g.as, R2, 0);
	ba_mov(g.as, R3, R8);
	ba_call_fn(g.as, sift);
	ba_place(g.as, end);
	ba_ld(g.as, BPF_W, R0, FP, ST_FIRST);
	rt_end(&g);
}

/* The element's copy (R8) gets the merged statistic in SH_STAT and what it is sorted by. */
static void fill_stat(struct gen *g, const struct ir_iter *it)
{
	uint32_t val = iter_value_off(g->u, it->global);

	for (uint32_t k = 0; k < ir_stat_words(g->u->m->globals.v[it->global]); k++) {
		ba_ld(g->as, BPF_DW, R1, R9, SH_STAT + 8 * (int)k);
		ba_st(g->as, BPF_DW, R8, (int)(val + 8 * k), R1);
	}
	if (!it->sort_dir || it->sort_key)
		return;
	g_stat_value(g, it->sort_stat);
	ba_st(g->as, BPF_DW, R8, ELEM_SORT, R0);
}

/* R7: the map's value, R8: its copy */
static void fill_value(struct gen *g, const struct ir_iter *it)
{
	const struct ir_global *gl = g->u->m->globals.v[it->global];
	uint32_t val = iter_value_off(g->u, it->global);

	if (gl->is_stat) {
		ba_mov(g->as, R0, R7);
		rt_merge_cpus(g, it->global);
		fill_stat(g, it);
	} else if (gl->type == IR_STR) {
		ba_mov(g->as, R1, R8);
		ba_alui(g->as, BPF_ADD, R1, (int32_t)val);
		ba_movi(g->as, R2, g->u->lay.strsz);
		ba_mov(g->as, R3, R7);
		ba_alui(g->as, BPF_ADD, R3, BPF_ELEM_HEAD);
		ba_call(g->as, BPF_FUNC_probe_read_kernel);
	} else {
		ba_ld(g->as, BPF_DW, R1, R7, BPF_ELEM_HEAD);
		ba_st(g->as, BPF_DW, R8, (int)val, R1);
	}
}

/* Callback over the array: (map, key, value, frame). Copies one element. */
static void build_fill(struct unit *u, uint32_t cb, const struct ir_iter *it)
{
	struct gen g = { .u = u, .as = &u->fns.v[cb]->as };
	uint32_t full = ba_label(g.as), other = ba_label(g.as);

	ba_mov(g.as, R6, R2);
	ba_mov(g.as, R7, R3);
	ba_ld(g.as, BPF_DW, R9, R4, 0);
	ba_ld(g.as, BPF_DW, R1, R9, FILL_N);
	ba_ji(g.as, BPF_JGE, R1, (int32_t)u->iter_max, full);
	ba_ld(g.as, BPF_DW, R2, R9, FILL_BASE);
	ba_alu(g.as, BPF_ADD, R1, R2);
	ba_st(g.as, BPF_DW, FP, ST_FIRST, R1);
	lookup(&g, u->map_heap, R1, full);
	ba_ld(g.as, BPF_DW, R1, FP, ST_FIRST);
	ba_st(g.as, BPF_W, R0, 0, R1);
	lookup(&g, u->map_iter, R1, full);
	ba_mov(g.as, R8, R0);
	ba_ld(g.as, BPF_DW, R1, R7, 0);
	ba_st(g.as, BPF_DW, R8, ELEM_SEQ, R1);
	ba_mov(g.as, R1, R8);
	ba_alui(g.as, BPF_ADD, R1, ELEM_KEY);
	ba_movi(g.as, R2, u->lay.g[it->global].key_size);
	ba_mov(g.as, R3, R6);
	ba_call(g.as, BPF_FUNC_probe_read_kernel);
	if (it->fixed) {
		ba_mov(g.as, R1, R8);
		ba_alui(g.as, BPF_ADD, R1, ELEM_KEY);
		ba_mov(g.as, R2, R9);
		ba_call_fn(g.as, rt_match(u, it->global, it->fixed));
		ba_ji(g.as, BPF_JEQ, R0, 0, other);
	}
	fill_value(&g, it);
	ba_ld(g.as, BPF_DW, R1, R9, FILL_N);
	ba_alui(g.as, BPF_ADD, R1, 1);
	ba_st(g.as, BPF_DW, R9, FILL_N, R1);
	ba_place(g.as, other);
	return_num(&g, 0);
	ba_place(g.as, full);
	return_num(&g, 1);
}

/*
 * Callback of bpf_loop: (index, frame). Sinks the entries that have children, the last one first.
 */
static void build_heapify(struct unit *u, uint32_t cb, uint32_t sift)
{
	struct gen g = { .u = u, .as = &u->fns.v[cb]->as };

	ba_ld(g.as, BPF_DW, R9, R2, 0);
	ba_ld(g.as, BPF_DW, R3, R9, FILL_N);
	ba_mov(g.as, R2, R3);
	ba_alui(g.as, BPF_RSH, R2, 1);
	ba_alu(g.as, BPF_SUB, R2, R1);
	ba_alui(g.as, BPF_SUB, R2, 1);
	ba_ld(g.as, BPF_DW, R1, R9, FILL_BASE);
	ba_call_fn(g.as, sift);
	return_num(&g, 0);
}

/* FILL_REGION and FILL_BASE = a free region, or returns -1. */
static void take_region(struct gen *g)
{
	uint32_t loop = ba_label(g->as), got = ba_label(g->as), next = ba_label(g->as);

	ba_ld_data(g->as, R6, BD_REGIONS);
	ba_movi(g->as, R7, 0);
	ba_ld_rodata(g->as, R8, RD_REGIONS);
	ba_ld(g->as, BPF_DW, R8, R8, 0);
	ba_place(g->as, loop);
	ba_j(g->as, BPF_JLT, R7, R8, next);
	return_num(g, -1);
	ba_place(g->as, next);
	ba_st(g->as, BPF_DW, R9, FILL_REGION, R7);
	g_try(g, R6, 0, got);
	ba_alui(g->as, BPF_ADD, R6, 4);
	ba_alui(g->as, BPF_ADD, R7, 1);
	ba_ja(g->as, loop);
	ba_place(g->as, got);
	/* back from memory, so that the verifier does not follow each region on its own */
	ba_ld(g->as, BPF_DW, R7, R9, FILL_REGION);
	ba_alui(g->as, BPF_AND, R7, 63);
	ba_movi(g->as, R1, 1);
	ba_alu(g->as, BPF_LSH, R1, R7);
	ba_ld(g->as, BPF_DW, R2, R9, SH_ITERS);
	ba_alu(g->as, BPF_OR, R2, R1);
	ba_st(g->as, BPF_DW, R9, SH_ITERS, R2);
	ba_alui(g->as, BPF_MUL, R7, (int32_t)g->u->iter_max);
	ba_st(g->as, BPF_DW, R9, FILL_BASE, R7);
}

/*
 * begin(): copies the array into a region; the region's number, or -1. FILL_N, FILL_BASE tell the
 * rest.
 */
static void build_begin(struct unit *u, uint32_t fn, const struct ir_iter *it, uint32_t sift,
			const char *id)
{
	uint32_t fill = unit_fn(u, arena_printf(u->arena, "cb_fill_%s", id), FN_STATIC, NULL, 4);
	uint32_t heapify =
		unit_fn(u, arena_printf(u->arena, "cb_heapify_%s", id), FN_STATIC, NULL, 2);
	struct gen g;

	build_fill(u, fill, it);
	build_heapify(u, heapify, sift);
	rt_begin(&g, u, fn, 1, 0);
	take_region(&g);
	ba_sti(g.as, BPF_DW, R9, FILL_N, 0);
	ba_st(g.as, BPF_DW, FP, FRAME_SLOT, R9);
	ba_ld_map(g.as, R1, u->map_of[it->global]);
	ba_ld_func(g.as, R2, fill);
	ba_mov(g.as, R3, FP);
	ba_alui(g.as, BPF_ADD, R3, FRAME_SLOT);
	ba_movi(g.as, R4, 0);
	ba_call(g.as, BPF_FUNC_for_each_map_elem);
	ba_ld(g.as, BPF_DW, R1, R9, FILL_N);
	ba_alui(g.as, BPF_RSH, R1, 1);
	ba_ld_func(g.as, R2, heapify);
	ba_mov(g.as, R3, FP);
	ba_alui(g.as, BPF_ADD, R3, FRAME_SLOT);
	ba_movi(g.as, R4, 0);
	ba_call(g.as, BPF_FUNC_loop);
	ba_ld(g.as, BPF_DW, R0, R9, FILL_REGION);
	rt_end(&g);
}

/* iter_end(region): gives it back; a number that names none does nothing */
void rt_build_iter_end(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t none, held;

	rt_begin(&g, u, fn, 2, 0);
	none = ba_label(g.as);
	held = ba_label(g.as);
	ba_ji(g.as, BPF_JGE, R6, BPF_REGIONS_MAX, none);
	ba_movi(g.as, R1, 1);
	ba_alu(g.as, BPF_LSH, R1, R6);
	ba_ld(g.as, BPF_DW, R2, R9, SH_ITERS);
	ba_mov(g.as, R3, R2);
	ba_alu(g.as, BPF_AND, R3, R1);
	ba_ji(g.as, BPF_JNE, R3, 0, held);
	ba_place(g.as, none);
	return_num(&g, 0);
	ba_place(g.as, held);
	ba_alu(g.as, BPF_XOR, R2, R1);
	ba_st(g.as, BPF_DW, R9, SH_ITERS, R2);
	ba_alui(g.as, BPF_LSH, R6, 2);
	ba_ld_data(g.as, R1, BD_REGIONS);
	ba_alu(g.as, BPF_ADD, R1, R6);
	g_release(&g, R1, 0);
	return_num(&g, 0);
}

/* iter_close(): gives back every region the handler still holds */
void rt_build_iter_close(struct unit *u, uint32_t fn)
{
	struct gen g;
	uint32_t loop, free;

	rt_begin(&g, u, fn, 1, 0);
	loop = ba_label(g.as);
	free = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R6, R9, SH_ITERS);
	ba_ld_data(g.as, R7, BD_REGIONS);
	ba_movi(g.as, R8, 0);
	ba_place(g.as, loop);
	ba_mov(g.as, R1, R6);
	ba_alui(g.as, BPF_AND, R1, 1);
	ba_ji(g.as, BPF_JEQ, R1, 0, free);
	g_release(&g, R7, 0);
	ba_place(g.as, free);
	ba_alui(g.as, BPF_RSH, R6, 1);
	ba_alui(g.as, BPF_ADD, R7, 4);
	ba_alui(g.as, BPF_ADD, R8, 1);
	ba_ji(g.as, BPF_JLT, R8, BPF_REGIONS_MAX, loop);
	ba_sti(g.as, BPF_DW, R9, SH_ITERS, 0);
	return_num(&g, 0);
}

const struct iter_fns *rt_iter(struct unit *u, const struct ir_iter *it)
{
	struct iter_fns f = { .it = *it };
	const char *id = arena_printf(u->arena, "%u", u->iters.n);
	uint32_t less, sift;

	for (uint32_t k = 0; k < u->iters.n; k++) {
		const struct ir_iter *o = &u->iters.v[k].it;

		if (o->global == it->global && o->sort_dir == it->sort_dir &&
		    o->sort_key == it->sort_key && o->sort_stat == it->sort_stat &&
		    o->fixed == it->fixed)
			return &u->iters.v[k];
	}
	less = unit_fn(u, arena_printf(u->arena, "rt_less_%s", id), FN_GLOBAL, NULL, 2);
	build_less(u, less, it);
	sift = unit_fn(u, arena_printf(u->arena, "rt_sift_%s", id), FN_GLOBAL, NULL, 3);
	build_sift(u, sift, less);
	f.begin = unit_fn(u, arena_printf(u->arena, "rt_begin_%s", id), FN_GLOBAL, NULL, 1);
	build_begin(u, f.begin, it, sift, id);
	f.pop = unit_fn(u, arena_printf(u->arena, "rt_pop_%s", id), FN_GLOBAL, NULL, 2);
	build_pop(u, f.pop, sift);
	vec_push(u->arena, &u->iters, f);
	return &u->iters.v[u->iters.n - 1];
}
