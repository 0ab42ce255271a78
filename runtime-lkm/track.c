/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of processes (base/track.h), what keeps it, and the probes of begin and end. A word an element, so that filters
 * look up without a lock; whoever changes something holds the lock. See runtime-bpf/track.c for the order at the start.
 */
#include "rt.h"

/* An element: the id, flags, and from TRACK_EXE_SHIFT on the files. Words without an id: never used, or given back. */
#define SP_ID_MASK ((1u << 23) - 1)
#define SP_FLAG_SHIFT 23
#define SP_FLAG_MASK 0x1full
#define SP_EXE_MASK (0xffffffffull << TRACK_EXE_SHIFT)
#define SP_FREE 0
#define SP_GIVEN_BACK (1ull << 31)
#define SP_NOWHERE U32_MAX

static struct {
	bool on;
	bool arming; /* nothing begins or ends yet, and children are kept with their makers whoever these are */
	raw_spinlock_t lock;
	atomic64_t *word;
	u32 *maker;
	u32 mask, n;
	struct inode *exe[TRACK_MAXEXE];
	struct tracepoint *tp[3];
} sp_track;

/* ---- the table ---- */

static SP_CODE u32 sp_track_find(u32 id)
{
	u32 i = hash_32(id, 32), k;

	for (k = 0; k <= sp_track.mask; k++, i++) {
		u64 w = atomic64_read(&sp_track.word[i & sp_track.mask]);

		if ((w & SP_ID_MASK) == id)
			return i & sp_track.mask;
		if (w == SP_FREE)
			break;
	}
	return SP_NOWHERE;
}

static SP_CODE u64 sp_track_word_bits(u64 w)
{
	return (w >> SP_FLAG_SHIFT & SP_FLAG_MASK) | (w & SP_EXE_MASK);
}

static SP_CODE u64 sp_track_bits(u32 id)
{
	u32 i = sp_track.on ? sp_track_find(id) : SP_NOWHERE;

	return i == SP_NOWHERE ? 0 : sp_track_word_bits(atomic64_read(&sp_track.word[i]));
}

/* The rest: with the lock. */

static SP_CODE u32 sp_track_room(u32 id)
{
	u32 i = hash_32(id, 32);

	while (atomic64_read(&sp_track.word[i & sp_track.mask]) & SP_ID_MASK)
		i++;
	return i & sp_track.mask;
}

static SP_CODE void sp_track_set(u32 id, u64 bits, u32 maker)
{
	u32 i = sp_track_find(id);

	if (i == SP_NOWHERE) {
		if (sp_track.n >= sp_script.maxprocesses) {
			atomic64_inc(&sp.untracked);
			return;
		}
		sp_track.n++;
		i = sp_track_room(id);
	}
	sp_track.maker[i] = maker;
	atomic64_set(&sp_track.word[i], id | (bits & SP_FLAG_MASK) << SP_FLAG_SHIFT | (bits & SP_EXE_MASK));
}

/* What nothing follows was never in anybody's way: it and those before it can be free again. */
static SP_CODE void sp_track_del(u32 id)
{
	u32 i = sp_track_find(id);

	if (i == SP_NOWHERE)
		return;
	sp_track.n--;
	atomic64_set(&sp_track.word[i], SP_GIVEN_BACK);
	if (atomic64_read(&sp_track.word[(i + 1) & sp_track.mask]) != SP_FREE)
		return;
	for (; atomic64_read(&sp_track.word[i]) == SP_GIVEN_BACK; i = (i - 1) & sp_track.mask)
		atomic64_set(&sp_track.word[i], SP_FREE);
}

static SP_CODE bool sp_track_known(u32 id, u64 *bits, u32 *maker)
{
	u32 i = sp_track_find(id);

	*bits = 0;
	*maker = 0;
	if (i == SP_NOWHERE)
		return false;
	*bits = sp_track_word_bits(atomic64_read(&sp_track.word[i]));
	*maker = sp_track.maker[i];
	return true;
}

static SP_CODE bool sp_track_everyone(void)
{
	return (sp_script.track & SP_TRACK_ALL) && !sp.target;
}

/* ---- which file a task runs ---- */

