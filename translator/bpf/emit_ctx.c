/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe's context: arguments, current task, time, memory. */
#include <string.h>

#include "bpf/gen.h"

/* struct pt_regs of x86-64, as kprobe and uprobe programs see it */
enum {
	PT_R9 = 64,
	PT_R8 = 72,
	PT_RAX = 80,
	PT_RCX = 88,
	PT_RDX = 96,
	PT_RSI = 104,
	PT_RDI = 112,
	PT_RSP = 152
};

/* Argument @n is the (n - 6)th word above the return address. */
static void stack_arg(struct gen *g, uint32_t n)
{
	enum ir_attach kind = g->u->m->probes.v[g->h->probe]->kind;

	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R3, R1, PT_RSP);
	ba_alui(g->as, BPF_ADD, R3, (int32_t)(8 * (n - 6)));
	ba_sti(g->as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(g->as, R2, 8);
	ba_call(g->as, kind == AT_UPROBE ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel);
	ba_ld(g->as, BPF_DW, R0, FP, FRAME_BUF);
}

void em_arg(struct gen *g, const struct ir_insn *i)
{
	static const int regs[] = { PT_RDI, PT_RSI, PT_RDX, PT_RCX, PT_R8, PT_R9 };

	if (i->imm >= 1 && i->imm <= 6) {
		g_ctx(g, R1);
		ba_ld(g->as, BPF_DW, R0, R1, regs[i->imm - 1]);
	} else {
		stack_arg(g, i->imm);
	}
	g_done(g, i->dst, R0);
}

void em_retval(struct gen *g, const struct ir_insn *i)
{
	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R0, R1, PT_RAX);
	g_done(g, i->dst, R0);
}

/* See sp_frame() of the module's runtime. */
void em_frame(struct gen *g, const struct ir_insn *i)
{
	enum ir_attach kind = g->u->m->probes.v[g->h->probe]->kind;

	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R0, R1, PT_RSP);
	if (kind == AT_KRETPROBE || kind == AT_URETPROBE)
		ba_alui(g->as, BPF_ADD, R0, -8);
	g_done(g, i->dst, R0);
}

/* By DWARF number (System V ABI for x86-64, figure 3.36): the offset in struct pt_regs. */
void em_reg(struct gen *g, const struct ir_insn *i)
{
	static const uint8_t at[] = {
		PT_RAX, PT_RDX, PT_RCX, 40 /* rbx */, PT_RSI, PT_RDI, 32 /* rbp */, PT_RSP, PT_R8, PT_R9,
		56 /* r10 */, 48 /* r11 */, 24 /* r12 */, 16 /* r13 */, 8 /* r14 */, 0 /* r15 */, 128 /* rip */
	};

	if (i->imm >= sizeof(at)) {
		ba_movi(g->as, R0, 0);
	} else {
		g_ctx(g, R1);
		ba_ld(g->as, BPF_DW, R0, R1, at[i->imm]);
	}
	g_done(g, i->dst, R0);
}

void em_tparg(struct gen *g, const struct ir_insn *i)
{
	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R0, R1, (int)(8 * IR_TPARG_N(i->imm)));
	ba_narrow(g->as, R0, IR_MEM_WIDTH(i->imm), (int)IR_MEM_SIGNED(i->imm));
	g_done(g, i->dst, R0);
}

/* The loader puts the address there before the verifier looks: to it, a constant. */
void em_symaddr(struct gen *g, const struct ir_insn *i)
{
	ba_ld_rodata(g->as, R1, g->u->lay.syms + 8 * i->ref);
	ba_ld(g->as, BPF_DW, R0, R1, 0);
	g_done(g, i->dst, R0);
}

void em_layout(struct gen *g, const struct ir_insn *i)
{
	static const uint8_t kinds[IRL_N] = {
		[IRL_OFFSET] = BPF_CORE_FIELD_BYTE_OFFSET,
		[IRL_SIZE] = BPF_CORE_TYPE_SIZE,
		[IRL_LSHIFT] = BPF_CORE_FIELD_LSHIFT_U64,
		[IRL_RSHIFT] = BPF_CORE_FIELD_RSHIFT_U64,
	};
	const char *path = core_path(g, i);

	if (path)
		ba_core(g->as, kinds[i->imm], path);
	ba_movi(g->as, R0, i->args[0].num);
	g_done(g, i->dst, R0);
}

