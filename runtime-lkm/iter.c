/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreach. The set of elements is fixed at the start, in order of insertion or stably sorted. Each
 * foreach of the script has its arrays from load on; the handler holds the global's lock for
 * writing, so that one CPU at a time uses them.
 */
#include "rt.h"

static struct sp_iter *sp_iters;

/* How the script wants two elements ordered: < 0 when @a comes first. */
static SP_CODE s64 sp_iter_compare(const struct sp_iter *it, const struct sp_iter_desc *d, u32 a,
				   u32 b)
{
	const struct sp_map *m = it->map;
	const char *ea = (const char *)sp_part_elem(m, it->from, a),
		   *eb = (const char *)sp_part_elem(m, it->from, b);
	u32 type = d->key ? m->g->keys[d->key - 1] : m->g->type;
	u32 off = d->key ? m->key_off[d->key - 1] : m->val_off;
	s64 x, y, order;

	if (!d->dir) {
		x = ((const struct sp_elem *)ea)->seq;
		y = ((const struct sp_elem *)eb)->seq;
		return x < y ? -1 : x > y;
	}
	if (!d->key && m->g->is_stat) {
		x = it->rank[a];
		y = it->rank[b];
		order = x < y ? -1 : x > y;
	} else if (type == SP_STR) {
		order = sp_str_cmp(ea + off, eb + off);
	} else {
		x = *(const s64 *)(ea + off);
		y = *(const s64 *)(eb + off);
		order = x < y ? -1 : x > y;
	}
	return d->dir < 0 ? -order : order;
}

/* Merge sort from the bottom, between the two arrays of the iterator. */
static SP_CODE void sp_iter_sort(struct sp_iter *it, const struct sp_iter_desc *d)
{
	u32 n = it->n;
	u64 width, lo;

	for (width = 1; width < n; width *= 2) {
		u32 *from = it->order, *to = it->spare;

		for (lo = 0; lo < n; lo += 2 * width) {
			u32 mid = min_t(u64, lo + width, n), hi = min_t(u64, lo + 2 * width, n);
			u32 a = lo, b = mid, k = lo;

			while (a < mid && b < hi)
				to[k++] = sp_iter_compare(it, d, from[b], from[a]) < 0 ? from[b++]
										       : from[a++];
			while (a < mid)
				to[k++] = from[a++];
			while (b < hi)
				to[k++] = from[b++];
		}
		it->order = to;
		it->spare = from;
	}
}

/* Takes one more element into the best @keep so far; equal ones stay in order of arrival. */
static SP_CODE void sp_iter_best(struct sp_iter *it, const struct sp_iter_desc *d, u32 keep,
				 u32 elem)
{
	u32 lo = 0, hi = it->n;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (sp_iter_compare(it, d, elem, it->order[mid]) < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo >= keep)
		return;
	if (it->n < keep)
		it->n++;
	memmove(it->order + lo + 1, it->order + lo, (it->n - 1 - lo) * sizeof(*it->order));
	it->order[lo] = elem;
}

/* The elements of the slice, in no order of statistics yet. */
static SP_CODE void sp_iter_take(struct sp_iter *it, const struct sp_iter_desc *d,
				 const union sp_data *keys)
{
	const struct sp_map *m = it->map;
	u32 i, left = it->from->n;

	it->n = 0;
	for (i = it->from->first; i && left--; i = sp_part_elem(m, it->from, i)->next) {
		if (d->fixed && !sp_key_in_slice(m, sp_part_elem(m, it->from, i), d->fixed, keys))
			continue;
		it->order[it->n++] = i;
		if (it->rank && !sp_stat_extract(sp_stat_of(m, it->from, i), d->stat, &it->rank[i]))
			it->rank[i] = 0;
	}
}

static SP_CODE void sp_iter_fill(struct sp_iter *it, const struct sp_iter_desc *d, s64 limit,
				 const union sp_data *keys)
{
	static const struct sp_iter_desc by_seq = { 0 };
	const struct sp_map *m = it->map;
	u32 k, total;

	sp_iter_take(it, d, keys);
	total = it->n;
	if (m->g->is_stat)
		sp_iter_sort(it, &by_seq);
	if (d->dir && limit >= 0 && limit < total / 8) {
		swap(it->order, it->spare);
		it->n = 0;
		for (k = 0; k < total && limit; k++)
			sp_iter_best(it, d, limit, it->spare[k]);
		return;
	}
	if (d->dir)
		sp_iter_sort(it, d);
	if (limit >= 0 && limit < it->n)
		it->n = limit;
}

static SP_CODE void sp_iter_close(struct sp_ctx *c, struct sp_iter *it)
{
	struct sp_iter **at = &c->open;

	while (*at && *at != it)
		at = &(*at)->link;
	if (*at) {
		*at = it->link;
		it->open = false;
	}
}

