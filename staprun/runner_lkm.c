/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module runtime. Everything goes through /proc/spile:NAME: commands and status through
 * "control", records through "traceN". While a command runs, begin or end probes may print more
 * than the rings hold, so a thread empties them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "staprun/clock.h"
#include "staprun/ksyms.h"
#include "staprun/runner_lkm.h"

#define LKM_POLL 100 /* ms */
#define LKM_BUFFER (2u << 20) /* bytes for each CPU */
/*
 * A record's time is taken just before it becomes visible. Younger ones wait, so that another CPU's
 * older record that was still being written is not overtaken.
 */
#define LKM_SETTLE 2000000 /* ns */
#define LKM_DRAIN_PAUSE 1000000 /* ns, while a command runs */

struct lkm_status {
	long long exit, failed, errors, locked, nested, missed, lost, untracked, probe, arrived, refused;
	const char *why;
};

struct lkm {
	const char *name, *folder;
	bool inserted, stopped;
	int control;
	struct lkm_rings rings;
	struct lkm_status status;
	struct run_counts counts;
	long long arrived; /* modules that came, and whose builds are looked at */
};

/* ---- status ---- */

static long long field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static int read_status(struct run *r, struct lkm_status *st)
{
	struct lkm *l = r->priv;
	char text[600];
	ssize_t n;
	char *why;

	do
		n = pread(l->control, text, sizeof(text) - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE,
			   "cannot read the state of the module %s: %s", l->name, strerror(errno));
		return -1;
	}
	text[n] = 0;
	why = strstr(text, " why=");
	if (why)
		*why = 0;
	*st = (struct lkm_status){
		field(text, " exit="),   field(text, " failed="), field(text, " errors="),
		field(text, " locked="), field(text, " nested="), field(text, " missed="),
		field(text, " lost="),   field(text, " untracked="), field(text, " probe="),
		field(text, " arrived="), field(text, " refused="), ""
	};
	if (why) {
		why[5 + strcspn(why + 5, "\n")] = 0;
		if (why[5]) /* after a failure only: the status is read all the time */
			st->why = arena_strdup(&r->arena, why + 5);
	}
	return 0;
}

/* ---- commands ---- */

struct drainer {
	struct lkm_rings *rings;
	atomic_bool done;
};

