/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .callee("name")[.call | .return], .callees and .callees(depth): functions where they are called by the function that is
 * named. Debug information lists the calls of a function. A callee that is inlined there is probed at its place; another
 * is probed at its entry, and its handler looks whether the return address is that of one of the calls (struct
 * probe_callers). With a depth, the callers' return addresses further up the stack must fit as well.
 */
#include <fnmatch.h>
#include <string.h>

#include "probes/code.h"

#define FRAME_POINTER 6 /* its DWARF number (x86-64) */
#define STACK_POINTER 7
#define MAXSITES 10000 /* of one point: callees of callees multiply */

struct callees {
	struct code_object *c;
	struct sym_spec spec; /* of callees */
	struct near_match *near; /* for "did you mean"; NULL: sites are added */
	const char *suffix; /* "call", "return" or NULL */
	uint32_t sites, calls, unmatched;
	bool matchall, too_many;
};

/* A function whose callees are looked for. */
struct caller {
	struct sym_func f;
	const struct sym_func *top; /* what the point names */
	int64_t depth; /* that is left */
	/* what must have called the frame it runs in; NULL: anything */
	const struct probe_callers *from;
	struct probe_point path; /* .callee(...) so far */
};

/* Calls of one function by another. */
struct called {
	struct sym_func f;
	bool inlined, tail;
	VEC(uint64_t) returns;
};
struct collect {
	struct callees *s;
	VEC(struct called) v;
};

static bool collect_callee(const struct sym_callee *k, void *arg)
{
	struct collect *l = arg;
	struct arena *a = l->s->c->env->arena;
	struct called *at = NULL;

	for (uint32_t i = 0; i < l->v.n && !k->inlined && !at; i++)
		if (!l->v.v[i].inlined && l->v.v[i].f.entry == k->func.entry)
			at = &l->v.v[i];
	if (!at) {
		vec_push(a, &l->v, ((struct called){ .f = k->func, .inlined = k->inlined }));
		at = &l->v.v[l->v.n - 1];
	}
	if (!k->inlined && !k->tail)
		vec_push(a, &at->returns, k->ret);
	at->tail = at->tail || k->tail;
	return true;
}

static bool callee_fits(const struct callees *s, const struct called *k)
{
	const char *p = k->f.file;

	if (fnmatch(s->spec.func, k->f.name, 0) != 0)
		return false;
	while (s->spec.file && p && fnmatch(s->spec.file, p, 0) != 0) {
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	}
	return !s->spec.file || p;
}

/* How the return address of the frame that runs at @pc is found. False: it is not known. */
static bool frame_rule(struct callees *s, uint64_t pc, struct probe_frame *out)
{
	struct sym_frame f;

	if (!sym_frame_at(s->c->obj, pc, FRAME_POINTER, &f) ||
	    (f.reg != FRAME_POINTER && f.reg != STACK_POINTER))
		return false;
	*out = (struct probe_frame){
		.by_fp = f.reg == FRAME_POINTER,
		.offset = f.offset,
		.fp_saved = f.fp_saved,
		.fp_offset = f.fp_offset,
	};
	return true;
}

/* What a handler at @pc must see on the stack. NULL: the stack cannot be followed there. */
static const struct probe_callers *callers_at(struct callees *s, const struct probe_callers *from,
					      uint64_t pc)
{
	struct probe_callers *out = arena_new(s->c->env->arena, struct probe_callers);

	*out = *from;
	out->pc = pc;
	return frame_rule(s, pc, &out->at) ? out : NULL;
}

/* Being called by one of @k's calls, from a frame that itself was called from @up. */
static const struct probe_callers *called_by(struct callees *s, const struct called *k,
					     const struct probe_callers *up)
{
	struct arena *a = s->c->env->arena;
	struct probe_callers *out = arena_new(a, struct probe_callers);

	out->next = up;
	for (uint32_t i = 0; i < k->returns.n; i++) {
		struct probe_call call = { .pc = k->returns.v[i] };

		/* the call instruction itself is what the tables speak of */
		if (!up || frame_rule(s, call.pc - 1, &call.frame))
			vec_push(a, &out->calls, call);
	}
	return out->calls.n ? out : NULL;
}

static struct probe_point path_with(struct callees *s, const struct probe_point *path,
				    const struct sym_func *f)
{
	struct code_object *c = s->c;
	struct probe_point out = { 0 };
	struct pp_component comp = { .name = "callee", .arg = PP_STR };

	comp.str = code_name(c, f->name, f->file, f->line);
	for (uint32_t i = 0; i < path->comps.n; i++)
		vec_push(c->env->arena, &out.comps, path->comps.v[i]);
	vec_push(c->env->arena, &out.comps, comp);
	return out;
}

