/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a runtime offers the driver. Included by main.c, lkm/, bpf/, build/ and user.c only. */
#ifndef SPILE_BACKEND_H
#define SPILE_BACKEND_H

#include "session.h"

/* What passes 3 and 4 leave behind. */
struct artifact {
	struct buf code; /* pass 3: C text, or the finished object for backends without a compiler */
	const char *code_path; /* where pass 3 wrote it, or NULL */
	const char *path; /* pass 4: what staprun runs */
};

struct backend {
	const char *name; /* kernel, bpf, user: what --runtime takes */
	const char *suffix; /* .ko .bo .uo */
	unsigned int sides; /* enum ir_side mask */
	bool relocates; /* what it makes runs on other kernels, too, where types may have another layout */
	/*
	 * Whether this machine (and user) can run it: NULL, or why not, in the arena. Cheap: asked at start-up for the automatic
	 * choice.
	 */
	const char *(*unusable)(struct session *s);
	/* What the backend needs from the IR passes (inlining ...), after the common ones. */
	void (*prepare)(struct session *s, struct ir_module *m);
	/* Pass 3 and 4. 0, or -1 after errors in session->diag. */
	int (*translate)(struct session *s, const struct ir_module *m, struct artifact *out);
	int (*build)(struct session *s, const struct ir_module *m, struct artifact *out);
	const char *pass3_text; /* "translated to C into \"%s\"": %s is code_path */
	const char *pass4_text; /* "compiled C into \"%s\"": %s is the base name of path */
};

extern const struct backend backend_lkm, backend_bpf, backend_user;

#endif
