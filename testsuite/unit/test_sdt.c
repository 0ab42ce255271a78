/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers of what linkers and assemblers leave in programs: notes of marks and their operands, linkage tables, names of
 * libraries. Damaged files must end them, never lead out of the file.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "symbols/needed.h"
#include "symbols/plt.h"
#include "symbols/sdt.h"

static struct arena arena;
static char dir[] = "/tmp/spile-sdt-XXXXXX";

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

#define NOTE(sem, name, args)                                                                                           \
	"990: nop\\n.pushsection .note.stapsdt,\\\"\\\",\\\"note\\\"\\n.balign 4\\n.4byte 992f-991f,994f-993f,3\\n"      \
	"991: .asciz \\\"stapsdt\\\"\\n992: .balign 4\\n993: .8byte 990b\\n.8byte base_here\\n.8byte " sem               \
	"\\n.asciz \\\"unit\\\"\\n.asciz \\\"" name "\\\"\\n.asciz \\\"" args "\\\"\\n994: .balign 4\\n.popsection\\n"

static const char program[] =
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"unsigned short sem __attribute__((section(\".probes\"), used));\n"
	"__asm__(\".pushsection .stapsdt.base,\\\"a\\\"\\nbase_here: .space 1\\n.popsection\\n\");\n"
	"int main(int c, char **v) {\n"
	"	__asm__ volatile(\"" NOTE("sem", "first", "-4@%eax 8@$5") "\");\n"
	"	__asm__ volatile(\"" NOTE("0", "second__one", "") "\");\n"
	"	return strlen(v[0]) + puts(v[c - 1]);\n"
	"}\n";

static void build(const char *how)
{
	FILE *f = fopen("t.c", "w");

	ck_assert_ptr_nonnull(f);
	fputs(program, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(system(arena_printf(&arena, "gcc -O1 -fno-builtin -o t t.c %s", how)), 0);
}

static struct elf_file *open_built(const char *name)
{
	const char *why;
	struct elf_file *f = elf_open(&arena, name, &why);

	ck_assert_msg(f, "%s", why);
	return f;
}

static void check_notes(int64_t moved)
{
	struct elf_file *f = open_built("t");
	sdt_note_vec notes = { 0 };
	uint64_t sem, offset;
	struct buf b;

	sdt_notes(f, &arena, &notes);
	ck_assert_uint_eq(notes.n, 2);
	ck_assert_str_eq(notes.v[0].provider, "unit");
	ck_assert_str_eq(notes.v[0].name, "first");
	ck_assert_str_eq(notes.v[0].args, "-4@%eax 8@$5");
	ck_assert_str_eq(notes.v[1].name, "second__one");
	ck_assert_str_eq(notes.v[1].args, "");
	ck_assert(elf_symbol(f, "sem", &sem));
	ck_assert_uint_eq(notes.v[0].semaphore, sem + (uint64_t)moved);
	ck_assert_uint_eq(notes.v[1].semaphore, 0);
	ck_assert(elf_offset(f, notes.v[0].pc - (uint64_t)moved, &offset));
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, "t"), 0);
	ck_assert_uint_eq((uint8_t)b.p[offset], 0x90);
	buf_fini(&b);
	elf_close(f);
}

START_TEST(notes)
{
	build("-pie -fPIE");
	check_notes(0);
	build("-no-pie");
	check_notes(0);
	build("-s");
	ck_assert_int_eq(system("gcc -O1 -fno-builtin -o u t.c && objcopy --only-keep-debug u t.debug"), 0);
	/* as a tool that moves the whole file to another address leaves it: notes unchanged, the base moved */
	build("-pie -fPIE");
	ck_assert_int_eq(system("objcopy --change-section-address .stapsdt.base+0x1000 t 2>/dev/null"), 0);
	check_notes(0x1000);
}
END_TEST

/* ---- operands ---- */

static const char *reg_text(const struct sdt_register *r)
{
	return r->dwarf < 0 ? "-" : arena_printf(&arena, "r%d:%d>>%d", r->dwarf, r->bits, r->shift);
}

static const char *operand_text(const struct sdt_operand *o)
{
	const char *size = arena_printf(&arena, "%c%d", o->is_signed ? 's' : 'u', o->width);

	switch (o->kind) {
	case SDT_REGISTER:
		return arena_printf(&arena, "%s %s", size, reg_text(&o->base));
	case SDT_NUMBER:
		return arena_printf(&arena, "%s %lld%s%s", size, (long long)o->num, o->symbol ? "+" : "",
				    o->symbol ? o->symbol : "");
	case SDT_MEMORY:
		return arena_printf(&arena, "%s [%lld%s%s %s %s*%d]", size, (long long)o->num, o->symbol ? "+" : "",
				    o->symbol ? o->symbol : "", reg_text(&o->base), reg_text(&o->index),
				    o->index.dwarf < 0 ? 0 : o->scale);
	case SDT_UNREADABLE:
		break;
	}
	return o->why;
}