/*
 * A member has as many bytes as the running kernel gives it. The buffer's other bytes are 0; a sign is extended by the
 * shifts that take a member out of a number of 64 bits.
 */
static void load_member(struct gen *g, const struct ir_insn *i, const char *path)
{
	int32_t rest = 64 - 8 * (int32_t)IR_MEM_WIDTH(i->imm);

	ba_ld(g->as, BPF_DW, R0, FP, FRAME_BUF);
	if (!IR_MEM_SIGNED(i->imm))
		return;
	ba_core(g->as, BPF_CORE_FIELD_LSHIFT_U64, path);
	ba_alui(g->as, BPF_LSH, R0, rest);
	ba_core(g->as, BPF_CORE_FIELD_RSHIFT_U64, path);
	ba_alui(g->as, BPF_ARSH, R0, rest);
}

void em_load(struct gen *g, const struct ir_insn *i)
{
	static const int sizes[9] = { [1] = BPF_B, [2] = BPF_H, [4] = BPF_W, [8] = BPF_DW };
	uint32_t width = IR_MEM_WIDTH(i->imm);
	const char *path = core_path(g, i);
	bool user = i->imm & IR_USER;

	g_load(g, R3, &i->args[0]);
	ba_sti(g->as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, FRAME_BUF);
	if (path)
		ba_core(g->as, BPF_CORE_FIELD_BYTE_SIZE, path);
	ba_movi(g->as, R2, width);
	ba_call(g->as, user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel);
	ba_ji(g->as, BPF_JNE, R0, 0, emit_stub_arg(g, i, user ? ERR_UFAULT : ERR_KFAULT, 0));
	if (path) {
		load_member(g, i, path);
	} else {
		ba_ld(g->as, sizes[width], R0, FP, FRAME_BUF);
		if (IR_MEM_SIGNED(i->imm))
			ba_narrow(g->as, R0, width, 1);
	}
	g_done(g, i->dst, R0);
}

/* Texts of wider characters. */
static void load_utf(struct gen *g, const struct ir_insn *i)
{
	bool user = i->imm & IR_USER;

	g_load(g, R3, &i->args[0]);
	g_load(g, R4, &i->args[1]);
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_movi(g->as, R5, (user ? IR_USER : 0) | IR_MEM_WIDTH(i->imm));
	g_call_rt(g, RT_UTF);
	ba_ji(g->as, BPF_JEQ, R0, 1,
	      emit_stub_arg(g, i, user ? ERR_USTRFAULT : ERR_KSTRFAULT, 0));
	ba_ji(g->as, BPF_JEQ, R0, 2, emit_stub_arg(g, i, ERR_UTF, 0));
}

/* R2 = room for as many bytes as @v says, with the terminator. Jumps to @none when it is none. */
static void string_room(struct gen *g, const struct ir_val *v, uint32_t none)
{
	uint32_t fits = ba_label(g->as);

	g_load(g, R2, v);
	ba_ji(g->as, BPF_JSLE, R2, 0, none);
	ba_alui(g->as, BPF_ADD, R2, 1);
	ba_ji(g->as, BPF_JLE, R2, (int32_t)g->u->maxstr, fits);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_place(g->as, fits);
}

/* The destination keeps its text when the read faults: read aside first. */
void em_loadstr(struct gen *g, const struct ir_insn *i)
{
	bool user = i->imm & IR_USER;
	const struct ir_val *most = &i->args[1];
	uint32_t none = ba_label(g->as);

	if (IR_MEM_WIDTH(i->imm) > 1) {
		load_utf(g, i);
		return;
	}
	if (most->kind == IRV_INT && most->num >= g->u->maxstr - 1) {
		ba_movi(g->as, R2, g->u->maxstr);
	} else {
		g_str_clear(g, g->u->slot.stmp);
		string_room(g, most, none);
	}
	g_load(g, R3, &i->args[0]);
	g_slot_addr(g, R1, g->u->slot.stmp);
	ba_call(g->as, user ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str);
	ba_ji(g->as, BPF_JSLT, R0, 0,
	      emit_stub_arg(g, i, user ? ERR_USTRFAULT : ERR_KSTRFAULT, 0));
	ba_place(g->as, none);
	g_slot_addr(g, R3, g->u->slot.stmp);
	g_read_str(g, g_str_of(g, i->dst));
}

