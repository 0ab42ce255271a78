/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probes/program.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/bin:/bin"

/* One resolving of process(...) and what may follow it. */
struct search {
	struct probe_env *env;
	const struct pp_component *c; /* that is looked at */
	bool quiet;
	program_vec *out;
};

/* ---- PATH and scripts ---- */

/* Links of /proc may lead out of our file system, where the text of a link means another file: such a path stays. */
const char *program_real(struct arena *a, const char *path)
{
	char *real = realpath(path, NULL);
	struct stat want, st;
	const char *out = NULL;

	if (!stat(path, &want))
		out = real && !stat(real, &st) && st.st_ino == want.st_ino && st.st_dev == want.st_dev
			      ? arena_strdup(a, real)
			      : path;
	free(real);
	return out;
}

const char *probe_real_path(struct probe_env *env, const char *path)
{
	const char *real = program_real(env->arena, path);

	return real ? real : path;
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Takes the next folder of a list between colons; false at its end. */
static bool next_folder(struct arena *a, const char **list, const char **folder)
{
	size_t n = strcspn(*list, ":");

	if (!**list)
		return false;
	*folder = arena_strndup(a, *list, n);
	*list += n + ((*list)[n] == ':');
	return true;
}

static const char *path_list(void)
{
	const char *dirs = getenv("PATH");

	return dirs ? dirs : DEFAULT_PATH;
}

const char *program_in_path(struct arena *a, const char *name)
{
	const char *dirs = path_list(), *dir;

	while (next_folder(a, &dirs, &dir)) {
		const char *path = arena_printf(a, "%s/%s", dir, name);

		if (*dir && is_regular(path) && access(path, X_OK) == 0)
			return program_real(a, path);
	}
	return NULL;
}

static const char *find_program(struct arena *a, const char *name)
{
	return strchr(name, '/') ? program_real(a, name) : program_in_path(a, name);
}

/* The program that a script's first line names, for "env NAME" the NAME; NULL: @path is no script. */
static const char *interpreter(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "re");
	const char *program;
	char line[256], *word, *next;

	if (!f || !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	if (strncmp(line, "#!", 2) != 0)
		return NULL;
	word = strtok_r(line + 2, " \t\n", &next);
	program = word ? find_program(a, word) : NULL;
	if (program && strcmp(basename(word), "env") == 0) {
		word = strtok_r(NULL, " \t\n", &next);
		program = word ? find_program(a, word) : NULL;
	}
	return program;
}

/* ---- one file ---- */

/* NULL, or why probes cannot go into the file. */
static const char *why_not(struct probe_env *env, const char *path)
{
	const char *why = NULL;
	struct elf_needs needs;
	struct elf_file *f;
	struct stat st;

	if (stat(path, &st))
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return "it is a folder, not a program";
	f = elf_open(env->arena, path, &why);
	if (!f)
		return why;
	elf_read_needs(f, env->arena, &needs);
	elf_close(f);
	/* libraries need no such permission, and some have an interpreter all the same */
	if (needs.interpreter && !needs.soname && !(st.st_mode & 0111))
		return "it has no execute permission, so no process runs it";
	return NULL;
}

static void add_program(struct search *s, struct program p)
{
	for (uint32_t i = 0; i < s->out->n; i++)
		if (!strcmp(s->out->v[i].path, p.path))
			return;
	vec_push(s->env->arena, s->out, p);
}

static enum probe_result add_file(struct search *s, const char *path, int64_t pid)
{
	const char *why, *runs;

	runs = is_regular(path) ? interpreter(s->env->arena, path) : NULL;
	path = runs ? runs : path;
	why = why_not(s->env, path);
	if (!why) {
		add_program(s, (struct program){ .path = path, .pid = pid });
		return PROBE_OK;
	}
	if (!s->quiet)
		diag_error(s->env->diag, TAG_ELF, probe_arg_span(s->c), "cannot probe %s: %s", path,
			   why);
	return PROBE_NOMATCH;
}

/* ---- patterns ---- */

static void add_matches(struct search *s, const char *pattern)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *path = program_real(s->env->arena, g.gl_pathv[i]);

		if (path && !why_not(s->env, path))
			add_program(s, (struct program){ .path = path });
	}
	globfree(&g);
}

static enum probe_result find_pattern(struct search *s)
{
	const char *dirs = path_list(), *dir;

