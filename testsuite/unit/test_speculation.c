/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept for an id comes out whole and in order; what cannot be kept is counted. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "staprun/speculation.h"

static struct speculation s;

static void setup(void)
{
	s = (struct speculation){ 0 };
}

static void teardown(void)
{
	speculation_fini(&s);
}

static void expect(int64_t id, const char *want)
{
	size_t n;
	const char *text = speculation_text(&s, id, &n);

	if (!want) {
		ck_assert_ptr_null(text);
		ck_assert_uint_eq(n, 0);
		return;
	}
	ck_assert_uint_eq(n, strlen(want));
	ck_assert_mem_eq(text, want, n);
}

START_TEST(keeps_order)
{
	expect(1, NULL);
	speculation_add(&s, 1, "a", 1);
	speculation_add(&s, 2, "x", 1);
	speculation_add(&s, 1, "", 0);
	speculation_add(&s, 1, "bc", 2);
	expect(1, "abc");
	expect(2, "x");
	speculation_drop(&s, 1);
	expect(1, NULL);
	expect(2, "x");
	speculation_drop(&s, 1);
	speculation_drop(&s, 99);
	speculation_add(&s, 1, "new", 3);
	expect(1, "new");
}
END_TEST

START_TEST(many_ids)
{
	char text[32];

	for (int64_t id = 1; id <= 5000; id++) {
		snprintf(text, sizeof(text), "<%d>", (int)id);
		speculation_add(&s, id << 16, text, strlen(text));
	}
	for (int64_t id = 1; id <= 5000; id += 2)
		speculation_drop(&s, id << 16);
	for (int64_t id = 1; id <= 5000; id++) {
		snprintf(text, sizeof(text), "<%d>", (int)id);
		expect(id << 16, id % 2 ? NULL : text);
	}
	ck_assert_uint_eq(s.n, 2500);
	for (int64_t id = 1; id <= 5000; id++)
		speculation_drop(&s, id << 16);
	ck_assert_uint_eq(s.n, 0);
	ck_assert_uint_eq(s.bytes, 0);
}
END_TEST

START_TEST(too_much_is_counted)
{
	static char kilobyte[1024];

	s.most = 10000;
	for (int i = 0; i < 20; i++)
		speculation_add(&s, 1 + i % 2, kilobyte, sizeof(kilobyte));
	ck_assert_uint_eq(s.lost, 11);
	ck_assert_uint_le(s.bytes, 10000);
	speculation_drop(&s, 1);
	speculation_add(&s, 2, kilobyte, sizeof(kilobyte));
	ck_assert_uint_eq(s.lost, 11);
}
END_TEST

START_TEST(unknown_ids_are_counted)
{
	speculation_add(&s, 0, "a", 1);
	speculation_add(&s, -1, "a", 1);
	ck_assert_uint_eq(s.unknown, 2);
	expect(0, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("speculation");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keeps_order);
	tcase_add_test(tc, many_ids);
	tcase_add_test(tc, too_much_is_counted);
	tcase_add_test(tc, unknown_ids_are_counted);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
