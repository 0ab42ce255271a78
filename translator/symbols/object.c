/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening binaries: where the files are, what debug information belongs to them, and their index in the cache.
 * libdwfl finds separate debug files (by build id, by debug link with its checksum, from debuginfod servers), lays out and
 * relocates modules, and reads compressed sections.
 */
#include "symbols/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbols {
	struct session *session;
	VEC(struct sym_object *) objects;
	struct kmod_list *modules;
};

struct symbols *symbols_new(struct session *s)
{
	struct symbols *all = arena_new(&s->arena, struct symbols);

	all->session = s;
	return all;
}

void symbols_close(struct symbols *all)
{
	for (uint32_t i = 0; i < all->objects.n; i++) {
		struct sym_object *o = all->objects.v[i];

		if (o->dx_bytes.p)
			buf_fini(&o->dx_bytes);
		else
			dindex_fini(&o->dx);
		if (o->dwfl)
			dwfl_end(o->dwfl);
		if (o->fd >= 0)
			close(o->fd);
	}
	all->objects.n = 0;
}

struct session *object_session(const struct symbols *all)
{
	return all->session;
}

struct kmod_list **object_modules(struct symbols *all)
{
	return &all->modules;
}

struct sym_object *object_find(struct symbols *all, enum object_kind kind, const char *name)
{
	for (uint32_t i = 0; i < all->objects.n; i++) {
		struct sym_object *o = all->objects.v[i];

		if (o->kind == kind && !strcmp(o->name, name))
			return o;
	}
	return NULL;
}

struct sym_object *object_new(struct symbols *all, enum object_kind kind, const char *name)
{
	struct arena *a = &all->session->arena;
	struct sym_object *o = arena_new(a, struct sym_object);

	o->all = all;
	o->arena = a;
	o->kind = kind;
	o->fd = -1;
	o->name = arena_strdup(a, name);
	vec_push(a, &all->objects, o);
	return o;
}

struct sym_object *object_for_btf(struct symbols *all, const struct kbtf *b)
{
	struct sym_object *o;

	for (uint32_t i = 0; i < all->objects.n; i++)
		if (all->objects.v[i]->btf == b)
			return all->objects.v[i];
	o = object_new(all, OBJ_BTF, "types");
	o->btf = b;
	return o;
}

