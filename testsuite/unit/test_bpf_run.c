/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers in the kernel against the interpreter: the same IR must send the same records. The
 * programs are loaded and run by the kernel's test facility, so nothing of the system is traced.
 * Where eBPF is not allowed only the object is checked.
 */
#include "ir_test.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

#include "backend.h"
#include "runtime-bpf/runner.h"

static struct run run;

int run_watch(struct run *r, int fd)
{
	(void)r;
	(void)fd;
	return 0;
}

void run_record(struct run *r, const struct rec *rec)
{
	take_record(r->ir, rec);
}

/* The module's begin probes as programs of a tracepoint. */
static struct ir_module *kernel_module(const char *text, struct buf *object)
{
	struct session s = { .tmp_dir = "/tmp" };
	struct artifact out = { 0 };
	struct ir_module *m = must_parse(text);

	arena_init(&s.arena);
	diag_init(&s.diag, &s.arena);
	for (uint32_t p = 0; p < m->probes.n; p++) {
		m->probes.v[p]->kind = AT_TRACEPOINT;
		m->probes.v[p]->target = "sys_enter";
	}
	ir_locks(m);
	backend_bpf.prepare(&s, m);
	ck_assert_ptr_null(ir_verify(m));
	buf_init(&out.code);
	if (backend_bpf.translate(&s, m, &out)) {
		diag_flush(&s.diag, stderr);
		ck_abort_msg("not translated");
	}
	*object = out.code;
	arena_fini(&s.arena);
	return m;
}

static void must(int r)
{
	if (r)
		diag_flush(&run.diag, stderr);
	ck_assert_int_eq(r, 0);
}

