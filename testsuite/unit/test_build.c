/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pass 4 reads: kbuild's saved commands, and the objects it renames. Damaged ones are refused.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/build.h"

static struct session s;
static char dir[64];

static void setup(void)
{
	memset(&s, 0, sizeof(s));
	arena_init(&s.arena);
	diag_init(&s.diag, &s.arena);
	strcpy(dir, "/tmp/spile-build-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	s.tmp_dir = dir;
}

static void teardown(void)
{
	ck_assert_int_eq(system(arena_printf(&s.arena, "rm -rf %s", dir)), 0);
	arena_fini(&s.arena);
}

static const char *in_dir(const char *name)
{
	return arena_printf(&s.arena, "%s/%s", dir, name);
}

static void write_bytes(const char *name, const void *p, size_t n)
{
	struct buf b;

	buf_init(&b);
	buf_add(&b, p, n);
	ck_assert_int_eq(buf_write_file(&b, in_dir(name)), 0);
	buf_fini(&b);
}

static void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static const char *joined(const words *w)
{
	const char *t = "";

	for (uint32_t i = 0; i < w->n; i++)
		t = arena_printf(&s.arena, "%s%s<%s>", t, i ? " " : "", w->v[i]);
	return t;
}

START_TEST(shell_words)
{
	static const struct {
		const char *text, *words;
	} good[] = {
		{ "", "" },
		{ "  a  b\t", "<a> <b>" },
		{ "-DX='\"y z\"' \"a'b\" c\\ d", "<-DX=\"y z\"> <a'b> <c d>" },
		{ "gcc -c x.c ; objtool x.o; true",
		  "<gcc> <-c> <x.c> <;> <objtool> <x.o> <;> <true>" },
		{ "''", "<>" },
		{ "'\\' \"\\\"\"", "<\\> <\">" },
	};
	words w;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(&w, 0, sizeof(w));
		ck_assert_int_eq(shell_split(&s.arena, good[i].text, &w), 0);
		ck_assert_str_eq(joined(&w), good[i].words);
	}
	memset(&w, 0, sizeof(w));
	ck_assert_int_eq(shell_split(&s.arena, "a 'b", &w), -1);
}
END_TEST

static const char stub_61[] =
	"cmd_/c/stub.o :=  gcc-12 -Wp,-MMD,/c/.stub.o.d -nostdinc -I./include -include /k/kconfig.h -D__KERNEL__ -Wall "
	"-std=gnu11 -mno-red-zone -O2 -fstack-protector-strong -mindirect-branch=thunk-extern -pg -mfentry -g "
	"-DKBUILD_BASENAME='\"stub\"' -c -o /c/stub.o /c/stub.c   ; ./tools/objtool/objtool --orc --module /c/stub.o\n"
	"source_/c/stub.o := x\n";
static const char stub_612[] =
	"savedcmd_/c/stub.o := gcc -fcf-protection=branch -O2 -c -o /c/stub.o /c/stub.c\n";
static const char linked_612[] =
	"savedcmd_/c/P.o := ld -r -o /c/P.o @/c/P.mod ; ./tools/objtool/objtool --ibt --link --module /c/P.o\n";
static const char ko[] =
	"savedcmd_/c/P.ko := ld -r -m elf_x86_64 -T arch/x86/module.lds -o /c/P.ko /c/P.o /c/P.mod.o "
	"/c/.module-common.o;  true\n";

static void kbuild_left(const char *stub, const char *linked)
{
	write_text(".stub.o.cmd", stub);
	write_text(".P.o.cmd", linked);
	write_text(".P.ko.cmd", ko);
}

