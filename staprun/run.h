/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * staprun: one loaded script and the loop that drives it. Each runtime is a table of functions (runner_lkm.c,
 * runtime-bpf/, runner_user.c). The loop owns user-side probes, the target process, signals, output and the end report.
 */
#ifndef SPILE_STAPRUN_RUN_H
#define SPILE_STAPRUN_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/record.h"
#include "ir/interp.h"
#include "ir/ir.h"

struct run_options {
	const char *object; /* .ko, .bo or .uo file */
	const char *output; /* -o; NULL: stdout */
	const char *command; /* -c */
	pid_t target; /* -x; set to the child's id with -c */
	int buffer_mb; /* -b: per CPU; 0: default */
	int verbose;
	bool no_warnings; /* -w */
	VEC(const char *) objects; /* -d: symbols of these are kept from the start */
	VEC(const char *) settings; /* name=value behind the object */
};

/* What the end report needs. */
struct run_counts {
	uint64_t errors; /* handlers that ended in an error */
	uint64_t skipped; /* hits not run for lock contention or want of resources: held against MAXSKIPPED */
	uint64_t nested; /* hits not run because of nesting, or missed by the kernel: reported only */
	uint64_t lost; /* records that found no room */
	uint64_t untracked; /* processes and threads that could not be followed */
};

struct runner_ops;

struct run {
	struct run_options opt;
	struct arena arena;
	struct diag diag;
	struct ir_module *ir; /* from the object's .spile section */
	VEC(uint32_t) set; /* globals whose initial value comes from the command line */
	const struct runner_ops *ops;
	void *priv; /* the runner's */
	struct interp *interp; /* for probes with user_side; NULL when there are none */
	int epoll_fd; /* runners add their descriptors with run_watch() */
	bool exiting; /* exit(), a signal, target gone, or an error past MAXERRORS */
	int poll_ms; /* set by load: read at least this often; 0: descriptors given to run_watch() tell */
	void *loop; /* the loop's own */
};

/*
 * Order of calls: load, start, read as descriptors become ready, stop, read, unload. Each returns 0, or -1 after an error in
 * run->diag; unload never fails and is called whenever load was.
 */
struct runner_ops {
	const char *name;
	int (*load)(struct run *r);
	int (*start)(struct run *r); /* kernel-side begin probes, then arms everything */
	int (*read)(struct run *r); /* takes all finished records, in time order: run_record() each */
	/* Disarms; then kernel-side end (or, with @failed, error) probes. */
	int (*stop)(struct run *r, bool failed);
	void (*unload)(struct run *r);
	void (*counts)(struct run *r, struct run_counts *out);
	/* Where user-side probes find globals; NULL ops: the local store. */
	const struct ir_store_ops *(*store)(struct run *r, void **arg);
	/* Whether a process is the target or descends from it, for user-side probes; NULL: /proc is asked. */
	bool (*target_set)(struct run *r, int64_t pid);
};

extern const struct runner_ops runner_lkm, runner_bpf, runner_user;

/* Calls the runner's read when @fd is readable. 0 or -1. */
int run_watch(struct run *r, int fd);
/* Formats and writes one record; REC_ERROR and REC_EXIT change the run's state. */
void run_record(struct run *r, const struct rec *rec);

/* The IR image that pass 4 put into the object's section .spile (.ko, .bo), or the whole file (.uo). NULL after an error. */
struct ir_module *run_load_image(struct run *r);
#define SPILE_SECTION ".spile"

#endif
