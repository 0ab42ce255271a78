/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where variables and results are: which expression counts at an address, and what is said when none does. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/scope.h"

#define SHOWN 4 /* ranges in a message */

/* Whether an expression is more than what the function was entered with. */
static bool has_own_place(const Dwarf_Op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].atom == DW_OP_entry_value || ops[i].atom == DW_OP_GNU_entry_value)
			return false;
	return n > 0;
}

/* "optimised away here; it has a place at f+0x10..0x20": the first ranges of its list, for the message. */
static const char *where_else(struct sym_scope *sc, Dwarf_Attribute *attr, const char *why)
{
	struct arena *a = sc->obj->arena;
	Dwarf_Addr base, lo, hi;
	const char *list = "";
	ptrdiff_t at = 0;
	Dwarf_Op *ops;
	int shown = 0;
	size_t n;

	while ((at = dwarf_getlocations(attr, at, &base, &lo, &hi, &ops, &n)) > 0 && shown < SHOWN) {
		if (!has_own_place(ops, n) || lo < sc->func.entry)
			continue;
		list = arena_printf(a, "%s%s%s+0x%llx..0x%llx", list, shown ? ", " : "",
				    sc->func.name, (unsigned long long)(lo - sc->func.entry),
				    (unsigned long long)(hi - sc->func.entry));
		shown++;
	}
	return shown ? arena_printf(a, "%s here; it has a place at %s%s", why, list,
				    at > 0 ? ", ..." : "")
		     : why;
}

static const char *put_registers(struct sym_scope *sc, const struct abi_place *p, struct sym_loc *out)
{
	for (uint32_t i = 0; i < p->nregs; i++) {
		uint32_t bits = p->nregs > 1 ? 64 : 0;

		if (p->reg[i] == ABI_VECTOR)
			vec_push(sc->obj->arena, &out->pieces,
				 ((struct sym_piece){ .bits = bits, .why = SYM_IN_VECTOR }));
		else
			expr_register(sc, out, p->reg[i], bits);
	}
	return p->nregs ? NULL : "it is empty";
}

/* Memory of the frame, which the prologue has not filled yet: even what is passed in memory may be copied to it. */
static const char *locate_at_entry(struct sym_scope *sc, const struct sym_var *v, struct sym_loc *out)
{
	struct abi_place p = abi_locate(sc, v);

	*out = (struct sym_loc){ 0 };
	if (p.where == ABI_UNKNOWN)
		return "how it is passed is not known here";
	if (p.where == ABI_MEMORY)
		return expr_frame(sc, (int64_t)p.stack, out);
	return put_registers(sc, &p, out);
}

/*
 * An optimised function's parameter may be described from the first instruction on as what the first statement makes of it
 * without an instruction of its own: "x &= ~31". At the entry it is still what was passed.
 */
static void take_back_statement(struct sym_scope *sc, const struct sym_var *v, struct sym_loc *out)
{
	struct sym_piece *piece = out->pieces.v;
	struct abi_place p;

	if (v->kind != SV_PARAM || !scope_at_entry(sc) || out->pieces.n != 1 || !piece->is_value ||
	    piece->ops.n < 2 || piece->ops.v[0].op != SL_REG)
		return;
	p = abi_locate(sc, v);
	if (p.where == ABI_REGISTERS && p.nregs == 1 && p.reg[0] == piece->ops.v[0].num)
		piece->ops.n = 1;
}

/* A range that is but one address, or ends before it begins: no expression counts. */
static const char *locate_by(struct sym_scope *sc, const struct sym_var *v, Dwarf_Attribute *attr,
			     struct sym_loc *out)
{
	const char *why;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_getlocation_addr(attr, sc->pc, &ops, &n, 1) != 1 || !n)
		return where_else(sc, attr, "it is optimised away");
	if (v->kind == SV_PARAM && scope_at_entry(sc) && sc->func.body > sc->func.entry &&
	    ops[0].atom == DW_OP_fbreg)
		return locate_at_entry(sc, v, out);
	why = expr_location(sc, ops, n, out);
	if (!why)
		take_back_statement(sc, v, out);
	return why && !has_own_place(ops, n) ? where_else(sc, attr, "it is optimised away") : why;
}

/* Registers for floating-point numbers and vectors are not kept in what a probe sees. */
static bool in_vector(const struct sym_piece *p)
{
	for (uint32_t k = 0; k < p->ops.n; k++)
		if (p->ops.v[k].op == SL_REG && p->ops.v[k].num > SYM_MAXREG)
			return true;
	return false;
}

static const char *without_vectors(struct sym_loc *loc)
{
	bool any = false;

	for (uint32_t n = 0; n < loc->pieces.n; n++) {
		struct sym_piece *p = &loc->pieces.v[n];

		if (in_vector(p)) {
			p->ops.n = 0;
			p->why = SYM_IN_VECTOR;
		}
		any = any || p->ops.n || p->target;
	}
	return any ? NULL : SYM_IN_VECTOR;
}

const char *sym_locate(struct sym_scope *sc, const struct sym_var *v, struct sym_loc *out)
{
	const char *why;
	Dwarf_Attribute attr;
	Dwarf_Die die;

	if (!object_die(sc->obj->dw, v->handle, &die))
		return "its debug information is damaged";
	if (dwarf_attr_integrate(&die, DW_AT_const_value, &attr))
		return expr_constant(sc, &attr, out);
	if (!dwarf_attr_integrate(&die, DW_AT_location, &attr))
		return "it is optimised away";
	sc->attr = &attr;
	why = locate_by(sc, v, &attr, out);
	sc->attr = NULL;
	return why ? why : without_vectors(out);
}

const char *sym_locate_return(struct sym_scope *sc, struct sym_loc *out)
{
	const struct sym_type *t = sym_return_type(sc, NULL);
	struct abi_place p;
	const char *why;

	*out = (struct sym_loc){ 0 };
	if (!t || t->kind == ST_VOID)
		return t ? "the function returns nothing" : "the type of its result is not known";
	p = abi_result(t);
	if (p.where == ABI_UNKNOWN)
		return "how its result is returned is not known here";
	if (p.where == ABI_MEMORY) {
		expr_register(sc, out, 0, 0);
		out->pieces.v[0].is_value = false;
		return NULL;
	}
	why = put_registers(sc, &p, out);
	return why ? why : without_vectors(out);
}
