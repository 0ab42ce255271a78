/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of ir/ only. */
#ifndef SPILE_IR_INT_H
#define SPILE_IR_INT_H

#include <string.h>

#include "ir.h"

/* What an operation's imm says. */
enum ir_imm {
	IMM_NONE,
	IMM_STAT, /* enum ir_stat */
	IMM_STREAM, /* enum ir_stream */
	IMM_ERROR, /* enum ir_error */
	IMM_NUM, /* a plain number: key, action count, argument number */
	IMM_MEM, /* IR_MEM() with a space */
	IMM_SEND, /* enum ir_send */
	IMM_NAME, /* enum ir_name_row */
	IMM_BUF, /* enum ir_buf with a space */
	IMM_TPARG, /* IR_MEM() with IR_TPARG() */
	IMM_LAYOUT, /* enum ir_layout */
};
enum ir_imm ir_imm_kind(enum ir_op op);

extern const char *const ir_error_name[ERR_COUNT]; /* as errors.def has them */
extern const char *const ir_stat_name[IRS_NSTAT];
extern const char *const ir_stream_name[2];
extern const char *const ir_send_name[IR_SEND_COUNT];
extern const char *const ir_buf_name[IRB_N];
extern const char *const ir_layout_name[IRL_N];
const char *ir_type_name(enum ir_type t); /* void, long, string */

/* One row of limits.def. */
struct ir_limit_info {
	const char *name;
	size_t offset;
	int64_t def, lo, hi;
};
extern const struct ir_limit_info ir_limit_table[];
extern const unsigned int ir_limit_n;
#define ir_limit_field(l, row) ((int64_t *)((char *)(l) + (row)->offset))

/*
 * The global that an operation with a GLOBAL or ITER ref works on, or NULL. Refs must be in range.
 */
const struct ir_global *ir_insn_global(const struct ir_module *m, const struct ir_func *f,
				       const struct ir_insn *i);
enum ir_type ir_val_type(const struct ir_func *f, struct ir_val v);
/* Fills in the number of buckets that follows from the rest; 0 when that makes no histogram. */
void ir_hist_complete(struct agg_hist *h);
/* NULL when the text, which is kept by reference, is malformed. */
struct ir_fmt *ir_fmt_parse(struct arena *a, const char *text, const enum ir_type *args,
			    uint32_t nargs);
/* Puts the text of a format back together. */
void ir_fmt_text(struct buf *out, const struct ir_fmt *fmt);
/* Type a conversion takes. */
/* What a conversion takes. False: no such conversion. */
bool ir_spec_type(const struct fmt_spec *spec, enum ir_type *out);

/*
 * The binary form starts with this; the number goes up with every change to it or to a .def file.
 */
#define IR_MAGIC "SPILE-IR\12"

/* Bit sets over registers. */
static inline uint32_t bits_words(uint32_t n)
{
	return (n + 63) / 64;
}

static inline bool bits_get(const uint64_t *s, uint32_t i)
{
	return s[i / 64] >> (i % 64) & 1;
}

static inline void bits_set(uint64_t *s, uint32_t i)
{
	s[i / 64] |= 1ull << (i % 64);
}

static inline void bits_clear(uint64_t *s, uint32_t i)
{
	s[i / 64] &= ~(1ull << (i % 64));
}

/* Nothing is run behind these but their error block. */
static inline bool ir_always_fails(const struct ir_insn *i)
{
	return i->op == IR_raise || i->op == IR_fail;
}

static inline bool ir_val_eq(struct ir_val a, struct ir_val b)
{
	if (a.kind != b.kind)
		return false;
	return a.kind == IRV_INT ? a.num == b.num : a.reg == b.reg;
}

/* Integer semantics, the same in the folder and the interpreter. The divisor is not 0. */
static inline int64_t ir_div(int64_t a, int64_t b)
{
	return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static inline int64_t ir_mod(int64_t a, int64_t b)
{
	return b == -1 ? 0 : a % b;
}

static inline int64_t ir_shr(int64_t a, int64_t n)
{
	return a >> (n & 63);
}

/* -1, 0, 1 by unsigned bytes */
static inline int64_t ir_scmp_result(const char *a, const char *b)
{
	int c = strcmp(a, b);

	return (c > 0) - (c < 0);
}

/* strtol(): C's in base 0 and 2..36; 0 for another base or no number. */
int64_t ir_strtol(const char *s, int64_t base);
/* substr(): the part of a string of @len bytes; empty for an offset outside it. */
void ir_substr_range(uint32_t len, int64_t *from, int64_t *n);

#endif
