/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/unwind.h"

#include <dwarf.h>
#include <stddef.h>
#include <string.h>

#include "staprun/names.h"
#include "staprun/uobject.h"

#define OPS_MOST 200u /* steps of one expression */
#define EXPR_DEPTH 32u

void unwind_init(struct unwind *u, const void *regs, const unsigned char *stack, uint64_t size)
{
	/* DWARF's order, as places in struct pt_regs */
	static const uint8_t at[UR_N] = { 10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16 };

	for (unsigned int r = 0; r < UR_N; r++)
		memcpy(&u->reg[r], (const char *)regs + 8 * (size_t)at[r], 8);
	u->known = (1u << UR_N) - 1;
	u->stack = stack;
	u->at = u->reg[UR_SP];
	u->size = size;
	u->exact = true;
}

static bool read_stack(const struct unwind *u, uint64_t addr, uint64_t n, uint64_t *out)
{
	*out = 0;
	if (n > 8 || addr < u->at || addr - u->at > u->size || u->size - (addr - u->at) < n)
		return false;
	memcpy(out, u->stack + (addr - u->at), n);
	return true;
}

/* ---- DWARF expressions, as far as unwind tables use them ---- */

struct expr {
	const struct unwind *u;
	uint64_t cfa, v[EXPR_DEPTH];
	unsigned int n;
	bool is_value; /* the result is the value, not where it is */
};

static bool push(struct expr *x, uint64_t v)
{
	if (x->n == EXPR_DEPTH)
		return false;
	x->v[x->n++] = v;
	return true;
}

static bool push_reg(struct expr *x, uint64_t reg, uint64_t plus)
{
	return reg < UR_N && x->u->known >> reg & 1 && push(x, x->u->reg[reg] + plus);
}

static bool binary(struct expr *x, unsigned int op)
{
	uint64_t a, b, r;

	if (x->n < 2)
		return false;
	b = x->v[--x->n];
	a = x->v[--x->n];
	switch (op) {
	case DW_OP_plus: r = a + b; break;
	case DW_OP_minus: r = a - b; break;
	case DW_OP_mul: r = a * b; break;
	case DW_OP_and: r = a & b; break;
	case DW_OP_or: r = a | b; break;
	case DW_OP_xor: r = a ^ b; break;
	case DW_OP_shl: r = b < 64 ? a << b : 0; break;
	case DW_OP_shr: r = b < 64 ? a >> b : 0; break;
	case DW_OP_shra: r = (uint64_t)((int64_t)a >> (b < 64 ? b : 63)); break;
	case DW_OP_eq: r = a == b; break;
	case DW_OP_ne: r = a != b; break;
	case DW_OP_lt: r = (int64_t)a < (int64_t)b; break;
	case DW_OP_le: r = (int64_t)a <= (int64_t)b; break;
	case DW_OP_gt: r = (int64_t)a > (int64_t)b; break;
	case DW_OP_ge: r = (int64_t)a >= (int64_t)b; break;
	default: return false;
	}
	return push(x, r);
}

static bool unary(struct expr *x, const Dwarf_Op *op)
{
	uint64_t *top = &x->v[x->n - 1];

	switch (op->atom) {
	case DW_OP_plus_uconst:
		*top += op->number;
		return true;
	case DW_OP_neg:
		*top = 0 - *top;
		return true;
	case DW_OP_not:
		*top = ~*top;
		return true;
	case DW_OP_deref:
		return read_stack(x->u, *top, 8, top);
	case DW_OP_deref_size:
		return read_stack(x->u, *top, op->number, top);
	case DW_OP_dup:
		return push(x, *top);
	case DW_OP_drop:
		x->n--;
		return true;
	default:
		return binary(x, op->atom);
	}
}

