/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular expressions: the walks of regex/regex_walk.h in eBPF. Tables lie in .rodata; each pattern
 * has a routine of its own, so that sizes are constants and the verifier walks it once. A step of
 * the loop takes several bytes, without a branch that comes back.
 *
 * A value that a table's index is made of comes from memory, so the verifier wants it held against
 * the table's size. That never fails; where it would, the walk just ends.
 */
#include "bpf/gen.h"

/* Between steps of a loop. */
enum { RX_STATE = SH_TMP, RX_LAST = SH_TMP + 8, RX_ENTRY = SH_TMP + 16, RX_POS = SH_TMP + 24 };

#define PLAIN_BYTES 16 /* of a step */
#define GROUP_BYTES 8

static uint32_t put_table(struct unit *u, const void *p, size_t n)
{
	uint32_t at;

	while (u->rodata.len % 8)
		buf_putc(&u->rodata, 0);
	at = (uint32_t)u->rodata.len;
	if (n)
		buf_add(&u->rodata, p, n);
	return at;
}

static void put_tables(struct unit *u, struct bpf_regex *r)
{
	const struct regex_tab *t = r->tab;

	r->classes = put_table(u, t->classes, 256);
	r->next = put_table(u, t->next, regex_cells(t) * sizeof(*t->next));
	r->end = put_table(u, t->end, t->nstates * sizeof(*t->end));
	if (!t->ngroups)
		return;
	r->final = put_table(u, t->final, t->nstates * sizeof(*t->final));
	r->back_at = put_table(u, t->back_at, regex_cells(t) * sizeof(*t->back_at));
	r->back = put_table(u, t->back, t->nback * sizeof(*t->back));
	r->first = put_table(u, t->first, t->nfirst * sizeof(*t->first));
	r->marks = put_table(u, t->marks, t->nmarks * sizeof(*t->marks));
}

/* @index = the number at place @index of a table of @n; @tmp changes. */
static void look_up(struct gen *g, int size, int index, int tmp, uint32_t table, uint32_t n,
		    uint32_t outside)
{
	static const int shifts[] = { [BPF_B >> 3] = 0, [BPF_H >> 3] = 1, [BPF_W >> 3] = 2 };

	ba_ji(g->as, BPF_JGE, index, (int32_t)n, outside);
	if (shifts[size >> 3])
		ba_alui(g->as, BPF_LSH, index, shifts[size >> 3]);
	ba_ld_rodata(g->as, tmp, table);
	ba_alu(g->as, BPF_ADD, tmp, index);
	ba_ld(g->as, size, index, tmp, 0);
}

static void leave(struct gen *g, int32_t r)
{
	ba_movi(g->as, R0, r);
	rt_end(g);
}

/*
 * step(string). R9: slot, R6: the string at this step's first byte, R1 and R5: its place, R7: state,
 * R8: the classes. Past the longest string the loop ends.
 */
static struct gen begin_step(struct unit *u, uint32_t step, const struct bpf_regex *r, int bytes)
{
	struct gen g;
	uint32_t ok;

	rt_begin(&g, u, step, 2, 1u << 2);
	ok = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R1, R9, SH_LOOP);
	ba_ji(g.as, BPF_JLT, R1, (int32_t)u->lay.strsz, ok);
	leave(&g, 1);
	ba_place(g.as, ok);
	ba_alu(g.as, BPF_ADD, R6, R1);
	ba_mov(g.as, R5, R1);
	ba_alui(g.as, BPF_ADD, R5, bytes);
	ba_st(g.as, BPF_DW, R9, SH_LOOP, R5);
	ba_mov(g.as, R5, R1);
	ba_ld(g.as, BPF_DW, R7, R9, RX_STATE);
	ba_ld_rodata(g.as, R8, r->classes);
	return g;
}

static uint32_t new_step(struct unit *u, const char *name, uint32_t fn)
{
	return unit_fn(u, arena_printf(u->arena, "%s_%u", name, fn), FN_GLOBAL, NULL, 2);
}

