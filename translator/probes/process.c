/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process("path"): which file that is. Its functions come by debug information or ELF symbol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/code.h"
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

const char *probe_real_path(struct probe_env *env, const char *path)
{
	char *real = realpath(path, NULL);
	const char *out = real ? arena_strdup(env->arena, real) : path;

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

const char *probe_program_path(struct probe_env *env, const struct pp_component *c, bool quiet)
{
	const char *path = process_find(env->arena, c->str);

	if (path)
		return process_interpreter(env->arena, path);
	process_no_file(env, c, quiet);
	return NULL;
}

static bool is_startup(const char *name)
{
	for (size_t i = 0; i < sizeof(startup_names) / sizeof(startup_names[0]); i++)
		if (strcmp(startup_names[i], name) == 0)
			return true;
	return false;
}

static bool process_hidden(const struct sym_func *f)
{
	return is_startup(f->name);
}

static bool process_place(struct code_object *c, const struct sym_func *f, uint64_t addr,
			  struct ir_probe *p)
{
	p->target = c->path;
	p->symbol = f->name;
	return sym_file_offset(c->obj, addr, &p->offset);
}

enum probe_result process_resolve(struct probe_env *env, const struct probe_family *fam,
				  const struct probe_point *pp, bool quiet, site_vec *out)
{
	const struct pp_component *file = &pp->comps.v[0];
	struct code_object c = { .env = env, .fam = fam, .pp = pp, .comp = 1, .user = true, .quiet = quiet,
				 .place = process_place, .hidden = process_hidden, .out = out };
	struct elf_file *elf;
	const char *why;

	c.path = process_find(env->arena, file->str);
	if (!c.path)
		return process_no_file(env, file, quiet);
	c.path = c.what = process_interpreter(env->arena, c.path);
	elf = elf_open(env->arena, c.path, &why);
	if (elf)
		elf_close(elf);
	if (elf && !env->symbols)
		why = "programs are not opened in this run";
	c.obj = elf && env->symbols ? sym_open_file(env->symbols, c.path, &why) : NULL;
	if (!c.obj) {
		if (!quiet)
			diag_error(env->diag, TAG_ELF, probe_arg_span(file), "cannot probe %s: %s",
				   c.path, why);
		return PROBE_NOMATCH;
	}
	c.named = code_point_with(env, pp, 0, c.path);
	return code_resolve(&c);
}
