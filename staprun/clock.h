/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock that records and timers share. */
#ifndef SPILE_STAPRUN_CLOCK_H
#define SPILE_STAPRUN_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
