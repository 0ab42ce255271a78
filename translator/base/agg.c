/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/agg.h"

/* ---- variance ---- */

struct wide {
	uint64_t hi, lo;
};

static struct wide wide_mul(uint64_t a, uint64_t b)
{
	uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
	uint64_t low = a0 * b0, m1 = a1 * b0, m2 = a0 * b1;
	uint64_t mid = m1 + (low >> 32), top;

	top = (mid >> 32) + a1 * b1;
	mid = (mid & 0xffffffffu) + m2;
	return (struct wide){ top + (mid >> 32), mid << 32 | (low & 0xffffffffu) };
}

static struct wide wide_sub(struct wide a, struct wide b)
{
	return (struct wide){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

/* By 0 < @d < 2^63 with a.hi < @d, so that the quotient has 64 bits. No libgcc in the kernel. */
static uint64_t wide_div(struct wide a, uint64_t d)
{
	uint64_t q = 0;
	int k;

	for (k = 63; k >= 0; k--) {
		a.hi = a.hi << 1 | (a.lo >> k & 1);
		q <<= 1;
		if (a.hi >= d) {
			a.hi -= d;
			q |= 1;
		}
	}
	return q;
}

/*
 * With |sum| = q * n + r: sum((x - mean)^2) = squares - q * (|sum| + r) - r * r / n. All in 128
 * bits that wrap; only r * r / n is not whole, and is rounded up so that the result is cut.
 */
int64_t agg_variance(const struct agg *a)
{
	uint64_t n = (uint64_t)a->count, q, r, part;
	struct wide s = { (uint64_t)a->sum_hi, (uint64_t)a->sum }, t, m;

	if (n < 2)
		return 0;
	if (a->sum_hi < 0)
		s = wide_sub((struct wide){ 0, 0 }, s);
	q = s.hi < n ? wide_div(s, n) : ~0ull;
	r = s.lo - q * n;
	s.lo += r;
	s.hi += s.lo < r;
	t = wide_mul(q, s.lo);
	t.hi += q * s.hi;
	m = wide_sub((struct wide){ a->sq_hi, a->sq_lo }, t);
	t = wide_mul(r, r);
	part = t.hi < n ? wide_div(t, n) : ~0ull;
	part += t.lo != part * n;
	m = wide_sub(m, (struct wide){ 0, part });
	q = m.hi < n - 1 ? wide_div(m, n - 1) : ~0ull;
	return q >> 63 ? (int64_t)(~0ull >> 1) : (int64_t)q;
}

/* ---- histograms ---- */

int64_t agg_label(const struct agg_hist *h, uint32_t bucket)
{
	if (h->kind == AGG_HIST_LINEAR) {
		if (bucket == 0)
			return h->lo;
		if (bucket == h->buckets - 1)
			bucket--; /* "> the last one" */
		return (int64_t)((uint64_t)h->lo + (uint64_t)(bucket - 1) * (uint64_t)h->width);
	}
	if (bucket == AGG_LOG_ZERO)
		return 0;
	if (bucket > AGG_LOG_ZERO)
		return (int64_t)(1ull << (bucket - AGG_LOG_ZERO - 1));
	return (int64_t)(0 - (1ull << (AGG_LOG_ZERO - 1 - bucket)));
}

static void put_run(struct fmt_out *o, char c, int64_t n)
{
	while (n-- > 0)
		fmt_lit(o, &c, 1);
}

/* A number as text at the end of @buf; returns where it starts. */
static const char *digits(char buf[24], int64_t v, uint32_t *len)
{
	uint64_t x = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char *p = buf + 24;

	do
		*--p = (char)('0' + x % 10);
	while (x /= 10);
	if (v < 0)
		*--p = '-';
	*len = (uint32_t)(buf + 24 - p);
	return p;
}

/* "<" and ">" mark what lies outside of a linear histogram's limits. */
static char outside(const struct agg_hist *h, uint32_t bucket)
{
	if (h->kind != AGG_HIST_LINEAR)
		return 0;
	return bucket == 0 ? '<' : bucket == h->buckets - 1 ? '>' : 0;
}

/* Right-aligned in @width columns, with the mark of what is outside. */
static void put_label(struct fmt_out *o, const struct agg_hist *h, uint32_t bucket, uint32_t width)
{
	char buf[24], mark = outside(h, bucket);
	uint32_t len;
	const char *s = digits(buf, agg_label(h, bucket), &len);

	put_run(o, ' ', (int64_t)width - len - (mark != 0));
	if (mark)
		fmt_lit(o, &mark, 1);
	fmt_lit(o, s, len);
}

struct range {
	uint32_t first, last; /* buckets shown */
	uint64_t most;
};

/* From the first to the last bucket with something in it, and two empty ones around. */
static int find_range(const struct agg_hist *h, const uint64_t *n, struct range *r)
{
	uint32_t i, lowest = 0, highest = h->buckets - 1;

	r->first = h->buckets;
	r->last = 0;
	r->most = 0;
	for (i = 0; i < h->buckets; i++) {
		if (!n[i])
			continue;
		if (r->first == h->buckets)
			r->first = i;
		r->last = i;
		if (n[i] > r->most)
			r->most = n[i];
	}
	if (r->first == h->buckets)
		return 0;
	if (h->kind == AGG_HIST_LINEAR) {
		/* what is outside of the limits is shown only when there is something */
		lowest = n[0] == 0;
		highest -= n[highest] == 0;
	} else if (r->first >= AGG_LOG_ZERO) {
		lowest = AGG_LOG_ZERO;
	}
	r->first = r->first - lowest > 2 ? r->first - 2 : lowest;
	r->last = highest - r->last > 2 ? r->last + 2 : highest;
	return 1;
}

/* Whether the bucket and all within @elision of it that are shown are empty. */
static int is_elided(const uint64_t *n, const struct range *r, uint32_t i, int64_t elision)
{
	uint32_t from, to, reach = elision > AGG_MAX_BUCKETS ? AGG_MAX_BUCKETS : (uint32_t)elision;

	if (elision < 0)
		return 0;
	from = i - r->first > reach ? i - reach : r->first;
	to = r->last - i > reach ? i + reach : r->last;
	for (; from <= to; from++)
		if (n[from])
			return 0;
	return 1;
}

static uint32_t label_width(const struct agg_hist *h, const struct range *r)
{
	uint32_t width = 5, i, len; /* "value" */
	char buf[24];

	for (i = r->first; i <= r->last; i++) {
		digits(buf, agg_label(h, i), &len);
		len += outside(h, i) != 0;
		if (len > width)
			width = len;
	}
	return width;
}

void agg_print(struct fmt_out *o, const struct agg_hist *h, const uint64_t *counts, int64_t width,
	       int64_t elision)
{
	uint32_t i, labels, len, count_width;
	int elided = 0;
	uint64_t scale;
	struct range r;
	char buf[24];

	if (!find_range(h, counts, &r))
		return;
	labels = label_width(h, &r);
	scale = r.most / (uint64_t)width + (r.most % (uint64_t)width != 0);
	digits(buf, (int64_t)r.most, &count_width);
	put_run(o, ' ', (int64_t)labels - 5);
	fmt_lit(o, "value |", 7);
	put_run(o, '-', width);
	fmt_lit(o, " count\n", 7);
	for (i = r.first; i <= r.last; i++) {
		const char *s;
		int64_t bar;

		if (is_elided(counts, &r, i, elision)) {
			elided = 1;
			continue;
		}
		if (elided) {
			put_run(o, ' ', labels + 1);
			fmt_lit(o, "~\n", 2);
			elided = 0;
		}
		put_label(o, h, i, labels);
		fmt_lit(o, " |", 2);
		bar = (int64_t)(counts[i] / scale);
		put_run(o, '@', bar);
		s = digits(buf, (int64_t)counts[i], &len);
		put_run(o, ' ', width - bar + 1 + count_width - len);
		fmt_lit(o, s, len);
		fmt_lit(o, "\n", 1);
	}
	fmt_lit(o, "\n", 1);
}
