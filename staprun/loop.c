/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session from loading to the end report. Order: -c child forked, load, user-side begin
 * probes, start (kernel-side begin probes, everything armed), user-side timers, child released,
 * events; then stop, last records, user-side end or error probes, unload.
 */
#include "staprun/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/proc.h"
#include "staprun/clock.h"
#include "staprun/session_probes.h"
#include "staprun/signals.h"

#define MAXEVENTS 16
#define FLUSH_AGE 50000000u /* ns that output waits while events keep coming */
#define PROCESS_POLL 100 /* ms */
#define MAXDEPTH 10000 /* parents of a process */

/* What became ready, in the order it is dealt with. */
enum event { EV_RUNNER, EV_TIMER, EV_PROCESS, EV_SIGNAL, EV_COUNT };

static int watch(struct run *r, int fd, enum event what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = what };

	if (!epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &e))
		return 0;
	diag_error(&r->diag, TAG_INTERNAL, SPAN_NONE, "cannot wait for descriptor %d: %s", fd,
		   strerror(errno));
	return -1;
}

int run_watch(struct run *r, int fd)
{
	return watch(r, fd, EV_RUNNER);
}

/* Ends the session because of an error of ours that is in run->diag. */
static void broke(struct loop *l)
{
	l->broken = true;
	l->run->exiting = true;
}

/* Takes what the runner has; how many records. */
static uint64_t drain(struct loop *l)
{
	uint64_t before = l->records;

	if (l->run->ops->read(l->run))
		broke(l);
	return l->records - before;
}

/* ---- before the first event ---- */

/*
 * The end of our own child ends the session. A process of -x only has to be there: as in SystemTap, the script runs on
 * whatever becomes of it.
 */
static int watch_process(struct loop *l, pid_t pid)
{
	struct run *r = l->run;
	int fd = process_open(pid), why = errno;

	if (fd >= 0 && l->child.pid)
		return watch(r, fd, EV_PROCESS);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (process_gone(pid)) {
		diag_error(&r->diag, TAG_TARGET, SPAN_NONE, "no process has the id %d", (int)pid);
		return -1;
	}
	if (why == EINVAL || why == ENOENT) {
		diag_error(&r->diag, TAG_TARGET, SPAN_NONE,
			   "%d is the id of a thread, not of a process", (int)pid);
		return -1;
	}
	l->poll_process = l->child.pid != 0;
	return 0;
}

static int open_target(struct loop *l)
{
	struct run_options *opt = &l->run->opt;

	if (opt->command) {
		if (child_prepare(&l->child, opt->command, &l->run->arena, &l->run->diag))
			return -1;
		opt->target = l->child.pid;
	}
	return opt->target ? watch_process(l, opt->target) : 0;
}

static int open_events(struct loop *l)
{
	struct run *r = l->run;
	int fd;

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0 || timers_init(&l->timers, r->ir, &r->arena)) {
		diag_error(&r->diag, TAG_INTERNAL, SPAN_NONE, "cannot wait for events: %s",
			   strerror(errno));
		return -1;
	}
	if (open_target(l))
		return -1;
	fd = signals_start();
	if (fd < 0) {
		diag_error(&r->diag, TAG_INTERNAL, SPAN_NONE, "cannot catch signals: %s",
			   strerror(errno));
		return -1;
	}
	if (watch(r, fd, EV_SIGNAL))
		return -1;
	return l->timers.n ? watch(r, l->timers.fd, EV_TIMER) : 0;
}

static void interp_name(void *arg, enum ir_name_row row, int64_t num, const char *s, struct buf *out)
{
	struct loop *l = arg;

	names_text(l->names, row, num, s, s ? strlen(s) : 0, 0, out);
}

static void interp_record(void *arg, const struct rec *rec)
{
	run_record(arg, rec);
}

/* Without a runner that knows: whether the target is among the process's parents. */
static bool descends(pid_t pid, pid_t target)
{
	for (int depth = 0; pid > 0 && depth < MAXDEPTH; depth++) {
		if (pid == target)
			return true;
		pid = proc_parent(pid);
	}
	return false;
}

static bool in_target_set(void *arg, int64_t pid)
{
	struct run *r = arg;

	if (!r->opt.target || pid <= 0 || pid > INT_MAX)
		return false;
	return pid == r->opt.target || (r->ops->target_set ? r->ops->target_set(r, pid) : descends((pid_t)pid, r->opt.target));
}

