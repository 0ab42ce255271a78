/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both kernel-side runtimes keep of processes. A table from ids (as the initial namespace has them) to words:
 * processes by the id of their first thread, and, where the script has probes of threads, the other threads by theirs.
 * fork, exec and exit keep it up to date through the kernel's tracepoints; so a filter is one look-up, and the end
 * of a process, when its memory and with it the name of its file are gone already, still finds what it was.
 */
#ifndef SPILE_TRACK_H
#define SPILE_TRACK_H

#define TRACK_MAXEXE 32 /* files told apart */

enum {
	TRACK_TARGET = 1, /* the process of -c or -x, or a descendant */
	TRACK_BEGUN = 2, /* its begin was seen, so that its end counts */
	TRACK_THREAD = 4,
	TRACK_FOUND = 8, /* it was there when the session started */
	TRACK_HELD = 16, /* our child, which does not run the command of -c yet */
	TRACK_EXE_SHIFT = 32, /* from here on: runs the file of that number */
};
#define TRACK_INHERITED (TRACK_TARGET | 0xffffffffull << TRACK_EXE_SHIFT) /* by threads and children */

#endif
