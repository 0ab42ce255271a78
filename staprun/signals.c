/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char signals_message[] = "Too many interrupts received, exiting.\n";

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define NCAUGHT (sizeof(caught) / sizeof(*caught))

static struct sigaction before[NCAUGHT], pipe_before;
static volatile sig_atomic_t count, in_handler;
static int wake_fd = -1;

static void on_signal(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)sig;
	if (count < SIGNALS_ENOUGH)
		count++;
	if (count >= SIGNALS_ENOUGH && in_handler) {
		(void)!write(STDERR_FILENO, signals_message, sizeof(signals_message) - 1);
		_exit(1);
	}
	(void)!write(wake_fd, &one, sizeof(one));
	errno = saved;
}

int signals_start(void)
{
	struct sigaction sa = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	count = 0;
	in_handler = 0;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -1;
	for (size_t i = 0; i < NCAUGHT; i++) {
		sigaction(caught[i], &sa, &before[i]);
		/* Under nohup the session outlives its terminal. */
		if (caught[i] == SIGHUP && before[i].sa_handler == SIG_IGN)
			sigaction(SIGHUP, &before[i], NULL);
	}
	/* A reader that went away is an error of the write that finds out. */
	sigaction(SIGPIPE, &ignore, &pipe_before);
	return wake_fd;
}

void signals_stop(void)
{
	if (wake_fd < 0)
		return;
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i], &before[i], NULL);
	sigaction(SIGPIPE, &pipe_before, NULL);
	close(wake_fd);
	wake_fd = -1;
}

unsigned int signals_count(void)
{
	uint64_t n;

	(void)!read(wake_fd, &n, sizeof(n));
	return (unsigned int)count;
}

bool signals_enough(void)
{
	return count >= SIGNALS_ENOUGH;
}

void signals_handler_begin(void)
{
	in_handler = 1;
}

void signals_handler_end(void)
{
	in_handler = 0;
}
