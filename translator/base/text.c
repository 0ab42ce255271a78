/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#define TEXT_QUOTES_LEAST 5 /* an empty string that was cut: "..." behind two quotes */

size_t text_escape(char *out, size_t most, const char *in, size_t n, int quoted)
{
	size_t len = 0, cut = 0, end = quoted ? 1 : 0, i;

	if (quoted && most < TEXT_QUOTES_LEAST)
		most = TEXT_QUOTES_LEAST;
	if (quoted)
		out[len++] = '"';
	cut = len;
	for (i = 0; i < n; i++) {
		char text[4];
		int k, bytes = fmt_escape(text, (unsigned char)in[i], 1);

		if (len + (size_t)bytes + end > most)
			break;
		for (k = 0; k < bytes; k++)
			out[len++] = text[k];
		/* where '"...' would still fit */
		if (len + 4 <= most)
			cut = len;
	}
	if (quoted && i < n) {
		out[cut] = '"';
		out[cut + 1] = out[cut + 2] = out[cut + 3] = '.';
		len = cut + 4;
	} else if (quoted) {
		out[len++] = '"';
	}
	out[len] = 0;
	return len;
}

static int put_utf8(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

int text_utf8(char out[4], uint32_t *high, uint32_t unit, int width)
{
	uint32_t first = *high;

	*high = 0;
	if (first) {
		if (unit < 0xdc00 || unit > 0xdfff)
			return -1;
		return put_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (unit - 0xdc00));
	}
	if (unit > 0x10ffff || (unit >= 0xdc00 && unit <= 0xdfff))
		return -1;
	if (unit < 0xd800 || unit > 0xdfff)
		return put_utf8(out, unit);
	if (width != 2)
		return -1;
	*high = unit;
	return 0;
}

static int is_in(char c, const char *set)
{
	for (; *set; set++)
		if (*set == c)
			return 1;
	return 0;
}

const char *text_token(const char *s, size_t *at, const char *delim, size_t *n)
{
	size_t from = *at, end;

	while (s[from] && is_in(s[from], delim))
		from++;
	for (end = from; s[end] && !is_in(s[end], delim); end++)
		;
	*at = s[end] ? end + 1 : end;
	*n = end - from;
	return s + from;
}

/* Whether @s starts with @what: its length then. */
static size_t starts_with(const char *s, const char *what)
{
	size_t n = 0;

	while (what[n] && s[n] == what[n])
		n++;
	return what[n] ? 0 : n;
}

size_t text_replace(char *out, size_t most, const char *s, const char *what, const char *by)
{
	size_t len = 0, n, i;

	while (*s && len < most) {
		n = starts_with(s, what);
		for (i = 0; n && by[i] && len < most; i++)
			out[len++] = by[i];
		if (!n)
			out[len++] = *s;
		s += n ? n : 1;
	}
	out[len] = 0;
	return len;
}

int64_t text_strpos(const char *s, const char *what)
{
	const char *p = s;

	for (; *what; p++) {
		if (starts_with(p, what))
			break;
		if (!*p)
			return -1;
	}
	return p - s;
}