static void run_programs(struct bpf_run *b)
{
	for (uint32_t p = 0; p < run.ir->probes.n; p++) {
		const char *name = arena_printf(&arena, "probe_%u", p);
		struct bpf_program *prog = bpf_object__find_program_by_name(b->obj, name);
		uint64_t args[8] = { 0 };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

		ck_assert_ptr_nonnull(prog);
		ck_assert_int_eq(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	}
}

static bool allowed(void)
{
	struct session s = { 0 };

	return !backend_bpf.unusable(&s);
}

/* What the handlers print in the kernel; NULL where that is not allowed. */
static const char *run_in_kernel(const char *text)
{
	char path[] = "/tmp/test_bpf_run-XXXXXX";
	struct run_counts counts;
	struct buf object;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	run = (struct run){ .opt.object = path, .ops = &runner_bpf, .epoll_fd = -1 };
	run.opt.target = 77;
	arena_init(&run.arena);
	diag_init(&run.diag, &run.arena);
	run.ir = kernel_module(text, &object);
	ck_assert_int_eq(buf_write_file(&object, path), 0);
	buf_fini(&object);
	buf_reset(&printed);
	if (allowed()) {
		must(runner_bpf.load(&run));
		run_programs(run.priv);
		must(runner_bpf.read(&run));
		runner_bpf.counts(&run, &counts);
		ck_assert_uint_eq(counts.lost + counts.skipped + counts.nested, 0);
		runner_bpf.unload(&run);
	}
	unlink(path);
	arena_fini(&run.arena);
	return allowed() ? printed.p : NULL;
}

static void same(const char *text)
{
	const char *want = arena_strdup(&arena, run_text(text)), *got = run_in_kernel(text);

	if (got)
		ck_assert_str_eq(got, want);
}

/* Globals that no pass can know the values of, and the head of a handler that reads them. */
static const char head[] =
	"module \"t\"\n"
	"global @n long = 7\nglobal @m long = -3\n"
	"global @t string = \"abcdefgh\"\nglobal @u string = \"  0x1fabcdefgi\"\n"
	"global @a long[long] size 3\nglobal @s string[string,long] size 8 sized\n"
	"global @st stats\nglobal @sa stats[string] size 4\n"
	"global @w long[long] size 3 wrap\n"
	"func @fib (long %0) long {\nregs long %1, long %2\nb0:\n%1 = lt %0, 2\nbr %1, b1, b2\n"
	"b1:\nret %0\nb2:\n%1 = sub %0, 1\n%1 = call @fib, %1 !b3\n%2 = sub %0, 2\n"
	"%2 = call @fib, %2 !b3\n%1 = add %1, %2\nret %1\nb3:\nabort\n}\n"
	"func @down (string %0, long %1) string {\nregs string %2, long %3\nb0:\n"
	"%3 = eq %1, 0\nbr %3, b1, b2\nb1:\nraise \"bottom\" !b3 @\"there\"\njmp b3\nb2:\n"
	"%3 = sub %1, 1\n%2 = call @down, %0, %3 !b3\n%2 = scat %2, %0\nret %2\nb3:\nabort\n}\n"
	"probe begin @h name \"begin\"\nhandler @h {\n"
	"regs long %0, long %1, long %2, string %3, string %4, string %5, long %6\niter #0 @a\n"
	"iter #1 @s down key 1\n"
	"iter #2 @sa up sum\nb0:\n%0 = gget @n\n%1 = gget @m\n%3 = gget @t\n%4 = gget @u\njmp b2\n"
	"b1:\nabort\nb2:\n";

/* b1 is where errors go when a case does not say otherwise; its own blocks start at b3. */
static void same_body(const char *body)
{
	struct buf b;

	buf_init(&b);
	buf_puts(&b, head);
	buf_puts(&b, body);
	buf_puts(&b, "done\n}\n");
	same(b.p);
	buf_fini(&b);
}

static const char *const long_values[] = {
	"0",          "1",          "-1", "63", "65", "9223372036854775807", "-9223372036854775808",
	"4294967296", "-4294967297"
};
#define NLONG (sizeof(long_values) / sizeof(*long_values))

START_TEST(integers)
{
	static const char *const ops[] = { "add", "sub", "mul", "div", "mod",  "and",
					   "or",  "xor", "shl", "shr", "ushr", "eq",
					   "ne",  "lt",  "le",  "gt",  "ge" };
	struct buf b;

	buf_init(&b);
	for (size_t k = 0; k < sizeof(ops) / sizeof(*ops); k++) {
		bool fails = !strcmp(ops[k], "div") || !strcmp(ops[k], "mod");

		for (size_t v = fails; v < NLONG; v++)
			buf_printf(&b,
				   "gset @n, %s\n%%0 = gget @n\n%%2 = %s %%1, %%0%s\n"
				   "emit.out \"%%d \", %%2\n"
				   "%%2 = %s %%0, %%1%s\nemit.out \"%%d \", %%2\n",
				   long_values[v], ops[k], fails ? " !b1" : "", ops[k],
				   fails ? " !b1" : "");
	}
	buf_puts(&b, "%2 = neg %0\n%6 = com %1\nemit.out \"%d %d\", %2, %6\n");
	same_body(b.p);
	buf_fini(&b);
	same_body("%2 = sub %0, 7\n%0 = div %1, %2 !b1 @\"here\"\nemit.out \"no\"\n");
}
END_TEST

START_TEST(strings)
{
	same_body("%5 = scat %3, %4\n%2 = scmp %3, %4\n%6 = scmp %4, %3\n"
		  "emit.out \"%s %d %d\", %5, %2, %6\n"
		  "%3 = scat \"x\", %3\n%3 = scat %3, %3\n%2 = seq %3, %3\n"
		  "emit.out \"%s %d\", %3, %2\n"
		  "%5 = intr substr, %4, 2, %0\n%2 = intr strlen, %4\nemit.out \"%s %d\", %5, %2\n"
		  "%5 = intr substr, %4, %1, 3\n%2 = intr isinstr, %4, \"fab\"\n"
		  "emit.out \"%s|%d\", %5, %2\n"
		  "%2 = intr strtol, %4, 0\n%6 = intr strtol, %4, 10\nemit.out \"%d %d\", %2, %6\n"
		  "%2 = intr target\nemit.out \"%d\", %2\n%5 = intr pp\nemit.out \"%s\", %5\n");
}
END_TEST

START_TEST(cut_strings)
{
	same_body("jmp b3\nb3:\n%3 = scat %3, %4\n%2 = intr strlen, %3\n%0 = sub %0, 0\n"
		  "emit.out \"%d \", %2\n"
		  "%6 = lt %2, 511\nbr %6, b3, b4\nb4:\n%5 = sfmt \"%600d\", %0\n"
		  "%2 = intr strlen, %5\n"
		  "emit.out \"%d %s\", %2, %3\n");
}
END_TEST

static void try_pattern(struct buf *b, const char *pattern, const char *string)
{
	buf_printf(b,
		   "gset @t, \"%s\"\n%%3 = gget @t\n%%2 = match \"%s\", %%3\n"
		   "%%6 = capture \"%s\", %%3\nemit.out \"%%d%%d \", %%2, %%6\n"
		   "%%2 = intr ngroups\nemit.out \"%%d\", %%2\n",
		   string, pattern, pattern);
	for (int g = 0; g < 4; g++)
		buf_printf(b, "%%5 = intr matched, %d\nemit.out \"(%%s)\", %%5\n", g);
	buf_puts(b, "%5 = intr matched, %1\nemit.out \"[%s]\\n\", %5\n");
}

/* As many groups as there may be, all marks in both halves of a word. */
static const char *many_groups(void)
{
	const char *p = "";

	for (int k = 1; k < REGEX_MAXGROUPS; k++)
		p = arena_printf(&arena, "%s(%c?)", p, 'a' + k % 3);
	return arena_printf(&arena, "%s$", p);
}

START_TEST(regular_expressions)
{
	static const char *const strings[] = { "", "a", "abcabc", "xaabbbccx", "b,c/17/aac",
					       "\\377\\200 0123456789 0123456789 0123456789 abc" };
	const char *const patterns[] = {
		"b", "^a", "c$", "", "^$", "(a|ab|abc)(.*)", "(a*)(b+|,)(c?)", "((a)|(b)|c)+",
		"([a-c]+)/([0-9]+)/", "x(.{3})", "[^a]*(a|$)", "(9 ?0?)+", "\\\\.|[\\200-\\377]", "^a^",
		"(abc){2}", "((a|b)*c){2,}", many_groups(),
	};

	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		struct buf b;

		buf_init(&b);
		for (size_t s = 0; s < sizeof(strings) / sizeof(strings[0]); s++)
			try_pattern(&b, patterns[p], strings[s]);
		same_body(b.p);
		buf_fini(&b);
	}
}
END_TEST

