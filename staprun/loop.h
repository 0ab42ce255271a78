/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a running session, shared by loop.c, record.c and report.c. */
#ifndef SPILE_STAPRUN_LOOP_H
#define SPILE_STAPRUN_LOOP_H

#include "staprun/child.h"
#include "staprun/command.h"
#include "staprun/format.h"
#include "staprun/names.h"
#include "staprun/output.h"
#include "staprun/run.h"
#include "staprun/speculation.h"
#include "staprun/timers.h"

struct loop {
	struct run *run;
	struct out out;
	struct format format;
	struct names *names;
	struct timers timers;
	struct child child;
	struct commands commands;
	struct speculation speculation;
	void *local_store; /* NULL: globals live with the runner */

	bool load_called; /* so unload has to be */
	bool loaded, started;
	bool poll_process; /* no pidfd: ask now and then whether the target is there */
	bool in_handler; /* a user-side handler runs */
	bool kernel_session; /* begin, end or error probes run in the kernel */
	unsigned int poll_now; /* ms between reads of a runner that cannot wake us */
	uint64_t next_poll;

	bool failed; /* past MAXERRORS: error probes instead of end probes */
	bool broken; /* an error of ours, in run->diag: the exit status is 1 */
	uint64_t records; /* taken so far */
	uint64_t errors; /* REC_ERROR seen */
	uint64_t user_errors; /* handlers that ended in an error here */
	uint64_t damaged; /* records that did not fit their format */
	uint64_t unprinted; /* records lost for want of memory */
	uint64_t lost_printk, lost_ftrace; /* messages that could not be written */
};

/* Runs a whole session of r->ops on r->ir, which are set. The exit status. */
int loop_run(struct run *r);

/* Does what a REC_SEND says. */
void send_record(struct loop *l, const struct rec *rec);

/* End report on stderr; true when something in it makes the exit status 1. */
bool report_end(struct loop *l);

#endif
