/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The .bo file: an ELF relocatable object for the BPF machine, in the shape that libbpf, readelf
 * and bpftool read. Written in memory in one pass: the sections are few and their order is fixed.
 */
#include "bpf/gen.h"

#include <elf.h>
#include <string.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

#define R_BPF_64_64 1
#define R_BPF_64_32 10

struct section {
	const char *name;
	uint32_t type, link, info;
	uint64_t flags, align, entsize;
	struct buf data;
};

struct elf {
	struct unit *u;
	VEC(struct section *) secs;
	VEC(Elf64_Sym) syms;
	struct buf strtab;
	uint32_t *fn_sec, *fn_off, *fn_sym, *map_sym;
	uint32_t data, rodata, maps, data_sym, rodata_sym, text_sym;
};

static uint32_t add_section(struct elf *e, const char *name, uint32_t type, uint64_t flags,
			    uint64_t align)
{
	struct section *s = arena_new(e->u->arena, struct section);

	s->name = name;
	s->type = type;
	s->flags = flags;
	s->align = align;
	buf_init(&s->data);
	vec_push(e->u->arena, &e->secs, s);
	return e->secs.n - 1;
}

static uint32_t add_string(struct elf *e, const char *s)
{
	uint32_t at = (uint32_t)e->strtab.len;

	buf_add(&e->strtab, s, strlen(s) + 1);
	return at;
}

static uint32_t add_symbol(struct elf *e, const char *name, unsigned int bind, unsigned int type,
			   uint32_t sec, uint64_t value, uint64_t size)
{
	Elf64_Sym s = { .st_name = name ? add_string(e, name) : 0,
			.st_info = (unsigned char)ELF64_ST_INFO(bind, type),
			.st_shndx = (Elf64_Half)sec,
			.st_value = value,
			.st_size = size };

	vec_push(e->u->arena, &e->syms, s);
	return e->syms.n - 1;
}

static uint32_t find_section(struct elf *e, const char *name)
{
	for (uint32_t k = 0; k < e->secs.n; k++)
		if (!strcmp(e->secs.v[k]->name, name))
			return k;
	return add_section(e, name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 8);
}

static void address_callbacks(struct elf *e, uint32_t fn, char *code)
{
	const struct bpf_asm *as = &e->u->fns.v[fn]->as;

	for (uint32_t k = 0; k < as->relocs.n; k++) {
		struct bpf_reloc r = as->relocs.v[k];

		if (r.kind == BR_FUNC)
			((struct bpf_insn *)(void *)code)[r.pos].imm = (int32_t)e->fn_off[r.index];
	}
}

static void place_functions(struct elf *e)
{
	struct unit *u = e->u;

	for (uint32_t k = 0; k < u->fns.n; k++) {
		const struct bpf_fn *f = u->fns.v[k];
		uint32_t sec = find_section(e, f->section ? f->section : ".text");

		e->fn_sec[k] = sec;
		e->fn_off[k] = (uint32_t)e->secs.v[sec]->data.len;
		buf_add(&e->secs.v[sec]->data, f->as.code.v,
			f->as.code.n * sizeof(struct bpf_insn));
	}
	for (uint32_t k = 0; k < u->fns.n; k++)
		address_callbacks(e, k, e->secs.v[e->fn_sec[k]]->data.p + e->fn_off[k]);
}

/* Initial values; .data of strings is as large as their limit. */
static void fill_data(struct elf *e)
{
	struct unit *u = e->u;
	char *p = arena_alloc(u->arena, u->lay.data_size + 8);

	for (uint32_t k = 0; k < u->m->globals.n; k++) {
		const struct ir_global *g = u->m->globals.v[k];
		char *at = p + u->lay.g[k].off;

		if (u->lay.g[k].map)
			continue;
		if (g->type == IR_STR)
			strncpy(at, g->init_str ? g->init_str : "", u->maxstr - 1);
		else
			memcpy(at, &g->init_num, 8);
	}
	buf_add(&e->secs.v[e->data]->data, p, u->lay.data_size);
}

