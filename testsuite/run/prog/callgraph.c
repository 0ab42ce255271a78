/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten threads that call trees of functions at the same time, each with arguments and results of its own. Each writes what it
 * called to DIRECTORY/log.TID in the words of para-callgraph.stp.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 10
#define ROUNDS 5
#define PROBED __attribute__((noinline, noclone))

static const char *directory;
static __thread FILE *out;

/* Static functions of lower case and digits are what the test probes: these have capitals. */
static void __attribute__((format(printf, 1, 2))) Log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

PROBED int leaf_one(unsigned char letter, const char *text)
{
	Log("->leaf_one letter=%#x text=%#lx", letter, (unsigned long)text);
	int r = letter - text[0];

	Log("<-leaf_one return=%#lx", (long)r);
	return r;
}

PROBED short leaf_two(short a, unsigned long b, int c)
{
	Log("->leaf_two a=%#lx b=%#lx c=%#lx", (long)a, b, (long)c);
	short r = (short)(a * c + (short)b);

	Log("<-leaf_two return=%#lx", (long)r);
	return r;
}

PROBED long count_down(int n)
{
	Log("->count_down n=%#lx", (long)n);
	long r = n > 0 ? count_down(n - 1) + leaf_two((short)-n, (unsigned long)n << 40, n) : -1;

	Log("<-count_down return=%#lx", r);
	return r;
}

PROBED void tree_top(long seed, int depth)
{
	Log("->tree_top seed=%#lx depth=%#lx", seed, (long)depth);
	leaf_one((unsigned char)seed, "x");
	count_down(depth);
	leaf_two((short)seed, 7, -depth);
	Log("<-tree_top ");
}

static void *Run(void *arg)
{
	long me = (long)arg;
	char path[4096];

	snprintf(path, sizeof(path), "%s/log.%d", directory, gettid());
	out = fopen(path, "w");
	if (!out)
		abort();
	for (int i = 0; i < ROUNDS; i++)
		tree_top(me * 100 + i, (int)(me + i) % 4);
	fclose(out);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];

	if (argc != 2)
		return 2;
	directory = argv[1];
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, Run, (void *)i))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return 0;
}
