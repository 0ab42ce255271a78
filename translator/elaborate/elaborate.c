/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pass 2 as a whole. */
#include "elaborate/internal.h"

/* Walks functions in the order in which calls of them were met. */
static void drain_queue(struct elab *e)
{
	for (uint32_t i = 0; i < e->queue.n; i++)
		if (!e->queue.v[i]->visited)
			infer_function(e, e->queue.v[i], true);
}

/*
 * What a function that refers to a probe's context means depends on the probe that calls it: without
 * a call it cannot be checked. Nor can what is called only from code that was cut off.
 */
static void warn_uncalled_context(struct elab *e, const struct function *fn)
{
	if (!fn->mentioned)
		diag_warning(e->diag, TAG_UNUSED, fn->ast->name_at, "function \"%s\" is never called",
			     fn->name);
}

/* Functions that nothing calls are checked all the same when they are the user's. */
static void check_unused(struct elab *e)
{
	for (uint32_t i = 0; i < e->functions.n; i++) {
		struct function *fn = e->functions.v[i];
		const struct function *before;

		if (fn->visited || fn->file->src->library)
			continue;
		if (fn->mentioned || context_used(e, fn)) {
			warn_uncalled_context(e, fn);
			continue;
		}
		before = overload_before(e, fn);
		diag_warning(e->diag, TAG_UNUSED, fn->ast->name_at, "function \"%s\" is never %s",
			     fn->name, before ? "reached" : "called");
		if (before)
			diag_note(e->diag, before->ast->name_at,
				  "this one comes before it and does not say \"next\"");
		infer_function(e, fn, false);
	}
}

static void check_globals(struct elab *e)
{
	for (uint32_t i = 0; i < e->globals.n; i++) {
		struct global *g = e->globals.v[i];

		if (!g->used)
			continue;
		if (g->nkeys < 0)
			g->nkeys = g->ast->size ? 1 : 0;
		if (g->nkeys == 0 && g->ast->wrap) {
			diag_error(e->diag, TAG_ARRAY, g->sym.at,
				   "\"%s%%\" wraps, but it is not used as an array", g->sym.name);
			diag_hint(e->diag, "only arrays can wrap");
		}
		for (int k = 0; k < g->nkeys; k++) {
			if (!g->keys[k])
				g->keys[k] = type_new(e, T_LONG, SPAN_NONE);
			if (type_of(g->keys[k]) == T_STATS)
				diag_error(e->diag, TAG_TYPE, type_root(g->keys[k])->at,
					   "a statistic cannot be a key of an array");
		}
	}
}

static void expand_file(struct elab *e, struct ast_file *f)
{
	for (uint32_t j = 0; j < f->probes.n; j++)
		expand_probe(e, f->probes.v[j], f);
}

/* The probes of library files that the script uses: they look after these files' variables. */
static void expand_library(struct elab *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; e->in->library && (library_files(e->in->library, &n), i < n); i++)
		expand_file(e, library_files(e->in->library, &n)[i]);
}

static void expand_all(struct elab *e)
{
	uint32_t before = e->diag->errors;

	for (uint32_t i = 0; i < e->in->nfiles; i++)
		expand_file(e, e->in->files[i]);
	if (e->probes.n) {
		expand_library(e);
		return;
	}
	if (e->diag->errors > before)
		return;
	diag_error(e->diag, TAG_EMPTY_SCRIPT, SPAN_NONE, "no probes: there is nothing to run");
	diag_hint(e->diag,
		  "a script needs a probe such as: probe begin { println(\"hello\") exit() }");
}

struct elab *elab_start(const struct elab_input *in)
{
	struct session *s = in->session;
	struct elab *e = arena_new(&s->arena, struct elab);

	e->s = s;
	e->diag = &s->diag;
	e->arena = &s->arena;
	e->in = in;
	e->errors_before = s->diag.errors;
	e->env = (struct probe_env){ .session = s, .arena = &s->arena, .diag = &s->diag, .symbols = in->symbols };
	for (uint32_t i = 0; i < in->nfiles; i++)
		elab_add_file(e, in->files[i]);
	expand_all(e);
	return e;
}

struct elab *elaborate(const struct elab_input *in)
{
	struct session *s = in->session;
	uint32_t before = s->diag.errors;
	struct elab *e = elab_start(in);

	for (uint32_t i = 0; i < e->handlers.n; i++)
		infer_handler(e, e->handlers.v[i]);
	drain_queue(e);
	entry_add_probes(e);
	entry_order_probes(e);
	check_unused(e);
	settings_find(e);
	/* with errors, what is unused is often their consequence */
	if (s->diag.errors == before || s->diag.warnings_are_errors)
		warn_globals(e);
	if (s->diag.errors == before) {
		type_finish(e);
		check_globals(e);
		settings_apply(e);
		regex_finish(e);
	}
	if (s->diag.errors == before && !s->no_global_display) {
		dump_globals(e);
		type_finish(e);
	}
	return s->diag.errors > before ? NULL : e;
}

struct elab_count elab_counts(const struct elab *e)
{
	struct elab_count c = { .probes = e->probes.n };

	for (uint32_t i = 0; i < e->functions.n; i++)
		c.functions += e->functions.v[i]->reachable;
	for (uint32_t i = 0; i < e->globals.n; i++)
		c.globals += e->globals.v[i]->used;
	return c;
}
