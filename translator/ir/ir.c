/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables made from the .def files, and building of modules. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "ir_int.h"

#define PURE IRF_PURE
#define FAIL IRF_FAIL
#define READ IRF_READ
#define WRITE IRF_WRITE
#define EFFECT IRF_EFFECT
#define TERM IRF_TERM
#define CTX IRF_CTX
#define RESULT_VOID IR_VOID
#define RESULT_I64 IR_I64
#define RESULT_STR IR_STR
#define RESULT_ANY IR_VOID
#define ANY_VOID false
#define ANY_I64 false
#define ANY_STR false
#define ANY_ANY true

const struct ir_op_info ir_ops[IR_OP_COUNT] = {
#define OP(name, result, operands, ref, flags)                                                     \
	{ #name, operands, RESULT_##result, ANY_##result, IRR_##ref, flags },
#include "ops.def"
#undef OP
};

const struct ir_intrinsic_info ir_intrinsics[IN_COUNT] = {
#define INTRINSIC(name, result, operands, flags, k, b, u)                                          \
	{ #name, operands, RESULT_##result, flags,                                                 \
	  ((k) ? SIDE_K : 0) | ((b) ? SIDE_B : 0) | ((u) ? SIDE_U : 0) },
#include "intrinsics.def"
#undef INTRINSIC
};

#define SESSION ATF_SESSION
#define TASK ATF_TASK
#define ARGS ATF_ARGS
#define RETVAL ATF_RETVAL
#define TPARGS ATF_TPARGS
#define PROC ATF_PROC
const struct ir_attach_info ir_attaches[AT_COUNT] = {
#define ATTACH(id, name, k, b, u, flags)                                                           \
	{ name, ((k) ? SIDE_K : 0) | ((b) ? SIDE_B : 0) | ((u) ? SIDE_U : 0), flags },
#include "attach.def"
#undef ATTACH
};

const char *const ir_error_text[ERR_COUNT] = {
#define ERR(id, text) text,
#include "errors.def"
#undef ERR
};

const char *const ir_error_name[ERR_COUNT] = {
#define ERR(id, text) #id,
#include "errors.def"
#undef ERR
};

const struct ir_limit_info ir_limit_table[] = {
#define LIMIT(NAME, field, def, lo, hi) { #NAME, offsetof(struct ir_limits, field), def, lo, hi },
#include "limits.def"
#undef LIMIT
};
const unsigned int ir_limit_n = sizeof(ir_limit_table) / sizeof(ir_limit_table[0]);

const char *const ir_stat_name[IRS_NSTAT] = { "count", "sum", "min", "max", "avg", "variance" };
const char *const ir_stream_name[2] = { "out", "warn" };
#define SEND(name, operands) #name,
const char *const ir_send_name[IR_SEND_COUNT] = {
#include "sends.def"
};
#undef SEND
#define SEND(name, operands) operands,
const char *const ir_send_operands[IR_SEND_COUNT] = {
#include "sends.def"
};
#undef SEND
const char *const ir_layout_name[IRL_N] = { "offset", "size", "lshift", "rshift" };
#define NAME(name, operand, user, k, b)                                                            \
	{ #name, operand, user, (k) * SIDE_K | (b) * SIDE_B | SIDE_U },
const struct ir_name_info ir_names[NM_COUNT] = {
#include "names.def"
};
#undef NAME
const char *const ir_buf_name[IRB_N] = { "text", "hex", "quoted" };

enum ir_send ir_send_find(const char *name)
{
	unsigned int i = 0;

	while (i < IR_SEND_COUNT && strcmp(ir_send_name[i], name) != 0)
		i++;
	return (enum ir_send)i;
}

enum ir_name_row ir_name_find(const char *name)
{
	unsigned int i = 0;

	while (i < NM_COUNT && strcmp(ir_names[i].name, name) != 0)
		i++;
	return (enum ir_name_row)i;
}

enum ir_type ir_name_operand(enum ir_name_row n)
{
	return ir_names[n].user || ir_names[n].operand == 's' ? IR_STR : IR_I64;
}

enum ir_intrinsic ir_intrinsic_find(const char *name)
{
	for (unsigned int i = 0; i < IN_COUNT; i++)
		if (strcmp(ir_intrinsics[i].name, name) == 0)
			return i;
	return IN_COUNT;
}

void ir_limits_default(struct ir_limits *l)
{
	for (unsigned int i = 0; i < ir_limit_n; i++)
		*ir_limit_field(l, &ir_limit_table[i]) = ir_limit_table[i].def;
}

int ir_limits_set(struct ir_limits *l, const char *name, int64_t v, int64_t *lo, int64_t *hi)
{
	for (unsigned int i = 0; i < ir_limit_n; i++) {
		const struct ir_limit_info *row = &ir_limit_table[i];

		if (strcmp(row->name, name) != 0)
			continue;
		if (lo)
			*lo = row->lo;
		if (hi)
			*hi = row->hi;
		if (v < row->lo || v > row->hi)
			return -ERANGE;
		*ir_limit_field(l, row) = v;
		return 0;
	}
	return -ENOENT;
}

const char *ir_type_name(enum ir_type t)
{
	static const char *const names[] = { "void", "long", "string" };

	return (unsigned int)t <= IR_STR ? names[t] : "?";
}

enum ir_imm ir_imm_kind(enum ir_op op)
{
	static const uint8_t kinds[IR_OP_COUNT] = {
		[IR_sget] = IMM_STAT,   [IR_it_stat] = IMM_STAT, [IR_emit] = IMM_STREAM,
		[IR_fail] = IMM_ERROR,  [IR_it_key] = IMM_NUM,  [IR_embed] = IMM_NUM,
		[IR_action] = IMM_NUM,   [IR_arg] = IMM_NUM,
		[IR_mhas_any] = IMM_NUM, [IR_mdel_any] = IMM_NUM,
		[IR_reg] = IMM_NUM,      [IR_layout] = IMM_LAYOUT,
		[IR_sitenum] = IMM_NUM,  [IR_sitestr] = IMM_NUM,
		[IR_setreg] = IMM_NUM,   [IR_store] = IMM_MEM,   [IR_storestr] = IMM_MEM,
		[IR_tparg] = IMM_TPARG, [IR_load] = IMM_MEM,     [IR_loadstr] = IMM_MEM,
		[IR_emitmem] = IMM_STREAM, [IR_loadbuf] = IMM_BUF, [IR_send] = IMM_SEND,
		[IR_name] = IMM_NAME, [IR_stack] = IMM_NUM,
	};

	return kinds[op];
}

void ir_hist_complete(struct agg_hist *h)
{
	h->buckets = h->kind == AGG_HIST_LOG      ? AGG_LOG_BUCKETS
		     : h->kind == AGG_HIST_LINEAR ? agg_linear_buckets(h->lo, h->hi, h->width)
						  : 0;
}

struct ir_module *ir_module_new(struct arena *a)
{
	struct ir_module *m = arena_new(a, struct ir_module);

	m->arena = a;
	m->name = "";
	ir_limits_default(&m->limits);
	ir_string(m, "");
	return m;
}

static uint32_t string_hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h ^ h >> 15;
}

/* The slot that holds @s, or the empty one where it belongs. Slots hold an index + 1. */
static uint32_t *string_slot(const struct ir_module *m, const char *s)
{
	uint32_t mask = m->string_cap - 1;
	uint32_t at = string_hash(s) & mask;

	while (m->string_slots[at] && strcmp(m->strings.v[m->string_slots[at] - 1], s) != 0)
		at = (at + 1) & mask;
	return &m->string_slots[at];
}

static void string_rehash(struct ir_module *m)
{
	/* a module that was read from an image has its strings, but no slots yet */
	m->string_cap = m->string_cap ? m->string_cap : 64;
	while (m->string_cap < (m->strings.n + 1) * 2)
		m->string_cap *= 2;
	m->string_slots = arena_alloc(m->arena, m->string_cap * sizeof(*m->string_slots));
	for (uint32_t i = 0; i < m->strings.n; i++) {
		uint32_t *slot = string_slot(m, m->strings.v[i]);

		if (!*slot)
			*slot = i + 1;
	}
}

uint32_t ir_string(struct ir_module *m, const char *s)
{
	uint32_t *slot;

	if (m->string_cap < (m->strings.n + 1) * 2)
		string_rehash(m);
	slot = string_slot(m, s);
	if (!*slot) {
		vec_push(m->arena, &m->strings, arena_strdup(m->arena, s));
		*slot = m->strings.n;
	}
	return *slot - 1;
}

struct ir_func *ir_func_new(struct ir_module *m, const char *name, bool handler, uint32_t *index)
{
	struct ir_func *f = arena_new(m->arena, struct ir_func);

	f->name = name;
	f->is_handler = handler;
	f->ret = IR_VOID;
	if (index)
		*index = m->funcs.n;
	vec_push(m->arena, &m->funcs, f);
	return f;
}

uint32_t ir_new_reg(struct ir_module *m, struct ir_func *f, enum ir_type t, const char *name)
{
	vec_push(m->arena, &f->regs, t);
	vec_push(m->arena, &f->reg_names, name);
	return f->regs.n - 1;
}

uint32_t ir_new_block(struct ir_module *m, struct ir_func *f)
{
	vec_push(m->arena, &f->blocks, arena_new(m->arena, struct ir_block));
	return f->blocks.n - 1;
}

struct ir_insn *ir_add(struct ir_module *m, struct ir_func *f, uint32_t block, enum ir_op op,
		       uint32_t dst, const struct ir_val *args, uint32_t nargs)
{
	struct ir_block *b = f->blocks.v[block];
	struct ir_insn i = {
		.op = (uint8_t)op,
		.dst = dst,
		.ref = IR_NONE,
		.err = IR_NONE,
		.nargs = nargs,
		.succ = { IR_NONE, IR_NONE },
	};

	if (nargs) {
		i.args = arena_alloc(m->arena, nargs * sizeof(*args));
		memcpy(i.args, args, nargs * sizeof(*args));
	}
	vec_push(m->arena, &b->insns, i);
	return &b->insns.v[b->insns.n - 1];
}

static bool spec_eq(const struct fmt_spec *a, const struct fmt_spec *b)
{
	return a->conv == b->conv && a->flag == b->flag && a->width == b->width &&
	       a->prec == b->prec;
}

static bool piece_eq(const struct fmt_piece *a, const struct fmt_piece *b)
{
	if (!a->lit != !b->lit)
		return false;
	if (!a->lit)
		return spec_eq(&a->spec, &b->spec);
	return a->lit_len == b->lit_len && memcmp(a->lit, b->lit, a->lit_len) == 0;
}

static bool fmt_eq(const struct ir_fmt *a, const struct ir_fmt *b)
{
	if (a->pieces.n != b->pieces.n || a->args.n != b->args.n)
		return false;
	for (uint32_t i = 0; i < a->args.n; i++)
		if (a->args.v[i] != b->args.v[i])
			return false;
	for (uint32_t i = 0; i < a->pieces.n; i++)
		if (!piece_eq(&a->pieces.v[i], &b->pieces.v[i]))
			return false;
	return true;
}

struct ir_fmt *ir_fmt_parse(struct arena *a, const char *text, const enum ir_type *args,
			    uint32_t nargs)
{
	struct ir_fmt *fmt = arena_new(a, struct ir_fmt);
	struct fmt_piece p;
	int r;

	while ((r = fmt_next_piece(&text, &p)) > 0)
		vec_push(a, &fmt->pieces, p);
	for (uint32_t i = 0; i < nargs; i++)
		vec_push(a, &fmt->args, args[i]);
	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		const struct fmt_spec *spec = &fmt->pieces.v[i].spec;

		if (fmt->pieces.v[i].lit)
			continue;
		if (spec->width == FMT_STAR)
			vec_push(a, &fmt->specs, NULL);
		if (spec->prec == FMT_STAR)
			vec_push(a, &fmt->specs, NULL);
		vec_push(a, &fmt->specs, spec);
	}
	return r < 0 ? NULL : fmt;
}

