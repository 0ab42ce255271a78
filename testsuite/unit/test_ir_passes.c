/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each pass must do, and that none changes what a script prints. */
#include "ir_test.h"

static const char *folded(const char *text)
{
	struct ir_module *m = must_parse(text);

	ir_fold(m);
	ck_assert_ptr_null(ir_verify(m));
	return body_of(m);
}

static const char *cleaned(const char *text)
{
	struct ir_module *m = must_parse(text);

	ir_fold(m);
	ir_dce(m);
	ck_assert_ptr_null(ir_verify(m));
	return body_of(m);
}

#define G "global @n long\nglobal @t string\n"
#define H(regs, body) G HANDLER(" regs " regs "\n" body)

static const struct {
	const char *op, *want;
} folds[] = {
	{ "add %0, 0", "mov %0" },
	{ "add 0, %0", "mov %0" },
	{ "mul %0, 1", "mov %0" },
	{ "mul 0, %0", "mov 0" },
	{ "and %0, 0", "mov 0" },
	{ "and %0, -1", "mov %0" },
	{ "or %0, -1", "mov -1" },
	{ "sub %0, %0", "mov 0" },
	{ "sub 0, %0", "sub 0, %0" },
	{ "shl %0, 0", "mov %0" },
	{ "eq %0, %0", "mov 1" },
	{ "lt %0, %0", "mov 0" },
	{ "add 2, 3", "mov 5" },
	{ "div 7, 2 !b1", "mov 3" },
	{ "div 7, 0 !b1", "div 7, 0 !b1" },
	{ "div %0, 1 !b1", "mov %0" },
	{ "mod %0, 1 !b1", "mov 0" },
	{ "div 0, %0 !b1", "div 0, %0 !b1" },
	{ "neg 5", "mov -5" },
	{ "shl 1, 64", "mov 1" },
	{ "scmp \"a\", \"b\"", "mov -1" },
	{ "seq \"a\", \"a\"", "mov 1" },
	{ "seq %1, %1", "mov 1" },
	{ "intr strlen, \"abc\"", "mov 3" },
	{ "intr strtol, \"12\", 10", "mov 12" },
};

START_TEST(folds_integers)
{
	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++) {
		const char *out = folded(arena_printf(
			&arena,
			H("long %%0, string %%1, long %%2",
			  "b0:\n %%0 = gget @n\n %%1 = gget @t\n %%2 = %s\n gset @n, %%2\n"
			  " gset @t, %%1\n done\nb1:\n abort\n"),
			folds[i].op));
		const char *want = arena_printf(&arena, "\t%%2 = %s\n", folds[i].want);

		ck_assert_msg(strstr(out, want) != NULL, "%s became\n%s", folds[i].op, out);
	}
}
END_TEST

START_TEST(folds_strings)
{
	ck_assert_str_eq(
		cleaned(H("string %0",
			  "b0:\n %0 = scat \"a\", \"b\"\n %0 = scat %0, \"\"\n gset @t, %0\n"
			  " done\n")),
		"b0:\n\tgset @t, \"ab\"\n\tdone\n");
	ck_assert_str_eq(
		cleaned("limit MAXSTRINGLEN 16\n" H(
			"string %0",
			"b0:\n %0 = scat \"01234567\", \"89abcdef\"\n gset @t, %0\n done\n")),
		"b0:\n\t%0 = scat \"01234567\", \"89abcdef\"\n\tgset @t, %0\n\tdone\n");
	ck_assert_str_eq(
		cleaned(H("string %0, string %1",
			  "b0:\n %1 = gget @t\n %0 = sfmt \"%s\", %1\n gset @t, %0\n done\n")),
		"b0:\n\t%0 = gget @t\n\tgset @t, %0\n\tdone\n");
}
END_TEST

START_TEST(copies_end_with_their_source)
{
	ck_assert_str_eq(folded(H("long %0, long %1",
				  "b0:\n %0 = gget @n\n %1 = mov %0\n %0 = gget @n\n gset @n, %1\n"
				  " gset @n, %0\n done\n")),
			 "b0:\n\t%0 = gget @n\n\t%1 = mov %0\n\t%0 = gget @n\n\tgset @n, %1\n"
			 "\tgset @n, %0\n\tdone\n");
	ck_assert_str_eq(
		cleaned(H("long %0, long %1",
			  "b0:\n %0 = gget @n\n %1 = mov %0\n gset @n, %1\n gset @n, %0\n done\n")),
		"b0:\n\t%0 = gget @n\n\tgset @n, %0\n\tgset @n, %0\n\tdone\n");
}
END_TEST

