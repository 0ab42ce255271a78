/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/timers.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "staprun/clock.h"

#define LONGEST (INT64_MAX / 4) /* 73 years: sums of a few cannot overflow */

/*
 * The coarse clock moves once a tick, and its resolution says so: no configuration file has to
 * be found.
 */
uint64_t timers_jiffy(void)
{
	struct timespec t;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || t.tv_sec || t.tv_nsec < 100000)
		return 1000000000u / 250;
	return (uint64_t)t.tv_nsec;
}

static uint64_t to_ns(int64_t v, uint64_t unit)
{
	return v <= 0 ? 0 : (uint64_t)v > LONGEST / unit ? LONGEST : (uint64_t)v * unit;
}

int timers_init(struct timers *t, const struct ir_module *m, struct arena *a)
{
	t->fd = -1;
	t->n = 0;
	t->v = arena_alloc(a, sizeof(*t->v) * (m->probes.n + 1));
	t->rng = clock_now() ^ (uint64_t)getpid() << 40;
	for (uint32_t i = 0; i < m->probes.n; i++) {
		const struct ir_probe *p = m->probes.v[i];
		uint64_t unit = p->jiffies ? timers_jiffy() : 1;

		if (p->kind != AT_TIMER || !p->user_side)
			continue;
		t->v[t->n] = (struct timer){ .probe = i,
					     .period = to_ns(p->period, unit),
					     .random = to_ns(p->random, unit) };
		if (!t->v[t->n].period)
			t->v[t->n].period = 1;
		t->n++;
	}
	if (!t->n)
		return 0;
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return t->fd < 0 ? -1 : 0;
}

void timers_fini(struct timers *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* splitmix64 */
static uint64_t next_random(struct timers *t)
{
	uint64_t z = t->rng += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* period +- random, at least 1 ns */
static uint64_t next_period(struct timers *t, const struct timer *timer)
{
	uint64_t up;

	if (!timer->random)
		return timer->period;
	up = timer->period + next_random(t) % (2 * timer->random + 1);
	return up > timer->random ? up - timer->random : 1;
}

static void set_descriptor(const struct timers *t)
{
	struct itimerspec its = { 0 };
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->v[i].due < first)
			first = t->v[i].due;
	}
	its.it_value.tv_sec = (time_t)(first / 1000000000u);
	its.it_value.tv_nsec = (long)(first % 1000000000u);
	timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &its, NULL);
}

void timers_start(struct timers *t)
{
	uint64_t now = clock_now();

	if (!t->n)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		t->v[i].due = now + next_period(t, &t->v[i]);
	set_descriptor(t);
}

bool timers_next(struct timers *t, uint64_t now, uint32_t *probe)
{
	struct timer *first = NULL;

	for (uint32_t i = 0; i < t->n; i++) {
		struct timer *timer = &t->v[i];

		if (timer->due <= now && (!first || timer->due < first->due))
			first = timer;
	}
	if (!first) {
		/* Setting it also takes the expiry that woke us. */
		set_descriptor(t);
		return false;
	}
	*probe = first->probe;
	first->due += next_period(t, first);
	if (first->due <= now)
		first->due += (now - first->due) / first->period * first->period + first->period;
	return true;
}
