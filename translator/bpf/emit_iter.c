/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreach: an iterator's state is in homes of its function, behind those of the registers. */
#include "bpf/gen.h"

static const struct ir_iter *iter_of(const struct gen *g, const struct ir_insn *i)
{
	return &g->fg->f->iters.v[i->ref];
}

static const struct ir_global *array_of(const struct gen *g, const struct ir_insn *i)
{
	return g->u->m->globals.v[iter_of(g, i)->global];
}

static uint32_t iter_home(const struct fngen *fg, uint32_t iter, enum iter_home what)
{
	return fg->home_base + 8 * (fg->iter_homes + ITER_HOMES * iter + what);
}

/* No iterator of @fg is open yet: its window holds what an earlier activation left. */
void iter_init(struct gen *g, const struct fngen *fg)
{
	for (uint32_t k = 0; k < fg->f->iters.n; k++)
		g_slot_sti(g, BPF_DW, iter_home(fg, k, ITER_REGION), -1);
}

static void close_iter(struct gen *g, uint32_t iter)
{
	g_slot_ld(g, BPF_DW, R2, iter_home(g->fg, iter, ITER_REGION));
	g_call_rt(g, RT_ITER_END);
	g_slot_sti(g, BPF_DW, iter_home(g->fg, iter, ITER_REGION), -1);
}

void iter_close_all(struct gen *g)
{
	for (uint32_t k = 0; k < g->fg->f->iters.n; k++)
		close_iter(g, k);
}

void em_it_begin(struct gen *g, const struct ir_insn *i)
{
	uint32_t unlimited = ba_label(g->as),
		 fail = emit_stub(g, i, ERR_ITER, iter_of(g, i)->global);

	close_iter(g, i->ref);
	g_slice_key(g, iter_of(g, i)->global, iter_of(g, i)->fixed, &i->args[1]);
	g_call_fn(g, rt_iter(g->u, iter_of(g, i))->begin);
	ba_ji(g->as, BPF_JSLT, R0, 0, fail);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_REGION), R0);
	ba_ld(g->as, BPF_DW, R1, R9, SH_TMP);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_COUNT), R1);
	ba_ld(g->as, BPF_DW, R1, R9, SH_TMP + 16);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_BASE), R1);
	g_load(g, R1, &i->args[0]);
	ba_ji(g->as, BPF_JSGE, R1, 0, unlimited);
	ba_movi(g->as, R1, INT64_MAX);
	ba_place(g->as, unlimited);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_LEFT), R1);
}

void em_it_next(struct gen *g, const struct ir_insn *i)
{
	uint32_t end = ba_label(g->as), out = ba_label(g->as);

	g_slot_ld(g, BPF_DW, R1, iter_home(g->fg, i->ref, ITER_LEFT));
	ba_ji(g->as, BPF_JEQ, R1, 0, end);
	ba_alui(g->as, BPF_SUB, R1, 1);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_LEFT), R1);
	g_slot_ld(g, BPF_DW, R2, iter_home(g->fg, i->ref, ITER_COUNT));
	ba_ji(g->as, BPF_JEQ, R2, 0, end);
	ba_mov(g->as, R3, R2);
	ba_alui(g->as, BPF_SUB, R3, 1);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_COUNT), R3);
	g_slot_ld(g, BPF_DW, R1, iter_home(g->fg, i->ref, ITER_BASE));
	ba_call_fn(g->as, rt_iter(g->u, iter_of(g, i))->pop);
	g_slot_st(g, BPF_DW, iter_home(g->fg, i->ref, ITER_ELEM), R0);
	ba_movi(g->as, R0, 1);
	ba_ja(g->as, out);
	ba_place(g->as, end);
	ba_movi(g->as, R0, 0);
	ba_place(g->as, out);
	g_done(g, i->dst, R0);
}

/* R0 = the copy of the element that the iterator stands on. */
static void current(struct gen *g, const struct ir_insn *i, uint32_t none)
{
	g_slot_ld(g, BPF_DW, R1, iter_home(g->fg, i->ref, ITER_ELEM));
	ba_st(g->as, BPF_W, FP, FRAME_IDX, R1);
	ba_ld_map(g->as, R1, g->u->map_iter);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, FRAME_IDX);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, none);
}

/* The result is what stands at @off of the current element. */
static void read_field(struct gen *g, const struct ir_insn *i, uint32_t off, enum ir_type type)
{
	uint32_t none = ba_label(g->as), end = ba_label(g->as);

	current(g, i, none);
	if (type == IR_STR) {
		ba_mov(g->as, R3, R0);
		ba_alui(g->as, BPF_ADD, R3, (int32_t)off);
		g_read_str(g, g_str_of(g, i->dst));
		ba_ja(g->as, end);
		ba_place(g->as, none);
		g_str_clear(g, g_str_of(g, i->dst));
		ba_place(g->as, end);
		return;
	}
	ba_ld(g->as, BPF_DW, R0, R0, (int)off);
	ba_place(g->as, none);
	g_done(g, i->dst, R0);
}

void em_it_key(struct gen *g, const struct ir_insn *i)
{
	read_field(g, i, ITER_KEY_OFF + g->u->lay.g[iter_of(g, i)->global].key_off[i->imm],
		   array_of(g, i)->keys[i->imm]);
}

void em_it_val(struct gen *g, const struct ir_insn *i)
{
	read_field(g, i, iter_value_off(g->u, iter_of(g, i)->global), array_of(g, i)->type);
}

void em_it_stat(struct gen *g, const struct ir_insn *i)
{
	uint32_t val = iter_value_off(g->u, iter_of(g, i)->global), none = ba_label(g->as),
		 have = ba_label(g->as);
	int words = (int)ir_stat_words(array_of(g, i));

	current(g, i, none);
	for (int k = 0; k < words; k++) {
		ba_ld(g->as, BPF_DW, R1, R0, (int)val + 8 * k);
		ba_st(g->as, BPF_DW, R9, SH_STAT + 8 * k, R1);
	}
	ba_ja(g->as, have);
	ba_place(g->as, none);
	for (int k = 0; k < words; k++)
		ba_sti(g->as, BPF_DW, R9, SH_STAT + 8 * k, 0);
	ba_place(g->as, have);
	g_extract_stat(g, i);
}

void em_it_end(struct gen *g, const struct ir_insn *i)
{
	close_iter(g, i->ref);
}