START_TEST(known_branches_go)
{
	ck_assert_str_eq(
		cleaned(H("long %0",
			  "b0:\n %0 = lt 1, 2\n br %0, b1, b2\nb1:\n jmp b3\nb2:\n gset @n, 2\n"
			  " done\n"
			  "b3:\n gset @n, 1\n done\n")),
		"b0:\n\tgset @n, 1\n\tdone\n");
	ck_assert_str_eq(
		cleaned(H("long %0, long %1",
			  "b0:\n %0 = gget @n\n %1 = eq %0, 0\n br %1, b1, b2\nb1:\n done\n"
			  "b2:\n gset @n, 1\n done\n")),
		"b0:\n\t%0 = gget @n\n\tbr %0, b2, b1\nb1:\n\tdone\nb2:\n\tgset @n, 1\n\tdone\n");
}
END_TEST

START_TEST(what_follows_a_raise_goes)
{
	ck_assert_str_eq(
		cleaned(H("long %0", "b0:\n raise \"x\" !b1\n gset @n, 1\n done\nb1:\n abort\n")),
		"b0:\n\traise \"x\" !b1\n\tjmp b1\nb1:\n\tabort\n");
}
END_TEST

START_TEST(dead_code_goes)
{
	ck_assert_str_eq(
		cleaned(H(
			"long %0, string %1",
			"b0:\n %0 = gget @n\n %1 = gget @t\n %1 = scat %1, \"x\"\n %0 = intr pid\n"
			" %0 = div %0, 3 !b1\n done\nb1:\n abort\n")),
		"b0:\n\tdone\n");
	/* These fail, which can be seen. */
	ck_assert_str_eq(
		cleaned(H("long %0, long %1",
			  "b0:\n %1 = gget @n\n %0 = div 1, %1 !b1\n %0 = load.kernel.u8 %1 !b1\n"
			  " done\n"
			  "b1:\n abort\n")),
		"b0:\n\t%1 = gget @n\n\t%0 = div 1, %1 !b1\n\t%0 = load.kernel.u8 %1 !b1\n"
		"\tdone\nb1:\n\tabort\n");
}
END_TEST

START_TEST(results_go_where_they_are_wanted)
{
	ck_assert_str_eq(cleaned(H("long %0, long %1, long %2",
				   "b0:\n %0 = mov 0\n jmp b1\nb1:\n %1 = add %0, 1\n %0 = mov %1\n"
				   " %2 = lt %0, 10\n br %2, b1, b2\nb2:\n gset @n, %0\n done\n")),
			 "b0:\n\t%0 = mov 0\n\tjmp b1\nb1:\n\t%0 = add %0, 1\n\t%1 = lt %0, 10\n"
			 "\tbr %1, b1, b2\n"
			 "b2:\n\tgset @n, %0\n\tdone\n");
}
END_TEST

static bool live(const uint64_t *set, uint32_t r)
{
	return set[r / 64] >> (r % 64) & 1;
}

START_TEST(liveness_follows_error_edges)
{
	struct ir_module *m = must_parse(
		H("long %0, long %1, long %2",
		  "b0:\n %0 = gget @n\n %1 = mov 7\n br %0, b1, b2\nb1:\n %1 = div 1, %0 !b2\n"
		  " gset @n, %1\n done\nb2:\n gset @n, %1\n done\n"));
	struct ir_liveness lv;

	ir_liveness(&arena, m->funcs.v[0], &lv);
	ck_assert_uint_eq(lv.words, 1);
	ck_assert_uint_eq(lv.live_in[0][0], 0);
	ck_assert(live(lv.live_out[0], 0) && live(lv.live_out[0], 1) && !live(lv.live_out[0], 2));
	/* %1 of before the division, because that may fail. */
	ck_assert(live(lv.live_in[1], 1));
	ck_assert_uint_eq(lv.live_out[1][0], 0);
	ck_assert_uint_eq(lv.live_in[2][0], 2);
}
END_TEST