/* Debian keeps what belongs to a module under its place, not under its build id. */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base,
			  const char *file_name, const char *debuglink_file, GElf_Word crc, char **out)
{
	struct sym_object *o = *userdata;
	int fd = o && o->kind == OBJ_MODULE ? kmodule_debug_file(o, out) : -1;

	return fd >= 0 ? fd
		       : dwfl_standard_find_debuginfo(mod, userdata, modname, base, file_name,
						      debuglink_file, crc, out);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* Opens the ELF file at o->path and what debug information belongs to it. */
static const char *open_elf(struct sym_object *o)
{
	const unsigned char *id;
	GElf_Addr bias;
	const char *main_file;
	void **userdata;
	int len;

	o->dwfl = dwfl_begin(&callbacks);
	if (!o->dwfl)
		return dwfl_errmsg(-1);
	o->mod = dwfl_report_offline(o->dwfl, o->name, o->path, o->fd);
	o->fd = -1; /* libdwfl closes it */
	if (!o->mod)
		return dwfl_errmsg(-1);
	dwfl_report_end(o->dwfl, NULL, NULL);
	dwfl_module_info(o->mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = o;
	len = dwfl_module_build_id(o->mod, &id, &bias);
	if (len > 0 && len <= (int)sizeof(o->id)) {
		memcpy(o->id, id, (size_t)len);
		o->id_len = (size_t)len;
	}
	o->dw = dwfl_module_getdwarf(o->mod, &bias);
	dwfl_module_info(o->mod, NULL, NULL, NULL, NULL, NULL, &main_file, &o->debug_path);
	if (o->dw && !o->debug_path)
		o->debug_path = main_file;
	return NULL;
}

static const char *hex(struct arena *a, const uint8_t *id, size_t n)
{
	char *s = arena_alloc(a, 2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		s[2 * i] = "0123456789abcdef"[id[i] >> 4];
		s[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
	}
	return s;
}

static void note_missing(struct sym_object *o)
{
	struct arena *a = o->arena;
	const char *release = o->all->session->release;

	if (o->dw)
		return;
	if (o->kind == OBJ_FILE) {
		o->missing = arena_printf(a, "%s has no debug information", o->path);
		o->hint =
			o->id_len
				? arena_printf(
					  a,
					  "install the package with /usr/lib/debug/.build-id/%.2s/%s.debug, set DEBUGINFOD_URLS, "
					  "or compile it with -g",
					  hex(a, o->id, 1), hex(a, o->id, o->id_len) + 2)
				: "compile it with -g";
		return;
	}
	o->missing = o->kind == OBJ_MODULE
			     ? arena_printf(a, "the module %s has no debug information here", o->module)
			     : arena_printf(a, "kernel %s has no debug information here", release ? release : "");
	o->hint = arena_printf(a, "install linux-image-%s-dbg", release ? release : "RELEASE");
}

const char *object_open(struct sym_object *o)
{
	const char *why = open_elf(o);

	if (!why) {
		note_missing(o);
		return NULL;
	}
	o->all->objects.n--;
	if (o->dwfl)
		dwfl_end(o->dwfl);
	return why;
}

struct sym_object *sym_open_file(struct symbols *all, const char *path, const char **why)
{
	struct sym_object *o = object_find(all, OBJ_FILE, path);
	int fd;

	if (o)
		return o;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*why = strerror(errno);
		return NULL;
	}
	close(fd);
	o = object_new(all, OBJ_FILE, path);
	o->path = o->name;
	*why = object_open(o);
	return *why ? NULL : o;
}

/* Places of an uncompressed kernel with debug information, under a root; %s is the release. */
static const char *const kernel_places[] = {
	"/usr/lib/debug/boot/vmlinux-%s",
	"/usr/lib/debug/lib/modules/%s/vmlinux",
	"/boot/vmlinux-%s",
	"/lib/modules/%s/build/vmlinux",
};

static const char *filled(struct arena *a, const char *root, const char *place, const char *release)
{
	const char *at = strstr(place, "%s");

	return arena_printf(a, "%s%.*s%s%s", root, (int)(at - place), place, release, at + 2);
}

static const char *find_kernel(struct session *s)
{
	const char *roots[] = { getenv("SPILE_KERNEL_ROOT"), "" }, *path;

	if (s->kernel_build) {
		path = arena_printf(&s->arena, "%s/vmlinux", s->kernel_build);
		if (!access(path, R_OK))
			return path;
	}
	for (size_t r = 0; r < 2 && s->release; r++)
		for (size_t i = 0; roots[r] && i < sizeof(kernel_places) / sizeof(kernel_places[0]);
		     i++) {
			path = filled(&s->arena, roots[r], kernel_places[i], s->release);
			if (!access(path, R_OK))
				return path;
		}
	return NULL;
}

struct sym_object *sym_open_kernel(struct symbols *all, const char **why)
{
	struct sym_object *o = object_find(all, OBJ_KERNEL, "kernel");

	if (o)
		return o;
	o = object_new(all, OBJ_KERNEL, "kernel");
	o->path = find_kernel(all->session);
	if (o->path) {
		*why = open_elf(o);
		if (*why) {
			o->missing = arena_printf(o->arena, "%s cannot be used: %s", o->path, *why);
			o->path = NULL;
			o->mod = NULL;
		}
	}
	if (!o->missing)
		note_missing(o);
	return o;
}

unsigned int sym_providers(struct sym_object *o)
{
	return (o->dw ? SYM_DWARF : 0) | (o->path ? SYM_ELF : 0);
}

const char *sym_missing(struct sym_object *o, const char **hint)
{
	*hint = o->hint;
	return o->missing;
}

const char *sym_object_path(const struct sym_object *o)
{
	return o->path;
}

const char *sym_build_text(const struct sym_object *o)
{
	return o->id_len ? hex(o->arena, o->id, o->id_len) : NULL;
}

bool sym_file_offset(const struct sym_object *o, uint64_t addr, uint64_t *offset)
{
	GElf_Addr bias;
	Elf *elf = o->mod ? dwfl_module_getelf(o->mod, &bias) : NULL;
	GElf_Phdr ph;
	size_t n;

	if (!elf || elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD || addr < ph.p_vaddr ||
		    addr - ph.p_vaddr >= ph.p_filesz)
			continue;
		*offset = addr - ph.p_vaddr + ph.p_offset;
		return true;
	}
	return false;
}

bool object_tls_start(struct sym_object *o, int64_t *from, const char **why)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(o->mod, &bias);
	bool program = false, found = false;
	GElf_Ehdr eh;
	GElf_Phdr ph;
	size_t n;

	*why = "its file has no thread-local variables";
	if (!elf || !gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &n))
		return false;
	program = eh.e_type == ET_EXEC;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph))
			continue;
		program = program || ph.p_type == PT_INTERP;
		if (ph.p_type == PT_TLS) {
			uint64_t align = ph.p_align ? ph.p_align : 1, skew = -ph.p_vaddr & (align - 1);

			*from = -(int64_t)((ph.p_memsz - skew + align - 1) / align * align + skew);
			found = true;
		}
	}
	if (found && !program)
		*why = "where a library keeps thread-local variables is known at run time only";
	return found && program;
}

