/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/spile:NAME/control: commands in, status out. One opener at a time; when it goes away
 * without a "stop" (staprun was killed), everything is disarmed at once and the module stays,
 * inert, until it is removed.
 *
 *	setup BYTES	take all memory; BYTES for each CPU's records
 *	sym N ADDRESS	before the start: where symbol number N lies
 *	here MODULE	before the start: this module is loaded
 *	set G =VALUE	before the start: global number G, a scalar, is to be this number or text
 *	start TARGET	attach and run begin probes; "start TARGET held": it is staprun's child, waiting
 *	stop, stop failed	detach; run end probes, or error probes
 */
#include "rt.h"

#define SP_COMMAND_MAX 64 /* bytes of a command without its text */

static DEFINE_MUTEX(sp_control_mutex);
static unsigned long sp_control_open_bit;
static struct proc_dir_entry *sp_proc;

static int sp_control_open(struct inode *inode, struct file *f)
{
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	if (test_and_set_bit(0, &sp_control_open_bit)) {
		module_put(THIS_MODULE);
		return -EBUSY;
	}
	f->private_data = (void *)(long)-1; /* no event seen */
	return 0;
}

static int sp_control_release(struct inode *inode, struct file *f)
{
	mutex_lock(&sp_control_mutex);
	sp_session_disarm(SP_ENDED);
	mutex_unlock(&sp_control_mutex);
	clear_bit_unlock(0, &sp_control_open_bit);
	module_put(THIS_MODULE);
	return 0;
}

static int sp_trace_files(void)
{
	char name[16];
	int cpu;

	for_each_possible_cpu(cpu) {
		if (!sp_rings[cpu])
			continue;
		snprintf(name, sizeof(name), "trace%d", cpu);
		if (!proc_create_data(name, 0400, sp_proc, &sp_ring_ops, sp_rings[cpu])) {
			sp_session_fail(-1, "no memory for files in /proc");
			return -ENOMEM;
		}
	}
	return 0;
}

static int sp_command_set(u32 number, const char *value)
{
	const struct sp_global *g;

	if (atomic_read(&sp.state) != SP_READY)
		return -EBUSY;
	if (number >= sp_script.nglobals || sp_script.globals[number].is_map)
		return -EINVAL;
	g = &sp_script.globals[number];
	if (g->type != SP_STR)
		return kstrtos64(value, 10, g->scalar);
	strscpy(g->scalar, value, sp_script.maxstringlen);
	return 0;
}

static int sp_command_sym(u32 number, u64 addr)
{
	if (atomic_read(&sp.state) != SP_READY)
		return -EBUSY;
	if (number >= sp_script.nsyms)
		return -EINVAL;
	sp_script.syms[number].addr = addr;
	return 0;
}

static int sp_command(char *text)
{
	u64 bytes;
	s32 target;
	u32 global;
	int rc, at = 0;

	if (sscanf(text, "set %u =%n", &global, &at) == 1 && at)
		return sp_command_set(global, text + at); /* all of it, blanks too */
	text = strim(text);
	if (sscanf(text, "setup %llu", &bytes) == 1) {
		rc = sp_session_setup(bytes);
		return rc ? rc : sp_trace_files();
	}
	if (!strncmp(text, "here ", 5))
		return atomic_read(&sp.state) == SP_READY ? sp_late_here(text + 5) : -EBUSY;
	if (sscanf(text, "sym %u %llx", &global, &bytes) == 2)
		return sp_command_sym(global, bytes);
	if (sscanf(text, "start %d", &target) == 1)
		return sp_session_start(target, strstr(text, " held"));
	if (!strcmp(text, "stop"))
		return sp_session_stop(false);
	if (!strcmp(text, "stop failed"))
		return sp_session_stop(true);
	return -EINVAL;
}

static ssize_t sp_control_write(struct file *f, const char __user *from, size_t count, loff_t *off)
{
	char *text;
	int rc;

	if (count > sp_script.maxstringlen + SP_COMMAND_MAX)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (mutex_lock_killable(&sp_control_mutex)) {
		kfree(text);
		return -EINTR;
	}
	rc = sp_command(text);
	mutex_unlock(&sp_control_mutex);
	kfree(text);
	return rc ? rc : count;
}

/* The whole status, each time it is read. */
static ssize_t sp_control_read(struct file *f, char __user *to, size_t count, loff_t *off)
{
	char text[512];
	int n;

	f->private_data = (void *)(long)atomic_read(&sp.events);
	WRITE_ONCE(sp.urgent, false);
	n = scnprintf(
		text, sizeof(text),
		"state=%d exit=%d failed=%d errors=%lld locked=%lld nested=%lld missed=%lld lost=%llu untracked=%lld probe=%d arrived=%u refused=%u why=%s\n",
		atomic_read(&sp.state), READ_ONCE(sp.exit_wanted), READ_ONCE(sp.failed),
		(s64)atomic64_read(&sp.errors), (s64)atomic64_read(&sp.skipped_lock),
		(s64)atomic64_read(&sp.skipped_nested), (s64)atomic64_read(&sp.missed),
		sp_rings_lost(), (s64)atomic64_read(&sp.untracked), sp.failed_probe, READ_ONCE(sp.arrived), READ_ONCE(sp.refused), sp.why);
	if (count < n)
		return -EMSGSIZE;
	return copy_to_user(to, text, n) ? -EFAULT : n;
}

/* Readable when something happened since the last read: the session ends, or a ring fills up. */
static __poll_t sp_control_poll(struct file *f, poll_table *wait)
{
	poll_wait(f, &sp_wait, wait);
	return (long)f->private_data == atomic_read(&sp.events) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static const struct proc_ops sp_control_ops = {
	.proc_open = sp_control_open,
	.proc_release = sp_control_release,
	.proc_read = sp_control_read,
	.proc_write = sp_control_write,
	.proc_poll = sp_control_poll,
	.proc_lseek = noop_llseek,
};

static int __init sp_init(void)
{
	char name[MODULE_NAME_LEN + 8];

	if (sp_script.abi != SP_ABI_VERSION)
		return -EINVAL;
	init_waitqueue_head(&sp_wait);
	init_irq_work(&sp_notify_work, sp_notify);
	snprintf(name, sizeof(name), "spile:%s", THIS_MODULE->name);
	sp_proc = proc_mkdir_mode(name, 0500, NULL);
	if (!sp_proc)
		return -ENOMEM;
	if (!proc_create("control", 0600, sp_proc, &sp_control_ops)) {
		proc_remove(sp_proc);
		return -ENOMEM;
	}
	return 0;
}

static void __exit sp_exit(void)
{
	proc_remove(sp_proc);
	sp_session_disarm(SP_ENDED);
	irq_work_sync(&sp_notify_work);
	sp_session_free();
}

module_init(sp_init);
module_exit(sp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Spile script");
