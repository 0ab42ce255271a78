/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: a known sequence of calls with known arguments and results. */
#include <stdio.h>

/* Called with (1, 10, -1, "one") ... (5, 50, -5, "five"). */
__attribute__((noinline)) long work(long n, long m, long minus, const char *name)
{
	return n * m + minus * 0 + (name ? 0 : 1);
}

/* Calls itself n times. */
__attribute__((noinline)) long nest(long n)
{
	return n ? 1 + nest(n - 1) : 0;
}

__attribute__((noinline)) int finish(int status)
{
	return status;
}

int main(void)
{
	static const char *const names[] = { "one", "two", "three", "four", "five" };
	long sum = 0;

	/* Handlers cannot wait for a page to be read: a name must be in memory before it is asked for. */
	for (int i = 0; i < 5; i++)
		if (!*(const volatile char *)names[i])
			return 1;
	for (long i = 1; i <= 5; i++)
		sum += work(i, 10 * i, -i, names[i - 1]);
	if (nest(3) != 3 || sum != 550)
		fprintf(stderr, "work: wrong sums\n");
	return finish(0);
}
