/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types from BTF, behind the same interface as those from DWARF. */
#include <string.h>

#include "symbols/btf.h"
#include "symbols/object.h"

static const enum sym_kind kinds[] = {
	[BTF_KIND_INT] = ST_INT,       [BTF_KIND_PTR] = ST_POINTER,     [BTF_KIND_ARRAY] = ST_ARRAY,
	[BTF_KIND_STRUCT] = ST_STRUCT, [BTF_KIND_UNION] = ST_UNION,     [BTF_KIND_ENUM] = ST_ENUM,
	[BTF_KIND_ENUM64] = ST_ENUM,   [BTF_KIND_FUNC_PROTO] = ST_FUNC, [BTF_KIND_FUNC] = ST_FUNC,
	[BTF_KIND_FLOAT] = ST_FLOAT,
};

struct sym_object *sym_open_btf(struct symbols *all, const struct kbtf *b)
{
	return object_for_btf(all, b);
}

const struct sym_type *sym_btf_type(struct sym_object *o, uint32_t id)
{
	return btf_sym_type(o, id);
}

uint32_t sym_btf_count(struct sym_object *o, const struct sym_type *t)
{
	return kbtf_count(o->btf, t->kind == ST_UNION ? BTF_KIND_UNION : BTF_KIND_STRUCT, t->name);
}

static void fill_int(struct sym_type *t, const struct btf_type *bt)
{
	uint32_t encoding = *(const uint32_t *)(const void *)(bt + 1);

	t->is_signed = BTF_INT_ENCODING(encoding) & BTF_INT_SIGNED;
	if (BTF_INT_ENCODING(encoding) & BTF_INT_BOOL)
		t->kind = ST_BOOL;
	else if (t->size == 1)
		t->kind = ST_CHAR;
}

/* A struct that is only declared where @bt stands may be whole elsewhere. */
static uint32_t whole(const struct kbtf *b, const struct btf_type *bt, uint32_t id)
{
	uint32_t other;

	if (BTF_INFO_KIND(bt->info) != BTF_KIND_FWD)
		return id;
	other = kbtf_find_any(b, BTF_INFO_KFLAG(bt->info) ? BTF_KIND_UNION : BTF_KIND_STRUCT,
			      kbtf_name(b, bt));
	return other ? other : id;
}

const struct sym_type *btf_sym_type(struct sym_object *o, uint32_t id)
{
	uint32_t real = kbtf_strip_id(o->btf, id), kind;
	const struct btf_type *bt = kbtf_get(o->btf, real);
	struct sym_type **slot, *t;

	if (bt) {
		real = whole(o->btf, bt, real);
		bt = kbtf_get(o->btf, real);
	}
	slot = object_type_slot(o, bt ? real : UINT64_MAX);
	if (*slot)
		return *slot;
	t = *slot = arena_new(o->arena, struct sym_type);
	*t = (struct sym_type){ .kind = ST_VOID, .obj = o, .id = real, .by = SYM_BTF };
	if (!bt)
		return t;
	kind = BTF_INFO_KIND(bt->info);
	t->name = bt->name_off ? kbtf_name(o->btf, bt) : NULL;
	t->kind = kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind] ? kinds[kind]
									 : ST_INCOMPLETE;
	if (t->kind == ST_POINTER)
		t->size = 8;
	else if (t->kind != ST_ARRAY && t->kind != ST_FUNC && t->kind != ST_INCOMPLETE)
		t->size = bt->size;
	if (t->kind == ST_INT)
		fill_int(t, bt);
	if (t->kind == ST_ENUM)
		t->is_signed = BTF_INFO_KFLAG(bt->info);
	if (t->kind == ST_ARRAY) {
		const struct btf_array *a = (const void *)(bt + 1);

		t->nelems = a->nelems;
		t->size = a->nelems * btf_sym_type(o, a->type)->size;
	}
	return t;
}

const struct sym_type *btf_target(const struct sym_type *t)
{
	const struct btf_type *bt = kbtf_get(t->obj->btf, (uint32_t)t->id);

	if (!bt)
		return NULL;
	if (t->kind == ST_POINTER)
		return btf_sym_type(t->obj, bt->type);
	return btf_sym_type(t->obj, ((const struct btf_array *)(const void *)(bt + 1))->type);
}

