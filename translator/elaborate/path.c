/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members, elements and addresses of what has a C type: which steps lead from a variable to the value
 * that is meant. Types are checked here; lowering only follows the steps.
 */
#include <stdarg.h>

#include "elaborate/internal.h"
#include "ir/layout.h"
#include "symbols/symbols.h"

struct walk {
	struct infer *i;
	struct path *p;
	const struct sym_type *t;
	const struct sym_loc *loc; /* of a variable: its parts, while it has no address */
	bool place; /* an address is at hand, else the value itself */
	bool read; /* a step has been taken from the value */
	bool user; /* in a program's memory */
	bool quiet; /* only whether there is a way is asked */
	struct sym_member member; /* the last one: its bits */
	const char *core; /* type path of the members since the last pointer or index; NULL: none */
	uint32_t ncore; /* members in it */
	int pretty;
};

static void add_step(struct walk *w, enum step_kind kind, int64_t n, struct expr *index,
		     struct span at)
{
	vec_push(w->i->e->arena, &w->p->steps, ((struct step){ kind, n, index, at, NULL }));
}

/* Members of members are one place. In a program all is where it was compiled to be. */
static void add_member(struct walk *w, const struct sym_type *in, struct span at)
{
	struct step *s;

	if (!w->place) {
		w->p->part_offset += w->member.offset;
		return;
	}
	if (w->user || w->quiet) {
		if (w->member.offset)
			add_step(w, STEP_OFFSET, (int64_t)w->member.offset, NULL, at);
		return;
	}
	if (!w->core || w->ncore == IR_PATH_MAX) {
		w->core = core_root(w->i->e, in);
		w->ncore = 0;
		add_step(w, STEP_OFFSET, 0, NULL, at);
	}
	w->core = core_member(w->i->e, w->core, &w->member);
	w->ncore++;
	s = &w->p->steps.v[w->p->steps.n - 1];
	s->n += (int64_t)w->member.offset;
	s->core = w->core;
	s->at = at;
}

static void add_index(struct walk *w, const struct sym_type *item, struct expr *index, struct span at)
{
	bool record = item->kind == ST_STRUCT || item->kind == ST_UNION;

	add_step(w, STEP_INDEX, (int64_t)item->size, index, at);
	if (record && !w->user && !w->quiet)
		w->p->steps.v[w->p->steps.n - 1].core = core_root(w->i->e, item);
	w->core = NULL;
}

__attribute__((format(printf, 4, 5))) static bool refuse(struct walk *w, enum diag_tag tag, struct span at,
							 const char *fmt, ...)
{
	va_list ap;

	if (w->quiet)
		return false;
	va_start(ap, fmt);
	diag_error(w->i->e->diag, tag, at, "%s", arena_vprintf(w->i->e->arena, fmt, ap));
	va_end(ap);
	return false;
}

static const char *type_words(struct walk *w)
{
	static const char *const words[] = {
		[ST_VOID] = "void",
		[ST_INT] = "an integer",
		[ST_BOOL] = "a boolean",
		[ST_CHAR] = "a character",
		[ST_FLOAT] = "a floating-point number",
		[ST_ENUM] = "an enumeration",
		[ST_POINTER] = "a pointer",
		[ST_ARRAY] = "an array",
		[ST_STRUCT] = "a struct",
		[ST_UNION] = "a union",
		[ST_FUNC] = "a function",
		[ST_INCOMPLETE] = "an incomplete type",
	};

	if ((w->t->kind == ST_STRUCT || w->t->kind == ST_UNION) && w->t->name)
		return arena_printf(w->i->e->arena, "%s %s",
				    w->t->kind == ST_STRUCT ? "struct" : "union", w->t->name);
	return words[w->t->kind];
}

/* ---- variables that have no address: in registers, constants, in parts ---- */

