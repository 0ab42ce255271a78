/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One session: taking memory, attaching, begin probes, stopping, end probes. The control file's
 * mutex is held.
 */
#include "rt.h"

/* What is attached now, by kind: each kind's data about its probes. */
static struct {
	void **own;
	u32 n;
} sp_attached[SP_AT_COUNT];

static wait_queue_head_t sp_wait;
static struct irq_work sp_notify_work;

/* ---- what handlers tell the session ---- */

static void sp_notify(struct irq_work *w)
{
	wake_up_interruptible(&sp_wait);
}

static SP_CODE void sp_session_notify(void)
{
	atomic_inc(&sp.events);
	irq_work_queue(&sp_notify_work);
}

static SP_CODE void sp_session_end(void)
{
	if (atomic_cmpxchg(&sp.state, SP_RUNNING, SP_STOPPING) == SP_RUNNING ||
	    atomic_cmpxchg(&sp.state, SP_BEGIN, SP_STOPPING) == SP_BEGIN)
		sp_session_notify();
}

/* The first failure is the one to report. */
static void sp_session_fail(s32 probe, const char *fmt, ...)
{
	va_list ap;

	if (sp.why[0])
		return;
	sp.failed_probe = probe;
	va_start(ap, fmt);
	vscnprintf(sp.why, sizeof(sp.why), fmt, ap);
	va_end(ap);
}

/* ---- memory ---- */

static void sp_session_free(void)
{
	sp_track_free();
	sp_iters_free();
	sp_maps_free();
	sp_contexts_free();
	sp_rings_free();
}

static int sp_session_setup(u64 ring_bytes)
{
	int rc;

	if (atomic_read(&sp.state) != SP_LOADED)
		return -EBUSY;
	rc = sp_rings_alloc(ring_bytes);
	if (!rc)
		rc = sp_contexts_alloc();
	if (!rc)
		rc = sp_maps_alloc();
	if (!rc)
		rc = sp_iters_alloc();
	if (!rc && sp_script.kstacks)
		sp_stacks_init();
	if (rc)
		sp_session_free();
	else
		atomic_set(&sp.state, SP_READY);
	return rc;
}

/* ---- attaching ---- */

static void sp_detach_kind(u32 kind)
{
	const struct sp_kind *k = sp_kinds[kind];
	u32 i;

	if (sp_attached[kind].n)
		k->detach(sp_attached[kind].own, sp_attached[kind].n);
	for (i = 0; i < sp_attached[kind].n; i++) {
		if (k->missed)
			atomic64_add(k->missed(sp_attached[kind].own[i]), &sp.missed);
		kvfree(sp_attached[kind].own[i]);
	}
	kvfree(sp_attached[kind].own);
	sp_attached[kind].own = NULL;
	sp_attached[kind].n = 0;
}

static void sp_detach_all(void)
{
	u32 kind;

	sp_track_stop();
	for (kind = 0; kind < SP_AT_COUNT; kind++)
		if (sp_kinds[kind])
			sp_detach_kind(kind);
	sp_late_stop();
	synchronize_rcu();
}

static int sp_attach(const struct sp_probe *p)
{
	const struct sp_kind *k = sp_kinds[p->kind];
	const char *why = NULL;
	bool late = sp_is_late(p);
	void *own = late ? NULL : kvzalloc(k->size, GFP_KERNEL);
	int rc = -ENOMEM;

	if (late)
		rc = sp_late_attach(p, &why);
	else if (own)
		rc = k->attach(own, p, &why);
	if (!rc && late)
		return 0;
	if (!rc) {
		sp_attached[p->kind].own[sp_attached[p->kind].n++] = own;
		return 0;
	}
	kvfree(own);
	if ((p->flags & SP_PF_OPTIONAL) && rc != -ENOMEM)
		return 0;
	if (why)
		sp_session_fail(p->index, "%s", why);
	else
		sp_session_fail(p->index, "the kernel refused this %s with error %d", k->what, -rc);
	return rc;
}

static int sp_attach_all(bool late)
{
	u32 i;

	for (i = 0; i < sp_script.nprobes; i++) {
		const struct sp_probe *p = &sp_script.probes[i];
		const struct sp_kind *k = sp_kinds[p->kind];
		int rc;

		if (!k || k->late != late)
			continue;
		if (!sp_attached[p->kind].own)
			sp_attached[p->kind].own =
				kvcalloc(sp_script.nprobes, sizeof(void *), GFP_KERNEL);
		rc = sp_attached[p->kind].own ? sp_attach(p) : -ENOMEM;
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- start and stop ---- */

static bool sp_session_may_run(u32 kind)
{
	if (kind == SP_AT_BEGIN)
		return atomic_read(&sp.state) == SP_BEGIN;
	return READ_ONCE(sp.failed) == (kind == SP_AT_ERROR);
}

/*
 * exit() or an error in a begin probe keeps the later ones from running; so does an error in an end
 * probe.
 */
static void sp_run_session_probes(u32 kind)
{
	u32 i;

	for (i = 0; i < sp_script.nsession && sp_session_may_run(kind); i++) {
		const struct sp_probe *p = &sp_script.probes[sp_script.session[i]];

		if (p->kind == kind)
			sp_run_session_probe(p);
	}
}

/*
 * Everything is attached before the begin probes, so that a probe that cannot be is reported before
 * any output, and hits count from the end of the last begin probe.
 */
static int sp_session_start(s32 target, bool held)
{
	int rc;

	if (atomic_cmpxchg(&sp.state, SP_READY, SP_BEGIN) != SP_READY)
		return -EBUSY;
	sp.target = target;
	rc = sp_track_start(held);
	if (!rc)
		rc = sp_late_start();
	if (!rc)
		rc = sp_attach_all(false);
	if (!rc) {
		sp_run_session_probes(SP_AT_BEGIN);
		if (atomic_cmpxchg(&sp.state, SP_BEGIN, SP_RUNNING) == SP_BEGIN)
			rc = sp_attach_all(true);
	}
	if (!rc)
		sp_track_armed();
	if (rc) {
		atomic_set(&sp.state, SP_ENDED);
		sp_detach_all();
	}
	return rc;
}

static bool sp_session_armed(void)
{
	int state = atomic_read(&sp.state);

	return state >= SP_BEGIN && state <= SP_STOPPING;
}

static void sp_session_disarm(enum sp_state then)
{
	if (sp_session_armed()) {
		atomic_set(&sp.state, then);
		sp_detach_all();
	}
}

static int sp_session_stop(bool failed)
{
	if (!sp_session_armed())
		return -EBUSY;
	sp_session_disarm(SP_STOPPED);
	atomic_set(&sp.state, SP_ENDING);
	if (failed)
		sp.failed = true;
	sp_run_session_probes(SP_AT_END);
	sp_run_session_probes(SP_AT_ERROR);
	atomic_set(&sp.state, SP_ENDED);
	return 0;
}
