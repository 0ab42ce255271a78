/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of several probes: verifying and loading one program costs milliseconds, so probes that share a handler
 * share the program. Which probe was hit is told by the attachment's cookie (5.15). On kernels without cookies each
 * probe gets a stub of a few instructions, which leaves the number for the CPU in a map and continues in the program by
 * a tail call: there such programs run without being preempted.
 *
 * What the probes differ in is a table in .rodata, a record each: its number in the module, the numbers and the
 * texts of the IR's sitenum and sitestr, its name where pp() asks for it, and its function for ppfunc().
 */
#include "bpf/gen.h"

#include <string.h>


static bool calls(const struct handler *h, enum ir_intrinsic intrinsic)
{
	for (uint32_t f = 0; f < h->fns.n; f++) {
		const struct ir_func *fn = h->fns.v[f]->f;

		for (uint32_t b = 0; b < fn->blocks.n; b++)
			for (uint32_t n = 0; n < fn->blocks.v[b]->insns.n; n++)
				if (fn->blocks.v[b]->insns.v[n].op == IR_intr &&
				    fn->blocks.v[b]->insns.v[n].ref == intrinsic)
					return true;
	}
	return false;
}

static const char *site_text(const struct unit *u, const struct handler *h, uint32_t probe, uint32_t n)
{
	const struct ir_probe *p = u->m->probes.v[probe];

	if (n < h->nstrs)
		return p->strs.v[n];
	return n == h->text_pp ? p->name : p->symbol ? p->symbol : "";
}

/* Bytes of the n-th text of the records: as many as the longest needs. */
static uint32_t column_size(const struct unit *u, const struct handler *h, uint32_t n)
{
	uint32_t most = 0;

	for (uint32_t p = h->probe; p < u->m->probes.n; p++) {
		uint32_t len;

		if (u->groups[p].leader != h->probe)
			continue;
		len = (uint32_t)strlen(site_text(u, h, p, n)) + 1;
		most = len > most ? len : most;
	}
	most = most > u->maxstr ? u->maxstr : most;
	return (most + 7) & ~7u;
}

static void put_record(struct unit *u, const struct handler *h, uint32_t probe)
{
	const struct ir_probe *p = u->m->probes.v[probe];
	uint64_t number = probe;

	buf_add(&u->rodata, &number, 8);
	for (uint32_t k = 0; k < h->nnums; k++)
		buf_add(&u->rodata, &p->nums.v[k], 8);
	for (uint32_t k = 0; k < h->ntexts; k++) {
		const char *s = site_text(u, h, probe, k);
		size_t n = strlen(s);

		if (n >= h->text_size[k])
			n = h->text_size[k] - 1;
		buf_add(&u->rodata, s, n);
		for (; n < h->text_size[k]; n++)
			buf_putc(&u->rodata, 0);
	}
}

void site_plan(struct unit *u, struct handler *h)
{
	const struct ir_probe *p = u->m->probes.v[h->probe];

	h->nsites = u->groups[h->probe].size;
	if (h->nsites < 2)
		return;
	h->nnums = p->nums.n;
	h->nstrs = p->strs.n;
	h->ntexts = h->nstrs;
	h->text_pp = calls(h, IN_pp) ? h->ntexts++ : IR_NONE;
	h->text_func = calls(h, IN_ppfunc) || calls(h, IN_probefunc) ? h->ntexts++ : IR_NONE;
	h->text_size = arena_alloc(u->arena, sizeof(*h->text_size) * (h->ntexts + 1));
	h->site_stride = 8 + 8 * h->nnums;
	for (uint32_t k = 0; k < h->ntexts; k++) {
		h->text_size[k] = column_size(u, h, k);
		h->site_stride += h->text_size[k];
	}
	while (u->rodata.len % 8)
		buf_putc(&u->rodata, 0);
	h->site_base = (uint32_t)u->rodata.len;
	for (uint32_t k = h->probe; k < u->m->probes.n; k++)
		if (u->groups[k].leader == h->probe)
			put_record(u, h, k);
}

/* @dst = the address of a byte of the record. Changes R1. */
static void site_addr(struct gen *g, int dst, uint32_t off)
{
	uint32_t ok = ba_label(g->as), last = (g->h->nsites - 1) * g->h->site_stride;

	ba_ld(g->as, BPF_DW, R1, R9, SH_SITE);
	ba_ji(g->as, BPF_JLE, R1, (int32_t)last, ok);
	ba_movi(g->as, R1, 0);
	ba_place(g->as, ok);
	ba_ld_rodata(g->as, dst, g->h->site_base + off);
	ba_alu(g->as, BPF_ADD, dst, R1);
}