bool ir_fmt_mem(const struct ir_fmt *f, uint32_t n, uint32_t *star, uint32_t *count)
{
	const struct fmt_spec *spec = n < f->specs.n ? f->specs.v[n] : NULL;

	if (!spec || !fmt_is_mem(spec))
		return false;
	*star = spec->prec == FMT_STAR ? n - 1 : IR_NONE;
	*count = spec->prec < 0 ? 1 : (uint32_t)spec->prec;
	return true;
}

bool ir_fmt_has_mem(const struct ir_fmt *f)
{
	uint32_t star, count, n = 0;

	while (n < f->specs.n && !ir_fmt_mem(f, n, &star, &count))
		n++;
	return n < f->specs.n;
}

bool ir_fmt_has_names(const struct ir_fmt *f)
{
	uint32_t n = 0;

	while (n < f->specs.n && !(f->specs.v[n] && f->specs.v[n]->conv == FMT_NAME))
		n++;
	return n < f->specs.n;
}

uint32_t ir_fmt_add(struct ir_module *m, const char *text, const enum ir_type *args, uint32_t nargs)
{
	struct ir_fmt *fmt = ir_fmt_parse(m->arena, text, args, nargs);

	if (!fmt)
		return IR_NONE;
	for (uint32_t i = 0; i < m->fmts.n; i++)
		if (fmt_eq(m->fmts.v[i], fmt))
			return i;
	vec_push(m->arena, &m->fmts, fmt);
	return m->fmts.n - 1;
}

