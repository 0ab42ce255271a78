/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements by file and line: the index says which units have lines of a file, libdw reads their tables. */
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"

/* A row of a line table. */
struct row {
	const char *file;
	uint32_t line;
	bool apart; /* not in what the index knows of a function: parts that compilers move elsewhere */
	uint64_t addr;
};
/* Lines that are asked for; in one file and of one function, or (NULL, 0) of any. */
struct target {
	const char *file;
	uint32_t from, to, func_line;
};
struct search {
	struct sym_object *o;
	const struct sym_spec *spec;
	VEC(struct row) rows;
	VEC(struct target) targets;
	VEC(uint64_t) seen; /* functions that the current line was handed out of */
	bool nearest, stopped;
	bool (*fn)(const struct sym_line *l, void *arg);
	void *arg;
	uint32_t found;
	struct sym_near_lines near;
};

/* A unit's statements that lie in this file. */
static void read_unit(struct search *s, uint64_t die, const char *file)
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
		struct row r = { .file = file };
		const struct dx_func *f;
		bool is_stmt, end;
		int no;

		if (path && path != last) {
			last = path;
			same = object_same_file(path, file);
		}
		if (!path || !same || dwarf_lineno(l, &no) || no <= 0 ||
		    dwarf_lineaddr(l, &r.addr) || dwarf_linebeginstatement(l, &is_stmt) ||
		    !is_stmt || dwarf_lineendsequence(l, &end) || end)
			continue;
		r.line = (uint32_t)no;
		f = dindex_by_addr(&s->o->dx, r.addr);
		r.apart = !f || !f->die;
		vec_push(s->o->arena, &s->rows, r);
	}
}

static int by_place(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	int c = strcmp(a->file, b->file);

	if (c)
		return c;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->apart != b->apart)
		return a->apart ? 1 : -1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void read_files(struct search *s)
{
	uint32_t nfiles, nunits;
	const struct dx_file *files = dindex_section(&s->o->dx, DX_FILES, &nfiles);
	const struct dx_unit *units = dindex_section(&s->o->dx, DX_UNITS, &nunits);

	for (uint32_t i = 0; i < nfiles; i++) {
		const char *path = dindex_string(&s->o->dx, files[i].path);

		if (!files[i].nunits || !object_file_matches(s->spec->file, path))
			continue;
		for (uint32_t u = 0; u < files[i].nunits && files[i].first_unit + u < nunits; u++)
			read_unit(s, units[files[i].first_unit + u].die, path);
	}
	if (s->rows.n)
		qsort(s->rows.v, s->rows.n, sizeof(*s->rows.v), by_place);
}

/* What a row means to a target; false: nothing. */
static bool row_fits(const struct search *s, const struct target *t, const struct row *r,
		     struct sym_line *l)
{
	*l = (struct sym_line){ .file = r->file, .line = r->line, .addr = r->addr };
	if (!object_scope_at(s->o, r->addr, r->file, r->line, &l->func) ||
	    !object_glob(s->spec->func, l->func.name))
		return false;
	/* code before its function's declaration is of one inlined there, as far as compilers tell */
	if (strcmp(s->spec->func, "*") != 0 && l->func.file && r->line < l->func.line &&
	    !strcmp(l->func.file, r->file))
		return false;
	return !t->func_line || t->func_line == l->func.line;
}

/* Hands out the line that begins at row @i: the first statement of each function and inlined instance. */
static uint32_t report_line(struct search *s, const struct target *t, uint32_t i, uint32_t end)
{
	uint32_t line = s->rows.v[i].line, n = 0;
	struct sym_line l;

	s->seen.n = 0;
	for (; i < end && s->rows.v[i].line == line && !s->stopped; i++) {
		bool again = false;

		if (!row_fits(s, t, &s->rows.v[i], &l))
			continue;
		for (uint32_t k = 0; k < s->seen.n; k++)
			again = again || s->seen.v[k] == l.func.die;
		if (again)
			continue;
		vec_push(s->o->arena, &s->seen, l.func.die);
		s->stopped = !s->fn(&l, s->arg);
		n++;
	}
	s->found += n;
	return n;
}

/* The first row at or past @i with a statement of the functions that are wanted; @end: none. */
static uint32_t next_fit(const struct search *s, const struct target *t, uint32_t i, uint32_t end)
{
	struct sym_line l;

	while (i < end && !row_fits(s, t, &s->rows.v[i], &l))
		i++;
	return i;
}

/* The last before @i; @end: none. */
static uint32_t previous_fit(const struct search *s, const struct target *t, uint32_t i,
			     uint32_t first, uint32_t end)
{
	struct sym_line l;

	while (i > first)
		if (row_fits(s, t, &s->rows.v[--i], &l))
			return i;
	return end;
}

