/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DWARF expressions become the small stack programs of struct sym_loc. What a probe cannot know (values of
 * registers in callers, pointers to what is no more) is said, not guessed.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/scope.h"

#define MAXSTACK 64 /* of an expression; deeper is damage */
#define MAXDEPTH 8 /* of expressions within expressions */

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

/* An item's type: all items are kept in 64 bits, narrow ones as their type extends them. */
struct item {
	uint8_t bytes; /* 0: generic, the size of an address */
	bool is_unsigned;
};

struct translate {
	struct sym_scope *sc;
	struct sym_piece *piece; /* being filled */
	struct item stack[MAXSTACK];
	uint32_t nstack;
	unsigned int depth; /* of expressions within expressions */
};

static const char *translate_ops(struct translate *t, const Dwarf_Op *ops, size_t n);

static void put_raw(struct translate *t, enum sym_lop op, int64_t num)
{
	vec_push(t->sc->obj->arena, &t->piece->ops, ((struct sym_lop_insn){ op, num }));
}

static struct item *top(struct translate *t, uint32_t n)
{
	static struct item none;

	return n < t->nstack ? &t->stack[t->nstack - 1 - n] : &none;
}

static void push_item(struct translate *t, struct item i)
{
	if (t->nstack < MAXSTACK)
		t->stack[t->nstack++] = i;
}

static void drop_items(struct translate *t, uint32_t n)
{
	t->nstack -= n < t->nstack ? n : t->nstack;
}

/* Makes the top what its type can hold. */
static void put_extend(struct translate *t, struct item i)
{
	if (!i.bytes || i.bytes >= 8)
		return;
	put_raw(t, SL_NUM, 64 - 8 * i.bytes);
	put_raw(t, SL_SHL, 0);
	put_raw(t, SL_NUM, 64 - 8 * i.bytes);
	put_raw(t, i.is_unsigned ? SL_SHR : SL_SAR, 0);
}

static bool compares(enum sym_lop op)
{
	return op >= SL_EQ && op <= SL_GE;
}

/* Two operands of one type; of a shift the left one says it. */
static const char *put_binary(struct translate *t, enum sym_lop op)
{
	struct item i = *top(t, 1), generic = { 0 };
	bool orders = op == SL_DIV || op == SL_MOD || (compares(op) && op > SL_NE);

	if (i.bytes == 8 && i.is_unsigned && orders)
		return "its location needs unsigned arithmetic, which is not known here";
	if (op == SL_SHR && i.bytes && i.bytes < 8 && !i.is_unsigned) {
		/* its sign is not shifted in */
		put_raw(t, SL_SWAP, 0);
		put_extend(t, (struct item){ i.bytes, true });
		put_raw(t, SL_SWAP, 0);
	}
	put_raw(t, op, 0);
	drop_items(t, 2);
	push_item(t, compares(op) ? generic : i);
	if (!compares(op))
		put_extend(t, i);
	return NULL;
}

static void put_stack(struct translate *t, enum sym_lop op, int64_t num)
{
	struct item a = *top(t, 0), b = *top(t, 1), c = *top(t, 2);

	put_raw(t, op, num);
	switch (op) {
	case SL_DUP:
		push_item(t, a);
		break;
	case SL_PICK:
		push_item(t, *top(t, (uint32_t)num));
		break;
	case SL_DROP:
		drop_items(t, 1);
		break;
	case SL_SWAP:
		*top(t, 0) = b;
		*top(t, 1) = a;
		break;
	case SL_ROT:
		*top(t, 0) = b;
		*top(t, 1) = c;
		*top(t, 2) = a;
		break;
	default:
		break;
	}
}

static const char *put(struct translate *t, enum sym_lop op, int64_t num)
{
	switch (op) {
	case SL_NUM:
	case SL_REG:
	case SL_STATIC:
	case SL_THREAD:
	case SL_PERCPU:
		put_raw(t, op, num);
		push_item(t, (struct item){ 0 });
		return NULL;
	case SL_LOAD:
		put_raw(t, op, num);
		drop_items(t, 1);
		push_item(t, (struct item){ 0 });
		return NULL;
	case SL_NEG:
	case SL_NOT:
	case SL_ABS:
		put_raw(t, op, 0);
		put_extend(t, *top(t, 0));
		return NULL;
	case SL_DUP:
	case SL_DROP:
	case SL_SWAP:
	case SL_ROT:
	case SL_PICK:
		put_stack(t, op, num);
		return NULL;
	default:
		return put_binary(t, op);
	}
}

