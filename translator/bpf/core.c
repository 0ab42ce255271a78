/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CO-RE: which structures and members of the kernel the code names, in the form that clang gives them. libbpf looks each
 * name up in the running kernel's types and fills in the instructions. It compares names and kinds only, so members of
 * anonymous structures may stand in what surrounds these, and members that nobody names are left out.
 */
#include "bpf/gen.h"

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "ir/layout.h"

struct record;

struct member {
	struct ir_path_step s;
	struct record *inner; /* of a struct or union */
};

/* A structure as one or more paths name it. */
struct record {
	struct ir_ctype t;
	const struct record *owner; /* of an anonymous one: who has it under which name */
	struct ir_name as;
	bool nested; /* its kind does not matter then, nor that members of a union start at its start */
	VEC(struct member) members;
	int id;
};

struct core {
	struct unit *u;
	struct btf *b;
	VEC(struct record *) records;
	int pointer;
	bool failed;
};

const char *core_path(const struct gen *g, const struct ir_insn *i)
{
	const char *path = g->u->m->strings.v[i->aux];

	return *path && strncmp(path, IR_PATH_FIXED, strlen(IR_PATH_FIXED)) != 0 ? path : NULL;
}

static bool same_name(struct ir_name a, struct ir_name b)
{
	return a.n == b.n && (!a.n || !memcmp(a.s, b.s, a.n));
}

static struct record *record_of(struct core *c, const struct ir_ctype *t, const struct record *owner,
				struct ir_name as)
{
	struct record *r;

	for (uint32_t k = 0; k < c->records.n; k++) {
		r = c->records.v[k];
		if (r->nested == !!owner && r->t.kind == t->kind && r->t.size == t->size &&
		    same_name(r->t.name, t->name) && (t->name.s || (r->owner == owner && same_name(r->as, as))))
			return r;
	}
	r = arena_new(c->u->arena, struct record);
	*r = (struct record){ .t = *t, .owner = owner, .as = as, .nested = owner };
	vec_push(c->u->arena, &c->records, r);
	return r;
}

/* The member's number. */
static uint32_t member_of(struct core *c, struct record *r, const struct ir_path_step *s)
{
	struct member m = { .s = *s };
	bool record = s->type.kind == 's' || s->type.kind == 'n';
	uint32_t k = 0;

	while (k < r->members.n && !same_name(r->members.v[k].s.member, s->member))
		k++;
	if (k < r->members.n)
		return k;
	if (record)
		m.inner = record_of(c, &s->type, r, s->member);
	vec_push(c->u->arena, &r->members, m);
	return k;
}

/* Walks a path, adding what is missing. The root; *@access: "0:1:0", the numbers of the members, unless NULL. */
static struct record *walk(struct core *c, const char *text, const char **access)
{
	struct ir_path path;
	struct record *root, *r;
	const char *numbers = "0";

	if (!ir_path_parse(text, &path)) {
		c->failed = true;
		return NULL;
	}
	root = r = record_of(c, &path.root, NULL, (struct ir_name){ 0 });
	for (uint32_t k = 0; k < path.n && r; k++) {
		uint32_t n = member_of(c, r, &path.steps[k]);

		if (access)
			numbers = arena_printf(c->u->arena, "%s:%u", numbers, n);
		r = r->members.v[n].inner;
	}
	if (access)
		*access = numbers;
	return root;
}

static int check(struct core *c, int id)
{
	if (id < 0)
		c->failed = true;
	return id;
}

static int scalar(struct core *c, const struct ir_ctype *t)
{
	const char *name = arena_printf(c->u->arena, "%c%u", t->kind, 8 * t->size);
	int id = t->kind == 'e' ? -1 : btf__find_by_name(c->b, name);

	if (t->kind == '*') {
		if (!c->pointer)
			c->pointer = check(c, btf__add_ptr(c->b, 0));
		return c->pointer;
	}
	if (id > 0)
		return id;
	switch (t->kind) {
	case 'e':
		return check(c, btf__add_enum(c->b, NULL, t->size));
	case 'f':
		return check(c, btf__add_float(c->b, name, t->size));
	case 'b':
		return check(c, btf__add_int(c->b, name, t->size, BTF_INT_BOOL));
	default:
		return check(c, btf__add_int(c->b, name, t->size, t->kind == 'i' ? BTF_INT_SIGNED : 0));
	}
}

