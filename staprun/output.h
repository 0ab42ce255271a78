/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session's output: one large buffer in front of a descriptor, with what could not be
 * written counted.
 */
#ifndef SPILE_STAPRUN_OUTPUT_H
#define SPILE_STAPRUN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define OUT_FULL (64 * 1024) /* written at the latest when this much waits */

struct out {
	int fd;
	const char *name; /* for messages */
	const char *path; /* as given with -o; NULL: standard output */
	struct arena *arena;
	unsigned int number; /* of the file: FILE, then FILE.1, FILE.2 ... */
	char *p;
	size_t len, cap;
	uint64_t since; /* CLOCK_MONOTONIC of the oldest byte that waits */
	int error; /* errno of the first failed write; from then on everything is dropped */
	uint64_t lost; /* bytes dropped */
};

/*
 * Opens @path (strftime conversions in it are expanded), or stdout when it is NULL. 0, or -1
 * after an error in @d.
 */
int out_open(struct out *o, const char *path, struct arena *a, struct diag *d)
	__attribute__((warn_unused_result));
/*
 * Goes on in the next file: FILE.1, then FILE.2 ... Nothing to do where the output is no file of
 * -o. A file that cannot be opened is a failed write.
 */
void out_switch(struct out *o);
/* Room for @n bytes, to be filled and then claimed with out_took(). NULL when memory is out. */
char *out_room(struct out *o, size_t n);
void out_took(struct out *o, size_t n);
static inline bool out_pending(const struct out *o)
{
	return o->len != 0;
}
/* Writes everything that waits. A failure is kept in o->error. */
void out_flush(struct out *o);
/* Flushes, closes; 0, or -1 with an error in @d that says how many bytes were lost. */
int out_close(struct out *o, struct diag *d) __attribute__((warn_unused_result));

#endif
