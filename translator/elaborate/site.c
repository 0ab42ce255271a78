/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sites at one place must agree in. The kernel keeps one semaphore for each instruction, and refuses a second probe there that
 * does not name it. A function may begin with a mark, so that a probe of either is at the same instruction.
 */
#include <string.h>

#include "elaborate/internal.h"

static bool same_place(const struct ir_probe *a, const struct ir_probe *b)
{
	return (b->kind == AT_UPROBE || b->kind == AT_URETPROBE) && a->offset == b->offset && !strcmp(a->target, b->target);
}

void site_share_semaphores(struct elab *e)
{
	for (uint32_t i = 0; i < e->probes.n; i++) {
		const struct ir_probe *from = &e->probes.v[i].site->probe;

		for (uint32_t k = 0; from->semaphore && k < e->probes.n; k++) {
			struct ir_probe *to = &e->probes.v[k].site->probe;

			if (!to->semaphore && same_place(from, to))
				to->semaphore = from->semaphore;
		}
	}
}