#define MAPS                                                                                       \
	"global @a long[long] size 4\nglobal @b long[long] size 4\n"                               \
	"global @s stats[long] size 4\nglobal @c long\n"

START_TEST(uses_are_transitive)
{
	struct ir_module *m = must_parse(
		MAPS "func @inner () long {\n regs long %0\nb0:\n %0 = mget @a [1]\n ret %0\n}\n"
		     "func @f () long {\n regs long %0\nb0:\n %0 = call @inner !b1\n"
		     " mset @b [1], %0 !b1\n ret %0\nb1:\n abort\n}\n"
		     "func @other () void {\nb0:\n gset @c, 1\n ret\n}\n"
		     "probe begin @h name \"begin\"\nhandler @h {\n regs long %0\n iter #0 @s\n"
		     "b0:\n %0 = call @f !b2\n %0 = intr pid\n it_begin #0, -1 !b2\n jmp b1\nb1:\n"
		     " %0 = it_next #0\n br %0, b1, b2\nb2:\n abort\n}\n");
	struct ir_uses u;

	ir_uses(&arena, m, 3, &u);
	ck_assert(u.reads[0] && !u.writes[0] && !u.reads[1] && u.writes[1] && u.reads[2] &&
		  !u.reads[3] && !u.writes[3]);
	ck_assert(u.funcs[0] && u.funcs[1] && !u.funcs[2] && u.funcs[3]);
	ck_assert(u.intrinsics[IN_pid] && !u.intrinsics[IN_tid]);
	ck_assert(u.loops && u.calls && u.iterates && !u.loads);
	ir_uses(&arena, m, 0, &u);
	ck_assert(!u.loops && !u.calls && !u.iterates);
}
END_TEST

static const char *locks_of(const char *globals, const char *kprobe, const char *timer,
			    const char *end)
{
	struct ir_module *m = must_parse(arena_printf(
		&arena,
		"%sprobe kprobe @k name \"k\"\nprobe timer @t name \"t\"\n"
		"probe end @e name \"e\"\nprobe never @k name \"never\"\n"
		"handler @k {\n regs long %%0\nb0:\n %s\n done\nb1:\n abort\n}\nhandler @t {\n"
		" regs long %%0\nb0:\n %s\n done\nb1:\n abort\n}\n"
		"handler @e {\n regs long %%0\nb0:\n %s\n done\nb1:\n abort\n}\n",
		globals, kprobe, timer, end));
	char *out = arena_strdup(&arena, "");

	ir_locks(m);
	ck_assert_ptr_null(ir_verify(m));
	for (uint32_t i = 0; i < m->probes.n; i++) {
		out = arena_printf(&arena, "%s|", out);
		for (uint32_t k = 0; k < m->probes.v[i]->locks.n; k++)
			out = arena_printf(&arena, "%s%c%s", out,
					   m->probes.v[i]->locks.v[k].write ? '!' : '?',
					   m->globals.v[m->probes.v[i]->locks.v[k].global]->name);
	}
	return out;
}

START_TEST(locks)
{
	/* Written by one, read by others. */
	ck_assert_str_eq(
		locks_of(MAPS, "mset @a [1], 2 !b1", "%0 = mget @a [1]", "%0 = mget @a [1]"),
		"|!a|?a|?a|");
	/* Only an end probe writes: constant while others run. */
	ck_assert_str_eq(locks_of(MAPS, "%0 = gget @c", "%0 = gget @c", "gset @c, 1"), "||||");
	/* In order of number, read and write of one are one write. */
	ck_assert_str_eq(
		locks_of(MAPS, "gset @c, 1\n %0 = madd @a [1], 2 !b1", "gset @c, 1", "%0 = mov 1"),
		"|!a!c|!c||");
	/* Statistics: nothing to add, a read lock only where somebody deletes. */
	ck_assert_str_eq(
		locks_of(MAPS, "sadd @s [1], 2 !b1", "%0 = sget.sum @s [1] !b1", "%0 = mov 1"),
		"||||");
	ck_assert_str_eq(locks_of(MAPS, "sadd @s [1], 2 !b1",
				  "%0 = sget.sum @s [1] !b1\n mclear @s",
				  "%0 = sget.sum @s [1] !b1"),
			 "||!s|?s|");
}
END_TEST

