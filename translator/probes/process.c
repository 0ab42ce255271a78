/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process("path").function("name[@file]")[.call | .return]: user functions by debug information or ELF symbol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/families.h"
#include "symbols/elf.h"

/* What the C start-up files put into each program: no script means these by "*". */
static const char *const startup_names[] = {
	"_start",
	"_init",
	"_fini",
	"deregister_tm_clones",
	"register_tm_clones",
	"__do_global_dtors_aux",
	"frame_dummy",
	"_dl_relocate_static_pie",
	"__libc_csu_init",
	"__libc_csu_fini",
};

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * The file a shell would run, resolved to a path without links: what the kernel attaches to. NULL:
 * there is none.
 */
static const char *process_find(struct arena *a, const char *name)
{
	const char *dirs = getenv("PATH");
	char *real = NULL;
	const char *out;

	if (strchr(name, '/'))
		real = realpath(name, NULL);
	else
		for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs && !real;) {
			size_t n = strcspn(dirs, ":");
			const char *path = arena_printf(a, "%.*s/%s", (int)n, dirs, name);

			if (n && is_program(path) && access(path, X_OK) == 0)
				real = realpath(path, NULL);
			dirs += n + (dirs[n] == ':');
		}
	if (!real)
		return NULL;
	out = arena_strdup(a, real);
	free(real);
	return out;
}

/*
 * The program that runs @path when that is a script: what its first line names, for "env NAME" the
 * NAME. @path itself when it is none.
 */
static const char *process_interpreter(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "re");
	const char *program;
	char line[256], *word, *next;

	if (!f || !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	if (strncmp(line, "#!", 2) != 0)
		return path;
	word = strtok_r(line + 2, " \t\n", &next);
	program = word ? process_find(a, word) : NULL;
	if (program && strcmp(basename(word), "env") == 0) {
		word = strtok_r(NULL, " \t\n", &next);
		program = word ? process_find(a, word) : NULL;
	}
	return program ? program : path;
}

static enum probe_result process_no_file(struct probe_env *env, const struct pp_component *c,
					 bool quiet)
{
	if (quiet)
		return PROBE_NOMATCH;
	if (strchr(c->str, '/')) {
		diag_error(env->diag, TAG_FILE, probe_arg_span(c), "cannot find \"%s\": %s", c->str,
			   strerror(errno));
		return PROBE_NOMATCH;
	}
	diag_error(env->diag, TAG_FILE, probe_arg_span(c), "found no program \"%s\" in PATH: %s",
		   c->str, getenv("PATH") ? getenv("PATH") : "(not set)");
	diag_hint(env->diag, "write the path with a '/' in it: process(\"./%s\")", c->str);
	return PROBE_NOMATCH;
}

static bool is_startup(const char *name)
{
	for (size_t i = 0; i < sizeof(startup_names) / sizeof(startup_names[0]); i++)
		if (strcmp(startup_names[i], name) == 0)
			return true;
	return false;
}

struct add {
	struct probe_env *env;
	const struct probe_family *fam;
	const struct probe_point *pp, *at; /* at: its text names the file found */
	struct sym_object *obj;
	const char *path;
	bool quiet, glob;
	site_vec *out;
	uint32_t added;
};

/* Adds a site for a function that matches. */
static bool process_add(const struct sym_func *f, void *arg)
{
	struct add *a = arg;
	struct debug_site *d;
	struct probe_site site;
	uint64_t offset;

	if ((a->glob && is_startup(f->name)) || !sym_file_offset(a->obj, f->entry, &offset))
		return true;
	site = probe_site_new(a->fam, a->pp, 1, probe_text_with(a->env, a->at, 1, f->name),
			      a->quiet);
	site.probe.target = a->path;
	site.probe.symbol = f->name;
	site.probe.offset = offset;
	site.probe.filter_target = true;
	if (f->die) {
		d = arena_new(a->env->arena, struct debug_site);
		*d = (struct debug_site){ a->obj, *f, f->entry };
		site.priv = d;
	}
	vec_push(a->env->arena, a->out, site);
	a->added++;
	return true;
}

