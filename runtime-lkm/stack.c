/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a hit was, backtraces, and names of kernel addresses. */
#include "rt.h"

/* ---- where ---- */

static SP_CODE bool sp_hit_user(const struct sp_ctx *c)
{
	return c->regs && user_mode((struct pt_regs *)c->regs);
}

/* The current process's registers, as they were where it entered the kernel or was interrupted; NULL: it has none. */
static SP_CODE struct pt_regs *sp_user_regs(const struct sp_ctx *c)
{
	struct pt_regs *regs = NULL;

	if (sp_hit_user(c))
		return c->regs;
	if (current->mm && !(current->flags & PF_KTHREAD) && !c->interruptible)
		regs = task_pt_regs(current);
	return regs && user_mode(regs) ? regs : NULL;
}

SP_CODE s64 sp_in_user_mode(struct sp_ctx *c)
{
	return sp_hit_user(c);
}

SP_CODE s64 sp_in_addr(struct sp_ctx *c)
{
	u64 ip = c->regs ? instruction_pointer((struct pt_regs *)c->regs) : 0;

#ifdef CONFIG_X86
	/* the address behind the breakpoint's byte, whatever the kprobe is made of */
	if (c->probe->kind == SP_AT_KPROBE)
		ip--;
#endif
	return ip;
}

SP_CODE s64 sp_in_uaddr(struct sp_ctx *c)
{
	struct pt_regs *regs = sp_user_regs(c);

	return regs ? instruction_pointer(regs) : 0;
}

/* ---- the kernel's stack ---- */

typedef unsigned int (*sp_save_regs_fn)(struct pt_regs *regs, unsigned long *store, unsigned int size,
					unsigned int skip);
static sp_save_regs_fn sp_save_regs; /* NULL: not found */

/*
 * stack_trace_save_regs() is not exported. A kprobe tells where it is; on a kernel with CONFIG_X86_KERNEL_IBT behind the
 * instruction that a call must find there.
 */
static void sp_stacks_init(void)
{
	struct kprobe kp = { .symbol_name = "stack_trace_save_regs" };
	unsigned long at;

	if (register_kprobe(&kp))
		return;
	at = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
#ifdef CONFIG_X86_KERNEL_IBT
	if (at & 4)
		at -= 4;
#endif
	sp_save_regs = (sp_save_regs_fn)at;
}

