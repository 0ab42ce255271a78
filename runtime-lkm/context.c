/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts: what a handler needs while it runs, one for each CPU and one for begin, end and error
 * probes.
 */
#include "rt.h"

#define SP_SLICE                                                                                   \
	10000 /* actions of an interruptible handler between two chances for others to run */

static struct sp_ctx __percpu *sp_ctxs;
static struct sp_ctx sp_session_ctx;

/*
 * ---- locks of globals: tried, never waited for without a limit, so that no order of hits can
 * deadlock ----
 */

struct sp_lock {
	atomic_t v; /* -1: a writer; n > 0: readers */
} ____cacheline_aligned;
static struct sp_lock *sp_locks;

static SP_CODE bool sp_lock_try(const struct sp_lock_want *w)
{
	atomic_t *v = &sp_locks[w->global].v;
	int old = atomic_read(v);

	if (w->write)
		return old == 0 && atomic_cmpxchg_acquire(v, 0, -1) == 0;
	return old >= 0 && atomic_cmpxchg_acquire(v, old, old + 1) == old;
}

static SP_CODE void sp_unlock(const struct sp_lock_want *w, u32 n)
{
	while (n-- > 0) {
		if (w[n].write)
			atomic_set_release(&sp_locks[w[n].global].v, 0);
		else
			atomic_dec_return_release(&sp_locks[w[n].global].v);
	}
}

static SP_CODE bool sp_lock(const struct sp_ctx *c, const struct sp_probe *p)
{
	u32 i, tries = 0;

	for (i = 0; i < p->nlocks; i++) {
		while (!sp_lock_try(&p->locks[i])) {
			if (c->interruptible) {
				cond_resched();
			} else if (++tries >= sp_script.maxtrylock) {
				sp_unlock(p->locks, i);
				return false;
			}
			udelay(sp_script.trylockdelay);
		}
	}
	return true;
}

/* ---- running ---- */

/* The handler ended in an error that nothing caught. */
static SP_CODE void sp_report(struct sp_ctx *c)
{
	union sp_data args[5 + SP_ERR_CALLS / 2] = {
		{ .num = c->err.operand },
		{ .num = c->err.loc },
		{ .num = c->probe->index },
		{ .num = c->err.ncalls },
	};
	u32 n = ARRAY_SIZE(args) - 1;

	if (sp_script.suppress_errors) {
		atomic64_inc(&sp.errors);
		return;
	}
	BUILD_BUG_ON(SP_ERR_CALLS != REC_FRAMES);
	memcpy(&args[4], c->err.calls, sizeof(c->err.calls));
	args[n].str = c->err.kind == SP_ERR_USER ? c->err.text : "";
	sp_emit(c, REC_ERROR, c->err.kind, n + 1, 1u << n, args);
	if (atomic64_inc_return(&sp.errors) > sp_script.maxerrors) {
		WRITE_ONCE(sp.failed, true);
		sp_session_end();
	}
}

static SP_CODE void sp_run(struct sp_ctx *c, const struct sp_probe *p)
{
	c->probe = p;
	c->err.kind = 0;
	sp_match_reset(c);
	c->token[0] = 0;
	c->token_at = 0;
	c->depth = 0;
	c->want_exit = 0;
	c->open = NULL;
	c->frame = c->strings;
	c->stack_base = (unsigned long)__builtin_frame_address(0);
	if (!sp_lock(c, p)) {
		if (atomic64_inc_return(&sp.skipped_lock) > sp_script.maxskipped)
			sp_session_end();
		return;
	}
	if (p->handler(c))
		sp_report(c);
	while (c->open)
		sp_iter_close(c, c->open);
	sp_unlock(p->locks, p->nlocks);
	if (c->want_exit) {
		WRITE_ONCE(sp.exit_wanted, true);
		sp_session_end();
	}
}

static SP_CODE void sp_hit_any(const struct sp_probe *p, struct pt_regs *regs, const unsigned long *tpargs,
			       struct task_struct *task)
{
	unsigned long flags;
	struct sp_ctx *c;

	local_irq_save(flags);
	c = this_cpu_ptr(sp_ctxs);
	if (!c->busy) {
		c->busy = 1;
		barrier();
		c->regs = regs;
		c->task = task;
		c->tparg = tpargs;
		c->actions = sp_script.maxaction;
		sp_run(c, p);
		barrier();
		c->busy = 0;
	} else {
		atomic64_inc(&sp.skipped_nested);
	}
	local_irq_restore(flags);
}

