/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module runtime's arrays, statistics and foreach against the interpreter's store: one meaning.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir/ir.h"
#include "lkm_shim.h"

#define MAXLEN 16
#define ROUNDS 6000

static struct arena arena;
static struct ir_module *m;
static struct ir_global *g;
static void *store;
static struct shim_config config;
static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* The same global on both sides. */
static void start(struct shim_config c)
{
	config = c;
	arena_init(&arena);
	m = ir_module_new(&arena);
	m->limits.maxstringlen = MAXLEN;
	g = arena_new(&arena, struct ir_global);
	g->name = "g";
	g->type = c.value == 's' ? IR_STR : IR_I64;
	g->is_stat = c.value == 't';
	g->wrap = c.wrap;
	g->sized = c.sized;
	g->nkeys = (uint32_t)strlen(c.keys);
	for (uint32_t i = 0; i < g->nkeys; i++)
		g->keys[i] = c.keys[i] == 's' ? IR_STR : IR_I64;
	g->max_entries = c.max;
	g->stat_ops = c.rich ? 1u << IRS_VARIANCE : 0;
	if (c.rich)
		g->hist = (struct agg_hist){ AGG_HIST_LINEAR, 7, 0, 20, 5 };
	vec_push(&arena, &m->globals, g);
	store = ir_local_store_new(m);
	config.maxstringlen = MAXLEN;
	shim_memory(1ul << 20);
	seed = 1;
	ck_assert_int_eq(shim_start(&config), 0);
}

static void stop(void)
{
	shim_stop();
	ck_assert_uint_eq(shim_allocations(), 0);
	ir_local_store_free(store);
	arena_fini(&arena);
}

/* Random keys from a small set, so that they meet again. */
static void random_keys(struct shim_val *sk, struct ir_data *ik)
{
	static const char *const texts[] = { "",    "a", "b", "ab", "abc", "zz", "0123456789abcd",
					     "\xff" };

	for (uint32_t i = 0; i < g->nkeys; i++) {
		sk[i] = (struct shim_val){ (long long)pick(7) - 3, texts[pick(8)] };
		ik[i] = (struct ir_data){ g->keys[i], sk[i].num, sk[i].str };
	}
}

static int64_t stat_of(const struct agg *d, enum ir_stat op)
{
	int64_t v = -1;

	return ir_stat_extract(d, op, &v) ? v : -1;
}

static void same_key(const struct ir_elem *e)
{
	char text[MAXLEN];

	for (uint32_t k = 0; k < g->nkeys; k++) {
		if (g->keys[k] == IR_I64) {
			ck_assert_int_eq(shim_key_num(k), e->key[k].num);
			continue;
		}
		shim_key_str(k, text);
		ck_assert_str_eq(text, e->key[k].str);
	}
}

/* A whole foreach gives the same elements in the same order. */
static void same_order(int64_t limit)
{
	struct ir_iter it = { .sort_dir = config.sort_dir,
			      .sort_key = config.sort_key,
			      .sort_stat = (enum ir_stat)config.sort_stat };
	struct shim_val sk[IR_MAXKEYS];
	struct ir_slice which = { .fixed = config.fixed };
	struct ir_elem *v;
	struct arena a;
	uint32_t n;

	random_keys(sk, which.keys);
	arena_init(&a);
	ck_assert_int_eq(ir_local_store.snapshot(store, 0, &which, &a, &v, &n), 0);
	if (it.sort_dir)
		ir_sort_elems(v, n, &it, g);
	if (limit >= 0 && limit < n)
		n = (uint32_t)limit;
	ck_assert_uint_eq(shim_foreach(limit, sk), 0);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_msg(shim_next(), "%u elements of %u", i, n);
		same_key(&v[i]);
		if (g->is_stat) {
			for (int op = IRS_COUNT; op <= (config.rich ? IRS_VARIANCE : IRS_AVG); op++)
				ck_assert_int_eq(shim_val_stat((unsigned int)op),
						 stat_of(&v[i].stat, (enum ir_stat)op));
		} else if (g->type == IR_I64) {
			ck_assert_int_eq(shim_val_num(), v[i].val.num);
		}
	}
	ck_assert(!shim_next());
	shim_end();
	arena_fini(&a);
}

