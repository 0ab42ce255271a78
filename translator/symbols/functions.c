/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions by pattern, from the index; where a function's parameters can be read. */
#include <dwarf.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"

static bool is_glob(const char *s)
{
	return s[strcspn(s, "*?[")];
}

/* A number at *@p, which moves past it. */
static bool take_line(const char **p, uint32_t *line)
{
	char *end;
	unsigned long n;

	if (**p < '0' || **p > '9')
		return false;
	n = strtoul(*p, &end, 10);
	*p = end;
	*line = (uint32_t)n;
	return n > 0 && n < UINT32_MAX;
}

/* What follows ':' - "*", or numbers and ranges between commas. */
static const char *parse_lines(struct arena *a, const char **p, struct sym_spec *out)
{
	struct sym_line_range r;

	if (!strcmp(*p, "*")) {
		out->line_kind = SYML_ALL;
		return NULL;
	}
	out->line_kind = SYML_ABSOLUTE;
	do {
		if (**p == ',')
			++*p;
		if (!take_line(p, &r.from))
			return "expected a line number";
		r.to = r.from;
		if (**p == '-') {
			++*p;
			if (!take_line(p, &r.to))
				return "expected the last line of the range";
			if (r.to < r.from)
				return "the range ends before it begins";
			out->line_kind = SYML_LIST;
		}
		vec_push(a, &out->lines, r);
	} while (**p == ',');
	if (out->lines.n > 1)
		out->line_kind = SYML_LIST;
	return **p ? "expected ',' or '-' between line numbers" : NULL;
}

bool sym_spec_parse(struct arena *a, const char *text, struct sym_spec *out, const char **why,
		    uint32_t *at)
{
	const char *sign = strchr(text, '@'), *p, *colon;
	struct sym_line_range r;

	memset(out, 0, sizeof(*out));
	*why = NULL;
	*at = 0;
	out->func = sign ? arena_strndup(a, text, (size_t)(sign - text)) : arena_strdup(a, text);
	if (!*out->func)
		*why = "expected the name of a function";
	if (!sign || *why)
		return !*why;
	p = sign + 1 + strcspn(sign + 1, ":+");
	/* the name of a file may hold a plus sign: only one before a number at the end counts */
	while (*p == '+' && (!p[1] || p[1 + strspn(p + 1, "0123456789")]))
		p += 1 + strcspn(p + 1, ":+");
	out->file = arena_strndup(a, sign + 1, (size_t)(p - sign - 1));
	colon = p;
	if (!*out->file) {
		*why = "expected the name of a file after '@'";
	} else if (*p == '+') {
		p++;
		out->line_kind = SYML_RELATIVE;
		if (!take_line(&p, &r.from) && strcmp(colon, "+0") != 0)
			*why = "expected a number of lines";
		r.to = r.from;
		vec_push(a, &out->lines, r);
	} else if (*p == ':') {
		p++;
		*why = parse_lines(a, &p, out);
	}
	*at = (uint32_t)(p - text);
	return !*why;
}

/* Whole trailing components of @path match: "read.c" and "fs/proc*.c" are in the folder of the sources. */
bool object_file_matches(const char *pattern, const char *path)
{
	const char *p = path, *slash;

	while (fnmatch(pattern, p, 0) != 0) {
		slash = strchr(p, '/');
		if (!slash)
			return false;
		p = slash + 1;
	}
	return true;
}

bool object_glob(const char *pattern, const char *name)
{
	return !fnmatch(pattern, name, 0);
}

bool object_same_file(const char *raw, const char *clean)
{
	char path[4096];

	dindex_clean_path(raw, path, sizeof(path));
	return !strcmp(path, clean);
}

