/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records to text, and the buffer that text goes through. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "staprun/format.h"

static struct arena arena;
static struct ir_module *m;
static struct format format;
static struct out out;
static struct buf payload;

static void setup(void)
{
	arena_init(&arena);
	m = ir_module_new(&arena);
	buf_init(&payload);
	memset(&out, 0, sizeof(out));
	out.fd = -1;
}

static void teardown(void)
{
	free(out.p);
	buf_fini(&payload);
	arena_fini(&arena);
}

static uint32_t add_format(const char *text, const char *types)
{
	enum ir_type v[16];
	uint32_t n = 0, id;

	for (; *types; types++)
		v[n++] = *types == 's' ? IR_STR : IR_I64;
	id = ir_fmt_add(m, text, v, n);
	ck_assert_uint_ne(id, IR_NONE);
	return id;
}

static void put_int(int64_t v)
{
	buf_add(&payload, &v, sizeof(v));
}

static void put_str_as(const char *s, uint32_t claimed)
{
	static const char zeros[8];
	uint32_t len = (uint32_t)strlen(s);

	buf_add(&payload, &claimed, sizeof(claimed));
	buf_add(&payload, s, len);
	buf_add(&payload, zeros, REC_STR_BYTES(len) - 4 - len);
}

static void put_str(const char *s)
{
	put_str_as(s, (uint32_t)strlen(s));
}

/* A record of exactly @size bytes on the heap, so that the sanitizer sees a read past it. */
static struct rec *make_rec(uint32_t id, uint32_t size)
{
	struct rec *r = malloc(size < sizeof(*r) ? sizeof(*r) : size);

	*r = (struct rec){ .size = size, .type = REC_PRINT, .id = id };
	if (size > sizeof(*r))
		memcpy(r + 1, payload.p, size - sizeof(*r));
	return r;
}

static enum format_result format_size(uint32_t id, uint32_t size, struct fmt_out *text)
{
	struct rec *r = make_rec(id, size);
	enum format_result result;

	format_init(&format, m, &arena);
	result = format_record(&format, r, &out, text);
	free(r);
	return result;
}

static void expect(uint32_t id, const char *want)
{
	struct fmt_out text;
	uint32_t size = (uint32_t)(sizeof(struct rec) + payload.len);

	ck_assert_int_eq(format_size(id, size, &text), FORMAT_OK);
	ck_assert_uint_eq(text.len, strlen(want));
	ck_assert(!memcmp(text.p, want, text.len));
	buf_reset(&payload);
}

START_TEST(prints_arguments)
{
	uint32_t id = add_format("%d: %s = 0x%x%%\n", "isi");

	put_int(-5);
	put_str("name");
	put_int(255);
	expect(id, "-5: name = 0xff%\n");
	put_int(INT64_MIN);
	put_str("");
	put_int(0);
	expect(id, "-9223372036854775808:  = 0x0%\n");
	expect(add_format("no arguments\n", ""), "no arguments\n");
}
END_TEST

START_TEST(takes_widths_from_arguments)
{
	uint32_t id = add_format("[%*d|%-6s|%.*s]", "iisis");

	put_int(5);
	put_int(42);
	put_str("ab");
	put_int(2);
	put_str("xyz");
	expect(id, "[   42|ab    |xy]");
	put_int(-5);
	put_int(42);
	put_str("ab");
	put_int(-1);
	put_str("xyz");
	expect(id, "[42|ab    |xyz]");
}
END_TEST

START_TEST(memory_may_hold_zeros)
{
	uint32_t id = add_format("%d %5.2m|%.*M", "iiii");
	struct fmt_out text;

	put_int(1);
	put_str("\377a");
	put_int(2);
	put_str("xy");
	expect(id, "1    \377a|7879");
	put_int(1);
	put_str_as("", 2);
	put_int(2);
	put_str("xy");
	ck_assert_int_eq(format_size(id, (uint32_t)(sizeof(struct rec) + payload.len), &text), FORMAT_OK);
	ck_assert_uint_eq(text.len, 12);
	ck_assert_mem_eq(text.p, "1    \0\0|7879", 12);
}
END_TEST

START_TEST(huge_width_is_cut)
{
	uint32_t id = add_format("%*d", "ii");
	struct fmt_out text;

	put_int(INT64_MAX);
	put_int(7);
	ck_assert_int_eq(format_size(id, sizeof(struct rec) + 16, &text), FORMAT_OK);
	ck_assert_uint_eq(text.len, FMT_STAR_MAX);
}
END_TEST

START_TEST(escaped_string_has_room)
{
	char s[512], want[4 * sizeof(s)];

	memset(s, 1, sizeof(s) - 1);
	s[sizeof(s) - 1] = 0;
	want[0] = '"';
	for (size_t i = 0; i < sizeof(s) - 1; i++)
		memcpy(want + 1 + 4 * i, "\\001", 4);
	memcpy(want + 1 + 4 * (sizeof(s) - 1), "\"", 2);
	put_str(s);
	expect(add_format("%#s", "s"), want);
}
END_TEST