/* Runs @step on the string at R6 until it says that it is done, at most @n times. */
static void run_steps(struct gen *g, uint32_t step, uint32_t n)
{
	ba_mov(g->as, R2, R6);
	ba_alu(g->as, BPF_SUB, R2, R9);
	ba_sti(g->as, BPF_DW, R9, SH_LOOP, 0);
	g_call_fn(g, rt_loop(g->u, step, n));
}

/* R7 = the state after the byte in R3. Changes R1, R3. */
static void next_state(struct gen *g, const struct bpf_regex *r, uint32_t outside)
{
	ba_mov(g->as, R1, R8);
	ba_alu(g->as, BPF_ADD, R1, R3);
	ba_ld(g->as, BPF_B, R3, R1, 0);
	ba_alui(g->as, BPF_MUL, R7, (int32_t)r->tab->nclasses);
	ba_alu(g->as, BPF_ADD, R7, R3);
	look_up(g, BPF_H, R7, R1, r->next, regex_cells(r->tab), outside);
}

/* ---- without groups ---- */

static void build_plain_step(struct unit *u, uint32_t step, const struct bpf_regex *r)
{
	struct gen g = begin_step(u, step, r, PLAIN_BYTES);
	uint32_t at_end = ba_label(g.as), known = ba_label(g.as), stop = ba_label(g.as);

	for (int k = 0; k < PLAIN_BYTES; k++) {
		ba_ld(g.as, BPF_B, R3, R6, k);
		ba_ji(g.as, BPF_JEQ, R3, 0, at_end);
		next_state(&g, r, stop);
		ba_ji(g.as, BPF_JLE, R7, REGEX_FOUND, known);
	}
	ba_st(g.as, BPF_DW, R9, RX_STATE, R7);
	leave(&g, 0);
	ba_place(g.as, at_end);
	look_up(&g, BPF_H, R7, R1, r->end, r->tab->nstates, stop);
	ba_place(g.as, known);
	ba_st(g.as, BPF_DW, R9, RX_LAST, R7);
	ba_place(g.as, stop);
	leave(&g, 1);
}

/* match(string): whether the pattern occurs in it */
static void build_plain(struct unit *u, uint32_t fn, const struct bpf_regex *r)
{
	uint32_t step = new_step(u, "rt_match_step", fn);
	struct gen g;

	build_plain_step(u, step, r);
	rt_begin(&g, u, fn, 2, 1u << 2);
	ba_sti(g.as, BPF_DW, R9, RX_STATE, (int32_t)r->tab->start);
	ba_sti(g.as, BPF_DW, R9, RX_LAST, 0);
	run_steps(&g, step, u->lay.strsz / PLAIN_BYTES + 1);
	ba_ld(g.as, BPF_DW, R0, R9, RX_LAST);
	rt_end(&g);
}

/* ---- with groups: forwards ---- */

/* The match may end at R5 + @k, in state R7. */
static void note_final(struct gen *g, const struct bpf_regex *r, int k, uint32_t outside)
{
	uint32_t no = ba_label(g->as);

	ba_ji(g->as, BPF_JLT, R7, (int32_t)r->tab->first_final, no);
	ba_mov(g->as, R1, R5);
	ba_alui(g->as, BPF_ADD, R1, k);
	ba_st(g->as, BPF_DW, R9, RX_LAST, R1);
	ba_mov(g->as, R1, R7);
	look_up(g, BPF_H, R1, R2, r->final, r->tab->nstates, outside);
	ba_alui(g->as, BPF_SUB, R1, 1);
	ba_st(g->as, BPF_DW, R9, RX_ENTRY, R1);
	ba_place(g->as, no);
}

