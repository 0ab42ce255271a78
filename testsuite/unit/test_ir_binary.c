/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binary form: comes back the same, and nothing in an image can do harm. */
#include "ir_test.h"

static const char sample[] =
	"module \"stap_1\"\nkernel \"6.1\" 77\nlimit MAXACTION 500\nlimit MAXSTRINGLEN 64\n"
	"global @count long = -5\nglobal @name string = \"abc\"\n"
	"global @a long[string,long] size 2048 wrap\n"
	"global @s stats[long] size 10 ops count,avg\n"
	"probe begin @probe_0 name \"begin\" chain \"begin(3)\" seq -3\n"
	"probe uprobe @probe_0 name \"p\" target \"/bin/x\" symbol \"main\" proto \"= i8\" exe \"/bin/y\" "
	"offset 81985529216486895 optional filter read @count\n"
	"\nfunc @f (long %0 n, string %1) string @\"f at x.stp:1:2\" {\n"
	"    regs long %2, string %3 acc\n"
	"b0:\n\t%2 = div %0, -9223372036854775808 !b1 @\"operator '/' at x.stp:2:3\"\n"
	"\t%3 = call @f, %2, \"x\" !b1\n\t%3 = scat %3, \"y\"\n\tret %3\nb1:\n\tabort\n}\n"
	"\nhandler @probe_0 {\n    regs long %0, string %1\n    iter #0 @a down key 2\n"
	"    iter #1 @s up avg\n"
	"b0:\n\tmset @a [\"x\", 1], 2 !b2 @\"loc\"\n\tsadd @s [3], 4 !b2\n"
	"\tit_begin #0, -1 !b2\n\t%0 = it_next #0\n"
	"\t%1 = it_key.0 #0\n\tit_begin #1, -1 !b2\n\temit.warn \"%5d%% %s\\n\", %0, %1\n"
	"\t%1 = sfmt \"%-*d\", 4, %0\n"
	"\t%0 = match \"a+\", %1\n\t%0 = capture \"(a)+\", %1\n"
	"\t%0 = load.user.s4 %0 type \"struct task_struct 64.pid@32 i4\" !b2\n\tbr %0, b1, b2\nb1:\n\tdone\n"
	"b2:\n\tabort\n}\n";

static void write_module(struct buf *out, const char *text)
{
	buf_init(out);
	ir_write(out, must_parse(text));
}

START_TEST(comes_back_the_same)
{
	struct ir_module *m = must_parse(sample), *back;
	const char *err;
	struct buf b;

	buf_init(&b);
	ir_write(&b, m);
	back = ir_read(&arena, b.p, b.len, &err);
	ck_assert_msg(back != NULL, "%s", err);
	ck_assert_str_eq(text_of(back), text_of(m));
	/* Indices are what records carry. */
	ck_assert_uint_eq(back->strings.n, m->strings.n);
	for (uint32_t i = 0; i < m->strings.n; i++)
		ck_assert_str_eq(back->strings.v[i], m->strings.v[i]);
	ck_assert_uint_eq(back->fmts.n, m->fmts.n);
	ck_assert_uint_eq(ir_string(back, "loc"), ir_string(m, "loc"));
	buf_fini(&b);
}
END_TEST

START_TEST(is_compact)
{
	struct buf b;

	write_module(&b, HANDLER("b0:\n emit.out \"Started\\n\"\n intr exit\n done\n"));
	ck_assert_uint_lt(b.len, 130);
	buf_fini(&b);
}
END_TEST

static void read_any(const char *p, size_t len)
{
	/* A copy of exactly this size, so that a sanitizer sees a read past the end. */
	char *copy = malloc(len ? len : 1);
	struct arena a;
	const char *err;
	struct ir_module *m;

	memcpy(copy, p, len);
	arena_init(&a);
	m = ir_read(&a, copy, len, &err);
	ck_assert(m ? !err : err && *err);
	arena_fini(&a);
	free(copy);
}

START_TEST(cut_images_are_refused)
{
	struct buf b;

	write_module(&b, sample);
	for (size_t n = 0; n < b.len; n++) {
		const char *err;

		ck_assert_ptr_null(ir_read(&arena, b.p, n, &err));
		read_any(b.p, n);
	}
	buf_putc(&b, 0);
	read_any(b.p, b.len);
	buf_fini(&b);
}
END_TEST

START_TEST(changed_images_are_survived)
{
	static const uint8_t values[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	struct buf b;

	write_module(&b, sample);
	for (size_t i = 0; i < b.len; i++) {
		char was = b.p[i];

		for (size_t k = 0; k < sizeof(values); k++) {
			b.p[i] = (char)values[k];
			read_any(b.p, b.len);
		}
		b.p[i] = (char)(was + 1);
		read_any(b.p, b.len);
		b.p[i] = was;
	}
	buf_fini(&b);
}
END_TEST

START_TEST(random_images_are_survived)
{
	uint32_t seed = 12345;
	struct buf b;

	write_module(&b, sample);
	for (int round = 0; round < 20000; round++) {
		char image[2048];

		ck_assert_uint_le(b.len, sizeof(image));
		memcpy(image, b.p, b.len);
		for (int k = 0; k < 1 + round % 9; k++) {
			seed = seed * 1664525 + 1013904223;
			image[(seed >> 8) % b.len] = (char)(seed >> 24);
		}
		read_any(image, b.len);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(foreign_images_are_refused)
{
	const char *err;

	ck_assert_ptr_null(ir_read(&arena, "\177ELF", 4, &err));
	ck_assert_ptr_nonnull(strstr(err, "not a script image"));
	ck_assert_ptr_null(ir_read(&arena, "", 0, &err));
}
END_TEST

/* An image that reads but breaks the verifier's rules is refused all the same. */
START_TEST(images_are_verified)
{
	struct ir_module *m =
		parse_only(HANDLER(" regs long %0, long %1\nb0:\n %0 = add %1, 1\n done\n"));
	const char *err;
	struct buf b;

	buf_init(&b);
	ir_write(&b, m);
	ck_assert_ptr_null(ir_read(&arena, b.p, b.len, &err));
	ck_assert_ptr_nonnull(strstr(err, "%1 is read but not assigned"));
	buf_fini(&b);
}
END_TEST

int main(void)
{
	const struct named_test tests[] = {
		{ comes_back_the_same },        { is_compact },
		{ cut_images_are_refused },     { changed_images_are_survived },
		{ random_images_are_survived }, { foreign_images_are_refused },
		{ images_are_verified },
	};

	return RUN_TESTS("ir_binary", tests);
}
