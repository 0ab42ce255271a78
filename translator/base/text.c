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
