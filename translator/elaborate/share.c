/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sites of a probe may share a handler: those where every context variable that its code names is found
 * in the same way. Texts, numbers and lists such as $$parms may differ: a handler with several sites takes
 * what differs from the probe that was hit (sitenum, sitestr). So a pattern over hundreds of functions is a few
 * handlers.
 */
#include <inttypes.h>
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

/* Says where a variable is. A static's address is computed from the probed one: no two sites agree on it. */
static bool key_place(struct buf *out, const struct sym_loc *loc)
{
	for (uint32_t p = 0; loc && p < loc->pieces.n; p++) {
		const struct sym_piece *piece = &loc->pieces.v[p];

		if (piece->target)
			return false;
		buf_printf(out, " |%d:%u", piece->is_value, piece->bits);
		for (uint32_t k = 0; k < piece->ops.n; k++) {
			if (piece->ops.v[k].op == SL_STATIC)
				return false;
			buf_printf(out, " %u,%" PRId64, (unsigned int)piece->ops.v[k].op,
				   piece->ops.v[k].num);
		}
	}
	return true;
}

static bool key_var(struct buf *out, const struct probe_var *v)
{
	bool of_site = v->kind == PV_STR || v->kind == PV_NUM;

	buf_printf(out, "; %u %u %u %u %d", (unsigned int)v->kind, v->n, v->width, v->is_signed, !v->why);
	return of_site || (buf_printf(out, " %p %p", (const void *)v->type, (const void *)v->callers),
			   key_place(out, v->loc));
}

bool share_plain(const struct probe_var *v)
{
	struct path p = { 0 };

	if (v->kind == PV_ARG || v->kind == PV_RETVAL)
		return true;
	return v->kind == PV_SYM && !path_of_whole(v, &p) && p.from_value && v->loc->pieces.n == 1 &&
	       v->loc->pieces.v[0].ops.n == 1 && v->loc->pieces.v[0].ops.v[0].op == SL_REG && p.width && p.width <= 8;
}

static bool key_list(struct elab *e, struct buf *out, const struct probe_site *site, const char *name)
{
	var_vec vars = { 0 };

	target_list(e, site, name, &vars);
	buf_printf(out, "; list %u", vars.n);
	for (uint32_t i = 0; i < vars.n; i++) {
		const struct probe_var *v = vars.v[i];

		if (!share_plain(v))
			return false;
		buf_printf(out, " %u %u", (unsigned int)v->kind, v->n);
		if (!key_place(out, v->loc))
			return false;
	}
	return true;
}

static bool key_target(struct elab *e, struct buf *out, const struct probe_site *site, const char *name)
{
	const struct probe_var *v = site->family->var ? site->family->var(&e->env, site, name) : NULL;

	if (v)
		return key_var(out, v);
	/* what only the entry of a function has is taken from there */
	v = entry_var(e, site, name);
	if (v) {
		buf_puts(out, "; entry");
		return key_var(out, v);
	}
	return target_is_list(name) && key_list(e, out, site, name);
}

const char *share_key(struct elab *e, const struct handler *h, const struct probe_site *site)
{
	const char *key = NULL;
	const struct probe_var *v;
	struct buf out;
	bool ok = true;

	buf_init(&out);
	for (uint32_t i = 0; i < h->targets.n && ok; i++)
		ok = key_target(e, &out, site, h->targets.v[i]);
	for (uint32_t i = 0; i < h->entry_targets.n && ok; i++) {
		v = entry_var(e, site, h->entry_targets.v[i]);
		ok = v && v->kind != PV_STR && v->kind != PV_NUM && key_var(&out, v);
	}
	if (ok)
		key = arena_strndup(e->arena, out.p ? out.p : "", out.len);
	buf_fini(&out);
	return key;
}

/* ---- values of a site ---- */

const struct site_value *share_value(struct lower *l, const char *name, uint32_t nvars)
{
	struct handler *h = l->h;
	struct site_value v = { name, h->nnums, h->nstrs };

	for (uint32_t i = 0; i < h->values.n; i++)
		if (!strcmp(h->values.v[i].name, name))
			return &h->values.v[i];
	h->nnums += 2 * nvars;
	h->nstrs += nvars;
	vec_push(l->arena, &h->values, v);
	return &h->values.v[h->values.n - 1];
}

/* The bits of a value, and its sign's when it has one. */
static void push_width(struct elab *e, struct ir_probe *out, uint32_t width, bool is_signed)
{
	uint64_t mask = width && width < 8 ? (1ull << 8 * width) - 1 : UINT64_MAX;

	vec_push(e->arena, &out->nums, (int64_t)mask);
	vec_push(e->arena, &out->nums, (int64_t)(is_signed && ~mask ? (mask >> 1) + 1 : 0));
}

static void push_var(struct elab *e, struct ir_probe *out, const struct probe_var *v)
{
	bool sym = v->kind == PV_SYM;

	push_width(e, out, sym ? (uint32_t)v->type->size : v->width, sym ? v->type->is_signed : v->is_signed);
	vec_push(e->arena, &out->strs, arena_strdup(e->arena, v->name + (v->name[0] == '$')));
}

void share_put_values(struct elab *e, const struct handler *h, const struct probe_site *site,
		      struct ir_probe *out)
{
	for (uint32_t i = 0; i < h->values.n; i++) {
		const char *name = h->values.v[i].name;
		const struct probe_var *v = site->family->var ? site->family->var(&e->env, site, name) : NULL;
		var_vec vars = { 0 };

		if (v) {
			vec_push(e->arena, &out->nums, v->num);
			vec_push(e->arena, &out->nums, (int64_t)0);
			vec_push(e->arena, &out->strs, v->str ? v->str : "");
			continue;
		}
		target_list(e, site, name, &vars);
		for (uint32_t k = 0; k < vars.n; k++)
			push_var(e, out, vars.v[k]);
	}
}
