/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bpf/asm.h"

#include <stdbool.h>

void ba_init(struct bpf_asm *as, struct arena *a)
{
	*as = (struct bpf_asm){ .arena = a };
}

uint32_t ba_label(struct bpf_asm *as)
{
	vec_push(as->arena, &as->labels, -1);
	return as->labels.n - 1;
}

void ba_place(struct bpf_asm *as, uint32_t label)
{
	as->labels.v[label] = (int32_t)as->code.n;
}

void ba_raw(struct bpf_asm *as, uint8_t code, int dst, int src, int off, int32_t imm)
{
	if ((off < INT16_MIN || off > INT16_MAX) && !as->error)
		as->error = "an offset does not fit an instruction";
	vec_push(as->arena, &as->code,
		 ((struct bpf_insn){ .code = code,
				     .dst_reg = (uint8_t)(dst & 15),
				     .src_reg = (uint8_t)(src & 15),
				     .off = (int16_t)off,
				     .imm = imm }));
}

void ba_mov(struct bpf_asm *as, int dst, int src)
{
	if (dst != src)
		ba_raw(as, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void ld_imm64(struct bpf_asm *as, int dst, uint64_t v)
{
	ba_raw(as, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)v);
	ba_raw(as, 0, 0, 0, 0, (int32_t)(v >> 32));
}

void ba_movi(struct bpf_asm *as, int dst, int64_t imm)
{
	if (imm == (int32_t)imm)
		ba_raw(as, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)imm);
	else
		ld_imm64(as, dst, (uint64_t)imm);
}

void ba_alu(struct bpf_asm *as, int op, int dst, int src)
{
	ba_raw(as, (uint8_t)(BPF_ALU64 | op | BPF_X), dst, src, 0, 0);
}

void ba_alui(struct bpf_asm *as, int op, int dst, int32_t imm)
{
	ba_raw(as, (uint8_t)(BPF_ALU64 | op | BPF_K), dst, 0, 0, imm);
}

void ba_neg(struct bpf_asm *as, int dst)
{
	ba_raw(as, BPF_ALU64 | BPF_NEG, dst, 0, 0, 0);
}

void ba_be64(struct bpf_asm *as, int dst)
{
	ba_raw(as, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, 64);
}

void ba_narrow(struct bpf_asm *as, int dst, uint32_t bytes, int is_signed)
{
	int32_t n = 64 - (int32_t)bytes * 8;

	if (bytes >= 8)
		return;
	ba_alui(as, BPF_LSH, dst, n);
	ba_alui(as, is_signed ? BPF_ARSH : BPF_RSH, dst, n);
}

void ba_ld(struct bpf_asm *as, int size, int dst, int base, int off)
{
	ba_raw(as, (uint8_t)(BPF_LDX | BPF_MEM | size), dst, base, off, 0);
}

void ba_st(struct bpf_asm *as, int size, int base, int off, int src)
{
	ba_raw(as, (uint8_t)(BPF_STX | BPF_MEM | size), base, src, off, 0);
}

void ba_sti(struct bpf_asm *as, int size, int base, int off, int32_t imm)
{
	ba_raw(as, (uint8_t)(BPF_ST | BPF_MEM | size), base, 0, off, imm);
}

void ba_xadd(struct bpf_asm *as, int size, int base, int off, int src)
{
	ba_raw(as, (uint8_t)(BPF_STX | BPF_ATOMIC | size), base, src, off, BPF_ADD);
}

static void fixup(struct bpf_asm *as, uint32_t label)
{
	vec_push(as->arena, &as->fixups, ((struct bpf_fixup){ as->code.n, label }));
}