static void add_sections(struct elf *e)
{
	struct unit *u = e->u;
	char *defs = arena_alloc(u->arena, (size_t)BPF_MAP_DEF_BYTES * (u->maps.n + 1));
	uint32_t s;

	add_section(e, "", SHT_NULL, 0, 0);
	place_functions(e);
	e->maps = add_section(e, ".maps", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8);
	buf_add(&e->secs.v[e->maps]->data, defs, (size_t)BPF_MAP_DEF_BYTES * u->maps.n);
	e->data = add_section(e, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8);
	fill_data(e);
	e->rodata = add_section(e, ".rodata", SHT_PROGBITS, SHF_ALLOC, 8);
	buf_add(&e->secs.v[e->rodata]->data, u->rodata.p, u->rodata.len);
	s = add_section(e, "license", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 1);
	buf_add(&e->secs.v[s]->data, "GPL", 4);
	s = add_section(e, ".BTF", SHT_PROGBITS, 0, 8);
	buf_add(&e->secs.v[s]->data, u->btf.p, u->btf.len);
	s = add_section(e, ".BTF.ext", SHT_PROGBITS, 0, 8);
	buf_add(&e->secs.v[s]->data, u->btf_ext.p, u->btf_ext.len);
	s = add_section(e, ".spile", SHT_NOTE, 0, 8);
	ir_write(&e->secs.v[s]->data, u->m);
}

static void function_symbols(struct elf *e, bool local)
{
	for (uint32_t k = 0; k < e->u->fns.n; k++) {
		const struct bpf_fn *f = e->u->fns.v[k];

		if ((f->kind == FN_STATIC) == local)
			e->fn_sym[k] = add_symbol(e, f->name, local ? STB_LOCAL : STB_GLOBAL,
						  STT_FUNC, e->fn_sec[k], e->fn_off[k],
						  f->as.code.n * sizeof(struct bpf_insn));
	}
}

/* libbpf wants a symbol for each variable that the types of .data name. */
static void data_symbols(struct elf *e)
{
	struct unit *u = e->u;

	add_symbol(e, "spile_state", STB_GLOBAL, STT_OBJECT, e->data, 0, BD_GLOBALS);
	for (uint32_t k = 0; k < u->m->globals.n; k++) {
		const struct bpf_global *g = &u->lay.g[k];

		add_symbol(e, arena_printf(u->arena, "spile_lock_%u", k), STB_GLOBAL, STT_OBJECT,
			   e->data, g->lock, 8);
		if (!g->map)
			add_symbol(e, g->name, STB_GLOBAL, STT_OBJECT, e->data, g->off,
				   u->m->globals.v[k]->type == IR_STR ? u->lay.strsz : 8);
	}
}

/* Returns the number of local symbols, which come first. */
static uint32_t add_symbols(struct elf *e)
{
	struct unit *u = e->u;
	uint32_t locals;

	add_symbol(e, NULL, STB_LOCAL, STT_NOTYPE, 0, 0, 0);
	e->data_sym = add_symbol(e, NULL, STB_LOCAL, STT_SECTION, e->data, 0, 0);
	e->rodata_sym = add_symbol(e, NULL, STB_LOCAL, STT_SECTION, e->rodata, 0, 0);
	if (u->fns.n)
		e->text_sym =
			add_symbol(e, NULL, STB_LOCAL, STT_SECTION, find_section(e, ".text"), 0, 0);
	function_symbols(e, true);
	locals = e->syms.n;
	function_symbols(e, false);
	data_symbols(e);
	for (uint32_t k = 0; k < u->maps.n; k++)
		e->map_sym[k] = add_symbol(e, u->maps.v[k].name, STB_GLOBAL, STT_OBJECT, e->maps,
					   (uint64_t)BPF_MAP_DEF_BYTES * k, BPF_MAP_DEF_BYTES);
	return locals;
}

static void relocate(struct elf *e, uint32_t fn, struct buf *out)
{
	const struct bpf_asm *as = &e->u->fns.v[fn]->as;

	for (uint32_t k = 0; k < as->relocs.n; k++) {
		struct bpf_reloc r = as->relocs.v[k];
		/* a callback's address: libbpf takes static functions by section and offset only */
		uint32_t sym = r.kind == BR_FUNC     ? e->text_sym
			       : r.kind == BR_MAP    ? e->map_sym[r.index]
			       : r.kind == BR_DATA   ? e->data_sym
			       : r.kind == BR_RODATA ? e->rodata_sym
						     : e->fn_sym[r.index];
		Elf64_Rel rel = { .r_offset = e->fn_off[fn] + 8ull * r.pos,
				  .r_info = ELF64_R_INFO((uint64_t)sym, r.kind == BR_CALL
										? R_BPF_64_32
										: R_BPF_64_64) };

		buf_add(out, &rel, sizeof(rel));
	}
}

