/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls, printing, context variables. */
#include <string.h>

#include "elaborate/internal.h"

static const struct fmt_spec plain_long = { 'd', FMT_F_NONE, FMT_NONE, FMT_NONE };
static const struct fmt_spec plain_string = { 's', FMT_F_NONE, FMT_NONE, FMT_NONE };

static struct span name_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

/*
 * Library functions that only wrap a built-in are replaced by it where they are called: cheaper,
 * and a failure (error(), user_string()) then points at the script and not into the library.
 */
const struct expr *lower_wrapped(const struct function *fn)
{
	const struct stmt *s = fn->ast->body;
	const struct callee *c;

	if (!fn->file->src->library || !s)
		return NULL;
	if (s->kind == ST_BLOCK && s->body.n == 1)
		s = s->body.v[0];
	if ((s->kind != ST_EXPR && s->kind != ST_RETURN) || !s->e || s->e->kind != E_CALL)
		return NULL;
	c = s->e->sym;
	if (!c || c->fn || (s->kind == ST_RETURN) != (c->result != IR_VOID))
		return NULL;
	for (uint32_t i = 0; i < s->e->args.n; i++) {
		const struct expr *a = s->e->args.v[i];
		bool param = a->kind == E_SYMBOL &&
			     ((const struct symbol *)a->sym)->kind == SYM_LOCAL &&
			     ((const struct local *)a->sym)->is_param;

		if (!param && a->kind != E_NUMBER && a->kind != E_STRING)
			return NULL;
	}
	return s->e;
}

static struct ir_val emit_warning(struct lower *l, struct ir_val text)
{
	struct fmt_build b;

	fmt_build_init(&b);
	fmt_build_conv(&b, &plain_string);
	fmt_build_arg(l, &b, text, IR_STR);
	return fmt_build_end(l, &b, false, IRO_WARN);
}

/*
 * A name of an address. One of a process's memory goes with its id, so that it can be told later whose
 * it was.
 */
static struct ir_val lower_name(struct lower *l, enum ir_name_row n, struct ir_val addr)
{
	uint32_t r;

	if (ir_names[n].user) {
		bool str = ir_names[n].operand == 's';
		enum ir_type types[] = { IR_I64, str ? IR_STR : IR_I64 };
		struct ir_val both[] = { ir_reg(lower_temp(l, IR_I64)), addr };

		lower_insn(l, IR_intr, both[0].reg, NULL, 0)->ref = IN_pid;
		r = lower_temp(l, IR_STR);
		lower_insn(l, IR_sfmt, r, both, 2)->ref =
			ir_fmt_add(l->m, str ? "%d %s" : "%d %#x", types, 2);
		addr = ir_reg(r);
	}
	r = lower_temp(l, IR_STR);
	lower_insn(l, IR_name, r, &addr, 1)->imm = n;
	return ir_reg(r);
}

static struct ir_val lower_builtin(struct lower *l, const struct callee *c,
				   const struct ir_val *args, uint32_t nargs, struct span at)
{
	uint32_t r = c->result == IR_VOID || c->builtin == BI_NAME ? IR_NONE : lower_temp(l, c->result);
	struct ir_insn *i;

	switch (c->builtin) {
	case BI_OP:
		i = lower_insn(l, c->op, r, args, nargs);
		i->imm = c->imm;
		break;
	case BI_ABORT:
		lower_insn(l, IR_intr, IR_NONE, NULL, 0)->ref = IN_exit;
		i = lower_insn(l, IR_fail, IR_NONE, NULL, 0);
		i->imm = ERR_ABORT;
		break;
	case BI_WARN:
		return emit_warning(l, args[0]);
	case BI_NAME:
		return lower_name(l, (enum ir_name_row)c->imm, args[0]);
	default:
		i = lower_insn(l, IR_intr, r, args, nargs);
		i->ref = c->intrinsic;
		if (ir_intrinsics[c->intrinsic].flags & IRF_FAIL)
			i->err = l->err;
		break;
	}
	if (i->err != IR_NONE)
		i->loc = lower_loc(l, at);
	return r == IR_NONE ? ir_num(0) : ir_reg(r);
}

