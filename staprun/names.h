/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of addresses, and backtraces, for what is printed: the rows of ir/names.def. */
#ifndef SPILE_STAPRUN_NAMES_H
#define SPILE_STAPRUN_NAMES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/record.h"
#include "ir/ir.h"

struct names;
struct uobject;

/* Listens to what processes map when @m may ask for names in their memory. */
struct names *names_new(const struct ir_module *m);
void names_free(struct names *n);
/* Opens an object now, so that its names are there whatever becomes of the file. False: it cannot be read. */
bool names_keep(struct names *n, const char *path);
/* Learns what a process that runs already has mapped. */
void names_target(struct names *n, int64_t pid);

/* Appends the text of a row for its operand, @num or the @len bytes at @s, as of @time (0: now). */
void names_text(struct names *n, enum ir_name_row row, int64_t num, const char *s, size_t len, uint64_t time,
		struct buf *out);
/* Appends the text of a REC_STACK; false when it is damaged. */
bool names_stack(struct names *n, const struct rec *rec, struct buf *out) __attribute__((warn_unused_result));

/* The file that a process has mapped at @pc, and the address there; NULL: not known. */
struct uobject *names_object(struct names *n, int64_t pid, uint64_t time, uint64_t pc, uint64_t *addr);

#endif
