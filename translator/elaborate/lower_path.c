/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of the probed code: the place found in debug information, then the steps to the value. */
#include "elaborate/internal.h"
#include "symbols/symbols.h"

#define STACK 64 /* of a location's program; deeper ones are damage */
#define CPU_WORD 8 /* bytes of an element of the kernel's __per_cpu_offset[] */

struct machine {
	struct lower *l;
	struct ir_val v[STACK];
	int n;
	const struct target *target;
	struct span at;
	bool user;
};

static struct ir_val pop(struct machine *m)
{
	return m->n ? m->v[--m->n] : ir_num(0);
}

static void push(struct machine *m, struct ir_val v)
{
	if (m->n < STACK)
		m->v[m->n++] = v;
}

static struct ir_val load_of(struct lower *l, struct ir_val addr, uint32_t mem, const char *core, struct span at)
{
	uint32_t r = lower_temp(l, IR_I64), aux = core ? ir_string(l->m, core) : 0;
	struct ir_insn *i = lower_insn(l, IR_load, r, &addr, 1);

	if (l->fault)
		i->err = l->fault;
	i->imm = mem;
	i->aux = aux;
	i->loc = lower_loc(l, at);
	return ir_reg(r);
}

struct ir_val lower_load(struct lower *l, struct ir_val addr, uint32_t mem, struct span at)
{
	return load_of(l, addr, mem, NULL, at);
}

static uint32_t space(bool user)
{
	return user ? IR_USER : IR_KERNEL;
}

static struct ir_val read_register(struct lower *l, uint32_t number)
{
	uint32_t r = lower_temp(l, IR_I64);

	lower_insn(l, IR_reg, r, NULL, 0)->imm = number;
	return ir_reg(r);
}

/* Operations of two operands; the left one lies deeper. */
static const struct {
	uint8_t op, ir;
} binary[] = {
	{ SL_ADD, IR_add }, { SL_SUB, IR_sub },  { SL_MUL, IR_mul }, { SL_DIV, IR_div },
	{ SL_MOD, IR_mod }, { SL_AND, IR_and },  { SL_OR, IR_or },   { SL_XOR, IR_xor },
	{ SL_SHL, IR_shl }, { SL_SHR, IR_ushr }, { SL_SAR, IR_shr }, { SL_EQ, IR_eq },
	{ SL_NE, IR_ne },   { SL_LT, IR_lt },    { SL_LE, IR_le },   { SL_GT, IR_gt },
	{ SL_GE, IR_ge },
};

static bool step_binary(struct machine *m, enum sym_lop op)
{
	struct ir_val a, b;

	for (size_t n = 0; n < sizeof(binary) / sizeof(binary[0]); n++)
		if (binary[n].op == op) {
			b = pop(m);
			a = pop(m);
			push(m, lower_op2(m->l, binary[n].ir, a, b, m->at));
			return true;
		}
	return false;
}

static void step_stack(struct machine *m, enum sym_lop op, int64_t num)
{
	struct ir_val a, b, c;

	switch (op) {
	case SL_DUP:
	case SL_PICK:
		if (op == SL_DUP)
			num = 0;
		push(m, num >= 0 && num < m->n ? m->v[m->n - 1 - num] : ir_num(0));
		break;
	case SL_DROP:
		pop(m);
		break;
	case SL_SWAP:
		b = pop(m);
		a = pop(m);
		push(m, b);
		push(m, a);
		break;
	case SL_ROT:
		c = pop(m);
		b = pop(m);
		a = pop(m);
		push(m, c);
		push(m, a);
		push(m, b);
		break;
	default:
		break;
	}
}

static struct ir_val placed(struct lower *l, const struct sym_place *p, struct span at)
{
	const struct ir_sym sym = { p->name, p->anchor, p->anchor_off };
	uint32_t r;

	if (!p->name)
		return ir_num((int64_t)p->add);
	r = lower_temp(l, IR_I64);
	lower_insn(l, IR_symaddr, r, NULL, 0)->ref = ir_sym_add(l->m, &sym);
	return p->add ? lower_op2(l, IR_add, ir_reg(r), ir_num((int64_t)p->add), at) : ir_reg(r);
}

/* Offsets are those of one build of the file. */
static void note_build(struct lower *l, struct sym_object *o)
{
	const char *module = sym_module_name(o);

	ir_build_add(l->m, module ? module : "kernel", sym_build_text(o));
}

struct ir_val lower_symaddr(struct lower *l, struct sym_object *o, uint64_t link, struct span at)
{
	struct sym_place p;

	if (!sym_place(o, link, &p)) {
		diag_internal(l->e->diag, at, "a variable of %s has no place", sym_object_path(o));
		return ir_num(0);
	}
	note_build(l, o);
	return placed(l, &p, at);
}

