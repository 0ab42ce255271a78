/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Globals: scalars in .data, arrays in hash maps, statistics. */
#include "bpf/gen.h"

static const struct ir_global *global_of(const struct gen *g, uint32_t index)
{
	return g->u->m->globals.v[index];
}

void em_gget(struct gen *g, const struct ir_insn *i)
{
	const struct bpf_global *bg = &g->u->lay.g[i->ref];

	if (global_of(g, i->ref)->type == IR_STR) {
		ba_ld_data(g->as, R3, bg->off);
		g_read_str(g, g_str_of(g, i->dst));
		return;
	}
	ba_ld_data(g->as, R1, bg->off);
	ba_ld(g->as, BPF_DW, R0, R1, 0);
	g_done(g, i->dst, R0);
}

void em_gset(struct gen *g, const struct ir_insn *i)
{
	const struct bpf_global *bg = &g->u->lay.g[i->ref];

	if (global_of(g, i->ref)->type == IR_STR) {
		g_str_ptr(g, R3, &i->args[0]);
		ba_ld_data(g->as, R1, bg->off);
		ba_movi(g->as, R2, g->u->maxstr);
		ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
		return;
	}
	ba_ld_data(g->as, R1, bg->off);
	ba_st(g->as, BPF_DW, R1, 0, g_use(g, &i->args[0], R2));
}

/* A string at a fixed place of the key, zeros behind it: keys are compared as bytes. */
static void key_string(struct gen *g, uint32_t off, const struct ir_val *v)
{
	uint32_t ok = ba_label(g->as), strsz = g->u->lay.strsz;

	g_str_ptr(g, R3, v);
	g_read_str(g, off);
	ba_ji(g->as, BPF_JSGT, R0, 0, ok);
	ba_movi(g->as, R0, 0);
	ba_place(g->as, ok);
	g_slot_addr(g, R1, off);
	ba_alu(g->as, BPF_ADD, R1, R0);
	ba_movi(g->as, R2, strsz);
	ba_alu(g->as, BPF_SUB, R2, R0);
	ba_ld_rodata(g->as, R3, RD_ZERO);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
}

/* Key number @k at its place in slot.key. */
static void put_key(struct gen *g, uint32_t global, uint32_t k, const struct ir_val *v)
{
	uint32_t off = g->u->slot.key + g->u->lay.g[global].key_off[k];

	if (global_of(g, global)->keys[k] == IR_STR)
		key_string(g, off, v);
	else
		g_slot_st(g, BPF_DW, off, g_use(g, v, R1));
}

void g_key(struct gen *g, uint32_t global, const struct ir_val *args)
{
	const struct ir_global *gl = global_of(g, global);

	if (g->staged)
		return;
	if (!gl->nkeys)
		g_slot_sti(g, BPF_W, g->u->slot.key, 0);
	for (uint32_t k = 0; k < gl->nkeys; k++)
		put_key(g, global, k, &args[k]);
}

/* R1, R2: the map and the key that g_key() built. */
static void map_and_key(struct gen *g, uint32_t global)
{
	ba_ld_map(g->as, R1, g->u->map_of[global]);
	g_slot_addr(g, R2, g->u->slot.key);
}

static void lookup(struct gen *g, uint32_t global)
{
	map_and_key(g, global);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
}

void em_mget(struct gen *g, const struct ir_insn *i)
{
	bool str = global_of(g, i->ref)->type == IR_STR;
	uint32_t found = ba_label(g->as), end = ba_label(g->as);

	g_key(g, i->ref, i->args);
	lookup(g, i->ref);
	ba_ji(g->as, BPF_JNE, R0, 0, found);
	if (str)
		g_str_clear(g, g_str_of(g, i->dst));
	ba_ja(g->as, end);
	ba_place(g->as, found);
	if (str) {
		ba_mov(g->as, R3, R0);
		ba_alui(g->as, BPF_ADD, R3, BPF_ELEM_HEAD);
		g_read_str(g, g_str_of(g, i->dst));
	} else {
		ba_ld(g->as, BPF_DW, R0, R0, BPF_ELEM_HEAD);
	}
	ba_place(g->as, end);
	if (!str)
		g_done(g, i->dst, R0);
}

