/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the points of a probe to sites and handlers: aliases, '?', '!', conditions. Sites of one
 * probe that mean the same share a handler; otherwise each gets a copy of the code, because names
 * in it resolve differently.
 */
#include <fnmatch.h>
#include <string.h>

#include "elaborate/internal.h"

/* How many of a probe's latest handlers are tried for sharing. */
#define SHARE_WINDOW 64

/* What a point inherits from the probe and the aliases that led to it. */
struct derive {
	const struct ast_probe *origin;
	struct ast_file *file; /* of the point */
	part_vec parts;
	guard_vec guards;
	bool optional;
	const char *chain; /* " <- alias <- ..." */
	const char *alias; /* the first of them, by its own name */
	unsigned int depth;
	struct span use; /* what the user's probe wrote, when @depth */
	uint32_t first_handler; /* of this probe, in elab->handlers */
};

static const char *point_text(struct elab *e, const struct probe_point *pp)
{
	struct buf b;
	const char *s;

	buf_init(&b);
	ast_print_point(&b, pp);
	s = arena_strndup(e->arena, b.p ? b.p : "", b.len);
	buf_fini(&b);
	return s;
}

/* Collects what the sites of a handler must agree in. */
struct target_search {
	struct elab *e;
	struct handler *h;
	struct ast_file *file;
	struct tree_walker *w;
	bool at_entry;
};

static void note_target(struct expr *x, void *arg);

static void note_entry(struct target_search *s, struct expr *x)
{
	struct target_search in = *s;
	struct tree_walker w = { .expr = note_target, .arg = &in };

	in.w = &w;
	in.at_entry = true;
	for (uint32_t i = 0; i < x->args.n; i++)
		tree_walk_expr(&w, x->args.v[i]);
}

static void note_target(struct expr *x, void *arg)
{
	struct target_search *s = arg;
	name_vec *v = s->at_entry ? &s->h->entry_targets : &s->h->targets;

	if (atop_is(x, "@entry")) {
		s->w->skip = true;
		note_entry(s, x);
	}
	if ((x->kind == E_CALL && context_called(s->e, s->file, x)) || atop_is(x, "@var"))
		s->h->calls_context = true;
	if (x->kind != E_TARGET)
		return;
	/* a list of whole variables is made of the types that one site's have */
	if (x->suffixes.n && x->suffixes.v[0].kind == SUF_PRETTY && target_is_list(x->name))
		s->h->calls_context = true;
	for (uint32_t i = 0; i < v->n; i++)
		if (v->v[i] == x->name)
			return;
	vec_push(s->e->arena, v, x->name);
}

/* A hit from elsewhere ends at once; a return does when its entry was from elsewhere. */
static void add_callers(struct elab *e, const struct derive *d, struct handler *h)
{
	struct span at = h->site->at;
	struct expr *x = make_name(e, E_TARGET, PROBE_CALLERS, at), *called = x;
	bool at_return = h->site->probe.kind == AT_KRETPROBE || h->site->probe.kind == AT_URETPROBE;
	struct stmt *s;

	vec_push(e->arena, at_return ? &h->entry_targets : &h->targets, x->name);
	if (at_return) {
		called = make_name(e, E_ATOP, "@entry", at);
		make_arg(e, called, x);
	}
	s = make_stmt(e, ST_IF, called);
	s->then = make_stmt(e, ST_BLOCK, NULL);
	s->otherwise = make_stmt(e, ST_NEXT, NULL);
	s->then->at = s->otherwise->at = at;
	vec_push(e->arena, &h->parts, ((struct part){ s, d->file }));
}

