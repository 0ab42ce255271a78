/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: threads on as many CPUs as there are call hit(0) ... hit(399) between them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define CALLS 400

static long threads = 1;

__attribute__((noinline)) long hit(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

static void *run(void *arg)
{
	long me = (long)arg, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)(me % cpus), &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (long n = me; n < CALLS; n += threads)
		hit(n);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[64];

	threads = argc > 1 ? atol(argv[1]) : 1;
	if (threads < 1 || threads > 64)
		return 1;
	for (long i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, run, (void *)i);
	for (long i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	return 0;
}
