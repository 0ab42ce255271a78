/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets are 32 bits wide, and one value is kept free for "past the end". */
#define SOURCE_LONGEST (UINT32_MAX - 1)

struct source *source_new(struct arena *a, const char *name, const char *text, size_t len)
{
	struct source *s = arena_new(a, struct source);

	if (len > SOURCE_LONGEST) {
		fprintf(stderr, "stap: %s is too long: a script holds at most 4 GiB\n", name);
		exit(1);
	}
	s->name = arena_strdup(a, name);
	s->text = arena_strndup(a, text, len);
	s->len = (uint32_t)len;
	return s;
}

struct source *source_expand(struct arena *a, struct source *src, const char *macro,
			     struct span use)
{
	struct expansion *e = arena_new(a, struct expansion);
	struct source *s = arena_new(a, struct source);

	e->root = src->expansion ? src->expansion->root : src;
	e->macro = macro;
	e->use = use;
	*s = *e->root;
	s->expansion = e;
	return s;
}

static void find_lines(struct arena *a, struct source *s)
{
	uint32_t n = 1, i;

	for (i = 0; i < s->len; i++)
		n += s->text[i] == '\n';
	s->line_start = arena_alloc(a, (size_t)n * sizeof(*s->line_start));
	for (n = 1, i = 0; i < s->len; i++)
		if (s->text[i] == '\n')
			s->line_start[n++] = i + 1;
	s->nlines = n;
}

void source_pos(struct arena *a, struct source *s, uint32_t off, uint32_t *line, uint32_t *col)
{
	uint32_t lo = 0, hi;

	if (s->expansion)
		s = s->expansion->root;
	if (!s->line_start)
		find_lines(a, s);
	if (off > s->len)
		off = s->len;
	for (hi = s->nlines; hi - lo > 1;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->line_start[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	*line = lo + 1;
	*col = off - s->line_start[lo] + 1;
}

const char *span_str(struct arena *a, struct span s)
{
	uint32_t line, col;

	if (!s.src)
		return "<builtin>";
	source_pos(a, s.src, s.off, &line, &col);
	return arena_printf(a, "%s:%u:%u", s.src->name, line, col);
}

/* Spans of two sources have no common stretch: the first one stands for both. */
struct span span_join(struct span first, struct span last)
{
	uint32_t end;

	if (!first.src)
		return last;
	if (last.src != first.src)
		return first;
	end = first.off + first.len;
	if (last.off + last.len > end)
		end = last.off + last.len;
	if (last.off < first.off)
		first.off = last.off;
	first.len = end - first.off;
	return first;
}
