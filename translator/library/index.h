/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library's index: which file defines which name. One block of memory, the same on disk as in use:
 *
 *	header, folders, files, names (sorted by kind and name), references (file numbers), strings
 *
 * Places in it are counted from its start, in bytes, 8-byte aligned. It is host-endian and only read by the user
 * who wrote it; a damaged one is detected by its sum and built again.
 */
#ifndef SPILE_LIBRARY_INDEX_H
#define SPILE_LIBRARY_INDEX_H

#include <sys/stat.h>

#include "base/buf.h"
#include "library.h"

struct index_header {
	char magic[8];
	uint32_t version, size; /* size: of everything */
	uint64_t sum; /* over all that follows */
	uint32_t ndirs, nfiles, nnames, nrefs;
	uint32_t nroots; /* the first folders: those the caller named, in its order */
	uint32_t strings; /* where the strings start; the rest follows from the counts */
};

/* A folder or file as it was when the index was built. */
struct index_path {
	uint64_t mtime; /* nanoseconds */
	uint64_t size; /* 0 for folders */
	uint32_t path; /* string */
	uint32_t pad;
};

struct index_name {
	uint32_t kind; /* enum lib_kind */
	uint32_t name; /* string */
	uint32_t first, n; /* references */
};

struct lib_index {
	const char *base; /* NULL: none */
	size_t size;
	bool mapped; /* else on the heap */
	const struct index_header *h;
	const struct index_path *dirs, *files;
	const struct index_name *names;
	const uint32_t *refs;
};

void index_fini(struct lib_index *x);
const char *index_str(const struct lib_index *x, uint32_t at);
/* The name's row, or NULL. */
const struct index_name *index_find(const struct lib_index *x, enum lib_kind kind,
				    const char *name);
/* Rows of a kind: [*first, *end). */
void index_range(const struct lib_index *x, enum lib_kind kind, uint32_t *first, uint32_t *end);

/* Maps the file if it is whole and every folder and file is as it was. */
bool index_load(struct lib_index *x, const char *path, const char *const *dirs, int ndirs)
	__attribute__((warn_unused_result));
/* Takes over the bytes of @b, which index_build() made. */
void index_adopt(struct lib_index *x, struct buf *b);
/* The sum that a header over these @size bytes must hold. */
uint64_t index_sum(const char *base, size_t size);
uint64_t index_mtime(const struct stat *st); /* nanoseconds */

/*
 * Scans the folders and parses every file. False after an error in env->diag. *@keep says whether the result may
 * be saved: not when a file was skipped, whose warning is due again, nor when something changed
 * so recently that its time stamp could stay the same if it changed once more.
 */
bool index_build(struct buf *out, const struct parse_env *env, const char *const *dirs, int ndirs,
		 bool *keep) __attribute__((warn_unused_result));
/* The folder of programs that a library file is about: /usr/bin for LIB/PATH/usr/bin/x.stp; else NULL. */
const char *library_program_dir(struct arena *a, const char *path);
/* Reports a file that is left out and why. */
void index_report_broken(const struct parse_env *env, const char *path, const struct diag *errors);

#define INDEX_MAGIC "SPILEIDX"
#define INDEX_VERSION 2u

#endif
