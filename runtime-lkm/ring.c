/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport. Each CPU has a ring of records with one writer (the handler that runs there, or a
 * begin or end probe with interrupts off) and one reader. Not relay: a record becomes visible only
 * when it is complete, none is ever split or padded, and nothing depends on CONFIG_RELAY or
 * debugfs.
 */
#include "rt.h"

#define SP_RING_LOWEST (64u << 10)
#define SP_RING_HIGHEST (1u << 30)
#define SP_WAIT_ROUNDS                                                                             \
	200 /* of a tick each, without any progress of the reader, before a record is given up */

static int sp_ring_pages(struct sp_ring *r)
{
	struct page **twice = kvmalloc_array(2 * r->npages, sizeof(*twice), GFP_KERNEL);
	u32 i;

	r->pages = kvcalloc(r->npages, sizeof(*r->pages), GFP_KERNEL);
	if (!r->pages || !twice)
		goto failed;
	for (i = 0; i < r->npages; i++) {
		r->pages[i] =
			alloc_pages_node(cpu_to_node(r->cpu),
					 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY, 0);
		if (!r->pages[i])
			goto failed;
		twice[i] = twice[r->npages + i] = r->pages[i];
	}
	r->data = vmap(twice, 2 * r->npages, VM_MAP, PAGE_KERNEL);
failed:
	kvfree(twice);
	return r->data ? 0 : -ENOMEM;
}

static void sp_ring_free(struct sp_ring *r)
{
	u32 i;

	if (!r)
		return;
	if (r->data)
		vunmap(r->data);
	for (i = 0; r->pages && i < r->npages && r->pages[i]; i++)
		__free_page(r->pages[i]);
	kvfree(r->pages);
	kfree(r);
}

static int sp_rings_alloc(u64 bytes)
{
	u32 size = clamp_t(u64, roundup_pow_of_two(max_t(u64, bytes, 1)), SP_RING_LOWEST,
			   SP_RING_HIGHEST);
	int cpu;

	sp_rings = kvcalloc(nr_cpu_ids, sizeof(*sp_rings), GFP_KERNEL);
	if (!sp_rings || (u64)size * num_online_cpus() / PAGE_SIZE > si_mem_available() / 2)
		goto no_memory;
	for_each_online_cpu(cpu) {
		struct sp_ring *r = kzalloc(sizeof(*r), GFP_KERNEL);

		if (!r)
			goto no_memory;
		sp_rings[cpu] = r;
		r->cpu = cpu;
		r->size = size;
		r->npages = size / PAGE_SIZE;
		mutex_init(&r->read_lock);
		if (sp_ring_pages(r))
			goto no_memory;
	}
	return 0;
no_memory:
	sp_session_fail(
		-1,
		"no memory for output buffers of %u KiB for each of %u CPUs; ask for less with -s",
		size >> 10, num_online_cpus());
	return -ENOMEM;
}

static void sp_rings_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (sp_rings)
			sp_ring_free(sp_rings[cpu]);
	}
	kvfree(sp_rings);
	sp_rings = NULL;
}

static u64 sp_rings_lost(void)
{
	u64 n = atomic64_read(&sp.homeless);
	int cpu;

	for_each_possible_cpu(cpu) {
		if (sp_rings && sp_rings[cpu])
			n += READ_ONCE(sp_rings[cpu]->lost);
	}
	return n;
}

/* ---- writing ---- */

static SP_CODE bool sp_ring_has_room(struct sp_ring *r, u32 size)
{
	u64 used = r->head - smp_load_acquire(&r->tail);

	if (used + size > r->size / 2 && !READ_ONCE(sp.urgent)) {
		WRITE_ONCE(sp.urgent, true);
		sp_session_notify();
	}
	return used + size <= r->size;
}

/*
 * A begin or end probe can wait for the reader: what it prints is never lost while there is one
 * that reads. Returns the ring of the CPU it runs on then, with interrupts off.
 */
