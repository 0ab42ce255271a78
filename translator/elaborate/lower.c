/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the resolved script to an IR module: globals, functions, handlers, probes. */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

enum ir_type lower_type(enum script_type t)
{
	static const enum ir_type map[] = {
		[T_UNKNOWN] = IR_I64, [T_LONG] = IR_I64,  [T_STRING] = IR_STR,
		[T_STATS] = IR_I64,   [T_VOID] = IR_VOID,
	};

	return map[t];
}

/* A name of its own for the dump, where private globals or overloads share one. */
static const char *unique_name(struct lower *l, const char *name, uint32_t nth)
{
	if (nth)
		name = arena_printf(l->arena, "%s.%u", name, nth + 1);
	return strtab_intern(&l->e->s->names, name);
}

static const char *const_bytes(struct lower *l, const struct expr *x)
{
	struct ir_val v = lower_str(l, x->str); /* may move the table */

	return l->m->strings.v[v.str];
}

static void lower_hist_params(const struct expr *x, struct agg_hist *out)
{
	if (x->op == S_HIST_LOG) {
		*out = (struct agg_hist){ .kind = AGG_HIST_LOG, .buckets = AGG_LOG_BUCKETS };
		return;
	}
	*out = (struct agg_hist){
		.kind = AGG_HIST_LINEAR,
		.lo = x->args.v[0]->num,
		.hi = x->args.v[1]->num,
		.width = x->args.v[2]->num,
	};
	out->buckets = agg_linear_buckets(out->lo, out->hi, out->width);
}

static void lower_global(struct lower *l, struct global *g, uint32_t nth)
{
	struct ir_global *out = arena_new(l->arena, struct ir_global);
	enum script_type t = type_final(g->sym.type);

	out->name = unique_name(l, g->sym.name, nth);
	out->type = lower_type(t);
	out->is_stat = t == T_STATS;
	out->wrap = g->ast->wrap;
	out->sized = g->ast->size != 0;
	out->nkeys = (uint32_t)g->nkeys;
	for (int k = 0; k < g->nkeys; k++)
		out->keys[k] = lower_type(type_final(g->keys[k]));
	if (out->nkeys)
		out->max_entries =
			(uint32_t)(g->ast->size ? g->ast->size : l->e->s->limits.maxmapentries);
	out->stat_ops = g->stat_ops;
	out->hex = g->hex;
	if (g->hist_used)
		lower_hist_params(g->hist, &out->hist);
	if (g->init && g->init->kind == E_STRING)
		out->init_str = const_bytes(l, g->init);
	else if (g->init)
		out->init_num = g->init->num;
	g->index = l->m->globals.n;
	vec_push(l->arena, &l->m->globals, out);
}

static void lower_globals(struct lower *l)
{
	for (uint32_t i = 0; i < l->e->globals.n; i++) {
		struct global *g = l->e->globals.v[i];
		uint32_t nth = 0;

		if (!g->used)
			continue;
		for (uint32_t j = 0; j < i; j++)
			nth += l->e->globals.v[j]->used &&
			       l->e->globals.v[j]->sym.name == g->sym.name;
		lower_global(l, g, nth);
	}
}

static void declare_function(struct lower *l, struct function *fn, uint32_t nth)
{
	const char *name = fn->name;
	struct ir_func *f;

	/* handlers are called probe_N */
	if (!strncmp(name, "probe_", 6))
		name = arena_printf(l->arena, "%s.f", name);
	f = ir_func_new(l->m, unique_name(l, name, nth), false, &fn->index);
	f->ret = lower_type(type_of(fn->ret) == T_VOID ? T_VOID : type_final(fn->ret));
	f->loc = ir_string(l->m, span_str(l->arena, fn->ast->name_at));
	for (uint32_t i = 0; i < fn->locals.n; i++) {
		struct local *v = fn->locals.v[i];

		v->reg = ir_new_reg(l->m, f, lower_type(type_final(v->sym.type)), v->sym.name);
	}
	f->nparams = fn->ast->params.n;
}

static void declare_functions(struct lower *l)
{
	for (uint32_t i = 0; i < l->e->functions.n; i++) {
		struct function *fn = l->e->functions.v[i];
		uint32_t nth = 0;

		if (!fn->reachable || lower_wrapped(fn))
			continue;
		for (uint32_t j = 0; j < i; j++)
			nth += l->e->functions.v[j]->index != IR_NONE &&
			       l->e->functions.v[j]->name == fn->name;
		declare_function(l, fn, nth);
	}
}

static void zero_local(struct lower *l, const struct local *v)
{
	bool str = type_final(v->sym.type) == T_STRING;

	lower_move(l, v->reg, str ? ir_strval(0) : ir_num(0));
}

/* Values of @entry() are of no use any more. */
void lower_leave(struct lower *l)
{
	for (uint32_t n = 0; l->h && n < l->h->entries.n; n++) {
		const struct entry *x = l->h->entries.v[n];
		struct ir_val *keys = lower_exprs(l, &x->element->args, NULL, 0);

		lower_insn(l, IR_mdel, IR_NONE, keys, x->element->args.n)->ref = x->store->index;
	}
}