/* By the file below, where the file system is a layer over others: as uprobes see it. */
static SP_CODE u64 sp_track_exe(struct task_struct *t)
{
	struct inode *inode = NULL;
	struct file *file;
	u64 bits = 0;
	u32 k;

	if (!sp_script.nexe)
		return 0;
	task_lock(t);
	if (t->mm && !(t->flags & PF_KTHREAD)) {
		rcu_read_lock();
		file = rcu_dereference(t->mm->exe_file);
		if (file)
			inode = d_real_inode(file->f_path.dentry);
		rcu_read_unlock();
	}
	task_unlock(t);
	for (k = 0; inode && k < sp_script.nexe; k++)
		if (sp_track.exe[k] == inode)
			bits |= 1ull << (TRACK_EXE_SHIFT + k);
	return bits;
}

/* ---- probes ---- */

struct sp_event {
	const struct sp_probe *p;
	struct sp_event *next;
};
static struct sp_event *sp_events[SP_AT_COUNT];

static int sp_event_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_event *e = own, **at = &sp_events[p->kind];

	while (*at)
		at = &(*at)->next;
	e->p = p;
	smp_store_release(at, e);
	return 0;
}

/* The keepers are gone: sp_track_stop(). */
static void sp_event_detach(void **own, u32 n)
{
	sp_events[((struct sp_event *)own[0])->p->kind] = NULL;
}

static const struct sp_kind sp_kind_event = {
	.what = "event of processes",
	.size = sizeof(struct sp_event),
	.attach = sp_event_attach,
	.detach = sp_event_detach,
};

static SP_CODE void sp_event_hit(u32 kind, struct task_struct *t, u64 bits)
{
	struct sp_event *e;

	for (e = smp_load_acquire(&sp_events[kind]); e; e = smp_load_acquire(&e->next)) {
		const struct sp_probe *p = e->p;

		if (p->pid && p->pid != t->tgid)
			continue;
		if (p->exe >= 0 && !(bits >> (TRACK_EXE_SHIFT + p->exe) & 1))
			continue;
		if ((p->flags & SP_PF_FILTER) && sp.target && !(bits & TRACK_TARGET))
			continue;
		sp_hit_task(p, t);
	}
}

/* ---- keepers, called by the kernel's tracepoints ---- */

/* What begins by this fork, or 0. One that was found already begins by that. */
static SP_CODE u64 sp_fork_thread(struct task_struct *child)
{
	u64 bits, was;
	u32 maker;

	if (!(sp_script.track & SP_TRACK_THREADS) || sp_track.arming || !sp_track_known(child->tgid, &bits, &maker))
		return 0;
	sp_track_known(child->pid, &was, &maker);
	if (was & TRACK_FOUND)
		return 0;
	bits = (bits & TRACK_INHERITED) | TRACK_THREAD | TRACK_BEGUN;
	sp_track_set(child->pid, bits, 0);
	return bits;
}

static SP_CODE u64 sp_fork_process(struct task_struct *child)
{
	u64 bits, was;
	u32 maker;

	sp_track_known(current->tgid, &bits, &maker);
	bits &= TRACK_INHERITED;
	sp_track_known(child->tgid, &was, &maker);
	if (was & TRACK_FOUND)
		return 0;
	if (!bits && !sp_track.arming && !sp_track_everyone()) {
		sp_track_del(child->tgid);
		return 0;
	}
	if (!sp_track.arming)
		bits |= TRACK_BEGUN;
	sp_track_set(child->tgid, bits, current->tgid);
	return bits & TRACK_BEGUN ? bits : 0;
}

static SP_CODE void sp_on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	bool thread = child->pid != child->tgid;
	unsigned long flags;
	u64 begun;

	if (!child->mm)
		return;
	raw_spin_lock_irqsave(&sp_track.lock, flags);
	begun = thread ? sp_fork_thread(child) : sp_fork_process(child);
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	if (begun)
		sp_event_hit(thread ? SP_AT_THREAD_BEGIN : SP_AT_PROC_BEGIN, child, begun);
}

