/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pass 2 over a family of its own: which points share a handler, aliases, '?' and '!', what is
 * lowered. Values and messages are tested by scripts: testsuite/run and testsuite/golden/elab.
 */
#include <check.h>
#include <string.h>

#include "elaborate/elaborate.h"
#include "ir/ir.h"
#include "parse/parse.h"

/*
 * fake.NAME: one site; fake.NAME.two: two. Context variables: $same is the first argument
 * everywhere, $num a number that differs from site to site. fake.gone has no site.
 */
static int next_num;

static const struct probe_var *fake_var(struct probe_env *env, const struct probe_site *site,
					const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);

	v->name = name;
	v->width = 8;
	if (!strcmp(name, "$same")) {
		v->kind = PV_ARG;
		v->n = 1;
		return v;
	}
	if (!strcmp(name, "$num")) {
		v->kind = PV_NUM;
		v->num = *(const int *)site->priv;
		return v;
	}
	return NULL;
}

static void fake_each(struct probe_env *env, const struct probe_site *site,
		      void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	/* gone when the call returns, which pass 2 must allow for */
	struct probe_var v = *fake_var(env, site, "$same");

	fn(&v, arg);
	v = *fake_var(env, site, "$num");
	fn(&v, arg);
	memset(&v, 0xff, sizeof(v));
}

static const struct probe_family fake = {
	.pattern = "fake", .kind = AT_KPROBE, .var = fake_var, .each_var = fake_each
};

enum probe_result probe_resolve(struct probe_env *env, const struct probe_point *pp, bool quiet,
				site_vec *out)
{
	uint32_t n = pp->comps.n;

	if (strcmp(pp->comps.v[0].name, "fake") != 0)
		return PROBE_UNKNOWN;
	if (n > 1 && !strcmp(pp->comps.v[1].name, "gone")) {
		if (!quiet)
			diag_error(env->diag, TAG_UNKNOWN_PROBE, pp->at, "gone");
		return PROBE_NOMATCH;
	}
	for (int i = 0; i < (n > 1 && !strcmp(pp->comps.v[n - 1].name, "two") ? 2 : 1); i++) {
		struct probe_site s = { .family = &fake };
		int *num = arena_new(env->arena, int);
		struct buf b;

		*num = next_num++;
		buf_init(&b);
		ast_print_point(&b, pp);
		s.probe.kind = AT_KPROBE;
		s.probe.name = arena_strdup(env->arena, b.p);
		s.priv = num;
		buf_fini(&b);
		vec_push(env->arena, out, s);
	}
	return PROBE_OK;
}

struct sym_object *probe_kernel_types(struct probe_env *env, const char **why)
{
	(void)env;
	*why = "no kernel here";
	return NULL;
}

struct sym_object *probe_module_types(struct probe_env *env, const char *name, const char **why)
{
	(void)name;
	return probe_kernel_types(env, why);
}

struct sym_object *probe_site_types(struct probe_env *env, const struct probe_site *site)
{
	(void)env;
	(void)site;
	return NULL;
}

uint64_t probe_kernel_id(const struct probe_env *env)
{
	(void)env;
	return 0;
}

bool probe_constant(struct probe_env *env, const struct probe_site *site, const char *name, int64_t *value)
{
	(void)env;
	(void)site;
	*value = 0;
	return !strcmp(name, "CONSTANT");
}

const struct probe_var *probe_global(struct probe_env *env, const struct probe_site *site, const char *name,
				     const char *module, const char **why)
{
	(void)env;
	(void)site;
	(void)name;
	(void)module;
	*why = "no binary here";
	return NULL;
}

const char *probe_var_elsewhere(struct probe_env *env, const struct probe_site *site, const char *name)
{
	(void)env;
	(void)site;
	(void)name;
	return NULL;
}

void probe_report_unknown(struct probe_env *env, const struct probe_point *pp, const char *alias)
{
	(void)alias;
	diag_error(env->diag, TAG_UNKNOWN_PROBE, pp->at, "unknown");
}

bool probe_entry_site(struct probe_env *env, const struct probe_site *site,
		      struct probe_site *entry)
{
	(void)env;
	(void)site;
	(void)entry;
	return false;
}

static struct session s;

static void setup(void)
{
	memset(&s, 0, sizeof(s));
	arena_init(&s.arena);
	strtab_init(&s.names, &s.arena);
	diag_init(&s.diag, &s.arena);
	s.diag.color = COLOR_NEVER;
	s.module_name = "test";
	ir_limits_default(&s.limits);
	next_num = 0;
}

