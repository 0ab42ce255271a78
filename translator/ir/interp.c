/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-up of an interpreter, its frames, its records, and one run of a handler. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "interp_int.h"

static void *must_alloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p) {
		fputs("ERROR: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static struct istr *string_buffer(struct interp *in)
{
	return arena_alloc(&in->arena, in->stride);
}

static void match_buffers(struct interp *in)
{
	in->match.pos =
		arena_alloc(&in->arena, 2 * REGEX_MAXGROUPS * sizeof(*in->match.pos));
	in->match.log = arena_alloc(&in->arena, (in->maxlen + 1) * sizeof(*in->match.log));
	in->match.subject = string_buffer(in);
}

struct interp *interp_new(const struct ir_module *m, const struct interp_env *env)
{
	struct interp *in = must_alloc(NULL, sizeof(*in));

	*in = (struct interp){ .m = m, .env = *env };
	arena_init(&in->arena);
	buf_init(&in->rec);
	in->maxlen = (uint32_t)m->limits.maxstringlen - 1;
	in->stride = (sizeof(struct istr) + in->maxlen + 1 + 7) & ~(size_t)7;
	/* between two that count, every other function can be there once */
	in->maxdepth = (uint32_t)m->limits.maxnesting + m->funcs.n;
	in->frames = must_alloc(NULL, (in->maxdepth + 1) * sizeof(*in->frames));
	memset(in->frames, 0, (in->maxdepth + 1) * sizeof(*in->frames));
	in->err.text = string_buffer(in);
	in->tmp = string_buffer(in);
	in->token = string_buffer(in);
	for (uint32_t i = 0; i < m->regexes.n && !in->match.pos; i++)
		if (m->regexes.v[i].groups)
			match_buffers(in);
	if (!in->env.store) {
		in->local_store = ir_local_store_new(m);
		in->env.store = &ir_local_store;
		in->env.store_arg = in->local_store;
	}
	interp_exec(in, NULL);
	interp_decode(in);
	return in;
}

void interp_free(struct interp *in)
{
	if (!in)
		return;
	for (uint32_t i = 0; i <= in->maxdepth; i++) {
		free(in->frames[i].r);
		free(in->frames[i].strings);
		free(in->frames[i].iters);
	}
	free(in->frames);
	if (in->local_store)
		ir_local_store_free(in->local_store);
	buf_fini(&in->rec);
	arena_fini(&in->arena);
	free(in);
}

void interp_frame_setup(struct interp *in, const struct ifunc *f)
{
	struct frame *fr = &in->frames[in->depth];
	size_t bytes = f->nown * in->stride;

	if (fr->r_cap < f->nslots) {
		fr->r_cap = f->nslots;
		fr->r = must_alloc(fr->r, fr->r_cap * sizeof(*fr->r));
	}
	if (fr->strings_cap < bytes) {
		fr->strings_cap = bytes;
		free(fr->strings);
		fr->strings = must_alloc(NULL, bytes);
	}
	if (fr->iters_cap < f->f->iters.n) {
		fr->iters_cap = f->f->iters.n;
		fr->iters = must_alloc(fr->iters, fr->iters_cap * sizeof(*fr->iters));
	}
	if (f->f->iters.n)
		memset(fr->iters, 0, f->f->iters.n * sizeof(*fr->iters));
	if (f->nconsts)
		memcpy(fr->r + f->first_const, f->consts, f->nconsts * sizeof(*fr->r));
	for (uint32_t i = 0; i < f->nown; i++)
		fr->r[f->first_own + i].s = (struct istr *)(fr->strings + i * in->stride);
	fr->f = f;
}

void interp_frame_close(struct frame *fr)
{
	for (uint32_t i = 0; i < fr->f->f->iters.n; i++) {
		if (!fr->iters[i].open)
			continue;
		arena_fini(&fr->iters[i].arena);
		fr->iters[i].open = false;
	}
	fr->nopen = 0;
}

int interp_fail(struct interp *in, const struct code *c, enum ir_error kind, int64_t operand)
{
	in->err.kind = kind;
	in->err.operand = operand;
	in->err.loc = c->insn->loc;
	in->err.ncalls = 0;
	if (kind != ERR_USER)
		istr_set(in, in->err.text, "", 0);
	return 1;
}

void interp_record(struct interp *in, enum rec_type type, uint32_t id)
{
	struct rec r = { .type = (uint16_t)type, .id = id };

	buf_reset(&in->rec);
	buf_add(&in->rec, &r, sizeof(r));
}

void interp_record_int(struct interp *in, int64_t v)
{
	buf_add(&in->rec, &v, sizeof(v));
}

void interp_record_str(struct interp *in, const struct istr *s)
{
	static const char zeros[8];

	buf_add(&in->rec, &s->len, sizeof(s->len));
	buf_add(&in->rec, s->s, s->len);
	buf_add(&in->rec, zeros, REC_STR_BYTES(s->len) - 4 - s->len);
}

void interp_record_send(struct interp *in)
{
	struct rec *r = (struct rec *)in->rec.p;
	struct timespec now;
	int cpu = sched_getcpu();

	clock_gettime(CLOCK_MONOTONIC, &now);
	r->size = (uint32_t)in->rec.len;
	r->cpu = (uint16_t)(cpu < 0 ? 0 : cpu);
	r->time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	in->env.record(in->env.record_arg, r);
}

static void report_error(struct interp *in)
{
	interp_record(in, REC_ERROR, in->err.kind);
	interp_record_int(in, in->err.operand);
	interp_record_int(in, in->err.loc);
	interp_record_int(in, in->probe);
	interp_record_int(in, in->err.ncalls);
	buf_add(&in->rec, in->err.calls, sizeof(in->err.calls));
	interp_record_str(in, in->err.text);
	interp_record_send(in);
}

int interp_run(struct interp *in, uint32_t probe, int64_t limit)
{
	const struct ir_probe *p = in->m->probes.v[probe];
	const struct ifunc *f = &in->funcs[p->handler];
	int failed;

	in->probe = probe;
	in->limit = limit;
	in->depth = in->nesting = 0;
	in->exit = false;
	in->err.kind = ERR_NONE;
	istr_set(in, in->token, "", 0);
	in->token_at = 0;
	in->match.ngroups = 0;
	if (in->env.store->lock)
		in->env.store->lock(in->env.store_arg, p);
	if (in->frames[0].f != f)
		interp_frame_setup(in, f);
	failed = interp_exec(in, f->code);
	if (in->frames[0].nopen)
		interp_frame_close(&in->frames[0]);
	if (in->env.store->unlock)
		in->env.store->unlock(in->env.store_arg, p);
	if (failed && !in->m->limits.suppress_errors)
		report_error(in);
	if (in->exit) {
		interp_record(in, REC_EXIT, 0);
		interp_record_send(in);
	}
	return failed;
}
