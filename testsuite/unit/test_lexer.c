/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens: every spelling, literals and their limits, comments, script arguments, what is no token. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "parse/lex.h"

static struct arena arena;
static struct strtab names;
static struct diag diag;
static struct parse_env env;
static char *args[] = { "one 1", "tw\"o", "+", "$1", "" };
static bool used[5];

static void setup(void)
{
	arena_init(&arena);
	strtab_init(&names, &arena);
	diag_init(&diag, &arena);
	diag.color = COLOR_NEVER;
	memset(used, 0, sizeof(used));
	env = (struct parse_env){ .arena = &arena,
				  .names = &names,
				  .diag = &diag,
				  .argc = 5,
				  .argv = args,
				  .arg_used = used };
}

static void teardown(void)
{
	strtab_fini(&names);
	arena_fini(&arena);
}

/* The tokens of a text, as words: names and operators as they are, 12# numbers, "strings", {C} code. */
static const char *tokens(const char *text)
{
	struct source *src = source_new(&arena, "t", text, strlen(text));
	const char *result;
	struct lexer l;
	struct token t;
	struct buf b;

	buf_init(&b);
	lex_init(&l, &env, src);
	for (lex_next(&l, &t); t.kind != TK_EOF; lex_next(&l, &t)) {
		if (b.len)
			buf_putc(&b, ' ');
		if (t.kind == TK_BADARG)
			lex_report_argument(&l, &t);
		if (t.kind == TK_NUMBER && t.num_ok)
			buf_printf(&b, "%lld#", (long long)t.num);
		else if (t.kind == TK_NUMBER)
			buf_puts(&b, "bad#");
		else if (t.kind == TK_STRING)
			buf_printf(&b, "\"%s\"", t.str);
		else if (t.kind == TK_EMBEDDED)
			buf_printf(&b, "{%s}", t.str);
		else if (t.kind == TK_IDENT)
			buf_puts(&b, t.name);
		else
			buf_puts(&b, t.kind == TK_JUNK ? "JUNK" : token_kind_text(t.kind));
	}
	result = arena_strdup(&arena, b.p);
	lex_fini(&l);
	buf_fini(&b);
	return result;
}

static void expect(const char *text, const char *want)
{
	ck_assert_str_eq(tokens(text), want);
}

START_TEST(fixed_spellings)
{
	int k;

	for (k = KW_FIRST; k < TK_COUNT; k++)
		expect(token_kind_text((enum token_kind)k), token_kind_text((enum token_kind)k));
	expect("a<<<b<<=c<<d<=e<f", "a <<< b <<= c << d <= e < f");
	expect("a>>>b>>=c>>d>=e>f", "a >>> b >>= c >> d >= e > f");
	expect("a->b--c-=d-e", "a -> b -- c -= d - e");
	expect("probes foreachx in2 _if", "probes foreachx in2 _if");
	ck_assert_uint_eq(diag.errors, 0);
}
END_TEST

START_TEST(names_and_targets)
{
	expect("a$b $x$ $$vars$$ @cast _9 $", "a$b $x$ $$vars$$ @cast _9 $");
}
END_TEST

START_TEST(numbers)
{
	expect("0 7 010 0x1F 0XfF", "0# 7# 8# 31# 255#");
	expect("18446744073709551615 9223372036854775807", "-1# 9223372036854775807#");
	expect("01777777777777777777777 0xffffffffffffffff", "-1# -1#");
	expect("18446744073709551616 08 0x 12ab 0xg 1_0 02000000000000000000000",
	       "bad# bad# bad# bad# bad# bad# bad#");
	ck_assert_uint_eq(diag.errors, 0); /* judged by who uses them */
}
END_TEST

