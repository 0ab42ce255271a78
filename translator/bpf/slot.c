/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the scratch slot is divided: the largest need of any handler for each purpose. */
#include "bpf/gen.h"

#include "base/record.h"

struct need {
	bool captures, tokens, backtraces;
	uint32_t homes, strs, windows, argstrs, key, rec, mem, frame, frames;
};

static uint32_t at_least(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void need_of_record(const struct unit *u, const struct ir_fmt *f, struct need *n)
{
	uint32_t size = sizeof(struct rec), star, count;

	for (uint32_t k = 0; k < f->args.n; k++) {
		if (ir_fmt_mem(f, k, &star, &count)) {
			count = star == IR_NONE ? count : FMT_MEM_MAX;
			n->mem = at_least(n->mem, count);
			size += REC_STR_BYTES(count);
		} else {
			size += f->args.v[k] == IR_STR ? REC_STR_BYTES(u->lay.strsz) : 8;
		}
	}
	n->rec = at_least(n->rec, size);
}

static bool looks_at_stack(uint32_t intrinsic)
{
	return intrinsic == IN_kstack_text || intrinsic == IN_ustack_text || intrinsic == IN_kstack_at ||
	       intrinsic == IN_ustack_at || intrinsic == IN_uaddr;
}

static void need_of_insn(const struct unit *u, const struct ir_insn *i, struct need *n)
{
	uint32_t strs = 0;

	if (i->op == IR_call) {
		for (uint32_t k = 0; k < i->nargs; k++)
			strs += u->m->funcs.v[i->ref]->regs.v[k] == IR_STR;
		n->argstrs = at_least(n->argstrs, strs);
	}
	n->tokens |= i->op == IR_intr && i->ref == IN_tokenize;
	n->captures |= i->op == IR_capture ||
		       (i->op == IR_intr && (i->ref == IN_ngroups || i->ref == IN_matched));
	if (i->op == IR_send) {
		uint32_t size = sizeof(struct rec);

		for (const char *t = ir_send_operands[i->imm]; *t; t++)
			size += *t == 's' ? REC_STR_BYTES(u->lay.strsz) : 8;
		n->rec = at_least(n->rec, size);
	}
	if (i->op == IR_stack) {
		uint32_t ustack = REC_USTACK_AT + (uint32_t)u->m->limits.maxustack;
		uint32_t kstack = sizeof(struct rec) + 24 + 8 * (uint32_t)u->m->limits.maxbacktrace;

		n->rec = at_least(n->rec, i->imm & IRK_USER ? ustack + 64 : kstack);
	}
	n->backtraces |= i->op == IR_stack || (i->op == IR_intr && looks_at_stack(i->ref));
	if (i->op == IR_emit || i->op == IR_emitmem)
		need_of_record(u, u->m->fmts.v[i->ref], n);
	else if (i->op == IR_hemit)
		n->rec = at_least(n->rec, REC_HIST_BYTES(u->m->globals.v[i->ref]->hist.buckets));
}

/*
 * Room for foreach: one region holds the largest array, a handler needs one for each of its
 * iterators.
 */
static void need_of_iterators(struct unit *u, const struct handler *h)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < h->fns.n; k++) {
		const struct ir_func *f = h->fns.v[k]->f;

		for (uint32_t i = 0; i < f->iters.n; i++)
			u->iter_max = at_least(u->iter_max,
					       u->m->globals.v[f->iters.v[i].global]->max_entries);
		/* a recursive function may have one open at every level */
		n += f->iters.n * (f->recursive ? (uint32_t)u->m->limits.maxnesting : 1);
	}
	u->iter_regions = at_least(u->iter_regions, n < BPF_REGIONS_MAX ? n : BPF_REGIONS_MAX);
}

static void need_of_function(const struct unit *u, struct fngen *fg, struct need *n)
{
	for (uint32_t k = 0; k < fg->norder; k++) {
		const struct ir_block *b = fg->f->blocks.v[fg->order[k]];

		for (uint32_t j = 0; j < b->insns.n; j++)
			need_of_insn(u, &b->insns.v[j], n);
	}
	if (fg->f->is_handler) {
		n->homes = at_least(n->homes, fg->nhomes);
		n->strs = at_least(n->strs, fg->nstrs);
		return;
	}
	fg->win_size = 8 * fg->nhomes + fg->nstrs * u->lay.strsz;
	n->frame = at_least(n->frame, fg->win_size + 16);
}