SP_CODE s32 sp_it_begin(struct sp_ctx *c, u32 iter, s64 limit, const union sp_data *keys)
{
	const struct sp_iter_desc *d = &sp_script.iters[iter];
	struct sp_iter *it = &sp_iters[iter];

	if (it->open && it->depth != c->depth)
		return sp_fail(c, SP_ERR_ITER,
			       d->global); /* an outer call of the same function is in its loop */
	sp_iter_close(c, it);
	it->open = true;
	it->depth = c->depth;
	it->pos = 0;
	it->link = c->open;
	c->open = it;
	if (it->map->g->is_stat) {
		sp_part_clear(it->from);
		sp_stat_collect(it->map, it->from);
	}
	sp_iter_fill(it, d, limit, keys);
	return 0;
}

SP_CODE void sp_it_end(struct sp_ctx *c, u32 iter)
{
	if (sp_iters[iter].depth == c->depth)
		sp_iter_close(c, &sp_iters[iter]);
}

SP_CODE s64 sp_it_next(struct sp_ctx *c, u32 iter)
{
	struct sp_iter *it = &sp_iters[iter];

	if (!it->open || it->pos >= it->n)
		return 0;
	it->pos++;
	return 1;
}

/* The current element; there is one between it_next and the next call. */
static SP_CODE const char *sp_iter_at(u32 iter)
{
	const struct sp_iter *it = &sp_iters[iter];

	return (const char *)sp_part_elem(it->map, it->from, it->pos ? it->order[it->pos - 1] : 0);
}

SP_CODE s64 sp_it_key_num(struct sp_ctx *c, u32 iter, u32 key)
{
	return *(const s64 *)(sp_iter_at(iter) + sp_iters[iter].map->key_off[key]);
}

SP_CODE void sp_it_key_str(struct sp_ctx *c, u32 iter, u32 key, char *to)
{
	sp_str_copy(to, sp_iter_at(iter) + sp_iters[iter].map->key_off[key]);
}

SP_CODE s64 sp_it_val_num(struct sp_ctx *c, u32 iter)
{
	return *(const s64 *)(sp_iter_at(iter) + sp_iters[iter].map->val_off);
}

SP_CODE void sp_it_val_str(struct sp_ctx *c, u32 iter, char *to)
{
	sp_str_copy(to, sp_iter_at(iter) + sp_iters[iter].map->val_off);
}

SP_CODE s32 sp_it_stat(struct sp_ctx *c, u32 iter, u32 op, s64 *out)
{
	const struct agg *s =
		(const struct agg *)(sp_iter_at(iter) + sp_iters[iter].map->val_off);

	return sp_stat_extract(s, op, out) ? 0 : sp_fail(c, SP_ERR_EMPTY, 0);
}

/* ---- memory ---- */

static int sp_iter_alloc(struct sp_iter *it, const struct sp_iter_desc *d)
{
	u64 bytes = 0, max;

	it->map = sp_script.maps[d->global];
	max = it->map->g->nkeys ? it->map->g->max_entries : 1;
	it->order = sp_big_alloc(max * sizeof(*it->order));
	it->spare = it->order ? sp_big_alloc(max * sizeof(*it->spare)) : NULL;
	if (!it->spare)
		return -ENOMEM;
	if (it->map->g->is_stat && d->dir && !d->key) {
		it->rank = sp_big_alloc((max + 1) * sizeof(*it->rank));
		if (!it->rank)
			return -ENOMEM;
	}
	it->from = it->map->g->is_stat ? sp_part_alloc(it->map, &bytes) : it->map->parts[0];
	return it->from ? 0 : -ENOMEM;
}

static int sp_iters_alloc(void)
{
	u32 i;

	sp_iters = kvcalloc(max(sp_script.niters, 1u), sizeof(*sp_iters), GFP_KERNEL);
	for (i = 0; sp_iters && i < sp_script.niters; i++) {
		const struct sp_global *g = &sp_script.globals[sp_script.iters[i].global];

		if (sp_iter_alloc(&sp_iters[i], &sp_script.iters[i])) {
			sp_session_fail(
				-1,
				"no memory to iterate over %u elements of %s; give it a lower size or MAXMAPENTRIES",
				g->max_entries, g->name);
			return -ENOMEM;
		}
	}
	return sp_iters ? 0 : -ENOMEM;
}

static void sp_iters_free(void)
{
	u32 i;

	for (i = 0; sp_iters && i < sp_script.niters; i++) {
		struct sp_iter *it = &sp_iters[i];

		vfree(it->order);
		vfree(it->spare);
		vfree(it->rank);
		if (it->map && it->map->g->is_stat)
			sp_part_free(it->from);
	}
	kvfree(sp_iters);
	sp_iters = NULL;
}
