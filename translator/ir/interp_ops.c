/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on strings, globals, iterators, output and errors. */
#include "interp_int.h"

#define STORE (in->env.store)
#define STORE_ARG (in->env.store_arg)

static void set_string(struct interp *in, union slot *r, const struct code *c, const char *s,
		       size_t n)
{
	struct istr *out = interp_result(r, c);

	istr_set(in, out, s, n);
	r[c->d].s = out;
}

static void set_data(struct interp *in, union slot *r, const struct code *c,
		     const struct ir_data *v)
{
	if (v->type == IR_STR)
		set_string(in, r, c, v->str ? v->str : "", v->str ? strlen(v->str) : 0);
	else
		r[c->d].i = v->num;
}

static struct ir_data to_data(const union slot *r, uint32_t slot, enum ir_type t)
{
	if (t == IR_STR)
		return (struct ir_data){ .type = IR_STR, .str = r[slot].s->s };
	return (struct ir_data){ .type = IR_I64, .num = r[slot].i };
}

static const struct ir_global *get_keys(struct interp *in, const union slot *r,
					const struct code *c, struct ir_data keys[IR_MAXKEYS])
{
	const struct ir_global *g = in->m->globals.v[c->insn->ref];

	for (uint32_t k = 0; k < g->nkeys; k++)
		keys[k] = to_data(r, c->args[k], g->keys[k]);
	return g;
}

static int op_smov(struct interp *in, union slot *r, const struct code *c)
{
	set_string(in, r, c, r[c->a].s->s, r[c->a].s->len);
	return 0;
}

static int op_scat(struct interp *in, union slot *r, const struct code *c)
{
	const struct istr *a = r[c->a].s, *b = r[c->b].s;
	struct istr *out = interp_result(r, c);
	uint32_t na = a->len, nb = b->len;

	if (nb > in->maxlen - na)
		nb = in->maxlen - na;
	/* The second may be the destination: it moves before the first lands on it. */
	memmove(out->s + na, b->s, nb);
	if (a != out)
		memcpy(out->s, a->s, na);
	out->len = na + nb;
	out->s[out->len] = 0;
	r[c->d].s = out;
	return 0;
}

static int op_scmp(struct interp *in, union slot *r, const struct code *c)
{
	(void)in;
	r[c->d].i = ir_scmp_result(r[c->a].s->s, r[c->b].s->s);
	return 0;
}

static int op_seq(struct interp *in, union slot *r, const struct code *c)
{
	const struct istr *a = r[c->a].s, *b = r[c->b].s;

	(void)in;
	r[c->d].i = a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
	return 0;
}

static const struct regex_tab *regex_of(const struct interp *in, const struct code *c)
{
	return in->m->regexes.v[c->insn->ref].tab;
}

static int op_match(struct interp *in, union slot *r, const struct code *c)
{
	r[c->d].i = regex_match(regex_of(in, c), r[c->a].s->s);
	return 0;
}

static int op_capture(struct interp *in, union slot *r, const struct code *c)
{
	const struct regex_tab *t = regex_of(in, c);
	const struct istr *s = r[c->a].s;
	int found = regex_capture(t, s->s, in->match.log, in->match.pos);

	in->match.ngroups = found ? t->ngroups : 0;
	if (found)
		istr_set(in, in->match.subject, s->s, s->len);
	r[c->d].i = found;
	return 0;
}

static int op_gget(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data v = { .type = in->m->globals.v[c->insn->ref]->type };

	/* A read cannot fail: what a store cannot reach is 0 or "". */
	if (STORE->scalar_get(STORE_ARG, c->insn->ref, &v))
		v = (struct ir_data){ .type = v.type };
	set_data(in, r, c, &v);
	return 0;
}

static int op_gset(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data v = to_data(r, c->a, in->m->globals.v[c->insn->ref]->type);

	STORE->scalar_set(STORE_ARG, c->insn->ref, &v);
	return 0;
}

static int op_mget(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	struct ir_data v = { .type = get_keys(in, r, c, keys)->type };
	bool found = false;

	if (STORE->get(STORE_ARG, c->insn->ref, keys, &v, &found) || !found)
		v = (struct ir_data){ .type = v.type };
	set_data(in, r, c, &v);
	return 0;
}

