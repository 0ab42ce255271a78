/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions, lines, types and places of variables, asked of programs made for it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session.h"
#include "symbols/symbols.h"

static struct session s;
static struct symbols *all;
static char dir[] = "/tmp/spile-syms-XXXXXX";

static const char program[] =
	"struct inner { short lo, hi; };\n"
	"struct box { int id; unsigned a : 3, b : 9; union { long whole; struct inner part; };\n"
	"	struct box *next; const char *name[2]; int (*call)(int, char *); };\n"
	"enum level { LOW = -2, HIGH = 9 };\n"
	"typedef struct box box_t;\n"
	"static int counter = 3;\n"
	"static inline __attribute__((always_inline)) int twice(int v) { return v + v; }\n"
	"__attribute__((noinline)) long work(int first, box_t *p, enum level l)\n"
	"{\n"
	"	int local = first * 3;\n"
	"	p->id += twice(local);\n"
	"	return p->id + l + counter;\n"
	"}\n"
	"static __attribute__((noinline)) void nothing(void) { counter++; }\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	box_t b = { .id = argc, .name = { argv[0] } };\n"
	"	nothing();\n"
	"	return (int)work(argc, &b, HIGH);\n"
	"}\n";

static void setup(void)
{
	memset(&s, 0, sizeof(s));
	arena_init(&s.arena);
	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	s.cache_dir = dir;
	all = symbols_new(&s);
}

static void teardown(void)
{
	symbols_close(all);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(arena_printf(&s.arena, "rm -rf %s", dir)), 0);
	arena_fini(&s.arena);
}

static struct sym_object *built(const char *how)
{
	FILE *f = fopen("prog.c", "w");
	const char *why;
	struct sym_object *o;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(program, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(system(arena_printf(&s.arena, "%s -o prog prog.c", how)), 0);
	o = sym_open_file(all, arena_printf(&s.arena, "%s/prog", dir), &why);
	ck_assert_ptr_nonnull(o);
	return o;
}

struct list {
	VEC(struct sym_func) funcs;
	VEC(struct sym_line) lines;
	VEC(struct sym_var) vars;
};

static bool on_func(const struct sym_func *f, void *arg)
{
	struct list *l = arg;

	vec_push(&s.arena, &l->funcs, *f);
	return true;
}

static bool on_line(const struct sym_line *f, void *arg)
{
	struct list *l = arg;

	vec_push(&s.arena, &l->lines, *f);
	return true;
}

static bool on_var(const struct sym_var *f, void *arg)
{
	struct list *l = arg;

	vec_push(&s.arena, &l->vars, *f);
	return true;
}

static struct list query(struct sym_object *o, const char *text, bool inlined)
{
	struct list l = { 0 };
	struct sym_spec spec;
	const char *why;
	uint32_t at;