	if (strchr(s->c->str, '/'))
		add_matches(s, s->c->str);
	else
		while (next_folder(s->env->arena, &dirs, &dir))
			if (*dir)
				add_matches(s, arena_printf(s->env->arena, "%s/%s", dir, s->c->str));
	if (s->out->n)
		return PROBE_OK;
	if (!s->quiet)
		diag_error(s->env->diag, TAG_FILE, probe_arg_span(s->c),
			   "no program or library matches \"%s\"%s", s->c->str,
			   strchr(s->c->str, '/') ? "" : " in PATH");
	return PROBE_NOMATCH;
}

/* ---- names ---- */

static enum probe_result no_file(struct search *s)
{
	const char *name = s->c->str;

	if (s->quiet)
		return PROBE_NOMATCH;
	if (strchr(name, '/')) {
		diag_error(s->env->diag, TAG_FILE, probe_arg_span(s->c), "cannot find \"%s\": %s",
			   name, strerror(errno));
	} else if (program_is_build_id(name)) {
		diag_error(s->env->diag, TAG_FILE, probe_arg_span(s->c),
			   "no program or library with the build id %s is running or installed", name);
		diag_hint(s->env->diag,
			  "with DEBUGINFOD_URLS set, \"debuginfod-find executable %s\" may fetch it: then name the file",
			  name);
	} else {
		diag_error(s->env->diag, TAG_FILE, probe_arg_span(s->c),
			   "found no program \"%s\" in PATH: %s", name,
			   getenv("PATH") ? getenv("PATH") : "(not set)");
		diag_hint(s->env->diag, "write the path with a '/' in it: process(\"./%s\")", name);
	}
	return PROBE_NOMATCH;
}

static enum probe_result find_name(struct search *s)
{
	struct arena *a = s->env->arena;
	const char *name = s->c->str, *path;
	text_vec libraries = { 0 };

	if (!*name) {
		diag_error(s->env->diag, TAG_PROBE_ARG, probe_arg_span(s->c), "this names no program");
		return PROBE_BAD;
	}
	errno = ENOENT;
	path = find_program(a, name);
	if (!path && probe_is_glob(name))
		return find_pattern(s);
	if (!path && !strchr(name, '/') && strstr(name, ".so")) {
		program_libraries(a, NULL, 0, name, &libraries);
		path = libraries.n ? libraries.v[0] : NULL;
	}
	if (!path && program_is_build_id(name))
		path = program_by_build_id(a, name);
	return path ? add_file(s, path, 0) : no_file(s);
}

/* ---- processes ---- */

/* The first word of a command line without its quotes; NULL when only a shell knows what it means. */
static const char *first_word(struct arena *a, const char *command)
{
	char *word = arena_alloc(a, strlen(command) + 1), *to = word, quote = 0;

	for (command += strspn(command, " \t\n"); *command; command++) {
		char c = *command;

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			continue;
		}
		if (!quote && strchr(" \t\n;&|<>()", c))
			break;
		if (quote != '\'' && (strchr("$`", c) || (!quote && strchr("*?[=~", c))))
			return NULL;
		if (quote != '\'' && c == '\\' && command[1])
			c = *++command;
		*to++ = c;
	}
	*to = 0;
	return *word ? word : NULL;
}

static enum probe_result find_target(struct search *s)
{
	struct session *session = s->env->session;
	const char *word, *path;

	if (session->target) {
		path = program_of_pid(s->env->arena, session->target);
		if (path)
			return add_file(s, path, 0);
		if (!s->quiet)
			diag_error(s->env->diag, TAG_TARGET, s->c->at,
				   "cannot tell what process %d of -x runs: %s",
				   (int)session->target, strerror(errno));
		return PROBE_NOMATCH;
	}
	if (!session->command) {
		if (!s->quiet) {
			diag_error(s->env->diag, TAG_TARGET, s->c->at,
				   "process without a path means the target of -c or -x, and there is none");
			diag_hint(s->env->diag, "name the program: process(\"PATH\")");
		}
		return PROBE_NOMATCH;
	}
	word = first_word(s->env->arena, session->command);
	path = word ? find_program(s->env->arena, word) : NULL;
	if (path)
		return add_file(s, path, 0);
	if (!s->quiet) {
		diag_error(s->env->diag, TAG_TARGET, s->c->at,
			   "cannot tell which program the command of -c runs: %s", session->command);
		diag_hint(s->env->diag, "name the program: process(\"PATH\")");
	}
	return PROBE_NOMATCH;
}

static enum probe_result find_pid(struct search *s)
{
	const char *path;