/* The interpreter, when some probe runs here. */
static void open_interp(struct loop *l)
{
	struct run *r = l->run;
	struct interp_env env = { .record = interp_record,
				  .record_arg = r,
				  .target = r->opt.target,
				  .target_set = in_target_set,
				  .target_arg = r,
				  .name = interp_name,
				  .name_arg = l };
	bool needed = false;

	for (uint32_t i = 0; i < r->ir->probes.n; i++) {
		const struct ir_probe *p = r->ir->probes.v[i];

		needed |= p->user_side && p->kind != AT_NEVER;
		l->kernel_session |= !p->user_side && (ir_attaches[p->kind].flags & ATF_SESSION);
	}
	if (!needed)
		return;
	env.store = r->ops->store(r, &env.store_arg);
	if (!env.store) {
		l->local_store = ir_local_store_new(r->ir);
		env.store = &ir_local_store;
		env.store_arg = l->local_store;
	}
	r->interp = interp_new(r->ir, &env);
}

static int session_open(struct loop *l)
{
	struct run *r = l->run;

	if (out_open(&l->out, r->opt.output, &r->arena, &r->diag) || open_events(l))
		return -1;
	format_init(&l->format, r->ir, &r->arena);
	l->names = l->format.names = names_new(r->ir);
	for (uint32_t i = 0; i < r->opt.objects.n; i++)
		names_keep(l->names, r->opt.objects.v[i]);
	if (r->opt.target)
		names_target(l->names, r->opt.target);
	l->load_called = true;
	if (r->ops->load(r))
		return -1;
	l->loaded = true;
	diag_flush(&r->diag, stderr);
	open_interp(l);
	return 0;
}

/* ---- user-side handlers ---- */

static void run_handler(struct loop *l, uint32_t probe)
{
	const struct ir_limits *limits = &l->run->ir->limits;
	int64_t actions = limits->maxaction;

	if (ir_attaches[l->run->ir->probes.v[probe]->kind].flags & ATF_SESSION)
		actions = limits->maxaction_interruptible ? limits->maxaction_interruptible
							  : limits->maxaction * 10;
	/* What the kernel side printed so far comes before what this prints. */
	if (l->started)
		drain(l);
	l->in_handler = true;
	signals_handler_begin();
	l->user_errors += interp_run(l->run->interp, probe, actions) != 0;
	signals_handler_end();
	l->in_handler = false;
}

/*
 * SystemTap's rule: exit() or an error in one begin probe keeps the later ones from running; so
 * does an error in an end probe.
 */
static bool may_run(const struct loop *l, enum ir_attach kind)
{
	if (signals_enough())
		return false;
	if (kind == AT_BEGIN)
		return !l->run->exiting && !signals_count();
	return l->failed == (kind == AT_ERROR);
}

static void run_session_probes(struct loop *l, enum ir_attach kind)
{
	uint32_t n, *order = session_probes(l->run->ir, kind, &l->run->arena, &n);

	for (uint32_t i = 0; i < n && may_run(l, kind); i++)
		run_handler(l, order[i]);
}

/* ---- events ---- */

static void on_runner(struct loop *l)
{
	drain(l);
}

static void on_timer(struct loop *l)
{
	uint64_t now = clock_now();
	uint32_t probe;

	while (!l->run->exiting && timers_next(&l->timers, now, &probe))
		run_handler(l, probe);
}

static void on_process(struct loop *l)
{
	if (child_reap(&l->child))
		l->run->exiting = true;
}

static void on_signal(struct loop *l)
{
	if (signals_count())
		l->run->exiting = true;
}

/* Milliseconds until something has to be looked at unasked; -1: never. */
static int wait_limit(const struct loop *l)
{
	int ms = l->poll_process ? PROCESS_POLL : -1;
	uint64_t now;

	if (out_pending(&l->out))
		return 0;
	if (!l->run->poll_ms)
		return ms;
	now = clock_now();
	if (now >= l->next_poll)
		return 0;
	now = (l->next_poll - now + 999999) / 1000000;
	return ms < 0 || now < (uint64_t)ms ? (int)now : ms;
}

/*
 * Reads sooner while records come and later while none do, between a tenth of poll_ms and
 * poll_ms.
 */
static void poll_runner(struct loop *l)
{
	unsigned int most = (unsigned int)l->run->poll_ms, least = most / 10 ? most / 10 : 1;

	if (!most || clock_now() < l->next_poll)
		return;
	l->poll_now = drain(l) ? l->poll_now / 2 : l->poll_now * 2;
	if (l->poll_now < least)
		l->poll_now = least;
	if (l->poll_now > most)
		l->poll_now = most;
	l->next_poll = clock_now() + l->poll_now * 1000000u;
}

