/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Globals as user-side probes see them: scalars by the shared mapping of .data, arrays through the
 * bpf system call. Layouts are those of bpf/layout.h.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime-bpf/runner.h"

#define CHUNK 1024u /* elements a system call */
#define LOCK_WAIT                                                                                  \
	1000000000ll /* ns: a handler cannot hold a lock that long, unless its task was stopped */

static const struct ir_global *global_of(const struct bpf_run *b, uint32_t g)
{
	return b->run->ir->globals.v[g];
}

static uint32_t value_size(const struct bpf_run *b, uint32_t g)
{
	return bpf_value_size(&b->lay.g[g], (uint32_t)b->ncpu);
}

void bpf_store_init(struct bpf_run *b)
{
	uint32_t key = 8, value = 8, n = b->run->ir->globals.n;

	b->map_fd = arena_alloc(&b->run->arena, sizeof(int) * (n + 1));
	b->add_fd = arena_alloc(&b->run->arena, sizeof(int) * (n + 1));
	b->held = arena_alloc(&b->run->arena, sizeof(bool) * (n + 1));
	for (uint32_t g = 0; g < n; g++) {
		const char *name = arena_printf(&b->run->arena, "user_add_%u", g);
		struct bpf_program *add = bpf_object__find_program_by_name(b->obj, name);
		struct bpf_map *map = NULL;

		b->add_fd[g] = add ? bpf_program__fd(add) : -1;
		if (b->lay.g[g].map)
			map = bpf_object__find_map_by_name(b->obj, b->lay.g[g].map);
		b->map_fd[g] = map ? bpf_map__fd(map) : -1;
		if (b->lay.g[g].key_size > key)
			key = b->lay.g[g].key_size;
		if (value_size(b, g) > value)
			value = value_size(b, g);
	}
	b->key = arena_alloc(&b->run->arena, key);
	b->value = arena_alloc(&b->run->arena, value);
	b->text = arena_alloc(&b->run->arena, b->lay.strsz + 1);
}

/* ---- values ---- */

static void put(const struct bpf_run *b, uint8_t *to, const struct ir_data *v)
{
	if (v->type == IR_STR) {
		/* the zeros behind a string are part of a key */
		memset(to, 0, b->lay.strsz);
		memcpy(to, v->str, strnlen(v->str, (size_t)b->run->ir->limits.maxstringlen - 1));
	} else {
		memcpy(to, &v->num, 8);
	}
}

static void take(const struct bpf_run *b, const uint8_t *from, enum ir_type type,
		 struct ir_data *out)
{
	*out = (struct ir_data){ .type = type };
	if (type == IR_STR) {
		memcpy(b->text, from, b->lay.strsz);
		b->text[b->lay.strsz] = 0;
		out->str = b->text;
	} else {
		memcpy(&out->num, from, 8);
	}
}

static void put_keys(const struct bpf_run *b, uint32_t g, const struct ir_data *keys)
{
	const struct bpf_global *bg = &b->lay.g[g];

	memset(b->key, 0, bg->key_size);
	for (uint32_t k = 0; k < global_of(b, g)->nkeys; k++)
		put(b, b->key + bg->key_off[k], &keys[k]);
}

static uint64_t next_seq(const struct bpf_run *b)
{
	return __atomic_add_fetch(bpf_word(b, BD_SEQ), 1, __ATOMIC_SEQ_CST) << BPF_SEQ_SHIFT |
	       BPF_SEQ_USER;
}

static int64_t new_id(void *store)
{
	return (int64_t)next_seq(store);
}