static void build_forward_step(struct unit *u, uint32_t step, const struct bpf_regex *r)
{
	struct gen g = begin_step(u, step, r, GROUP_BYTES);
	uint32_t stop = ba_label(g.as), at_end = ba_label(g.as), ends[GROUP_BYTES];

	g_slot_addr(&g, R4, u->slot.match_log);
	ba_alui(g.as, BPF_LSH, R1, 1);
	ba_alu(g.as, BPF_ADD, R4, R1);
	for (int k = 0; k < GROUP_BYTES; k++) {
		ends[k] = ba_label(g.as);
		ba_st(g.as, BPF_H, R4, 2 * k, R7);
		ba_ld(g.as, BPF_B, R3, R6, k);
		ba_ji(g.as, BPF_JEQ, R3, 0, ends[k]);
		note_final(&g, r, k, stop);
		next_state(&g, r, stop);
		ba_ji(g.as, BPF_JEQ, R7, REGEX_DEAD, stop);
	}
	ba_st(g.as, BPF_DW, R9, RX_STATE, R7);
	leave(&g, 0);
	for (int k = GROUP_BYTES; k-- > 0;) {
		ba_place(g.as, ends[k]);
		if (k)
			ba_alui(g.as, BPF_ADD, R5, k);
		if (k)
			ba_ja(g.as, at_end);
	}
	ba_place(g.as, at_end);
	look_up(&g, BPF_H, R7, R1, r->end, r->tab->nstates, stop);
	ba_ji(g.as, BPF_JEQ, R7, 0, stop);
	ba_alui(g.as, BPF_SUB, R7, 1);
	ba_st(g.as, BPF_DW, R9, RX_ENTRY, R7);
	ba_st(g.as, BPF_DW, R9, RX_LAST, R5);
	ba_place(g.as, stop);
	leave(&g, 1);
}

/* ---- and back ---- */

/* R3 = the mark of the step to place R7, R8 = the entry before it. Goes to @stop when out of tables. */
static void step_back(struct gen *g, const struct bpf_regex *r, uint32_t stop)
{
	const struct regex_tab *t = r->tab;

	ba_ji(g->as, BPF_JGE, R7, (int32_t)g->u->lay.strsz, stop);
	g_slot_addr(g, R4, g->u->slot.match_log);
	ba_alu(g->as, BPF_ADD, R4, R7);
	ba_alu(g->as, BPF_ADD, R4, R7);
	ba_ld(g->as, BPF_H, R3, R4, -2);
	/* not by R6: older verifiers do not see that R7 is not 0, and that may be the slot's start */
	g_slot_addr(g, R4, g->u->slot.match_str);
	ba_alu(g->as, BPF_ADD, R4, R7);
	ba_ld(g->as, BPF_B, R1, R4, -1);
	look_up(g, BPF_B, R1, R2, r->classes, 256, stop);
	ba_alui(g->as, BPF_MUL, R3, (int32_t)t->nclasses);
	ba_alu(g->as, BPF_ADD, R3, R1);
	look_up(g, BPF_W, R3, R1, r->back_at, regex_cells(t), stop);
	ba_alu(g->as, BPF_ADD, R3, R8);
	look_up(g, BPF_W, R3, R1, r->back, t->nback, stop);
	ba_mov(g->as, R8, R3);
	ba_alui(g->as, BPF_AND, R8, 0xffff);
	ba_st(g->as, BPF_DW, R9, RX_ENTRY, R8);
	ba_alui(g->as, BPF_RSH, R3, 16);
	ba_mov(g->as, R1, R7);
	ba_alui(g->as, BPF_SUB, R1, 1);
	ba_st(g->as, BPF_DW, R9, RX_POS, R1);
}

/*
 * Ends of groups that mark R3 sets and that were not seen yet are at place R7. Each bit is read from
 * memory anew: what the verifier learns of one in a register would make two ways of each test.
 */
