/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed kernel images, through libdwfl, which knows the boot header and all compressions. Only this slow path needs
 * libdw, so it is loaded here when wanted instead of at every start of stap.
 */
#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <string.h>

#include "symbols/kernel.h"

#define DW_FUNCS(F)                                                                                     \
	F(dwfl_begin) F(dwfl_end) F(dwfl_report_begin) F(dwfl_report_offline) F(dwfl_report_end)       \
	F(dwfl_errmsg) F(dwfl_module_getelf) F(dwfl_build_id_find_elf) F(dwfl_standard_find_debuginfo) \
	F(dwfl_offline_section_address) F(elf_getshdrstrndx) F(elf_nextscn) F(gelf_getshdr)            \
	F(elf_strptr) F(elf_rawdata)

/* The functions used, of the types that their header gives them. */
struct dw {
#define F(name) __typeof__(&(name)) name;
	DW_FUNCS(F)
#undef F
};

static const char *dw_load(struct arena *a, struct dw *dw, void **lib)
{
	*lib = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!*lib)
		return arena_printf(a, "reading a compressed kernel needs the package libdw1: %s", dlerror());
#define F(name)                                                                  \
	*(void **)&dw->name = dlsym(*lib, #name);                                \
	if (!dw->name)                                                           \
		return arena_printf(a, "libdw.so.1 has no function %s", #name);
	DW_FUNCS(F)
#undef F
	return NULL;
}

static const char *kimage_take(const struct dw *dw, Elf *elf, struct buf *out)
{
	size_t strndx;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (dw->elf_getshdrstrndx(elf, &strndx) < 0)
		return "the kernel in it has no section names";
	while ((scn = dw->elf_nextscn(elf, scn))) {
		const char *name = dw->gelf_getshdr(scn, &sh) ? dw->elf_strptr(elf, strndx, sh.sh_name) : NULL;
		Elf_Data *data;

		if (!name || strcmp(name, ".BTF") != 0)
			continue;
		data = dw->elf_rawdata(scn, NULL);
		if (!data || !data->d_size)
			break;
		buf_add(out, data->d_buf, data->d_size);
		return NULL;
	}
	return "the kernel in it was built without BTF (CONFIG_DEBUG_INFO_BTF)";
}

static const char *kimage_open(const struct dw *dw, struct arena *a, const char *image, struct buf *out)
{
	const Dwfl_Callbacks callbacks = {
		.find_elf = dw->dwfl_build_id_find_elf,
		.find_debuginfo = dw->dwfl_standard_find_debuginfo,
		.section_address = dw->dwfl_offline_section_address,
	};
	Dwfl *dwfl = dw->dwfl_begin(&callbacks);
	Dwfl_Module *mod;
	const char *bad;
	GElf_Addr bias;
	Elf *elf;

	if (!dwfl)
		return arena_strdup(a, dw->dwfl_errmsg(-1));
	dw->dwfl_report_begin(dwfl);
	mod = dw->dwfl_report_offline(dwfl, "kernel", image, -1);
	if (!mod || dw->dwfl_report_end(dwfl, NULL, NULL) != 0) {
		bad = arena_strdup(a, dw->dwfl_errmsg(-1));
	} else {
		elf = dw->dwfl_module_getelf(mod, &bias);
		bad = elf ? kimage_take(dw, elf, out) : arena_strdup(a, dw->dwfl_errmsg(-1));
	}
	dw->dwfl_end(dwfl);
	return bad;
}

const char *kimage_btf(struct arena *a, const char *image, struct buf *out)
{
	struct dw dw;
	void *lib;
	const char *bad = dw_load(a, &dw, &lib);

	if (!bad)
		bad = kimage_open(&dw, a, image, out);
	if (lib)
		dlclose(lib);
	return bad;
}
