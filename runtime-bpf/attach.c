/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From attach descriptors to links: one function an attach kind. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime-bpf/runner.h"
#include "staprun/ksyms.h"

/* Errors are -errno. */
typedef int (*attach_fn)(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog, uint64_t cookie);

static int keep(struct bpf_run *b, struct bpf_link *link)
{
	if (!link)
		return -errno;
	vec_push(&b->run->arena, &b->links, link);
	return 0;
}

static int attach_tracepoint(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog,
			     uint64_t cookie)
{
	(void)cookie;
	return keep(b, bpf_program__attach_raw_tracepoint(prog, p->target));
}

static int attach_kprobe(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog,
			     uint64_t cookie)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .offset = p->offset, .bpf_cookie = cookie,
		    .retprobe = p->kind == AT_KRETPROBE);

	/* without a symbol, the offset is the address */
	return keep(b, bpf_program__attach_kprobe_opts(prog, *p->target ? p->target : NULL, &opts));
}

/*
 * All processes: which of them count is the handler's filter, as threads and children of the
 * target do.
 */
static int attach_uprobe(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog,
			     uint64_t cookie)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = p->kind == AT_URETPROBE, .bpf_cookie = cookie,
		    .ref_ctr_offset = p->semaphore);

	return keep(b, bpf_program__attach_uprobe_opts(prog, -1, p->target, p->offset, &opts));
}

/* The kernel's tick: what the coarse clock moves by. */
static uint64_t tick_ns(void)
{
	struct timespec t;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || t.tv_sec || t.tv_nsec < 100000)
		return 4000000;
	return (uint64_t)t.tv_nsec;
}

static int attach_profile(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog,
			     uint64_t cookie)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period =
						p->period > 0 ? (uint64_t)p->period : tick_ns() };

	(void)cookie;
	for (int cpu = 0; cpu < b->ncpu; cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
				      PERF_FLAG_FD_CLOEXEC),
		    r;

		/* a possible CPU that is not there */
		if (fd < 0 && (errno == ENODEV || errno == EINVAL) && cpu)
			continue;
		if (fd < 0)
			return -errno;
		r = keep(b, bpf_program__attach_perf_event(prog, fd));
		if (r) {
			close(fd);
			return r;
		}
	}
	return 0;
}

/* Events of tasks: the program tells apart what it runs on. */
static int attach_event(struct bpf_run *b, const struct ir_probe *p, struct bpf_program *prog, uint64_t cookie)
{
	static const char *const points[AT_COUNT][2] = {
		[AT_PROC_BEGIN] = { "sched_process_fork", "sched_process_exec" },
		[AT_PROC_END] = { "sched_process_exec", "sched_process_exit" },
		[AT_THREAD_BEGIN] = { "sched_process_fork" },
		[AT_THREAD_END] = { "sched_process_exit" },
	};

	(void)cookie;
	for (int k = 0; k < 2 && points[p->kind][k]; k++) {
		int r = keep(b, bpf_program__attach_raw_tracepoint(prog, points[p->kind][k]));

		if (r)
			return r;
	}
	return 0;
}

static const attach_fn attach_by_kind[AT_COUNT] = {
	[AT_PROFILE] = attach_profile,  [AT_KPROBE] = attach_kprobe,
	[AT_KRETPROBE] = attach_kprobe, [AT_TRACEPOINT] = attach_tracepoint,
	[AT_UPROBE] = attach_uprobe,    [AT_URETPROBE] = attach_uprobe,
	[AT_PROC_BEGIN] = attach_event, [AT_PROC_END] = attach_event,
	[AT_THREAD_BEGIN] = attach_event, [AT_THREAD_END] = attach_event,
};

static const char *attach_hint(const struct ir_probe *p, int err)
{
	if (err == EMFILE || err == ENFILE)
		return "each probe needs two open files: raise the limit of open files (ulimit -n), or probe less";
	if (p->kind == AT_TRACEPOINT)
		return "the kernel has no such tracepoint, or its module is not loaded: see "
		       "/sys/kernel/tracing/events";
	if (p->kind == AT_KPROBE || p->kind == AT_KRETPROBE)
		return "the function does not exist here, was inlined, or may not be probed: see "
		       "/sys/kernel/tracing/available_filter_functions";
	if (err == EINVAL && p->kind != AT_PROFILE)
		return "the file may have changed since the script was translated";
	return "see the kernel's log (dmesg) for a reason";
}

/* Nothing in eBPF code hears of modules that come later. */
static bool module_missing(struct bpf_run *b, const struct ir_probe *p)
{
	const char *module = p->kind == AT_KPROBE || p->kind == AT_KRETPROBE ? ksyms_module(b->run, p->target) : NULL;

	if (!module || ksyms_loaded(b->run, module))
		return false;
	if (p->optional)
		return true;
	diag_error(&b->run->diag, TAG_ATTACH, SPAN_HERE, "cannot probe %s: the module %s is not loaded", p->name, module);
	diag_hint(&b->run->diag, "load it first: modprobe %s; --runtime=kernel waits for it", module);
	return true;
}

bool bpf_attach_serious(int err)
{
	static const int serious[] = { EPERM, EACCES, EMFILE, ENFILE, ENOMEM, E2BIG, ENOSPC };

	for (size_t i = 0; i < sizeof(serious) / sizeof(serious[0]); i++)
		if (err == serious[i])
			return true;
	return false;
}

int bpf_attach_failed(struct bpf_run *b, uint32_t probe, int err)
{
	const struct ir_probe *p = b->run->ir->probes.v[probe];

	diag_error(&b->run->diag, TAG_ATTACH, SPAN_HERE, "cannot probe %s: %s", p->name, strerror(err));
	diag_hint(&b->run->diag, "%s", attach_hint(p, err));
	return -1;
}

int bpf_attach(struct bpf_run *b, uint32_t probe)
{
	const struct ir_probe *p = b->run->ir->probes.v[probe];
	const struct bpf_group *group = &b->groups[probe];
	char name[32];
	struct bpf_program *prog;
	int r;

	if (module_missing(b, p))
		return p->optional ? 0 : -1;
	if (b->multi && b->multi[group->leader])
		return bpf_multi_attach(b, group->leader);
	if (group->size > 1 && !b->cookies)
		snprintf(name, sizeof(name), "stub_%u", probe);
	else
		snprintf(name, sizeof(name), "probe_%u", group->leader);
	prog = bpf_object__find_program_by_name(b->obj, name);
	if (!prog || !attach_by_kind[p->kind]) {
		diag_internal(&b->run->diag, SPAN_HERE, "no eBPF program for the probe %s",
			      p->name);
		return -1;
	}
	r = attach_by_kind[p->kind](b, p, prog, group->size > 1 && b->cookies ? group->nth : 0);
	if (!r || (p->optional && !bpf_attach_serious(-r)))
		return 0;
	return bpf_attach_failed(b, probe, -r);
}

void bpf_detach_all(struct bpf_run *b)
{
	for (uint32_t k = 0; k < b->links.n; k++)
		bpf_link__destroy(b->links.v[k]);
	b->links.n = 0;
}