	if (s->c->num <= 0 || s->c->num > INT32_MAX) {
		diag_error(s->env->diag, TAG_PROBE_ARG, probe_arg_span(s->c),
			   "%lld is no process id", (long long)s->c->num);
		return PROBE_BAD;
	}
	path = program_of_pid(s->env->arena, s->c->num);
	if (path)
		return add_file(s, path, s->c->num);
	if (!s->quiet)
		diag_error(s->env->diag, TAG_TARGET, probe_arg_span(s->c),
			   "cannot tell what process %lld runs: %s", (long long)s->c->num,
			   errno == ENOENT ? "there is no such process, or it is one of the kernel's"
					   : strerror(errno));
	return PROBE_NOMATCH;
}

/* ---- .library ---- */

static enum probe_result no_library(struct search *s, const program_vec *of)
{
	text_vec all = { 0 };
	const char *list = "";

	if (s->quiet)
		return PROBE_NOMATCH;
	diag_error(s->env->diag, TAG_FILE, probe_arg_span(s->c), "no library of %s matches \"%s\"",
		   probe_programs_text(s->env, of), s->c->str);
	program_libraries(s->env->arena, of->v[0].path, of->v[0].pid, "*", &all);
	for (uint32_t i = 0; i < all.n && i < 8; i++)
		list = arena_printf(s->env->arena, "%s%s%s", list, i ? ", " : "", basename(all.v[i]));
	if (all.n)
		diag_hint(s->env->diag, "it has %s%s", list, all.n > 8 ? ", ..." : "");
	else
		diag_hint(s->env->diag, "it is linked with none");
	return PROBE_NOMATCH;
}

static enum probe_result find_libraries(struct search *s, const program_vec *of)
{
	bool glob = probe_is_glob(s->c->str);

	for (uint32_t i = 0; i < of->n; i++) {
		text_vec found = { 0 };

		program_libraries(s->env->arena, of->v[i].path, of->v[i].pid, s->c->str, &found);
		for (uint32_t k = 0; k < found.n; k++) {
			struct program p = { found.v[k], of->v[i].pid ? NULL : of->v[i].path,
					     of->v[i].pid };
			const char *why = why_not(s->env, p.path);

			if (!why) {
				vec_push(s->env->arena, s->out, p);
			} else if (!glob && !s->quiet) {
				diag_error(s->env->diag, TAG_ELF, probe_arg_span(s->c),
					   "cannot probe %s: %s", p.path, why);
				return PROBE_NOMATCH;
			}
		}
	}
	return s->out->n ? PROBE_OK : no_library(s, of);
}

enum probe_result probe_programs(struct probe_env *env, const struct probe_point *pp, bool quiet,
				 program_vec *out, uint32_t *next)
{
	static enum probe_result (*const find[])(struct search *s) = {
		[PP_NOARG] = find_target, [PP_NUM] = find_pid, [PP_STR] = find_name
	};
	program_vec programs = { 0 };
	struct search s = { env, &pp->comps.v[0], quiet, &programs };
	enum probe_result r = find[s.c->arg](&s);

	*next = 1;
	if (r == PROBE_OK && pp->comps.n > 1 && !strcmp(pp->comps.v[1].name, "library")) {
		s = (struct search){ env, &pp->comps.v[1], quiet, out };
		*next = 2;
		return find_libraries(&s, &programs);
	}
	*out = programs;
	return r;
}

/* ---- sites ---- */

const struct probe_point *probe_program_point(struct probe_env *env, const struct probe_point *pp,
					      const struct program *p)
{
	struct probe_point *out = arena_new(env->arena, struct probe_point);
	struct pp_component *v = arena_alloc(env->arena, pp->comps.n * sizeof(*v));

	*out = *pp;
	memcpy(v, pp->comps.v, pp->comps.n * sizeof(*v));
	out->comps.v = v;
	if (v[0].arg != PP_NUM) {
		v[0].arg = PP_STR;
		v[0].str = p->exe ? p->exe : p->path;
	}
	if (pp->comps.n > 1 && !strcmp(v[1].name, "library"))
		v[1].str = p->path;
	return out;
}

struct probe_site probe_program_site(struct probe_env *env, const struct probe_family *fam,
				     const struct probe_point *pp, const struct program *p, uint32_t i,
				     const char *arg, const char *symbol, uint64_t offset, bool quiet)
{
	const struct probe_point *named = probe_program_point(env, pp, p);
	const char *name = probe_text_with(env, named, arg ? i : IR_NONE, arg);
	struct probe_site site = probe_site_new(fam, pp, i, name, quiet);

	site.probe.target = p->path;
	site.probe.symbol = symbol;
	site.probe.offset = offset;
	site.probe.filter_target = true;
	site.probe.exe = p->exe;
	site.probe.pid = p->pid;
	return site;
}

const char *probe_programs_text(struct probe_env *env, const program_vec *v)
{
	return v->n == 1 ? v->v[0].path : arena_printf(env->arena, "%u programs", v->n);
}
