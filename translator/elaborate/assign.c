/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing what is probed, in guru mode: $x = 1, $p->flags |= 2, @cast(p, "t")->n++, $return = -2. A path (path.c) leads to
 * memory, or the whole variable is in registers, or in several places, each with some of its bits.
 */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

#define LAST_REGISTER 15 /* DWARF's number (x86-64): those behind are no operands of the program */
#define STACK_POINTER 7

/* Registers of the calling convention by DWARF numbers (System V ABI for x86-64). */
static const uint8_t arg_regs[] = { 5, 4, 1, 2, 8, 9 };
#define RESULT_REG 0

/* The bits that a path is about, of a variable in parts. */
static uint64_t first_bit(const struct path *p)
{
	return p->part_offset * 8 + p->bit_offset;
}

static bool is_register(const struct sym_piece *p)
{
	return p->is_value && p->ops.n == 1 && p->ops.v[0].op == SL_REG;
}

/* Why what is in a part cannot be changed, or NULL. */
static const char *fixed_part(const struct sym_piece *p)
{
	if (!p->ops.n)
		return p->why ? p->why : "it is optimised away";
	if (!p->is_value)
		return NULL;
	if (!is_register(p))
		return "it is computed from others and has no place of its own";
	if (p->ops.v[0].num > LAST_REGISTER || p->ops.v[0].num == STACK_POINTER)
		return "it is in a register that a probe may not change";
	return NULL;
}

static const char *fixed_parts(const struct path *p)
{
	uint64_t at = 0, end, first = first_bit(p);
	const char *why = NULL;

	for (uint32_t n = 0; p->loc && n < p->loc->pieces.n && !why; n++) {
		const struct sym_piece *piece = &p->loc->pieces.v[n];

		end = piece->bits ? at + piece->bits : UINT64_MAX;
		if (end > first && at < first + p->part_bits)
			why = fixed_part(piece);
		at = end;
	}
	return why;
}

/* What is at the end of a path lies in memory. */
static bool in_memory(const struct path *p)
{
	return p && p->to_value && !p->pretty;
}

/* Why a whole variable, which is not in memory, cannot be changed; NULL: it can. */
static const char *fixed_var(const struct target *t)
{
	const struct probe_var *v = t->var;

	if (!v || t->pretty)
		return "it is a text";
	switch (v->kind) {
	case PV_SYM:
		return fixed_parts(t->path);
	case PV_ARG:
		return v->n <= sizeof(arg_regs) ? NULL : "it is on the stack";
	case PV_RETVAL:
		return NULL;
	case PV_TPARG:
		return "arguments of tracepoints are copies; what they point to can be changed";
	case PV_NUM:
	case PV_STR:
		return "it is a constant";
	default:
		return "it is a value that is found out, not a place";
	}
}

static const char *fixed_path(const struct path *p)
{
	if (in_memory(p))
		return NULL;
	return p && p->pretty ? "it is a text" : "it is an address, or a whole array";
}

/* What a $variable or @var refers to; NULL for anything else. */
static const struct target *target_of(const struct expr *x)
{
	return x->kind == E_TARGET || atop_is(x, "@var") ? x->sym : NULL;
}

/* Why @x, which is inferred, cannot be changed; NULL: it can. */
static const char *fixed(const struct expr *x)
{
	const struct target *t = target_of(x);

	if (x->address_of)
		return "it is an address";
	if (t && t->path && (t->path->pretty || in_memory(t->path) || t->path->steps.n || !t->path->width))
		return fixed_path(t->path);
	if (t)
		return fixed_var(t);
	if (x->kind == E_SUFFIXED && x->a->kind == E_STAT)
		return "it is a count";
	if (x->kind == E_ATOP && !atop_is(x, "@cast"))
		return atop_is(x, "@entry") ? "it is what was kept when the function was entered" : "it is a value";
	return fixed_path(x->sym);
}

static bool is_guru(struct infer *i, const struct expr *x)
{
	if (i->e->s->guru || i->file->src->library)
		return true;
	diag_error(i->e->diag, TAG_PRIVILEGE, x->at, "changing what is probed needs guru mode");
	diag_hint(i->e->diag, "run stap with -g");
	return false;
}

