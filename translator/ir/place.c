/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which side runs each probe. A backend's mask with SIDE_U runs in staprun's interpreter whatever
 * can run there; the other side takes the rest.
 */
#include "cfg.h"

static const char *side_name(unsigned int side)
{
	return side == SIDE_K   ? "the kernel module"
	       : side == SIDE_B ? "an eBPF program"
				: "the user runtime";
}

static const char *other_runtimes(unsigned int sides)
{
	switch (sides & (SIDE_K | SIDE_B)) {
	case SIDE_K | SIDE_B:
		return "; use --runtime=kernel or --bpf";
	case SIDE_K:
		return "; use --runtime=kernel";
	case SIDE_B:
		return "; use --bpf";
	default:
		return "";
	}
}

/* A text that is not just printed. */
static const char *no_name(struct ir_module *m, const struct ir_probe *p, enum ir_name_row n, unsigned int side)
{
	const char *other = other_runtimes(ir_names[n].sides & ir_attaches[p->kind].sides);

	return arena_printf(m->arena,
			    "%s cannot make the text of %s, which probe %s keeps, compares or takes apart: only "
			    "staprun knows it, when it prints; keep the address%s%s",
			    side_name(side), ir_names[n].name, p->name,
			    ir_names[n].operand == 's' ? "es, and print the text where they are at hand" :
							 ", and print its name",
			    other);
}

/* Why the code of @p cannot run on @side, or NULL. */
static const char *cannot_run(struct arena *tmp, struct ir_module *m, const struct ir_probe *p,
			      unsigned int side)
{
	struct ir_uses uses;

	ir_uses(tmp, m, p->handler, &uses);
	for (unsigned int i = 0; i < IN_COUNT; i++)
		if (uses.intrinsics[i] && !(ir_intrinsics[i].sides & side))
			return arena_printf(m->arena, "%s has no %s, which probe %s uses%s",
					    side_name(side), ir_intrinsics[i].name, p->name,
					    other_runtimes(ir_intrinsics[i].sides &
							   ir_attaches[p->kind].sides));
	if (uses.embeds && side != SIDE_K)
		return arena_printf(m->arena, "%s cannot run embedded C, which probe %s uses%s",
				    side_name(side), p->name, other_runtimes(SIDE_K));
	for (unsigned int i = 0; i < NM_COUNT; i++)
		if (uses.names[i] && !(ir_names[i].sides & side))
			return no_name(m, p, (enum ir_name_row)i, side);
	if (side != SIDE_K && (uses.writes_kernel || uses.sets_registers))
		return arena_printf(m->arena, "%s cannot change %s, as probe %s does%s", side_name(side),
				    uses.writes_kernel ? "the kernel's memory" : "registers", p->name,
				    other_runtimes(SIDE_K & ir_attaches[p->kind].sides));
	if (side == SIDE_U && uses.writes_user)
		return arena_printf(m->arena, "probe %s changes memory by address, which user space cannot%s",
				    p->name, other_runtimes(ir_attaches[p->kind].sides));
	if (side == SIDE_U && uses.loads)
		return arena_printf(m->arena,
				    "probe %s reads memory by address, which user space cannot%s",
				    p->name, other_runtimes(ir_attaches[p->kind].sides));
	if (side == SIDE_B && uses.hist_text)
		return arena_printf(m->arena,
				    "an eBPF program cannot make the text of a histogram, which probe %s "
				    "wants as a string; print it, or use --runtime=kernel",
				    p->name);
	return NULL;
}

static const char *place_probe(struct arena *tmp, struct ir_module *m, struct ir_probe *p,
			       unsigned int sides)
{
	unsigned int can = ir_attaches[p->kind].sides & sides;

	p->user_side = false;
	if (!can)
		return arena_printf(
			m->arena, "%s has no %s probes%s",
			side_name(sides & (SIDE_K | SIDE_B) ? sides & (SIDE_K | SIDE_B) : SIDE_U),
			ir_attaches[p->kind].name, other_runtimes(ir_attaches[p->kind].sides));
	/* A kind that both sides know runs where the events are. */
	if (can != SIDE_U)
		can &= SIDE_K | SIDE_B;
	p->user_side = can == SIDE_U;
	if (p->kind == AT_NEVER)
		return NULL;
	return cannot_run(tmp, m, p, can);
}

/* More files than the table of processes has room for. */
static const char *too_many_files(struct ir_module *m, uint32_t *probe)
{
	struct ir_track t;

	ir_track(m, &t);
	for (uint32_t i = 0; i < m->probes.n && t.over; i++)
		if (m->probes.v[i]->exe == t.over) {
			*probe = i;
			return arena_printf(m->arena,
					    "process probes for more than %d programs in one script: %s is one too many",
					    TRACK_MAXEXE, t.over);
		}
	return NULL;
}

const char *ir_place(struct ir_module *m, unsigned int sides, uint32_t *probe)
{
	const char *msg = NULL;
	struct arena tmp;

	arena_init(&tmp);
	for (uint32_t i = 0; i < m->probes.n && !msg; i++) {
		msg = place_probe(&tmp, m, m->probes.v[i], sides);
		if (msg)
			*probe = i;
	}
	arena_fini(&tmp);
	return msg ? msg : too_many_files(m, probe);
}
