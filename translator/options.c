/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "parse/parse.h"

enum {
	OPT_RUNTIME = 256, OPT_COMPATIBLE, OPT_BPF, OPT_DUMP_IR, OPT_VP, OPT_COLOR, OPT_NO_DISPLAY,
	OPT_QUIET_ERRORS, OPT_DUMP_TYPES, OPT_NO_TIME_LIMITS, OPT_LDD, OPT_ALL_MODULES
};

struct option_row {
	int key; /* the short option, or an OPT_ number */
	const char *long_name; /* or NULL */
	const char *arg; /* name of the argument in the help; NULL: takes none */
	int (*set)(struct session *s, const char *arg); /* 0, or -1 after an error */
	const char *help;
};

static int bad(struct session *s, const char *hint, const char *fmt, const char *arg)
{
	const char *msg = arena_printf(&s->arena, "%s \"%s\"", fmt, arg ? arg : "");

	diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "%s", msg);
	if (hint)
		diag_hint(&s->diag, "%s", hint);
	return -1;
}

/* A whole decimal (or 0x) number within [lo, hi]. */
static int number(struct session *s, const char *what, const char *arg, long long lo, long long hi,
		  long long *out)
{
	char *end;

	errno = 0;
	*out = strtoll(arg, &end, 0);
	if (!errno && end != arg && !*end && *out >= lo && *out <= hi)
		return 0;
	return bad(s,
		   arena_printf(&s->arena, "give a whole number from %lld to %lld", lo, hi), what, arg);
}

static int set_verbose(struct session *s, const char *arg)
{
	(void)arg;
	s->verbose++;
	return 0;
}

static int set_pass_verbosity(struct session *s, const char *arg)
{
	int most = 0;

	for (const char *p = arg; *p; p++) {
		if (*p < '0' || *p > '9' || p - arg > 4)
			return bad(s, "give a digit for each pass, such as 00100", "--vp takes up to five digits, not", arg);
		most = *p - '0' > most ? *p - '0' : most;
	}
	s->verbose = most > s->verbose ? most : s->verbose;
	return 0;
}

static int set_pass(struct session *s, const char *arg)
{
	long long n;

	if (number(s, "-p takes the number of the last pass, not", arg, 1, 5, &n))
		return -1;
	s->last_pass = (int)n;
	return 0;
}

static int set_text(struct session *s, const char *arg)
{
	if (s->script_text)
		return bad(s, "add further scripts with -E", "only one script can be given: this one is too many:", arg);
	s->script_text = arg;
	return 0;
}

static int set_extra(struct session *s, const char *arg)
{
	vec_push(&s->arena, &s->extra_scripts, arg);
	return 0;
}

/* The points to list become a script of their own. */
static int set_list(struct session *s, const char *arg)
{
	if (s->script_text)
		return bad(s, "one of -e, -l and -L is given, once", "a second script:", arg);
	s->script_text = arena_printf(&s->arena, "probe %s { }", arg);
	s->list = LIST_POINTS;
	s->last_pass = 2;
	return 0;
}

static int set_list_vars(struct session *s, const char *arg)
{
	int rc = set_list(s, arg);

	s->list = LIST_VARS;
	return rc;
}

static int set_dump_types(struct session *s, const char *arg)
{
	(void)arg;
	s->list = LIST_TYPES;
	s->script_text = "";
	return 0;
}

static int set_command(struct session *s, const char *arg)
{
	s->command = arg;
	return 0;
}

static int set_target(struct session *s, const char *arg)
{
	long long n;

	if (number(s, "-x takes a process id, not", arg, 1, INT_MAX, &n))
		return -1;
	s->target = (pid_t)n;
	return 0;
}

static int set_output(struct session *s, const char *arg)
{
	s->output = arg;
	return 0;
}

static int set_object(struct session *s, const char *arg)
{
	vec_push(&s->arena, &s->objects, arg);
	return 0;
}