struct ir_val lower_percpu(struct lower *l, struct sym_object *o, uint64_t link, struct span at)
{
	struct sym_place base, offsets = { .name = "__per_cpu_offset" };
	uint32_t cpu = lower_temp(l, IR_I64);
	struct ir_val v;
	const char *why;
	uint64_t table;
	struct sym_object *kernel = sym_module_name(o) ? sym_open_kernel(l->e->env.symbols, &why) : o;

	if (!sym_place_percpu(o, link, &base)) {
		diag_internal(l->e->diag, at, "a variable of each CPU of %s has no place", sym_object_path(o));
		return ir_num(0);
	}
	note_build(l, o);
	if (sym_symbol_addr(kernel, offsets.name, &table))
		sym_place(kernel, table, &offsets);
	lower_insn(l, IR_intr, cpu, NULL, 0)->ref = IN_cpu;
	v = lower_op2(l, IR_mul, ir_reg(cpu), ir_num(CPU_WORD), at);
	v = lower_load(l, lower_op2(l, IR_add, placed(l, &offsets, at), v, at), IR_MEM(CPU_WORD, false) | IR_KERNEL, at);
	return lower_op2(l, IR_add, placed(l, &base, at), v, at);
}

/* A program is probed at a known place of its file: the instruction pointer there tells where it was loaded. */
static struct ir_val static_address(struct machine *m, int64_t link)
{
	int64_t pc = (int64_t)m->target->var->pc;
	struct ir_val ip;

	if (!m->target->var->user)
		return lower_symaddr(m->l, m->target->var->obj, (uint64_t)link, m->at);
	ip = m->target->entry_ip ? lower_expr(m->l, m->target->entry_ip) : read_register(m->l, SYM_MAXREG);
	return lower_op2(m->l, IR_add, ip, ir_num(link - pc), m->at);
}

static struct ir_val thread_pointer(struct machine *m)
{
	uint32_t r = lower_temp(m->l, IR_I64);

	lower_insn(m->l, IR_intr, r, NULL, 0)->ref = IN_thread_pointer;
	return ir_reg(r);
}

static struct ir_val absolute(struct machine *m, struct ir_val v)
{
	struct ir_val sign = lower_op2(m->l, IR_shr, v, ir_num(63), m->at);

	return lower_op2(m->l, IR_sub, lower_op2(m->l, IR_xor, v, sign, m->at), sign, m->at);
}

static void step(struct machine *m, const struct sym_lop_insn *s)
{
	if (step_binary(m, s->op))
		return;
	switch (s->op) {
	case SL_NUM:
		push(m, ir_num(s->num));
		break;
	case SL_REG:
		push(m, read_register(m->l, (uint32_t)s->num));
		break;
	case SL_STATIC:
		push(m, static_address(m, s->num));
		break;
	case SL_PERCPU:
		push(m, lower_percpu(m->l, m->target->var->obj, (uint64_t)s->num, m->at));
		break;
	case SL_LOAD:
		push(m,
		     lower_load(m->l, pop(m), IR_MEM((uint32_t)s->num, false) | space(m->user), m->at));
		break;
	case SL_THREAD:
		push(m, thread_pointer(m));
		break;
	case SL_ABS:
		push(m, absolute(m, pop(m)));
		break;
	case SL_NEG:
		push(m, lower_op1(m->l, IR_neg, pop(m)));
		break;
	case SL_NOT:
		push(m, lower_op1(m->l, IR_com, pop(m)));
		break;
	default:
		step_stack(m, s->op, s->num);
		break;
	}
}

static struct ir_val run(struct machine *m, const struct sym_piece *p)
{
	m->n = 0;
	for (uint32_t n = 0; n < p->ops.n; n++)
		step(m, &p->ops.v[n]);
	return pop(m);
}

struct ir_val lower_cut(struct lower *l, struct ir_val v, uint32_t bits, uint32_t from, bool is_signed,
			struct span at)
{
	if (!bits || bits >= 64)
		return v;
	v = lower_op2(l, IR_shl, v, ir_num(64 - (int64_t)bits - (int64_t)from), at);
	return lower_op2(l, is_signed ? IR_shr : IR_ushr, v, ir_num(64 - (int64_t)bits), at);
}

