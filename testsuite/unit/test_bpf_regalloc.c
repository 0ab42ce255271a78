/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register allocation: no two values that live at the same time share a place; what crosses a
 * state is in memory.
 */
#include "ir_test.h"

#include "bpf/gen.h"

static struct diag diag;
static struct unit unit;

static struct handler *plan(const char *text)
{
	diag_init(&diag, &arena);
	unit = (struct unit){ .arena = &arena, .m = must_parse(text), .diag = &diag };
	unit.maxstr = (uint32_t)unit.m->limits.maxstringlen;
	return plan_handler(&unit, 0);
}

static bool live(const uint64_t *set, uint32_t r)
{
	return set[r / 64] >> (r % 64) & 1;
}

/* Strings and numbers have homes of their own. */
static bool same_place(const struct fngen *fg, uint32_t a, uint32_t b)
{
	struct loc x = fg->loc[a], y = fg->loc[b];

	if (fg->f->regs.v[a] != fg->f->regs.v[b] || x.kind == LOC_NONE)
		return false;
	return x.kind == y.kind && x.idx == y.idx;
}

static void check_set(const struct fngen *fg, const uint64_t *set)
{
	for (uint32_t a = 0; a < fg->f->regs.n; a++) {
		if (!live(set, a))
			continue;
		ck_assert_msg(fg->loc[a].kind != LOC_NONE, "%s: %%%u is live but has no place",
			      fg->f->name, a);
		for (uint32_t b = a + 1; b < fg->f->regs.n; b++)
			ck_assert_msg(!live(set, b) || !same_place(fg, a, b),
				      "%s: %%%u and %%%u share a place", fg->f->name, a, b);
	}
}

/* Walks the block backwards and looks at what is live before each instruction. */
static void check_block(const struct fngen *fg, const struct ir_liveness *lv, uint32_t block)
{
	const struct ir_block *b = fg->f->blocks.v[block];
	uint64_t *set = arena_alloc(&arena, sizeof(uint64_t) * (lv->words + 1));

	memcpy(set, lv->live_out[block], sizeof(uint64_t) * lv->words);
	check_set(fg, set);
	for (uint32_t n = b->insns.n; n-- > 0;) {
		const struct ir_insn *i = &b->insns.v[n];

		if (i->dst != IR_NONE)
			set[i->dst / 64] &= ~(1ull << (i->dst % 64));
		if (i->err != IR_NONE)
			for (uint32_t w = 0; w < lv->words; w++)
				set[w] |= lv->live_in[i->err][w];
		if (i->op == IR_call)
			for (uint32_t r = 0; r < fg->f->regs.n; r++)
				ck_assert_msg(!live(set, r) || fg->loc[r].kind == LOC_MEM,
					      "%%%u lives across a call in a register", r);
		for (uint32_t k = 0; k < i->nargs; k++)
			if (i->args[k].kind == IRV_REG)
				set[i->args[k].reg / 64] |= 1ull << (i->args[k].reg % 64);
		check_set(fg, set);
	}
}

static void check(const struct handler *h)
{
	for (uint32_t k = 0; k < h->fns.n; k++) {
		const struct fngen *fg = h->fns.v[k];
		struct ir_liveness lv;

		ir_liveness(&arena, fg->f, &lv);
		for (uint32_t o = 0; o < fg->norder; o++) {
			uint32_t block = fg->order[o];

			check_block(fg, &lv, block);
			for (uint32_t r = 0; fg->state[block] != IR_NONE && r < fg->f->regs.n; r++)
				ck_assert_msg(!live(lv.live_in[block], r) ||
						      fg->loc[r].kind == LOC_MEM,
					      "%%%u enters a state in a register", r);
		}
	}
}

