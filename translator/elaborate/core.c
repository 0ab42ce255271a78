/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type paths (ir/layout.h) of what scripts access in the kernel, written while its members are looked up. */
#include <ctype.h>
#include <string.h>

#include "elaborate/internal.h"
#include "ir/layout.h"
#include "symbols/symbols.h"

static bool plain_name(const char *s)
{
	for (; s && *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return s;
}

static const char *record_text(struct elab *e, const struct sym_type *t)
{
	return arena_printf(e->arena, "%s %s %llu", t->kind == ST_UNION ? "union" : "struct",
			    plain_name(t->name) && *t->name ? t->name : "-", (unsigned long long)t->size);
}

static const char *type_text(struct elab *e, const struct sym_type *t)
{
	const char *dims = "";
	char kind = 'u';

	for (int n = 0; n < IR_PATH_DIMS && t->kind == ST_ARRAY && sym_type_target(t); n++) {
		dims = arena_printf(e->arena, "%s[%llu]", dims, (unsigned long long)t->nelems);
		t = sym_type_target(t);
	}
	switch (t->kind) {
	case ST_POINTER:
		return arena_printf(e->arena, "%s*", dims);
	case ST_STRUCT:
	case ST_UNION:
	case ST_INCOMPLETE:
		return arena_printf(e->arena, "%s%s", dims, record_text(e, t));
	case ST_ENUM:
		kind = 'e';
		break;
	case ST_BOOL:
		kind = 'b';
		break;
	case ST_FLOAT:
		kind = 'f';
		break;
	default:
		kind = t->is_signed ? 'i' : 'u';
	}
	return arena_printf(e->arena, "%s%c%llu", dims, kind, (unsigned long long)t->size);
}

/* Whether the name leads back to this structure, on this kernel and so on others. */
static bool is_found(struct elab *e, const struct sym_type *t)
{
	struct sym_object *types;
	const char *why;

	if (!plain_name(t->name) || !*t->name)
		return false;
	/* a module is of one build, which is checked; its own types may be called like some of the kernel's */
	if (sym_module_name(t->obj))
		return false;
	types = probe_kernel_types(&e->env, &why);
	return types && sym_btf_count(types, t) == 1;
}

const char *core_root(struct elab *e, const struct sym_type *t)
{
	const char *text = record_text(e, t);

	return is_found(e, t) ? text : arena_printf(e->arena, IR_PATH_FIXED "%s", text);
}

const char *core_member(struct elab *e, const char *path, const struct sym_member *m)
{
	const char *bits = m->bit_size ? arena_printf(e->arena, ":%u", m->bit_size) : "";

	/* the members of an anonymous structure in a union: where a structure would be looked for */
	if (m->offset && !strncmp(path, "union ", 6) && !strchr(path, '.'))
		path = arena_printf(e->arena, IR_PATH_FIXED "%s", path);
	return arena_printf(e->arena, "%s.%s@%llu%s %s", path, m->name,
			    (unsigned long long)m->offset * 8 + m->bit_offset, bits, type_text(e, m->type));
}

struct ir_val lower_layout(struct lower *l, enum ir_layout what, int64_t here, const char *path, struct span at)
{
	uint32_t r = lower_temp(l, IR_I64), aux = ir_string(l->m, path);
	struct ir_val v = ir_num(here);
	struct ir_insn *i = lower_insn(l, IR_layout, r, &v, 1);

	i->imm = what;
	i->aux = aux;
	i->loc = lower_loc(l, at);
	return ir_reg(r);
}
