/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters at a function's first instruction by the calling convention alone (System V ABI for x86-64, section 3.2.3):
 * for code without optimisation, whose debug information speaks of the time after the prologue.
 */
#include <string.h>

#include "symbols/scope.h"

/* DWARF numbers of the registers for integers: di si dx cx r8 r9 */
static const uint8_t int_regs[] = { 5, 4, 1, 2, 8, 9 };

#define VECTOR_REGS 8
#define MAXDEPTH 50 /* of structures within each other */

/* How each of at most two words is passed; NONE: padding. */
enum word_class { WORD_NONE, WORD_INT, WORD_VECTOR };
struct passed {
	enum word_class word[2];
	bool memory, unknown, wide; /* wide: aligned to two words on the stack */
	unsigned int depth;
	uint64_t at; /* bytes from the start, of what is being classified */
};

static void classify(struct passed *p, const struct sym_type *t);

/* An integer takes its word even beside a floating-point number. */
static void put_class(struct passed *p, uint64_t from, uint64_t to, enum word_class c)
{
	for (uint64_t w = from / 8; w <= (to - 1) / 8 && w < 2; w++)
		if (p->word[w] != WORD_INT)
			p->word[w] = c;
}

static bool classify_member(const struct sym_member *m, void *arg)
{
	struct passed *p = arg;
	uint64_t at = p->at, bit = (at + m->offset) * 8 + m->bit_offset;

	if (m->bit_size) {
		put_class(p, bit / 8, (bit + m->bit_size + 7) / 8, WORD_INT);
	} else {
		p->at += m->offset;
		classify(p, m->type);
		p->at = at;
	}
	return !p->unknown;
}

static void classify_array(struct passed *p, const struct sym_type *t)
{
	const struct sym_type *item = sym_type_target(t);
	uint64_t at = p->at;

	if (!item || !item->size) {
		p->unknown = true;
		return;
	}
	for (uint64_t n = 0; n < t->size / item->size && n < 16 && !p->unknown; n++, p->at += item->size)
		classify(p, item);
	p->at = at;
}

static void classify_number(struct passed *p, const struct sym_type *t)
{
	bool vector = t->kind == ST_FLOAT, whole = !p->depth;

	p->wide = p->wide || t->size == 16;
	/* the x87's type is passed in memory; so is what a packed structure does not align */
	if ((vector && t->name && !strcmp(t->name, "long double")) ||
	    (!whole && t->size && p->at % t->size))
		p->memory = true;
	else if (!t->size || t->size > 16)
		p->unknown = true;
	else
		put_class(p, p->at, p->at + t->size, vector ? WORD_VECTOR : WORD_INT);
	/* one register holds a vector of two words */
	if (vector && whole && t->size == 16)
		p->word[1] = WORD_NONE;
}

static void classify(struct passed *p, const struct sym_type *t)
{
	if (!t || p->depth >= MAXDEPTH) {
		p->unknown = true;
		return;
	}
	switch (t->kind) {
	case ST_INT:
	case ST_BOOL:
	case ST_CHAR:
	case ST_ENUM:
	case ST_POINTER:
	case ST_FLOAT:
		classify_number(p, t);
		break;
	case ST_ARRAY:
	case ST_STRUCT:
	case ST_UNION:
		p->memory = p->memory || t->size > 16;
		p->depth++;
		if (t->kind == ST_ARRAY)
			classify_array(p, t);
		else
			sym_members(t, classify_member, p);
		p->depth--;
		break;
	default:
		p->unknown = true;
	}
}

static struct passed how_passed(const struct sym_type *t)
{
	struct passed p = { 0 };

	classify(&p, t);
	return p;
}

static uint32_t count(const struct passed *p, enum word_class c)
{
	return (uint32_t)(p->word[0] == c) + (p->word[1] == c);
}

struct place {
	uint64_t handle; /* of the parameter that is looked for */
	uint32_t ints, vectors; /* registers used so far */
	uint64_t stack; /* bytes used so far */
	bool lost; /* some parameter before it is passed in a way that is not followed here */
	struct abi_place *out;
};

static void take_registers(struct place *p, const struct passed *how, struct abi_place *out)
{
	for (uint32_t w = 0; w < 2; w++) {
		switch (how->word[w]) {
		case WORD_NONE:
			continue;
		case WORD_INT:
			out->reg[out->nregs] = int_regs[p->ints++];
			break;
		case WORD_VECTOR:
			out->reg[out->nregs] = ABI_VECTOR;
			p->vectors++;
			break;
		}
		out->nregs++;
	}
}

static uint64_t take_stack(struct place *p, const struct passed *how, const struct sym_type *t)
{
	uint64_t at = how->wide ? (p->stack + 15) / 16 * 16 : p->stack;

	p->stack = at + (t->size + 7) / 8 * 8;
	return at;
}

static bool on_param(const struct sym_var *v, void *arg)
{
	struct place *p = arg;
	struct abi_place here = { 0 };
	struct passed how;

	if (v->kind != SV_PARAM)
		return true;
	how = how_passed(v->type);
	/* all of it in registers, or all in memory */
	if (how.unknown || p->lost)
		here.where = ABI_UNKNOWN;
	else if (how.memory || p->ints + count(&how, WORD_INT) > sizeof(int_regs) ||
		 p->vectors + count(&how, WORD_VECTOR) > VECTOR_REGS)
		here.where = ABI_MEMORY;
	else
		here.where = ABI_REGISTERS;
	if (here.where == ABI_REGISTERS)
		take_registers(p, &how, &here);
	if (here.where == ABI_MEMORY)
		here.stack = take_stack(p, &how, v->type);
	p->lost = p->lost || how.unknown;
	if (v->handle == p->handle)
		*p->out = here;
	return v->handle != p->handle;
}

struct abi_place abi_locate(struct sym_scope *sc, const struct sym_var *v)
{
	const struct sym_type *ret = sym_return_type(sc, NULL);
	struct abi_place out = { .where = ABI_UNKNOWN };
	struct place p = { .handle = v->handle, .out = &out };

	/* a result in memory: its address comes first */
	if (ret && (ret->kind == ST_STRUCT || ret->kind == ST_UNION) && how_passed(ret).memory)
		p.ints = 1;
	sym_scope_vars(sc, on_param, &p);
	return out;
}

struct abi_place abi_result(const struct sym_type *t)
{
	/* DWARF numbers of ax and dx */
	static const int regs[] = { 0, 1 };
	struct passed how = how_passed(t);
	struct abi_place out = { .where = ABI_REGISTERS };
	uint32_t ints = 0;

	if (how.unknown || t->kind == ST_ARRAY) {
		out.where = ABI_UNKNOWN;
	} else if (how.memory && t->kind == ST_FLOAT) {
		out.reg[out.nregs++] = ABI_VECTOR;
	} else if (how.memory) {
		out.where = ABI_MEMORY;
	} else {
		for (uint32_t w = 0; w < 2; w++)
			if (how.word[w] != WORD_NONE)
				out.reg[out.nregs++] = how.word[w] == WORD_INT ? regs[ints++] : ABI_VECTOR;
	}
	return out;
}