/* The arguments of the built-in behind a wrapper, given the wrapper's own. */
static struct ir_val *wrapped_args(struct lower *l, const struct function *fn,
				   const struct expr *inner, const struct ir_val *args)
{
	struct ir_val *out = arena_alloc(l->arena, (inner->args.n + 1) * sizeof(*out));

	for (uint32_t i = 0; i < inner->args.n; i++) {
		struct expr *a = inner->args.v[i];

		if (a->kind != E_SYMBOL) {
			out[i] = lower_expr(l, a);
			continue;
		}
		for (uint32_t p = 0; p < fn->ast->params.n; p++)
			if (a->sym == fn->locals.v[p])
				out[i] = args[p];
	}
	return out;
}

struct ir_val lower_call_of(struct lower *l, const struct function *fn, const struct ir_val *args,
			    struct span at)
{
	const struct expr *inner = lower_wrapped(fn);
	enum ir_type ret;
	struct ir_insn *i;
	uint32_t r;

	if (inner) {
		const struct callee *c = inner->sym;
		struct ir_val v = lower_builtin(l, c, wrapped_args(l, fn, inner, args), inner->args.n, at);

		/* the value of what returns nothing: 0 or "", as its use wants */
		return c->result == IR_VOID && type_final(fn->ret) == T_STRING ? lower_str(l, "") : v;
	}
	ret = l->m->funcs.v[fn->index]->ret;
	r = ret == IR_VOID ? IR_NONE : lower_temp(l, ret);
	i = lower_insn(l, IR_call, r, args, fn->ast->params.n);
	i->ref = fn->index;
	i->loc = lower_loc(l, at);
	return r == IR_NONE ? ir_num(0) : ir_reg(r);
}

struct ir_val lower_call(struct lower *l, struct expr *x)
{
	const struct callee *c = x->sym;
	struct ir_val *args = lower_exprs(l, &x->args, NULL, 0);

	if (!c->fn)
		return lower_builtin(l, c, args, x->args.n, name_span(x));
	if (c->fn->ast->has_next)
		return overload_lower(l, c, l->m->funcs.v[c->fn->index]->ret, args, name_span(x));
	return lower_call_of(l, c->fn, args, name_span(x));
}

static bool is_plain_string(const struct fmt_spec *f)
{
	return f->conv == 's' && f->flag == FMT_F_NONE && f->width == FMT_NONE &&
	       f->prec == FMT_NONE;
}

static void add_arg(struct lower *l, struct fmt_build *b, const struct expr *x, struct ir_val v)
{
	if (x->kind == E_STRING)
		v = lower_str(l, x->str);
	fmt_build_arg(l, b, v, lower_type(x->type));
}

/* Constant text is cut at MAXSTRINGLEN as if it had been printed from a variable. */
static void add_value(struct lower *l, struct fmt_build *b, const struct expr *x, struct ir_val v,
		      const struct fmt_spec *spec)
{
	const char *s = x->kind == E_STRING ? x->str
			: v.kind == IRV_STR ? l->m->strings.v[v.str]
					    : NULL;

	if (s && is_plain_string(spec)) {
		fmt_build_lit(b, s, strnlen(s, (size_t)l->e->s->limits.maxstringlen - 1));
		return;
	}
	fmt_build_conv(b, spec);
	add_arg(l, b, x, v);
}

/* sprintf of memory: what is read becomes a string, and is printed as one. */
static void add_memory(struct lower *l, struct fmt_build *b, struct fmt_spec spec, struct ir_val addr,
		       const struct ir_val *count)
{
	struct ir_val args[] = { addr, ir_num(spec.prec < 0 ? 1 : spec.prec), ir_num(0) };
	uint32_t r = lower_temp(l, IR_STR);
	struct ir_insn *i;

	if (count)
		args[1] = *count;
	i = lower_insn(l, IR_loadbuf, r, args, 3);
	i->imm = (spec.flag == FMT_F_HASH ? IR_USER : IR_KERNEL) |
		 (spec.conv == 'M' ? IRB_HEX : IRB_TEXT);
	i->loc = lower_loc(l, b->at);
	if (spec.flag == FMT_F_HASH)
		spec.flag = FMT_F_NONE;
	spec.conv = 's';
	spec.prec = FMT_NONE;
	fmt_build_conv(b, &spec);
	fmt_build_arg(l, b, ir_reg(r), IR_STR);
}