static void same_hist(const struct shim_val *sk, const struct ir_data *ik)
{
	uint64_t counts[AGG_MAX_BUCKETS];
	bool found = ir_local_store.hist_get(store, 0, ik, counts);
	long long v;

	for (uint32_t b = 0; b < g->hist.buckets; b++) {
		ck_assert_uint_eq(shim_hist_get(sk, b, &v), found ? 0 : ERR_EMPTY);
		if (found)
			ck_assert_int_eq(v, (int64_t)counts[b]);
	}
	ck_assert_uint_eq(shim_hist_get(sk, g->hist.buckets, &v),
			  found ? ERR_HIST_RANGE : ERR_EMPTY);
	ck_assert_uint_eq(shim_hist_get(sk, -1, &v), found ? ERR_HIST_RANGE : ERR_EMPTY);
}

static void same_value(const struct shim_val *sk, const struct ir_data *ik)
{
	struct agg stat = { 0 };
	char text[MAXLEN];
	struct ir_data d;
	long long v;
	bool found;

	if (g->is_stat) {
		found = ir_local_store.stat_get(store, 0, ik, &stat);
		for (unsigned int op = IRS_COUNT; op <= (config.rich ? IRS_VARIANCE : IRS_AVG);
		     op++) {
			bool empty = !stat.count && op != IRS_COUNT && op != IRS_SUM;

			ck_assert_uint_eq(shim_stat_get(sk, op, &v), empty ? ERR_EMPTY : 0);
			if (!empty)
				ck_assert_int_eq(v, stat_of(&stat, (enum ir_stat)op));
		}
		if (config.rich)
			same_hist(sk, ik);
	} else {
		ck_assert_int_eq(ir_local_store.get(store, 0, ik, &d, &found), 0);
		if (g->type == IR_I64) {
			ck_assert_int_eq(shim_num(sk), found ? d.num : 0);
		} else {
			shim_str(sk, text);
			ck_assert_str_eq(text, found ? d.str : "");
		}
	}
	ck_assert_int_eq(shim_has(sk), found);
}

/* One random change on both sides, with the same result. */
static void change(void)
{
	struct shim_val sk[IR_MAXKEYS], sv = { (long long)pick(100) - 50, "" };
	struct ir_slice which = { .fixed = config.fixed };
	struct ir_data ik[IR_MAXKEYS], iv = { g->type, sv.num, "" };
	int64_t operand = 0, now = 0;
	long long snow = 0;
	bool found;

	random_keys(sk, ik);
	iv.str = sv.str = pick(2) ? "value" : "";
	shim_on_cpu(pick(config.cpus));
	switch (pick(13)) {
	case 0:
		ir_local_store.del(store, 0, ik);
		shim_del(sk);
		break;
	case 1:
		if (pick(40))
			break;
		ir_local_store.clear(store, 0);
		shim_clear();
		break;
	case 12:
		memcpy(which.keys, ik, sizeof(ik));
		ck_assert_int_eq(shim_has_any(sk), ir_local_store.has_any(store, 0, &which));
		if (pick(4))
			break;
		ir_local_store.del_any(store, 0, &which);
		shim_del_any(sk);
		ck_assert_int_eq(shim_has_any(sk), 0);
		break;
	case 2:
		if (g->is_stat || g->type != IR_I64)
			break;
		ck_assert_uint_eq(
			shim_add(sk, sv.num, &snow),
			(unsigned int)ir_local_store.add(store, 0, ik, sv.num, &now, &operand));
		ck_assert_int_eq(snow, now);
		break;
	case 3:
		/* Reading is not creating, in both. */
		same_value(sk, ik);
		return;
	default:
		if (g->is_stat)
			ck_assert_uint_eq(shim_stat_add(sk, sv.num),
					  (unsigned int)ir_local_store.stat_add(store, 0, ik,
										sv.num, &operand));
		else
			ck_assert_uint_eq(shim_set(sk, &sv), (unsigned int)ir_local_store.set(
								     store, 0, ik, &iv, &operand));
	}
	found = false;
	(void)found;
	same_value(sk, ik);
}