/* The part that holds these bits, from *@at on; NULL: none does. */
static const struct sym_piece *part_of(const struct sym_loc *loc, uint64_t bit, uint64_t *at)
{
	*at = 0;
	for (uint32_t n = 0; n < loc->pieces.n; n++) {
		const struct sym_piece *p = &loc->pieces.v[n];

		if (!p->bits || bit < *at + p->bits)
			return p;
		*at += p->bits;
	}
	return NULL;
}

const char *path_unreadable(const struct sym_loc *loc, uint64_t bit, uint64_t bits)
{
	uint64_t at;

	for (uint64_t b = bit; b < bit + bits;) {
		const struct sym_piece *p = part_of(loc, b, &at);

		if (!p)
			return "its debug information is damaged";
		if (!p->ops.n)
			return p->why ? p->why : "this part of it is optimised away";
		if (!p->bits)
			return NULL;
		b = at + p->bits;
	}
	return NULL;
}

/* Where the walk from the value starts: @bytes of it. */
static bool start_from_value(struct walk *w, uint64_t bits, struct span at)
{
	uint64_t bit = w->p->part_offset * 8 + w->member.bit_offset;
	const char *why = w->loc ? path_unreadable(w->loc, bit, bits) : NULL;

	if (w->read)
		return true;
	if (why)
		return refuse(w, TAG_UNKNOWN_VAR, at, "this cannot be read: %s", why);
	w->p->loc = w->loc;
	w->p->part_bits = (uint32_t)bits;
	w->read = true;
	return true;
}

/* What a pointer without a value points to takes its place. */
static bool implicit_target(struct walk *w)
{
	const struct sym_piece *p;
	uint64_t at;

	if (!w->loc || w->read)
		return false;
	p = part_of(w->loc, w->p->part_offset * 8, &at);
	if (!p || p->ops.n || !p->target || at != w->p->part_offset * 8)
		return false;
	w->loc = p->target;
	w->place = w->loc->pieces.n == 1 && w->loc->pieces.v[0].ops.n && !w->loc->pieces.v[0].is_value;
	w->p->part_offset = w->place ? 0 : (uint64_t)p->target_offset;
	if (w->place) {
		w->p->loc = w->loc;
		w->p->from_value = false;
		w->read = true;
		if (p->target_offset)
			add_step(w, STEP_OFFSET, p->target_offset, NULL, SPAN_NONE);
	}
	return true;
}

/* The value of the pointer becomes the address. */
static bool follow(struct walk *w, struct span at)
{
	const struct sym_type *to = sym_type_target(w->t);

	if (w->place) {
		add_step(w, STEP_LOAD, 0, NULL, at);
	} else if (!implicit_target(w)) {
		if (!start_from_value(w, 64, at))
			return false;
		w->place = true;
	}
	w->t = to;
	w->member.bit_size = w->member.bit_offset = 0;
	w->core = NULL;
	return true;
}

/* ---- steps ---- */

static bool no_member(struct walk *w, const struct suffix *s)
{
	struct near_match m;

	refuse(w, TAG_UNKNOWN_VAR, s->at, "%s has no member \"%s\"", type_words(w), s->name);
	if (w->quiet)
		return false;
	near_init(&m, s->name);
	sym_near_members(w->t, &m);
	if (near_best(&m))
		diag_hint(w->i->e->diag, "did you mean %s?", near_best(&m));
	return false;
}

static bool walk_member(struct walk *w, const struct suffix *s)
{
	if (w->t->kind == ST_POINTER && !follow(w, s->at))
		return false;
	if (!w->t || (w->t->kind != ST_STRUCT && w->t->kind != ST_UNION))
		return refuse(w, TAG_TYPE, s->at, "\"->%s\" needs a struct or a union, not %s", s->name,
			      w->t ? type_words(w) : "this");
	if (!sym_member_find(w->t, s->name, &w->member))
		return no_member(w, s);
	add_member(w, w->t, s->at);
	w->t = w->member.type;
	return w->t;
}

