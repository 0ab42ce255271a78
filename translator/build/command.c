/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running compilers and linkers. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build/build.h"

#define NOTE_LINES 6 /* of a failed command's output */

extern char **environ;

/*
 * Our environment, less what an outer make left there, with messages in English and what objtool's
 * wrapper asks for.
 */
static const char **build_environment(struct arena *a)
{
	static const char *const dropped[] = { "MAKEFLAGS=", "MFLAGS=",  "MAKELEVEL=",
					       "LC_ALL=",    "SRCARCH=", "ARCH=" };
	words env = { 0 };

	for (char **e = environ; *e; e++) {
		bool keep = true;

		for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++)
			keep &= strncmp(*e, dropped[i], strlen(dropped[i])) != 0;
		if (keep)
			vec_push(a, &env, *e);
	}
	vec_push(a, &env, "LC_ALL=C");
#if defined(__aarch64__)
	vec_push(a, &env, "SRCARCH=arm64");
#else
	vec_push(a, &env, "SRCARCH=x86");
#endif
	vec_push(a, &env, NULL);
	return env.v;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_run(struct session *s, const words *argv, const char *cwd, const char *log)
{
	struct arena *a = &s->arena;
	posix_spawn_file_actions_t fa;
	words args = { 0 };
	pid_t pid;
	int rc;

	for (uint32_t i = 0; i < argv->n; i++)
		vec_push(a, &args, argv->v[i]);
	vec_push(a, &args, NULL);
	if (s->verbose > 2) {
		fprintf(stderr, "Running");
		for (uint32_t i = 0; i < argv->n; i++)
			fprintf(stderr, " %s", argv->v[i]);
		fputc('\n', stderr);
	}
	posix_spawn_file_actions_init(&fa);
	rc = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_addopen(&fa, 1, log, O_WRONLY | O_CREAT | O_TRUNC,
						      0644);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&fa, 1, 2);
	if (!rc && cwd)
		rc = posix_spawn_file_actions_addchdir_np(&fa, cwd);
	if (!rc)
		rc = posix_spawnp(&pid, args.v[0], &fa, NULL, (char *const *)args.v,
				  (char *const *)build_environment(a));
	posix_spawn_file_actions_destroy(&fa);
	return rc ? -rc : wait_for(pid);
}

/* Where a compiler's first error is; warnings before it are of no help. */
static char *first_error(char *log)
{
	char *at = strstr(log, "error:");

	while (at && at > log && at[-1] != '\n')
		at--;
	return at ? at : log;
}

/* The first lines of a log that matter, less empty ones, as notes. */
static void note_lines(struct session *s, const char *log)
{
	struct buf b;
	char *p, *end;

	buf_init(&b);
	if (buf_read_file(&b, log) == 0 && b.len) {
		p = first_error(b.p);
		for (int i = 0; i < NOTE_LINES && p && *p; i++) {
			end = strchr(p, '\n');
			if (end)
				*end++ = 0;
			if (*p)
				diag_note(&s->diag, SPAN_NONE, "%s", p);
			p = end;
		}
	}
	buf_fini(&b);
}

void command_report(struct session *s, enum diag_tag tag, const char *what, int status,
		    const char *log)
{
	if (status < 0) {
		diag_error(&s->diag, tag, SPAN_NONE, "%s could not be started: %s", what,
			   strerror(-status));
		return;
	}
	if (tag == TAG_INTERNAL)
		diag_internal(&s->diag, SPAN_NONE, "%s refused what was generated (status %d)",
			      what, status);
	else
		diag_error(&s->diag, tag, SPAN_NONE, "%s failed with status %d", what, status);
	note_lines(s, log);
}

const char *find_program(struct arena *a, const char *name)
{
	const char *path = getenv("PATH"), *end;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : name;
	for (path = path ? path : "/usr/bin:/bin"; *path; path = *end ? end + 1 : end) {
		const char *full;

		end = strchrnul(path, ':');
		full = arena_printf(a, "%.*s/%s", (int)(end - path), path, name);
		if (!access(full, X_OK))
			return full;
	}
	return NULL;
}