static void *drain_while(void *arg)
{
	struct timespec pause = { .tv_nsec = LKM_DRAIN_PAUSE };
	struct drainer *d = arg;

	while (!atomic_load(&d->done)) {
		if (rings_drain(d->rings, true))
			break;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Writes a command; 0 or -errno. Begin and end probes run in this process, inside the write. */
static int command(struct lkm *l, const char *text)
{
	struct drainer d = { .rings = &l->rings };
	sigset_t all, before;
	pthread_t thread;
	bool started;
	int rc;

	atomic_init(&d.done, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, drain_while, &d) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	rc = write(l->control, text, strlen(text)) < 0 ? -errno : 0;
	if (started) {
		atomic_store(&d.done, true);
		pthread_join(thread, NULL);
	}
	return rc;
}

/* ---- the runner ---- */

static int open_control(struct run *r)
{
	struct lkm *l = r->priv;

	l->control = open(arena_printf(&r->arena, "%s/control", l->folder), O_RDWR | O_CLOEXEC);
	if (l->control >= 0)
		return 0;
	diag_error(&r->diag, errno == EBUSY ? TAG_MODULE_BUSY : TAG_LOAD, SPAN_NONE,
		   "cannot open %s/control of the module that was loaded: %s", l->folder,
		   strerror(errno));
	return -1;
}

static int setup(struct run *r)
{
	struct lkm *l = r->priv;
	unsigned long long bytes =
		r->opt.buffer_mb ? (unsigned long long)r->opt.buffer_mb << 20 : LKM_BUFFER;
	int rc = command(l, arena_printf(&r->arena, "setup %llu", bytes));

	if (!rc)
		rc = rings_open(&l->rings, l->folder);
	if (!rc)
		return 0;
	if (!read_status(r, &l->status))
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "the module %s cannot start: %s", l->name,
			   *l->status.why ? l->status.why : strerror(-rc));
	return -1;
}

/* Initial values of the command line. */
static int put_settings(struct run *r)
{
	struct lkm *l = r->priv;
	int rc = 0;

	for (uint32_t i = 0; i < r->set.n && !rc; i++) {
		uint32_t k = r->set.v[i];
		const struct ir_global *g = r->ir->globals.v[k];

		rc = command(l, g->type == IR_STR
					? arena_printf(&r->arena, "set %u =%s", k, g->init_str)
					: arena_printf(&r->arena, "set %u =%lld", k,
						       (long long)g->init_num));
		if (rc)
			diag_error(&r->diag, TAG_LOAD, SPAN_NONE,
				   "the module %s does not take a value for %s: %s", l->name, g->name,
				   strerror(-rc));
	}
	return rc ? -1 : 0;
}

/* Where the script's symbols lie. */
static int put_symbols(struct run *r)
{
	struct lkm *l = r->priv;
	uint64_t *addr = ksyms_find(r);
	int rc = 0;

	for (uint32_t i = 0; addr && i < r->ir->syms.n && !rc; i++)
		rc = command(l, arena_printf(&r->arena, "sym %u %llx", i, (unsigned long long)addr[i]));
	if (rc)
		diag_internal(&r->diag, SPAN_NONE, "the module %s takes no addresses: %s", l->name, strerror(-rc));
	return addr && !rc ? 0 : -1;
}

/* Which of the probed modules are loaded: the others are waited for. */
static int tell_modules(struct run *r)
{
	struct lkm *l = r->priv;
	const char *last = "";
	int rc = 0;

	for (uint32_t i = 0; i < r->ir->probes.n && !rc; i++) {
		const struct ir_probe *p = r->ir->probes.v[i];
		const char *module = p->kind == AT_KPROBE || p->kind == AT_KRETPROBE ? ksyms_module(r, p->target) : NULL;

		if (!module || !strcmp(module, last))
			continue;
		last = module;
		if (ksyms_loaded(r, module))
			rc = command(l, arena_printf(&r->arena, "here %s", module));
		else if (r->opt.verbose)
			fprintf(stderr, "waiting for the module %s\n", module);
	}
	if (rc)
		diag_internal(&r->diag, SPAN_NONE, "the module %s takes no names of modules: %s", l->name, strerror(-rc));
	return rc ? -1 : 0;
}

static int lkm_load(struct run *r)
{
	struct lkm *l = arena_new(&r->arena, struct lkm);

	r->priv = l;
	r->poll_ms = LKM_POLL;
	l->control = -1;
	l->name = r->ir->name;
	l->folder = arena_printf(&r->arena, "/proc/spile:%s", l->name);
	if (ksyms_check_builds(r) || module_load(r, l->name))
		return -1;
	l->inserted = true;
	return open_control(r) || setup(r) || put_settings(r) || put_symbols(r) || tell_modules(r) || run_watch(r, l->control) ? -1 : 0;
}

static void attach_failed(struct run *r, int rc)
{
	struct lkm *l = r->priv;

	if (read_status(r, &l->status))
		return;
	if (*l->status.why && l->status.probe >= 0 && l->status.probe < r->ir->probes.n) {
		const struct ir_probe *p = r->ir->probes.v[l->status.probe];

		diag_error(&r->diag, TAG_ATTACH, SPAN_NONE, "cannot attach probe %s: %s", p->name,
			   l->status.why);
		diag_hint(&r->diag, "append '?' to the probe point when it may be missing");
		return;
	}
	diag_error(&r->diag, TAG_ATTACH, SPAN_NONE, "the module %s cannot start its probes: %s",
		   l->name, *l->status.why ? l->status.why : strerror(-rc));
}

static int lkm_start(struct run *r)
{
	struct lkm *l = r->priv;
	int rc = command(l, arena_printf(&r->arena, "start %d%s", (int)r->opt.target,
					       r->opt.command ? " held" : ""));

	if (rc)
		attach_failed(r, rc);
	return rc ? -1 : 0;
}

static int damaged(struct run *r, const char *what)
{
	diag_internal(&r->diag, SPAN_NONE, "the module %s gave %s", ((struct lkm *)r->priv)->name,
		      what);
	return -1;
}

static int lkm_read(struct run *r)
{
	struct lkm *l = r->priv;
	uint64_t horizon = l->stopped ? UINT64_MAX : clock_now() - LKM_SETTLE;
	int rc;

	if (read_status(r, &l->status))
		return -1;
	if (l->status.arrived != l->arrived && ksyms_check_builds(r))
		return -1;
	l->arrived = l->status.arrived;
	rc = rings_drain(&l->rings, !l->stopped);
	if (rc) {
		diag_error(&r->diag, TAG_OUTPUT, SPAN_NONE,
			   "cannot take the records of the module %s: %s", l->name, strerror(-rc));
		return -1;
	}
	if (rings_merge(&l->rings, r, horizon))
		return damaged(r, "a damaged record");
	if (l->status.exit || l->status.failed || l->status.locked > r->ir->limits.maxskipped)
		r->exiting = true;
	return 0;
}

static int lkm_stop(struct run *r, bool failed)
{
	struct lkm *l = r->priv;
	int rc = command(l, failed ? "stop failed" : "stop");

	l->stopped = true;
	if (rc)
		return damaged(r, arena_printf(&r->arena, "an error when it was stopped: %s",
					       strerror(-rc)));
	return 0;
}

/* The counts outlive the module. */
static void take_counts(struct run *r)
{
	struct lkm *l = r->priv;

	if (l->control < 0 || read_status(r, &l->status))
		return;
	if (l->status.refused)
		fprintf(stderr, "WARNING: the kernel refused %lld probes of modules that came later\n", l->status.refused);
	l->counts = (struct run_counts){ .errors = (uint64_t)l->status.errors,
					 .skipped = (uint64_t)l->status.locked,
					 .nested = (uint64_t)(l->status.nested + l->status.missed),
					 .lost = (uint64_t)l->status.lost,
					 .untracked = (uint64_t)l->status.untracked };
}

static void lkm_unload(struct run *r)
{
	struct lkm *l = r->priv;
	int rc;

	rings_close(&l->rings);
	if (l->control >= 0)
		close(l->control);
	l->control = -1;
	rc = l->inserted ? module_unload(l->name) : 0;
	if (rc)
		fprintf(stderr,
			"WARNING: cannot remove the module %s: %s; staprun -d %s tries again\n",
			l->name, strerror(-rc), l->name);
}

static void lkm_counts(struct run *r, struct run_counts *out)
{
	struct lkm *l = r->priv;

	take_counts(r);
	*out = l->counts;
}

static const struct ir_store_ops *lkm_store(struct run *r, void **arg)
{
	(void)r;
	*arg = NULL;
	return NULL;
}

const struct runner_ops runner_lkm = {
	.name = "kernel",
	.load = lkm_load,
	.start = lkm_start,
	.read = lkm_read,
	.stop = lkm_stop,
	.unload = lkm_unload,
	.counts = lkm_counts,
	.store = lkm_store,
};
