/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier finds what is wrong and says where. */
#include "ir_test.h"

#define GLOBALS                                                                                    \
	"global @n long\nglobal @t string\nglobal @a long[string] size 4\n"                        \
	"global @b string[long] size 4\nglobal @s stats[long] size 4\nglobal @u stats\n"
#define FUNCS "func @f (long %0) string {\nb0:\n ret \"x\"\n}\nfunc @v () void {\nb0:\n ret\n}\n"
#define BODY(body)                                                                                 \
	GLOBALS FUNCS                                                                              \
		"probe begin @h name \"begin\"\nhandler @h {\n regs long %0, string %1, long %2\n" \
		" iter #0 @a up\n iter #1 @s\n" body "}\n"
#define INSN(line) BODY("b0:\n " line "\n done\nb1:\n abort\n")
#define IN_INSN(op) "handler h: block 0: instruction 0 (" op "): "

static const struct {
	const char *text, *message;
} wrong[] = {
	{ INSN("emit.out \"%m\", 1"), IN_INSN("emit") "the format reads memory" },
	{ INSN("emitmem.out \"%d\", 1 !b1"), IN_INSN("emitmem") "the format reads no memory" },
	{ INSN("%1 = loadbuf.kernel.hex 1, 2 !b1"), IN_INSN("loadbuf") "has 2 operands, wants 3" },
	{ INSN("%0 = layout.offset 8"), IN_INSN("layout") "needs a type path" },
	{ INSN("%0 = layout.offset %0 type \"struct s 8.m@0 *\""), IN_INSN("layout") "needs a constant" },
	{ INSN("%0 = layout.size 8 type \"struct s\""),
	  IN_INSN("layout") "malformed type path \"struct s\"" },
	{ INSN("%0 = layout.size 8 type \"struct - 8\""),
	  IN_INSN("layout") "malformed type path \"struct - 8\"" },
	{ INSN("%0 = layout.offset 8 type \"struct s 8.m@0 *.n@0 *\""),
	  IN_INSN("layout") "malformed type path \"struct s 8.m@0 *.n@0 *\"" },
	{ INSN("%0 = add 1, 2 type \"struct s 8\""), IN_INSN("add") "takes no type path" },
	{ INSN("%0 = add 1"), IN_INSN("add") "has 1 operands, wants 2" },
	{ INSN("%0 = add 1, \"x\""), IN_INSN("add") "operand 2 is string, not long" },
	{ INSN("%1 = add 1, 2"), IN_INSN("add") "%1 is string, the result is long" },
	{ INSN("add 1, 2"), IN_INSN("add") "the result goes nowhere" },
	{ INSN("%0 = div 1, 2"), IN_INSN("div") "may fail but names no error block" },
	{ INSN("%0 = add 1, 2 !b1"), IN_INSN("add") "cannot fail but names an error block" },
	{ INSN("%0 = div 1, 2 !b7"), IN_INSN("div") "may fail but names no error block" },
	{ INSN("%0 = add %2, 1"), IN_INSN("add") "%2 is read but not assigned on every path here" },
	{ INSN("ret"), IN_INSN("ret") "ends the block in its middle" },
	{ INSN("%0 = gget @a"), IN_INSN("gget") "a is not a scalar" },
	{ INSN("%0 = gget @t"), IN_INSN("gget") "%0 is long, the result is string" },
	{ INSN("gset @n, \"x\""), IN_INSN("gset") "operand 1 is string, not long" },
	{ INSN("%0 = mget @n"), IN_INSN("mget") "n is not an array of values" },
	{ INSN("%0 = mget @s [1]"), IN_INSN("mget") "s is not an array of values" },
	{ INSN("%0 = mget @a [1]"), IN_INSN("mget") "operand 1 is long, not string" },
	{ INSN("%0 = madd @b [1], 1 !b1"), IN_INSN("madd") "b is not an array of long" },
	{ INSN("sadd @n, 1 !b1"), IN_INSN("sadd") "n is not a statistic" },
	{ INSN("mclear @n"), IN_INSN("mclear") "n is not an array or statistic" },
	{ INSN("%0 = sget.variance @u !b1"), IN_INSN("sget") "no extractor 5" },
	{ INSN("%0 = it_next #2"), IN_INSN("it_next") "there is no iterator 2" },
	{ INSN("%1 = it_key.1 #0"), IN_INSN("it_key") "no key 1" },
	{ INSN("%0 = it_val #1"), IN_INSN("it_val") "s is not an array of values" },
	{ INSN("%0 = it_stat.sum #0 !b1"), IN_INSN("it_stat") "a holds no statistics" },
	{ INSN("%1 = call @f !b1"), IN_INSN("call") "has 0 operands, wants 1" },
	{ INSN("%0 = call @f, 1 !b1"), IN_INSN("call") "%0 is long, the result is string" },
	{ INSN("%0 = call @v !b1"), IN_INSN("call") "has no result for %0" },
	{ INSN("call @h !b1"), IN_INSN("call") "calls the handler h" },
	{ INSN("%0 = intr strlen"), IN_INSN("intr") "has 0 operands, wants 1" },
	{ INSN("%0 = arg.0"), IN_INSN("arg") "arguments are counted from 1" },
	{ INSN("%0 = load.user.u3 5 !b1"), IN_INSN("load") "width 3" },
	{ INSN("fail.USER !b1"), IN_INSN("fail") "no error 1 to raise" },
	{ INSN("fail.EMPTY 1, 2 !b1"), IN_INSN("fail") "has 2 operands, wants 1" },
	{ INSN("fail.EMPTY \"x\" !b1"), IN_INSN("fail") "operand 1 is string, not long" },
	{ INSN("fail.EMPTY"), IN_INSN("fail") "may fail but names no error block" },
	{ INSN("%0 = sfmt \"%d\", 1"), IN_INSN("sfmt") "%0 is long, the result is string" },
	{ INSN("emit.out \"%d\""), "format 0: arguments do not fit the text" },
	{ INSN("emit.out \"%d\", \"x\""), "format 0: arguments do not fit the text" },
	{ INSN("emit.out \"%s %*d\", \"x\", 1"), "format 0: arguments do not fit the text" },
	{ BODY("b0:\n jmp b9\n"), "handler h: block 0: instruction 0 (jmp): successor 0 is b9" },
	{ BODY("b0:\n %0 = mov 1\n"),
	  "handler h: block 0: instruction 0 (mov): the block has no end" },
	{ BODY("b0:\n"), "handler h: block 0: is empty" },
	{ BODY(""), "handler h: has no block" },
	{ BODY("b0:\n ret\n"), "handler h: block 0: instruction 0 (ret): ends a function" },
	{ "func @f () long {\nb0:\n done\n}\n",
	  "function f: block 0: instruction 0 (done): ends a handler" },
	{ "func @f () long {\nb0:\n ret\n}\n",
	  "function f: block 0: instruction 0 (ret): has 0 operands, wants 1" },
	{ "func @f () void {\nb0:\n ret 1\n}\n",
	  "function f: block 0: instruction 0 (ret): has 1 operands, wants 0" },
	{ "func @f () void {\nb0:\n ret\n}\nprobe begin @f name \"begin\"\n",
	  "probe 0: 0 is no handler" },
	{ "global @n long\nhandler @h {\n iter #0 @n\nb0:\n done\n}\n",
	  "handler h: iterator 0: n is no array" },
	{ "global @a long[long]\n", "global a: no room for elements" },
};