/* R2 = a count of bytes: below 0 is 1, and no more than @most. */
static void byte_count(struct gen *g, const struct ir_val *v, uint32_t most)
{
	uint32_t given = ba_label(g->as), fits = ba_label(g->as);

	g_load(g, R2, v);
	ba_ji(g->as, BPF_JSGE, R2, 0, given);
	ba_movi(g->as, R2, 1);
	ba_place(g->as, given);
	ba_ji(g->as, BPF_JLE, R2, (int32_t)most, fits);
	ba_movi(g->as, R2, most);
	ba_place(g->as, fits);
}

/* Read aside, then made a text of. */
void em_loadbuf(struct gen *g, const struct ir_insn *i)
{
	uint32_t raw = g->u->slot.stmp + 2 * g->u->lay.strsz, form = IR_BUF_FORM(i->imm),
		 none = ba_label(g->as);
	bool user = i->imm & IR_USER;

	byte_count(g, &i->args[1], g->u->maxstr - 1);
	ba_st(g->as, BPF_DW, R9, SH_TMP, R2);
	g_load(g, R3, &i->args[0]);
	g_slot_addr(g, R1, raw);
	if (form == IRB_TEXT) {
		/* behind it, so that the text ends */
		ba_mov(g->as, R4, R1);
		ba_alu(g->as, BPF_ADD, R4, R2);
		ba_sti(g->as, BPF_B, R4, 0, 0);
	}
	/* of nothing, no address is bad */
	ba_ji(g->as, BPF_JEQ, R2, 0, none);
	ba_call(g->as, user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel);
	ba_ji(g->as, BPF_JNE, R0, 0, emit_stub_arg(g, i, user ? ERR_UFAULT : ERR_KFAULT, 0));
	ba_place(g->as, none);
	if (form == IRB_TEXT) {
		g_slot_addr(g, R3, raw);
		g_read_str(g, g_str_of(g, i->dst));
		return;
	}
	ba_movi(g->as, R2, g_str_of(g, i->dst));
	ba_ld(g->as, BPF_DW, R3, R9, SH_TMP);
	g_load(g, R4, &i->args[2]);
	ba_movi(g->as, R5, form == IRB_HEX ? TEXT_HEX : TEXT_QUOTED);
	g_call_rt(g, RT_TEXT);
}

/* Only a process's memory: placement keeps the others out. */
void em_store(struct gen *g, const struct ir_insn *i)
{
	g_load(g, R2, &i->args[1]);
	ba_st(g->as, BPF_DW, FP, FRAME_BUF, R2);
	g_load(g, R1, &i->args[0]);
	ba_mov(g->as, R2, FP);
	ba_alui(g->as, BPF_ADD, R2, FRAME_BUF);
	ba_movi(g->as, R3, IR_MEM_WIDTH(i->imm));
	ba_call(g->as, BPF_FUNC_probe_write_user);
	ba_ji(g->as, BPF_JNE, R0, 0, emit_stub_arg(g, i, ERR_UWFAULT, 0));
}

/* A copy is cut and ended by the kernel. */
void em_storestr(struct gen *g, const struct ir_insn *i)
{
	uint32_t off = g_str_off(g, &i->args[2], 0), none = ba_label(g->as), fits = ba_label(g->as);

	g_load(g, R2, &i->args[1]);
	ba_ji(g->as, BPF_JSLE, R2, 0, none);
	ba_ji(g->as, BPF_JLE, R2, (int32_t)g->u->maxstr, fits);
	ba_movi(g->as, R2, g->u->maxstr);
	ba_place(g->as, fits);
	g_slot_addr(g, R3, off);
	g_slot_addr(g, R1, g->u->slot.stmp + g->u->lay.strsz);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
	ba_ji(g->as, BPF_JSLE, R0, 0, none);
	ba_ji(g->as, BPF_JSGT, R0, (int32_t)g->u->maxstr, none);
	ba_mov(g->as, R3, R0);
	g_load(g, R1, &i->args[0]);
	g_slot_addr(g, R2, g->u->slot.stmp + g->u->lay.strsz);
	ba_call(g->as, BPF_FUNC_probe_write_user);
	ba_ji(g->as, BPF_JNE, R0, 0, emit_stub_arg(g, i, ERR_USTRFAULT, 0));
	ba_place(g->as, none);
}

void em_setreg(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	diag_internal(g->u->diag, SPAN_NONE, "a register changed in an eBPF program");
}