static int by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->s.bit > y->s.bit) - (x->s.bit < y->s.bit);
}

static const char *text(struct core *c, struct ir_name name)
{
	return name.n ? arena_strndup(c->u->arena, name.s, name.n) : NULL;
}

/* Those within come first: a structure is followed by its members. Paths bound the depth. */
static void write_record(struct core *c, struct record *r)
{
	int *types = arena_alloc(c->u->arena, sizeof(int) * (r->members.n + 1));

	if (r->id)
		return;
	r->id = -1; /* a damaged path: it is within itself */
	for (uint32_t k = 0; k < r->members.n; k++) {
		struct member *m = &r->members.v[k];

		if (m->inner)
			write_record(c, m->inner);
		types[k] = m->inner ? check(c, m->inner->id) : scalar(c, &m->s.type);
		for (uint32_t d = m->s.type.ndims; d-- > 0;)
			types[k] = check(c, btf__add_array(c->b, scalar(c, &(struct ir_ctype){ .kind = 'u', .size = 4 }),
							    types[k], m->s.type.dims[d]));
	}
	r->id = check(c, r->t.kind == 'n' && !r->nested ? btf__add_union(c->b, text(c, r->t.name), r->t.size)
							  : btf__add_struct(c->b, text(c, r->t.name), r->t.size));
	for (uint32_t k = 0; k < r->members.n; k++) {
		const struct ir_path_step *s = &r->members.v[k].s;

		check(c, btf__add_field(c->b, text(c, s->member), types[k], s->bit, (uint8_t)s->bits));
	}
}

static void put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put_relo(struct core *c, const struct bpf_core *at, uint32_t off, struct buf *out)
{
	const char *access;
	const struct record *root = walk(c, at->path, &access);

	put_u32(out, off + 8 * at->pos);
	put_u32(out, (uint32_t)root->id);
	put_u32(out, (uint32_t)check(c, btf__add_str(c->b, access)));
	put_u32(out, at->kind);
}

static void put_section(struct core *c, uint32_t first, struct buf *out)
{
	const struct unit *u = c->u;
	const char *name = btf_section(u->fns.v[first]);
	uint32_t off = 0, n = 0;

	for (uint32_t k = first; k < u->fns.n; k++)
		if (!strcmp(btf_section(u->fns.v[k]), name))
			n += u->fns.v[k]->as.cores.n;
	if (!n)
		return;
	put_u32(out, (uint32_t)check(c, btf__add_str(c->b, name)));
	put_u32(out, n);
	for (uint32_t k = first; k < u->fns.n; k++) {
		const struct bpf_asm *as = &u->fns.v[k]->as;

		if (strcmp(btf_section(u->fns.v[k]), name) != 0)
			continue;
		for (uint32_t i = 0; i < as->cores.n; i++)
			put_relo(c, &as->cores.v[i], off, out);
		off += 8 * as->code.n;
	}
}

int core_write(struct unit *u, struct btf *btf, struct buf *out)
{
	struct core c = { .u = u, .b = btf };

	for (uint32_t k = 0; k < u->fns.n; k++)
		for (uint32_t i = 0; i < u->fns.v[k]->as.cores.n; i++)
			walk(&c, u->fns.v[k]->as.cores.v[i].path, NULL);
	/* the kernel wants members in order */
	for (uint32_t k = 0; k < c.records.n; k++)
		if (c.records.v[k]->members.n)
			qsort(c.records.v[k]->members.v, c.records.v[k]->members.n, sizeof(struct member), by_place);
	for (uint32_t k = 0; k < c.records.n; k++)
		write_record(&c, c.records.v[k]);
	if (!c.records.n || c.failed)
		return c.failed ? -1 : 0;
	put_u32(out, 16);
	for (uint32_t k = 0; k < u->fns.n && !c.failed; k++)
		if (btf_first_of_section(u, k))
			put_section(&c, k, out);
	return c.failed ? -1 : 0;
}
