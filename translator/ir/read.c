/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the binary form. The image may be anything: every read is bounded, the first failure is
 * latched, counts are held against the bytes that are left, and what came out is verified.
 */
#include "ir_int.h"

struct reader {
	struct arena *a;
	struct ir_module *m;
	const uint8_t *p, *end;
	const char *err;
};

static uint64_t bad(struct reader *r, const char *what)
{
	if (!r->err)
		r->err = arena_printf(r->a, "damaged script image: %s", what);
	r->p = r->end;
	return 0;
}

static uint64_t get_u(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (r->p == r->end)
			return bad(r, "it ends too early");
		byte = *r->p++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	return bad(r, "a number is too long");
}

static int64_t get_s(struct reader *r)
{
	uint64_t v = get_u(r);

	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static uint32_t get_u32(struct reader *r)
{
	uint64_t v = get_u(r);

	return v > UINT32_MAX ? (uint32_t)bad(r, "a number is too large") : (uint32_t)v;
}

static uint32_t get_ref(struct reader *r)
{
	uint32_t v = get_u32(r);

	return v ? v - 1 : IR_NONE;
}

/* A count of items that take at least a byte each. */
static uint32_t get_count(struct reader *r)
{
	uint64_t v = get_u(r);

	return v > (uint64_t)(r->end - r->p) ? (uint32_t)bad(r, "a list is longer than the image")
					     : (uint32_t)v;
}

static const char *get_bytes(struct reader *r, uint64_t n)
{
	const char *s = (const char *)r->p;

	if (n > (uint64_t)(r->end - r->p) || memchr(s, 0, n)) {
		bad(r, "a string does not fit");
		return "";
	}
	r->p += n;
	return arena_strndup(r->a, s, n);
}

static const char *get_str(struct reader *r)
{
	return get_bytes(r, get_u(r));
}

static const char *get_opt(struct reader *r)
{
	uint64_t n = get_u(r);

	return n ? get_bytes(r, n - 1) : NULL;
}

static enum ir_type get_type(struct reader *r)
{
	uint64_t t = get_u(r);

	return t > IR_STR ? (enum ir_type)bad(r, "no such type") : (enum ir_type)t;
}

static void get_limits(struct reader *r)
{
	for (unsigned int i = 0; i < ir_limit_n; i++)
		if (ir_limits_set(&r->m->limits, ir_limit_table[i].name, get_s(r), NULL, NULL))
			bad(r, "a limit is out of range");
}

static void get_hist(struct reader *r, struct agg_hist *h)
{
	h->kind = get_u32(r);
	if (h->kind > AGG_HIST_LINEAR)
		bad(r, "no such histogram");
	if (h->kind == AGG_HIST_LINEAR) {
		h->lo = get_s(r);
		h->hi = get_s(r);
		h->width = get_s(r);
	}
	ir_hist_complete(h);
}

static void get_global(struct reader *r)
{
	struct ir_global *g = arena_new(r->a, struct ir_global);
	uint64_t flags;

	g->name = get_str(r);
	g->type = get_type(r);
	flags = get_u(r);
	g->is_stat = flags & 1;
	g->wrap = flags >> 1 & 1;
	g->sized = flags >> 2 & 1;
	g->hex = flags >> 3 & 1;
	g->nkeys = get_u32(r);
	if (g->nkeys > IR_MAXKEYS)
		g->nkeys = (uint32_t)bad(r, "too many keys");
	for (uint32_t k = 0; k < g->nkeys; k++)
		g->keys[k] = get_type(r);
	g->max_entries = get_u32(r);
	g->stat_ops = get_u32(r);
	get_hist(r, &g->hist);
	g->init_num = get_s(r);
	g->init_str = get_opt(r);
	vec_push(r->a, &r->m->globals, g);
}

static void get_fmt(struct reader *r)
{
	const char *text = get_str(r);
	VEC(enum ir_type) types = { 0 };
	uint32_t n = get_count(r);
	struct ir_fmt *fmt;

	for (uint32_t i = 0; i < n && !r->err; i++)
		vec_push(r->a, &types, get_type(r));
	fmt = ir_fmt_parse(r->a, text, types.v, types.n);
	if (!fmt)
		bad(r, "a format is malformed");
	else
		vec_push(r->a, &r->m->fmts, fmt);
}

static void get_regex(struct reader *r)
{
	const char *pattern = get_str(r);
	bool groups = get_u(r) & 1;

	/* twins would shift the numbers of those that follow */
	if (r->err || ir_regex_find(r->m, pattern, groups) != IR_NONE ||
	    ir_regex_add(r->m, pattern, groups, NULL) == IR_NONE)
		bad(r, "a regular expression is malformed");
}

static void get_embed(struct reader *r)
{
	struct ir_embed x;

	x.name = get_str(r);
	x.sig = get_str(r);
	x.params = get_str(r);
	x.globals = get_str(r);
	x.file = get_str(r);
	x.text = get_str(r);
	x.line = get_u32(r);
	x.flags = get_u32(r);
	vec_push(r->a, &r->m->embeds, x);
}

static void get_sym(struct reader *r)
{
	struct ir_sym x;

	x.name = get_str(r);
	x.anchor = get_opt(r);
	x.anchor_off = get_u(r);
	vec_push(r->a, &r->m->syms, x);
}

static void get_build(struct reader *r)
{
	struct ir_build x;

	x.object = get_str(r);
	x.id = get_str(r);
	vec_push(r->a, &r->m->builds, x);
}

static void get_insn(struct reader *r, struct ir_block *b)
{
	struct ir_insn i = { 0 };
	uint64_t op = get_u(r);

	if (op >= IR_OP_COUNT)
		op = bad(r, "no such operation");
	i.op = (uint8_t)op;
	i.dst = get_ref(r);
	i.ref = get_ref(r);
	i.imm = get_u32(r);
	i.aux = get_u32(r);
	i.err = get_ref(r);
	i.loc = get_u32(r);
	i.nargs = get_count(r);
	i.args = arena_alloc(r->a, i.nargs * sizeof(*i.args) + 1);
	for (uint32_t k = 0; k < i.nargs && !r->err; k++) {
		uint64_t kind = get_u(r);

		if (kind < IRV_REG || kind > IRV_STR)
			bad(r, "no such operand");
		i.args[k].kind = r->err ? IRV_INT : (enum ir_val_kind)kind;
		if (i.args[k].kind == IRV_INT)
			i.args[k].num = get_s(r);
		else
			i.args[k].reg = get_u32(r);
	}
	i.succ[0] = get_ref(r);
	i.succ[1] = get_ref(r);
	if (!r->err)
		vec_push(r->a, &b->insns, i);
}

static void get_regs(struct reader *r, struct ir_func *f)
{
	uint32_t n = get_count(r);

	for (uint32_t i = 0; i < n && !r->err; i++) {
		enum ir_type t = get_type(r);

		ir_new_reg(r->m, f, t, get_opt(r));
	}
}

static void get_iters(struct reader *r, struct ir_func *f)
{
	uint32_t n = get_count(r);

	for (uint32_t i = 0; i < n && !r->err; i++) {
		struct ir_iter it = { .global = get_u32(r) };
		int64_t dir = get_s(r);
		uint32_t key = get_u32(r), stat = get_u32(r);

		if (dir < -1 || dir > 1 || key > IR_MAXKEYS || stat >= IRS_NSTAT)
			bad(r, "a loop has no such order");
		it.sort_dir = (int)dir;
		it.sort_key = (int)key;
		it.sort_stat = r->err ? IRS_COUNT : (enum ir_stat)stat;
		it.fixed = get_u32(r);
		vec_push(r->a, &f->iters, it);
	}
}

static void get_func(struct reader *r)
{
	const char *name = get_str(r);
	bool handler = get_u(r) & 1;
	struct ir_func *f = ir_func_new(r->m, name, handler, NULL);
	uint32_t nblocks;

	f->ret = get_type(r);
	f->nparams = get_u32(r);
	f->loc = get_u32(r);
	get_regs(r, f);
	get_iters(r, f);
	nblocks = get_count(r);
	for (uint32_t b = 0; b < nblocks && !r->err; b++) {
		uint32_t n = get_count(r);

		ir_new_block(r->m, f);
		for (uint32_t i = 0; i < n && !r->err; i++)
			get_insn(r, f->blocks.v[b]);
	}
}

static void get_probe(struct reader *r)
{
	struct ir_probe *p = arena_new(r->a, struct ir_probe);
	uint64_t kind = get_u(r), flags;
	uint32_t n;

	if (kind >= AT_COUNT)
		kind = bad(r, "no such kind of probe");
	p->kind = (enum ir_attach)kind;
	p->name = get_str(r);
	p->chain = get_opt(r);
	p->handler = get_u32(r);
	p->seq = get_s(r);
	p->period = get_s(r);
	p->random = get_s(r);
	p->target = get_opt(r);
	p->symbol = get_opt(r);
	p->proto = get_opt(r);
	p->offset = get_u(r);
	p->semaphore = get_u(r);
	p->maxactive = get_u32(r);
	p->pid = get_s(r);
	p->exe = get_opt(r);
	flags = get_u(r);
	p->jiffies = flags & 1;
	p->optional = flags >> 1 & 1;
	p->filter_target = flags >> 2 & 1;
	p->user_side = flags >> 3 & 1;
	p->at_entry = flags >> 4 & 1;
	n = get_count(r);
	for (uint32_t i = 0; i < n && !r->err; i++) {
		struct ir_lock lock = { .global = get_u32(r) };

		lock.write = get_u(r) & 1;
		vec_push(r->a, &p->locks, lock);
	}
	n = get_count(r);
	for (uint32_t i = 0; i < n && !r->err; i++)
		vec_push(r->a, &p->nums, get_s(r));
	n = get_count(r);
	for (uint32_t i = 0; i < n && !r->err; i++)
		vec_push(r->a, &p->strs, get_str(r));
	vec_push(r->a, &r->m->probes, p);
}

static void get_list(struct reader *r, void (*get)(struct reader *r))
{
	uint32_t n = get_count(r);

	for (uint32_t i = 0; i < n && !r->err; i++)
		get(r);
}

static void get_module_string(struct reader *r)
{
	vec_push(r->a, &r->m->strings, get_str(r));
}

struct ir_module *ir_read(struct arena *a, const void *image, size_t len, const char **err)
{
	struct reader r = { .a = a, .p = image, .end = (const uint8_t *)image + len };
	const size_t magic = sizeof(IR_MAGIC) - 1;
	const char *complaint;

	*err = NULL;
	if (len < magic || memcmp(image, IR_MAGIC, magic) != 0) {
		*err = "not a script image of this version: translate the script again";
		return NULL;
	}
	r.p += magic;
	r.m = ir_module_new(a);
	r.m->strings.n = 0;
	r.m->string_cap = 0;
	r.m->name = get_str(&r);
	r.m->recursive = get_u(&r) & 1;
	r.m->release = get_opt(&r);
	r.m->kernel_id = get_u(&r);
	get_limits(&r);
	get_list(&r, get_module_string);
	get_list(&r, get_global);
	get_list(&r, get_fmt);
	get_list(&r, get_regex);
	get_list(&r, get_embed);
	get_list(&r, get_sym);
	get_list(&r, get_build);
	get_list(&r, get_func);
	get_list(&r, get_probe);
	if (!r.err && r.p != r.end)
		bad(&r, "bytes are left over");
	if (!r.err) {
		complaint = ir_verify(r.m);
		if (!complaint)
			ir_mark_recursion(r.m);
		else
			r.err = arena_printf(a, "damaged script image: %s", complaint);
	}
	*err = r.err;
	return r.err ? NULL : r.m;
}
