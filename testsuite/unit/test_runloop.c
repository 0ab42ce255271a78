/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session loop, driven by a runner made for the test: what runs when, what is said, what the
 * exit status is.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "staprun/loop.h"

/* What the fake runner does, and what it saw. */
static struct {
	int load_result, start_result;
	int fd; /* watched when above 0 */
	void (*at_read)(struct run *r);
	struct run_counts counts;
	char calls[64]; /* a letter a call; reads are left out */
	pid_t target_at_load;
} fake;

static struct run run;
static struct ir_module *m;
static char out_path[32], err_path[32];
static struct buf out, err;

static void note(char c)
{
	fake.calls[strlen(fake.calls)] = c;
}

static int fake_load(struct run *r)
{
	note('l');
	fake.target_at_load = r->opt.target;
	if (fake.fd > 0)
		ck_assert_int_eq(run_watch(r, fake.fd), 0);
	if (fake.load_result)
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "the fake does not load");
	return fake.load_result;
}

static int fake_start(struct run *r)
{
	note('s');
	if (fake.start_result)
		diag_error(&r->diag, TAG_ATTACH, SPAN_NONE, "the fake does not attach");
	return fake.start_result;
}

static int fake_read(struct run *r)
{
	if (fake.at_read)
		fake.at_read(r);
	return 0;
}

static int fake_stop(struct run *r, bool failed)
{
	(void)r;
	note(failed ? 'F' : 'e');
	return 0;
}

static void fake_unload(struct run *r)
{
	(void)r;
	note('u');
}

static void fake_counts(struct run *r, struct run_counts *c)
{
	(void)r;
	/* A runner that did not load has nothing to count. */
	ck_assert_int_eq(fake.load_result, 0);
	*c = fake.counts;
}

static const struct ir_store_ops *fake_store(struct run *r, void **arg)
{
	(void)r;
	*arg = NULL;
	return NULL;
}

static const struct runner_ops runner_fake = {
	"fake", fake_load, fake_start, fake_read, fake_stop, fake_unload, fake_counts, fake_store, NULL,
};

static void setup(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&run, 0, sizeof(run));
	arena_init(&run.arena);
	diag_init(&run.diag, &run.arena);
	m = ir_module_new(&run.arena);
	run.ir = m;
	run.ops = &runner_fake;
	strcpy(out_path, "/tmp/spile-test-XXXXXX");
	strcpy(err_path, "/tmp/spile-test-XXXXXX");
	close(mkstemp(out_path));
	close(mkstemp(err_path));
	run.opt.output = out_path;
	buf_init(&out);
	buf_init(&err);
}

static void teardown(void)
{
	unlink(out_path);
	unlink(err_path);
	buf_fini(&out);
	buf_fini(&err);
	arena_fini(&run.arena);
}

/* Runs the session with stderr in a file. */
static int session(void)
{
	int keep = dup(STDERR_FILENO), fd = open(err_path, O_WRONLY | O_TRUNC | O_APPEND), status;

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	status = loop_run(&run);
	fflush(stderr);
	dup2(keep, STDERR_FILENO);
	close(keep);
	close(fd);
	ck_assert_int_eq(buf_read_file(&out, out_path), 0);
	ck_assert_int_eq(buf_read_file(&err, err_path), 0);
	return status;
}

enum action { ACT_PRINT, ACT_EXIT, ACT_ERROR };

/* A user-side probe that prints @text and then does what @action says. */
static struct ir_probe *add_probe(enum ir_attach kind, int64_t seq, const char *text,
				  enum action action)
{
	struct ir_probe *p = arena_new(&run.arena, struct ir_probe);
	struct ir_val message = ir_strval(ir_string(m, "went wrong"));
	struct ir_func *f = ir_func_new(m, arena_printf(&run.arena, "probe_%u", m->probes.n), true,
					&p->handler);
	uint32_t b = ir_new_block(m, f), failed;
	struct ir_insn *i = ir_add(m, f, b, IR_emit, IR_NONE, NULL, 0);

	i->ref = ir_fmt_add(m, text, NULL, 0);
	i->imm = IRO_OUT;
	if (action == ACT_EXIT)
		ir_add(m, f, b, IR_intr, IR_NONE, NULL, 0)->ref = IN_exit;
	if (action == ACT_ERROR) {
		failed = ir_new_block(m, f);
		i = ir_add(m, f, b, IR_raise, IR_NONE, &message, 1);
		i->err = failed;
		i->loc = ir_string(m, "function 'error' at a.stp:1:2");
		ir_add(m, f, failed, IR_abort, IR_NONE, NULL, 0);
	}
	ir_add(m, f, b, IR_done, IR_NONE, NULL, 0);
	p->kind = kind;
	p->name = p->chain = ir_attaches[kind].name;
	p->seq = seq;
	p->user_side = true;
	vec_push(&run.arena, &m->probes, p);
	ck_assert_ptr_null(ir_verify(m));
	return p;
}