/* ---- locks ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static uint32_t *lock_word(const struct bpf_run *b, uint32_t g)
{
	return (uint32_t *)(void *)(b->data + b->lay.g[g].lock);
}

static void take_lock(const struct bpf_run *b, uint32_t g, bool write)
{
	uint32_t *word = lock_word(b, g), now = 0;
	int64_t end = 0;

	while (!__atomic_compare_exchange_n(word, &now, write ? BPF_WRITER : now + 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (write || now >= BPF_WRITER)
			now = 0;
		if (!end)
			end = now_ns() + LOCK_WAIT;
		if (now_ns() > end) {
			/* its holder is gone: what it left behind counts as released */
			__atomic_store_n(word, write ? BPF_WRITER : 1, __ATOMIC_SEQ_CST);
			return;
		}
		if (!now)
			sched_yield();
	}
}

/* ---- scalars ---- */

/* A string takes time to copy: as one reader among others, unless this process writes it. */
static int scalar_get(void *store, uint32_t g, struct ir_data *out)
{
	struct bpf_run *b = store;
	bool locked = global_of(b, g)->type == IR_STR && !b->held[g];

	if (locked)
		take_lock(b, g, false);
	take(b, b->data + b->lay.g[g].off, global_of(b, g)->type, out);
	if (locked)
		__atomic_fetch_sub(lock_word(b, g), 1, __ATOMIC_RELEASE);
	return 0;
}

static int scalar_set(void *store, uint32_t g, const struct ir_data *v)
{
	struct bpf_run *b = store;

	put(b, b->data + b->lay.g[g].off, v);
	return 0;
}

/* ---- elements ---- */

/* Looks the element at b->key up, into b->value. */
static bool look_up(const struct bpf_run *b, uint32_t g)
{
	return !bpf_map_lookup_elem(b->map_fd[g], b->key, b->value);
}

static int array_get(void *store, uint32_t g, const struct ir_data *keys, struct ir_data *out,
		     bool *found)
{
	struct bpf_run *b = store;
	enum ir_type type = global_of(b, g)->type;

	put_keys(b, g, keys);
	*found = look_up(b, g);
	if (*found && !global_of(b, g)->is_stat)
		take(b, b->value + BPF_ELEM_HEAD, type, out);
	else
		*out = (struct ir_data){ .type = type, .str = "", .num = 0 };
	return 0;
}

struct elements {
	uint8_t *keys, *values;
	uint32_t n;
};

/* All elements, in the map's order. */
static int read_all(struct bpf_run *b, uint32_t g, struct elements *out)
{
	uint32_t ks = b->lay.g[g].key_size, vs = value_size(b, g), cap = 0, room = CHUNK;
	uint64_t in = 0, next = 0;
	void *in_batch = NULL;

	*out = (struct elements){ 0 };
	for (;;) {
		uint32_t count = room;
		int r;

		if (out->n + room > cap) {
			cap = (out->n + room) * 2;
			out->keys = realloc(out->keys, (size_t)cap * ks);
			out->values = realloc(out->values, (size_t)cap * vs);
			if (!out->keys || !out->values)
				return -ENOMEM;
		}
		r = bpf_map_lookup_batch(b->map_fd[g], in_batch, &next,
					 out->keys + (size_t)out->n * ks,
					 out->values + (size_t)out->n * vs, &count, NULL);
		if (r && errno == ENOSPC && room < 1u << 24) {
			room *= 4; /* one bucket holds more than fit */
			continue;
		}
		if (r && errno != ENOENT)
			return -errno;
		out->n += count;
		if (r)
			return 0;
		in = next;
		in_batch = &in;
	}
}

static void free_all(struct elements *e)
{
	free(e->keys);
	free(e->values);
}

static uint64_t seq_of(const uint8_t *value)
{
	uint64_t seq;

	memcpy(&seq, value, 8);
	return seq;
}

/* A full wrapping array gives up the element inserted first. */
static void evict(struct bpf_run *b, uint32_t g)
{
	uint32_t vs = value_size(b, g), ks = b->lay.g[g].key_size, oldest = 0;
	struct elements e;

	if (!read_all(b, g, &e) && e.n) {
		for (uint32_t i = 1; i < e.n; i++)
			if (seq_of(e.values + (size_t)i * vs) <
			    seq_of(e.values + (size_t)oldest * vs))
				oldest = i;
		bpf_map_delete_elem(b->map_fd[g], e.keys + (size_t)oldest * ks);
	}
	free_all(&e);
}

