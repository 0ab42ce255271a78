/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staprun: runs what stap -p4 made. */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "staprun/image.h"
#include "staprun/loop.h"
#include "staprun/remove.h"
#include "staprun/settings.h"

#define MAXBUFFER 4095 /* MB per CPU, as in SystemTap */

enum action { ACT_RUN, ACT_REMOVE, ACT_DONE, ACT_FAIL };

static void print_help(void)
{
	puts("Usage: staprun [-v] [-w] [-c CMD] [-x PID] [-o FILE] [-b MB] OBJECT [VAR=VALUE ...]\n"
	     "       staprun -d NAME\n"
	     "\n"
	     "Runs an object that stap -p4 made: a kernel module (.ko), an eBPF object (.bo)\n"
	     "or a user-space script (.uo). VAR=VALUE gives a global number or string of the\n"
	     "script another value to start with.\n"
	     "\n"
	     "  -c CMD    start CMD once the probes are armed, end when it ends; target() is its id\n"
	     "  -x PID    target() is PID; end when that process ends\n"
	     "  -o FILE   write the output to FILE (strftime conversions are expanded)\n"
	     "  -b MB     buffer for each CPU, 1 to 4095 megabytes\n"
	     "  -S FILE   keep the symbols of FILE from the start; repeatable\n"
	     "  -w        no warnings of the script\n"
	     "  -d NAME   remove the module NAME that a killed staprun left behind\n"
	     "  -v        say more\n"
	     "  -V        version\n"
	     "  -h        this help");
}

static int bad_option(struct run *r, const char *what, const char *value)
{
	diag_error(&r->diag, TAG_OPTION, SPAN_NONE, "%s%s%s", what, value ? ": " : "",
		   value ? value : "");
	diag_hint(&r->diag, "staprun -h lists the options");
	return -1;
}

/* A whole decimal number in range. */
static int parse_number(const char *s, long lo, long hi, long *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	*out = strtol(s, &end, 10);
	return *end || *out < lo || *out > hi ? -1 : 0;
}

static enum action parse_value(struct run *r, int option, const char *value)
{
	struct run_options *opt = &r->opt;
	long n;

	switch (option) {
	case 'c':
		opt->command = value;
		return ACT_RUN;
	case 'o':
		opt->output = value;
		return ACT_RUN;
	case 'S':
		vec_push(&r->arena, &opt->objects, value);
		return ACT_RUN;
	case 'x':
		if (parse_number(value, 1, INT_MAX, &n))
			break;
		opt->target = (pid_t)n;
		return ACT_RUN;
	case 'b':
		if (parse_number(value, 1, MAXBUFFER, &n))
			break;
		opt->buffer_mb = (int)n;
		return ACT_RUN;
	}
	bad_option(r,
		   option == 'b' ? "-b takes 1 to 4095 megabytes" : "-x takes the id of a process",
		   value);
	return ACT_FAIL;
}

static enum action parse_rest(struct run *r, int argc, char **argv)
{
	if (r->opt.command && r->opt.target)
		return bad_option(r, "-c and -x exclude each other", NULL), ACT_FAIL;
	if (optind >= argc)
		return bad_option(r, "no object is given", NULL), ACT_FAIL;
	r->opt.object = argv[optind];
	while (++optind < argc) {
		if (!strchr(argv[optind], '='))
			return bad_option(r, "more than one object is given", argv[optind]),
			       ACT_FAIL;
		vec_push(&r->arena, &r->opt.settings, argv[optind]);
	}
	return ACT_RUN;
}

static enum action parse_options(struct run *r, int argc, char **argv, const char **module)
{
	char letter[3] = "-";
	int c;

	opterr = 0;
	while ((c = getopt(argc, argv, "+:vVhwc:x:o:b:d:S:")) != -1) {
		switch (c) {
		case 'v':
			r->opt.verbose++;
			continue;
		case 'w':
			r->opt.no_warnings = true;
			r->diag.no_warnings = true;
			continue;
		case 'V':
			puts("staprun, of Spile " PACKAGE_VERSION);
			return ACT_DONE;
		case 'h':
			print_help();
			return ACT_DONE;
		case 'd':
			*module = optarg;
			return ACT_REMOVE;
		case ':':
		case '?':
			letter[1] = (char)optopt;
			bad_option(r, c == ':' ? "an option lacks its value" : "unknown option",
				   letter);
			return ACT_FAIL;
		}
		if (parse_value(r, c, optarg) == ACT_FAIL)
			return ACT_FAIL;
	}
	return parse_rest(r, argc, argv);
}

/*
 * No descriptor of ours may become standard output because that was closed. Writing to it still fails, and says so.
 */
static void hold_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
	}
}

static int run_object(struct run *r)
{
	r->ops = image_runner(r);
	if (!r->ops)
		return 1;
	r->ir = run_load_image(r);
	return r->ir && !settings_apply(r) ? loop_run(r) : 1;
}

int main(int argc, char **argv)
{
	const char *module = NULL;
	struct run r = { 0 };
	int status = 1;

	hold_standard_files();
	arena_init(&r.arena);
	diag_init(&r.diag, &r.arena);
	switch (parse_options(&r, argc, argv, &module)) {
	case ACT_RUN:
		status = run_object(&r);
		break;
	case ACT_REMOVE:
		status = remove_module(&r.diag, module) ? 1 : 0;
		break;
	case ACT_DONE:
		status = 0;
		break;
	case ACT_FAIL:
		break;
	}
	diag_flush(&r.diag, stderr);
	arena_fini(&r.arena);
	if (fflush(stdout)) {
		perror("staprun");
		status = 1;
	}
	return status;
}
