/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From IR to the C of a kernel module, which includes runtime-lkm/abi.h and nothing else. */
#ifndef SPILE_LKM_EMIT_H
#define SPILE_LKM_EMIT_H

#include "base/diag.h"
#include "ir/ir.h"

/*
 * Appends the C text. @image: file name that the assembler finds, the binary IR that travels in the
 * module. 0, or -1 after an error in @diag (something this runtime cannot do).
 */
int lkm_emit(struct buf *out, const struct ir_module *m, const char *image, struct diag *diag)
	__attribute__((warn_unused_result));

/* The file of C beside it, when the script has C of its own (m->embeds). */
void lkm_emit_embeds(struct buf *out, const struct ir_module *m);

/* ---- shared by the files of lkm/ ---- */

struct lkm_func {
	bool used; /* some probe may run it */
	uint32_t nstrings; /* places for strings in its frame */
	bool spilled; /* its numbers live in its frame, too: the kernel's stack is small */
	uint64_t number_base; /* where they start; past the strings */
	uint64_t frame_bytes;
	uint32_t *slot; /* by register: the place of a string that is written */
	uint32_t iter_base; /* number of its first foreach among the script's */
	uint8_t *written; /* a byte a register: some instruction assigns it */
};

struct lkm_emit {
	struct buf *out;
	struct arena arena;
	const struct ir_module *m;
	struct diag *diag;
	struct lkm_func *funcs;
	uint32_t niters;
	uint64_t string_bytes;
	bool captures;
	struct ir_track track;
	/* the function being written */
	const struct ir_func *f;
	const struct lkm_func *lf;
};

void lkm_analyse(struct lkm_emit *e);
/* Fills slot and nstrings. */
void lkm_place_strings(struct arena *a, const struct ir_func *f, struct lkm_func *lf);
/* A string register as a pointer. */
void lkm_put_string_reg(struct lkm_emit *e, uint32_t reg);
void lkm_emit_func(struct lkm_emit *e, uint32_t index);
void lkm_emit_prototype(struct lkm_emit *e, uint32_t index);
void lkm_emit_insn(struct lkm_emit *e, const struct ir_insn *i);
/* Their tables; whether some of them tell groups. */
bool lkm_emit_regexes(struct lkm_emit *e);
/* emit_embed.c: declares the functions of embedded C; what a call of one takes of the string stack */
void lkm_emit_embed_prototypes(struct lkm_emit *e);
uint64_t lkm_embed_bytes(const struct lkm_emit *e, const struct ir_embed *x);
/* A C string literal, cut to what a string of the script may hold. */
void lkm_put_string(struct lkm_emit *e, const char *s);
static inline bool lkm_is_map(const struct ir_global *g)
{
	return g->nkeys || g->is_stat;
}

#endif
