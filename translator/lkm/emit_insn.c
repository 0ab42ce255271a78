/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One IR operation as C. Every row of ops.def has its function here: a missing one does not link.
 */
#include "base/record.h"
#include "lkm/emit.h"

#define EMIT_MAXARGS 64 /* of one record: its mask of strings has that many bits */
#define EMIT_MAXTPARGS 12 /* SP_MAXTPARGS of abi.h */

#define OP_FN(name) static void emit_##name(struct lkm_emit *e, const struct ir_insn *i)

static void put_val(struct lkm_emit *e, struct ir_val v)
{
	switch (v.kind) {
	case IRV_REG:
		if (e->f->regs.v[v.reg] == IR_STR)
			lkm_put_string_reg(e, v.reg);
		else
			buf_printf(e->out,
				   e->lf->spilled && v.reg >= e->f->nparams ? "n[%u]" : "r%u",
				   v.reg);
		break;
	case IRV_INT:
		if (v.num == INT64_MIN)
			buf_puts(e->out, "(-0x7fffffffffffffffLL - 1)");
		else
			buf_printf(e->out, v.num < 0 ? "(%lldLL)" : "%lldLL", (long long)v.num);
		break;
	case IRV_STR:
		lkm_put_string(e, e->m->strings.v[v.str]);
		break;
	}
}

static bool val_is_str(const struct lkm_emit *e, struct ir_val v)
{
	return v.kind == IRV_STR || (v.kind == IRV_REG && e->f->regs.v[v.reg] == IR_STR);
}

/* Text with $0 .. $9 for operands, $d for the destination, $i for imm. */
static void put(struct lkm_emit *e, const struct ir_insn *i, const char *text)
{
	for (; *text; text++) {
		if (*text != '$') {
			buf_putc(e->out, *text);
			continue;
		}
		text++;
		if (*text == 'd')
			put_val(e, ir_reg(i->dst));
		else if (*text == 'i')
			buf_printf(e->out, "%u", i->imm);
		else
			put_val(e, i->args[*text - '0']);
	}
}

static void line(struct lkm_emit *e, const struct ir_insn *i, const char *text)
{
	buf_putc(e->out, '\t');
	put(e, i, text);
	buf_puts(e->out, ";\n");
}

/* Where the failure is and goes. The error but for its place is set. */
static void put_failure(struct lkm_emit *e, const struct ir_insn *i)
{
	buf_printf(e->out, "\t\tc->err.loc = %u;\n\t\tc->err.ncalls = 0;\n\t\tgoto b%u;\n",
		   i->loc, i->err);
}

/* Behind a condition: where a failure continues. The error but for its place is set. */
static void put_failed(struct lkm_emit *e, const struct ir_insn *i)
{
	buf_puts(e->out, " {\n");
	put_failure(e, i);
	buf_puts(e->out, "\t}\n");
}

/* A call that yields nonzero, with the error set, when it fails. */
static void failing(struct lkm_emit *e, const struct ir_insn *i, const char *text)
{
	buf_puts(e->out, "\tif (__builtin_expect(");
	put(e, i, text);
	buf_puts(e->out, ", 0))");
	put_failed(e, i);
}

/* ---- numbers ---- */

#define NUMBER(name, text)                                                                         \
	OP_FN(name)                                                                                \
	{                                                                                          \
		line(e, i, "$d = " text);                                                          \
	}

NUMBER(mov, "$0")
NUMBER(add, "(s64)((u64)$0 + (u64)$1)")
NUMBER(sub, "(s64)((u64)$0 - (u64)$1)")
NUMBER(mul, "(s64)((u64)$0 * (u64)$1)")
NUMBER(and, "$0 & $1")
NUMBER(or, "$0 | $1")
NUMBER(xor, "$0 ^ $1")
NUMBER(shl, "(s64)((u64)$0 << ($1 & 63))")
NUMBER(shr, "$0 >> ($1 & 63)")
NUMBER(ushr, "(s64)((u64)$0 >> ($1 & 63))")
NUMBER(neg, "(s64)(0 - (u64)$0)")
NUMBER(com, "~$0")
NUMBER(eq, "$0 == $1")
NUMBER(ne, "$0 != $1")
NUMBER(lt, "$0 < $1")
NUMBER(le, "$0 <= $1")
NUMBER(gt, "$0 > $1")
NUMBER(ge, "$0 >= $1")

