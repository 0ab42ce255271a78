/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe points against the patterns of probes.def. */
#include "probes/probes.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "probes/families.h"
#include "symbols/kernel.h"

const struct probe_family probe_families[] = {
#define FAMILY(pattern, kind, resolve, var, each_var, param)                                       \
	{ pattern, kind, resolve, var, each_var, param },
#include "probes.def"
#undef FAMILY
};
const unsigned int probe_families_n = sizeof(probe_families) / sizeof(probe_families[0]);

/* One component of a pattern. */
struct pat_comp {
	const char *name;
	size_t len;
	int arg; /* as pp_component's */
};

/* Takes the next component of the pattern at *@p; false at its end. */
static bool pattern_next(const char **p, struct pat_comp *c)
{
	if (!**p)
		return false;
	c->name = *p;
	c->len = strcspn(*p, ".(");
	c->arg = PP_NOARG;
	*p += c->len;
	if (**p == '(') {
		c->arg = (*p)[1] == 'n' ? PP_NUM : PP_STR;
		*p += 3;
	}
	if (**p == '.')
		(*p)++;
	return true;
}

struct fit {
	uint32_t names; /* components whose names fit, from the first */
	uint32_t args; /* the first of these whose argument kind does not, else names */
	bool complete; /* all names fit and there are no more on either side */
};

static struct fit pattern_fit(const char *pattern, const struct probe_point *pp)
{
	struct fit f = { 0 };
	bool args_fit = true;
	struct pat_comp c;
	bool more;

	while ((more = pattern_next(&pattern, &c)) && f.names < pp->comps.n) {
		const struct pp_component *p = &pp->comps.v[f.names];

		if (strlen(p->name) != c.len || memcmp(p->name, c.name, c.len) != 0)
			break;
		args_fit = args_fit && (int)p->arg == c.arg;
		f.names++;
		f.args += args_fit;
	}
	f.complete = !more && f.names == pp->comps.n;
	return f;
}

/* A pattern for people: timer.ms(NUMBER), kernel.trace("..."). */
static const char *pattern_text(struct arena *a, const char *pattern)
{
	static const char *const arg_text[] = {
		[PP_NOARG] = "", [PP_NUM] = "(NUMBER)", [PP_STR] = "(\"...\")"
	};
	const char *out = "";
	struct pat_comp c;

	while (pattern_next(&pattern, &c))
		out = arena_printf(a, "%s%s%.*s%s", out, *out ? "." : "", (int)c.len, c.name,
				   arg_text[c.arg]);
	return out;
}

/* A pattern's names alone, to compare spellings. */
static const char *pattern_names(struct arena *a, const char *pattern)
{
	const char *out = "";
	struct pat_comp c;

	while (pattern_next(&pattern, &c))
		out = arena_printf(a, "%s%s%.*s", out, *out ? "." : "", (int)c.len, c.name);
	return out;
}

static void probe_put_comp(struct buf *b, const struct pp_component *c, const char *arg)
{
	if (b->len)
		buf_putc(b, '.');
	buf_puts(b, c->name);
	if (c->arg == PP_NUM) {
		if (arg)
			buf_printf(b, "(%s)", arg);
		else
			buf_printf(b, "(%lld)", (long long)c->num);
	} else if (c->arg == PP_STR) {
		arg = arg ? arg : c->str;
		buf_puts(b, "(\"");
		buf_put_escaped(b, arg, strlen(arg));
		buf_puts(b, "\")");
	}
}

const char *probe_text_with(struct probe_env *env, const struct probe_point *pp, uint32_t i,
			    const char *arg)
{
	const char *out;
	struct buf b;

	buf_init(&b);
	for (uint32_t j = 0; j < pp->comps.n; j++)
		probe_put_comp(&b, &pp->comps.v[j], j == i ? arg : NULL);
	out = arena_strndup(env->arena, b.p ? b.p : "", b.len);
	buf_fini(&b);
	return out;
}

const char *probe_text(struct probe_env *env, const struct probe_point *pp)
{
	return probe_text_with(env, pp, IR_NONE, NULL);
}

struct probe_site probe_site_new(const struct probe_family *fam, const struct probe_point *pp,
				 uint32_t i, const char *name, bool quiet)
{
	return (struct probe_site){
		.family = fam,
		.probe = { .kind = fam->kind, .name = name, .optional = quiet },
		.at = probe_arg_span(&pp->comps.v[i]),
	};
}

