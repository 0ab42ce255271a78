/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of ELF, BTF and lists of symbols: what they find, and that damaged input is refused.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/btf.h"
#include "symbols/elf.h"
#include "symbols/kernel.h"

static struct arena arena;
static char dir[] = "/tmp/spile-symbols-XXXXXX";

static void setup(void)
{
	arena_init(&arena);
	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(arena_printf(&arena, "rm -rf %s", dir)), 0);
	arena_fini(&arena);
}

static void put(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static const char program[] =
	"int shown(int x) { return x * 3; }\n"
	"static __attribute__((noinline, used)) int hidden(int x) { return x + 2; }\n"
	"int twin(int x) __attribute__((alias(\"shown\")));\n"
	"int main(int c, char **v) { (void)v; return shown(c) + hidden(c); }\n";

/* Builds the program as @out; @how is the rest of the shell command. */
static void build(const char *out, const char *how)
{
	put("t.c", program, strlen(program));
	ck_assert_int_eq(system(arena_printf(&arena, "gcc -O1 -o %s t.c %s", out, how)), 0);
}

static const struct elf_func *func(struct elf_file *f, const char *name)
{
	const struct elf_func *fn;
	uint32_t n;

	fn = elf_funcs(f, &n);
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(fn[i].name, name) == 0)
			return &fn[i];
	return NULL;
}

/*
 * The bytes at the offset found must be the function's: nm and a disassembler agree on 'lea
 * (%rdi,%rdi,2),%eax'.
 */
static void check_bytes(const char *path, const struct elf_func *fn)
{
	struct buf b;

	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, path), 0);
	ck_assert_uint_gt(b.len, fn->offset + fn->size);
	ck_assert_uint_gt(fn->size, 0);
	ck_assert_ptr_nonnull(memmem(b.p + fn->offset, fn->size, "\x8d\x04\x7f", 3));
	buf_fini(&b);
}

START_TEST(functions_of_programs)
{
	static const struct {
		const char *name, *how;
		bool local;
	} t[] = {
		{ "pie", "-pie -fPIE", true },
		{ "fixed", "-no-pie", true },
		{ "lib.so", "-shared -fPIC", true },
		{ "bare.so", "-shared -fPIC -s", false },
		{ "exported", "-pie -fPIE -rdynamic -s", false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *why;
		struct elf_file *f;

		build(t[i].name, t[i].how);
		f = elf_open(&arena, t[i].name, &why);
		ck_assert_msg(f, "%s: %s", t[i].name, why);
		ck_assert_ptr_nonnull(func(f, "shown"));
		ck_assert_ptr_nonnull(func(f, "main"));
		ck_assert_uint_eq(func(f, "shown")->offset, func(f, "twin")->offset);
		ck_assert_int_eq(func(f, "hidden") != NULL, t[i].local);
		ck_assert_int_eq(elf_has_symtab(f), t[i].local);
		check_bytes(t[i].name, func(f, "shown"));
		elf_close(f);
	}
}
END_TEST

START_TEST(functions_once_and_in_order)
{
	const struct elf_func *fn;
	struct elf_file *f;
	const char *why;
	uint32_t n;

	build("both", "-rdynamic"); /* main is in .symtab and in .dynsym */
	f = elf_open(&arena, "both", &why);
	fn = elf_funcs(f, &n);
	for (uint32_t i = 1; i < n; i++)
		ck_assert(fn[i - 1].offset < fn[i].offset ||
			  (fn[i - 1].offset == fn[i].offset &&
			   strcmp(fn[i - 1].name, fn[i].name) < 0));
	elf_close(f);
}
END_TEST

START_TEST(files_that_are_no_program)
{
	static const struct {
		const char *path, *why;
	} t[] = {
		{ "missing", "No such file" }, { "empty", "an empty file" },
		{ "text", "not an ELF" },      { ".", "not a regular file" },
		{ "t.o", "not a linked" },     { "short", "cut off" },
		{ "small", "32-bit" },
	};
	const char *why;

	put("empty", "", 0);
	put("text", "#!/bin/sh\n", 10);
	put("short", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	put("small", "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0", 16);
	build("t.o", "-c");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_ptr_null(elf_open(&arena, t[i].path, &why));
		ck_assert_msg(strstr(why, t[i].why), "%s: %s", t[i].path, why);
	}
}
END_TEST

/*
 * Cut anywhere, or with any byte of its headers changed, a file is refused or read, but never past
 * its end.
 */
START_TEST(damaged_programs)
{
	struct buf b;
	const char *why;
	uint32_t n;

	build("good", "-Wl,-z,max-page-size=4096");
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, "good"), 0);
	for (size_t i = 0; i < 400; i++) {
		size_t at = i < 200 ? i : b.len - (i - 199) * 7;
		struct elf_file *f;
		char old = b.p[at];

		b.p[at] ^= (char)(0xff >> (i % 3));
		put("bad", b.p, i % 2 ? b.len : b.len - at / 2);
		b.p[at] = old;
		f = elf_open(&arena, "bad", &why);
		if (!f)
			continue;
		elf_funcs(f, &n);
		elf_close(f);
	}
	buf_fini(&b);
}
END_TEST

