/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output records, sprintf, error state, counting of actions. */
#include "bpf/gen.h"

#include <string.h>

#include "base/record.h"

void rec_begin(struct gen *g, enum rec_type type, uint32_t id)
{
	uint32_t rec = g->u->slot.rec;

	ba_call(g->as, BPF_FUNC_ktime_get_ns);
	g_slot_st(g, BPF_DW, rec + 8, R0);
	ba_ld(g->as, BPF_W, R1, R9, SH_CPU);
	g_slot_sti(g, BPF_H, rec + 4, type);
	g_slot_st(g, BPF_H, rec + 6, R1);
	g_slot_sti(g, BPF_W, rec + 16, 0);
	g_slot_sti(g, BPF_W, rec + 20, (int32_t)id);
}

void rec_send(struct gen *g, uint32_t size)
{
	uint32_t rec = g->u->slot.rec, ok = ba_label(g->as);

	if (size) {
		ba_movi(g->as, R3, size);
	} else {
		uint32_t fits = ba_label(g->as);

		ba_ld(g->as, BPF_DW, R3, R9, SH_RECPOS);
		ba_ji(g->as, BPF_JLE, R3, (int32_t)g->u->slot.rec_max, fits);
		ba_movi(g->as, R3, g->u->slot.rec_max);
		ba_place(g->as, fits);
	}
	g_slot_st(g, BPF_W, rec, R3);
	ba_ld_map(g->as, R1, g->u->map_events);
	g_slot_addr(g, R2, rec);
	ba_movi(g->as, R4, 0);
	ba_call(g->as, BPF_FUNC_ringbuf_output);
	ba_ji(g->as, BPF_JEQ, R0, 0, ok);
	ba_ld_data(g->as, R1, BD_LOST);
	ba_movi(g->as, R2, 1);
	ba_xadd(g->as, BPF_DW, R1, 0, R2);
	ba_place(g->as, ok);
}

/* R1 = where the record ends, known by the verifier to leave room for one more argument. */
static void rec_pos(struct gen *g)
{
	uint32_t ok = ba_label(g->as);

	ba_ld(g->as, BPF_DW, R1, R9, SH_RECPOS);
	ba_ji(g->as, BPF_JLE, R1, (int32_t)(g->u->slot.rec_max - 8), ok);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, ok);
	ba_alui(g->as, BPF_ADD, R1, (int32_t)g->u->slot.rec);
	ba_alu(g->as, BPF_ADD, R1, R9);
}

static void rec_num_dynamic(struct gen *g, const struct ir_val *v)
{
	rec_pos(g);
	ba_st(g->as, BPF_DW, R1, 0, g_use(g, v, R2));
	ba_ld(g->as, BPF_DW, R1, R9, SH_RECPOS);
	ba_alui(g->as, BPF_ADD, R1, 8);
	ba_st(g->as, BPF_DW, R9, SH_RECPOS, R1);
}

/* Memory that the record carries; @k: the argument that is its address. */
static void rec_mem(struct gen *g, const struct ir_insn *i, uint32_t k)
{
	const struct ir_fmt *f = g->u->m->fmts.v[i->ref];
	bool user = f->specs.v[k]->flag == FMT_F_HASH;
	uint32_t star, count;

	ir_fmt_mem(f, k, &star, &count);
	if (star == IR_NONE) {
		ba_movi(g->as, R3, count);
	} else {
		uint32_t given = ba_label(g->as);

		g_load(g, R3, &i->args[star]);
		ba_ji(g->as, BPF_JSGT, R3, FMT_MEM_MAX, emit_stub_arg(g, i, ERR_DUMP, star));
		ba_ji(g->as, BPF_JSGE, R3, 0, given);
		ba_movi(g->as, R3, 1);
		ba_place(g->as, given);
	}
	g_load(g, R2, &i->args[k]);
	ba_movi(g->as, R4, user);
	g_call_rt(g, RT_REC_MEM);
	ba_ji(g->as, BPF_JNE, R0, 0, emit_stub_arg(g, i, user ? ERR_UFAULT : ERR_KFAULT, k));
}

/* The place of the next argument is constant (@pos) until the first one of unknown length. */
static void end_constant(struct gen *g, uint32_t *pos)
{
	if (*pos)
		ba_sti(g->as, BPF_DW, R9, SH_RECPOS, (int32_t)*pos);
	*pos = 0;
}

/* One argument of a record. */
static void rec_arg(struct gen *g, const struct ir_val *v, bool string, uint32_t *pos)
{
	if (string) {
		uint32_t off = g_str_off(g, v, 0);

		end_constant(g, pos);
		ba_movi(g->as, R2, off);
		g_call_rt(g, RT_REC_STR);
	} else if (*pos) {
		g_slot_st(g, BPF_DW, g->u->slot.rec + *pos, g_use(g, v, R1));
		*pos += 8;
	} else {
		rec_num_dynamic(g, v);
	}
}

void em_emit(struct gen *g, const struct ir_insn *i)
{
	const struct ir_fmt *f = g->u->m->fmts.v[i->ref];
	uint32_t pos = sizeof(struct rec);

	rec_begin(g, i->imm == IRO_WARN ? REC_WARN : REC_PRINT, i->ref);
	for (uint32_t k = 0; k < i->nargs; k++) {
		if (f->specs.v[k] && fmt_is_mem(f->specs.v[k])) {
			end_constant(g, &pos);
			rec_mem(g, i, k);
		} else {
			rec_arg(g, &i->args[k], f->args.v[k] == IR_STR, &pos);
		}
	}
	rec_send(g, pos);
}

