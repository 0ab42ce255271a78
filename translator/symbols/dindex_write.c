/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what a walk over debug information found to an index: tables that grow, sorting, links. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "symbols/dindex.h"

static void *grown(void *v, size_t bytes)
{
	v = realloc(v, bytes);
	if (!v)
		arena_oom();
	return v;
}

void dx_build_init(struct dx_build *b)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->strings);
	buf_putc(&b->strings, 0);
	b->files.item = sizeof(struct dx_file);
	b->funcs.item = sizeof(struct dx_func);
	b->inlines.item = sizeof(struct dx_inline);
	b->types.item = sizeof(struct dx_name);
	b->enumerators.item = sizeof(struct dx_name);
	b->globals.item = sizeof(struct dx_name);
	b->units.item = sizeof(struct dx_unit);
	b->syms.item = sizeof(struct dx_sym);
}

void dx_build_fini(struct dx_build *b)
{
	struct dx_rows *all[] = { &b->files,       &b->funcs,   &b->inlines, &b->types,
				  &b->enumerators, &b->globals, &b->units,   &b->syms };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->v);
	free(b->slot);
	buf_fini(&b->strings);
}

void *dx_row(struct dx_build *b, struct dx_rows *r)
{
	(void)b;
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 1024;
		r->v = grown(r->v, r->cap * r->item);
	}
	return memset(r->v + r->n++ * r->item, 0, r->item);
}

/* FNV-1a */
static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h ^ h >> 15;
}

static uint32_t *find_slot(const struct dx_build *b, const char *s)
{
	uint32_t i = hash(s) & (b->nslots - 1);

	while (b->slot[i] && strcmp(b->strings.p + b->slot[i] - 1, s) != 0)
		i = (i + 1) & (b->nslots - 1);
	return &b->slot[i];
}

static void rehash(struct dx_build *b)
{
	uint32_t *old = b->slot, n = b->nslots;

	b->nslots = n ? n * 2 : 1u << 16;
	b->slot = calloc(b->nslots, sizeof(*b->slot));
	if (!b->slot)
		arena_oom();
	for (uint32_t i = 0; i < n; i++)
		if (old[i])
			*find_slot(b, b->strings.p + old[i] - 1) = old[i];
	free(old);
}

uint32_t dx_find_string(const struct dx_build *b, const char *s)
{
	uint32_t at = b->nslots ? *find_slot(b, s) : 0;

	return at ? at - 1 : DX_NONE;
}

uint32_t dx_string(struct dx_build *b, const char *s)
{
	uint32_t *slot;

	if (!*s)
		return 0;
	if (b->nstrings >= b->nslots / 2)
		rehash(b);
	slot = find_slot(b, s);
	if (!*slot) {
		b->nstrings++;
		*slot = (uint32_t)b->strings.len + 1;
		buf_add(&b->strings, s, strlen(s) + 1);
	}
	return *slot - 1;
}

/* qsort_r() is given the build: rows compare by the text of their strings. */
static const char *text(const struct dx_build *b, uint32_t at)
{
	return b->strings.p + at;
}

#define ORDER(a, b)                                                                                \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

static int by_path(const void *pa, const void *pb, void *arg)
{
	const struct dx_file *a = pa, *b = pb;

	return strcmp(text(arg, a->path), text(arg, b->path));
}

/* Rows name their files by string until the files have numbers; DX_NONE comes last. */
static int by_place(const void *pa, const void *pb, void *arg)
{
	const struct dx_func *a = pa, *b = pb;

	(void)arg;
	ORDER(a->file, b->file);
	ORDER(a->line, b->line);
	ORDER(a->entry, b->entry);
	ORDER(a->die, b->die);
	ORDER(a->flags & DXF_ALIAS, b->flags & DXF_ALIAS);
	return 0;
}

static int by_func(const void *pa, const void *pb, void *arg)
{
	const struct dx_inline *a = pa, *b = pb;

	(void)arg;
	ORDER(a->func, b->func);
	ORDER(a->entry, b->entry);
	ORDER(a->die, b->die);
	return 0;
}

static int by_name(const void *pa, const void *pb, void *arg)
{
	const struct dx_name *a = pa, *b = pb;
	int c = strcmp(text(arg, a->name), text(arg, b->name));

	if (c)
		return c;
	ORDER(a->tag, b->tag);
	ORDER(a->die, b->die);
	return 0;
}

static int by_unit(const void *pa, const void *pb, void *arg)
{
	const struct dx_unit *a = pa, *b = pb;

	(void)arg;
	ORDER(a->file, b->file);
	ORDER(a->die, b->die);
	return 0;
}

