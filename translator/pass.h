/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The -v lines: what a pass cost. */
#ifndef SPILE_PASS_H
#define SPILE_PASS_H

#include "session.h"

struct pass_clock {
	int64_t usr, sys, real; /* nanoseconds at the start; children included */
};

void pass_start(struct pass_clock *c);

/*
 * At -v prints "Pass N: WHAT using 1virt/2res/3shr/4data kb, in 1usr/2sys/3real ms." on stderr; @memory false leaves the memory out.
 */
void pass_end(const struct session *s, const struct pass_clock *c, int pass, bool memory, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
