/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics: what one aggregate keeps, how parts are merged, @variance, and histograms with their
 * text. Freestanding like fmt.h: the same source in stap, staprun and the module runtime, and the
 * eBPF code generator emits the same arithmetic, so that one aggregate has one meaning.
 *
 * Everything kept is a sum, a least or a greatest, so what comes out depends neither on the order
 * of the values nor on the CPUs that they were added on.
 */
#ifndef SPILE_BASE_AGG_H
#define SPILE_BASE_AGG_H

#include "base/fmt.h"

#define AGG_LOG_BUCKETS 128u
#define AGG_LOG_ZERO 64u /* the bucket of value 0; negative values are below it */
#define AGG_MAX_BUCKETS 128u

/*
 * A part of an aggregate. The words behind max are there only where @variance is wanted: the upper
 * half of the sum and the sum of squares, 128 bits each, which wrap.
 */
struct agg {
	int64_t count, sum, min, max;
	int64_t sum_hi;
	uint64_t sq_lo, sq_hi;
};
#define AGG_WORDS 4u
#define AGG_WORDS_SQUARES 7u

enum agg_hist_kind { AGG_HIST_NONE, AGG_HIST_LOG, AGG_HIST_LINEAR };

struct agg_hist {
	uint32_t kind, buckets; /* linear: with one below lo and one above hi */
	int64_t lo, hi, width;
};

/* Number of buckets of a linear histogram, 0 when its limits make none or too many. */
static inline uint32_t agg_linear_buckets(int64_t lo, int64_t hi, int64_t width)
{
	uint64_t n;

	if (hi <= lo || width <= 0)
		return 0;
	n = ((uint64_t)hi - (uint64_t)lo) / (uint64_t)width;
	return n > AGG_MAX_BUCKETS - 3 ? 0 : (uint32_t)n + 3;
}

/* Which bucket counts @v. */
static inline uint32_t agg_bucket(const struct agg_hist *h, int64_t v)
{
	uint64_t n;

	if (h->kind == AGG_HIST_LINEAR) {
		if (v < h->lo)
			return 0;
		n = ((uint64_t)v - (uint64_t)h->lo) / (uint64_t)h->width;
		return n >= h->buckets - 2 ? h->buckets - 1 : (uint32_t)n + 1;
	}
	if (!v)
		return AGG_LOG_ZERO;
	if (v > 0)
		return AGG_LOG_ZERO + 64 - (uint32_t)__builtin_clzll((uint64_t)v);
	return AGG_LOG_ZERO - 64 + (uint32_t)__builtin_clzll(0 - (uint64_t)v);
}

static inline void agg_add_squares(struct agg *a, int64_t v)
{
	uint64_t x = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	uint64_t low = x & 0xffffffffu, high = x >> 32, mid = low * high, lo = low * low;
	uint64_t sum = (uint64_t)a->sum + (uint64_t)v, square = lo + (mid << 33);

	a->sum_hi += (v >> 63) + (sum < (uint64_t)v);
	a->sq_lo += square;
	a->sq_hi += high * high + (mid >> 31) + (square < lo) + (a->sq_lo < square);
}

/* One value more; @squares: the words behind max are there. */
static inline void agg_add(struct agg *a, int64_t v, int squares)
{
	if (!a->count || v < a->min)
		a->min = v;
	if (!a->count || v > a->max)
		a->max = v;
	if (squares)
		agg_add_squares(a, v);
	a->count++;
	a->sum = (int64_t)((uint64_t)a->sum + (uint64_t)v);
}

/* Another part. */
static inline void agg_merge(struct agg *to, const struct agg *part, int squares)
{
	uint64_t sum = (uint64_t)to->sum + (uint64_t)part->sum;

	if (!part->count)
		return;
	if (!to->count || part->min < to->min)
		to->min = part->min;
	if (!to->count || part->max > to->max)
		to->max = part->max;
	if (squares) {
		to->sum_hi = (int64_t)((uint64_t)to->sum_hi + (uint64_t)part->sum_hi +
				       (sum < (uint64_t)part->sum));
		to->sq_lo += part->sq_lo;
		to->sq_hi += part->sq_hi + (to->sq_lo < part->sq_lo);
	}
	to->count += part->count;
	to->sum = (int64_t)sum;
}

/*
 * The sample variance, sum((x - mean)^2) / (count - 1), of all values exactly and then cut to an
 * integer; 0 for a single value, INT64_MAX where it does not fit. The shift that scripts may give
 * improves the precision of running means, which there are none of here: it changes nothing.
 */
int64_t agg_variance(const struct agg *a);

/* What stands before a bucket's bar: its lowest value (below 0: its highest). */
int64_t agg_label(const struct agg_hist *h, uint32_t bucket);

/* A bound of what agg_print() writes. */
#define AGG_TEXT_MAX(buckets, width) (((size_t)(buckets) + 3) * (2 * 21 + 8 + (size_t)(width)))

/*
 * The histogram as a table with bars of @width at most. Of more than 2 * @elision empty buckets in
 * a row all but @elision at either end become one "~"; below 0: none do.
 */
void agg_print(struct fmt_out *o, const struct agg_hist *h, const uint64_t *counts, int64_t width,
	       int64_t elision);

#endif