/* An element of what has no address: which one is known now or never. */
static bool index_in_parts(struct walk *w, const struct suffix *s, const struct sym_type *item)
{
	const struct expr *x = s->index;

	if (x->kind != E_NUMBER || x->num < 0 || (uint64_t)x->num >= UINT32_MAX)
		return refuse(w, TAG_UNKNOWN_VAR, s->at,
			      "this array is in registers: its elements can be named by plain numbers only");
	w->p->part_offset += (uint64_t)x->num * item->size;
	w->t = item;
	return true;
}

static bool walk_index(struct walk *w, const struct suffix *s)
{
	const struct sym_type *item = NULL;

	if (!w->quiet)
		infer_long(w->i, s->index);
	else if (!defined_within(w->i, s->index))
		return false;
	if (w->t->kind == ST_POINTER) {
		if (!follow(w, s->at))
			return false;
		item = w->t;
	} else if (w->t->kind == ST_ARRAY) {
		item = sym_type_target(w->t);
	} else {
		return refuse(w, TAG_TYPE, s->at, "[] needs an array or a pointer, not %s", type_words(w));
	}
	if (!item || !item->size)
		return refuse(w, TAG_TYPE, s->at, "the size of what this points to is not known");
	w->member.bit_size = w->member.bit_offset = 0;
	if (!w->place)
		return index_in_parts(w, s, item);
	add_index(w, item, s->index, s->at);
	w->t = item;
	return true;
}

static bool scalar(const struct sym_type *t)
{
	switch (t->kind) {
	case ST_INT:
	case ST_BOOL:
	case ST_CHAR:
	case ST_FLOAT:
	case ST_ENUM:
	case ST_POINTER:
		return t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8;
	default:
		return false;
	}
}

/* What is read there, and how. */
static void end_at(struct walk *w)
{
	struct path *p = w->p;

	p->to_value = w->place;
	p->width = (uint32_t)w->t->size;
	p->is_signed = w->t->is_signed;
	p->bit_size = w->member.bit_size;
	p->bit_offset = w->member.bit_offset;
	p->core = p->to_value && w->t->kind != ST_POINTER ? w->core : NULL;
}

/* Whole variables: of a struct in parts, each member sees for itself what can be read. */
static bool finish_pretty(struct walk *w, const struct expr *x)
{
	uint64_t bits = w->member.bit_size ? w->member.bit_size : w->t->size * 8;

	end_at(w);
	w->p->place = w->place;
	if (w->place)
		return true;
	if (scalar(w->t))
		return start_from_value(w, bits, x->at);
	if (!w->read)
		w->p->loc = w->loc;
	return true;
}

/* What the whole yields: an address, or a number of its width. */
static bool finish(struct walk *w, const struct expr *x)
{
	struct path *p = w->p;

	p->pretty = w->pretty;
	if (x->address_of) {
		if (!w->place || w->member.bit_size)
			return refuse(w, TAG_LVALUE, x->at, "this has no address: %s",
				      w->place ? "it is a bit field" : "it is in a register");
		p->type = sym_type_pointer(w->t);
		return true;
	}
	p->type = w->t;
	if (p->pretty)
		return finish_pretty(w, x);
	if ((w->t->kind == ST_ARRAY || w->t->kind == ST_FUNC) && w->place)
		return true;
	/* what is no number is there all the same */
	if (!scalar(w->t) && w->quiet)
		return w->place || start_from_value(w, w->t->size * 8, x->at);
	if (!scalar(w->t)) {
		refuse(w, TAG_TYPE, x->at, "%s is no number", type_words(w));
		diag_hint(w->i->e->diag,
			  "name one of its members with ->, or take its address with &");
		return false;
	}
	if (!w->place && !start_from_value(w, w->member.bit_size ? w->member.bit_size : w->t->size * 8, x->at))
		return false;
	end_at(w);
	return true;
}

