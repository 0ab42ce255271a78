/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between verify.c (tables, instructions) and verify_flow.c (registers along paths). */
#ifndef SPILE_IR_VERIFY_INT_H
#define SPILE_IR_VERIFY_INT_H

#include "ir_int.h"

struct verifier {
	const struct ir_module *m;
	const struct ir_func *f; /* NULL outside functions */
	uint32_t block, insn; /* IR_NONE: not in one */
	const char *msg; /* the first complaint */
};

/* Records the first complaint with its place; always false. */
bool verify_fail(struct verifier *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Every register is assigned on all paths to where it is read. The instructions have been checked.
 */
bool verify_flow(struct verifier *v);

#endif
