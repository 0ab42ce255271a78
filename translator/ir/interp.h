/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter: runs handlers in user space, as the user runtime and as the user side of the
 * eBPF runtime. Globals are behind a table of functions, so that they may live in this process or
 * in BPF maps.
 */
#ifndef SPILE_IR_INTERP_H
#define SPILE_IR_INTERP_H

#include "base/record.h"
#include "ir.h"

/*
 * A key or value. A string is NUL-terminated, shorter than MAXSTRINGLEN; who fills it says how long
 * it lives.
 */
struct ir_data {
	enum ir_type type;
	int64_t num;
	const char *str;
};

/*
 * The value of an extractor of a statistic, merged over CPUs; false when it is one of an empty
 * aggregate that has none. avg truncates.
 */
bool ir_stat_extract(const struct agg *s, enum ir_stat op, int64_t *out);

/* One element of a snapshot. Strings live in the snapshot's arena. */
struct ir_elem {
	struct ir_data key[IR_MAXKEYS];
	struct ir_data val;
	struct agg stat;
	uint64_t seq; /* insertion order */
};

/* Which elements: those whose keys agree with keys[k] for each bit k of @fixed. */
struct ir_slice {
	uint32_t fixed;
	struct ir_data keys[IR_MAXKEYS];
};

/*
 * Where globals live. Functions return 0 or enum ir_error (then with *operand set where the text
 * takes one). Strings returned are valid until the next call. lock/unlock bracket a handler run;
 * lock may be NULL.
 */
struct ir_store_ops {
	int (*scalar_get)(void *store, uint32_t g, struct ir_data *out);
	int (*scalar_set)(void *store, uint32_t g, const struct ir_data *v);
	int (*get)(void *store, uint32_t g, const struct ir_data *keys, struct ir_data *out,
		   bool *found);
	int (*set)(void *store, uint32_t g, const struct ir_data *keys, const struct ir_data *v,
		   int64_t *operand);
	int (*add)(void *store, uint32_t g, const struct ir_data *keys, int64_t by, int64_t *now,
		   int64_t *operand);
	void (*del)(void *store, uint32_t g, const struct ir_data *keys);
	void (*clear)(void *store, uint32_t g);
	int (*stat_add)(void *store, uint32_t g, const struct ir_data *keys, int64_t v,
			int64_t *operand);
	bool (*stat_get)(void *store, uint32_t g, const struct ir_data *keys,
			 struct agg *out);
	/* The counts of all buckets of the global's histogram; false without the element. */
	bool (*hist_get)(void *store, uint32_t g, const struct ir_data *keys, uint64_t *counts);
	bool (*has_any)(void *store, uint32_t g, const struct ir_slice *which);
	void (*del_any)(void *store, uint32_t g, const struct ir_slice *which);
	/* These elements in insertion order, in @a. */
	int (*snapshot)(void *store, uint32_t g, const struct ir_slice *which, struct arena *a,
			struct ir_elem **out, uint32_t *n);
	int64_t (*new_id)(void *store); /* above 0, each time another one */
	void (*lock)(void *store, const struct ir_probe *p);
	void (*unlock)(void *store, const struct ir_probe *p);
};

/* The in-process store: bounded hash tables (ir/store.c). */
extern const struct ir_store_ops ir_local_store;
void *ir_local_store_new(const struct ir_module *m);
void ir_local_store_free(void *store);

struct interp_env {
	const struct ir_store_ops *store;
	void *store_arg;
	/* Takes a finished record (base/record.h); time and cpu are filled in. */
	void (*record)(void *arg, const struct rec *r);
	void *record_arg;
	int64_t target; /* -c / -x process, or 0 */
	/*
	 * The text of a name: appends it. @num or @str is the operand. NULL: none is known, and
	 * addresses stay numbers.
	 */
	void (*name)(void *arg, enum ir_name_row n, int64_t num, const char *str, struct buf *out);
	void *name_arg;
	/* Whether a process is the target or descends from it; NULL: only the target itself does. */
	bool (*target_set)(void *arg, int64_t pid);
	void *target_arg;
};

struct interp;
struct interp *interp_new(const struct ir_module *m, const struct interp_env *env);
void interp_free(struct interp *in);

/*
 * Runs one hit of a probe. 0, or 1 when it ended in an error, which has been emitted as a
 * REC_ERROR. exit() is emitted as a REC_EXIT. @limit: actions allowed (MAXACTION or its
 * interruptible form). Recursion is bounded by MAXNESTING.
 */
int interp_run(struct interp *in, uint32_t probe, int64_t limit);

/* Sorts a snapshot as a foreach asks: stable, so that equal elements stay in insertion order. */
void ir_sort_elems(struct ir_elem *v, uint32_t n, const struct ir_iter *it,
		   const struct ir_global *g);

#endif
