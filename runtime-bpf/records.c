/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records from the ring buffer. CPUs reserve room in the order they send, which may differ a
 * little from the time in the records: each batch is sorted by time before it is passed on.
 */
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime-bpf/runner.h"

/* Bytes taken at once, so that a flood of records cannot keep the loop from signals and timers. */
#define BATCH_BYTES (256u << 10)

static int on_record(void *arg, void *data, size_t size)
{
	struct bpf_run *b = arg;
	const struct rec *r = data;

	if (size < sizeof(*r) || r->size > size || r->size < sizeof(*r))
		return 0;
	vec_push(&b->run->arena, &b->order, b->batch.len);
	buf_add(&b->batch, data, r->size);
	/* not an error: the rest is read next time */
	return b->batch.len > BATCH_BYTES ? -1 : 0;
}

int bpf_records_open(struct bpf_run *b, int fd)
{
	buf_init(&b->batch);
	b->rb = ring_buffer__new(fd, on_record, b, NULL);
	if (!b->rb) {
		diag_error(&b->run->diag, TAG_LOAD, SPAN_HERE,
			   "cannot map the ring buffer of records");
		return -1;
	}
	return run_watch(b->run, ring_buffer__epoll_fd(b->rb));
}

static const struct rec *record_at(const struct bpf_run *b, size_t i)
{
	return (const struct rec *)(const void *)(b->batch.p + b->order.v[i]);
}

/* Nearly sorted already: insertion sort, which keeps equal times in order. */
static void sort_records(struct bpf_run *b)
{
	for (uint32_t i = 1; i < b->order.n; i++) {
		size_t v = b->order.v[i];
		uint64_t time = record_at(b, i)->time;
		uint32_t k = i;

		for (; k > 0 && record_at(b, k - 1)->time > time; k--)
			b->order.v[k] = b->order.v[k - 1];
		b->order.v[k] = v;
	}
}

void bpf_records_read(struct bpf_run *b)
{
	if (!b->rb)
		return;
	do {
		b->order.n = 0;
		buf_reset(&b->batch);
		ring_buffer__consume(b->rb);
		sort_records(b);
		for (uint32_t i = 0; i < b->order.n; i++)
			run_record(b->run, record_at(b, i));
	} while (b->run->exiting && b->batch.len > BATCH_BYTES);
}

void bpf_records_close(struct bpf_run *b)
{
	if (b->rb)
		ring_buffer__free(b->rb);
	b->rb = NULL;
	buf_fini(&b->batch);
}
