/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arena, buffers, interning, near names, positions, and how diagnostics look. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/strtab.h"

static struct arena arena;
static struct diag diag;

static void setup(void)
{
	arena_init(&arena);
	diag_init(&diag, &arena);
	diag.color = COLOR_NEVER;
}

static void teardown(void)
{
	arena_fini(&arena);
}

START_TEST(arena_memory_is_zeroed_and_aligned)
{
	size_t size, k;

	for (size = 1; size < 200000; size = size * 3 + 1) {
		unsigned char *p = arena_alloc(&arena, size);

		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		for (k = 0; k < size; k++)
			ck_assert_int_eq(p[k], 0);
		memset(p, 0xff, size);
	}
	ck_assert_str_eq(arena_printf(&arena, "%0300d!", 7) + 299, "7!");
	ck_assert_str_eq(arena_strndup(&arena, "abcdef", 3), "abc");
}
END_TEST

START_TEST(vectors_keep_their_items)
{
	VEC(uint32_t) v = { 0 }, w = { 0 };
	uint32_t i;

	for (i = 0; i < 10000; i++) {
		vec_push(&arena, &v, i);
		if (i % 7 == 0)
			vec_push(&arena, &w, i); /* so that v cannot always grow where it is */
	}
	ck_assert_uint_eq(v.n, 10000);
	for (i = 0; i < v.n; i++)
		ck_assert_uint_eq(v.v[i], i);
	for (i = 0; i < w.n; i++)
		ck_assert_uint_eq(w.v[i], i * 7);
}
END_TEST

START_TEST(buffers)
{
	char path[] = "/tmp/spile-test-XXXXXX";
	struct buf b, c;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	buf_init(&b);
	buf_init(&c);
	ck_assert_str_eq(b.p, "");
	buf_put_escaped(&b, "a\"\\\n\t\001\x7f\303\251", 9);
	ck_assert_str_eq(b.p, "a\\\"\\\\\\n\\t\\001\\177\303\251");
	buf_printf(&b, "%500d", 1);
	ck_assert_uint_eq(b.len, strlen(b.p));
	ck_assert_int_eq(buf_write_file(&b, path), 0);
	ck_assert_int_eq(buf_read_file(&c, path), 0);
	ck_assert_str_eq(b.p, c.p);
	buf_reset(&c);
	ck_assert_str_eq(c.p, "");
	ck_assert_int_eq(buf_read_file(&c, "/nonexistent/x"), -ENOENT);
	ck_assert_int_eq(buf_read_file(&c, "/"), -EISDIR);
	ck_assert_int_eq(buf_write_file(&c, "/nonexistent/x"), -ENOENT);
	unlink(path);
	buf_fini(&b);
	buf_fini(&c);
}
END_TEST

START_TEST(interning)
{
	const char *first[5000];
	struct strtab t;
	char name[32];
	int i;

	strtab_init(&t, &arena);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		first[i] = strtab_intern(&t, name);
	}
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name%dtail", i);
		ck_assert_ptr_eq(strtab_intern_n(&t, name, strlen(name) - 4), first[i]);
		ck_assert_ptr_ne(strtab_intern(&t, name), first[i]);
	}
	ck_assert_uint_eq(t.n, 10000);
	strtab_fini(&t);
}
END_TEST

START_TEST(near_names)
{
	struct near_match m;

	ck_assert_uint_eq(str_distance("kitten", "sitting", 9), 3);
	ck_assert_uint_eq(str_distance("kitten", "sitting", 2), 3);
	ck_assert_uint_eq(str_distance("", "abc", 5), 3);
	near_init(&m, "printl");
	near_try(&m, "sprintf");
	near_try(&m, "print");
	near_try(&m, "println");
	near_try(&m, "print");
	near_try(&m, "zebra");
	ck_assert_str_eq(near_best(&m), "println");
	near_init(&m, "xy");
	near_try(&m, "ab");
	near_try(&m, "x");
	ck_assert_ptr_null(near_best(&m));
}
END_TEST

START_TEST(positions)
{
	struct source *s = source_new(&arena, "f.stp", "ab\n\ncde", 7);
	uint32_t line, col;

	source_pos(&arena, s, 0, &line, &col);
	ck_assert(line == 1 && col == 1);
	source_pos(&arena, s, 2, &line, &col);
	ck_assert(line == 1 && col == 3);
	source_pos(&arena, s, 3, &line, &col);
	ck_assert(line == 2 && col == 1);
	source_pos(&arena, s, 99, &line, &col);
	ck_assert(line == 3 && col == 4);
	ck_assert_str_eq(span_str(&arena, (struct span){ s, 5, 1 }), "f.stp:3:2");
	ck_assert_str_eq(span_str(&arena, SPAN_NONE), "<builtin>");
}
END_TEST