START_TEST(strings)
{
	expect("\"a\\n\\t\\\\\\\"\\q\"", "\"a\n\t\\\"q\"");
	expect("\"\\101\\0601\\x41\\x4g\\e\"", "\"A01A\004ge\"");
	expect("\"\"\"b\"", "\"\" \"b\"");
	ck_assert_uint_eq(diag.errors, 0);
	expect("\"open\nx", "JUNK x");
	expect("\"nul\\0\" y", "JUNK y");
	expect("\"nul\\x00\"", "JUNK");
	expect("\"end\\", "JUNK");
	ck_assert_uint_eq(diag.errors, 4);
}
END_TEST

START_TEST(comments)
{
	expect("#!x\na // b\nc /* d\n * e */ f # g", "a c f");
	expect("a/**/b /***/ c", "a b c");
	expect("a /* b", "a JUNK");
	expect("a /*/ b", "a JUNK");
	ck_assert_uint_eq(diag.errors, 2);
}
END_TEST

START_TEST(embedded)
{
	expect("%{ int x = 5 % 3; %} y", "{ int x = 5 % 3; } y");
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
	expect("%{ a }% b %}", "{ a }% b }");
	ck_assert_uint_eq(diag.warnings, 1);
	expect("%{ open %", "JUNK");
	expect("%{%}", "{}");
	ck_assert_uint_eq(diag.errors, 1);
}
END_TEST

START_TEST(no_tokens)
{
	expect("a ` b", "a JUNK b");
	expect("'x' b", "JUNK b");
	expect("a \342\200\234b\342\200\235", "a JUNK b JUNK");
	expect("\001\002", "JUNK JUNK");
	ck_assert_uint_eq(diag.errors, 6);
}
END_TEST

START_TEST(arguments)
{
	expect("$1 @1 $# @#", "one 1# \"one 1\" 5# \"5\"");
	expect("@2", "\"tw\"o\"");
	expect("a$3=b", "a$3 = b"); /* inside a name it is none */
	expect("a $3= b", "a += b"); /* pasted text joins what follows */
	expect("$1x + $1", "one bad# + one 1#");
	expect("[$5]", "[ ]");
	expect("$1\n\"s\" /* $9 */", "one 1# \"s\"");
	ck_assert_uint_eq(diag.errors, 0);
	ck_assert(used[0] && used[1] && used[2] && !used[3] && used[4]);
	expect("$4 a", "0# a"); /* an argument that refers to an argument */
	expect("$0 $6 @7 b", "0# 0# \"\" b");
	ck_assert_uint_eq(diag.errors, 4);
}
END_TEST

START_TEST(argument_places)
{
	struct source *src = source_new(&arena, "t", "a $1 $3= b", 10);
	struct lexer l;
	struct token t[6];
	int i;

	lex_init(&l, &env, src);
	for (i = 0; i < 6; i++)
		lex_next(&l, &t[i]);
	ck_assert(t[1].at.off == 2 && t[1].at.len == 2); /* one */
	ck_assert(t[2].at.off == 2 && t[2].at.len == 2); /* 1 */
	ck_assert_int_eq(t[3].kind, OP_ADD_ASSIGN);
	ck_assert(t[3].at.off == 5 && t[3].at.len == 3);
	ck_assert(t[4].at.off == 9 && t[4].at.len == 1); /* b */
	ck_assert_int_eq(t[5].kind, TK_EOF);
	lex_fini(&l);
}
END_TEST

START_TEST(errors_are_bounded)
{
	char text[4001];
	unsigned int i;

	for (i = 0; i < 4000; i += 2)
		memcpy(text + i, "` ", 2);
	text[4000] = 0;
	(void)tokens(text);
	ck_assert_uint_eq(diag.errors, 20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lexer");
	TCase *t = tcase_create("lexer");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, fixed_spellings);
	tcase_add_test(t, names_and_targets);
	tcase_add_test(t, numbers);
	tcase_add_test(t, strings);
	tcase_add_test(t, comments);
	tcase_add_test(t, embedded);
	tcase_add_test(t, no_tokens);
	tcase_add_test(t, arguments);
	tcase_add_test(t, argument_places);
	tcase_add_test(t, errors_are_bounded);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
