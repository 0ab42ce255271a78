/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel functions: at an instruction, and on return. */
#include "rt.h"

#define SP_KRETPROBE_ACTIVE                                                                        \
	256 /* calls in progress at once that are watched, unless the script says */

static int sp_kprobe_why(int rc, const char **why)
{
	if (rc == -ENOENT)
		*why = "this kernel has no such function (or the compiler left none: it was inlined)";
	else if (rc == -EINVAL)
		*why = "the kernel allows no probe there";
	return rc;
}

/* Gives the kernel's batch functions the array they want. */
static void sp_kprobe_batch(void **own, u32 n, void (*detach)(void *batch, int n), size_t off)
{
	u32 i;

	for (i = 0; i < n; i++)
		own[i] = (char *)own[i] + off;
	detach(own, n);
	for (i = 0; i < n; i++)
		own[i] = (char *)own[i] - off;
}

/* ---- at an instruction ---- */

struct sp_kp {
	struct kprobe kp;
	const struct sp_probe *p;
};

static SP_CODE int sp_kprobe_hit(struct kprobe *kp, struct pt_regs *regs)
{
	sp_hit(container_of(kp, struct sp_kp, kp)->p, regs, NULL);
	return 0;
}

static int sp_kprobe_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_kp *k = own;

	k->p = p;
	if (*p->target) {
		k->kp.symbol_name = p->target;
		k->kp.offset = p->offset;
	} else {
		k->kp.addr = (kprobe_opcode_t *)(unsigned long)p->offset;
	}
	k->kp.pre_handler = sp_kprobe_hit;
	return sp_kprobe_why(register_kprobe(&k->kp), why);
}

static void sp_kprobe_unregister(void *batch, int n)
{
	unregister_kprobes(batch, n);
}

static void sp_kprobe_detach(void **own, u32 n)
{
	sp_kprobe_batch(own, n, sp_kprobe_unregister, offsetof(struct sp_kp, kp));
}

static u64 sp_kprobe_missed(void *own)
{
	return ((struct sp_kp *)own)->kp.nmissed;
}

static const struct sp_kind sp_kind_kprobe = {
	.what = "kernel function",
	.size = sizeof(struct sp_kp),
	.attach = sp_kprobe_attach,
	.detach = sp_kprobe_detach,
	.missed = sp_kprobe_missed,
};

/* ---- on return ---- */

struct sp_krp {
	struct kretprobe rp;
	const struct sp_probe *p;
};

static SP_CODE int sp_kretprobe_hit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = compat_get_kretprobe(ri);

	if (rp)
		sp_hit(container_of(rp, struct sp_krp, rp)->p, regs, NULL);
	return 0;
}

static int sp_kretprobe_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_krp *k = own;

	k->p = p;
	k->rp.kp.symbol_name = p->target;
	k->rp.kp.offset = p->offset;
	k->rp.handler = sp_kretprobe_hit;
	k->rp.maxactive = p->maxactive ?: max_t(u32, SP_KRETPROBE_ACTIVE, 8 * num_possible_cpus());
	return sp_kprobe_why(register_kretprobe(&k->rp), why);
}

static void sp_kretprobe_unregister(void *batch, int n)
{
	unregister_kretprobes(batch, n);
}

static void sp_kretprobe_detach(void **own, u32 n)
{
	sp_kprobe_batch(own, n, sp_kretprobe_unregister, offsetof(struct sp_krp, rp));
}

static u64 sp_kretprobe_missed(void *own)
{
	struct sp_krp *k = own;

	return k->rp.nmissed + k->rp.kp.nmissed;
}

static const struct sp_kind sp_kind_kretprobe = {
	.what = "kernel function's return",
	.size = sizeof(struct sp_krp),
	.attach = sp_kretprobe_attach,
	.detach = sp_kretprobe_detach,
	.missed = sp_kretprobe_missed,
};