/* A conversion with its '*'; @v: the values from the first '*' on. How many it takes. */
static uint32_t build_stars(struct lower *l, struct fmt_build *b, const struct fmt_spec *spec,
			    struct expr **x, const struct ir_val *v, bool to_string)
{
	bool width = spec->width == FMT_STAR, prec = spec->prec == FMT_STAR;
	uint32_t stars = width + prec;

	if (to_string && fmt_is_mem(spec)) {
		if (width)
			add_arg(l, b, x[0], v[0]);
		add_memory(l, b, *spec, v[stars], prec ? &v[stars - 1] : NULL);
		return stars + 1;
	}
	fmt_build_conv(b, spec);
	for (uint32_t n = 0; n <= stars; n++)
		add_arg(l, b, x[n], v[n]);
	return stars + 1;
}

static void build_printf(struct lower *l, struct fmt_build *b, struct expr *x,
			 const struct ir_val *v)
{
	const char *s = x->args.v[0]->str;
	struct fmt_piece p;
	uint32_t next = 1;

	while (fmt_next_piece(&s, &p) == 1) {
		if (p.lit) {
			fmt_build_lit(b, p.lit, p.lit_len);
			continue;
		}
		if (p.spec.width == FMT_STAR || p.spec.prec == FMT_STAR || fmt_is_mem(&p.spec)) {
			next += build_stars(l, b, &p.spec, &x->args.v[next], &v[next],
					    x->op & P_STRING);
			continue;
		}
		add_value(l, b, x->args.v[next], v[next], &p.spec);
		next++;
	}
}

static void build_print(struct lower *l, struct fmt_build *b, struct expr *x,
			const struct ir_val *v)
{
	static const struct fmt_spec character = { 'c', FMT_F_NONE, FMT_NONE, FMT_NONE };
	uint32_t first = x->op & P_DELIM ? 1 : 0;

	for (uint32_t n = first; n < x->args.n; n++) {
		const struct expr *a = x->args.v[n];

		if (n > first && first)
			fmt_build_lit(b, x->args.v[0]->str, strlen(x->args.v[0]->str));
		if (x->op & P_CHAR)
			add_value(l, b, a, v[n], &character);
		else
			add_value(l, b, a, v[n], a->type == T_STRING ? &plain_string : &plain_long);
	}
	if (x->op & P_NEWLINE)
		fmt_build_lit(b, "\n", 1);
}

/* The text ends in an empty line in any case: print and println of a histogram are one. */
static struct ir_val print_hist(struct lower *l, const struct expr *x, const struct expr *hist)
{
	struct ir_val *keys = lower_exprs(l, &hist->a->args, NULL, 0);
	uint32_t r;

	if (!(x->op & P_STRING)) {
		lower_aggregate(l, IR_hemit, IR_NONE, hist, keys, 0);
		return ir_num(0);
	}
	r = lower_temp(l, IR_STR);
	lower_aggregate(l, IR_hstr, r, hist, keys, 0);
	return ir_reg(r);
}

struct ir_val lower_print(struct lower *l, struct expr *x)
{
	struct ir_val *v = arena_alloc(l->arena, (x->args.n + 1) * sizeof(*v));
	struct fmt_build b;

