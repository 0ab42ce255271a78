/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters at a function's first instruction by the calling convention alone (System V ABI for x86-64, section 3.2.3):
 * for code without optimisation, whose debug information speaks of the time after the prologue.
 */
#include "symbols/scope.h"

/* DWARF numbers of the registers for integers: di si dx cx r8 r9 */
static const uint8_t int_regs[] = { 5, 4, 1, 2, 8, 9 };

struct place {
	uint64_t handle; /* of the parameter that is looked for */
	uint32_t ints; /* registers used so far */
	bool lost; /* some parameter before it is passed in a way that is not followed here */
	enum abi_place where;
	int reg;
};

static uint32_t words(const struct sym_type *t)
{
	return (uint32_t)((t->size + 7) / 8);
}

static bool in_memory(const struct sym_type *t)
{
	return t && (t->kind == ST_STRUCT || t->kind == ST_UNION) && t->size > 16;
}

/* How many integer registers a parameter takes; -1: not known here. */
static int int_words(const struct sym_type *t)
{
	if (!t)
		return -1;
	switch (t->kind) {
	case ST_INT:
	case ST_BOOL:
	case ST_CHAR:
	case ST_ENUM:
	case ST_POINTER:
		return (int)words(t);
	case ST_FLOAT:
		return 0;
	case ST_STRUCT:
	case ST_UNION:
		/* longer ones lie in memory; what registers a short one takes depends on its members */
		return in_memory(t) ? 0 : -1;
	default:
		return -1;
	}
}

static bool on_param(const struct sym_var *v, void *arg)
{
	struct place *p = arg;
	int n;

	if (v->kind != SV_PARAM)
		return true;
	n = int_words(v->type);
	if (v->handle == p->handle) {
		if (in_memory(v->type) || (n == 1 && !p->lost && p->ints == sizeof(int_regs))) {
			p->where = ABI_MEMORY;
		} else if (n == 1 && !p->lost) {
			p->where = ABI_REGISTER;
			p->reg = int_regs[p->ints];
		} else if (v->type && v->type->kind == ST_FLOAT) {
			p->where = ABI_VECTOR;
		}
		return false;
	}
	if (n < 0)
		p->lost = true;
	else if (p->ints + (uint32_t)n <= sizeof(int_regs))
		p->ints += (uint32_t)n;
	return true;
}

enum abi_place abi_locate(struct sym_scope *sc, const struct sym_var *v, int *reg)
{
	const struct sym_type *ret = sym_return_type(sc, NULL);
	struct place p = { .handle = v->handle, .where = ABI_UNKNOWN };

	/* a long result is written to memory whose address comes first */
	if (in_memory(ret))
		p.ints = 1;
	sym_scope_vars(sc, on_param, &p);
	*reg = p.reg;
	return p.where;
}
