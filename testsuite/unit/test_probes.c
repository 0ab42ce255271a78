/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probe points against families: the matcher, each family's numbers and names, and what is said of
 * bad points.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/probes.h"
#include "symbols/symbols.h"
#include "symbols/kernel.h"

static struct session session;
static struct probe_env env;
static site_vec sites;
static char dir[] = "/tmp/spile-probes-XXXXXX";

static void setup(void)
{
	memset(&session, 0, sizeof(session));
	memset(&sites, 0, sizeof(sites));
	arena_init(&session.arena);
	diag_init(&session.diag, &session.arena);
	session.release = "0.0.0-none";
	session.foreign_kernel = true; /* of which nothing is known: results depend on no machine */
	env = (struct probe_env){ .session = &session,
				  .arena = &session.arena,
				  .diag = &session.diag,
				  .symbols = symbols_new(&session) };
}

static void teardown(void)
{
	symbols_close(env.symbols);
	arena_fini(&session.arena);
}

/* A point from text such as timer.ms(5).randomize(2): all a test needs of the parser. */
static struct probe_point *point(const char *text)
{
	struct arena *a = &session.arena;
	struct probe_point *pp = arena_new(a, struct probe_point);
	struct source *src = source_new(a, "test.stp", text, strlen(text));
	const char *p = text;

	while (*p) {
		size_t n = strcspn(p, ".(");
		struct pp_component c = { .name = arena_strndup(a, p, n),
					  .at = { src, p - text, n } };
		const char *end;

		p += n;
		if (*p == '(') {
			end = strstr(p, p[1] == '"' ? "\")" : ")");
			ck_assert_ptr_nonnull(end);
			if (p[1] == '"') {
				c.arg = PP_STR;
				c.str = arena_strndup(a, p + 2, end - p - 2);
				end++;
			} else {
				c.arg = PP_NUM;
				c.num = strtoll(p + 1, NULL, 0);
			}
			c.arg_at = (struct span){ src, p + 1 - text, end - p - 1 };
			p = end + 1;
		}
		p += *p == '.';
		vec_push(a, &pp->comps, c);
	}
	return pp;
}

static enum probe_result resolve(const char *text)
{
	sites.n = 0;
	return probe_resolve(&env, point(text), false, &sites);
}

static const char *messages(void)
{
	static char text[4096];
	FILE *f = fmemopen(text, sizeof(text), "w");

	text[0] = 0;
	session.diag.color = COLOR_NEVER;
	diag_flush(&session.diag, f);
	fclose(f);
	return text;
}

static void expect_message(const char *part)
{
	const char *got = messages();

	ck_assert_msg(strstr(got, part), "no \"%s\" in:\n%s", part, got);
}

static const struct ir_probe *one(const char *text)
{
	enum probe_result r = resolve(text);

	ck_assert_msg(r == PROBE_OK, "%s: %d %s", text, r, messages());
	ck_assert_uint_eq(sites.n, 1);
	return &sites.v[0].probe;
}