START_TEST(short_record_prints_nothing)
{
	uint32_t id = add_format("%s %d %s", "sis"), full;
	struct fmt_out text;

	put_str("first string");
	put_int(1);
	put_str("second");
	full = (uint32_t)(sizeof(struct rec) + payload.len);
	for (uint32_t size = 0; size < full; size += 8)
		ck_assert_int_eq(format_size(id, size, &text), FORMAT_DAMAGED);
	ck_assert_int_eq(format_size(id, full, &text), FORMAT_OK);
	ck_assert_int_eq(format_size(id, full - 1, &text), FORMAT_DAMAGED);
	ck_assert_int_eq(format_size(id + 1, full, &text), FORMAT_DAMAGED);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(string_longer_than_record)
{
	static const uint32_t claims[] = {
		9, 13, 1000, INT32_MAX, UINT32_MAX - 11, UINT32_MAX - 3, UINT32_MAX
	};
	uint32_t id = add_format("%s", "s");
	struct fmt_out text;

	for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
		buf_reset(&payload);
		put_str_as("12345678", claims[i]);
		ck_assert_int_eq(
			format_size(id, (uint32_t)(sizeof(struct rec) + payload.len), &text),
			claims[i] <= 12 ? FORMAT_OK : FORMAT_DAMAGED);
	}
}
END_TEST

static void emit(const char *s, size_t n)
{
	char *p = out_room(&out, n + 1);

	ck_assert_ptr_nonnull(p);
	memcpy(p, s, n);
	out_took(&out, n);
}

START_TEST(output_reaches_file_in_order)
{
	char path[] = "/tmp/spile-test-XXXXXX", *big = malloc(3 * OUT_FULL);
	struct diag d;
	struct buf got;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	diag_init(&d, &arena);
	ck_assert_int_eq(out_open(&out, path, &arena, &d), 0);
	memset(big, 'x', 3 * OUT_FULL);
	emit("a", 1);
	ck_assert(out_pending(&out));
	emit(big, 3 * OUT_FULL);
	ck_assert(!out_pending(&out));
	emit("b\n", 2);
	ck_assert_int_eq(out_close(&out, &d), 0);
	buf_init(&got);
	ck_assert_int_eq(buf_read_file(&got, path), 0);
	ck_assert_uint_eq(got.len, 3 * OUT_FULL + 3);
	ck_assert_int_eq(got.p[0], 'a');
	ck_assert_str_eq(got.p + 3 * OUT_FULL, "xb\n");
	buf_fini(&got);
	free(big);
	unlink(path);
}
END_TEST

START_TEST(full_disk_is_counted)
{
	struct diag d;

	diag_init(&d, &arena);
	ck_assert_int_eq(out_open(&out, "/dev/full", &arena, &d), 0);
	emit("12345", 5);
	out_flush(&out);
	ck_assert_int_eq(out.error, ENOSPC);
	emit("678", 3);
	ck_assert_uint_eq(out.lost, 8);
	ck_assert_int_ne(out_close(&out, &d), 0);
	ck_assert_uint_eq(d.errors, 1);
}
END_TEST

START_TEST(closed_pipe_is_counted)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(p), 0);
	close(p[0]);
	out.fd = p[1];
	emit("12345", 5);
	out_flush(&out);
	ck_assert_int_eq(out.error, EPIPE);
	ck_assert_uint_eq(out.lost, 5);
	close(p[1]);
}
END_TEST

START_TEST(slow_reader_gets_everything)
{
	size_t n = 300000, got = 0;
	char *big = malloc(n), in[4096];
	int p[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	pid = fork();
	if (!pid) {
		out.fd = p[1];
		memset(big, 'x', n);
		emit(big, n);
		out_flush(&out);
		_exit(out.error || out.lost);
	}
	close(p[1]);
	for (;;) {
		ssize_t k = read(p[0], in, sizeof(in));

		if (k > 0)
			got += (size_t)k;
		else if (!k)
			break;
		else
			usleep(1000);
	}
	ck_assert_uint_eq(got, n);
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	free(big);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("records");
	Suite *s = suite_create("record");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, prints_arguments);
	tcase_add_test(tc, takes_widths_from_arguments);
	tcase_add_test(tc, memory_may_hold_zeros);
	tcase_add_test(tc, huge_width_is_cut);
	tcase_add_test(tc, escaped_string_has_room);
	tcase_add_test(tc, short_record_prints_nothing);
	tcase_add_test(tc, string_longer_than_record);
	tcase_add_test(tc, output_reaches_file_in_order);
	tcase_add_test(tc, full_disk_is_counted);
	tcase_add_test(tc, closed_pipe_is_counted);
	tcase_add_test(tc, slow_reader_gets_everything);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
