/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the guest: runs the tests of /job/list one after the other and leaves what they did in /job/res (see run-batch).
 * A program, not a script: under emulation every process costs a tenth of a second, and this one starts one a test.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOB "/job"
#define KPROBES "/sys/kernel/debug/kprobes/list"
#define GRACE 5 /* seconds between SIGTERM and SIGKILL */
#define SETTLE_TRIES 40 /* of 50 ms, for the last references to what was unloaded */

struct test {
	char *name, *command;
	int seconds;
};

/* What the kernel must have none more of after a test. */
struct kernel_state {
	char modules[8192]; /* " a b c " */
	int kprobes;
};

/* A message of the kernel that makes a test fail. */
static const char *const splats[] = {
	"BUG:", "WARNING: ", "Oops", "Call Trace", "general protection fault", "unable to handle", "circular locking",
	"recursive locking", "inconsistent lock", "lockdep", "rcu_preempt self-detected stall", "detected stalls",
	"soft lockup", "hard LOCKUP", "blocked for more than", "Kernel panic", "scheduling while", "refcount_t",
	"use-after-free", "corruption", "stack guard", "segfault", "hung task", "Unknown symbol",
};

static void die(const char *what)
{
	fprintf(stderr, "batch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static FILE *result_file(const struct test *t, const char *suffix, const char *mode)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), JOB "/res/%s.%s", t->name, suffix);
	f = fopen(path, mode);
	if (!f)
		die(path);
	return f;
}

__attribute__((format(printf, 3, 4)))
static void result_write(const struct test *t, const char *suffix, const char *fmt, ...)
{
	FILE *f = result_file(t, suffix, "a");
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static void state_read(struct kernel_state *k)
{
	char line[1024];
	size_t n = 1;
	FILE *f = fopen("/proc/modules", "r");

	strcpy(k->modules, " ");
	while (f && fgets(line, sizeof(line), f)) {
		int len = (int)strcspn(line, " ");

		if (n + (size_t)len + 2 < sizeof(k->modules))
			n += (size_t)sprintf(k->modules + n, "%.*s ", len, line);
	}
	if (f)
		fclose(f);
	k->kprobes = 0;
	f = fopen(KPROBES, "r");
	while (f && fgets(line, sizeof(line), f))
		k->kprobes++;
	if (f)
		fclose(f);
}

/* The name of the first module in @after that is not in @before; NULL: none. */
static const char *new_module(const struct kernel_state *before, const struct kernel_state *after, char *name, size_t size)
{
	const char *p = after->modules + 1;

	while (*p) {
		int len = (int)strcspn(p, " ");

		snprintf(name, size, " %.*s ", len, p);
		if (!strstr(before->modules, name)) {
			snprintf(name, size, "%.*s", len, p);
			return name;
		}
		p += len + 1;
	}
	return NULL;
}

static void check_state(const struct test *t, const struct kernel_state *before)
{
	struct kernel_state after;
	char name[128];

	for (int i = 0; i < SETTLE_TRIES; i++) {
		state_read(&after);
		if (!new_module(before, &after, name, sizeof(name)) && after.kprobes <= before->kprobes)
			return;
		usleep(50000);
	}
	if (after.kprobes > before->kprobes)
		result_write(t, "bad", "kprobes left: %d\n", after.kprobes - before->kprobes);
	while (new_module(before, &after, name, sizeof(name))) {
		bool removed = !syscall(SYS_delete_module, name, O_NONBLOCK);

		result_write(t, "bad", "module left: %s%s\n", name, removed ? "" : " (and it cannot be removed)");
		if (!removed)
			return;
		state_read(&after);
	}
}

/* Takes the kernel's messages since the last call. */
static void check_log(const struct test *t, int kmsg)
{
	FILE *out = result_file(t, "dmesg", "w");
	char rec[8192];
	int reported = 0;

	for (;;) {
		ssize_t n = read(kmsg, rec, sizeof(rec) - 1);
		char *text;

		if (n < 0 && errno == EPIPE)
			continue; /* overwritten before it was read: go on with what is there */
		if (n <= 0)
			break;
		rec[n] = 0;
		text = strchr(rec, ';');
		text = text ? text + 1 : rec;
		text[strcspn(text, "\n")] = 0;
		fprintf(out, "%s\n", text);
		for (size_t i = 0; i < sizeof(splats) / sizeof(*splats); i++) {
			if (strstr(text, splats[i]) && reported++ < 3)
				result_write(t, "bad", "kernel log: %s\n", text);
		}
	}
	fclose(out);
}

static void child(const struct test *t)
{
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(fileno(result_file(t, "out", "w")), 1);
	dup2(fileno(result_file(t, "err", "w")), 2);
	dup2(open("/dev/null", O_RDONLY), 0);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	execl("/bin/sh", "sh", "-c", t->command, (char *)NULL);
	_exit(127);
}

/* Waits until @end. 0 and the status, or -1. */
static int wait_until(pid_t pid, double end, int *status)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		double left = end - now();
		struct timespec t;

		if (waitpid(pid, status, WNOHANG) == pid)
			return 0;
		if (left <= 0)
			return -1;
		t.tv_sec = (time_t)left;
		t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
		sigtimedwait(&chld, NULL, &t);
	}
}

static int run_command(const struct test *t)
{
	double began = now();
	pid_t pid = fork();
	bool late = false;
	int status = 0;

	if (pid < 0)
		die("fork");
	if (pid == 0)
		child(t);
	setpgid(pid, pid);
	if (wait_until(pid, began + t->seconds, &status)) {
		late = true;
		kill(-pid, SIGTERM);
		if (wait_until(pid, now() + GRACE, &status)) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
		}
	}
	kill(-pid, SIGKILL); /* what it left running */
	result_write(t, "time", "%.2f\n", now() - began);
	if (late)
		return 124;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_test(const struct test *t, int kmsg)
{
	struct kernel_state before;
	char from[512], to[512];
	int rc;

	state_read(&before);
	lseek(kmsg, 0, SEEK_END);
	rc = run_command(t);
	check_state(t, &before);
	check_log(t, kmsg);
	/* The status comes last and at once: its file says that the test is done. */
	result_write(t, "rc.new", "%d\n", rc);
	snprintf(from, sizeof(from), JOB "/res/%s.rc.new", t->name);
	snprintf(to, sizeof(to), JOB "/res/%s.rc", t->name);
	if (rename(from, to))
		die(to);
}

/* name TAB seconds TAB expected status TAB command */
static bool parse_line(char *line, struct test *t)
{
	char *seconds, *want;

	line[strcspn(line, "\n")] = 0;
	t->name = strsep(&line, "\t");
	seconds = strsep(&line, "\t");
	want = strsep(&line, "\t");
	t->command = line;
	if (!want || !line || !*t->name)
		return false;
	t->seconds = atoi(seconds);
	return true;
}

int main(void)
{
	FILE *list = fopen(JOB "/list", "r");
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *line = NULL;
	size_t size = 0;
	struct test t;
	sigset_t chld;

	if (!list || kmsg < 0)
		die("cannot start");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	while (getline(&line, &size, list) > 0) {
		if (parse_line(line, &t))
			run_test(&t, kmsg);
	}
	free(line);
	fclose(list);
	return 0;
}
