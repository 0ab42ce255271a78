/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics: each CPU accumulates in a part of its own, so that <<< takes no lock of the handler.
 * A part's inner lock is held for one short access by its CPU, and by readers, who hold the
 * global's lock for writing. The size limit and the order of insertion hold for all parts together:
 * inserting, which is rare, looks at the others. Order of inner locks: the map's insert lock, then
 * one part's at a time.
 */
#include "rt.h"

static SP_CODE void sp_spin(atomic_t *l)
{
	while (atomic_read(l) || atomic_cmpxchg_acquire(l, 0, 1))
		cpu_relax();
}

static SP_CODE void sp_spin_end(atomic_t *l)
{
	atomic_set_release(l, 0);
}

#define sp_for_each_part(m, k)                                                                     \
	for ((k) = 0; (k) < (m)->nparts; (k)++)                                                    \
		if ((m)->parts[k])

static SP_CODE struct agg *sp_stat_of(const struct sp_map *m, const struct sp_part *p, u32 i)
{
	return (struct agg *)((char *)sp_part_elem(m, p, i) + m->val_off);
}

static SP_CODE u64 *sp_hist_of(const struct sp_map *m, const struct sp_part *p, u32 i)
{
	return (u64 *)((char *)sp_part_elem(m, p, i) + m->hist_off);
}

/* One more value in element @i. */
static SP_CODE void sp_stat_value(const struct sp_map *m, const struct sp_part *p, u32 i, s64 v)
{
	agg_add(sp_stat_of(m, p, i), v, m->squares);
	if (m->g->hist)
		sp_hist_of(m, p, i)[agg_bucket(m->g->hist, v)]++;
}

/* Element @i is new: nothing in it yet. */
static SP_CODE void sp_stat_empty(const struct sp_map *m, const struct sp_part *p, u32 i)
{
	memset(sp_stat_of(m, p, i), 0, m->elem_size - m->val_off);
}

/* False when an empty aggregate has no such thing. */
static SP_CODE bool sp_stat_extract(const struct agg *s, u32 op, s64 *out)
{
	if (!s->count && op != SP_COUNT && op != SP_SUM)
		return false;
	switch (op) {
	case SP_COUNT:
		*out = s->count;
		break;
	case SP_SUM:
		*out = s->sum;
		break;
	case SP_MIN:
		*out = s->min;
		break;
	case SP_MAX:
		*out = s->max;
		break;
	case SP_VARIANCE:
		*out = agg_variance(s);
		break;
	default:
		*out = sp_div(s->sum, s->count);
	}
	return true;
}

/* The insertion number of a key in any part; 0: in none. */
static SP_CODE u64 sp_stat_seq(struct sp_map *m, u32 hash, const union sp_data *keys)
{
	u64 seq = 0;
	u32 k, i;

	sp_for_each_part(m, k) {
		sp_spin(&m->parts[k]->lock);
		i = sp_part_find(m, m->parts[k], hash, keys);
		if (i)
			seq = sp_part_elem(m, m->parts[k], i)->seq;
		sp_spin_end(&m->parts[k]->lock);
		if (seq)
			break;
	}
	return seq;
}

/* Removes the elements of one insertion number; it is the first of the parts that have it. */
static SP_CODE void sp_stat_evict(struct sp_map *m)
{
	u64 oldest = U64_MAX;
	u32 k;

	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];
		u32 first = READ_ONCE(p->first);

		if (first)
			oldest = min(oldest, sp_part_elem(m, p, first)->seq);
	}
	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];
		u32 i;

		sp_spin(&p->lock);
		for (i = p->first; i; i = sp_part_elem(m, p, i)->next) {
			if (sp_part_elem(m, p, i)->seq == oldest) {
				sp_part_remove(m, p, i);
				break;
			}
		}
		sp_spin_end(&p->lock);
	}
	m->distinct--;
}