static void add_callee(struct callees *s, const struct caller *by, const struct called *k,
		       const struct probe_callers *from, const struct probe_point *path)
{
	struct code_object *c = s->c;
	const struct probe_callers *need = from ? callers_at(s, from, k->f.entry) : NULL;
	struct probe_point tail = *path;
	struct pp_component suffix = { .name = s->suffix };

	if (from && !need) {
		s->unmatched++;
		return;
	}
	if (++s->sites > MAXSITES) {
		s->too_many = true;
		return;
	}
	if (s->suffix) {
		tail = path_with(s, &tail, &k->f);
		tail.comps.v[tail.comps.n - 1] = suffix;
	}
	code_add_place(c, &k->f, k->f.entry,
		       code_name(c, by->top->name, by->top->file, by->top->line), &tail, need);
}

static void follow(struct callees *s, const struct caller *by);

static void follow_one(struct callees *s, const struct caller *by, const struct called *k)
{
	struct code_object *c = s->c;
	struct caller in = { .f = k->f, .top = by->top, .depth = by->depth - 1, .from = by->from };

	s->calls += !k->inlined;
	if (s->near) {
		near_try(s->near, k->f.name);
		return;
	}
	if (!callee_fits(s, k))
		return;
	if (k->inlined && (code_is_return(c) || c->filter == CODE_CALL)) {
		c->inlined++;
	} else {
		if (!k->inlined && !s->matchall)
			in.from = called_by(s, k, by->from);
		if (!k->inlined && !s->matchall && !in.from) {
			s->unmatched++;
			return;
		}
		in.path = path_with(s, &by->path, &k->f);
		add_callee(s, by, k, in.from, &in.path);
	}
	if (in.depth > 0)
		follow(s, &in);
}

/* Bounded by the depth, which the point says and code_parse() limits. */
static void follow(struct callees *s, const struct caller *by)
{
	struct collect l = { .s = s };

	sym_callees(s->c->obj, &by->f, collect_callee, &l);
	for (uint32_t i = 0; i < l.v.n && !s->too_many; i++)
		follow_one(s, by, &l.v.v[i]);
}

static bool follow_function(const struct sym_func *f, void *arg)
{
	struct callees *s = arg;
	struct caller by = { .f = *f, .top = f, .depth = s->near ? 1 : s->c->depth };

	follow(s, &by);
	return !s->too_many;
}

/* -DSTAP_CALLEE_MATCHALL: callees count from wherever they are called. */
static bool matches_all(const struct session *s)
{
	static const char name[] = "STAP_CALLEE_MATCHALL";

	for (uint32_t i = 0; i < s->defines.n; i++)
		if (!strncmp(s->defines.v[i], name, sizeof(name) - 1))
			return true;
	return false;
}

static bool start(struct callees *s, struct code_object *c)
{
	const struct pp_component *last = &c->pp->comps.v[c->pp->comps.n - 1];
	const struct pp_component *comp = &c->pp->comps.v[c->comp + 1];

	*s = (struct callees){ .c = c, .matchall = matches_all(c->env->session) };
	if (c->filter == CODE_CALL || code_is_return(c))
		s->suffix = last->name;
	if (comp->arg == PP_STR)
		return probe_function_spec(c->env, comp, false, &s->spec);
	s->spec.func = "*";
	return true;
}

void code_add_callees(struct code_object *c)
{
	struct callees s;

	if (!start(&s, c))
		return;
	code_functions(c, true, follow_function, &s);
	if (s.too_many)
		diag_error(c->env->diag, TAG_LIMIT, probe_arg_span(&c->pp->comps.v[c->comp + 1]),
			   "more than %u callees: look less deep, or from fewer functions",
			   MAXSITES);
}

static bool count_function(const struct sym_func *f, void *arg)
{
	(void)f;
	++*(uint32_t *)arg;
	return true;
}

bool code_no_callee(struct code_object *c)
{
	const struct pp_component *comp = &c->pp->comps.v[c->comp + 1];
	uint32_t functions = 0;
	struct near_match near;
	struct callees s;

	if (!c->callee || !start(&s, c))
		return c->callee;
	code_functions(c, true, count_function, &functions);
	if (!functions)
		return false;
	code_functions(c, true, follow_function, &s);
	near_init(&near, s.spec.func);
	s.near = &near;
	s.calls = 0;
	code_functions(c, true, follow_function, &s);
	diag_error(c->env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(comp),
		   "no function that \"%s\" calls matches \"%s\"", c->pp->comps.v[c->comp].str,
		   s.spec.func);
	if (s.unmatched)
		diag_hint(
			c->env->diag,
			"%u are jumped to, or their stack cannot be followed: -DSTAP_CALLEE_MATCHALL takes them, from wherever they are called",
			s.unmatched);
	else if (near_best(&near))
		diag_hint(c->env->diag, "did you mean \"%s\"?", near_best(&near));
	else if (s.calls)
		diag_hint(
			c->env->diag,
			"%u others are known; calls through pointers and of other files' functions are not",
			s.calls);
	else
		diag_hint(
			c->env->diag,
			"no calls are known: debug information lists them for code that was compiled with -O1 or more");
	return true;
}