/* Whether the probe's filters let hits of the current process through. */
static SP_CODE bool sp_wanted(const struct sp_probe *p)
{
	u32 id = current->tgid;

	if (p->pid && p->pid != id)
		return false;
	if (p->exe >= 0 && !(sp_track_bits(id) >> (TRACK_EXE_SHIFT + p->exe) & 1))
		return false;
	return !(p->flags & SP_PF_FILTER) || !sp.target || id == sp.target || (sp_track_bits(id) & TRACK_TARGET);
}

static SP_CODE void sp_hit(const struct sp_probe *p, struct pt_regs *regs, const unsigned long *tpargs)
{
	if (atomic_read(&sp.state) == SP_RUNNING && sp_wanted(p))
		sp_hit_any(p, regs, tpargs, current);
}

static SP_CODE void sp_hit_task(const struct sp_probe *p, struct task_struct *task)
{
	if (atomic_read(&sp.state) == SP_RUNNING)
		sp_hit_any(p, NULL, NULL, task);
}

static void sp_run_session_probe(const struct sp_probe *p)
{
	struct sp_ctx *c = &sp_session_ctx;
	s64 limit = sp_script.maxaction_interruptible;

	if (!limit)
		limit = 10 * sp_script.maxaction;
	c->regs = NULL;
	c->task = current;
	c->actions = min_t(s64, limit, SP_SLICE);
	c->actions_left = limit - c->actions;
	sp_run(c, p);
}

SP_CODE s32 sp_more_actions(struct sp_ctx *c)
{
	s64 owed = -c->actions; /* of the instruction that asked */

	if (!c->interruptible || c->actions_left < owed || fatal_signal_pending(current))
		return sp_fail(c, SP_ERR_ACTION, 0);
	c->actions_left -= owed;
	c->actions = min_t(s64, c->actions_left, SP_SLICE);
	c->actions_left -= c->actions;
	cond_resched();
	return 0;
}

/* ---- memory ---- */

static int sp_context_alloc(struct sp_ctx *c)
{
	u64 str = sp_script.maxstringlen;
	u64 bytes = ALIGN(sp_script.string_bytes + 3 * str + sp_match_bytes(), 8);

	c->strings = sp_big_alloc(bytes + AGG_MAX_BUCKETS * sizeof(*c->hist) +
				  sp_script.maxbacktrace * sizeof(*c->stack));
	if (!c->strings)
		return -ENOMEM;
	c->frame_end = c->strings + sp_script.string_bytes;
	c->scratch = c->frame_end;
	c->err.text = c->scratch + str;
	c->token = c->err.text + str;
	sp_match_init(c, c->token + str);
	c->hist = (u64 *)(c->strings + bytes);
	c->stack = (unsigned long *)(c->hist + AGG_MAX_BUCKETS);
	return 0;
}

static int sp_contexts_alloc(void)
{
	int cpu;

	sp_locks = kvcalloc(max(sp_script.nglobals, 1u), sizeof(*sp_locks), GFP_KERNEL);
	sp_ctxs = alloc_percpu(struct sp_ctx);
	if (!sp_locks || !sp_ctxs || sp_context_alloc(&sp_session_ctx))
		goto no_memory;
	sp_session_ctx.interruptible = 1;
	for_each_possible_cpu(cpu) {
		if (sp_context_alloc(per_cpu_ptr(sp_ctxs, cpu)))
			goto no_memory;
	}
	return 0;
no_memory:
	sp_session_fail(
		-1,
		"no memory for strings: %llu bytes for each of %u CPUs; a lower MAXSTRINGLEN needs less",
		sp_script.string_bytes, num_possible_cpus());
	return -ENOMEM;
}

static void sp_contexts_free(void)
{
	int cpu;

	if (sp_ctxs)
		for_each_possible_cpu(cpu)
			vfree(per_cpu_ptr(sp_ctxs, cpu)->strings);
	free_percpu(sp_ctxs);
	vfree(sp_session_ctx.strings);
	kvfree(sp_locks);
	sp_ctxs = NULL;
	sp_session_ctx.strings = NULL;
	sp_locks = NULL;
}