START_TEST(recipe_per_object)
{
	struct kernel_tree t = { .dir = "/k" };
	struct recipe r = { .placeholder = "P" };

	kbuild_left(stub_61, "cmd_/c/P.o := ld -r -o /c/P.o @/c/P.mod\n");
	ck_assert_int_eq(recipe_make(&s, &t, dir, &r), 0);
	ck_assert_str_eq(joined(&r.cc), "<gcc-12> <-nostdinc> <-std=gnu11> <-mno-red-zone> <-O1> "
					"<-mindirect-branch=thunk-extern> <-w> <-c>");
	ck_assert_str_eq(joined(&r.objtool), "<./tools/objtool/objtool> <--orc> <--module>");
	ck_assert(!r.objtool_links);
	ck_assert_str_eq(joined(&r.ld), "<ld> <-r> <-m> <elf_x86_64> <-T> <arch/x86/module.lds>");
	ck_assert_uint_eq(r.more.n, 1);
	ck_assert_str_eq(r.more.v[0], ".module-common.o");
	ck_assert_str_eq(r.cwd, "/k");
}
END_TEST

START_TEST(recipe_of_linked_objects)
{
	struct kernel_tree t = { .dir = "/k" };
	struct recipe r = { .placeholder = "P" };

	kbuild_left(stub_612, linked_612);
	ck_assert_int_eq(recipe_make(&s, &t, dir, &r), 0);
	ck_assert(r.objtool_links);
	ck_assert_str_eq(joined(&r.objtool),
			 "<./tools/objtool/objtool> <--ibt> <--link> <--module>");
}
END_TEST

START_TEST(recipe_comes_back)
{
	struct kernel_tree t = { .dir = "/k" };
	struct recipe r = { .placeholder = "P" }, back;
	uint64_t sum;
	struct buf b;

	kbuild_left(stub_612, linked_612);
	ck_assert_int_eq(recipe_make(&s, &t, dir, &r), 0);
	ck_assert_int_eq(recipe_save(&s.arena, &r, in_dir("recipe"), 77), 0);
	ck_assert_int_eq(recipe_load(&s.arena, &back, in_dir("recipe"), &sum), 0);
	ck_assert_uint_eq(sum, 77);
	ck_assert_str_eq(joined(&back.cc), joined(&r.cc));
	ck_assert_str_eq(joined(&back.objtool), joined(&r.objtool));
	ck_assert_str_eq(joined(&back.ld), joined(&r.ld));
	ck_assert_str_eq(back.placeholder, "P");
	ck_assert(back.objtool_links);

	/* Cut anywhere, it is no recipe. */
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, in_dir("recipe")), 0);
	for (size_t n = 0; n < b.len; n++) {
		write_bytes("cut", b.p, n);
		ck_assert_msg(recipe_load(&s.arena, &back, in_dir("cut"), &sum) != 0,
			      "%zu bytes are taken", n);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(no_kbuild_output)
{
	struct kernel_tree t = { .dir = "/k" };
	struct recipe r = { .placeholder = "P" };

	ck_assert_int_eq(recipe_make(&s, &t, dir, &r), -1);
	kbuild_left("garbage\n", linked_612);
	ck_assert_int_eq(recipe_make(&s, &t, dir, &r), -1);
}
END_TEST

/* ---- mod.o ---- */

#define NAMES "\0.gnu.linkonce.this_module\0.modinfo\0.shstrtab"

struct object {
	Elf64_Ehdr h;
	char module[64], info[64], names[64];
	Elf64_Shdr sh[4];
};

static struct object mod_object(void)
{
	struct object o = { .h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
						ELFDATA2LSB, 1 },
				   .e_type = ET_REL,
				   .e_shoff = offsetof(struct object, sh),
				   .e_shentsize = sizeof(Elf64_Shdr),
				   .e_shnum = 4,
				   .e_shstrndx = 3 },
			    .module = "xx",
			    .sh = {
				    [1] = { .sh_name = 1,
					    .sh_type = SHT_PROGBITS,
					    .sh_offset = offsetof(struct object, module),
					    .sh_size = 64 },
				    [2] = { .sh_name = 27,
					    .sh_type = SHT_PROGBITS,
					    .sh_offset = offsetof(struct object, info),
					    .sh_size = 64 },
				    [3] = { .sh_name = 36,
					    .sh_type = SHT_STRTAB,
					    .sh_offset = offsetof(struct object, names),
					    .sh_size = 64 },
			    } };

	memcpy(o.module + 24, "placeholder", 11);
	strcpy(o.info, "license=GPL");
	strcpy(o.info + 12, "name=placeholder");
	memcpy(o.names, NAMES, sizeof(NAMES));
	return o;
}