static void divide(struct lkm_emit *e, const struct ir_insn *i, const char *text)
{
	put(e, i,
	    "\tif (__builtin_expect($1 == 0, 0)) {\n\t\tc->err.kind = SP_ERR_DIV0;\n\t\tc->err.operand = 0;\n");
	put_failure(e, i);
	buf_puts(e->out, "\t}\n");
	line(e, i, text);
}

OP_FN(div)
{
	divide(e, i, "$d = sp_div($0, $1)");
}

OP_FN(mod)
{
	divide(e, i, "$d = sp_mod($0, $1)");
}

/* ---- strings ---- */

OP_FN(smov)
{
	line(e, i, "sp_str_copy($d, $0)");
}

OP_FN(scat)
{
	line(e, i, "sp_str_cat($d, $0, $1)");
}

NUMBER(scmp, "sp_str_cmp($0, $1)")
NUMBER(seq, "sp_str_eq($0, $1)")

OP_FN(match)
{
	put(e, i, "\t$d = ");
	buf_printf(e->out, "sp_match(&re%u, ", i->ref);
	put(e, i, "$0);\n");
}

OP_FN(capture)
{
	put(e, i, "\t$d = ");
	buf_printf(e->out, "sp_capture(c, &re%u, ", i->ref);
	put(e, i, "$0);\n");
}

/* ---- globals ---- */

OP_FN(gget)
{
	if (e->m->globals.v[i->ref]->type == IR_STR) {
		put(e, i, "\tsp_str_copy($d, ");
		buf_printf(e->out, "g%u);\n", i->ref);
	} else {
		put(e, i, "\t$d = ");
		buf_printf(e->out, "g%u;\n", i->ref);
	}
}

OP_FN(gset)
{
	if (e->m->globals.v[i->ref]->type == IR_STR) {
		buf_printf(e->out, "\tsp_str_copy(g%u, ", i->ref);
		put(e, i, "$0);\n");
	} else {
		buf_printf(e->out, "\tg%u = ", i->ref);
		put(e, i, "$0;\n");
	}
}

/* @n operands from @from on into the function's array; returns how a call names it. */
static const char *put_list_from(struct lkm_emit *e, const struct ir_insn *i, uint32_t from,
				 uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		buf_printf(e->out, "\tlist[%u].%s = ", k,
			   val_is_str(e, i->args[from + k]) ? "str" : "num");
		put_val(e, i->args[from + k]);
		buf_puts(e->out, ";\n");
	}
	return n ? "list" : "NULL";
}

static const char *put_list(struct lkm_emit *e, const struct ir_insn *i, uint32_t n)
{
	return put_list_from(e, i, 0, n);
}

static const char *put_keys(struct lkm_emit *e, const struct ir_insn *i)
{
	return put_list(e, i, e->m->globals.v[i->ref]->nkeys);
}

/* "fn(c, global, keys" and then @rest, where the operand after the keys is $v. */
static void put_map_call(struct lkm_emit *e, const struct ir_insn *i, const char *fn,
			 const char *keys, const char *rest)
{
	uint32_t nkeys = e->m->globals.v[i->ref]->nkeys;

	buf_printf(e->out, "%s(c, %u, %s", fn, i->ref, keys);
	for (; *rest; rest++) {
		if (rest[0] == '$' && rest[1] == 'v') {
			put_val(e, i->args[nkeys]);
			rest++;
		} else if (rest[0] == '$' && rest[1] == 'd') {
			put_val(e, ir_reg(i->dst));
			rest++;
		} else if (rest[0] == '$') {
			buf_printf(e->out, "%u", i->imm);
			rest++;
		} else {
			buf_putc(e->out, *rest);
		}
	}
	buf_putc(e->out, ')');
}

