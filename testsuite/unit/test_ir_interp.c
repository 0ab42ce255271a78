/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers do in the interpreter. */
#include <time.h>
#include <unistd.h>

#include "ir_test.h"

#define H(globals, regs, body)                                                                     \
	"module \"t\"\n" globals "probe begin @h name \"begin\"\nhandler @h {\n regs " regs        \
	"\n" body "}\n"

static const struct {
	const char *op, *want;
} arithmetic[] = {
	{ "add 9223372036854775807, 1", "-9223372036854775808" },
	{ "sub 3, 5", "-2" },
	{ "mul 4611686018427387904, 4", "0" },
	{ "div -7, 2", "-3" },
	{ "mod -7, 2", "-1" },
	{ "div -9223372036854775808, -1", "-9223372036854775808" },
	{ "mod -9223372036854775808, -1", "0" },
	{ "shl 1, 65", "2" },
	{ "shr -8, 1", "-4" },
	{ "ushr -1, 60", "15" },
	{ "neg -9223372036854775808", "-9223372036854775808" },
	{ "com 5", "-6" },
	{ "xor 12, 10", "6" },
	{ "lt -1, 0", "1" },
	{ "ge 5, 5", "1" },
	{ "gt 5, 5", "0" },
	{ "scmp \"a\", \"\\377\"", "-1" },
	{ "scmp \"ab\", \"a\"", "1" },
	{ "seq \"ab\", \"ab\"", "1" },
	{ "seq \"ab\", \"a\"", "0" },
	{ "intr strlen, \"abc\"", "3" },
	{ "intr isinstr, \"abc\", \"bc\"", "1" },
	{ "intr isinstr, \"abc\", \"bd\"", "0" },
	{ "intr strtol, \"0x1f\", 0", "31" },
	{ "intr strtol, \"077\", 8", "63" },
	{ "intr strtol, \"zz\", 10", "0" },
	{ "intr strtol, \"zz\", 99", "0" },
	{ "intr target", "77" },
};

/*
 * Operands from registers and as constants mean the same; the folder agrees with the interpreter.
 */
START_TEST(arithmetic_wraps)
{
	for (size_t i = 0; i < sizeof(arithmetic) / sizeof(arithmetic[0]); i++) {
		bool fails = strncmp(arithmetic[i].op, "div", 3) == 0 ||
			     strncmp(arithmetic[i].op, "mod", 3) == 0;
		struct ir_module *m =
			must_parse(arena_printf(&arena,
						H("", "long %%0",
						  "b0:\n %%0 = %s%s\n emit.out \"%%d\", %%0\n"
						  " done\nb1:\n abort\n"),
						arithmetic[i].op, fails ? " !b1" : ""));

		ck_assert_str_eq(run_module(m, 100), arithmetic[i].want);
		ir_fold(m);
		ir_dce(m);
		ck_assert_str_eq(run_module(m, 100), arithmetic[i].want);
	}
}
END_TEST

static const struct {
	const char *op, *want;
} strings[] = {
	{ "scat \"ab\", \"cd\"", "abcd" },
	{ "scat \"0123456789\", \"abcdefghij\"", "0123456789abcde" },
	{ "intr substr, \"hello\", 1, 3", "ell" },
	{ "intr substr, \"hello\", 3, 99", "lo" },
	{ "intr substr, \"hello\", 5, 1", "" },
	{ "intr substr, \"hello\", -1, 3", "" },
	{ "intr substr, \"hello\", 1, -3", "" },
	{ "sfmt \"%05d|%s\", 42, \"x\"", "00042|x" },
	{ "sfmt \"%*s\", 4, \"x\"", "   x" },
	{ "sfmt \"%200d\", 1", "               " },
	{ "intr pp", "begin" },
};

START_TEST(strings_are_cut)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct ir_module *m = must_parse(
			arena_printf(&arena,
				     "limit MAXSTRINGLEN 16\n" H("", "string %%0",
								 "b0:\n %%0 = %s\n"
								 " emit.out \"%%s\", %%0\n done\n"),
				     strings[i].op));

		ck_assert_str_eq(run_module(m, 100), strings[i].want);
		ir_fold(m);
		ck_assert_str_eq(run_module(m, 100), strings[i].want);
	}
}
END_TEST

