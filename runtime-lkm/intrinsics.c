/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intrinsics about the hit: task, time, CPU. Those on strings are in strings.c. */
#include "rt.h"

SP_CODE s64 sp_in_pid(struct sp_ctx *c)
{
	return current->tgid;
}

SP_CODE s64 sp_in_tid(struct sp_ctx *c)
{
	return current->pid;
}

SP_CODE s64 sp_in_ppid(struct sp_ctx *c)
{
	s64 id;

	rcu_read_lock();
	id = rcu_dereference(current->real_parent)->tgid;
	rcu_read_unlock();
	return id;
}

SP_CODE s64 sp_in_uid(struct sp_ctx *c)
{
	return from_kuid_munged(&init_user_ns, current_uid());
}

SP_CODE s64 sp_in_euid(struct sp_ctx *c)
{
	return from_kuid_munged(&init_user_ns, current_euid());
}

SP_CODE s64 sp_in_gid(struct sp_ctx *c)
{
	return from_kgid_munged(&init_user_ns, current_gid());
}

SP_CODE s64 sp_in_egid(struct sp_ctx *c)
{
	return from_kgid_munged(&init_user_ns, current_egid());
}

SP_CODE void sp_in_execname(struct sp_ctx *c, char *to)
{
	memcpy(to, current->comm, TASK_COMM_LEN);
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
