/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two threads that call hold() at the same time, over and over, as long as their parent lives: at most twenty seconds. */
#include <pthread.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 20

__attribute__((noinline)) long hold(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static void *run(void *arg)
{
	time_t end = time(NULL) + SECONDS;
	pid_t parent = getppid();

	for (long n = 0; time(NULL) < end && getppid() == parent; n++)
		hold(n);
	return arg;
}

int main(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, run, NULL))
		return 1;
	run(NULL);
	return pthread_join(other, NULL);
}
