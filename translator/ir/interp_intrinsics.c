/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intrinsics of user space: in_NAME() for each row of intrinsics.def. The "current task" is
 * this process.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "interp_int.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cycles(void)
{
#if defined(__x86_64__)
	return (int64_t)__builtin_ia32_rdtsc();
#else
	return clock_ns(CLOCK_MONOTONIC);
#endif
}

#define IN(name) static int in_##name(struct interp *in, union slot *r, const struct code *c)
#define IN_NUMBER(name, expr)                                                                      \
	IN(name)                                                                                   \
	{                                                                                          \
		(void)in;                                                                          \
		r[c->d].i = expr;                                                                  \
		return 0;                                                                          \
	}

IN_NUMBER(pid, getpid())
IN_NUMBER(tid, gettid())
IN_NUMBER(ppid, getppid())
IN_NUMBER(uid, getuid())
IN_NUMBER(euid, geteuid())
IN_NUMBER(gid, getgid())
IN_NUMBER(egid, getegid())
IN_NUMBER(thread_pointer, 0) /* never placed here */
IN_NUMBER(cpu, sched_getcpu())
IN_NUMBER(target, in->env.target)
IN_NUMBER(target_set, in->env.target_set ? in->env.target_set(in->env.target_arg, r[c->a].i)
					 : in->env.target && r[c->a].i == in->env.target)
IN_NUMBER(sysarg, 0)
IN_NUMBER(realtime_ns, clock_ns(CLOCK_REALTIME))
IN_NUMBER(monotonic_ns, clock_ns(CLOCK_MONOTONIC))
IN_NUMBER(cycles, cycles())
IN_NUMBER(speculation, in->env.store->new_id(in->env.store_arg))
IN_NUMBER(strlen, r[c->a].s->len)
IN_NUMBER(isinstr, strstr(r[c->a].s->s, r[c->b].s->s) != NULL)
IN_NUMBER(strpos, text_strpos(r[c->a].s->s, r[c->b].s->s))
IN_NUMBER(stringat, (uint64_t)r[c->b].i < r[c->a].s->len
			    ? (unsigned char)r[c->a].s->s[r[c->b].i]
			    : 0)
IN_NUMBER(strtol, ir_strtol(r[c->a].s->s, r[c->b].i))

static int result(struct interp *in, union slot *r, const struct code *c, const char *s, size_t n)
{
	struct istr *out = interp_result(r, c);

	istr_set(in, out, s, n);
	r[c->d].s = out;
	return 0;
}

IN(execname)
{
	char name[17] = "";

	prctl(PR_GET_NAME, name);
	return result(in, r, c, name, strlen(name));
}

IN(pp)
{
	const char *name = in->m->probes.v[in->probe]->name;

	return result(in, r, c, name, strlen(name));
}

IN(ppfunc)
{
	const char *name = in->m->probes.v[in->probe]->symbol;

	return result(in, r, c, name ? name : "", name ? strlen(name) : 0);
}

IN(probefunc)
{
	return in_ppfunc(in, r, c);
}

/* Handlers here interrupt nothing. */
IN_NUMBER(addr, 0)
IN_NUMBER(uaddr, 0)
IN_NUMBER(user_mode, 0)
IN_NUMBER(kstack_at, 0)
IN_NUMBER(ustack_at, 0)

IN(kstack_text)
{
	return result(in, r, c, "", 0);
}

IN(ustack_text)
{
	return result(in, r, c, "", 0);
}

IN(exit)
{
	(void)r;
	(void)c;
	in->exit = true;
	return 0;
}

IN_NUMBER(ngroups, in->match.ngroups)

IN(matched)
{
	uint64_t n = (uint64_t)r[c->a].i;
	uint32_t from, to;

	if (n >= in->match.ngroups)
		return result(in, r, c, "", 0);
	from = in->match.pos[2 * n];
	to = in->match.pos[2 * n + 1];
	if (from == REGEX_NOWHERE || to == REGEX_NOWHERE)
		from = to = 0;
	return result(in, r, c, in->match.subject->s + from, to - from);
}

IN(substr)
{
	const struct istr *s = r[c->a].s;
	int64_t from = r[c->b].i, n = r[c->args[2]].i;

	ir_substr_range(s->len, &from, &n);
	return result(in, r, c, s->s + from, (size_t)n);
}

IN(str_replace)
{
	size_t n = text_replace(in->tmp->s, in->maxlen, r[c->a].s->s, r[c->b].s->s,
				r[c->args[2]].s->s);

	return result(in, r, c, in->tmp->s, n);
}

IN(text_strn)
{
	int64_t most = r[c->b].i;
	size_t n = text_escape(in->tmp->s, most <= 0 || most > in->maxlen ? in->maxlen : (size_t)most,
			       r[c->a].s->s, r[c->a].s->len, r[c->args[2]].i != 0);

	return result(in, r, c, in->tmp->s, n);
}

IN(tokenize)
{
	const char *token;
	size_t n;

	if (r[c->a].s->len) {
		istr_set(in, in->token, r[c->a].s->s, r[c->a].s->len);
		in->token_at = 0;
	}
	token = text_token(in->token->s, &in->token_at, r[c->b].s->s, &n);
	return result(in, r, c, token, n);
}

const interp_fn interp_intrinsic_fn[IN_COUNT] = {
#define INTRINSIC(name, result, operands, flags, k, b, u) [IN_##name] = in_##name,
#include "intrinsics.def"
#undef INTRINSIC
};
