/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of ir/ share: modules from text, and what a run of one prints. */
#ifndef SPILE_UNIT_IR_TEST_H
#define SPILE_UNIT_IR_TEST_H

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir/ir.h"

static struct arena arena;
static struct buf printed; /* what records said */

static inline void setup(void)
{
	arena_init(&arena);
	buf_init(&printed);
}

static inline void teardown(void)
{
	buf_fini(&printed);
	arena_fini(&arena);
}

static inline struct ir_module *parse_only(const char *text)
{
	const char *err;
	struct ir_module *m = ir_parse(&arena, text, &err);

	ck_assert_msg(m != NULL, "does not parse: %s", err);
	return m;
}

static inline struct ir_module *must_parse(const char *text)
{
	struct ir_module *m = parse_only(text);
	const char *wrong = ir_verify(m);

	ck_assert_msg(!wrong, "does not verify: %s", wrong);
	ir_mark_recursion(m);
	return m;
}

/* The dump, in the arena. */
static inline const char *text_of(const struct ir_module *m)
{
	struct buf b;
	const char *s;

	buf_init(&b);
	ir_print(&b, m);
	s = arena_strndup(&arena, b.p, b.len);
	buf_fini(&b);
	return s;
}

/* The dump of the module's first function or handler, from its first block on. */
static inline const char *body_of(const struct ir_module *m)
{
	const char *s = strstr(text_of(m), "b0:\n");

	ck_assert_ptr_nonnull(s);
	return arena_strndup(&arena, s, (size_t)(strstr(s, "}\n") - s));
}

static inline int64_t take_int(const char **p)
{
	int64_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return v;
}

static inline const char *take_str(const char **p, uint32_t *n)
{
	const char *s;

	memcpy(n, *p, 4);
	s = *p + 4;
	*p += REC_STR_BYTES(*n);
	return s;
}

static inline void print_args(const struct ir_fmt *fmt, const char *p)
{
	char text[70000];
	struct fmt_out o = { .p = text, .size = sizeof(text) };
	uint32_t at = 0, n;

	for (uint32_t i = 0; i < fmt->pieces.n; i++) {
		struct fmt_spec spec = fmt->pieces.v[i].spec;

		if (fmt->pieces.v[i].lit) {
			fmt_lit(&o, fmt->pieces.v[i].lit, fmt->pieces.v[i].lit_len);
			continue;
		}
		if (fmt->args.v[at++] == IR_STR) {
			const char *s = take_str(&p, &n);

			fmt_str(&o, &spec, s, n);
		} else {
			fmt_int(&o, &spec, take_int(&p));
		}
	}
	fmt_end(&o);
	buf_puts(&printed, text);
}

/* Places of an error, the same whether calls were inlined or not. */
static inline void print_places(const struct ir_module *m, uint32_t loc, int64_t ncalls,
				const uint32_t *calls)
{
	uint32_t n = 0;

	buf_puts(&printed, " at ");
	for (int64_t k = -1; k < ncalls && k < REC_FRAMES; k++) {
		const char *s = m->strings.v[k < 0 ? loc : calls[k]];

		while (*s && n <= REC_FRAMES) {
			size_t len = strcspn(s, "\n");

			buf_printf(&printed, "%s%.*s", n++ ? "<" : "", (int)len, s);
			s += len + (s[len] == '\n');
		}
	}
	buf_puts(&printed, ">");
}

static inline void take_record(void *arg, const struct rec *r)
{
	const struct ir_module *m = arg;
	const char *p = (const char *)(r + 1);

	ck_assert_uint_eq(r->size % 8, 0);
	if (r->type == REC_EXIT) {
		buf_puts(&printed, "<exit>");
	} else if (r->type == REC_ERROR) {
		int64_t operand = take_int(&p), loc = take_int(&p), ncalls;
		const char *text;
		uint32_t n, calls[REC_FRAMES];

		take_int(&p);
		ncalls = take_int(&p);
		memcpy(calls, p, sizeof(calls));
		p += sizeof(calls);
		text = take_str(&p, &n);
		buf_puts(&printed, "<error ");
		ir_error_render(&printed, m, r->id, operand, arena_strndup(&arena, text, n));
		print_places(m, (uint32_t)loc, ncalls, calls);
	} else {
		buf_puts(&printed, r->type == REC_WARN ? "<warn>" : "");
		print_args(m->fmts.v[r->id], p);
	}
}

/* Runs every probe once, in their order, and returns what was printed. */
static inline const char *run_module(struct ir_module *m, int64_t limit)
{
	struct interp_env env = { .record = take_record, .record_arg = m, .target = 77 };
	struct interp *in = interp_new(m, &env);

	buf_reset(&printed);
	for (uint32_t i = 0; i < m->probes.n; i++)
		interp_run(in, i, limit);
	interp_free(in);
	return printed.len ? printed.p : "";
}

static inline const char *run_text(const char *text)
{
	return run_module(must_parse(text), 100000);
}

struct named_test {
	const TTest *test;
};

static inline int run_tests(const char *name, const struct named_test *tests, size_t n)
{
	TCase *tc = tcase_create(name);
	Suite *s = suite_create(name);
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i].test);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#define RUN_TESTS(name, tests) run_tests(name, tests, sizeof(tests) / sizeof((tests)[0]))

/* A module with one begin probe whose handler has these lines. */
#define HANDLER(body) "module \"t\"\nprobe begin @h name \"begin\"\nhandler @h {\n" body "}\n"

#endif
