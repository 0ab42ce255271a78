/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of debug information: what a program's functions, types and variables become, and that a bad file is not used. */
#include <check.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "symbols/dindex.h"

static struct arena arena;
static char dir[] = "/tmp/spile-dindex-XXXXXX";
static struct dindex x;

static const char header[] =
	"static inline __attribute__((always_inline)) int helper(int v)\n"
	"{\n"
	"	return v * 3 + 1;\n"
	"}\n";
static const char first[] =
	"#include \"sub/../inl.h\"\n"
	"struct point { int x, y; };\n"
	"enum colour { RED, GREEN = 7 };\n"
	"enum { LONELY = 5 };\n"
	"typedef struct point point_t;\n"
	"point_t origin = { 1, 2 };\n"
	"static __attribute__((noinline)) int twin(int a) { return helper(a) + helper(a + 1); }\n"
	"int outer(enum colour c)\n"
	"{\n"
	"	return twin(c) + origin.x + LONELY;\n"
	"}\n";
static const char second[] =
	"struct point { int x, y; };\n"
	"extern int outer(int);\n"
	"static struct point hidden = { 3, 4 };\n"
	"static __attribute__((noinline)) int twin(int a) { return a - hidden.y; }\n"
	"__asm__(\".globl bare\\n.type bare, @function\\nbare: ret\\n.size bare, 1\\n\");\n"
	"int again(int x) __attribute__((alias(\"other\")));\n"
	"int other(int x) { return x ^ 5; }\n"
	"int main(int c, char **v) { (void)v; hidden.x = c; return outer(c) + twin(c); }\n";

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void on_symbol(struct dx_symbol *v, size_t *n, Elf *elf, const GElf_Shdr *sh, const GElf_Sym *sym)
{
	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF)
		return;
	ck_assert_uint_lt(*n, 100);
	v[(*n)++] = (struct dx_symbol){ elf_strptr(elf, sh->sh_link, sym->st_name), sym->st_value, sym->st_size,
					DXS_FUNC | (GELF_ST_BIND(sym->st_info) != STB_LOCAL ? DXS_EXTERNAL : 0) };
}

static size_t read_symbols(Elf *elf, struct dx_symbol *v)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;
	size_t n = 0;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			for (int i = 1; gelf_getsym(elf_getdata(scn, NULL), i, &sym); i++)
				on_symbol(v, &n, elf, &sh, &sym);
	return n;
}

/* Builds the index of the file prog, with a debug file's time 11 and size 22, as the file prog.dx. */
static void make_index(void)
{
	struct dx_symbol symbols[100];
	int fd = open("prog", O_RDONLY);
	struct buf out;
	Dwarf *dw;
	Elf *elf;

	elf_version(EV_CURRENT);
	dw = dwarf_begin(fd, DWARF_C_READ);
	elf = dw ? dwarf_getelf(dw) : elf_begin(fd, ELF_C_READ, NULL);
	buf_init(&out);
	dindex_build(&out, dw, symbols, read_symbols(elf, symbols), 11, 22);
	ck_assert_int_eq(buf_write_file(&out, "prog.dx"), 0);
	buf_fini(&out);
	if (dw)
		dwarf_end(dw);
	else
		elf_end(elf);
	close(fd);
}

static void compile(const char *flags)
{
	ck_assert_int_eq(mkdir("sub", 0700), 0);
	put("inl.h", header);
	put("first.c", first);
	put("sub/second.c", second);
	ck_assert_int_eq(system(arena_printf(&arena, "gcc %s -o prog first.c sub/second.c", flags)), 0);
	make_index();
}

static void setup(void)
{
	arena_init(&arena);
	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	memset(&x, 0, sizeof(x));
}

static void teardown(void)
{
	dindex_fini(&x);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(arena_printf(&arena, "rm -rf %s", dir)), 0);
	arena_fini(&arena);
}

static const struct dx_func *func(const char *name, uint32_t i, uint32_t *n)
{
	uint32_t all, at = dindex_by_name(&x, name, n);
	const uint32_t *order = dindex_section(&x, DX_BY_NAME, &all);
	const struct dx_func *f = dindex_section(&x, DX_FUNCS, &all);

	ck_assert_uint_lt(i, *n);
	return &f[order[at + i]];
}