static int full_error(const struct bpf_run *b, uint32_t g, int64_t *operand)
{
	const struct ir_global *gl = global_of(b, g);

	*operand = gl->is_stat ? g : gl->max_entries;
	return gl->is_stat ? ERR_AGG_OVERFLOW : gl->sized ? ERR_OVERFLOW_SIZED : ERR_OVERFLOW;
}

/* Adds the element (b->key, b->value) that is not there yet. */
static int insert(struct bpf_run *b, uint32_t g, int64_t *operand)
{
	uint64_t seq = next_seq(b);

	memcpy(b->value, &seq, 8);
	if (!bpf_map_update_elem(b->map_fd[g], b->key, b->value, BPF_ANY))
		return 0;
	if (global_of(b, g)->wrap) {
		evict(b, g);
		if (!bpf_map_update_elem(b->map_fd[g], b->key, b->value, BPF_ANY))
			return 0;
	}
	return full_error(b, g, operand);
}

static int array_set(void *store, uint32_t g, const struct ir_data *keys, const struct ir_data *v,
		     int64_t *operand)
{
	struct bpf_run *b = store;
	bool have;

	put_keys(b, g, keys);
	have = look_up(b, g);
	put(b, b->value + BPF_ELEM_HEAD, v);
	if (!have)
		return insert(b, g, operand);
	if (bpf_map_update_elem(b->map_fd[g], b->key, b->value, BPF_ANY))
		return full_error(b, g, operand);
	return 0;
}

static int array_add(void *store, uint32_t g, const struct ir_data *keys, int64_t by, int64_t *now,
		     int64_t *operand)
{
	struct bpf_run *b = store;
	struct ir_data v = { .type = IR_I64 };

	put_keys(b, g, keys);
	if (look_up(b, g))
		memcpy(&v.num, b->value + BPF_ELEM_HEAD, 8);
	v.num = (int64_t)((uint64_t)v.num + (uint64_t)by);
	*now = v.num;
	return array_set(store, g, keys, &v, operand);
}

static void array_del(void *store, uint32_t g, const struct ir_data *keys)
{
	struct bpf_run *b = store;

	put_keys(b, g, keys);
	bpf_map_delete_elem(b->map_fd[g], b->key);
}

static void clear(void *store, uint32_t g)
{
	struct bpf_run *b = store;
	struct elements e;

	if (!global_of(b, g)->nkeys) {
		memset(b->key, 0, 4);
		memset(b->value, 0, value_size(b, g));
		bpf_map_update_elem(b->map_fd[g], b->key, b->value, BPF_ANY);
		return;
	}
	if (!read_all(b, g, &e))
		for (uint32_t i = 0; i < e.n; i++)
			bpf_map_delete_elem(b->map_fd[g],
					    e.keys + (size_t)i * b->lay.g[g].key_size);
	free_all(&e);
}

/* ---- statistics ---- */

static const uint8_t *cpu_of(const struct bpf_global *bg, const uint8_t *value, int cpu)
{
	return value + BPF_STAT_HEAD + bg->cpu_size * (uint32_t)cpu;
}

static void merge(const struct bpf_run *b, uint32_t g, const uint8_t *value, struct agg *out)
{
	const struct bpf_global *bg = &b->lay.g[g];

	*out = (struct agg){ 0 };
	for (int cpu = 0; cpu < b->ncpu; cpu++) {
		for (int level = 0; level < BPF_LEVELS; level++) {
			struct agg p = { 0 };

			memcpy(&p, cpu_of(bg, value, cpu) + bg->part_size * (uint32_t)level,
			       bg->part_size);
			agg_merge(out, &p, bg->part_size == sizeof(p));
		}
	}
}