static bool one_op(struct expr *x, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(x, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_reg(x, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		x->is_value = true;
		return push_reg(x, op->atom - DW_OP_reg0, 0);
	}
	switch (op->atom) {
	case DW_OP_const1u: case DW_OP_const1s: case DW_OP_const2u: case DW_OP_const2s:
	case DW_OP_const4u: case DW_OP_const4s: case DW_OP_const8u: case DW_OP_const8s:
	case DW_OP_constu: case DW_OP_consts: case DW_OP_addr:
		return push(x, op->number);
	case DW_OP_regx:
		x->is_value = true;
		return push_reg(x, op->number, 0);
	case DW_OP_bregx:
		return push_reg(x, op->number, op->number2);
	case DW_OP_call_frame_cfa:
		return push(x, x->cfa);
	case DW_OP_stack_value:
		x->is_value = true;
		return true;
	case DW_OP_nop:
		return true;
	default:
		return x->n && unary(x, op);
	}
}

static bool evaluate(struct expr *x, const Dwarf_Op *ops, size_t n, uint64_t *out)
{
	if (n > OPS_MOST)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!one_op(x, &ops[i]))
			return false;
	*out = x->n ? x->v[x->n - 1] : 0;
	return x->n;
}

/* ---- frames ---- */

/* The caller's register @r. False: not known. */
static bool caller_reg(const struct unwind *u, Dwarf_Frame *f, uint64_t cfa, int r, uint64_t *out)
{
	struct expr x = { .u = u, .cfa = cfa };
	Dwarf_Op mem[3], *ops;
	size_t n;

	if (!uframe_register(f, r, mem, &ops, &n))
		return false;
	if (!n && ops == mem)
		return false; /* undefined */
	if (!n) {
		*out = u->reg[r]; /* the same */
		return u->known >> r & 1;
	}
	return evaluate(&x, ops, n, out) && (x.is_value || read_stack(u, *out, 8, out));
}

static bool step_by_table(struct unwind *u, Dwarf_Frame *f)
{
	struct expr x = { .u = u };
	uint64_t cfa, reg[UR_N] = { 0 };
	uint32_t known = 0;
	Dwarf_Op *ops;
	size_t n;

	if (!uframe_cfa(f, &ops, &n) || !evaluate(&x, ops, n, &cfa))
		return false;
	for (int r = 0; r < UR_N; r++)
		if (r != UR_SP && caller_reg(u, f, cfa, r, &reg[r]))
			known |= 1u << r;
	if (!(known >> UR_IP & 1) || !reg[UR_IP] || cfa <= u->reg[UR_SP])
		return false;
	reg[UR_SP] = cfa;
	memcpy(u->reg, reg, sizeof(reg));
	u->known = known | 1u << UR_SP;
	u->exact = uframe_signal(f);
	return true;
}

/* What has no table: code that keeps a frame pointer, or that has not yet set it. */
static bool step_by_pointer(struct unwind *u, bool at_entry)
{
	uint64_t bp = u->reg[UR_BP], ip, up = bp;

	if (at_entry) {
		if (!read_stack(u, u->reg[UR_SP], 8, &ip) || !ip)
			return false;
		u->reg[UR_SP] += 8;
	} else {
		if (!(u->known >> UR_BP & 1) || bp < u->reg[UR_SP] || !read_stack(u, bp, 8, &up) ||
		    !read_stack(u, bp + 8, 8, &ip) || !ip)
			return false;
		u->reg[UR_SP] = bp + 16;
		u->reg[UR_BP] = up;
	}
	u->reg[UR_IP] = ip;
	u->known = 1u << UR_BP | 1u << UR_SP | 1u << UR_IP;
	u->exact = false;
	return true;
}

bool unwind_step(struct unwind *u)
{
	uint64_t pc = u->reg[UR_IP] - !u->exact, addr, offset = 1, size;
	struct uobject *o = names_object(u->names, u->pid, u->time, pc, &addr);
	Dwarf_Frame *f = o ? uframe_at(o, addr) : NULL;
	bool ok;

	if (f) {
		ok = step_by_table(u, f);
		uframe_free(f);
		return ok;
	}
	if (o && !uobject_symbol(o, addr, &offset, &size))
		offset = 1;
	return step_by_pointer(u, u->exact && !offset);
}
