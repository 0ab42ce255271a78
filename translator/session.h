/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and shared services of one run of stap; read-only once the options are parsed. */
#ifndef SPILE_SESSION_H
#define SPILE_SESSION_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/strtab.h"
#include "ir/ir.h"

enum runtime_choice { RT_AUTO, RT_KERNEL, RT_BPF, RT_USER };

/* What is listed in place of a script's run. */
enum list_what { LIST_NOTHING, LIST_POINTS, LIST_VARS, LIST_TYPES };

struct session {
	struct arena arena; /* lives as long as the run */
	struct strtab names;
	struct diag diag;

	/* script */
	const char *script_file; /* "-" for stdin; NULL with -e */
	enum list_what list;
	const char *script_text; /* -e */
	VEC(const char *) extra_scripts; /* -E */
	char **args; /* script arguments */
	int nargs;

	/* what to do */
	enum runtime_choice runtime;
	int last_pass; /* -p, 5 */
	int verbose; /* number of -v */
	bool guru, unoptimised, keep_tmp, dump_ir, quiet_warnings;
	bool no_global_display; /* of globals that were written and never read */
	const char *module_name; /* -m or generated */
	bool module_name_given;
	const char *compatible; /* --compatible VERSION; NULL: SystemTap's newest language */
	const char *output; /* -o */
	const char *command; /* -c */
	pid_t target; /* -x */
	int buffer_mb; /* -s; 0: default */
	VEC(const char *) objects; /* -d: paths of files whose symbols are wanted, and names of kernel modules */
	VEC(const char *) tapset_dirs; /* -I, then the installed one */
	bool suppress_handler_errors, suppress_time_limits;
	struct ir_limits limits; /* -D */
	VEC(const char *) settings; /* every -G NAME=VALUE as given */
	VEC(const char *) defines; /* every -D NAME=VALUE as given */

	/* where things are */
	const char *release; /* kernel: -r or uname -r */
	const char *kernel_build; /* /lib/modules/RELEASE/build or -r DIR */
	bool foreign_kernel; /* -r names another kernel than the running one */
	const char *cache_dir; /* ~/.cache/spile, created; NULL when there is none */
	const char *tmp_dir; /* of this run, removed at the end unless -k */
	const char *runtime_dir; /* installed runtime-lkm sources and base/ sources they share */
	const char *staprun; /* path of the helper */
};

void session_init(struct session *s); /* defaults; before options_parse() */
/* Finds folders, kernel and names once the options are known. 0, or -1 after an error. */
int session_setup(struct session *s) __attribute__((warn_unused_result));
/* Makes the cache's folder for objects of -p4 and removes from it what is older than a week. */
void session_prune_objects(const char *dir);
void session_fini(struct session *s); /* removes the temporary folder unless -k */

#endif