START_TEST(module_is_renamed)
{
	struct object o = mod_object(), *now;
	struct buf b;

	write_bytes("mod.o", &o, sizeof(o));
	ck_assert_int_eq(modobj_rename(in_dir("mod.o"), in_dir("out.o"), "placeholder", "stap_1"),
			 0);
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, in_dir("out.o")), 0);
	ck_assert_uint_eq(b.len, sizeof(o));
	now = (struct object *)b.p;
	ck_assert_str_eq(now->module + 24, "stap_1");
	ck_assert_str_eq(now->info + 12, "name=stap_1");
	ck_assert_ptr_null(memmem(b.p, b.len, "holder", 6));
	buf_fini(&b);
	ck_assert_int_eq(
		modobj_rename(in_dir("mod.o"), in_dir("out.o"), "placeholder", "longer_than_it"),
		-ENAMETOOLONG);
	ck_assert_int_eq(modobj_rename(in_dir("mod.o"), in_dir("out.o"), "other", "x"), -EINVAL);
	ck_assert_int_eq(modobj_rename(in_dir("none"), in_dir("out.o"), "other", "x"), -ENOENT);
}
END_TEST

START_TEST(damaged_module_is_refused)
{
	struct object o = mod_object(), bad;

	for (size_t n = 0; n < sizeof(o); n += 7) {
		write_bytes("cut.o", &o, n);
		ck_assert_int_ne(
			modobj_rename(in_dir("cut.o"), in_dir("out.o"), "placeholder", "x"), 0);
	}
	/*
	 * Any byte of the headers wrong: refused, or harmless; never read out of bounds (under
	 * ASan).
	 */
	for (size_t k = 0; k < sizeof(o); k++) {
		bad = o;
		((unsigned char *)&bad)[k] ^= 0xff;
		write_bytes("bad.o", &bad, sizeof(bad));
		(void)!modobj_rename(in_dir("bad.o"), in_dir("out.o"), "placeholder", "x");
	}
}
END_TEST

/* ---- running ---- */

START_TEST(commands)
{
	words w = { 0 };
	struct buf b;

	vec_push(&s.arena, &w, "sh");
	vec_push(&s.arena, &w, "-c");
	vec_push(&s.arena, &w, "pwd; echo no >&2; exit 3");
	ck_assert_int_eq(command_run(&s, &w, "/", in_dir("log")), 3);
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, in_dir("log")), 0);
	ck_assert_str_eq(b.p, "/\nno\n");
	buf_fini(&b);
	w.v[2] = "kill -9 $$";
	ck_assert_int_eq(command_run(&s, &w, NULL, in_dir("log")), 128 + 9);
	w.v[0] = "/nonexistent/compiler";
	ck_assert_int_eq(command_run(&s, &w, NULL, in_dir("log")), -ENOENT);
}
END_TEST

START_TEST(missing_headers)
{
	struct kernel_tree t;

	s.release = "9.9.9-none";
	s.kernel_build = in_dir("build");
	s.foreign_kernel = true;
	ck_assert_int_eq(tree_open(&s, &t), -1);
	ck_assert_uint_eq(s.diag.errors, 1);
	ck_assert_int_eq(mkdir(in_dir("build"), 0755), 0);
	ck_assert_int_eq(tree_open(&s, &t), -1);
	ck_assert_uint_eq(s.diag.errors, 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		shell_words,      recipe_per_object, recipe_of_linked_objects,  recipe_comes_back,
		no_kbuild_output, module_is_renamed, damaged_module_is_refused, commands,
		missing_headers,
	};
	TCase *tc = tcase_create("build");
	Suite *suite = suite_create("build");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tc, tests[i]);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