static int op_mset(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	const struct ir_global *g = get_keys(in, r, c, keys);
	struct ir_data v = to_data(r, c->args[g->nkeys], g->type);
	int64_t operand = 0;
	int e = STORE->set(STORE_ARG, c->insn->ref, keys, &v, &operand);

	return e ? interp_fail(in, c, e, operand) : 0;
}

static int op_madd(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	const struct ir_global *g = get_keys(in, r, c, keys);
	int64_t operand = 0, now = 0;
	int e = STORE->add(STORE_ARG, c->insn->ref, keys, r[c->args[g->nkeys]].i, &now, &operand);

	if (e)
		return interp_fail(in, c, e, operand);
	r[c->d].i = now;
	return 0;
}

static int op_mhas(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	const struct ir_global *g = get_keys(in, r, c, keys);
	struct agg s;
	struct ir_data v = { .type = g->type };
	bool found = false;

	if (g->is_stat)
		found = STORE->stat_get(STORE_ARG, c->insn->ref, keys, &s);
	else if (STORE->get(STORE_ARG, c->insn->ref, keys, &v, &found))
		found = false;
	r[c->d].i = found;
	return 0;
}

static int op_mdel(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];

	get_keys(in, r, c, keys);
	STORE->del(STORE_ARG, c->insn->ref, keys);
	return 0;
}

static int op_mclear(struct interp *in, union slot *r, const struct code *c)
{
	(void)r;
	STORE->clear(STORE_ARG, c->insn->ref);
	return 0;
}

static int op_sadd(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	const struct ir_global *g = get_keys(in, r, c, keys);
	int64_t operand = 0;
	int e = STORE->stat_add(STORE_ARG, c->insn->ref, keys, r[c->args[g->nkeys]].i, &operand);

	return e ? interp_fail(in, c, e, operand) : 0;
}

static int extract(struct interp *in, union slot *r, const struct code *c,
		   const struct agg *s)
{
	int64_t v;

	if (!ir_stat_extract(s, c->insn->imm, &v))
		return interp_fail(in, c, ERR_EMPTY, 0);
	r[c->d].i = v;
	return 0;
}

static int op_sget(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data keys[IR_MAXKEYS];
	struct agg s = { 0 };

	get_keys(in, r, c, keys);
	if (!STORE->stat_get(STORE_ARG, c->insn->ref, keys, &s))
		s = (struct agg){ 0 };
	return extract(in, r, c, &s);
}

/* The histogram of the statistic that the instruction names; fails without one. */
static int read_hist(struct interp *in, const union slot *r, const struct code *c, uint64_t *counts)
{
	struct ir_data keys[IR_MAXKEYS];

	get_keys(in, r, c, keys);
	if (STORE->hist_get(STORE_ARG, c->insn->ref, keys, counts))
		for (uint32_t k = 0; k < in->m->globals.v[c->insn->ref]->hist.buckets; k++)
			if (counts[k])
				return 0;
	return interp_fail(in, c, ERR_EMPTY, 0);
}

static int op_hget(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_global *g = in->m->globals.v[c->insn->ref];
	uint64_t counts[AGG_MAX_BUCKETS], bucket = (uint64_t)r[c->args[g->nkeys]].i;

	if (read_hist(in, r, c, counts))
		return 1;
	if (bucket >= g->hist.buckets)
		return interp_fail(in, c, ERR_HIST_RANGE, 0);
	r[c->d].i = (int64_t)counts[bucket];
	return 0;
}

static int op_hemit(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_global *g = in->m->globals.v[c->insn->ref];
	uint64_t counts[AGG_MAX_BUCKETS];

	if (read_hist(in, r, c, counts))
		return 1;
	interp_record(in, REC_HIST, c->insn->ref);
	for (uint32_t k = 0; k < g->hist.buckets; k++)
		interp_record_int(in, (int64_t)counts[k]);
	interp_record_send(in);
	return 0;
}

static int op_hstr(struct interp *in, union slot *r, const struct code *c)
{
	struct fmt_out o = { .p = in->tmp->s, .size = in->maxlen + 1 };
	uint64_t counts[AGG_MAX_BUCKETS];

	if (read_hist(in, r, c, counts))
		return 1;
	agg_print(&o, &in->m->globals.v[c->insn->ref]->hist, counts, in->m->limits.hist_width,
		  in->m->limits.hist_elision);
	fmt_end(&o);
	set_string(in, r, c, o.p, o.len);
	return 0;
}