static const char *place(const char *probe, const char *insn, unsigned int sides, bool *user)
{
	uint32_t at = 77;
	struct ir_module *m = must_parse(
		arena_printf(&arena,
			     "probe %s @h name \"the probe\"\nhandler @h {\n regs long %%0\n"
			     "b0:\n %s\n done\nb1:\n abort\n}\n",
			     probe, insn));
	const char *msg = ir_place(m, sides, &at);

	ck_assert_uint_eq(at, msg ? 0 : 77);
	if (user)
		*user = m->probes.v[0]->user_side;
	return msg;
}

START_TEST(placement)
{
	bool user;

	ck_assert_ptr_null(place("kprobe", "%0 = intr pid", SIDE_K, &user));
	ck_assert(!user);
	ck_assert_ptr_null(place("begin", "%0 = intr pid", SIDE_K, &user));
	ck_assert(!user);
	ck_assert_ptr_null(place("begin", "%0 = intr pid", SIDE_B | SIDE_U, &user));
	ck_assert(user);
	ck_assert_ptr_null(place("timer", "%0 = intr pid", SIDE_B | SIDE_U, &user));
	ck_assert(user);
	ck_assert_ptr_null(place("kprobe", "%0 = intr pid", SIDE_B | SIDE_U, &user));
	ck_assert(!user);
	ck_assert_ptr_null(place("timer", "%0 = intr pid", SIDE_U, &user));
	ck_assert(user);
	ck_assert_str_eq(place("kprobe", "%0 = intr pid", SIDE_U, NULL),
			 "the user runtime has no kprobe probes; use --runtime=kernel or --bpf");
	ck_assert_str_eq(place("begin", "%0 = load.kernel.u8 5 !b1", SIDE_B | SIDE_U, NULL),
			 "probe the probe reads memory by address, which user space cannot; "
			 "use --runtime=kernel");
	ck_assert_ptr_null(place("never", "%0 = load.kernel.u8 5 !b1", SIDE_U, NULL));
}
END_TEST

START_TEST(needless_action_counts_go)
{
	const char *straight = H(
		"long %0", "b0:\n action.2 !b3\n %0 = gget @n\n br %0, b1, b2\nb1:\n action.5 !b3\n"
			   " gset @n, 2\n jmp b2\n"
			   "b2:\n action.3 !b3\n done\nb3:\n abort\n");
	struct ir_module *m = must_parse(arena_printf(&arena, "limit MAXACTION 10\n%s", straight));

	ir_analyse(m);
	ck_assert_ptr_null(ir_verify(m));
	ck_assert_ptr_null(strstr(body_of(m), "action"));
	m = must_parse(arena_printf(&arena, "limit MAXACTION 9\n%s", straight));
	ir_analyse(m);
	ck_assert_ptr_nonnull(strstr(body_of(m), "action.5"));
	m = must_parse(arena_printf(&arena, "limit MAXACTION_INTERRUPTIBLE 9\n%s", straight));
	ir_analyse(m);
	ck_assert_ptr_nonnull(strstr(body_of(m), "action.5"));
}
END_TEST

START_TEST(loops_keep_counting)
{
	struct ir_module *m = must_parse(
		H("long %0",
		  "b0:\n jmp b1\nb1:\n action.1 !b2\n %0 = intr tid\n action.1 !b2\n %0 = gget @n\n"
		  " action.1 !b2\n gset @n, %0\n action.1 !b2\n jmp b1\nb2:\n abort\n"));

	ir_analyse(m);
	ck_assert_ptr_null(ir_verify(m));
	ck_assert_str_eq(body_of(m),
			 "b0:\n\tjmp b1\nb1:\n\taction.3 !b2\n\t%0 = intr tid\n\t%0 = gget @n\n"
			 "\tgset @n, %0\n\taction.1 !b2\n"
			 "\tjmp b1\nb2:\n\tabort\n");
	ck_assert(!m->recursive);
}
END_TEST

