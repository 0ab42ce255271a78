/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the module runner. */
#ifndef SPILE_STAPRUN_RUNNER_LKM_H
#define SPILE_STAPRUN_RUNNER_LKM_H

#include <stdint.h>

#include "staprun/run.h"

/* What one CPU's ring gave and nobody took yet. */
struct lkm_cpu {
	int fd;
	char *buf;
	size_t pos, len, cap; /* unread: from pos to len */
};

struct lkm_rings {
	struct lkm_cpu *cpus;
	uint32_t n;
	size_t held; /* bytes in all buffers */
};

/* Opens traceN of the folder. 0, or -errno. */
int rings_open(struct lkm_rings *g, const char *folder) __attribute__((warn_unused_result));
void rings_close(struct lkm_rings *g);
/* Takes out of the kernel what is there; all there will be when no probe is @armed. Touches only @g. 0, or -errno. */
int rings_drain(struct lkm_rings *g, bool armed) __attribute__((warn_unused_result));
/* Hands on records up to @horizon, by time. -1: a damaged record. */
int rings_merge(struct lkm_rings *g, struct run *r, uint64_t horizon)
	__attribute__((warn_unused_result));

/* A module of ours in the kernel. */
int module_load(struct run *r, const char *name) __attribute__((warn_unused_result));
/* 0, or -errno. Waits a little when it is busy. */
int module_unload(const char *name) __attribute__((warn_unused_result));

#endif