uint32_t lower_bytes(uint32_t bits)
{
	return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

/* @bits of one part, from its bit @from on. */
static struct ir_val part_bits(struct machine *m, const struct sym_piece *p, uint32_t from, uint32_t bits)
{
	struct ir_val v = run(m, p);

	if (!p->is_value) {
		v = lower_op2(m->l, IR_add, v, ir_num(from / 8), m->at);
		from %= 8;
		v = lower_load(m->l, v, IR_MEM(lower_bytes(from + bits), false) | space(m->user), m->at);
	}
	if (from)
		v = lower_op2(m->l, IR_ushr, v, ir_num(from), m->at);
	return lower_cut(m->l, v, bits, 0, false, m->at);
}

/* At most 64 bits of a variable in parts, each in a place of its own: put together, low end first. */
static struct ir_val join_parts(struct machine *m, const struct sym_loc *loc, uint64_t first, uint32_t bits)
{
	struct ir_val all = ir_num(0);
	uint64_t at = 0, end = first + bits;

	for (uint32_t n = 0; n < loc->pieces.n && at < end; n++) {
		const struct sym_piece *p = &loc->pieces.v[n];
		uint64_t to = p->bits ? at + p->bits : end, lo = at > first ? at : first;
		struct ir_val v;

		at = to;
		to = to < end ? to : end;
		if (lo >= to)
			continue;
		v = part_bits(m, p, (uint32_t)(lo - (at - (p->bits ? p->bits : end))), (uint32_t)(to - lo));
		if (lo > first)
			v = lower_op2(m->l, IR_shl, v, ir_num((int64_t)(lo - first)), m->at);
		all = all.kind == IRV_INT ? v : lower_op2(m->l, IR_or, all, v, m->at);
	}
	return all;
}

struct ir_val lower_steps(struct lower *l, struct ir_val v, const struct path *p)
{
	for (uint32_t n = 0; n < p->steps.n; n++) {
		const struct step *s = &p->steps.v[n];
		struct ir_val by = ir_num(s->n);

		switch (s->kind) {
		case STEP_OFFSET:
			if (s->core)
				by = lower_layout(l, IRL_OFFSET, s->n, s->core, s->at);
			v = lower_op2(l, IR_add, v, by, s->at);
			break;
		case STEP_INDEX:
			if (s->core)
				by = lower_layout(l, IRL_SIZE, s->n, s->core, s->at);
			by = lower_op2(l, IR_mul, lower_expr(l, s->index), by, s->at);
			v = lower_op2(l, IR_add, v, by, s->at);
			break;
		case STEP_LOAD:
			v = lower_load(l, v, IR_MEM(8, false) | space(p->user), s->at);
			break;
		}
	}
	return v;
}

/* As many bytes are read as hold the bits. */
static struct ir_val read_bits(struct lower *l, struct ir_val addr, const struct path *p,
			       struct span at)
{
	uint32_t width = lower_bytes(p->bit_offset + p->bit_size);
	int64_t up = 64 - (int64_t)p->bit_size - (int64_t)p->bit_offset, down = 64 - (int64_t)p->bit_size;
	struct ir_val v = load_of(l, addr, IR_MEM(width, false) | space(p->user), p->core, at);

	if (!p->core)
		return lower_cut(l, v, p->bit_size, p->bit_offset, p->is_signed, at);
	v = lower_op2(l, IR_shl, v, lower_layout(l, IRL_LSHIFT, up, p->core, at), at);
	return lower_op2(l, p->is_signed ? IR_shr : IR_ushr, v, lower_layout(l, IRL_RSHIFT, down, p->core, at),
			 at);
}

struct ir_val lower_path(struct lower *l, struct ir_val x, const struct path *p, struct span at)
{
	if (p->pretty)
		return pretty_path(l, x, p, at);
	return lower_at(l, lower_steps(l, x, p), p, at);
}

struct ir_val lower_at(struct lower *l, struct ir_val x, const struct path *p, struct span at)
{
	if (p->to_value && p->bit_size)
		return read_bits(l, x, p, at);
	if (p->to_value)
		return load_of(l, x, IR_MEM(p->width, p->is_signed) | space(p->user), p->core, at);
	if (!p->from_value || p->steps.n || !p->width)
		return x;
	/* a register holds more than a narrow variable */
	return lower_cut(l, x, p->bit_size ? p->bit_size : p->width * 8, 0, p->is_signed, at);
}

struct ir_val lower_base(struct lower *l, const struct target *t, const struct path *p, struct span at)
{
	struct machine m = { .l = l, .target = t, .at = at, .user = p->user };
	uint64_t first = p->part_offset * 8 + (p->to_value ? 0 : p->bit_offset);

	return p->from_value ? join_parts(&m, p->loc, first, p->part_bits) : run(&m, &p->loc->pieces.v[0]);
}

struct ir_val lower_parts(struct lower *l, const struct target *t, const struct sym_loc *loc, uint64_t first,
			  uint32_t bits, struct span at)
{
	struct machine m = { .l = l, .target = t, .at = at, .user = t->user };

	return join_parts(&m, loc, first, bits);
}

struct ir_val lower_part(struct lower *l, const struct target *t, const struct sym_piece *p, struct span at)
{
	struct machine m = { .l = l, .target = t, .at = at, .user = t->user };

	return run(&m, p);
}

struct ir_val lower_symbol_var(struct lower *l, const struct target *t, const struct path *p, struct span at)
{
	if (p->pretty)
		return pretty_symbol(l, t, p, at);
	return lower_path(l, lower_base(l, t, p, at), p, at);
}
