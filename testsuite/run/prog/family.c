/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree of processes: the first makes 5, each of these 2 threads and 9 more processes, of which 4 become this program anew
 * ("leaf"). So: 50 forks, 20 execs, 10 threads. Each of the 45 at the bottom calls getpgid(0) three times and closes what is
 * not open.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIDDLE = 5, LEAVES = 9, EXECS = 4, THREADS = 2 };

__attribute__((noinline)) void leaf_work(int n)
{
	for (int k = 0; k < 3; k++)
		if (getpgid(0) < 0)
			exit(2);
	if (close(-1 - n) == 0 || errno != EBADF)
		exit(3);
}

static void wait_all(int n)
{
	int status;

	while (n-- > 0)
		if (wait(&status) < 0 || status)
			exit(4);
}

static void *thread(void *arg)
{
	return arg;
}

static void middle(const char *self)
{
	pthread_t t[THREADS];

	for (int k = 0; k < THREADS; k++)
		if (pthread_create(&t[k], NULL, thread, NULL))
			exit(5);
	for (int k = 0; k < THREADS; k++)
		pthread_join(t[k], NULL);
	for (int k = 0; k < LEAVES; k++) {
		if (fork())
			continue;
		if (k < EXECS) {
			execl(self, self, "leaf", (char *)NULL);
			_exit(6);
		}
		leaf_work(k);
		_exit(0);
	}
	wait_all(LEAVES);
	exit(0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "leaf") == 0) {
		leaf_work(0);
		return 0;
	}
	for (int k = 0; k < MIDDLE; k++)
		if (!fork())
			middle(argv[0]);
	wait_all(MIDDLE);
	return 0;
}
