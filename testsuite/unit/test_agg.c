/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics: @variance against wide integers, buckets, and the layout of printed histograms. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/agg.h"

__extension__ typedef __int128 wide;

static int64_t add_all(const int64_t *v, uint32_t n, uint32_t parts, struct agg *all)
{
	struct agg part[8];

	memset(part, 0, sizeof(part));
	memset(all, 0, sizeof(*all));
	for (uint32_t i = 0; i < n; i++)
		agg_add(&part[i % parts], v[i], 1);
	for (uint32_t i = 0; i < parts; i++)
		agg_merge(all, &part[i], 1);
	return agg_variance(all);
}

/* By the definition, in fractions of n: exact while n * n * spread fits. */
static int64_t by_definition(const int64_t *v, uint32_t n)
{
	wide sum = 0, squares = 0;

	if (n < 2)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		sum += v[i];
	for (uint32_t i = 0; i < n; i++) {
		wide d = v[i] * (wide)n - sum;

		squares += d * d;
	}
	return (int64_t)(squares / n / n / (n - 1));
}

START_TEST(variance_small)
{
	static const int64_t one_to_five[] = { 1, 2, 3, 4, 5 }, same[] = { 7, 7, 7 }, one[] = { 9 };
	static const int64_t apart[] = { INT64_MIN, INT64_MAX };
	struct agg a;

	ck_assert_int_eq(add_all(one_to_five, 5, 1, &a), 2); /* 2.5, cut */
	ck_assert_int_eq(add_all(same, 3, 2, &a), 0);
	ck_assert_int_eq(add_all(one, 1, 1, &a), 0);
	ck_assert_int_eq(add_all(apart, 2, 1, &a), INT64_MAX);
	ck_assert_int_eq(add_all(NULL, 0, 1, &a), 0);
}
END_TEST

START_TEST(variance_random)
{
	int64_t v[200];
	struct agg a;

	srand48(7);
	for (int round = 0; round < 3000; round++) {
		uint32_t n = 1 + (uint32_t)lrand48() % 200;
		unsigned int shift = (unsigned int)lrand48() % 31;
		int64_t base = round % 2 ? (int64_t)lrand48() << shift : 0;

		for (uint32_t i = 0; i < n; i++)
			v[i] = base + (mrand48() >> shift);
		for (uint32_t parts = 1; parts <= 8; parts += 7)
			ck_assert_int_eq(add_all(v, n, parts, &a), by_definition(v, n));
	}
}
END_TEST

START_TEST(buckets)
{
	static const struct agg_hist log = { AGG_HIST_LOG, AGG_LOG_BUCKETS, 0, 0, 0 };
	static const struct agg_hist linear = { AGG_HIST_LINEAR, 5, 1, 3, 1 };
	static const struct agg_hist wide_one = { AGG_HIST_LINEAR, 4, INT64_MIN, INT64_MAX,
						  INT64_MAX };

	ck_assert_uint_eq(agg_bucket(&log, 0), 64);
	ck_assert_uint_eq(agg_bucket(&log, 1), 65);
	ck_assert_uint_eq(agg_bucket(&log, 3), 66);
	ck_assert_uint_eq(agg_bucket(&log, 4), 67);
	ck_assert_uint_eq(agg_bucket(&log, INT64_MAX), 127);
	ck_assert_uint_eq(agg_bucket(&log, -1), 63);
	ck_assert_uint_eq(agg_bucket(&log, -3), 62);
	ck_assert_uint_eq(agg_bucket(&log, INT64_MIN), 0);
	for (uint32_t i = 0; i < AGG_LOG_BUCKETS; i++)
		ck_assert_uint_eq(agg_bucket(&log, agg_label(&log, i)), i);
	ck_assert_uint_eq(agg_linear_buckets(1, 3, 1), 5);
	ck_assert_uint_eq(agg_bucket(&linear, 0), 0);
	ck_assert_uint_eq(agg_bucket(&linear, 1), 1);
	ck_assert_uint_eq(agg_bucket(&linear, 3), 3);
	ck_assert_uint_eq(agg_bucket(&linear, 4), 4);
	ck_assert_uint_eq(agg_linear_buckets(INT64_MIN, INT64_MAX, INT64_MAX), 5);
	ck_assert_uint_eq(agg_bucket(&wide_one, INT64_MIN), 1);
	ck_assert_uint_eq(agg_bucket(&wide_one, INT64_MAX), 3);
	ck_assert_uint_eq(agg_linear_buckets(0, 125, 1), 128);
	ck_assert_uint_eq(agg_linear_buckets(0, 126, 1), 0);
	ck_assert_uint_eq(agg_linear_buckets(5, 5, 1), 0);
	ck_assert_uint_eq(agg_linear_buckets(0, 5, 0), 0);
}
END_TEST

static const char *print(const struct agg_hist *h, const uint64_t *n, int64_t width,
			 int64_t elision)
{
	static char text[AGG_TEXT_MAX(AGG_MAX_BUCKETS, 100)];
	struct fmt_out o = { text, 0, sizeof(text) };

	agg_print(&o, h, n, width, elision);
	fmt_end(&o);
	ck_assert_uint_lt(o.len, AGG_TEXT_MAX(h->buckets, width));
	return text;
}

#define DASHES "--------------------------------------------------"
#define BLANK49 "                                                 "