START_TEST(formats)
{
	static const char *const ints[] = { "%d",  "%5d",  "%-5d|", "%05d",    "%+d",
					    "% d", "%x",   "%#X",   "%o",      "%#o",
					    "%p",  "%.4d", "%8.4d", "%-8.4d|", "%c",
					    "%#c", "%5c",  "%u",    "%i",      "%#x" };
	static const char *const strs[] = { "%s",     "%20s", "%-20s|", "%.3s",
					    "%20.3s", "%#s",  "%#30s",  "%#.4s" };
	struct buf b;

	buf_init(&b);
	for (size_t v = 0; v < NLONG; v++) {
		buf_printf(&b, "gset @n, %s\n%%0 = gget @n\n", long_values[v]);
		for (size_t k = 0; k < sizeof(ints) / sizeof(*ints); k++)
			buf_printf(&b, "%%5 = sfmt \"<%s>\", %%0\nemit.out \"%%s\", %%5\n",
				   ints[k]);
	}
	for (size_t k = 0; k < sizeof(strs) / sizeof(*strs); k++)
		buf_printf(&b, "%%3 = sfmt \"<%s>\", %%4\nemit.out \"%%s\", %%3\n", strs[k]);
	buf_puts(&b, "%5 = sfmt \"%*d|%-*d|%.*d\", %1, 5, 9, 6, 4, 7\nemit.out \"%s\", %5\n");
	same_body(b.p);
	buf_fini(&b);
}
END_TEST

START_TEST(arrays)
{
	same_body(
		"mset @a [1], 10 !b1\n%2 = madd @a [1], %0 !b1\n%6 = mget @a [%0]\n"
		"emit.out \"%d %d\", %2, %6\n"
		"mset @s [%3, 1], \"v\" !b1\nmset @s [%3, 1], %4 !b1\n%5 = mget @s [%3, 1]\n"
		"%2 = mhas @s [%3, 2]\n"
		"emit.out \"%s %d\", %5, %2\nmdel @s [%3, 1]\n%2 = mhas @s [%3, 1]\n"
		"emit.out \"%d\", %2\n"
		"mset @a [2], 20 !b1\nmset @a [3], 30 !b1\nmclear @a\n%2 = mget @a [2]\n"
		"emit.out \"%d\", %2\n"
		"mset @w [1], 1 !b1\nmset @w [2], 2 !b1\nmset @w [1], 11 !b1\nmset @w [3], 3 !b1\n"
		"mset @w [4], 4 !b1\n%2 = mget @w [1]\n%6 = mget @w [4]\n"
		"emit.out \"%d %d\", %2, %6\n"
		"mset @a [1], 1 !b1\nmset @a [2], 1 !b1\nmset @a [3], 1 !b1\n"
		"mset @a [4], 1 !b1 @\"full\"\n");
}
END_TEST

START_TEST(statistics)
{
	same_body(
		"%2 = sget.count @st !b1\nemit.out \"%d\", %2\nsadd @st, %0 !b1\nsadd @st, %1 !b1\n"
		"sadd @st, -100 !b1\n"
		"%2 = sget.sum @st !b1\n%6 = sget.avg @st !b1\nemit.out \"%d %d\", %2, %6\n"
		"%2 = sget.min @st !b1\n%6 = sget.max @st !b1\nemit.out \"%d %d\", %2, %6\n"
		"sadd @sa [%3], %0 !b1\nsadd @sa [%3], 1 !b1\n%2 = sget.count @sa [%3] !b1\n"
		"%6 = sget.sum @sa [%4] !b1\n"
		"emit.out \"%d %d\", %2, %6\nmclear @st\n%2 = sget.count @st !b1\n"
		"emit.out \"%d\", %2\n"
		"%2 = sget.min @st !b1 @\"empty\"\n");
}
END_TEST

