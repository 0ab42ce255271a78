/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where code and data of the kernel and its modules will be found. The kernel lies in one piece: a place is so far from
 * _stext. The sections of a module lie each for itself: a place is so far from the start of its section, which staprun
 * reads in sysfs, or from a symbol in the same section, by which a runtime in the kernel finds it when the module comes later.
 */
#include <stdlib.h>
#include <string.h>

#include "symbols/object.h"

#define PERCPU ".data..percpu"

static int by_name(const void *pa, const void *pb)
{
	return strcmp(((const struct object_symbol *)pa)->name, ((const struct object_symbol *)pb)->name);
}

static int by_addr(const void *pa, const void *pb)
{
	const struct object_symbol *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Functions and variables of the module's symbol table. */
static void read_symbols(struct sym_object *o)
{
	VEC(struct object_symbol) all = { 0 };
	int n = dwfl_module_getsymtab(o->mod);
	GElf_Addr bias = 0, addr;
	GElf_Word section;
	GElf_Sym sym;

	dwfl_module_getelf(o->mod, &bias);
	for (int i = 1; i < n; i++) {
		const char *name = dwfl_module_getsym_info(o->mod, i, &sym, &addr, &section, NULL, NULL);
		int type = GELF_ST_TYPE(sym.st_info);

		if (name && *name && section != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT))
			vec_push(o->arena, &all,
				 ((struct object_symbol){ name, addr - bias, section, type == STT_FUNC, false }));
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	for (uint32_t i = 0; i < all.n; i++)
		all.v[i].alone = (!i || by_name(&all.v[i - 1], &all.v[i]) != 0) &&
				 (i + 1 == all.n || by_name(&all.v[i], &all.v[i + 1]) != 0);
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_addr);
	o->symbols = all.v;
	o->nsymbols = all.n;
}

/* The last symbol of its own name at or before @addr in the section, else the first behind it. */
static const struct object_symbol *find_anchor(struct sym_object *o, uint64_t addr, uint32_t section)
{
	const struct object_symbol *best = NULL;

	if (!o->symbols)
		read_symbols(o);
	for (uint32_t i = 0; i < o->nsymbols; i++) {
		const struct object_symbol *s = &o->symbols[i];

		if (!s->alone || s->section != section)
			continue;
		if (s->addr > addr && best)
			break;
		best = s;
	}
	return best;
}

/* Splits a module's address: its section, by name and number, and how far it is from the start. */
static const char *section_of(struct sym_object *o, uint64_t addr, uint32_t *index, uint64_t *off)
{
	GElf_Addr bias = 0;
	Dwarf_Addr rel;
	const char *name;
	int at;

	dwfl_module_getelf(o->mod, &bias);
	rel = addr + bias;
	at = dwfl_module_relocate_address(o->mod, &rel);
	if (at < 0)
		return NULL;
	name = dwfl_module_relocation_info(o->mod, (unsigned int)at, index);
	*off = rel;
	return name && *name ? name : NULL;
}

static bool place_in_kernel(struct sym_object *o, uint64_t addr, struct sym_place *out)
{
	uint64_t text;

	if (!sym_symbol_addr(o, "_stext", &text))
		return false;
	*out = (struct sym_place){ .name = "_stext", .add = addr - text };
	return true;
}

static void place_by_symbol(struct sym_object *o, const struct object_symbol *s, uint64_t addr,
			    struct sym_place *out)
{
	*out = (struct sym_place){ .name = arena_printf(o->arena, "%s:%s", o->module, s->name),
				   .add = addr - s->addr };
}

bool sym_place(struct sym_object *o, uint64_t addr, struct sym_place *out)
{
	const struct object_symbol *anchor;
	const char *section;
	uint32_t index;
	uint64_t off;

	if (o->kind == OBJ_KERNEL && o->mod)
		return place_in_kernel(o, addr, out);
	if (o->kind != OBJ_MODULE)
		return false;
	section = section_of(o, addr, &index, &off);
	if (!section)
		return false;
	*out = (struct sym_place){ .name = arena_printf(o->arena, "%s:%s", o->module, section), .add = off };
	anchor = find_anchor(o, addr, index);
	if (anchor) {
		out->anchor = anchor->name;
		out->anchor_off = anchor->addr - (addr - off);
	}
	return true;
}

bool sym_place_code(struct sym_object *o, uint64_t addr, struct sym_place *out)
{
	const struct object_symbol *anchor;
	uint32_t index;
	uint64_t off;

	if (o->kind == OBJ_KERNEL && o->mod)
		return place_in_kernel(o, addr, out);
	if (o->kind != OBJ_MODULE || !section_of(o, addr, &index, &off))
		return false;
	anchor = find_anchor(o, addr, index);
	if (anchor)
		place_by_symbol(o, anchor, addr, out);
	return anchor;
}

/*
 * A module's part of each CPU's area is not among its sections: only symbols tell where it is. The kernel's begins at 0
 * up to 6.14, and lies among its other sections since.
 */
bool sym_place_percpu(struct sym_object *o, uint64_t addr, struct sym_place *out)
{
	const struct object_symbol *anchor;
	uint64_t text, off;
	uint32_t index;

	if (o->kind == OBJ_KERNEL) {
		if (!o->mod || !sym_symbol_addr(o, "_stext", &text))
			return false;
		if (addr >= text)
			return place_in_kernel(o, addr, out);
		*out = (struct sym_place){ .add = addr };
		return true;
	}
	if (o->kind != OBJ_MODULE || !section_of(o, addr, &index, &off))
		return false;
	anchor = find_anchor(o, addr, index);
	if (anchor)
		place_by_symbol(o, anchor, addr, out);
	return anchor;
}

bool object_is_percpu(struct sym_object *o, uint64_t addr)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(o->mod, &bias);
	Elf_Scn *scn = NULL;
	uint32_t index;
	const char *in;
	GElf_Shdr sh;
	size_t names;
	uint64_t off;

	if (o->kind == OBJ_MODULE) {
		in = section_of(o, addr, &index, &off);
		return in && !strcmp(in, PERCPU);
	}
	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && !strcmp(name, PERCPU))
			return addr >= sh.sh_addr && addr - sh.sh_addr < sh.sh_size;
	}
	return false;
}

const void *sym_btf_bytes(struct sym_object *o, size_t *len)
{
	GElf_Addr bias;
	Elf *elf = o->mod ? dwfl_module_getelf(o->mod, &bias) : NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		Elf_Data *d = name && !strcmp(name, ".BTF") ? elf_getdata(scn, NULL) : NULL;
		void *copy;

		if (!d || !d->d_size)
			continue;
		copy = arena_alloc(o->arena, d->d_size);
		*len = d->d_size;
		return memcpy(copy, d->d_buf, d->d_size);
	}
	return NULL;
}
