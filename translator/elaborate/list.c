/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap -l and -L: what points match, and the variables that are to be had there. */
#include <stdlib.h>
#include <string.h>

#include "elaborate/internal.h"

struct listing {
	struct elab *e;
	struct buf line;
};

/* "struct file *" as "struct file*". */
static void put_type(struct buf *out, const char *type)
{
	for (; *type; type++)
		if (type[0] != ' ' || type[1] != '*')
			buf_putc(out, *type);
}

static void put_var(const struct probe_var *v, void *arg)
{
	struct listing *l = arg;

	if (v->kind == PV_STR || !strncmp(v->name, "$$", 2))
		return;
	buf_printf(&l->line, " %s:", v->name);
	put_type(&l->line, v->type_name ? v->type_name : "long");
}

/* What an alias sets for those who use it. */
static void put_locals(struct listing *l, const struct handler *h)
{
	for (uint32_t i = 0; i < h->locals.n; i++) {
		enum script_type t = type_final(h->locals.v[i]->sym.type);

		buf_printf(&l->line, " %s:%s", h->locals.v[i]->sym.name, t == T_STRING ? "string" : "long");
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *line_of(struct listing *l, const struct elab_probe *p, bool vars)
{
	const struct probe_family *f = p->site->family;
	const char *s;

	buf_init(&l->line);
	buf_puts(&l->line, p->alias ? p->alias : p->site->probe.name);
	if (vars && p->alias)
		put_locals(l, p->handler);
	if (vars && f->each_var)
		f->each_var(&l->e->env, p->site, put_var, l);
	s = arena_strndup(l->e->arena, l->line.p ? l->line.p : "", l->line.len);
	buf_fini(&l->line);
	return s;
}

bool elab_list(const struct elab_input *in, bool vars, struct buf *out)
{
	struct elab *e = elab_start(in);
	struct listing l = { .e = e };
	const char **lines;
	uint32_t n;

	if (e->diag->errors > e->errors_before)
		return false;
	for (uint32_t i = 0; vars && i < e->handlers.n; i++)
		infer_handler(e, e->handlers.v[i]);
	n = e->probes.n;
	lines = arena_alloc(e->arena, (n + 1) * sizeof(*lines));
	for (uint32_t i = 0; i < n; i++)
		lines[i] = line_of(&l, &e->probes.v[i], vars);
	qsort(lines, n, sizeof(*lines), by_text);
	for (uint32_t i = 0; i < n; i++)
		if (!i || strcmp(lines[i], lines[i - 1]) != 0)
			buf_printf(out, "%s\n", lines[i]);
	return n;
}
