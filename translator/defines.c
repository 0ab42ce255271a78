/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -D NAME or -D NAME=VALUE: a limit of ir/limits.def, or one of the other names that SystemTap's
 * manual and its runtime know, which scripts and their users give and which mean nothing here. In
 * guru mode any name: embedded C may use it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char *const ignored[] = {
	"DEBUG_MEM", "DEBUG_REENTRANCY", "DEBUG_TASK_FINDER", "DEBUG_TRANS", "DEBUG_UNWIND",
	"DEBUG_UPROBES", "HIST_LOG_BUCKETS", "INTERRUPTIBLE", "KRETACTIVE",
	"MAPHASHBIAS", "MAXUPROBES", "MINSTACKSPACE", "RELAY_GUEST", "RELAY_HOST",
	"STAP_CALLEE_MATCHALL", "STAP_OVERRIDE_STUCK_CONTEXT", "STP_ALIBI", "STP_CTL_TIMER_INTERVAL",
	"STP_EXECTRACE", "STP_FORCE_STDOUT_TTY", "STP_LEGACY_PRINT", "STP_MAXMEMORY", "STP_MAX_BUCKETS",
	"STP_NO_BUILDID_CHECK", "STP_NO_OVERLOAD", "STP_NO_VERREL_CHECK", "STP_ON_THE_FLY_INTERVAL",
	"STP_OVERLOAD_INTERVAL", "STP_OVERLOAD_THRESHOLD", "STP_PROCFS_BUFSIZE", "STP_RELAY_TIMER_INTERVAL",
	"STP_TIMING", "STP_TIMING_NSECS", "TASK_FINDER_VMA_ENTRY_PATHLEN",
};

/* The most that ir/limits.def allows: nobody gets there. */
#define NO_LIMIT 1000000000
#define TRYLOCK_MOST 1000000

#define NIGNORED (sizeof(ignored) / sizeof(*ignored))

static bool is_ignored(const char *name)
{
	for (size_t i = 0; i < NIGNORED; i++)
		if (!strcmp(ignored[i], name))
			return true;
	return false;
}

static int report_unknown(struct session *s, const char *name)
{
	struct near_match m;

	diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "-D%s: no limit is called %s", name, name);
	near_init(&m, name);
#define LIMIT(limit, field, def, lo, hi) near_try(&m, #limit);
#include "ir/limits.def"
#undef LIMIT
	for (size_t i = 0; i < NIGNORED; i++)
		near_try(&m, ignored[i]);
	if (near_best(&m))
		diag_hint(&s->diag, "did you mean -D%s?", near_best(&m));
	else
		diag_hint(&s->diag, "stap(1) lists the limits; with -g, names for embedded C may be defined");
	return -1;
}

static int set_limit(struct session *s, const char *name, const char *value, int64_t lo, int64_t hi)
{
	long long v;
	char *end;

	if (!value) {
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "-D%s needs a value", name);
		diag_hint(&s->diag, "write -D%s=NUMBER", name);
		return -1;
	}
	errno = 0;
	v = strtoll(value, &end, 0);
	if (errno || end == value || *end || v < lo || v > hi) {
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "-D%s takes a number in its range, not \"%s\"", name,
			   value);
		diag_hint(&s->diag, "give a whole number from %lld to %lld", (long long)lo, (long long)hi);
		return -1;
	}
	return ir_limits_set(&s->limits, name, v, NULL, NULL);
}

static int set_one(struct session *s, const char *define)
{
	const char *eq = strchr(define, '=');
	const char *name = eq ? arena_strndup(&s->arena, define, (size_t)(eq - define)) : define;
	int64_t lo = 0, hi = 0;

	if (ir_limits_set(&s->limits, name, INT64_MIN, &lo, &hi) == -ENOENT)
		return s->guru || is_ignored(name) ? 0 : report_unknown(s, name);
	return set_limit(s, name, eq ? eq + 1 : NULL, lo, hi);
}

int defines_apply(struct session *s)
{
	struct ir_limits *l = &s->limits;
	int rc = 0;

	for (uint32_t i = 0; i < s->defines.n; i++)
		rc |= set_one(s, s->defines.v[i]);
	if (s->suppress_handler_errors) {
		l->suppress_errors = 1;
		l->maxerrors = NO_LIMIT;
		l->maxskipped = NO_LIMIT;
	}
	if (s->suppress_time_limits && !s->guru) {
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "--suppress-time-limits needs guru mode");
		diag_hint(&s->diag, "add -g when handlers may run as long as they like");
		return -1;
	}
	if (s->suppress_time_limits) {
		l->maxaction = l->maxaction_interruptible = NO_LIMIT;
		l->maxtrylock = TRYLOCK_MOST;
	}
	return rc;
}