/* This CPU's part has no such key yet. */
static SP_CODE s32 sp_stat_insert(struct sp_ctx *c, struct sp_map *m, struct sp_part *p, u32 hash,
				  const union sp_data *keys, s64 v)
{
	struct sp_elem *e;
	u64 seq;
	u32 i;

	sp_spin(&m->insert_lock);
	seq = sp_stat_seq(m, hash, keys);
	if (!seq) {
		if (m->distinct >= (m->g->nkeys ? m->g->max_entries : 1)) {
			if (!m->g->wrap) {
				sp_spin_end(&m->insert_lock);
				return sp_fail(c, SP_ERR_AGG_OVERFLOW, m->number);
			}
			sp_stat_evict(m);
		}
		m->distinct++;
		seq = atomic64_inc_return(&m->seq);
	}
	sp_spin(&p->lock);
	i = sp_part_insert(m, p, hash, keys);
	e = sp_part_elem(m, p, i);
	e->seq = seq;
	sp_stat_empty(m, p, i);
	sp_stat_value(m, p, i, v);
	sp_spin_end(&p->lock);
	sp_spin_end(&m->insert_lock);
	return 0;
}

SP_CODE s32 sp_stat_add(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 v)
{
	struct sp_map *m = sp_map_of(g);
	struct sp_part *p = m->parts[c->interruptible ? 0 : raw_smp_processor_id()];
	u32 hash = sp_key_hash(m->g, keys), i;

	sp_spin(&p->lock);
	i = sp_part_find(m, p, hash, keys);
	if (i)
		sp_stat_value(m, p, i, v);
	sp_spin_end(&p->lock);
	return i ? 0 : sp_stat_insert(c, m, p, hash, keys, v);
}

SP_CODE s32 sp_stat_get(struct sp_ctx *c, u32 g, const union sp_data *keys, u32 op, s64 *out)
{
	struct sp_map *m = sp_map_of(g);
	struct agg all = { 0 };
	u32 hash = sp_key_hash(m->g, keys), k, i;

	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		sp_spin(&p->lock);
		i = sp_part_find(m, p, hash, keys);
		if (i)
			agg_merge(&all, sp_stat_of(m, p, i), m->squares);
		sp_spin_end(&p->lock);
	}
	return sp_stat_extract(&all, op, out) ? 0 : sp_fail(c, SP_ERR_EMPTY, 0);
}

/* The element's own keys; strings stay where they are. */
static SP_CODE void sp_elem_keys(const struct sp_map *m, const struct sp_elem *e,
				 union sp_data *keys)
{
	u32 n;

	for (n = 0; n < m->g->nkeys; n++) {
		const char *key = (const char *)e + m->key_off[n];

		if (m->g->keys[n] == SP_I64)
			keys[n].num = *(const s64 *)key;
		else
			keys[n].str = key;
	}
}

/* All parts merged into @into, which is empty; its elements carry the insertion numbers. */
static SP_CODE void sp_stat_collect(struct sp_map *m, struct sp_part *into)
{
	u32 k, i, j, max = m->g->nkeys ? m->g->max_entries : 1;
	union sp_data keys[SP_MAXKEYS];

	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		sp_spin(&p->lock);
		for (i = p->first; i; i = sp_part_elem(m, p, i)->next) {
			struct sp_elem *e = sp_part_elem(m, p, i);
			u32 at;

			sp_elem_keys(m, e, keys);
			at = sp_part_find(m, into, e->hash, keys);
			j = at;
			if (!at) {
				if (into->n >= max)
					continue;
				j = sp_part_insert(m, into, e->hash, keys);
				sp_part_elem(m, into, j)->seq = e->seq;
				sp_stat_empty(m, into, j);
			}
			agg_merge(sp_stat_of(m, into, j), sp_stat_of(m, p, i), m->squares);
		}
		sp_spin_end(&p->lock);
	}
}

/* ---- histograms ---- */

/* All parts' counts into c->hist; fails when there are none. */
static SP_CODE s32 sp_hist_read(struct sp_ctx *c, struct sp_map *m, const union sp_data *keys)
{
	u32 hash = sp_key_hash(m->g, keys), buckets = m->g->hist->buckets, k, i, b;
	bool any = false;

	memset(c->hist, 0, buckets * sizeof(*c->hist));
	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		sp_spin(&p->lock);
		i = sp_part_find(m, p, hash, keys);
		for (b = 0; i && b < buckets; b++) {
			c->hist[b] += sp_hist_of(m, p, i)[b];
			any |= c->hist[b] != 0;
		}
		sp_spin_end(&p->lock);
	}
	return any ? 0 : sp_fail(c, SP_ERR_EMPTY, 0);
}

