/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where variables are: DWARF expressions become the small stack programs of struct sym_loc. What
 * a probe cannot know (values of registers in callers, implicit pointers) is said, not guessed.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"
#include "symbols/scope.h"

/* Operations with one meaning here: no operand, or the operand as the number. */
static const struct {
	uint8_t atom;
	enum sym_lop op;
} plain_ops[] = {
	{ DW_OP_dup, SL_DUP },   { DW_OP_drop, SL_DROP }, { DW_OP_swap, SL_SWAP },
	{ DW_OP_rot, SL_ROT },   { DW_OP_pick, SL_PICK }, { DW_OP_plus, SL_ADD },
	{ DW_OP_minus, SL_SUB }, { DW_OP_mul, SL_MUL },   { DW_OP_div, SL_DIV },
	{ DW_OP_mod, SL_MOD },   { DW_OP_and, SL_AND },   { DW_OP_or, SL_OR },
	{ DW_OP_xor, SL_XOR },   { DW_OP_shl, SL_SHL },   { DW_OP_shr, SL_SHR },
	{ DW_OP_shra, SL_SAR },  { DW_OP_neg, SL_NEG },   { DW_OP_not, SL_NOT },
	{ DW_OP_abs, SL_ABS },   { DW_OP_eq, SL_EQ },     { DW_OP_ne, SL_NE },
	{ DW_OP_lt, SL_LT },     { DW_OP_le, SL_LE },     { DW_OP_gt, SL_GT },
	{ DW_OP_ge, SL_GE },
};

/* The operand is a constant to push. */
static const uint8_t constants[] = {
	DW_OP_const1u, DW_OP_const1s, DW_OP_const2u, DW_OP_const2s, DW_OP_const4u,
	DW_OP_const4s, DW_OP_const8u, DW_OP_const8s, DW_OP_constu,  DW_OP_consts,
};

struct translate {
	struct sym_scope *sc;
	struct sym_piece *piece; /* being filled */
	unsigned int depth; /* of expressions within expressions */
};

static void put(struct translate *t, enum sym_lop op, int64_t num)
{
	vec_push(t->sc->obj->arena, &t->piece->ops, ((struct sym_lop_insn){ op, num }));
}

static const char *translate_ops(struct translate *t, const Dwarf_Op *ops, size_t n);

/* The canonical frame address, by the unwind tables. */
static const char *put_cfa(struct translate *t)
{
	struct sym_object *o = t->sc->obj;
	GElf_Addr bias = 0;
	Dwarf_CFI *cfis[2] = { dwfl_module_dwarf_cfi(o->mod, &bias), NULL };
	const char *why = "no unwind information covers this address";

	cfis[1] = dwfl_module_eh_cfi(o->mod, &bias);
	for (int i = 0; i < 2; i++) {
		Dwarf_Frame *frame;
		Dwarf_Op *ops;
		bool found;
		size_t n;

		/* .eh_frame is addressed as the file is loaded, without the bias */
		if (!cfis[i] || dwarf_cfi_addrframe(cfis[i], t->sc->pc, &frame))
			continue;
		found = !dwarf_frame_cfa(frame, &ops, &n) && n;
		why = found ? translate_ops(t, ops, n) : why;
		free(frame);
		if (found)
			return why;
	}
	return why;
}

/* The frame base of the function that the scope is in. */
static const char *put_frame_base(struct translate *t)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(&t->sc->frame, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation_addr(&attr, t->sc->pc, &ops, &n, 1) != 1)
		return "its function has no frame base here";
	/* a register as frame base means the register's value */
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) {
		put(t, SL_REG, ops[0].atom - DW_OP_reg0);
		return NULL;
	}
	return translate_ops(t, ops, n);
}

/* A value as it was at the function's entry: only a register's can be had, by a probe at the entry. */
static const char *put_entry_value(struct translate *t, const Dwarf_Op *op, Dwarf_Attribute *attr)
{
	Dwarf_Attribute sub;
	Dwarf_Op *ops;
	size_t n;
	int reg;

	if (dwarf_getlocation_attr(attr, op, &sub) || dwarf_getlocation(&sub, &ops, &n) || n != 1)
		return "it depends on a value of the caller";
	if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		reg = ops[0].atom - DW_OP_reg0;
	else if (ops[0].atom == DW_OP_regx)
		reg = (int)ops[0].number;
	else
		return "it depends on a value of the caller";
	put(t, t->sc->pc == t->sc->func.entry ? SL_REG : SL_ENTRY_REG, reg);
	return NULL;
}

