/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks that a program's author has put into it: the notes of <sys/sdt.h>, each with the place of a "nop", a
 * counter that says whether anybody looks (the semaphore), and its arguments as the assembler saw them.
 */
#ifndef SPILE_SYMBOLS_SDT_H
#define SPILE_SYMBOLS_SDT_H

#include "symbols/elf.h"

struct sdt_note {
	const char *provider, *name, *args; /* in the arena */
	uint64_t pc, semaphore; /* link-time addresses, prelink undone; semaphore 0: none */
};
typedef VEC(struct sdt_note) sdt_note_vec;

/* The object's notes in the order of the file; a damaged one ends them. */
void sdt_notes(struct elf_file *f, struct arena *a, sdt_note_vec *out);

enum sdt_kind { SDT_REGISTER, SDT_NUMBER, SDT_MEMORY, SDT_UNREADABLE };
struct sdt_register {
	int16_t dwarf; /* its number; -1: there is none */
	uint8_t bits, shift; /* which part of it: %ah is 8 bits from bit 8 on */
};
/*
 * One argument. REGISTER: base. NUMBER: num. MEMORY: what is at num + base + index * scale. The address of @symbol is
 * to be added to num unless it is NULL.
 */
struct sdt_operand {
	enum sdt_kind kind;
	const char *text;
	uint8_t width; /* bytes: 1 2 4 8 */
	bool is_signed;
	int64_t num;
	const char *symbol;
	struct sdt_register base, index;
	uint8_t scale;
	const char *why; /* UNREADABLE */
};
typedef VEC(struct sdt_operand) sdt_operand_vec;

void sdt_operands(struct arena *a, const char *args, sdt_operand_vec *out);

#endif
