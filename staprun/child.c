/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Anything here needs a shell; '=' only before the first blank (an assignment). */
static bool needs_shell(const char *command)
{
	size_t word = strcspn(command, " \t");

	return strpbrk(command, "|&;<>()$`\\\"'*?[]#~{}!\n") || memchr(command, '=', word);
}

static char **split_words(struct arena *a, const char *command)
{
	VEC(char *) words = { 0 };
	const char *p = command;

	for (;;) {
		size_t n;

		p += strspn(p, " \t");
		n = strcspn(p, " \t");
		if (!n)
			break;
		vec_push(a, &words, arena_strndup(a, p, n));
		p += n;
	}
	vec_push(a, &words, (char *)NULL);
	return words.v;
}

static char **build_argv(struct arena *a, const char *command)
{
	char **argv;

	if (!needs_shell(command))
		return split_words(a, command);
	argv = arena_alloc(a, 4 * sizeof(*argv));
	argv[0] = arena_strdup(a, "/bin/sh");
	argv[1] = arena_strdup(a, "-c");
	argv[2] = arena_strdup(a, command);
	return argv;
}

/* 0 when @path is a file that may be executed, else the reason. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return access(path, X_OK) ? errno : 0;
}

/* Looks for a program as execvp() will. 0, or the reason. */
static int check_program(struct arena *a, const char *name)
{
	const char *path = getenv("PATH"), *end;
	int why = ENOENT;

	if (strchr(name, '/'))
		return check_file(name);
	for (path = path ? path : "/bin:/usr/bin"; path; path = *end ? end + 1 : NULL) {
		int e;

		end = strchrnul(path, ':');
		e = check_file(end == path
				       ? name
				       : arena_printf(a, "%.*s/%s", (int)(end - path), path, name));
		if (!e)
			return 0;
		if (e == EACCES)
			why = e;
	}
	return why;
}

static int refuse(struct diag *d, const char *program, int why)
{
	diag_error(d, TAG_TARGET, SPAN_NONE, "cannot run the command of -c: %s: %s", program,
		   strerror(why));
	if (why == ENOENT && !strchr(program, '/'))
		diag_hint(d, "no folder of PATH has it; give its full path");
	return -1;
}

/* In the child: waits for the word, then becomes the command. */
static void __attribute__((noreturn)) child_main(char **argv, int go, int error)
{
	char word = 0;
	ssize_t n;
	int e;

	/*
	 * Only a byte releases it: the end of the pipe means that staprun is gone or has given
	 * up.
	 */
	do
		n = read(go, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
	execvp(argv[0], argv);
	e = errno;
	(void)!write(error, &e, sizeof(e));
	_exit(127);
}

int child_prepare(struct child *c, const char *command, struct arena *a, struct diag *d)
{
	char **argv = build_argv(a, command);
	int go[2], error[2], why;

	memset(c, 0, sizeof(*c));
	if (!argv[0]) {
		diag_error(d, TAG_TARGET, SPAN_NONE, "the command of -c is empty");
		return -1;
	}
	why = check_program(a, argv[0]);
	if (why)
		return refuse(d, argv[0], why);
	if (pipe2(go, O_CLOEXEC))
		return refuse(d, argv[0], errno);
	if (pipe2(error, O_CLOEXEC)) {
		why = errno;
		close(go[0]);
		close(go[1]);
		return refuse(d, argv[0], why);
	}
	c->pid = fork();
	why = errno;
	if (c->pid == 0) {
		close(go[1]);
		close(error[0]);
		child_main(argv, go[0], error[1]);
	}
	close(go[0]);
	close(error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	close(go[1]);
	close(error[0]);
	return refuse(d, argv[0], why);
}

int child_release(struct child *c, const char *command, struct diag *d)
{
	ssize_t n;
	int why = 0;

	(void)!write(c->go_fd, "", 1);
	close(c->go_fd);
	c->started = true;
	/* Ends at once: with the errno, or with nothing when exec closed the pipe. */
	do
		n = read(c->error_fd, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	close(c->error_fd);
	if (n != sizeof(why))
		return 0;
	child_reap(c);
	return refuse(d, command, why);
}

bool child_reap(struct child *c)
{
	if (!c->gone && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->gone = true;
	return c->gone;
}

void child_cancel(struct child *c)
{
	if (!c->pid || c->started)
		return;
	close(c->go_fd);
	close(c->error_fd);
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
		;
	c->gone = true;
}

bool child_failed(const struct child *c)
{
	if (!c->started || !c->gone)
		return false;
	if (WIFSIGNALED(c->status)) {
		const char *name = sigabbrev_np(WTERMSIG(c->status));

		fprintf(stderr, "WARNING: Child process exited with signal %d (%s%s)\n",
			WTERMSIG(c->status), name ? "SIG" : "unknown", name ? name : "");
		return true;
	}
	if (!WEXITSTATUS(c->status))
		return false;
	fprintf(stderr, "WARNING: Child process exited with status %d\n", WEXITSTATUS(c->status));
	return true;
}

int process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool process_gone(pid_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}