/* @at: the first of the operands that are the fixed keys. */
static void get_slice(const struct ir_global *g, uint32_t fixed, const union slot *r,
		      const struct code *c, uint32_t at, struct ir_slice *out)
{
	out->fixed = fixed;
	for (uint32_t k = 0; k < g->nkeys; k++)
		if (fixed >> k & 1)
			out->keys[k] = to_data(r, c->args[at++], g->keys[k]);
}

static int op_mhas_any(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_slice which;

	get_slice(in->m->globals.v[c->insn->ref], c->insn->imm, r, c, 0, &which);
	r[c->d].i = STORE->has_any(STORE_ARG, c->insn->ref, &which);
	return 0;
}

static int op_mdel_any(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_slice which;

	get_slice(in->m->globals.v[c->insn->ref], c->insn->imm, r, c, 0, &which);
	STORE->del_any(STORE_ARG, c->insn->ref, &which);
	return 0;
}

static struct iter_state *iter_of(struct interp *in, const struct code *c)
{
	return &in->frames[in->depth].iters[c->insn->ref];
}

static int op_it_end(struct interp *in, union slot *r, const struct code *c)
{
	struct iter_state *it = iter_of(in, c);

	(void)r;
	if (it->open) {
		arena_fini(&it->arena);
		it->open = false;
		in->frames[in->depth].nopen--;
	}
	return 0;
}

static int op_it_begin(struct interp *in, union slot *r, const struct code *c)
{
	struct frame *fr = &in->frames[in->depth];
	struct iter_state *it = iter_of(in, c);
	const struct ir_iter *desc = &fr->f->f->iters.v[c->insn->ref];
	int64_t limit = r[c->a].i;
	struct ir_slice which;
	int e;

	op_it_end(in, r, c);
	arena_init(&it->arena);
	it->v = NULL;
	it->n = it->next = 0;
	get_slice(in->m->globals.v[desc->global], desc->fixed, r, c, 1, &which);
	e = STORE->snapshot(STORE_ARG, desc->global, &which, &it->arena, &it->v, &it->n);
	if (e) {
		arena_fini(&it->arena);
		return interp_fail(in, c, e, desc->global);
	}
	it->open = true;
	fr->nopen++;
	ir_sort_elems(it->v, it->n, desc, in->m->globals.v[desc->global]);
	if (limit >= 0 && limit < it->n)
		it->n = (uint32_t)limit;
	return 0;
}

static int op_it_next(struct interp *in, union slot *r, const struct code *c)
{
	struct iter_state *it = iter_of(in, c);
	bool more = it->open && it->next < it->n;

	it->next += more;
	r[c->d].i = more;
	return 0;
}

/* The element it_next stands on; an empty one when it stands nowhere. */
static const struct ir_elem *iter_elem(struct interp *in, const struct code *c)
{
	static const struct ir_elem none;
	const struct iter_state *it = iter_of(in, c);

	return it->open && it->next ? &it->v[it->next - 1] : &none;
}

static int op_it_key(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data v = iter_elem(in, c)->key[c->insn->imm];

	v.type = in->frames[in->depth].f->f->regs.v[c->insn->dst];
	set_data(in, r, c, &v);
	return 0;
}

static int op_it_val(struct interp *in, union slot *r, const struct code *c)
{
	struct ir_data v = iter_elem(in, c)->val;

	v.type = in->frames[in->depth].f->f->regs.v[c->insn->dst];
	set_data(in, r, c, &v);
	return 0;
}

static int op_it_stat(struct interp *in, union slot *r, const struct code *c)
{
	return extract(in, r, c, &iter_elem(in, c)->stat);
}

static int op_emit(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_fmt *fmt = in->m->fmts.v[c->insn->ref];

	interp_record(in, c->insn->imm == IRO_WARN ? REC_WARN : REC_PRINT, c->insn->ref);
	for (uint32_t k = 0; k < fmt->args.n; k++) {
		if (fmt->args.v[k] == IR_STR)
			interp_record_str(in, r[c->args[k]].s);
		else
			interp_record_int(in, r[c->args[k]].i);
	}
	interp_record_send(in);
	return 0;
}

