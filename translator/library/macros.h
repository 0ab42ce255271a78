/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Macro libraries, each read once: the .stpm files of the search folders. */
#ifndef SPILE_LIBRARY_MACROS_H
#define SPILE_LIBRARY_MACROS_H

#include "parse/parse.h"

/* One file. Its macros live in the arena and string table of the environment that it was read with. */
struct macro_file {
	const char *path;
	macro_vec macros;
};

struct macro_files {
	struct arena *arena; /* of the list */
	VEC(struct macro_file *) files;
	VEC(const char *) reported; /* macros that were told to be defined twice */
};

/*
 * Reads the file unless that was done. Its errors are a warning in env->diag, and it then has no macros.
 * *@broken, unless NULL, says whether it had errors.
 */
const struct macro_file *macro_file_read(struct macro_files *m, const struct parse_env *env,
					 const char *path, bool *broken);
/* The one of that name in @found, which @n files may have; E-DUPLICATE when several do. */
const struct pp_macro *macro_find_one(struct macro_files *m, const struct parse_env *env,
				      const struct macro_file *const *found, uint32_t n,
				      const char *name);

#endif