static void compare(struct shim_config c)
{
	start(c);
	for (int i = 0; i < ROUNDS; i++) {
		change();
		if (i % 16 == 0)
			same_order(pick(3) ? -1 : (int64_t)pick(12));
	}
	stop();
}

START_TEST(numbers)
{
	compare((struct shim_config){ .keys = "i", .value = 'i', .max = 100, .cpus = 1 });
	compare((struct shim_config){ .keys = "i", .value = 'i', .max = 3, .cpus = 1 });
	compare((struct shim_config){ .keys = "i", .value = 'i', .max = 3, .cpus = 1, .sized = 1 });
	compare((struct shim_config){ .keys = "is", .value = 'i', .max = 1, .cpus = 1, .wrap = 1 });
	compare((struct shim_config){
		.keys = "iissi", .value = 'i', .max = 40, .cpus = 1, .wrap = 1 });
}
END_TEST

START_TEST(strings)
{
	compare((struct shim_config){ .keys = "s", .value = 's', .max = 100, .cpus = 1 });
	compare((struct shim_config){ .keys = "ss", .value = 's', .max = 5, .cpus = 1, .wrap = 1 });
}
END_TEST

START_TEST(statistics)
{
	compare((struct shim_config){ .keys = "i", .value = 't', .max = 100, .cpus = 1 });
	compare((struct shim_config){ .keys = "i", .value = 't', .max = 100, .cpus = 4 });
	compare((struct shim_config){ .keys = "is", .value = 't', .max = 5, .cpus = 4 });
	compare((struct shim_config){ .keys = "is", .value = 't', .max = 5, .cpus = 4, .wrap = 1 });
}
END_TEST

START_TEST(rich_statistics)
{
	compare((struct shim_config){ .keys = "is", .value = 't', .max = 30, .cpus = 4, .rich = 1 });
	compare((struct shim_config){
		.keys = "i", .value = 't', .max = 5, .cpus = 3, .rich = 1, .wrap = 1 });
	compare((struct shim_config){ .keys = "is",
				      .value = 't',
				      .max = 30,
				      .cpus = 4,
				      .rich = 1,
				      .sort_dir = -1,
				      .sort_stat = IRS_VARIANCE });
}
END_TEST

START_TEST(slices)
{
	for (unsigned int fixed = 1; fixed < 8; fixed++) {
		compare((struct shim_config){
			.keys = "isi", .value = 'i', .max = 300, .cpus = 1, .fixed = fixed });
		compare((struct shim_config){ .keys = "isi",
					      .value = 't',
					      .max = 20,
					      .cpus = 4,
					      .rich = 1,
					      .wrap = 1,
					      .fixed = fixed,
					      .sort_dir = 1,
					      .sort_key = 2 });
	}
}
END_TEST

START_TEST(sorted)
{
	for (int dir = -1; dir <= 1; dir += 2) {
		for (int key = 0; key <= 2; key++) {
			compare((struct shim_config){ .keys = "is",
						      .value = 'i',
						      .max = 300,
						      .cpus = 1,
						      .sort_dir = dir,
						      .sort_key = key });
			compare((struct shim_config){ .keys = "is",
						      .value = 't',
						      .max = 300,
						      .cpus = 3,
						      .sort_dir = dir,
						      .sort_key = key,
						      .sort_stat = IRS_SUM });
		}
	}
	compare((struct shim_config){
		.keys = "s", .value = 's', .max = 300, .cpus = 1, .sort_dir = 1 });
}
END_TEST

