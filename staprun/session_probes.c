/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/session_probes.h"

#include <string.h>

uint32_t *session_probes(const struct ir_module *m, enum ir_attach kind, struct arena *a,
			 uint32_t *n)
{
	uint32_t *v = arena_alloc(a, sizeof(*v) * (m->probes.n + 1));

	*n = 0;
	for (uint32_t i = 0; i < m->probes.n; i++) {
		const struct ir_probe *p = m->probes.v[i];
		uint32_t at = *n;

		if (p->kind != kind || !p->user_side)
			continue;
		while (at && m->probes.v[v[at - 1]]->seq > p->seq)
			at--;
		memmove(v + at + 1, v + at, (*n - at) * sizeof(*v));
		v[at] = i;
		++*n;
	}
	return v;
}
