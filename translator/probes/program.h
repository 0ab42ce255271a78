/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From process("..."), process(PID), process and .library("...") to files: what all points inside programs begin with.
 */
#ifndef SPILE_PROBES_PROGRAM_H
#define SPILE_PROBES_PROGRAM_H

#include "probes/families.h"
#include "symbols/needed.h"

struct program {
	const char *path; /* as the kernel can open it, without links */
	const char *exe; /* only processes that run this file count; NULL: all */
	int64_t pid; /* only this process; 0: all */
};
typedef VEC(struct program) program_vec;

/*
 * The files that the point's first components name; *@next: the component behind these. PROBE_OK: there is at least one, each
 * an ELF object that can be probed. Otherwise reported unless @quiet.
 */
enum probe_result probe_programs(struct probe_env *env, const struct probe_point *pp, bool quiet, program_vec *out,
				 uint32_t *next);

/* The point with the file that was found in place of what was written: for texts. */
const struct probe_point *probe_program_point(struct probe_env *env, const struct probe_point *pp,
					      const struct program *p);

/*
 * A site at a place of the program: component @i is the one to blame, @arg what its pattern resolved to (NULL: as written),
 * @symbol what is probed, for messages.
 */
struct probe_site probe_program_site(struct probe_env *env, const struct probe_family *fam, const struct probe_point *pp,
				     const struct program *p, uint32_t i, const char *arg, const char *symbol,
				     uint64_t offset, bool quiet);

/* "prog", or "3 programs", for messages. */
const char *probe_programs_text(struct probe_env *env, const program_vec *v);

/* ---- where files are ---- */

/* The file without links; NULL: there is none. */
const char *program_real(struct arena *a, const char *path);
/* The program of PATH that a shell would run; NULL: there is none. */
const char *program_in_path(struct arena *a, const char *name);
/* What a process runs or maps, in the words of our own file system; NULL with errno set. */
const char *program_of_pid(struct arena *a, int64_t pid);
/* Whether the text can be a build id, and the file of that id that is installed or running; NULL: none. */
bool program_is_build_id(const char *text);
const char *program_by_build_id(struct arena *a, const char *hex);

/* Libraries of @exe that the pattern names; where it is a plain name, one that is not linked but installed. */
void program_libraries(struct arena *a, const char *exe, int64_t pid, const char *pattern, text_vec *out);

#endif
