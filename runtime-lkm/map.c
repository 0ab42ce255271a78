/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrays: bounded hash tables, all memory taken at load, elements linked in order of insertion. The
 * caller's handler holds the lock of the global. An element's key never moves, so a stale number is
 * wrong but harmless.
 */
#include "rt.h"

static void *sp_big_alloc(u64 bytes)
{
	if (bytes > ULONG_MAX / 2 || bytes / PAGE_SIZE > (u64)si_mem_available() * 3 / 4)
		return NULL;
	return __vmalloc(max_t(u64, bytes, 1),
			 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
}

static SP_CODE struct sp_elem *sp_part_elem(const struct sp_map *m, const struct sp_part *p, u32 i)
{
	return (struct sp_elem *)(p->pool + (u64)i * m->elem_size);
}

/* ---- keys ---- */

static inline u64 sp_mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 29);
}

static SP_CODE u32 sp_key_hash(const struct sp_global *g, const union sp_data *keys)
{
	u64 h = 0x243f6a8885a308d3ull;
	u32 i;

	for (i = 0; i < g->nkeys; i++) {
		const char *s;

		if (g->keys[i] == SP_I64) {
			h = sp_mix(h, keys[i].num);
			continue;
		}
		for (s = keys[i].str; *s; s++)
			h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
		h = sp_mix(h, 0xff);
	}
	return (u32)(h ^ (h >> 32));
}

static SP_CODE bool sp_key_equal(const struct sp_map *m, const struct sp_elem *e,
				 const union sp_data *keys)
{
	u32 i;

	for (i = 0; i < m->g->nkeys; i++) {
		const char *key = (const char *)e + m->key_off[i];

		if (m->g->keys[i] == SP_I64 ? *(const s64 *)key != keys[i].num
					    : !sp_str_eq(key, keys[i].str))
			return false;
	}
	return true;
}

static SP_CODE bool sp_key_in_slice(const struct sp_map *m, const struct sp_elem *e, u32 fixed,
				    const union sp_data *keys)
{
	u32 i;

	for (i = 0; i < m->g->nkeys; i++) {
		const char *key = (const char *)e + m->key_off[i];

		if (!(fixed >> i & 1))
			continue;
		if (m->g->keys[i] == SP_I64 ? *(const s64 *)key != keys->num
					    : !sp_str_eq(key, keys->str))
			return false;
		keys++;
	}
	return true;
}

static SP_CODE void sp_key_store(const struct sp_map *m, struct sp_elem *e,
				 const union sp_data *keys)
{
	u32 i;

	for (i = 0; i < m->g->nkeys; i++) {
		char *key = (char *)e + m->key_off[i];

		if (m->g->keys[i] == SP_I64)
			*(s64 *)key = keys[i].num;
		else
			sp_str_copy(key, keys[i].str);
	}
}

/* ---- a part ---- */

static SP_CODE u32 sp_part_find(const struct sp_map *m, const struct sp_part *p, u32 hash,
				const union sp_data *keys)
{
	u32 i = p->bucket[hash & p->mask];

	while (i) {
		const struct sp_elem *e = sp_part_elem(m, p, i);

		if (e->hash == hash && sp_key_equal(m, e, keys))
			return i;
		i = e->hnext;
	}
	return 0;
}

static SP_CODE void sp_part_remove(const struct sp_map *m, struct sp_part *p, u32 i)
{
	struct sp_elem *e = sp_part_elem(m, p, i);
	u32 *at = &p->bucket[e->hash & p->mask];

	while (*at != i)
		at = &sp_part_elem(m, p, *at)->hnext;
	*at = e->hnext;
	if (e->prev)
		sp_part_elem(m, p, e->prev)->next = e->next;
	else
		p->first = e->next;
	if (e->next)
		sp_part_elem(m, p, e->next)->prev = e->prev;
	else
		p->last = e->prev;
	e->hnext = p->free;
	p->free = i;
	p->n--;
}

/* A new element with its key and no value yet, the last in order. The part has room. */
static SP_CODE u32 sp_part_insert(const struct sp_map *m, struct sp_part *p, u32 hash,
				  const union sp_data *keys)
{
	struct sp_elem *e;
	u32 i = p->free;

	if (i)
		p->free = sp_part_elem(m, p, i)->hnext;
	else
		i = p->fresh++;
	e = sp_part_elem(m, p, i);
	e->hash = hash;
	e->hnext = p->bucket[hash & p->mask];
	p->bucket[hash & p->mask] = i;
	e->prev = p->last;
	e->next = 0;
	if (p->last)
		sp_part_elem(m, p, p->last)->next = i;
	else
		p->first = i;
	p->last = i;
	p->n++;
	sp_key_store(m, e, keys);
	return i;
}

static SP_CODE void sp_part_clear(struct sp_part *p)
{
	if (p->n)
		memset(p->bucket, 0, ((size_t)p->mask + 1) * sizeof(*p->bucket));
	p->n = p->free = p->first = p->last = 0;
	p->fresh = 1;
}

static struct sp_part *sp_part_alloc(const struct sp_map *m, u64 *bytes)
{
	u64 max = m->g->nkeys ? m->g->max_entries : 1, buckets = roundup_pow_of_two(max);
	struct sp_part *p = kzalloc(sizeof(*p), GFP_KERNEL);

	*bytes = (max + 1) * m->elem_size + buckets * sizeof(u32);
	if (!p)
		return NULL;
	p->bucket = sp_big_alloc(buckets * sizeof(u32));
	p->pool = p->bucket ? sp_big_alloc((max + 1) * m->elem_size) : NULL;
	p->mask = buckets - 1;
	p->fresh = 1;
	if (p->pool)
		return p;
	sp_part_free(p);
	return NULL;
}