struct tvar *assign_infer(struct infer *i, struct expr *x)
{
	uint32_t before = i->e->diag->errors;
	const char *why;
	struct tvar *t;

	if (!is_guru(i, x))
		return NULL;
	if (x->kind == E_SUFFIXED && x->a->kind == E_STAT)
		t = infer_hist_index(i, x);
	else
		t = x->kind == E_TARGET ? infer_target(i, x) : x->kind == E_ATOP ? infer_atop(i, x) : infer_autocast(i, x);
	if (i->e->diag->errors > before)
		return NULL;
	why = x->kind == E_NUMBER ? "it is a constant" : fixed(x);
	if (!why)
		return t;
	diag_error(i->e->diag, TAG_LVALUE, x->at, "this cannot be changed: %s", why);
	return NULL;
}

/* ---- lowering ---- */

/* Where the variable of an assignment is: at an address, or in registers. */
struct place {
	const struct path *path;
	const struct target *target; /* without an address */
	struct ir_val at;
	bool user;
	struct span span;
};

static struct place find_place(struct lower *l, struct expr *x)
{
	const struct target *t = target_of(x);
	struct place p = { .span = x->at };

	if (t) {
		p.path = t->path;
		p.user = t->user;
		if (!in_memory(t->path))
			p.target = t;
		else if (t->var->kind == PV_SYM)
			p.at = lower_steps(l, lower_base(l, t, p.path, x->at), p.path);
		else
			p.at = lower_steps(l, lower_plain_var(l, t->var, p.user, x->at), p.path);
		return p;
	}
	/* @cast(...), or a value whose type is known */
	p.path = x->sym;
	p.user = p.path->user;
	p.at = lower_steps(l, lower_expr(l, x->kind == E_ATOP ? x->args.v[0] : x->a), p.path);
	return p;
}

static struct ir_val read_place(struct lower *l, const struct place *p)
{
	if (!p->target)
		return lower_at(l, p->at, p->path, p->span);
	return p->target->var->kind == PV_SYM ? lower_symbol_var(l, p->target, p->path, p->span)
					      : lower_plain_var(l, p->target->var, p->user, p->span);
}

static void store(struct lower *l, struct ir_val addr, struct ir_val v, uint32_t bytes, const struct place *p)
{
	struct ir_val args[] = { addr, v };
	struct ir_insn *i = lower_insn(l, IR_store, IR_NONE, args, 2);

	i->imm = IR_MEM(bytes, false) | (p->user ? IR_USER : IR_KERNEL);
	i->loc = lower_loc(l, p->span);
}

static void set_register(struct lower *l, uint32_t number, struct ir_val v)
{
	lower_insn(l, IR_setreg, IR_NONE, &v, 1)->imm = number;
}

