/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tapset library, parsed on demand. An index (name -> file) is kept in the user's cache folder,
 * refreshed when a file of the library changes, rebuilt when it is damaged, and replaced atomically so
 * that two runs at once are safe. Only the files that hold a wanted name are opened.
 */
#ifndef SPILE_LIBRARY_LIBRARY_H
#define SPILE_LIBRARY_LIBRARY_H

#include "parse/parse.h"

enum lib_kind { LIB_FUNCTION, LIB_GLOBAL, LIB_ALIAS, LIB_MACRO };

struct library;

/*
 * Where files are looked for in each of @dirs, env->facts deciding: RUNTIME/RELEASE/ARCH below it, then with one or more
 * of the three left out, the more special first, then the folder itself with all its other folders. Releases are
 * 6.1.0-9-amd64, 6.1.0, 6.1. Of files with the same name below their search folder the first one counts, so a file for a
 * release takes the place of the general one. A file PATH/usr/bin/x.stp below it means programs of
 * /usr/bin by process("x").
 *
 * @dirs: search folders, earlier ones first (-I folders, then the installed tapset folder). @cache: folder of
 * the index, created when missing; NULL or not writable: the index is built in memory. Returns NULL after an
 * error in env->diag (a folder that cannot be read).
 */
struct library *library_open(struct parse_env *env, const char *const *dirs, int ndirs,
			     const char *cache);
void library_close(struct library *l);

/*
 * Parses (once) every library file that defines @name as @kind; an alias is looked up by its first component. The
 * files parsed so far are library_files(). True when some file defines it.
 */
bool library_need(struct library *l, enum lib_kind kind, const char *name);

/*
 * The macro @name ("@x", interned) of the .stpm files, or NULL. Two definitions are an error (E-DUPLICATE). What
 * parse_env's find_macro and near_macro need.
 */
const struct pp_macro *library_macro(struct library *l, const char *name);
void library_near_macro(struct library *l, struct near_match *near);

/* Files parsed so far, in order; the vector grows with library_need(). */
struct ast_file *const *library_files(const struct library *l, uint32_t *n);

/* Parses every library file that these scripts, and in turn those files, refer to: the work of pass 1. */
void library_need_for(struct library *l, struct ast_file *const *files, uint32_t nfiles);

/* Every name of a kind, for "did you mean" and for wildcards over aliases. Stops when @fn returns false. */
void library_each(struct library *l, enum lib_kind kind, bool (*fn)(const char *name, void *arg),
		  void *arg);

#endif