/*
 * A BTF of our own: int, char, char *, typedef, enum, struct, function f(char *name, short_t n, e
 * kind) -> int
 */
static const char strings[] = "\0int\0char\0short_t\0color\0page\0name\0n\0kind\0f\0red";
enum {
	S_INT = 1,
	S_CHAR = 5,
	S_SHORT = 10,
	S_COLOR = 18,
	S_PAGE = 24,
	S_NAME = 29,
	S_N = 34,
	S_KIND = 36,
	S_F = 41,
	S_RED = 43
};
#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
static const uint32_t types[] = {
	S_INT,   INFO(BTF_KIND_INT, 0),
	4,       BTF_INT_SIGNED << 24 | 32, /* 1 int */
	S_CHAR,  INFO(BTF_KIND_INT, 0),
	1,       8, /* 2 char, here unsigned */
	0,       INFO(BTF_KIND_PTR, 0),
	4, /* 3 const char * */
	0,       INFO(BTF_KIND_CONST, 0),
	2, /* 4 const char */
	S_SHORT, INFO(BTF_KIND_TYPEDEF, 0),
	6, /* 5 */
	S_SHORT, INFO(BTF_KIND_INT, 0),
	2,       BTF_INT_SIGNED << 24 | 16, /* 6 */
	S_COLOR, INFO(BTF_KIND_ENUM, 1),
	4,       S_RED,
	0, /* 7 */
	S_PAGE,  INFO(BTF_KIND_STRUCT, 0),
	0, /* 8 */
	0,       INFO(BTF_KIND_FUNC_PROTO, 3),
	1,       S_NAME,
	3,       S_N,
	5,       S_KIND,
	7, /* 9 */
	S_F,     INFO(BTF_KIND_FUNC, 0),
	9, /* 10 */
	0,       INFO(BTF_KIND_PTR, 0),
	8, /* 11 struct page * */
	S_F,     INFO(BTF_KIND_TYPEDEF, 0),
	13, /* 12: typedef int (*f)(...) */
	0,       INFO(BTF_KIND_PTR, 0),
	9, /* 13 */
	S_N,     INFO(BTF_KIND_TYPEDEF, 0),
	14, /* 14: a loop */
};

static size_t make_btf(unsigned char *out)
{
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h),
				.type_len = sizeof(types),
				.str_off = sizeof(types),
				.str_len = sizeof(strings) };

	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), types, sizeof(types));
	memcpy(out + sizeof(h) + sizeof(types), strings, sizeof(strings));
	return sizeof(h) + sizeof(types) + sizeof(strings);
}

static unsigned char raw[1024] __attribute__((aligned(8)));

START_TEST(types_by_name)
{
	const char *why;
	struct kbtf *b = kbtf_new(&arena, raw, make_btf(raw), NULL, &why);
	struct kbtf_param *p;
	uint32_t ret, width;
	bool sign;

	ck_assert_msg(b, "%s", why);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "f"), 10);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_TYPEDEF, "f"), 12);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "g"), 0);
	for (uint32_t id = 10; id <= 12; id += 2) {
		ck_assert_int_eq(kbtf_params(b, &arena, id, &p, &ret), 3);
		ck_assert_uint_eq(ret, 1);
		ck_assert_str_eq(p[0].name, "name");
		ck_assert_str_eq(p[1].name, "n");
		ck_assert_str_eq(p[2].name, "kind");
	}
	ck_assert_int_eq(kbtf_params(b, &arena, 1, &p, NULL), -1);
	ck_assert_int_eq(kbtf_params(b, &arena, 14, &p, NULL), -1);
	ck_assert(kbtf_scalar(b, 3, &width, &sign) && width == 8 && !sign);
	ck_assert(kbtf_scalar(b, 5, &width, &sign) && width == 2 && sign);
	ck_assert(kbtf_scalar(b, 7, &width, &sign) && width == 4 && !sign);
	ck_assert(!kbtf_scalar(b, 8, &width, &sign));
	ck_assert(!kbtf_scalar(b, 14, &width, &sign));
	ck_assert(!kbtf_scalar(b, 0, &width, &sign) && !kbtf_scalar(b, 999, &width, &sign));
	ck_assert_str_eq(kbtf_type_text(b, &arena, 3), "const char *");
	ck_assert_str_eq(kbtf_type_text(b, &arena, 11), "struct page *");
	ck_assert_str_eq(kbtf_type_text(b, &arena, 7), "enum color");
	ck_assert_str_eq(kbtf_type_text(b, &arena, 5), "short_t");
	ck_assert_str_eq(kbtf_type_text(b, &arena, 0), "void");
	ck_assert_str_eq(kbtf_type_text(b, &arena, 13), "function *");
}
END_TEST

