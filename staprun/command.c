/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "staprun/signals.h"

static void reap(struct commands *c, int flags)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		pid_t got = 0;

		while (!signals_enough() && (got = waitpid(c->pid[i], NULL, flags)) < 0 &&
		       errno == EINTR)
			;
		if (got == 0)
			c->pid[left++] = c->pid[i];
	}
	c->n = left;
}

void commands_reap(struct commands *c)
{
	if (c->n)
		reap(c, WNOHANG);
}

void commands_wait(struct commands *c)
{
	reap(c, 0);
}

/* Only what staprun got from its caller: neither a saved root nor an ignored signal. */
static void __attribute__((noreturn)) child_main(const char *text)
{
	signal(SIGPIPE, SIG_DFL);
	if (setresgid(getgid(), getgid(), getgid()) || setresuid(getuid(), getuid(), getuid()))
		_exit(127);
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

void command_start(struct commands *c, const char *text, uint32_t len)
{
	char *copy = strndup(text, len);
	pid_t pid = -1;

	commands_reap(c);
	c->why = 0;
	if (copy && c->n < COMMANDS_MOST) {
		pid = fork();
		if (pid < 0)
			c->why = errno;
	}
	if (pid == 0)
		child_main(copy);
	free(copy);
	if (pid > 0)
		c->pid[c->n++] = pid;
	else
		c->lost++;
}
