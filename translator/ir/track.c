/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes a script's probes ask about. */
#include "ir_int.h"

uint32_t ir_track_exe(const struct ir_track *t, const char *exe)
{
	for (uint32_t k = 0; k < t->nexe; k++)
		if (strcmp(t->exe[k], exe) == 0)
			return k;
	return IR_NONE;
}

static void probe_track(const struct ir_probe *p, struct ir_track *out)
{
	bool life = ir_attaches[p->kind].flags & ATF_PROC;

	if (p->kind == AT_NEVER)
		return;
	out->used |= p->filter_target || p->exe || life;
	out->always |= p->exe || life;
	out->all |= life && !p->exe;
	out->threads |= p->kind == AT_THREAD_BEGIN || p->kind == AT_THREAD_END;
	if (!p->exe || ir_track_exe(out, p->exe) != IR_NONE)
		return;
	if (out->nexe < TRACK_MAXEXE)
		out->exe[out->nexe++] = p->exe;
	else if (!out->over)
		out->over = p->exe;
}

static bool func_asks(const struct ir_func *f)
{
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++) {
			const struct ir_insn *i = &f->blocks.v[b]->insns.v[n];

			if (i->op == IR_intr && i->ref == IN_target_set)
				return true;
		}
	return false;
}

void ir_track(const struct ir_module *m, struct ir_track *out)
{
	*out = (struct ir_track){ 0 };
	for (uint32_t k = 0; k < m->probes.n; k++)
		probe_track(m->probes.v[k], out);
	for (uint32_t k = 0; k < m->funcs.n && !out->used; k++)
		out->used = func_asks(m->funcs.v[k]);
}
