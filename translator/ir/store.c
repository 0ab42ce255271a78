/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Globals in this process. An array is a hash table bounded by its max_entries that grows as it
 * fills; its elements also stand in a list in order of insertion.
 */
#include <stdio.h>
#include <stdlib.h>

#include "interp.h"
#include "ir_int.h"

union value {
	int64_t num;
	char *str; /* heap; NULL: "" */
	struct {
		struct agg stat;
		uint64_t *hist; /* heap: a count for each bucket; NULL: no histogram wanted */
	};
};

union key {
	int64_t num;
	const char *str; /* behind the element */
};

struct elem {
	struct elem *chain; /* same bucket */
	struct elem *prev, *next; /* insertion order */
	uint64_t hash, seq;
	union value val;
	union key keys[];
};

struct table {
	struct elem **buckets; /* power of two, or NULL while empty */
	struct elem *first, *last;
	uint32_t nbuckets, n;
	uint64_t seq;
	union value scalar;
};

struct store {
	const struct ir_module *m;
	struct table *tables;
	int64_t last_id;
};

static void *store_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p) {
		fputs("ERROR: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t hash_keys(const struct ir_global *g, const struct ir_data *keys)
{
	uint64_t h = 0x2545f4914f6cdd1du;

	for (uint32_t k = 0; k < g->nkeys; k++) {
		if (g->keys[k] == IR_I64) {
			h = mix(h, (uint64_t)keys[k].num);
			continue;
		}
		for (const char *s = keys[k].str; *s; s++)
			h = mix(h, (uint8_t)*s);
		h = mix(h, 256);
	}
	return h;
}

static bool same_keys(const struct ir_global *g, const struct elem *e, const struct ir_data *keys)
{
	for (uint32_t k = 0; k < g->nkeys; k++)
		if (g->keys[k] == IR_I64 ? e->keys[k].num != keys[k].num
					 : strcmp(e->keys[k].str, keys[k].str) != 0)
			return false;
	return true;
}

static struct elem *find(const struct ir_global *g, const struct table *t,
			 const struct ir_data *keys, uint64_t hash)
{
	struct elem *e;

	if (!t->nbuckets)
		return NULL;
	for (e = t->buckets[hash & (t->nbuckets - 1)]; e; e = e->chain)
		if (e->hash == hash && same_keys(g, e, keys))
			return e;
	return NULL;
}

static void grow(struct table *t)
{
	uint32_t n = t->nbuckets ? t->nbuckets * 2 : 16;

	free(t->buckets);
	t->buckets = store_alloc(n * sizeof(*t->buckets));
	t->nbuckets = n;
	for (struct elem *e = t->first; e; e = e->next) {
		struct elem **b = &t->buckets[e->hash & (n - 1)];

		e->chain = *b;
		*b = e;
	}
}

static bool has_string(const struct ir_global *g)
{
	return g->type == IR_STR && !g->is_stat;
}

static void remove_elem(const struct ir_global *g, struct table *t, struct elem *e)
{
	struct elem **at = &t->buckets[e->hash & (t->nbuckets - 1)];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	*(e->prev ? &e->prev->next : &t->first) = e->next;
	*(e->next ? &e->next->prev : &t->last) = e->prev;
	if (has_string(g))
		free(e->val.str);
	else if (g->is_stat)
		free(e->val.hist);
	free(e);
	t->n--;
}

static struct elem *new_elem(const struct ir_global *g, const struct ir_data *keys)
{
	size_t size = sizeof(struct elem) + g->nkeys * sizeof(union key);
	size_t at = size;
	struct elem *e;

	for (uint32_t k = 0; k < g->nkeys; k++)
		size += g->keys[k] == IR_STR ? strlen(keys[k].str) + 1 : 0;
	e = store_alloc(size);
	for (uint32_t k = 0; k < g->nkeys; k++) {
		size_t n;

		if (g->keys[k] == IR_I64) {
			e->keys[k].num = keys[k].num;
			continue;
		}
		n = strlen(keys[k].str) + 1;
		e->keys[k].str = memcpy((char *)e + at, keys[k].str, n);
		at += n;
	}
	return e;
}

/* The element with these keys, made when missing. NULL when there is no room. */
static struct elem *insert(const struct ir_global *g, struct table *t, const struct ir_data *keys)
{
	uint64_t hash = hash_keys(g, keys);
	struct elem *e = find(g, t, keys, hash), **bucket;

	if (e)
		return e;
	if (t->n >= g->max_entries) {
		if (!g->wrap)
			return NULL;
		remove_elem(g, t, t->first);
	}
	if (t->n >= t->nbuckets)
		grow(t);
	e = new_elem(g, keys);
	e->hash = hash;
	e->seq = t->seq++;
	bucket = &t->buckets[hash & (t->nbuckets - 1)];
	e->chain = *bucket;
	*bucket = e;
	e->prev = t->last;
	*(t->last ? &t->last->next : &t->first) = e;
	t->last = e;
	t->n++;
	return e;
}

static void set_string(char **at, const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = store_alloc(n);

	memcpy(copy, s, n);
	free(*at);
	*at = copy;
}

static int overflow(const struct ir_global *g, int64_t *operand)
{
	*operand = g->sized ? g->max_entries : 0;
	return g->sized ? ERR_OVERFLOW_SIZED : ERR_OVERFLOW;
}

static void get_value(const struct ir_global *g, const union value *v, struct ir_data *out)
{
	*out = (struct ir_data){ .type = g->type };
	if (has_string(g))
		out->str = v->str ? v->str : "";
	else if (!g->is_stat)
		out->num = v->num;
}

static void set_value(const struct ir_global *g, union value *at, const struct ir_data *v)
{
	if (has_string(g))
		set_string(&at->str, v->str);
	else
		at->num = v->num;
}

static void stat_add(const struct ir_global *g, union value *at, int64_t v)
{
	agg_add(&at->stat, v, ir_stat_words(g) == AGG_WORDS_SQUARES);
	if (!g->hist.kind)
		return;
	if (!at->hist)
		at->hist = store_alloc(g->hist.buckets * sizeof(*at->hist));
	at->hist[agg_bucket(&g->hist, v)]++;
}

static int local_scalar_get(void *arg, uint32_t g, struct ir_data *out)
{
	struct store *st = arg;

	get_value(st->m->globals.v[g], &st->tables[g].scalar, out);
	return 0;
}

static int local_scalar_set(void *arg, uint32_t g, const struct ir_data *v)
{
	struct store *st = arg;

	set_value(st->m->globals.v[g], &st->tables[g].scalar, v);
	return 0;
}

static struct elem *local_find(struct store *st, uint32_t g, const struct ir_data *keys)
{
	const struct ir_global *gl = st->m->globals.v[g];

	return find(gl, &st->tables[g], keys, hash_keys(gl, keys));
}

static int local_get(void *arg, uint32_t g, const struct ir_data *keys, struct ir_data *out,
		     bool *found)
{
	struct store *st = arg;
	const struct elem *e = local_find(st, g, keys);

	*found = e != NULL;
	if (e)
		get_value(st->m->globals.v[g], &e->val, out);
	return 0;
}

static int local_set(void *arg, uint32_t g, const struct ir_data *keys, const struct ir_data *v,
		     int64_t *operand)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	struct elem *e = insert(gl, &st->tables[g], keys);

	if (!e)
		return overflow(gl, operand);
	set_value(gl, &e->val, v);
	return 0;
}

static int local_add(void *arg, uint32_t g, const struct ir_data *keys, int64_t by, int64_t *now,
		     int64_t *operand)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	struct elem *e = insert(gl, &st->tables[g], keys);

	if (!e)
		return overflow(gl, operand);
	e->val.num = (int64_t)((uint64_t)e->val.num + (uint64_t)by);
	*now = e->val.num;
	return 0;
}

