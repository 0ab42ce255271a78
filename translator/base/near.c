/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": edit distance and the nearest of many candidates. */
#include <stdbool.h>
#include <string.h>

#include "base/strtab.h"

#define NEAR_LONGEST 128u /* longer words are only compared for equality */

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/*
 * Two neighbours exchanged count as one slip: "mian" is as near to "main" as "man" is. Rows of the usual
 * table: the last two that are complete, and the one being filled.
 */
unsigned int str_distance(const char *a, const char *b, unsigned int max)
{
	unsigned int rows[3][NEAR_LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];
	unsigned int least = 0, least_above;
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (!strcmp(a, b))
		return 0;
	if (la > NEAR_LONGEST || lb > NEAR_LONGEST)
		return max + 1;
	if ((la > lb ? la - lb : lb - la) > max)
		return max + 1;
	for (j = 0; j <= lb; j++)
		before[j] = above[j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		unsigned int *free;

		least_above = least;
		row[0] = least = (unsigned int)i;
		for (j = 1; j <= lb; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
			if (row[j] < least)
				least = row[j];
		}
		if (least > max && least_above >= max) /* an exchange skips a row */
			return max + 1;
		free = before;
		before = above;
		above = row;
		row = free;
	}
	return above[lb] > max ? max + 1 : above[lb];
}

void near_init(struct near_match *m, const char *want)
{
	m->want = want;
	m->best = NULL;
	m->dist = (unsigned int)(strlen(want) / 3) + 1; /* the first one that is not near enough */
}

static size_t common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* Of candidates as near as each other the one that starts more like what was wanted: printl is println, not print. */
static bool better(const struct near_match *m, const char *candidate, unsigned int d)
{
	if (!m->best || d != m->dist)
		return d < m->dist;
	return common_prefix(m->want, candidate) > common_prefix(m->want, m->best);
}

void near_try(struct near_match *m, const char *candidate)
{
	unsigned int d = str_distance(m->want, candidate, m->dist);

	if (better(m, candidate, d)) {
		m->dist = d;
		m->best = candidate;
	}
}

const char *near_best(const struct near_match *m)
{
	return m->best;
}
