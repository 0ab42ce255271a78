/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics: collected, then rendered on stderr in order of the report:
 *
 *	error[E-UNKNOWN-FUNC]: no function "printl" with 1 argument
 *	  top.stp:3:22
 *	    probe begin { printl("x") }
 *	                  ^~~~~~
 *	  hint: did you mean println?
 *
 * Every error has a tag, a row of base/tags.def; every tag has a test that provokes it.
 * Notes and hints belong to the error or warning reported last.
 */
#ifndef SPILE_BASE_DIAG_H
#define SPILE_BASE_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "source.h"

enum diag_tag {
#define TAG(id, text) TAG_##id,
#include "tags.def"
#undef TAG
	TAG_COUNT
};

enum diag_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct diag_entry;

struct diag {
	struct arena *arena;
	struct diag_entry *head, *tail;
	unsigned int errors, warnings;
	bool no_warnings; /* -w */
	bool warnings_are_errors; /* -W */
	enum diag_color color;
	unsigned int max; /* errors rendered before the rest is only counted; 0: all */
	unsigned int shown; /* errors rendered so far */
	bool dropping; /* the last report was dropped (-w): so are its notes */
};

void diag_init(struct diag *d, struct arena *a);

void diag_error(struct diag *d, enum diag_tag tag, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void diag_warning(struct diag *d, enum diag_tag tag, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "our bug": renders with the advice to report it. */
void diag_internal(struct diag *d, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A second place that matters ("the other type comes from here", "in alias ... used here"). */
void diag_note(struct diag *d, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Renders and forgets what was collected; identical entries once. The counts stay. */
void diag_flush(struct diag *d, FILE *out);
/* The first error that waits to be rendered: its place and text. False when there is none. */
bool diag_first_error(const struct diag *d, struct span *at, const char **text);
const char *diag_tag_text(enum diag_tag tag); /* "E-UNKNOWN-FUNC" */

#endif