void em_send(struct gen *g, const struct ir_insn *i)
{
	uint32_t pos = sizeof(struct rec);

	rec_begin(g, REC_SEND, i->imm);
	for (uint32_t k = 0; k < i->nargs; k++)
		rec_arg(g, &i->args[k], ir_send_operands[i->imm][k] == 's', &pos);
	rec_send(g, pos);
}

void em_emitmem(struct gen *g, const struct ir_insn *i)
{
	em_emit(g, i);
}

/* A width or precision: a number, or the next argument clamped to what the formatter takes. */
static void fmt_size(struct gen *g, int reg, int spec, const struct ir_insn *i, uint32_t *arg)
{
	uint32_t not_small = ba_label(g->as), not_big = ba_label(g->as);

	if (spec != FMT_STAR) {
		ba_movi(g->as, reg, spec);
		return;
	}
	g_load(g, reg, &i->args[(*arg)++]);
	ba_ji(g->as, BPF_JSGE, reg, 0, not_small);
	ba_movi(g->as, reg, FMT_NONE);
	ba_place(g->as, not_small);
	ba_ji(g->as, BPF_JSLE, reg, 1000000, not_big);
	ba_movi(g->as, reg, 1000000);
	ba_place(g->as, not_big);
}

static void sfmt_literal(struct gen *g, const struct fmt_piece *p)
{
	uint32_t lit = unit_literal(g->u, arena_strndup(g->u->arena, p->lit, p->lit_len));

	ba_ld_rodata(g->as, R3, lit);
	g_read_str(g, g->u->slot.stmp);
	ba_movi(g->as, R2, g->u->slot.stmp);
	ba_movi(g->as, R3, FMT_F_NONE);
	ba_movi(g->as, R4, FMT_NONE);
	ba_movi(g->as, R5, FMT_NONE);
	g_call_rt(g, RT_FMT_STR);
}

static void sfmt_piece(struct gen *g, const struct fmt_piece *p, const struct ir_insn *i,
		       uint32_t *arg)
{
	uint32_t w = *arg, pr, off = 0;
	const struct ir_val *v;

	pr = w + (p->spec.width == FMT_STAR);
	v = &i->args[pr + (p->spec.prec == FMT_STAR)];
	if (p->spec.conv == 's')
		off = g_str_off(g, v, 0);
	fmt_size(g, R4, p->spec.width, i, &w);
	fmt_size(g, R5, p->spec.prec, i, &pr);
	if (p->spec.conv == 's')
		ba_movi(g->as, R2, off);
	else
		g_load(g, R2, v);
	ba_movi(g->as, R3, p->spec.flag | (p->spec.conv == 's' ? 0 : p->spec.conv << 8));
	if (p->spec.conv != 's')
		g_call_rt(g, RT_FMT_INT);
	else
		g_call_rt(g, p->spec.flag == FMT_F_HASH ? RT_FMT_QUOTE : RT_FMT_STR);
	*arg = (uint32_t)(v - i->args) + 1;
}

void em_sfmt(struct gen *g, const struct ir_insn *i)
{
	const struct ir_fmt *f = g->u->m->fmts.v[i->ref];
	uint32_t arg = 0;

	ba_sti(g->as, BPF_DW, R9, SH_FMTLEN, 0);
	g_str_clear(g, g->u->slot.fmt);
	for (uint32_t k = 0; k < f->pieces.n; k++) {
		if (f->pieces.v[k].lit)
			sfmt_literal(g, &f->pieces.v[k]);
		else
			sfmt_piece(g, &f->pieces.v[k], i, &arg);
	}
	g_slot_addr(g, R3, g->u->slot.fmt);
	g_read_str(g, g_str_of(g, i->dst));
}

void em_raise(struct gen *g, const struct ir_insn *i)
{
	g_copy_str(g, g->u->slot.errtext, &i->args[0]);
	ba_ja(g->as, emit_stub(g, i, ERR_USER, 0));
}

void em_fail(struct gen *g, const struct ir_insn *i)
{
	enum ir_error kind = (enum ir_error)i->imm;

	ba_ja(g->as, i->nargs ? emit_stub_arg(g, i, kind, 0) : emit_stub(g, i, kind, 0));
}

void em_errkind(struct gen *g, const struct ir_insn *i)
{
	ba_ld(g->as, BPF_DW, R0, R9, SH_ERR_KIND);
	g_done(g, i->dst, R0);
}

void em_errmsg(struct gen *g, const struct ir_insn *i)
{
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	g_call_rt(g, RT_ERRMSG);
}

void em_errclear(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	ba_sti(g->as, BPF_DW, R9, SH_ERR_KIND, ERR_NONE);
}

void em_action(struct gen *g, const struct ir_insn *i)
{
	int64_t max = g->u->m->limits.maxaction;

	ba_ld(g->as, BPF_DW, R0, R9, SH_ACTIONS);
	ba_alui(g->as, BPF_ADD, R0, (int32_t)i->imm);
	ba_st(g->as, BPF_DW, R9, SH_ACTIONS, R0);
	ba_ji(g->as, BPF_JGT, R0, (int32_t)max, emit_stub(g, i, ERR_ACTION, 0));
}

/* Deferred: the handler finishes first. */
void bpf_in_exit(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	ba_sti(g->as, BPF_DW, R9, SH_EXIT, 1);
}

const emit_fn bpf_emitters[IR_OP_COUNT] = {
#define OP(name, ...) [IR_##name] = em_##name,
#include "ir/ops.def"
#undef OP
};
