/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shell commands of system(): started in the background, waited for at the end. */
#ifndef SPILE_STAPRUN_COMMAND_H
#define SPILE_STAPRUN_COMMAND_H

#include <stdint.h>
#include <sys/types.h>

#define COMMANDS_MOST 256 /* at once */

struct commands {
	pid_t pid[COMMANDS_MOST];
	uint32_t n;
	uint64_t lost; /* not run: too many at once, or no process to be had */
	int why; /* errno of the last one that could not be started; 0: too many */
};

/* As the user who runs staprun, with staprun's standard files. */
void command_start(struct commands *c, const char *text, uint32_t len);
/* Takes the status of those that have ended. */
void commands_reap(struct commands *c);
/* Waits until all have ended, or until the user has had enough. */
void commands_wait(struct commands *c);

#endif