/* What there is to name is found when its name is wanted: libraries and modules, too. */
static int set_all_objects(struct session *s, const char *arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static int set_keep(struct session *s, const char *arg)
{
	(void)arg;
	s->keep_tmp = true;
	return 0;
}

/* Module names are C identifiers of at most 55 bytes; '-' is taken as '_', as the kernel does. */
static int set_name(struct session *s, const char *arg)
{
	char *name = arena_strdup(&s->arena, arg);
	size_t n = strlen(name);

	if (n > 3 && !strcmp(name + n - 3, ".ko"))
		name[n - 3] = 0;
	for (char *p = name; *p; p++) {
		if (*p == '-')
			*p = '_';
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *p))
			return bad(s, "use letters, digits and '_'", "not a module name:", arg);
	}
	if (!*name || (*name >= '0' && *name <= '9') || strlen(name) > 50)
		return bad(s, "start with a letter; at most 50 characters", "not a module name:", arg);
	s->module_name = name;
	s->module_name_given = true;
	return 0;
}

static int set_guru(struct session *s, const char *arg)
{
	(void)arg;
	s->guru = true;
	return 0;
}

static int set_define(struct session *s, const char *arg)
{
	vec_push(&s->arena, &s->defines, arg);
	return 0;
}

static int set_quiet_errors(struct session *s, const char *arg)
{
	(void)arg;
	s->suppress_handler_errors = true;
	return 0;
}

static int set_no_time_limits(struct session *s, const char *arg)
{
	(void)arg;
	s->suppress_time_limits = true;
	return 0;
}

/* name=value, of a name that a global can have. */
static int set_setting(struct session *s, const char *arg)
{
	size_t n = strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");

	if (!n || arg[n] != '=' || (arg[0] >= '0' && arg[0] <= '9'))
		return bad(s, "write -G NAME=VALUE", "-G takes a variable and its value, not", arg);
	vec_push(&s->arena, &s->settings, arg);
	return 0;
}

/* A SystemTap release: numbers with dots between them. */
static int set_compatible(struct session *s, const char *arg)
{
	size_t n = strspn(arg, "0123456789");
	bool ok = n > 0;

	while (ok && arg[n] == '.') {
		size_t more = strspn(arg + n + 1, "0123456789");

		ok = more > 0;
		n += more + 1;
	}
	if (!ok || arg[n])
		return bad(s, "give a release of SystemTap, such as 4.9", "--compatible takes a version, not", arg);
	if (strverscmp(arg, SPILE_LIKE) > 0)
		return bad(s, "the newest language that Spile knows is that of SystemTap " SPILE_LIKE,
			   "--compatible names a release that is not known:", arg);
	s->compatible = arg;
	return 0;
}

static int set_include(struct session *s, const char *arg)
{
	vec_push(&s->arena, &s->tapset_dirs, arg);
	return 0;
}

static int set_release(struct session *s, const char *arg)
{
	if (arg[0] == '/')
		s->kernel_build = arg;
	else
		s->release = arg;
	return 0;
}

static int set_buffer(struct session *s, const char *arg)
{
	long long n;

	if (number(s, "-s takes megabytes per CPU, not", arg, 1, 4095, &n))
		return -1;
	s->buffer_mb = (int)n;
	return 0;
}

static int set_unoptimised(struct session *s, const char *arg)
{
	(void)arg;
	s->unoptimised = true;
	return 0;
}

static int set_no_warnings(struct session *s, const char *arg)
{
	(void)arg;
	s->quiet_warnings = s->diag.no_warnings = true;
	return 0;
}

static int set_warnings_fatal(struct session *s, const char *arg)
{
	(void)arg;
	s->diag.warnings_are_errors = true;
	return 0;
}

static int set_runtime(struct session *s, const char *arg)
{
	static const struct { const char *name; enum runtime_choice rt; } names[] = {
		{ "kernel", RT_KERNEL }, { "bpf", RT_BPF }, { "user", RT_USER },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(arg, names[i].name)) {
			s->runtime = names[i].rt;
			return 0;
		}
	}
	return bad(s, "the runtimes are kernel (a module), bpf and user", "no runtime is called", arg);
}

static int set_bpf(struct session *s, const char *arg)
{
	(void)arg;
	s->runtime = RT_BPF;
	return 0;
}

static int set_dump_ir(struct session *s, const char *arg)
{
	(void)arg;
	s->dump_ir = true;
	return 0;
}

static int set_no_display(struct session *s, const char *arg)
{
	(void)arg;
	s->no_global_display = true;
	return 0;
}

