/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions a call may run. Of those with its name and number of arguments the one with the
 * lowest priority number comes first, equal ones as they were declared; a function that says "next"
 * hands the call on to the one behind it. At run time "next" is an error of a kind of its own, which
 * no catch block sees and which the call turns into a call of the next function.
 */
#include <string.h>

#include "elaborate/internal.h"

static int64_t priority_of(const struct function *f)
{
	return f->ast->priority >= 0 ? f->ast->priority : f->file->src->library ? 1 : 0;
}

bool overload_hides(const struct function *first, const struct ast_function *ast,
		    const struct ast_file *file)
{
	const struct function second = { .ast = (struct ast_function *)(uintptr_t)ast,
					 .file = (struct ast_file *)(uintptr_t)file };

	return !first->ast->has_next && priority_of(first) == priority_of(&second);
}

static void insert(struct elab *e, function_vec *out, struct function *f)
{
	uint32_t at = out->n;

	vec_push(e->arena, out, f);
	for (; at && priority_of(out->v[at - 1]) > priority_of(f); at--)
		out->v[at] = out->v[at - 1];
	out->v[at] = f;
}

/*
 * A library file that has a function of its own means that one, whatever scripts define; a private
 * function hides those of other files.
 */
static bool own_only(const struct function *list, const struct ast_file *from, uint32_t arity)
{
	for (const struct function *f = list; f; f = f->next)
		if (f->file == from && f->ast->params.n == arity &&
		    (f->ast->is_private || from->src->library))
			return true;
	return false;
}

static void collect(struct elab *e, struct function *list, const struct ast_file *from,
		    uint32_t arity, function_vec *out, struct function **other)
{
	bool own = own_only(list, from, arity);

	out->n = 0;
	*other = NULL;
	for (struct function *f = list; f; f = f->next) {
		if ((f->ast->is_private || own) && f->file != from)
			continue;
		if (f->ast->params.n == arity)
			insert(e, out, f);
		else
			*other = f;
	}
	/* what is behind a function without "next" is never reached */
	for (uint32_t n = 0; n < out->n; n++)
		if (!out->v[n]->ast->has_next)
			out->n = n + 1;
}

/* Whether a function of the library may come before, or be reached behind, those that were found. */
static bool wants_library(const struct ast_file *from, const function_vec *found)
{
	if (!found->n)
		return true;
	if (from->src->library)
		return false;
	return found->v[found->n - 1]->ast->has_next || priority_of(found->v[0]) > 1;
}

bool overload_find(struct elab *e, struct ast_file *from, const char *name, uint32_t arity,
		   function_vec *out, struct function **other)
{
	collect(e, elab_functions_named(e, name), from, arity, out, other);
	if (wants_library(from, out) && elab_need_function(e, name))
		collect(e, elab_functions_named(e, name), from, arity, out, other);
	return out->n;
}

const struct function *overload_before(const struct elab *e, const struct function *fn)
{
	for (uint32_t i = 0; i < e->functions.n; i++) {
		const struct function *f = e->functions.v[i];

		if (f != fn && f->name == fn->name && f->reachable && !f->ast->has_next &&
		    f->ast->params.n == fn->ast->params.n && priority_of(f) <= priority_of(fn))
			return f;
	}
	return NULL;
}

/* Continues at a new block when the error being handled is a "next", else at the error block. */
static void go_on_after_next(struct lower *l)
{
	uint32_t yes = ir_new_block(l->m, l->f), kind = lower_temp(l, IR_I64);
	struct ir_val is;

	lower_insn(l, IR_errkind, kind, NULL, 0);
	is = lower_op2(l, IR_eq, ir_reg(kind), ir_num(ERR_NEXT), SPAN_NONE);
	lower_branch(l, is, yes, l->err);
	l->cur = yes;
	lower_insn(l, IR_errclear, IR_NONE, NULL, 0);
}

struct ir_val overload_lower(struct lower *l, const struct callee *c, enum ir_type ret,
			     const struct ir_val *args, struct span at)
{
	uint32_t r = ret == IR_VOID ? IR_NONE : lower_temp(l, ret);
	uint32_t end = ir_new_block(l->m, l->f), outer = l->err;
	struct ir_insn *i;

	for (uint32_t n = 0; n < c->fns.n; n++) {
		bool next = c->fns.v[n]->ast->has_next;
		uint32_t failed = next ? ir_new_block(l->m, l->f) : outer;
		struct ir_val v;

		l->err = failed;
		v = lower_call_of(l, c->fns.v[n], args, at);
		l->err = outer;
		if (r != IR_NONE)
			lower_move(l, r, v);
		lower_jump(l, end);
		if (!next)
			break;
		l->cur = failed;
		go_on_after_next(l);
	}
	if (!ir_block_ended(l->f, l->cur)) {
		i = lower_insn(l, IR_fail, IR_NONE, NULL, 0);
		i->imm = ERR_EXHAUSTED;
		i->loc = lower_loc(l, at);
		lower_jump(l, outer);
	}
	l->cur = end;
	return r == IR_NONE ? ir_num(0) : ir_reg(r);
}
