/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that -c starts, and the one that -x names. */
#ifndef SPILE_STAPRUN_CHILD_H
#define SPILE_STAPRUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"

struct child {
	pid_t pid; /* 0: none */
	int go_fd; /* a byte lets the child run the command; its end, when staprun dies, ends it */
	int error_fd; /* the errno of an exec that failed */
	bool started; /* it runs the command */
	bool gone;
	int status; /* of waitpid, once gone */
};

/*
 * Forks a process that will run @command when released, so that its id is known before anything
 * is armed. A command without shell syntax is run directly. 0, or -1 after an error in @d.
 */
int child_prepare(struct child *c, const char *command, struct arena *a, struct diag *d)
	__attribute__((warn_unused_result));
/* Lets it run the command; -1 after an error in @d when that cannot be executed. */
int child_release(struct child *c, const char *command, struct diag *d)
	__attribute__((warn_unused_result));
/* Takes the exit status without waiting; true when the child is gone. */
bool child_reap(struct child *c);
/* Ends a child that never ran its command. */
void child_cancel(struct child *c);
/* Warns on stderr of a command that failed; true when it did. */
bool child_failed(const struct child *c);

/*
 * A descriptor that becomes readable when @pid ends; -1 and errno (ENOSYS: poll with
 * process_gone()).
 */
int process_open(pid_t pid) __attribute__((warn_unused_result));
bool process_gone(pid_t pid);

#endif