static void failing_map(struct lkm_emit *e, const struct ir_insn *i, const char *fn,
			const char *rest)
{
	const char *keys = put_keys(e, i);

	buf_puts(e->out, "\tif (__builtin_expect(");
	put_map_call(e, i, fn, keys, rest);
	buf_puts(e->out, ", 0))");
	put_failed(e, i);
}

static void map_line(struct lkm_emit *e, const struct ir_insn *i, const char *before,
		     const char *fn, const char *rest)
{
	const char *keys = put_keys(e, i);

	buf_putc(e->out, '\t');
	put(e, i, before);
	put_map_call(e, i, fn, keys, rest);
	buf_puts(e->out, ";\n");
}

OP_FN(mget)
{
	if (e->m->globals.v[i->ref]->type == IR_STR)
		map_line(e, i, "", "sp_map_str", ", $d");
	else
		map_line(e, i, "$d = ", "sp_map_num", "");
}

OP_FN(mset)
{
	failing_map(e, i,
		    e->m->globals.v[i->ref]->type == IR_STR ? "sp_map_set_str" : "sp_map_set_num",
		    ", $v");
}

/* The destination of a failing operation stays as it was: the result goes to "to" first. */
static void into(struct lkm_emit *e, const struct ir_insn *i,
		 void (*call)(struct lkm_emit *, const struct ir_insn *))
{
	call(e, i);
	if (i->dst != IR_NONE)
		line(e, i, "$d = to");
}

static void madd_call(struct lkm_emit *e, const struct ir_insn *i)
{
	failing_map(e, i, "sp_map_add", ", $v, &to");
}

OP_FN(madd)
{
	into(e, i, madd_call);
}

OP_FN(mhas)
{
	map_line(e, i, "$d = ", "sp_map_has", "");
}

OP_FN(mdel)
{
	map_line(e, i, "", "sp_map_del", "");
}

/* "fn(c, global, mask, keys)" */
static void put_slice_call(struct lkm_emit *e, const struct ir_insn *i, const char *before,
			   const char *fn)
{
	const char *keys = put_list(e, i, i->nargs);

	buf_putc(e->out, '\t');
	put(e, i, before);
	buf_printf(e->out, "%s(c, %u, %u, %s);\n", fn, i->ref, i->imm, keys);
}

OP_FN(mhas_any)
{
	put_slice_call(e, i, "$d = ", "sp_map_has_any");
}

OP_FN(mdel_any)
{
	put_slice_call(e, i, "", "sp_map_del_any");
}

OP_FN(mclear)
{
	buf_printf(e->out, "\tsp_map_clear(c, %u);\n", i->ref);
}

OP_FN(sadd)
{
	failing_map(e, i, "sp_stat_add", ", $v");
}

static void sget_call(struct lkm_emit *e, const struct ir_insn *i)
{
	failing_map(e, i, "sp_stat_get", ", $i, &to");
}

OP_FN(sget)
{
	into(e, i, sget_call);
}

static void hget_call(struct lkm_emit *e, const struct ir_insn *i)
{
	failing_map(e, i, "sp_hist_get", ", $v, &to");
}

OP_FN(hget)
{
	into(e, i, hget_call);
}

OP_FN(hemit)
{
	failing_map(e, i, "sp_hist_emit", "");
}

OP_FN(hstr)
{
	failing_map(e, i, "sp_hist_text", ", $d");
}

/* ---- foreach ---- */

static uint32_t iter_of(const struct lkm_emit *e, const struct ir_insn *i)
{
	return e->lf->iter_base + i->ref;
}

OP_FN(it_begin)
{
	const char *keys = put_list_from(e, i, 1, i->nargs - 1);

	buf_printf(e->out, "\tif (__builtin_expect(sp_it_begin(c, %u, ", iter_of(e, i));
	put(e, i, "$0");
	buf_printf(e->out, ", %s), 0))", keys);
	put_failed(e, i);
}