START_TEST(finds_what_is_wrong)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *msg = ir_verify(parse_only(wrong[i].text));

		ck_assert_msg(msg != NULL, "verifies: %s", wrong[i].text);
		ck_assert_str_eq(msg, wrong[i].message);
	}
}
END_TEST

START_TEST(takes_what_is_right)
{
	must_parse(
		INSN("call @f, 1 !b1\n call @v !b1\n %0 = sget.min @u !b1\n mclear @s\n mclear @a\n"
		     " emit.out \"%*.*d\", 1, 2, 3\n emitmem.out \"%*.*m\", 1, 2, 3 !b1"));
}
END_TEST

START_TEST(one_path_is_not_enough)
{
	const char *msg = ir_verify(parse_only(
		BODY("b0:\n %0 = gget @n\n br %0, b1, b2\nb1:\n %2 = mov 1\n jmp b2\nb2:\n"
		     " gset @n, %2\n done\n")));

	ck_assert_str_eq(msg, "handler h: block 2: instruction 0 (gset): "
			      "%2 is read but not assigned on every path here");
	must_parse(BODY("b0:\n %0 = gget @n\n br %0, b1, b2\nb1:\n %2 = mov 1\n jmp b3\nb2:\n"
			" %2 = mov 2\n jmp b3\n"
			"b3:\n gset @n, %2\n done\n"));
}
END_TEST

/* A failing operation leaves its destination alone. */
START_TEST(error_edge_leaves_before_the_result)
{
	const char *msg = ir_verify(
		parse_only(BODY("b0:\n %2 = div 1, 0 !b1\n done\nb1:\n gset @n, %2\n done\n")));

	ck_assert_str_eq(msg, "handler h: block 1: instruction 0 (gset): "
			      "%2 is read but not assigned on every path here");
}
END_TEST

START_TEST(loops_settle)
{
	must_parse(BODY("b0:\n %0 = mov 0\n jmp b1\nb1:\n %2 = lt %0, 5\n br %2, b2, b3\nb2:\n"
			" %0 = add %0, 1\n jmp b1\n"
			"b3:\n gset @n, %2\n done\n"));
}
END_TEST

START_TEST(nothing_follows_a_raise)
{
	must_parse(BODY("b0:\n fail.DIV0 !b1\n gset @n, %2\n done\nb1:\n abort\n"));
	must_parse(BODY("b0:\n raise \"x\" !b1\n gset @n, %2\n done\nb1:\n abort\n"));
}
END_TEST

START_TEST(locks_are_in_order)
{
	struct ir_module *m = parse_only(
		GLOBALS
		"probe begin @h name \"b\" read @a write @n\nhandler @h {\nb0:\n done\n}\n");

	ck_assert_str_eq(ir_verify(m), "probe 0: bad order of locks");
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ finds_what_is_wrong },    { takes_what_is_right },
		{ one_path_is_not_enough }, { error_edge_leaves_before_the_result },
		{ loops_settle },           { nothing_follows_a_raise },
		{ locks_are_in_order },
	};

	return RUN_TESTS("ir_verify", tests);
}