/* Of what nobody knows a name for: the address. */
static int op_name(struct interp *in, union slot *r, const struct code *c)
{
	bool str = ir_name_operand((enum ir_name_row)c->insn->imm) == IR_STR;
	struct buf b;

	buf_init(&b);
	if (in->env.name)
		in->env.name(in->env.name_arg, (enum ir_name_row)c->insn->imm, str ? 0 : r[c->a].i,
			     str ? r[c->a].s->s : NULL, &b);
	else if (!str)
		buf_printf(&b, "0x%llx", (unsigned long long)r[c->a].i);
	set_string(in, r, c, b.p ? b.p : "", b.len);
	buf_fini(&b);
	return 0;
}

/* The interpreter's handlers interrupt nobody. */
static int op_stack(struct interp *in, union slot *r, const struct code *c)
{
	(void)in;
	(void)r;
	(void)c;
	return 0;
}

static int op_send(struct interp *in, union slot *r, const struct code *c)
{
	const char *types = ir_send_operands[c->insn->imm];

	interp_record(in, REC_SEND, c->insn->imm);
	for (uint32_t k = 0; types[k]; k++) {
		if (types[k] == 's')
			interp_record_str(in, r[c->args[k]].s);
		else
			interp_record_int(in, r[c->args[k]].i);
	}
	interp_record_send(in);
	return 0;
}

/* A width or precision, from the format or from the arguments. */
static int star(int from_format, const union slot *r, const struct code *c, uint32_t *at)
{
	return from_format == FMT_STAR ? fmt_star(r[c->args[(*at)++]].i) : from_format;
}

static int op_sfmt(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_fmt *fmt = in->m->fmts.v[c->insn->ref];
	struct fmt_out o = { .p = in->tmp->s, .size = in->maxlen + 1 };
	uint32_t at = 0;

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		struct fmt_spec spec = fmt->pieces.v[i].spec;
		uint32_t slot;

		if (fmt->pieces.v[i].lit) {
			fmt_lit(&o, fmt->pieces.v[i].lit, fmt->pieces.v[i].lit_len);
			continue;
		}
		spec.width = star(spec.width, r, c, &at);
		spec.prec = star(spec.prec, r, c, &at);
		slot = c->args[at];
		if (fmt->args.v[at++] == IR_STR)
			fmt_str(&o, &spec, r[slot].s->s, r[slot].s->len);
		else
			fmt_int(&o, &spec, r[slot].i);
	}
	fmt_end(&o);
	set_string(in, r, c, o.p, strlen(o.p));
	return 0;
}

static int op_raise(struct interp *in, union slot *r, const struct code *c)
{
	istr_set(in, in->err.text, r[c->a].s->s, r[c->a].s->len);
	return interp_fail(in, c, ERR_USER, 0);
}

/* Never placed here. */
static int op_embed(struct interp *in, union slot *r, const struct code *c)
{
	(void)r;
	return interp_fail(in, c, ERR_USER, 0);
}

static int op_fail(struct interp *in, union slot *r, const struct code *c)
{
	return interp_fail(in, c, (enum ir_error)c->insn->imm, c->insn->nargs ? r[c->a].i : 0);
}

static int op_errkind(struct interp *in, union slot *r, const struct code *c)
{
	r[c->d].i = (int64_t)in->err.kind;
	return 0;
}

static int op_errmsg(struct interp *in, union slot *r, const struct code *c)
{
	buf_reset(&in->rec);
	ir_error_render(&in->rec, in->m, in->err.kind, in->err.operand, in->err.text->s);
	set_string(in, r, c, in->rec.len ? in->rec.p : "", in->rec.len);
	return 0;
}

static int op_errclear(struct interp *in, union slot *r, const struct code *c)
{
	(void)r;
	(void)c;
	in->err.kind = ERR_NONE;
	return 0;
}

/*
 * No probe of user space has arguments: placement keeps these out, so that only a damaged image
 * gets here.
 */
static int op_context(struct interp *in, union slot *r, const struct code *c)
{
	(void)in;
	r[c->d].i = 0;
	return 0;
}