static void add_timer(int64_t ns, const char *text, enum action action)
{
	add_probe(AT_TIMER, 0, text, action)->period = ns;
}

/* What a runner would have read. */
static void give(struct run *r, enum rec_type type, uint32_t id, const void *payload, uint32_t len)
{
	struct rec *rec = calloc(1, sizeof(*rec) + len);

	rec->size = (uint32_t)sizeof(*rec) + len;
	rec->type = (uint16_t)type;
	rec->id = id;
	if (len)
		memcpy(rec + 1, payload, len);
	run_record(r, rec);
	free(rec);
}

static void expect(int status, int want_status, const char *want_out, const char *want_calls)
{
	ck_assert_str_eq(out.p, want_out);
	ck_assert_str_eq(fake.calls, want_calls);
	ck_assert_msg(status == want_status, "status %d, stderr: %s", status, err.p);
}

START_TEST(begin_and_end_run_by_number)
{
	add_probe(AT_END, 5, "E5 ", ACT_PRINT);
	add_probe(AT_BEGIN, 2, "B2 ", ACT_PRINT);
	add_probe(AT_BEGIN, -1, "B-1 ", ACT_PRINT);
	add_probe(AT_BEGIN, 2, "B2b ", ACT_PRINT);
	add_probe(AT_END, 0, "E0 ", ACT_PRINT);
	add_probe(AT_ERROR, 0, "X ", ACT_PRINT);
	add_timer(1000000, "T ", ACT_EXIT);
	expect(session(), 0, "B-1 B2 B2b T E0 E5 ", "lseu");
	ck_assert_str_eq(err.p, "");
}
END_TEST

START_TEST(exit_in_begin_arms_nothing)
{
	add_probe(AT_BEGIN, 0, "B0 ", ACT_EXIT);
	add_probe(AT_BEGIN, 1, "B1 ", ACT_PRINT);
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	expect(session(), 0, "B0 E ", "lu");
}
END_TEST

START_TEST(error_runs_error_probes)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_ERROR);
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	add_probe(AT_ERROR, 0, "X ", ACT_PRINT);
	expect(session(), 1, "B X ", "lu");
	ck_assert_ptr_nonnull(
		strstr(err.p, "ERROR: went wrong near function 'error' at a.stp:1:2 in probe "));
	ck_assert_ptr_nonnull(strstr(err.p, "WARNING: Number of errors: 1, skipped probes: 0\n"));
}
END_TEST

START_TEST(errors_up_to_the_limit_go_on)
{
	m->limits.maxerrors = 2;
	add_probe(AT_BEGIN, 0, "B ", ACT_ERROR);
	add_timer(1000000, "T ", ACT_ERROR);
	add_probe(AT_ERROR, 0, "X ", ACT_PRINT);
	expect(session(), 1, "B T T X ", "lsFu");
	ck_assert_ptr_nonnull(strstr(err.p, "Number of errors: 3,"));
}
END_TEST

START_TEST(error_in_end_ends_the_ends)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_EXIT);
	add_probe(AT_END, 0, "E0 ", ACT_ERROR);
	add_probe(AT_END, 1, "E1 ", ACT_PRINT);
	add_probe(AT_ERROR, 0, "X ", ACT_PRINT);
	expect(session(), 1, "B E0 X ", "lu");
}
END_TEST

START_TEST(timers_run_as_they_fall_due)
{
	add_timer(20000000, "20 ", ACT_PRINT);
	add_timer(50000000, "50 ", ACT_EXIT);
	ck_assert_int_eq(session(), 0);
	/* periods that pass while the machine is busy elsewhere are not made up for */
	ck_assert_msg(!strcmp(out.p, "20 20 50 ") || !strcmp(out.p, "20 50 "), "%s", out.p);
}
END_TEST

static struct timers make_timers(void)
{
	struct timers t;

	ck_assert_int_eq(timers_init(&t, m, &run.arena), 0);
	timers_start(&t);
	return t;
}

