/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over debug information. Only entries that a probe point or a script can name are looked at: functions and
 * their inlined instances, and of each unit's outermost level types, enumerators and variables; a type or an enumerator is
 * kept once however many units define it.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "symbols/object.h"

/* How deep scopes may nest; what lies deeper is left out. */
#define MAXDEPTH 200
/* In the handle of an entry: it lies in the file that dwz makes of what several have in common. */
#define IN_SHARED_FILE (1ull << 55)

struct walk {
	struct dx_build *b;
	Dwarf *dw; /* of the binary; units of a shared file are walked, too */
	uint32_t unit_file; /* string: the unit's name */
	Dwarf_Off unit;
	uint32_t unit_no;
	/* of this unit's table of files: string + 1, by number */
	Dwarf_Files *files;
	uint32_t *file;
	size_t nfiles;
	uint32_t *seen; /* by string: the last unit that has lines of this file */
	size_t nseen;
	uint64_t *origins; /* of the inlined instances */
	size_t norigins, origins_cap;
	/* types and enumerators that are there already: string of "tag name" */
	struct dx_build known;
};

void dindex_clean_path(const char *path, char *out, size_t size)
{
	size_t n = 0;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !memcmp(path, "..", 2) && n > 1 && out[n - 1] == '/') {
			for (n--; n && out[n - 1] != '/';)
				n--;
		} else if (len != 1 || *path != '.') {
			if (n + len + 2 > size)
				break;
			memcpy(out + n, path, len);
			n += len;
			if (path[len])
				out[n++] = '/';
		}
		path += len;
		while (*path == '/')
			path++;
		if (!n && len == 0)
			out[n++] = '/';
	}
	out[n] = 0;
}

static uint32_t path_string(struct walk *w, const char *path)
{
	char clean[4096];

	dindex_clean_path(path, clean, sizeof(clean));
	return dx_string(w->b, clean);
}

/* The string of the file where a DIE is declared; DX_NONE without one. */
static uint32_t decl_file(struct walk *w, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Word n;
	const char *path;

	if (!dwarf_attr_integrate(die, DW_AT_decl_file, &attr) || dwarf_formudata(&attr, &n))
		return DX_NONE;
	if (attr.cu == die->cu && n < w->nfiles) {
		if (!w->file[n]) {
			path = dwarf_filesrc(w->files, n, NULL, NULL);
			w->file[n] = path ? path_string(w, path) + 1 : 0;
		}
		return w->file[n] ? w->file[n] - 1 : DX_NONE;
	}
	path = dwarf_decl_file(die);
	return path ? path_string(w, path) : DX_NONE;
}

uint64_t object_die_id(Dwarf *dw, Dwarf_Die *die)
{
	return dwarf_dieoffset(die) | (dwarf_cu_getdwarf(die->cu) == dw ? 0 : IN_SHARED_FILE);
}

bool object_die(Dwarf *dw, uint64_t id, Dwarf_Die *die)
{
	if (id & IN_SHARED_FILE)
		dw = dwarf_getalt(dw);
	return dw && dwarf_offdie(dw, id & ~IN_SHARED_FILE, die);
}

bool dindex_entry(Dwarf_Die *die, uint64_t *entry)
{
	Dwarf_Addr base, lo, hi;

	if (!dwarf_entrypc(die, &lo) || dwarf_ranges(die, 0, &base, &lo, &hi) > 0) {
		*entry = lo;
		return true;
	}
	return false;
}

/* Bytes of code from the entry on. */
static uint64_t code_size(Dwarf_Die *die, Dwarf_Addr entry)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (entry >= lo && entry < hi)
			return hi - entry;
	return 0;
}

static void take_function(struct walk *w, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	uint64_t entry = 0;
	bool has_code = dindex_entry(die, &entry);
	struct dx_func *f;
	Dwarf_Attribute attr;
	bool flag;
	int line;

	if (!name || (!has_code && !dwarf_hasattr(die, DW_AT_inline)))
		return;
	f = dx_row(w->b, &w->b->funcs);
	f->name = dx_string(w->b, name);
	f->file = decl_file(w, die);
	f->line = !dwarf_decl_line(die, &line) && line > 0 ? (uint32_t)line : 0;
	f->die = object_die_id(w->dw, die);
	f->entry = entry;
	f->size = has_code ? code_size(die, entry) : 0;
	f->flags = has_code ? 0 : DXF_ABSTRACT;
	if (dwarf_attr_integrate(die, DW_AT_external, &attr) && !dwarf_formflag(&attr, &flag) &&
	    flag)
		f->flags |= DXF_EXTERNAL;
}