OP_FN(it_next)
{
	put(e, i, "\t$d = sp_it_next(c, ");
	buf_printf(e->out, "%u);\n", iter_of(e, i));
}

OP_FN(it_key)
{
	bool str = e->f->regs.v[i->dst] == IR_STR;

	put(e, i, str ? "\tsp_it_key_str(c, " : "\t$d = sp_it_key_num(c, ");
	buf_printf(e->out, "%u, ", iter_of(e, i));
	put(e, i, str ? "$i, $d);\n" : "$i);\n");
}

OP_FN(it_val)
{
	bool str = e->f->regs.v[i->dst] == IR_STR;

	put(e, i, str ? "\tsp_it_val_str(c, " : "\t$d = sp_it_val_num(c, ");
	buf_printf(e->out, "%u", iter_of(e, i));
	put(e, i, str ? ", $d);\n" : ");\n");
}

static void it_stat_call(struct lkm_emit *e, const struct ir_insn *i)
{
	buf_printf(e->out, "\tif (__builtin_expect(sp_it_stat(c, %u, %u, &to), 0))", iter_of(e, i),
		   i->imm);
	put_failed(e, i);
}

OP_FN(it_stat)
{
	into(e, i, it_stat_call);
}

OP_FN(it_end)
{
	buf_printf(e->out, "\tsp_it_end(c, %u);\n", iter_of(e, i));
}

/* ---- calls ---- */

/* The kernel's stack is small: every call looks at what is left of it. */
static void check_nesting(struct lkm_emit *e, const struct ir_insn *i)
{
	buf_puts(e->out, "\tif (__builtin_expect(sp_stack_low(c)");
	if (e->m->funcs.v[i->ref]->recursive)
		buf_printf(e->out, " || c->depth >= %lld", (long long)e->m->limits.maxnesting);
	buf_puts(e->out, ", 0)) {\n\t\tc->err.kind = SP_ERR_NESTING;\n\t\tc->err.operand = 0;\n");
	put_failure(e, i);
	buf_puts(e->out, "\t}\n");
}

static void call_itself(struct lkm_emit *e, const struct ir_insn *i)
{
	const struct ir_func *f = e->m->funcs.v[i->ref];

	check_nesting(e, i);
	if (f->recursive)
		buf_puts(e->out, "\tc->depth++;\n");
	buf_printf(e->out, "\tfailed = f%u(c", i->ref);
	if (f->ret == IR_I64)
		buf_puts(e->out, ", &to");
	else if (f->ret == IR_STR && i->dst != IR_NONE)
		put(e, i, ", $d");
	else if (f->ret == IR_STR)
		buf_puts(e->out, ", c->scratch");
	for (uint32_t k = 0; k < i->nargs; k++) {
		buf_puts(e->out, ", ");
		put_val(e, i->args[k]);
	}
	buf_puts(e->out, f->recursive ? ");\n\tc->depth--;\n" : ");\n");
	buf_printf(e->out,
		   "\tif (__builtin_expect(failed, 0)) {\n\t\tsp_call_failed(c, %u);\n\t\tgoto b%u;\n\t}\n",
		   i->loc, i->err);
}

OP_FN(call)
{
	const struct ir_func *f = e->m->funcs.v[i->ref];

	call_itself(e, i);
	if (f->ret == IR_I64 && i->dst != IR_NONE)
		line(e, i, "$d = to");
}

static void embed_call(struct lkm_emit *e, const struct ir_insn *i)
{
	bool text = i->dst != IR_NONE && e->f->regs.v[i->dst] == IR_STR;

	buf_printf(e->out, "\tif (__builtin_expect(sp_embed_%u(c, ", i->ref);
	put(e, i, text ? "$d" : i->dst == IR_NONE ? "NULL" : "&to");
	for (uint32_t k = 0; k < i->nargs; k++) {
		buf_puts(e->out, ", ");
		put_val(e, i->args[k]);
	}
	buf_puts(e->out, "), 0))");
	put_failed(e, i);
}