/* A loop with @n values that are all live in it. */
static const char *pressure(uint32_t n, bool loop)
{
	struct buf b;
	const char *s;

	buf_init(&b);
	buf_puts(&b, "module \"t\"\nprobe begin @h name \"begin\"\nhandler @h {\nregs long %0");
	for (uint32_t k = 1; k < n; k++)
		buf_printf(&b, ", long %%%u", k);
	buf_puts(&b, "\nb0:\n");
	for (uint32_t k = 0; k < n; k++)
		buf_printf(&b, "%%%u = intr %s\n", k, k % 2 ? "pid" : "tid");
	buf_puts(&b, "jmp b1\nb1:\n");
	for (uint32_t k = 1; k < n; k++)
		buf_printf(&b, "%%0 = add %%0, %%%u\n", k);
	buf_printf(&b, "br %%0, %s, b2\nb2:\n", loop ? "b1" : "b3");
	for (uint32_t k = 0; k < n; k++)
		buf_printf(&b, "emit.out \"%%d\", %%%u\n", k);
	buf_puts(&b, loop ? "done\n}\n" : "jmp b3\nb3:\ndone\n}\n");
	s = arena_strndup(&arena, b.p, b.len);
	buf_fini(&b);
	return s;
}

START_TEST(few_values_get_registers)
{
	struct handler *h = plan(pressure(3, false));

	ck_assert(!h->machine);
	check(h);
	for (uint32_t r = 0; r < 3; r++)
		ck_assert_int_eq(h->fns.v[0]->loc[r].kind, LOC_REG);
	ck_assert_uint_eq(h->fns.v[0]->nhomes, 0);
}
END_TEST

START_TEST(many_values_spill)
{
	struct handler *h = plan(pressure(40, false));
	uint32_t in_regs = 0;

	check(h);
	for (uint32_t r = 0; r < 40; r++)
		in_regs += h->fns.v[0]->loc[r].kind == LOC_REG;
	ck_assert_uint_gt(in_regs, 0);
	ck_assert_uint_le(h->fns.v[0]->nhomes, 40);
}
END_TEST

START_TEST(loops_are_state_machines)
{
	struct handler *h = plan(pressure(3, true));

	ck_assert(h->machine);
	ck_assert_uint_ne(h->fns.v[0]->state[0], IR_NONE);
	ck_assert_uint_ne(h->fns.v[0]->state[1], IR_NONE);
	ck_assert_uint_eq(h->fns.v[0]->state[2], IR_NONE);
	check(h);
	check(plan(pressure(70, true)));
}
END_TEST

#define FIB                                                                                        \
	"module \"t\"\nprobe begin @h name \"begin\"\nfunc @fib (long %0) long {\n"                \
	"regs long %1, long %2, string %3\nb0:\n%3 = sfmt \"%d\", %0\n%1 = lt %0, 2\n"             \
	"br %1, b1, b2\nb1:\nret %0\nb2:\n%1 = sub %0, 1\n%1 = call @fib, %1 !b3\n"                \
	"%2 = sub %0, 2\n%2 = call @fib, %2 !b3\nemit.out \"%s\", %3\n%1 = add %1, %2\n"           \
	"ret %1\nb3:\nabort\n}\nhandler @h {\nregs long %0, string %1\nb0:\n"                      \
	"%1 = intr execname\n%0 = call @fib, 5 !b1\nemit.out \"%d %s\", %0, %1\ndone\n"            \
	"b1:\nabort\n}\n"

START_TEST(calls_keep_what_lives_in_memory)
{
	struct handler *h = plan(FIB);

	ck_assert(h->machine);
	ck_assert_uint_eq(h->fns.n, 2);
	check(h);
	/* the argument survives the first call */
	ck_assert_int_eq(h->fns.v[1]->loc[0].kind, LOC_MEM);
}
END_TEST

START_TEST(strings_are_never_their_own_operands)
{
	struct handler *h = plan(
		HANDLER("regs string %0, string %1, string %2\nb0:\n%0 = intr execname\n"
			"%1 = scat %0, \"x\"\n%2 = scat \"y\", %1\nemit.out \"%s\", %2\ndone\n"));
	const struct fngen *fg = h->fns.v[0];

	check(h);
	ck_assert(!same_place(fg, 0, 1));
	ck_assert(!same_place(fg, 1, 2));
	ck_assert_uint_eq(fg->nstrs, 2);
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ few_values_get_registers },
		{ many_values_spill },
		{ loops_are_state_machines },
		{ calls_keep_what_lives_in_memory },
		{ strings_are_never_their_own_operands },
	};

	return RUN_TESTS("bpf_regalloc", tests);
}