static struct sp_ring *sp_ring_wait(u32 size, unsigned long *flags)
{
	struct sp_ring *r;
	u64 seen = 0;
	u32 round;

	for (round = 0;; round++) {
		local_irq_save(*flags);
		r = sp_rings[raw_smp_processor_id()];
		if (!r || size > r->size || sp_ring_has_room(r, size) || round >= SP_WAIT_ROUNDS ||
		    fatal_signal_pending(current))
			return r;
		if (READ_ONCE(r->tail) != seen)
			round = 0;
		seen = READ_ONCE(r->tail);
		local_irq_restore(*flags);
		schedule_timeout_uninterruptible(1);
	}
}

static SP_CODE void sp_ring_write(struct sp_ring *r, const struct rec *head, u32 n, u64 strings,
				  const union sp_data *args, const u32 *len)
{
	char *p = r->data + (r->head & (r->size - 1));
	u32 i;

	memcpy(p, head, sizeof(*head));
	p += sizeof(*head);
	for (i = 0; i < n; i++) {
		u32 bytes = 8;

		if (strings >> i & 1) {
			bytes = REC_STR_BYTES(len[i]);
			*(u64 *)(p + bytes - 8) = 0;
			*(u32 *)p = len[i];
			memcpy(p + 4, args[i].str, len[i]);
		} else {
			*(s64 *)p = args[i].num;
		}
		p += bytes;
	}
	smp_store_release(&r->head, r->head + head->size);
}

SP_CODE void sp_emit(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings,
		     const union sp_data *args)
{
	struct rec head = { .size = sizeof(head), .type = type, .id = id };
	struct sp_ring *r;
	unsigned long flags;
	u32 len[64], i;

	for (i = 0; i < n; i++) {
		if (strings >> i & 1) {
			len[i] = strlen(args[i].str);
			head.size += REC_STR_BYTES(len[i]);
		} else {
			head.size += 8;
		}
	}
	if (c->interruptible)
		r = sp_ring_wait(head.size, &flags);
	else
		r = sp_rings[raw_smp_processor_id()];
	if (r) {
		head.cpu = r->cpu;
		head.seq = r->seq++;
		head.time = ktime_get_mono_fast_ns();
		if (sp_ring_has_room(r, head.size))
			sp_ring_write(r, &head, n, strings, args, len);
		else
			r->lost++;
	} else {
		atomic64_inc(&sp.homeless);
	}
	if (c->interruptible)
		local_irq_restore(flags);
}

/* ---- reading: /proc/spile:NAME/traceN ---- */

/* As many whole records as fit into @count. */
static u64 sp_ring_whole(const struct sp_ring *r, u64 head, u64 count)
{
	u64 pos = r->tail;

	while (pos < head) {
		const struct rec *rec = (const struct rec *)(r->data + (pos & (r->size - 1)));

		if (pos + rec->size - r->tail > count)
			break;
		pos += rec->size;
	}
	return pos - r->tail;
}

static ssize_t sp_ring_read(struct file *f, char __user *to, size_t count, loff_t *off)
{
	struct sp_ring *r = pde_data(file_inode(f));
	u64 head, n;
	ssize_t rc;

	if (mutex_lock_interruptible(&r->read_lock))
		return -ERESTARTSYS;
	head = smp_load_acquire(&r->head);
	n = head - r->tail;
	if (n > count)
		n = sp_ring_whole(r, head, count);
	rc = n;
	if (n && copy_to_user(to, r->data + (r->tail & (r->size - 1)), n))
		rc = -EFAULT;
	else if (!n && head != r->tail)
		rc = -EMSGSIZE;
	else
		smp_store_release(&r->tail, r->tail + n);
	mutex_unlock(&r->read_lock);
	return rc;
}

static const struct proc_ops sp_ring_ops = {
	.proc_read = sp_ring_read,
	.proc_lseek = noop_llseek,
};
