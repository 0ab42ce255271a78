/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes that do nothing. What a handler does is known best when its IR has been simplified: one
 * that only ends need not be attached. A handler that may fail or run too long does something.
 */
#include "elaborate/internal.h"

static bool does_nothing(const struct ir_func *f)
{
	return f->blocks.n == 1 && f->blocks.v[0]->insns.n == 1 &&
	       f->blocks.v[0]->insns.v[0].op == IR_done;
}

static void warn_empty(struct elab *e, const struct elab_probe *p)
{
	const struct source *src = p->handler->origin->at.src;

	if (src && !src->library)
		diag_warning(e->diag, TAG_EMPTY, p->handler->origin->at,
			     "probe %s does nothing and is left out", p->site->probe.name);
}

int elab_drop_empty(struct elab *e, struct ir_module *m)
{
	uint32_t kept = 0, own = 0;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (m->probes.v[i]->kind != AT_NEVER &&
		    does_nothing(m->funcs.v[m->probes.v[i]->handler])) {
			warn_empty(e, &e->probes.v[i]);
			continue;
		}
		own += !e->probes.v[i].handler->synthetic;
		e->probes.v[kept] = e->probes.v[i];
		m->probes.v[kept++] = m->probes.v[i];
	}
	e->probes.n = m->probes.n = kept;
	if (own)
		return 0;
	diag_error(e->diag, TAG_EMPTY_SCRIPT, SPAN_NONE,
		   "no probes: no handler does anything");
	diag_hint(e->diag, "print something, change a global variable, or call exit()");
	return -1;
}
