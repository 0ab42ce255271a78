/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/btf.h"

#include <string.h>

/*
 * Chains of typedefs, qualifiers and pointers are followed this far: a damaged file may hold a
 * loop.
 */
#define MAX_CHAIN 64

/* Structures and unions by name: chains of own types, by their index + 1. */
#define NAME_SLOTS 16384
struct names {
	uint32_t first[NAME_SLOTS];
	uint32_t *next; /* by index */
};

struct kbtf {
	const struct kbtf *base;
	const unsigned char *types;
	const char *strs;
	uint32_t types_len, strs_len;
	uint32_t first_id, first_str; /* of this part, when split */
	uint32_t n; /* own types */
	uint32_t *off; /* of each own type, in types */
	struct arena *arena;
	struct names **names; /* made when they are first asked for */
};

/* Bytes after a struct btf_type, by kind: fixed, and for each of its vlen members. */
static const struct {
	uint8_t fixed, each;
	bool known;
} kind_size[] = {
	[BTF_KIND_INT] = { 4, 0, true },
	[BTF_KIND_PTR] = { 0, 0, true },
	[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0, true },
	[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member), true },
	[BTF_KIND_UNION] = { 0, sizeof(struct btf_member), true },
	[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum), true },
	[BTF_KIND_FWD] = { 0, 0, true },
	[BTF_KIND_TYPEDEF] = { 0, 0, true },
	[BTF_KIND_VOLATILE] = { 0, 0, true },
	[BTF_KIND_CONST] = { 0, 0, true },
	[BTF_KIND_RESTRICT] = { 0, 0, true },
	[BTF_KIND_FUNC] = { 0, 0, true },
	[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param), true },
	[BTF_KIND_VAR] = { sizeof(struct btf_var), 0, true },
	[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo), true },
	[BTF_KIND_FLOAT] = { 0, 0, true },
	[BTF_KIND_DECL_TAG] = { sizeof(struct btf_decl_tag), 0, true },
	[BTF_KIND_TYPE_TAG] = { 0, 0, true },
	[BTF_KIND_ENUM64] = { 0, sizeof(struct btf_enum64), true },
};

static const char *kbtf_str(const struct kbtf *b, uint32_t off)
{
	while (off < b->first_str)
		b = b->base;
	off -= b->first_str;
	return off < b->strs_len ? b->strs + off : "";
}

/* NULL for void (0) and for numbers past the end. */
static const struct btf_type *kbtf_type(const struct kbtf *b, uint32_t id)
{
	if (!id)
		return NULL;
	while (id < b->first_id)
		b = b->base;
	if (id - b->first_id >= b->n)
		return NULL;
	return (const void *)(b->types + b->off[id - b->first_id]);
}

/* Walks all types once and notes where each is. NULL or what is wrong. */
static const char *kbtf_walk(struct kbtf *b)
{
	uint32_t pos = 0, n = 0;

	while (pos < b->types_len) {
		const struct btf_type *t = (const void *)(b->types + pos);
		uint64_t size = sizeof(*t);
		uint32_t kind;

		if (b->types_len - pos < sizeof(*t))
			return "its type section ends inside a type";
		kind = BTF_INFO_KIND(t->info);
		if (kind >= sizeof(kind_size) / sizeof(kind_size[0]) || !kind_size[kind].known)
			return "it holds a kind of type that is newer than this program";
		size += kind_size[kind].fixed +
			(uint64_t)kind_size[kind].each * BTF_INFO_VLEN(t->info);
		if (size > b->types_len - pos)
			return "its type section ends inside a type";
		b->off[n++] = pos;
		pos += size;
	}
	b->n = n;
	return NULL;
}