START_TEST(layout_log)
{
	static const struct agg_hist h = { AGG_HIST_LOG, AGG_LOG_BUCKETS, 0, 0, 0 };
	uint64_t n[AGG_LOG_BUCKETS] = { 0 };

	n[65] = 1;
	ck_assert_str_eq(print(&h, n, 50, 2), "value |" DASHES " count\n"
					      "    0 | " BLANK49 " 0\n"
					      "    1 |@" BLANK49 " 1\n"
					      "    2 | " BLANK49 " 0\n"
					      "    4 | " BLANK49 " 0\n"
					      "\n");
	/* bars: counts divided by 4, the least that makes 182 fit */
	n[65] = 3;
	n[72] = 182;
	ck_assert_str_eq(print(&h, n, 50, 2),
			 "value |" DASHES " count\n"
			 "    0 | " BLANK49 "   0\n"
			 "    1 | " BLANK49 "   3\n"
			 "    2 | " BLANK49 "   0\n"
			 "    4 | " BLANK49 "   0\n"
			 "      ~\n"
			 "   32 | " BLANK49 "   0\n"
			 "   64 | " BLANK49 "   0\n"
			 "  128 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@      182\n"
			 "  256 | " BLANK49 "   0\n"
			 "  512 | " BLANK49 "   0\n"
			 "\n");
}
END_TEST

START_TEST(layout_negative)
{
	static const struct agg_hist h = { AGG_HIST_LOG, AGG_LOG_BUCKETS, 0, 0, 0 };
	uint64_t n[AGG_LOG_BUCKETS] = { 0 };

	n[0] = 2;
	n[64] = 1;
	ck_assert_str_eq(print(&h, n, 4, 0), "               value |---- count\n"
					     "-9223372036854775808 |@@   2\n"
					     "                     ~\n"
					     "                   0 |@    1\n"
					     "\n");
	n[0] = 0;
	n[127] = 5;
	ck_assert_str_eq(print(&h, n, 4, 1), "              value |---- count\n"
					     "                  0 |     1\n"
					     "                  1 |     0\n"
					     "                    ~\n"
					     "2305843009213693952 |     0\n"
					     "4611686018427387904 |@@   5\n"
					     "\n");
}
END_TEST

START_TEST(layout_linear)
{
	static const struct agg_hist h = { AGG_HIST_LINEAR, 13, 0, 100, 10 };
	uint64_t n[13] = { 0 };

	n[1] = 1;
	n[11] = 12;
	ck_assert_str_eq(print(&h, n, 6, 2), "value |------ count\n"
					     "    0 |        1\n"
					     "   10 |        0\n"
					     "   20 |        0\n"
					     "      ~\n"
					     "   80 |        0\n"
					     "   90 |        0\n"
					     "  100 |@@@@@@ 12\n"
					     "\n");
	n[0] = 2;
	n[12] = 6;
	n[6] = 1;
	ck_assert_str_eq(print(&h, n, 6, -1), "value |------ count\n"
					      "   <0 |@       2\n"
					      "    0 |        1\n"
					      "   10 |        0\n"
					      "   20 |        0\n"
					      "   30 |        0\n"
					      "   40 |        0\n"
					      "   50 |        1\n"
					      "   60 |        0\n"
					      "   70 |        0\n"
					      "   80 |        0\n"
					      "   90 |        0\n"
					      "  100 |@@@@@@ 12\n"
					      " >100 |@@@     6\n"
					      "\n");
	memset(n, 0, sizeof(n));
	n[6] = 1;
	ck_assert_str_eq(print(&h, n, 3, 2), "value |--- count\n"
					     "   30 |    0\n"
					     "   40 |    0\n"
					     "   50 |@   1\n"
					     "   60 |    0\n"
					     "   70 |    0\n"
					     "\n");
}
END_TEST

/* A run of four empty buckets stays, one of five loses the one in the middle. */
START_TEST(layout_runs)
{
	static const struct agg_hist h = { AGG_HIST_LINEAR, 15, -1000, 11000, 1000 };
	uint64_t n[15] = { 0 };

	n[1] = n[6] = n[12] = 1;
	ck_assert_str_eq(print(&h, n, 1, 2), "value |- count\n"
					     "-1000 |@ 1\n"
					     "    0 |  0\n"
					     " 1000 |  0\n"
					     " 2000 |  0\n"
					     " 3000 |  0\n"
					     " 4000 |@ 1\n"
					     " 5000 |  0\n"
					     " 6000 |  0\n"
					     "      ~\n"
					     " 8000 |  0\n"
					     " 9000 |  0\n"
					     "10000 |@ 1\n"
					     "11000 |  0\n"
					     "\n");
}
END_TEST

START_TEST(layout_bounded)
{
	static const struct agg_hist h = { AGG_HIST_LINEAR, 5, 1, 3, 1 };
	static const uint64_t n[5] = { 1, 1, 1, 1, 1 }, none[5];
	char text[10];
	struct fmt_out o = { text, 0, sizeof(text) };

	agg_print(&o, &h, n, 50, 2);
	fmt_end(&o);
	ck_assert_str_eq(text, "value |--");
	ck_assert_str_eq(print(&h, none, 50, 2), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("agg");
	TCase *t = tcase_create("agg");
	SRunner *r;
	int failed;

	tcase_add_test(t, variance_small);
	tcase_add_test(t, variance_random);
	tcase_add_test(t, buckets);
	tcase_add_test(t, layout_log);
	tcase_add_test(t, layout_negative);
	tcase_add_test(t, layout_linear);
	tcase_add_test(t, layout_runs);
	tcase_add_test(t, layout_bounded);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