static SP_CODE bool sp_starts(unsigned long at, const char *what)
{
	char text[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(text, at);
	return !strncmp(text, what, strlen(what));
}

/* Where the handler was called by a function call, our own functions come first, then the tracepoint's. */
static SP_CODE u32 sp_own_frames(const unsigned long *v, u32 n)
{
	u32 skip = 0, i;

	for (i = 0; i < n; i++)
		if (within_module(v[i], THIS_MODULE))
			skip = i + 1;
	if (skip < n && sp_starts(v[skip], "__traceiter_"))
		skip++;
	return skip;
}

/* c->stack = the addresses; how many. */
static SP_CODE u32 sp_kstack(struct sp_ctx *c)
{
	struct pt_regs *regs = c->regs;
	u32 n = 0, skip;

	if (c->interruptible || sp_hit_user(c))
		return 0;
	if (regs && sp_save_regs) {
		n = sp_save_regs(regs, c->stack, sp_script.maxbacktrace, 0);
	} else {
		n = stack_trace_save(c->stack, sp_script.maxbacktrace, 0);
		skip = sp_own_frames(c->stack, n);
		n -= skip;
		memmove(c->stack, c->stack + skip, n * sizeof(*c->stack));
	}
	if (n && regs)
		c->stack[0] = sp_in_addr(c);
	return n;
}

/* ---- a process's stack, by frame pointers: as rt_ustack of eBPF ---- */

static SP_CODE u32 sp_ustack(struct sp_ctx *c)
{
	struct pt_regs *regs = sp_user_regs(c);
	unsigned long frame[2], fp;
	u32 n = 0, most = sp_script.maxbacktrace;

	if (!regs)
		return 0;
	c->stack[n++] = instruction_pointer(regs);
#ifdef CONFIG_X86_64
	if (!user_64bit_mode(regs))
		return n;
	if (c->probe->flags & SP_PF_ENTRY && n < most && sp_copy(frame, regs->sp, sizeof(*frame), true) && frame[0])
		c->stack[n++] = frame[0];
	fp = regs->bp;
#else
	fp = frame_pointer(regs);
#endif
	while (n < most && sp_copy(frame, fp, sizeof(frame), true) && frame[1]) {
		c->stack[n++] = frame[1];
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	return n;
}

/* ---- as strings and numbers ---- */

/* "0x... ", whole or not at all. */
static SP_CODE void sp_stack_text(struct sp_ctx *c, char *to, u32 n, s64 skip, s64 most)
{
	static const struct fmt_spec hex = { 'p', FMT_F_NONE, FMT_NONE, FMT_NONE };
	struct fmt_out o = { to, 0, sp_script.maxstringlen };
	u64 i;

	for (i = skip; i < n && most && o.len + 20 <= sp_script.maxstringlen; i++, most--) {
		fmt_int(&o, &hex, c->stack[i]);
		fmt_lit(&o, " ", 1);
	}
	fmt_end(&o);
}

SP_CODE void sp_in_kstack_text(struct sp_ctx *c, char *to, s64 skip, s64 most)
{
	sp_stack_text(c, to, sp_kstack(c), skip, most);
}

SP_CODE void sp_in_ustack_text(struct sp_ctx *c, char *to, s64 skip, s64 most)
{
	sp_stack_text(c, to, sp_ustack(c), skip, most);
}

SP_CODE s64 sp_in_kstack_at(struct sp_ctx *c, s64 n)
{
	return (u64)n < sp_kstack(c) ? c->stack[n] : 0;
}

SP_CODE s64 sp_in_ustack_at(struct sp_ctx *c, s64 n)
{
	return (u64)n < sp_ustack(c) ? c->stack[n] : 0;
}

/* ---- as records ---- */

#define SP_STACK_USER 1u /* of enum ir_stack */
#define SP_PIECE 1024u
#define SP_CRUMB 64u

/* As much as can be read; how many bytes. */
static SP_CODE u32 sp_copy_stack(void *to, u64 from)
{
	u32 most = sp_script.maxustack & ~(SP_CRUMB - 1), n = 0;

	while (n + SP_PIECE <= most && sp_copy(to + n, from + n, SP_PIECE, true))
		n += SP_PIECE;
	while (n < most && sp_copy(to + n, from + n, SP_CRUMB, true))
		n += SP_CRUMB;
	return n;
}

/* Behind process and probe; returns the end. */
static SP_CODE u64 *sp_put_kstack(struct sp_ctx *c, u64 *p)
{
	u32 n = sp_kstack(c), i;

	*p++ = n;
	for (i = 0; i < n; i++)
		*p++ = c->stack[i];
	return p;
}

static SP_CODE u64 *sp_put_ustack(struct sp_ctx *c, u64 *p, const u64 *own)
{
	struct pt_regs *regs = sp_user_regs(c);
	u64 top = own[1];

	memcpy(p, own, 3 * sizeof(*p));
	p += 3;
	memset(p, 0, REC_REGS * sizeof(*p));
#ifdef CONFIG_X86_64
	BUILD_BUG_ON(offsetofend(struct pt_regs, sp) + sizeof(long) != REC_REGS * sizeof(*p));
	if (regs && user_64bit_mode(regs)) {
		memcpy(p, regs, REC_REGS * sizeof(*p));
		top = top ?: regs->sp;
	}
#else
	if (regs)
		p[16] = instruction_pointer(regs);
#endif
	p += REC_REGS;
	return top ? (void *)p + sp_copy_stack(p, top) : p;
}

SP_CODE void sp_stack(struct sp_ctx *c, u32 how, u64 pc, u64 top, u64 fp)
{
	u32 payload = how & SP_STACK_USER ? 8 * (5 + REC_REGS) + sp_script.maxustack :
					    8 * (3 + sp_script.maxbacktrace);
	struct sp_ring *r = sp_rings[raw_smp_processor_id()];
	u64 own[3] = { pc, top, fp }, *p;
	struct rec *rec;

	if (c->interruptible)
		return;
	if (!r) {
		atomic64_inc(&sp.homeless);
		return;
	}
	r->seq++;
	if (!sp_ring_has_room(r, sizeof(*rec) + payload)) {
		r->lost++;
		return;
	}
	rec = (struct rec *)(r->data + (r->head & (r->size - 1)));
	*rec = (struct rec){ .type = REC_STACK, .id = how, .cpu = r->cpu, .seq = r->seq - 1,
			     .time = ktime_get_mono_fast_ns() };
	p = (u64 *)(rec + 1);
	*p++ = current->tgid;
	*p++ = c->probe->index;
	p = how & SP_STACK_USER ? sp_put_ustack(c, p, own) : sp_put_kstack(c, p);
	rec->size = (char *)p - (char *)rec;
	smp_store_release(&r->head, r->head + rec->size);
}

/* ---- names ---- */

enum sp_names {
#define NAME(name, operand, user, k, b) SP_NM_##name,
#include "base/names.def"
#undef NAME
};

/* "symbol+0x1/0x2 [module]" of the kernel's; the last part it leaves out for its own symbols. */
static SP_CODE noinline void sp_symdata(u64 addr, struct fmt_out *o, bool size)
{
	char text[KSYM_SYMBOL_LEN], *end;

	sprint_symbol(text, addr);
	end = strchr(text, ' ');
	if (!size && strchr(text, '/')) {
		char *slash = strchr(text, '/');

		fmt_lit(o, text, slash - text);
		if (end)
			fmt_lit(o, end, strlen(end));
	} else {
		fmt_lit(o, text, strlen(text));
	}
	if (!end && text[0] != '0')
		fmt_lit(o, " [kernel]", 9);
}

static SP_CODE noinline void sp_symname(u64 addr, struct fmt_out *o)
{
	char text[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(text, addr);
	fmt_lit(o, text, strcspn(text, " "));
}

static SP_CODE noinline void sp_modname(u64 addr, struct fmt_out *o)
{
	char text[KSYM_SYMBOL_LEN], *module;

	sprint_symbol_no_offset(text, addr);
	module = strchr(text, '[');
	if (module)
		fmt_lit(o, module + 1, strcspn(module + 1, "]"));
	else if (text[0] != '0')
		fmt_lit(o, "kernel", 6);
}

/* A line for each address of a string. */
static SP_CODE void sp_symlines(struct sp_ctx *c, const char *s, struct fmt_out *o)
{
	char *end;

	for (;; s = end) {
		u64 addr;

		while (*s == ' ')
			s++;
		addr = simple_strtoull(s, &end, 16);
		if (end == s)
			return;
		sp_symdata(addr, o, false);
		fmt_lit(o, "\n", 1);
	}
}

SP_CODE void sp_name(struct sp_ctx *c, u32 row, u64 addr, const char *addrs, char *to)
{
	struct fmt_out o = { c->scratch, 0, sp_script.maxstringlen };

	switch (row) {
	case SP_NM_symname:
		sp_symname(addr, &o);
		break;
	case SP_NM_symdata:
		sp_symdata(addr, &o, true);
		break;
	case SP_NM_modname:
		sp_modname(addr, &o);
		break;
	case SP_NM_sprint_syms:
		sp_symlines(c, addrs, &o);
		break;
	}
	fmt_end(&o);
	sp_str_copy(to, c->scratch);
}

SP_CODE void sp_in_ppfunc(struct sp_ctx *c, char *to)
{
	const char *name = c->probe->func ?: "";
	size_t n = strnlen(name, sp_script.maxstringlen - 1);

	memcpy(to, name, n);
	to[n] = 0;
}

SP_CODE void sp_in_probefunc(struct sp_ctx *c, char *to)
{
	if (c->probe->func || sp_hit_user(c) || !c->regs)
		sp_in_ppfunc(c, to);
	else
		sp_name(c, SP_NM_symname, sp_in_addr(c), NULL, to);
}
