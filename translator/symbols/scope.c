/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is visible at a place in a function. */
#include "symbols/scope.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define MAXDEPTH 200

struct sym_scope *sym_scope_new(struct sym_object *o, const struct sym_func *f, uint64_t pc,
				bool at_return)
{
	struct sym_scope *sc = arena_new(o->arena, struct sym_scope);
	Dwarf_Die *scopes;
	int n;

	sc->obj = o;
	sc->func = *f;
	sc->pc = pc;
	sc->at_return = at_return;
	if (!o->dw || !f->die || !object_die(o->dw, f->die, &sc->die))
		return sc;
	sc->frame = sc->die;
	if (dwarf_tag(&sc->die) == DW_TAG_subprogram)
		return sc;
	n = dwarf_getscopes_die(&sc->die, &scopes);
	for (int i = 0; i < n; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram) {
			sc->frame = scopes[i];
			break;
		}
	if (n > 0)
		free(scopes);
	return sc;
}

struct sym_object *sym_scope_object(const struct sym_scope *sc)
{
	return sc->obj;
}

uint64_t sym_scope_pc(const struct sym_scope *sc)
{
	return sc->pc;
}

static bool is_external(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	bool flag;

	return dwarf_attr_integrate(die, DW_AT_external, &attr) && !dwarf_formflag(&attr, &flag) &&
	       flag;
}

static bool has_static_place(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	return dwarf_attr(die, DW_AT_location, &attr) && !dwarf_getlocation(&attr, &ops, &n) &&
	       n == 1 && (ops[0].atom == DW_OP_addr || ops[0].atom == DW_OP_addrx);
}

static struct sym_var make_var(struct sym_object *o, Dwarf_Die *die)
{
	int line;

	return (struct sym_var){
		.name = dwarf_diename(die),
		.kind = dwarf_tag(die) == DW_TAG_formal_parameter ? SV_PARAM
			: is_external(die)                        ? SV_GLOBAL
			: has_static_place(die)                   ? SV_STATIC
								  : SV_LOCAL,
		.type = object_type_of(o, die),
		.type_text = object_type_text(o, die),
		.line = !dwarf_decl_line(die, &line) && line > 0 ? (uint32_t)line : 0,
		.handle = object_die_id(o->dw, die),
	};
}

struct visit {
	struct sym_scope *sc;
	bool (*fn)(const struct sym_var *v, void *arg);
	void *arg;
	bool go;
};

/* Blocks that hold the address first: what they declare hides what lies around them. */
static void visit_level(struct visit *v, Dwarf_Die *scope, unsigned int depth)
{
	struct sym_var var;
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(scope, &die))
		return;
	do {
		if (dwarf_tag(&die) == DW_TAG_lexical_block && dwarf_haspc(&die, v->sc->pc) > 0)
			visit_level(v, &die, depth + 1);
	} while (v->go && !dwarf_siblingof(&die, &die));
	if (!v->go || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if ((tag != DW_TAG_formal_parameter &&
		     (tag != DW_TAG_variable || v->sc->at_return)) ||
		    !dwarf_diename(&die))
			continue;
		var = make_var(v->sc->obj, &die);
		v->go = v->fn(&var, v->arg);
	} while (v->go && !dwarf_siblingof(&die, &die));
}

void sym_scope_vars(struct sym_scope *sc, bool (*fn)(const struct sym_var *v, void *arg), void *arg)
{
	struct visit v = { sc, fn, arg, true };

	if (sc->die.addr)
		visit_level(&v, &sc->die, 0);
}

struct find {
	const char *name;
	struct sym_var *out;
	bool found;
};

static bool find_var(const struct sym_var *v, void *arg)
{
	struct find *f = arg;

	if (strcmp(v->name, f->name) != 0)
		return true;
	*f->out = *v;
	f->found = true;
	return false;
}