static void take_instance(struct walk *w, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die origin;
	uint64_t entry;
	struct dx_inline *in;

	if (!dindex_entry(die, &entry) || !dwarf_attr(die, DW_AT_abstract_origin, &attr) ||
	    !dwarf_formref_die(&attr, &origin))
		return;
	if (w->norigins == w->origins_cap) {
		w->origins_cap = w->origins_cap ? w->origins_cap * 2 : 4096;
		w->origins = realloc(w->origins, w->origins_cap * sizeof(*w->origins));
		if (!w->origins)
			arena_oom();
	}
	in = dx_row(w->b, &w->b->inlines);
	in->entry = entry;
	in->die = object_die_id(w->dw, die);
	in->func = (uint32_t)w->norigins;
	w->origins[w->norigins++] = object_die_id(w->dw, &origin);
}

/* Inlined instances in a function's body. */
static void walk_body(struct walk *w, Dwarf_Die *scope, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine)
			take_instance(w, &die);
		if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block)
			walk_body(w, &die, depth + 1);
		else if (tag == DW_TAG_subprogram)
			take_function(w, &die);
	} while (!dwarf_siblingof(&die, &die));
}

/* Whether this kind of thing has been met under this name; it is from now on. */
static bool already_known(struct walk *w, char kind, const char *name)
{
	char key[1024];
	uint32_t n = w->known.nstrings;

	key[0] = kind;
	strncpy(key + 1, name, sizeof(key) - 2);
	key[sizeof(key) - 1] = 0;
	dx_string(&w->known, key);
	return n == w->known.nstrings;
}

static void take_name(struct walk *w, struct dx_rows *rows, Dwarf_Die *die, const char *name,
		      uint32_t tag)
{
	struct dx_name *row = dx_row(w->b, rows);

	row->name = dx_string(w->b, name);
	row->die = object_die_id(w->dw, die);
	row->tag = tag;
}

static void take_type(struct walk *w, Dwarf_Die *die, int tag)
{
	const char *name = dwarf_diename(die);

	if (name && !dwarf_hasattr(die, DW_AT_declaration) &&
	    !already_known(w, (char)(tag + 1), name))
		take_name(w, &w->b->types, die, name, (uint32_t)tag);
}

/* An enumeration that has no name is known by its first enumerator. */
static void take_enumerators(struct walk *w, Dwarf_Die *type)
{
	Dwarf_Die die;
	bool first = true;

	if (dwarf_child(type, &die))
		return;
	do {
		const char *name =
			dwarf_tag(&die) == DW_TAG_enumerator ? dwarf_diename(&die) : NULL;

		if (!name)
			continue;
		if (already_known(w, 1, name)) {
			if (first)
				return;
		} else {
			take_name(w, &w->b->enumerators, &die, name, 0);
		}
		first = false;
	} while (!dwarf_siblingof(&die, &die));
}

/* One that was optimised away hides others of its name. */
static void take_variable(struct walk *w, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	if (name && !dwarf_hasattr(die, DW_AT_declaration))
		take_name(w, &w->b->globals, die, name, w->unit_file);
}

