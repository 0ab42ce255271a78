/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files processes have mapped, and when. The kernel reports each new mapping through perf events, so that a process
 * that has ended by the time its addresses are to be named is known all the same; what was mapped before the session is
 * read from /proc when a process is first asked for.
 */
#ifndef SPILE_STAPRUN_PROCS_H
#define SPILE_STAPRUN_PROCS_H

#include <stdbool.h>
#include <stdint.h>

struct procs;
struct procs *procs_new(void);
void procs_free(struct procs *all);
/* Starts to listen. Without it, or where the kernel does not let us, only /proc is known. */
void procs_listen(struct procs *all);
/* Reads now what @pid has mapped. */
void procs_look(struct procs *all, int64_t pid);

struct proc_map {
	uint64_t start, end, offset; /* offset in the file */
	uint64_t time; /* CLOCK_MONOTONIC of the report; 0: of /proc */
	const char *path; /* or "[vdso]" */
};
/* What was at @addr of process @pid at @time (0: now). */
bool procs_find(struct procs *all, int64_t pid, uint64_t time, uint64_t addr, struct proc_map *out);
/* The mapping that holds byte @offset of the file. */
bool procs_find_file(struct procs *all, int64_t pid, uint64_t time, const char *path, uint64_t offset,
		     struct proc_map *out);

#endif