struct kbtf *kbtf_new(struct arena *a, const void *bytes, size_t len, const struct kbtf *base,
		      const char **why)
{
	const struct btf_header *h = bytes;
	struct kbtf *b = arena_new(a, struct kbtf);
	size_t room;

	*why = "it is no BTF of this machine's byte order";
	if (len < sizeof(*h) || (uintptr_t)bytes % 4 || h->magic != BTF_MAGIC ||
	    h->version != BTF_VERSION)
		return NULL;
	*why = "its sections leave the file";
	if (h->hdr_len < sizeof(*h) || h->hdr_len > len || h->hdr_len % 4)
		return NULL;
	room = len - h->hdr_len;
	if (h->type_off > room || h->type_len > room - h->type_off || h->type_off % 4 ||
	    h->str_off > room || h->str_len > room - h->str_off)
		return NULL;
	b->base = base;
	b->arena = a;
	b->names = arena_new(a, struct names *);
	b->types = (const unsigned char *)bytes + h->hdr_len + h->type_off;
	b->types_len = h->type_len;
	b->strs = (const char *)bytes + h->hdr_len + h->str_off;
	b->strs_len = h->str_len;
	if (b->strs_len && b->strs[b->strs_len - 1])
		return NULL;
	b->first_id = base ? base->first_id + base->n : 1;
	b->first_str = base ? base->first_str + base->strs_len : 0;
	/* Room for the most types there can be; what is not needed of it is never touched. */
	b->off = arena_alloc(a, (h->type_len / sizeof(struct btf_type) + 1) * sizeof(*b->off));
	*why = kbtf_walk(b);
	return *why ? NULL : b;
}

static uint32_t name_hash(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return (h ^ h >> 15) % NAME_SLOTS;
}

static bool is_record(const struct kbtf *b, uint32_t i)
{
	const struct btf_type *t = (const void *)(b->types + b->off[i]);

	return t->name_off &&
	       (BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION);
}

/* Backwards, so that chains go upwards. */
static void make_names(const struct kbtf *b)
{
	struct names *names = arena_new(b->arena, struct names);

	names->next = arena_alloc(b->arena, sizeof(*names->next) * (b->n + 1));
	for (uint32_t i = b->n; i-- > 0;) {
		const struct btf_type *t = (const void *)(b->types + b->off[i]);
		uint32_t *slot;

		if (!is_record(b, i))
			continue;
		slot = &names->first[name_hash(kbtf_str(b, t->name_off))];
		names->next[i] = *slot;
		*slot = i + 1;
	}
	*b->names = names;
}

static uint32_t next_record(const struct kbtf *b, uint32_t i, unsigned int kind, const char *name)
{
	for (; i; i = (*b->names)->next[i - 1]) {
		const struct btf_type *t = (const void *)(b->types + b->off[i - 1]);

		if (BTF_INFO_KIND(t->info) == kind && !strcmp(kbtf_str(b, t->name_off), name))
			break;
	}
	return i;
}

uint32_t kbtf_each_record(const struct kbtf *b, uint32_t after, unsigned int kind, const char *name)
{
	uint32_t i;

	for (; b; b = b->base) {
		if (!*b->names)
			make_names(b);
		if (after && after < b->first_id)
			continue;
		i = after ? (*b->names)->next[after - b->first_id] : (*b->names)->first[name_hash(name)];
		i = next_record(b, i, kind, name);
		if (i)
			return b->first_id + i - 1;
		after = 0;
	}
	return 0;
}

uint32_t kbtf_count(const struct kbtf *b, unsigned int kind, const char *name)
{
	uint32_t n = 0;

	for (uint32_t id = 0; (id = kbtf_each_record(b, id, kind, name));)
		n++;
	return n;
}

uint32_t kbtf_find(const struct kbtf *b, unsigned int kind, const char *name)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct btf_type *t = (const void *)(b->types + b->off[i]);

		if (BTF_INFO_KIND(t->info) == kind && strcmp(kbtf_str(b, t->name_off), name) == 0)
			return b->first_id + i;
	}
	return 0;
}

void kbtf_each(const struct kbtf *b, unsigned int kind,
	       bool (*fn)(uint32_t id, const char *name, void *arg), void *arg)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct btf_type *t = (const void *)(b->types + b->off[i]);

		if (BTF_INFO_KIND(t->info) == kind && t->name_off &&
		    !fn(b->first_id + i, kbtf_str(b, t->name_off), arg))
			return;
	}
}

const struct btf_type *kbtf_get(const struct kbtf *b, uint32_t id)
{
	return kbtf_type(b, id);
}

const char *kbtf_text(const struct kbtf *b, uint32_t name_off)
{
	return kbtf_str(b, name_off);
}

const char *kbtf_name(const struct kbtf *b, const struct btf_type *t)
{
	return kbtf_str(b, t->name_off);
}

uint32_t kbtf_find_any(const struct kbtf *b, unsigned int kind, const char *name)
{
	uint32_t id = 0;

	for (; b && !id; b = b->base)
		id = kbtf_find(b, kind, name);
	return id;
}

