/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form: what is printed reads back as the same, and bad text is refused with its line. */
#include "ir_test.h"

static const char everything[] =
	"module \"stap_1\" recursive\n"
	"kernel \"6.1.0\" 5120000\n"
	"limit MAXACTION 500\n"
	"limit MAXNESTING 11\n"
	"limit MAXSTRINGLEN 64\n"
	"global @count long = -5\n"
	"global @name string = \"a\\\"b\\n\\001\"\n"
	"global @a~2 long[string,long] size 2048 wrap\n"
	"global @a~3 string[long] size 5 sized hex\n"
	"global @s stats[long] size 10 ops count,avg\n"
	"global @t stats ops sum\n"
	"build \"kernel\" \"00ff\"\n"
	"symbol \"_stext\"\n"
	"symbol \"ext4:.data\" \"ext4_on\" -8\n"
	"probe begin @probe_0 name \"begin\" chain \"begin(3)\" seq 3\n"
	"probe timer @probe_1 name \"timer.ms(5)\" period 5000000 random 7 "
	"user write @count read @a~2\n"
	"probe uprobe @probe_1 name \"p\" target \"/bin/x\" symbol \"main\" exe \"/bin/y\" "
	"offset 4660 optional filter\n"
	"probe kretprobe @probe_1 name \"k\" target \"vfs_read\" proto \"1 file *struct file;= i8\" offset 4 maxactive 9\n"
	"\n"
	"func @f~0 (long %0 n, string %1) string @\"f at x.stp:1:2\" {\n"
	"    regs long %2, string %3 acc\n"
	"b0:\n"
	"\t%2 = div %0, -9223372036854775808 !b1 @\"operator '/' at x.stp:2:3\"\n"
	"\t%3 = call @f~0, %2, \"x\" !b1\n"
	"\t%3 = scat %3, \"\\\\\"\n"
	"\tret %3\n"
	"b1:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"func @f~1 () void {\n"
	"b0:\n"
	"\tret\n"
	"}\n"
	"\n"
	"handler @probe_0 {\n"
	"    regs long %0, string %1\n"
	"    iter #0 @a~2 down key 2\n"
	"    iter #1 @s up avg\n"
	"    iter #2 @a~3\n"
	"b0:\n"
	"\tmset @a~2 [\"x\", 1], 2 !b2 @\"loc\"\n"
	"\t%0 = madd @a~2 [\"x\", 1], 2 !b2\n"
	"\tsadd @s [3], 4 !b2\n"
	"\tsadd @t, 4 !b2\n"
	"\t%0 = sget.avg @s [3] !b2\n"
	"\tmclear @t\n"
	"\tit_begin #0, -1 !b2\n"
	"\t%0 = it_next #0\n"
	"\t%1 = it_key.0 #0\n"
	"\tit_begin #1, -1 !b2\n"
	"\t%0 = it_stat.max #1 !b2\n"
	"\tit_end #0\n"
	"\tcall @f~1 !b2\n"
	"\t%0 = intr strlen, %1\n"
	"\t%0 = symaddr #1\n"
	"\t%0 = match \"^a[\\\"b]+$\", %1\n"
	"\t%0 = capture \"(a|b)*\\n\", \"ab\"\n"
	"\t%0 = match \"(a|b)*\\n\", %1\n"
	"\tintr exit\n"
	"\temit.warn \"%5d%% %s\\n\", %0, %1\n"
	"\t%1 = sfmt \"%-*d\", 4, %0\n"
	"\taction.2 !b2\n"
	"\t%0 = load.user.s4 %0 type \"struct task_struct 64.pid@32 i4\" !b2\n"
	"\t%0 = layout.offset 8 type \"struct file 232.f_path@64 struct path 16.x@5:3 [2][3]e4\"\n"
	"\t%0 = layout.size 16 type \"fixed union - 16\"\n"
	"\t%1 = loadstr.kernel.u1 %0, 99 !b2\n"
	"\tsend.speculate 3, %1\n"
	"\tsend.switch_file\n"
	"\t%0 = intr speculation\n"
	"\t%1 = loadbuf.user.quoted %0, 7, 0 !b2\n"
	"\temitmem.out \"%d %#.*m %.4M\", %0, 7, %0, %0 !b2 @\"here\"\n"
	"\t%0 = tparg.3.u8\n"
	"\t%0 = arg.1\n"
	"\t%0 = retval\n\t%0 = frame\n"
	"\tbr %0, b1, b2\n"
	"b1:\n"
	"\tjmp b3\n"
	"b2:\n"
	"\t%1 = errmsg\n"
	"\t%0 = errkind\n"
	"\traise %1 !b3\n"
	"\tfail.OVERFLOW_SIZED %0 !b3\n"
	"\tfail.EMPTY !b3 @\"loc\"\n"
	"\tdone\n"
	"b3:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"handler @probe_1 {\n"
	"b0:\n"
	"\tdone\n"
	"}\n";

START_TEST(everything_comes_back)
{
	ck_assert_str_eq(text_of(must_parse(everything)), everything);
}
END_TEST

START_TEST(comments_and_blanks_are_free)
{
	struct ir_module *m = must_parse(
		"; a comment\nmodule \"m\" ; here too\n\n  probe   begin @h   name \"begin\"\n"
		"handler @h {\n b0: ; first\n  done ; last\n}\n");

	ck_assert_str_eq(
		text_of(m),
		"module \"m\"\nprobe begin @h name \"begin\"\n\nhandler @h {\nb0:\n\tdone\n}\n");
}
END_TEST

START_TEST(equal_formats_are_one)
{
	struct ir_module *m =
		must_parse(HANDLER("b0:\n emit.out \"%d\\n\", 1\n emit.out \"%d\\n\", 2\n"
				   " emit.out \"%s\\n\", \"x\"\n done\n"));

	ck_assert_uint_eq(m->fmts.n, 2);
}
END_TEST

START_TEST(strings_are_stored_once)
{
	struct ir_module *m = ir_module_new(&arena);

	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(ir_string(m, arena_printf(&arena, "s%d", i)), (uint32_t)i + 1);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(ir_string(m, arena_printf(&arena, "s%d", i)), (uint32_t)i + 1);
	ck_assert_uint_eq(ir_string(m, ""), 0);
}
END_TEST

START_TEST(broken_modules_still_print)
{
	struct ir_module *m = ir_module_new(&arena);
	struct ir_func *f = ir_func_new(m, "h", true, NULL);
	struct ir_val v[] = { ir_reg(99), ir_strval(99) };
	struct ir_insn *i;

	ir_new_block(m, f);
	for (int op = 0; op < IR_OP_COUNT; op++) {
		i = ir_add(m, f, 0, op, 77, v, 2);
		i->ref = 1234;
		i->imm = UINT32_MAX;
		i->loc = i->aux = 5555;
		i->succ[0] = 42;
	}
	ck_assert_ptr_nonnull(strstr(text_of(m), "%77 = call"));
	ck_assert_ptr_nonnull(ir_verify(m));
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "module \"m\"\nnonsense\n", "line 2: unexpected \"nonsense\"" },
	{ "module \"m\"\nprobe begin @h name \"b\"\n", "line 2: there is no function h" },
	{ "limit MAXFOO 3\n", "line 1: bad limit MAXFOO" },
	{ "limit MAXNESTING 1001\n", "line 1: bad limit MAXNESTING" },
	{ "global @g float\n", "line 1: expected void, long or string" },
	{ HANDLER("b0:\n frob\n"), "line 5: no operation frob" },
	{ HANDLER(" regs long %1\n"), "line 4: expected %0" },
	{ HANDLER("b1:\n"), "line 4: expected b0" },
	{ HANDLER("b0:\n %0 = mov 1\n"), "line 5: there is no %0" },
	{ HANDLER("b0:\n gset @g, 1\n"), "line 5: there is no global g" },
	{ HANDLER("b0:\n done extra\n"), "line 5: expected a number before \"extra\"" },
	{ HANDLER("b0:\n emit.out \"%d\n"), "line 5: expected \" before \"\"" },
	{ HANDLER("b0:\n emit.out \"%q\"\n"), "line 5: malformed format \"%q\"" },
	{ HANDLER("b0:\n emit.none \"x\"\n"), "line 5: no stream none" },
	{ HANDLER("b0:\n emit.out \"\\q\"\n"), "line 5: bad escape in a string" },
	{ HANDLER("b0:\n intr frob\n"), "line 5: no intrinsic frob" },
	{ "handler @h {\nb0:\n done\n", "line 3: the last function has no end" },
};

START_TEST(bad_text_names_its_line)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *err = NULL;

		ck_assert_msg(!ir_parse(&arena, bad[i].text, &err), "parses: %s", bad[i].text);
		ck_assert_str_eq(err, bad[i].message);
	}
}
END_TEST

/* No cut or changed byte may do worse than be refused. */
START_TEST(damaged_text_is_survived)
{
	size_t len = strlen(everything);
	char *copy = arena_strdup(&arena, everything);
	const char *err;

	for (size_t i = 0; i < len; i++) {
		struct ir_module *m;

		copy[i] = "%@#[\"b9~"[i % 8];
		m = ir_parse(&arena, copy, &err);
		if (m)
			ir_verify(m);
		copy[i] = 0;
		ir_parse(&arena, copy, &err);
		copy[i] = everything[i];
	}
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ everything_comes_back },      { comments_and_blanks_are_free },
		{ equal_formats_are_one },      { strings_are_stored_once },
		{ broken_modules_still_print }, { bad_text_names_its_line },
		{ damaged_text_is_survived },
	};

	return RUN_TESTS("ir_text", tests);
}