static void teardown(void)
{
	strtab_fini(&s.names);
	arena_fini(&s.arena);
}

static struct elab *resolve(const char *text)
{
	struct parse_env env = { .arena = &s.arena, .names = &s.names, .diag = &s.diag };
	struct ast_file *f = parse_file(&env, source_new(&s.arena, "t.stp", text, strlen(text)));
	struct elab_input in = {
		.session = &s, .files = &f, .nfiles = 1, .sides = SIDE_K, .backend = "test"
	};

	ck_assert_uint_eq(s.diag.errors, 0);
	return elaborate(&in);
}

/* The verified IR of a script without errors. */
static struct ir_module *compile(const char *text)
{
	struct elab *e = resolve(text);
	struct ir_module *m;
	const char *err;

	if (!e)
		diag_flush(&s.diag, stdout);
	ck_assert_ptr_nonnull(e);
	m = lower(e);
	err = ir_verify(m);
	ck_assert_msg(!err, "%s", err);
	return m;
}

static const char *dump(struct ir_module *m)
{
	struct buf b;
	const char *text;

	buf_init(&b);
	ir_print(&b, m);
	text = arena_strdup(&s.arena, b.p);
	buf_fini(&b);
	return text;
}

static uint32_t handlers(const struct ir_module *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->funcs.n; i++)
		n += m->funcs.v[i]->is_handler;
	return n;
}

START_TEST(sites_that_mean_the_same_share_a_handler)
{
	struct ir_module *m = compile("probe fake.a, fake.b.two { println($same) }");

	ck_assert_uint_eq(m->probes.n, 3);
	ck_assert_uint_eq(handlers(m), 1);
}
END_TEST

START_TEST(numbers_that_differ_are_the_sites_own)
{
	struct ir_module *m = compile("probe fake.b.two { println($num) }");
	uint32_t at;

	ck_assert_uint_eq(m->probes.n, 2);
	ck_assert_uint_eq(handlers(m), 1);
	ck_assert_ptr_nonnull(strstr(dump(m), "sitenum.0"));
	for (at = 0; at < 2; at++)
		ck_assert_int_eq(m->probes.v[at]->nums.v[0], at);
}
END_TEST

START_TEST(lists_of_variables_survive_the_family)
{
	ck_assert_ptr_nonnull(
		strstr(dump(compile("probe fake.a { println($$vars) }")), "same=%#x num=%#x"));
}
END_TEST

START_TEST(aliases_nest_from_inside_out)
{
	struct ir_module *m = compile("probe one = fake.a { print(\"1\") }, { print(\"4\") }\n"
				      "probe two = one { print(\"2\") }\n"
				      "probe two { print(\"3\") }");
	const char *t = dump(m), *last = t;

	ck_assert_uint_eq(m->probes.n, 1);
	ck_assert_str_eq(m->probes.v[0]->chain, "fake.a <- one <- two");
	for (const char *d = "1234"; *d; d++) {
		const char want[] = { '"', *d, '"', '\0' };

		last = strstr(last, want);
		ck_assert_ptr_nonnull(last);
	}
}
END_TEST

START_TEST(a_suffix_goes_to_every_point_of_an_alias)
{
	struct ir_module *m =
		compile("probe one = fake.a, fake.b { }\nprobe one.two { println(\"x\") }");

	ck_assert_uint_eq(m->probes.n, 4);
	ck_assert_str_eq(m->probes.v[3]->name, "fake.b.two");
}
END_TEST

START_TEST(a_sufficient_point_ends_the_list)
{
	ck_assert_uint_eq(compile("probe fake.gone !, fake.a !, fake.b { println(1) }")->probes.n,
			  1);
}
END_TEST

START_TEST(an_optional_point_may_be_missing)
{
	struct ir_module *m = compile("probe fake.gone ?, nowhere ?, fake.a ? { println(1) }");

	ck_assert_uint_eq(m->probes.n, 1);
	ck_assert(m->probes.v[0]->optional);
	ck_assert_ptr_null(resolve("probe fake.gone { println(1) }"));
}
END_TEST

