/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * @entry(expression) in a .return probe: a probe at the function's entry, made here, keeps the value in
 * an array until the function returns.
 *
 * The key is the thread and the place of the return address on its stack. Nested and recursive calls
 * have places of their own, and a return that was not seen (no kretprobe instance left, a handler
 * skipped) leaves an element that harms no other call: the next one at this place overwrites it, and
 * the array drops its oldest element when it is full. A counter of the depth would be off for ever
 * after such a miss.
 */
#include <string.h>

#include "elaborate/internal.h"

/* Where the function returns from, to where it was entered. False: @site is no return probe. */
static bool entry_site(struct elab *e, const struct probe_site *site, struct probe_site *out)
{
	return site && probe_entry_site(&e->env, site, out);
}

static const char *expr_text(struct elab *e, const struct expr *x)
{
	struct buf b;
	const char *s;

	buf_init(&b);
	ast_print_expr(&b, x);
	s = arena_strndup(e->arena, b.p ? b.p : "", b.len);
	buf_fini(&b);
	return s;
}

static struct expr *entry_element(struct elab *e, const struct global *g, struct span at)
{
	struct expr *x = make_name(e, E_INDEX, g->sym.name, at);

	make_arg(e, x, make_name(e, E_CALL, "__tid", at));
	make_arg(e, x, make_name(e, E_CALL, "__frame", at));
	return x;
}

/* The handler at the entry; its probes are made when all sites are known. */
static struct handler *entry_handler(struct elab *e, struct handler *h)
{
	struct handler *in = arena_new(e->arena, struct handler);
	struct probe_site *site;

	if (h->entry)
		return h->entry;
	site = arena_new(e->arena, struct probe_site);
	if (!entry_site(e, h->site, site))
		return NULL;
	in->origin = h->origin;
	in->site = site;
	in->inferred = true; /* piece by piece */
	vec_push(e->arena, &e->handlers, in);
	h->entry = in;
	return in;
}

static struct global *new_store(struct elab *e, struct ast_file *f, struct span at)
{
	struct ast_global *ast = arena_new(e->arena, struct ast_global);
	struct global *g;

	ast->name = strtab_intern(&e->s->names, arena_printf(e->arena, "entry.%u", e->entries++));
	ast->at = at;
	ast->is_private = true;
	ast->wrap = true;
	g = elab_add_global(e, f, ast);
	g->synthetic = true;
	return g;
}

static struct entry *find_entry(struct handler *h, const char *text, struct ast_file *f)
{
	for (uint32_t n = 0; n < h->entries.n; n++)
		if (h->entries.v[n]->file == f && !strcmp(h->entries.v[n]->text, text))
			return h->entries.v[n];
	return NULL;
}

static struct entry *new_entry(struct infer *i, struct handler *in, struct expr *value,
			       const char *text)
{
	struct entry *n = arena_new(i->e->arena, struct entry);
	struct stmt *s;

	n->text = text;
	n->file = i->file;
	n->store = new_store(i->e, i->file, value->at);
	n->element = entry_element(i->e, n->store, value->at);
	s = make_stmt(i->e, ST_EXPR,
		      make_op(i->e, E_ASSIGN, B_NONE, entry_element(i->e, n->store, value->at),
			      clone_expr(i->e->arena, value)));
	vec_push(i->e->arena, &in->parts, ((struct part){ s, i->file }));
	infer_part(i->e, in, in->parts.n - 1);
	vec_push(i->e->arena, &i->handler->entries, n);
	return n;
}

struct tvar *infer_entry(struct infer *i, struct expr *x, struct expr *value)
{
	struct handler *in = i->handler ? entry_handler(i->e, i->handler) : NULL;
	const char *text = expr_text(i->e, value);
	struct entry *n;

	if (!in) {
		diag_error(i->e->diag, TAG_STATEMENT, x->op_at,
			   "@entry works in probes of a function's return only");
		if (i->handler && i->handler->site)
			diag_note(i->e->diag, i->handler->site->at, "this probe is %s",
				  i->handler->site->probe.name);
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	n = find_entry(i->handler, text, i->file);
	if (!n)
		n = new_entry(i, in, value, text);
	/* read like any element of an array */
	x->kind = E_ATOP;
	x->name = "@entry";
	x->sym = n;
	n->store->used = n->store->used || i->live;
	infer_expr(i, n->element);
	return n->store->sym.type;
}

const struct probe_var *entry_var(struct elab *e, const struct probe_site *site, const char *name)
{
	struct probe_site *in = arena_new(e->arena, struct probe_site);

	if (!entry_site(e, site, in) || !in->family->var)
		return NULL;
	return in->family->var(&e->env, in, name);
}

void entry_add_probes(struct elab *e)
{
	uint32_t n = e->probes.n;
	bool any = false;
	struct elab_probe *old = arena_alloc(e->arena, (n + 1) * sizeof(*old));

	for (uint32_t k = 0; k < n; k++) {
		old[k] = e->probes.v[k];
		any = any || old[k].handler->entry;
	}
	if (!any)
		return;
	/* in front, so that no return is seen before its entry could be */
	e->probes.n = 0;
	for (uint32_t k = 0; k < n; k++) {
		struct elab_probe p = { .handler = old[k].handler->entry };

		if (p.handler) {
			p.site = arena_new(e->arena, struct probe_site);
			if (entry_site(e, old[k].site, p.site)) {
				p.chain = arena_printf(e->arena, "@entry of %s", old[k].chain);
				vec_push(e->arena, &e->probes, p);
			}
		}
		vec_push(e->arena, &e->probes, old[k]);
	}
}

/*
 * A function's return address is looked at by handlers that count calls from certain places. A probe of the function's
 * return puts the kernel's own address there, and of probes in one place the kernel runs the last one first: so those of
 * returns are to be there before. Programs have no such trouble.
 */
void entry_order_probes(struct elab *e)
{
	uint32_t n = e->probes.n, to = 0;
	struct elab_probe *old = arena_alloc(e->arena, (n + 1) * sizeof(*old));
	bool any = false;

	for (uint32_t k = 0; k < n; k++) {
		old[k] = e->probes.v[k];
		any = any || (old[k].site && old[k].site->callers);
	}
	for (int returns = 1; any && returns >= 0; returns--)
		for (uint32_t k = 0; k < n; k++)
			if ((old[k].site && old[k].site->probe.kind == AT_KRETPROBE) == returns)
				e->probes.v[to++] = old[k];
}