OP_FN(embed)
{
	embed_call(e, i);
	if (i->dst != IR_NONE && e->f->regs.v[i->dst] == IR_I64)
		line(e, i, "$d = to");
}

OP_FN(intr)
{
	const struct ir_intrinsic_info *in = &ir_intrinsics[i->ref];

	buf_putc(e->out, '\t');
	if (in->result == IR_I64 && i->dst != IR_NONE)
		put(e, i, "$d = ");
	buf_printf(e->out, "sp_in_%s(c", in->name);
	if (in->result == IR_STR)
		put(e, i, i->dst == IR_NONE ? ", c->scratch" : ", $d");
	for (uint32_t k = 0; k < i->nargs; k++) {
		buf_puts(e->out, ", ");
		put_val(e, i->args[k]);
	}
	buf_puts(e->out, ");\n");
}

/* ---- output ---- */

/* False after an error: the mask of strings has as many bits as a record has arguments. */
static bool check_args(struct lkm_emit *e, const struct ir_insn *i)
{
	if (i->nargs <= EMIT_MAXARGS)
		return true;
	diag_error(e->diag, TAG_LIMIT, SPAN_NONE,
		   "a print takes %u values, the module runtime at most %u", i->nargs,
		   EMIT_MAXARGS);
	diag_hint(e->diag, "print the values in two statements");
	return false;
}

/* "c, TYPE, id, n, strings, list" */
static void put_record(struct lkm_emit *e, const struct ir_insn *i, const char *list)
{
	uint64_t strings = 0;

	for (uint32_t k = 0; k < i->nargs; k++)
		strings |= (uint64_t)val_is_str(e, i->args[k]) << k;
	buf_printf(e->out, "c, %u, %u, %u, 0x%llxULL, %s",
		   i->imm == IRO_WARN ? REC_WARN : REC_PRINT, i->ref, i->nargs,
		   (unsigned long long)strings, list);
}

OP_FN(emit)
{
	const char *list;

	if (!check_args(e, i))
		return;
	list = put_list(e, i, i->nargs);
	buf_puts(e->out, "\tsp_emit(");
	put_record(e, i, list);
	buf_puts(e->out, ");\n");
}

/* The descriptions of the arguments that are addresses; how many. */
static uint32_t put_mem_args(struct lkm_emit *e, const struct ir_insn *i)
{
	const struct ir_fmt *fmt = e->m->fmts.v[i->ref];
	uint32_t n = 0, star, count;

	buf_puts(e->out, "\t\tstatic const struct sp_mem_arg mem[] = {");
	for (uint32_t k = 0; k < i->nargs; k++) {
		if (!ir_fmt_mem(fmt, k, &star, &count))
			continue;
		buf_printf(e->out, "%s { %u, %u, %d, %d }", n++ ? "," : "", k, count,
			   fmt->specs.v[k]->flag == FMT_F_HASH, star != IR_NONE);
	}
	buf_puts(e->out, " };\n");
	return n;
}

OP_FN(send)
{
	const char *list = put_list(e, i, i->nargs);
	uint64_t strings = 0;

	for (uint32_t k = 0; k < i->nargs; k++)
		strings |= (uint64_t)val_is_str(e, i->args[k]) << k;
	buf_printf(e->out, "\tsp_emit(c, %u, %u, %u, 0x%llxULL, %s);\n", REC_SEND, i->imm, i->nargs,
		   (unsigned long long)strings, list);
}

OP_FN(emitmem)
{
	const char *list;
	uint32_t n;

	if (!check_args(e, i))
		return;
	list = put_list(e, i, i->nargs);
	buf_puts(e->out, "\t{\n");
	n = put_mem_args(e, i);
	buf_puts(e->out, "\t\tfailed = sp_emit_mem(");
	put_record(e, i, list);
	buf_printf(e->out, ", mem, %u);\n\t}\n\tif (__builtin_expect(failed, 0))", n);
	put_failed(e, i);
}