START_TEST(operands)
{
	static const struct {
		const char *operand, *means;
	} table[] = {
		{ "8@%rax", "u8 r0:64>>0" },
		{ "-4@%r10d", "s4 r10:32>>0" },
		{ "1@%ah", "u1 r0:8>>8" },
		{ "-1@%dil", "s1 r5:8>>0" },
		{ "2@%r15w", "u2 r15:16>>0" },
		{ "1@%r8b", "u1 r8:8>>0" },
		{ "%ebx", "u4 r3:32>>0" },
		{ "8@%rip", "u8 r16:64>>0" },
		{ "-4@$-1", "s4 -1" },
		{ "8@$0xffffffffffffffff", "u8 -1" },
		{ "8@$main+4", "u8 4+main" },
		{ "8@-8(%rbp)", "u8 [-8 r6:64>>0 -*0]" },
		{ "-2@(%rsp)", "s2 [0 r7:64>>0 -*0]" },
		{ "4@8(%rax,%r9,4)", "u4 [8 r0:64>>0 r9:64>>0*4]" },
		{ "4@(%rax,%rbx)", "u4 [0 r0:64>>0 r3:64>>0*1]" },
		{ "4@table(,%rcx,8)", "u4 [0+table - r2:64>>0*8]" },
		{ "4@-16(,%rcx,2)", "u4 [-16 - r2:64>>0*2]" },
		{ "4@v(%rip)", "u4 [0+v r16:64>>0 -*0]" },
		{ "4@v+8(%rip)", "u4 [8+v r16:64>>0 -*0]" },
		{ "4@-8+v+2(%rip)", "u4 [-6+v r16:64>>0 -*0]" },
		{ "4@(%eax)", "u4 [0 r0:32>>0 -*0]" },
		{ "8@%ss:8(%rsp)", "u8 [8 r7:64>>0 -*0]" },
		{ "8@.LC0(%rip)", "u8 [0+.LC0 r16:64>>0 -*0]" },
		{ "8@4096", "u8 [4096 - -*0]" },
		{ "8@counter", "u8 [0+counter - -*0]" },
		{ "8f@%xmm0", "it is a floating-point number, which scripts do not have" },
		{ "8@%xmm15", "it is in a floating-point register, which probes cannot read" },
		{ "8@%st(1)", "it is in a floating-point register, which probes cannot read" },
		{ "8@%fs:16(%rax)", "it is thread-local (relative to %fs), which probes of marks cannot read" },
		{ "8@%gs:0", "it is relative to %gs, which probes of marks cannot read" },
		{ "3@%rax", "its size is none that scripts can read: 1, 2, 4 or 8 bytes" },
		{ "16@(%rsp)", "its size is none that scripts can read: 1, 2, 4 or 8 bytes" },
		{ "8@v@GOTPCREL(%rip)", "only the linker knew where it is" },
		{ "8@v@tpoff", "only the linker knew where it is" },
	};
	sdt_operand_vec v = { 0 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		v.n = 0;
		sdt_operands(&arena, table[i].operand, &v);
		ck_assert_uint_eq(v.n, 1);
		ck_assert_str_eq(v.v[0].text, table[i].operand);
		ck_assert_str_eq(operand_text(&v.v[0]), table[i].means);
	}
}
END_TEST

START_TEST(operands_of_no_known_form)
{
	static const char *const texts[] = {
		"8@", "8@%", "8@$", "8@(", "8@()x", "8@(%rax", "8@(%rax,)", "8@(%rax,%rbx,3)", "8@(%rax,%rbx,",
		"8@-sym(%rip)", "8@a+b(%rip)", "8@0x", "8@$0x", "8@%r16", "8@%r7", "8@%r", "8@%r100", "@", "@@", "-@%eax",
		"8@%rax)", "8@%rax%rbx", "8x@%rax", "8@08", "8@1+", "8@*%rax", "8@%nix:4(%rax)",
	};
	sdt_operand_vec v = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		v.n = 0;
		sdt_operands(&arena, texts[i], &v);
		ck_assert_uint_eq(v.n, 1);
		ck_assert_msg(v.v[0].kind == SDT_UNREADABLE, "%s was taken for %s", texts[i],
			      operand_text(&v.v[0]));
	}
	v.n = 0;
	sdt_operands(&arena, "  8@%rax   -4@$1 ", &v);
	ck_assert_uint_eq(v.n, 2);
}
END_TEST

/* ---- linkage tables and libraries ---- */

static bool has_stub(struct elf_file *f, const char *name)
{
	plt_vec v = { 0 };

	elf_plt(f, &arena, &v);
	for (uint32_t i = 0; i < v.n; i++)
		if (!strcmp(v.v[i].name, name))
			return true;
	return false;
}

START_TEST(linkage_tables)
{
	static const char *const ways[] = { "-Wl,-z,lazy", "-Wl,-z,now", "-fcf-protection=full -Wl,-z,ibtplt",
					    "-no-pie -Wl,-z,lazy", "-Wl,-z,now -s" };
	struct elf_file *f;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		build(ways[i]);
		f = open_built("t");
		ck_assert_msg(has_stub(f, "strlen") && has_stub(f, "puts"), "%s", ways[i]);
		ck_assert(!has_stub(f, "main"));
		elf_close(f);
	}
	build("-static");
	f = open_built("t");
	ck_assert(!has_stub(f, "puts"));
	elf_close(f);
}
END_TEST

