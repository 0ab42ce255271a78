/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#else
#error "this machine's ELF number is not known here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

#define DEBUG_ROOT "/usr/lib/debug/.build-id"
#define MOST_BUILD_ID 64 /* bytes */

struct elf_file {
	struct arena *arena;
	const unsigned char *map;
	size_t len;
	const Elf64_Shdr *sh; /* may be unaligned in a hostile file: see elf_table() */
	const Elf64_Phdr *ph;
	uint32_t nsh, nph;
	const char *shstr;
	size_t shstr_len;
	VEC(struct elf_func) funcs;
	bool mapped, read, symtab;
};

static bool elf_inside(const struct elf_file *f, uint64_t off, uint64_t len)
{
	return off <= f->len && len <= f->len - off;
}

/*
 * A table of the file, copied when it is not aligned as its type wants; NULL when it leaves the
 * file.
 */
static const void *elf_table(const struct elf_file *f, uint64_t off, uint64_t n, size_t size)
{
	void *copy;

	if (n > f->len / size || !elf_inside(f, off, n * size))
		return NULL;
	if (!(off % 8))
		return f->map + off;
	copy = arena_alloc(f->arena, n * size + 1);
	memcpy(copy, f->map + off, n * size);
	return copy;
}

/* A string of a string section; NULL when it does not end inside. */
static const char *elf_string(const char *strs, size_t len, uint64_t off)
{
	return strs && off < len && memchr(strs + off, 0, len - off) ? strs + off : NULL;
}

