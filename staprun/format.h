/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records to text. */
#ifndef SPILE_STAPRUN_FORMAT_H
#define SPILE_STAPRUN_FORMAT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/record.h"
#include "ir/ir.h"
#include "staprun/output.h"

/* A payload being taken apart. */
struct payload {
	const unsigned char *p, *end;
};

/* False when the record's own size is impossible. */
bool payload_open(struct payload *in, const struct rec *rec) __attribute__((warn_unused_result));
/* Each false, with nothing taken, when the payload is too short for it. */
bool payload_int(struct payload *in, int64_t *out) __attribute__((warn_unused_result));
bool payload_str(struct payload *in, const char **s, uint32_t *len)
	__attribute__((warn_unused_result));

/* One argument of a print, pointing into its record. */
struct format_arg {
	int64_t num;
	const char *str;
	uint32_t len;
};

/* Reused from record to record. */
struct names;
struct format {
	const struct ir_module *m;
	struct format_arg *args;
	struct names *names; /* NULL: addresses have none */
	struct buf text; /* of names in the record at hand */
};
void format_init(struct format *f, const struct ir_module *m, struct arena *a);
void format_fini(struct format *f);

enum format_result { FORMAT_OK, FORMAT_DAMAGED, FORMAT_NO_MEMORY };
/*
 * Formats a REC_PRINT or REC_WARN in the free room of @o (valid until @o is used again); the
 * caller claims it with out_took(), or takes it elsewhere. A damaged record has no text.
 */
enum format_result format_record(struct format *f, const struct rec *rec, struct out *o,
				 struct fmt_out *text) __attribute__((warn_unused_result));
/* The same for a REC_HIST. */
enum format_result format_hist(struct format *f, const struct rec *rec, struct out *o,
			       struct fmt_out *text) __attribute__((warn_unused_result));

#endif
