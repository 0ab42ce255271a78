/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stubs are found by what they do, not by a layout, of which linkers have several (.plt, .plt.sec, .plt.got, with and
 * without marks for indirect branch tracking): each jumps by way of a word in memory, and the relocation of that
 * word names the function.
 */
#include "symbols/plt.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	uint64_t addr; /* of the word */
	const char *name;
};

struct slots {
	struct arena *a;
	VEC(struct slot) v;
	struct elf_section syms, strs;
};

static const char *symbol_name(struct slots *s, uint64_t index)
{
	Elf64_Sym sym;
	const uint8_t *end;

	if (!index || index >= s->syms.len / sizeof(sym))
		return NULL;
	memcpy(&sym, s->syms.bytes + index * sizeof(sym), sizeof(sym));
	if (!sym.st_name || sym.st_name >= s->strs.len)
		return NULL;
	end = memchr(s->strs.bytes + sym.st_name, 0, s->strs.len - sym.st_name);
	return end ? arena_strndup(s->a, (const char *)s->strs.bytes + sym.st_name,
				   (size_t)(end - s->strs.bytes) - sym.st_name)
		   : NULL;
}

static void read_relocations(struct elf_file *f, struct slots *s, const char *section)
{
	struct elf_section rel;

	if (!elf_find_section(f, section, &rel))
		return;
	for (size_t at = 0; rel.len - at >= sizeof(Elf64_Rela); at += sizeof(Elf64_Rela)) {
		Elf64_Rela r;
		const char *name;

		memcpy(&r, rel.bytes + at, sizeof(r));
		if (ELF64_R_TYPE(r.r_info) != R_X86_64_JUMP_SLOT &&
		    ELF64_R_TYPE(r.r_info) != R_X86_64_GLOB_DAT)
			continue;
		name = symbol_name(s, ELF64_R_SYM(r.r_info));
		if (name)
			vec_push(s->a, &s->v, ((struct slot){ r.r_offset, name }));
	}
}

static int slot_cmp(const void *x, const void *y)
{
	const struct slot *a = x, *b = y;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* The word by which code at @p jumps, when it does; @at: the address of @p. */
static bool jumps_by(const uint8_t *p, size_t left, uint64_t at, uint64_t *word)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t n = 0;
	int32_t disp;

	if (left >= sizeof(endbr) && !memcmp(p, endbr, sizeof(endbr)))
		n = sizeof(endbr);
	if (n < left && p[n] == 0xf2)
		n++;
	if (left - n < 6 || p[n] != 0xff || p[n + 1] != 0x25)
		return false;
	memcpy(&disp, p + n + 2, sizeof(disp));
	*word = at + n + 6 + (uint64_t)(int64_t)disp;
	return true;
}

static void find_stubs(struct elf_file *f, const struct slots *s, const char *section, plt_vec *out)
{
	struct elf_section code;

	if (!elf_find_section(f, section, &code))
		return;
	/* stubs of 8 and of 16 bytes begin at multiples of 8 */
	for (size_t at = 0; at < code.len; at += 8) {
		struct slot want, *found;

		if (!jumps_by(code.bytes + at, code.len - at, code.addr + at, &want.addr))
			continue;
		found = bsearch(&want, s->v.v, s->v.n, sizeof(want), slot_cmp);
		if (found)
			vec_push(s->a, out, ((struct plt_entry){ found->name, code.addr + at }));
	}
}

void elf_plt(struct elf_file *f, struct arena *a, plt_vec *out)
{
	static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got" };
	struct slots s = { .a = a };

	if (!elf_find_section(f, ".dynsym", &s.syms) || !elf_find_section(f, ".dynstr", &s.strs))
		return;
	read_relocations(f, &s, ".rela.plt");
	read_relocations(f, &s, ".rela.dyn");
	if (!s.v.n)
		return;
	qsort(s.v.v, s.v.n, sizeof(*s.v.v), slot_cmp);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		find_stubs(f, &s, sections[i], out);
}