START_TEST(types_of_a_module)
{
	static const uint32_t own[] = { sizeof(strings) + 1, INFO(BTF_KIND_FUNC, 0), 9 };
	static unsigned char split[64] __attribute__((aligned(8)));
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h),
				.type_len = sizeof(own),
				.str_off = sizeof(own),
				.str_len = 3 };
	const char *why;
	struct kbtf *base = kbtf_new(&arena, raw, make_btf(raw), NULL, &why), *b;
	struct kbtf_param *p;

	memcpy(split, &h, sizeof(h));
	memcpy(split + sizeof(h), own, sizeof(own));
	memcpy(split + sizeof(h) + sizeof(own), "\0m", 3);
	b = kbtf_new(&arena, split, sizeof(h) + sizeof(own) + 3, base, &why);
	ck_assert_msg(b, "%s", why);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "m"), 15);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "f"), 0);
	ck_assert_int_eq(kbtf_params(b, &arena, 15, &p, NULL), 3);
	ck_assert_str_eq(p[0].name, "name");
}
END_TEST

START_TEST(damaged_types)
{
	size_t len = make_btf(raw);
	const char *why;

	for (size_t n = 0; n < len; n++) {
		unsigned char *copy =
			malloc(n ? n : 1); /* exact, so that a sanitizer sees a byte too far */

		memcpy(copy, raw, n);
		ck_assert_ptr_null(kbtf_new(&arena, copy, n, NULL, &why));
		ck_assert_ptr_nonnull(why);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char *copy = malloc(len), bits = (unsigned char)(1 << i % 8 | 0x80);
		struct kbtf_param *p;
		struct kbtf *b;
		uint32_t width;
		bool sign;

		memcpy(copy, raw, len);
		copy[i] ^= bits;
		b = kbtf_new(&arena, copy, len, NULL, &why);
		for (uint32_t id = 0; b && id < 20; id++) {
			kbtf_params(b, &arena, id, &p, NULL);
			kbtf_scalar(b, id, &width, &sign);
			ck_assert_ptr_nonnull(kbtf_type_text(b, &arena, id));
		}
		if (b)
			kbtf_find(b, BTF_KIND_FUNC, "nothing");
		free(copy);
	}
}
END_TEST

START_TEST(lists_of_symbols)
{
	struct buf b;
	struct near_match near;

	buf_init(&b);
	buf_puts(
		&b,
		"ffffffff81000000 T vfs_read\n0000000000000000 t vfs_write\t[mod]\n0 d some_data\n");
	put("few", b.p, b.len);
	for (int i = 0; i < 200; i++)
		buf_printf(&b, "0000000000000000 t filler_%d\n", i);
	buf_puts(&b, "0 T last"); /* no newline */
	put("map", b.p, b.len);
	buf_fini(&b);
	ck_assert_int_eq(kallsyms_find(&arena, "map", "vfs_read", NULL), KERNEL_HAS);
	ck_assert_int_eq(kallsyms_find(&arena, "map", "vfs_write", NULL), KERNEL_HAS);
	ck_assert_int_eq(kallsyms_find(&arena, "map", "last", NULL), KERNEL_HAS);
	ck_assert_int_eq(kallsyms_find(&arena, "map", "some_data", NULL), KERNEL_HAS_NOT);
	ck_assert_int_eq(kallsyms_find(&arena, "map", "vfs_rea", NULL), KERNEL_HAS_NOT);
	near_init(&near, "vfs_raed");
	ck_assert_int_eq(kallsyms_find(&arena, "map", "vfs_raed", &near), KERNEL_HAS_NOT);
	ck_assert_str_eq(near_best(&near), "vfs_read");
	/* a stub of a list proves nothing */
	ck_assert_int_eq(kallsyms_find(&arena, "few", "vfs_read", NULL), KERNEL_HAS);
	ck_assert_int_eq(kallsyms_find(&arena, "few", "absent", NULL), KERNEL_UNSURE);
	ck_assert_int_eq(kallsyms_find(&arena, "missing", "absent", NULL), KERNEL_UNSURE);
}
END_TEST