static void process_report(struct probe_env *env, const struct probe_point *pp,
			   struct sym_object *obj, const char *path, const struct sym_spec *spec)
{
	const struct pp_component *func = &pp->comps.v[1];
	const char *missing, *hint;
	struct near_match near;

	diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(func),
		   "no function of %s matches \"%s\"", path, func->str);
	near_init(&near, spec->func);
	sym_near_functions(obj, &near);
	missing = sym_missing(obj, &hint);
	if (near_best(&near))
		diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
	else if (missing)
		diag_hint(env->diag, "%s: %s", missing, hint);
}

/* The point with the file that was found in place of the name that was written. */
static struct probe_point *process_point(struct probe_env *env, const struct probe_point *pp,
					 const char *path)
{
	struct probe_point *at = arena_new(env->arena, struct probe_point);

	*at = *pp;
	at->comps.v = arena_alloc(env->arena, pp->comps.n * sizeof(*at->comps.v));
	memcpy(at->comps.v, pp->comps.v, pp->comps.n * sizeof(*at->comps.v));
	at->comps.v[0].str = path;
	return at;
}

enum probe_result process_resolve(struct probe_env *env, const struct probe_family *fam,
				  const struct probe_point *pp, bool quiet, site_vec *out)
{
	const struct pp_component *file = &pp->comps.v[0], *func = &pp->comps.v[1];
	struct add a = { .env = env, .fam = fam, .pp = pp, .quiet = quiet, .out = out };
	struct elf_file *elf;
	struct sym_spec spec;
	const char *why;

	if (!probe_function_spec(env, func, &spec))
		return PROBE_BAD;
	a.path = process_find(env->arena, file->str);
	if (!a.path)
		return process_no_file(env, file, quiet);
	a.path = process_interpreter(env->arena, a.path);
	elf = elf_open(env->arena, a.path, &why);
	if (elf)
		elf_close(elf);
	if (elf && !env->symbols)
		why = "programs are not opened in this run";
	a.obj = elf && env->symbols ? sym_open_file(env->symbols, a.path, &why) : NULL;
	if (!a.obj) {
		if (!quiet)
			diag_error(env->diag, TAG_ELF, probe_arg_span(file), "cannot probe %s: %s",
				   a.path, why);
		return PROBE_NOMATCH;
	}
	a.glob = probe_is_glob(spec.func);
	a.at = process_point(env, pp, a.path);
	sym_functions(a.obj, &spec, false, process_add, &a);
	if (!a.added && !quiet)
		process_report(env, pp, a.obj, a.path, &spec);
	return a.added ? PROBE_OK : PROBE_NOMATCH;
}

const struct probe_var *process_var(struct probe_env *env, const struct probe_site *site,
				    const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);
	uint32_t n = probe_arg_number(name);

	if (debug_var_at(env, site, site->priv, name, v))
		return v;
	*v = (struct probe_var){ .name = name, .n = n, .width = 8, .is_signed = true };
	if (site->probe.kind == AT_UPROBE && n) {
		v->kind = PV_ARG;
	} else if (site->probe.kind == AT_URETPROBE && strcmp(name, "$return") == 0) {
		v->kind = PV_RETVAL;
	} else if (strcmp(name, "$$name") == 0) {
		v->kind = PV_STR;
		v->str = site->probe.symbol;
	} else {
		return NULL;
	}
	return v;
}

/* Without debug information: whole registers. */
static void process_each_argument(struct probe_env *env, const struct probe_site *site,
				  void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct probe_var v = { .width = 8, .is_signed = true };

	if (site->probe.kind == AT_URETPROBE) {
		v.name = "$return";
		v.kind = PV_RETVAL;
		fn(&v, arg);
	}
	for (int i = 0; i < PROBE_NARGS && site->probe.kind == AT_UPROBE; i++) {
		v.name = arena_printf(env->arena, "$arg%d", i + 1);
		v.kind = PV_ARG;
		v.n = i + 1;
		fn(&v, arg);
	}
}

void process_each_var(struct probe_env *env, const struct probe_site *site,
		      void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct probe_var v;

	if (!debug_each_var_at(env, site, site->priv, fn, arg))
		process_each_argument(env, site, fn, arg);
	v = (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = site->probe.symbol };
	fn(&v, arg);
}
