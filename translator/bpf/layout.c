/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bpf/layout.h"

#include <ctype.h>
#include <string.h>

/* A C identifier that no other global has: private globals of two files may look alike. */
static const char *plain_name(struct arena *a, const struct ir_module *m,
			      const struct bpf_layout *l, uint32_t g)
{
	char *s = arena_strdup(a, m->globals.v[g]->name);

	for (char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	if (isdigit((unsigned char)*s) || !*s)
		s = arena_printf(a, "g_%s", s);
	for (uint32_t i = 0; i < g; i++)
		if (!strcmp(l->g[i].name, s))
			return arena_printf(a, "%s_%u", s, g);
	return strncmp(s, "spile_", 6) ? s : arena_printf(a, "g_%s", s);
}

static uint32_t size_of(const struct bpf_layout *l, enum ir_type t)
{
	return t == IR_STR ? l->strsz : 8;
}

static void stat_layout(const struct ir_global *src, struct bpf_global *g)
{
	uint32_t size;

	g->part_size = 8 * ir_stat_words(src);
	g->hist_off = BPF_LEVELS * g->part_size;
	size = g->hist_off + 8 * src->hist.buckets;
	g->cpu_size = (size + BPF_STAT_LINE - 1) / BPF_STAT_LINE * BPF_STAT_LINE;
}

void bpf_layout(struct arena *a, const struct ir_module *m, struct bpf_layout *out)
{
	uint32_t end = BD_GLOBALS, stage = 0;

	out->strsz = ((uint32_t)m->limits.maxstringlen + 7) & ~7u;
	out->g = arena_alloc(a, sizeof(*out->g) * (m->globals.n + 1));
	for (uint32_t i = 0; i < m->globals.n; i++) {
		const struct ir_global *src = m->globals.v[i];
		struct bpf_global *g = &out->g[i];

		g->name = plain_name(a, m, out, i);
		g->lock = end;
		end += 8;
		if (!src->nkeys && !src->is_stat) {
			g->off = end;
			end += size_of(out, src->type);
			continue;
		}
		g->map = g->name;
		for (uint32_t k = 0; k < src->nkeys; k++) {
			g->key_off[k] = g->key_size;
			g->key_size += size_of(out, src->keys[k]);
		}
		if (!src->nkeys)
			g->key_size = 4;
		if (!src->is_stat)
			g->value_size = BPF_ELEM_HEAD + size_of(out, src->type);
		else
			stat_layout(src, g);
		if (src->is_stat && g->key_size > stage)
			stage = g->key_size;
	}
	out->syms = RD_ZERO + out->strsz;
	out->stage = end;
	out->data_size = end + ((stage + 7) & ~7u);
}

/* Kinds whose attachments can carry a cookie on all kernels that have any, from 1. */
static const uint8_t cookie_kind[AT_COUNT] = {
	[AT_KPROBE] = 1,
	[AT_KRETPROBE] = 2,
	[AT_UPROBE] = 3,
	[AT_URETPROBE] = 4,
};
#define COOKIE_KINDS 5

static bool same_filter(const struct ir_probe *a, const struct ir_probe *b)
{
	return a->pid == b->pid && !a->exe == !b->exe && (!a->exe || !strcmp(a->exe, b->exe));
}

struct bpf_group *bpf_groups(struct arena *a, const struct ir_module *m, uint32_t *ntails)
{
	struct bpf_group *g = arena_alloc(a, sizeof(*g) * (m->probes.n + 1));
	/* by handler, kind, and what a program takes for granted: the leader's number + 1 */
	uint32_t *first = arena_alloc(a, sizeof(*first) * (m->funcs.n + 1) * COOKIE_KINDS * 8);

	*ntails = 0;
	for (uint32_t p = 0; p < m->probes.n; p++) {
		const struct ir_probe *pr = m->probes.v[p];
		uint32_t kind = cookie_kind[pr->kind];
		uint32_t granted = pr->filter_target | pr->at_entry << 1 | (pr->symbol != NULL) << 2;
		uint32_t *slot = &first[(pr->handler * COOKIE_KINDS + kind) * 8 + granted];
		uint32_t leader = kind && *slot ? *slot - 1 : p;

		if (leader != p && !same_filter(m->probes.v[leader], pr))
			leader = p;
		g[p].leader = IR_NONE;
		if (pr->user_side || pr->kind == AT_NEVER)
			continue;
		*slot = leader + 1;
		g[p].leader = leader;
		g[p].nth = g[leader].size++;
		if (g[p].nth == 1)
			g[leader].tail = (*ntails)++;
	}
	for (uint32_t p = 0; p < m->probes.n; p++)
		if (g[p].leader != IR_NONE) {
			g[p].size = g[g[p].leader].size;
			g[p].tail = g[g[p].leader].tail;
		}
	return g;
}
