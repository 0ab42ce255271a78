/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that wait for commit() or discard(), by the number that speculation() gave. */
#ifndef SPILE_STAPRUN_SPECULATION_H
#define SPILE_STAPRUN_SPECULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPECULATION_MOST (64u << 20) /* bytes that wait, of all ids together */

struct spec;

struct speculation {
	struct spec **slot; /* by hash; chained */
	uint32_t nslots, n;
	size_t bytes, most; /* most: 0 stands for SPECULATION_MOST */
	uint64_t lost; /* texts that found no room */
	uint64_t unknown; /* texts for what no speculation() yields */
};

void speculation_fini(struct speculation *s);
/* Adds a text to what waits for @id. What cannot be kept is counted. */
void speculation_add(struct speculation *s, int64_t id, const char *text, size_t n);
/* What waits for @id, all in one piece, in the order in which it came; NULL: nothing does. */
const char *speculation_text(const struct speculation *s, int64_t id, size_t *n);
/* Forgets what waits for @id. */
void speculation_drop(struct speculation *s, int64_t id);

#endif