void em_mhas(struct gen *g, const struct ir_insn *i)
{
	uint32_t l = ba_label(g->as);

	g_key(g, i->ref, i->args);
	lookup(g, i->ref);
	ba_movi(g->as, R1, 1);
	ba_ji(g->as, BPF_JNE, R0, 0, l);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, l);
	g_done(g, i->dst, R1);
}

/*
 * The next number of insertion order: a count, then the slot, since two CPUs that count at the
 * same time may both read the higher count.
 */
void g_next_seq(struct gen *g)
{
	ba_ld_data(g->as, R1, BD_SEQ);
	ba_movi(g->as, R0, 1);
	ba_xadd(g->as, BPF_DW, R1, 0, R0);
	ba_ld(g->as, BPF_DW, R0, R1, 0);
	ba_alui(g->as, BPF_LSH, R0, BPF_SEQ_SHIFT);
	ba_ld(g->as, BPF_W, R1, R9, SH_IDX);
	ba_alu(g->as, BPF_OR, R0, R1);
}

uint32_t g_overflow_stub(struct gen *g, const struct ir_insn *i)
{
	const struct ir_global *gl = global_of(g, i->ref);

	if (g->staged)
		return g->l_full;
	if (gl->is_stat)
		return emit_stub(g, i, ERR_AGG_OVERFLOW, i->ref);
	if (gl->sized)
		return emit_stub(g, i, ERR_OVERFLOW_SIZED, gl->max_entries);
	return emit_stub(g, i, ERR_OVERFLOW, 0);
}

/* Adds the element at slot.key; the value is at slot.val, or zeros for a statistic. */
static void update(struct gen *g, uint32_t global)
{
	map_and_key(g, global);
	if (global_of(g, global)->is_stat) {
		uint32_t ok = ba_label(g->as);

		/* the zero map's only element is always there; the verifier wants it asked */
		ba_sti(g->as, BPF_W, FP, FRAME_BUF, 0);
		ba_ld_map(g->as, R1, g->u->map_zero);
		ba_mov(g->as, R2, FP);
		ba_alui(g->as, BPF_ADD, R2, FRAME_BUF);
		ba_call(g->as, BPF_FUNC_map_lookup_elem);
		ba_ji(g->as, BPF_JEQ, R0, 0, ok);
		ba_mov(g->as, R3, R0);
		map_and_key(g, global);
		ba_movi(g->as, R4, BPF_NOEXIST);
		ba_call(g->as, BPF_FUNC_map_update_elem);
		ba_place(g->as, ok);
		return;
	}
	g_slot_addr(g, R3, g->u->slot.val);
	ba_movi(g->as, R4, BPF_NOEXIST);
	ba_call(g->as, BPF_FUNC_map_update_elem);
}

/* Inserts; when the map is full makes room (wrapping arrays) or fails. */
static void insert(struct gen *g, uint32_t global, uint32_t fail)
{
	uint32_t ok = ba_label(g->as);

	update(g, global);
	if (global_of(g, global)->wrap) {
		ba_ji(g->as, BPF_JEQ, R0, 0, ok);
		g_call_fn(g, rt_evict(g->u, global));
		update(g, global);
	}
	if (global_of(g, global)->is_stat)
		ba_ji(g->as, BPF_JEQ, R0, -17, ok); /* EEXIST: another CPU was first */
	ba_ji(g->as, BPF_JNE, R0, 0, fail);
	ba_place(g->as, ok);
}

/* slot.val = { next number, value } */
static void build_value(struct gen *g, const struct ir_insn *i, const struct ir_val *v)
{
	g_next_seq(g);
	g_slot_st(g, BPF_DW, g->u->slot.val, R0);
	if (global_of(g, i->ref)->type == IR_STR)
		g_copy_str(g, g->u->slot.val + BPF_ELEM_HEAD, v);
	else
		g_slot_st(g, BPF_DW, g->u->slot.val + BPF_ELEM_HEAD, g_use(g, v, R1));
}

