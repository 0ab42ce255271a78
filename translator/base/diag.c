/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collecting and rendering of errors, warnings, notes and hints. */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum severity { SEV_ERROR, SEV_WARNING, SEV_INTERNAL, SEV_NOTE, SEV_HINT };

struct diag_entry {
	struct diag_entry *next;
	enum severity sev;
	enum diag_tag tag;
	struct span at;
	const char *text;
	uint32_t hash; /* of the text: makes the search for identical entries cheap */
};

static const struct {
	const char *word, *color;
} severities[] = {
	[SEV_ERROR] = { "error", "\033[1;31m" },
	[SEV_WARNING] = { "warning", "\033[1;35m" },
	[SEV_INTERNAL] = { "internal error", "\033[1;31m" },
	[SEV_NOTE] = { "note", "\033[1;36m" },
	[SEV_HINT] = { "hint", "\033[1;32m" },
};

#define COLOR_CARET "\033[1;32m"
#define COLOR_OFF "\033[0m"

/* Of a long source line only a stretch is shown; it starts so many bytes before the place. */
#define EXCERPT_BEFORE 100u
#define EXCERPT_LENGTH 200u

#define EXPANSIONS_SHOWN 8u /* of nested macros */

static const char *const tag_texts[] = {
#define TAG(id, text) [TAG_##id] = text,
#include "base/tags.def"
#undef TAG
};

const char *diag_tag_text(enum diag_tag tag)
{
	return (unsigned int)tag < TAG_COUNT ? tag_texts[tag] : "E-INTERNAL";
}

void diag_init(struct diag *d, struct arena *a)
{
	memset(d, 0, sizeof(*d));
	d->arena = a;
}

static __attribute__((format(printf, 5, 0))) void add_entry(struct diag *d, enum severity sev,
							    enum diag_tag tag, struct span at,
							    const char *fmt, va_list ap)
{
	struct diag_entry *e = arena_new(d->arena, struct diag_entry);
	const char *p;

	e->sev = sev;
	e->tag = tag;
	e->at = at;
	e->text = arena_vprintf(d->arena, fmt, ap);
	e->hash = at.off * 31 + (uint32_t)tag;
	for (p = e->text; *p; p++)
		e->hash = (e->hash ^ (unsigned char)*p) * 16777619u;
	if (d->tail)
		d->tail->next = e;
	else
		d->head = e;
	d->tail = e;
}

void diag_error(struct diag *d, enum diag_tag tag, struct span at, const char *fmt, ...)
{
	va_list ap;

	d->dropping = false;
	d->errors++;
	va_start(ap, fmt);
	add_entry(d, SEV_ERROR, tag, at, fmt, ap);
	va_end(ap);
}

void diag_warning(struct diag *d, enum diag_tag tag, struct span at, const char *fmt, ...)
{
	va_list ap;

	d->dropping = d->no_warnings && !d->warnings_are_errors;
	if (d->dropping)
		return;
	if (d->warnings_are_errors)
		d->errors++;
	else
		d->warnings++;
	va_start(ap, fmt);
	add_entry(d, d->warnings_are_errors ? SEV_ERROR : SEV_WARNING, tag, at, fmt, ap);
	va_end(ap);
}

void diag_internal(struct diag *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	d->dropping = false;
	d->errors++;
	va_start(ap, fmt);
	add_entry(d, SEV_INTERNAL, TAG_INTERNAL, at, fmt, ap);
	va_end(ap);
	diag_hint(d,
		  "this is a bug in Spile, not in your script; please report it with the script");
}

void diag_note(struct diag *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	if (d->dropping)
		return;
	va_start(ap, fmt);
	add_entry(d, SEV_NOTE, TAG_INTERNAL, at, fmt, ap);
	va_end(ap);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d->dropping)
		return;
	va_start(ap, fmt);
	add_entry(d, SEV_HINT, TAG_INTERNAL, SPAN_NONE, fmt, ap);
	va_end(ap);
}

bool diag_first_error(const struct diag *d, struct span *at, const char **text)
{
	const struct diag_entry *e = d->head;

	while (e && e->sev != SEV_ERROR && e->sev != SEV_INTERNAL)
		e = e->next;
	if (!e)
		return false;
	*at = e->at;
	*text = e->text;
	return true;
}

/* Length of the valid UTF-8 sequence at @p, at most @n; 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0,
	       i;

	if (len > n || (p[0] == 0xc2 && n > 1 && p[1] < 0xa0))
		return 0;
	for (i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/*
 * Appends one source character as shown: tabs expanded, what a terminal would act upon as '?'. Returns
 * the bytes consumed; @col is the display column, from 0.
 */
static size_t put_source_char(struct buf *b, const char *p, size_t n, uint32_t *col)
{
	size_t len = utf8_len((const unsigned char *)p, n);

	if (*p == '\t') {
		do
			buf_putc(b, ' ');
		while (++*col % 8);
		return 1;
	}
	++*col;
	if (!len || (unsigned char)*p < 0x20 || *p == 0x7f) {
		buf_putc(b, '?');
		return 1;
	}
	buf_add(b, p, len);
	return len;
}

