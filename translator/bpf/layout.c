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
