/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passes 1 and 2 over one text, as libFuzzer calls it: lexer, preprocessor, parser, elaborator, lowering and the
 * passes on the IR, with the verifier between them. The text is run as a script, and again as a macro library. Whatever
 * it is, it must end in a tree, in errors, or in verified IR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elaborate/elaborate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct session s;
	struct parse_facts facts;
	struct parse_env env;
	struct library *library;
};

static char *script_args[] = { "1", "two", "kernel.function(\"x\")", "%( 1 == 1 %? @count(" };
static char cache[] = "/tmp/spile-fuzz-XXXXXX";

static void remove_cache(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", cache);
	if (system(command))
		perror(cache);
}

static const char *runtime_name(void *arg)
{
	(void)arg;
	return "user";
}

static const char *config_value(void *arg, const char *name)
{
	(void)arg;
	return strlen(name) % 2 ? "y" : "250";
}

static const struct pp_macro *find_macro(void *arg, const char *name)
{
	struct run *r = arg;

	return r->library ? library_macro(r->library, name) : NULL;
}

static void near_macro(void *arg, struct near_match *near)
{
	struct run *r = arg;

	if (r->library)
		library_near_macro(r->library, near);
}

/* A kernel that is not there: no look-up leaves this program but for files that the text itself names. */
static void run_init(struct run *r, bool guru, const char *compatible)
{
	struct session *s = &r->s;
	const char *tapsets = getenv("SPILE_TAPSET_DIR");

	memset(r, 0, sizeof(*r));
	arena_init(&s->arena);
	strtab_init(&s->names, &s->arena);
	diag_init(&s->diag, &s->arena);
	ir_limits_default(&s->limits);
	s->diag.color = COLOR_NEVER;
	s->module_name = "fuzz";
	s->release = "1.2.3-none";
	s->kernel_build = "/nonexistent";
	s->foreign_kernel = true;
	s->guru = guru;
	s->last_pass = 2;
	s->compatible = compatible;
	r->facts = (struct parse_facts){ .kernel_vr = s->release, .kernel_v = "1.2.3", .arch = "x86_64",
					 .privilege = "stapdev", .guru = guru, .runtime = runtime_name,
					 .config = config_value, .arg = r };
	r->env = (struct parse_env){ .arena = &s->arena, .names = &s->names, .diag = &s->diag,
				     .argc = sizeof(script_args) / sizeof(*script_args),
				     .argv = script_args, .privileged = guru, .facts = &r->facts,
				     .compatible = compatible, .find_macro = find_macro,
				     .near_macro = near_macro, .macro_arg = r };
	if (tapsets)
		r->library = library_open(&r->env, &tapsets, 1, cache);
}

static void run_fini(struct run *r)
{
	library_close(r->library);
	strtab_fini(&r->s.names);
	arena_fini(&r->s.arena);
}

static void must_verify(struct ir_module *m, const char *after)
{
	const char *wrong = ir_verify(m);

	if (!wrong)
		return;
	fprintf(stderr, "the intermediate form is wrong after %s: %s\n", after, wrong);
	abort();
}

static void run_script(struct run *r, const char *text, size_t size)
{
	struct session *s = &r->s;
	struct ast_file *f = parse_file(&r->env, source_new(&s->arena, "input", text, size));
	struct elab_input in = { .session = s, .library = r->library, .files = &f, .nfiles = 1,
				 .sides = SIDE_U, .backend = "user" };
	struct ir_module *m;
	struct elab *e;
	struct buf b;

	buf_init(&b);
	ast_print_file(&b, f);
	buf_fini(&b);
	if (s->diag.errors || !r->library)
		return;
	library_need_for(r->library, &f, 1);
	e = elaborate(&in);
	if (!e || s->diag.errors)
		return;
	m = lower(e);
	m->name = s->module_name;
	m->limits = s->limits;
	must_verify(m, "lowering");
	ir_fold(m);
	must_verify(m, "folding");
	ir_dce(m);
	must_verify(m, "dead code");
	ir_analyse(m);
	must_verify(m, "analysis");
}

static void flush(struct run *r, FILE *out)
{
	diag_flush(&r->s.diag, out);
	if (r->s.diag.errors > 10000) {
		fprintf(stderr, "%u errors for one text\n", r->s.diag.errors);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *out;
	macro_vec macros = { 0 };
	struct run r;

	if (!out) {
		out = fopen("/dev/null", "w");
		setenv("SPILE_KERNEL_ROOT", "/nonexistent", 1);
		if (!out || !mkdtemp(cache))
			abort();
		atexit(remove_cache);
	}
	run_init(&r, size % 2, size % 3 ? NULL : "1.8");
	run_script(&r, (const char *)data, size);
	flush(&r, out);
	run_fini(&r);
	run_init(&r, true, NULL);
	parse_macros(&r.env, source_new(&r.s.arena, "input.stpm", (const char *)data, size), &macros);
	flush(&r, out);
	run_fini(&r);
	return 0;
}