/* The declaration of that name in a block within @scope; blocks of inlined functions are not its own. */
static bool declared_within(Dwarf_Die *scope, const char *name, unsigned int depth, Dwarf_Die *block, Dwarf_Die *var)
{
	Dwarf_Die die;

	if (depth > MAXDEPTH || dwarf_child(scope, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);
		const char *is = tag == DW_TAG_variable || tag == DW_TAG_formal_parameter ? dwarf_diename(&die) : NULL;

		if (is && !strcmp(is, name)) {
			*block = *scope;
			*var = die;
			return true;
		}
		if (tag == DW_TAG_lexical_block && declared_within(&die, name, depth + 1, block, var))
			return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

const char *sym_scope_elsewhere(struct sym_scope *sc, const char *name)
{
	Dwarf_Addr base, lo, hi;
	Dwarf_Die block, var;
	const char *where = "";
	int line = 0;

	if (!sc->die.addr || !declared_within(&sc->die, name, 0, &block, &var))
		return NULL;
	dwarf_decl_line(&var, &line);
	if (dwarf_ranges(&block, 0, &base, &lo, &hi) > 0 && lo >= sc->func.entry)
		where = arena_printf(sc->obj->arena, ", in the block at %s+0x%llx..0x%llx", sc->func.name,
				     (unsigned long long)(lo - sc->func.entry),
				     (unsigned long long)(hi - sc->func.entry));
	return arena_printf(sc->obj->arena, "line %d declares it%s", line, where);
}

static bool has_place(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_location) || dwarf_hasattr(die, DW_AT_const_value);
}

/* A variable of the unit that the function is in; one without a place hides what other units have. */
static bool find_in_unit(struct sym_scope *sc, const char *name, struct sym_var *out)
{
	const struct dindex *x = sc->die.addr ? object_index(sc->obj) : NULL;
	Dwarf_Die unit, other, die;
	const struct dx_name *row;
	bool found = false;
	uint32_t n;

	if (!x || !dwarf_diecu(&sc->die, &unit, NULL, NULL))
		return false;
	row = dindex_names(x, DX_GLOBALS, name, &n);
	for (uint32_t i = 0; i < n; i++) {
		if (!object_die(sc->obj->dw, row[i].die, &die) ||
		    !dwarf_diecu(&die, &other, NULL, NULL) || other.addr != unit.addr)
			continue;
		*out = make_var(sc->obj, &die);
		found = true;
		if (has_place(&die))
			break;
	}
	return found;
}

/* Of several statics of one name the one in the file with the shortest matching path; one that has a place comes first. */
static bool find_global(struct sym_object *o, const char *name, bool external, struct sym_var *out)
{
	const struct dindex *x = object_index(o);
	const char *at = strchr(name, '@'),
		   *plain = at ? arena_strndup(o->arena, name, (size_t)(at - name)) : name;
	bool best_place = false, found = false;
	const struct dx_name *row;
	size_t best_len = 0;
	Dwarf_Die die;
	uint32_t n;

	if (!x || !o->dw)
		return false;
	row = dindex_names(x, DX_GLOBALS, plain, &n);
	for (uint32_t i = 0; i < n; i++) {
		const char *unit = dindex_string(x, row[i].tag);
		bool place;

		if ((at && !object_file_matches(at + 1, unit)) || !object_die(o->dw, row[i].die, &die) ||
		    (external && !is_external(&die)))
			continue;
		place = has_place(&die);
		if (found && (place == best_place ? strlen(unit) >= best_len : !place))
			continue;
		*out = make_var(o, &die);
		best_len = strlen(unit);
		best_place = place;
		found = true;
	}
	return found;
}

bool sym_scope_find(struct sym_scope *sc, const char *name, struct sym_var *out)
{
	struct find f = { name, out, false };

	sym_scope_vars(sc, find_var, &f);
	return f.found || find_in_unit(sc, name, out) || find_global(sc->obj, name, true, out);
}

bool sym_unit_find(struct sym_scope *sc, const char *name, struct sym_var *out, struct sym_scope **scope)
{
	*scope = sc;
	return find_in_unit(sc, name, out);
}

const struct sym_type *sym_return_type(struct sym_scope *sc, const char **type_text)
{
	if (!sc->die.addr)
		return NULL;
	if (type_text)
		*type_text = object_type_text(sc->obj, &sc->frame);
	return object_type_of(sc->obj, &sc->frame);
}

bool sym_global_find(struct sym_object *o, const char *name, struct sym_var *out,
		     struct sym_scope **scope)
{
	if (!find_global(o, name, false, out))
		return false;
	if (scope)
		*scope = sym_scope_new(o, &(struct sym_func){ .name = out->name }, 0, false);
	return true;
}
