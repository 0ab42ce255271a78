/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types from DWARF: each DIE that is asked for becomes one struct sym_type, and its members are read when asked for. */
#include <dwarf.h>
#include <string.h>

#include "symbols/object.h"

/* Typedefs of typedefs, pointers to pointers and members of members: more is damage. */
#define MAXCHAIN 100

static const struct {
	int tag;
	enum sym_kind kind;
} kinds[] = {
	{ DW_TAG_pointer_type, ST_POINTER },
	{ DW_TAG_reference_type, ST_POINTER },
	{ DW_TAG_rvalue_reference_type, ST_POINTER },
	{ DW_TAG_array_type, ST_ARRAY },
	{ DW_TAG_structure_type, ST_STRUCT },
	{ DW_TAG_class_type, ST_STRUCT },
	{ DW_TAG_union_type, ST_UNION },
	{ DW_TAG_enumeration_type, ST_ENUM },
	{ DW_TAG_subroutine_type, ST_FUNC },
	{ DW_TAG_subprogram, ST_FUNC },
	{ DW_TAG_unspecified_type, ST_VOID },
};

struct sym_type **object_type_slot(struct sym_object *o, uint64_t id)
{
	uint32_t i;

	if (o->ntypes >= o->types_cap / 2) {
		struct type_slot *old = o->types;
		uint32_t cap = o->types_cap;

		o->types_cap = cap ? cap * 2 : 256;
		o->types = arena_alloc(o->arena, o->types_cap * sizeof(*o->types));
		o->ntypes = 0;
		for (i = 0; i < cap; i++)
			if (old[i].id)
				*object_type_slot(o, old[i].id) = old[i].type;
	}
	for (i = (uint32_t)(id * 2654435761u) & (o->types_cap - 1);
	     o->types[i].id && o->types[i].id != id;)
		i = (i + 1) & (o->types_cap - 1);
	if (!o->types[i].id) {
		o->types[i].id = id;
		o->ntypes++;
	}
	return &o->types[i].type;
}

static void fill_base(struct sym_type *t, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Word enc = 0;

	if (dwarf_attr(die, DW_AT_encoding, &attr))
		dwarf_formudata(&attr, &enc);
	t->is_signed = enc == DW_ATE_signed || enc == DW_ATE_signed_char;
	t->kind = enc == DW_ATE_boolean                                      ? ST_BOOL
		  : enc == DW_ATE_signed_char || enc == DW_ATE_unsigned_char ? ST_CHAR
		  : enc == DW_ATE_float || enc == DW_ATE_complex_float       ? ST_FLOAT
									     : ST_INT;
}

/* Elements of one dimension of an array, 0 when they are not known, and how many dimensions it has. */
static uint64_t array_elements(Dwarf_Die *die, uint32_t dim, uint32_t *dims)
{
	uint64_t n = 0;
	Dwarf_Attribute attr;
	Dwarf_Die sub;

	*dims = 0;
	if (dwarf_child(die, &sub))
		return 0;
	do {
		Dwarf_Word v;

		if (dwarf_tag(&sub) != DW_TAG_subrange_type || (*dims)++ != dim)
			continue;
		if (dwarf_attr(&sub, DW_AT_count, &attr) && !dwarf_formudata(&attr, &v))
			n = v;
		else if (dwarf_attr(&sub, DW_AT_upper_bound, &attr) && !dwarf_formudata(&attr, &v))
			n = v + 1;
	} while (!dwarf_siblingof(&sub, &sub));
	return n;
}

/* An array of arrays is one DIE: the types inside the outermost have keys of their own, which no offset has. */
static const struct sym_type *array_within(const struct sym_type *outer, Dwarf_Die *die)
{
	struct sym_type **slot = object_type_slot(
		outer->obj, outer->id | (uint64_t)(outer->dim + 1) << 56);
	const struct sym_type *item = object_type_of(outer->obj, die);
	struct sym_type *t = *slot;
	uint32_t dims = 0;

	if (t)
		return t;
	t = *slot = arena_new(outer->obj->arena, struct sym_type);
	*t = *outer;
	t->dim++;
	t->nelems = array_elements(die, t->dim, &dims);
	t->size = item ? item->size : 0;
	for (uint32_t n = t->dim; n < dims; n++)
		t->size *= array_elements(die, n, &dims);
	return t;
}

