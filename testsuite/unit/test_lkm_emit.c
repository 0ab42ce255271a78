/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C of a module: the compiler takes it with nothing but abi.h, and it says what the runtime
 * relies on.
 */
#include <unistd.h>

#include "ir_test.h"
#include "lkm/emit.h"

/* Every operation, strings with all that C would mistake, names that would end a comment. */
static const char everything[] =
	"module \"stap_1\" recursive\n"
	"limit MAXSTRINGLEN 64\n"
	"limit MAXNESTING 7\n"
	"global @n long = -9223372036854775808\n"
	"global @s string = \"a\\\"b\\n\\001?\"\n"
	"global @m long[string,long] size 2048 wrap\n"
	"global @t string[long] size 5 sized\n"
	"global @st stats[long] size 10 ops count,avg,min\n"
	"global @sc stats ops sum\n"
	"probe end @probe_0 name \"end\" seq 5\n"
	"probe begin @probe_1 name \"begin\" seq 3\n"
	"probe tracepoint @probe_2 name \"a */ \\\"b\\\"\" target \"sched_switch\" read @m\n"
	"probe begin @probe_1 name \"begin\" seq -1\n"
	"probe uprobe @probe_3 name \"p\" target \"/bin/x\" offset 4660 optional filter\n"
	"\n"
	"func @rec (long %0 n, string %1 text) string {\n"
	"    regs string %2, long %3\n"
	"b0:\n"
	"\taction.1 !b1\n"
	"\t%1 = scat %1, \"x\"\n"
	"\t%2 = call @rec, %0, %1 !b1 @\"here\"\n"
	"\tret %2\n"
	"b1:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"func @unused () void {\n"
	"b0:\n"
	"\tret\n"
	"}\n"
	"\n"
	"func @loop () long {\n"
	"    regs long %0\n"
	"    iter #0 @m down key 2\n"
	"b0:\n"
	"\tit_begin #0, -1 !b1\n"
	"\t%0 = it_next #0\n"
	"\tret %0\n"
	"b1:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"handler @probe_0 {\n"
	"    regs long %0, string %1, long %2\n"
	"    iter #0 @st up avg\n"
	"    iter #1 @t\n"
	"b0:\n"
	"\t%0 = mov -9223372036854775808\n"
	"\t%0 = add %0, -1\n\t%0 = sub %0, -1\n\t%0 = mul %0, %0\n\t%0 = div %0, -1 !b2\n"
	"\t%0 = mod %0, 0 !b2\n\t%0 = and %0, 1\n\t%0 = or %0, 1\n\t%0 = xor %0, 1\n"
	"\t%0 = shl %0, 65\n\t%0 = shr %0, 65\n\t%0 = ushr %0, %0\n\t%0 = neg %0\n\t%0 = com %0\n"
	"\t%0 = eq %0, 1\n\t%0 = ne %0, 1\n\t%0 = lt %0, 1\n\t%0 = le %0, 1\n\t%0 = gt %0, 1\n\t%0 = ge %0, 1\n"
	"\t%1 = smov \"%d \\\\ \\377 \\t\"\n\t%1 = scat \"a\", %1\n\t%0 = scmp %1, \"b\"\n\t%0 = seq %1, %1\n"
	"\t%0 = match \"a|b+$\", %1\n\t%0 = capture \"(a|b)+$\", %1\n\t%0 = intr ngroups\n"
	"\t%1 = intr matched, %0\n"
	"\t%0 = gget @n\n\t%1 = gget @s\n\tgset @n, %0\n\tgset @s, %1\n"
	"\t%0 = mget @m [%1, 1]\n\t%1 = mget @t [%0]\n\tmset @m [\"x\", 1], 2 !b2\n\tmset @t [1], %1 !b2\n"
	"\t%0 = madd @m [\"x\", %0], 2 !b2\n\t%0 = mhas @m [\"x\", 1]\n\tmdel @t [%0]\n\tmclear @m\n\tmclear @sc\n"
	"\tsadd @st [3], 4 !b2\n\tsadd @sc, 4 !b2\n\t%0 = sget.avg @st [3] !b2\n\t%0 = sget.sum @sc !b2\n"
	"\tit_begin #0, 3 !b2\n\t%0 = it_next #0\n\t%0 = it_key.0 #0\n\t%0 = it_stat.max #0 !b2\n\tit_end #0\n"
	"\tit_begin #1, -1 !b2\n\t%1 = it_val #1\n\tit_end #1\n"
	"\t%1 = call @rec, 1, \"y\" !b2\n\tcall @rec, %0, %1 !b2\n\t%0 = call @loop !b2\n"
	"\t%0 = intr pid\n\t%1 = intr substr, %1, 1, %0\n\tintr exit\n\t%0 = intr strtol, \"7\", 0\n"
	"\temit.out \"%d %s\\n\", %0, %1\n\temit.warn \"plain\"\n"
	"\t%1 = sfmt \"%-*d|%.*s|100%%\", 4, %0, 2, %1\n"
	"\t%1 = errmsg\n\t%0 = errkind\n\terrclear\n\taction.3 !b2\n"
	"\t%0 = arg.1\n\t%0 = retval\n\t%0 = frame\n"
	"\tbr %0, b1, b2\n"
	"b1:\n"
	"\traise %1 !b2 @\"loc\"\n"
	"\tfail.OVERFLOW_SIZED %0 !b2\n"
	"\tfail.EMPTY !b2 @\"loc\"\n"
	"\tjmp b2\n"
	"b2:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"handler @probe_1 {\n"
	"b0:\n"
	"\tdone\n"
	"}\n"
	"\n"
	"handler @probe_2 {\n"
	"    regs long %0, string %1\n"
	"b0:\n"
	"\t%0 = tparg.2.s4\n"
	"\t%0 = load.kernel.u8 %0 !b1\n"
	"\t%1 = loadstr.user.u1 %0, 5 !b1\n"
	"\tsend.printk 3, %1\n"
	"\tsend.switch_file\n"
	"\t%1 = loadbuf.kernel.hex %0, 3, 0 !b1\n"
	"\temitmem.out \"%s %.*m %#.4M\", %1, 7, %0, %0 !b1\n"
	"\t%0 = call @loop !b1\n"
	"\tdone\n"
	"b1:\n"
	"\tabort\n"
	"}\n"
	"\n"
	"handler @probe_3 {\n"
	"b0:\n"
	"\tdone\n"
	"}\n";

static struct diag diag;

static const char *emitted(const struct ir_module *m, int expected)
{
	const char *text;
	struct buf b;

	diag_init(&diag, &arena);
	buf_init(&b);
	ck_assert_int_eq(lkm_emit(&b, m, "image.img", &diag), expected);
	text = arena_strndup(&arena, b.p, b.len);
	buf_fini(&b);
	return text;
}

static const char *runtime_dir(void)
{
	const char *dir = getenv("SPILE_RUNTIME_DIR");

	return dir ? dir : "runtime";
}

/* Whether gcc takes it with these options; the output of the compiler goes to the test's. */
static bool gcc_takes(const char *code, const char *options)
{
	char dir[] = "/tmp/spile-emit-XXXXXX";
	const char *c, *cmd;
	struct buf b;
	bool ok;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	buf_init(&b);
	buf_puts(&b, code);
	c = arena_printf(&arena, "%s/script.c", dir);
	ck_assert_int_eq(buf_write_file(&b, c), 0);
	buf_fini(&b);
	cmd = arena_printf(&arena, "gcc -std=gnu11 %s -nostdinc -I%s %s", options, runtime_dir(),
			   c);
	ok = system(cmd) == 0;
	unlink(c);
	rmdir(dir);
	return ok;
}

START_TEST(compiles)
{
	ck_assert(gcc_takes(emitted(must_parse(everything), 0),
			    "-fsyntax-only -Wall -Wextra -Werror -Wno-unused-label "
			    "-Wno-missing-field-initializers -Wno-unused-but-set-variable "
			    "-Wno-unused-parameter -Wno-div-by-zero -Wno-unused-variable"));
}
END_TEST

/* Registers of every number; and a long handler takes no more of the kernel's stack than a short one. */
START_TEST(long_handler)
{
	struct buf b;

	buf_init(&b);
	buf_puts(&b, "module \"m\"\nglobal @m long[long,long] size 9\n"
		     "probe begin @probe_0 name \"begin\"\nhandler @probe_0 {\n    regs long %0");
	for (int r = 1; r < 70; r++)
		buf_printf(&b, ", string %%%d", r);
	buf_puts(&b, "\nb0:\n\t%0 = intr pid\n");
	for (int r = 1; r < 70; r++)
		buf_printf(&b,
			   "\t%%%d = intr execname\n\temit.out \"%%d %%s %%d\\n\", %%0, %%%d, %d\n"
			   "\tmset @m [%%0, %d], %%0 !b1\n",
			   r, r, r, r);
	buf_puts(&b, "\tdone\nb1:\n\tabort\n}\n");
	ck_assert(gcc_takes(arena_printf(&arena, "%s\n", emitted(must_parse(b.p), 0)),
			    "-O1 -c -o /dev/null -Werror=frame-larger-than=400 "
			    "-Dasm=_Static_assert_off -D_Static_assert_off\\(x\\)="));
	buf_fini(&b);
}
END_TEST

/* Hundreds of numbers wanted at once are not on the kernel's stack. */
START_TEST(many_numbers)
{
	struct buf b;

	buf_init(&b);
	buf_puts(&b, "module \"m\"\nprobe begin @probe_0 name \"begin\"\nhandler @probe_0 {\n"
		     "    regs string %0, long %1");
	for (int r = 2; r < 600; r++)
		buf_printf(&b, ", long %%%d", r);
	buf_puts(&b, "\nb0:\n\t%0 = intr execname\n");
	for (int r = 1; r < 600; r++)
		buf_printf(&b, "\t%%%d = intr pid\n", r);
	for (int r = 2; r < 600; r++)
		buf_printf(&b, "\t%%1 = add %%1, %%%d\n", r);
	buf_puts(&b, "\temit.out \"%s %d\", %0, %1\n\tdone\n}\n");
	ck_assert(
		gcc_takes(arena_printf(&arena, "%s\n", emitted(must_parse(b.p), 0)),
			  "-O1 -c -o /dev/null -fno-strict-aliasing -Werror=frame-larger-than=400 "
			  "-Dasm=_Static_assert_off -D_Static_assert_off\\(x\\)="));
	buf_fini(&b);
}
END_TEST

START_TEST(tables)
{
	const char *c = emitted(must_parse(everything), 0);

	/* begin of sequence -1, begin of 3, then end of 5, as places in the table */
	ck_assert_ptr_nonnull(strstr(c, "session[] = { 3, 1, 0, 0 };"));
	/* the tracepoint's handler calls what iterates over m: it has m for itself */
	ck_assert_ptr_nonnull(strstr(c, "locks2[] = { { 2, 1 }, };"));
	/* arguments 0 to 2 are wanted */
	ck_assert_ptr_nonnull(strstr(c, "\"sched_switch\", NULL, 0ULL, 0ULL, 0LL, 0LL, 0, 3, 0, -1, f"));
	/* optional and filtered by target */
	ck_assert_ptr_nonnull(strstr(c, ", 3, 4, 0, NULL, \"p\", \"/bin/x\", NULL, 4660ULL"));
	/* recursion: MAXNESTING frames and the handler's, of one place of 64 bytes */
	ck_assert_ptr_nonnull(strstr(c, ".string_bytes = 512LL"));
	ck_assert_ptr_nonnull(strstr(c, "c->depth >= 7"));
	/* nothing of a function that no probe calls */
	ck_assert_ptr_null(strstr(c, "unused"));
}
END_TEST

START_TEST(long_literal_is_cut)
{
	char text[400] =
		"module \"m\"\nlimit MAXSTRINGLEN 16\nglobal @s string\nprobe begin @probe_0 name \"begin\"\n"
		"handler @probe_0 {\nb0:\n\tgset @s, \"0123456789abcdefghij\"\n\tdone\n}\n";
	const char *c = emitted(must_parse(text), 0);

	ck_assert_ptr_nonnull(strstr(c, "sp_str_copy(g0, \"0123456789abcde\")"));
}
END_TEST

START_TEST(too_many_values)
{
	struct ir_module *m = parse_only("module \"m\"\nprobe begin @probe_0 name \"begin\"\n"
					 "handler @probe_0 {\nb0:\n\tdone\n}\n");
	struct ir_val args[65];
	enum ir_type types[65];
	struct ir_insn *i;
	struct buf fmt;

	buf_init(&fmt);
	for (int k = 0; k < 65; k++) {
		args[k] = ir_num(k);
		types[k] = IR_I64;
		buf_puts(&fmt, "%d");
	}
	m->funcs.v[0]->blocks.v[0]->insns.n = 0;
	i = ir_add(m, m->funcs.v[0], 0, IR_emit, IR_NONE, args, 65);
	i->ref = ir_fmt_add(m, fmt.p, types, 65);
	ir_add(m, m->funcs.v[0], 0, IR_done, IR_NONE, NULL, 0);
	buf_fini(&fmt);
	emitted(m, -1);
	ck_assert_uint_eq(diag.errors, 1);
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ compiles }, { long_handler },        { many_numbers },
		{ tables },   { long_literal_is_cut }, { too_many_values },
	};

	return RUN_TESTS("lkm_emit", tests);
}
