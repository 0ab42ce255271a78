/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/speculation.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

struct spec {
	struct spec *next;
	int64_t id;
	char *text;
	size_t len, cap;
};

static struct spec **find(const struct speculation *s, int64_t id)
{
	uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15u;
	struct spec **at = &s->slot[(h >> 32) & (s->nslots - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* Twice as many slots; a table that cannot grow is slower, not wrong. */
static void grow(struct speculation *s)
{
	struct speculation bigger = *s;

	bigger.nslots = s->nslots ? s->nslots * 2 : SLOTS_FIRST;
	bigger.slot = calloc(bigger.nslots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return;
	for (uint32_t i = 0; i < s->nslots; i++) {
		for (struct spec *e = s->slot[i], *next; e; e = next) {
			struct spec **at = find(&bigger, e->id);

			next = e->next;
			e->next = NULL;
			*at = e;
		}
	}
	free(s->slot);
	*s = bigger;
}

void speculation_fini(struct speculation *s)
{
	for (uint32_t i = 0; i < s->nslots; i++) {
		for (struct spec *e = s->slot[i], *next; e; e = next) {
			next = e->next;
			free(e->text);
			free(e);
		}
	}
	free(s->slot);
	*s = (struct speculation){ 0 };
}

/* Room for @n more bytes; false when memory is out. */
static bool make_room(struct spec *e, size_t n)
{
	size_t cap = e->cap ? e->cap : 128;
	char *p;

	if (e->cap - e->len >= n)
		return true;
	while (cap - e->len < n)
		cap *= 2;
	p = realloc(e->text, cap);
	if (!p)
		return false;
	e->text = p;
	e->cap = cap;
	return true;
}

static bool keep(struct speculation *s, int64_t id, const char *text, size_t n)
{
	size_t most = s->most ? s->most : SPECULATION_MOST;
	struct spec **at;

	if (s->n >= s->nslots)
		grow(s);
	if (!s->nslots)
		return false;
	at = find(s, id);
	if (s->bytes + n + (*at ? 0 : sizeof(**at)) > most)
		return false;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return false;
		(*at)->id = id;
		s->n++;
		s->bytes += sizeof(**at);
	}
	if (!make_room(*at, n))
		return false;
	memcpy((*at)->text + (*at)->len, text, n);
	(*at)->len += n;
	s->bytes += n;
	return true;
}

void speculation_add(struct speculation *s, int64_t id, const char *text, size_t n)
{
	if (id <= 0)
		s->unknown++;
	else if (n && !keep(s, id, text, n))
		s->lost++;
}

const char *speculation_text(const struct speculation *s, int64_t id, size_t *n)
{
	const struct spec *e = s->nslots ? *find(s, id) : NULL;

	*n = e ? e->len : 0;
	return e ? e->text : NULL;
}

void speculation_drop(struct speculation *s, int64_t id)
{
	struct spec **at = s->nslots ? find(s, id) : NULL, *e = at ? *at : NULL;

	if (!e)
		return;
	*at = e->next;
	s->n--;
	s->bytes -= e->len + sizeof(*e);
	free(e->text);
	free(e);
}