static const char *put_added(struct translate *t, int64_t offset)
{
	if (!offset)
		return NULL;
	put(t, SL_NUM, offset);
	return put(t, SL_ADD, 0);
}

/* ---- frames ---- */

bool scope_at_entry(struct sym_scope *sc)
{
	uint64_t entry;

	return sc->frame.addr && dindex_entry(&sc->frame, &entry) && entry == sc->pc;
}

/* The program for the canonical frame address at @pc, by the unwind tables; free *@frame after use. */
static bool find_cfa(struct sym_object *o, uint64_t pc, Dwarf_Frame **frame, Dwarf_Op **ops, size_t *n)
{
	GElf_Addr bias = 0;
	/* both are addressed as the file is, without the bias */
	Dwarf_CFI *cfis[2] = { dwfl_module_dwarf_cfi(o->mod, &bias),
			       dwfl_module_eh_cfi(o->mod, &bias) };

	for (int i = 0; i < 2; i++) {
		if (!cfis[i] || dwarf_cfi_addrframe(cfis[i], pc, frame))
			continue;
		if (!dwarf_frame_cfa(*frame, ops, n) && *n)
			return true;
		free(*frame);
	}
	return false;
}

static const char *put_cfa(struct translate *t)
{
	const char *why;
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t n;

	if (!find_cfa(t->sc->obj, t->sc->pc, &frame, &ops, &n))
		return "no unwind information covers this address";
	why = translate_ops(t, ops, n);
	free(frame);
	return why;
}

/*
 * A frame pointer that the prologue has not set yet, computed from the frame address: the unwind tables say how far
 * apart they are behind the prologue. False: they do not.
 */
static bool put_later_register(struct translate *t, int reg, const char **why)
{
	Dwarf_Frame *frame;
	int64_t apart = 0;
	bool known;
	Dwarf_Op *ops;
	size_t n;

	if (!scope_at_entry(t->sc) || t->sc->func.body <= t->sc->pc ||
	    !find_cfa(t->sc->obj, t->sc->func.body, &frame, &ops, &n))
		return false;
	known = n == 1 && ops[0].atom == DW_OP_breg0 + reg;
	if (n == 1 && ops[0].atom == DW_OP_bregx && ops[0].number == (Dwarf_Word)reg) {
		known = true;
		apart = (int64_t)ops[0].number2;
	} else if (known) {
		apart = (int64_t)ops[0].number;
	}
	free(frame);
	if (!known)
		return false;
	*why = put_cfa(t);
	if (!*why)
		*why = put_added(t, -apart);
	return true;
}

/* The frame base of the function that the scope is in. */
static const char *put_frame_base(struct translate *t)
{
	const char *why = NULL;
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(&t->sc->frame, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation_addr(&attr, t->sc->pc, &ops, &n, 1) != 1)
		return "its function has no frame base here";
	/* a register as frame base means the register's value */
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) {
		if (!put_later_register(t, ops[0].atom - DW_OP_reg0, &why))
			put(t, SL_REG, ops[0].atom - DW_OP_reg0);
		return why;
	}
	return translate_ops(t, ops, n);
}

static const char *put_fbreg(struct translate *t, int64_t offset)
{
	const char *why = put_frame_base(t);

	return why ? why : put_added(t, offset);
}

/* A register as it was when the function was entered: known there alone. */
static const char *put_entry_value(struct translate *t, const Dwarf_Op *op)
{
	static const char why[] = "it depends on a value of the function's entry";
	Dwarf_Attribute sub;
	Dwarf_Op *ops;
	size_t n;

	if (!scope_at_entry(t->sc) || dwarf_getlocation_attr(t->sc->attr, op, &sub) ||
	    dwarf_getlocation(&sub, &ops, &n) || n != 1)
		return why;
	if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		return put(t, SL_REG, ops[0].atom - DW_OP_reg0);
	return ops[0].atom == DW_OP_regx ? put(t, SL_REG, (int64_t)ops[0].number) : why;
}