static const char *put_base(struct translate *t, int64_t reg, int64_t offset)
{
	put(t, SL_REG, reg);
	if (offset) {
		put(t, SL_NUM, offset);
		put(t, SL_ADD, 0);
	}
	return NULL;
}

static const char *put_value_register(struct translate *t, int64_t reg)
{
	put(t, SL_REG, reg);
	t->piece->is_value = true;
	return NULL;
}

static const char *put_implicit(struct translate *t, const Dwarf_Op *op)
{
	Dwarf_Block block;
	Dwarf_Attribute *attr = t->sc->attr;
	int64_t v = 0;

	if (dwarf_getlocation_implicit_value(attr, op, &block) || block.length > sizeof(v))
		return "its value is a constant longer than 8 bytes";
	memcpy(&v, block.data, block.length);
	put(t, SL_NUM, v);
	t->piece->is_value = true;
	return NULL;
}

static bool put_table_op(struct translate *t, const Dwarf_Op *op)
{
	for (size_t i = 0; i < sizeof(plain_ops) / sizeof(plain_ops[0]); i++)
		if (plain_ops[i].atom == op->atom) {
			put(t, plain_ops[i].op, (int64_t)op->number);
			return true;
		}
	if (memchr(constants, op->atom, sizeof(constants)) ||
	    (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)) {
		put(t, SL_NUM,
		    op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31 ? op->atom - DW_OP_lit0
								      : (int64_t)op->number);
		return true;
	}
	return false;
}

static const char *put_fbreg(struct translate *t, int64_t offset)
{
	const char *why = put_frame_base(t);

	if (!why && offset) {
		put(t, SL_NUM, offset);
		put(t, SL_ADD, 0);
	}
	return why;
}

static const char *put_op(struct translate *t, const Dwarf_Op *op)
{
	struct sym_object *o = t->sc->obj;

	if (put_table_op(t, op))
		return NULL;
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		return put_value_register(t, op->atom - DW_OP_reg0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return put_base(t, op->atom - DW_OP_breg0, (int64_t)op->number);
	switch (op->atom) {
	case DW_OP_nop:
	case DW_OP_GNU_uninit:
		return NULL;
	case DW_OP_regx:
		return put_value_register(t, (int64_t)op->number);
	case DW_OP_bregx:
		return put_base(t, (int64_t)op->number, (int64_t)op->number2);
	case DW_OP_fbreg:
		return put_fbreg(t, (int64_t)op->number);
	case DW_OP_call_frame_cfa:
		return put_cfa(t);
	case DW_OP_addr:
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		put(t,
		    (o->kind == OBJ_KERNEL || o->kind == OBJ_MODULE) && object_is_percpu(o, op->number) ? SL_PERCPU
									     : SL_STATIC,
		    (int64_t)op->number);
		return NULL;
	case DW_OP_over:
		put(t, SL_PICK, 1);
		return NULL;
	case DW_OP_plus_uconst:
		put(t, SL_NUM, (int64_t)op->number);
		put(t, SL_ADD, 0);
		return NULL;
	case DW_OP_deref:
		put(t, SL_LOAD, 8);
		return NULL;
	case DW_OP_deref_size:
		put(t, SL_LOAD, (int64_t)op->number);
		return NULL;
	case DW_OP_stack_value:
		t->piece->is_value = true;
		return NULL;
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		put(t, SL_TLS, 0);
		return NULL;
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return put_entry_value(t, op, t->sc->attr);
	case DW_OP_implicit_value:
		return put_implicit(t, op);
	case DW_OP_GNU_parameter_ref:
		return "it is optimised away";
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		return "it points to what has no memory of its own here";
	default:
		return arena_printf(
			o->arena, "its location uses DWARF operation 0x%x, which is not known here",
			op->atom);
	}
}

static const char *translate_ops(struct translate *t, const Dwarf_Op *ops, size_t n)
{
	const char *why = NULL;

	if (++t->depth > 8)
		return "its location refers to itself";
	for (size_t i = 0; i < n && !why; i++)
		why = put_op(t, &ops[i]);
	t->depth--;
	return why;
}

/* Splits at DW_OP_piece: each part of the variable has a program of its own, or none. */
static const char *translate_location(struct sym_scope *sc, const Dwarf_Op *ops, size_t n,
				      struct sym_loc *out)
{
	struct sym_piece piece = { 0 };
	struct translate t = { .sc = sc, .piece = &piece };
	size_t from = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i <= n; i++) {
		bool end = i == n,
		     cut = !end && (ops[i].atom == DW_OP_piece || ops[i].atom == DW_OP_bit_piece);
		const char *why;

		if (!end && !cut)
			continue;
		if (end && out->pieces.n)
			break;
		why = translate_ops(&t, ops + from, i - from);
		if (why)
			return why;
		if (cut)
			piece.bits = (uint32_t)(ops[i].atom == DW_OP_piece ? ops[i].number * 8
									   : ops[i].number);
		vec_push(sc->obj->arena, &out->pieces, piece);
		memset(&piece, 0, sizeof(piece));
		from = i + 1;
	}
	return out->pieces.n && (out->pieces.n > 1 || out->pieces.v[0].ops.n)
		       ? NULL
		       : "it is optimised away";
}

