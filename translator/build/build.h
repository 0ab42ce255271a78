/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a script's C to a kernel module. The fast road compiles the script alone, with no kernel
 * header, and links it with a runtime that kbuild made once for this kernel; the long road lets
 * kbuild make everything.
 */
#ifndef SPILE_BUILD_BUILD_H
#define SPILE_BUILD_BUILD_H

#include "session.h"

/*
 * The module @out from the C file @c_path, both in session->tmp_dir. @embed_path: C of the script's
 * own, which needs the long road, or NULL. 0, or -1 after errors in
 * session->diag.
 */
int build_module(struct session *s, const char *c_path, const char *embed_path, const char *out)
	__attribute__((warn_unused_result));

/* ---- shared by the files of build/ ---- */

/* A kernel's build tree. */
struct kernel_tree {
	const char *dir; /* real path */
	const char *version; /* its UTS_VERSION */
	const char *compiler; /* path of the compiler it was made with, or of one that may do */
};
/* 0, or -1 after E-NO-HEADERS or E-BUILD. */
int tree_open(struct session *s, struct kernel_tree *t) __attribute__((warn_unused_result));
/* Path of a program, or NULL. */
const char *find_program(struct arena *a, const char *name);

typedef VEC(const char *) words;

/*
 * Runs a program, output to @log. 0: it succeeded; a positive exit status (128 + signal); or -errno
 * when it could not be started.
 */
int command_run(struct session *s, const words *argv, const char *cwd, const char *log)
	__attribute__((warn_unused_result));
/* An error about a failed command: what failed, and the first lines of its output as a note. */
void command_report(struct session *s, enum diag_tag tag, const char *what, int status,
		    const char *log);

/*
 * The shell commands of a kbuild .cmd file as words; ';' is a word of its own. -1: no such file, or
 * not understood.
 */
int cmdfile_read(struct arena *a, const char *path, words *out) __attribute__((warn_unused_result));
/* Splits as a shell would: blanks, quotes, backslashes, ';'. -1: an open quote. */
int shell_split(struct arena *a, const char *text, words *out) __attribute__((warn_unused_result));

/* How to make a module of a script with one kernel's runtime; saved beside it. */
struct recipe {
	words cc; /* compile: then -I DIR -o OUT IN */
	words objtool; /* empty: this kernel uses none; then OBJECT */
	words ld; /* then -o OUT OBJECTS */
	const char *cwd; /* where objtool and ld run */
	VEC(const char *) more; /* further objects that kbuild links into every module */
	const char *placeholder; /* the module's name in mod.o */
	bool objtool_links; /* objtool wants to see linked objects (IBT, LTO) */
};
int recipe_make(struct session *s, const struct kernel_tree *t, const char *dir, struct recipe *r)
	__attribute__((warn_unused_result));
/* @sum: of the objects that belong to it, to notice damage. */
int recipe_save(struct arena *a, const struct recipe *r, const char *path, uint64_t sum)
	__attribute__((warn_unused_result));
int recipe_load(struct arena *a, struct recipe *r, const char *path, uint64_t *sum)
	__attribute__((warn_unused_result));

/* The runtime for a kernel: from the cache, or built. */
struct kernel_runtime {
	const char *dir; /* abi.h, runtime.o, mod.o, recipe */
	struct recipe recipe;
};
int runtime_get(struct session *s, const struct kernel_tree *t, struct kernel_runtime *rt)
	__attribute__((warn_unused_result));
/* Copies the runtime's sources to a folder. */
int runtime_copy_sources(struct session *s, const char *to) __attribute__((warn_unused_result));
/* Lists for stub.c which symbols that a compiler may refer to this kernel exports. */
int runtime_write_syms(struct session *s, const struct kernel_tree *t, const char *dir)
	__attribute__((warn_unused_result));
/* make in the kernel's tree for the folder @dir. @extra: more arguments, or NULL. */
int runtime_make(struct session *s, const struct kernel_tree *t, const char *dir,
		 const words *extra, const char *log) __attribute__((warn_unused_result));

/* Puts the module's real name into mod.o. 0, or -errno. */
int modobj_rename(const char *from, const char *to, const char *placeholder, const char *name)
	__attribute__((warn_unused_result));

/* 64-bit FNV-1a, continued. */
#define HASH_START 0xcbf29ce484222325ull
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);
uint64_t hash_str(uint64_t h, const char *s);

#endif