static int set_color(struct session *s, const char *arg)
{
	static const char *const when[] = { "auto", "always", "never" };

	for (int i = 0; i < 3; i++) {
		if (!strcmp(arg, when[i])) {
			s->diag.color = (enum diag_color)i;
			return 0;
		}
	}
	return bad(s, "say auto, always or never", "--color does not know", arg);
}

static const struct option_row rows[] = {
	{ 'e', NULL, "SCRIPT", set_text, "run SCRIPT instead of a file" },
	{ 'E', NULL, "SCRIPT", set_extra, "add SCRIPT to the one that runs; repeatable" },
	{ 'l', NULL, "POINT", set_list, "list the probe points that match POINT, which may be a pattern" },
	{ 'L', NULL, "POINT", set_list_vars, "list them with their variables" },
	{ OPT_DUMP_TYPES, "dump-probe-types", NULL, set_dump_types, "list the kinds of probe points" },
	{ 'c', NULL, "CMD", set_command, "start CMD as the target once the probes are armed; its end ends the run" },
	{ 'x', NULL, "PID", set_target, "PID is the target" },
	{ 'o', NULL, "FILE", set_output, "write the output to FILE" },
	{ 'd', NULL, "OBJECT", set_object, "keep the symbols of a program, library or kernel module from the start; repeatable" },
	{ OPT_LDD, "ldd", NULL, set_all_objects, "symbols of libraries, too: they always are" },
	{ OPT_ALL_MODULES, "all-modules", NULL, set_all_objects, "symbols of all kernel modules: they always are" },
	{ 'v', NULL, NULL, set_verbose, "say what each pass does; repeat for more" },
	{ 'p', NULL, "NUM", set_pass, "stop after pass NUM: 1 parse, 2 elaborate, 3 translate, 4 build, 5 run" },
	{ 'g', NULL, NULL, set_guru, "guru mode: what can harm the kernel is accepted" },
	{ 'D', NULL, "NAME=N", set_define, "set a limit: MAXACTION, MAXMAPENTRIES, MAXSTRINGLEN ..." },
	{ 'G', NULL, "VAR=VALUE", set_setting, "start with another value of a global number or string; repeatable" },
	{ 'I', NULL, "DIR", set_include, "look for tapsets in DIR, too; repeatable" },
	{ 'r', NULL, "RELEASE", set_release, "build for another kernel release, or for the build tree /DIR" },
	{ 'm', NULL, "NAME", set_name, "call the module NAME and leave it in this folder" },
	{ 'k', NULL, NULL, set_keep, "keep the temporary folder" },
	{ 's', NULL, "MB", set_buffer, "size of the output buffer of each CPU" },
	{ 'u', NULL, NULL, set_unoptimised, "do not optimise" },
	{ 'w', NULL, NULL, set_no_warnings, "no warnings" },
	{ 'W', NULL, NULL, set_warnings_fatal, "warnings are errors" },
	{ OPT_RUNTIME, "runtime", "NAME", set_runtime, "kernel (a module), bpf or user; without it: the first of kernel and bpf that works here" },
	{ OPT_BPF, "bpf", NULL, set_bpf, "the same as --runtime=bpf" },
	{ OPT_DUMP_IR, "dump-ir", NULL, set_dump_ir, "print the intermediate form after pass 2 and stop" },
	{ OPT_NO_DISPLAY, "no-global-var-display", NULL, set_no_display,
	  "do not show at the end the globals that were written and never read" },
	{ OPT_QUIET_ERRORS, "suppress-handler-errors", NULL, set_quiet_errors,
	  "an error ends its handler and is counted, but not told; the session goes on" },
	{ OPT_NO_TIME_LIMITS, "suppress-time-limits", NULL, set_no_time_limits,
	  "with -g: handlers may run, and wait for locks, as long as they like" },
	{ OPT_VP, "vp", "DIGITS", set_pass_verbosity, "verbosity of each pass, a digit each" },
	{ OPT_COMPATIBLE, "compatible", "VERSION", set_compatible, "be like this release of SystemTap where later ones differ" },
	{ OPT_COLOR, "color", "WHEN", set_color, "colour messages: auto, always or never" },
	{ 'V', "version", NULL, NULL, "print the version" },
	{ 'h', "help", NULL, NULL, "print this help" },
};