/* ---- operations with operands of their own ---- */

static const char *put_base(struct translate *t, int64_t reg, int64_t offset)
{
	put(t, SL_REG, reg);
	return put_added(t, offset);
}

static const char *put_value_register(struct translate *t, int64_t reg)
{
	put(t, SL_REG, reg);
	t->piece->is_value = true;
	return NULL;
}

static const char *put_address(struct translate *t, uint64_t addr)
{
	struct sym_object *o = t->sc->obj;

	bool kernel = o->kind == OBJ_KERNEL || o->kind == OBJ_MODULE;

	return put(t, kernel && object_is_percpu(o, addr) ? SL_PERCPU : SL_STATIC, (int64_t)addr);
}

/* An address or number of the unit's table. */
static const char *put_indexed(struct translate *t, const Dwarf_Op *op)
{
	Dwarf_Attribute attr;
	Dwarf_Addr addr;

	if (!t->sc->attr || dwarf_getlocation_attr(t->sc->attr, op, &attr) ||
	    dwarf_formaddr(&attr, &addr))
		return "its debug information is damaged";
	if (op->atom == DW_OP_constx || op->atom == DW_OP_GNU_const_index)
		return put(t, SL_NUM, (int64_t)addr);
	return put_address(t, addr);
}

static const char *put_tls(struct translate *t)
{
	const char *why = NULL;
	int64_t from;

	if (!object_tls_start(t->sc->obj, &from, &why))
		return why;
	put_added(t, from);
	put(t, SL_THREAD, 0);
	return put(t, SL_ADD, 0);
}

/* The type that an operand names; false: it is no integer. */
static bool operand_type(struct translate *t, const Dwarf_Op *op, Dwarf_Word ref, struct item *out)
{
	Dwarf_Attribute attr;
	Dwarf_Word size, enc;
	Dwarf_Die die;

	*out = (struct item){ 0 };
	if (!ref)
		return true;
	if (!t->sc->attr || dwarf_getlocation_die(t->sc->attr, op, &die) || dwarf_bytesize(&die) < 0 ||
	    !dwarf_attr(&die, DW_AT_encoding, &attr) || dwarf_formudata(&attr, &enc))
		return false;
	size = (Dwarf_Word)dwarf_bytesize(&die);
	out->bytes = (uint8_t)size;
	out->is_unsigned = enc != DW_ATE_signed && enc != DW_ATE_signed_char;
	return (size == 1 || size == 2 || size == 4 || size == 8) && enc != DW_ATE_float &&
	       enc != DW_ATE_complex_float;
}

/* DWARF 5's operations on typed items. */
static const char *put_typed(struct translate *t, const Dwarf_Op *op)
{
	static const char why[] = "its location is computed with floating-point or vector numbers";
	bool convert = op->atom == DW_OP_convert || op->atom == DW_OP_GNU_convert ||
		       op->atom == DW_OP_reinterpret || op->atom == DW_OP_GNU_reinterpret;
	bool constant = op->atom == DW_OP_const_type || op->atom == DW_OP_GNU_const_type;
	Dwarf_Attribute attr;
	Dwarf_Block block;
	struct item i;
	int64_t v = 0;

	if (!operand_type(t, op, convert || constant ? op->number : op->number2, &i))
		return why;
	if (constant) {
		if (dwarf_getlocation_attr(t->sc->attr, op, &attr) ||
		    dwarf_formblock(&attr, &block) || block.length > sizeof(v))
			return why;
		memcpy(&v, block.data, block.length);
		put(t, SL_NUM, v);
	} else if (op->atom == DW_OP_regval_type || op->atom == DW_OP_GNU_regval_type) {
		put(t, SL_REG, (int64_t)op->number);
	} else if (!convert) {
		put(t, SL_LOAD, (int64_t)op->number);
	}
	put_extend(t, i);
	*top(t, 0) = i;
	return NULL;
}

