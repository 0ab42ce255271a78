/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Meaning that the interpreter shares with the folder and with other stores: extractors, sorting,
 * strtol, substr.
 */
#include <stdlib.h>

#include "interp.h"
#include "ir_int.h"

bool ir_stat_extract(const struct agg *s, enum ir_stat op, int64_t *out)
{
	switch (op) {
	case IRS_COUNT:
		*out = s->count;
		return true;
	case IRS_SUM:
		*out = s->count ? s->sum : 0;
		return true;
	case IRS_MIN:
		*out = s->min;
		return s->count;
	case IRS_MAX:
		*out = s->max;
		return s->count;
	case IRS_AVG:
		*out = s->count ? ir_div(s->sum, s->count) : 0;
		return s->count;
	case IRS_VARIANCE:
		*out = agg_variance(s);
		return s->count;
	default:
		return false;
	}
}

static int compare_data(const struct ir_data *a, const struct ir_data *b)
{
	if (a->type == IR_STR)
		return strcmp(a->str ? a->str : "", b->str ? b->str : "");
	return (a->num > b->num) - (a->num < b->num);
}

static int compare_elems(const struct ir_elem *a, const struct ir_elem *b, const struct ir_iter *it,
			 const struct ir_global *g)
{
	int64_t x = 0, y = 0;

	if (it->sort_key)
		return compare_data(&a->key[it->sort_key - 1], &b->key[it->sort_key - 1]);
	if (!g->is_stat)
		return compare_data(&a->val, &b->val);
	/* An empty statistic, which only another store can hold, sorts as 0. */
	if (!ir_stat_extract(&a->stat, it->sort_stat, &x))
		x = 0;
	if (!ir_stat_extract(&b->stat, it->sort_stat, &y))
		y = 0;
	return (x > y) - (x < y);
}

/* Merges the sorted runs [lo, mid) and [mid, hi) of @from into @to; the left run wins ties. */
static void merge(const struct ir_elem **from, const struct ir_elem **to, uint32_t lo, uint32_t mid,
		  uint32_t hi, const struct ir_iter *it, const struct ir_global *g)
{
	uint32_t a = lo, b = mid;

	for (uint32_t k = lo; k < hi; k++) {
		bool right = a >= mid ||
			     (b < hi && it->sort_dir * compare_elems(from[b], from[a], it, g) < 0);

		to[k] = right ? from[b++] : from[a++];
	}
}

void ir_sort_elems(struct ir_elem *v, uint32_t n, const struct ir_iter *it,
		   const struct ir_global *g)
{
	const struct ir_elem **from, **to;
	struct ir_elem *sorted;
	struct arena a;

	if (!it->sort_dir || n < 2)
		return;
	arena_init(&a);
	from = arena_alloc(&a, n * sizeof(*from));
	to = arena_alloc(&a, n * sizeof(*to));
	for (uint32_t i = 0; i < n; i++)
		from[i] = &v[i];
	for (uint64_t w = 1; w < n; w *= 2) {
		const struct ir_elem **swap = from;

		for (uint64_t lo = 0; lo < n; lo += 2 * w) {
			uint64_t mid = lo + w < n ? lo + w : n,
				 hi = lo + 2 * w < n ? lo + 2 * w : n;

			merge(from, to, (uint32_t)lo, (uint32_t)mid, (uint32_t)hi, it, g);
		}
		from = to;
		to = swap;
	}
	sorted = arena_alloc(&a, n * sizeof(*sorted));
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = *from[i];
	memcpy(v, sorted, n * sizeof(*v));
	arena_fini(&a);
}

int64_t ir_strtol(const char *s, int64_t base)
{
	if (base < 0 || base == 1 || base > 36)
		return 0;
	return strtoll(s, NULL, (int)base);
}

void ir_substr_range(uint32_t len, int64_t *from, int64_t *n)
{
	if (*from < 0 || *from >= len || *n <= 0) {
		*from = *n = 0;
		return;
	}
	if (*n > len - *from)
		*n = len - *from;
}
