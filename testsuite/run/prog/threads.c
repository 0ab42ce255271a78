/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three threads that call a known tree of functions in turns: each is in the middle of its calls while the others run, but no
 * two are in a function at the same moment, so that no handler finds the globals locked.
 */
#include <pthread.h>
#include <stddef.h>

#define THREADS 3
#define ROUNDS 3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static long turn;

/* Lets the next thread run and waits for this one's turn. */
static void yield_turn(long me)
{
	turn = (me + 1) % THREADS;
	pthread_cond_broadcast(&turned);
	while (turn != me)
		pthread_cond_wait(&turned, &lock);
}

__attribute__((noinline)) long leaf(long n)
{
	yield_turn(n / 100);
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
	long me = (long)arg;

	pthread_mutex_lock(&lock);
	while (turn != me)
		pthread_cond_wait(&turned, &lock);
	for (int i = 0; i < ROUNDS; i++)
		outer(me * 100 + i);
	/* every thread takes as many turns, so nobody waits for one that has ended */
	turn = (me + 1) % THREADS;
	pthread_cond_broadcast(&turned);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return 0;
}