/* The source line of @at and, under it, '^' at its start and '~' to its end or the end of the line. */
static void render_excerpt(struct buf *b, struct diag *d, struct span at, bool color)
{
	struct source *s = at.src->expansion ? at.src->expansion->root : at.src;
	uint32_t line, bytecol, start, end, off, col = 0, from = 0, to = 0, i;

	source_pos(d->arena, s, at.off, &line, &bytecol);
	off = at.off < s->len ? at.off : s->len;
	start = end = off - (bytecol - 1);
	while (end < s->len && s->text[end] != '\n')
		end++;
	if (end > start && s->text[end - 1] == '\r')
		end--;
	buf_puts(b, "    ");
	if (off - start > EXCERPT_LENGTH - EXCERPT_BEFORE) {
		start = off - EXCERPT_BEFORE;
		while (start < off && ((unsigned char)s->text[start] & 0xc0) == 0x80)
			start++;
		buf_puts(b, "...");
		col = 3;
	}
	for (i = start, from = to = col; i < end && i - start < EXCERPT_LENGTH;) {
		if (i <= off)
			from = col;
		i += (uint32_t)put_source_char(b, s->text + i, end - i, &col);
		if (i <= off)
			from = col;
		if (i <= off || i - off <= at.len)
			to = col;
	}
	if (i < end)
		buf_puts(b, "...");
	buf_puts(b, "\n    ");
	for (i = 0; i < from; i++)
		buf_putc(b, ' ');
	buf_puts(b, color ? COLOR_CARET "^" : "^");
	for (i = from + 1; i < to; i++)
		buf_putc(b, '~');
	buf_puts(b, color ? COLOR_OFF "\n" : "\n");
}

/* How the text at @at came there: the uses of macros, innermost first. */
static void render_expansions(struct buf *b, struct diag *d, struct span at, bool color)
{
	unsigned int n;

	for (n = 0; at.src && at.src->expansion; n++, at = at.src->expansion->use) {
		struct span use = at.src->expansion->use;

		if (n >= EXPANSIONS_SHOWN)
			continue;
		buf_printf(b, "  %s%s%s: in expansion of %s\n",
			   color ? severities[SEV_NOTE].color : "", severities[SEV_NOTE].word,
			   color ? COLOR_OFF : "", at.src->expansion->macro);
		buf_printf(b, "  %s\n", span_str(d->arena, use));
		render_excerpt(b, d, use, color);
	}
	if (n > EXPANSIONS_SHOWN)
		buf_printf(b, "  ... and %u more\n", n - EXPANSIONS_SHOWN);
}

static void render_entry(struct buf *b, struct diag *d, const struct diag_entry *e, bool color)
{
	if (e->sev >= SEV_NOTE)
		buf_puts(b, "  ");
	buf_printf(b, "%s%s", color ? severities[e->sev].color : "", severities[e->sev].word);
	if (e->sev < SEV_NOTE)
		buf_printf(b, "[%s]", diag_tag_text(e->tag));
	buf_printf(b, "%s: %s\n", color ? COLOR_OFF : "", e->text);
	if (e->at.src) {
		buf_printf(b, "  %s\n", span_str(d->arena, e->at));
		render_excerpt(b, d, e->at, color);
	}
	if (e->sev < SEV_NOTE)
		render_expansions(b, d, e->at, color);
}

static bool entry_seen(const struct diag *d, const struct diag_entry *e)
{
	const struct diag_entry *o;

	for (o = d->head; o != e; o = o->next)
		if (o->hash == e->hash && o->sev == e->sev && o->tag == e->tag &&
		    o->at.src == e->at.src && o->at.off == e->at.off && o->at.len == e->at.len &&
		    !strcmp(o->text, e->text))
			return true;
	return false;
}

static bool want_color(const struct diag *d, FILE *out)
{
	if (d->color != COLOR_AUTO)
		return d->color == COLOR_ALWAYS;
	return isatty(fileno(out)) && !getenv("NO_COLOR");
}

void diag_flush(struct diag *d, FILE *out)
{
	bool color = want_color(d, out), show = false;
	const struct diag_entry *e;
	unsigned int hidden = 0;
	struct buf b;

	buf_init(&b);
	for (e = d->head; e; e = e->next) {
		bool is_error = e->sev == SEV_ERROR || e->sev == SEV_INTERNAL;

		if (e->sev < SEV_NOTE) {
			show = !entry_seen(d, e);
			if (show && is_error && d->max && d->shown >= d->max) {
				show = false;
				hidden++;
			}
			d->shown += show && is_error;
		}
		if (show)
			render_entry(&b, d, e, color);
	}
	if (hidden)
		buf_printf(&b, "%u more error%s not shown\n", hidden, hidden == 1 ? "" : "s");
	fwrite(b.p, 1, b.len, out);
	fflush(out);
	buf_fini(&b);
	d->head = d->tail = NULL;
}