void ir_fmt_text(struct buf *out, const struct ir_fmt *fmt)
{
	static const char flags[] = { 0, '0', '+', '-', ' ', '#' };

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		const struct fmt_piece *p = &fmt->pieces.v[i];

		for (uint32_t k = 0; p->lit && k < p->lit_len; k++) {
			if (p->lit[k] == '%')
				buf_putc(out, '%');
			buf_putc(out, p->lit[k]);
		}
		if (p->lit)
			continue;
		buf_putc(out, '%');
		if (p->spec.flag > FMT_F_NONE && p->spec.flag <= FMT_F_HASH)
			buf_putc(out, flags[p->spec.flag]);
		if (p->spec.width == FMT_STAR)
			buf_putc(out, '*');
		else if (p->spec.width >= 0)
			buf_printf(out, "%d", p->spec.width);
		if (p->spec.prec == FMT_STAR)
			buf_puts(out, ".*");
		else if (p->spec.prec >= 0)
			buf_printf(out, ".%d", p->spec.prec);
		buf_putc(out, p->spec.conv);
	}
}

bool ir_spec_type(const struct fmt_spec *spec, enum ir_type *out)
{
	*out = spec->conv == 's' ? IR_STR : IR_I64;
	if (spec->conv != FMT_NAME)
		return true;
	if (spec->prec < 0 || spec->prec >= NM_COUNT)
		return false;
	*out = ir_name_operand((enum ir_name_row)spec->prec);
	return true;
}

