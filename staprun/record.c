/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the session does with each record. */
#include <stdio.h>

#include "base/buf.h"
#include "staprun/loop.h"

/* Lines on stderr come after the output that was made before them. */
static void stderr_line(struct loop *l, const char *prefix, const char *text, size_t n)
{
	out_flush(&l->out);
	while (n && text[n - 1] == '\n')
		n--;
	fprintf(stderr, "%s%.*s\n", prefix, (int)n, text);
}

/* Formats in the free room of the output. */
static bool format_text(struct loop *l, const struct rec *rec, struct fmt_out *text)
{
	enum format_result result = format_record(&l->format, rec, &l->out, text);

	l->damaged += result == FORMAT_DAMAGED;
	l->unprinted += result == FORMAT_NO_MEMORY;
	return result == FORMAT_OK;
}

static void on_print(struct loop *l, const struct rec *rec)
{
	struct fmt_out text;

	if (format_text(l, rec, &text))
		out_took(&l->out, text.len);
}

static void on_warn(struct loop *l, const struct rec *rec)
{
	struct fmt_out text;

	if (l->run->opt.no_warnings)
		return;
	out_flush(&l->out);
	if (format_text(l, rec, &text))
		stderr_line(l, "WARNING: ", text.p, text.len);
}

/*
 * After the error that ended the session, events may go on until they are disarmed. Their
 * errors are counted, not shown. Those of error probes are shown.
 */
static bool error_is_late(const struct loop *l)
{
	return l->failed && !l->in_handler && !l->kernel_session;
}

static void show_error(struct loop *l, enum ir_error kind, int64_t operand, int64_t loc,
		       const char *text, uint32_t len)
{
	const struct ir_module *m = l->run->ir;
	struct buf own, line;

	buf_init(&own);
	buf_init(&line);
	buf_add(&own, text, len);
	ir_error_render(&line, m, kind, operand, own.p);
	if (loc)
		buf_printf(&line, " near %s", m->strings.v[loc]);
	stderr_line(l, "ERROR: ", line.p, line.len);
	buf_fini(&own);
	buf_fini(&line);
}

static void on_error(struct loop *l, const struct rec *rec)
{
	const struct ir_module *m = l->run->ir;
	int64_t operand, loc, probe;
	struct payload in;
	const char *text;
	uint32_t len;

	if (!payload_open(&in, rec) || !payload_int(&in, &operand) || !payload_int(&in, &loc) ||
	    !payload_int(&in, &probe) || !payload_str(&in, &text, &len) || rec->id >= ERR_COUNT ||
	    loc < 0 || loc >= m->strings.n) {
		l->damaged++;
		return;
	}
	l->errors++;
	if (!error_is_late(l))
		show_error(l, (enum ir_error)rec->id, operand, loc, text, len);
	if (l->errors > (uint64_t)m->limits.maxerrors) {
		l->failed = true;
		l->run->exiting = true;
	}
}

static void on_exit_record(struct loop *l, const struct rec *rec)
{
	(void)rec;
	l->run->exiting = true;
}

void run_record(struct run *r, const struct rec *rec)
{
	static void (*const handlers[])(struct loop * l, const struct rec *rec) = {
		[REC_PRINT] = on_print,      [REC_WARN] = on_warn, [REC_ERROR] = on_error,
		[REC_EXIT] = on_exit_record,
	};
	struct loop *l = r->loop;

	l->records++;
	if (rec->type >= sizeof(handlers) / sizeof(*handlers) || !handlers[rec->type]) {
		l->damaged++;
		return;
	}
	handlers[rec->type](l, rec);
	if (l->out.error)
		r->exiting = true;
}
