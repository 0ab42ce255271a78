/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines that kbuild saved. */
#include <string.h>

#include "build/build.h"

/* One word from *@p into @b. -1: an open quote. */
static int take_word(const char **p, struct buf *b)
{
	const char *s = *p;
	char quote = 0;

	for (; *s && (quote || !strchr(" \t\n;", *s)); s++) {
		if (quote && *s == quote) {
			quote = 0;
		} else if (!quote && (*s == '\'' || *s == '"')) {
			quote = *s;
		} else {
			if (*s == '\\' && quote != '\'' && s[1])
				s++;
			buf_putc(b, *s);
		}
	}
	*p = s;
	return quote ? -1 : 0;
}

int shell_split(struct arena *a, const char *text, words *out)
{
	struct buf b;
	int rc = 0;

	buf_init(&b);
	while (!rc && *text) {
		if (strchr(" \t\n", *text)) {
			text++;
			continue;
		}
		if (*text == ';') {
			vec_push(a, out, ";");
			text++;
			continue;
		}
		buf_reset(&b);
		rc = take_word(&text, &b);
		vec_push(a, out, arena_strndup(a, b.p ? b.p : "", b.len));
	}
	buf_fini(&b);
	return rc;
}

/* The first line reads "cmd_PATH := COMMANDS" ("savedcmd_" in newer kernels). */
int cmdfile_read(struct arena *a, const char *path, words *out)
{
	struct buf b;
	char *at, *end;
	int rc = -1;

	buf_init(&b);
	if (buf_read_file(&b, path) == 0 && b.len) {
		end = strchr(b.p, '\n');
		if (end)
			*end = 0;
		at = strstr(b.p, " := ");
		if (at)
			rc = shell_split(a, at + 4, out);
	}
	buf_fini(&b);
	return rc;
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ c[i]) * 0x100000001b3ull;
	return h;
}

/* With the terminator, so that two strings in a row are not one. */
uint64_t hash_str(uint64_t h, const char *s)
{
	return hash_bytes(h, s, strlen(s) + 1);
}