/* Such code runs where it was compiled. */
static int op_layout(struct interp *in, union slot *r, const struct code *c)
{
	(void)in;
	r[c->d].i = r[c->a].i;
	return 0;
}

static int op_sitenum(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_probe *p = in->m->probes.v[in->probe];

	r[c->d].i = c->insn->imm < p->nums.n ? p->nums.v[c->insn->imm] : 0;
	return 0;
}

static int op_sitestr(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_probe *p = in->m->probes.v[in->probe];
	const char *s = c->insn->imm < p->strs.n ? p->strs.v[c->insn->imm] : "";
	struct istr *out = interp_result(r, c);

	istr_set(in, out, s, strlen(s));
	r[c->d].s = out;
	return 0;
}

static int op_load(struct interp *in, union slot *r, const struct code *c)
{
	static const enum ir_error kinds[2][2] = { { ERR_KFAULT, ERR_UFAULT },
						   { ERR_KSTRFAULT, ERR_USTRFAULT } };
	bool user = c->insn->imm & IR_USER;

	return interp_fail(in, c, kinds[c->insn->op == IR_loadstr][user], r[c->a].i);
}

static int op_store(struct interp *in, union slot *r, const struct code *c)
{
	return interp_fail(in, c, c->insn->imm & IR_USER ? ERR_UWFAULT : ERR_KWFAULT, r[c->a].i);
}

static int op_setreg(struct interp *in, union slot *r, const struct code *c)
{
	(void)in;
	(void)r;
	(void)c;
	return 0;
}

/* A print of memory fails at the first address that it would read. */
static int op_emitmem(struct interp *in, union slot *r, const struct code *c)
{
	const struct ir_fmt *fmt = in->m->fmts.v[c->insn->ref];
	uint32_t k = 0, star, count;

	while (!ir_fmt_mem(fmt, k, &star, &count))
		k++;
	return interp_fail(in, c, fmt->specs.v[k]->flag == FMT_F_HASH ? ERR_UFAULT : ERR_KFAULT,
			   r[c->args[k]].i);
}

static const interp_fn op_fns[IR_OP_COUNT] = {
	[IR_smov] = op_smov,         [IR_scat] = op_scat,     [IR_scmp] = op_scmp,
	[IR_seq] = op_seq, [IR_match] = op_match, [IR_capture] = op_capture, [IR_gget] = op_gget,     [IR_gset] = op_gset,
	[IR_mget] = op_mget,         [IR_mset] = op_mset,     [IR_madd] = op_madd,
	[IR_mhas] = op_mhas,         [IR_mdel] = op_mdel,     [IR_mclear] = op_mclear,
	[IR_mhas_any] = op_mhas_any, [IR_mdel_any] = op_mdel_any, [IR_hget] = op_hget,
	[IR_hemit] = op_hemit,       [IR_hstr] = op_hstr,
	[IR_sadd] = op_sadd,         [IR_sget] = op_sget,     [IR_it_begin] = op_it_begin,
	[IR_it_next] = op_it_next,   [IR_it_key] = op_it_key, [IR_it_val] = op_it_val,
	[IR_it_stat] = op_it_stat,   [IR_it_end] = op_it_end, [IR_emit] = op_emit,
	[IR_sfmt] = op_sfmt,         [IR_raise] = op_raise,
	[IR_embed] = op_embed, [IR_fail] = op_fail,         [IR_errkind] = op_errkind, [IR_errmsg] = op_errmsg,
	[IR_errclear] = op_errclear, [IR_arg] = op_context,   [IR_retval] = op_context,
	[IR_frame] = op_context,     [IR_reg] = op_context,       [IR_symaddr] = op_load,
	[IR_sitenum] = op_sitenum,   [IR_sitestr] = op_sitestr,   [IR_tparg] = op_context,
	[IR_layout] = op_layout,     [IR_load] = op_load,         [IR_loadstr] = op_load,
	[IR_loadbuf] = op_load,      [IR_emitmem] = op_emitmem,
	[IR_name] = op_name,	     [IR_stack] = op_stack,
	[IR_send] = op_send,         [IR_store] = op_store,
	[IR_storestr] = op_store,    [IR_setreg] = op_setreg,
};

interp_fn interp_op_fn(enum ir_op op)
{
	return op_fns[op];
}
