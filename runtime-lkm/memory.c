/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's and a process's memory, and a hit's arguments. Never sleeps: a page that is
 * not there is a fault.
 */
#include "rt.h"

/* As IR_MEM() and IR_USER of ir.h. */
#define SP_MEM_WIDTH(mem) ((mem)&15u)
#define SP_MEM_SIGNED 16u
#define SP_MEM_USER 32u

static SP_CODE bool sp_copy(void *to, u64 addr, size_t n, bool user)
{
	if (user)
		return !copy_from_user_nofault(to, (const void __user *)(unsigned long)addr, n);
	return !copy_from_kernel_nofault(to, (const void *)(unsigned long)addr, n);
}

static SP_CODE s64 sp_narrow(u64 v, u32 mem)
{
	u32 shift = 64 - 8 * SP_MEM_WIDTH(mem);

	if (mem & SP_MEM_SIGNED)
		return (s64)(v << shift) >> shift;
	return v << shift >> shift;
}

SP_CODE s32 sp_load(struct sp_ctx *c, u64 addr, u32 mem, s64 *out)
{
	bool user = mem & SP_MEM_USER;
	u64 v = 0;

	if (!sp_copy(&v, addr, SP_MEM_WIDTH(mem), user))
		return sp_fail(c, user ? SP_ERR_UFAULT : SP_ERR_KFAULT, addr);
	*out = sp_narrow(v, mem);
	return 0;
}

/* A text of wider characters, one at a time, as UTF-8; no character is cut. */
static SP_CODE s32 sp_load_utf(struct sp_ctx *c, u64 addr, size_t max, u32 mem, char *to)
{
	u32 width = SP_MEM_WIDTH(mem), high = 0, unit;
	bool user = mem & SP_MEM_USER;
	size_t n = 0;
	char utf[4];
	u64 at;
	int k;

	for (at = addr; n < max; at += width) {
		unit = 0;
		if (!sp_copy(&unit, at, width, user))
			return sp_fail(c, user ? SP_ERR_USTRFAULT : SP_ERR_KSTRFAULT, addr);
		if (!unit)
			break;
		k = text_utf8(utf, &high, unit, width);
		if (k < 0)
			return sp_fail(c, SP_ERR_UTF, addr);
		if (k > max - n)
			break;
		memcpy(c->scratch + n, utf, k);
		n += k;
	}
	if (high)
		return sp_fail(c, SP_ERR_UTF, addr);
	c->scratch[n] = 0;
	sp_str_copy(to, c->scratch);
	return 0;
}

/*
 * Copies piece by piece, no piece across a page: what follows the string may be unmapped. The
 * destination is left alone when it fails.
 */
SP_CODE s32 sp_loadstr(struct sp_ctx *c, u64 addr, s64 most, u32 mem, char *to)
{
	size_t max = clamp_t(s64, most, 0, sp_script.maxstringlen - 1), n = 0;
	bool user = mem & SP_MEM_USER;
	char *text = c->scratch;

	if (SP_MEM_WIDTH(mem) > 1)
		return sp_load_utf(c, addr, max, mem, to);
	while (n < max) {
		size_t piece = min_t(size_t, 64 - ((addr + n) & 63), max - n), got;

		if (!sp_copy(text + n, addr + n, piece, user))
			return sp_fail(c, user ? SP_ERR_USTRFAULT : SP_ERR_KSTRFAULT, addr);
		got = strnlen(text + n, piece);
		n += got;
		if (got < piece)
			break;
	}
	text[n] = 0;
	sp_str_copy(to, text);
	return 0;
}

enum { SP_BUF_TEXT, SP_BUF_HEX, SP_BUF_QUOTED }; /* as enum ir_buf */