static bool walk_pretty(struct walk *w, const struct suffix *s)
{
	w->pretty = s->depth;
	return true;
}

struct tvar *path_result(struct infer *i, const struct path *p, struct span at)
{
	return p ? type_new(i->e, p->pretty ? T_STRING : T_LONG, at) : type_new(i->e, T_UNKNOWN, SPAN_NONE);
}

static bool walk_all(struct walk *w, const struct expr *x)
{
	static bool (*const steps[])(struct walk *w, const struct suffix *s) = {
		[SUF_MEMBER] = walk_member,
		[SUF_INDEX] = walk_index,
		[SUF_PRETTY] = walk_pretty,
	};

	w->p = arena_new(w->i->e->arena, struct path);
	w->p->user = w->user;
	w->p->from_value = !w->place;
	w->p->loc = w->place ? w->loc : NULL;
	for (uint32_t n = 0; n < x->suffixes.n; n++)
		if (!w->t || !steps[x->suffixes.v[n].kind](w, &x->suffixes.v[n]))
			return false;
	return w->t && finish(w, x);
}

struct path *path_infer(struct infer *i, struct expr *x, const struct sym_type *t, bool place,
			bool user)
{
	struct walk w = { .i = i, .t = t, .place = place, .user = user };

	return walk_all(&w, x) ? w.p : NULL;
}

bool path_exists(struct infer *i, const struct expr *x, const struct sym_type *t)
{
	struct walk w = { .i = i, .t = t, .quiet = true };

	return walk_all(&w, x);
}

static struct walk from_variable(struct infer *i, const struct probe_var *v)
{
	bool place = v->loc && v->loc->pieces.n == 1 && v->loc->pieces.v[0].ops.n && !v->loc->pieces.v[0].is_value;

	return (struct walk){ .i = i, .t = v->type, .loc = v->loc, .place = place };
}

struct path *path_infer_var(struct infer *i, struct expr *x, const struct probe_var *v, bool user)
{
	struct walk w = from_variable(i, v);

	w.user = user;
	return walk_all(&w, x) ? w.p : NULL;
}

bool path_exists_var(struct infer *i, const struct expr *x, const struct probe_var *v)
{
	struct walk w = from_variable(i, v);

	w.quiet = true;
	return walk_all(&w, x);
}

const char *path_of_whole(const struct probe_var *v, struct path *out)
{
	bool place = v->loc && v->loc->pieces.n == 1 && v->loc->pieces.v[0].ops.n && !v->loc->pieces.v[0].is_value;

	if (!v->loc || !v->type)
		return "?";
	if (v->type->kind == ST_ARRAY)
		return "[...]";
	if (!scalar(v->type))
		return "{...}";
	if (!place && path_unreadable(v->loc, 0, v->type->size * 8))
		return "?";
	out->loc = v->loc;
	out->part_bits = (uint32_t)v->type->size * 8;
	out->from_value = !place;
	out->to_value = place;
	out->width = (uint32_t)v->type->size;
	out->is_signed = v->type->is_signed;
	return NULL;
}

bool path_of_text(const struct probe_var *v, struct path *out)
{
	bool place = v->loc && v->loc->pieces.n == 1 && v->loc->pieces.v[0].ops.n && !v->loc->pieces.v[0].is_value;

	if (!v->loc || !v->type)
		return false;
	out->loc = v->loc;
	out->type = v->type;
	out->width = (uint32_t)v->type->size;
	out->is_signed = v->type->is_signed;
	out->place = out->to_value = place;
	out->from_value = !place;
	if (place || v->type->kind == ST_STRUCT || v->type->kind == ST_UNION || v->type->kind == ST_ARRAY)
		return true;
	out->part_bits = (uint32_t)v->type->size * 8;
	return scalar(v->type) && !path_unreadable(v->loc, 0, v->type->size * 8);
}
