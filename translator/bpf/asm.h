/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small eBPF assembler: one buffer of instructions a function, labels resolved at the end,
 * relocations for what only the loader knows. The first failure is latched in as->error; later
 * calls do nothing harmful.
 */
#ifndef SPILE_BPF_ASM_H
#define SPILE_BPF_ASM_H

#include <linux/bpf.h>
#include <stdint.h>

#include "base/arena.h"

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FP };

enum bpf_reloc_kind {
	BR_MAP, /* ld_imm64: index of a map */
	BR_DATA, /* ld_imm64: address in .data, offset in imm */
	BR_RODATA, /* ld_imm64: address in .rodata, offset in imm */
	BR_CALL, /* call: index of a function */
	BR_FUNC, /* ld_imm64: address of a function, for callbacks */
};

struct bpf_reloc {
	uint32_t pos; /* instruction */
	enum bpf_reloc_kind kind;
	uint32_t index;
};

/* A CO-RE relocation: the immediate of instruction @pos is what @kind says of a type path (ir/layout.h). */
struct bpf_core {
	uint32_t pos;
	enum bpf_core_relo_kind kind;
	const char *path;
};

struct bpf_fixup {
	uint32_t pos, label;
};

struct bpf_asm {
	struct arena *arena;
	VEC(struct bpf_insn) code;
	VEC(int32_t) labels; /* position, or -1: not placed */
	VEC(struct bpf_fixup) fixups;
	VEC(struct bpf_reloc) relocs;
	VEC(struct bpf_core) cores;
	const char *error;
};

void ba_init(struct bpf_asm *as, struct arena *a);
/* Resolves labels. 0, or -1 with as->error set. */
int ba_finish(struct bpf_asm *as) __attribute__((warn_unused_result));

uint32_t ba_label(struct bpf_asm *as); /* a new one, not placed */
void ba_place(struct bpf_asm *as, uint32_t label);

void ba_raw(struct bpf_asm *as, uint8_t code, int dst, int src, int off, int32_t imm);
void ba_mov(struct bpf_asm *as, int dst, int src); /* nothing for dst == src */
void ba_movi(struct bpf_asm *as, int dst, int64_t imm); /* any 64-bit constant */
void ba_alu(struct bpf_asm *as, int op, int dst, int src); /* op: BPF_ADD ...; 64 bit */
void ba_alui(struct bpf_asm *as, int op, int dst, int32_t imm);
void ba_neg(struct bpf_asm *as, int dst);
void ba_be64(struct bpf_asm *as, int dst);
/* Clears all but the low @bytes (1, 2, 4), or extends their sign. */
void ba_narrow(struct bpf_asm *as, int dst, uint32_t bytes, int is_signed);
/* size: BPF_B BPF_H BPF_W BPF_DW */
void ba_ld(struct bpf_asm *as, int size, int dst, int base, int off);
void ba_st(struct bpf_asm *as, int size, int base, int off, int src);
void ba_sti(struct bpf_asm *as, int size, int base, int off, int32_t imm);
/*
 * [base + off] += src, atomically: kernels before 5.12 know no other atomic operation. On x86 it
 * orders all that stands before it and behind. A load right behind it tells who was first: see
 * g_try().
 */
void ba_xadd(struct bpf_asm *as, int size, int base, int off, int src);

void ba_ja(struct bpf_asm *as, uint32_t label);
void ba_j(struct bpf_asm *as, int op, int a, int b, uint32_t label); /* op: BPF_JEQ ... */
void ba_ji(struct bpf_asm *as, int op, int a, int32_t imm, uint32_t label);
void ba_call(struct bpf_asm *as, int helper);
void ba_exit(struct bpf_asm *as);

void ba_ld_map(struct bpf_asm *as, int dst, uint32_t map);
void ba_ld_data(struct bpf_asm *as, int dst, uint32_t off);
void ba_ld_rodata(struct bpf_asm *as, int dst, uint32_t off);
void ba_ld_func(struct bpf_asm *as, int dst, uint32_t fn);
void ba_call_fn(struct bpf_asm *as, uint32_t fn);
/* The immediate of the next instruction is filled in by the loader from the kernel's types. */
void ba_core(struct bpf_asm *as, enum bpf_core_relo_kind kind, const char *path);

#endif