/* A pointer that was optimised away, to a variable that has some place or value. */
static const char *put_implicit_pointer(struct translate *t, const Dwarf_Op *op)
{
	static const char why[] = "it points to what has no memory of its own here";
	struct sym_scope sc = *t->sc;
	struct sym_loc *loc = arena_new(sc.obj->arena, struct sym_loc);
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (t->depth + 1 >= MAXDEPTH || !sc.attr || dwarf_getlocation_implicit_pointer(sc.attr, op, &attr))
		return why;
	sc.attr = &attr;
	sc.depth++;
	if (sc.depth > MAXDEPTH)
		return why;
	if (dwarf_whatattr(&attr) == DW_AT_const_value) {
		if (expr_constant(&sc, &attr, loc))
			return why;
	} else if (dwarf_getlocation_addr(&attr, sc.pc, &ops, &n, 1) != 1 || !n ||
		   expr_location(&sc, ops, n, loc)) {
		return why;
	}
	t->piece->target = loc;
	t->piece->target_offset = (int64_t)op->number2;
	t->piece->why = why;
	return NULL;
}

/* A constant in as many pieces of a word as it takes. */
static void push_words(struct sym_scope *sc, struct sym_loc *out, const uint8_t *data, size_t n)
{
	for (size_t at = 0; at < n; at += 8) {
		size_t len = n - at < 8 ? n - at : 8;
		struct sym_piece piece = { .is_value = true, .bits = n > 8 ? (uint32_t)len * 8 : 0 };
		int64_t v = 0;

		memcpy(&v, data + at, len);
		vec_push(sc->obj->arena, &piece.ops, ((struct sym_lop_insn){ SL_NUM, v }));
		vec_push(sc->obj->arena, &out->pieces, piece);
	}
}

static const char *put_implicit_value(struct translate *t, const Dwarf_Op *op)
{
	Dwarf_Block block;
	int64_t v = 0;

	if (!t->sc->attr || dwarf_getlocation_implicit_value(t->sc->attr, op, &block) ||
	    block.length > sizeof(v))
		return "its value is a constant longer than 8 bytes";
	memcpy(&v, block.data, block.length);
	put(t, SL_NUM, v);
	t->piece->is_value = true;
	return NULL;
}

static bool put_table_op(struct translate *t, const Dwarf_Op *op, const char **why)
{
	for (size_t i = 0; i < sizeof(plain_ops) / sizeof(plain_ops[0]); i++)
		if (plain_ops[i].atom == op->atom) {
			*why = put(t, plain_ops[i].op, (int64_t)op->number);
			return true;
		}
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		*why = put(t, SL_NUM, op->atom - DW_OP_lit0);
	else if (memchr(constants, op->atom, sizeof(constants)))
		*why = put(t, SL_NUM, (int64_t)op->number);
	else if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		*why = put_value_register(t, op->atom - DW_OP_reg0);
	else if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		*why = put_base(t, op->atom - DW_OP_breg0, (int64_t)op->number);
	else
		return false;
	return true;
}

static const char *put_op(struct translate *t, const Dwarf_Op *op)
{
	const char *why = NULL;

	if (put_table_op(t, op, &why))
		return why;
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
		return put_address(t, op->number);
	case DW_OP_addrx:
	case DW_OP_constx:
	case DW_OP_GNU_addr_index:
	case DW_OP_GNU_const_index:
		return put_indexed(t, op);
	case DW_OP_over:
		return put(t, SL_PICK, 1);
	case DW_OP_plus_uconst:
		return put_added(t, (int64_t)op->number);
	case DW_OP_deref:
		return put(t, SL_LOAD, 8);
	case DW_OP_deref_size:
		return put(t, SL_LOAD, (int64_t)op->number);
	case DW_OP_stack_value:
		t->piece->is_value = true;
		return NULL;
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		return put_tls(t);
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return put_entry_value(t, op);
	case DW_OP_implicit_value:
		return put_implicit_value(t, op);
	case DW_OP_convert:
	case DW_OP_reinterpret:
	case DW_OP_const_type:
	case DW_OP_regval_type:
	case DW_OP_deref_type:
	case DW_OP_GNU_convert:
	case DW_OP_GNU_reinterpret:
	case DW_OP_GNU_const_type:
	case DW_OP_GNU_regval_type:
	case DW_OP_GNU_deref_type:
		return put_typed(t, op);
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		return put_implicit_pointer(t, op);
	case DW_OP_GNU_parameter_ref:
		return "it is optimised away";
	default:
		return arena_printf(t->sc->obj->arena,
				    "its location uses DWARF operation 0x%x, which is not known here",
				    op->atom);
	}
}