static void local_del(void *arg, uint32_t g, const struct ir_data *keys)
{
	struct store *st = arg;
	struct elem *e = local_find(st, g, keys);

	if (e)
		remove_elem(st->m->globals.v[g], &st->tables[g], e);
}

static void local_clear(void *arg, uint32_t g)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	struct table *t = &st->tables[g];

	while (t->first)
		remove_elem(gl, t, t->first);
	if (!gl->nkeys && gl->is_stat) {
		free(t->scalar.hist);
		t->scalar = (union value){ 0 };
	}
}

static int local_stat_add(void *arg, uint32_t g, const struct ir_data *keys, int64_t v,
			  int64_t *operand)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	struct elem *e;

	if (!gl->nkeys) {
		stat_add(gl, &st->tables[g].scalar, v);
		return 0;
	}
	e = insert(gl, &st->tables[g], keys);
	if (!e) {
		*operand = g;
		return ERR_AGG_OVERFLOW;
	}
	stat_add(gl, &e->val, v);
	return 0;
}

static bool local_stat_get(void *arg, uint32_t g, const struct ir_data *keys,
			   struct agg *out)
{
	struct store *st = arg;
	const struct elem *e;

	if (!st->m->globals.v[g]->nkeys) {
		*out = st->tables[g].scalar.stat;
		return out->count > 0;
	}
	e = local_find(st, g, keys);
	if (e)
		*out = e->val.stat;
	return e != NULL;
}