static const char *elf_check_header(const struct elf_file *f, const Elf64_Ehdr *eh)
{
	if (f->len < EI_NIDENT || memcmp(f->map, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (f->map[EI_CLASS] != ELFCLASS64)
		return "a 32-bit ELF object; only 64-bit ones can be probed";
	if (f->len < sizeof(*eh))
		return "a damaged ELF file: its header is cut off";
	if (f->map[EI_DATA] != NATIVE_DATA || eh->e_machine != NATIVE_MACHINE)
		return "an ELF object for another kind of machine";
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return "not a linked program or shared library";
	return NULL;
}

static const char *elf_read_headers(struct elf_file *f)
{
	const Elf64_Ehdr *eh = (const void *)f->map;
	const char *bad = elf_check_header(f, eh);
	uint32_t strndx;

	if (bad)
		return bad;
	if (eh->e_phnum) {
		f->ph = elf_table(f, eh->e_phoff, eh->e_phnum, sizeof(*f->ph));
		if (!f->ph || eh->e_phentsize != sizeof(*f->ph))
			return "a damaged ELF file: its program headers leave the file";
		f->nph = eh->e_phnum;
	}
	if (!eh->e_shoff)
		return NULL;
	f->sh = elf_table(f, eh->e_shoff, 1, sizeof(*f->sh));
	if (!f->sh || eh->e_shentsize != sizeof(*f->sh))
		return "a damaged ELF file: its section headers leave the file";
	/* Past 65,279 sections the counts are in section 0. */
	strndx = eh->e_shstrndx == SHN_XINDEX ? f->sh->sh_link : eh->e_shstrndx;
	f->nsh = eh->e_shnum ? eh->e_shnum : (uint32_t)f->sh->sh_size;
	f->sh = elf_table(f, eh->e_shoff, f->nsh, sizeof(*f->sh));
	if (!f->sh)
		return "a damaged ELF file: its section headers leave the file";
	if (strndx < f->nsh && elf_inside(f, f->sh[strndx].sh_offset, f->sh[strndx].sh_size)) {
		f->shstr = (const char *)f->map + f->sh[strndx].sh_offset;
		f->shstr_len = f->sh[strndx].sh_size;
	}
	return NULL;
}

struct elf_file *elf_open_bytes(struct arena *a, const void *bytes, size_t len, const char **why)
{
	struct elf_file *f = arena_new(a, struct elf_file);

	f->arena = a;
	f->map = bytes;
	f->len = len;
	*why = elf_read_headers(f);
	return *why ? NULL : f;
}

/* Maps a regular file that is not empty, or says why that cannot be. */
static const void *elf_map(struct arena *a, const char *path, size_t *len, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		*why = arena_strdup(a, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size) {
		*why = S_ISREG(st.st_mode) ? "an empty file" : "not a regular file";
	} else {
		*len = st.st_size;
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			*why = arena_strdup(a, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return map == MAP_FAILED ? NULL : map;
}

struct elf_file *elf_open(struct arena *a, const char *path, const char **why)
{
	size_t len;
	const void *map = elf_map(a, path, &len, why);
	struct elf_file *f = map ? elf_open_bytes(a, map, len, why) : NULL;

	if (f)
		f->mapped = true;
	else if (map)
		munmap((void *)map, len);
	return f;
}

void elf_close(struct elf_file *f)
{
	if (!f || !f->mapped)
		return;
	munmap((void *)f->map, f->len);
	f->mapped = false;
}

bool elf_find_section(const struct elf_file *f, const char *name, struct elf_section *out)
{
	for (uint32_t i = 0; i < f->nsh; i++) {
		const Elf64_Shdr *s = &f->sh[i];
		const char *n = elf_string(f->shstr, f->shstr_len, s->sh_name);

		if (!n || strcmp(n, name) != 0 || s->sh_type == SHT_NOBITS ||
		    !elf_inside(f, s->sh_offset, s->sh_size))
			continue;
		*out = (struct elf_section){ f->map + s->sh_offset, s->sh_size, s->sh_addr };
		return true;
	}
	return false;
}

const void *elf_section(const struct elf_file *f, const char *name, size_t *len)
{
	struct elf_section s;

	if (!elf_find_section(f, name, &s))
		return NULL;
	*len = s.len;
	return s.bytes;
}

/* By the loadable segment with one of the @flags (0: any) that holds the address with file contents. */
static bool elf_addr_to_offset(const struct elf_file *f, uint64_t addr, uint32_t flags, uint64_t *off)
{
	for (uint32_t i = 0; i < f->nph; i++) {
		const Elf64_Phdr *p = &f->ph[i];

		if (p->p_type != PT_LOAD || (flags && !(p->p_flags & flags)) || addr < p->p_vaddr ||
		    addr - p->p_vaddr >= p->p_filesz)
			continue;
		*off = addr - p->p_vaddr + p->p_offset;
		return true;
	}
	return false;
}

bool elf_offset(const struct elf_file *f, uint64_t addr, uint64_t *offset)
{
	return elf_addr_to_offset(f, addr, 0, offset);
}

static bool elf_symbol_in(const struct elf_file *f, const Elf64_Shdr *s, const char *name,
			  uint64_t *addr)
{
	const Elf64_Sym *syms =
		elf_table(f, s->sh_offset, s->sh_size / sizeof(*syms), sizeof(*syms));
	const Elf64_Shdr *strs = s->sh_link < f->nsh ? &f->sh[s->sh_link] : NULL;

	if (!syms || !strs || !elf_inside(f, strs->sh_offset, strs->sh_size))
		return false;
	for (uint64_t i = 0; i < s->sh_size / sizeof(*syms); i++) {
		const char *is = elf_string((const char *)f->map + strs->sh_offset, strs->sh_size,
					    syms[i].st_name);

		if (!is || syms[i].st_shndx == SHN_UNDEF || strcmp(is, name) != 0)
			continue;
		*addr = syms[i].st_value;
		return true;
	}
	return false;
}

/* Takes the functions of one symbol table of @from; addresses are placed by @f's segments. */
static void elf_add_table(struct elf_file *f, const struct elf_file *from, const Elf64_Shdr *s)
{
	const Elf64_Sym *syms =
		elf_table(from, s->sh_offset, s->sh_size / sizeof(*syms), sizeof(*syms));
	const Elf64_Shdr *strs = s->sh_link < from->nsh ? &from->sh[s->sh_link] : NULL;

	if (!syms || !strs || !elf_inside(from, strs->sh_offset, strs->sh_size))
		return;
	for (uint64_t i = 0; i < s->sh_size / sizeof(*syms); i++) {
		struct elf_func fn = { .addr = syms[i].st_value, .size = syms[i].st_size };
		const char *name;

		if (ELF64_ST_TYPE(syms[i].st_info) != STT_FUNC || syms[i].st_shndx == SHN_UNDEF)
			continue;
		name = elf_string((const char *)from->map + strs->sh_offset, strs->sh_size,
				  syms[i].st_name);
		if (!name || !*name || !elf_addr_to_offset(f, fn.addr, PF_X, &fn.offset))
			continue;
		/*
		 * Copied: the mapping ends with elf_close(), and versions (name@@VER) are no part
		 * of the name.
		 */
		fn.name = arena_strndup(f->arena, name, strcspn(name, "@"));
		vec_push(f->arena, &f->funcs, fn);
	}
}

static bool elf_add_tables(struct elf_file *f, const struct elf_file *from, uint32_t type)
{
	bool found = false;

	for (uint32_t i = 0; i < from->nsh; i++) {
		if (from->sh[i].sh_type != type)
			continue;
		elf_add_table(f, from, &from->sh[i]);
		found = true;
	}
	return found;
}

size_t elf_build_id(const struct elf_file *f, const uint8_t **id)
{
	struct elf_section note;
	Elf64_Nhdr h;

	if (!elf_find_section(f, ".note.gnu.build-id", &note) || note.len < sizeof(h) + 4)
		return 0;
	memcpy(&h, note.bytes, sizeof(h));
	if (h.n_namesz != 4 || h.n_descsz < 2 || h.n_descsz > MOST_BUILD_ID ||
	    h.n_descsz > note.len - sizeof(h) - 4)
		return 0;
	*id = note.bytes + sizeof(h) + 4;
	return h.n_descsz;
}

/* /usr/lib/debug/.build-id/ab/cdef....debug of this object, or NULL. */
static const char *elf_debug_path(struct elf_file *f)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * MOST_BUILD_ID + 1];
	const uint8_t *id;
	size_t n = elf_build_id(f, &id);

	if (!n)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[id[i] >> 4];
		hex[2 * i + 1] = digits[id[i] & 15];
	}
	hex[2 * n] = 0;
	return arena_printf(f->arena, DEBUG_ROOT "/%.2s/%s.debug", hex, hex + 2);
}

static bool elf_add_debug_file(struct elf_file *f)
{
	const char *path = elf_debug_path(f), *why;
	struct elf_file *d = path ? elf_open(f->arena, path, &why) : NULL;
	bool found;

	if (!d)
		return false;
	found = elf_add_tables(f, d, SHT_SYMTAB);
	elf_close(d);
	return found;
}

static int elf_func_cmp(const void *x, const void *y)
{
	const struct elf_func *a = x, *b = y;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return strcmp(a->name, b->name);
}

const struct elf_func *elf_funcs(struct elf_file *f, uint32_t *n)
{
	uint32_t kept = 0;

	if (!f->read) {
		f->read = true;
		f->symtab = elf_add_tables(f, f, SHT_SYMTAB) || elf_add_debug_file(f);
		elf_add_tables(f, f, SHT_DYNSYM);
		if (f->funcs.n)
			qsort(f->funcs.v, f->funcs.n, sizeof(*f->funcs.v), elf_func_cmp);
		for (uint32_t i = 0; i < f->funcs.n; i++)
			if (!i || elf_func_cmp(&f->funcs.v[kept - 1], &f->funcs.v[i]) != 0)
				f->funcs.v[kept++] = f->funcs.v[i];
		f->funcs.n = kept;
	}
	*n = f->funcs.n;
	return f->funcs.v;
}

static bool elf_symbol_here(const struct elf_file *f, const char *name, uint64_t *addr)
{
	for (uint32_t i = 0; i < f->nsh; i++)
		if ((f->sh[i].sh_type == SHT_SYMTAB || f->sh[i].sh_type == SHT_DYNSYM) &&
		    elf_symbol_in(f, &f->sh[i], name, addr))
			return true;
	return false;
}

bool elf_symbol(struct elf_file *f, const char *name, uint64_t *addr)
{
	const char *path, *why;
	struct elf_file *d;
	bool found;

	if (elf_symbol_here(f, name, addr))
		return true;
	path = elf_debug_path(f);
	d = path ? elf_open(f->arena, path, &why) : NULL;
	found = d && elf_symbol_here(d, name, addr);
	elf_close(d);
	return found;
}

bool elf_has_symtab(const struct elf_file *f)
{
	return f->symtab;
}