static const struct sym_type *new_type(struct sym_object *o, Dwarf_Die *die)
{
	struct sym_type **slot = object_type_slot(o, object_die_id(o->dw, die)), *t = *slot;
	int tag = dwarf_tag(die);
	Dwarf_Word size;
	uint32_t dims;

	if (t)
		return t;
	t = *slot = arena_new(o->arena, struct sym_type);
	t->obj = o;
	t->id = object_die_id(o->dw, die);
	t->by = SYM_DWARF;
	t->name = dwarf_diename(die);
	t->size = dwarf_aggregate_size(die, &size) ? 0 : size;
	if (tag == DW_TAG_base_type) {
		fill_base(t, die);
		return t;
	}
	t->kind = ST_INCOMPLETE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].tag == tag)
			t->kind = kinds[i].kind;
	if (t->kind == ST_POINTER && !t->size)
		t->size = 8;
	if (t->kind == ST_ARRAY)
		t->nelems = array_elements(die, 0, &dims);
	if (t->kind == ST_ENUM) {
		Dwarf_Attribute attr;
		Dwarf_Die base;

		if (dwarf_attr(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, &base) &&
		    !dwarf_peel_type(&base, &base)) {
			const struct sym_type *b = new_type(o, &base);

			t->is_signed = b->is_signed;
		}
	}
	return t;
}

static const struct sym_type *void_type(struct sym_object *o)
{
	struct sym_type **slot = object_type_slot(o, UINT64_MAX);

	if (!*slot) {
		*slot = arena_new(o->arena, struct sym_type);
		**slot = (struct sym_type){
			.kind = ST_VOID, .name = "void", .obj = o, .by = SYM_DWARF
		};
	}
	return *slot;
}

/* Words before the name of a type, and what they allow. */
static const struct {
	const char *word;
	int tags[2];
} tag_words[] = {
	{ "struct ", { DW_TAG_structure_type, DW_TAG_class_type } },
	{ "class ", { DW_TAG_class_type, DW_TAG_structure_type } },
	{ "union ", { DW_TAG_union_type, 0 } },
	{ "enum ", { DW_TAG_enumeration_type, 0 } },
};

/* A struct that this unit only declares may be whole in another. */
static const struct sym_type *completed(struct sym_object *o, Dwarf_Die *die)
{
	const struct dindex *x = dwarf_hasattr(die, DW_AT_declaration) ? object_index(o) : NULL;
	const char *name = dwarf_diename(die);
	const struct dx_name *row;
	Dwarf_Die whole;
	uint32_t n = 0;

	row = x && name ? dindex_names(x, DX_TYPES, name, &n) : NULL;
	for (uint32_t i = 0; i < n; i++)
		if ((int)row[i].tag == dwarf_tag(die) && object_die(o->dw, row[i].die, &whole))
			return new_type(o, &whole);
	if (name && o->more && dwarf_hasattr(die, DW_AT_declaration)) {
		const struct sym_type *t = NULL;

		for (size_t i = 0; i < sizeof(tag_words) / sizeof(tag_words[0]) && !t; i++)
			if (tag_words[i].tags[0] == dwarf_tag(die))
				t = sym_type_find(o->more, arena_printf(o->arena, "%s%s", tag_words[i].word, name));
		if (t)
			return t;
	}
	return new_type(o, die);
}

void sym_complete_from(struct sym_object *o, struct sym_object *more)
{
	if (!o->more)
		o->more = more;
}

const struct sym_type *object_type(struct sym_object *o, Dwarf_Die *die)
{
	Dwarf_Die peeled;

	switch (dwarf_peel_type(die, &peeled)) {
	case 0:
		return completed(o, &peeled);
	case 1:
		return void_type(o);
	default:
		return NULL;
	}
}

const struct sym_type *object_type_of(struct sym_object *o, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;

	if (!dwarf_attr_integrate(die, DW_AT_type, &attr))
		return void_type(o);
	return dwarf_formref_die(&attr, &type) ? object_type(o, &type) : NULL;
}

