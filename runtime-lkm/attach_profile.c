/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.profile: each CPU, at the kernel's HZ, wherever it is then. CPUs that come online later are
 * not sampled.
 */
#include "rt.h"

struct sp_profile {
	const struct sp_probe *p;
	struct perf_event **events; /* by CPU */
};

static SP_CODE void sp_profile_hit(struct perf_event *e, struct perf_sample_data *data,
				   struct pt_regs *regs)
{
	sp_hit(e->overflow_handler_context, regs, NULL);
}

static void sp_profile_release(struct sp_profile *own)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (own->events[cpu])
			perf_event_release_kernel(own->events[cpu]);
	kvfree(own->events);
}

static int sp_profile_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = TICK_NSEC,
		.pinned = 1,
	};
	struct sp_profile *s = own;
	int cpu;

	s->p = p;
	s->events = kvcalloc(nr_cpu_ids, sizeof(*s->events), GFP_KERNEL);
	if (!s->events)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		struct perf_event *e = perf_event_create_kernel_counter(&attr, cpu, NULL,
									sp_profile_hit, (void *)p);

		if (IS_ERR(e)) {
			sp_profile_release(s);
			*why = "the kernel gives no clock event on a CPU";
			return PTR_ERR(e);
		}
		s->events[cpu] = e;
	}
	return 0;
}

static void sp_profile_detach(void **own, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		sp_profile_release(own[i]);
}

static const struct sp_kind sp_kind_profile = {
	.what = "profiling timer",
	.late = true,
	.size = sizeof(struct sp_profile),
	.attach = sp_profile_attach,
	.detach = sp_profile_detach,
};
