/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where globals live: what the code generator and the loader must agree on. Everything follows
 * from the IR module, which travels in the object, so both sides compute it.
 */
#ifndef SPILE_BPF_LAYOUT_H
#define SPILE_BPF_LAYOUT_H

#include "ir/ir.h"

/*
 * Handlers that may be active on one CPU: a task's, an interrupt's, an NMI's (or tasks preempted
 * in a uprobe).
 */
#define BPF_LEVELS 3

/* Section .data: an array map of one value, which staprun maps into its memory. */
enum {
	BD_EXITING = 0, /* u32: later hits return at once */
	BD_SEQ = 8, /* insertions into arrays so far */
	BD_TARGET = 16, /* -c or -x process */
	BD_REALTIME = 24, /* CLOCK_REALTIME - CLOCK_MONOTONIC, nanoseconds */
	BD_ERRORS = 32, /* handlers that ended in an error */
	BD_SKIP_LOCK = 40, /* hits not run: a lock was not had */
	BD_SKIP_NEST = 48, /* hits not run: all slots of the CPU busy */
	BD_LOST = 56, /* records that found no room */
	BD_TRACK = 64, /* enum bpf_track */
	BD_UNTRACKED = 72, /* tasks that found no room in the table */
	BD_FILES = 80, /* u64 each: the kernel's inode of a file told apart; 0: none */
	BD_REGIONS = BD_FILES + 8 * TRACK_MAXEXE, /* u32 each: a region of the foreach maps is in use */
	BD_GLOBALS = BD_REGIONS + 4 * 64,
};

/*
 * What the programs that follow processes are told. Arming: children are kept with their parents whoever these are, nothing
 * is forgotten, and no begin or end counts. All: processes are kept that neither belong to the target nor run one of the files.
 */
enum bpf_track { BPF_TRACK_ARMING = 1, BPF_TRACK_ALL = 2 };

/* An element of the table of base/track.h. */
struct bpf_task {
	uint64_t bits;
	uint64_t old; /* before its last exec */
	uint32_t parent, pad; /* process that made it */
};
/* Added to a thread's id: it ends its process; the bits are the process's. */
#define BPF_TASK_ENDING 0x80000000u

/* Section .rodata: set by the loader before the programs are verified, then frozen. */
enum {
	RD_NCPU = 0, /* u64: possible CPUs */
	RD_NEEDS = 8, /* u64: 1 << enum bpf_need of what the programs use */
	RD_REGIONS = 16, /* u64: regions of the foreach maps; as written: what one handler needs */
	RD_COOKIES = 24, /* u64: 1: attachments carry the number of their probe among those of its program */
	RD_ZERO = 32, /* zeros, as many as a string has bytes; then u64 each: addresses of module->syms */
};

/* What a kernel may lack. */
enum bpf_need {
	BPF_NEED_RINGBUF,
	BPF_NEED_FOR_EACH,
	BPF_NEED_LOOP,
	BPF_NEED_LONG_KEYS,
	BPF_NEED_WRITE_USER,
	BPF_NEED_BTF,
	BPF_NEED_SNPRINTF,
	BPF_NEED_KPROBES,
	BPF_NEED_UPROBES,
	BPF_NEED_COUNT
};

#define BPF_REGIONS_MAX 64

/*
 * A lock word: the number of readers, and this for each writer: one holds the lock, others may be
 * trying. Whoever adds to a word takes away as much, so no one stores to it.
 */
#define BPF_WRITER 0x10000

/* A number of insertion order: the count of BD_SEQ, then who counted. */
#define BPF_SEQ_SHIFT 16
#define BPF_SEQ_USER 0xffffu

/*
 * A statistic's value: the sequence, then for each CPU a block on cache lines of its own: for each
 * level one part, the words of struct agg; then the counts of its histogram, shared by the levels.
 */
#define BPF_STAT_HEAD 16u
#define BPF_STAT_LINE 128u

/* An element of an array: u64 sequence, then the value. */
#define BPF_ELEM_HEAD 8u

struct bpf_global {
	const char *name; /* a C identifier, no other global has it */
	const char *map; /* that, for what has a map; NULL: in .data */
	uint32_t off; /* in .data: the value of a scalar */
	uint32_t lock; /* in .data: u32 */
	uint32_t key_size; /* 4 for the only element of a statistic scalar */
	uint32_t key_off[IR_MAXKEYS];
	uint32_t value_size; /* of the map; 0 for statistics: depends on the number of CPUs */
	uint32_t part_size, hist_off, cpu_size; /* of a statistic's CPU block, and its own */
};

struct bpf_layout {
	uint32_t strsz; /* bytes of a string with its terminator, a multiple of 8 */
	uint32_t stage; /* in .data: the key of what a user-side probe adds to a statistic */
	uint32_t data_size;
	uint32_t syms; /* in .rodata */
	struct bpf_global *g;
};

static inline uint32_t bpf_value_size(const struct bpf_global *g, uint32_t ncpu)
{
	return g->value_size ? g->value_size : BPF_STAT_HEAD + g->cpu_size * ncpu;
}

/* A probe's place among those of one program. */
struct bpf_group {
	uint32_t leader; /* the first of them, after which the program is called; IR_NONE: not run by eBPF */
	uint32_t nth, size;
	uint32_t tail; /* groups of several: the program's place in BPF_MAP_TAIL */
};
/* By probe. *@ntails: groups of several. */
struct bpf_group *bpf_groups(struct arena *a, const struct ir_module *m, uint32_t *ntails);

void bpf_layout(struct arena *a, const struct ir_module *m, struct bpf_layout *out);

#define BPF_MAP_SCRATCH "spile_scratch"
#define BPF_MAP_EVENTS "spile_events"
#define BPF_MAP_ZERO "spile_zero"
#define BPF_MAP_TASKS "spile_tasks" /* id -> struct bpf_task */
#define BPF_MAP_ITER "spile_iter" /* copies of elements, for foreach; as written: one region */
#define BPF_MAP_HEAP "spile_heap" /* their numbers, sorted */
#define BPF_MAP_SITE "spile_site" /* where there are no cookies: u64 a CPU, the number that a cookie would tell */
#define BPF_MAP_TAIL "spile_tail" /* and the programs that stubs continue in */
#define BPF_STAT_STRUCT "spile_stat_" /* and the global's name; BTF: its array's length is set by the loader */

#endif