/* A width or precision: a number, none, or the next argument. */
static void put_size(struct lkm_emit *e, const struct ir_insn *i, int v, uint32_t *at)
{
	if (v != FMT_STAR) {
		buf_printf(e->out, ", %d", v);
		return;
	}
	buf_puts(e->out, ", fmt_star(");
	put_val(e, i->args[(*at)++]);
	buf_putc(e->out, ')');
}

static void put_spec(struct lkm_emit *e, const struct ir_insn *i, const struct fmt_spec *spec,
		     uint32_t *at)
{
	buf_printf(e->out, "\tspec = (struct fmt_spec){ '%c', %u", spec->conv, spec->flag);
	put_size(e, i, spec->width, at);
	put_size(e, i, spec->prec, at);
	buf_puts(e->out, " };\n");
}

static void put_piece(struct lkm_emit *e, const struct ir_insn *i, const struct fmt_piece *p,
		      uint32_t *at)
{
	if (p->lit) {
		buf_puts(e->out, "\tfmt_lit(&o, \"");
		buf_put_escaped(e->out, p->lit, p->lit_len);
		buf_printf(e->out, "\", %u);\n", p->lit_len);
		return;
	}
	put_spec(e, i, &p->spec, at);
	if (val_is_str(e, i->args[*at])) {
		buf_puts(e->out, "\tfmt_str(&o, &spec, ");
		put_val(e, i->args[*at]);
		buf_puts(e->out, ", sp_in_strlen(c, ");
		put_val(e, i->args[*at]);
		buf_puts(e->out, "));\n");
	} else {
		buf_puts(e->out, "\tfmt_int(&o, &spec, ");
		put_val(e, i->args[*at]);
		buf_puts(e->out, ");\n");
	}
	++*at;
}

/* Into a place of its own first: the destination may be one of the arguments. */
OP_FN(sfmt)
{
	const struct ir_fmt *fmt = e->m->fmts.v[i->ref];
	uint32_t at = 0;

	buf_printf(e->out, "\to = (struct fmt_out){ c->scratch, 0, %lld };\n",
		   (long long)e->m->limits.maxstringlen);
	for (uint32_t k = 0; k < fmt->pieces.n; k++)
		put_piece(e, i, &fmt->pieces.v[k], &at);
	put(e, i, "\tfmt_end(&o);\n\tsp_str_copy($d, c->scratch);\n");
}

/* ---- errors ---- */

OP_FN(raise)
{
	put(e, i, "\tsp_raise(c, $0);\n");
	put_failure(e, i);
}

OP_FN(fail)
{
	put(e, i, "\tc->err.kind = $i;\n\tc->err.operand = ");
	put(e, i, i->nargs ? "$0" : "0");
	buf_puts(e->out, ";\n");
	put_failure(e, i);
}

NUMBER(errkind, "c->err.kind")

OP_FN(errmsg)
{
	line(e, i, "sp_errmsg(c, $d)");
}

OP_FN(errclear)
{
	line(e, i, "c->err.kind = 0");
}

OP_FN(action)
{
	failing(e, i, "(c->actions -= $i) < 0 && sp_more_actions(c)");
}

/* ---- the hit's context ---- */

NUMBER(arg, "sp_arg(c, $i)")
NUMBER(retval, "sp_retval(c)")
NUMBER(frame, "sp_frame(c)")
NUMBER(reg, "sp_reg(c, $i)")

OP_FN(symaddr)
{
	put(e, i, "\t$d = ");
	buf_printf(e->out, "(s64)syms[%u].addr;\n", i->ref);
}

OP_FN(name)
{
	line(e, i, val_is_str(e, i->args[0]) ? "sp_name(c, $i, 0, $0, $d)" : "sp_name(c, $i, $0, NULL, $d)");
}

OP_FN(stack)
{
	line(e, i, "sp_stack(c, $i, $0, $1, $2)");
}