uint32_t ir_sym_add(struct ir_module *m, const struct ir_sym *sym)
{
	for (uint32_t i = 0; i < m->syms.n; i++)
		if (!strcmp(m->syms.v[i].name, sym->name))
			return i;
	vec_push(m->arena, &m->syms, *sym);
	return m->syms.n - 1;
}

void ir_build_add(struct ir_module *m, const char *object, const char *id)
{
	for (uint32_t i = 0; i < m->builds.n; i++)
		if (!strcmp(m->builds.v[i].object, object))
			return;
	if (id)
		vec_push(m->arena, &m->builds, ((struct ir_build){ object, id }));
}

bool ir_embed_global(const char **at, uint32_t *global, bool *write)
{
	const char *p = *at;

	while (*p == ' ')
		p++;
	if ((*p != 'r' && *p != 'w') || p[1] < '0' || p[1] > '9')
		return false;
	*write = *p++ == 'w';
	for (*global = 0; *p >= '0' && *p <= '9' && *global < 100000000; p++)
		*global = *global * 10 + (uint32_t)(*p - '0');
	*at = p;
	return true;
}

unsigned int ir_insn_flags(const struct ir_insn *i)
{
	unsigned int flags = ir_ops[i->op].flags;

	return i->op == IR_intr && i->ref < IN_COUNT ? flags | ir_intrinsics[i->ref].flags : flags;
}

bool ir_block_ended(const struct ir_func *f, uint32_t block)
{
	const struct ir_block *b = f->blocks.v[block];

	return b->insns.n && (ir_ops[b->insns.v[b->insns.n - 1].op].flags & IRF_TERM);
}

const struct ir_global *ir_insn_global(const struct ir_module *m, const struct ir_func *f,
				       const struct ir_insn *i)
{
	switch (ir_ops[i->op].ref) {
	case IRR_GLOBAL:
		return m->globals.v[i->ref];
	case IRR_ITER:
		return m->globals.v[f->iters.v[i->ref].global];
	default:
		return NULL;
	}
}

enum ir_type ir_val_type(const struct ir_func *f, struct ir_val v)
{
	switch (v.kind) {
	case IRV_REG:
		return v.reg < f->regs.n ? f->regs.v[v.reg] : IR_VOID;
	case IRV_INT:
		return IR_I64;
	case IRV_STR:
		return IR_STR;
	}
	return IR_VOID;
}

void ir_error_render(struct buf *out, const struct ir_module *m, enum ir_error kind,
		     int64_t operand, const char *text)
{
	const char *t = (unsigned int)kind < ERR_COUNT ? ir_error_text[kind] : "unknown error %d";

	for (; *t; t++) {
		if (*t != '%' || !t[1]) {
			buf_putc(out, *t);
			continue;
		}
		t++;
		if (*t == 'd')
			buf_printf(out, "%" PRId64, operand);
		else if (*t == 'x')
			buf_printf(out, "%" PRIx64, (uint64_t)operand);
		else if (*t == 's')
			buf_puts(out, text ? text : "");
		else if (operand >= 0 && operand < m->globals.n)
			buf_puts(out, m->globals.v[operand]->name);
		else
			buf_puts(out, "?");
	}
}
