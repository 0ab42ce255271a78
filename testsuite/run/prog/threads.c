/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three threads that call a known tree of functions at the same time. */
#include <pthread.h>
#include <stddef.h>

__attribute__((noinline)) long leaf(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

__attribute__((noinline)) long inner(long n)
{
	return leaf(n) + leaf(n + 1);
}

__attribute__((noinline)) long outer(long n)
{
	return inner(n) * 2 + leaf(n);
}

static void *run(void *arg)
{
	for (int i = 0; i < 3; i++)
		outer((long)arg + i);
	return NULL;
}

int main(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, run, (void *)(i * 10));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}
