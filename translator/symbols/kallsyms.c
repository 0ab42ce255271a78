/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/kernel.h"

#include <string.h>

/*
 * Fewer names than this are no list of a kernel's symbols: Debian's /boot/System.map holds a single
 * line of advice.
 */
#define MIN_NAMES 100

enum kernel_known kallsyms_find(struct arena *a, const char *path, const char *name,
				struct near_match *near)
{
	enum kernel_known result = KERNEL_UNSURE;
	size_t len = strlen(name), names = 0;
	struct buf b;
	char *line, *end;

	buf_init(&b);
	if (buf_read_file(&b, path) < 0)
		goto out;
	for (line = b.p; line < b.p + b.len; line = end + 1) {
		char *sym = memchr(line, ' ', b.p + b.len - line);
		size_t n;

		end = memchr(line, '\n', b.p + b.len - line);
		if (!end)
			end = b.p + b.len;
		if (!sym || end - sym < 4 || !strchr("tTwW", sym[1]))
			continue;
		sym += 3;
		n = strcspn(sym, " \t\n");
		names++;
		if (n == len && memcmp(sym, name, n) == 0) {
			result = KERNEL_HAS;
			goto out;
		}
		if (near) {
			char *next = sym + n, saved = *next;

			*next = 0;
			near_try(near, sym);
			if (near->best == sym)
				near->best = arena_strdup(a, sym);
			*next = saved;
		}
	}
	if (names >= MIN_NAMES)
		result = KERNEL_HAS_NOT;
out:
	buf_fini(&b);
	return result;
}
