/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a handler writes and staprun formats: one layout for all runtimes. Little-endian host order, 8-byte aligned.
 * An i64 argument is 8 bytes. A string argument is a u32 byte count, the bytes, and zeros up to the next multiple of 8
 * (at least its count's 4 bytes; no terminator is stored). The memory of a %m or %M is laid out like a string; it may
 * hold zeros.
 */
#ifndef SPILE_BASE_RECORD_H
#define SPILE_BASE_RECORD_H

#ifdef SPILE_KERNEL
#include "abi.h"
#else
#include <stdint.h>
#endif

enum rec_type {
	REC_PRINT = 1, /* id: format; payload: its arguments -> output */
	REC_WARN, /* the same -> stderr as "WARNING: text\n" */
	/*
	 * id: enum ir_error; payload: i64 operand, i64 location (string index), i64 probe, i64 how many calls lead to it,
	 * u32[REC_FRAMES] the innermost calls' locations, string text
	 */
	REC_ERROR,
	REC_SEND, /* id: a row of ir/sends.def; payload: its operands */
	REC_EXIT, /* exit() was called */
	/*
	 * id: enum ir_stack; payload: i64 process, i64 probe, then of the kernel's stack i64 count and as many u64
	 * addresses; of a process's i64 pc, sp, fp of print_ubacktrace(pc, sp, fp) or 0, u64[REC_REGS] registers (as x86's
	 * struct pt_regs), then the stack from its pointer on, as far as it could be read.
	 */
	REC_STACK,
	REC_HIST, /* id: global; payload: i64 count of each bucket of its histogram -> output */
};

#define REC_REGS 21 /* of struct pt_regs */

/* Calls that an error remembers; of more the message says "...". */
#define REC_FRAMES 8

struct rec {
	uint32_t size; /* bytes with this header, a multiple of 8 */
	uint16_t type;
	uint16_t cpu;
	uint64_t time; /* CLOCK_MONOTONIC, nanoseconds */
	uint32_t seq; /* per CPU, counts records offered: a gap is a loss (module); 0 elsewhere */
	uint32_t id;
	/* payload follows */
};

#define REC_HIST_BYTES(buckets) ((uint32_t)sizeof(struct rec) + 8u * (uint32_t)(buckets))
#define REC_STR_BYTES(len) ((4u + (uint32_t)(len) + 7u) & ~7u)

#endif