void ba_ja(struct bpf_asm *as, uint32_t label)
{
	fixup(as, label);
	ba_raw(as, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

void ba_j(struct bpf_asm *as, int op, int a, int b, uint32_t label)
{
	fixup(as, label);
	ba_raw(as, (uint8_t)(BPF_JMP | op | BPF_X), a, b, 0, 0);
}

void ba_ji(struct bpf_asm *as, int op, int a, int32_t imm, uint32_t label)
{
	fixup(as, label);
	ba_raw(as, (uint8_t)(BPF_JMP | op | BPF_K), a, 0, 0, imm);
}

void ba_call(struct bpf_asm *as, int helper)
{
	ba_raw(as, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void ba_exit(struct bpf_asm *as)
{
	ba_raw(as, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void reloc(struct bpf_asm *as, enum bpf_reloc_kind kind, uint32_t index)
{
	vec_push(as->arena, &as->relocs, ((struct bpf_reloc){ as->code.n, kind, index }));
}

void ba_ld_map(struct bpf_asm *as, int dst, uint32_t map)
{
	reloc(as, BR_MAP, map);
	ld_imm64(as, dst, 0);
}

void ba_ld_data(struct bpf_asm *as, int dst, uint32_t off)
{
	reloc(as, BR_DATA, 0);
	ld_imm64(as, dst, off);
}

void ba_ld_rodata(struct bpf_asm *as, int dst, uint32_t off)
{
	reloc(as, BR_RODATA, 0);
	ld_imm64(as, dst, off);
}

void ba_ld_func(struct bpf_asm *as, int dst, uint32_t fn)
{
	reloc(as, BR_FUNC, fn);
	ld_imm64(as, dst, 0);
}

void ba_call_fn(struct bpf_asm *as, uint32_t fn)
{
	reloc(as, BR_CALL, fn);
	ba_raw(as, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
}

void ba_core(struct bpf_asm *as, enum bpf_core_relo_kind kind, const char *path)
{
	vec_push(as->arena, &as->cores, ((struct bpf_core){ as->code.n, kind, path }));
}

static bool is_wide(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_DW | BPF_IMM);
}

static bool is_jump(const struct bpf_insn *in)
{
	int class = BPF_CLASS(in->code), op = BPF_OP(in->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Marks what control flow reaches: the verifier of older kernels refuses anything else. */
static void mark_reachable(struct bpf_asm *as, uint8_t *seen)
{
	uint32_t *todo = arena_alloc(as->arena, sizeof(*todo) * (as->fixups.n + 2)), n = 0;
	uint32_t *target = arena_alloc(as->arena, sizeof(*target) * (as->code.n + 1));

	for (uint32_t i = 0; i < as->fixups.n; i++)
		target[as->fixups.v[i].pos] = (uint32_t)as->labels.v[as->fixups.v[i].label];
	todo[n++] = 0;
	while (n) {
		uint32_t pc = todo[--n];

		while (pc < as->code.n && !seen[pc]) {
			const struct bpf_insn *in = &as->code.v[pc];

			seen[pc] = 1;
			if (is_wide(in))
				seen[++pc] = 1;
			if (is_jump(in) && target[pc] < as->code.n && !seen[target[pc]])
				todo[n++] = target[pc];
			if (in->code == (BPF_JMP | BPF_JA) || in->code == (BPF_JMP | BPF_EXIT))
				break;
			pc++;
		}
	}
}

/* Removes unreached instructions and moves every position after them. */
static void compact(struct bpf_asm *as)
{
	uint8_t *seen = arena_alloc(as->arena, as->code.n + 1);
	uint32_t *to = arena_alloc(as->arena, sizeof(*to) * (as->code.n + 1)), n = 0, k = 0;

	mark_reachable(as, seen);
	for (uint32_t i = 0; i < as->code.n; i++) {
		to[i] = n;
		if (seen[i])
			as->code.v[n++] = as->code.v[i];
	}
	to[as->code.n] = n;
	as->code.n = n;
	for (uint32_t i = 0; i < as->labels.n; i++)
		if (as->labels.v[i] >= 0)
			as->labels.v[i] = (int32_t)to[as->labels.v[i]];
	for (uint32_t i = k = 0; i < as->fixups.n; i++)
		if (seen[as->fixups.v[i].pos])
			as->fixups.v[k++] = (struct bpf_fixup){ to[as->fixups.v[i].pos],
								as->fixups.v[i].label };
	as->fixups.n = k;
	for (uint32_t i = k = 0; i < as->relocs.n; i++) {
		struct bpf_reloc r = as->relocs.v[i];

		if (!seen[r.pos])
			continue;
		r.pos = to[r.pos];
		as->relocs.v[k++] = r;
	}
	as->relocs.n = k;
	for (uint32_t i = k = 0; i < as->cores.n; i++) {
		struct bpf_core c = as->cores.v[i];

		if (!seen[c.pos])
			continue;
		c.pos = to[c.pos];
		as->cores.v[k++] = c;
	}
	as->cores.n = k;
}

int ba_finish(struct bpf_asm *as)
{
	for (uint32_t i = 0; i < as->fixups.n; i++) {
		if (as->labels.v[as->fixups.v[i].label] < 0) {
			as->error = "a label was never placed";
			return -1;
		}
	}
	compact(as);
	for (uint32_t i = 0; i < as->fixups.n; i++) {
		struct bpf_fixup f = as->fixups.v[i];
		int32_t off = as->labels.v[f.label] - (int32_t)f.pos - 1;

		if (off < INT16_MIN || off > INT16_MAX) {
			as->error = "too large: a jump spans more than 32,767 instructions";
			return -1;
		}
		as->code.v[f.pos].off = (int16_t)off;
	}
	return as->error ? -1 : 0;
}
