/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers: one shot on one CPU each period. A period that was slept through is skipped, not made up
 * for.
 */
#include "rt.h"

#define SP_TIMER_SHORTEST 10000 /* ns: below, a machine would do nothing else */

struct sp_timer {
	struct hrtimer t;
	const struct sp_probe *p;
};

static SP_CODE ktime_t sp_timer_period(const struct sp_probe *p)
{
	s64 unit = p->flags & SP_PF_JIFFIES ? TICK_NSEC : 1, period = p->period;

	if (p->random) {
		u64 width = 2 * (u64)p->random + 1;
		u64 r = (u64)get_random_u32() << 32 | get_random_u32();

		period += (s64)(r % width) - p->random;
	}
	if (period > S64_MAX / 2 / unit)
		period = S64_MAX / 2 / unit;
	return ns_to_ktime(max_t(s64, period * unit, SP_TIMER_SHORTEST));
}

static SP_CODE enum hrtimer_restart sp_timer_hit(struct hrtimer *t)
{
	struct sp_timer *own = container_of(t, struct sp_timer, t);

	sp_hit(own->p, NULL, NULL);
	hrtimer_forward_now(t, sp_timer_period(own->p));
	return HRTIMER_RESTART;
}

static int sp_timer_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_timer *t = own;

	t->p = p;
	compat_hrtimer_init(&t->t, sp_timer_hit);
	hrtimer_start(&t->t, sp_timer_period(p), HRTIMER_MODE_REL);
	return 0;
}

static void sp_timer_detach(void **own, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		hrtimer_cancel(&((struct sp_timer *)own[i])->t);
}

static const struct sp_kind sp_kind_timer = {
	.what = "timer",
	.late = true,
	.size = sizeof(struct sp_timer),
	.attach = sp_timer_attach,
	.detach = sp_timer_detach,
};
