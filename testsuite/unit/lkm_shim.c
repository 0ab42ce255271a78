/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiles the arrays, statistics, iterators and strings of runtime-lkm/ into a program. The
 * runtime's own types stand for the C library's here, so this file includes none of its headers.
 */
#define SPILE_KERNEL
#define SPILE_RT_KERNEL_H

#include "abi.h"

/* ---- what the runtime takes from the kernel ---- */

typedef _Bool bool;
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter;
} atomic64_t;
struct pt_regs;
struct task_struct;
struct page;
struct mutex {
	int unused;
};

void *calloc(size_t n, size_t size);
void free(void *p);
size_t strlen(const char *s);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);

#define true 1
#define false 0
#define ENOMEM 12
#define GFP_KERNEL 0
#define __GFP_ZERO 0
#define __GFP_NOWARN 0
#define __GFP_NORETRY 0
#define PAGE_SIZE 4096ul
#define ULONG_MAX (~0ul)
#define U64_MAX (~0ull)
#define S64_MAX ((s64)(U64_MAX >> 1))
#define NR_CPUS 8
#define ____cacheline_aligned
#define __must_check __attribute__((warn_unused_result))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define ALIGN(x, a) (((x) + (a)-1) / (a) * (a))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define swap(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) old = (a);                                                           \
		(a) = (b);                                                                         \
		(b) = old;                                                                         \
	} while (0)

static unsigned int ncpus, this_cpu;
static unsigned long allocations, available;

#define nr_cpu_ids ncpus
#define cpu_possible(i) ((i) < ncpus)
#define raw_smp_processor_id() this_cpu

static void *shim_alloc(size_t n)
{
	allocations++;
	return calloc(1, n ? n : 1);
}

static void shim_free(const void *p)
{
	allocations -= p != NULL;
	free((void *)p);
}

#define __vmalloc(n, flags) shim_alloc(n)
#define kzalloc(n, flags) shim_alloc(n)
#define kvcalloc(n, size, flags) shim_alloc((size_t)(n) * (size))
#define vfree shim_free
#define kfree shim_free
#define kvfree shim_free
#define si_mem_available() ((long)available)

static u64 roundup_pow_of_two(u64 n)
{
	u64 p = 1;

	while (p < n)
		p *= 2;
	return p;
}

#define atomic_read(a) ((a)->counter)
#define atomic_set_release(a, v) ((a)->counter = (v))
#define atomic64_inc_return(a) (++(a)->counter)
#define cpu_relax() __builtin_trap() /* nobody else holds a lock here */