START_TEST(session_points)
{
	static const struct {
		const char *text;
		enum ir_attach kind;
		int64_t seq;
	} t[] = {
		{ "begin", AT_BEGIN, 0 }, { "begin(-5)", AT_BEGIN, -5 },
		{ "end", AT_END, 0 },     { "end(7)", AT_END, 7 },
		{ "error", AT_ERROR, 0 }, { "error(1)", AT_ERROR, 1 },
		{ "never", AT_NEVER, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct ir_probe *p = one(t[i].text);

		ck_assert_int_eq(p->kind, t[i].kind);
		ck_assert_int_eq(p->seq, t[i].seq);
		ck_assert_str_eq(p->name, t[i].text);
	}
}
END_TEST

START_TEST(timers)
{
	static const struct {
		const char *text;
		int64_t period, random;
		bool jiffies;
	} t[] = {
		{ "timer.s(30)", 30000000000LL, 0, false },
		{ "timer.sec(1)", 1000000000, 0, false },
		{ "timer.ms(5).randomize(2)", 5000000, 2000000, false },
		{ "timer.msec(1)", 1000000, 0, false },
		{ "timer.us(3)", 3000, 0, false },
		{ "timer.usec(3).randomize(3)", 3000, 3000, false },
		{ "timer.ns(100000)", 100000, 0, false },
		{ "timer.nsec(9)", 9, 0, false },
		{ "timer.jiffies(4).randomize(1)", 4, 1, true },
		{ "timer.hz(100)", 10000000, 0, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct ir_probe *p = one(t[i].text);

		ck_assert_int_eq(p->kind, AT_TIMER);
		ck_assert_int_eq(p->period, t[i].period);
		ck_assert_int_eq(p->random, t[i].random);
		ck_assert_int_eq(p->jiffies, t[i].jiffies);
		ck_assert_str_eq(p->name, t[i].text);
	}
	ck_assert_int_eq(one("timer.profile")->kind, AT_PROFILE);
	ck_assert_int_eq(one("timer.profile.tick")->kind, AT_PROFILE);
}
END_TEST

START_TEST(timer_ranges)
{
	static const char *const bad[] = {
		"timer.s(0)",
		"timer.ms(-1)",
		"timer.s(9223372036)",
		"timer.ns(9223372036854775807)",
		"timer.ms(5).randomize(6)",
		"timer.ms(5).randomize(-1)",
		"timer.jiffies(0)",
		"timer.hz(0)",
		"timer.hz(1000000001)",
		"timer.jiffies(2).randomize(3)",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(resolve(bad[i]) == PROBE_BAD, "%s", bad[i]);
		ck_assert_uint_eq(sites.n, 0);
		expect_message("error[E-PROBE-ARG]");
	}
	/* bad numbers are told even where a missing point would be forgiven */
	ck_assert_int_eq(probe_resolve(&env, point("timer.s(0)"), true, &sites), PROBE_BAD);
	expect_message("must be from 1 to");
}
END_TEST

START_TEST(argument_kinds)
{
	ck_assert_int_eq(resolve("timer.ms(\"5\")"), PROBE_BAD);
	expect_message("\"ms\" takes a number here, not a string");
	ck_assert_int_eq(resolve("timer.ms"), PROBE_BAD);
	expect_message("write timer.ms(NUMBER)");
	ck_assert_int_eq(resolve("kernel.trace(5)"), PROBE_BAD);
	expect_message("write kernel.trace(\"...\")");
	ck_assert_int_eq(resolve("begin(\"x\")"), PROBE_BAD);
	expect_message("write begin(NUMBER)");
	ck_assert_int_eq(resolve("kprobe(\"x\").function(\"y\")"), PROBE_BAD);
	expect_message("\"kprobe\" takes no argument here, not a string");
	ck_assert_int_eq(resolve("process.function(\"y\")"), PROBE_NOMATCH);
	expect_message("name the program: process(\"PATH\")");
}
END_TEST

START_TEST(unknown_points)
{
	static const struct {
		const char *text, *message;
	} t[] = {
		{ "begn", "did you mean begin?" },
		{ "timer.mss(5)", "did you mean timer.ms(NUMBER)?" },
		{ "kprobe.functoin(\"x\")", "did you mean kprobe.function(\"...\")?" },
		{ "kernel.trcae(\"x\")", "did you mean kernel.trace(\"...\")?" },
		{ "kernel", "probe point \"kernel\" is incomplete" },
		{ "kernel", "there are kernel.trace(\"...\")" },
		{ "timer.fortnight(1)", "there are timer.s(NUMBER)" },
		{ "begin.more", "no probe point \"begin.more\" is known" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_int_eq(resolve(t[i].text), PROBE_UNKNOWN);
		ck_assert_str_eq(messages(), "");
		probe_report_unknown(&env, point(t[i].text), NULL);
		expect_message(t[i].message);
	}
}
END_TEST

START_TEST(unknown_underlines_what_does_not_fit)
{
	probe_report_unknown(&env, point("timer.mss(5)"), NULL);
	expect_message("test.stp:1:7\n");
}
END_TEST

START_TEST(unknown_prefers_a_nearer_alias)
{
	struct near_match aliases;

	near_init(&aliases, "syscall.opn");
	near_try(&aliases, "syscall.open");
	probe_report_unknown(&env, point("syscall.opn"), near_best(&aliases));
	expect_message("did you mean syscall.open?");
}
END_TEST

START_TEST(kprobes)
{
	const struct ir_probe *p = one("kprobe.function(\"vfs_read\")");
	const struct probe_var *v;

	ck_assert_int_eq(p->kind, AT_KPROBE);
	ck_assert_str_eq(p->target, "vfs_read");
	v = sites.v[0].family->var(&env, &sites.v[0], "$arg2");
	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(v->kind, PV_ARG);
	ck_assert_uint_eq(v->n, 2);
	ck_assert_uint_eq(v->width, 8);
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$arg7"));
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$arg0"));
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$return"));
	p = one("kprobe.function(\"vfs_read\").return.maxactive(9)");
	ck_assert_int_eq(p->kind, AT_KRETPROBE);
	ck_assert_uint_eq(p->maxactive, 9);
	ck_assert_str_eq(p->name, "kprobe.function(\"vfs_read\").return.maxactive(9)");
	ck_assert_int_eq(sites.v[0].family->var(&env, &sites.v[0], "$return")->kind, PV_RETVAL);
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$arg1"));
	ck_assert_int_eq(one("kprobe.function(\"vfs_read\").call")->kind, AT_KPROBE);
	ck_assert_int_eq(resolve("kprobe.function(\"x\").return.maxactive(0)"), PROBE_BAD);
	expect_message("E-PROBE-ARG");
	ck_assert_int_eq(resolve("kprobe.function(\"vfs_*\")"), PROBE_BAD);
	expect_message("name of one kernel function");
}
END_TEST

START_TEST(kernel_without_btf)
{
	ck_assert_int_eq(resolve("kernel.trace(\"sched_switch\")"), PROBE_NOMATCH);
	expect_message("error[E-NO-BTF]");
	ck_assert_int_eq(probe_resolve(&env, point("kernel.trace(\"sched_switch\")"), true, &sites),
			 PROBE_NOMATCH);
	ck_assert_str_eq(messages(), "");
}
END_TEST

/* The rest needs some kernel's BTF: the machine's own. */
static bool own_kernel(void)
{
	const char *why, *hint;

	session.foreign_kernel = false;
	env.kernel = kernel_syms_new(&session);
	return kernel_btf(env.kernel, &why, &hint);
}

START_TEST(tracepoints)
{
	const struct probe_var *v;

	if (!own_kernel())
		return;
	ck_assert_int_eq(one("kernel.trace(\"sched_switch\")")->kind, AT_TRACEPOINT);
	ck_assert_str_eq(sites.v[0].probe.target, "sched_switch");
	ck_assert_str_eq(sites.v[0].probe.name, "kernel.trace(\"sched_switch\")");
	v = sites.v[0].family->var(&env, &sites.v[0], "$prev");
	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(v->kind, PV_TPARG);
	ck_assert_uint_eq(v->n, 1);
	ck_assert_uint_eq(v->width, 8);
	ck_assert_str_eq(v->type_name, "struct task_struct *");
	v = sites.v[0].family->var(&env, &sites.v[0], "$preempt");
	ck_assert_uint_eq(v->n, 0);
	ck_assert_uint_eq(v->width, 1);
	v = sites.v[0].family->var(&env, &sites.v[0], "$$name");
	ck_assert_str_eq(v->str, "sched_switch");
	ck_assert_str_eq(one("kernel.trace(\"sched:sched_switch\")")->name,
			 "kernel.trace(\"sched_switch\")");
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$__data"));
	ck_assert_int_eq(resolve("kernel.trace(\"sched_process_e*\")"), PROBE_OK);
	ck_assert_uint_ge(sites.n, 2);
	ck_assert_int_eq(resolve("kernel.trace(\"sched_swich\")"), PROBE_NOMATCH);
	expect_message("did you mean \"sched_switch\"?");
}
END_TEST

START_TEST(kernel_functions_that_are_missing)
{
	if (!own_kernel())
		return;
	ck_assert_int_eq(resolve("kprobe.function(\"vfs_raed\")"), PROBE_NOMATCH);
	expect_message("no kernel function matches \"vfs_raed\"");
	ck_assert_int_eq(resolve("kprobe.function(\"vfs_raed\")"), PROBE_NOMATCH);
	expect_message("did you mean \"vfs_read\"?");
	one("kprobe.function(\"vfs_read\")");
}
END_TEST

static const char *target(const char *name)
{
	return arena_printf(&session.arena, "%s/%s", dir, name);
}

static const char *in_target(const char *name, const char *rest)
{
	return arena_printf(&session.arena, "process(\"%s\").%s", target(name), rest);
}

static void build_target(void)
{
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	f = fopen("t.c", "w");
	ck_assert_ptr_nonnull(f);
	fputs("int work_one(int x) { return x + 1; }\n"
	      "static __attribute__((noinline, used)) int work_two(int x) { return x + 2; }\n"
	      "int main(void) { return work_one(0) + work_two(0); }\n",
	      f);
	fclose(f);
	ck_assert_int_eq(system("gcc -O0 -o prog t.c && ln -s prog link && echo text > text"), 0);
}

static void remove_target(void)
{
	if (chdir("/") == 0)
		ck_assert_int_eq(system(arena_printf(&session.arena, "rm -rf %s", dir)), 0);
}

START_TEST(processes)
{
	const struct ir_probe *p;

	build_target();
	p = one(in_target("prog", "function(\"work_one\")"));
	ck_assert_int_eq(p->kind, AT_UPROBE);
	ck_assert_str_eq(p->target, target("prog"));
	ck_assert_str_eq(p->symbol, "work_one");
	ck_assert_str_eq(p->name, in_target("prog", "function(\"work_one\")"));
	ck_assert(p->filter_target && p->offset);
	ck_assert_int_eq(one(in_target("prog", "function(\"work_two\").return"))->kind,
			 AT_URETPROBE);
	ck_assert_int_eq(sites.v[0].family->var(&env, &sites.v[0], "$return")->kind, PV_RETVAL);
	ck_assert_str_eq(sites.v[0].family->var(&env, &sites.v[0], "$$name")->str, "work_two");
	ck_assert_int_eq(one(in_target("prog", "function(\"main\").call"))->kind, AT_UPROBE);
	/*
	 * a relative path and a link are resolved; a pattern yields a site each, and no start-up
	 * code
	 */
	ck_assert_str_eq(one("process(\"./link\").function(\"main\")")->target, target("prog"));
	ck_assert_int_eq(resolve(in_target("prog", "function(\"work_*\")")), PROBE_OK);
	ck_assert_uint_eq(sites.n, 2);
	ck_assert_int_eq(resolve(in_target("prog", "function(\"*\")")), PROBE_OK);
	ck_assert_uint_eq(sites.n, 3);
	/* a script stands for the program that runs it, which env looks for in PATH */
	ck_assert_int_eq(
		system("echo '#! ./prog -x' > script && echo '#!/usr/bin/env prog' > envy"), 0);
	ck_assert_str_eq(one("process(\"./script\").function(\"main\")")->target, target("prog"));
	setenv("PATH", arena_printf(&session.arena, "%s:%s", dir, getenv("PATH")), 1);
	ck_assert_str_eq(one("process(\"./envy\").function(\"main\")")->target, target("prog"));
	remove_target();
}
END_TEST

/* Events and system calls: whose, and which variables. */
START_TEST(lives_of_processes)
{
	const struct ir_probe *p;

	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
	build_target();
	p = one("process.begin");
	ck_assert_int_eq(p->kind, AT_PROC_BEGIN);
	ck_assert(p->filter_target && !p->exe && !p->pid);
	p = one("process(\"./link\").thread.end");
	ck_assert_int_eq(p->kind, AT_THREAD_END);
	ck_assert_str_eq(p->exe, target("prog"));
	ck_assert_str_eq(p->name, in_target("prog", "thread.end"));
	ck_assert_int_eq(one(arena_printf(&session.arena, "process(%d).end", getpid()))->pid, getpid());
	ck_assert_str_eq(one("process.syscall")->target, "sys_enter");
	ck_assert_uint_eq(sites.v[0].family->var(&env, &sites.v[0], "$arg6")->n, 6);
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$return"));
	ck_assert_str_eq(one("process.syscall.return")->target, "sys_exit");
	ck_assert_int_eq(sites.v[0].family->var(&env, &sites.v[0], "$return")->kind, PV_TPARG);
	ck_assert_ptr_null(sites.v[0].family->var(&env, &sites.v[0], "$arg1"));
	ck_assert_int_eq(resolve("process(\"spile-no-such-program\").begin"), PROBE_NOMATCH);
	expect_message("in PATH");
	ck_assert_int_eq(resolve("process(999999999).begin"), PROBE_NOMATCH);
	expect_message("error[E-TARGET]");
	remove_target();
}
END_TEST

START_TEST(processes_that_are_not_there)
{
	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
	build_target();
	ck_assert_int_eq(resolve(in_target("nothing", "function(\"f\")")), PROBE_NOMATCH);
	expect_message("error[E-FILE]");
	ck_assert_int_eq(resolve("process(\"spile-no-such-program\").function(\"f\")"),
			 PROBE_NOMATCH);
	expect_message("in PATH");
	ck_assert_int_eq(resolve(in_target("text", "function(\"f\")")), PROBE_NOMATCH);
	expect_message("error[E-ELF]");
	ck_assert_int_eq(resolve(in_target("prog", "function(\"work_oen\")")), PROBE_NOMATCH);
	expect_message("did you mean \"work_one\"?");
	ck_assert_int_eq(
		probe_resolve(&env, point(in_target("prog", "function(\"zzz\")")), true, &sites),
		PROBE_NOMATCH);
	ck_assert_str_eq(messages(), "");
	ck_assert_int_eq(resolve(in_target("prog", "function(\"f@t.c:12-\")")), PROBE_BAD);
	expect_message("expected the last line of the range");
	ck_assert_int_eq(resolve(in_target("prog", "function(\"f@nix.c:12\")")), PROBE_NOMATCH);
	expect_message("lines are known by debug information only");
	remove_target();
}
END_TEST

START_TEST(process_by_search_path)
{
	const struct ir_probe *p;

	/* ls is stripped; main is no dynamic symbol, so that only the file is looked at */
	ck_assert_int_eq(resolve("process(\"ls\").function(\"no_such_function\")"), PROBE_NOMATCH);
	expect_message("/ls matches");
	p = one("process(\"/lib64/ld-linux-x86-64.so.2\").function(\"_dl_catch_exception\")");
	ck_assert_int_eq(p->kind, AT_UPROBE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("probes");
	TCase *t = tcase_create("points");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, session_points);
	tcase_add_test(t, timers);
	tcase_add_test(t, timer_ranges);
	tcase_add_test(t, argument_kinds);
	tcase_add_test(t, unknown_points);
	tcase_add_test(t, unknown_underlines_what_does_not_fit);
	tcase_add_test(t, unknown_prefers_a_nearer_alias);
	tcase_add_test(t, kprobes);
	tcase_add_test(t, kernel_without_btf);
	tcase_add_test(t, tracepoints);
	tcase_add_test(t, kernel_functions_that_are_missing);
	tcase_add_test(t, processes);
	tcase_add_test(t, processes_that_are_not_there);
	tcase_add_test(t, lives_of_processes);
	tcase_add_test(t, process_by_search_path);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
