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

/* Strings and memory are among the first 64 arguments. */
static inline bool sp_is_bit(u64 mask, u32 i)
{
	return i < 64 && (mask >> i & 1);
}

/* What goes into one record. */
struct sp_emit {
	struct rec head;
	const union sp_data *args;
	u64 strings, mems, users; /* bit i: argument i is a string, memory to read, a process's */
	u32 n;
	u32 len[64]; /* of strings and memory */
};

static SP_CODE bool sp_ring_memory(const struct sp_emit *e, u32 i, char *to)
{
	return !e->len[i] || sp_copy(to, e->args[i].num, e->len[i], e->users >> i & 1);
}

/*
 * Nothing of a record can be seen before all of it is written: a fault leaves none. False then, and
 * @bad is the argument.
 */
static SP_CODE bool sp_ring_write(struct sp_ring *r, const struct sp_emit *e, u32 *bad)
{
	char *p = r->data + (r->head & (r->size - 1));
	u32 i;

	memcpy(p, &e->head, sizeof(e->head));
	p += sizeof(e->head);
	for (i = 0; i < e->n; i++) {
		u32 bytes = 8;

		if (sp_is_bit(e->strings | e->mems, i)) {
			bytes = REC_STR_BYTES(e->len[i]);
			*(u64 *)(p + bytes - 8) = 0;
			*(u32 *)p = e->len[i];
			if (e->strings >> i & 1)
				memcpy(p + 4, e->args[i].str, e->len[i]);
			else if (!sp_ring_memory(e, i, p + 4))
				goto fault;
		} else {
			*(s64 *)p = e->args[i].num;
		}
		p += bytes;
	}
	smp_store_release(&r->head, r->head + e->head.size);
	return true;
fault:
	*bad = i;
	return false;
}

static SP_CODE void sp_emit_init(struct sp_emit *e, u32 type, u32 id, u32 n, u64 strings,
				 const union sp_data *args)
{
	u32 i;

	e->head = (struct rec){ .size = sizeof(e->head), .type = type, .id = id };
	e->args = args;
	e->strings = strings;
	e->mems = e->users = 0;
	e->n = n;
	for (i = 0; i < n; i++) {
		if (sp_is_bit(strings, i)) {
			e->len[i] = strlen(args[i].str);
			e->head.size += REC_STR_BYTES(e->len[i]);
		} else {
			e->head.size += 8;
		}
	}
}

/* As sp_ring_write(). What finds no room is counted as lost, not a failure. */
static SP_CODE bool sp_emit_write(struct sp_ctx *c, struct sp_emit *e, u32 *bad)
{
	struct sp_ring *r;
	unsigned long flags;
	bool ok = true;

	if (c->interruptible)
		r = sp_ring_wait(e->head.size, &flags);
	else
		r = sp_rings[raw_smp_processor_id()];
	if (r) {
		e->head.cpu = r->cpu;
		e->head.seq = r->seq;
		e->head.time = ktime_get_mono_fast_ns();
		if (!sp_ring_has_room(r, e->head.size))
			r->lost++;
		else
			ok = sp_ring_write(r, e, bad);
		r->seq += ok;
	} else {
		atomic64_inc(&sp.homeless);
	}
	if (c->interruptible)
		local_irq_restore(flags);
	return ok;
}

SP_CODE void sp_emit(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings,
		     const union sp_data *args)
{
	struct sp_emit e;
	u32 bad;

	sp_emit_init(&e, type, id, n, strings, args);
	sp_emit_write(c, &e, &bad);
}

SP_CODE s32 sp_emit_mem(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings,
			const union sp_data *args, const struct sp_mem_arg *mem, u32 nmem)
{
	struct sp_emit e;
	u32 k, bad = 0;

	sp_emit_init(&e, type, id, n, strings, args);
	for (k = 0; k < nmem; k++) {
		s64 count = mem[k].star ? args[mem[k].arg - 1].num : mem[k].count;

		if (count < 0)
			count = 1;
		if (count > FMT_MEM_MAX)
			return sp_fail(c, SP_ERR_DUMP, count);
		e.len[mem[k].arg] = count;
		e.mems |= 1ull << mem[k].arg;
		e.users |= (u64)mem[k].user << mem[k].arg;
		e.head.size += REC_STR_BYTES(count) - 8;
	}
	if (sp_emit_write(c, &e, &bad))
		return 0;
	return sp_fail(c, e.users >> bad & 1 ? SP_ERR_UFAULT : SP_ERR_KFAULT, args[bad].num);
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
