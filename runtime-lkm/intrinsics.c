/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intrinsics about the hit: task, time, CPU. Those on strings are in strings.c. */
#include "rt.h"

SP_CODE s64 sp_in_pid(struct sp_ctx *c)
{
	return ((struct task_struct *)c->task)->tgid;
}

SP_CODE s64 sp_in_tid(struct sp_ctx *c)
{
	return ((struct task_struct *)c->task)->pid;
}

SP_CODE s64 sp_in_ppid(struct sp_ctx *c)
{
	s64 id;

	rcu_read_lock();
	id = rcu_dereference(((struct task_struct *)c->task)->real_parent)->tgid;
	rcu_read_unlock();
	return id;
}

/* A task's own are those it acts with; of another, what others see. */
#define SP_CRED(name, field, to)                                                                   \
	SP_CODE s64 sp_in_##name(struct sp_ctx *c)                                                 \
	{                                                                                          \
		struct task_struct *t = c->task;                                                   \
		s64 id;                                                                            \
                                                                                                   \
		rcu_read_lock();                                                                   \
		id = to(&init_user_ns, t == current ? current_cred()->field : __task_cred(t)->field); \
		rcu_read_unlock();                                                                 \
		return id;                                                                         \
	}
SP_CRED(uid, uid, from_kuid_munged)
SP_CRED(euid, euid, from_kuid_munged)
SP_CRED(gid, gid, from_kgid_munged)
SP_CRED(egid, egid, from_kgid_munged)

SP_CODE void sp_in_execname(struct sp_ctx *c, char *to)
{
	memcpy(to, ((struct task_struct *)c->task)->comm, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = 0;
}

SP_CODE s64 sp_in_thread_pointer(struct sp_ctx *c)
{
#ifdef CONFIG_X86_64
	return current->thread.fsbase;
#else
	return 0;
#endif
}

SP_CODE s64 sp_in_cpu(struct sp_ctx *c)
{
	return raw_smp_processor_id();
}

SP_CODE s64 sp_in_target(struct sp_ctx *c)
{
	return sp.target;
}

SP_CODE s64 sp_in_target_set(struct sp_ctx *c, s64 pid)
{
	return pid > 0 && pid <= PID_MAX_LIMIT && (sp_track_bits(pid) & TRACK_TARGET);
}

SP_CODE s64 sp_in_sysarg(struct sp_ctx *c, s64 n)
{
	struct pt_regs *regs;
	unsigned long args[6];

	if (!c->tparg || strncmp(c->probe->target, "sys_e", 5) || n < 0 || n > 6)
		return 0;
	regs = (struct pt_regs *)c->tparg[0];
	if (!n)
		return syscall_get_nr(current, regs);
	syscall_get_arguments(current, regs, args);
#ifdef CONFIG_X86_64
	if (in_ia32_syscall())
		return (u32)args[n - 1];
#endif
	return args[n - 1];
}

SP_CODE void sp_in_pp(struct sp_ctx *c, char *to)
{
	size_t n = strnlen(c->probe->name, sp_script.maxstringlen - 1);

	memcpy(to, c->probe->name, n);
	to[n] = 0;
}

SP_CODE s64 sp_in_realtime_ns(struct sp_ctx *c)
{
	return ktime_get_real_fast_ns();
}

SP_CODE s64 sp_in_monotonic_ns(struct sp_ctx *c)
{
	return ktime_get_mono_fast_ns();
}

SP_CODE s64 sp_in_cycles(struct sp_ctx *c)
{
	return get_cycles();
}

SP_CODE s64 sp_in_speculation(struct sp_ctx *c)
{
	return atomic64_inc_return(&sp.last_speculation);
}

SP_CODE void sp_in_exit(struct sp_ctx *c)
{
	c->want_exit = 1;
}
