/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statements. Each straight stretch of them starts with one action count, so that MAXACTION bounds
 * every handler: a loop's body counts at least one in each round.
 */
#include "elaborate/internal.h"

typedef void (*lower_stmt_fn)(struct lower *l, struct stmt *s);

static uint32_t stmt_loc(struct lower *l, const struct stmt *s)
{
	if (s->kind == ST_EXPR)
		return lower_loc(l, s->e->op_at.src ? s->e->op_at : s->e->at);
	return lower_keyword_loc(l, s->at);
}

static void count_action(struct lower *l, uint32_t loc)
{
	struct ir_insn *i;

	if (l->uncounted)
		return;
	if (l->action_block == l->cur) {
		l->f->blocks.v[l->cur]->insns.v[l->action_insn].imm++;
		return;
	}
	i = lower_insn(l, IR_action, IR_NONE, NULL, 0);
	i->imm = 1;
	i->loc = loc;
	l->action_block = l->cur;
	l->action_insn = l->f->blocks.v[l->cur]->insns.n - 1;
}

static void lower_block(struct lower *l, struct stmt *s)
{
	/* what follows next, return, break or continue never runs */
	for (uint32_t n = 0; n < s->body.n && !ir_block_ended(l->f, l->cur); n++)
		lower_stmt(l, s->body.v[n]);
}

/* Of a call of C that has no effect only the operands may have one. */
static void lower_expr_stmt(struct lower *l, struct stmt *s)
{
	const struct callee *c = s->e->kind == E_CALL ? s->e->sym : NULL;

	if (c && c->fn && c->fn->ast->embedded && embed_is_pure(c->fn->ast->embedded) &&
	    !l->e->s->unoptimised)
		(void)lower_exprs(l, &s->e->args, NULL, 0);
	else
		lower_expr(l, s->e);
}

static void lower_if(struct lower *l, struct stmt *s)
{
	uint32_t yes = ir_new_block(l->m, l->f), end = ir_new_block(l->m, l->f);
	uint32_t no = s->otherwise ? ir_new_block(l->m, l->f) : end;

	lower_cond(l, s->e, yes, no);
	l->cur = yes;
	lower_stmt(l, s->then);
	lower_jump(l, end);
	if (s->otherwise) {
		l->cur = no;
		lower_stmt(l, s->otherwise);
		lower_jump(l, end);
	}
	l->cur = end;
}

static void lower_loop_body(struct lower *l, struct stmt *s, struct loop *loop)
{
	loop->up = l->loop;
	l->loop = loop;
	lower_stmt(l, s->then);
	lower_jump(l, loop->cont);
	l->loop = loop->up;
}

/* while and for: for's step is where continue goes. */
static void lower_while(struct lower *l, struct stmt *s)
{
	uint32_t head = ir_new_block(l->m, l->f), body = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f);
	struct loop loop = { .brk = end,
			     .cont = s->step ? ir_new_block(l->m, l->f) : head,
			     .iter = IR_NONE };

	if (s->init)
		lower_expr(l, s->init);
	lower_jump(l, head);
	l->cur = head;
	if (s->e)
		lower_cond(l, s->e, body, end);
	else
		lower_jump(l, body);
	l->cur = body;
	count_action(l, stmt_loc(l, s));
	lower_loop_body(l, s, &loop);
	if (s->step) {
		l->cur = loop.cont;
		lower_expr(l, s->step);
		lower_jump(l, head);
	}
	l->cur = end;
}

static void end_iter(struct lower *l, uint32_t iter)
{
	lower_insn(l, IR_it_end, IR_NONE, NULL, 0)->ref = iter;
}

static uint32_t new_iter(struct lower *l, const struct stmt *s)
{
	struct ir_iter it = {
		.global = ((const struct global *)s->array->sym)->index,
		.sort_dir = s->sort_dir,
		.sort_key = s->sort_key,
		.sort_stat = s->sort_stat == S_NONE ? IRS_COUNT : (enum ir_stat)s->sort_stat,
	};

	vec_push(l->arena, &l->f->iters, it);
	return l->f->iters.n - 1;
}

static void set_loop_var(struct lower *l, enum ir_op op, struct expr *x, uint32_t iter, uint32_t n)
{
	uint32_t r = lower_temp(l, lower_type(x->type));
	struct ir_insn *i = lower_insn(l, op, r, NULL, 0);

	i->ref = iter;
	i->imm = n;
	lower_set_symbol(l, x, ir_reg(r));
}

static struct ir_val foreach_limit(struct lower *l, struct expr *limit)
{
	uint32_t r;
	struct ir_val v;

	if (!limit)
		return ir_num(-1);
	/*
	 * "limit" of a negative number visits nothing, as of 0; it_begin takes that for "no limit"
	 */
	v = lower_expr(l, limit);
	if (v.kind == IRV_INT)
		return v.num < 0 ? ir_num(0) : v;
	r = lower_temp(l, IR_I64);
	lower_move(l, r, lower_op2(l, IR_gt, v, ir_num(0), limit->at));
	return lower_op2(l, IR_mul, ir_reg(r), v, limit->at);
}

