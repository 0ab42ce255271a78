/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members, elements and addresses of what has a C type: which steps lead from a variable to the value
 * that is meant. Types are checked here; lowering only follows the steps.
 */
#include "elaborate/internal.h"
#include "ir/layout.h"
#include "symbols/symbols.h"

struct walk {
	struct infer *i;
	struct path *p;
	const struct sym_type *t;
	bool place; /* an address is at hand, else the value itself */
	struct sym_member member; /* the last one: its bits */
	const char *core; /* type path of the members since the last pointer or index; NULL: none */
	uint32_t ncore; /* members in it */
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

	if (w->p->user) {
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
	if (record && !w->p->user)
		w->p->steps.v[w->p->steps.n - 1].core = core_root(w->i->e, item);
	w->core = NULL;
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

/* The value of the pointer becomes the address. */
static void follow(struct walk *w, struct span at)
{
	if (w->place)
		add_step(w, STEP_LOAD, 0, NULL, at);
	w->place = true;
	w->t = sym_type_target(w->t);
	w->member.bit_size = 0;
	w->core = NULL;
}

static bool no_member(struct walk *w, const struct suffix *s)
{
	struct near_match m;

	diag_error(w->i->e->diag, TAG_UNKNOWN_VAR, s->at, "%s has no member \"%s\"", type_words(w),
		   s->name);
	near_init(&m, s->name);
	sym_near_members(w->t, &m);
	if (near_best(&m))
		diag_hint(w->i->e->diag, "did you mean %s?", near_best(&m));
	return false;
}

static bool walk_member(struct walk *w, const struct suffix *s)
{
	if (w->t->kind == ST_POINTER)
		follow(w, s->at);
	if (!w->t || (w->t->kind != ST_STRUCT && w->t->kind != ST_UNION)) {
		diag_error(w->i->e->diag, TAG_TYPE, s->at,
			   "\"->%s\" needs a struct or a union, not %s", s->name,
			   w->t ? type_words(w) : "this");
		return false;
	}
	if (!w->place) {
		diag_error(
			w->i->e->diag, TAG_UNKNOWN_VAR, s->at,
			"the members of this struct are in registers, which cannot be taken apart");
		return false;
	}
	if (!sym_member_find(w->t, s->name, &w->member))
		return no_member(w, s);
	add_member(w, w->t, s->at);
	w->t = w->member.type;
	return w->t;
}

static bool walk_index(struct walk *w, const struct suffix *s)
{
	const struct sym_type *item = NULL;

	infer_long(w->i, s->index);
	if (w->t->kind == ST_POINTER) {
		follow(w, s->at);
		item = w->t;
	} else if (w->t->kind == ST_ARRAY && w->place) {
		item = sym_type_target(w->t);
	} else {
		diag_error(w->i->e->diag, TAG_TYPE, s->at, "[] needs an array or a pointer, not %s",
			   type_words(w));
		return false;
	}
	if (!item || !item->size) {
		diag_error(w->i->e->diag, TAG_TYPE, s->at,
			   "the size of what this points to is not known");
		return false;
	}
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

/* What the whole yields: an address, or a number of its width. */
static bool finish(struct walk *w, const struct expr *x)
{
	struct path *p = w->p;

	if (x->address_of) {
		if (!w->place || w->member.bit_size) {
			diag_error(w->i->e->diag, TAG_LVALUE, x->at, "this has no address: %s",
				   w->place ? "it is a bit field" : "it is in a register");
			return false;
		}
		p->type = sym_type_pointer(w->t);
		return true;
	}
	p->type = w->t;
	if ((w->t->kind == ST_ARRAY || w->t->kind == ST_FUNC) && w->place)
		return true;
	if (!scalar(w->t)) {
		diag_error(w->i->e->diag, TAG_TYPE, x->at, "%s is no number", type_words(w));
		diag_hint(w->i->e->diag,
			  "name one of its members with ->, or take its address with &");
		return false;
	}
	p->to_value = w->place;
	p->width = (uint32_t)w->t->size;
	p->is_signed = w->t->is_signed;
	p->bit_size = w->member.bit_size;
	p->bit_offset = w->member.bit_offset;
	p->core = p->to_value && w->t->kind != ST_POINTER ? w->core : NULL;
	return true;
}

static bool walk_pretty(struct walk *w, const struct suffix *s)
{
	unsupported(w->i, s->at, "printing of whole structures ($ behind a variable) is");
	return false;
}

struct path *path_infer(struct infer *i, struct expr *x, const struct sym_type *t, bool place,
			bool user)
{
	static bool (*const steps[])(struct walk * w, const struct suffix *s) = {
		[SUF_MEMBER] = walk_member,
		[SUF_INDEX] = walk_index,
		[SUF_PRETTY] = walk_pretty,
	};
	struct path *p = arena_new(i->e->arena, struct path);
	struct walk w = { .i = i, .p = p, .t = t, .place = place };

	p->user = user;
	p->from_value = !place;
	for (uint32_t n = 0; n < x->suffixes.n; n++)
		if (!w.t || !steps[x->suffixes.v[n].kind](&w, &x->suffixes.v[n]))
			return NULL;
	return w.t && finish(&w, x) ? p : NULL;
}

const char *path_of_whole(const struct probe_var *v, struct path *out)
{
	bool place = v->loc && v->loc->pieces.n == 1 && !v->loc->pieces.v[0].is_value;

	if (!v->loc || !v->type)
		return "?";
	if (v->type->kind == ST_ARRAY)
		return "[...]";
	if (!scalar(v->type))
		return "{...}";
	out->from_value = !place;
	out->to_value = place;
	out->width = (uint32_t)v->type->size;
	out->is_signed = v->type->is_signed;
	return NULL;
}

bool path_exists(const struct expr *x, const struct sym_type *t)
{
	struct sym_member m;

	for (uint32_t n = 0; n < x->suffixes.n && t; n++) {
		const struct suffix *s = &x->suffixes.v[n];

		if (s->kind == SUF_MEMBER && t->kind == ST_POINTER)
			t = sym_type_target(t);
		if (s->kind == SUF_MEMBER)
			t = t && sym_member_find(t, s->name, &m) ? m.type : NULL;
		else if (s->kind == SUF_INDEX)
			t = sym_type_target(t);
	}
	return t;
}
