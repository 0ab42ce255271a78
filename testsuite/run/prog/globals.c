/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Globals, statics and variables of threads. */
#include <stddef.h>

struct node {
	int value;
	struct node *next;
};
struct pair {
	short lo, hi;
};

static int counter = 40;
struct pair table[3] = { { 1, 2 }, { 3, -4 }, { 5, 6 } };
static int grid[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
static struct node last = { 8, NULL }, first = { 7, &last };
struct node *head;
static __thread int own = 3;

__attribute__((noinline)) static int step(int by)
{
	counter += by;
	own += by;
	return counter * 2;
}

int main(void)
{
	/* pages that nobody has touched cannot be read by a probe */
	head = &first;
	counter++;
	table[0].lo++;
	grid[0][0]++;
	last.value++;
	return step(1) == 84 && step(0) == 84 ? 0 : 1;
}
