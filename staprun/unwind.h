/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callers in a process's stack, by the unwind tables of its files, from a copy of the stack and the registers. x86-64. */
#ifndef SPILE_STAPRUN_UNWIND_H
#define SPILE_STAPRUN_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

struct names;

enum { UR_BP = 6, UR_SP = 7, UR_IP = 16, UR_N = 17 }; /* DWARF's numbers */

struct unwind {
	struct names *names;
	int64_t pid;
	uint64_t time;
	uint64_t reg[UR_N];
	uint32_t known; /* mask of registers whose value is known */
	const unsigned char *stack; /* the copy, and where it was */
	uint64_t at, size;
	bool exact; /* reg[UR_IP] is the address of an instruction that is to run, not one behind a call */
};

/* Fills in registers and stack from a record: @regs as struct pt_regs, which may be unaligned. */
void unwind_init(struct unwind *u, const void *regs, const unsigned char *stack, uint64_t size);
/* Goes to the caller. False: there is none, or it cannot be told. */
bool unwind_step(struct unwind *u);

#endif
