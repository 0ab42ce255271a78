/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX extended regular expressions as tables (regex_walk.h), built once in pass 2. Matching takes one
 * step a byte and never goes back, whatever the pattern.
 *
 * A pattern may match anywhere in the string. Of the leftmost matches the longest counts; among
 * the ways to get that one, alternatives further left go first and repetitions take what they can,
 * so that is what groups hold. A group inside a repetition tells of its last round only; a round
 * that takes nothing is made only where the count asks for it or nothing else was taken.
 */
#ifndef SPILE_REGEX_REGEX_H
#define SPILE_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "regex/regex_walk.h"

/* Bounds of a pattern: repetition counts, and what it may become. */
#define REGEX_MAXCOUNT 12344
#define REGEX_MAXDEPTH 200
#define REGEX_MAXPROGRAM 20000
#define REGEX_MAXSTATES 4096
#define REGEX_MAXBYTES (256 * 1024)
#define REGEX_MAXCOST 50000000 /* of all the tables of a module: a second at most */

struct regex_error {
	uint32_t off, len; /* the offending bytes of the pattern */
	const char *text, *hint; /* hint may be NULL; text NULL: no error */
};

/*
 * Checks the syntax. @warning is filled when the pattern is good but says something that is hardly
 * meant.
 */
bool regex_check(const char *pattern, size_t len, struct regex_error *err,
		 struct regex_error *warning) __attribute__((warn_unused_result));
/* NULL, with @err filled, when the pattern is malformed or needs too large a table. */
const struct regex_tab *regex_compile(struct arena *a, const char *pattern, size_t len, bool groups,
				      struct regex_error *err) __attribute__((warn_unused_result));

/* Bytes of one table's parts, for what writes them somewhere else. */
static inline uint32_t regex_cells(const struct regex_tab *t)
{
	return t->nstates * t->nclasses;
}

#endif