static bool hist_get(void *store, uint32_t g, const struct ir_data *keys, uint64_t *counts)
{
	struct bpf_run *b = store;
	uint32_t buckets = global_of(b, g)->hist.buckets;

	put_keys(b, g, keys);
	if (!look_up(b, g))
		return false;
	memset(counts, 0, buckets * sizeof(*counts));
	for (int cpu = 0; cpu < b->ncpu; cpu++) {
		uint64_t part[AGG_MAX_BUCKETS];

		memcpy(part, cpu_of(&b->lay.g[g], b->value, cpu) + b->lay.g[g].hist_off,
		       buckets * sizeof(*part));
		for (uint32_t k = 0; k < buckets; k++)
			counts[k] += part[k];
	}
	return true;
}

/* Only a program can add beside others that do: see emit_user_add(). */
static int stat_add(void *store, uint32_t g, const struct ir_data *keys, int64_t v,
		    int64_t *operand)
{
	struct bpf_run *b = store;
	uint64_t args[1] = { (uint64_t)v };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	put_keys(b, g, keys);
	memcpy(b->data + b->lay.stage, b->key, b->lay.g[g].key_size);
	if (b->add_fd[g] < 0 || bpf_prog_test_run_opts(b->add_fd[g], &opts))
		return full_error(b, g, operand);
	return opts.retval ? full_error(b, g, operand) : 0;
}

static bool stat_get(void *store, uint32_t g, const struct ir_data *keys, struct agg *out)
{
	struct bpf_run *b = store;

	put_keys(b, g, keys);
	if (!look_up(b, g)) {
		*out = (struct agg){ 0 };
		return false;
	}
	merge(b, g, b->value, out);
	return true;
}

/* ---- snapshots ---- */

