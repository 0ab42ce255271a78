/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module runtime's arrays in user space: one global, a number of pretended CPUs. Plain C types:
 * see lkm_shim.c.
 */
#ifndef SPILE_UNIT_LKM_SHIM_H
#define SPILE_UNIT_LKM_SHIM_H

struct shim_config {
	const char *keys; /* a letter a key: i or s */
	char value; /* i, s, or t for a statistic */
	unsigned int max, cpus, maxstringlen;
	int wrap, sized;
	int sort_dir, sort_key, sort_stat;
	int rich; /* statistics: with squares and a histogram from 0 to 20 by 5 */
	unsigned int fixed; /* mask of the keys that shim_foreach() and the next two take */
};

struct shim_val {
	long long num;
	const char *str;
};

/* 0, or -1 when memory could not be had. */
int shim_start(const struct shim_config *c);
void shim_stop(void);
void shim_on_cpu(unsigned int cpu);
unsigned long shim_allocations(void); /* not freed yet */
void shim_memory(unsigned long pages); /* that are said to be available */

/* 0, or the number of the error (enum ir_error has the same). */
unsigned int shim_set(const struct shim_val *keys, const struct shim_val *v);
unsigned int shim_add(const struct shim_val *keys, long long by, long long *now);
unsigned int shim_stat_add(const struct shim_val *keys, long long v);
unsigned int shim_stat_get(const struct shim_val *keys, unsigned int op, long long *out);
long long shim_num(const struct shim_val *keys);
void shim_str(const struct shim_val *keys, char *to);
int shim_has(const struct shim_val *keys);
void shim_del(const struct shim_val *keys);
void shim_clear(void);
int shim_has_any(const struct shim_val *keys);
void shim_del_any(const struct shim_val *keys);
unsigned int shim_hist_get(const struct shim_val *keys, long long bucket, long long *out);

unsigned int shim_foreach(long long limit, const struct shim_val *keys); /* opens it */
int shim_next(void);
long long shim_key_num(unsigned int key);
void shim_key_str(unsigned int key, char *to);
long long shim_val_num(void);
long long shim_val_stat(unsigned int op);
void shim_end(void);

/* strings.c */
void shim_cat(char *to, const char *a, const char *b);
long long shim_cmp(const char *a, const char *b);
void shim_substr(char *to, const char *s, long long start, long long n);
long long shim_isinstr(const char *s, const char *what);
long long shim_strtol(const char *s, long long base);

#endif