void em_mset(struct gen *g, const struct ir_insn *i)
{
	const struct ir_val *v = &i->args[global_of(g, i->ref)->nkeys];
	uint32_t found = ba_label(g->as), end = ba_label(g->as);

	g_key(g, i->ref, i->args);
	lookup(g, i->ref);
	ba_ji(g->as, BPF_JNE, R0, 0, found);
	build_value(g, i, v);
	insert(g, i->ref, g_overflow_stub(g, i));
	ba_ja(g->as, end);
	ba_place(g->as, found);
	if (global_of(g, i->ref)->type == IR_STR) {
		ba_mov(g->as, R1, R0);
		ba_alui(g->as, BPF_ADD, R1, BPF_ELEM_HEAD);
		ba_movi(g->as, R2, g->u->maxstr);
		g_str_ptr(g, R3, v);
		ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
	} else {
		ba_st(g->as, BPF_DW, R0, BPF_ELEM_HEAD, g_use(g, v, R1));
	}
	ba_place(g->as, end);
}

void em_madd(struct gen *g, const struct ir_insn *i)
{
	const struct ir_val *v = &i->args[global_of(g, i->ref)->nkeys];
	uint32_t found = ba_label(g->as), end = ba_label(g->as);

	g_key(g, i->ref, i->args);
	lookup(g, i->ref);
	ba_ji(g->as, BPF_JNE, R0, 0, found);
	build_value(g, i, v);
	insert(g, i->ref, g_overflow_stub(g, i));
	g_load(g, R2, v);
	ba_ja(g->as, end);
	ba_place(g->as, found);
	ba_ld(g->as, BPF_DW, R2, R0, BPF_ELEM_HEAD);
	ba_alu(g->as, BPF_ADD, R2, g_use(g, v, R1));
	ba_st(g->as, BPF_DW, R0, BPF_ELEM_HEAD, R2);
	ba_place(g->as, end);
	g_done(g, i->dst, R2);
}

void em_mdel(struct gen *g, const struct ir_insn *i)
{
	g_key(g, i->ref, i->args);
	map_and_key(g, i->ref);
	ba_call(g->as, BPF_FUNC_map_delete_elem);
}

/* The operands from @args on are the keys of the mask @fixed. */
void g_slice_key(struct gen *g, uint32_t global, uint32_t fixed, const struct ir_val *args)
{
	for (uint32_t k = 0; k < global_of(g, global)->nkeys; k++)
		if (fixed >> k & 1)
			put_key(g, global, k, args++);
}

void em_mhas_any(struct gen *g, const struct ir_insn *i)
{
	g_slice_key(g, i->ref, i->imm, i->args);
	g_call_fn(g, rt_slice(g->u, i->ref, i->imm, false));
	g_done(g, i->dst, R0);
}

void em_mdel_any(struct gen *g, const struct ir_insn *i)
{
	g_slice_key(g, i->ref, i->imm, i->args);
	g_call_fn(g, rt_slice(g->u, i->ref, i->imm, true));
}

void em_mclear(struct gen *g, const struct ir_insn *i)
{
	g_call_fn(g, rt_clear(g->u, i->ref));
}

/* R0 = this slot's part of the statistic at slot.key, created when it is not there. */
void g_stat_part(struct gen *g, uint32_t global, uint32_t fail)
{
	uint32_t found = ba_label(g->as);

	lookup(g, global);
	ba_ji(g->as, BPF_JNE, R0, 0, found);
	if (global_of(g, global)->nkeys) {
		uint32_t numbered = ba_label(g->as);

		insert(g, global, fail);
		lookup(g, global);
		ba_ji(g->as, BPF_JEQ, R0, 0, fail);
		ba_ld(g->as, BPF_DW, R1, R0, 0);
		ba_ji(g->as, BPF_JNE, R1, 0, numbered);
		ba_mov(g->as, R2, R0);
		g_next_seq(g);
		ba_st(g->as, BPF_DW, R2, 0, R0);
		ba_mov(g->as, R0, R2);
		ba_place(g->as, numbered);
	} else {
		ba_ja(g->as, fail);
	}
	ba_place(g->as, found);
	g_stat_own_part(g, global, fail);
}
