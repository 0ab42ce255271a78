/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap: the five passes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "elaborate/elaborate.h"
#include "facts.h"
#include "launch.h"
#include "options.h"
#include "pass.h"
#include "probes/probes.h"
#include "symbols/symbols.h"

/* What the passes hand on. */
struct compile {
	struct session *s;
	const struct backend *backend;
	bool refused; /* no backend can be used; the error is reported */
	struct target_facts facts;
	struct parse_env env;
	bool *arg_used;
	struct library *library;
	struct symbols *symbols;
	bool no_library; /* it cannot be read; the error is reported */
	VEC(struct ast_file *) files;
	struct elab *elab;
	struct ir_module *ir;
	struct artifact artifact;
};

/* ---- the runtime ---- */

static const struct backend *const backends[] = {
	[RT_KERNEL] = &backend_lkm, [RT_BPF] = &backend_bpf, [RT_USER] = &backend_user,
};

/* The module where modules can be built and loaded, else eBPF; says which and why when it is not the first. */
static const struct backend *choose_automatically(struct session *s)
{
	const char *no_module, *no_bpf;

	if (s->last_pass < 5 || s->foreign_kernel || s->dump_ir)
		return backends[RT_KERNEL];
	no_module = backends[RT_KERNEL]->unusable(s);
	if (!no_module) {
		if (s->verbose)
			fprintf(stderr, "Runtime: kernel (a module).\n");
		return backends[RT_KERNEL];
	}
	no_bpf = backends[RT_BPF]->unusable(s);
	if (!no_bpf) {
		fprintf(stderr, "Runtime: bpf, because no module can be used here: %s.\n", no_module);
		return backends[RT_BPF];
	}
	diag_error(&s->diag, geteuid() ? TAG_NOT_ROOT : TAG_NO_RUNTIME, SPAN_NONE,
		   "no runtime that can probe works here");
	diag_note(&s->diag, SPAN_NONE, "kernel: %s", no_module);
	diag_note(&s->diag, SPAN_NONE, "bpf: %s", no_bpf);
	diag_hint(&s->diag, "%sscripts of begin, end and timer probes run with --runtime=user",
		  geteuid() ? "run stap as root; " : "");
	return NULL;
}

static const struct backend *choose_backend(struct session *s)
{
	const struct backend *b;
	const char *why;

	if (s->runtime == RT_AUTO)
		return choose_automatically(s);
	b = backends[s->runtime];
	if (s->last_pass < 5 || s->dump_ir || s->foreign_kernel)
		return b;
	why = b->unusable(s);
	if (!why)
		return b;
	diag_error(&s->diag, geteuid() ? TAG_NOT_ROOT : TAG_NO_RUNTIME, SPAN_NONE,
		   "the %s runtime does not work here: %s", b->name, why);
	if (geteuid())
		diag_hint(&s->diag, "run stap as root");
	return NULL;
}

/* Chosen when first asked for: a script's conditionals may depend on it. */
static const struct backend *need_backend(struct compile *c)
{
	if (!c->backend && !c->refused)
		c->backend = choose_backend(c->s);
	c->refused = !c->backend;
	return c->backend;
}

static const char *runtime_name(void *arg)
{
	const struct backend *b = need_backend(arg);

	return b ? b->name : "none";
}

/* ---- pass 1 ---- */

static struct library *need_library(struct compile *c)
{
	struct session *s = c->s;

	if (!c->library && !c->no_library && need_backend(c))
		c->library = library_open(&c->env, s->tapset_dirs.v, (int)s->tapset_dirs.n, s->cache_dir);
	c->no_library = !c->library;
	return c->library;
}

static const struct pp_macro *find_macro(void *arg, const char *name)
{
	struct compile *c = arg;
	struct library *l;

	if (!strcmp(name, "@MAXSTRINGLEN"))
		return macro_number(&c->env, name, c->s->limits.maxstringlen);
	l = need_library(c);
	return l ? library_macro(l, name) : NULL;
}