START_TEST(timers_due_together_keep_their_order)
{
	struct timers t;
	uint32_t probe;

	add_timer(3000, "a", ACT_PRINT);
	add_timer(2000, "b", ACT_PRINT);
	add_timer(2000, "c", ACT_PRINT);
	t = make_timers();
	for (uint32_t i = 0; i < 3; i++)
		t.v[i].due = t.v[i].period;
	ck_assert(!timers_next(&t, 1999, &probe));
	ck_assert(timers_next(&t, 3000, &probe));
	ck_assert_uint_eq(probe, 1);
	ck_assert(timers_next(&t, 3000, &probe));
	ck_assert_uint_eq(probe, 2);
	ck_assert(timers_next(&t, 3000, &probe));
	ck_assert_uint_eq(probe, 0);
	ck_assert(!timers_next(&t, 3000, &probe));
	timers_fini(&t);
}
END_TEST

START_TEST(missed_periods_are_not_made_up)
{
	struct timers t;
	uint32_t probe;

	add_timer(1000, "a", ACT_PRINT);
	t = make_timers();
	t.v[0].due = 1000;
	ck_assert(timers_next(&t, 5500, &probe));
	ck_assert(!timers_next(&t, 5500, &probe));
	ck_assert_uint_eq(t.v[0].due, 6000);
	timers_fini(&t);
}
END_TEST

START_TEST(random_periods_stay_in_range)
{
	uint64_t due = 0, least = UINT64_MAX, most = 0;
	struct timers t;
	uint32_t probe;

	add_timer(1000, "a", ACT_PRINT);
	m->probes.v[0]->random = 100;
	t = make_timers();
	t.v[0].due = 0;
	for (int i = 0; i < 20000; i++) {
		uint64_t step;

		ck_assert(timers_next(&t, due, &probe));
		step = t.v[0].due - due;
		due = t.v[0].due;
		least = step < least ? step : least;
		most = step > most ? step : most;
	}
	ck_assert_uint_eq(least, 900);
	ck_assert_uint_eq(most, 1100);
	timers_fini(&t);
}
END_TEST

START_TEST(jiffies_are_ticks)
{
	struct timers t;

	add_timer(3, "a", ACT_PRINT);
	m->probes.v[0]->jiffies = true;
	t = make_timers();
	ck_assert_uint_eq(t.v[0].period, 3 * timers_jiffy());
	timers_fini(&t);
}
END_TEST

START_TEST(jiffy_is_plausible)
{
	uint64_t ns = timers_jiffy();

	ck_assert_uint_ge(ns, 1000000);
	ck_assert_uint_le(ns, 10000000);
}
END_TEST

static void read_prints_and_exits(struct run *r)
{
	static bool done;

	if (strchr(fake.calls, 's') && !done) {
		done = true;
		give(r, REC_PRINT, 0, NULL, 0);
		give(r, REC_EXIT, 0, NULL, 0);
	}
}

START_TEST(kernel_records_are_printed)
{
	ck_assert_uint_eq(ir_fmt_add(m, "K ", NULL, 0), 0);
	add_probe(AT_BEGIN, 0, "B ", ACT_PRINT);
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	fake.at_read = read_prints_and_exits;
	expect(session(), 0, "B K E ", "lseu");
}
END_TEST

static void read_counts_to_five(struct run *r)
{
	static int n;

	if (++n == 5)
		give(r, REC_EXIT, 0, NULL, 0);
}

START_TEST(runner_without_descriptor_is_polled)
{
	run.poll_ms = 10;
	fake.at_read = read_counts_to_five;
	expect(session(), 0, "", "lseu");
}
END_TEST

static void read_from_pipe(struct run *r)
{
	char c;

	if (read(fake.fd, &c, 1) == 1)
		give(r, c == 'x' ? REC_EXIT : REC_PRINT, 0, NULL, 0);
}

START_TEST(runner_descriptor_wakes)
{
	int p[2];

	ck_assert_uint_eq(ir_fmt_add(m, "K ", NULL, 0), 0);
	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	ck_assert_int_eq(write(p[1], "ppx", 3), 3);
	fake.fd = p[0];
	fake.at_read = read_from_pipe;
	expect(session(), 0, "K K ", "lseu");
	close(p[0]);
	close(p[1]);
}
END_TEST

/* One error of a kernel-side handler; the third argument is the location. */
static void give_error(struct run *r, uint32_t kind, int64_t loc)
{
	int64_t v[5 + REC_FRAMES / 2] = { 0, loc };

	give(r, REC_ERROR, kind, v, sizeof(v));
}