/* Calls that may be open at once: each function once, and as many more as MAXNESTING lets recurse. */
static void need_of_handler(const struct unit *u, const struct handler *h, struct need *n)
{
	uint32_t frames = h->fns.n;
	bool recurses = false;

	for (uint32_t k = 0; k < h->fns.n; k++) {
		need_of_function(u, h->fns.v[k], n);
		recurses |= h->fns.v[k]->f->recursive;
	}
	if (recurses)
		frames += (uint32_t)u->m->limits.maxnesting;
	n->frames = at_least(n->frames, frames);
}

/*
 * Called functions' homes lie in windows of their own, behind the handlers'; handlers share
 * theirs.
 */
static uint32_t place_windows(struct unit *u, uint32_t at)
{
	uint32_t end = at;

	for (uint32_t h = 0; h < u->handlers.n; h++) {
		uint32_t pos = at;

		for (uint32_t k = 0; k < u->handlers.v[h]->fns.n; k++) {
			struct fngen *fg = u->handlers.v[h]->fns.v[k];

			if (fg->f->is_handler) {
				fg->home_base = u->slot.homes;
				fg->str_base = u->slot.strs;
				continue;
			}
			fg->home_base = pos;
			fg->str_base = pos + 8 * fg->nhomes;
			pos += fg->win_size;
		}
		end = at_least(end, pos);
	}
	return end;
}

static uint32_t take(uint32_t *at, uint32_t size)
{
	uint32_t off = *at;

	*at += (size + 7) & ~7u;
	return off;
}

void slot_plan(struct unit *u)
{
	struct need n = { .rec = sizeof(struct rec) + 32 + 4 * REC_FRAMES + REC_STR_BYTES(u->lay.strsz) };
	struct slot_layout *s = &u->slot;
	uint32_t at = SH_SIZE, strsz = u->lay.strsz;

	for (uint32_t h = 0; h < u->handlers.n; h++)
		need_of_iterators(u, u->handlers.v[h]);
	for (uint32_t h = 0; h < u->handlers.n; h++)
		need_of_handler(u, u->handlers.v[h], &n);
	for (uint32_t g = 0; g < u->m->globals.n; g++)
		n.key = at_least(n.key, u->lay.g[g].key_size);
	s->tokens = n.tokens;
	s->delims = take(&at, n.tokens ? 32 : 0);
	s->backtraces = n.backtraces;
	s->bt = take(&at, n.backtraces ? 8 + 8 * (uint32_t)u->m->limits.maxbacktrace : 0);
	s->bt_regs = take(&at, n.backtraces ? 8 * REC_REGS : 0);
	s->captures = n.captures;
	s->match = take(&at, n.captures ? SM_SIZE : 0);
	s->homes = take(&at, 8 * n.homes);
	s->rec_max = n.rec;
	s->mem_max = n.mem;
	/* memory may be put at any place that the verifier thinks possible */
	s->rec = take(&at, n.rec + at_least(strsz, n.mem) + 24);
	s->key = take(&at, n.key);
	s->key2 = take(&at, n.key);
	s->val = take(&at, BPF_ELEM_HEAD + strsz);
	s->strs = take(&at, n.strs * strsz);
	s->stmp = take(&at, NSTMP * at_least(strsz, 72));
	s->errtext = take(&at, strsz);
	s->retstr = take(&at, strsz);
	s->argstr = take(&at, n.argstrs * strsz);
	s->fmt = take(&at, strsz + 8);
	s->token = take(&at, n.tokens ? strsz : 0);
	s->match_str = take(&at, n.captures ? strsz : 0);
	s->match_log = take(&at, n.captures ? 2 * strsz + 16 : 0);
	s->windows = at;
	at = place_windows(u, at);
	s->frame_max = n.frame;
	s->stack_size = n.frame * n.frames;
	s->stack = take(&at, s->stack_size);
	s->off_max = at;
	/* the verifier adds the largest length to the largest offset, though they never meet */
	s->size = at + 3 * strsz + 64;
}