static struct handler *new_handler(struct elab *e, const struct derive *d,
				   const struct probe_site *site)
{
	struct handler *h = arena_new(e->arena, struct handler);
	struct target_search s = { .e = e, .h = h };
	struct tree_walker w = { .expr = note_target, .arg = &s };

	s.w = &w;
	h->origin = d->origin;
	h->site = site;
	h->orig_parts = d->parts;
	h->orig_guards = d->guards;
	for (uint32_t i = 0; i < d->guards.n; i++) {
		struct guard g = { clone_expr(e->arena, d->guards.v[i].e), d->guards.v[i].file };

		s.file = g.file;
		tree_walk_expr(&w, g.e);
		vec_push(e->arena, &h->guards, g);
	}
	if (site->callers)
		add_callers(e, d, h);
	for (uint32_t i = 0; i < d->parts.n; i++) {
		struct part p = { clone_stmt(e->arena, d->parts.v[i].s), d->parts.v[i].file };

		s.file = p.file;
		tree_walk_stmt(&w, p.s);
		vec_push(e->arena, &h->parts, p);
	}
	vec_push(e->arena, &e->handlers, h);
	return h;
}

static bool same_code(const struct handler *h, const struct derive *d)
{
	if (h->orig_parts.n != d->parts.n || h->orig_guards.n != d->guards.n)
		return false;
	for (uint32_t i = 0; i < d->parts.n; i++)
		if (h->orig_parts.v[i].s != d->parts.v[i].s)
			return false;
	for (uint32_t i = 0; i < d->guards.n; i++)
		if (h->orig_guards.v[i].e != d->guards.v[i].e)
			return false;
	return true;
}

static bool can_share(struct elab *e, struct handler *h, const struct derive *d,
		      const struct probe_site *site, const char **key)
{
	if (h->site->family != site->family || h->calls_context || !same_code(h, d))
		return false;
	if (!h->has_key)
		h->key = share_key(e, h, h->site);
	h->has_key = true;
	/* the same code names the same variables: of a site there is one key */
	if (h->key && !*key)
		*key = share_key(e, h, site);
	return h->key && *key && !strcmp(h->key, *key);
}

static void add_site(struct elab *e, const struct derive *d, const struct probe_site *found,
		     const char *chain)
{
	struct probe_site *site = arena_new(e->arena, struct probe_site);
	struct elab_probe p = { .site = site, .chain = chain, .alias = d->alias };
	uint32_t n = e->handlers.n, low = d->first_handler;
	const char *key = NULL;

	*site = *found;
	site->probe.optional = site->probe.optional || d->optional;
	if (n - low > SHARE_WINDOW)
		low = n - SHARE_WINDOW;
	for (uint32_t i = n; i > low && !p.handler; i--)
		if (can_share(e, e->handlers.v[i - 1], d, site, &key))
			p.handler = e->handlers.v[i - 1];
	if (p.handler) {
		p.handler->shared = true;
	} else {
		p.handler = new_handler(e, d, site);
		p.handler->key = key;
		p.handler->has_key = key;
	}
	vec_push(e->arena, &e->probes, p);
}

static bool same_component(const struct pp_component *want, const struct pp_component *have)
{
	if (strchr(want->name, '*') ? fnmatch(want->name, have->name, 0) != 0
				    : want->name != have->name)
		return false;
	if (want->arg != have->arg)
		return false;
	if (want->arg == PP_NUM)
		return want->num == have->num;
	return want->arg != PP_STR || !strcmp(want->str, have->str);
}

/* Longer names match no pattern with "**". */
#define DOTTED_MAX 255

/*
 * "*" stands for anything but a dot, "**" for anything. ok[j]: what was looked at of the pattern fits
 * the first j bytes of @s.
 */
static bool dotted_match(const char *p, const char *s)
{
	bool ok[DOTTED_MAX + 1] = { true };
	size_t n = strlen(s);

	if (n > DOTTED_MAX)
		return false;
	while (*p) {
		bool star = *p == '*', any = star && p[1] == '*';

		for (size_t j = 1; star && j <= n; j++)
			ok[j] = ok[j] || (ok[j - 1] && (any || s[j - 1] != '.'));
		for (size_t j = n; !star && j > 0; j--)
			ok[j] = ok[j - 1] && s[j - 1] == *p;
		ok[0] = ok[0] && star;
		p += any ? 2 : 1;
	}
	return ok[n];
}

static bool spans_components(const struct probe_point *pp)
{
	for (uint32_t i = 0; i < pp->comps.n; i++)
		if (strstr(pp->comps.v[i].name, "**"))
			return true;
	return false;
}