/* Of several symbols at one address the last is the one to name a place by. */
static int by_address(const void *pa, const void *pb, void *arg)
{
	const struct dx_sym *a = pa, *b = pb;

	ORDER(a->addr, b->addr);
	ORDER(a->flags & DXS_FUNC, b->flags & DXS_FUNC);
	ORDER(b->flags & DXS_DATA, a->flags & DXS_DATA);
	ORDER(a->flags & DXS_EXTERNAL, b->flags & DXS_EXTERNAL);
	ORDER(a->size, b->size);
	return strcmp(text(arg, b->name), text(arg, a->name));
}

static int sym_by_name(const void *pa, const void *pb, void *arg)
{
	const struct dx_build *b = arg;
	const struct dx_sym *s = (const void *)b->syms.v;
	uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;
	int c = strcmp(text(b, s[x].name), text(b, s[y].name));

	if (c)
		return c;
	ORDER(s[y].flags & DXS_EXTERNAL, s[x].flags & DXS_EXTERNAL);
	ORDER(x, y);
	return 0;
}

static int func_by_name(const void *pa, const void *pb, void *arg)
{
	const struct dx_build *b = arg;
	const struct dx_func *f = (const void *)b->funcs.v;
	uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;
	int c = strcmp(text(b, f[x].name), text(b, f[y].name));

	if (c)
		return c;
	ORDER(x, y);
	return 0;
}

static int func_by_addr(const void *pa, const void *pb, void *arg)
{
	const struct dx_build *b = arg;
	const struct dx_func *f = (const void *)b->funcs.v;
	uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;

	/* the last of equal ones answers for the address: the function, not its other names */
	ORDER(f[x].entry, f[y].entry);
	ORDER(f[y].flags & DXF_ALIAS, f[x].flags & DXF_ALIAS);
	ORDER(x, y);
	return 0;
}

static int func_by_die(const void *pa, const void *pb, void *arg)
{
	const struct dx_build *b = arg;
	const struct dx_func *f = (const void *)b->funcs.v;

	ORDER(f[*(const uint32_t *)pa].die, f[*(const uint32_t *)pb].die);
	/* instances belong to the function, not to its other names */
	ORDER(f[*(const uint32_t *)pa].flags & DXF_ALIAS,
	      f[*(const uint32_t *)pb].flags & DXF_ALIAS);
	return 0;
}

static void sort_rows(struct dx_build *b, struct dx_rows *r,
		      int (*cmp)(const void *, const void *, void *))
{
	if (r->n)
		qsort_r(r->v, r->n, r->item, cmp, b);
}

/* Files get their numbers: the string that names a file becomes its place in the sorted table. */
static void number_files(struct dx_build *b)
{
	struct dx_file *files;
	struct dx_func *f = (void *)b->funcs.v;
	struct dx_unit *u = (void *)b->units.v;
	uint32_t *number = grown(NULL, (b->strings.len + 1) * sizeof(*number));
	size_t i, n = 0;

	memset(number, 0, (b->strings.len + 1) * sizeof(*number));
	for (i = 0; i < b->funcs.n; i++)
		if (f[i].file != DX_NONE && !number[f[i].file])
			number[f[i].file] = 1, n++;
	for (i = 0; i < b->units.n; i++)
		if (!number[u[i].file])
			number[u[i].file] = 1, n++;
	for (i = 1; i < b->strings.len; i++)
		if (number[i])
			((struct dx_file *)dx_row(b, &b->files))->path = (uint32_t)i;
	sort_rows(b, &b->files, by_path);
	files = (void *)b->files.v;
	for (i = 0; i < b->files.n; i++)
		number[files[i].path] = (uint32_t)i;
	for (i = 0; i < b->funcs.n; i++)
		if (f[i].file != DX_NONE)
			f[i].file = number[f[i].file];
	for (i = 0; i < b->units.n; i++)
		u[i].file = number[u[i].file];
	free(number);
}

static void link_files(struct dx_build *b)
{
	struct dx_file *files = (void *)b->files.v;
	const struct dx_func *f = (const void *)b->funcs.v;
	const struct dx_unit *u = (const void *)b->units.v;

	for (size_t i = 0; i < b->funcs.n && f[i].file != DX_NONE; i++) {
		if (!files[f[i].file].nfuncs++)
			files[f[i].file].first_func = (uint32_t)i;
	}
	for (size_t i = 0; i < b->units.n; i++) {
		if (!files[u[i].file].nunits++)
			files[u[i].file].first_unit = (uint32_t)i;
	}
}