static char *flushed(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	diag_flush(&diag, f);
	fclose(f);
	return text;
}

static void expect_flush(const char *want)
{
	char *text = flushed();

	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(diagnostics_look)
{
	const char *text = "#\n\nprobe begin { printl(\"x\") }\n\tif (x)\ty\n";
	struct source *s = source_new(&arena, "top.stp", text, strlen(text));

	diag_error(&diag, TAG_UNKNOWN_FUNC, (struct span){ s, 17, 6 },
		   "no function \"%s\" with 1 argument", "printl");
	diag_hint(&diag, "did you mean println?");
	diag_warning(&diag, TAG_UNUSED, SPAN_NONE, "nothing to see");
	diag_error(&diag, TAG_PARSE, (struct span){ s, 32, 100 }, "after tabs");
	diag_note(&diag, (struct span){ s, 39, 1 }, "and here");
	expect_flush("error[E-UNKNOWN-FUNC]: no function \"printl\" with 1 argument\n"
		     "  top.stp:3:15\n"
		     "    probe begin { printl(\"x\") }\n"
		     "                  ^~~~~~\n"
		     "  hint: did you mean println?\n"
		     "warning[W-UNUSED]: nothing to see\n"
		     "error[E-PARSE]: after tabs\n"
		     "  top.stp:4:2\n"
		     "            if (x)  y\n"
		     "            ^~~~~~~~~\n"
		     "  note: and here\n"
		     "  top.stp:4:9\n"
		     "            if (x)  y\n"
		     "                    ^\n");
	ck_assert_uint_eq(diag.errors, 2);
	ck_assert_uint_eq(diag.warnings, 1);
	expect_flush("");
}
END_TEST

START_TEST(diagnostics_counted_and_dropped)
{
	diag.no_warnings = true;
	diag_warning(&diag, TAG_UNUSED, SPAN_NONE, "dropped");
	diag_hint(&diag, "with its hint");
	expect_flush("");
	diag.no_warnings = false;
	diag.warnings_are_errors = true;
	diag_warning(&diag, TAG_UNUSED, SPAN_NONE, "w");
	diag_error(&diag, TAG_FILE, SPAN_NONE, "same");
	diag_error(&diag, TAG_FILE, SPAN_NONE, "same");
	diag_hint(&diag, "of the copy");
	expect_flush("error[W-UNUSED]: w\nerror[E-FILE]: same\n");
	ck_assert_uint_eq(diag.errors, 3);
	diag.max = 3;
	diag_error(&diag, TAG_FILE, SPAN_NONE, "third");
	diag_error(&diag, TAG_FILE, SPAN_NONE, "fourth");
	diag_error(&diag, TAG_FILE, SPAN_NONE, "fifth");
	expect_flush("error[E-FILE]: third\n2 more errors not shown\n");
}
END_TEST

START_TEST(diagnostics_of_ours)
{
	diag_internal(&diag, SPAN_NONE, "no case %d", 7);
	expect_flush(
		"internal error[E-INTERNAL]: no case 7\n"
		"  hint: this is a bug in Spile, not in your script; please report it with the script\n");
}
END_TEST

/* What the terminal would act upon is not passed on; a long line is cut around the place. */
START_TEST(diagnostics_of_hostile_text)
{
	char line[5000];
	struct source *s = source_new(&arena, "x", "\033[31m\xff\303\251!", 9);
	char *text;

	diag_error(&diag, TAG_LEX, (struct span){ s, 8, 1 }, "e");
	expect_flush("error[E-LEX]: e\n  x:1:9\n    ?[31m?\303\251!\n           ^\n");
	memset(line, 'a', sizeof(line));
	s = source_new(&arena, "x", line, sizeof(line));
	diag_error(&diag, TAG_LEX, (struct span){ s, 2500, 3 }, "e");
	text = flushed();
	ck_assert_uint_lt(strlen(text), 500);
	ck_assert_ptr_nonnull(strstr(text, "^~~\n"));
	free(text);
	diag.color = COLOR_ALWAYS;
	diag_error(&diag, TAG_LEX, SPAN_NONE, "e");
	expect_flush("\033[1;31merror[E-LEX]\033[0m: e\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, arena_memory_is_zeroed_and_aligned);
	tcase_add_test(t, vectors_keep_their_items);
	tcase_add_test(t, buffers);
	tcase_add_test(t, interning);
	tcase_add_test(t, near_names);
	tcase_add_test(t, positions);
	tcase_add_test(t, diagnostics_look);
	tcase_add_test(t, diagnostics_counted_and_dropped);
	tcase_add_test(t, diagnostics_of_ours);
	tcase_add_test(t, diagnostics_of_hostile_text);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