static void read_errors(struct run *r)
{
	give_error(r, ERR_DIV0, 1);
	give_error(r, ERR_DIV0, 1);
}

START_TEST(kernel_error_ends_the_session)
{
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	add_probe(AT_ERROR, 0, "X ", ACT_PRINT);
	fake.at_read = read_errors;
	fake.counts = (struct run_counts){ .errors = 9, .skipped = 2, .nested = 3, .lost = 4 };
	expect(session(), 1, "X ", "lsFu");
	/* What goes on until the probes are gone is counted, not shown. */
	ck_assert_ptr_eq(strstr(err.p, "ERROR: division by 0"), err.p);
	ck_assert_ptr_null(strstr(err.p + 1, "ERROR: division by 0"));
	ck_assert_ptr_nonnull(strstr(err.p, "WARNING: Number of errors: 9, skipped probes: 5\n"));
	ck_assert_ptr_nonnull(
		strstr(err.p, "WARNING: 4 records lost: buffer too small, try -s 16 [W-LOST]\n"));
}
END_TEST

static void read_damaged(struct run *r)
{
	static bool done;

	if (!done) {
		give(r, REC_PRINT, 77, NULL, 0);
		give(r, (enum rec_type)99, 0, NULL, 0);
		give(r, REC_PRINT, 0, "1234567", 8);
		give(r, REC_ERROR, ERR_DIV0, NULL, 0);
		give_error(r, ERR_COUNT, 0);
		give_error(r, ERR_DIV0, 1000000);
		give_error(r, ERR_DIV0, -1);
		give(r, REC_EXIT, 0, NULL, 0);
	}
	done = true;
}

START_TEST(damaged_records_are_counted)
{
	enum ir_type two[] = { IR_I64, IR_I64 };

	ck_assert_uint_eq(ir_fmt_add(m, "%d %d", two, 2), 0);
	fake.at_read = read_damaged;
	expect(session(), 1, "", "lseu");
	ck_assert_ptr_nonnull(strstr(err.p, "WARNING: 7 damaged records dropped"));
}
END_TEST

START_TEST(too_many_skipped)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_EXIT);
	fake.counts = (struct run_counts){ .skipped = 101 };
	expect(session(), 1, "B ", "lu");
	ck_assert_ptr_nonnull(strstr(err.p, "ERROR: Skipped too many probes, check MAXSKIPPED"));
	ck_assert_ptr_nonnull(strstr(err.p, "Number of errors: 0, skipped probes: 101\n"));
}
END_TEST

START_TEST(load_failure_unloads)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_EXIT);
	run.opt.command = "touch /tmp/spile-test-never";
	fake.load_result = -1;
	expect(session(), 1, "", "lu");
	ck_assert_ptr_nonnull(strstr(err.p, "error[E-LOAD]"));
	ck_assert_int_ne(access("/tmp/spile-test-never", F_OK), 0);
}
END_TEST

START_TEST(attach_failure_unloads)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_PRINT);
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	fake.start_result = -1;
	expect(session(), 1, "B ", "lsu");
	ck_assert_ptr_nonnull(strstr(err.p, "error[E-ATTACH]"));
}
END_TEST

START_TEST(child_runs_after_arming)
{
	add_probe(AT_BEGIN, 0, "B ", ACT_PRINT);
	/* It appends to the output: what begin printed is there already. */
	run.opt.command = arena_printf(&run.arena, "echo child >> %s", out_path);
	expect(session(), 0, "B child\n", "lseu");
	ck_assert_int_gt(fake.target_at_load, 0);
}
END_TEST

START_TEST(child_status_is_reported)
{
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	run.opt.command = "sh -c 'exit 3'";
	expect(session(), 1, "E ", "lseu");
	ck_assert_str_eq(err.p, "WARNING: Child process exited with status 3\n");
}
END_TEST

START_TEST(child_signal_is_reported)
{
	run.opt.command = "kill -TERM $$";
	expect(session(), 1, "", "lseu");
	ck_assert_str_eq(err.p, "WARNING: Child process exited with signal 15 (SIGTERM)\n");
}
END_TEST

START_TEST(missing_command_loads_nothing)
{
	run.opt.command = "spile-no-such-command 1";
	expect(session(), 1, "", "");
	ck_assert_ptr_nonnull(strstr(err.p, "error[E-TARGET]"));
	ck_assert_ptr_nonnull(strstr(err.p, "spile-no-such-command"));
}
END_TEST

