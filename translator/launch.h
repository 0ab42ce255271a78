/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pass 5: staprun as a child process. */
#ifndef SPILE_LAUNCH_H
#define SPILE_LAUNCH_H

#include "session.h"

/*
 * Runs staprun on the object and waits; signals that end stap are passed on to it, and it ends when stap is killed. Returns the exit
 * status for stap: staprun's, or 1.
 */
int launch_staprun(struct session *s, const char *object) __attribute__((warn_unused_result));

#endif
