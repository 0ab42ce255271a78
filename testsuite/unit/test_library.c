/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library: only wanted files are parsed, changes are noticed, damage is survived, a warm start is quick. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "library/library.h"

static struct arena arena;
static struct strtab names;
static struct diag diag;
static struct parse_env env;
static char top[64], lib[96], lib2[96], cache[96];

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static const char *in(const char *dir, const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

/* Long enough ago that the index may be kept. */
static void settle(const char *path)
{
	struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void setup(void)
{
	arena_init(&arena);
	strtab_init(&names, &arena);
	diag_init(&diag, &arena);
	diag.color = COLOR_NEVER;
	env = (struct parse_env){ .arena = &arena, .names = &names, .diag = &diag };
	strcpy(top, "/tmp/spile-library-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(lib, sizeof(lib), "%s/lib", top);
	snprintf(lib2, sizeof(lib2), "%s/lib2", top);
	snprintf(cache, sizeof(cache), "%s/new/cache", top);
	mkdir(lib, 0755);
	mkdir(lib2, 0755);
	mkdir(in(lib, "sub"), 0755);
	put(in(lib, "a.stp"), "function fa() { return 1 } private function hidden() { } global ga\n"
			      "probe alpha.one = begin { } probe alpha.two = end { }\n");
	put(in(lib, "sub/b.stp"), "function fb() { return fa() } function fa(x) %{ C %}\n"
				  "private global gp probe beta = alpha.one { }\n");
	put(in(lib, "notes.txt"), "function no() { }\n");
	settle(in(lib, "a.stp"));
	settle(in(lib, "sub/b.stp"));
	settle(in(lib, "sub"));
	settle(lib);
	settle(lib2);
}

static void teardown(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
	strtab_fini(&names);
	arena_fini(&arena);
}

static struct library *open_lib(void)
{
	const char *dirs[] = { lib };
	struct library *l = library_open(&env, dirs, 1, cache);

	ck_assert_ptr_nonnull(l);
	return l;
}

static uint32_t parsed(const struct library *l)
{
	uint32_t n;

	library_files(l, &n);
	return n;
}

/* The index file, or NULL. */
static const char *index_file(void)
{
	DIR *d = opendir(cache);
	const char *found = NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			found = in(cache, e->d_name);
	if (d)
		closedir(d);
	return found;
}

static bool defines(enum lib_kind kind, const char *name)
{
	struct library *l = open_lib();
	bool found = library_need(l, kind, name);

	library_close(l);
	return found;
}

START_TEST(only_what_is_needed)
{
	struct library *l = open_lib();

	ck_assert_uint_eq(parsed(l), 0);
	ck_assert(!library_need(l, LIB_FUNCTION, "hidden"));
	ck_assert(!library_need(l, LIB_FUNCTION, "no"));
	ck_assert(!library_need(l, LIB_GLOBAL, "gp"));
	ck_assert(!library_need(l, LIB_GLOBAL, "fa"));
	ck_assert_uint_eq(parsed(l), 0);
	ck_assert(library_need(l, LIB_FUNCTION, "fb"));
	ck_assert_uint_eq(parsed(l), 1);
	ck_assert(library_need(l, LIB_FUNCTION, "fb"));
	ck_assert(library_need(l, LIB_ALIAS, "beta"));
	ck_assert_uint_eq(parsed(l), 1);
	ck_assert(library_need(l, LIB_FUNCTION, "fa"));
	ck_assert_uint_eq(parsed(l), 2); /* both files define one */
	ck_assert(library_need(l, LIB_GLOBAL, "ga"));
	ck_assert(library_need(l, LIB_ALIAS, "alpha"));
	ck_assert_uint_eq(parsed(l), 2);
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
	library_close(l);
}
END_TEST

static bool join_names(const char *name, void *arg)
{
	buf_puts(arg, name);
	buf_putc(arg, ' ');
	return strcmp(name, "fa") != 0;
}

START_TEST(names_are_listed)
{
	struct library *l = open_lib();
	struct buf b;

	buf_init(&b);
	library_each(l, LIB_ALIAS, join_names, &b);
	ck_assert_str_eq(b.p, "alpha beta ");
	buf_reset(&b);
	library_each(l, LIB_FUNCTION, join_names, &b);
	ck_assert_str_eq(b.p, "fa "); /* stopped */
	buf_fini(&b);
	library_close(l);
}
END_TEST

/* A change that size and time do not show goes unseen: nothing but the index was looked at. */
START_TEST(warm_start_parses_nothing)
{
	struct buf b;
	char *at;

	library_close(open_lib());
	buf_init(&b);
	ck_assert_int_eq(buf_read_file(&b, in(lib, "a.stp")), 0);
	at = strstr(b.p, "ga");
	ck_assert_ptr_nonnull(at);
	memcpy(at, "xx", 2);
	ck_assert_int_eq(buf_write_file(&b, in(lib, "a.stp")), 0);
	settle(in(lib, "a.stp"));
	ck_assert(defines(LIB_GLOBAL, "ga"));
	ck_assert(!defines(LIB_GLOBAL, "xx"));
	buf_fini(&b);
}
END_TEST

START_TEST(index_is_kept_and_refreshed)
{
	ck_assert_ptr_null(index_file());
	library_close(open_lib());
	ck_assert_ptr_nonnull(index_file());
	ck_assert(defines(LIB_FUNCTION, "fb"));
	/* a file that changed */
	put(in(lib, "a.stp"), "function fnew() { }");
	ck_assert(defines(LIB_FUNCTION, "fnew"));
	ck_assert(!defines(LIB_GLOBAL, "ga"));
	/* one that came, deep down */
	put(in(lib, "sub/c.stp"), "function fc() { }");
	ck_assert(defines(LIB_FUNCTION, "fc"));
	/* one that went */
	unlink(in(lib, "sub/b.stp"));
	ck_assert(!defines(LIB_FUNCTION, "fb"));
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
}
END_TEST

START_TEST(no_index_of_what_just_changed)
{
	struct timespec soon[2] = { { time(NULL) + 3600, 0 }, { time(NULL) + 3600, 0 } };

	put(in(lib, "a.stp"), "function fnow() { }");
	ck_assert_int_eq(utimensat(AT_FDCWD, in(lib, "a.stp"), soon, 0), 0);
	ck_assert(defines(LIB_FUNCTION, "fnow"));
	ck_assert_ptr_null(index_file());
}
END_TEST

START_TEST(damaged_index_is_rebuilt)
{
	const char *path;
	struct buf whole, bad;
	size_t i, step;

	library_close(open_lib());
	path = index_file();
	ck_assert_ptr_nonnull(path);
	buf_init(&whole);
	buf_init(&bad);
	ck_assert_int_eq(buf_read_file(&whole, path), 0);
	step = whole.len / 97 + 1;
	for (i = 0; i < whole.len; i += step) {
		buf_reset(&bad); /* cut short */
		buf_add(&bad, whole.p, i);
		ck_assert_int_eq(buf_write_file(&bad, path), 0);
		ck_assert(defines(LIB_FUNCTION, "fb"));
		buf_reset(&bad); /* one bit wrong */
		buf_add(&bad, whole.p, whole.len);
		bad.p[i] ^= 0x10;
		ck_assert_int_eq(buf_write_file(&bad, path), 0);
		ck_assert(defines(LIB_FUNCTION, "fb"));
		buf_reset(&bad); /* and it is whole again */
		ck_assert_int_eq(buf_read_file(&bad, path), 0);
		ck_assert_uint_eq(bad.len, whole.len);
		ck_assert_mem_eq(bad.p, whole.p, whole.len);
	}
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
	buf_fini(&whole);
	buf_fini(&bad);
}
END_TEST

START_TEST(broken_file_is_one_warning)
{
	struct library *l;
	char *text = NULL;
	size_t n;
	FILE *f;

	put(in(lib, "bad.stp"), "function fbad() { return 1 }\nfunction ( { }\nprobe { }\n");
	settle(in(lib, "bad.stp"));
	settle(lib);
	l = open_lib();
	ck_assert(!library_need(l, LIB_FUNCTION, "fbad"));
	ck_assert(library_need(l, LIB_FUNCTION, "fb"));
	library_close(l);
	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_uint_eq(diag.warnings, 1);
	ck_assert_ptr_null(index_file()); /* the warning is due every time */
	f = open_memstream(&text, &n);
	diag_flush(&diag, f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "W-LIBRARY"));
	ck_assert_ptr_nonnull(strstr(text, "bad.stp is left out"));
	ck_assert_ptr_nonnull(strstr(text, "bad.stp:2:10"));
	free(text);
}
END_TEST

START_TEST(folders_in_order)
{
	const char *dirs[] = { lib2, lib };
	struct library *l;

	put(in(lib2, "a.stp"), "function mine() { }"); /* hides the other a.stp */
	l = library_open(&env, dirs, 2, NULL);
	ck_assert_ptr_nonnull(l);
	ck_assert(library_need(l, LIB_FUNCTION, "mine"));
	ck_assert(!library_need(l, LIB_GLOBAL, "ga"));
	ck_assert(library_need(l, LIB_FUNCTION, "fb"));
	library_close(l);
}
END_TEST

static const char *a_runtime(void *arg)
{
	return arg;
}

static const char *no_config(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return "";
}

static struct parse_facts facts_of(const char *runtime)
{
	return (struct parse_facts){ .kernel_vr = "6.1.0-9-amd64", .kernel_v = "6.1.0", .arch = "x86_64",
				     .privilege = "stapdev", .runtime = a_runtime, .config = no_config,
				     .arg = (void *)(uintptr_t)runtime };
}

static void put_deep(const char *dir, const char *name, const char *text)
{
	mkdir(dir, 0755);
	put(in(dir, name), text);
}

START_TEST(special_folders)
{
	struct parse_facts facts = facts_of("kernel");

	put_deep(in(lib, "linux"), "x.stp", "function in_linux() { }");
	put_deep(in(lib, "linux/x86_64"), "x.stp", "function in_linux_x86() { }");
	put_deep(in(lib, "linux/s390"), "x.stp", "function in_linux_s390() { }");
	put_deep(in(lib, "bpf"), "x.stp", "function in_bpf() { }");
	put_deep(in(lib, "x86_64"), "x.stp", "function in_x86() { }");
	put_deep(in(lib, "arm64"), "x.stp", "function in_arm() { }");
	put_deep(in(lib, "6.1"), "a.stp", "function in_6_1() { }"); /* hides the general a.stp */
	put_deep(in(lib, "6.1.0"), "c.stp", "function in_6_1_0() { }");
	put_deep(in(lib, "6.1.0-9-amd64"), "c.stp", "function in_exact() { }"); /* hides 6.1.0/c.stp */
	put_deep(in(lib, "5.10"), "d.stp", "function in_5_10() { }");
	env.facts = &facts;
	ck_assert(defines(LIB_FUNCTION, "in_linux") && defines(LIB_FUNCTION, "in_linux_x86"));
	ck_assert(defines(LIB_FUNCTION, "in_x86") && defines(LIB_FUNCTION, "in_6_1"));
	ck_assert(defines(LIB_FUNCTION, "in_exact") && defines(LIB_FUNCTION, "fb"));
	ck_assert(!defines(LIB_FUNCTION, "in_bpf") && !defines(LIB_FUNCTION, "in_arm"));
	ck_assert(!defines(LIB_FUNCTION, "in_linux_s390") && !defines(LIB_FUNCTION, "in_5_10"));
	ck_assert(!defines(LIB_FUNCTION, "in_6_1_0") && !defines(LIB_GLOBAL, "ga"));
	facts = facts_of("bpf");
	ck_assert(defines(LIB_FUNCTION, "in_bpf") && !defines(LIB_FUNCTION, "in_linux"));
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
}
END_TEST

static const char *intern(const char *name)
{
	return strtab_intern(&names, name);
}

START_TEST(macro_libraries)
{
	struct parse_facts facts = facts_of("kernel");
	struct library *l;

	env.facts = &facts;
	put(in(lib, "m.stpm"), "%( runtime == \"kernel\" %? @define fname %( fmacro %) %: @define gname %( x %) %)\n"
			       "@define twice %( 2 %)");
	put(in(lib, "n.stpm"), "@define twice %( 2 %) @define other %( @fname %)");
	put(in(lib, "bad.stpm"), "@define b %( 1 %) function f() { }");
	put(in(lib, "use.stp"), "@define fname %( own %) function @other() { return @nothing }");
	l = open_lib();
	ck_assert_uint_eq(diag.warnings, 1); /* bad.stpm */
	ck_assert_str_eq(macro_name(library_macro(l, intern("@fname"))), "@fname");
	ck_assert_ptr_null(library_macro(l, intern("@gname")));
	ck_assert_ptr_null(library_macro(l, intern("@b")));
	/* the library's macro sees the library's @fname, not the file's */
	ck_assert(library_need(l, LIB_FUNCTION, "fmacro"));
	ck_assert(!library_need(l, LIB_FUNCTION, "own"));
	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_ptr_nonnull(library_macro(l, intern("@twice")));
	ck_assert_uint_eq(diag.errors, 1); /* defined in two files */
	ck_assert_ptr_nonnull(library_macro(l, intern("@twice")));
	ck_assert_uint_eq(diag.errors, 1); /* told once */
	library_close(l);
}
END_TEST

START_TEST(programs_of_a_folder)
{
	const struct ast_probe *p;
	struct library *l;
	uint32_t n;

	mkdir(in(lib, "PATH"), 0755);
	mkdir(in(lib, "PATH/usr"), 0755);
	put_deep(in(lib, "PATH/usr/bin"), "x.stp",
		 "probe xp = process(\"x\").begin, process(\"/bin/y\").end, kernel.function(\"z\") { }");
	l = open_lib();
	ck_assert(library_need(l, LIB_ALIAS, "xp"));
	p = library_files(l, &n)[0]->aliases.v[0];
	ck_assert_str_eq(p->points.v[0]->comps.v[0].str, "/usr/bin/x");
	ck_assert_str_eq(p->points.v[1]->comps.v[0].str, "/bin/y");
	ck_assert_str_eq(p->points.v[2]->comps.v[1].str, "z");
	library_close(l);
}
END_TEST

START_TEST(links_and_missing_folders)
{
	const char *dirs[] = { lib, in(top, "none") };

	ck_assert_int_eq(symlink("..", in(lib, "sub/loop")), 0);
	ck_assert_int_eq(symlink("a.stp", in(lib, "again.stp")), 0);
	ck_assert_int_eq(symlink("nowhere", in(lib, "dangling.stp")), 0);
	ck_assert(defines(LIB_FUNCTION, "fb"));
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
	ck_assert_ptr_null(library_open(&env, dirs, 2, cache));
	ck_assert_uint_eq(diag.errors, 1);
	dirs[1] = in(lib, "a.stp");
	ck_assert_ptr_null(library_open(&env, dirs, 2, cache));
	ck_assert_uint_eq(diag.errors, 2);
	library_close(library_open(&env, dirs, 0, cache));
}
END_TEST

START_TEST(old_indexes_go_when_a_new_one_comes)
{
	const struct timespec old[2] = { { time(NULL) - 30 * 24 * 3600, 0 }, { time(NULL) - 30 * 24 * 3600, 0 } };
	const char *gone = in(cache, "tapset-0123.idx"), *other = in(cache, "objects"), *young = in(cache, "tapset-4567.idx");

	ck_assert_int_eq(mkdir(in(top, "new"), 0755) | mkdir(cache, 0755), 0);
	put(gone, "x");
	put(other, "x");
	put(young, "x");
	ck_assert_int_eq(utimensat(AT_FDCWD, gone, old, 0) | utimensat(AT_FDCWD, other, old, 0), 0);
	library_close(open_lib());
	ck_assert_int_ne(access(gone, F_OK), 0);
	ck_assert_int_eq(access(other, F_OK) | access(young, F_OK), 0);
}
END_TEST

START_TEST(cache_that_cannot_be_written)
{
	const char *dirs[] = { lib };
	struct library *l = library_open(&env, dirs, 1, "/proc/spile-none");

	ck_assert_ptr_nonnull(l);
	ck_assert(library_need(l, LIB_FUNCTION, "fb"));
	library_close(l);
	ck_assert_uint_eq(diag.errors + diag.warnings, 0);
}
END_TEST

/* 50 files; ten times the promised 0.3 ms, for machines under load and sanitizers. */
START_TEST(warm_start_is_quick)
{
	struct timespec from, to;
	double best = 1e9, ms;
	int i;

	for (i = 0; i < 50; i++) {
		const char *path = arena_printf(&arena, "%s/f%d.stp", lib, i);

		put(path, arena_printf(&arena, "function q%d() { } global v%d", i, i));
		settle(path);
	}
	settle(lib);
	library_close(open_lib());
	ck_assert_ptr_nonnull(index_file());
	for (i = 0; i < 20; i++) {
		struct library *l;

		clock_gettime(CLOCK_MONOTONIC, &from);
		l = open_lib();
		clock_gettime(CLOCK_MONOTONIC, &to);
		library_close(l);
		ms = (double)(to.tv_sec - from.tv_sec) * 1e3 +
		     (double)(to.tv_nsec - from.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
	}
	printf("warm start with 52 files: %.3f ms\n", best);
	ck_assert(best < 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("library");
	TCase *t = tcase_create("library");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, only_what_is_needed);
	tcase_add_test(t, names_are_listed);
	tcase_add_test(t, warm_start_parses_nothing);
	tcase_add_test(t, index_is_kept_and_refreshed);
	tcase_add_test(t, no_index_of_what_just_changed);
	tcase_add_test(t, damaged_index_is_rebuilt);
	tcase_add_test(t, broken_file_is_one_warning);
	tcase_add_test(t, folders_in_order);
	tcase_add_test(t, special_folders);
	tcase_add_test(t, macro_libraries);
	tcase_add_test(t, programs_of_a_folder);
	tcase_add_test(t, links_and_missing_folders);
	tcase_add_test(t, old_indexes_go_when_a_new_one_comes);
	tcase_add_test(t, cache_that_cannot_be_written);
	tcase_add_test(t, warm_start_is_quick);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
