/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Script text and places in it. */
#ifndef SPILE_BASE_SOURCE_H
#define SPILE_BASE_SOURCE_H

#include <stdbool.h>

#include "arena.h"

struct source {
	const char *name; /* as messages show it: a path, or <input>, <input1> ... */
	const char *text; /* NUL-terminated */
	uint32_t len;
	bool library; /* a tapset file: privileged, errors in it are not the user's */
	uint32_t *line_start; /* offsets, built on first use */
	uint32_t nlines;
	struct expansion *expansion; /* the same text again, as a use of a macro shows it; else NULL */
};

/* A stretch of a source; src is NULL for what has no place in a text. */
struct span {
	struct source *src;
	uint32_t off, len;
};

/* The use of a macro that put text of @root where it is read. */
struct expansion {
	struct source *root; /* as it was read; no expansion itself */
	const char *macro; /* "@name" */
	struct span use; /* may itself lie in an expansion */
};

#define SPAN_NONE ((struct span){ 0 })

struct source *source_new(struct arena *a, const char *name, const char *text, size_t len);
/*
 * The text that @src holds, seen through a use of the macro: places in it read as in @src, and messages about them
 * tell where they were used.
 */
struct source *source_expand(struct arena *a, struct source *src, const char *macro,
			     struct span use);
/* 1-based line and column (in bytes) of an offset. */
void source_pos(struct arena *a, struct source *s, uint32_t off, uint32_t *line, uint32_t *col);
/* "file:line:col" in the arena; "<builtin>" for SPAN_NONE. */
const char *span_str(struct arena *a, struct span s);
struct span span_join(struct span first, struct span last);

#endif
