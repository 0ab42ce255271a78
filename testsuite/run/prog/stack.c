/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: a known tree of calls, also built in two halves: a library (-DLIBRARY) and the rest (-DMAIN_ONLY). */
#include <stdio.h>

#define DEEP __attribute__((noinline, noclone))

int through(int (*fn)(int n), int n);

#ifndef MAIN_ONLY
DEEP int through(int (*fn)(int n), int n)
{
	volatile char room[100];

	room[n] = (char)n;
	return fn(n) + room[n];
}
#endif

#ifndef LIBRARY
static volatile int sum;

DEEP int leaf(int n)
{
	return sum += n;
}

static DEEP int callback(int n)
{
	volatile long room[20];

	room[n] = leaf(n + 1);
	return (int)room[n] + 1;
}

static DEEP int middle(int n)
{
	return through(callback, n) + 1;
}

int main(void)
{
	int n = middle(3) + 1;

	return n != 10;
}
#endif