#define EVEN_ODD                                                                                   \
	"func @even (long %0) long {\n regs long %1\nb0:\n %1 = call @odd, %0 !b1\n ret %1\n"      \
	"b1:\n abort\n}\n"                                                                         \
	"func @odd (long %0) long {\n regs long %1\nb0:\n %1 = call @even, %0 !b1\n ret %1\n"      \
	"b1:\n abort\n}\n"

START_TEST(recursion_is_found)
{
	struct ir_module *m = must_parse(EVEN_ODD);

	ir_analyse(m);
	ck_assert(m->recursive);
	ir_inline(m, 1000);
	ck_assert_ptr_null(ir_verify(m));
	ck_assert_ptr_nonnull(strstr(text_of(m), "call @odd"));
}
END_TEST

START_TEST(calls_are_inlined)
{
	struct ir_module *m = must_parse(
		"func @half (long %0 n, long %1 by) long {\n regs long %2\nb0:\n"
		" %2 = div %0, %1 !b1 @\"half\"\n ret %2\nb1:\n abort\n}\n"
		"func @twice (long %0) long {\n regs long %1\nb0:\n"
		" %1 = call @half, %0, 2 !b1\n %1 = call @half, %1, 0 !b1\n ret %1\nb1:\n"
		" abort\n}\n"
		"probe begin @h name \"b\"\nhandler @h {\n regs long %0, string %1\nb0:\n"
		" %0 = call @half, 84, 2 !b1\n emit.out \"%d \", %0\n"
		" %0 = call @twice, 5 !b1\n done\nb1:\n %1 = errmsg\n emit.out \"%s\", %1\n"
		" abort\n}\n");

	ir_inline(m, 100);
	ck_assert_ptr_null(ir_verify(m));
	ck_assert_ptr_null(strstr(text_of(m), "call"));
	ck_assert_str_eq(run_module(m, 100), "42 division by 0<error division by 0 at half>");
}
END_TEST

START_TEST(big_functions_stay)
{
	struct ir_module *m =
		must_parse("func @f () long {\nb0:\n ret 1\n}\nhandler @h {\n regs long %0\nb0:\n"
			   " %0 = call @f !b1\n done\nb1:\n abort\n}\n");

	ir_inline(m, 0);
	ck_assert_ptr_nonnull(strstr(text_of(m), "call @f"));
	ir_inline(m, 1);
	ck_assert_ptr_null(strstr(text_of(m), "call @f"));
}
END_TEST

/* ---- random programs: every pass leaves what they print as it was ---- */

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

enum { LONGS = 5, STRS = 3, BLOCKS = 7 };

static struct ir_val rnd_long(void)
{
	static const int64_t consts[] = { 0, 1, -1, 2, 7, 64, INT64_MIN, INT64_MAX };

	return rnd(3) ? ir_reg(rnd(LONGS))
		      : ir_num(consts[rnd(sizeof(consts) / sizeof(consts[0]))]);
}

static struct ir_val rnd_str(struct ir_module *m)
{
	static const char *const consts[] = { "", "a", "b", "long enough" };

	return rnd(3) ? ir_reg(LONGS + rnd(STRS)) : ir_strval(ir_string(m, consts[rnd(4)]));
}