static bool has_arguments(const struct probe_point *pp)
{
	for (uint32_t i = 0; i < pp->comps.n; i++)
		if (pp->comps.v[i].arg != PP_NOARG)
			return true;
	return false;
}

/* How many components of @pp an alias covers: all of its own name's, or 0. */
static uint32_t alias_covers(struct elab *e, const struct probe_point *pp,
			     const struct probe_point *name)
{
	if (spans_components(pp))
		return !has_arguments(pp) && !has_arguments(name) &&
				       dotted_match(point_names(e, pp), point_names(e, name))
			       ? pp->comps.n
			       : 0;
	if (name->comps.n > pp->comps.n)
		return 0;
	for (uint32_t i = 0; i < name->comps.n; i++)
		if (!same_component(&pp->comps.v[i], &name->comps.v[i]))
			return 0;
	return name->comps.n;
}

static uint32_t alias_match(struct elab *e, const struct alias *a, const struct probe_point *pp,
			    const struct ast_file *from)
{
	uint32_t best = 0;

	if (a->ast->is_private && a->file != from)
		return 0;
	for (uint32_t i = 0; i < a->ast->alias_names.n; i++) {
		uint32_t n = alias_covers(e, pp, a->ast->alias_names.v[i]);

		if (n > best)
			best = n;
	}
	return best;
}

/* @pp of an alias, with the components that the use wrote after the alias's name. */
static struct probe_point *with_suffix(struct elab *e, struct probe_point *pp,
				       const struct probe_point *use, uint32_t covered)
{
	struct probe_point *out;

	if (covered == use->comps.n)
		return pp;
	out = arena_new(e->arena, struct probe_point);
	*out = *pp;
	memset(&out->comps, 0, sizeof(out->comps));
	for (uint32_t i = 0; i < pp->comps.n; i++)
		vec_push(e->arena, &out->comps, pp->comps.v[i]);
	for (uint32_t i = covered; i < use->comps.n; i++)
		vec_push(e->arena, &out->comps, use->comps.v[i]);
	return out;
}

static void add_part(struct elab *e, part_vec *v, struct stmt *s, struct ast_file *f)
{
	if (s)
		vec_push(e->arena, v, ((struct part){ s, f }));
}

/* An inner alias's prologue runs before, its epilogue after all that came from outside. */
static part_vec wrap_parts(struct elab *e, const struct alias *a, const part_vec *inner)
{
	part_vec v = { 0 };

	add_part(e, &v, a->ast->body, a->file);
	for (uint32_t i = 0; i < inner->n; i++)
		vec_push(e->arena, &v, inner->v[i]);
	add_part(e, &v, a->ast->epilogue, a->file);
	return v;
}

/* The name that fits, with the components that the use wrote behind it. */
static const char *alias_name(struct elab *e, const struct alias *a, const struct probe_point *use, uint32_t covered)
{
	for (uint32_t i = 0; i < a->ast->alias_names.n; i++)
		if (alias_covers(e, use, a->ast->alias_names.v[i]) == covered)
			return point_text(e, with_suffix(e, a->ast->alias_names.v[i], use, covered));
	return NULL;
}

static bool expand_point(struct elab *e, struct derive d, struct probe_point *pp);

static bool expand_alias(struct elab *e, const struct derive *d, const struct alias *a,
			 const struct probe_point *use, uint32_t covered)
{
	struct derive in = *d;
	bool any = false;

	if (d->depth >= ELAB_MAXALIAS) {
		diag_error(e->diag, TAG_LIMIT, use->at, "aliases are nested deeper than %d levels",
			   ELAB_MAXALIAS);
		diag_note(e->diag, a->ast->at, "is this alias defined by itself?");
		return true;
	}
	if (!check_depth(e, a->ast->body, NULL, a->ast->at) ||
	    !check_depth(e, a->ast->epilogue, NULL, a->ast->at))
		return true;
	if (!in.depth++) {
		in.use = use->at;
		in.alias = alias_name(e, a, use, covered);
	}
	in.file = a->file;
	in.parts = wrap_parts(e, a, &d->parts);
	in.chain = arena_printf(e->arena, " <- %s%s", point_text(e, use), d->chain);
	for (uint32_t i = 0; i < a->ast->points.n; i++) {
		struct probe_point *pp = a->ast->points.v[i];
		bool ok = expand_point(e, in, with_suffix(e, pp, use, covered));

		any = any || ok;
		if (ok && pp->sufficient)
			break;
	}
	return any;
}

