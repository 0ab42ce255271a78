/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which globals a handler locks for its whole run.
 *
 * - `<<<` locks nothing: statistics accumulate per CPU. Reading them takes a read lock, but only
 *   where some handler
 *   deletes from them, which takes a write lock.
 * - begin probes run before anything else is armed, end and error probes after everything is
 *   disarmed. So a global
 *   that only those write is constant while others run, and nobody locks it.
 */
#include "cfg.h"

enum { TOUCH_READ = 1, TOUCH_WRITE = 2 };

/* What one operation asks for of its global. */
static unsigned int touch(const struct ir_global *g, const struct ir_insn *i)
{
	unsigned int flags = ir_ops[i->op].flags;

	if (g->is_stat && i->op == IR_sadd)
		return 0;
	return (flags & IRF_READ ? TOUCH_READ : 0) | (flags & IRF_WRITE ? TOUCH_WRITE : 0);
}

static void touch_embed(const struct ir_embed *x, uint8_t *touched)
{
	const char *at = x->globals;
	uint32_t global;
	bool write;

	while (ir_embed_global(&at, &global, &write))
		touched[global] |= write ? TOUCH_WRITE : TOUCH_READ;
}

static void touch_func(const struct ir_module *m, const struct ir_func *f, uint8_t *touched)
{
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = f->blocks.v[b];

		for (uint32_t n = 0; n < blk->insns.n; n++) {
			const struct ir_insn *i = &blk->insns.v[n];
			const struct ir_global *g = ir_insn_global(m, f, i);

			if (i->op == IR_embed)
				touch_embed(&m->embeds.v[i->ref], touched);
			if (g)
				touched[ir_ops[i->op].ref == IRR_ITER ? f->iters.v[i->ref].global
								      : i->ref] |= touch(g, i);
		}
	}
}

static uint8_t *touch_probe(struct arena *a, const struct ir_module *m, const struct ir_probe *p)
{
	uint8_t *touched = arena_alloc(a, m->globals.n + 1);
	struct ir_uses uses;

	if (p->kind == AT_NEVER)
		return touched;
	ir_uses(a, m, p->handler, &uses);
	for (uint32_t f = 0; f < m->funcs.n; f++)
		if (uses.funcs[f])
			touch_func(m, m->funcs.v[f], touched);
	return touched;
}

void ir_locks(struct ir_module *m)
{
	struct arena a;
	uint8_t **touched, *contended;

	arena_init(&a);
	touched = arena_alloc(&a, (m->probes.n + 1) * sizeof(*touched));
	contended = arena_alloc(&a, m->globals.n + 1);
	for (uint32_t i = 0; i < m->probes.n; i++) {
		touched[i] = touch_probe(&a, m, m->probes.v[i]);
		for (uint32_t g = 0; g < m->globals.n; g++)
			contended[g] |= !(ir_attaches[m->probes.v[i]->kind].flags & ATF_SESSION) &&
					(touched[i][g] & TOUCH_WRITE);
	}
	for (uint32_t i = 0; i < m->probes.n; i++) {
		struct ir_probe *p = m->probes.v[i];

		p->locks.n = 0;
		for (uint32_t g = 0; g < m->globals.n; g++)
			if (contended[g] && touched[i][g])
				vec_push(
					m->arena, &p->locks,
					((struct ir_lock){ .global = g,
							   .write = touched[i][g] & TOUCH_WRITE }));
	}
	arena_fini(&a);
}