static void add_random(struct ir_module *m, struct ir_func *f, uint32_t b, uint32_t err,
		       uint32_t callee)
{
	static const enum ir_type one_long[] = { IR_I64 }, both[] = { IR_STR, IR_I64 };
	struct ir_val v[3] = { rnd_long(), rnd_long() }, s[2] = { rnd_str(m), rnd_str(m) };
	struct ir_val mixed[2] = { s[0], v[0] };
	uint32_t l = rnd(LONGS), t = LONGS + rnd(STRS), kind = rnd(callee == IR_NONE ? 13 : 15);
	struct ir_insn *i;

	switch (kind) {
	case 0:
	case 1:
	case 2:
	case 3:
		i = ir_add(m, f, b, IR_add + rnd(IR_ge - IR_add + 1), l, v, 2);
		if (i->op == IR_neg || i->op == IR_com)
			i->nargs = 1;
		if (i->op == IR_div || i->op == IR_mod)
			i->err = err;
		break;
	case 4:
		ir_add(m, f, b, IR_mov, l, v, 1);
		break;
	case 5:
		ir_add(m, f, b, IR_smov, t, s, 1);
		break;
	case 6:
		ir_add(m, f, b, IR_scat, t, s, 2);
		break;
	case 7:
		ir_add(m, f, b, rnd(2) ? IR_scmp : IR_seq, l, s, 2);
		break;
	case 8:
		ir_add(m, f, b, IR_emit, IR_NONE, v, 1)->ref = ir_fmt_add(m, "%d;", one_long, 1);
		break;
	case 9:
		ir_add(m, f, b, IR_sfmt, t, mixed, 2)->ref = ir_fmt_add(m, "%s%x", both, 2);
		break;
	case 10:
		i = ir_add(m, f, b, IR_action, IR_NONE, NULL, 0);
		i->imm = 1 + rnd(3);
		i->err = err;
		break;
	case 11:
		i = ir_add(m, f, b, IR_madd, l, v, 2);
		i->ref = 0;
		i->err = err;
		break;
	case 12:
		ir_add(m, f, b, IR_mget, l, v, 1)->ref = 0;
		break;
	default:
		i = ir_add(m, f, b, IR_call, kind == 13 ? IR_NONE : t, mixed, 2);
		i->ref = callee;
		i->err = err;
	}
}

static void show_all(struct ir_module *m, struct ir_func *f, uint32_t b)
{
	static const enum ir_type types[] = { IR_I64, IR_I64, IR_I64, IR_I64,
					      IR_I64, IR_STR, IR_STR, IR_STR };
	struct ir_val v[LONGS + STRS];

	for (uint32_t r = 0; r < LONGS + STRS; r++)
		v[r] = ir_reg(r);
	ir_add(m, f, b, IR_emit, IR_NONE, v, LONGS + STRS)->ref =
		ir_fmt_add(m, "%d %d %d %d %d %s %s %s\n", types, LONGS + STRS);
}

/*
 * Blocks 0 .. BLOCKS - 1 of random code, then one for errors that shows everything, then one that
 * aborts.
 */
static void fill_random(struct ir_module *m, struct ir_func *f, uint32_t callee)
{
	const uint32_t catch = BLOCKS, die = BLOCKS + 1;
	struct ir_insn *i;

	for (uint32_t b = 0; b < BLOCKS + 2; b++)
		ir_new_block(m, f);
	for (uint32_t r = 0; !f->nparams && r < LONGS + STRS; r++) {
		struct ir_val v = r < LONGS ? ir_num((int64_t)r * 3)
					    : ir_strval(ir_string(m, r & 1 ? "p" : "qq"));

		ir_add(m, f, 0, r < LONGS ? IR_mov : IR_smov, r, &v, 1);
	}
	for (uint32_t b = 0; b < BLOCKS; b++) {
		struct ir_val v = rnd_long();

		i = ir_add(m, f, b, IR_action, IR_NONE, NULL, 0);
		i->imm = 1;
		i->err = die;
		for (uint32_t n = rnd(8); n > 0; n--)
			add_random(m, f, b, rnd(2) ? catch : die, callee);
		if (b == BLOCKS - 1)
			break;
		i = ir_add(m, f, b, rnd(3) ? IR_br : IR_jmp, IR_NONE, &v, 1);
		i->nargs = i->op == IR_br;
		/* Anywhere: the counts end what does not end. */
		i->succ[0] = 1 + rnd(BLOCKS - 1);
		i->succ[1] = i->op == IR_br ? 1 + rnd(BLOCKS - 1) : IR_NONE;
	}
	show_all(m, f, BLOCKS - 1);
	show_all(m, f, catch);
	if (f->is_handler) {
		ir_add(m, f, BLOCKS - 1, IR_done, IR_NONE, NULL, 0);
	} else {
		struct ir_val v = ir_reg(LONGS);

		ir_add(m, f, BLOCKS - 1, IR_ret, IR_NONE, &v, 1);
	}
	ir_add(m, f, catch, IR_abort, IR_NONE, NULL, 0);
	ir_add(m, f, die, IR_abort, IR_NONE, NULL, 0);
}

