/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pass 2: names, types, probe points; then lowering to IR. The tree is annotated, not rewritten.
 * Library files are pulled in as names need them.
 */
#ifndef SPILE_ELABORATE_ELABORATE_H
#define SPILE_ELABORATE_ELABORATE_H

#include "library/library.h"
#include "probes/probes.h"
#include "session.h"

struct elab_input {
	struct session *session;
	struct library *library; /* may be NULL: no tapsets */
	struct symbols *symbols; /* may be NULL: no debug information is read */
	struct ast_file *const *files; /* user scripts, the first is the main one */
	uint32_t nfiles;
	unsigned int sides; /* enum ir_side mask of the backend: what can run where */
	const char *backend; /* its name, for messages only */
};

/* A resolved script, before lowering. Opaque: see elab_*() */
struct elab;

/*
 * Resolves and infers. NULL after errors in session->diag. Adds what it finds of library files; for
 * the -v line the counts are in elab_counts().
 */
struct elab *elaborate(const struct elab_input *in);

struct elab_count {
	unsigned int probes, functions, embeds, globals;
};
struct elab_count elab_counts(const struct elab *e);
void elab_print(struct buf *out, const struct elab *e); /* -p2 */

/* Where the script names the probe that becomes number @probe of the IR module. */
struct span elab_probe_at(const struct elab *e, uint32_t probe);

/*
 * The unoptimised, unplaced IR. Never fails on what elaborate() accepted; the caller verifies it.
 */
struct ir_module *lower(struct elab *e);

/*
 * Takes probes whose simplified handlers do nothing out of @m, and out of what elab_print() shows.
 * -1 after an error: none is left.
 */
int elab_drop_empty(struct elab *e, struct ir_module *m) __attribute__((warn_unused_result));

/*
 * For -l and -L: the points that match those of the script, each once, by name; with @vars the variables that are to be had
 * there. False: none, or errors were reported.
 */
bool elab_list(const struct elab_input *in, bool vars, struct buf *out);

#endif