void em_intr(struct gen *g, const struct ir_insn *i)
{
	bpf_intrinsics[i->ref](g, i);
}

/* ---- the hit's task: the current one, or the one that an event is about ---- */

static bool of_event(const struct gen *g)
{
	return ir_attaches[g->u->m->probes.v[g->h->probe]->kind].flags & ATF_PROC;
}

/* A chain of pointer fields from the task (@pointer: NULL for none), then a 32-bit field. */
static void task_field(struct gen *g, const struct ir_insn *i, const char *pointer, const char *number)
{
	if (of_event(g))
		ba_ld(g->as, BPF_DW, R0, R9, SH_TASK);
	else
		ba_call(g->as, BPF_FUNC_get_current_task);
	if (pointer)
		track_read(g->as, R0, pointer, 8);
	track_read(g->as, R0, number, 4);
	g_done(g, i->dst, R0);
}

/* One half of a helper's result is the current task's, the field any other's. */
static void half(struct gen *g, const struct ir_insn *i, int helper, bool high, const char *pointer, const char *number)
{
	if (of_event(g)) {
		task_field(g, i, pointer, number);
		return;
	}
	ba_call(g->as, helper);
	if (high)
		ba_alui(g->as, BPF_RSH, R0, 32);
	else
		ba_narrow(g->as, R0, 4, 0);
	g_done(g, i->dst, R0);
}

void bpf_in_pid(struct gen *g, const struct ir_insn *i)
{
	half(g, i, BPF_FUNC_get_current_pid_tgid, true, NULL, CORE_TGID);
}

void bpf_in_tid(struct gen *g, const struct ir_insn *i)
{
	half(g, i, BPF_FUNC_get_current_pid_tgid, false, NULL, CORE_PID);
}

void bpf_in_uid(struct gen *g, const struct ir_insn *i)
{
	half(g, i, BPF_FUNC_get_current_uid_gid, false, CORE_CRED, CORE_UID);
}

void bpf_in_gid(struct gen *g, const struct ir_insn *i)
{
	half(g, i, BPF_FUNC_get_current_uid_gid, true, CORE_CRED, CORE_GID);
}

void bpf_in_ppid(struct gen *g, const struct ir_insn *i)
{
	task_field(g, i, CORE_REAL_PARENT, CORE_TGID);
}

void bpf_in_euid(struct gen *g, const struct ir_insn *i)
{
	task_field(g, i, CORE_CRED, CORE_EUID);
}

void bpf_in_egid(struct gen *g, const struct ir_insn *i)
{
	task_field(g, i, CORE_CRED, CORE_EGID);
}