void btf_members(const struct sym_type *t, bool (*fn)(const struct sym_member *m, void *arg),
		 void *arg)
{
	const struct kbtf *b = t->obj->btf;
	const struct btf_type *bt = kbtf_get(b, (uint32_t)t->id);
	const struct btf_member *m;

	if (!bt || (t->kind != ST_STRUCT && t->kind != ST_UNION))
		return;
	m = (const void *)(bt + 1);
	for (uint32_t i = 0; i < BTF_INFO_VLEN(bt->info); i++) {
		uint32_t bits =
			BTF_INFO_KFLAG(bt->info) ? BTF_MEMBER_BIT_OFFSET(m[i].offset) : m[i].offset;
		struct sym_member out = {
			.name = m[i].name_off ? kbtf_text(b, m[i].name_off) : NULL,
			.type = btf_sym_type(t->obj, m[i].type),
			.type_text = kbtf_type_text(b, t->obj->arena, m[i].type),
			.offset = bits / 8,
			.bit_size = BTF_INFO_KFLAG(bt->info) ? BTF_MEMBER_BITFIELD_SIZE(m[i].offset)
							     : 0,
		};

		if (out.bit_size)
			out.bit_offset = bits % 8;
		if (!fn(&out, arg))
			return;
	}
}

/* A word before the name allows these kinds; none allows all. */
static const struct {
	const char *word;
	uint8_t kinds[6];
} words[] = {
	{ "struct ", { BTF_KIND_STRUCT } },
	{ "union ", { BTF_KIND_UNION } },
	{ "enum ", { BTF_KIND_ENUM, BTF_KIND_ENUM64 } },
	{ "",
	  { BTF_KIND_TYPEDEF, BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_INT, BTF_KIND_ENUM,
	    BTF_KIND_ENUM64 } },
};

const struct sym_type *btf_find(struct sym_object *o, const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(name, words[i].word, n) != 0)
			continue;
		name += n + strspn(name + n, " ");
		for (int k = 0; k < 6 && words[i].kinds[k]; k++) {
			uint32_t id = kbtf_find_any(o->btf, words[i].kinds[k], name);

			if (id)
				return btf_sym_type(o, id);
		}
		return NULL;
	}
	return NULL;
}

struct find_enum {
	const struct kbtf *b;
	const char *name;
	int64_t value;
	bool found;
};

/* Values of an enumeration, whatever their width. */
static int64_t value_of(const struct btf_type *bt, uint32_t i)
{
	if (BTF_INFO_KIND(bt->info) == BTF_KIND_ENUM64) {
		const struct btf_enum64 *e = (const void *)(bt + 1);

		return (int64_t)((uint64_t)e[i].val_hi32 << 32 | e[i].val_lo32);
	}
	return ((const struct btf_enum *)(const void *)(bt + 1))[i].val;
}

static uint32_t name_of(const struct btf_type *bt, uint32_t i)
{
	if (BTF_INFO_KIND(bt->info) == BTF_KIND_ENUM64)
		return ((const struct btf_enum64 *)(const void *)(bt + 1))[i].name_off;
	return ((const struct btf_enum *)(const void *)(bt + 1))[i].name_off;
}

static bool look_in_enum(const struct btf_type *bt, void *arg)
{
	struct find_enum *f = arg;

	for (uint32_t i = 0; i < BTF_INFO_VLEN(bt->info); i++)
		if (!strcmp(kbtf_text(f->b, name_of(bt, i)), f->name)) {
			f->value = value_of(bt, i);
			f->found = true;
			return false;
		}
	return true;
}

bool btf_enum_value(struct sym_object *o, const char *name, int64_t *value)
{
	struct find_enum f = { o->btf, name, 0, false };

	kbtf_each_enum(o->btf, look_in_enum, &f);
	*value = f.value;
	return f.found;
}

const char *btf_enum_name(const struct sym_type *t, int64_t value)
{
	const struct btf_type *bt = kbtf_get(t->obj->btf, (uint32_t)t->id);

	for (uint32_t i = 0; bt && i < BTF_INFO_VLEN(bt->info); i++)
		if (value_of(bt, i) == value)
			return kbtf_text(t->obj->btf, name_of(bt, i));
	return NULL;
}

static bool feed_near(uint32_t id, const char *name, void *arg)
{
	(void)id;
	near_try(arg, name);
	return true;
}

void btf_near_types(struct sym_object *o, struct near_match *m)
{
	kbtf_each(o->btf, BTF_KIND_STRUCT, feed_near, m);
	kbtf_each(o->btf, BTF_KIND_UNION, feed_near, m);
	kbtf_each(o->btf, BTF_KIND_TYPEDEF, feed_near, m);
}