START_TEST(destination_among_the_operands)
{
	ck_assert_str_eq(
		run_text(H("", "string %0, string %1",
			   "b0:\n %0 = smov \"ab\"\n %0 = scat %0, %0\n %0 = scat \"x\", %0\n"
			   " %1 = smov %0\n %0 = scat %0, \"y\"\n"
			   " %0 = intr substr, %0, 1, 4\n %0 = sfmt \"[%s%s]\", %0, %1\n"
			   " emit.out \"%s\", %0\n done\n")),
		"[abab"
		"xabab]");
}
END_TEST

START_TEST(missing_elements_read_as_nothing)
{
	ck_assert_str_eq(
		run_text(H("global @a long[string] size 4\nglobal @b string[long] size 4\n",
			   "long %0, string %1",
			   "b0:\n %0 = mget @a [\"x\"]\n %1 = mget @b [1]\n"
			   " emit.out \"%d<%s>\", %0, %1\n"
			   " %0 = mhas @a [\"x\"]\n emit.out \"%d\", %0\n mset @a [\"x\"], 0 !b1\n"
			   " %0 = mhas @a [\"x\"]\n"
			   " emit.out \"%d\", %0\n mdel @a [\"x\"]\n %0 = mhas @a [\"x\"]\n"
			   " emit.out \"%d\", %0\n done\nb1:\n abort\n")),
		"0<>010");
}
END_TEST

START_TEST(scalars_start_as_written)
{
	ck_assert_str_eq(
		run_text(H("global @n long = -3\nglobal @s string = \"hi\"\nglobal @z string\n",
			   "long %0, string %1, string %2",
			   "b0:\n %0 = gget @n\n %1 = gget @s\n %2 = gget @z\n"
			   " emit.out \"%d %s<%s>\", %0, %1, %2\n gset @s, \"ho\"\n"
			   " %1 = gget @s\n emit.out \"%s\", %1\n done\n")),
		"-3 hi<>ho");
}
END_TEST

#define FILL(decl, op)                                                                             \
	H("global @a " decl "\n", "long %0, long %1, string %2",                                   \
	  " iter #0 @a\n"                                                                          \
	  "b0:\n %0 = mov 0\n jmp b1\n"                                                            \
	  "b1:\n " op "\n %0 = add %0, 1\n %1 = lt %0, 5\n br %1, b1, b3\n"                        \
	  "b2:\n %2 = errmsg\n emit.out \"%s after %d;\", %2, %0\n jmp b3\n"                       \
	  "b3:\n it_begin #0, -1 !b6\n jmp b4\n"                                                   \
	  "b4:\n %1 = it_next #0\n br %1, b5, b6\n"                                                \
	  "b5:\n %1 = it_key.0 #0\n emit.out \" %d\", %1\n jmp b4\n"                               \
	  "b6:\n done\n")

START_TEST(full_arrays_say_so)
{
	ck_assert_str_eq(run_text(FILL("long[long] size 3", "mset @a [%0], 1 !b2")),
			 "Array overflow, check MAXMAPENTRIES after 3; 0 1 2");
	ck_assert_str_eq(run_text(FILL("long[long] size 3 sized", "%1 = madd @a [%0], 1 !b2")),
			 "Array overflow, check size limit (3) after 3; 0 1 2");
	ck_assert_str_eq(run_text(FILL("stats[long] size 3", "sadd @a [%0], 1 !b2")),
			 "aggregation overflow in a after 3; 0 1 2");
	ck_assert_str_eq(run_text(FILL("long[long] size 3 wrap", "mset @a [%0], 1 !b2")), " 2 3 4");
	ck_assert_str_eq(run_text(FILL("stats[long] size 3 wrap", "sadd @a [%0], 1 !b2")),
			 " 2 3 4");
}
END_TEST

#define LOOP(iter, limit, show)                                                                    \
	H("global @a long[long,string] size 9\n", "long %0, string %1, long %2",                   \
	  " iter #0 @a " iter "\n"                                                                 \
	  "b0:\n mset @a [2, \"b\"], 5 !b3\n mset @a [1, \"c\"], 5 !b3\n"                          \
	  " mset @a [3, \"a\"], 1 !b3\n"                                                           \
	  " mset @a [2, \"b\"], 5 !b3\n it_begin #0, " limit " !b3\n jmp b1\n"                     \
	  "b1:\n %2 = it_next #0\n br %2, b2, b4\n"                                                \
	  "b2:\n %0 = it_key.0 #0\n %1 = it_key.1 #0\n %2 = it_val #0\n " show "\n jmp b1\n"       \
	  "b3:\n abort\n"                                                                          \
	  "b4:\n done\n")
