/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the library's files: which folders of the search folders count, in which order, and what is in them. */
#ifndef SPILE_LIBRARY_SCAN_H
#define SPILE_LIBRARY_SCAN_H

#include <sys/types.h>

#include "parse/parse.h"

struct found_path {
	const char *path;
	const char *rel; /* files: what a second file must not be called; see scan_folders() */
	bool macros; /* files: .stpm */
	uint64_t mtime, size;
	dev_t dev;
	ino_t ino;
};

struct lib_scan {
	const struct parse_env *env;
	struct arena *arena;
	VEC(struct found_path) dirs; /* the search folders come first, in their order */
	VEC(struct found_path) files;
	uint64_t newest; /* latest of the times of all that was found */
};

/* False after an error in env->diag: a search folder that cannot be read. */
bool scan_folders(struct lib_scan *s, const char *const *dirs, int ndirs)
	__attribute__((warn_unused_result));

#endif
