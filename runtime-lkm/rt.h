/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the kernel-side runtime. It is compiled as one unit (sp_rt.c includes the others),
 * because parsing the kernel's headers takes most of the time.
 */
#ifndef SPILE_RT_H
#define SPILE_RT_H

#include "kernel.h"

#include "abi.h"
#include "base/agg.h"
#include "base/fmt.h"
#include "base/record.h"
#include "base/text.h"
#include "base/track.h"

/* ---- session ---- */

enum sp_state {
	SP_LOADED, /* nothing but the control file */
	SP_READY, /* memory taken */
	SP_BEGIN, /* attaching, running begin probes; hits are ignored */
	SP_RUNNING,
	SP_STOPPING, /* exit() or an error: hits are ignored, still attached */
	SP_STOPPED, /* detached */
	SP_ENDING, /* end or error probes */
	SP_ENDED,
};

struct sp_session {
	atomic_t state;
	s32 target;
	bool exit_wanted, failed, urgent;
	atomic_t events; /* goes up when the control file's reader should look */
	atomic64_t errors, skipped_lock, skipped_nested, missed;
	atomic64_t last_speculation;
	atomic64_t untracked; /* processes and threads that found no room */
	atomic64_t homeless; /* records on CPUs that came online after the load: they have no ring */
	char why[256]; /* why setup or start failed */
	s32 failed_probe;
	u32 arrived, refused; /* modules that came after the start; their probes that could not be placed */
};
static struct sp_session sp;

static void sp_session_notify(void); /* from any context */
static void sp_session_end(void); /* no more hits: exit(), or an error past MAXERRORS */
static void sp_session_fail(s32 probe, const char *fmt, ...) __printf(2, 3);

/* ---- transport: a ring of records for each CPU, one writer and one reader ---- */

struct sp_ring {
	char *data; /* the pages mapped twice in a row, so that no record is split */
	u32 size, npages; /* size: bytes, a power of two */
	u32 cpu, seq;
	struct page **pages;
	u64 head; /* bytes ever written; published after the record is complete */
	u64 lost;
	struct mutex read_lock;
	u64 tail ____cacheline_aligned; /* bytes ever taken */
};
static struct sp_ring **sp_rings; /* by CPU, from setup on; NULL: no ring there */

static int sp_rings_alloc(u64 bytes_per_cpu) __must_check;
static void sp_rings_free(void);
static u64 sp_rings_lost(void);

/* ---- contexts ---- */

static int sp_contexts_alloc(void) __must_check;
static void sp_contexts_free(void);
/* One hit, from any context. @tpargs: of a tracepoint, else NULL. */
static void sp_hit(const struct sp_probe *p, struct pt_regs *regs, const unsigned long *tpargs);
/* A begin, end or error probe, in process context. */
static void sp_run_session_probe(const struct sp_probe *p);

/* The same of an event in the life of @task, which need not be the current one; filters were asked. */
static void sp_hit_task(const struct sp_probe *p, struct task_struct *task);

/* ---- processes: the table of base/track.h ---- */

static int sp_track_start(bool held) __must_check; /* before the script's probes are attached; @held: TRACK_HELD */
static void sp_track_armed(void); /* hits count from now on: those that are there begin */
static void sp_track_stop(void); /* nothing is kept up to date any more */
static void sp_track_free(void);
static u64 sp_track_bits(u32 id); /* TRACK_..., 0 for an unknown one */

/* ---- maps ---- */

struct sp_elem {
	u32 hnext, prev, next; /* element numbers; 0: none */
	u32 hash;
	u64 seq; /* statistics: order of insertion over all CPUs */
	/* keys and value follow at the map's offsets */
};

/* A bounded hash table whose elements are linked in order of insertion. */
struct sp_part {
	u32 *bucket;
	char *pool;
	u32 mask, n;
	u32 fresh; /* elements never used start here */
	u32 free; /* freed ones, linked by hnext */
	u32 first, last;
	atomic_t lock; /* statistics: held for each access */
};

struct sp_map {
	const struct sp_global *g;
	u32 number, nparts; /* one part, or one for each possible CPU (statistics) */
	u32 elem_size, val_off;
	u32 hist_off; /* statistics with a histogram: its counts */
	bool squares;
	u32 key_off[SP_MAXKEYS];
	u32 distinct; /* statistics: different keys over all parts */
	atomic_t insert_lock;
	atomic64_t seq;
	struct sp_part **parts;
};

static struct sp_elem *sp_part_elem(const struct sp_map *m, const struct sp_part *p, u32 i);
/* Whether the keys of an element are those of a slice. */
static bool sp_key_in_slice(const struct sp_map *m, const struct sp_elem *e, u32 fixed,
			    const union sp_data *keys);
static struct sp_part *sp_part_alloc(const struct sp_map *m, u64 *bytes);
static void sp_part_free(struct sp_part *p);
static int sp_maps_alloc(void) __must_check;
static void sp_maps_free(void);
/* Memory that must not bring the machine down: fails early, without a word in the log. */
static void *sp_big_alloc(u64 bytes);

struct sp_iter {
	struct sp_map *map;
	struct sp_part *from; /* holds the elements: the map's, or a merged copy (statistics) */
	u32 *order, *spare;
	s64 *rank; /* of statistics sorted by value: by element number; else NULL */
	u32 n, pos; /* pos: of the current element, from 1 */
	u32 depth; /* of the call that opened it */
	bool open;
	struct sp_iter *link; /* of the context's open ones */
};
static int sp_iters_alloc(void) __must_check;
static void sp_iters_free(void);
static void sp_iter_close(struct sp_ctx *c, struct sp_iter *it);

/* Fails an operation: 1, with the error set. */
static inline s32 sp_fail(struct sp_ctx *c, u32 kind, s64 operand)
{
	c->err.kind = kind;
	c->err.operand = operand;
	return 1;
}

/* Reads @n bytes of the kernel's or the current process's memory; false after a fault. */
static bool sp_copy(void *to, u64 addr, size_t n, bool user);

/* ---- stacks ---- */

static void sp_stacks_init(void); /* when the script looks at the kernel's */

/* ---- attaching: one file a kind ---- */

struct sp_kind {
	const char *what;
	bool late; /* after the begin probes: what counts time from its start */
	size_t size; /* of the kind's own data about one probe, zeroed */
	/* 0, or -errno, with *why (a static text) where errno alone says too little. */
	int (*attach)(void *own, const struct sp_probe *p, const char **why);
	/* All @n attached ones. On return none of their handlers runs or will. */
	void (*detach)(void **own, u32 n);
	u64 (*missed)(void *own); /* hits the kernel dropped; may be NULL. After detach. */
};

/* Probes of modules: while these are loaded. */
static bool sp_is_late(const struct sp_probe *p);
static int sp_late_start(void) __must_check;
static int sp_late_attach(const struct sp_probe *p, const char **why);
static void sp_late_stop(void);
static int sp_late_here(const char *module) __must_check;

/* ---- strings and the rest ---- */

static int sp_error_text(const struct sp_ctx *c, char *to, size_t size);

#endif
