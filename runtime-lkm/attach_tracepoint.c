/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracepoints, the kernel's and loaded modules'. A handler should have its tracepoint's own
 * prototype, which a runtime compiled once cannot know. Every argument of a tracepoint is a scalar
 * or a pointer, though, and those travel in the same places whatever their types: one function that
 * takes them as longs stands for all. Arguments past the fifth lie on the caller's stack, so a
 * second function reads those only where the script names them. What a place holds above its
 * argument's width is undefined; the script narrows.
 */
#include "rt.h"

struct sp_tp {
	const struct sp_probe *p;
	struct tracepoint *tp;
	void *fn;
};

#ifdef CONFIG_X86_64
#define SP_TP_IN_REGS 5
#else
#define SP_TP_IN_REGS SP_MAXTPARGS
#endif

static SP_CODE void sp_tp_few(void *data, unsigned long a1, unsigned long a2, unsigned long a3,
			      unsigned long a4, unsigned long a5)
{
	const unsigned long args[] = { a1, a2, a3, a4, a5 };

	sp_hit(data, NULL, args);
}

static SP_CODE void sp_tp_many(void *data, unsigned long a1, unsigned long a2, unsigned long a3,
			       unsigned long a4, unsigned long a5, unsigned long a6,
			       unsigned long a7, unsigned long a8, unsigned long a9,
			       unsigned long a10, unsigned long a11, unsigned long a12)
{
	const unsigned long args[] = { a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12 };

	sp_hit(data, NULL, args);
}

struct sp_tp_search {
	const char *name;
	struct tracepoint *found;
};

static void sp_tp_visit(struct tracepoint *tp, void *arg)
{
	struct sp_tp_search *s = arg;

	if (!strcmp(tp->name, s->name))
		s->found = tp;
}

#ifdef CONFIG_MODULES
struct sp_tp_notifier {
	struct notifier_block nb;
	struct sp_tp_search *search;
};

/* Registering a notifier makes the kernel show it every module that has tracepoints. */
static int sp_tp_visit_module(struct notifier_block *nb, unsigned long what, void *arg)
{
	struct sp_tp_notifier *n = container_of(nb, struct sp_tp_notifier, nb);
	struct module *mod = ((struct tp_module *)arg)->mod;
	u32 i;

	for (i = 0; what == MODULE_STATE_COMING && i < mod->num_tracepoints; i++)
		sp_tp_visit(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]), n->search);
	return 0;
}

static void sp_tp_find_in_modules(struct sp_tp_search *s)
{
	struct sp_tp_notifier n = { .nb.notifier_call = sp_tp_visit_module, .search = s };

	if (!register_tracepoint_module_notifier(&n.nb))
		unregister_tracepoint_module_notifier(&n.nb);
}
#else
static void sp_tp_find_in_modules(struct sp_tp_search *s)
{
}
#endif

static int sp_tp_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_tp_search s = { p->target };
	struct sp_tp *t = own;

	for_each_kernel_tracepoint(sp_tp_visit, &s);
	if (!s.found)
		sp_tp_find_in_modules(&s);
	if (!s.found) {
		*why = "this kernel and its loaded modules have no such tracepoint";
		return -ENOENT;
	}
	t->p = p;
	t->tp = s.found;
	t->fn = p->ntpargs > SP_TP_IN_REGS ? (void *)sp_tp_many : (void *)sp_tp_few;
	return tracepoint_probe_register(t->tp, t->fn, (void *)p);
}

static void sp_tp_detach(void **own, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		struct sp_tp *t = own[i];

		tracepoint_probe_unregister(t->tp, t->fn, (void *)t->p);
	}
	tracepoint_synchronize_unregister();
}

static const struct sp_kind sp_kind_tracepoint = {
	.what = "tracepoint",
	.size = sizeof(struct sp_tp),
	.attach = sp_tp_attach,
	.detach = sp_tp_detach,
};