/* An unoptimised parameter is stored to the stack by the prologue: its place says nothing before. */
static bool stored_by_prologue(Dwarf_Die *func)
{
	Dwarf_Die die;

	if (dwarf_child(func, &die))
		return false;
	do {
		Dwarf_Attribute attr;
		Dwarf_Op *ops;
		size_t n;

		if (dwarf_tag(&die) == DW_TAG_formal_parameter &&
		    dwarf_attr(&die, DW_AT_location, &attr) &&
		    dwarf_whatform(&attr) == DW_FORM_exprloc &&
		    !dwarf_getlocation(&attr, &ops, &n) && n && ops[0].atom == DW_OP_fbreg)
			return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

static uint64_t body_of(struct sym_object *o, const struct dx_func *f)
{
	uint64_t body = f->entry;
	Dwarf_Addr *stops = NULL;
	Dwarf_Die die;
	int n;

	if (!o->dw || !f->die || !object_die(o->dw, f->die, &die) || !stored_by_prologue(&die))
		return body;
	n = dwarf_entry_breakpoints(&die, &stops);
	if (n > 0 && stops[0] > f->entry && (!f->size || stops[0] - f->entry < f->size))
		body = stops[0];
	free(stops);
	return body;
}

struct sym_func object_func(struct sym_object *o, const struct dx_func *f)
{
	const struct dindex *x = &o->dx;
	uint32_t n;
	const struct dx_file *files = dindex_section(x, DX_FILES, &n);
	struct sym_func out = {
		.name = dindex_string(x, f->name),
		.file = f->file < n ? dindex_string(x, files[f->file].path) : NULL,
		.line = f->line,
		.entry = f->entry,
		.size = f->size,
		.die = f->die,
	};

	if (f->flags & DXF_EXTERNAL)
		out.flags |= SYMF_EXTERNAL;
	if (f->flags & DXF_ABSTRACT)
		out.flags |= SYMF_INLINE;
	if ((f->flags & DXF_SYMBOL) && !f->die)
		out.flags |= SYMF_NODEBUG;
	out.body = f->flags & DXF_ABSTRACT ? f->entry : body_of(o, f);
	return out;
}

struct visit {
	struct sym_object *o;
	const struct sym_spec *spec;
	bool inlined;
	bool (*fn)(const struct sym_func *f, void *arg);
	void *arg;
};

/* The function itself and, when asked for, its instances. */
static bool visit_func(const struct visit *v, const struct dx_func *f)
{
	struct sym_func func;
	uint32_t n;
	const struct dx_inline *in = dindex_section(&v->o->dx, DX_INLINES, &n);

	if (!(f->flags & DXF_ABSTRACT)) {
		func = object_func(v->o, f);
		return v->fn(&func, v->arg);
	}
	if (!v->inlined)
		return true;
	func = object_func(v->o, f);
	for (uint32_t i = 0; i < f->ninlines && f->first_inline + i < n; i++) {
		func.entry = func.body = in[f->first_inline + i].entry;
		func.die = in[f->first_inline + i].die;
		func.size = 0;
		if (!v->fn(&func, v->arg))
			return false;
	}
	return true;
}

static bool name_matches(const struct visit *v, const struct dx_func *f)
{
	const char *name = dindex_string(&v->o->dx, f->name);

	/* a pattern means functions, each once */
	if (f->flags & DXF_ALIAS)
		return false;
	/* padding before functions, for code that patches itself: nobody calls it */
	return (!strncmp(v->spec->func, "__pfx_", 6) || strncmp(name, "__pfx_", 6) != 0) &&
	       !fnmatch(v->spec->func, name, 0);
}

static void visit_files(const struct visit *v)
{
	const struct dindex *x = &v->o->dx;
	uint32_t nfiles, nfuncs;
	const struct dx_file *files = dindex_section(x, DX_FILES, &nfiles);
	const struct dx_func *funcs = dindex_section(x, DX_FUNCS, &nfuncs);

	for (uint32_t i = 0; i < nfiles; i++) {
		uint32_t from = files[i].first_func;

		if (!files[i].nfuncs ||
		    !object_file_matches(v->spec->file, dindex_string(x, files[i].path)))
			continue;
		for (uint32_t k = 0; k < files[i].nfuncs && from + k < nfuncs; k++)
			if (name_matches(v, &funcs[from + k]) && !visit_func(v, &funcs[from + k]))
				return;
	}
}

void sym_functions(struct sym_object *o, const struct sym_spec *spec, bool inlined,
		   bool (*fn)(const struct sym_func *f, void *arg), void *arg)
{
	const struct visit v = { o, spec, inlined, fn, arg };
	const struct dindex *x = object_index(o);
	const struct dx_func *funcs;
	const uint32_t *order;
	uint32_t nfuncs, all, first, n;

	if (!x)
		return;
	if (spec->file) {
		visit_files(&v);
		return;
	}
	funcs = dindex_section(x, DX_FUNCS, &nfuncs);
	if (is_glob(spec->func)) {
		for (uint32_t i = 0; i < nfuncs; i++)
			if (name_matches(&v, &funcs[i]) && !visit_func(&v, &funcs[i]))
				return;
		return;
	}
	order = dindex_section(x, DX_BY_NAME, &all);
	first = dindex_by_name(x, spec->func, &n);
	for (uint32_t i = first; i < first + n; i++)
		if (order[i] < nfuncs && !visit_func(&v, &funcs[order[i]]))
			return;
}

void sym_near_functions(struct sym_object *o, struct near_match *m)
{
	const struct dindex *x = object_index(o);
	const struct dx_func *funcs;
	uint32_t n;

	if (!x)
		return;
	funcs = dindex_section(x, DX_FUNCS, &n);
	for (uint32_t i = 0; i < n; i++)
		near_try(m, dindex_string(x, funcs[i].name));
}

bool sym_addr_symbol(struct sym_object *o, uint64_t addr, const char **symbol, uint64_t *offset)
{
	const struct dindex *x = object_index(o);
	const struct dx_sym *sym = x ? dindex_sym_at(x, addr) : NULL;

	if (!sym)
		return false;
	*symbol = dindex_string(x, sym->name);
	*offset = addr - sym->addr;
	return true;
}

uint32_t sym_count(struct sym_object *o, const char *name)
{
	const struct dindex *x = object_index(o);
	uint32_t n = 0, all, nfuncs, found, first;
	const struct dx_func *funcs;
	const uint32_t *order;

	if (!x)
		return 0;
	funcs = dindex_section(x, DX_FUNCS, &nfuncs);
	order = dindex_section(x, DX_BY_NAME, &all);
	first = dindex_by_name(x, name, &found);
	for (uint32_t i = first; i < first + found; i++)
		n += order[i] < nfuncs && !(funcs[order[i]].flags & DXF_ABSTRACT);
	return n;
}

bool sym_symbol_addr(struct sym_object *o, const char *name, uint64_t *addr)
{
	const struct dindex *x = object_index(o);
	const struct dx_sym *sym = x ? dindex_sym(x, name) : NULL;

	if (sym)
		*addr = sym->addr;
	return sym;
}