/* Instances name their function by its DIE (in .func's place: see dindex_build.c) until functions are in place. */
static void link_inlines(struct dx_build *b, const uint64_t *origins)
{
	struct dx_func *f = (void *)b->funcs.v;
	struct dx_inline *in = (void *)b->inlines.v;
	uint32_t *order = grown(NULL, (b->funcs.n + 1) * sizeof(*order));
	size_t kept = 0;

	for (size_t i = 0; i < b->funcs.n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, b->funcs.n, sizeof(*order), func_by_die, b);
	for (size_t i = 0; i < b->inlines.n; i++) {
		uint64_t die = origins[in[i].func];
		size_t lo = 0, hi = b->funcs.n;

		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (f[order[mid]].die < die)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < b->funcs.n && f[order[lo]].die == die) {
			in[kept] = in[i];
			in[kept++].func = order[lo];
		}
	}
	free(order);
	b->inlines.n = kept;
	sort_rows(b, &b->inlines, by_func);
	for (size_t i = 0; i < kept; i++) {
		if (!f[in[i].func].ninlines++)
			f[in[i].func].first_inline = (uint32_t)i;
	}
}

static void put_section(struct buf *out, size_t start, enum dx_section s, const void *v, size_t n,
			size_t item)
{
	struct dx_header *h;

	while ((out->len - start) % 8)
		buf_putc(out, 0);
	h = (void *)(out->p + start);
	h->section[s].at = out->len - start;
	h->section[s].n = n;
	if (n)
		buf_add(out, v, n * item);
}

static void put_rows(struct buf *out, size_t start, enum dx_section s, const struct dx_rows *r)
{
	put_section(out, start, s, r->v, r->n, r->item);
}

static void put_orders(struct buf *out, size_t start, struct dx_build *b)
{
	uint32_t *order = grown(NULL, (b->funcs.n + 1) * sizeof(*order));
	const struct dx_func *f = (const void *)b->funcs.v;
	size_t n = 0;

	for (size_t i = 0; i < b->funcs.n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, b->funcs.n, sizeof(*order), func_by_name, b);
	put_section(out, start, DX_BY_NAME, order, b->funcs.n, sizeof(*order));
	for (size_t i = 0; i < b->funcs.n; i++)
		if (!(f[i].flags & DXF_ABSTRACT))
			order[n++] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), func_by_addr, b);
	put_section(out, start, DX_BY_ADDR, order, n, sizeof(*order));
	free(order);
}

static void put_syms(struct buf *out, size_t start, struct dx_build *b)
{
	uint32_t *order = grown(NULL, (b->syms.n + 1) * sizeof(*order));

	sort_rows(b, &b->syms, by_address);
	put_rows(out, start, DX_SYMS, &b->syms);
	for (size_t i = 0; i < b->syms.n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, b->syms.n, sizeof(*order), sym_by_name, b);
	put_section(out, start, DX_SYMS_BY_NAME, order, b->syms.n, sizeof(*order));
	free(order);
}

void dindex_write(struct buf *out, struct dx_build *b, const uint64_t *origins, uint64_t mtime,
		  uint64_t size)
{
	struct dx_header h = { .magic = DX_MAGIC,
			       .version = DX_VERSION,
			       .sections = DX_NSECTIONS,
			       .debug_mtime = mtime,
			       .debug_size = size };
	size_t start = out->len;

	number_files(b);
	sort_rows(b, &b->funcs, by_place);
	sort_rows(b, &b->units, by_unit);
	link_files(b);
	link_inlines(b, origins);
	sort_rows(b, &b->types, by_name);
	sort_rows(b, &b->enumerators, by_name);
	sort_rows(b, &b->globals, by_name);

	buf_add(out, &h, sizeof(h));
	put_rows(out, start, DX_FILES, &b->files);
	put_rows(out, start, DX_FUNCS, &b->funcs);
	put_rows(out, start, DX_INLINES, &b->inlines);
	put_orders(out, start, b);
	put_rows(out, start, DX_TYPES, &b->types);
	put_rows(out, start, DX_ENUMERATORS, &b->enumerators);
	put_rows(out, start, DX_GLOBALS, &b->globals);
	put_rows(out, start, DX_UNITS, &b->units);
	put_syms(out, start, b);
	put_section(out, start, DX_STRINGS, b->strings.p, b->strings.len, 1);
	while ((out->len - start) % 8)
		buf_putc(out, 0);
	((struct dx_header *)(void *)(out->p + start))->size = out->len - start;
}