void kbtf_each_enum(const struct kbtf *b, bool (*fn)(const struct btf_type *t, void *arg), void *arg)
{
	for (; b; b = b->base)
		for (uint32_t i = 0; i < b->n; i++) {
			const struct btf_type *t = (const void *)(b->types + b->off[i]);
			uint32_t kind = BTF_INFO_KIND(t->info);

			if ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && !fn(t, arg))
				return;
		}
}

uint32_t kbtf_strip_id(const struct kbtf *b, uint32_t id)
{
	for (int i = 0; i < MAX_CHAIN; i++) {
		const struct btf_type *t = kbtf_type(b, id);

		if (!t)
			return 0;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = t->type;
			continue;
		default:
			return id;
		}
	}
	return 0;
}

/* The type behind typedefs, qualifiers and tags. */
static const struct btf_type *kbtf_strip(const struct kbtf *b, uint32_t id)
{
	return kbtf_type(b, kbtf_strip_id(b, id));
}

int kbtf_params(const struct kbtf *b, struct arena *a, uint32_t id, struct kbtf_param **out,
		uint32_t *ret)
{
	const struct btf_type *t = kbtf_strip(b, id);
	const struct btf_param *p;
	int n;

	if (t &&
	    (BTF_INFO_KIND(t->info) == BTF_KIND_PTR || BTF_INFO_KIND(t->info) == BTF_KIND_FUNC))
		t = kbtf_strip(b, t->type);
	if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_FUNC_PROTO)
		return -1;
	n = BTF_INFO_VLEN(t->info);
	p = (const void *)(t + 1);
	/* A last parameter without name and type stands for "...". */
	if (n && !p[n - 1].type)
		n--;
	*out = arena_alloc(a, n * sizeof(**out) + 1);
	for (int i = 0; i < n; i++)
		(*out)[i] = (struct kbtf_param){ kbtf_str(b, p[i].name_off), p[i].type };
	if (ret)
		*ret = t->type;
	return n;
}

bool kbtf_scalar(const struct kbtf *b, uint32_t id, uint32_t *width, bool *is_signed)
{
	const struct btf_type *t = kbtf_strip(b, id);
	const uint32_t *encoding;

	if (!t)
		return false;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
		*width = 8;
		*is_signed = false;
		return true;
	case BTF_KIND_INT:
		encoding = (const void *)(t + 1);
		*width = t->size;
		*is_signed = BTF_INT_ENCODING(*encoding) & BTF_INT_SIGNED;
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		*width = t->size;
		*is_signed = BTF_INFO_KFLAG(t->info);
		break;
	default:
		return false;
	}
	return *width == 1 || *width == 2 || *width == 4 || *width == 8;
}

static const char *const kind_prefix[] = {
	[BTF_KIND_STRUCT] = "struct ", [BTF_KIND_UNION] = "union ", [BTF_KIND_ENUM] = "enum ",
	[BTF_KIND_ENUM64] = "enum ",   [BTF_KIND_FWD] = "struct ",
};

const char *kbtf_type_text(const struct kbtf *b, struct arena *a, uint32_t id)
{
	char stars[MAX_CHAIN + 1];
	const struct btf_type *t = NULL;
	bool is_const = false;
	const char *prefix, *name;
	int n = 0;

	for (int i = 0; i < MAX_CHAIN && id; i++) {
		unsigned int kind;

		t = kbtf_type(b, id);
		kind = t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN;
		if (kind == BTF_KIND_PTR)
			stars[n++] = '*';
		else if (kind == BTF_KIND_CONST)
			is_const = true;
		else if (kind != BTF_KIND_VOLATILE && kind != BTF_KIND_RESTRICT &&
			 kind != BTF_KIND_TYPE_TAG)
			break;
		id = t->type;
		t = NULL;
	}
	stars[n] = 0;
	if (t && BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO)
		return "function *";
	if (t && BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY)
		return "array";
	prefix = t && BTF_INFO_KIND(t->info) < sizeof(kind_prefix) / sizeof(kind_prefix[0])
			 ? kind_prefix[BTF_INFO_KIND(t->info)]
			 : NULL;
	name = t ? kbtf_str(b, t->name_off) : "void";
	return arena_printf(a, "%s%s%s%s%s", is_const ? "const " : "", prefix ? prefix : "",
			    *name ? name : "{...}", n ? " " : "", stars);
}