const struct sym_type *sym_type_target(const struct sym_type *t)
{
	uint32_t dims = 0;
	Dwarf_Die die;

	if (t->kind != ST_POINTER && t->kind != ST_ARRAY)
		return NULL;
	if (t->by == SYM_BTF)
		return btf_target(t);
	/* made by sym_type_pointer(), without a DIE: id is the target itself */
	if (t->by != SYM_DWARF)
		return (const struct sym_type *)(uintptr_t)t->id;
	if (!object_die(t->obj->dw, t->id, &die))
		return NULL;
	if (t->kind == ST_ARRAY)
		array_elements(&die, t->dim, &dims);
	return t->dim + 1 < dims ? array_within(t, &die) : object_type_of(t->obj, &die);
}

const struct sym_type *sym_type_pointer(const struct sym_type *t)
{
	struct sym_type *p = arena_new(t->obj->arena, struct sym_type);

	*p = (struct sym_type){ .kind = ST_POINTER, .size = 8, .obj = t->obj, .id = (uintptr_t)t };
	return p;
}

/* ---- finding by name ---- */

static const struct sym_type *find_tagged(struct sym_object *o, const char *name, const int *tags)
{
	const struct dindex *x = object_index(o);
	const struct dx_name *row;
	Dwarf_Die die;
	uint32_t n;

	if (!x || !o->dw)
		return NULL;
	row = dindex_names(x, DX_TYPES, name, &n);
	for (uint32_t i = 0; i < n; i++) {
		bool fits = !tags || (int)row[i].tag == tags[0] || (int)row[i].tag == tags[1];

		if (fits && object_die(o->dw, row[i].die, &die))
			return object_type(o, &die);
	}
	return NULL;
}

const struct sym_type *sym_type_find(struct sym_object *o, const char *name)
{
	const struct sym_type *t = NULL;
	size_t len = strlen(name), stars = 0;
	const int *tags = NULL;
	char *plain;

	while (len && (name[len - 1] == '*' || name[len - 1] == ' '))
		stars += name[--len] == '*';
	plain = arena_strndup(o->arena, name, len);
	if (o->btf) {
		t = strcmp(plain, "void") ? btf_find(o, plain) : btf_sym_type(o, 0);
		while (t && stars--)
			t = sym_type_pointer(t);
		return t;
	}
	for (size_t i = 0; i < sizeof(tag_words) / sizeof(tag_words[0]); i++) {
		size_t n = strlen(tag_words[i].word);

		if (!strncmp(plain, tag_words[i].word, n)) {
			tags = tag_words[i].tags;
			plain += n + strspn(plain + n, " ");
			break;
		}
	}
	if (!strcmp(plain, "void") && !tags && o->dw)
		t = void_type(o);
	else
		t = find_tagged(o, plain, tags);
	while (t && stars--)
		t = sym_type_pointer(t);
	return t;
}

void sym_near_types(struct sym_object *o, struct near_match *m)
{
	const struct dindex *x = object_index(o);
	const struct dx_name *row;
	uint32_t n;

	if (o->btf)
		btf_near_types(o, m);
	if (!x)
		return;
	row = dindex_section(x, DX_TYPES, &n);
	for (uint32_t i = 0; i < n; i++)
		near_try(m, dindex_string(x, row[i].name));
}

/* ---- members ---- */

static uint64_t member_offset(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Word v;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &attr))
		return 0;
	if (!dwarf_formudata(&attr, &v))
		return v;
	if (!dwarf_getlocation(&attr, &ops, &n) && n == 1 && ops[0].atom == DW_OP_plus_uconst)
		return ops[0].number;
	return 0;
}

static bool number(Dwarf_Die *die, unsigned int name, Dwarf_Word *v)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, name, &attr) && !dwarf_formudata(&attr, v);
}

/* DWARF 5 counts bits from the struct's start, DWARF 2 and 3 from the high end of a storage unit. */
static void fill_bits(struct sym_member *m, Dwarf_Die *die)
{
	Dwarf_Word size, at, unit;

	if (!number(die, DW_AT_bit_size, &size))
		return;
	m->bit_size = (uint32_t)size;
	if (number(die, DW_AT_data_bit_offset, &at)) {
		m->offset = at / 8;
		m->bit_offset = (uint32_t)(at % 8);
	} else if (number(die, DW_AT_bit_offset, &at)) {
		if (!number(die, DW_AT_byte_size, &unit))
			unit = m->type ? m->type->size : 4;
		at = unit * 8 - at - size;
		m->offset += at / 8;
		m->bit_offset = (uint32_t)(at % 8);
	}
}