static void near_macro(void *arg, struct near_match *near)
{
	struct library *l = need_library(arg);

	if (l)
		library_near_macro(l, near);
}

static struct source *read_script(struct session *s)
{
	struct buf text;
	struct source *src = NULL;
	int rc;

	if (s->script_text)
		return source_new(&s->arena, "<input>", s->script_text, strlen(s->script_text));
	buf_init(&text);
	if (!strcmp(s->script_file, "-"))
		rc = buf_read_stream(&text, stdin);
	else
		rc = buf_read_file(&text, s->script_file);
	if (rc) {
		diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot read the script %s: %s", s->script_file,
			   strerror(-rc));
		diag_hint(&s->diag, "check the path, or write the script itself after -e");
	} else {
		src = source_new(&s->arena, strcmp(s->script_file, "-") ? s->script_file : "<input>",
				 arena_strndup(&s->arena, text.p ? text.p : "", text.len), text.len);
	}
	buf_fini(&text);
	return src;
}

static void warn_unused_args(struct compile *c)
{
	for (int i = 0; i < c->s->nargs; i++) {
		if (!c->arg_used[i])
			diag_warning(&c->s->diag, TAG_UNUSED_ARG, SPAN_NONE,
				     "unused command line option $%d/@%d", i + 1, i + 1);
	}
}

static int pass_parse(struct compile *c)
{
	struct session *s = c->s;
	struct source *src = read_script(s);
	struct pass_clock clock;
	uint32_t nlib = 0;

	if (!src)
		return -1;
	pass_start(&clock);
	c->arg_used = arena_alloc(&s->arena, (size_t)s->nargs + 1);
	facts_init(&c->facts, s, runtime_name, c);
	c->env = (struct parse_env){ .arena = &s->arena, .names = &s->names, .diag = &s->diag, .argc = s->nargs,
				     .argv = s->args, .arg_used = c->arg_used, .privileged = s->guru,
				     .facts = &c->facts.facts, .compatible = s->compatible,
				     .find_macro = find_macro, .near_macro = near_macro, .macro_arg = c };
	vec_push(&s->arena, &c->files, parse_file(&c->env, src));
	for (uint32_t i = 0; i < s->extra_scripts.n; i++) {
		const char *text = s->extra_scripts.v[i];

		src = source_new(&s->arena, arena_printf(&s->arena, "<input%u>", i + 1), text, strlen(text));
		vec_push(&s->arena, &c->files, parse_file(&c->env, src));
	}
	if (s->diag.errors)
		return -1;
	if (s->last_pass > 1) {
		if (!need_library(c))
			return -1;
		library_need_for(c->library, c->files.v, c->files.n);
		library_files(c->library, &nlib);
	}
	warn_unused_args(c); /* a library file that the script uses may take them, too */
	pass_end(s, &clock, 1, true, "parsed user script and %u library script%s", nlib, nlib == 1 ? "" : "s");
	return s->diag.errors ? -1 : 0;
}

static void print_parsed(struct compile *c)
{
	struct buf b;

	buf_init(&b);
	for (uint32_t i = 0; i < c->files.n; i++)
		ast_print_file(&b, c->files.v[i]);
	fwrite(b.p, 1, b.len, stdout);
	buf_fini(&b);
}

/* ---- pass 2 ---- */

static const struct { const char *name; void (*run)(struct ir_module *m); bool optimising; } ir_passes[] = {
	{ "fold", ir_fold, true },
	{ "dce", ir_dce, true },
	{ "analyse", ir_analyse, false },
};

static int verify(struct compile *c, const char *after)
{
	const char *wrong = ir_verify(c->ir);

	if (wrong)
		diag_internal(&c->s->diag, SPAN_NONE, "the intermediate form is wrong after %s: %s", after, wrong);
	return wrong ? -1 : 0;
}

