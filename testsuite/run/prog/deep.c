/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: recursion deeper than the kernel follows the returns of (64), then in threads. */
#include <pthread.h>

/* Calls itself n times. */
__attribute__((noinline)) long nest(long n)
{
	return n ? 1 + nest(n - 1) : 0;
}

static void *run(void *arg)
{
	return (void *)nest((long)arg);
}

int main(void)
{
	pthread_t t[4];
	long sum = nest(100);

	for (long i = 0; i < 4; i++)
		if (pthread_create(&t[i], 0, run, (void *)(i + 3)))
			return 1;
	for (long i = 0; i < 4; i++) {
		void *got;

		pthread_join(t[i], &got);
		sum += (long)got;
	}
	return sum != 100 + 3 + 4 + 5 + 6;
}
