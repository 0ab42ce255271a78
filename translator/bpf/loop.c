/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops of any length. The verifier walks a loop with a fixed bound step by step, but a call of a
 * global function is one instruction to it, whatever that function does. So a loop is a small global
 * function that calls another one, up to a few thousand times: beyond that two such functions, one in
 * the other. It works from the first kernel with global functions on (5.6), where bpf_loop came with
 * 5.17.
 */
#include "bpf/gen.h"

#define ONE_LEVEL 1000u
/* Each step leaves a branch to be looked at later, of which the verifier keeps 8,192. */
#define STEPS_MAX 7500u

static uint32_t driver(struct unit *u, uint32_t step, uint32_t n)
{
	const struct bpf_fn *s = u->fns.v[step];
	uint32_t fn = unit_fn(u, arena_printf(u->arena, "loop_%s", s->name), FN_GLOBAL, NULL,
			      s->nargs);
	struct bpf_asm *as = &u->fns.v[fn]->as;
	uint32_t loop = ba_label(as), end = ba_label(as);

	u->fns.v[fn]->ctx = u->fns.v[step]->ctx;
	for (uint32_t k = 0; k < s->nargs; k++)
		ba_mov(as, R6 + (int)k, R1 + (int)k);
	ba_movi(as, R9, n);
	ba_place(as, loop);
	for (uint32_t k = 0; k < s->nargs; k++)
		ba_mov(as, R1 + (int)k, R6 + (int)k);
	ba_call_fn(as, step);
	ba_ji(as, BPF_JNE, R0, 0, end);
	ba_alui(as, BPF_SUB, R9, 1);
	ba_ji(as, BPF_JNE, R9, 0, loop);
	ba_movi(as, R0, 0);
	ba_place(as, end);
	ba_exit(as);
	return fn;
}

uint32_t rt_loop_part(struct unit *u, uint32_t step, uint64_t n, uint32_t *times)
{
	uint64_t root = 1;

	while (root < STEPS_MAX && root * root < n)
		root++;
	*times = (uint32_t)root;
	return driver(u, step, (uint32_t)root);
}

uint32_t rt_loop(struct unit *u, uint32_t step, uint64_t n)
{
	uint32_t times, part;

	if (n <= ONE_LEVEL)
		return driver(u, step, n ? (uint32_t)n : 1);
	part = rt_loop_part(u, step, n, &times);
	return driver(u, part, times);
}