SP_CODE s32 sp_loadbuf(struct sp_ctx *c, u64 addr, s64 n, s64 most, u32 mem, char *to)
{
	static const struct fmt_spec hex = { 'M', FMT_F_NONE, FMT_NONE, FMT_NONE };
	size_t max = sp_script.maxstringlen - 1, bytes = n < 0 ? 1 : min_t(u64, n, max);
	struct fmt_out o = { to, 0, max + 1 };
	bool user = mem & SP_MEM_USER;

	if (bytes && !sp_copy(c->scratch, addr, bytes, user))
		return sp_fail(c, user ? SP_ERR_UFAULT : SP_ERR_KFAULT, addr);
	switch (mem & 15) {
	case SP_BUF_HEX:
		fmt_mem(&o, &hex, c->scratch, bytes);
		break;
	case SP_BUF_QUOTED:
		text_escape(to, most <= 0 || most > max ? max : most, c->scratch, bytes, 1);
		return 0;
	default:
		fmt_lit(&o, c->scratch, strnlen(c->scratch, bytes));
	}
	fmt_end(&o);
	return 0;
}

/* ---- writing: pages that are not there or may not be written are faults ---- */

#define SP_VSYSCALL (-10UL << 20)

static SP_CODE bool sp_kernel_address(u64 addr, size_t n)
{
#ifdef CONFIG_X86_64
	u32 unused = 64 - boot_cpu_data.x86_virt_bits;

	/* others make the kernel warn instead of telling of a fault */
	if ((s64)(addr << unused) >> unused != (s64)addr)
		return false;
	/* the page of vsyscalls counts as a program's: no fault there is told of at all */
	if (addr + n > SP_VSYSCALL && addr < SP_VSYSCALL + PAGE_SIZE)
		return false;
#endif
	return addr >= TASK_SIZE_MAX && addr + n >= addr;
}

/* Words where that fits, then bytes; the kernel's own function for this is not for modules. */
static SP_CODE bool sp_put_kernel(u64 addr, const void *from, size_t n)
{
	if (!sp_kernel_address(addr, n))
		return false;
	pagefault_disable();
	for (; n >= 8 && !(addr & 7); n -= 8, addr += 8, from += 8)
		__put_kernel_nofault((void *)(unsigned long)addr, from, u64, fault);
	if (n == 4 && !(addr & 3)) {
		__put_kernel_nofault((void *)(unsigned long)addr, from, u32, fault);
		n = 0;
	}
	if (n == 2 && !(addr & 1)) {
		__put_kernel_nofault((void *)(unsigned long)addr, from, u16, fault);
		n = 0;
	}
	for (; n; n--, addr++, from++)
		__put_kernel_nofault((void *)(unsigned long)addr, from, u8, fault);
	pagefault_enable();
	return true;
fault:
	pagefault_enable();
	return false;
}

static SP_CODE bool sp_put(u64 addr, const void *from, size_t n, bool user)
{
	if (user)
		return !copy_to_user_nofault((void __user *)(unsigned long)addr, from, n);
	return sp_put_kernel(addr, from, n);
}

SP_CODE s32 sp_store(struct sp_ctx *c, u64 addr, s64 v, u32 mem)
{
	bool user = mem & SP_MEM_USER;

	if (!sp_put(addr, &v, SP_MEM_WIDTH(mem), user))
		return sp_fail(c, user ? SP_ERR_UWFAULT : SP_ERR_KWFAULT, addr);
	return 0;
}

SP_CODE s32 sp_storestr(struct sp_ctx *c, u64 addr, s64 most, const char *text, u32 mem)
{
	bool user = mem & SP_MEM_USER;
	size_t n;

	if (most <= 0)
		return 0;
	n = strnlen(text, min_t(u64, most - 1, sp_script.maxstringlen));
	/* the NUL may not be behind the part that is written */
	if (!sp_put(addr, text, n, user) || !sp_put(addr + n, "", 1, user))
		return sp_fail(c, user ? SP_ERR_USTRFAULT : SP_ERR_KSTRFAULT, addr);
	return 0;
}

/* ---- arguments, by the C calling convention, at the function's first instruction ---- */