static void add_relocations(struct elf *e, uint32_t nsecs, uint32_t symtab)
{
	for (uint32_t s = 1; s < nsecs; s++) {
		struct section *rel = NULL;

		for (uint32_t f = 0; f < e->u->fns.n; f++) {
			if (e->fn_sec[f] != s || !e->u->fns.v[f]->as.relocs.n)
				continue;
			if (!rel) {
				const char *name =
					arena_printf(e->u->arena, ".rel%s", e->secs.v[s]->name);

				/* which may move the table of sections */
				uint32_t at = add_section(e, name, SHT_REL, 0, 8);

				rel = e->secs.v[at];
				rel->link = symtab;
				rel->info = s;
				rel->entsize = sizeof(Elf64_Rel);
			}
			relocate(e, f, &rel->data);
		}
	}
}

static void pad(struct buf *b, uint64_t align)
{
	while (align && b->len % align)
		buf_putc(b, 0);
}

static void write_file(struct elf *e, struct buf *out, uint32_t strtab)
{
	uint32_t n = e->secs.n;
	Elf64_Shdr *sh = arena_alloc(e->u->arena, sizeof(*sh) * n);
	Elf64_Ehdr eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_REL,
			  .e_machine = EM_BPF,
			  .e_version = EV_CURRENT,
			  .e_ehsize = sizeof(eh),
			  .e_shentsize = sizeof(*sh),
			  .e_shnum = (Elf64_Half)n,
			  .e_shstrndx = (Elf64_Half)strtab };
	size_t start = out->len;

	for (uint32_t k = 0; k < n; k++)
		sh[k].sh_name = k ? add_string(e, e->secs.v[k]->name) : 0;
	buf_add(&e->secs.v[strtab]->data, e->strtab.p, e->strtab.len);
	buf_add(out, &eh, sizeof(eh));
	for (uint32_t k = 1; k < n; k++) {
		const struct section *s = e->secs.v[k];

		pad(out, s->align);
		sh[k].sh_type = s->type;
		sh[k].sh_flags = s->flags;
		sh[k].sh_offset = out->len - start;
		sh[k].sh_size = s->data.len;
		sh[k].sh_link = s->link;
		sh[k].sh_info = s->info;
		sh[k].sh_addralign = s->align;
		sh[k].sh_entsize = s->entsize;
		if (s->data.len)
			buf_add(out, s->data.p, s->data.len);
	}
	pad(out, 8);
	eh.e_shoff = out->len - start;
	buf_add(out, sh, sizeof(*sh) * n);
	memcpy(out->p + start, &eh, sizeof(eh));
}

void elf_write(struct unit *u, struct buf *out)
{
	struct elf e = { .u = u };
	uint32_t symtab, strtab, locals, nsecs;

	buf_init(&e.strtab);
	buf_putc(&e.strtab, 0);
	e.fn_sec = arena_alloc(u->arena, sizeof(uint32_t) * (u->fns.n + 1));
	e.fn_off = arena_alloc(u->arena, sizeof(uint32_t) * (u->fns.n + 1));
	e.fn_sym = arena_alloc(u->arena, sizeof(uint32_t) * (u->fns.n + 1));
	e.map_sym = arena_alloc(u->arena, sizeof(uint32_t) * (u->maps.n + 1));
	add_sections(&e);
	locals = add_symbols(&e);
	nsecs = e.secs.n;
	symtab = add_section(&e, ".symtab", SHT_SYMTAB, 0, 8);
	strtab = add_section(&e, ".strtab", SHT_STRTAB, 0, 1);
	buf_add(&e.secs.v[symtab]->data, e.syms.v, sizeof(Elf64_Sym) * e.syms.n);
	e.secs.v[symtab]->link = strtab;
	e.secs.v[symtab]->info = locals;
	e.secs.v[symtab]->entsize = sizeof(Elf64_Sym);
	add_relocations(&e, nsecs, symtab);
	write_file(&e, out, strtab);
	for (uint32_t k = 0; k < e.secs.n; k++)
		buf_fini(&e.secs.v[k]->data);
	buf_fini(&e.strtab);
}
