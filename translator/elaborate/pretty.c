/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole variables as text, in SystemTap's layout: $x$ shows one level, $x$$ all. A pointer that is printed itself
 * is followed, one inside is not. What cannot be read makes the whole variable "ERROR", a text "<unknown>".
 *
 * Each struct or array that is printed becomes an IR function of its address, one for all that print it.
 */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

#define MAXVALUES 32 /* of one variable; then "..." */
#define MAXELEMENTS 5 /* of one array */
#define MAXLEVELS 32 /* structs within each other; more is damage */
#define MAXTEXT 65536 /* bytes of a text whose length no type tells */

/* What is printed: @offset bytes behind the address @v, or the value @v, or what is at @offset in a variable in parts. */
struct thing {
	const struct sym_type *type;
	struct ir_val v;
	bool place; /* v is an address */
	const struct target *parts;
	const struct sym_loc *loc; /* of the parts */
	uint64_t offset;
	uint32_t bit_size, bit_offset;
	/* of the kernel: the type path from v on, with a member or more, and how far the last one is from v */
	const char *core;
	uint64_t core_at;
	bool member;
};

struct printer {
	struct lower *l;
	struct fmt_build b;
	bool user, deep;
	unsigned int values, level;
};

static const struct fmt_spec number = { 'i', FMT_F_NONE, FMT_NONE, FMT_NONE };
static const struct fmt_spec character = { 'c', FMT_F_HASH, FMT_NONE, FMT_NONE };
static const struct fmt_spec address = { 'p', FMT_F_NONE, FMT_NONE, FMT_NONE };
static const struct fmt_spec string = { 's', FMT_F_NONE, FMT_NONE, FMT_NONE };

static void print_thing(struct printer *p, const struct thing *t, bool top);

static void lit(struct printer *p, const char *s)
{
	fmt_build_lit(&p->b, s, strlen(s));
}

static void value(struct printer *p, const struct fmt_spec *spec, struct ir_val v)
{
	fmt_build_conv(&p->b, spec);
	fmt_build_arg(p->l, &p->b, v, IR_I64);
	p->values++;
}

static void begin(struct printer *p)
{
	fmt_build_init(&p->b);
}

static struct ir_val end(struct printer *p)
{
	return fmt_build_end(p->l, &p->b, true, IRO_OUT);
}

/* A string is put behind what there is so far, so that few are kept at one time. */
static void add_string(struct printer *p, struct ir_val s)
{
	struct ir_val all;

	fmt_build_conv(&p->b, &string);
	fmt_build_arg(p->l, &p->b, s, IR_STR);
	all = end(p);
	begin(p);
	fmt_build_conv(&p->b, &string);
	fmt_build_arg(p->l, &p->b, all, IR_STR);
}

static uint32_t space(const struct printer *p)
{
	return p->user ? IR_USER : IR_KERNEL;
}

static struct ir_val address_of(struct printer *p, const struct thing *t)
{
	struct ir_val by = ir_num((int64_t)t->offset);

	if (t->core && t->member)
		by = lower_layout(p->l, IRL_OFFSET, (int64_t)t->offset, t->core, SPAN_NONE);
	else if (!t->offset)
		return t->v;
	return lower_op2(p->l, IR_add, t->v, by, SPAN_NONE);
}