static bool local_hist_get(void *arg, uint32_t g, const struct ir_data *keys, uint64_t *counts)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	const union value *v = &st->tables[g].scalar;

	if (gl->nkeys) {
		const struct elem *e = local_find(st, g, keys);

		v = e ? &e->val : NULL;
	}
	if (!v || !v->hist)
		return false;
	memcpy(counts, v->hist, gl->hist.buckets * sizeof(*counts));
	return true;
}

static bool in_slice(const struct ir_global *g, const struct elem *e, const struct ir_slice *which)
{
	for (uint32_t k = 0; k < g->nkeys; k++) {
		if (!(which->fixed >> k & 1))
			continue;
		if (g->keys[k] == IR_I64 ? e->keys[k].num != which->keys[k].num
					 : strcmp(e->keys[k].str, which->keys[k].str) != 0)
			return false;
	}
	return true;
}

static bool local_has_any(void *arg, uint32_t g, const struct ir_slice *which)
{
	struct store *st = arg;
	const struct elem *e = st->tables[g].first;

	while (e && !in_slice(st->m->globals.v[g], e, which))
		e = e->next;
	return e != NULL;
}

static void local_del_any(void *arg, uint32_t g, const struct ir_slice *which)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];

	for (struct elem *e = st->tables[g].first, *next; e; e = next) {
		next = e->next;
		if (in_slice(gl, e, which))
			remove_elem(gl, &st->tables[g], e);
	}
}

static int local_snapshot(void *arg, uint32_t g, const struct ir_slice *which, struct arena *a,
			  struct ir_elem **out, uint32_t *n)
{
	struct store *st = arg;
	const struct ir_global *gl = st->m->globals.v[g];
	const struct table *t = &st->tables[g];
	struct ir_elem *v = arena_alloc(a, t->n * sizeof(*v) + 1);
	uint32_t i = 0;

	for (const struct elem *e = t->first; e; e = e->next) {
		if (!in_slice(gl, e, which))
			continue;
		for (uint32_t k = 0; k < gl->nkeys; k++) {
			v[i].key[k].type = gl->keys[k];
			if (gl->keys[k] == IR_STR)
				v[i].key[k].str = arena_strdup(a, e->keys[k].str);
			else
				v[i].key[k].num = e->keys[k].num;
		}
		get_value(gl, &e->val, &v[i].val);
		if (has_string(gl))
			v[i].val.str = arena_strdup(a, v[i].val.str);
		if (gl->is_stat)
			v[i].stat = e->val.stat;
		v[i++].seq = e->seq;
	}
	*out = v;
	*n = i;
	return 0;
}

static int64_t local_new_id(void *store)
{
	return ++((struct store *)store)->last_id;
}

const struct ir_store_ops ir_local_store = {
	.scalar_get = local_scalar_get,
	.scalar_set = local_scalar_set,
	.get = local_get,
	.set = local_set,
	.add = local_add,
	.del = local_del,
	.clear = local_clear,
	.stat_add = local_stat_add,
	.stat_get = local_stat_get,
	.hist_get = local_hist_get,
	.has_any = local_has_any,
	.del_any = local_del_any,
	.snapshot = local_snapshot,
	.new_id = local_new_id,
};

void *ir_local_store_new(const struct ir_module *m)
{
	struct store *st = store_alloc(sizeof(*st));

	st->m = m;
	st->tables = store_alloc(m->globals.n * sizeof(*st->tables));
	for (uint32_t i = 0; i < m->globals.n; i++) {
		const struct ir_global *g = m->globals.v[i];

		if (g->nkeys || g->is_stat)
			continue;
		if (g->type == IR_I64)
			st->tables[i].scalar.num = g->init_num;
		else if (g->init_str)
			set_string(&st->tables[i].scalar.str, g->init_str);
	}
	return st;
}

void ir_local_store_free(void *store)
{
	struct store *st = store;

	if (!st)
		return;
	for (uint32_t i = 0; i < st->m->globals.n; i++) {
		const struct ir_global *g = st->m->globals.v[i];

		local_clear(st, i);
		free(st->tables[i].buckets);
		if (!g->nkeys && has_string(g))
			free(st->tables[i].scalar.str);
	}
	free(st->tables);
	free(st);
}