static int run_ir_passes(struct compile *c)
{
	const char *refused;
	uint32_t probe = 0;

	if (verify(c, "lowering"))
		return -1;
	if (!c->backend->relocates)
		ir_fix_layouts(c->ir);
	for (size_t i = 0; i < sizeof(ir_passes) / sizeof(*ir_passes); i++) {
		if (ir_passes[i].optimising && c->s->unoptimised)
			continue;
		ir_passes[i].run(c->ir);
		if (verify(c, ir_passes[i].name))
			return -1;
	}
	ir_late(c->ir);
	if (verify(c, "names"))
		return -1;
	if (!c->s->unoptimised && elab_drop_empty(c->elab, c->ir))
		return -1;
	refused = ir_place(c->ir, c->backend->sides, &probe);
	if (refused) {
		diag_error(&c->s->diag, TAG_RUNTIME, elab_probe_at(c->elab, probe), "%s", refused);
		return -1;
	}
	ir_locks(c->ir);
	if (c->backend->prepare)
		c->backend->prepare(c->s, c->ir);
	return verify(c, "preparing for the runtime");
}

static struct elab_input elab_input_of(const struct compile *c)
{
	return (struct elab_input){ .session = c->s, .library = c->library, .symbols = c->symbols, .files = c->files.v,
				    .nfiles = c->files.n, .sides = c->backend->sides, .backend = c->backend->name };
}

static int pass_elaborate(struct compile *c)
{
	struct session *s = c->s;
	struct elab_input in = elab_input_of(c);
	struct pass_clock clock;
	struct elab_count n;

	pass_start(&clock);
	c->elab = elaborate(&in);
	if (!c->elab || s->diag.errors)
		return -1;
	c->ir = lower(c->elab);
	c->ir->name = s->module_name;
	c->ir->limits = s->limits;
	if (run_ir_passes(c) || s->diag.errors)
		return -1;
	n = elab_counts(c->elab);
	pass_end(s, &clock, 2, true, "analyzed script: %u probe%s, %u function%s, %u embed%s, %u global%s", n.probes,
		 n.probes == 1 ? "" : "s", n.functions, n.functions == 1 ? "" : "s", n.embeds,
		 n.embeds == 1 ? "" : "s", n.globals, n.globals == 1 ? "" : "s");
	return 0;
}

/* What stands for pass 2 under -l and -L. 0: something matched. */
static int list_points(struct compile *c)
{
	struct session *s = c->s;
	struct elab_input in = elab_input_of(c);
	struct buf out;
	bool any;

	buf_init(&out);
	any = elab_list(&in, s->list == LIST_VARS, &out);
	fwrite(out.p ? out.p : "", 1, out.len, stdout);
	buf_fini(&out);
	return any ? 0 : 1;
}

static void print_elaborated(struct compile *c)
{
	struct buf b;

	buf_init(&b);
	if (c->s->dump_ir)
		ir_print(&b, c->ir);
	else
		elab_print(&b, c->elab);
	fwrite(b.p, 1, b.len, stdout);
	buf_fini(&b);
}

/* ---- passes 3 to 5 ---- */