static void sp_part_free(struct sp_part *p)
{
	if (p) {
		vfree(p->bucket);
		vfree(p->pool);
		kfree(p);
	}
}

/* ---- arrays of numbers and strings ---- */

static inline struct sp_map *sp_map_of(u32 g)
{
	return sp_script.maps[g];
}

static SP_CODE void *sp_map_find(u32 g, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);
	u32 i = sp_part_find(m, m->parts[0], sp_key_hash(m->g, keys), keys);

	return i ? (char *)sp_part_elem(m, m->parts[0], i) + m->val_off : NULL;
}

/*
 * The value of an element, inserted as 0 or "" when new; NULL with the error set when there is no
 * room.
 */
static SP_CODE void *sp_map_need(struct sp_ctx *c, u32 g, const union sp_data *keys)
{
	struct sp_map *m = sp_map_of(g);
	struct sp_part *p = m->parts[0];
	u32 hash = sp_key_hash(m->g, keys), i = sp_part_find(m, p, hash, keys);
	char *v;

	if (!i) {
		if (p->n >= m->g->max_entries) {
			if (!m->g->wrap) {
				sp_fail(c, m->g->sized ? SP_ERR_OVERFLOW_SIZED : SP_ERR_OVERFLOW,
					m->g->max_entries);
				return NULL;
			}
			sp_part_remove(m, p, p->first);
		}
		i = sp_part_insert(m, p, hash, keys);
		v = (char *)sp_part_elem(m, p, i) + m->val_off;
		*(u64 *)v = 0;
		return v;
	}
	return (char *)sp_part_elem(m, p, i) + m->val_off;
}

SP_CODE s32 sp_map_set_num(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 v)
{
	s64 *at = sp_map_need(c, g, keys);

	if (!at)
		return 1;
	*at = v;
	return 0;
}

SP_CODE s32 sp_map_set_str(struct sp_ctx *c, u32 g, const union sp_data *keys, const char *v)
{
	char *at = sp_map_need(c, g, keys);

	if (!at)
		return 1;
	sp_str_copy(at, v);
	return 0;
}

SP_CODE s32 sp_map_add(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 by, s64 *now)
{
	s64 *at = sp_map_need(c, g, keys);

	if (!at)
		return 1;
	*at = (s64)((u64)*at + (u64)by);
	*now = *at;
	return 0;
}

SP_CODE s64 sp_map_num(struct sp_ctx *c, u32 g, const union sp_data *keys)
{
	const s64 *at = sp_map_find(g, keys);

	return at ? *at : 0;
}

SP_CODE void sp_map_str(struct sp_ctx *c, u32 g, const union sp_data *keys, char *to)
{
	const char *at = sp_map_find(g, keys);

	sp_str_copy(to, at ? at : "");
}

/* ---- memory ---- */

static u32 sp_slot_size(u32 type)
{
	return type == SP_STR ? ALIGN(sp_script.maxstringlen, 8) : 8;
}

static void sp_map_layout(struct sp_map *m)
{
	u32 off = sizeof(struct sp_elem), i;

	for (i = 0; i < m->g->nkeys; i++) {
		m->key_off[i] = off;
		off += sp_slot_size(m->g->keys[i]);
	}
	m->val_off = off;
	m->squares = m->g->stat_words == AGG_WORDS_SQUARES;
	m->hist_off = off + 8 * m->g->stat_words;
	if (m->g->is_stat)
		m->elem_size = m->hist_off + (m->g->hist ? 8 * m->g->hist->buckets : 0);
	else
		m->elem_size = off + sp_slot_size(m->g->type);
}

static int sp_map_alloc(u32 number)
{
	const struct sp_global *g = &sp_script.globals[number];
	struct sp_map *m = kzalloc(sizeof(*m), GFP_KERNEL);
	u64 bytes = 0;
	u32 i;

	if (!m)
		goto no_memory;
	sp_script.maps[number] = m;
	m->g = g;
	m->number = number;
	sp_map_layout(m);
	m->nparts = g->is_stat ? nr_cpu_ids : 1;
	m->parts = kvcalloc(m->nparts, sizeof(*m->parts), GFP_KERNEL);
	if (!m->parts)
		goto no_memory;
	for (i = 0; i < m->nparts; i++) {
		if (g->is_stat && !cpu_possible(i))
			continue;
		m->parts[i] = sp_part_alloc(m, &bytes);
		if (!m->parts[i])
			goto no_memory;
	}
	return 0;
no_memory:
	if (m)
		bytes *= m->nparts;
	sp_session_fail(
		-1,
		"no memory for the array %s: %u elements need %llu KiB%s; give it a lower size or MAXMAPENTRIES",
		g->name, g->max_entries, (bytes + 1023) >> 10, g->is_stat ? " over all CPUs" : "");
	return -ENOMEM;
}

static int sp_maps_alloc(void)
{
	u32 i;

	for (i = 0; i < sp_script.nglobals; i++) {
		int rc = sp_script.globals[i].is_map ? sp_map_alloc(i) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

static void sp_maps_free(void)
{
	u32 i, k;

	for (i = 0; i < sp_script.nglobals; i++) {
		struct sp_map *m = sp_script.maps[i];

		if (!m)
			continue;
		for (k = 0; m->parts && k < m->nparts; k++)
			sp_part_free(m->parts[k]);
		kvfree(m->parts);
		kfree(m);
		sp_script.maps[i] = NULL;
	}
}