START_TEST(another_kernels_types)
{
	const char *why, *hint;
	struct session s = { .release = "9.9-test", .foreign_kernel = true, .cache_dir = dir };
	const struct kbtf *b;

	arena_init(&s.arena);
	/* no image anywhere */
	ck_assert_ptr_null(kernel_btf(kernel_syms_new(&s), &why, &hint));
	ck_assert_ptr_nonnull(strstr(why, "9.9-test"));
	ck_assert_ptr_nonnull(strstr(hint, "linux-image-9.9-test"));
	/* types put into the cache by hand */
	ck_assert_int_eq(system("mkdir btf"), 0);
	put("btf/9.9-test", raw, make_btf(raw));
	b = kernel_btf(kernel_syms_new(&s), &why, &hint);
	ck_assert_msg(b, "%s", why);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "f"), 10);
	/* an image under a root of its own goes first; a bad one is named */
	ck_assert_int_eq(system("rm -r btf && mkdir -p root/boot"), 0);
	put("root/boot/vmlinuz-9.9-test", "not a kernel", 12);
	setenv("SPILE_KERNEL_ROOT", arena_printf(&arena, "%s/root", dir), 1);
	ck_assert_ptr_null(kernel_btf(kernel_syms_new(&s), &why, &hint));
	ck_assert_msg(strstr(why, "root/boot/vmlinuz-9.9-test"), "%s", why);
	/* an uncompressed one with types in it */
	put("types", raw, make_btf(raw));
	build("plain", "");
	ck_assert_int_eq(
		system("objcopy --add-section .BTF=types plain root/boot/vmlinux-9.9-test"), 0);
	b = kernel_btf(kernel_syms_new(&s), &why, &hint);
	ck_assert_msg(b, "%s", why);
	ck_assert_uint_eq(kbtf_find(b, BTF_KIND_FUNC, "f"), 10);
	unsetenv("SPILE_KERNEL_ROOT");
	arena_fini(&s.arena);
}
END_TEST

/* A kernel image as the x86 build makes it: boot sector, compressed kernel, its size. */
static void make_image(const char *path, const char *packed, bool size_follows, uint32_t size)
{
	unsigned char boot[1024] = { [0x1f1] = 1, [0x206] = 8, [0x207] = 2 };
	struct buf b;
	uint32_t len;

	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, packed), 0);
	if (size_follows)
		buf_add(&b, &size, 4);
	len = (uint32_t)b.len;
	memcpy(boot + 0x202, "HdrS", 4);
	memcpy(boot + 0x24c, &len, 4);
	buf_reset(&b);
	buf_add(&b, boot, sizeof(boot));
	ck_assert_int_eq(buf_write_file(&b, path), 0);
	buf_fini(&b);
	ck_assert_int_eq(system(arena_printf(&arena, "cat %s >> %s", packed, path)), 0);
	if (size_follows) {
		put("size", &size, 4);
		ck_assert_int_eq(system(arena_printf(&arena, "cat size >> %s", path)), 0);
	}
}

START_TEST(compressed_images)
{
	const char *bad;
	struct buf kernel, got;

	put("types", raw, make_btf(raw));
	build("plain", "");
	ck_assert_int_eq(
		system("objcopy --add-section .BTF=types plain vmlinux && gzip -k vmlinux && "
		       "xz -k --check=crc32 vmlinux"),
		0);
	buf_init(&kernel);
	buf_init(&got);
	ck_assert_int_eq(buf_read_file(&kernel, "vmlinux"), 0);
	make_image("z1", "vmlinux.gz", false, 0);
	make_image("z2", "vmlinux.xz", true, kernel.len);
	for (int i = 1; i <= 2; i++) {
		buf_reset(&got);
		bad = kimage_btf(&arena, arena_printf(&arena, "z%d", i), &got);
		ck_assert_msg(!bad, "z%d: %s", i, bad);
		ck_assert_uint_eq(got.len, make_btf(raw));
		ck_assert_mem_eq(got.p, raw, got.len);
	}
	/* a size that lies, no types, cut off, something else */
	make_image("z2", "vmlinux.xz", true, 64);
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "z2", &got), "damaged"));
	make_image("z2", "vmlinux.xz", true, 0xffffffff);
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "z2", &got), "makes no sense"));
	ck_assert_int_eq(system("truncate -s -100 z1 && gzip -k plain"), 0);
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "z1", &got), "leaves the file"));
	make_image("z1", "plain.gz", false, 0);
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "z1", &got), "without BTF"));
	make_image("z1", "types", false, 0);
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "z1", &got), "not known here"));
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "types", &got), "no x86 kernel image"));
	ck_assert_ptr_nonnull(strstr(kimage_btf(&arena, "nothing", &got), "cannot be read"));
	buf_fini(&kernel);
	buf_fini(&got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("symbols");
	TCase *t = tcase_create("readers");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, functions_of_programs);
	tcase_add_test(t, functions_once_and_in_order);
	tcase_add_test(t, files_that_are_no_program);
	tcase_add_test(t, damaged_programs);
	tcase_add_test(t, types_by_name);
	tcase_add_test(t, types_of_a_module);
	tcase_add_test(t, damaged_types);
	tcase_add_test(t, lists_of_symbols);
	tcase_add_test(t, another_kernels_types);
	tcase_add_test(t, compressed_images);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