START_TEST(missing_target_loads_nothing)
{
	run.opt.target = 0x3fffffff;
	expect(session(), 1, "", "");
	ck_assert_ptr_nonnull(strstr(err.p, "error[E-TARGET]"));
}
END_TEST

/* A process of -x is only named. */
START_TEST(end_of_target_ends_nothing)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(20000);
		_exit(0);
	}
	signal(SIGCHLD, SIG_IGN);
	run.opt.target = pid;
	add_timer(200000000, "T ", ACT_EXIT);
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	expect(session(), 0, "T E ", "lseu");
	signal(SIGCHLD, SIG_DFL);
}
END_TEST

static int signal_to_send, signals_to_send;

static void read_sends_signals(struct run *r)
{
	(void)r;
	for (; signals_to_send; signals_to_send--)
		raise(signal_to_send);
}

START_TEST(signal_ends_in_order)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	signal_to_send = signals[_i];
	signals_to_send = 1;
	fake.at_read = read_sends_signals;
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	expect(session(), 0, "E ", "lseu");
	ck_assert_str_eq(err.p, "");
}
END_TEST

START_TEST(third_signal_only_unloads)
{
	signal_to_send = SIGINT;
	signals_to_send = 3;
	fake.at_read = read_sends_signals;
	add_probe(AT_END, 0, "E ", ACT_PRINT);
	expect(session(), 1, "", "lsu");
	ck_assert_str_eq(err.p, "Too many interrupts received, exiting.\n");
}
END_TEST

START_TEST(full_disk_ends_the_session)
{
	add_timer(1000000, "0123456789", ACT_PRINT);
	run.opt.output = "/dev/full";
	expect(session(), 1, "", "lseu");
	ck_assert_ptr_nonnull(strstr(
		err.p, "error[E-OUTPUT]: cannot write to /dev/full: No space left on device; "
		       "10 bytes of output are lost"));
}
END_TEST

START_TEST(output_that_cannot_be_opened_loads_nothing)
{
	run.opt.output = "/proc/no/such/folder";
	expect(session(), 1, "", "");
	ck_assert_ptr_nonnull(strstr(err.p, "error[E-OUTPUT]"));
}
END_TEST

START_TEST(warning_goes_to_stderr)
{
	add_probe(AT_BEGIN, 0, "careful\n", ACT_EXIT);
	m->funcs.v[0]->blocks.v[0]->insns.v[0].imm = IRO_WARN;
	expect(session(), 0, "", "lu");
	ck_assert_str_eq(err.p, "WARNING: careful\n");
}
END_TEST

static TCase *all_tests(void)
{
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, begin_and_end_run_by_number);
	tcase_add_test(tc, exit_in_begin_arms_nothing);
	tcase_add_test(tc, error_runs_error_probes);
	tcase_add_test(tc, errors_up_to_the_limit_go_on);
	tcase_add_test(tc, error_in_end_ends_the_ends);
	tcase_add_test(tc, timers_run_as_they_fall_due);
	tcase_add_test(tc, timers_due_together_keep_their_order);
	tcase_add_test(tc, missed_periods_are_not_made_up);
	tcase_add_test(tc, random_periods_stay_in_range);
	tcase_add_test(tc, jiffies_are_ticks);
	tcase_add_test(tc, jiffy_is_plausible);
	tcase_add_test(tc, kernel_records_are_printed);
	tcase_add_test(tc, runner_without_descriptor_is_polled);
	tcase_add_test(tc, runner_descriptor_wakes);
	tcase_add_test(tc, kernel_error_ends_the_session);
	tcase_add_test(tc, damaged_records_are_counted);
	tcase_add_test(tc, too_many_skipped);
	tcase_add_test(tc, load_failure_unloads);
	tcase_add_test(tc, attach_failure_unloads);
	tcase_add_test(tc, child_runs_after_arming);
	tcase_add_test(tc, child_status_is_reported);
	tcase_add_test(tc, child_signal_is_reported);
	tcase_add_test(tc, missing_command_loads_nothing);
	tcase_add_test(tc, missing_target_loads_nothing);
	tcase_add_test(tc, end_of_target_ends_nothing);
	tcase_add_loop_test(tc, signal_ends_in_order, 0, 4);
	tcase_add_test(tc, third_signal_only_unloads);
	tcase_add_test(tc, full_disk_ends_the_session);
	tcase_add_test(tc, output_that_cannot_be_opened_loads_nothing);
	tcase_add_test(tc, warning_goes_to_stderr);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("runloop");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, all_tests());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