static const char *narrow_type(uint32_t mem)
{
	static const char *const types[2][9] = {
		{ [1] = "u8", [2] = "u16", [4] = "u32", [8] = "u64" },
		{ [1] = "s8", [2] = "s16", [4] = "s32", [8] = "s64" },
	};

	return types[IR_MEM_SIGNED(mem)][IR_MEM_WIDTH(mem) > 8 ? 8 : IR_MEM_WIDTH(mem)];
}

OP_FN(sitenum)
{
	put(e, i, "\t$d = ");
	buf_printf(e->out, "c->probe->nums[%u];\n", i->imm);
}

OP_FN(sitestr)
{
	put(e, i, "\tsp_str_copy($d, ");
	buf_printf(e->out, "c->probe->strs[%u]);\n", i->imm);
}

OP_FN(tparg)
{
	if (IR_TPARG_N(i->imm) >= EMIT_MAXTPARGS)
		diag_error(
			e->diag, TAG_LIMIT, SPAN_NONE,
			"the module runtime reads a tracepoint's first %u arguments, not argument %u",
			EMIT_MAXTPARGS, IR_TPARG_N(i->imm) + 1);
	put(e, i, "\t$d = ");
	buf_printf(e->out, "(s64)(%s)c->tparg[%u];\n", narrow_type(i->imm), IR_TPARG_N(i->imm));
}

static void load_call(struct lkm_emit *e, const struct ir_insn *i)
{
	failing(e, i, "sp_load(c, $0, $i, &to)");
}

/* The module is for one kernel: see ir_fix_layouts(). */
NUMBER(layout, "$0")

OP_FN(load)
{
	into(e, i, load_call);
}

OP_FN(loadstr)
{
	if (i->dst != IR_NONE)
		failing(e, i, "sp_loadstr(c, $0, $1, $i, $d)");
	else
		failing(e, i, "sp_loadstr(c, $0, $1, $i, c->scratch)");
}

OP_FN(loadbuf)
{
	failing(e, i,
		i->dst != IR_NONE ? "sp_loadbuf(c, $0, $1, $2, $i, $d)"
				  : "sp_loadbuf(c, $0, $1, $2, $i, c->scratch)");
}

OP_FN(store)
{
	failing(e, i, "sp_store(c, $0, $1, $i)");
}

OP_FN(storestr)
{
	failing(e, i, "sp_storestr(c, $0, $1, $2, $i)");
}

OP_FN(setreg)
{
	line(e, i, "sp_setreg(c, $i, $0)");
}

/* ---- block ends ---- */

static void leave(struct lkm_emit *e, int status)
{
	for (uint32_t k = 0; k < e->f->iters.n && !e->f->is_handler; k++)
		buf_printf(e->out, "\tsp_it_end(c, %u);\n", e->lf->iter_base + k);
	buf_printf(e->out, "\tc->frame = frame;\n\treturn %d;\n", status);
}

OP_FN(jmp)
{
	buf_printf(e->out, "\tgoto b%u;\n", i->succ[0]);
}

OP_FN(br)
{
	put(e, i, "\tif ($0)\n");
	buf_printf(e->out, "\t\tgoto b%u;\n\tgoto b%u;\n", i->succ[0], i->succ[1]);
}

OP_FN(ret)
{
	if (i->nargs)
		line(e, i, e->f->ret == IR_STR ? "sp_str_copy(result, $0)" : "*result = $0");
	leave(e, 0);
}

OP_FN(done)
{
	(void)i;
	leave(e, 0);
}

OP_FN(abort)
{
	(void)i;
	leave(e, 1);
}

void lkm_emit_insn(struct lkm_emit *e, const struct ir_insn *i)
{
	static void (*const fns[IR_OP_COUNT])(struct lkm_emit *, const struct ir_insn *) = {
#define OP(name, result, operands, ref, flags) [IR_##name] = emit_##name,
#include "ir/ops.def"
#undef OP
	};

	fns[i->op](e, i);
}