/* ---- the index ---- */

struct symbol_list {
	VEC(struct dx_symbol) v;
};

static uint32_t symbol_flags(const GElf_Sym *sym)
{
	uint32_t flags = GELF_ST_BIND(sym->st_info) != STB_LOCAL ? DXS_EXTERNAL : 0;

	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return flags | DXS_FUNC;
	case STT_OBJECT:
		return flags | DXS_DATA;
	default:
		return flags;
	}
}

/*
 * Symbols of the tables that libdwfl merges (main file, debug file, .gnu_debugdata). Addresses come with the
 * module's bias, which debug information does not have.
 */
static void list_symbols(struct sym_object *o, struct symbol_list *list)
{
	int n = dwfl_module_getsymtab(o->mod);
	GElf_Addr bias = 0, addr;
	GElf_Sym sym;
	GElf_Word section;

	dwfl_module_getelf(o->mod, &bias);
	for (int i = 1; i < n; i++) {
		const char *name =
			dwfl_module_getsym_info(o->mod, i, &sym, &addr, &section, NULL, NULL);
		int type = name ? GELF_ST_TYPE(sym.st_info) : STT_FILE;

		if (type == STT_FILE || type == STT_SECTION || type == STT_TLS || !*name ||
		    section == SHN_UNDEF)
			continue;
		vec_push(o->arena, &list->v,
			 ((struct dx_symbol){ name, addr - bias, sym.st_size, symbol_flags(&sym) }));
	}
}

/* Where the index of this object is kept; NULL: nowhere. */
static const char *index_path(struct sym_object *o)
{
	struct session *s = o->all->session;
	const char *dir;

	if (!s->cache_dir || !o->id_len)
		return NULL;
	dir = arena_printf(o->arena, "%s/symbols", s->cache_dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return NULL;
	return arena_printf(o->arena, "%s/%s.dx", dir, hex(o->arena, o->id, o->id_len));
}

/* Writes a file of its own and renames it: a reader sees the old index, none, or all of the new one. */
static bool save_index(struct sym_object *o, const char *path, const struct buf *b)
{
	char *tmp = arena_printf(o->arena, "%s.XXXXXX", path);
	size_t done = 0;
	int fd = mkstemp(tmp);
	bool ok = fd >= 0;

	while (ok && done < b->len) {
		ssize_t n = write(fd, b->p + done, b->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		ok = n > 0;
		done += ok ? (size_t)n : 0;
	}
	if (fd < 0)
		return false;
	ok = ok && fchmod(fd, 0644) == 0;
	if (close(fd) < 0 || !ok || rename(tmp, path) < 0) {
		unlink(tmp);
		return false;
	}
	return true;
}

static uint64_t nanoseconds(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

static void build_index(struct sym_object *o, const char *path, const struct stat *st)
{
	struct symbol_list list = { 0 };
	struct buf b;

	buf_init(&b);
	list_symbols(o, &list);
	dindex_build(&b, o->dw, list.v.v, list.v.n, nanoseconds(st), (uint64_t)st->st_size);
	if (path && save_index(o, path, &b) &&
	    dindex_load(&o->dx, path, nanoseconds(st), (uint64_t)st->st_size)) {
		buf_fini(&b);
		return;
	}
	o->dx_bytes = b;
	o->dx = (struct dindex){ b.p, b.len, (const void *)b.p };
}

const struct dindex *object_index(struct sym_object *o)
{
	const char *file = o->debug_path ? o->debug_path : o->path, *path, *lock;
	struct stat st;
	int fd;

	if (o->dx.base)
		return &o->dx;
	if (!o->mod || !file || stat(file, &st) < 0)
		return NULL;
	path = index_path(o);
	if (path && dindex_load(&o->dx, path, nanoseconds(&st), (uint64_t)st.st_size))
		return &o->dx;
	/* of two runs that need it at once, one builds it and the other waits */
	lock = path ? arena_printf(o->arena, "%s.lock", path) : NULL;
	fd = lock ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd >= 0)
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
	if (!path || !dindex_load(&o->dx, path, nanoseconds(&st), (uint64_t)st.st_size))
		build_index(o, path, &st);
	if (fd >= 0) {
		unlink(lock);
		close(fd);
	}
	return &o->dx;
}
