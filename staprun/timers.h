/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timer probes that staprun itself runs. */
#ifndef SPILE_STAPRUN_TIMERS_H
#define SPILE_STAPRUN_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/ir.h"

struct timer {
	uint32_t probe;
	uint64_t period, random; /* nanoseconds */
	uint64_t due; /* CLOCK_MONOTONIC */
};

/*
 * One descriptor for all: timers that are due together run in the order they fell due, then of
 * the script.
 */
struct timers {
	int fd; /* -1: no timers */
	uint32_t n;
	struct timer *v;
	uint64_t rng;
};

/* Collects the user-side timers of @m. 0, or -1 and errno. */
int timers_init(struct timers *t, const struct ir_module *m, struct arena *a)
	__attribute__((warn_unused_result));
void timers_fini(struct timers *t);
/* The first period starts now. */
void timers_start(struct timers *t);
/*
 * The next timer that was due at @now, with its next time set: periods that were missed are not
 * made up for. False when there is none; the descriptor is then set for the next.
 */
bool timers_next(struct timers *t, uint64_t now, uint32_t *probe);

/* Nanoseconds in a tick of the running kernel. */
uint64_t timers_jiffy(void);

#endif
