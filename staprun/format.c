/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/format.h"
#include "staprun/names.h"

#include <string.h>

#define NUMBER_ROOM 72 /* sign, base mark and digits of 64 bits in any base */
#define ESCAPED 4 /* bytes that one byte of a string becomes at most */

bool payload_open(struct payload *in, const struct rec *rec)
{
	if (rec->size < sizeof(*rec) || rec->size % 8)
		return false;
	in->p = (const unsigned char *)(rec + 1);
	in->end = (const unsigned char *)rec + rec->size;
	return true;
}

bool payload_int(struct payload *in, int64_t *out)
{
	if ((size_t)(in->end - in->p) < sizeof(*out))
		return false;
	memcpy(out, in->p, sizeof(*out));
	in->p += sizeof(*out);
	return true;
}

bool payload_str(struct payload *in, const char **s, uint32_t *len)
{
	size_t left = (size_t)(in->end - in->p);

	if (left < sizeof(*len))
		return false;
	memcpy(len, in->p, sizeof(*len));
	if (*len > left - sizeof(*len) || REC_STR_BYTES(*len) > left)
		return false;
	*s = (const char *)in->p + sizeof(*len);
	in->p += REC_STR_BYTES(*len);
	return true;
}

void format_init(struct format *f, const struct ir_module *m, struct arena *a)
{
	uint32_t most = 1;

	for (uint32_t i = 0; i < m->fmts.n; i++) {
		if (m->fmts.v[i]->args.n > most)
			most = m->fmts.v[i]->args.n;
	}
	f->m = m;
	f->args = arena_alloc(a, sizeof(*f->args) * most);
	f->names = NULL;
	buf_init(&f->text);
}

void format_fini(struct format *f)
{
	buf_fini(&f->text);
}

static bool is_name(const struct ir_fmt *fmt, uint32_t arg)
{
	return fmt->specs.v[arg] && fmt->specs.v[arg]->conv == FMT_NAME;
}

/* Whether an argument is bytes in its record: a string, or memory of a %m or %M. */
static bool is_bytes(const struct ir_fmt *fmt, uint32_t arg)
{
	return fmt->args.v[arg] == IR_STR || (fmt->specs.v[arg] && fmt_is_mem(fmt->specs.v[arg]));
}

/* Addresses become the texts that stand for them. */
static void make_names(struct format *f, const struct ir_fmt *fmt, uint64_t time)
{
	size_t at = 0;

	buf_reset(&f->text);
	for (int pass = 0; pass < 2; pass++) {
		/* the buffer may move while it grows: places are taken when it is complete */
		for (uint32_t i = 0; i < fmt->args.n; i++) {
			struct format_arg *arg = &f->args[i];
			size_t before = f->text.len;

			if (!is_name(fmt, i))
				continue;
			if (pass) {
				arg->str = f->text.p + at;
				at += arg->len;
				continue;
			}
			if (f->names)
				names_text(f->names, (enum ir_name_row)fmt->specs.v[i]->prec, arg->num, arg->str,
					   arg->len, time, &f->text);
			else if (fmt->args.v[i] == IR_I64)
				buf_printf(&f->text, "0x%llx", (unsigned long long)arg->num);
			arg->len = (uint32_t)(f->text.len - before);
		}
		if (!f->text.p)
			buf_puts(&f->text, "");
	}
}

static bool take_args(struct format *f, const struct ir_fmt *fmt, const struct rec *rec)
{
	struct payload in;
	bool names = false;

	if (!payload_open(&in, rec))
		return false;
	for (uint32_t i = 0; i < fmt->args.n; i++) {
		names |= is_name(fmt, i);
		struct format_arg *arg = &f->args[i];
		bool taken = is_bytes(fmt, i) ? payload_str(&in, &arg->str, &arg->len)
					      : payload_int(&in, &arg->num);

		if (!taken)
			return false;
	}
	if (names)
		make_names(f, fmt, rec->time);
	return true;
}

/*
 * Takes the next piece: its conversion with '*' resolved, and its argument. @at counts
 * arguments. ir_fmt_add() and ir_read() have made sure that there is one for each.
 */