/* True when some alias was used, whatever came of it; *any: it led to a site. */
static bool expand_aliases(struct elab *e, const struct derive *d, struct probe_point *pp,
			   bool *any)
{
	uint32_t best = 0, n;

	elab_need_alias(e, pp->comps.v[0].name);
	n = e->aliases.n; /* only those known now: an alias's own needs come after */
	for (uint32_t i = 0; i < n; i++) {
		uint32_t m = alias_match(e, &e->aliases.v[i], pp, d->file);

		if (m > best)
			best = m;
	}
	if (!best)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct alias a = e->aliases.v[i];

		if (alias_match(e, &a, pp, d->file) == best && expand_alias(e, d, &a, pp, best))
			*any = true;
	}
	return true;
}

static void report_unknown(struct elab *e, const struct derive *d, struct probe_point *pp)
{
	probe_report_unknown(&e->env, pp, pp->comps.n ? elab_near_alias(e, pp) : NULL);
	if (d->depth)
		diag_note(e->diag, d->use, "this alias led there");
}

/* A pattern may mean points of families and aliases at once. */
static bool has_wildcard_name(const struct probe_point *pp)
{
	for (uint32_t i = 0; i < pp->comps.n; i++)
		if (strchr(pp->comps.v[i].name, '*'))
			return true;
	return false;
}

/* False past the limit, which also ends aliases that multiply without leading to a site. */
static bool count_point(struct elab *e, const struct probe_point *pp)
{
	if (e->points++ < ELAB_MAXPOINTS)
		return true;
	if (e->points == ELAB_MAXPOINTS + 1)
		diag_error(e->diag, TAG_LIMIT, pp->at, "more than %d probe points", ELAB_MAXPOINTS);
	return false;
}

/* True when the point led to a site, or to an error that '!' need not add to. */
static bool expand_point(struct elab *e, struct derive d, struct probe_point *pp)
{
	site_vec sites = { 0 };
	bool any = false;

	if (!count_point(e, pp))
		return true;
	d.optional = d.optional || pp->optional || pp->sufficient;
	if (pp->cond) {
		guard_vec g = { 0 };

		if (!check_depth(e, NULL, pp->cond, pp->at))
			return true;
		vec_push(e->arena, &g, ((struct guard){ pp->cond, d.file }));
		for (uint32_t i = 0; i < d.guards.n; i++)
			vec_push(e->arena, &g, d.guards.v[i]);
		d.guards = g;
	}
	switch (probe_resolve(&e->env, pp, d.optional, &sites)) {
	case PROBE_OK:
		if (has_wildcard_name(pp))
			expand_aliases(e, &d, pp, &any);
		for (uint32_t i = 0; i < sites.n; i++)
			add_site(e, &d, &sites.v[i],
				 arena_printf(e->arena, "%s%s", point_text(e, pp), d.chain));
		return sites.n > 0;
	case PROBE_UNKNOWN:
		if (!pp->comps.n || (!expand_aliases(e, &d, pp, &any) && !d.optional))
			report_unknown(e, &d, pp);
		return any;
	case PROBE_NOMATCH:
	case PROBE_BAD:
		break;
	}
	return false;
}

void expand_probe(struct elab *e, struct ast_probe *p, struct ast_file *f)
{
	struct derive d = { .origin = p, .file = f, .chain = "", .first_handler = e->handlers.n };

	if (!check_depth(e, p->body, NULL, p->at))
		return;
	add_part(e, &d.parts, p->body, f);
	for (uint32_t i = 0; i < p->points.n; i++) {
		struct probe_point *pp = p->points.v[i];

		if (expand_point(e, d, pp) && pp->sufficient)
			break;
	}
}