static struct ir_module *random_module(uint32_t from)
{
	struct ir_module *m = parse_only("limit MAXSTRINGLEN 24\nglobal @a long[long] size 3\n");
	struct ir_probe *p = arena_new(&arena, struct ir_probe);
	struct ir_func *f = ir_func_new(m, "f", false, NULL),
		       *h = ir_func_new(m, "h", true, &p->handler);

	seed = from;
	for (uint32_t r = 0; r < LONGS + STRS; r++) {
		ir_new_reg(m, f, r < LONGS ? IR_I64 : IR_STR, NULL);
		ir_new_reg(m, h, r < LONGS ? IR_I64 : IR_STR, NULL);
	}
	f->ret = IR_STR;
	p->name = "begin";
	vec_push(&arena, &m->probes, p);
	fill_random(m, h, 0);
	/*
	 * The callee's parameters are a string and a long: registers of their own in front, the
	 * rest assigned first.
	 */
	f->regs.n = f->reg_names.n = 0;
	ir_new_reg(m, f, IR_STR, NULL);
	ir_new_reg(m, f, IR_I64, NULL);
	f->nparams = 2;
	return m;
}

/* f(s, n): a loop that appends and may divide by zero. */
static void fill_callee(struct ir_module *m)
{
	struct ir_module *src =
		parse_only("func @f (string %0, long %1) string {\n regs long %2, string %3\n"
			   "b0:\n %2 = and %1, 7\n %3 = smov \"\"\n jmp b1\n"
			   "b1:\n action.1 !b3\n %3 = scat %3, %0\n %2 = sub %2, 1\n"
			   " %1 = div 100, %2 !b3\n br %2, b1, b2\n"
			   "b2:\n ret %3\nb3:\n abort\n}\n");

	*m->funcs.v[0] = *src->funcs.v[0];
	for (uint32_t b = 0; b < m->funcs.v[0]->blocks.n; b++) {
		struct ir_block *blk = m->funcs.v[0]->blocks.v[b];

		for (uint32_t n = 0; n < blk->insns.n; n++)
			for (uint32_t k = 0; k < blk->insns.v[n].nargs; k++)
				if (blk->insns.v[n].args[k].kind == IRV_STR)
					blk->insns.v[n].args[k].str = ir_string(m, "");
	}
}

static void inline_all(struct ir_module *m)
{
	ir_inline(m, 1000);
}

START_TEST(passes_change_nothing_seen)
{
	static void (*const passes[])(struct ir_module *) = { ir_fold, ir_dce, inline_all,
							      ir_analyse, ir_locks };

	for (uint32_t n = 0; n < 1500; n++) {
		uint32_t limit = 50 + n % 100;
		struct ir_module *m = random_module(n * 7919 + 1);
		const char *before, *wrong;
		char *dump;

		fill_callee(m);
		m->limits.maxaction = limit;
		wrong = ir_verify(m);
		ck_assert_msg(!wrong, "program %u: %s\n%s", n, wrong, text_of(m));
		before = arena_strdup(&arena, run_module(m, limit));
		dump = arena_strdup(&arena, text_of(m));
		for (int k = 0; k < 6; k++) {
			uint32_t pass = rnd(5);

			passes[pass](m);
			wrong = ir_verify(m);
			ck_assert_msg(!wrong, "program %u after pass %u: %s\n%s\n%s", n, pass,
				      wrong, dump, text_of(m));
			ck_assert_msg(strcmp(run_module(m, limit), before) == 0,
				      "program %u after pass %u:\n%s\nprints\n%sbefore\n%s\n%s", n,
				      pass, text_of(m), printed.p, before, dump);
		}
		ck_assert_str_eq(text_of(parse_only(text_of(m))), text_of(m));
	}
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ folds_integers },
		{ folds_strings },
		{ copies_end_with_their_source },
		{ known_branches_go },
		{ what_follows_a_raise_goes },
		{ dead_code_goes },
		{ results_go_where_they_are_wanted },
		{ liveness_follows_error_edges },
		{ uses_are_transitive },
		{ locks },
		{ placement },
		{ needless_action_counts_go },
		{ loops_keep_counting },
		{ recursion_is_found },
		{ calls_are_inlined },
		{ big_functions_stay },
		{ passes_change_nothing_seen },
	};

	return RUN_TESTS("ir_passes", tests);
}