static const char *file_of(const struct dx_func *f)
{
	uint32_t n;
	const struct dx_file *files = dindex_section(&x, DX_FILES, &n);
	const char *path;

	if (f->file == DX_NONE)
		return "";
	ck_assert_uint_lt(f->file, n);
	path = dindex_string(&x, files[f->file].path);
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

START_TEST(functions)
{
	static const char *const flags[] = { "-g -O2", "-gdwarf-4 -O2 -no-pie" };
	const struct dx_func *f;
	uint32_t n;

	compile(flags[_i]);
	ck_assert(dindex_load(&x, "prog.dx", 11, 22));
	f = func("outer", 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(file_of(f), "first.c");
	ck_assert_uint_eq(f->line, 8);
	ck_assert_uint_eq(f->flags, DXF_EXTERNAL);
	ck_assert_uint_gt(f->size, 0);
	ck_assert_ptr_eq(dindex_by_addr(&x, f->entry), f);
	ck_assert_ptr_eq(dindex_by_addr(&x, f->entry + f->size - 1), f);
	ck_assert_ptr_ne(dindex_by_addr(&x, f->entry + f->size), f);
	/* two of one name, by file */
	f = func("twin", 0, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(file_of(f), "first.c");
	ck_assert_str_eq(file_of(func("twin", 1, &n)), "second.c");
	ck_assert_uint_eq(f->flags, 0);
	/* known by its symbol only */
	f = func("bare", 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(f->flags, DXF_SYMBOL | DXF_EXTERNAL);
	ck_assert_str_eq(file_of(f), "");
	ck_assert_uint_eq(f->size, 1);
	/* a second name */
	f = func("again", 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(f->flags, DXF_ALIAS | DXF_SYMBOL | DXF_EXTERNAL);
	ck_assert_uint_eq(f->entry, func("other", 0, &n)->entry);
	ck_assert_uint_eq(f->line, func("other", 0, &n)->line);
	ck_assert_ptr_eq(dindex_by_addr(&x, f->entry), func("other", 0, &n));
	dindex_by_name(&x, "nowhere", &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(inlined)
{
	const struct dx_inline *in;
	const struct dx_func *f, *twin;
	uint32_t n, all;

	compile("-g -O2");
	ck_assert(dindex_load(&x, "prog.dx", 11, 22));
	f = func("helper", 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(f->flags, DXF_ABSTRACT);
	ck_assert_str_eq(file_of(f), "inl.h");
	ck_assert_uint_eq(f->ninlines, 2);
	in = (const struct dx_inline *)dindex_section(&x, DX_INLINES, &all) + f->first_inline;
	twin = func("twin", 0, &n);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_uint_ge(in[i].entry, twin->entry);
		ck_assert_uint_lt(in[i].entry, twin->entry + twin->size);
	}
}
END_TEST

START_TEST(names)
{
	uint32_t n;

	compile("-g -O2");
	ck_assert(dindex_load(&x, "prog.dx", 11, 22));
	/* once, though two units define it; the typedef is another */
	dindex_names(&x, DX_TYPES, "point", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_TYPES, "point_t", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_TYPES, "colour", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_ENUMERATORS, "GREEN", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_ENUMERATORS, "LONELY", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_GLOBALS, "origin", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_GLOBALS, "hidden", &n);
	ck_assert_uint_eq(n, 1);
	dindex_names(&x, DX_GLOBALS, "absent", &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(units)
{
	const struct dx_file *files;
	uint32_t all, hits = 0;

	compile("-g -O2");
	ck_assert(dindex_load(&x, "prog.dx", 11, 22));
	files = dindex_section(&x, DX_FILES, &all);
	for (uint32_t i = 0; i < all; i++) {
		const char *path = dindex_string(&x, files[i].path);

		/* "sub/../inl.h" was cleaned */
		ck_assert_ptr_null(strstr(path, ".."));
		if (strlen(path) >= 5 && !strcmp(path + strlen(path) - 5, "inl.h")) {
			hits++;
			ck_assert_uint_eq(files[i].nunits, 1);
		}
	}
	ck_assert_uint_eq(hits, 1);
}
END_TEST

START_TEST(no_debug_information)
{
	uint32_t n;

	compile("-O2");
	ck_assert(dindex_load(&x, "prog.dx", 11, 22));
	ck_assert_uint_eq(func("outer", 0, &n)->flags, DXF_SYMBOL | DXF_EXTERNAL);
	dindex_names(&x, DX_TYPES, "point", &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(bad_files)
{
	struct buf b;
	uint64_t *words;

	compile("-g -O2");
	ck_assert(!dindex_load(&x, "absent.dx", 11, 22));
	/* of another debug file */
	ck_assert(!dindex_load(&x, "prog.dx", 12, 22));
	ck_assert(!dindex_load(&x, "prog.dx", 11, 21));
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, "prog.dx"), 0);
	for (size_t len = 0; len < b.len; len += 1 + b.len / 97) {
		struct buf cut = { .p = b.p, .len = len, .cap = b.cap };

		ck_assert_int_eq(buf_write_file(&cut, "cut.dx"), 0);
		ck_assert(!dindex_load(&x, "cut.dx", 11, 22));
	}
	/* damaged: answers may be wrong, but nothing outside is touched (ASan) */
	words = (uint64_t *)(void *)b.p;
	for (size_t i = sizeof(struct dx_header) / 8; i < b.len / 8; i++)
		words[i] ^= 0x8421084210842108u * (i * 2654435761u % 65521u);
	ck_assert_int_eq(buf_write_file(&b, "bad.dx"), 0);
	if (dindex_load(&x, "bad.dx", 11, 22)) {
		uint32_t n;

		dindex_by_name(&x, "outer", &n);
		dindex_by_addr(&x, 0x1139);
		dindex_names(&x, DX_TYPES, "point", &n);
		dindex_file(&x, "first.c");
	}
	buf_fini(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dindex");
	TCase *t = tcase_create("dindex");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, functions, 0, 2);
	tcase_add_test(t, inlined);
	tcase_add_test(t, names);
	tcase_add_test(t, units);
	tcase_add_test(t, no_debug_information);
	tcase_add_test(t, bad_files);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