struct span probe_arg_span(const struct pp_component *c)
{
	return c->arg != PP_NOARG && c->arg_at.src ? c->arg_at : c->at;
}

uint32_t probe_arg_number(const char *name)
{
	if (strncmp(name, "$arg", 4) != 0 || name[4] < '1' || name[4] > '0' + PROBE_NARGS ||
	    name[5])
		return 0;
	return name[4] - '0';
}

bool probe_is_glob(const char *s)
{
	return s[strcspn(s, "*?[")];
}

struct kernel_syms *probe_kernel(struct probe_env *env)
{
	if (!env->kernel)
		env->kernel = kernel_syms_new(env->session);
	return env->kernel;
}

static const char *const arg_kind[] = {
	[PP_NOARG] = "no argument", [PP_NUM] = "a number", [PP_STR] = "a string"
};

/* All names fit a family, but no row of these names takes such arguments. */
static enum probe_result probe_bad_kind(struct probe_env *env, const struct probe_family *fam,
					const struct probe_point *pp, uint32_t i)
{
	const struct pp_component *c = &pp->comps.v[i];
	const char *pattern = fam->pattern;
	struct pat_comp want;

	for (uint32_t j = 0; pattern_next(&pattern, &want) && j < i; j++)
		;
	diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(c), "\"%s\" takes %s here, not %s",
		   c->name, arg_kind[want.arg], arg_kind[c->arg]);
	diag_hint(env->diag, "write %s", pattern_text(env->arena, fam->pattern));
	return PROBE_BAD;
}

static enum probe_result resolve_exact(struct probe_env *env, const struct probe_point *pp,
				       bool quiet, site_vec *out)
{
	const struct probe_family *near = NULL;
	uint32_t near_args = 0;

	for (unsigned int i = 0; i < probe_families_n; i++) {
		const struct probe_family *fam = &probe_families[i];
		struct fit f = pattern_fit(fam->pattern, pp);

		if (!f.complete)
			continue;
		if (f.args == pp->comps.n)
			return fam->resolve(env, fam, pp, quiet, out);
		/* of begin and begin(n), the one with an argument says more */
		if (!near || f.args >= near_args) {
			near = fam;
			near_args = f.args;
		}
	}
	return near ? probe_bad_kind(env, near, pp, near_args) : PROBE_UNKNOWN;
}

/* @pp with the names of a pattern that they fit; false: they do not. */
static bool name_components(struct probe_env *env, const char *pattern,
			    const struct probe_point *pp, struct probe_point *named)
{
	struct pat_comp c;
	uint32_t n = 0;

	*named = *pp;
	memset(&named->comps, 0, sizeof(named->comps));
	while (pattern_next(&pattern, &c)) {
		struct pp_component comp;

		if (n == pp->comps.n)
			return false;
		comp = pp->comps.v[n++];
		if ((int)comp.arg != c.arg)
			return false;
		c.name = arena_strndup(env->arena, c.name, c.len);
		if (fnmatch(comp.name, c.name, 0) != 0)
			return false;
		comp.name = c.name;
		vec_push(env->arena, &named->comps, comp);
	}
	return n == pp->comps.n;
}

static bool has_pattern_name(const struct probe_point *pp)
{
	for (uint32_t i = 0; i < pp->comps.n; i++)
		if (strchr(pp->comps.v[i].name, '*'))
			return true;
	return false;
}

/* process("ls").function("main").*: every family whose names fit. */
static enum probe_result resolve_each(struct probe_env *env, const struct probe_point *pp,
				      bool quiet, bool optional, site_vec *out)
{
	enum probe_result result = PROBE_UNKNOWN;
	uint32_t before = out->n;

	for (unsigned int i = 0; i < probe_families_n; i++) {
		struct probe_point named;
		enum probe_result r;

		if (!name_components(env, probe_families[i].pattern, pp, &named))
			continue;
		r = resolve_exact(env, &named, quiet, out);
		if (r == PROBE_OK || result == PROBE_UNKNOWN)
			result = r;
		if (r == PROBE_BAD || (r == PROBE_NOMATCH && !quiet))
			return r;
	}
	for (uint32_t i = before; i < out->n; i++)
		out->v[i].probe.optional = optional;
	return result;
}

enum probe_result probe_resolve(struct probe_env *env, const struct probe_point *pp, bool quiet,
				site_vec *out)
{
	enum probe_result r;

	if (!has_pattern_name(pp))
		return resolve_exact(env, pp, quiet, out);
	/* one of them that leads nowhere is no error; when all do, the first says why */
	r = resolve_each(env, pp, true, quiet, out);
	return r == PROBE_NOMATCH && !quiet ? resolve_each(env, pp, false, false, out) : r;
}