static void apply_mark(struct gen *g, const struct bpf_regex *r, uint32_t stop)
{
	uint32_t sm = g->u->slot.match, none = ba_label(g->as);

	ba_ji(g->as, BPF_JGE, R3, (int32_t)r->tab->nmarks, stop);
	ba_alui(g->as, BPF_LSH, R3, 4);
	ba_ld_rodata(g->as, R2, r->marks);
	ba_alu(g->as, BPF_ADD, R2, R3);
	ba_ld(g->as, BPF_DW, R3, R2, 0);
	ba_ld(g->as, BPF_DW, R4, R2, 8);
	ba_ld(g->as, BPF_DW, R1, R9, (int)sm + SM_SEEN);
	ba_alu(g->as, BPF_OR, R4, R3);
	ba_alu(g->as, BPF_OR, R4, R1);
	ba_st(g->as, BPF_DW, R9, (int)sm + SM_SEEN, R4);
	ba_alui(g->as, BPF_XOR, R1, -1);
	ba_alu(g->as, BPF_AND, R3, R1);
	ba_ji(g->as, BPF_JEQ, R3, 0, none);
	ba_st(g->as, BPF_DW, R9, (int)sm + SM_NEW, R3);
	for (uint32_t bit = 0; bit < 2 * r->tab->ngroups; bit++) {
		uint32_t set = ba_label(g->as), next = ba_label(g->as);

		ba_ld(g->as, BPF_W, R1, R9, (int)(sm + SM_NEW + bit / 32 * 4));
		ba_ji(g->as, BPF_JSET, R1, (int32_t)(1u << bit % 32), set);
		ba_ja(g->as, next);
		ba_place(g->as, set);
		ba_st(g->as, BPF_W, R9, (int)(sm + SM_POS + 4 * bit), R7);
		ba_place(g->as, next);
	}
	ba_place(g->as, none);
	/* where the match starts there is no more to learn */
	ba_ld(g->as, BPF_B, R1, R9, (int)sm + SM_SEEN);
	ba_ji(g->as, BPF_JSET, R1, 1, stop);
}

static void build_backward_step(struct unit *u, uint32_t step, const struct bpf_regex *r)
{
	uint32_t stop, first, apply;
	struct gen g;

	rt_begin(&g, u, step, 2, 0);
	stop = ba_label(g.as);
	first = ba_label(g.as);
	apply = ba_label(g.as);
	ba_ld(g.as, BPF_DW, R7, R9, RX_POS);
	ba_ld(g.as, BPF_DW, R8, R9, RX_ENTRY);
	ba_ji(g.as, BPF_JEQ, R7, 0, first);
	step_back(&g, r, stop);
	ba_ja(g.as, apply);
	ba_place(g.as, first);
	ba_mov(g.as, R3, R8);
	look_up(&g, BPF_H, R3, R1, r->first, r->tab->nfirst, stop);
	ba_place(g.as, apply);
	apply_mark(&g, r, stop);
	ba_ji(g.as, BPF_JEQ, R7, 0, stop);
	leave(&g, 0);
	ba_place(g.as, stop);
	leave(&g, 1);
}

/* capture(string): whether the pattern occurs in it; the slot keeps where its groups are */
static void build_capture(struct unit *u, uint32_t fn, const struct bpf_regex *r)
{
	uint32_t fwd = new_step(u, "rt_forward_step", fn), back = new_step(u, "rt_back_step", fn);
	uint32_t sm = u->slot.match, found;
	struct gen g;

	build_forward_step(u, fwd, r);
	build_backward_step(u, back, r);
	rt_begin(&g, u, fn, 2, 1u << 2);
	found = ba_label(g.as);
	ba_mov(g.as, R3, R6);
	g_read_str(&g, u->slot.match_str);
	g_slot_addr(&g, R6, u->slot.match_str);
	ba_sti(g.as, BPF_DW, R9, (int)sm + SM_NGROUPS, 0);
	ba_sti(g.as, BPF_DW, R9, RX_STATE, (int32_t)r->tab->start);
	ba_sti(g.as, BPF_DW, R9, RX_LAST, -1);
	run_steps(&g, fwd, u->lay.strsz / GROUP_BYTES + 1);
	ba_ld(g.as, BPF_DW, R1, R9, RX_LAST);
	ba_ji(g.as, BPF_JNE, R1, -1, found);
	leave(&g, 0);
	ba_place(g.as, found);
	ba_st(g.as, BPF_DW, R9, RX_POS, R1);
	ba_sti(g.as, BPF_DW, R9, (int)sm + SM_SEEN, 0);
	for (uint32_t k = 0; k < r->tab->ngroups; k++)
		ba_sti(g.as, BPF_DW, R9, (int)(sm + SM_POS + 8 * k), -1);
	run_steps(&g, back, u->maxstr + 1);
	ba_sti(g.as, BPF_DW, R9, (int)sm + SM_NGROUPS, (int32_t)r->tab->ngroups);
	leave(&g, 1);
}