#define SHOW "emit.out \"%d%s%d \", %0, %1, %2"

START_TEST(foreach_order)
{
	ck_assert_str_eq(run_text(LOOP("", "-1", SHOW)), "2b5 1c5 3a1 ");
	ck_assert_str_eq(run_text(LOOP("up", "-1", SHOW)), "3a1 2b5 1c5 ");
	ck_assert_str_eq(run_text(LOOP("down", "-1", SHOW)), "2b5 1c5 3a1 ");
	ck_assert_str_eq(run_text(LOOP("up key 1", "-1", SHOW)), "1c5 2b5 3a1 ");
	ck_assert_str_eq(run_text(LOOP("down key 2", "-1", SHOW)), "1c5 2b5 3a1 ");
	ck_assert_str_eq(run_text(LOOP("up", "2", SHOW)), "3a1 2b5 ");
	ck_assert_str_eq(run_text(LOOP("up", "0", SHOW)), "");
}
END_TEST

/* The elements are those at the loop's start, whatever its body deletes or adds. */
START_TEST(foreach_is_a_snapshot)
{
	ck_assert_str_eq(run_text(LOOP("", "-1", "mclear @a\n mset @a [9, \"n\"], 9 !b3\n " SHOW)),
			 "2b5 1c5 3a1 ");
}
END_TEST

START_TEST(large_sorts_are_stable)
{
	struct ir_iter it = { .sort_dir = -1 };
	struct ir_global g = { .type = IR_I64, .nkeys = 1 };
	static struct ir_elem v[1001];
	uint32_t n = sizeof(v) / sizeof(v[0]);

	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct ir_elem){
			.seq = i, .val = { .type = IR_I64, .num = (int64_t)(i * 7919 % 13) }
		};
	ir_sort_elems(v, n, &it, &g);
	for (uint32_t i = 1; i < n; i++) {
		ck_assert_int_ge(v[i - 1].val.num, v[i].val.num);
		if (v[i - 1].val.num == v[i].val.num)
			ck_assert_uint_lt(v[i - 1].seq, v[i].seq);
	}
}
END_TEST

START_TEST(statistics)
{
	const char *globals = "global @s stats\nglobal @t stats[long] size 4\n";
	const char *text = arena_printf(
		&arena, "%s%s%s", "module \"t\"\n", globals,
		"probe begin @h name \"begin\"\nhandler @h {\n regs long %0, string %1\n"
		"b0:\n %0 = sget.count @s !b1\n emit.out \"%d\", %0\n"
		" %0 = sget.sum @t [4] !b1\n emit.out \"%d \", %0\n"
		" sadd @s, -7 !b1\n sadd @s, 4 !b1\n %0 = sget.count @s !b1\n"
		" emit.out \"%d \", %0\n %0 = sget.sum @s !b1\n"
		" emit.out \"%d \", %0\n %0 = sget.min @s !b1\n emit.out \"%d \", %0\n"
		" %0 = sget.max @s !b1\n emit.out \"%d \", %0\n"
		" %0 = sget.avg @s !b1\n emit.out \"%d \", %0\n mclear @s\n"
		" %0 = sget.avg @s !b1\n done\n"
		"b1:\n %1 = errmsg\n emit.out \"%s\", %1\n done\n}\n");

	ck_assert_str_eq(run_text(text), "00 2 -3 -7 4 -1 empty aggregate");
}
END_TEST

#define FACT                                                                                       \
	"func @fact (long %0 n) long {\n regs long %1\nb0:\n %1 = le %0, 1\n br %1, b1, b2\n"      \
	"b1:\n ret 1\n"                                                                            \
	"b2:\n %1 = sub %0, 1\n %1 = call @fact, %1 !b3 @\"the call\"\n %1 = mul %1, %0\n"         \
	" ret %1\nb3:\n abort\n}\n"

START_TEST(recursion_is_bounded)
{
	ck_assert_str_eq(
		run_text(H(FACT, "long %0",
			   "b0:\n %0 = call @fact, 10 !b1\n emit.out \"%d\", %0\n done\nb1:\n"
			   " abort\n")),
		"3628800");
	ck_assert_str_eq(
		run_text(H(FACT, "long %0",
			   "b0:\n %0 = call @fact, 12 !b1\n emit.out \"%d\", %0\n done\nb1:\n"
			   " abort\n")),
		"<error MAXNESTING exceeded at the call<the call<the call<the call<the call<the call"
		"<the call<the call<the call>");
	ck_assert_str_eq(run_text("limit MAXNESTING 20\n" H(
				 FACT, "long %0",
				 "b0:\n %0 = call @fact, 20 !b1\n emit.out \"%d\", %0\n"
				 " done\nb1:\n abort\n")),
			 "2432902008176640000");
}
END_TEST