static const char *constant_location(struct sym_scope *sc, Dwarf_Attribute *attr,
				     struct sym_loc *out)
{
	struct sym_piece piece = { .is_value = true };
	Dwarf_Sword v;
	Dwarf_Block block;
	int64_t num = 0;

	if (!dwarf_formsdata(attr, &v))
		num = v;
	else if (!dwarf_formblock(attr, &block) && block.length <= sizeof(num))
		memcpy(&num, block.data, block.length);
	else
		return "its value is a constant longer than 8 bytes";
	vec_push(sc->obj->arena, &piece.ops, ((struct sym_lop_insn){ SL_NUM, num }));
	memset(out, 0, sizeof(*out));
	vec_push(sc->obj->arena, &out->pieces, piece);
	return NULL;
}

/* "optimised away here; it has a place from line 10 on": the first range of its list, for the message. */
static const char *where_else(struct sym_scope *sc, Dwarf_Attribute *attr)
{
	struct arena *a = sc->obj->arena;
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;
	Dwarf_Op *ops;
	size_t n;
	const char *list = "";
	int shown = 0;

	while ((at = dwarf_getlocations(attr, at, &base, &lo, &hi, &ops, &n)) > 0 && shown < 4) {
		list = arena_printf(a, "%s%s%s+0x%llx..0x%llx", list, shown ? ", " : "",
				    sc->func.name, (unsigned long long)(lo - sc->func.entry),
				    (unsigned long long)(hi - sc->func.entry));
		shown++;
	}
	return shown ? arena_printf(a, "it is optimised away here; it has a place at %s%s", list,
				    at > 0 ? ", ..." : "")
		     : "it is optimised away";
}

/* Memory of the frame, which the prologue has not filled yet. */
static const char *locate_at_entry(struct sym_scope *sc, const struct sym_var *v,
				   const Dwarf_Op *ops, size_t n, struct sym_loc *out)
{
	struct sym_piece piece = { .is_value = true };
	int reg;

	switch (abi_locate(sc, v, &reg)) {
	case ABI_MEMORY:
		return translate_location(sc, ops, n, out);
	case ABI_REGISTER:
		vec_push(sc->obj->arena, &piece.ops, ((struct sym_lop_insn){ SL_REG, reg }));
		*out = (struct sym_loc){ 0 };
		vec_push(sc->obj->arena, &out->pieces, piece);
		return NULL;
	case ABI_VECTOR:
		return "it is in a floating-point register, which probes cannot read";
	default:
		return "how it is passed is not known here";
	}
}

const char *sym_locate(struct sym_scope *sc, const struct sym_var *v, struct sym_loc *out)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	Dwarf_Die die;
	size_t n;

	if (!dwarf_offdie(sc->obj->dw, v->handle, &die))
		return "its debug information is damaged";
	if (dwarf_attr_integrate(&die, DW_AT_const_value, &attr))
		return constant_location(sc, &attr, out);
	if (!dwarf_attr_integrate(&die, DW_AT_location, &attr))
		return "it is optimised away";
	if (dwarf_getlocation_addr(&attr, sc->pc, &ops, &n, 1) != 1 || !n)
		return where_else(sc, &attr);
	sc->attr = &attr;
	/* memory of the frame that the prologue has not filled yet */
	if (v->kind == SV_PARAM && sc->pc == sc->func.entry && sc->func.body > sc->func.entry &&
	    ops[0].atom == DW_OP_fbreg)
		return locate_at_entry(sc, v, ops, n, out);
	return translate_location(sc, ops, n, out);
}

const char *sym_locate_return(struct sym_scope *sc, struct sym_loc *out)
{
	const Dwarf_Op *ops;
	int n;

	n = dwfl_module_return_value_location(sc->obj->mod, &sc->frame, &ops);
	if (n <= 0)
		return n == 0 ? "the function returns nothing"
			      : "how its result is returned is not known here";
	return translate_location(sc, ops, (size_t)n, out);
}