/* A thread that calls exec takes its process's id: its own is gone. */
static SP_CODE void sp_on_exec(void *data, struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
{
	u64 bits = sp_track_exe(p), old;
	unsigned long flags;
	bool arming, known;
	u32 maker;

	raw_spin_lock_irqsave(&sp_track.lock, flags);
	arming = sp_track.arming;
	if (old_pid != p->pid)
		sp_track_del(old_pid);
	known = sp_track_known(p->tgid, &old, &maker);
	bits |= old & TRACK_TARGET;
	if (!arming)
		bits |= TRACK_BEGUN;
	if (known || (bits & TRACK_INHERITED) || sp_track_everyone())
		sp_track_set(p->tgid, bits, maker);
	else
		bits = 0;
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	if (arming)
		return;
	if (old & TRACK_BEGUN)
		sp_event_hit(SP_AT_PROC_END, p, old);
	if (bits)
		sp_event_hit(SP_AT_PROC_BEGIN, p, bits);
}

/*
 * Several threads that exit at once may all see that none is alive: the one that takes the process's element away is the
 * last.
 */
static SP_CODE void sp_on_exit(void *data, struct task_struct *p)
{
	bool thread = p->pid != p->tgid;
	u64 ended = 0, bits = 0;
	unsigned long flags;
	u32 maker;

	raw_spin_lock_irqsave(&sp_track.lock, flags);
	if (!sp_track.arming) {
		if (thread) {
			sp_track_known(p->pid, &bits, &maker);
			sp_track_del(p->pid);
		}
		if (!atomic_read(&p->signal->live)) {
			sp_track_known(p->tgid, &ended, &maker);
			sp_track_del(p->tgid);
		}
	}
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	if (bits & TRACK_THREAD)
		sp_event_hit(SP_AT_THREAD_END, p, bits);
	if (ended & TRACK_BEGUN)
		sp_event_hit(SP_AT_PROC_END, p, ended);
}

/* ---- the target and its descendants ---- */

static bool sp_track_mark(u32 id, u64 what)
{
	unsigned long flags;
	bool fresh;
	u64 bits;
	u32 maker;

	raw_spin_lock_irqsave(&sp_track.lock, flags);
	sp_track_known(id, &bits, &maker);
	fresh = (bits & what) != what;
	if (fresh)
		sp_track_set(id, bits | what, maker);
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	return fresh;
}

/* A pass by parents, and by makers as the keepers noted them, for those whose parents are gone; whether it found some. */
static bool sp_track_descendants(void)
{
	struct task_struct *p;
	bool more = false;
	u32 i;

	rcu_read_lock();
	for_each_process(p) {
		if (sp_track_bits(rcu_dereference(p->real_parent)->tgid) & TRACK_TARGET)
			more |= sp_track_mark(p->tgid, TRACK_TARGET);
	}
	rcu_read_unlock();
	for (i = 0; i <= sp_track.mask; i++) {
		u64 w = atomic64_read(&sp_track.word[i]);
		u32 maker = READ_ONCE(sp_track.maker[i]);

		if ((w & SP_ID_MASK) && maker && (sp_track_bits(maker) & TRACK_TARGET))
			more |= sp_track_mark(w & SP_ID_MASK, TRACK_TARGET);
	}
	return more;
}

/* ---- start and stop ---- */

static int sp_track_files(void)
{
	struct path path;
	u32 k;

	for (k = 0; k < sp_script.nexe; k++) {
		int rc = kern_path(sp_script.exe[k], LOOKUP_FOLLOW, &path);

		if (rc) {
			sp_session_fail(-1, "\"%s\" cannot be opened: error %d", sp_script.exe[k], -rc);
			return rc;
		}
		sp_track.exe[k] = igrab(d_real_inode(path.dentry));
		path_put(&path);
	}
	return 0;
}

static void *const sp_track_fn[3] = { sp_on_fork, sp_on_exec, sp_on_exit };

static int sp_track_keepers(void)
{
	static const char *const names[3] = { "sched_process_fork", "sched_process_exec", "sched_process_exit" };
	int i, rc;

	for (i = 0; i < 3; i++) {
		struct sp_tp_search s = { names[i] };

		for_each_kernel_tracepoint(sp_tp_visit, &s);
		rc = s.found ? tracepoint_probe_register(s.found, sp_track_fn[i], NULL) : -ENOENT;
		if (rc) {
			sp_session_fail(-1, "processes cannot be followed by %s: error %d", names[i], -rc);
			return rc;
		}
		sp_track.tp[i] = s.found;
	}
	return 0;
}

static int sp_track_alloc(void)
{
	u64 size = roundup_pow_of_two(2ull * sp_script.maxprocesses);

	sp_track.word = sp_big_alloc(size * sizeof(*sp_track.word));
	sp_track.maker = sp_big_alloc(size * sizeof(*sp_track.maker));
	if (!sp_track.word || !sp_track.maker) {
		sp_session_fail(-1, "no memory to follow %u processes; a lower MAXPROCESSES needs less",
				sp_script.maxprocesses);
		return -ENOMEM;
	}
	sp_track.mask = size - 1;
	sp_track.n = 0;
	return 0;
}

static int sp_track_start(bool held)
{
	int rc;

	if (!(sp_script.track & SP_TRACK_ALWAYS) && !((sp_script.track & SP_TRACK_USED) && sp.target))
		return 0;
	raw_spin_lock_init(&sp_track.lock);
	rc = sp_track_alloc();
	if (!rc)
		rc = sp_track_files();
	if (rc)
		return rc;
	sp_track.arming = true;
	smp_store_release(&sp_track.on, true);
	rc = sp_track_keepers();
	if (rc || !sp.target)
		return rc;
	sp_track_mark(sp.target, TRACK_TARGET | (held ? TRACK_HELD : 0));
	while (!held && sp_track_descendants())
		cond_resched();
	return 0;
}

/* A task that is there; what it begins, or 0. */
static u64 sp_track_found(struct task_struct *t, bool thread)
{
	u64 exe = sp_track_exe(t), bits, process;
	unsigned long flags;
	u32 maker;

	raw_spin_lock_irqsave(&sp_track.lock, flags);
	sp_track_known(thread ? t->pid : t->tgid, &bits, &maker);
	if (bits & (TRACK_BEGUN | TRACK_HELD)) {
		bits = 0;
	} else if (thread) {
		bits = sp_track_known(t->tgid, &process, &maker) && !(process & TRACK_HELD) ?
			       (process & TRACK_INHERITED) | TRACK_THREAD | TRACK_BEGUN | TRACK_FOUND :
			       0;
		if (bits)
			sp_track_set(t->pid, bits, 0);
	} else {
		bits = (bits & TRACK_TARGET) | exe;
		bits = bits || sp_track_everyone() ? bits | TRACK_BEGUN | TRACK_FOUND : 0;
		if (bits)
			sp_track_set(t->tgid, bits, maker);
	}
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	return bits;
}

/* Those that ended while probes were armed. */
static void sp_track_drop_gone(void)
{
	unsigned long flags;
	u32 i, id;

	rcu_read_lock();
	for (i = 0; i <= sp_track.mask; i++) {
		id = atomic64_read(&sp_track.word[i]) & SP_ID_MASK;
		if (!id || pid_task(find_pid_ns(id, &init_pid_ns), PIDTYPE_PID))
			continue;
		raw_spin_lock_irqsave(&sp_track.lock, flags);
		sp_track_del(id);
		raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	}
	rcu_read_unlock();
}

static void sp_track_armed(void)
{
	struct task_struct *p, *t;
	unsigned long flags;
	u64 bits;

	if (!sp_track.on)
		return;
	raw_spin_lock_irqsave(&sp_track.lock, flags);
	sp_track.arming = false;
	raw_spin_unlock_irqrestore(&sp_track.lock, flags);
	rcu_read_lock();
	for_each_process(p) {
		if ((p->flags & PF_KTHREAD) || !atomic_read(&p->signal->live))
			continue;
		bits = sp_track_found(p, false);
		if (bits)
			sp_event_hit(SP_AT_PROC_BEGIN, p, bits);
		if (!(sp_script.track & SP_TRACK_THREADS))
			continue;
		for_each_thread(p, t) {
			bits = t == p || (t->flags & PF_EXITING) ? 0 : sp_track_found(t, true);
			if (bits)
				sp_event_hit(SP_AT_THREAD_BEGIN, t, bits);
		}
	}
	rcu_read_unlock();
	sp_track_drop_gone();
}

static void sp_track_stop(void)
{
	u32 k;

	for (k = 0; k < 3; k++)
		if (sp_track.tp[k])
			tracepoint_probe_unregister(sp_track.tp[k], sp_track_fn[k], NULL);
	tracepoint_synchronize_unregister();
	for (k = 0; k < 3; k++)
		sp_track.tp[k] = NULL;
}

static void sp_track_free(void)
{
	u32 k;

	sp_track.on = false;
	for (k = 0; k < TRACK_MAXEXE; k++) {
		iput(sp_track.exe[k]);
		sp_track.exe[k] = NULL;
	}
	vfree(sp_track.word);
	vfree(sp_track.maker);
	sp_track.word = NULL;
	sp_track.maker = NULL;
}