/* What arch_prctl() and clone() have set. A program that writes the register itself is not followed. */
void bpf_in_thread_pointer(struct gen *g, const struct ir_insn *i)
{
	ba_call(g->as, BPF_FUNC_get_current_task);
	ba_mov(g->as, R3, R0);
	ba_core(g->as, BPF_CORE_FIELD_BYTE_OFFSET, CORE_TASK("thread@0 struct thread_struct 8.fsbase@0 u8"));
	ba_alui(g->as, BPF_ADD, R3, 0);
	ba_sti(g->as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(g->as, R2, 8);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
	ba_ld(g->as, BPF_DW, R0, FP, FRAME_BUF);
	g_done(g, i->dst, R0);
}

void bpf_in_execname(struct gen *g, const struct ir_insn *i)
{
	uint32_t to = g_str_of(g, i->dst);

	g_slot_addr(g, R1, to);
	ba_movi(g->as, R2, 16);
	if (!of_event(g)) {
		ba_call(g->as, BPF_FUNC_get_current_comm);
		return;
	}
	ba_ld(g->as, BPF_DW, R3, R9, SH_TASK);
	ba_core(g->as, BPF_CORE_FIELD_BYTE_OFFSET, CORE_COMM);
	ba_alui(g->as, BPF_ADD, R3, 0);
	ba_call(g->as, BPF_FUNC_probe_read_kernel_str);
}

void bpf_in_cpu(struct gen *g, const struct ir_insn *i)
{
	ba_ld(g->as, BPF_W, R0, R9, SH_CPU);
	g_done(g, i->dst, R0);
}

void bpf_in_target(struct gen *g, const struct ir_insn *i)
{
	ba_ld_data(g->as, R1, BD_TARGET);
	ba_ld(g->as, BPF_DW, R0, R1, 0);
	g_done(g, i->dst, R0);
}

void bpf_in_target_set(struct gen *g, const struct ir_insn *i)
{
	uint32_t none = ba_label(g->as);

	g_load(g, R0, &i->args[0]);
	track_bits(g, R0, none);
	ba_alui(g->as, BPF_AND, R0, TRACK_TARGET);
	ba_place(g->as, none);
	g_done(g, i->dst, R0);
}

/* In struct pt_regs: the number of a system call, its arguments; and those of 32-bit programs. */
static const uint8_t sysarg_at[2][7] = {
	{ 120, PT_RDI, PT_RSI, PT_RDX, 56 /* r10 */, PT_R8, PT_R9 },
	{ 120, 40 /* rbx */, PT_RCX, PT_RDX, PT_RSI, PT_RDI, 32 /* rbp */ },
};
#define TS_COMPAT 2 /* of the thread: it is in a system call of 32-bit programs; the thread is its task's first field */

/* R0 = the word at @off of the registers that the tracepoint's first argument points to. */
static void read_regs(struct gen *g, int off)
{
	g_ctx(g, R1);
	ba_ld(g->as, BPF_DW, R3, R1, 0);
	ba_alui(g->as, BPF_ADD, R3, off);
	ba_sti(g->as, BPF_DW, FP, FRAME_BUF, 0);
	ba_mov(g->as, R1, FP);
	ba_alui(g->as, BPF_ADD, R1, FRAME_BUF);
	ba_movi(g->as, R2, 8);
	ba_call(g->as, BPF_FUNC_probe_read_kernel);
	ba_ld(g->as, BPF_DW, R0, FP, FRAME_BUF);
}

void bpf_in_sysarg(struct gen *g, const struct ir_insn *i)
{
	const struct ir_probe *p = g->u->m->probes.v[g->h->probe];
	uint32_t wide = ba_label(g->as), done = ba_label(g->as);
	const struct ir_val *n = &i->args[0];

	if (p->kind != AT_TRACEPOINT || strncmp(p->target, "sys_e", 5) != 0 || n->kind != IRV_INT ||
	    n->num < 0 || n->num > 6) {
		ba_movi(g->as, R0, 0);
		g_done(g, i->dst, R0);
		return;
	}
	ba_call(g->as, BPF_FUNC_get_current_task);
	track_read(g->as, R0, CORE_STATUS, 4);
	ba_alui(g->as, BPF_AND, R0, TS_COMPAT);
	ba_ji(g->as, BPF_JEQ, R0, 0, wide);
	read_regs(g, sysarg_at[1][n->num]);
	ba_narrow(g->as, R0, 4, 0);
	ba_ja(g->as, done);
	ba_place(g->as, wide);
	read_regs(g, sysarg_at[0][n->num]);
	ba_place(g->as, done);
	g_done(g, i->dst, R0);
}

/*
 * No helper tells real time on older kernels: staprun keeps the difference of the clocks up to
 * date.
 */
void bpf_in_realtime_ns(struct gen *g, const struct ir_insn *i)
{
	ba_call(g->as, BPF_FUNC_ktime_get_ns);
	ba_ld_data(g->as, R1, BD_REALTIME);
	ba_ld(g->as, BPF_DW, R1, R1, 0);
	ba_alu(g->as, BPF_ADD, R0, R1);
	g_done(g, i->dst, R0);
}

void bpf_in_monotonic_ns(struct gen *g, const struct ir_insn *i)
{
	ba_call(g->as, BPF_FUNC_ktime_get_ns);
	g_done(g, i->dst, R0);
}

void bpf_in_speculation(struct gen *g, const struct ir_insn *i)
{
	g_next_seq(g);
	g_done(g, i->dst, R0);
}

void bpf_in_cycles(struct gen *g, const struct ir_insn *i)
{
	bpf_in_monotonic_ns(g, i);
}

const emit_fn bpf_intrinsics[IN_COUNT] = {
#define INTRINSIC(name, ...) [IN_##name] = bpf_in_##name,
#include "ir/intrinsics.def"
#undef INTRINSIC
};

/* Never placed here. */
void em_embed(struct gen *g, const struct ir_insn *i)
{
	(void)i;
	diag_internal(g->u->diag, SPAN_NONE, "embedded C in an eBPF program");
}
