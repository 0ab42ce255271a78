/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAXARGS 24

static volatile sig_atomic_t child_pid;

/* The terminal sends SIGINT to staprun itself; what was sent to stap alone is passed on. */
static void pass_on(int sig)
{
	if (child_pid > 0 && sig != SIGINT)
		kill(child_pid, sig);
}

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = pass_on, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		sigaction(passed_on[i], &sa, NULL);
}

/* @argv: MAXARGS and two for each of -d. */
static void build_args(struct session *s, const char *object, const char **argv)
{
	int n = 0;

	argv[n++] = "staprun";
	for (int v = 1; v < s->verbose && v < 4; v++)
		argv[n++] = "-v";
	if (s->quiet_warnings)
		argv[n++] = "-w";
	if (s->command) {
		argv[n++] = "-c";
		argv[n++] = s->command;
	}
	if (s->target) {
		argv[n++] = "-x";
		argv[n++] = arena_printf(&s->arena, "%d", (int)s->target);
	}
	if (s->output) {
		argv[n++] = "-o";
		argv[n++] = s->output;
	}
	if (s->buffer_mb) {
		argv[n++] = "-b";
		argv[n++] = arena_printf(&s->arena, "%d", s->buffer_mb);
	}
	for (uint32_t i = 0; i < s->objects.n; i++) {
		if (s->objects.v[i][0] != '/')
			continue; /* the kernel's own */
		argv[n++] = "-S";
		argv[n++] = s->objects.v[i];
	}
	argv[n++] = object;
	argv[n] = NULL;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	child_pid = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "ERROR: staprun was ended by signal %d (%s)\n", WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	return 1;
}

int launch_staprun(struct session *s, const char *object)
{
	const char **argv = arena_alloc(&s->arena, (MAXARGS + 2 * s->objects.n) * sizeof(*argv));
	pid_t pid, parent = getpid();

	if (access(s->staprun, X_OK)) {
		diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot run %s: %s", s->staprun, strerror(errno));
		diag_hint(&s->diag, "install Spile again, or set SPILE_STAPRUN to the path of its staprun");
		return 1;
	}
	build_args(s, object, argv);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
		execv(s->staprun, (char *const *)argv);
		_exit(127);
	}
	if (pid < 0) {
		diag_error(&s->diag, TAG_LOAD, SPAN_NONE, "cannot start a process: %s", strerror(errno));
		return 1;
	}
	child_pid = pid;
	catch_signals();
	return wait_for(pid);
}