static void walk_level(struct walk *w, Dwarf_Die *scope, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		switch (tag) {
		case DW_TAG_subprogram:
			take_function(w, &die);
			walk_body(w, &die, 0);
			break;
		case DW_TAG_variable:
			take_variable(w, &die);
			break;
		case DW_TAG_enumeration_type:
			take_enumerators(w, &die);
			take_type(w, &die, tag);
			break;
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			take_type(w, &die, tag);
			walk_level(w, &die, depth + 1);
			break;
		case DW_TAG_typedef:
		case DW_TAG_base_type:
			take_type(w, &die, tag);
			break;
		case DW_TAG_namespace:
			walk_level(w, &die, depth + 1);
			break;
		default:
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

/* Which files have statements in this unit. */
static void take_lines(struct walk *w, Dwarf_Die *unit)
{
	const char *path, *last = NULL;
	Dwarf_Lines *lines;
	size_t n;

	if (dwarf_getsrclines(unit, &lines, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		struct dx_unit *row;
		uint32_t s;

		path = dwarf_linesrc(dwarf_onesrcline(lines, i), NULL, NULL);
		if (!path || path == last)
			continue;
		last = path;
		s = path_string(w, path);
		if (s >= w->nseen) {
			size_t want = w->b->strings.cap + 1;

			w->seen = realloc(w->seen, want * sizeof(*w->seen));
			if (!w->seen)
				arena_oom();
			memset(w->seen + w->nseen, 0, (want - w->nseen) * sizeof(*w->seen));
			w->nseen = want;
		}
		if (w->seen[s] == w->unit_no)
			continue;
		w->seen[s] = w->unit_no;
		row = dx_row(w->b, &w->b->units);
		row->die = w->unit;
		row->file = s;
	}
}

static void walk_unit(struct walk *w, Dwarf_Die *unit)
{
	const char *name = dwarf_diename(unit);

	w->unit = object_die_id(w->dw, unit);
	w->unit_file = name ? path_string(w, name) : 0;
	w->unit_no++;
	w->files = NULL;
	w->nfiles = 0;
	if (dwarf_getsrcfiles(unit, &w->files, &w->nfiles))
		w->nfiles = 0;
	w->file = calloc(w->nfiles + 1, sizeof(*w->file));
	if (!w->file)
		arena_oom();
	walk_level(w, unit, 0);
	/* a part of units has the lines of one of them */
	if (dwarf_tag(unit) != DW_TAG_partial_unit)
		take_lines(w, unit);
	free(w->file);
}

struct place {
	uint64_t entry;
	uint32_t func;
};

static int compare_places(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/*
 * Symbols of which debug information does not speak: assembly, all of a binary without any, and second names of functions,
 * which get what is known of the first.
 */
static void take_symbols(struct dx_build *b, const struct dx_symbol *symbols, size_t nsymbols)
{
	size_t n = b->funcs.n, count = 0;
	const struct dx_func *f = (const void *)b->funcs.v;
	struct place *places = calloc(n + 1, sizeof(*places));

	if (!places)
		arena_oom();
	for (size_t i = 0; i < n; i++)
		if (!(f[i].flags & DXF_ABSTRACT))
			places[count++] = (struct place){ f[i].entry, (uint32_t)i };
	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 0; i < nsymbols; i++) {
		const struct dx_symbol *s = &symbols[i];
		struct dx_sym *sym = dx_row(b, &b->syms);
		const struct place key = { s->addr, 0 };
		const struct place *at =
			count ? bsearch(&key, places, count, sizeof(key), compare_places) : NULL;
		uint32_t name = dx_string(b, s->name);
		struct dx_func *row;

		*sym = (struct dx_sym){ s->addr, s->size, name, s->flags };
		if (!(s->flags & DXS_FUNC))
			continue;
		f = (const void *)b->funcs.v;
		if (at && f[at->func].name == name)
			continue;
		row = dx_row(b, &b->funcs);
		*row = (struct dx_func){ .entry = s->addr, .size = s->size, .file = DX_NONE };
		if (at) {
			*row = ((const struct dx_func *)(const void *)b->funcs.v)[at->func];
			row->flags = DXF_ALIAS;
		}
		row->name = name;
		row->flags |= DXF_SYMBOL | (s->flags & DXS_EXTERNAL ? DXF_EXTERNAL : 0);
	}
	free(places);
}

static void walk_units(struct walk *w, Dwarf *dw)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	Dwarf_Die unit;
	uint8_t kind;

	while (dw && !dwarf_get_units(dw, cu, &cu, &version, &kind, &unit, NULL))
		if (kind == DW_UT_compile || kind == DW_UT_partial || kind == DW_UT_skeleton)
			walk_unit(w, &unit);
}

void dindex_build(struct buf *out, Dwarf *dw, const struct dx_symbol *symbols, size_t nsymbols,
		  uint64_t mtime, uint64_t size)
{
	struct dx_build b;
	struct walk w = { .b = &b, .dw = dw };

	dx_build_init(&b);
	dx_build_init(&w.known);
	if (dw) {
		walk_units(&w, dw);
		walk_units(&w, dwarf_getalt(dw));
	}
	take_symbols(&b, symbols, nsymbols);
	dindex_write(out, &b, w.origins, mtime, size);
	free(w.origins);
	free(w.seen);
	dx_build_fini(&w.known);
	dx_build_fini(&b);
}