	ck_assert_msg(sym_spec_parse(&s.arena, text, &spec, &why, &at), "%s", why);
	if (spec.line_kind)
		sym_lines(o, &spec, false, on_line, &l, NULL);
	else
		sym_functions(o, &spec, inlined, on_func, &l);
	return l;
}

START_TEST(patterns)
{
	static const struct {
		const char *text, *func, *file;
		enum sym_line_kind kind;
		uint32_t from, to, bad_at;
	} t[] = {
		{ "f", "f", NULL, SYML_NONE, 0, 0, 0 },
		{ "f*@a/b.c", "f*", "a/b.c", SYML_NONE, 0, 0, 0 },
		{ "f@b++.cc", "f", "b++.cc", SYML_NONE, 0, 0, 0 },
		{ "f@b.c:12", "f", "b.c", SYML_ABSOLUTE, 12, 12, 0 },
		{ "f@b.c:12-20", "f", "b.c", SYML_LIST, 12, 20, 0 },
		{ "f@b.c:*", "f", "b.c", SYML_ALL, 0, 0, 0 },
		{ "f@b.c+3", "f", "b.c", SYML_RELATIVE, 3, 3, 0 },
		{ "@b.c", NULL, NULL, SYML_NONE, 0, 0, 1 },
		{ "f@", NULL, NULL, SYML_NONE, 0, 0, 2 },
		{ "f@b.c:x", NULL, NULL, SYML_NONE, 0, 0, 6 },
		{ "f@b.c:9-3", NULL, NULL, SYML_NONE, 0, 0, 9 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct sym_spec spec;
		const char *why;
		uint32_t at;
		bool ok = sym_spec_parse(&s.arena, t[i].text, &spec, &why, &at);

		ck_assert_msg(ok == !!t[i].func, "%s", t[i].text);
		if (!ok) {
			ck_assert_uint_le(at, t[i].bad_at);
			continue;
		}
		ck_assert_str_eq(spec.func, t[i].func);
		ck_assert(!spec.file == !t[i].file && (!spec.file || !strcmp(spec.file, t[i].file)));
		ck_assert_int_eq(spec.line_kind, t[i].kind);
		if (t[i].from) {
			ck_assert_uint_eq(spec.lines.v[0].from, t[i].from);
			ck_assert_uint_eq(spec.lines.v[0].to, t[i].to);
		}
	}
}
END_TEST

static const char *const compilers[] = { "gcc -g -O0", "gcc -gdwarf-4 -O2 -no-pie", "clang -g -O2" };

START_TEST(functions)
{
	struct sym_object *o = built(compilers[_i]);
	struct list l = query(o, "work", false);
	const char *symbol;
	uint64_t off;

	ck_assert_uint_eq(l.funcs.n, 1);
	ck_assert_uint_eq(l.funcs.v[0].line, 8);
	ck_assert_uint_eq(l.funcs.v[0].flags, SYMF_EXTERNAL);
	ck_assert(sym_addr_symbol(o, l.funcs.v[0].entry, &symbol, &off));
	ck_assert_str_eq(symbol, "work");
	ck_assert_uint_eq(off, 0);
	/* without optimisation parameters are read past the prologue */
	ck_assert((l.funcs.v[0].body > l.funcs.v[0].entry) == (_i == 0));
	ck_assert_uint_eq(query(o, "n*@prog.c", false).funcs.n, 1);
	ck_assert_uint_eq(query(o, "n*@other.c", false).funcs.n, 0);
	/* one instance, and no code of its own */
	ck_assert_uint_eq(query(o, "twice", true).funcs.n, 1);
	ck_assert_uint_eq(query(o, "twice", false).funcs.n, 0);
}
END_TEST

START_TEST(lines)
{
	struct sym_object *o = built(compilers[_i]);
	struct list l = query(o, "*@prog.c:14", false);

	ck_assert_uint_ge(l.lines.n, 1);
	ck_assert_uint_eq(l.lines.v[0].line, 14);
	ck_assert_str_eq(l.lines.v[0].func.name, "nothing");
	ck_assert_uint_eq(query(o, "main@prog.c:14", false).lines.n, 0);
	ck_assert_uint_eq(query(o, "*@prog.c:1", false).lines.n, 0);
}
END_TEST

START_TEST(lines_around)
{
	struct sym_object *o = built(compilers[_i]);
	struct sym_near_lines near;
	struct list l = { 0 };
	struct sym_spec spec;
	const char *why;
	uint32_t at;

	ck_assert(sym_spec_parse(&s.arena, "work@prog.c:3", &spec, &why, &at));
	sym_lines(o, &spec, false, on_line, &l, &near);
	ck_assert_uint_eq(l.lines.n, 0);
	ck_assert_uint_eq(near.below, 0);
	ck_assert_uint_ge(near.above, 8);
	ck_assert_uint_le(near.above, 11);
	sym_lines(o, &spec, true, on_line, &l, NULL);
	ck_assert_uint_ge(l.lines.n, 1);
	ck_assert_uint_eq(l.lines.v[0].line, near.above);
	ck_assert_str_eq(l.lines.v[0].func.name, "work");
	/* relative to where it is declared, and all of it */
	l = query(o, arena_printf(&s.arena, "work@prog.c+%u", near.above - 8), false);
	ck_assert_uint_eq(l.lines.v[0].line, near.above);
	l = query(o, "work@prog.c:*", false);
	ck_assert_uint_ge(l.lines.n, 2);
	for (uint32_t i = 0; i < l.lines.n; i++) {
		ck_assert_uint_ge(l.lines.v[i].line, 8);
		ck_assert_uint_le(l.lines.v[i].line, 13);
	}
	l = query(o, "twice@prog.c:7", false);
	ck_assert(l.lines.n || _i);
	ck_assert(!l.lines.n || (l.lines.v[0].func.flags & SYMF_INLINE));
}
END_TEST

struct calls {
	uint64_t ret;
	uint32_t inlined;
};

static bool on_callee(const struct sym_callee *c, void *arg)
{
	struct calls *k = arg;

	k->inlined += c->inlined;
	if (!c->inlined && !strcmp(c->func.name, "work"))
		k->ret = c->ret;
	return true;
}

START_TEST(within_functions)
{
	struct sym_object *o = built(compilers[_i]);
	struct sym_func work = query(o, "work", false).funcs.v[0], f;
	struct sym_func of_main = query(o, "main", false).funcs.v[0];
	uint64_t before, after;
	struct calls k = { 0 };
	struct sym_frame frame;
	struct sym_line l;

	ck_assert(sym_func_at(o, work.entry + 1, &f));
	ck_assert_str_eq(f.name, "work");
	ck_assert(!sym_func_at(o, 1, &f));
	ck_assert_int_eq(sym_statement_at(o, work.entry, &l, &before, &after), SYM_BEGINS);
	ck_assert(before == work.entry && after > before);
	ck_assert_uint_le(l.line, 11);
	ck_assert_int_eq(sym_statement_at(o, after - 1, &l, &before, &after), SYM_WITHIN);
	ck_assert_int_eq(sym_statement_at(o, 1, &l, &before, &after), SYM_NO_CODE);
	/* the return address is on top of the stack */
	ck_assert(sym_frame_at(o, work.entry, 6, &frame));
	ck_assert(frame.reg == 7 && frame.offset == 8 && !frame.fp_saved);
	sym_callees(o, &work, on_callee, &k);
	ck_assert_uint_eq(k.inlined, 1);
	/* calls are listed when code is optimised */
	sym_callees(o, &of_main, on_callee, &k);
	if (_i && k.ret)
		ck_assert(sym_func_at(o, k.ret, &f) && !strcmp(f.name, "main"));
	ck_assert(k.ret || strstr(compilers[_i], "gcc -gdwarf-4") == NULL);
}
END_TEST

START_TEST(types)
{
	struct sym_object *o = built(compilers[_i]);
	const struct sym_type *t = sym_type_find(o, "struct box"), *p;
	struct sym_member m;
	int64_t v;

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(t->kind, ST_STRUCT);
	ck_assert_ptr_eq(sym_type_find(o, "box_t"), t);
	p = sym_type_find(o, "box_t *");
	ck_assert_int_eq(p->kind, ST_POINTER);
	ck_assert_ptr_eq(sym_type_target(p), t);
	ck_assert_ptr_null(sym_type_find(o, "struct level"));
	ck_assert_ptr_null(sym_type_find(o, "union box"));
	ck_assert(sym_member_find(t, "id", &m));
	ck_assert(m.offset == 0 && m.type->size == 4 && m.type->is_signed && !m.bit_size);
	ck_assert(sym_member_find(t, "a", &m));
	ck_assert(m.offset == 4 && m.bit_offset == 0 && m.bit_size == 3);
	ck_assert(sym_member_find(t, "b", &m));
	ck_assert(m.offset * 8 + m.bit_offset == 35 && m.bit_size == 9);
	/* within an anonymous union, and a member of that */
	ck_assert(sym_member_find(t, "part", &m));
	ck_assert_uint_eq(m.offset, 8);
	ck_assert(sym_member_find(m.type, "hi", &m));
	ck_assert_uint_eq(m.offset, 2);
	ck_assert(sym_member_find(t, "next", &m));
	ck_assert_ptr_eq(sym_type_target(m.type), t);
	ck_assert_str_eq(m.type_text, "struct box *");
	ck_assert(sym_member_find(t, "name", &m));
	ck_assert(m.type->kind == ST_ARRAY && m.type->nelems == 2);
	ck_assert_str_eq(m.type_text, "const char *[2]");
	ck_assert(sym_member_find(t, "call", &m));
	ck_assert_str_eq(m.type_text, "int (*)(int, char *)");
	ck_assert(!sym_member_find(t, "none", &m));
	ck_assert(sym_enum_value(o, "LOW", &v) && v == -2);
	ck_assert(!sym_enum_value(o, "MIDDLE", &v));
	ck_assert_str_eq(sym_enum_name(sym_type_find(o, "enum level"), 9), "HIGH");
	ck_assert_ptr_null(sym_enum_name(sym_type_find(o, "enum level"), 1));
}
END_TEST

START_TEST(variables)
{
	struct sym_object *o = built(compilers[_i]);
	struct sym_func f = query(o, "work", false).funcs.v[0];
	struct sym_scope *sc = sym_scope_new(o, &f, f.body, false);
	static const char *const names[] = { "first", "p", "l" };
	static const int regs[] = { 5, 4, 1 }; /* di, si, dx */
	const struct sym_type *ret;
	const char *text;
	struct list l = { 0 };
	struct sym_loc loc;
	struct sym_var v;

	sym_scope_vars(sc, on_var, &l);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(sym_scope_find(sc, names[i], &v));
		ck_assert_int_eq(v.kind, SV_PARAM);
		ck_assert_ptr_null(sym_locate(sc, &v, &loc));
		ck_assert_uint_eq(loc.pieces.n, 1);
		/* optimised: in its register; else in memory */
		ck_assert(loc.pieces.v[0].is_value == (_i != 0));
		if (_i) {
			ck_assert_uint_eq(loc.pieces.v[0].ops.n, 1);
			ck_assert_int_eq(loc.pieces.v[0].ops.v[0].op, SL_REG);
			ck_assert_int_eq(loc.pieces.v[0].ops.v[0].num, regs[i]);
		}
	}
	ck_assert(sym_scope_find(sc, "counter", &v));
	ck_assert_int_eq(v.kind, SV_STATIC);
	ck_assert_ptr_null(sym_locate(sc, &v, &loc));
	ck_assert_int_eq(loc.pieces.v[0].ops.v[0].op, SL_STATIC);
	ck_assert(!sym_scope_find(sc, "argv", &v));
	ret = sym_return_type(sc, &text);
	ck_assert(ret->kind == ST_INT && ret->size == 8);
	ck_assert_str_eq(text, strncmp(compilers[_i], "gcc", 3) ? "long" : "long int");
	sc = sym_scope_new(o, &f, f.entry, true);
	ck_assert_ptr_null(sym_locate_return(sc, &loc));
	ck_assert_int_eq(loc.pieces.v[0].ops.v[0].num, 0);
}
END_TEST

START_TEST(separate_debug_file)
{
	struct sym_object *o;
	const char *why, *hint;

	built("gcc -g -O2");
	ck_assert_int_eq(system("objcopy --only-keep-debug prog prog.debug && strip prog && "
				"objcopy --add-gnu-debuglink=prog.debug prog && cp prog alone"),
			 0);
	o = sym_open_file(all, arena_printf(&s.arena, "%s/./prog", dir), &why);
	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(query(o, "work@prog.c", false).funcs.n, 1);
	/* the same where the debug file is not found: only what dynamic symbols say, and a hint */
	ck_assert_int_eq(unlink("prog.debug"), 0);
	o = sym_open_file(all, arena_printf(&s.arena, "%s/alone", dir), &why);
	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(query(o, "work", false).funcs.n, 0);
	ck_assert_ptr_nonnull(sym_missing(o, &hint));
	ck_assert_ptr_nonnull(hint);
	ck_assert_ptr_null(sym_open_file(all, "/nowhere", &why));
	ck_assert_ptr_null(sym_open_file(all, arena_printf(&s.arena, "%s/prog.c", dir), &why));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("syms");
	TCase *t = tcase_create("syms");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, patterns);
	tcase_add_loop_test(t, functions, 0, 3);
	tcase_add_loop_test(t, lines, 0, 3);
	tcase_add_loop_test(t, lines_around, 0, 3);
	tcase_add_loop_test(t, within_functions, 0, 3);
	tcase_add_loop_test(t, types, 0, 3);
	tcase_add_loop_test(t, variables, 0, 3);
	tcase_add_test(t, separate_debug_file);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
