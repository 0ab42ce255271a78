/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on a target that is made up, and limits of macros. */
#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "parse/parse.h"

static struct arena arena;
static struct strtab names;
static struct diag diag;
static struct parse_env env;
static char *args[] = { "7", "seven" };

static const char *runtime_name(void *arg)
{
	return arg;
}

static const char *config_value(void *arg, const char *name)
{
	static const char *const set[][2] = {
		{ "CONFIG_A", "y" },   { "CONFIG_M", "m" },	 { "CONFIG_HZ", "250" },
		{ "CONFIG_MAX", "0x40" }, { "CONFIG_TEXT", "words and more" },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		if (!strcmp(set[i][0], name))
			return set[i][1];
	return "";
}

static const struct parse_facts facts = {
	.kernel_vr = "6.1.0-56-cloud-amd64", .kernel_v = "6.1.0", .arch = "x86_64",
	.privilege = "stapdev", .guru = true, .runtime = runtime_name, .config = config_value,
	.arg = (void *)(uintptr_t)"bpf"
};

static void setup(void)
{
	arena_init(&arena);
	strtab_init(&names, &arena);
	diag_init(&diag, &arena);
	env = (struct parse_env){ .arena = &arena, .names = &names, .diag = &diag, .argc = 2,
				  .argv = args, .facts = &facts };
}

static void teardown(void)
{
	strtab_fini(&names);
	arena_fini(&arena);
}

static struct ast_file *parse(const char *text)
{
	return parse_file(&env, source_new(&arena, "t", text, strlen(text)));
}

static void expect(const char *condition, bool holds)
{
	struct ast_file *f = parse(arena_printf(
		&arena, "%%( %s %%? probe yes { } %%: probe no { } %%)", condition));

	ck_assert_msg(diag.errors == 0, "an error: %s", condition);
	ck_assert_uint_eq(f->probes.n, 1);
	ck_assert_msg(!strcmp(f->probes.v[0]->points.v[0]->comps.v[0].name, holds ? "yes" : "no"),
		      "%s", condition);
}

START_TEST(versions)
{
	expect("kernel_v == \"6.1.0\"", true);
	expect("kernel_v == \"6.1\"", false);
	expect("kernel_v == \"6.*\"", true);
	expect("kernel_v != \"[0-5].*\"", true);
	expect("kernel_v < \"6.10\"", true); /* by number, not by letter */
	expect("kernel_v >= \"6.1\"", true);
	expect("kernel_v > \"6.1.0\"", false);
	expect("kernel_v <= \"6.1.0\"", true);
	expect("kernel_vr == \"*cloud*\"", true);
	expect("kernel_vr > \"6.1.0\"", true);
	expect("systemtap_v == \"" SPILE_LIKE "\"", true);
	env.compatible = "4.1";
	expect("systemtap_v < \"4.10\" && systemtap_v > \"4.0\"", true);
}
END_TEST

START_TEST(names_and_flags)
{
	expect("arch == \"x86_64\"", true);
	expect("arch != \"arm*\"", true);
	expect("runtime == \"bpf\"", true);
	expect("runtime != \"dyninst\"", true);
	expect("guru_mode == 1", true);
	expect("guru_mode != 1", false);
	expect("guru_mode == 0", false);
	expect("systemtap_privilege == \"stapdev\"", true);
	expect("systemtap_privilege != \"stap*\"", false);
}
END_TEST

START_TEST(configuration)
{
	expect("CONFIG_A == \"y\"", true);
	expect("CONFIG_M == \"[ym]\"", true);
	expect("CONFIG_A != \"y\"", false);
	expect("CONFIG_NONE == \"\"", true);
	expect("CONFIG_NONE == \"y\"", false);
	expect("CONFIG_TEXT == \"words*\"", true);
	expect("CONFIG_HZ == 250", true);
	expect("CONFIG_HZ > 99", true);
	expect("CONFIG_HZ <= 249", false);
	expect("CONFIG_MAX == 64", true);
	expect("CONFIG_A == 1", false); /* no number */
	expect("CONFIG_A != 1", true);
	expect("CONFIG_HZ > CONFIG_MAX", true); /* as numbers */
	expect("CONFIG_M < CONFIG_A", true); /* as texts */
	expect("CONFIG_A == CONFIG_A", true);
}
END_TEST

START_TEST(literals)
{
	expect("$# == 2", true);
	expect("$1 > 6 && $1 < 8", true);
	expect("$1 == -7", false);
	expect("-1 < 0", true);
	expect("@2 == \"seven\"", true);
	expect("@2 == \"sev*\"", false); /* no pattern */
	expect("\"a\" \"b\" == \"ab\"", true);
	expect("\"10\" < \"9\"", true); /* by letter */
	expect("0x10 == 020", true);
}
END_TEST

START_TEST(joined)
{
	expect("1 == 2 && 1 == 2 || 1 == 1", true);
	expect("1 == 1 || 1 == 2 && 1 == 2", true);
	expect("1 == 2 || 1 == 1 && 1 == 2", false);
	/* what cannot matter may name arguments that are not there */
	expect("$# > 2 && $3 == 3", false);
	expect("$# < 3 || $3 == 3", true);
}
END_TEST

START_TEST(deep_nesting)
{
	struct buf b;
	int i;

	buf_init(&b);
	for (i = 0; i < 20000; i++)
		buf_puts(&b, "%( 1 == 1 %? ");
	buf_puts(&b, "probe yes { }");
	for (i = 0; i < 20000; i++)
		buf_puts(&b, "%)");
	ck_assert_uint_eq(parse(b.p)->probes.n, 1);
	ck_assert_uint_eq(diag.errors, 0);
	buf_reset(&b);
	for (i = 0; i < 300; i++)
		buf_printf(&b, "@define m%d %%( @m%d %%)\n", i, i + 1);
	buf_puts(&b, "@define m300 %( probe deep { } %) @m250 @m0");
	parse(b.p);
	ck_assert_uint_eq(diag.errors, 1); /* E-LIMIT of @m0 */
	buf_fini(&b);
}
END_TEST

START_TEST(arguments_are_not_copied_without_end)
{
	struct buf b;
	int i;

	buf_init(&b);
	buf_puts(&b, "@define f(x) %( @x %) probe begin { y = ");
	for (i = 0; i < 300; i++)
		buf_puts(&b, "@f(");
	buf_puts(&b, "1");
	for (i = 0; i < 300; i++)
		buf_puts(&b, ")");
	buf_puts(&b, " }");
	ck_assert_uint_eq(parse(b.p)->probes.n, 1);
	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_uint_lt(arena.used, 16u << 20);
	buf_fini(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("preproc");
	TCase *t = tcase_create("preproc");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, versions);
	tcase_add_test(t, names_and_flags);
	tcase_add_test(t, configuration);
	tcase_add_test(t, literals);
	tcase_add_test(t, joined);
	tcase_add_test(t, deep_nesting);
	tcase_add_test(t, arguments_are_not_copied_without_end);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
