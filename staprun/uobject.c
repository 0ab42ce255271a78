/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/uobject.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is taken of libdw. */
#define LIBDW(X)                                                                                   \
	X(dwfl_begin)                                                                              \
	X(dwfl_end)                                                                                \
	X(dwfl_report_offline)                                                                     \
	X(dwfl_report_end)                                                                         \
	X(dwfl_module_getelf)                                                                      \
	X(dwfl_module_getsymtab)                                                                   \
	X(dwfl_module_getsym_info)                                                                 \
	X(dwfl_module_addrinfo)                                                                    \
	X(dwfl_module_getsrc)                                                                      \
	X(dwfl_lineinfo)                                                                           \
	X(dwfl_module_eh_cfi)                                                                      \
	X(dwfl_module_dwarf_cfi)                                                                   \
	X(dwfl_standard_find_debuginfo)                                                            \
	X(dwfl_offline_section_address)                                                            \
	X(dwarf_cfi_addrframe)                                                                     \
	X(dwarf_frame_info)                                                                        \
	X(dwarf_frame_cfa)                                                                         \
	X(dwarf_frame_register)

static struct {
	void *handle;
	bool tried;
#define POINTER(name) __typeof__(name) *name;
	LIBDW(POINTER)
#undef POINTER
} dw;

struct uobject {
	struct uobject *next;
	char *path;
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Elf *elf; /* the module's */
	GElf_Addr bias; /* of the module's addresses */
};

struct uobjects {
	struct uobject *first; /* also those that cannot be opened, without mod */
};

static bool libdw_load(void)
{
	bool all = true;

	if (dw.tried)
		return dw.handle;
	dw.tried = true;
	dw.handle = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!dw.handle)
		return false;
	/* POSIX has dlsym() yield functions, C has no cast for it */
#define RESOLVE(name)                                                                              \
	*(void **)&dw.name = dlsym(dw.handle, #name);                                              \
	all = all && dw.name;
	LIBDW(RESOLVE)
#undef RESOLVE
	if (!all)
		dw.handle = NULL;
	return all;
}

struct uobjects *uobjects_new(void)
{
	return calloc(1, sizeof(struct uobjects));
}

static void uobject_free(struct uobject *o)
{
	if (o->dwfl)
		dw.dwfl_end(o->dwfl);
	free(o->path);
	free(o);
}

void uobjects_free(struct uobjects *all)
{
	struct uobject *next;

	if (!all)
		return;
	for (struct uobject *o = all->first; o; o = next) {
		next = o->next;
		uobject_free(o);
	}
	free(all);
}

/* This process's own is the one that all have. */
static int vdso_file(void)
{
	const char *at = (const char *)getauxval(AT_SYSINFO_EHDR);
	int fd = at ? memfd_create("vdso", MFD_CLOEXEC) : -1;
	size_t size = 0;

	if (fd < 0)
		return -1;
	/* as long as the pages are there */
	while (size < 4 * 4096 && write(fd, at + size, 4096) == 4096)
		size += 4096;
	return fd;
}

static void uobject_read(struct uobject *o)
{
	static char *debug_path;
	static const Dwfl_Callbacks template = { .debuginfo_path = &debug_path };
	static Dwfl_Callbacks callbacks;
	int fd;

	callbacks = template;
	callbacks.find_debuginfo = dw.dwfl_standard_find_debuginfo;
	callbacks.section_address = dw.dwfl_offline_section_address;
	fd = strcmp(o->path, "[vdso]") ? open(o->path, O_RDONLY | O_CLOEXEC) : vdso_file();
	if (fd < 0)
		return;
	o->dwfl = dw.dwfl_begin(&callbacks);
	if (o->dwfl)
		o->mod = dw.dwfl_report_offline(o->dwfl, o->path, o->path, fd);
	if (!o->mod) {
		close(fd);
		return;
	}
	dw.dwfl_report_end(o->dwfl, NULL, NULL);
	o->elf = dw.dwfl_module_getelf(o->mod, &o->bias);
	if (!o->elf)
		o->mod = NULL;
}

struct uobject *uobject_open(struct uobjects *all, const char *path)
{
	struct uobject *o = all->first;