static const char *translate_ops(struct translate *t, const Dwarf_Op *ops, size_t n)
{
	const char *why = NULL;

	if (++t->depth > MAXDEPTH)
		return "its location refers to itself";
	for (size_t i = 0; i < n && !why; i++)
		why = put_op(t, &ops[i]);
	if (!why && t->nstack >= MAXSTACK)
		why = "its location is too long";
	t->depth--;
	return why;
}

/* One part; what cannot be known of it is kept with it, since others may be known. */
static struct sym_piece translate_piece(struct sym_scope *sc, const Dwarf_Op *ops, size_t n)
{
	struct sym_piece piece = { 0 };
	struct translate t = { .sc = sc, .piece = &piece };
	const char *why = translate_ops(&t, ops, n);

	if (why) {
		piece = (struct sym_piece){ .why = why };
	}
	return piece;
}

static bool is_piece(const Dwarf_Op *op)
{
	return op->atom == DW_OP_piece || op->atom == DW_OP_bit_piece;
}

/* A constant longer than a word, alone in its location. */
static bool long_constant(struct sym_scope *sc, const Dwarf_Op *ops, size_t n, struct sym_loc *out)
{
	Dwarf_Block block;

	if (n != 1 || ops[0].atom != DW_OP_implicit_value || !sc->attr ||
	    dwarf_getlocation_implicit_value(sc->attr, &ops[0], &block) || block.length <= 8)
		return false;
	push_words(sc, out, block.data, block.length);
	return true;
}

/* Splits at DW_OP_piece: each part of the variable has a program of its own, or none. */
const char *expr_location(struct sym_scope *sc, const Dwarf_Op *ops, size_t n, struct sym_loc *out)
{
	bool any = false;
	size_t from = 0;

	memset(out, 0, sizeof(*out));
	if (long_constant(sc, ops, n, out))
		return NULL;
	for (size_t i = 0; i <= n; i++) {
		bool end = i == n;
		struct sym_piece piece;

		if (!end && !is_piece(&ops[i]))
			continue;
		if (end && out->pieces.n)
			break;
		piece = translate_piece(sc, ops + from, i - from);
		if (!end && ops[i].atom == DW_OP_bit_piece && ops[i].number2)
			piece = (struct sym_piece){ .why = "it lies in the middle of a register" };
		if (!end)
			piece.bits = (uint32_t)(ops[i].atom == DW_OP_piece ? ops[i].number * 8
									   : ops[i].number);
		any = any || piece.ops.n || piece.target;
		vec_push(sc->obj->arena, &out->pieces, piece);
		from = i + 1;
	}
	if (any)
		return NULL;
	for (uint32_t i = 0; i < out->pieces.n; i++)
		if (out->pieces.v[i].why)
			return out->pieces.v[i].why;
	return "it is optimised away";
}

const char *expr_frame(struct sym_scope *sc, int64_t offset, struct sym_loc *out)
{
	struct sym_piece piece = { 0 };
	struct translate t = { .sc = sc, .piece = &piece };
	const char *why = put_cfa(&t);

	put_added(&t, offset);
	vec_push(sc->obj->arena, &out->pieces, piece);
	return why;
}

void expr_register(struct sym_scope *sc, struct sym_loc *out, int reg, uint32_t bits)
{
	struct sym_piece piece = { .is_value = true, .bits = bits };

	vec_push(sc->obj->arena, &piece.ops, ((struct sym_lop_insn){ SL_REG, reg }));
	vec_push(sc->obj->arena, &out->pieces, piece);
}

const char *expr_constant(struct sym_scope *sc, Dwarf_Attribute *attr, struct sym_loc *out)
{
	uint8_t bytes[sizeof(int64_t)];
	Dwarf_Block block;
	int64_t v;

	memset(out, 0, sizeof(*out));
	if (object_constant(attr, &v)) {
		memcpy(bytes, &v, sizeof(v));
		push_words(sc, out, bytes, sizeof(v));
	} else if (!dwarf_formblock(attr, &block) && block.length) {
		push_words(sc, out, block.data, block.length);
	} else {
		return "its value is not known here";
	}
	return NULL;
}