#define NROWS (sizeof(rows) / sizeof(*rows))

static void print_help(void)
{
	printf("Usage: stap [options] FILE [arguments]\n"
	       "       stap [options] - [arguments]            script on standard input\n"
	       "       stap [options] -e SCRIPT [arguments]\n\n");
	for (size_t i = 0; i < NROWS; i++) {
		char name[64];
		const struct option_row *r = &rows[i];
		int n = 0;

		if (r->key < 256)
			n = snprintf(name, sizeof(name), "-%c%s", r->key, r->long_name ? ", " : "");
		if (r->long_name)
			n += snprintf(name + n, sizeof(name) - (size_t)n, "--%s", r->long_name);
		if (r->arg)
			snprintf(name + n, sizeof(name) - (size_t)n, "%s%s", r->long_name ? "=" : " ", r->arg);
		printf("  %-18s %s\n", name, r->help);
	}
	printf("\nSee stap(1) for more.\n");
}

static void print_version(void)
{
	printf("Spile %s: a SystemTap-compatible script compiler\n"
	       "runtimes: kernel module, eBPF, user space\n"
	       "Free software under the GNU General Public License, version 2 or later.\n",
	       PACKAGE_VERSION);
}

/* What getopt_long wants, made from the rows. */
static void getopt_tables(struct session *s, char *shorts, struct option **longs)
{
	struct option *l = arena_alloc(&s->arena, (NROWS + 1) * sizeof(*l));
	size_t n = 0;

	*longs = l;
	*shorts++ = ':';
	for (size_t i = 0; i < NROWS; i++) {
		if (rows[i].key < 256) {
			*shorts++ = (char)rows[i].key;
			if (rows[i].arg)
				*shorts++ = ':';
		}
		if (rows[i].long_name)
			l[n++] = (struct option){ rows[i].long_name, rows[i].arg ? required_argument : no_argument,
						  NULL, rows[i].key };
	}
	*shorts = 0;
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < NROWS; i++) {
		if (rows[i].key == key)
			return &rows[i];
	}
	return NULL;
}

static int bad_option(struct session *s, int c, char **argv)
{
	struct near_match m;

	if (c == ':')
		return bad(s, "stap --help lists what each takes", "an argument is missing after", argv[optind - 1]);
	if (optopt && optopt < 256)
		return bad(s, "stap --help lists the options; a script's argument that begins with '-' goes behind \"--\"",
			   "unknown option", arena_printf(&s->arena, "-%c", optopt));
	near_init(&m, arena_strndup(&s->arena, argv[optind - 1], strcspn(argv[optind - 1], "=")));
	for (size_t i = 0; i < NROWS; i++) {
		if (rows[i].long_name)
			near_try(&m, arena_printf(&s->arena, "--%s", rows[i].long_name));
	}
	return bad(s,
		   near_best(&m) ? arena_printf(&s->arena, "did you mean %s?", near_best(&m))
				 : "stap --help lists the options",
		   "unknown option", argv[optind - 1]);
}

static int finish(struct session *s, int argc, char **argv)
{
	if (!s->script_text) {
		if (optind >= argc) {
			diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "no script was given");
			diag_hint(&s->diag, "name a file, or write the script after -e; stap --help shows more");
			return -1;
		}
		s->script_file = argv[optind++];
	}
	s->args = argv + optind;
	s->nargs = argc - optind;
	if (defines_apply(s))
		return -1;
	if (s->command && s->target) {
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "-c and -x both name a target");
		diag_hint(&s->diag, "give one of them");
		return -1;
	}
	return 0;
}

enum options_result options_parse(struct session *s, int argc, char **argv)
{
	char shorts[2 * NROWS + 2];
	struct option *longs;
	int c, rc = 0;

	getopt_tables(s, shorts, &longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = row_of(c);

		if (c == 'h' || c == 'V') {
			(c == 'h' ? print_help : print_version)();
			return OPTIONS_DONE;
		}
		rc |= row ? row->set(s, optarg) : bad_option(s, c, argv);
	}
	if (rc || finish(s, argc, argv))
		return OPTIONS_BAD;
	return OPTIONS_RUN;
}