/*
 * A caller's strings survive what the callee does with its parameter, and its own depth does with
 * both.
 */
START_TEST(strings_through_calls)
{
	ck_assert_str_eq(
		run_text(
			H("func @f (string %0, long %1) string {\n regs long %2, string %3\nb0:\n"
			  " br %1, b1, b2\n"
			  "b1:\n %2 = sub %1, 1\n %3 = call @f, %0, %2 !b3\n"
			  " %0 = scat %0, \"!\"\n %0 = scat %3, %0\n ret %0\n"
			  "b2:\n ret %0\nb3:\n abort\n}\n",
			  "string %0, string %1",
			  "b0:\n %0 = smov \"a\"\n %0 = scat %0, \"b\"\n"
			  " %1 = call @f, %0, 2 !b1\n emit.out \"%s %s\", %0, %1\n"
			  " %0 = call @f, %0, 1 !b1\n emit.out \" %s\", %0\n done\nb1:\n abort\n")),
		"ab abab!ab! abab!");
}
END_TEST

START_TEST(actions_are_counted)
{
	const char *loop =
		H("", "long %0",
		  "b0:\n %0 = mov 0\n jmp b1\nb1:\n action.1 !b2 @\"the loop\"\n %0 = add %0, 1\n"
		  " jmp b1\n"
		  "b2:\n emit.out \"%d \", %0\n abort\n");

	ck_assert_str_eq(run_module(must_parse(loop), 1000),
			 "1000 <error MAXACTION exceeded at the loop>");
	ck_assert_str_eq(run_module(must_parse(loop), 0),
			 "0 <error MAXACTION exceeded at the loop>");
}
END_TEST

START_TEST(errors_are_caught_or_reported)
{
	ck_assert_str_eq(run_text(H("", "long %0, string %1",
				    "b0:\n %0 = mov 3\n %0 = div 1, 0 !b1 @\"here\"\n done\n"
				    "b1:\n %1 = errmsg\n emit.out \"%s %d;\", %1, %0\n errclear\n"
				    " raise \"my own\" !b2 @\"there\"\n done\n"
				    "b2:\n %1 = errmsg\n emit.warn \"%s\", %1\n abort\n")),
			 "division by 0 3;<warn>my own<error my own at there>");
}
END_TEST

START_TEST(kinds_can_be_raised_and_told)
{
	ck_assert_str_eq(run_text(H("", "long %0, string %1",
				    "b0:\n %0 = errkind\n emit.out \"%d;\", %0\n"
				    " fail.OVERFLOW_SIZED 7 !b1\n done\n"
				    "b1:\n %0 = errkind\n %1 = errmsg\n emit.out \"%s;\", %1\n"
				    " %0 = gt %0, 1\n emit.out \"%d;\", %0\n"
				    " errclear\n fail.EMPTY !b2 @\"there\"\n done\n"
				    "b2:\n abort\n")),
			 "0;Array overflow, check size limit (7);1;<error empty aggregate at there>");
}
END_TEST

/* What a function leaves open or unfinished ends with it. */
START_TEST(errors_leave_loops_and_functions)
{
	ck_assert_str_eq(
		run_text(H("global @a long[long] size 4\nfunc @f () void {\n regs long %0\n"
			   " iter #0 @a\n"
			   "b0:\n it_begin #0, -1 !b1\n %0 = it_next #0\n"
			   " raise \"out\" !b1 @\"f\"\n ret\nb1:\n abort\n}\n",
			   "long %0",
			   "b0:\n mset @a [1], 1 !b2\n call @f !b1\n done\nb1:\n call @f !b2\n"
			   " done\nb2:\n abort\n")),
		"<error out at f>");
}
END_TEST

