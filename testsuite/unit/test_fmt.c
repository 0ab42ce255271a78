/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formatter means what C's printf means, and what it adds is as documented. */
#include <check.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/text.h"

static const char flag_chars[] = { 0, '0', '+', '-', ' ', '#' }; /* by enum fmt_flag */

/* One conversion into @text; returns its length. */
static size_t format_int(char *text, size_t size, struct fmt_spec f, int64_t v)
{
	struct fmt_out o = { text, 0, size };

	fmt_int(&o, &f, v);
	fmt_end(&o);
	return o.len;
}

static size_t format_str(char *text, size_t size, struct fmt_spec f, const char *s)
{
	struct fmt_out o = { text, 0, size };

	fmt_str(&o, &f, s, strlen(s));
	fmt_end(&o);
	return o.len;
}

/* The same for libc: "%", flag, width, precision, then @tail. */
static void libc_spec(char *out, size_t size, const struct fmt_spec *f, const char *tail)
{
	char flag[2] = { flag_chars[f->flag], 0 }, width[16] = "", prec[16] = "";

	if (f->width >= 0)
		snprintf(width, sizeof(width), "%d", f->width);
	if (f->prec >= 0)
		snprintf(prec, sizeof(prec), ".%d", f->prec);
	snprintf(out, size, "%%%s%s%s%s", flag, width, prec, tail);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void compare_int(struct fmt_spec f, int64_t v)
{
	char ours[256], theirs[256], spec[64], tail[8];

	snprintf(tail, sizeof(tail), "ll%c", f.conv);
	libc_spec(spec, sizeof(spec), &f, tail);
	snprintf(theirs, sizeof(theirs), spec, (long long)v);
	format_int(ours, sizeof(ours), f, v);
	ck_assert_msg(!strcmp(ours, theirs), "%s of %" PRId64 ": \"%s\", printf says \"%s\"", spec,
		      v, ours, theirs);
}

START_TEST(integers_as_libc)
{
	static const int64_t values[] = { 0,   1,   -1,    7,         8,         42,
					  -42, 255, 65536, INT64_MAX, INT64_MIN, 1234567890123 };
	static const int sizes[] = { FMT_NONE, 0, 1, 2, 5, 20, 70 };
	static const char convs[] = "diuoxX";
	size_t c, v, w, p;
	int flag;

	for (c = 0; convs[c]; c++)
		for (flag = FMT_F_NONE; flag <= FMT_F_HASH; flag++)
			for (w = 0; w < 7; w++)
				for (p = 0; p < 7; p++)
					for (v = 0; v < 12; v++)
						compare_int((struct fmt_spec){ convs[c],
									       (unsigned char)flag,
									       sizes[w], sizes[p] },
							    values[v]);
}
END_TEST

START_TEST(strings_as_libc)
{
	static const char *const values[] = { "", "a", "hello", "a longer string" };
	static const int sizes[] = { FMT_NONE, 0, 1, 5, 9, 40 };
	static const int flags[] = { FMT_F_NONE, FMT_F_MINUS };
	char ours[256], theirs[256], spec[64];
	size_t v, w, p, k;

	for (k = 0; k < 2; k++)
		for (w = 0; w < 6; w++)
			for (p = 0; p < 6; p++)
				for (v = 0; v < 4; v++) {
					struct fmt_spec f = { 's', (unsigned char)flags[k],
							      sizes[w], sizes[p] };

					libc_spec(spec, sizeof(spec), &f, "s");
					snprintf(theirs, sizeof(theirs), spec, values[v]);
					format_str(ours, sizeof(ours), f, values[v]);
					ck_assert_str_eq(ours, theirs);
				}
}
END_TEST

#pragma GCC diagnostic pop

static void expect_int(struct fmt_spec f, int64_t v, const char *want)
{
	char text[64];

	format_int(text, sizeof(text), f, v);
	ck_assert_str_eq(text, want);
}

static void expect_mem(struct fmt_spec f, const char *bytes, size_t n, const char *want, size_t len)
{
	char text[64];
	struct fmt_out o = { text, 0, sizeof(text) };

	fmt_mem(&o, &f, bytes, n);
	ck_assert_uint_eq(o.len, len);
	ck_assert_mem_eq(text, want, len);
}

START_TEST(memory)
{
	expect_mem((struct fmt_spec){ 'm', 0, FMT_NONE, 3 }, "a\0b", 3, "a\0b", 3);
	expect_mem((struct fmt_spec){ 'm', 0, 5, 3 }, "a\0b", 3, "  a\0b", 5);
	expect_mem((struct fmt_spec){ 'm', FMT_F_MINUS, 5, 3 }, "a\0b", 3, "a\0b  ", 5);
	expect_mem((struct fmt_spec){ 'M', 0, FMT_NONE, 3 }, "a\0\xff", 3, "6100ff", 6);
	expect_mem((struct fmt_spec){ 'M', 0, 8, 3 }, "a\0\xff", 3, "  6100ff", 8);
	expect_mem((struct fmt_spec){ 'M', FMT_F_MINUS, 8, 3 }, "a\0\xff", 3, "6100ff  ", 8);
	expect_mem((struct fmt_spec){ 'M', FMT_F_HASH, 2, 0 }, "", 0, "  ", 2);
}
END_TEST

static void expect_escape(const char *in, size_t n, size_t most, int quoted, const char *want)
{
	char text[64];

	ck_assert_uint_eq(text_escape(text, most, in, n, quoted), strlen(want));
	ck_assert_str_eq(text, want);
}

START_TEST(escapes)
{
	expect_escape("a\n\0\"", 4, 60, 0, "a\\n\\000\\\"");
	expect_escape("a\n", 2, 60, 1, "\"a\\n\"");
	expect_escape("", 0, 60, 1, "\"\"");
	/* cut: no escape in part, the dots behind the quote */
	expect_escape("abc\001", 4, 6, 0, "abc");
	expect_escape("abcdef", 6, 8, 1, "\"abcdef\"");
	expect_escape("abcdefg", 7, 8, 1, "\"abc\"...");
	expect_escape("ab\001defgh", 8, 8, 1, "\"ab\"...");
	expect_escape("abcdefg", 7, 0, 1, "\"\"...");
}
END_TEST

static void expect_tokens(const char *s, const char *delim, const char *want)
{
	char got[64] = "";
	size_t at = 0, n;

	for (;;) {
		const char *token = text_token(s, &at, delim, &n);

		if (!n)
			break;
		strncat(got, token, n);
		strcat(got, "|");
	}
	ck_assert_str_eq(got, want);
	ck_assert_uint_eq(at, strlen(s));
}

START_TEST(tokens)
{
	expect_tokens("a,b;;c", ",;", "a|b|c|");
	expect_tokens(",,a,", ",", "a|");
	expect_tokens("", ",", "");
	expect_tokens(",,,", ",", "");
	expect_tokens("all", "", "all|");
}
END_TEST

static void expect_replaced(const char *s, const char *what, const char *by, size_t most,
			    const char *want)
{
	char out[64];

	ck_assert_uint_eq(text_replace(out, most, s, what, by), strlen(want));
	ck_assert_str_eq(out, want);
}

START_TEST(replacements)
{
	expect_replaced("aaaaa", "aa", "b", 60, "bba");
	expect_replaced("abc", "", "x", 60, "abc");
	expect_replaced("abc", "abcd", "x", 60, "abc");
	expect_replaced("aXbX", "X", "12345", 6, "a12345");
	expect_replaced("aXbX", "X", "12345", 8, "a12345b1");
	ck_assert_int_eq(text_strpos("abababac", "ababac"), 2);
	ck_assert_int_eq(text_strpos("abc", ""), 0);
	ck_assert_int_eq(text_strpos("", ""), 0);
	ck_assert_int_eq(text_strpos("", "a"), -1);
	ck_assert_int_eq(text_strpos("ab", "abc"), -1);
}
END_TEST

START_TEST(unicode)
{
	static const struct {
		uint32_t unit[2];
		int width;
		const char *want; /* NULL: not valid */
	} rows[] = {
		{ { 0x7f, 0 }, 2, "\x7f" },
		{ { 0x80, 0 }, 2, "\xc2\x80" },
		{ { 0x7ff, 0 }, 4, "\xdf\xbf" },
		{ { 0x800, 0 }, 4, "\xe0\xa0\x80" },
		{ { 0xffff, 0 }, 2, "\xef\xbf\xbf" },
		{ { 0x10000, 0 }, 4, "\xf0\x90\x80\x80" },
		{ { 0xd800, 0xdc00 }, 2, "\xf0\x90\x80\x80" },
		{ { 0xdbff, 0xdfff }, 2, "\xf4\x8f\xbf\xbf" },
		{ { 0x10ffff, 0 }, 4, "\xf4\x8f\xbf\xbf" },
		{ { 0x110000, 0 }, 4, NULL },
		{ { 0xdc00, 0 }, 2, NULL },
		{ { 0xd800, 'x' }, 2, NULL },
		{ { 0xd800, 0 }, 4, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint32_t high = 0;
		char out[5] = "";
		int n = text_utf8(out, &high, rows[i].unit[0], rows[i].width);

		if (n == 0)
			n = text_utf8(out, &high, rows[i].unit[1], rows[i].width);
		ck_assert_int_eq(n, rows[i].want ? (int)strlen(rows[i].want) : -1);
		if (rows[i].want)
			ck_assert_mem_eq(out, rows[i].want, n);
	}
}
END_TEST

START_TEST(pointers)
{
	expect_int((struct fmt_spec){ 'p', 0, FMT_NONE, FMT_NONE }, 0xdeadbeef, "0xdeadbeef");
	expect_int((struct fmt_spec){ 'p', 0, FMT_NONE, FMT_NONE }, 0, "0x0");
	expect_int((struct fmt_spec){ 'p', 0, 8, 7 }, 0x1f, "    0x1f");
	expect_int((struct fmt_spec){ 'p', FMT_F_MINUS, 8, FMT_NONE }, 0x1f, "0x1f    ");
	expect_int((struct fmt_spec){ 'p', FMT_F_ZERO, 8, FMT_NONE }, 0x1f, "0x00001f");
}
END_TEST

START_TEST(characters)
{
	expect_int((struct fmt_spec){ 'c', 0, FMT_NONE, FMT_NONE }, 'A', "A");
	expect_int((struct fmt_spec){ 'c', 0, 3, FMT_NONE }, 'A', "  A");
	expect_int((struct fmt_spec){ 'c', FMT_F_MINUS, 3, FMT_NONE }, 'A', "A  ");
	expect_int((struct fmt_spec){ 'c', 0, FMT_NONE, FMT_NONE }, 0, "");
	expect_int((struct fmt_spec){ 'c', 0, FMT_NONE, FMT_NONE }, 0x141, "A");
	expect_int((struct fmt_spec){ 'c', FMT_F_HASH, FMT_NONE, FMT_NONE }, 'A', "A");
	expect_int((struct fmt_spec){ 'c', FMT_F_HASH, FMT_NONE, FMT_NONE }, '\n', "\\n");
	expect_int((struct fmt_spec){ 'c', FMT_F_HASH, FMT_NONE, FMT_NONE }, 0, "\\000");
	expect_int((struct fmt_spec){ 'c', FMT_F_HASH, 6, FMT_NONE }, 0xff, "  \\377");
}
END_TEST

START_TEST(quoted_strings)
{
	char text[64];

	format_str(text, sizeof(text), (struct fmt_spec){ 's', FMT_F_HASH, FMT_NONE, FMT_NONE },
		   "a\n\"b\"\\\001");
	ck_assert_str_eq(text, "\"a\\n\\\"b\\\"\\\\\\001\"");
	format_str(text, sizeof(text), (struct fmt_spec){ 's', FMT_F_HASH, 8, 3 }, "a\tbcd");
	ck_assert_str_eq(text, "  \"a\\tb\"");
}
END_TEST

START_TEST(binary)
{
	static const struct {
		int width, prec;
		size_t len;
		const char *bytes;
	} rows[] = {
		{ FMT_NONE, FMT_NONE, 8, "\x88\x77\x66\x55\x44\x33\x22\x11" },
		{ 1, FMT_NONE, 1, "\x88" },
		{ 2, FMT_NONE, 2, "\x88\x77" },
		{ 4, FMT_NONE, 4, "\x88\x77\x66\x55" },
		{ 8, FMT_NONE, 8, "\x88\x77\x66\x55\x44\x33\x22\x11" },
		{ 3, FMT_NONE, 8, "\x88\x77\x66\x55\x44\x33\x22\x11" },
		{ 4, 2, 4, "\0\0\x88\x77" },
	};
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fmt_spec f = { 'b', 0, rows[i].width, rows[i].prec };

		ck_assert_uint_eq(format_int(text, sizeof(text), f, 0x1122334455667788),
				  rows[i].len);
		ck_assert_mem_eq(text, rows[i].bytes, rows[i].len);
	}
}
END_TEST

/* Whatever the size, nothing is written past it and the text is a terminated prefix. */
START_TEST(bounded_output)
{
	struct fmt_spec f = { 'd', FMT_F_ZERO, 1000000, FMT_NONE };
	char text[32];
	size_t size;

	for (size = 1; size < 16; size++) {
		memset(text, 'x', sizeof(text));
		ck_assert_uint_eq(format_int(text, size, f, 5), size - 1);
		ck_assert_uint_eq(strlen(text), size - 1);
		ck_assert_int_eq(text[size], 'x');
		format_str(text, size, (struct fmt_spec){ 's', FMT_F_HASH, 20, FMT_NONE },
			   "\n\n\n\n");
		ck_assert_int_eq(text[size], 'x');
	}
	ck_assert_uint_eq(format_int(text, 0, f, 5), 0);
}
END_TEST

/* Pieces written back as "literal" and {flag,width,precision,conversion}. */
static int pieces(const char *s, char *out, size_t size)
{
	struct fmt_piece p;
	size_t n = 0;
	int r;

	out[0] = 0;
	while ((r = fmt_next_piece(&s, &p)) == 1)
		n += (size_t)(p.lit ? snprintf(out + n, size - n, "'%.*s'", (int)p.lit_len, p.lit)
				    : snprintf(out + n, size - n, "{%d,%d,%d,%c}", p.spec.flag,
					       p.spec.width, p.spec.prec, p.spec.conv));
	if (r < 0)
		snprintf(out + n, size - n, "!%s", s);
	return r;
}

START_TEST(piece_parsing)
{
	static const struct {
		const char *format, *want;
	} rows[] = {
		{ "", "" },
		{ "plain", "'plain'" },
		{ "%d", "{0,-1,-1,d}" },
		{ "a %-5s|%+.3d\n", "'a '{3,5,-1,s}'|'{2,-1,3,d}'\n'" },
		{ "100%%", "'100''%'" },
		{ "%%d%%", "'%d''%'" },
		{ "%*.*x", "{0,-2,-2,x}" },
		{ "%05ld", "{1,5,-1,d}" },
		{ "%#s%#x% d", "{5,-1,-1,s}{5,-1,-1,x}{4,-1,-1,d}" },
		{ "%.p", "{0,-1,0,p}" },
		{ "%8.4m%M%4b%c%i%u%o%X", "{0,8,4,m}{0,-1,-1,M}{0,4,-1,b}{0,-1,-1,c}{0,-1,-1,i}"
					  "{0,-1,-1,u}{0,-1,-1,o}{0,-1,-1,X}" },
		{ "a%lld", "'a'!%lld" },
		{ "%", "!%" },
		{ "x%5", "'x'!%5" },
		{ "%-+d", "!%-+d" },
		{ "%q", "!%q" },
		{ "%99999999999d", "!%99999999999d" },
		{ "%hd", "!%hd" },
		{ "%5%", "!%5%" },
	};
	char got[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pieces(rows[i].format, got, sizeof(got));
		ck_assert_str_eq(got, rows[i].want);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fmt");
	TCase *t = tcase_create("fmt");
	SRunner *r;
	int failed;

	tcase_add_test(t, integers_as_libc);
	tcase_add_test(t, strings_as_libc);
	tcase_add_test(t, pointers);
	tcase_add_test(t, memory);
	tcase_add_test(t, escapes);
	tcase_add_test(t, tokens);
	tcase_add_test(t, replacements);
	tcase_add_test(t, unicode);
	tcase_add_test(t, characters);
	tcase_add_test(t, quoted_strings);
	tcase_add_test(t, binary);
	tcase_add_test(t, bounded_output);
	tcase_add_test(t, piece_parsing);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
