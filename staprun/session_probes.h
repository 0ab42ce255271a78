/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SPILE_STAPRUN_SESSION_PROBES_H
#define SPILE_STAPRUN_SESSION_PROBES_H

#include "ir/ir.h"

/*
 * The user-side probes of a kind (begin, end, error) in the order they run: by sequence number,
 * then as written.
 */
uint32_t *session_probes(const struct ir_module *m, enum ir_attach kind, struct arena *a,
			 uint32_t *n);

#endif