/*
 * An iterator that a failure inside leaves open is closed on the way to the catch block, and in
 * functions, whose caller may catch. A handler that ends closes its iterators itself.
 */
static uint32_t cleanup_block(struct lower *l, uint32_t iter)
{
	uint32_t b, cur = l->cur, err = l->err;

	if (!l->in_try && !l->fn)
		return err;
	b = ir_new_block(l->m, l->f);
	l->cur = b;
	end_iter(l, iter);
	lower_jump(l, err);
	l->cur = cur;
	return b;
}

/* At most @limit rounds: what counts them down, IR_NONE without a limit. */
static uint32_t hist_limit(struct lower *l, struct expr *limit)
{
	uint32_t left;

	if (!limit)
		return IR_NONE;
	left = lower_temp(l, IR_I64);
	lower_move(l, left, foreach_limit(l, limit));
	return left;
}

/*
 * foreach over the buckets of a histogram: a loop over their numbers. The aggregate's own keys are
 * evaluated once.
 */
static void lower_foreach_hist(struct lower *l, struct stmt *s)
{
	const struct global *g = s->array->a->sym;
	int64_t n = l->m->globals.v[g->index]->hist.buckets;
	bool down = s->sort_dir < 0;
	uint32_t head = ir_new_block(l->m, l->f), first = ir_new_block(l->m, l->f),
		 body = ir_new_block(l->m, l->f), cont = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f), bucket = lower_temp(l, IR_I64),
		 count = lower_temp(l, IR_I64), left;
	struct loop loop = { .brk = end, .cont = cont, .iter = IR_NONE };
	struct ir_val *keys = lower_exprs(l, &s->array->a->args, s->limit, 1), in;

	for (uint32_t k = 0; k < s->array->a->args.n; k++) {
		struct ir_val v = keys[k];

		if (v.kind != IRV_REG)
			continue;
		keys[k] = ir_reg(lower_temp(l, l->f->regs.v[v.reg]));
		lower_move(l, keys[k].reg, v);
	}
	left = hist_limit(l, s->limit);
	lower_move(l, bucket, ir_num(down ? n - 1 : 0));
	lower_jump(l, head);
	l->cur = head;
	in = down ? lower_op2(l, IR_ge, ir_reg(bucket), ir_num(0), s->at)
		  : lower_op2(l, IR_lt, ir_reg(bucket), ir_num(n), s->at);
	lower_branch(l, in, first, end);
	l->cur = first;
	if (left != IR_NONE) {
		lower_branch(l, lower_op2(l, IR_gt, ir_reg(left), ir_num(0), s->at), body, end);
		l->cur = body;
		lower_move(l, left, lower_op2(l, IR_sub, ir_reg(left), ir_num(1), s->at));
	} else {
		lower_jump(l, body);
		l->cur = body;
	}
	count_action(l, stmt_loc(l, s));
	keys[s->array->a->args.n] = ir_reg(bucket);
	lower_aggregate(l, IR_hget, count, s->array, keys, 1);
	lower_set_symbol(l, s->keys.v[0], ir_reg(bucket));
	if (s->value)
		lower_set_symbol(l, s->value, ir_reg(count));
	lower_loop_body(l, s, &loop);
	l->cur = cont;
	lower_move(l, bucket,
		   lower_op2(l, IR_add, ir_reg(bucket), ir_num(down ? -1 : 1), s->at));
	lower_jump(l, head);
	l->cur = end;
}

static void lower_foreach_array(struct lower *l, struct stmt *s)
{
	uint32_t head = ir_new_block(l->m, l->f), body = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f);
	struct loop loop = { .brk = end, .cont = head, .iter = new_iter(l, s) };
	uint32_t more = lower_temp(l, IR_I64), outer = l->err, n;
	struct ir_val *args = lower_slice(l, &s->array->args, 1, &n,
					  &l->f->iters.v[loop.iter].fixed);
	struct ir_insn *i;

	args[0] = foreach_limit(l, s->limit);
	i = lower_insn(l, IR_it_begin, IR_NONE, args, n);
	i->ref = loop.iter;
	i->loc = lower_keyword_loc(l, s->at);
	lower_jump(l, head);
	l->cur = head;
	lower_insn(l, IR_it_next, more, NULL, 0)->ref = loop.iter;
	lower_branch(l, ir_reg(more), body, end);
	l->err = cleanup_block(l, loop.iter);
	l->cur = body;
	count_action(l, stmt_loc(l, s));
	for (uint32_t n = 0; n < s->keys.n; n++)
		set_loop_var(l, IR_it_key, s->keys.v[n], loop.iter, n);
	if (s->value)
		set_loop_var(l, IR_it_val, s->value, loop.iter, 0);
	lower_loop_body(l, s, &loop);
	l->err = outer;
	l->cur = end;
	end_iter(l, loop.iter);
}

static void lower_foreach(struct lower *l, struct stmt *s)
{
	if (is_hist(s->array)) {
		lower_foreach_hist(l, s);
		return;
	}
	lower_foreach_array(l, s);
}