#ifdef CONFIG_X86_64
static SP_CODE s64 sp_stack_arg(struct pt_regs *regs, u32 n)
{
	bool user = user_mode(regs);
	u32 compat;
	u64 v = 0;

	if (user && !user_64bit_mode(regs))
		return sp_copy(&compat, regs->sp + 4 * n, 4, true) ? compat : 0;
	return sp_copy(&v, regs->sp + 8 * (n - 6), 8, user) ? v : 0;
}

SP_CODE s64 sp_arg(struct sp_ctx *c, u32 n)
{
	struct pt_regs *regs = c->regs;

	if (!regs)
		return 0;
	if (user_mode(regs) && !user_64bit_mode(regs))
		return sp_stack_arg(regs, n);
	switch (n) {
	case 1:
		return regs->di;
	case 2:
		return regs->si;
	case 3:
		return regs->dx;
	case 4:
		return regs->cx;
	case 5:
		return regs->r8;
	case 6:
		return regs->r9;
	default:
		return sp_stack_arg(regs, n);
	}
}

/* By DWARF number (System V ABI for x86-64, figure 3.36). */
static SP_CODE unsigned long *sp_reg_at(struct sp_ctx *c, u32 dwarf)
{
	static const u8 at[] = {
		offsetof(struct pt_regs, ax),  offsetof(struct pt_regs, dx),  offsetof(struct pt_regs, cx),
		offsetof(struct pt_regs, bx),  offsetof(struct pt_regs, si),  offsetof(struct pt_regs, di),
		offsetof(struct pt_regs, bp),  offsetof(struct pt_regs, sp),  offsetof(struct pt_regs, r8),
		offsetof(struct pt_regs, r9),  offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
		offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13), offsetof(struct pt_regs, r14),
		offsetof(struct pt_regs, r15), offsetof(struct pt_regs, ip),
	};

	if (!c->regs || dwarf >= ARRAY_SIZE(at))
		return NULL;
	return (unsigned long *)((char *)c->regs + at[dwarf]);
}

SP_CODE s64 sp_reg(struct sp_ctx *c, u32 dwarf)
{
	unsigned long *at = sp_reg_at(c, dwarf);

	return at ? *at : 0;
}

SP_CODE void sp_setreg(struct sp_ctx *c, u32 dwarf, s64 v)
{
	unsigned long *at = sp_reg_at(c, dwarf);

	if (at)
		*at = v;
}
#else
SP_CODE s64 sp_reg(struct sp_ctx *c, u32 dwarf)
{
	return c->regs && dwarf < 31 ? regs_get_register(c->regs, dwarf * 8) : 0;
}

SP_CODE void sp_setreg(struct sp_ctx *c, u32 dwarf, s64 v)
{
	if (c->regs && dwarf < 31)
		c->regs->regs[dwarf] = v;
}

SP_CODE s64 sp_arg(struct sp_ctx *c, u32 n)
{
	return c->regs ? regs_get_kernel_argument(c->regs, n - 1) : 0;
}
#endif

SP_CODE s64 sp_retval(struct sp_ctx *c)
{
	return c->regs ? regs_return_value(c->regs) : 0;
}

/*
 * Where the return address of the probed call is, or was: a call pushes it on x86, so that the stack is
 * a word higher when the function has returned. Elsewhere it is in a register and the stack the same.
 */
SP_CODE s64 sp_frame(struct sp_ctx *c)
{
	struct pt_regs *regs = c->regs;
	u64 at = regs ? kernel_stack_pointer(regs) : 0;

	if (!regs)
		return 0;
	if (user_mode(regs))
		at = user_stack_pointer(regs);
#ifdef CONFIG_X86_64
	if (c->probe->kind == SP_AT_KRETPROBE)
		at -= 8;
	if (c->probe->kind == SP_AT_URETPROBE)
		at -= user_64bit_mode(regs) ? 8 : 4;
#endif
	return at;
}