static uint64_t low_bits(uint32_t n)
{
	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

/* @old with its bits from @from on replaced by the low @bits of @v. */
static struct ir_val merged(struct lower *l, struct ir_val old, struct ir_val v, uint32_t bits, uint32_t from,
			    struct span at)
{
	uint64_t mask = low_bits(bits) << from;

	v = lower_op2(l, IR_and, lower_op2(l, IR_shl, v, ir_num(from), at), ir_num((int64_t)mask), at);
	return lower_op2(l, IR_or, lower_op2(l, IR_and, old, ir_num((int64_t)~mask), at), v, at);
}

/* @bits of what is at an address, from its bit @from on. */
static void write_bits(struct lower *l, const struct place *p, struct ir_val at, struct ir_val v, uint32_t bits,
		       uint32_t from)
{
	uint32_t bytes = lower_bytes(from + bits);
	struct ir_val old;

	if (from || bits != bytes * 8) {
		old = lower_load(l, at, IR_MEM(bytes, false) | (p->user ? IR_USER : IR_KERNEL), p->span);
		v = merged(l, old, v, bits, from, p->span);
	}
	store(l, at, v, bytes, p);
}

/* A register holds a narrow variable as the calling convention has it: extended. */
static struct ir_val extended(struct lower *l, struct ir_val v, uint32_t width, bool is_signed, struct span at)
{
	return width && width < 8 ? lower_cut(l, v, width * 8, 0, is_signed, at) : v;
}

/* Whether a part is all of a number. */
static bool is_whole(const struct place *p, const struct sym_piece *piece)
{
	return p->path->loc->pieces.n == 1 && !piece->bits && p->path->type == p->target->var->type &&
	       !p->path->part_offset && !p->path->bit_size;
}

static void write_part(struct lower *l, const struct place *p, const struct sym_piece *piece, struct ir_val v,
		       uint32_t bits, uint32_t from)
{
	struct ir_val at = lower_part(l, p->target, piece, p->span);

	if (!piece->is_value)
		write_bits(l, p, lower_op2(l, IR_add, at, ir_num(from / 8), p->span), v, bits, from % 8);
	else if (is_whole(p, piece))
		set_register(l, (uint32_t)piece->ops.v[0].num,
			     extended(l, v, p->path->width, p->path->is_signed, p->span));
	else
		set_register(l, (uint32_t)piece->ops.v[0].num, merged(l, at, v, bits, from, p->span));
}

static void write_parts(struct lower *l, const struct place *p, struct ir_val v)
{
	uint64_t at = 0, first = first_bit(p->path), end = first + p->path->part_bits, lo, hi, next;

	for (uint32_t n = 0; n < p->path->loc->pieces.n && at < end; n++, at = next) {
		const struct sym_piece *piece = &p->path->loc->pieces.v[n];
		struct ir_val some = v;

		next = piece->bits ? at + piece->bits : end;
		lo = at > first ? at : first;
		hi = next < end ? next : end;
		if (lo >= hi)
			continue;
		if (lo > first)
			some = lower_op2(l, IR_ushr, v, ir_num((int64_t)(lo - first)), p->span);
		write_part(l, p, piece, some, (uint32_t)(hi - lo), (uint32_t)(lo - at));
	}
}

static void write_place(struct lower *l, const struct place *p, struct ir_val v)
{
	const struct probe_var *var = p->target ? p->target->var : NULL;

	if (!var && p->path->bit_size)
		write_bits(l, p, p->at, v, p->path->bit_size, p->path->bit_offset);
	else if (!var)
		store(l, p->at, v, p->path->width, p);
	else if (var->kind == PV_SYM)
		write_parts(l, p, v);
	else
		set_register(l, var->kind == PV_ARG ? arg_regs[var->n - 1] : RESULT_REG,
			     extended(l, v, var->width, var->is_signed, p->span));
}

struct ir_val assign_lower(struct lower *l, struct expr *x)
{
	struct ir_val v = lower_expr(l, x->b);
	struct place p = find_place(l, x->a);

	if (x->op != B_NONE)
		v = lower_binary_op(l, x->op, read_place(l, &p), v, x->op_at.src ? x->op_at : x->at);
	write_place(l, &p, v);
	return v;
}

struct ir_val assign_incdec(struct lower *l, struct expr *x)
{
	bool inc = x->kind == E_PREINC || x->kind == E_POSTINC;
	struct place p = find_place(l, x->a);
	struct ir_val old = read_place(l, &p);
	struct ir_val now = lower_op2(l, IR_add, old, ir_num(inc ? 1 : -1), x->at);

	write_place(l, &p, now);
	return x->kind == E_POSTINC || x->kind == E_POSTDEC ? old : now;
}

/* ---- functions of the library ---- */

static void look_for_store(struct expr *x, void *arg)
{
	bool *found = arg;

	if (x->kind == E_CALL && (!strncmp(x->name, "__set_", 6) || !strncmp(x->name, "__storestr_", 11)))
		*found = true;
}

bool assign_in_body(const struct function *fn)
{
	bool found = false;
	struct tree_walker w = { .expr = look_for_store, .arg = &found };

	/* these bodies are a line or two */
	if (fn->file->src->library && fn->ast->body && !strncmp(fn->name, "set_", 4))
		tree_walk_stmt(&w, fn->ast->body);
	return found;
}