START_TEST(needed_libraries)
{
	struct elf_needs needs;
	struct elf_file *f;

	build("-Wl,--no-as-needed -lm -Wl,-rpath,'$ORIGIN/lib:/x' -Wl,--enable-new-dtags");
	f = open_built("t");
	elf_read_needs(f, &arena, &needs);
	ck_assert_uint_eq(needs.names.n, 2);
	ck_assert_str_eq(needs.names.v[0], "libm.so.6");
	ck_assert_str_eq(needs.runpath, "$ORIGIN/lib:/x");
	ck_assert_ptr_null(needs.rpath);
	ck_assert_ptr_null(needs.soname);
	ck_assert_ptr_nonnull(strstr(needs.interpreter, "ld-linux"));
	elf_close(f);
	build("-shared -fPIC -Wl,-soname,libt.so.1 -Wl,-rpath,/y -Wl,--disable-new-dtags");
	f = open_built("t");
	elf_read_needs(f, &arena, &needs);
	ck_assert_str_eq(needs.soname, "libt.so.1");
	ck_assert_str_eq(needs.rpath, "/y");
	ck_assert_ptr_null(needs.interpreter);
	elf_close(f);
}
END_TEST

static void cache_entry(struct buf *b, uint32_t flags, uint32_t key, uint32_t value, uint64_t hwcap)
{
	const uint32_t words[] = { flags, key, value, 0 };

	buf_add(b, words, sizeof(words));
	buf_add(b, &hwcap, sizeof(hwcap));
}

START_TEST(loader_cache)
{
	static const char names[] = "libq.so.1\0/lib/q\0/wrong";
	const uint32_t strings = 48 + 3 * 24, counts[7] = { 3, sizeof(names) };
	struct buf b;
	const char *found;

	buf_init(&b);
	buf_puts(&b, "glibc-ld.so.cache1.1");
	buf_add(&b, counts, sizeof(counts));
	cache_entry(&b, 0x0803, strings, strings + 17, 0);
	cache_entry(&b, 0x0303, strings, strings + 17, 5);
	cache_entry(&b, 0x0303, strings, strings + 10, 0);
	buf_add(&b, names, sizeof(names));
	found = ldcache_find(&arena, b.p, b.len, "libq.so.1");
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, "/lib/q");
	ck_assert_ptr_null(ldcache_find(&arena, b.p, b.len, "libq.so"));
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, b.p, n);
		found = ldcache_find(&arena, cut, n, "libq.so.1");
		ck_assert(!found || !strcmp(found, "/lib/q"));
		free(cut);
	}
	buf_fini(&b);
}
END_TEST

/* ---- damage ---- */

static void read_all(const void *bytes, size_t len)
{
	struct elf_needs needs;
	sdt_note_vec notes = { 0 };
	sdt_operand_vec v = { 0 };
	plt_vec stubs = { 0 };
	const char *why;
	const uint8_t *id;
	uint64_t addr;
	struct arena a;
	struct elf_file *f;

	arena_init(&a);
	f = elf_open_bytes(&a, bytes, len, &why);
	if (f) {
		sdt_notes(f, &a, &notes);
		for (uint32_t i = 0; i < notes.n; i++)
			sdt_operands(&a, notes.v[i].args, &v);
		elf_plt(f, &a, &stubs);
		elf_read_needs(f, &a, &needs);
		elf_build_id(f, &id);
		elf_symbol(f, "sem", &addr);
	}
	arena_fini(&a);
}

/* Bytes of the parts that are read are changed at random, and the file is cut off anywhere. */
START_TEST(damaged_files)
{
	unsigned int seed = 20260;
	struct buf b;

	build("-pie -fPIE -s");
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, "t"), 0);
	for (int round = 0; round < 4000; round++) {
		size_t len = round % 4 ? b.len : (size_t)rand_r(&seed) % b.len;
		char *copy = malloc(len + 1);

		memcpy(copy, b.p, len);
		for (int k = rand_r(&seed) % 6; k >= 0 && len > 64; k--) {
			/* headers of sections are at the end */
			size_t at = rand_r(&seed) % 2 ? len - 1 - (size_t)rand_r(&seed) % (len < 2048 ? len : 2048)
						      : (size_t)rand_r(&seed) % len;

			copy[at] = (char)(rand_r(&seed) % 3 ? rand_r(&seed) : copy[at] ^ 1 << rand_r(&seed) % 8);
		}
		read_all(copy, len);
		free(copy);
	}
	buf_fini(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sdt");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, notes);
	tcase_add_test(t, operands);
	tcase_add_test(t, operands_of_no_known_form);
	tcase_add_test(t, linkage_tables);
	tcase_add_test(t, needed_libraries);
	tcase_add_test(t, loader_cache);
	tcase_add_test(t, damaged_files);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
