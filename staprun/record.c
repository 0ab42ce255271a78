/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the session does with each record. */
#include <stdio.h>
#include <string.h>

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
	enum format_result result = rec->type == REC_HIST
					    ? format_hist(&l->format, rec, &l->out, text)
					    : format_record(&l->format, rec, &l->out, text);

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

static void on_stack(struct loop *l, const struct rec *rec)
{
	struct buf *text = &l->format.text;
	char *to;

	buf_reset(text);
	if (!names_stack(l->names, rec, text)) {
		l->damaged++;
		return;
	}
	to = text->len ? out_room(&l->out, text->len) : NULL;
	if (to) {
		memcpy(to, text->p, text->len);
		out_took(&l->out, text->len);
	} else {
		l->unprinted += text->len != 0;
	}
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

struct error {
	enum ir_error kind;
	int64_t operand, loc, probe, ncalls;
	uint32_t calls[REC_FRAMES];
	const char *text;
	uint32_t len;
};

/* The places in a location, innermost first, one a line; *n counts them. */
static void add_places(struct buf *line, const char *loc, int64_t *n)
{
	while (*loc) {
		size_t len = strcspn(loc, "\n");

		if (*n == 0)
			buf_printf(line, " near %.*s", (int)len, loc);
		else if (*n <= REC_FRAMES)
			buf_printf(line, " (called from %.*s)", (int)len, loc);
		++*n;
		loc += len + (loc[len] == '\n');
	}
}

static void show_error(struct loop *l, const struct error *e)
{
	const struct ir_module *m = l->run->ir;
	struct buf own, line;
	int64_t n = 0;

	buf_init(&own);
	buf_init(&line);
	buf_add(&own, e->text, e->len);
	ir_error_render(&line, m, e->kind, e->operand, own.p);
	add_places(&line, m->strings.v[e->loc], &n);
	for (int64_t k = 0; k < e->ncalls && k < REC_FRAMES; k++)
		add_places(&line, m->strings.v[e->calls[k]], &n);
	if (n > REC_FRAMES + 1 || e->ncalls > REC_FRAMES)
		buf_puts(&line, " ...");
	buf_printf(&line, " in probe %s", m->probes.v[e->probe]->name);
	stderr_line(l, "ERROR: ", line.p, line.len);
	buf_fini(&own);
	buf_fini(&line);
}

static bool in_range(const struct ir_module *m, const struct error *e)
{
	bool ok = e->loc >= 0 && e->loc < m->strings.n && e->probe >= 0 && e->probe < m->probes.n;

	for (int64_t k = 0; k < e->ncalls && k < REC_FRAMES; k++)
		ok = ok && e->calls[k] < m->strings.n;
	return ok;
}

static bool take_error(const struct rec *rec, struct error *e)
{
	struct payload in;
	int64_t two;

	if (!payload_open(&in, rec) || !payload_int(&in, &e->operand) ||
	    !payload_int(&in, &e->loc) || !payload_int(&in, &e->probe) ||
	    !payload_int(&in, &e->ncalls))
		return false;
	for (uint32_t k = 0; k < REC_FRAMES / 2; k++) {
		if (!payload_int(&in, &two))
			return false;
		memcpy(&e->calls[2 * k], &two, sizeof(two));
	}
	e->kind = (enum ir_error)rec->id;
	return rec->id < ERR_COUNT && payload_str(&in, &e->text, &e->len);
}

static void on_error(struct loop *l, const struct rec *rec)
{
	const struct ir_module *m = l->run->ir;
	struct error e;

	if (!take_error(rec, &e) || !in_range(m, &e)) {
		l->damaged++;
		return;
	}
	l->errors++;
	if (!error_is_late(l))
		show_error(l, &e);
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
		[REC_EXIT] = on_exit_record, [REC_SEND] = send_record, [REC_HIST] = on_print,
		[REC_STACK] = on_stack,
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