static int by_seq(const void *a, const void *b)
{
	const struct ir_elem *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void take_elem(struct bpf_run *b, uint32_t g, struct arena *a, const uint8_t *key,
		      const uint8_t *value, struct ir_elem *out)
{
	const struct ir_global *gl = global_of(b, g);

	for (uint32_t k = 0; k < gl->nkeys; k++) {
		take(b, key + b->lay.g[g].key_off[k], gl->keys[k], &out->key[k]);
		if (gl->keys[k] == IR_STR)
			out->key[k].str = arena_strdup(a, out->key[k].str);
	}
	out->seq = seq_of(value);
	if (gl->is_stat) {
		merge(b, g, value, &out->stat);
		return;
	}
	take(b, value + BPF_ELEM_HEAD, gl->type, &out->val);
	if (gl->type == IR_STR)
		out->val.str = arena_strdup(a, out->val.str);
}

/* The keys of a slice at their places in a key; what is not fixed stays zero. */
static uint8_t *slice_keys(struct bpf_run *b, uint32_t g, const struct ir_slice *which,
			   struct arena *a)
{
	uint8_t *keys = arena_alloc(a, b->lay.g[g].key_size);

	for (uint32_t k = 0; k < global_of(b, g)->nkeys; k++)
		if (which->fixed >> k & 1)
			put(b, keys + b->lay.g[g].key_off[k], &which->keys[k]);
	return keys;
}

/* Strings have zeros behind them, so that keys are compared as bytes. */
static bool in_slice(const struct bpf_run *b, uint32_t g, uint32_t fixed, const uint8_t *want,
		     const uint8_t *key)
{
	for (uint32_t k = 0; k < global_of(b, g)->nkeys; k++) {
		uint32_t off = b->lay.g[g].key_off[k];
		size_t size = global_of(b, g)->keys[k] == IR_STR ? b->lay.strsz : 8;

		if (fixed >> k & 1 && memcmp(key + off, want + off, size) != 0)
			return false;
	}
	return true;
}

/* Visits the elements of a slice, in the map's order, until @visit says so. */
static int each_of_slice(struct bpf_run *b, uint32_t g, const struct ir_slice *which,
			 bool (*visit)(struct bpf_run *b, uint32_t g, const uint8_t *key,
				       const uint8_t *value, void *arg),
			 void *arg)
{
	uint32_t ks = b->lay.g[g].key_size, vs = value_size(b, g);
	struct arena tmp;
	struct elements e;
	const uint8_t *want;
	int r;

	arena_init(&tmp);
	want = slice_keys(b, g, which, &tmp);
	r = read_all(b, g, &e);
	for (uint32_t i = 0; i < e.n && !r; i++) {
		const uint8_t *key = e.keys + (size_t)i * ks;

		if (in_slice(b, g, which->fixed, want, key) &&
		    visit(b, g, key, e.values + (size_t)i * vs, arg))
			break;
	}
	free_all(&e);
	arena_fini(&tmp);
	return r;
}

static bool found_one(struct bpf_run *b, uint32_t g, const uint8_t *key, const uint8_t *value,
		      void *arg)
{
	(void)b;
	(void)g;
	(void)key;
	(void)value;
	return *(bool *)arg = true;
}

static bool has_any(void *store, uint32_t g, const struct ir_slice *which)
{
	bool found = false;

	return !each_of_slice(store, g, which, found_one, &found) && found;
}

static bool delete_one(struct bpf_run *b, uint32_t g, const uint8_t *key, const uint8_t *value,
		       void *arg)
{
	(void)value;
	(void)arg;
	bpf_map_delete_elem(b->map_fd[g], key);
	return false;
}

static void del_any(void *store, uint32_t g, const struct ir_slice *which)
{
	(void)each_of_slice(store, g, which, delete_one, NULL);
}

struct taken {
	struct arena *a;
	VEC(struct ir_elem) v;
};

static bool take_one(struct bpf_run *b, uint32_t g, const uint8_t *key, const uint8_t *value,
		     void *arg)
{
	struct taken *t = arg;
	struct ir_elem e = { 0 };

	take_elem(b, g, t->a, key, value, &e);
	vec_push(t->a, &t->v, e);
	return false;
}

static int snapshot(void *store, uint32_t g, const struct ir_slice *which, struct arena *a,
		    struct ir_elem **out, uint32_t *n)
{
	struct bpf_run *b = store;
	struct taken t = { .a = a };
	int r = each_of_slice(b, g, which, take_one, &t);

	*n = r ? 0 : t.v.n;
	*out = t.v.v;
	if (*n)
		qsort(*out, *n, sizeof(**out), by_seq);
	return r ? ERR_ITER : 0;
}

/* ---- a handler's run ---- */

/*
 * Readers hold no lock through the handler: they see snapshots, and eBPF handlers cannot wait long
 * for this process.
 */
static void lock(void *store, const struct ir_probe *p)
{
	struct bpf_run *b = store;

	for (uint32_t k = 0; k < p->locks.n; k++) {
		if (!p->locks.v[k].write)
			continue;
		take_lock(b, p->locks.v[k].global, true);
		b->held[p->locks.v[k].global] = true;
	}
}

static void unlock(void *store, const struct ir_probe *p)
{
	struct bpf_run *b = store;

	for (uint32_t k = p->locks.n; k-- > 0;) {
		if (!p->locks.v[k].write)
			continue;
		b->held[p->locks.v[k].global] = false;
		__atomic_fetch_sub(lock_word(b, p->locks.v[k].global), BPF_WRITER,
				   __ATOMIC_RELEASE);
	}
}

const struct ir_store_ops bpf_store = {
	.scalar_get = scalar_get,
	.scalar_set = scalar_set,
	.get = array_get,
	.set = array_set,
	.add = array_add,
	.del = array_del,
	.clear = clear,
	.stat_add = stat_add,
	.stat_get = stat_get,
	.hist_get = hist_get,
	.has_any = has_any,
	.del_any = del_any,
	.snapshot = snapshot,
	.new_id = new_id,
	.lock = lock,
	.unlock = unlock,
};
