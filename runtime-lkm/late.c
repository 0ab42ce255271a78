/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes of modules. They are placed while their module is loaded: now, or when it comes, before its first instruction
 * runs; when it goes they are taken away. The kernel tells of both in the context of whoever loads it, holding its list of
 * listeners for reading: the mutex here is never held by who changes that list.
 */
#include "rt.h"

static const struct sp_kind *const sp_kinds[SP_AT_COUNT] = {
	[SP_AT_TIMER] = &sp_kind_timer,           [SP_AT_PROFILE] = &sp_kind_profile,
	[SP_AT_KPROBE] = &sp_kind_kprobe,         [SP_AT_KRETPROBE] = &sp_kind_kretprobe,
	[SP_AT_TRACEPOINT] = &sp_kind_tracepoint, [SP_AT_UPROBE] = &sp_kind_uprobe,
	[SP_AT_URETPROBE] = &sp_kind_uretprobe,   [SP_AT_PROC_BEGIN] = &sp_kind_event,
	[SP_AT_PROC_END] = &sp_kind_event,        [SP_AT_THREAD_BEGIN] = &sp_kind_event,
	[SP_AT_THREAD_END] = &sp_kind_event,
};

struct sp_late {
	const struct sp_probe *p;
	void *own; /* NULL: not placed */
};
static struct sp_late *sp_late;
static u32 sp_nlate;
static bool sp_listening;
static char *sp_here; /* " ext4 overlay ": modules that were loaded before the start */
static DEFINE_MUTEX(sp_late_mutex);

static bool sp_is_late(const struct sp_probe *p)
{
	return (p->kind == SP_AT_KPROBE || p->kind == SP_AT_KRETPROBE) && strchr(p->target, ':');
}

static bool sp_of_module(const char *name, const char *module)
{
	size_t n = strlen(module);

	return !strncmp(name, module, n) && name[n] == ':';
}

static int sp_late_place(struct sp_late *l, const char **why)
{
	const struct sp_kind *k = sp_kinds[l->p->kind];
	void *own = kvzalloc(k->size, GFP_KERNEL);
	int rc = own ? k->attach(own, l->p, why) : -ENOMEM;

	if (rc)
		kvfree(own);
	else
		l->own = own;
	return rc;
}

static void sp_late_free(const struct sp_kind *k, void **own, u32 n)
{
	u32 i;

	k->detach(own, n);
	for (i = 0; i < n; i++) {
		atomic64_add(k->missed(own[i]), &sp.missed);
		kvfree(own[i]);
	}
}

/* Those of a module, or all. */
static void sp_late_remove(const char *module, u32 kind)
{
	const struct sp_kind *k = sp_kinds[kind];
	void **own = kvcalloc(sp_nlate + 1, sizeof(*own), GFP_KERNEL);
	u32 n = 0, i;

	for (i = 0; i < sp_nlate; i++) {
		struct sp_late *l = &sp_late[i];

		if (!l->own || l->p->kind != kind || (module && !sp_of_module(l->p->target, module)))
			continue;
		if (own)
			own[n++] = l->own;
		else
			sp_late_free(k, &l->own, 1);
		l->own = NULL;
	}
	if (n)
		sp_late_free(k, own, n);
	kvfree(own);
}

static u64 sp_module_symbol(struct module *mod, const char *name)
{
#ifdef CONFIG_KALLSYMS
	struct mod_kallsyms *k = rcu_dereference_raw(mod->kallsyms);
	u32 i;

	for (i = 1; k && i < k->num_symtab; i++)
		if (k->symtab[i].st_shndx != SHN_UNDEF && !strcmp(k->strtab + k->symtab[i].st_name, name))
			return k->symtab[i].st_value;
#endif
	return 0;
}

/* Where the variables of a module lie that staprun could not see. */
static void sp_late_symbols(struct module *mod)
{
	u32 i;

	for (i = 0; i < sp_script.nsyms; i++) {
		struct sp_sym *s = &sp_script.syms[i];
		u64 at;

		if (!sp_of_module(s->name, mod->name))
			continue;
		at = sp_module_symbol(mod, s->anchor ?: strchr(s->name, ':') + 1);
		WRITE_ONCE(s->addr, at ? at - s->anchor_off : 0);
	}
}

static void sp_late_come(struct module *mod)
{
	const char *why;
	bool known = false;
	u32 i;

	for (i = 0; i < sp_nlate; i++) {
		if (sp_late[i].own || !sp_of_module(sp_late[i].p->target, mod->name))
			continue;
		if (!known)
			sp_late_symbols(mod);
		known = true;
		if (sp_late_place(&sp_late[i], &why) && !(sp_late[i].p->flags & SP_PF_OPTIONAL))
			sp.refused++;
	}
	if (!known)
		return;
	sp.arrived++;
	sp_session_notify();
}

static int sp_late_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;
	int state;

	mutex_lock(&sp_late_mutex);
	state = atomic_read(&sp.state);
	if (event == MODULE_STATE_COMING && state >= SP_BEGIN && state <= SP_RUNNING) {
		sp_late_come(mod);
	} else if (event == MODULE_STATE_GOING) {
		sp_late_remove(mod->name, SP_AT_KPROBE);
		sp_late_remove(mod->name, SP_AT_KRETPROBE);
	}
	mutex_unlock(&sp_late_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block sp_late_listener = {
	.notifier_call = sp_late_event,
	.priority = -1, /* after those that make a new module ready for probes */
};

static int sp_late_start(void)
{
	u32 i, n = 0;
	int rc;

	for (i = 0; i < sp_script.nprobes; i++)
		n += sp_is_late(&sp_script.probes[i]);
	if (!n)
		return 0;
	sp_late = kvcalloc(n, sizeof(*sp_late), GFP_KERNEL);
	rc = sp_late ? register_module_notifier(&sp_late_listener) : -ENOMEM;
	sp_listening = !rc;
	return rc;
}

static int sp_late_here(const char *module)
{
	char *more = kasprintf(GFP_KERNEL, "%s%s ", sp_here ?: " ", module);

	if (!more)
		return -ENOMEM;
	kfree(sp_here);
	sp_here = more;
	return 0;
}

static bool sp_was_here(const char *target)
{
	const char *at;

	for (at = sp_here; at && *at; at = strchr(at + 1, ' '))
		if (at[1] && strchr(at + 1, ' ') &&
		    !strncmp(at + 1, target, strcspn(at + 1, " ")) && target[strcspn(at + 1, " ")] == ':')
			return true;
	return false;
}

/* A module that is not there will come, or not. */
static int sp_late_attach(const struct sp_probe *p, const char **why)
{
	struct sp_late *l;
	int rc;

	mutex_lock(&sp_late_mutex);
	l = &sp_late[sp_nlate++];
	l->p = p;
	rc = sp_late_place(l, why);
	mutex_unlock(&sp_late_mutex);
	return rc == -ENOENT && !sp_was_here(p->target) ? 0 : rc;
}

static void sp_late_stop(void)
{
	if (sp_listening)
		unregister_module_notifier(&sp_late_listener);
	sp_listening = false;
	mutex_lock(&sp_late_mutex);
	sp_late_remove(NULL, SP_AT_KPROBE);
	sp_late_remove(NULL, SP_AT_KRETPROBE);
	kvfree(sp_late);
	sp_late = NULL;
	sp_nlate = 0;
	kfree(sp_here);
	sp_here = NULL;
	mutex_unlock(&sp_late_mutex);
}