START_TEST(loops_and_recursion)
{
	same_body(
		"%2 = mov 0\njmp b3\nb3:\n%2 = add %2, %0\nemit.out \"%d \", %2\n%6 = lt %2, 50\n"
		"br %6, b3, b4\n"
		"b4:\n%2 = call @fib, %0 !b1\nemit.out \"%d %s\", %2, %3\n"
		"%5 = call @down, %3, 3 !b5\nemit.out \"no\"\njmp b5\nb5:\n%5 = errmsg\nerrclear\n"
		"emit.out \"%s %s\", %5, %3\n%5 = call @down, %3, 100 !b1 @\"deep\"\n");
}
END_TEST

START_TEST(foreach)
{
	same_body(
		"mset @a [3], 30 !b1\nmset @a [1], 10 !b1\nmset @a [2], 20 !b1\n"
		"it_begin #0, -1 !b1\njmp b3\nb3:\n"
		"%2 = it_next #0\nbr %2, b4, b5\nb4:\n%2 = it_key.0 #0\n%6 = it_val #0\nmclear @a\n"
		"emit.out \"%d=%d \", %2, %6\njmp b3\nb5:\nit_end #0\n"
		"mset @s [\"b\", 1], \"x\" !b1\nmset @s [\"a\", 2], \"y\" !b1\n"
		"mset @s [\"b\", 3], \"z\" !b1\n"
		"it_begin #1, 2 !b1\njmp b6\nb6:\n%2 = it_next #1\nbr %2, b7, b8\nb7:\n"
		"%5 = it_key.0 #1\n"
		"%2 = it_key.1 #1\n%3 = it_val #1\nemit.out \"%s,%d=%s \", %5, %2, %3\njmp b6\n"
		"b8:\nit_end #1\n"
		"sadd @sa [\"q\"], 5 !b1\nsadd @sa [\"p\"], -5 !b1\nit_begin #2, -1 !b1\njmp b9\n"
		"b9:\n"
		"%2 = it_next #2\nbr %2, b10, b11\nb10:\n%5 = it_key.0 #2\n"
		"%2 = it_stat.sum #2 !b1\n"
		"emit.out \"%s:%d \", %5, %2\njmp b9\nb11:\nit_end #2\n");
}
END_TEST

START_TEST(errors_end_the_handler)
{
	same_body("raise %3 !b1 @\"here\"\n");
	same_body("fail.OVERFLOW_SIZED %0 !b1 @\"here\"\n");
	same_body("%2 = errkind\nemit.out \"%d \", %2\nfail.EMPTY !b3\njmp b3\nb3:\n%2 = errkind\n%5 = errmsg\n"
		  "emit.out \"%d %s\", %2, %5\nerrclear\nfail.DIV0 !b1\n");
	same_body("%2 = load.kernel.u4 %0 !b1\nemit.out \"no\"\n");
	same_body("emitmem.out \"no %d %.*m\", %0, 3, %0 !b1 @\"here\"\n");
	same_body("%5 = loadbuf.kernel.quoted %0, 9, 0 !b1\nemit.out \"no\"\n");
	same_body("jmp b3\nb3:\naction.2 !b1 @\"loop\"\nbr %0, b3, b4\nb4:\n");
}
END_TEST

START_TEST(exit_ends_the_session)
{
	same_body("intr exit\nemit.out \"still %d\", %0\n");
}
END_TEST

/* What other tools read. */
START_TEST(object_is_well_formed)
{
	struct buf b, object;
	struct btf *btf;
	struct bpf_object *obj;

	buf_init(&b);
	buf_puts(&b, head);
	buf_puts(&b, "%2 = madd @a [1], 1 !b1\nsadd @st, 1 !b1\ndone\n}\n");
	kernel_module(b.p, &object);
	obj = bpf_object__open_mem(object.p, object.len, NULL);
	ck_assert_ptr_nonnull(obj);
	btf = bpf_object__btf(obj);
	ck_assert_ptr_nonnull(btf);
	ck_assert_int_gt(btf__find_by_name_kind(btf, "s_key", BTF_KIND_STRUCT), 0);
	ck_assert_int_gt(btf__find_by_name_kind(btf, "probe_0", BTF_KIND_FUNC), 0);
	ck_assert_ptr_nonnull(bpf_object__find_map_by_name(obj, "a"));
	ck_assert_uint_eq(bpf_map__max_entries(bpf_object__find_map_by_name(obj, "a")), 3);
	bpf_object__close(obj);
	buf_fini(&object);
	buf_fini(&b);
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ integers },
		{ strings },
		{ cut_strings },
		{ regular_expressions },
		{ formats },
		{ arrays },
		{ statistics },
		{ loops_and_recursion },
		{ foreach },
		{ errors_end_the_handler },
		{ exit_ends_the_session },
		{ object_is_well_formed },
	};

	return RUN_TESTS("bpf_run", tests);
}