	if (x->args.n == 1 && is_hist(x->args.v[0]))
		return print_hist(l, x, x->args.v[0]);
	/* constant strings have no value yet: most become part of the format */
	for (uint32_t n = 0; n < x->args.n; n++)
		if (x->args.v[n]->kind != E_STRING)
			v[n] = lower_nth(l, &x->args, n, NULL);
	fmt_build_init(&b);
	b.at = name_span(x);
	if (x->op & P_FORMAT)
		build_printf(l, &b, x, v);
	else
		build_print(l, &b, x, v);
	return fmt_build_end(l, &b, x->op & P_STRING, IRO_OUT);
}

static bool shared(const struct lower *l)
{
	return l->h && l->h->shared;
}

static struct ir_val site_num(struct lower *l, uint32_t n)
{
	uint32_t r = lower_temp(l, IR_I64);

	lower_insn(l, IR_sitenum, r, NULL, 0)->imm = n;
	return ir_reg(r);
}

static struct ir_val site_str(struct lower *l, uint32_t n)
{
	uint32_t r = lower_temp(l, IR_STR);

	lower_insn(l, IR_sitestr, r, NULL, 0)->imm = n;
	return ir_reg(r);
}

static struct ir_val lower_var(struct lower *l, const struct probe_var *v, bool user, struct span at)
{
	uint32_t r;
	struct ir_val n;
	struct ir_insn *i;

	switch (v->kind) {
	case PV_NUM:
		return shared(l) ? site_num(l, share_value(l, v->name, 1)->num) : ir_num(v->num);
	case PV_STR:
		return shared(l) ? site_str(l, share_value(l, v->name, 1)->str) : lower_str(l, v->str);
	case PV_SYM:
		break; /* has a path of its own */
	case PV_CALLERS:
		return lower_callers(l, v->callers, user, at);
	case PV_ARG:
		r = lower_temp(l, IR_I64);
		lower_insn(l, IR_arg, r, NULL, 0)->imm = v->n;
		return ir_reg(r);
	case PV_RETVAL:
		r = lower_temp(l, IR_I64);
		lower_insn(l, IR_retval, r, NULL, 0);
		return ir_reg(r);
	case PV_TPARG:
		r = lower_temp(l, IR_I64);
		i = lower_insn(l, IR_tparg, r, NULL, 0);
		i->imm = IR_MEM(v->width, v->is_signed) | IR_TPARG(v->n);
		return ir_reg(r);
	case PV_SYSARG:
		n = ir_num(v->n);
		r = lower_temp(l, IR_I64);
		lower_insn(l, IR_intr, r, &n, 1)->ref = IN_sysarg;
		return ir_reg(r);
	}
	return ir_num(0);
}

/* An argument narrower than its register: the callee may rely on its low bytes only. */
static struct ir_val narrowed(struct lower *l, const struct probe_var *v, struct ir_val x,
			      struct span at)
{
	int64_t bits = 64 - 8 * (int64_t)v->width;

	if ((v->kind != PV_ARG && v->kind != PV_RETVAL) || v->width == 0 || v->width >= 8)
		return x;
	x = lower_op2(l, IR_shl, x, ir_num(bits), at);
	return lower_op2(l, v->is_signed ? IR_shr : IR_ushr, x, ir_num(bits), at);
}

struct ir_val lower_plain_var(struct lower *l, const struct probe_var *v, bool user, struct span at)
{
	return narrowed(l, v, lower_var(l, v, user, at), at);
}

/* In a list: what stands for a variable that is no number; false: it is one. */
static bool list_other(struct fmt_build *b, const struct probe_var *v, struct path *p)
{
	const char *text = path_of_whole(v, p);

	if (text)
		fmt_build_lit(b, text, strlen(text));
	return text;
}

static const struct fmt_spec hex = { 'x', FMT_F_HASH, FMT_NONE, FMT_NONE };
static const struct fmt_spec text = { 's', FMT_F_NONE, FMT_NONE, FMT_NONE };

/* The list of a handler with several sites: names, widths and signs are the probe's. */
static struct ir_val lower_shared_list(struct lower *l, struct expr *x, const struct target *t)
{
	const struct site_value at = *share_value(l, x->name, t->list.n);
	struct fmt_build b;