/* One target in the rows of one file. */
static void search_target(struct search *s, const struct target *t, uint32_t first, uint32_t end)
{
	uint32_t i = first, n = 0, last = 0, from, after, before;

	while (i < end && s->rows.v[i].line < t->from)
		i++;
	from = i;
	while (i < end && s->rows.v[i].line <= t->to && !s->stopped) {
		uint32_t line = s->rows.v[i].line, hits = report_line(s, t, i, end);

		n += hits;
		last = hits ? line : last;
		while (i < end && s->rows.v[i].line == line)
			i++;
	}
	if (s->stopped || (n && (!s->nearest || last == t->to || t->to == UINT32_MAX)))
		return;
	after = next_fit(s, t, i, end);
	before = n || (s->nearest && after < end) ? end : previous_fit(s, t, from, first, end);
	if (s->nearest && (after < end || before < end)) {
		uint32_t at = after < end ? after : before;

		while (at > first && s->rows.v[at - 1].line == s->rows.v[at].line)
			at--;
		report_line(s, t, at, end);
		return;
	}
	if (after < end && (!s->near.above || s->rows.v[after].line < s->near.above))
		s->near.above = s->rows.v[after].line;
	if (before < end && s->rows.v[before].line > s->near.below)
		s->near.below = s->rows.v[before].line;
}

void sym_files(struct sym_object *o, const char *pattern, bool (*fn)(const char *path, void *arg),
	       void *arg)
{
	const struct dindex *x = object_index(o);
	const struct dx_file *files;
	uint32_t n = 0;

	files = x ? dindex_section(x, DX_FILES, &n) : NULL;
	for (uint32_t i = 0; i < n; i++) {
		const char *path = dindex_string(x, files[i].path);

		if (files[i].nunits && object_file_matches(pattern, path) && !fn(path, arg))
			return;
	}
}

static int by_line(const void *pa, const void *pb)
{
	const struct sym_line_range *a = pa, *b = pb;

	return a->from < b->from ? -1 : a->from > b->from;
}

static void add_target(struct search *s, struct target t)
{
	for (uint32_t i = 0; i < s->targets.n; i++) {
		const struct target *is = &s->targets.v[i];

		if (is->file == t.file && is->from == t.from && is->func_line == t.func_line)
			return;
	}
	vec_push(s->o->arena, &s->targets, t);
}

/* The line that lies so many lines past where the function is declared. */
static bool add_relative(const struct sym_func *f, void *arg)
{
	struct search *s = arg;
	uint32_t line = f->line + s->spec->lines.v[0].from;

	if (f->file && f->line)
		add_target(s, (struct target){ f->file, line, line, f->line });
	return true;
}

/* Ranges in order, those that touch joined. */
static void add_ranges(struct search *s)
{
	uint32_t n = s->spec->lines.n;
	struct sym_line_range *r = arena_alloc(s->o->arena, (n + 1) * sizeof(*r));

	memcpy(r, s->spec->lines.v, n * sizeof(*r));
	qsort(r, n, sizeof(*r), by_line);
	for (uint32_t i = 0; i < n; i++) {
		struct target t = { NULL, r[i].from, r[i].to, 0 };

		while (i + 1 < n && r[i + 1].from <= t.to) {
			i++;
			t.to = r[i].to > t.to ? r[i].to : t.to;
		}
		add_target(s, t);
	}
}

void sym_lines(struct sym_object *o, const struct sym_spec *spec, bool nearest,
	       bool (*fn)(const struct sym_line *l, void *arg), void *arg,
	       struct sym_near_lines *near)
{
	struct search s = { .o = o, .spec = spec, .nearest = nearest, .fn = fn, .arg = arg };

	if (near)
		*near = s.near;
	if (!object_index(o) || !o->dw || !spec->file)
		return;
	if (spec->line_kind == SYML_RELATIVE)
		sym_functions(o, spec, true, add_relative, &s);
	else if (spec->line_kind == SYML_ALL)
		add_target(&s, (struct target){ NULL, 1, UINT32_MAX, 0 });
	else
		add_ranges(&s);
	read_files(&s);
	for (uint32_t first = 0, end; first < s.rows.n; first = end) {
		for (end = first; end < s.rows.n && s.rows.v[end].file == s.rows.v[first].file;)
			end++;
		for (uint32_t i = 0; i < s.targets.n && !s.stopped; i++)
			if (!s.targets.v[i].file ||
			    !strcmp(s.targets.v[i].file, s.rows.v[first].file))
				search_target(&s, &s.targets.v[i], first, end);
	}
	if (near && !s.found)
		*near = s.near;
}
