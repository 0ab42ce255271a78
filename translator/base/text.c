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