START_TEST(user_space_has_no_kernel_memory)
{
	ck_assert_str_eq(run_text(H("", "long %0, string %1",
				    "b0:\n %0 = load.kernel.u8 4096 !b1\n done\nb1:\n %1 = errmsg\n"
				    " emit.out \"%s\", %1\n %1 = loadbuf.kernel.text 16, 1, 0 !b2\n"
				    " done\nb2:\n %1 = errmsg\n emit.out \"%s\", %1\n"
				    " emitmem.out \"%d%#m\", 1, 16 !b3\n done\nb3:\n"
				    " %1 = errmsg\n emit.out \"%s\", %1\n"
				    " %1 = loadstr.user.u1 16, 9 !b4\n done\nb4:\n abort\n")),
			 "kernel read fault at 0x1000 [man error::fault]"
			 "kernel read fault at 0x10 [man error::fault]"
			 "user read fault at 0x10 [man error::fault]"
			 "<error user string copy fault at 0x10 [man error::fault] at >");
}
END_TEST

START_TEST(exit_comes_last)
{
	ck_assert_str_eq(
		run_text(H("", "long %0", "b0:\n intr exit\n emit.out \"after\"\n done\n")),
		"after<exit>");
}
END_TEST

START_TEST(context_of_this_process)
{
	const char *want =
		arena_printf(&arena, "%d %d %d", (int)getpid(), (int)getppid(), (int)geteuid());

	ck_assert_str_eq(run_text(H("", "long %0, long %1, long %2",
				    "b0:\n %0 = intr pid\n %1 = intr ppid\n %2 = intr euid\n"
				    " emit.out \"%d %d %d\", %0, %1, %2\n done\n")),
			 want);
}
END_TEST

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t native_loop(int64_t n)
{
	volatile int64_t bound = n;
	int64_t sum = 0, end = bound;

	for (int64_t i = 0; i < end; i++)
		sum += i * i & 255;
	return sum;
}

/*
 * A guard against a slow dispatch. Generous: sanitizers and a busy machine slow both sides down,
 * not alike. The figure (20 times gcc -O2) is measured by the bench.
 */
START_TEST(integer_loops_are_fast)
{
	struct ir_module *m = must_parse(
		H("", "long %0, long %1, long %2",
		  "b0:\n %0 = mov 0\n %1 = mov 0\n jmp b1\nb1:\n %2 = lt %0, 1000000\n"
		  " br %2, b2, b3\n"
		  "b2:\n action.2 !b4\n %2 = mul %0, %0\n %2 = and %2, 255\n %1 = add %1, %2\n"
		  " %0 = add %0, 1\n jmp b1\n"
		  "b3:\n emit.out \"%d\", %1\n done\nb4:\n abort\n"));
	int64_t start = now_ns(), took;
	const char *out = run_module(m, 10000000);

	took = now_ns() - start;
	ck_assert_str_eq(out, arena_printf(&arena, "%" PRId64, native_loop(1000000)));
	ck_assert_msg(took < 400000000, "a million rounds took %" PRId64 " ns", took);
}
END_TEST

START_TEST(many_elements)
{
	ck_assert_str_eq(
		run_text(H("global @a long[string] size 5000\n", "long %0, string %1, long %2",
			   "b0:\n %0 = mov 0\n jmp b1\nb1:\n %1 = sfmt \"key%d\", %0\n"
			   " mset @a [%1], %0 !b5\n %0 = add %0, 1\n %2 = lt %0, 5000\n"
			   " br %2, b1, b2\nb2:\n %0 = sub %0, 2\n %1 = sfmt \"key%d\", %0\n"
			   " mdel @a [%1]\n br %0, b2, b3\n"
			   "b3:\n %2 = mget @a [\"key4999\"]\n %0 = mget @a [\"key4998\"]\n"
			   " emit.out \"%d %d\", %2, %0\n done\n"
			   "b4:\n done\nb5:\n abort\n")),
		"4999 0");
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ arithmetic_wraps },
		{ strings_are_cut },
		{ destination_among_the_operands },
		{ missing_elements_read_as_nothing },
		{ scalars_start_as_written },
		{ full_arrays_say_so },
		{ foreach_order },
		{ foreach_is_a_snapshot },
		{ large_sorts_are_stable },
		{ statistics },
		{ recursion_is_bounded },
		{ strings_through_calls },
		{ actions_are_counted },
		{ errors_are_caught_or_reported },
		{ kinds_can_be_raised_and_told },
		{ errors_leave_loops_and_functions },
		{ user_space_has_no_kernel_memory },
		{ exit_comes_last },
		{ context_of_this_process },
		{ integer_loops_are_fast },
		{ many_elements },
	};

	return RUN_TESTS("ir_interp", tests);
}
