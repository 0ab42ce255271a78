/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements by file and line: the index says which units have lines of a file, libdw reads their tables. */
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"

struct found {
	uint32_t line;
	uint64_t addr;
	const char *file;
};
struct search {
	struct sym_object *o;
	const struct sym_spec *spec;
	VEC(struct found) hits; /* lines that are wanted */
	VEC(struct found) after; /* the nearest line with code past the one wanted line */
	uint32_t wanted; /* the one line, 0: several */
	uint32_t below, above; /* lines with code around it */
};

static bool wanted(const struct search *s, uint32_t line)
{
	if (s->spec->line_kind == SYML_ALL)
		return true;
	for (uint32_t i = 0; i < s->spec->lines.n; i++)
		if (line >= s->spec->lines.v[i].from && line <= s->spec->lines.v[i].to)
			return true;
	return false;
}

/* A unit's statements that lie in this file. */
static void search_unit(struct search *s, uint64_t die, const char *file)
{
	const char *last = NULL;
	Dwarf_Lines *lines;
	bool same = false;
	Dwarf_Die unit;
	size_t n;

	if (!object_die(s->o->dw, die, &unit) || dwarf_getsrclines(&unit, &lines, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		const char *path = dwarf_linesrc(l, NULL, NULL);
		Dwarf_Addr addr;
		bool is_stmt, end;
		int no;

		if (path && path != last) {
			last = path;
			same = object_same_file(path, file);
		}
		if (!path || !same || dwarf_lineno(l, &no) || no <= 0 || dwarf_lineaddr(l, &addr) ||
		    dwarf_linebeginstatement(l, &is_stmt) || !is_stmt ||
		    dwarf_lineendsequence(l, &end) || end)
			continue;
		if (wanted(s, (uint32_t)no)) {
			vec_push(s->o->arena, &s->hits,
				 ((struct found){ (uint32_t)no, addr, file }));
		} else if (s->wanted && (uint32_t)no < s->wanted) {
			if ((uint32_t)no > s->below)
				s->below = (uint32_t)no;
		} else if (s->wanted && (!s->above || (uint32_t)no <= s->above)) {
			if ((uint32_t)no != s->above)
				s->after.n = 0;
			s->above = (uint32_t)no;
			vec_push(s->o->arena, &s->after,
				 ((struct found){ (uint32_t)no, addr, file }));
		}
	}
}

static int by_place(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;
	int c = strcmp(a->file, b->file);

	if (c)
		return c;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/*
 * Hands out, of each run of addresses of one line within one function, the lowest: the others continue the same
 * statement.
 */
static void report(struct search *s, const struct found *v, uint32_t n,
		   bool (*fn)(const struct sym_line *, void *), void *arg)
{
	const struct dx_func *last = NULL;
	uint32_t last_line = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct dx_func *f = dindex_by_addr(&s->o->dx, v[i].addr);
		struct sym_line l;

		if (!f || (f == last && v[i].line == last_line))
			continue;
		last = f;
		last_line = v[i].line;
		l = (struct sym_line){ v[i].file, v[i].line, v[i].addr, object_func(s->o, f) };
		if (s->spec->func && !object_glob(s->spec->func, l.func.name))
			continue;
		if (!fn(&l, arg))
			return;
	}
}

void sym_lines(struct sym_object *o, const struct sym_spec *spec, bool nearest,
	       bool (*fn)(const struct sym_line *l, void *arg), void *arg, uint32_t *near_line)
{
	struct search s = { .o = o, .spec = spec };
	const struct dindex *x = object_index(o);
	const struct dx_file *files;
	const struct dx_unit *units;
	uint32_t nfiles, nunits;

	if (near_line)
		*near_line = 0;
	if (!x || !o->dw || !spec->file)
		return;
	if (spec->lines.n == 1 && spec->lines.v[0].from == spec->lines.v[0].to)
		s.wanted = spec->lines.v[0].from;
	files = dindex_section(x, DX_FILES, &nfiles);
	units = dindex_section(x, DX_UNITS, &nunits);
	for (uint32_t i = 0; i < nfiles; i++) {
		const char *path = dindex_string(x, files[i].path);

		if (!files[i].nunits || !object_file_matches(spec->file, path))
			continue;
		for (uint32_t u = 0; u < files[i].nunits && files[i].first_unit + u < nunits; u++)
			search_unit(&s, units[files[i].first_unit + u].die, path);
	}
	if (!s.hits.n && near_line)
		*near_line = s.above && (!s.below || s.above - s.wanted <= s.wanted - s.below)
				     ? s.above
				     : s.below;
	if (s.hits.n)
		qsort(s.hits.v, s.hits.n, sizeof(*s.hits.v), by_place);
	else if (nearest && s.after.n)
		qsort(s.after.v, s.after.n, sizeof(*s.after.v), by_place);
	if (s.hits.n)
		report(&s, s.hits.v, s.hits.n, fn, arg);
	else if (nearest)
		report(&s, s.after.v, s.after.n, fn, arg);
}