SP_CODE s32 sp_hist_get(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 bucket, s64 *out)
{
	struct sp_map *m = sp_map_of(g);

	if (sp_hist_read(c, m, keys))
		return 1;
	if ((u64)bucket >= m->g->hist->buckets)
		return sp_fail(c, SP_ERR_HIST_RANGE, 0);
	*out = c->hist[bucket];
	return 0;
}

SP_CODE s32 sp_hist_emit(struct sp_ctx *c, u32 g, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);

	if (sp_hist_read(c, m, keys))
		return 1;
	sp_emit(c, REC_HIST, g, m->g->hist->buckets, 0, (const union sp_data *)c->hist);
	return 0;
}

SP_CODE s32 sp_hist_text(struct sp_ctx *c, u32 g, const union sp_data *keys, char *to)
{
	struct fmt_out o = { .p = to, .size = sp_script.maxstringlen };
	struct sp_map *m = sp_map_of(g);

	if (sp_hist_read(c, m, keys))
		return 1;
	agg_print(&o, m->g->hist, c->hist, sp_script.hist_width, sp_script.hist_elision);
	fmt_end(&o);
	return 0;
}

/* ---- what arrays and statistics share ---- */

SP_CODE s64 sp_map_has(struct sp_ctx *c, u32 g, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);

	return m->g->is_stat ? sp_stat_seq(m, sp_key_hash(m->g, keys), keys) != 0
			     : sp_map_find(g, keys) != NULL;
}

SP_CODE void sp_map_del(struct sp_ctx *c, u32 g, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);
	u32 hash = sp_key_hash(m->g, keys), k, i;
	bool found = false;

	sp_spin(&m->insert_lock);
	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		sp_spin(&p->lock);
		i = sp_part_find(m, p, hash, keys);
		if (i) {
			sp_part_remove(m, p, i);
			found = true;
		}
		sp_spin_end(&p->lock);
	}
	m->distinct -= m->g->is_stat && found;
	sp_spin_end(&m->insert_lock);
}

SP_CODE s64 sp_map_has_any(struct sp_ctx *c, u32 g, u32 fixed, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);
	bool found = false;
	u32 k, i;

	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		if (m->g->is_stat)
			sp_spin(&p->lock);
		for (i = p->first; i && !found; i = sp_part_elem(m, p, i)->next)
			found = sp_key_in_slice(m, sp_part_elem(m, p, i), fixed, keys);
		if (m->g->is_stat)
			sp_spin_end(&p->lock);
		if (found)
			break;
	}
	return found;
}

/* Whether another part than @k has the key of element @i of part @k. */
static SP_CODE bool sp_stat_elsewhere(struct sp_map *m, u32 k, u32 i)
{
	const struct sp_elem *e = sp_part_elem(m, m->parts[k], i);
	union sp_data keys[SP_MAXKEYS];
	u32 o;

	sp_elem_keys(m, e, keys);
	sp_for_each_part(m, o) {
		if (o != k && sp_part_find(m, m->parts[o], e->hash, keys))
			return true;
	}
	return false;
}

/* With the insert lock held no part gets or loses elements but here. */
SP_CODE void sp_map_del_any(struct sp_ctx *c, u32 g, u32 fixed, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);
	u32 k, i, next;

	sp_spin(&m->insert_lock);
	sp_for_each_part(m, k) {
		struct sp_part *p = m->parts[k];

		for (i = p->first; i; i = next) {
			next = sp_part_elem(m, p, i)->next;
			if (!sp_key_in_slice(m, sp_part_elem(m, p, i), fixed, keys))
				continue;
			m->distinct -= m->g->is_stat && !sp_stat_elsewhere(m, k, i);
			sp_spin(&p->lock);
			sp_part_remove(m, p, i);
			sp_spin_end(&p->lock);
		}
	}
	sp_spin_end(&m->insert_lock);
}

SP_CODE void sp_map_clear(struct sp_ctx *c, u32 g)
{
	struct sp_map *m = sp_map_of(g);
	u32 k;

	sp_spin(&m->insert_lock);
	sp_for_each_part(m, k) {
		sp_spin(&m->parts[k]->lock);
		sp_part_clear(m->parts[k]);
		sp_spin_end(&m->parts[k]->lock);
	}
	m->distinct = 0;
	sp_spin_end(&m->insert_lock);
}