static bool member_at(struct sym_object *o, Dwarf_Die *die, struct sym_member *m)
{
	int tag = dwarf_tag(die);

	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
	    dwarf_hasattr(die, DW_AT_external))
		return false;
	*m = (struct sym_member){
		.name = tag == DW_TAG_member ? dwarf_diename(die) : NULL,
		.type = object_type_of(o, die),
		.type_text = object_type_text(o, die),
		.offset = member_offset(die),
		.base = tag == DW_TAG_inheritance,
	};
	fill_bits(m, die);
	return true;
}

void sym_members(const struct sym_type *t, bool (*fn)(const struct sym_member *m, void *arg),
		 void *arg)
{
	struct sym_member m;
	Dwarf_Die die;

	if (t->by == SYM_BTF)
		btf_members(t, fn, arg);
	if (t->by != SYM_DWARF || !object_die(t->obj->dw, t->id, &die) || dwarf_child(&die, &die))
		return;
	do {
		if (member_at(t->obj, &die, &m) && !fn(&m, arg))
			return;
	} while (!dwarf_siblingof(&die, &die));
}

struct find_member {
	const char *name;
	struct sym_member *out;
	unsigned int depth;
	bool found;
};

static bool find_member(const struct sym_member *m, void *arg)
{
	struct find_member *f = arg;
	struct find_member inner = { f->name, f->out, f->depth + 1, false };

	if (m->name && !strcmp(m->name, f->name)) {
		*f->out = *m;
		f->found = true;
	} else if (!m->name && m->type && f->depth < MAXCHAIN) {
		sym_members(m->type, find_member, &inner);
		f->found = inner.found;
		if (inner.found)
			f->out->offset += m->offset;
	}
	return !f->found;
}

bool sym_member_find(const struct sym_type *t, const char *name, struct sym_member *out)
{
	struct find_member f = { name, out, 0, false };

	if (t->kind == ST_STRUCT || t->kind == ST_UNION)
		sym_members(t, find_member, &f);
	return f.found;
}

struct near_member {
	struct near_match *m;
	unsigned int depth;
};

static bool near_member(const struct sym_member *m, void *arg)
{
	struct near_member *n = arg, inner = { n->m, n->depth + 1 };

	if (m->name)
		near_try(n->m, m->name);
	else if (m->type && n->depth < MAXCHAIN)
		sym_members(m->type, near_member, &inner);
	return true;
}

void sym_near_members(const struct sym_type *t, struct near_match *m)
{
	struct near_member n = { m, 0 };

	sym_members(t, near_member, &n);
}

/* ---- enumerators ---- */

bool object_constant(Dwarf_Attribute *attr, int64_t *value)
{
	Dwarf_Sword sv;
	Dwarf_Word uv;

	switch (dwarf_whatform(attr)) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
		/* compilers write what is negative as sdata; libdw would extend these by their sign */
		if (dwarf_formudata(attr, &uv))
			return false;
		*value = (int64_t)uv;
		return true;
	default:
		if (dwarf_formsdata(attr, &sv))
			return false;
		*value = sv;
		return true;
	}
}

static bool enumerator_value(Dwarf_Die *die, int64_t *value)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, DW_AT_const_value, &attr) && object_constant(&attr, value);
}

bool sym_enum_value(struct sym_object *o, const char *name, int64_t *value)
{
	const struct dindex *x = object_index(o);
	const struct dx_name *row;
	Dwarf_Die die;
	uint32_t n;

	if (o->btf)
		return btf_enum_value(o, name, value);
	if (!x || !o->dw)
		return false;
	row = dindex_names(x, DX_ENUMERATORS, name, &n);
	return n && object_die(o->dw, row->die, &die) && enumerator_value(&die, value);
}

const char *sym_enum_name(const struct sym_type *t, int64_t value)
{
	Dwarf_Die die;
	int64_t v;

	if (t->kind == ST_ENUM && t->by == SYM_BTF)
		return btf_enum_name(t, value);
	if (t->kind != ST_ENUM || t->by != SYM_DWARF || !object_die(t->obj->dw, t->id, &die) ||
	    dwarf_child(&die, &die))
		return NULL;
	do {
		if (dwarf_tag(&die) == DW_TAG_enumerator && enumerator_value(&die, &v) &&
		    v == value)
			return dwarf_diename(&die);
	} while (!dwarf_siblingof(&die, &die));
	return NULL;
}
