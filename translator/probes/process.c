/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process("path").function("name")[.call | .return]: user functions by ELF symbol. */
#include <errno.h>
#include <fnmatch.h>
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

/* Adds a site for each function that matches; the number of them. */
static uint32_t process_add(struct probe_env *env, const struct probe_family *fam,
			    const struct probe_point *pp, bool quiet, const char *path,
			    struct elf_file *f, struct near_match *near, site_vec *out)
{
	const char *want = pp->comps.v[1].str;
	bool glob = probe_is_glob(want);
	struct probe_point at = *pp;
	uint32_t n, added = 0;
	const struct elf_func *fn = elf_funcs(f, &n);

	/* The point's text names the file found. */
	at.comps.v = arena_alloc(env->arena, pp->comps.n * sizeof(*at.comps.v));
	memcpy(at.comps.v, pp->comps.v, pp->comps.n * sizeof(*at.comps.v));
	at.comps.v[0].str = path;
	for (uint32_t i = 0; i < n; i++) {
		struct probe_site site;

		if (glob ? fnmatch(want, fn[i].name, 0) != 0 || is_startup(fn[i].name)
			 : strcmp(want, fn[i].name) != 0) {
			near_try(near, fn[i].name);
			continue;
		}
		/*
		 * Two names of one address, as aliases are: a pattern that fits both is one place.
		 */
		if (glob && i && added && out->v[out->n - 1].probe.offset == fn[i].offset)
			continue;
		site = probe_site_new(fam, pp, 1, probe_text_with(env, &at, 1, fn[i].name), quiet);
		site.probe.target = path;
		site.probe.symbol = fn[i].name;
		site.probe.offset = fn[i].offset;
		site.probe.filter_target = true;
		vec_push(env->arena, out, site);
		added++;
	}
	return added;
}

enum probe_result process_resolve(struct probe_env *env, const struct probe_family *fam,
				  const struct probe_point *pp, bool quiet, site_vec *out)
{
	const struct pp_component *file = &pp->comps.v[0], *func = &pp->comps.v[1];
	const char *path, *why;
	struct near_match near;
	struct elf_file *f;

	if (!*func->str || strchr(func->str, '@')) {
		diag_error(
			env->diag, TAG_PROBE_ARG, probe_arg_span(func),
			"functions of a process are found by symbol: \"%s\" must be a name or a pattern, without "
			"a source file",
			func->str);
		return PROBE_BAD;
	}
	path = process_find(env->arena, file->str);
	if (!path)
		return process_no_file(env, file, quiet);
	path = process_interpreter(env->arena, path);
	f = elf_open(env->arena, path, &why);
	if (!f) {
		if (!quiet)
			diag_error(env->diag, TAG_ELF, probe_arg_span(file), "cannot probe %s: %s",
				   path, why);
		return PROBE_NOMATCH;
	}
	near_init(&near, func->str);
	if (!process_add(env, fam, pp, quiet, path, f, &near, out)) {
		if (!quiet) {
			diag_error(env->diag, TAG_UNKNOWN_PROBE, probe_arg_span(func),
				   "no function of %s matches \"%s\"", path, func->str);
			if (near_best(&near))
				diag_hint(env->diag, "did you mean \"%s\"?", near_best(&near));
			else if (!elf_has_symtab(f))
				diag_hint(env->diag, "%s is stripped: install its debug symbols",
					  path);
		}
		elf_close(f);
		return PROBE_NOMATCH;
	}
	elf_close(f);
	return PROBE_OK;
}

const struct probe_var *process_var(struct probe_env *env, const struct probe_site *site,
				    const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);
	uint32_t n = probe_arg_number(name);

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

void process_each_var(struct probe_env *env, const struct probe_site *site,
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
	v = (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = site->probe.symbol };
	fn(&v, arg);
}
