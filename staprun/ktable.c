/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/ktable.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

#define KERNEL_HALF (1ull << 63) /* kernel addresses are above; what is below are offsets of per-CPU data */
#define PAGE 4096u

struct ksym {
	uint64_t addr;
	uint32_t order; /* in the file: of several at one address the kernel names the first */
	const char *name, *module; /* module NULL: none */
};

struct ktable {
	struct buf text; /* the names lie here */
	struct ksym *v;
	uint32_t n, cap;
	time_t read_at; /* 0: not yet */
};

struct ktable *ktable_new(void)
{
	struct ktable *k = calloc(1, sizeof(*k));

	if (k)
		buf_init(&k->text);
	return k;
}

void ktable_free(struct ktable *k)
{
	if (!k)
		return;
	free(k->v);
	buf_fini(&k->text);
	free(k);
}

static bool ktable_add(struct ktable *k, uint64_t addr, const char *name, const char *module)
{
	if (k->n == k->cap) {
		uint32_t cap = k->cap ? 2 * k->cap : 1u << 17;
		struct ksym *v = realloc(k->v, cap * sizeof(*v));

		if (!v)
			return false;
		k->v = v;
		k->cap = cap;
	}
	k->v[k->n] = (struct ksym){ addr, k->n, name, module };
	k->n++;
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* "ffffffff81000000 T name\t[module]" */
static bool ktable_line(struct ktable *k, char *line)
{
	char *p, *name, *module;
	uint64_t addr = strtoull(line, &p, 16);

	if (p == line || *p != ' ' || !p[1] || p[2] != ' ' || addr < KERNEL_HALF)
		return true;
	name = p + 3;
	module = strchr(name, '\t');
	if (module) {
		*module++ = 0;
		if (*module == '[')
			module++;
		module[strcspn(module, "]")] = 0;
	}
	return ktable_add(k, addr, name, module);
}

/* Without privileges all addresses are 0, and no symbol is known. */
static void ktable_read(struct ktable *k)
{
	char *line, *end;

	k->read_at = time(NULL);
	k->n = 0;
	buf_reset(&k->text);
	if (buf_read_file(&k->text, "/proc/kallsyms") < 0)
		return;
	buf_putc(&k->text, 0);
	for (line = k->text.p; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		*end = 0;
		if (!ktable_line(k, line))
			break;
	}
	if (k->n)
		qsort(k->v, k->n, sizeof(*k->v), by_address);
}

/* The last symbol at or below @addr, as an index from 1; 0: none. */
static uint32_t ktable_below(const struct ktable *k, uint64_t addr)
{
	uint32_t lo = 0, hi = k->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (k->v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool ktable_look(const struct ktable *k, uint64_t addr, struct ktable_at *out)
{
	uint32_t next = ktable_below(k, addr), i = next;
	uint64_t end;

	if (!i--)
		return false;
	while (i && k->v[i - 1].addr == k->v[i].addr)
		i--;
	end = next < k->n ? k->v[next].addr : k->v[i].addr + PAGE;
	/* what follows a module's last symbol is not its own */
	if (next == k->n || k->v[next].module != k->v[i].module) {
		const char *a = k->v[i].module, *b = next < k->n ? k->v[next].module : NULL;
		uint64_t page = (k->v[i].addr | (PAGE - 1)) + 1;

		if ((!a || !b || strcmp(a, b)) && a && end > page)
			end = page;
	}
	if (addr >= end)
		return false;
	*out = (struct ktable_at){ k->v[i].name, k->v[i].module ? k->v[i].module : "kernel",
				 addr - k->v[i].addr, end - k->v[i].addr };
	return true;
}

bool ktable_find(struct ktable *k, uint64_t addr, struct ktable_at *out)
{
	if (addr < KERNEL_HALF)
		return false;
	if (!k->read_at)
		ktable_read(k);
	if (ktable_look(k, addr, out))
		return true;
	/* a module that came meanwhile */
	if (!k->n || time(NULL) - k->read_at < 2)
		return false;
	ktable_read(k);
	return ktable_look(k, addr, out);
}

uint64_t ktable_address(struct ktable *k, const char *name)
{
	if (!k->read_at)
		ktable_read(k);
	for (uint32_t i = 0; i < k->n; i++)
		if (!strcmp(k->v[i].name, name))
			return k->v[i].addr;
	return 0;
}