static int pass_translate(struct compile *c)
{
	struct pass_clock clock;

	pass_start(&clock);
	if (c->backend->translate(c->s, c->ir, &c->artifact))
		return -1;
	pass_end(c->s, &clock, 3, true, c->backend->pass3_text,
		 c->artifact.code_path ? c->artifact.code_path : c->s->module_name);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int pass_build(struct compile *c)
{
	struct pass_clock clock;

	pass_start(&clock);
	if (c->backend->build(c->s, c->ir, &c->artifact))
		return -1;
	pass_end(c->s, &clock, 4, false, c->backend->pass4_text, base_name(c->artifact.path));
	return 0;
}

/* What -m or -p4 keeps: in this folder under its name, else in the cache. Prints the path for -p4. */
static int keep_object(struct compile *c)
{
	struct session *s = c->s;
	const char *dir = s->module_name_given || !s->cache_dir ? "." : arena_printf(&s->arena, "%s/objects", s->cache_dir);
	const char *to = arena_printf(&s->arena, "%s/%s%s", dir, s->module_name, c->backend->suffix);
	struct buf b;
	int rc;

	if (strcmp(dir, "."))
		session_prune_objects(dir);
	else
		to += 2;
	buf_init(&b);
	rc = buf_read_file(&b, c->artifact.path);
	if (!rc)
		rc = buf_write_file(&b, to);
	buf_fini(&b);
	if (rc) {
		diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot write %s: %s", to, strerror(-rc));
		return -1;
	}
	if (s->last_pass == 4)
		puts(to);
	return 0;
}

static int pass_run(struct compile *c)
{
	struct pass_clock clock;
	int status;

	if (c->s->verbose)
		fprintf(stderr, "Pass 5: starting run.\n");
	pass_start(&clock);
	status = launch_staprun(c->s, c->artifact.path);
	pass_end(c->s, &clock, 5, false, "run completed");
	if (status)
		fprintf(stderr, "Pass 5: run failed.  [man error::pass5]\n");
	return status ? -1 : 0;
}

/* ---- the pipeline ---- */

static const char *const pass_names[] = { "", "parse", "analysis", "translation", "compilation" };

static int failed(struct session *s, int pass)
{
	diag_flush(&s->diag, stderr);
	fprintf(stderr, "Pass %d: %s failed.  [man error::pass%d]\n", pass, pass_names[pass], pass);
	return 1;
}

static void parse_errors(struct session *s)
{
	unsigned int n = s->diag.errors;

	diag_flush(&s->diag, stderr);
	fprintf(stderr, "%u parse error%s.\n", n, n == 1 ? "" : "s");
}

static int compile(struct compile *c)
{
	struct session *s = c->s;

	if (pass_parse(c)) {
		if (c->refused)
			return 1;
		if (c->files.n)
			parse_errors(s);
		return failed(s, 1);
	}
	if (s->last_pass == 1) {
		print_parsed(c);
		return 0;
	}
	c->symbols = symbols_new(s);
	if (s->list)
		return list_points(c);
	if (pass_elaborate(c))
		return failed(s, 2);
	if (s->last_pass == 2 || s->dump_ir) {
		print_elaborated(c);
		return 0;
	}
	if (pass_translate(c))
		return failed(s, 3);
	if (s->last_pass == 3) {
		fwrite(c->artifact.code.p, 1, c->artifact.code.len, stdout);
		return 0;
	}
	if (pass_build(c))
		return failed(s, 4);
	if ((s->last_pass == 4 || s->module_name_given) && keep_object(c))
		return failed(s, 4);
	if (s->last_pass == 4)
		return 0;
	diag_flush(&s->diag, stderr);
	return pass_run(c) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct session s;
	struct compile c = { .s = &s };
	enum options_result o;
	int status;

	session_init(&s);
	buf_init(&c.artifact.code);
	o = options_parse(&s, argc, argv);
	if (o == OPTIONS_RUN && s.list == LIST_TYPES) {
		probe_print_types();
		o = OPTIONS_DONE;
	}
	if (o != OPTIONS_RUN || session_setup(&s)) {
		status = o == OPTIONS_DONE ? 0 : 1;
	} else {
		if (s.foreign_kernel && s.last_pass == 5) {
			diag_warning(&s.diag, TAG_OPTION, SPAN_NONE, "kernel %s is not the one that runs: stopping after pass 4",
				     s.release);
			s.last_pass = 4;
		}
		status = compile(&c);
	}
	diag_flush(&s.diag, stderr);
	if (c.library)
		library_close(c.library);
	if (c.symbols)
		symbols_close(c.symbols);
	buf_fini(&c.artifact.code);
	session_fini(&s);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "error[E-OUTPUT]: cannot write the output: %s\n", strerror(errno));
		status = 1;
	}
	return status;
}
