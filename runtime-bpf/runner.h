/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loader's own state: one object, its maps, its links. */
#ifndef SPILE_RUNTIME_BPF_RUNNER_H
#define SPILE_RUNTIME_BPF_RUNNER_H

#include "bpf/layout.h"
#include "staprun/run.h"

struct bpf_object;
struct bpf_link;
struct bpf_map;
struct bpf_program;
struct ring_buffer;

#define SPAN_HERE ((struct span){ 0 })

struct bpf_run {
	struct run *run;
	struct bpf_layout lay;
	struct bpf_object *obj; /* NULL when every probe runs here: nothing to load then */
	struct ring_buffer *rb;
	int ncpu; /* possible ones */
	struct bpf_group *groups; /* by probe: which program it has */
	uint32_t ntails;
	uint8_t *multi; /* by leader: one link for all of them: 1 to be placed, 2 done */
	uint64_t *multi_addr; /* by probe, of those */
	bool cookies; /* attachments can tell their number; else stubs do */
	uint8_t *data; /* section .data, shared with the programs */
	size_t data_size;
	const uint8_t *scratch; /* the slots, to see which are busy */
	size_t scratch_size, slot_size;
	VEC(struct bpf_link *) links;
	struct buf batch; /* records of one read */
	VEC(size_t) order; /* where each starts */
	struct buf log; /* what libbpf said */
	int *map_fd; /* by global, -1 for scalars */
	int *add_fd; /* by global: the program that adds to a statistic, or -1 */
	bool *dropped; /* by probe: it is optional, and cannot do its work on this kernel */
	bool *held; /* by global: this process holds the write lock */
	uint8_t *key, *value; /* room for the largest of all maps */
	char *text; /* a string handed out by the store */
	struct ir_track track;
	bool tracks; /* processes are followed */
	VEC(int) held_files; /* whose inodes processes are compared with */
};

/* A 64-bit word of .data. */
static inline uint64_t *bpf_word(const struct bpf_run *b, uint32_t off)
{
	return (uint64_t *)(void *)(b->data + off);
}

/*
 * features.c: whether this kernel has what the object needs. 0, or -1 after E-KERNEL-FEATURE or
 * E-NOT-ROOT.
 */
int bpf_check_features(struct bpf_run *b, uint64_t needs) __attribute__((warn_unused_result));
/*
 * types.c: whether what the probes read of the kernel is there and is what it was when they were compiled. Drops optional
 * ones that would read something else. 0, or -1 after E-KERNEL-CHANGED.
 */
int bpf_check_types(struct bpf_run *b) __attribute__((warn_unused_result));
bool bpf_has_cookies(void);
bool bpf_feature_wanted(const char *name); /* false: a test asks to do without */
/* multi.c: groups of functions that one link can place; asked before the programs are loaded. */
void bpf_multi_choose(struct bpf_run *b);
void bpf_multi_find(struct bpf_run *b);
int bpf_multi_attach(struct bpf_run *b, uint32_t leader) __attribute__((warn_unused_result));
/* attach.c */
int bpf_attach(struct bpf_run *b, uint32_t probe) __attribute__((warn_unused_result));
/* It says nothing of the probe point: no error that '?' covers. */
bool bpf_attach_serious(int err);
int bpf_attach_failed(struct bpf_run *b, uint32_t probe, int err); /* reports it; -1 */
void bpf_detach_all(struct bpf_run *b);
/* track.c: which process is whose */
bool track_wanted(struct bpf_run *b);
int track_size(struct bpf_run *b) __attribute__((warn_unused_result)); /* before loading */
int track_begin(struct bpf_run *b) __attribute__((warn_unused_result)); /* before the script's probes are attached */
int track_armed(struct bpf_run *b) __attribute__((warn_unused_result)); /* behind them */
bool track_target_set(struct bpf_run *b, int64_t pid);
void track_end(struct bpf_run *b);
/* records.c */
int bpf_records_open(struct bpf_run *b, int fd) __attribute__((warn_unused_result));
void bpf_records_read(struct bpf_run *b);
void bpf_records_close(struct bpf_run *b);
/* store.c: globals in maps and .data */
extern const struct ir_store_ops bpf_store;
void bpf_store_init(struct bpf_run *b);

#endif