/* The text of a point up to its ".return". */
static const char *before_return(struct arena *a, const char *name)
{
	const char *end = NULL;

	for (const char *p = name; (p = strstr(p, ".return")); p++)
		end = p;
	return end ? arena_strndup(a, name, (size_t)(end - name)) : name;
}

bool probe_entry_site(struct probe_env *env, const struct probe_site *site,
		      struct probe_site *entry)
{
	if (site->probe.kind != AT_KRETPROBE && site->probe.kind != AT_URETPROBE)
		return false;
	*entry = *site;
	entry->probe.kind = site->probe.kind == AT_KRETPROBE ? AT_KPROBE : AT_UPROBE;
	entry->probe.name = before_return(env->arena, site->probe.name);
	entry->probe.maxactive = 0;
	return true;
}

/* The names of a point alone. */
static const char *comp_names(struct arena *a, const struct probe_point *pp)
{
	const char *out = "";

	for (uint32_t i = 0; i < pp->comps.n; i++)
		out = arena_printf(a, "%s%s%s", out, i ? "." : "", pp->comps.v[i].name);
	return out;
}

/* Names what may follow the components that fit. */
static void hint_continuations(struct probe_env *env, const struct probe_point *pp, uint32_t fits)
{
	const char *list = "";
	unsigned int shown = 0;

	for (unsigned int i = 0; i < probe_families_n; i++) {
		if (pattern_fit(probe_families[i].pattern, pp).names != fits)
			continue;
		if (shown++ == 6) {
			list = arena_printf(env->arena, "%s, ...", list);
			break;
		}
		list = arena_printf(env->arena, "%s%s%s", list, *list ? ", " : "",
				    pattern_text(env->arena, probe_families[i].pattern));
	}
	diag_hint(env->diag, "there %s %s", shown == 1 ? "is" : "are", list);
}

void probe_report_unknown(struct probe_env *env, const struct probe_point *pp, const char *alias)
{
	const char *pattern = NULL, *best;
	const struct pp_component *blame;
	struct near_match near;
	uint32_t fits = 0;

	near_init(&near, comp_names(env->arena, pp));
	for (unsigned int i = 0; i < probe_families_n; i++) {
		struct fit f = pattern_fit(probe_families[i].pattern, pp);
		const char *before = near.best;

		near_try(&near, pattern_names(env->arena, probe_families[i].pattern));
		if (near.best != before)
			pattern = probe_families[i].pattern;
		if (f.names > fits)
			fits = f.names;
	}
	if (!pp->comps.n)
		return;
	blame = &pp->comps.v[fits < pp->comps.n ? fits : pp->comps.n - 1];
	if (fits == pp->comps.n)
		diag_error(env->diag, TAG_UNKNOWN_PROBE, blame->at,
			   "probe point \"%s\" is incomplete", probe_text(env, pp));
	else
		diag_error(env->diag, TAG_UNKNOWN_PROBE, blame->at,
			   "no probe point \"%s\" is known", probe_text(env, pp));
	best = near_best(&near);
	if (alias && (!best || str_distance(near.want, alias, near.dist) <= near.dist))
		diag_hint(env->diag, "did you mean %s?", alias);
	else if (best && fits < pp->comps.n)
		diag_hint(env->diag, "did you mean %s?", pattern_text(env->arena, pattern));
	else if (fits)
		hint_continuations(env, pp, fits);
}

static int by_pattern(const void *a, const void *b)
{
	return strcmp((*(const struct probe_family *const *)a)->pattern, (*(const struct probe_family *const *)b)->pattern);
}

void probe_print_types(void)
{
	const struct probe_family **v = calloc(probe_families_n + 1, sizeof(struct probe_family *));

	if (!v)
		arena_oom();
	for (unsigned int i = 0; i < probe_families_n; i++)
		v[i] = &probe_families[i];
	qsort(v, probe_families_n, sizeof(struct probe_family *), by_pattern);
	for (unsigned int i = 0; i < probe_families_n; i++) {
		for (const char *p = v[i]->pattern; *p; p++) {
			bool arg = p > v[i]->pattern && p[-1] == '(';

			if (arg)
				fputs(*p == 'n' ? "number" : "string", stdout);
			else
				putchar(*p);
		}
		putchar('\n');
	}
	free(v);
}