/* Before leaving the body from inside of loops. */
static void end_open_iters(struct lower *l)
{
	for (const struct loop *p = l->loop; p; p = p->up)
		if (p->iter != IR_NONE)
			end_iter(l, p->iter);
}

static void lower_return(struct lower *l, struct stmt *s)
{
	struct ir_val v = ir_num(0);

	if (s->e)
		v = lower_expr(l, s->e);
	else if (l->f->ret == IR_STR)
		v = ir_strval(0);
	end_open_iters(l);
	lower_insn(l, IR_ret, IR_NONE, &v, l->f->ret != IR_VOID);
}

static void lower_loop_exit(struct lower *l, struct stmt *s)
{
	lower_jump(l, s->kind == ST_BREAK ? l->loop->brk : l->loop->cont);
}

static void lower_next(struct lower *l, struct stmt *s)
{
	struct ir_insn *i;

	end_open_iters(l);
	if (!l->fn) {
		lower_leave(l);
		lower_insn(l, IR_done, IR_NONE, NULL, 0);
		return;
	}
	i = lower_insn(l, IR_fail, IR_NONE, NULL, 0);
	i->imm = ERR_NEXT;
	i->loc = lower_keyword_loc(l, s->at);
	i->err = l->body_err;
	lower_jump(l, l->body_err);
}

static void lower_delete(struct lower *l, struct stmt *s)
{
	struct expr *x = s->e;
	const struct symbol *sym = x->sym;
	const struct global *g = x->sym;
	struct ir_val zero = x->type == T_STRING ? ir_strval(0) : ir_num(0);

	if (x->kind == E_INDEX && is_slice(&x->args)) {
		uint32_t n, fixed;
		struct ir_val *keys = lower_slice(l, &x->args, 0, &n, &fixed);
		struct ir_insn *i = lower_insn(l, IR_mdel_any, IR_NONE, keys, n);

		i->ref = g->index;
		i->imm = fixed;
	} else if (x->kind == E_INDEX) {
		struct ir_val *keys = lower_exprs(l, &x->args, NULL, 0);

		lower_insn(l, IR_mdel, IR_NONE, keys, x->args.n)->ref = g->index;
	} else if (sym->kind == SYM_GLOBAL && (g->nkeys || x->type == T_STATS)) {
		lower_insn(l, IR_mclear, IR_NONE, NULL, 0)->ref = g->index;
	} else {
		lower_set_symbol(l, x, zero);
	}
}

/* Nothing catches abort(). */
static void pass_on_abort(struct lower *l)
{
	uint32_t kind = lower_temp(l, IR_I64), other = ir_new_block(l->m, l->f);
	struct ir_val is;

	lower_insn(l, IR_errkind, kind, NULL, 0);
	is = lower_op2(l, IR_eq, ir_reg(kind), ir_num(ERR_ABORT), SPAN_NONE);
	lower_branch(l, is, l->err, other);
	l->cur = other;
}

static void lower_try(struct lower *l, struct stmt *s)
{
	uint32_t body = ir_new_block(l->m, l->f), catch = ir_new_block(l->m, l->f),
		 end = ir_new_block(l->m, l->f);
	uint32_t outer = l->err, text;
	bool was_in_try = l->in_try;

	lower_jump(l, body);
	l->cur = body;
	l->err = catch;
	l->in_try = true;
	lower_stmt(l, s->then);
	lower_jump(l, end);
	l->err = outer;
	l->in_try = was_in_try;
	l->cur = catch;
	if (l->e->aborts)
		pass_on_abort(l);
	if (s->catch_var) {
		text = lower_temp(l, IR_STR);
		lower_insn(l, IR_errmsg, text, NULL, 0);
		lower_set_symbol(l, s->catch_var, ir_reg(text));
	}
	lower_insn(l, IR_errclear, IR_NONE, NULL, 0);
	if (s->otherwise)
		lower_stmt(l, s->otherwise);
	lower_jump(l, end);
	l->cur = end;
}

static const struct {
	lower_stmt_fn fn;
	bool counted;
} lower_stmt_table[] = {
	[ST_BLOCK] = { lower_block, false },
	[ST_EXPR] = { lower_expr_stmt, true },
	[ST_IF] = { lower_if, true },
	[ST_WHILE] = { lower_while, true },
	[ST_FOR] = { lower_while, true },
	[ST_FOREACH] = { lower_foreach, true },
	[ST_RETURN] = { lower_return, true },
	[ST_BREAK] = { lower_loop_exit, true },
	[ST_CONTINUE] = { lower_loop_exit, true },
	[ST_NEXT] = { lower_next, true },
	[ST_DELETE] = { lower_delete, true },
	[ST_TRY] = { lower_try, false },
};

void lower_stmt(struct lower *l, struct stmt *s)
{
	if (!s || s->kind == ST_NULL)
		return;
	if (lower_stmt_table[s->kind].counted)
		count_action(l, stmt_loc(l, s));
	lower_stmt_table[s->kind].fn(l, s);
}