START_TEST(scalar_statistic)
{
	long long v;

	start((struct shim_config){ .keys = "", .value = 't', .max = 0, .cpus = 3 });
	ck_assert_uint_eq(shim_stat_get(NULL, IRS_COUNT, &v), 0);
	ck_assert_int_eq(v, 0);
	ck_assert_uint_eq(shim_stat_get(NULL, IRS_AVG, &v), ERR_EMPTY);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		shim_on_cpu(cpu);
		ck_assert_uint_eq(shim_stat_add(NULL, 10 * cpu), 0);
		ck_assert_uint_eq(shim_stat_add(NULL, 1), 0);
	}
	ck_assert_uint_eq(shim_stat_get(NULL, IRS_SUM, &v), 0);
	ck_assert_int_eq(v, 33);
	ck_assert_uint_eq(shim_stat_get(NULL, IRS_MAX, &v), 0);
	ck_assert_int_eq(v, 20);
	shim_clear();
	ck_assert_uint_eq(shim_stat_get(NULL, IRS_COUNT, &v), 0);
	ck_assert_int_eq(v, 0);
	stop();
}
END_TEST

START_TEST(no_memory)
{
	struct shim_config c = {
		.keys = "i", .value = 'i', .max = 2000000000, .cpus = 1, .maxstringlen = MAXLEN
	};

	shim_memory(1000);
	ck_assert_int_eq(shim_start(&c), -1);
	shim_stop();
	ck_assert_uint_eq(shim_allocations(), 0);
}
END_TEST

START_TEST(text)
{
	static const char *const some[] = { "",
					    "a",
					    "ab",
					    "abcdef",
					    "0123456789abcde",
					    "\xff",
					    " -0x1fz",
					    "077",
					    "+9z",
					    "9223372036854775808",
					    "-9223372036854775809",
					    "z",
					    "0x",
					    "  12 3" };
	char to[MAXLEN], c[2 * MAXLEN];
	const size_t n = sizeof(some) / sizeof(*some);

	start((struct shim_config){ .keys = "i", .value = 'i', .max = 1, .cpus = 1 });
	for (size_t i = 0; i < n; i++) {
		for (int64_t base = -1; base <= 37; base++) {
			bool ok = base == 0 || (base >= 2 && base <= 36);

			ck_assert_int_eq(shim_strtol(some[i], base),
					 ok ? strtoll(some[i], NULL, (int)base) : 0);
		}
		for (size_t k = 0; k < n; k++) {
			int order = strcmp(some[i], some[k]);

			ck_assert_int_eq(shim_cmp(some[i], some[k]), order < 0 ? -1 : order > 0);
			ck_assert_int_eq(shim_isinstr(some[i], some[k]),
					 strstr(some[i], some[k]) != NULL);
			if (strlen(some[i]) >= MAXLEN || strlen(some[k]) >= MAXLEN)
				continue;
			snprintf(c, sizeof(c), "%s%s", some[i], some[k]);
			c[MAXLEN - 1] = 0;
			shim_cat(to, some[i], some[k]);
			ck_assert_str_eq(to, c);
			/* The destination may be an operand. */
			strcpy(to, some[i]);
			shim_cat(to, to, some[k]);
			ck_assert_str_eq(to, c);
			strcpy(to, some[k]);
			shim_cat(to, some[i], to);
			ck_assert_str_eq(to, c);
		}
	}
	strcpy(to, "abcdef");
	shim_substr(to, to, 2, 3);
	ck_assert_str_eq(to, "cde");
	shim_substr(to, "abcdef", 4, 100);
	ck_assert_str_eq(to, "ef");
	shim_substr(to, "abcdef", -1, 3);
	ck_assert_str_eq(to, "");
	shim_substr(to, "abcdef", 6, 3);
	ck_assert_str_eq(to, "");
	stop();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { numbers, strings, statistics, rich_statistics, slices, sorted,
				       scalar_statistic, no_memory, text };
	TCase *tc = tcase_create("lkm_maps");
	Suite *suite = suite_create("lkm_maps");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tc, tests[i]);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
