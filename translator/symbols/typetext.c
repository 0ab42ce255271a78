/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types as C spells them. */
#include <dwarf.h>
#include <string.h>

#include "symbols/object.h"

#define MAXCHAIN 100

static const struct {
	int tag;
	const char *word;
} words[] = {
	{ DW_TAG_structure_type, "struct " }, { DW_TAG_class_type, "class " },
	{ DW_TAG_union_type, "union " },      { DW_TAG_enumeration_type, "enum " },
	{ DW_TAG_const_type, "const " },      { DW_TAG_volatile_type, "volatile " },
};

static const char *word_of(int tag)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].tag == tag)
			return words[i].word;
	return "";
}

static const char *text_of(struct sym_object *o, Dwarf_Die *holder, unsigned int depth);

static const char *join_pointer(struct arena *a, const char *target)
{
	size_t n = strlen(target);

	return n && target[n - 1] == '*' ? arena_printf(a, "%s*", target)
					 : arena_printf(a, "%s *", target);
}

static const char *parameters(struct sym_object *o, Dwarf_Die *func, unsigned int depth)
{
	const char *list = "";
	Dwarf_Die die;

	if (dwarf_child(func, &die))
		return "void";
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_formal_parameter)
			list = arena_printf(o->arena, "%s%s%s", list, *list ? ", " : "",
					    text_of(o, &die, depth + 1));
		else if (tag == DW_TAG_unspecified_parameters)
			list = arena_printf(o->arena, "%s%s...", list, *list ? ", " : "");
	} while (!dwarf_siblingof(&die, &die));
	return *list ? list : "void";
}

static const char *array_text(struct sym_object *o, Dwarf_Die *type, unsigned int depth)
{
	const char *dims = "";
	Dwarf_Attribute attr;
	Dwarf_Word v;
	Dwarf_Die die;

	if (!dwarf_child(type, &die)) {
		do {
			if (dwarf_attr(&die, DW_AT_count, &attr) && !dwarf_formudata(&attr, &v))
				dims = arena_printf(o->arena, "%s[%llu]", dims,
						    (unsigned long long)v);
			else if (dwarf_attr(&die, DW_AT_upper_bound, &attr) &&
				 !dwarf_formudata(&attr, &v))
				dims = arena_printf(o->arena, "%s[%llu]", dims,
						    (unsigned long long)v + 1);
			else
				dims = arena_printf(o->arena, "%s[]", dims);
		} while (!dwarf_siblingof(&die, &die));
	}
	return arena_printf(o->arena, "%s%s", text_of(o, type, depth + 1), dims);
}

/* A pointer to a function reads from the inside out. */
static const char *pointer_text(struct sym_object *o, Dwarf_Die *type, unsigned int depth)
{
	Dwarf_Attribute attr;
	Dwarf_Die to;

	if (dwarf_attr(type, DW_AT_type, &attr) && dwarf_formref_die(&attr, &to) &&
	    dwarf_tag(&to) == DW_TAG_subroutine_type)
		return arena_printf(o->arena, "%s (*)(%s)", text_of(o, &to, depth + 1),
				    parameters(o, &to, depth + 1));
	return join_pointer(o->arena, text_of(o, type, depth + 1));
}

/* The text of the type that @holder has: a variable, a member, a typedef, a pointer ... */
static const char *text_of(struct sym_object *o, Dwarf_Die *holder, unsigned int depth)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;
	const char *name;
	int tag;

	if (depth > MAXCHAIN)
		return "...";
	if (!dwarf_attr_integrate(holder, DW_AT_type, &attr))
		return "void";
	if (!dwarf_formref_die(&attr, &type))
		return "?";
	tag = dwarf_tag(&type);
	name = dwarf_diename(&type);
	switch (tag) {
	case DW_TAG_pointer_type:
		return pointer_text(o, &type, depth);
	case DW_TAG_reference_type:
		return arena_printf(o->arena, "%s &", text_of(o, &type, depth + 1));
	case DW_TAG_array_type:
		return array_text(o, &type, depth);
	case DW_TAG_subroutine_type:
		return arena_printf(o->arena, "%s (%s)", text_of(o, &type, depth + 1),
				    parameters(o, &type, depth + 1));
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
		name = text_of(o, &type, depth + 1);
		/* a qualified pointer has its qualifier behind */
		if (strchr(name, '*'))
			return arena_printf(o->arena, "%s%s", name,
					    tag == DW_TAG_const_type ? " const" : " volatile");
		return arena_printf(o->arena, "%s%s", word_of(tag), name);
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return text_of(o, &type, depth + 1);
	default:
		return arena_printf(o->arena, "%s%s", word_of(tag), name ? name : "{...}");
	}
}

const char *object_type_text(struct sym_object *o, Dwarf_Die *die)
{
	return text_of(o, die, 0);
}
