/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The result of pass 2 as text: -p2. */
#include "elaborate/internal.h"

static void print_global(struct buf *out, const struct global *g)
{
	buf_printf(out, "%s%s", g->sym.name, g->ast->wrap ? "%" : "");
	if (g->ast->size)
		buf_printf(out, "[%lld]", (long long)g->ast->size);
	buf_printf(out, ":%s", script_type_text(type_final(g->sym.type)));
	for (int k = 0; k < g->nkeys; k++)
		buf_printf(out, "%s%s%s", k ? ", " : " [", script_type_text(type_final(g->keys[k])),
			   k + 1 == g->nkeys ? "]" : "");
	if (g->init && g->init->kind == E_STRING) {
		buf_puts(out, " = \"");
		buf_put_escaped(out, g->init->str, g->init->str_len);
		buf_putc(out, '"');
	} else if (g->init) {
		buf_printf(out, " = %lld", (long long)g->init->num);
	}
	buf_putc(out, '\n');
}

static void print_globals(struct buf *out, const struct elab *e)
{
	bool any = false;

	for (uint32_t i = 0; i < e->globals.n; i++) {
		if (!e->globals.v[i]->used)
			continue;
		if (!any)
			buf_puts(out, "# globals\n");
		any = true;
		print_global(out, e->globals.v[i]);
	}
}

static void print_locals(struct buf *out, const local_vec *locals)
{
	bool any = false;

	for (uint32_t i = 0; i < locals->n; i++) {
		const struct local *l = locals->v[i];

		if (l->is_param)
			continue;
		if (!any)
			buf_puts(out, "  # locals\n");
		any = true;
		buf_printf(out, "  %s:%s\n", l->sym.name,
			   script_type_text(type_final(l->sym.type)));
	}
}

static void print_functions(struct buf *out, const struct elab *e)
{
	bool any = false;

	for (uint32_t i = 0; i < e->functions.n; i++) {
		const struct function *fn = e->functions.v[i];

		if (!fn->reachable)
			continue;
		if (!any)
			buf_puts(out, "# functions\n");
		any = true;
		buf_printf(out, "%s:%s (", fn->name,
			   script_type_text(type_of(fn->ret) == T_VOID ? T_UNKNOWN
								       : type_final(fn->ret)));
		for (uint32_t p = 0; p < fn->ast->params.n; p++)
			buf_printf(out, "%s%s:%s", p ? ", " : "", fn->locals.v[p]->sym.name,
				   script_type_text(type_final(fn->locals.v[p]->sym.type)));
		buf_puts(out, ")\n");
		print_locals(out, &fn->locals);
	}
}

void elab_print(struct buf *out, const struct elab *e)
{
	print_globals(out, e);
	print_functions(out, e);
	buf_puts(out, "# probes\n");
	for (uint32_t i = 0; i < e->probes.n; i++) {
		const struct elab_probe *p = &e->probes.v[i];

		buf_printf(out, "%s /* <- %s */\n", p->site->probe.name, p->chain);
		print_locals(out, &p->handler->locals);
	}
}
