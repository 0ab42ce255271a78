/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control flow and liveness, for the passes of ir/. */
#ifndef SPILE_IR_CFG_H
#define SPILE_IR_CFG_H

#include "ir_int.h"

/*
 * The blocks an instruction may continue at other than the next instruction: @k 0 its error block,
 * 1 and 2 successors.
 */
#define IR_EDGES 3
static inline uint32_t ir_edge(const struct ir_insn *i, unsigned int k)
{
	return k ? i->succ[k - 1] : i->err;
}

/* Blocks that can be reached, each after what it leads to (but for back edges). */
struct ir_order {
	uint32_t *v, n;
	bool loops; /* some back edge */
};
void ir_postorder(struct arena *a, const struct ir_func *f, struct ir_order *out);

/*
 * Threads jumps, joins straight lines, cuts what follows a raise, drops and renumbers blocks. True
 * when it changed any.
 */
bool ir_cfg_clean(struct ir_module *m, struct ir_func *f);

/* Takes @live from after an instruction to before it. */
void ir_live_before(const struct ir_liveness *lv, const struct ir_insn *i, uint64_t *live);
/* Live after the last instruction of a block, without its own edges: nothing. */
static inline void ir_live_clear(const struct ir_liveness *lv, uint64_t *live)
{
	memset(live, 0, lv->words * sizeof(*live));
}

/*
 * Functions that may run themselves again: a byte each, and an order in which callees come first.
 */
void ir_call_graph(struct arena *a, const struct ir_module *m, uint8_t **recursive,
		   uint32_t **order);

#endif