static void site_text_addr(struct gen *g, uint32_t n)
{
	uint32_t off = 8 + 8 * g->h->nnums;

	for (uint32_t k = 0; k < n; k++)
		off += g->h->text_size[k];
	site_addr(g, R3, off);
}

void g_probe_number(struct gen *g, int dst)
{
	if (g->h->nsites < 2) {
		ba_movi(g->as, dst, g->h->probe);
		return;
	}
	site_addr(g, dst, 0);
	ba_ld(g->as, BPF_DW, dst, dst, 0);
}

void em_sitenum(struct gen *g, const struct ir_insn *i)
{
	if (g->h->nsites < 2) {
		ba_movi(g->as, R0, g->u->m->probes.v[g->h->probe]->nums.v[i->imm]);
	} else {
		site_addr(g, R2, 8 + 8 * i->imm);
		ba_ld(g->as, BPF_DW, R0, R2, 0);
	}
	g_done(g, i->dst, R0);
}

void em_sitestr(struct gen *g, const struct ir_insn *i)
{
	if (g->h->nsites < 2)
		ba_ld_rodata(g->as, R3,
			     unit_literal(g->u, g->u->m->probes.v[g->h->probe]->strs.v[i->imm]));
	else
		site_text_addr(g, i->imm);
	g_read_str(g, g_str_of(g, i->dst));
}

void bpf_in_pp(struct gen *g, const struct ir_insn *i)
{
	if (g->h->nsites < 2)
		ba_ld_rodata(g->as, R3, unit_literal(g->u, g->u->m->probes.v[g->h->probe]->name));
	else
		site_text_addr(g, g->h->text_pp);
	g_read_str(g, g_str_of(g, i->dst));
}

void bpf_in_ppfunc(struct gen *g, const struct ir_insn *i)
{
	const char *name = g->u->m->probes.v[g->h->probe]->symbol;

	if (g->h->nsites < 2)
		ba_ld_rodata(g->as, R3, unit_literal(g->u, name ? name : ""));
	else
		site_text_addr(g, g->h->text_func);
	g_read_str(g, g_str_of(g, i->dst));
}

/* R8: this CPU. The dead one of both ways is gone before the verifier looks at its helper. */
void emit_site(struct gen *g)
{
	uint32_t old = ba_label(g->as), have = ba_label(g->as), ok = ba_label(g->as);

	if (g->h->nsites < 2)
		return;
	ba_ld_rodata(g->as, R1, RD_COOKIES);
	ba_ld(g->as, BPF_DW, R1, R1, 0);
	ba_ji(g->as, BPF_JEQ, R1, 0, old);
	ba_ld(g->as, BPF_DW, R1, FP, FRAME_CTX);
	ba_call(g->as, BPF_FUNC_get_attach_cookie);
	ba_ja(g->as, have);
	ba_place(g->as, old);
	ba_st(g->as, BPF_W, FP, FRAME_IDX, R8);
	ba_ld_map(g->as, R1, g->u->map_site);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, FRAME_IDX);
	ba_call(g->as, BPF_FUNC_map_lookup_elem);
	ba_ji(g->as, BPF_JEQ, R0, 0, have);
	ba_ld(g->as, BPF_DW, R0, R0, 0);
	ba_place(g->as, have);
	ba_ji(g->as, BPF_JLT, R0, (int32_t)g->h->nsites, ok);
	ba_movi(g->as, R0, 0);
	ba_place(g->as, ok);
	ba_alui(g->as, BPF_MUL, R0, (int32_t)g->h->site_stride);
	ba_st(g->as, BPF_DW, R9, SH_SITE, R0);
}

void emit_site_stub(struct unit *u, uint32_t probe, const char *section)
{
	uint32_t fn = unit_fn(u, arena_printf(u->arena, "stub_%u", probe), FN_PROG, section, 1);
	struct bpf_asm *as = &u->fns.v[fn]->as;
	uint32_t out = ba_label(as);

	ba_mov(as, R6, R1);
	ba_call(as, BPF_FUNC_get_smp_processor_id);
	ba_st(as, BPF_W, FP, FRAME_IDX, R0);
	ba_ld_map(as, R1, u->map_site);
	ba_mov(as, R2, FP);
	ba_alui(as, BPF_ADD, R2, FRAME_IDX);
	ba_call(as, BPF_FUNC_map_lookup_elem);
	ba_ji(as, BPF_JEQ, R0, 0, out);
	ba_sti(as, BPF_DW, R0, 0, (int32_t)u->groups[probe].nth);
	ba_mov(as, R1, R6);
	ba_ld_map(as, R2, u->map_tail);
	ba_movi(as, R3, u->groups[probe].tail);
	ba_call(as, BPF_FUNC_tail_call);
	ba_place(as, out);
	ba_movi(as, R0, 0);
	ba_exit(as);
}