static bool scalar_size(uint64_t n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

static uint32_t bits_of(const struct thing *t)
{
	return t->bit_size ? t->bit_size : (uint32_t)t->type->size * 8;
}

/* The number that a scalar holds. */
static struct ir_val read_scalar(struct printer *p, const struct thing *t)
{
	struct path end = {
		.user = p->user,
		.to_value = true,
		.width = (uint32_t)t->type->size,
		.is_signed = t->type->is_signed,
		.bit_size = t->bit_size,
		.bit_offset = t->bit_offset,
		.core = t->member && t->type->kind != ST_POINTER ? t->core : NULL,
	};
	struct ir_val v;

	if (t->place)
		return lower_at(p->l, address_of(p, t), &end, SPAN_NONE);
	if (!t->parts)
		return t->v;
	v = lower_parts(p->l, t->parts, t->loc, t->offset * 8 + t->bit_offset, bits_of(t), SPAN_NONE);
	return lower_cut(p->l, v, bits_of(t), 0, end.is_signed, SPAN_NONE);
}

/* Arrays of these, and pointers to them, are texts. */
static bool is_text(const struct sym_type *t)
{
	return t && t->kind == ST_CHAR && t->name &&
	       (!strcmp(t->name, "char") || !strcmp(t->name, "unsigned char"));
}

static void print_text(struct printer *p, struct ir_val at, uint64_t most)
{
	struct lower *l = p->l;
	uint32_t r = lower_temp(l, IR_STR), unread = ir_new_block(l->m, l->f), next = ir_new_block(l->m, l->f);
	struct ir_val args[] = { at, ir_num((int64_t)most) };
	struct ir_insn *i = lower_insn(l, IR_loadstr, r, args, 2);

	i->imm = space(p);
	i->err = unread;
	lower_jump(l, next);
	l->cur = unread;
	lower_insn(l, IR_errclear, IR_NONE, NULL, 0);
	lower_move(l, r, lower_str(l, "<unknown>"));
	lower_jump(l, next);
	l->cur = next;
	lit(p, "\"");
	p->values++;
	add_string(p, ir_reg(r));
	lit(p, "\"");
}

/* ---- structs and arrays, by functions of their own ---- */

static struct ir_func *new_function(struct lower *l, struct pretty_fn *fn)
{
	const char *name = arena_printf(l->arena, "pretty.%u", l->e->pretty_fns.n);
	struct ir_func *f = ir_func_new(l->m, strtab_intern(&l->e->s->names, name), false, &fn->index);

	f->ret = IR_STR;
	f->nparams = 1;
	ir_new_reg(l->m, f, IR_I64, "at");
	return f;
}

static void fill_function(struct lower *l, struct ir_func *f, const struct pretty_fn *fn)
{
	struct lower in = { .e = l->e, .arena = l->arena, .m = l->m, .f = f, .uncounted = true, .action_block = IR_NONE };
	struct printer p = { .l = &in, .user = fn->user, .deep = fn->deep };
	struct thing t = { .type = fn->type, .v = ir_reg(0), .place = true };
	struct ir_val text;
	uint32_t first = ir_new_block(l->m, f);

	in.cur = in.err = in.body_err = in.fault = ir_new_block(l->m, f);
	lower_insn(&in, IR_errclear, IR_NONE, NULL, 0);
	text = lower_str(&in, "ERROR");
	lower_insn(&in, IR_ret, IR_NONE, &text, 1);
	in.cur = first;
	begin(&p);
	print_thing(&p, &t, true);
	text = end(&p);
	lower_insn(&in, IR_ret, IR_NONE, &text, 1);
}

static uint32_t find_function(struct lower *l, const struct pretty_fn *want)
{
	struct pretty_fn fn = *want;
	struct ir_func *f;

	for (uint32_t n = 0; n < l->e->pretty_fns.n; n++) {
		const struct pretty_fn *have = &l->e->pretty_fns.v[n];

		if (have->type == fn.type && have->deep == fn.deep && have->user == fn.user)
			return have->index;
	}
	f = new_function(l, &fn);
	vec_push(l->arena, &l->e->pretty_fns, fn);
	fill_function(l, f, &fn);
	return fn.index;
}

static void call_function(struct printer *p, const struct thing *t)
{
	struct pretty_fn want = { .type = t->type, .deep = p->deep, .user = p->user };
	struct ir_val at = address_of(p, t);
	uint32_t r, index = find_function(p->l, &want);

	r = lower_temp(p->l, IR_STR);
	lower_insn(p->l, IR_call, r, &at, 1)->ref = index;
	add_string(p, ir_reg(r));
}

/* ---- by kind of type ---- */

/* Arrays of arrays are one row of elements. */
static const struct sym_type *element(const struct sym_type *t, uint64_t *n)
{
	const struct sym_type *item = sym_type_target(t);

	*n = t->nelems;
	for (unsigned int level = 0; item && item->kind == ST_ARRAY && level < MAXLEVELS; level++) {
		*n *= item->nelems;
		item = sym_type_target(item);
	}
	return item;
}

static void print_array(struct printer *p, const struct thing *t, bool top)
{
	uint64_t count, k, start;
	const struct sym_type *item = element(t->type, &count);
	struct thing one = *t;

	if ((!top && !p->deep) || !item) {
		lit(p, "[...]");
		return;
	}
	if (is_text(item) && t->place) {
		print_text(p, address_of(p, t), count ? count : MAXTEXT);
		return;
	}
	if (t->place) {
		one.v = address_of(p, t);
		one.offset = 0;
		one.core = NULL;
		one.member = false;
	}
	start = one.offset;
	one.type = item;
	lit(p, "[");
	/* of an array without a size, how many elements there are is not known */
	for (k = 0; k < count && k < MAXELEMENTS && p->values < MAXVALUES; k++) {
		if (k)
			lit(p, ", ");
		one.offset = start + k * item->size;
		print_thing(p, &one, false);
	}
	if (!count || k < count)
		lit(p, k ? ", ..." : "...");
	lit(p, "]");
}

struct members {
	struct printer *p;
	const struct thing *whole;
	unsigned int n;
	bool full;
	VEC(const char *) names; /* of a class: what derived ones hide */
	VEC(struct thing) bases; /* whose members come after its own */
};

static bool hidden(struct members *m, const char *name)
{
	for (uint32_t n = 0; n < m->names.n; n++)
		if (!strcmp(m->names.v[n], name))
			return true;
	vec_push(m->p->l->arena, &m->names, name);
	return false;
}

/* Members without a name are not in type paths. */
static void add_to_path(struct printer *p, struct thing *t, const struct sym_member *from)
{
	struct sym_member m = *from;

	m.offset = t->offset - t->core_at;
	t->core = core_member(p->l->e, t->core, &m);
	t->core_at = t->offset;
	t->member = true;
}

static bool print_member(const struct sym_member *from, void *arg)
{
	struct members *m = arg;
	struct printer *p = m->p;
	struct thing t = {
		.type = from->type,
		.v = m->whole->v,
		.place = m->whole->place,
		.parts = m->whole->parts,
		.loc = m->whole->loc,
		.offset = m->whole->offset + from->offset,
		.bit_size = from->bit_size,
		.bit_offset = from->bit_offset,
		.core = m->whole->core,
		.core_at = m->whole->core_at,
		.member = m->whole->member,
	};

	if (from->base) {
		if (t.type)
			vec_push(p->l->arena, &m->bases, t);
		return true;
	}
	/* tables of virtual functions say nothing */
	if (!t.type || (from->name && (!strncmp(from->name, "_vptr.", 6) || hidden(m, from->name))))
		return true;
	if (m->n++)
		lit(p, ", ");
	if (p->values >= MAXVALUES) {
		lit(p, "...");
		m->full = true;
		return false;
	}
	if (from->name) {
		if (t.core)
			add_to_path(p, &t, from);
		lit(p, ".");
		lit(p, from->name);
	} else {
		lit(p, t.type->kind == ST_UNION ? "<union>" : "<class>");
	}
	lit(p, "=");
	print_thing(p, &t, false);
	return true;
}

static void print_struct(struct printer *p, const struct thing *t, bool top)
{
	struct thing base, root = *t;
	struct members m = { .p = p, .whole = &root };

	if ((!top && !p->deep) || p->level >= MAXLEVELS) {
		lit(p, "{...}");
		return;
	}
	if (!root.core && root.place && !p->user) {
		root.v = address_of(p, t);
		root.offset = root.core_at = 0;
		root.core = core_root(p->l->e, root.type);
	}
	p->level++;
	lit(p, "{");
	sym_members(t->type, print_member, &m);
	for (uint32_t n = 0; n < m.bases.n && n < MAXLEVELS && !m.full; n++) {
		base = m.bases.v[n];
		m.whole = &base;
		sym_members(base.type, print_member, &m);
	}
	lit(p, "}");
	p->level--;
}

/* A pointer that is printed itself: what it points to, or else the pointer as a number of that kind. */
static void print_followed(struct printer *p, const struct sym_type *to, struct ir_val v)
{
	struct thing t = { .type = to, .v = v, .place = true };

	switch (to->kind) {
	case ST_STRUCT:
	case ST_UNION:
	case ST_ARRAY:
		call_function(p, &t);
		break;
	case ST_INCOMPLETE:
		lit(p, "{...}");
		break;
	case ST_FUNC:
		lit(p, "<function>:");
		value(p, &address, v);
		break;
	case ST_INT:
	case ST_BOOL:
	case ST_CHAR:
	case ST_ENUM:
		value(p, &number, v);
		break;
	case ST_FLOAT:
		lit(p, "?");
		break;
	case ST_VOID:
	case ST_POINTER:
		value(p, &address, v);
		break;
	}
}

static void print_pointer(struct printer *p, const struct thing *t, bool top)
{
	const struct sym_type *to = sym_type_target(t->type);
	struct ir_val v = read_scalar(p, t);

	if (is_text(to))
		print_text(p, v, MAXTEXT);
	else if (top && to)
		print_followed(p, to, v);
	else
		value(p, &address, v);
}

static void print_scalar(struct printer *p, const struct thing *t)
{
	if (!scalar_size(t->type->size)) {
		lit(p, "?");
		return;
	}
	if (t->type->kind == ST_CHAR)
		lit(p, "'");
	value(p, t->type->kind == ST_CHAR ? &character : &number, read_scalar(p, t));
	if (t->type->kind == ST_CHAR)
		lit(p, "'");
}

static bool is_aggregate(const struct sym_type *t)
{
	return t->kind == ST_STRUCT || t->kind == ST_UNION || t->kind == ST_ARRAY;
}

static void print_thing(struct printer *p, const struct thing *t, bool top)
{
	if (t->parts && !is_aggregate(t->type) &&
	    (!scalar_size(t->type->size) || path_unreadable(t->loc, t->offset * 8 + t->bit_offset, bits_of(t)))) {
		lit(p, "?");
		return;
	}
	switch (t->type->kind) {
	case ST_INT:
	case ST_BOOL:
	case ST_CHAR:
	case ST_ENUM:
		print_scalar(p, t);
		break;
	case ST_POINTER:
		print_pointer(p, t, top);
		break;
	case ST_ARRAY:
		print_array(p, t, top);
		break;
	case ST_STRUCT:
	case ST_UNION:
		print_struct(p, t, top);
		break;
	case ST_FUNC:
		lit(p, "<function>:");
		value(p, &address, address_of(p, t));
		break;
	case ST_INCOMPLETE:
		lit(p, "{...}");
		break;
	case ST_FLOAT:
	case ST_VOID:
		lit(p, "?");
		break;
	}
}

/* ---- whole variables ---- */

/* A stretch of code in which a read that fails makes the whole text "ERROR". */
struct guarded {
	uint32_t text, failed, next, outer;
};

static void guard_begin(struct lower *l, struct guarded *g)
{
	g->text = lower_temp(l, IR_STR);
	g->failed = ir_new_block(l->m, l->f);
	g->next = ir_new_block(l->m, l->f);
	g->outer = l->fault;
	l->fault = g->failed;
}

static struct ir_val guard_end(struct lower *l, const struct guarded *g, struct ir_val text)
{
	lower_move(l, g->text, text);
	lower_jump(l, g->next);
	l->fault = g->outer;
	l->cur = g->failed;
	lower_insn(l, IR_errclear, IR_NONE, NULL, 0);
	lower_move(l, g->text, lower_str(l, "ERROR"));
	lower_jump(l, g->next);
	l->cur = g->next;
	return ir_reg(g->text);
}

/* The text of what is at the end of a path. */
static struct ir_val text_of(struct lower *l, struct ir_val x, const struct path *path, struct span at)
{
	struct printer p = { .l = l, .user = path->user, .deep = path->pretty > 1 };
	struct thing t = { .type = path->type, .v = lower_steps(l, x, path), .place = path->place };

	begin(&p);
	if (is_aggregate(t.type)) {
		if (t.place)
			call_function(&p, &t);
		else
			lit(&p, t.type->kind == ST_ARRAY ? "[...]" : "{...}");
		return end(&p);
	}
	if (t.type->kind != ST_FUNC && scalar_size(t.type->size)) {
		t.v = lower_at(l, t.v, path, at);
		t.place = false;
	}
	print_thing(&p, &t, true);
	return end(&p);
}

/* A struct in registers. */
static struct ir_val text_of_parts(struct lower *l, const struct target *target, const struct path *path)
{
	struct printer p = { .l = l, .user = path->user, .deep = path->pretty > 1 };
	struct thing t = { .type = path->type, .parts = target, .loc = path->loc, .offset = path->part_offset };

	begin(&p);
	print_thing(&p, &t, true);
	return end(&p);
}

struct ir_val pretty_path(struct lower *l, struct ir_val x, const struct path *p, struct span at)
{
	struct guarded g;

	guard_begin(l, &g);
	return guard_end(l, &g, text_of(l, x, p, at));
}

struct ir_val pretty_symbol(struct lower *l, const struct target *t, const struct path *p, struct span at)
{
	bool parts = !p->place && p->loc && !p->part_bits && is_aggregate(p->type);
	struct guarded g;

	guard_begin(l, &g);
	return guard_end(l, &g, parts ? text_of_parts(l, t, p) : text_of(l, lower_base(l, t, p, at), p, at));
}

/* A number in a register needs no text of its own. */
static bool is_plain(const struct probe_var *v)
{
	return v->kind != PV_SYM && (!v->type || v->type->kind == ST_INT || v->type->kind == ST_ENUM ||
				     v->type->kind == ST_BOOL);
}

static void list_value(struct printer *p, const struct target *t, const struct probe_var *v, struct span at)
{
	struct path path = { .pretty = t->pretty, .type = v->type, .user = t->user };
	struct target one = { .var = v, .user = t->user };

	if (is_plain(v))
		value(p, &number, lower_plain_var(p->l, v, t->user, at));
	else if (v->kind != PV_SYM)
		add_string(p, pretty_path(p->l, lower_plain_var(p->l, v, t->user, at), &path, at));
	else if (path_of_text(v, &path))
		add_string(p, pretty_symbol(p->l, &one, &path, at));
	else
		lit(p, "?");
}

struct ir_val pretty_list(struct lower *l, const struct target *t, struct span at)
{
	struct printer p = { .l = l };

	begin(&p);
	if (t->var)
		list_value(&p, t, t->var, at);
	for (uint32_t n = 0; n < t->list.n; n++) {
		const struct probe_var *v = t->list.v[n];

		if (n)
			lit(&p, " ");
		lit(&p, v->name + (v->name[0] == '$'));
		lit(&p, "=");
		list_value(&p, t, v, at);
	}
	return end(&p);
}