/* The block of uncaught errors. abort() ends a handler as if nothing had happened. */
static void add_error_block(struct lower *l)
{
	uint32_t entry = l->cur, kind, quiet, loud;
	struct ir_val is;

	l->cur = l->err = l->body_err = ir_new_block(l->m, l->f);
	lower_leave(l);
	if (l->f->is_handler && l->e->aborts) {
		kind = lower_temp(l, IR_I64);
		lower_insn(l, IR_errkind, kind, NULL, 0);
		is = lower_op2(l, IR_eq, ir_reg(kind), ir_num(ERR_ABORT), SPAN_NONE);
		quiet = ir_new_block(l->m, l->f);
		loud = ir_new_block(l->m, l->f);
		lower_branch(l, is, quiet, loud);
		l->cur = quiet;
		lower_insn(l, IR_done, IR_NONE, NULL, 0);
		l->cur = loud;
	}
	lower_insn(l, IR_abort, IR_NONE, NULL, 0);
	l->cur = entry;
}

/*
 * Starts a body: entry block, the block where uncaught errors end, locals at their initial values.
 */
static void open_body(struct lower *l, struct ir_func *f, const local_vec *locals)
{
	l->f = f;
	l->cur = ir_new_block(l->m, f);
	add_error_block(l);
	l->in_try = false;
	l->loop = NULL;
	l->action_block = IR_NONE;
	for (uint32_t i = 0; i < locals->n; i++)
		if (!locals->v[i]->is_param)
			zero_local(l, locals->v[i]);
}

static void lower_function(struct lower *l, struct function *fn)
{
	struct ir_val zero = ir_num(0);

	l->fn = fn;
	l->h = NULL;
	open_body(l, l->m->funcs.v[fn->index], &fn->locals);
	if (!fn->ast->body) {
		lower_embed_function(l);
		return;
	}
	lower_stmt(l, fn->ast->body);
	if (ir_block_ended(l->f, l->cur))
		return;
	if (l->f->ret == IR_STR)
		zero = ir_strval(0);
	lower_insn(l, IR_ret, IR_NONE, &zero, l->f->ret != IR_VOID);
}

static void lower_handler(struct lower *l, struct handler *h, uint32_t n)
{
	const char *name = strtab_intern(&l->e->s->names, arena_printf(l->arena, "probe_%u", n));
	struct ir_func *f = ir_func_new(l->m, name, true, &h->index);

	f->ret = IR_VOID;
	f->loc = ir_string(l->m, span_str(l->arena, h->origin->at));
	for (uint32_t i = 0; i < h->locals.n; i++) {
		struct local *v = h->locals.v[i];

		v->reg = ir_new_reg(l->m, f, lower_type(type_final(v->sym.type)), v->sym.name);
	}
	l->fn = NULL;
	l->h = h;
	l->uncounted = h->synthetic;
	open_body(l, f, &h->locals);
	for (uint32_t i = 0; i < h->guards.n; i++) {
		uint32_t yes = ir_new_block(l->m, f), no = ir_new_block(l->m, f);

		lower_cond(l, h->guards.v[i].e, yes, no);
		l->cur = no;
		lower_leave(l);
		lower_insn(l, IR_done, IR_NONE, NULL, 0);
		l->cur = yes;
	}
	for (uint32_t i = 0; i < h->parts.n && !ir_block_ended(f, l->cur); i++)
		lower_stmt(l, h->parts.v[i].s);
	if (ir_block_ended(f, l->cur))
		return;
	lower_leave(l);
	lower_insn(l, IR_done, IR_NONE, NULL, 0);
}

static bool in_kernel(const struct ir_probe *p)
{
	return p->kind == AT_KPROBE || p->kind == AT_KRETPROBE || p->kind == AT_TRACEPOINT;
}

static void lower_probes(struct lower *l)
{
	uint64_t id = probe_kernel_id(&l->e->env);

	site_share_semaphores(l->e);
	for (uint32_t i = 0; i < l->e->probes.n; i++) {
		const struct elab_probe *p = &l->e->probes.v[i];
		struct ir_probe *out = arena_new(l->arena, struct ir_probe);

		*out = p->site->probe;
		out->handler = p->handler->index;
		if (p->site->proto)
			out->proto = *p->site->proto;
		out->chain = p->chain;
		if (p->site->obj && sym_module_name(p->site->obj))
			ir_build_add(l->m, sym_module_name(p->site->obj), sym_build_text(p->site->obj));
		share_put_values(l->e, p->handler, p->site, out);
		vec_push(l->arena, &l->m->probes, out);
		if (id || in_kernel(out)) {
			l->m->release = l->e->s->release;
			l->m->kernel_id = id;
		}
	}
}

struct span elab_probe_at(const struct elab *e, uint32_t probe)
{
	return probe < e->probes.n ? e->probes.v[probe].site->at : SPAN_NONE;
}

struct ir_module *lower(struct elab *e)
{
	struct lower l = { .e = e, .arena = e->arena, .m = ir_module_new(e->arena) };

	l.m->name = e->s->module_name;
	l.m->limits = e->s->limits;
	lower_globals(&l);
	declare_functions(&l);
	for (uint32_t i = 0; i < e->functions.n; i++)
		if (e->functions.v[i]->index != IR_NONE)
			lower_function(&l, e->functions.v[i]);
	lower_embeds(&l);
	for (uint32_t i = 0; i < e->handlers.n; i++)
		lower_handler(&l, e->handlers.v[i], i);
	lower_probes(&l);
	return l.m;
}