	fmt_build_init(&b);
	for (uint32_t n = 0; n < t->list.n; n++) {
		const struct probe_var *v = t->list.v[n];
		struct ir_val sign = site_num(l, at.num + 2 * n + 1), value;
		struct path p = { .user = t->user };

		if (v->kind == PV_SYM) {
			path_of_whole(v, &p);
			p.width = 8;
			p.part_bits = 64;
			value = lower_symbol_var(l, &(struct target){ .var = v }, &p, x->at);
		} else {
			value = lower_var(l, v, t->user, x->at);
		}
		value = lower_op2(l, IR_and, value, site_num(l, at.num + 2 * n), x->at);
		value = lower_op2(l, IR_xor, value, sign, x->at);
		value = lower_op2(l, IR_sub, value, sign, x->at);
		if (n)
			fmt_build_lit(&b, " ", 1);
		fmt_build_conv(&b, &text);
		fmt_build_arg(l, &b, site_str(l, at.str + n), IR_STR);
		fmt_build_lit(&b, "=", 1);
		fmt_build_conv(&b, &hex);
		fmt_build_arg(l, &b, value, IR_I64);
	}
	return fmt_build_end(l, &b, true, IRO_OUT);
}

struct ir_val lower_target(struct lower *l, struct expr *x)
{
	const struct target *t = x->sym;
	struct fmt_build b;
	struct path p;

	if (t->path && t->var->kind != PV_SYM)
		return lower_path(l, lower_plain_var(l, t->var, t->user, x->at), t->path, x->at);
	if (t->path)
		return lower_symbol_var(l, t, t->path, x->at);
	if (t->var)
		return t->pretty && t->var->kind != PV_STR ? pretty_list(l, t, x->at)
							   : lower_plain_var(l, t->var, t->user, x->at);
	if (t->pretty)
		return pretty_list(l, t, x->at);
	if (shared(l))
		return lower_shared_list(l, x, t);
	fmt_build_init(&b);
	for (uint32_t n = 0; n < t->list.n; n++) {
		const struct probe_var *v = t->list.v[n];
		const char *name = v->name + (v->name[0] == '$');

		if (n)
			fmt_build_lit(&b, " ", 1);
		fmt_build_lit(&b, name, strlen(name));
		fmt_build_lit(&b, "=", 1);
		p = (struct path){ .user = t->user };
		if (v->kind == PV_SYM && list_other(&b, v, &p))
			continue;
		fmt_build_conv(&b, &hex);
		fmt_build_arg(l, &b,
			      v->kind == PV_SYM ? lower_symbol_var(l, &(struct target){ .var = v }, &p, x->at)
						: lower_plain_var(l, v, t->user, x->at),
			      IR_I64);
	}
	return fmt_build_end(l, &b, true, IRO_OUT);
}

/* A saved value of @entry, or memory. */
struct ir_val lower_atop(struct lower *l, struct expr *x)
{
	const struct entry *n;
	struct ir_insn *i;
	struct ir_val addr;
	uint32_t r;

	if (atop_is(x, "@cast"))
		return lower_path(l, lower_expr(l, x->args.v[0]), x->sym, x->at);
	if (atop_is(x, "@var"))
		return lower_symbol_var(l, x->sym, ((const struct target *)x->sym)->path, x->at);
	if (atop_is(x, "@uregister") || atop_is(x, "@kregister")) {
		r = lower_temp(l, IR_I64);
		lower_insn(l, IR_reg, r, NULL, 0)->imm = (uint32_t)x->args.v[0]->num;
		return ir_reg(r);
	}
	if (atop_is(x, "@entry")) {
		n = x->sym;
		return lower_expr(l, n->element);
	}
	addr = lower_expr(l, x->args.v[1]);
	r = lower_temp(l, IR_I64);
	i = lower_insn(l, IR_load, r, &addr, 1);
	i->imm = IR_MEM((uint32_t)x->args.v[0]->num, false) |
		 (atop_is(x, "@uderef") ? IR_USER : IR_KERNEL);
	i->loc = lower_loc(l, name_span(x));
	return ir_reg(r);
}