static void dispatch(struct loop *l, const struct epoll_event *v, int n)
{
	static void (*const handlers[EV_COUNT])(struct loop * l) = {
		[EV_RUNNER] = on_runner,
		[EV_TIMER] = on_timer,
		[EV_PROCESS] = on_process,
		[EV_SIGNAL] = on_signal,
	};
	unsigned int ready = 0;

	for (int i = 0; i < n; i++)
		ready |= 1u << v[i].data.u32;
	for (int e = 0; e < EV_COUNT; e++) {
		if (ready & 1u << e)
			handlers[e](l);
	}
}

static void loop_once(struct loop *l)
{
	struct epoll_event v[MAXEVENTS];
	int n = epoll_wait(l->run->epoll_fd, v, MAXEVENTS, wait_limit(l));

	if (n < 0 && errno != EINTR) {
		diag_error(&l->run->diag, TAG_INTERNAL, SPAN_NONE, "cannot wait for events: %s",
			   strerror(errno));
		broke(l);
		return;
	}
	if (n > 0)
		dispatch(l, v, n);
	poll_runner(l);
	if (l->poll_process)
		on_process(l);
	commands_reap(&l->commands);
	if (out_pending(&l->out) && (n == 0 || clock_now() - l->out.since > FLUSH_AGE))
		out_flush(&l->out);
	if (l->out.error)
		l->run->exiting = true;
}

/* ---- the session ---- */

/* Arms everything and lets the target run. -1: it never started, so nothing is to be ended. */
static int session_start(struct loop *l)
{
	struct run *r = l->run;

	l->started = true;
	if (r->ops->start(r)) {
		broke(l);
		drain(l);
		return -1;
	}
	diag_flush(&r->diag, stderr);
	if (r->opt.verbose)
		fprintf(stderr, "staprun: %s is running, target process %d\n", r->opt.object,
			(int)r->opt.target);
	drain(l);
	if (r->opt.target && !l->child.pid && process_gone(r->opt.target)) {
		diag_error(&r->diag, TAG_TARGET, SPAN_NONE, "process %d ended before the probes were armed",
			   (int)r->opt.target);
		broke(l);
		return 0;
	}
	timers_start(&l->timers);
	out_flush(&l->out);
	if (!r->exiting && l->child.pid && child_release(&l->child, r->opt.command, &r->diag))
		broke(l);
	return 0;
}

static void session_end(struct loop *l)
{
	struct run *r = l->run;

	if (l->started) {
		drain(l);
		if (r->ops->stop(r, l->failed))
			broke(l);
		drain(l);
	}
	run_session_probes(l, AT_END);
	run_session_probes(l, AT_ERROR);
}

static void session_run(struct loop *l)
{
	run_session_probes(l, AT_BEGIN);
	/* A signal that came meanwhile ends the session before it is armed. */
	on_signal(l);
	if (!l->run->exiting && session_start(l))
		return;
	while (!l->run->exiting)
		loop_once(l);
	if (!signals_enough())
		session_end(l);
}

static int session_close(struct loop *l)
{
	struct run *r = l->run;
	bool bad = l->broken || l->failed;

	child_cancel(&l->child);
	if (l->commands.n) {
		out_flush(&l->out);
		commands_wait(&l->commands);
	}
	bad |= out_close(&l->out, &r->diag) != 0;
	diag_flush(&r->diag, stderr);
	bad |= r->diag.errors || report_end(l);
	/* An interrupt from the terminal ends the child as well: that is no failure of its own. */
	bad |= !signals_count() && child_failed(&l->child);
	if (signals_enough()) {
		fputs(signals_message, stderr);
		bad = true;
	}
	if (r->interp)
		interp_free(r->interp);
	if (l->local_store)
		ir_local_store_free(l->local_store);
	if (l->load_called)
		r->ops->unload(r);
	timers_fini(&l->timers);
	format_fini(&l->format);
	names_free(l->names);
	speculation_fini(&l->speculation);
	signals_stop();
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	return bad;
}

int loop_run(struct run *r)
{
	struct loop *l = arena_new(&r->arena, struct loop);

	l->run = r;
	l->timers.fd = -1;
	r->loop = l;
	r->epoll_fd = -1;
	r->exiting = false;
	if (session_open(l))
		l->broken = true;
	else
		session_run(l);
	return session_close(l);
}