static struct fmt_spec resolve(const struct format *f, const struct fmt_piece *piece, uint32_t *at,
			       const struct format_arg **arg)
{
	struct fmt_spec spec = piece->spec;

	if (spec.width == FMT_STAR)
		spec.width = fmt_star(f->args[(*at)++].num);
	if (spec.prec == FMT_STAR)
		spec.prec = fmt_star(f->args[(*at)++].num);
	*arg = &f->args[(*at)++];
	return spec;
}

/* A bound of the text's length. */
static size_t room_needed(const struct format *f, const struct ir_fmt *fmt)
{
	const struct format_arg *arg;
	size_t need = 1;
	uint32_t at = 0;

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		const struct fmt_piece *piece = &fmt->pieces.v[i];
		struct fmt_spec spec;

		if (piece->lit) {
			need += piece->lit_len;
			continue;
		}
		spec = resolve(f, piece, &at, &arg);
		need += NUMBER_ROOM + (spec.width > 0 ? (size_t)spec.width : 0);
		if (is_bytes(fmt, at - 1) || is_name(fmt, at - 1))
			need += (size_t)arg->len * ESCAPED;
		else if (spec.prec > 0)
			need += (size_t)spec.prec;
	}
	return need;
}

static void put_pieces(const struct format *f, const struct ir_fmt *fmt, struct fmt_out *to)
{
	const struct format_arg *arg;
	uint32_t at = 0;

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		const struct fmt_piece *piece = &fmt->pieces.v[i];
		struct fmt_spec spec;

		if (piece->lit) {
			fmt_lit(to, piece->lit, piece->lit_len);
			continue;
		}
		spec = resolve(f, piece, &at, &arg);
		if (spec.conv == FMT_NAME) {
			spec.prec = FMT_NONE;
			fmt_str(to, &spec, arg->str, arg->len);
		} else if (fmt_is_mem(&spec))
			fmt_mem(to, &spec, arg->str, arg->len);
		else if (fmt->args.v[at - 1] == IR_STR)
			fmt_str(to, &spec, arg->str, arg->len);
		else
			fmt_int(to, &spec, arg->num);
	}
}

/* Damaged unless the payload is as long as the histogram. */
static bool take_counts(const struct agg_hist *h, const struct rec *rec, uint64_t *counts)
{
	if (!h->kind || rec->size != REC_HIST_BYTES(h->buckets))
		return false;
	memcpy(counts, rec + 1, h->buckets * sizeof(*counts));
	return true;
}

enum format_result format_hist(struct format *f, const struct rec *rec, struct out *o,
			       struct fmt_out *text)
{
	uint64_t counts[AGG_MAX_BUCKETS];
	const struct agg_hist *h;

	if (rec->id >= f->m->globals.n)
		return FORMAT_DAMAGED;
	h = &f->m->globals.v[rec->id]->hist;
	if (!take_counts(h, rec, counts))
		return FORMAT_DAMAGED;
	*text = (struct fmt_out){ .size = AGG_TEXT_MAX(h->buckets, f->m->limits.hist_width) };
	text->p = out_room(o, text->size);
	if (!text->p)
		return FORMAT_NO_MEMORY;
	agg_print(text, h, counts, f->m->limits.hist_width, f->m->limits.hist_elision);
	return FORMAT_OK;
}

enum format_result format_record(struct format *f, const struct rec *rec, struct out *o,
				 struct fmt_out *text)
{
	const struct ir_fmt *fmt;

	if (rec->id >= f->m->fmts.n)
		return FORMAT_DAMAGED;
	fmt = f->m->fmts.v[rec->id];
	if (!take_args(f, fmt, rec))
		return FORMAT_DAMAGED;
	*text = (struct fmt_out){ .size = room_needed(f, fmt) };
	text->p = out_room(o, text->size);
	if (!text->p)
		return FORMAT_NO_MEMORY;
	put_pieces(f, fmt, text);
	return FORMAT_OK;
}