START_TEST(a_condition_guards_the_handler)
{
	const char *t = dump(compile("global on\nprobe fake.a if (on) { println(\"x\") }"));

	ck_assert_ptr_nonnull(strstr(t, "gget @on"));
	ck_assert_ptr_nonnull(strstr(t, "br %"));
}
END_TEST

START_TEST(only_what_can_run_is_lowered)
{
	struct ir_module *m = compile("global used = 1, unused\n"
				      "function f() { return used }\n"
				      "function g() { unused++ }\n"
				      "probe fake.a { println(f()) }");

	ck_assert_uint_eq(m->globals.n, 1);
	ck_assert_str_eq(m->globals.v[0]->name, "used");
	ck_assert_uint_eq(m->funcs.n, 2);
	ck_assert_uint_eq(s.diag.warnings, 1);
}
END_TEST

START_TEST(extractors_are_noted)
{
	struct ir_module *m = compile("global st, arr\n"
				      "probe fake.a { st <<< 1; arr[1] <<< 2; println(@avg(st))\n"
				      "foreach (k in arr @max-) println(k, @sum(arr[k])) }");

	ck_assert_uint_eq(m->globals.v[0]->stat_ops, 1u << IRS_AVG);
	ck_assert_uint_eq(m->globals.v[1]->stat_ops, 1u << IRS_SUM | 1u << IRS_MAX);
}
END_TEST

START_TEST(types_flow_backwards)
{
	struct ir_module *m = compile("global a, b\n"
				      "function id(x) { return x }\n"
				      "probe fake.a { y = id(z); z = y; a[z] = b; b = y . \"\" }");

	ck_assert_int_eq(m->globals.v[0]->keys[0], IR_STR);
	ck_assert_int_eq(m->globals.v[0]->type, IR_STR);
	ck_assert_int_eq(m->globals.v[1]->type, IR_STR);
}
END_TEST

START_TEST(iterators_are_closed_before_a_catch)
{
	const char *t = dump(compile(
		"global a\n"
		"probe fake.a { a[1] = 1; try { foreach (k in a) println(1 / k) } catch { } }"));
	const char *end = strstr(t, "it_end");

	ck_assert_ptr_nonnull(end);
	ck_assert_ptr_nonnull(strstr(end + 1, "it_end"));
}
END_TEST

START_TEST(private_names_belong_to_their_file)
{
	struct parse_env env = { .arena = &s.arena, .names = &s.names, .diag = &s.diag };
	const char *text[2] = { "private global n\nprobe fake.a { n = 1 }",
				"global n\nprobe fake.a { n = \"s\" }" };
	struct ast_file *f[2];
	struct elab_input in = {
		.session = &s, .files = f, .nfiles = 2, .sides = SIDE_K, .backend = "test"
	};
	struct ir_module *m;
	struct elab *e;

	for (int i = 0; i < 2; i++)
		f[i] = parse_file(&env, source_new(&s.arena, i ? "b.stp" : "a.stp", text[i],
						   strlen(text[i])));
	e = elaborate(&in);
	ck_assert_ptr_nonnull(e);
	m = lower(e);
	ck_assert_ptr_null(ir_verify(m));
	ck_assert_uint_eq(m->globals.n, 2);
	ck_assert_int_eq(m->globals.v[0]->type, IR_I64);
	ck_assert_int_eq(m->globals.v[1]->type, IR_STR);
	ck_assert_str_ne(m->globals.v[0]->name, m->globals.v[1]->name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elaborate");
	TCase *t = tcase_create("pass 2");
	SRunner *run;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sites_that_mean_the_same_share_a_handler);
	tcase_add_test(t, numbers_that_differ_are_the_sites_own);
	tcase_add_test(t, lists_of_variables_survive_the_family);
	tcase_add_test(t, aliases_nest_from_inside_out);
	tcase_add_test(t, a_suffix_goes_to_every_point_of_an_alias);
	tcase_add_test(t, a_sufficient_point_ends_the_list);
	tcase_add_test(t, an_optional_point_may_be_missing);
	tcase_add_test(t, a_condition_guards_the_handler);
	tcase_add_test(t, only_what_can_run_is_lowered);
	tcase_add_test(t, extractors_are_noted);
	tcase_add_test(t, types_flow_backwards);
	tcase_add_test(t, iterators_are_closed_before_a_catch);
	tcase_add_test(t, private_names_belong_to_their_file);
	suite_add_tcase(suite, t);
	run = srunner_create(suite);
	srunner_run_all(run, CK_ENV);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
