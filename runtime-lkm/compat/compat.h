/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences between kernels, by what compile tests found (compat/tests/NAME.c gives HAVE_NAME in
 * have.h), never by version numbers.
 */
#ifndef SPILE_COMPAT_H
#define SPILE_COMPAT_H

#include "have.h"

/* Starts a timer's life; it is armed separately. */
static inline void compat_hrtimer_init(struct hrtimer *t,
				       enum hrtimer_restart (*fn)(struct hrtimer *))
{
#ifdef HAVE_HRTIMER_SETUP
	hrtimer_setup(t, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(t, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	t->function = fn;
#endif
}

static inline struct kretprobe *compat_get_kretprobe(struct kretprobe_instance *ri)
{
#ifdef HAVE_GET_KRETPROBE
	return get_kretprobe(ri);
#else
	return ri->rp;
#endif
}

#ifdef HAVE_UPROBE_DATA
#define COMPAT_UPROBE_DATA , __u64 *data
#else
#define COMPAT_UPROBE_DATA
#endif

/*
 * @ref: file offset of a counter in the program that says whether anybody looks; 0: none. @handle gets what unregistering
 * needs, where the kernel has such a thing.
 */
static inline int compat_uprobe_register(struct inode *inode, u64 offset, u64 ref,
					 struct uprobe_consumer *uc, void **handle)
{
#ifdef HAVE_UPROBE_HANDLE
	struct uprobe *u = uprobe_register(inode, offset, ref, uc);

	*handle = u;
	return PTR_ERR_OR_ZERO(u);
#else
	*handle = NULL;
	return uprobe_register_refctr(inode, offset, ref, uc);
#endif
}

static inline void compat_uprobe_unregister(struct inode *inode, u64 offset,
					    struct uprobe_consumer *uc, void *handle)
{
#ifdef HAVE_UPROBE_HANDLE
	uprobe_unregister_nosync(handle, uc);
#else
	uprobe_unregister(inode, offset, uc);
#endif
}

/* After the last of several compat_uprobe_unregister(). */
static inline void compat_uprobe_sync(void)
{
#ifdef HAVE_UPROBE_HANDLE
	uprobe_unregister_sync();
#endif
}

#endif