	while (o && strcmp(o->path, path))
		o = o->next;
	if (o)
		return o->mod ? o : NULL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->path = strdup(path);
	o->next = all->first;
	all->first = o;
	if (o->path && libdw_load())
		uobject_read(o);
	return o->mod ? o : NULL;
}

/* The next loaded segment from number *@i on. */
static bool next_segment(const struct uobject *o, size_t *i, GElf_Phdr *ph)
{
	size_t n;

	if (elf_getphdrnum(o->elf, &n))
		return false;
	for (; *i < n; ++*i)
		if (gelf_getphdr(o->elf, (int)*i, ph) && ph->p_type == PT_LOAD)
			return true;
	return false;
}

bool uobject_address(const struct uobject *o, uint64_t offset, uint64_t *addr)
{
	GElf_Phdr ph;

	for (size_t i = 0; next_segment(o, &i, &ph); i++) {
		if (offset < ph.p_offset || offset - ph.p_offset >= ph.p_filesz)
			continue;
		*addr = offset - ph.p_offset + ph.p_vaddr;
		return true;
	}
	return false;
}

uint64_t uobject_size(const struct uobject *o, uint64_t *first)
{
	uint64_t lo = UINT64_MAX, hi = 0;
	GElf_Phdr ph;

	for (size_t i = 0; next_segment(o, &i, &ph); i++) {
		if (ph.p_vaddr < lo)
			lo = ph.p_vaddr;
		if (ph.p_vaddr + ph.p_memsz > hi)
			hi = ph.p_vaddr + ph.p_memsz;
	}
	*first = hi ? lo : 0;
	return hi ? hi - lo : 0;
}

const char *uobject_symbol(struct uobject *o, uint64_t addr, uint64_t *offset, uint64_t *size)
{
	GElf_Off off;
	GElf_Sym sym;
	const char *name = dw.dwfl_module_addrinfo(o->mod, addr + o->bias, &off, &sym, NULL, NULL, NULL);

	if (!name || !*name || (sym.st_size && off >= sym.st_size))
		return NULL;
	*offset = off;
	*size = sym.st_size;
	return name;
}

bool uobject_find(struct uobject *o, const char *name, uint64_t *addr)
{
	int n = dw.dwfl_module_getsymtab(o->mod);

	for (int i = 0; i < n; i++) {
		GElf_Addr at;
		GElf_Sym sym;
		const char *s = dw.dwfl_module_getsym_info(o->mod, i, &sym, &at, NULL, NULL, NULL);

		if (!s || strcmp(s, name))
			continue;
		*addr = at - o->bias;
		return true;
	}
	return false;
}

const char *uobject_line(struct uobject *o, uint64_t addr, int *line)
{
	Dwfl_Line *l = dw.dwfl_module_getsrc(o->mod, addr + o->bias);

	return l ? dw.dwfl_lineinfo(l, NULL, line, NULL, NULL, NULL) : NULL;
}

Dwarf_Frame *uframe_at(struct uobject *o, uint64_t addr)
{
	Dwarf_Frame *f = NULL;
	Dwarf_Addr bias;
	Dwarf_CFI *cfi = dw.dwfl_module_eh_cfi(o->mod, &bias);

	if (cfi && !dw.dwarf_cfi_addrframe(cfi, addr + o->bias - bias, &f))
		return f;
	cfi = dw.dwfl_module_dwarf_cfi(o->mod, &bias);
	if (cfi && !dw.dwarf_cfi_addrframe(cfi, addr + o->bias - bias, &f))
		return f;
	return NULL;
}

void uframe_free(Dwarf_Frame *f)
{
	free(f); /* as libdw says */
}

bool uframe_signal(Dwarf_Frame *f)
{
	bool signal = false;

	dw.dwarf_frame_info(f, NULL, NULL, &signal);
	return signal;
}

bool uframe_cfa(Dwarf_Frame *f, Dwarf_Op **ops, size_t *n)
{
	return !dw.dwarf_frame_cfa(f, ops, n) && *n;
}

bool uframe_register(Dwarf_Frame *f, int reg, Dwarf_Op mem[3], Dwarf_Op **ops, size_t *n)
{
	return !dw.dwarf_frame_register(f, reg, mem, ops, n);
}