/* A pattern that never matches, or always. */
static void build_known(struct unit *u, uint32_t fn, const struct bpf_regex *r)
{
	struct gen g = { .u = u, .as = &u->fns.v[fn]->as };

	leave(&g, (int32_t)r->tab->start);
}

static uint32_t rt_regex(struct unit *u, uint32_t index)
{
	struct bpf_regex *r = &u->regexes[index];

	if (r->fn != IR_NONE)
		return r->fn;
	r->tab = u->m->regexes.v[index].tab;
	r->fn = unit_fn(u, arena_printf(u->arena, "rt_regex_%u", index), FN_GLOBAL, NULL, 2);
	if (!r->tab->ngroups && r->tab->start <= REGEX_FOUND) {
		build_known(u, r->fn, r);
		return r->fn;
	}
	put_tables(u, r);
	if (r->tab->ngroups)
		build_capture(u, r->fn, r);
	else
		build_plain(u, r->fn, r);
	return r->fn;
}

/* matched(dst, n): "" for what is not there */
void rt_build_matched(struct unit *u, uint32_t fn)
{
	uint32_t out;
	struct gen g;

	rt_begin(&g, u, fn, 3, 1u << 2);
	out = ba_label(g.as);
	ba_sti(g.as, BPF_B, R6, 0, 0);
	ba_ld(g.as, BPF_DW, R1, R9, (int)u->slot.match + SM_NGROUPS);
	ba_j(g.as, BPF_JGE, R7, R1, out);
	ba_ji(g.as, BPF_JGE, R7, REGEX_MAXGROUPS, out);
	ba_alui(g.as, BPF_LSH, R7, 3);
	ba_alu(g.as, BPF_ADD, R7, R9);
	ba_ld(g.as, BPF_W, R3, R7, (int)u->slot.match + SM_POS);
	ba_ld(g.as, BPF_W, R2, R7, (int)u->slot.match + SM_POS + 4);
	ba_ji(g.as, BPF_JGE, R3, (int32_t)u->maxstr, out);
	ba_alu(g.as, BPF_SUB, R2, R3);
	ba_ji(g.as, BPF_JGE, R2, (int32_t)u->maxstr, out);
	ba_alui(g.as, BPF_ADD, R2, 1);
	ba_alui(g.as, BPF_ADD, R3, (int32_t)u->slot.match_str);
	ba_alu(g.as, BPF_ADD, R3, R9);
	ba_mov(g.as, R1, R6);
	ba_call(g.as, BPF_FUNC_probe_read_kernel_str);
	ba_place(g.as, out);
	leave(&g, 0);
}

/* ---- operations ---- */

void em_match(struct gen *g, const struct ir_insn *i)
{
	uint32_t s = g_str_off(g, &i->args[0], 0);

	ba_movi(g->as, R2, s);
	g_call_fn(g, rt_regex(g->u, i->ref));
	g_done(g, i->dst, R0);
}

void em_capture(struct gen *g, const struct ir_insn *i)
{
	em_match(g, i);
}

void bpf_in_ngroups(struct gen *g, const struct ir_insn *i)
{
	ba_ld(g->as, BPF_DW, R0, R9, (int)g->u->slot.match + SM_NGROUPS);
	g_done(g, i->dst, R0);
}

void bpf_in_matched(struct gen *g, const struct ir_insn *i)
{
	g_load(g, R3, &i->args[0]);
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	g_call_rt(g, RT_MATCHED);
}