static int atomic_cmpxchg_acquire(atomic_t *a, int old, int new)
{
	int was = a->counter;

	if (was == old)
		a->counter = new;
	return was;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "rt.h"

static void sp_session_notify(void)
{
}

SP_CODE void sp_emit(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings,
		     const union sp_data *args)
{
}

static void sp_session_end(void)
{
}

static void sp_session_fail(s32 probe, const char *fmt, ...)
{
}

/* clang-format off: what is used comes before what uses it */
#include "strings.c"
#include "map.c"
#include "stat.c"
#include "iter.c"
/* clang-format on */

/* ---- one script with one global ---- */

static struct sp_global global;
static const struct agg_hist hist = { AGG_HIST_LINEAR, 7, 0, 20, 5 };
static u64 counts[AGG_MAX_BUCKETS];
static struct sp_map *maps[1];
static struct sp_iter_desc desc;
static struct sp_ctx ctx;
struct sp_script script __asm__("sp_script"); /* what the runtime sees as a constant */

#include "lkm_shim.h"

/* Apart from what fills in the script: the compiler takes sp_script for a constant and would read it before. */
static __attribute__((noinline)) int runtime_alloc(void)
{
	return sp_maps_alloc() || sp_iters_alloc() ? -1 : 0;
}

int shim_start(const struct shim_config *c)
{
	global = (struct sp_global){ .name = "g",
				     .type = c->value == 's' ? SP_STR : SP_I64,
				     .is_stat = c->value == 't',
				     .wrap = c->wrap,
				     .sized = c->sized,
				     .nkeys = strlen(c->keys),
				     .is_map = 1,
				     .stat_words = c->rich ? AGG_WORDS_SQUARES : AGG_WORDS,
				     .hist = c->rich ? &hist : NULL,
				     .max_entries = c->max };
	for (u32 i = 0; i < global.nkeys; i++)
		global.keys[i] = c->keys[i] == 's' ? SP_STR : SP_I64;
	desc = (struct sp_iter_desc){ 0, c->sort_dir, c->sort_key, c->sort_stat, c->fixed };
	script = (struct sp_script){ .maxstringlen = c->maxstringlen,
				     .nglobals = 1,
				     .niters = 1,
				     .globals = &global,
				     .maps = maps,
				     .iters = &desc };
	ctx = (struct sp_ctx){ .hist = counts };
	ncpus = c->cpus;
	this_cpu = 0;
	return runtime_alloc();
}

void shim_stop(void)
{
	sp_iters_free();
	sp_maps_free();
}

void shim_on_cpu(unsigned int cpu)
{
	this_cpu = cpu;
}

unsigned long shim_allocations(void)
{
	return allocations;
}

void shim_memory(unsigned long pages)
{
	available = pages;
}

static const union sp_data *convert(const struct shim_val *keys)
{
	static union sp_data v[SP_MAXKEYS];

	for (u32 i = 0; i < global.nkeys; i++) {
		if (global.keys[i] == SP_STR)
			v[i].str = keys[i].str;
		else
			v[i].num = keys[i].num;
	}
	return v;
}

static unsigned int result(s32 failed)
{
	return failed ? ctx.err.kind : 0;
}

unsigned int shim_set(const struct shim_val *keys, const struct shim_val *v)
{
	if (global.type == SP_STR)
		return result(sp_map_set_str(&ctx, 0, convert(keys), v->str));
	return result(sp_map_set_num(&ctx, 0, convert(keys), v->num));
}

unsigned int shim_add(const struct shim_val *keys, long long by, long long *now)
{
	return result(sp_map_add(&ctx, 0, convert(keys), by, now));
}

unsigned int shim_stat_add(const struct shim_val *keys, long long v)
{
	return result(sp_stat_add(&ctx, 0, convert(keys), v));
}

unsigned int shim_stat_get(const struct shim_val *keys, unsigned int op, long long *out)
{
	return result(sp_stat_get(&ctx, 0, convert(keys), op, out));
}

long long shim_num(const struct shim_val *keys)
{
	return sp_map_num(&ctx, 0, convert(keys));
}

void shim_str(const struct shim_val *keys, char *to)
{
	sp_map_str(&ctx, 0, convert(keys), to);
}

int shim_has(const struct shim_val *keys)
{
	return (int)sp_map_has(&ctx, 0, convert(keys));
}

void shim_del(const struct shim_val *keys)
{
	sp_map_del(&ctx, 0, convert(keys));
}

void shim_clear(void)
{
	sp_map_clear(&ctx, 0);
}

/* The fixed ones alone. */
static const union sp_data *convert_slice(const struct shim_val *keys)
{
	static union sp_data v[SP_MAXKEYS];
	const union sp_data *all = convert(keys);
	u32 n = 0;

	for (u32 i = 0; i < global.nkeys; i++)
		if (desc.fixed >> i & 1)
			v[n++] = all[i];
	return v;
}

int shim_has_any(const struct shim_val *keys)
{
	return (int)sp_map_has_any(&ctx, 0, desc.fixed, convert_slice(keys));
}

void shim_del_any(const struct shim_val *keys)
{
	sp_map_del_any(&ctx, 0, desc.fixed, convert_slice(keys));
}

unsigned int shim_hist_get(const struct shim_val *keys, long long bucket, long long *out)
{
	return result(sp_hist_get(&ctx, 0, convert(keys), bucket, out));
}

unsigned int shim_foreach(long long limit, const struct shim_val *keys)
{
	return result(sp_it_begin(&ctx, 0, limit, convert_slice(keys)));
}

int shim_next(void)
{
	return (int)sp_it_next(&ctx, 0);
}

long long shim_key_num(unsigned int key)
{
	return sp_it_key_num(&ctx, 0, key);
}

void shim_key_str(unsigned int key, char *to)
{
	sp_it_key_str(&ctx, 0, key, to);
}

long long shim_val_num(void)
{
	return sp_it_val_num(&ctx, 0);
}

long long shim_val_stat(unsigned int op)
{
	s64 v = -1;

	return sp_it_stat(&ctx, 0, op, &v) ? -1 : v;
}

void shim_end(void)
{
	sp_it_end(&ctx, 0);
}

void shim_cat(char *to, const char *a, const char *b)
{
	sp_str_cat(to, a, b);
}

long long shim_cmp(const char *a, const char *b)
{
	return sp_str_cmp(a, b);
}

void shim_substr(char *to, const char *s, long long start, long long n)
{
	sp_in_substr(&ctx, to, s, start, n);
}

long long shim_isinstr(const char *s, const char *what)
{
	return sp_in_isinstr(&ctx, s, what);
}

long long shim_strtol(const char *s, long long base)
{
	return sp_in_strtol(&ctx, s, base);
}
