/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of a script: precedence, spans, declarations, what is refused and where; printing it loses nothing. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "parse/parse.h"

static struct arena arena;
static struct strtab names;
static struct diag diag;
static struct parse_env env;

static void setup(void)
{
	arena_init(&arena);
	strtab_init(&names, &arena);
	diag_init(&diag, &arena);
	diag.color = COLOR_NEVER;
	env = (struct parse_env){
		.arena = &arena, .names = &names, .diag = &diag, .privileged = true
	};
}

static void teardown(void)
{
	strtab_fini(&names);
	arena_fini(&arena);
}

static struct ast_file *parse(const char *text)
{
	return parse_file(&env, source_new(&arena, "t.stp", text, strlen(text)));
}

static char *messages(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	diag_flush(&diag, f);
	fclose(f);
	return text;
}

/* Parses without error, prints, parses that, prints again: the same text. */
static const char *printed(const char *text)
{
	const char *once;
	struct buf b;

	buf_init(&b);
	ast_print_file(&b, parse(text));
	ck_assert_msg(!diag.errors, "%s\n%s", text, messages());
	once = arena_strdup(&arena, b.p);
	buf_reset(&b);
	ast_print_file(&b, parse(once));
	ck_assert_msg(!diag.errors, "%s\n%s", once, messages());
	ck_assert_str_eq(b.p, once);
	buf_fini(&b);
	return once;
}

static struct expr *expression(const char *text)
{
	struct ast_file *f = parse(arena_printf(&arena, "probe begin { %s }", text));

	ck_assert_msg(!diag.errors, "%s: %s", text, messages());
	ck_assert_uint_eq(f->probes.v[0]->body->body.n, 1);
	return f->probes.v[0]->body->body.v[0]->e;
}

static void expect_expr(const char *text, const char *want)
{
	struct buf b;

	buf_init(&b);
	ast_print_expr(&b, expression(text));
	ck_assert_str_eq(b.p, want);
	buf_fini(&b);
	printed(arena_printf(&arena, "probe begin { %s }", text));
}

/* One error at least; its message holds both texts. */
static void expect_error(const char *text, const char *tag, const char *what)
{
	unsigned int before = diag.errors;
	char *said;

	parse(text);
	said = messages();
	ck_assert_msg(diag.errors > before, "no error: %.200s", text);
	ck_assert_msg(strstr(said, tag) && strstr(said, what),
		      "%.200s: expected %s, %s in\n%.1500s", text, tag, what, said);
	free(said);
}

START_TEST(precedence)
{
	static const char *const rows[][2] = {
		{ "a = b <<< c", "(a) = ((b) <<< (c))" },
		{ "a ? b : c ? d : e", "(a) ? (b) : ((c) ? (d) : (e))" },
		{ "a ? b = 1 : c = 2", "((a) ? ((b) = (1)) : (c)) = (2)" },
		{ "a || b && c || d", "((a) || ((b) && (c))) || (d)" },
		{ "a | b ^ c & d", "(a) | ((b) ^ ((c) & (d)))" },
		{ "a & b == c", "(a) & ((b) == (c))" },
		{ "a & x in A", "(a) & ([x] in A)" },
		{ "a == b in A", "[(a) == (b)] in A" },
		{ "[a, *, 1+2] in A && b", "([a, *, (1) + (2)] in A) && (b)" },
		{ "a < b == c < d", "(((a) < (b)) == (c)) < (d)" },
		{ "a < b << c", "(a) < ((b) << (c))" },
		{ "a >> b . c", "(a) >> ((b) . (c))" },
		{ "a . b + c . d", "((a) . ((b) + (c))) . (d)" },
		{ "a - b - c * d % e", "((a) - (b)) - (((c) * (d)) % (e))" },
		{ "a >>> 1 >> 2", "((a) >>> (1)) >> (2)" },
		{ "-a * !b + ~c", "((-(a)) * (!(b))) + (~(c))" },
		{ "- -a", "-(-(a))" },
		{ "++a + b--", "(++(a)) + ((b)--)" },
		{ "a =~ \"x\" && b !~ \"y\" \"z\"", "((a) =~ \"x\") && ((b) !~ \"yz\")" },
		{ "a += b -= c .= d", "(a) += ((b) -= ((c) .= (d)))" },
		{ "a >>= 1", "(a) >>= (1)" },
		{ "(a)", "a" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_expr(rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(values)
{
	static const char *const rows[][2] = {
		{ "\"a\" /* x */ \"b\\n\"", "\"ab\\n\"" },
		{ "18446744073709551615", "18446744073709551615" },
		{ "f()", "f()" },
		{ "f(1, g(2))", "f(1, g(2))" },
		{ "string(1) . long(2)", "(string(1)) . (long(2))" },
		{ "A[1, \"b\", *]", "A[1, \"b\", *]" },
		{ "$x->y[1]->if$", "$x->y[1]->if$" },
		{ "$x$$", "$x$$" },
		{ "$$vars$ . $$parms", "($$vars$) . ($$parms)" },
		{ "&$x->y", "&$x->y" },
		{ "f()->m[i]->n", "f()->m[i]->n" },
		{ "x->y->z", "x->y->z" },
		{ "A[i]->m", "A[i]->m" },
		{ "(c ? $a : $b)->m", "((c) ? ($a) : ($b))->m" },
		{ "(x)[1]", "(x)[1]" },
		{ "x$", "x$" },
		{ "@cast(p, \"t\")->m$$", "@cast(p, \"t\")->m$$" },
		{ "@cast(p, \"t\", \"m\") $", "@cast(p, \"t\", \"m\")$" },
		{ "@var(\"x@y.c\", \"m\")[3]", "@var(\"x@y.c\", \"m\")[3]" },
		{ "@defined($x) && @entry($y)", "(@defined($x)) && (@entry($y))" },
		{ "@kderef(8, p) + @uregister(3)", "(@kderef(8, p)) + (@uregister(3))" },
		{ "@enumname(x, \"t\") . @const(\"C\")",
		  "(@enumname(x, \"t\")) . (@const(\"C\"))" },
		{ "@count(x) + @variance(A[1], 3)", "(@count(x)) + (@variance(A[1], 3))" },
		{ "@hist_linear(s, -10, 0x10, 2)[1]", "@hist_linear(s, -10, 16, 2)[1]" },
		{ "println()", "println()" },
		{ "sprintf(\"%d\", 1) . sprintd(\",\", 1, 2)",
		  "(sprintf(\"%d\", 1)) . (sprintd(\",\", 1, 2))" },
		{ "printf + print_char(1)", "(printf) + (print_char(1))" },
		{ "%{ C %}", "%{ C %}" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_expr(rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(details_of_nodes)
{
	struct expr *e = expression("&$p->a[i]$$");

	ck_assert_int_eq(e->kind, E_TARGET);
	ck_assert_str_eq(e->name, "$p");
	ck_assert(e->address_of);
	ck_assert_uint_eq(e->suffixes.n, 3);
	ck_assert_int_eq(e->suffixes.v[2].depth, 2);
	e = expression("sprintln(1)");
	ck_assert_int_eq(e->kind, E_PRINT);
	ck_assert_int_eq(e->op, P_STRING | P_NEWLINE);
	e = expression("x->y");
	ck_assert_int_eq(e->kind, E_SUFFIXED);
	ck_assert_int_eq(e->a->kind, E_SYMBOL);
	e = expression("@avg(A[1])");
	ck_assert_int_eq(e->op, S_AVG);
	ck_assert_int_eq(e->a->kind, E_INDEX);
}
END_TEST

/* probe begin { is 14 bytes */
START_TEST(spans)
{
	struct expr *e = expression("foo(1) + (bb * A[2])");

	ck_assert(e->at.off == 14 && e->at.len == 20);
	ck_assert(e->op_at.off == 21 && e->op_at.len == 1);
	ck_assert(e->a->at.len == 6 && e->a->op_at.len == 3);
	ck_assert(e->b->at.off == 23 && e->b->at.len == 11);
	ck_assert(e->b->b->at.len == 4 && e->b->b->op_at.len == 1);
	e = expression("k in Arr");
	ck_assert(e->at.len == 8 && e->op_at.off == 19 && e->op_at.len == 3);
}
END_TEST

START_TEST(statements)
{
	const char *text =
		printed("probe begin { ; { } if (a) b else if (c) { d; } else e\n"
			"while (a) break for (;;) { continue } for (i = 0; i < 3; i++) next\n"
			"try { delete A[*, 1] } catch (m) { delete b } try { } catch { return }\n"
			"return 3 + 4 x = 1 y = 2; z++ }");

	ck_assert_ptr_nonnull(strstr(text, "  delete A[*, 1];\n"));
	ck_assert_ptr_nonnull(strstr(text, "catch (m)\n"));
	ck_assert_ptr_nonnull(strstr(text, "return (3) + (4);\n"));
	ck_assert_ptr_nonnull(strstr(text, "for (; ; )\n"));
	/* an else belongs to the nearest if */
	text = printed("probe begin { if (a) if (b) c; else d; }");
	ck_assert_ptr_nonnull(strstr(text, "    if (b)\n      c;\n    else\n      d;\n"));
}
END_TEST

static struct stmt *loop(const char *head)
{
	struct ast_file *f = parse(arena_printf(&arena, "probe begin { foreach (%s) x }", head));

	ck_assert_msg(!diag.errors, "%s: %s", head, messages());
	printed(arena_printf(&arena, "probe begin { foreach (%s) x }", head));
	return f->probes.v[0]->body->body.v[0];
}

START_TEST(foreach_heads)
{
	struct stmt *s = loop("k in A");

	ck_assert(s->keys.n == 1 && !s->value && !s->sort_dir && !s->limit);
	s = loop("[a, b-] in A limit n + 1");
	ck_assert(s->keys.n == 2 && s->sort_dir == -1 && s->sort_key == 2);
	ck_assert_int_eq(s->limit->kind, E_BINARY);
	s = loop("k+ in A");
	ck_assert(s->sort_dir == 1 && s->sort_key == 1);
	s = loop("v = [a, b] in A[*, 3]+");
	ck_assert(s->value && s->sort_dir == 1 && s->sort_key == 0 && s->array->kind == E_INDEX);
	ck_assert_int_eq(s->array->args.v[0]->kind, E_STAR);
	s = loop("v-= k in A");
	ck_assert(s->value && s->keys.n == 1 && s->sort_dir == -1 && s->sort_key == 0);
	s = loop("v + = k in A");
	ck_assert(s->value && s->sort_dir == 1 && s->sort_key == 0);
	s = loop("v = k+ in A");
	ck_assert(s->value && s->sort_dir == 1 && s->sort_key == 1);
	s = loop("k in A @sum- limit 3");
	ck_assert(s->sort_dir == -1 && s->sort_key == 0 && s->sort_stat == S_SUM);
	s = loop("b in @hist_log(A[1])");
	ck_assert(s->array->kind == E_STAT && s->sort_stat == S_NONE);
	expect_error("probe begin { foreach ([a+, b-] in A) x }", "E-PARSE", "one thing");
	expect_error("probe begin { foreach (k+ in A-) x }", "E-PARSE", "one thing");
	expect_error("probe begin { foreach (k in A @sum) x }", "E-PARSE", "'+' or '-'");
	expect_error("probe begin { foreach (k in @count(x)) x }", "E-PARSE", "histogram");
}
END_TEST

START_TEST(globals)
{
	struct ast_file *f = parse("global a, b = -3; global c = \"s\" \"t\" private global d%\n"
				   "private e[10], f%[20]");

	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_uint_eq(f->globals.n, 6);
	ck_assert_int_eq(f->globals.v[1]->init->num, -3);
	ck_assert_str_eq(f->globals.v[2]->init->str, "st");
	ck_assert(f->globals.v[3]->is_private && f->globals.v[3]->wrap);
	ck_assert(f->globals.v[4]->is_private && f->globals.v[4]->size == 10);
	ck_assert(f->globals.v[5]->wrap && f->globals.v[5]->size == 20);
	printed("global m = -9223372036854775808, n = 18446744073709551615 probe begin { }");
	expect_error("global a[0]", "E-NUMBER", "1 to 2147483647");
	expect_error("global a[2147483648]", "E-NUMBER", "1 to 2147483647");
	expect_error("global a[3] = 4", "E-ARRAY", "initial value");
	expect_error("global a = b", "E-PARSE", "literal");
	expect_error("global $a", "E-PARSE", "name of a global");
}
END_TEST

START_TEST(functions)
{
	struct ast_file *f =
		parse("function a:string(x:long, y) :7 { } private function b() %{ C %}\n"
		      "function c(x):long { return 1 } function string(n) { }");

	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_uint_eq(f->functions.n, 4);
	ck_assert_int_eq(f->functions.v[0]->ret_type, T_STRING);
	ck_assert_int_eq(f->functions.v[0]->params.v[0].type, T_LONG);
	ck_assert_int_eq(f->functions.v[0]->params.v[1].type, T_UNKNOWN);
	ck_assert_int_eq(f->functions.v[0]->priority, 7);
	ck_assert(f->functions.v[1]->is_private && !f->functions.v[1]->body);
	ck_assert_str_eq(f->functions.v[1]->embedded, " C ");
	ck_assert_int_eq(f->functions.v[2]->ret_type, T_LONG);
	ck_assert_int_eq(f->functions.v[2]->priority, -1);
	ck_assert_str_eq(f->functions.v[3]->name, "string");
	expect_error("function a() :0 { }", "E-NUMBER", "priority");
	expect_error("function a(x:int) { }", "E-PARSE", "long or string");
	expect_error("function a", "E-PARSE", "'('");
}
END_TEST

static const char *points_of(const struct ast_probe *p)
{
	const char *text;
	struct buf b;
	uint32_t i;

	buf_init(&b);
	for (i = 0; i < p->points.n; i++) {
		buf_puts(&b, i ? " " : "");
		ast_print_point(&b, p->points.v[i]);
	}
	text = arena_strdup(&arena, b.p);
	buf_fini(&b);
	return text;
}

static void expect_points(const char *text, const char *want)
{
	struct ast_file *f = parse(arena_printf(&arena, "probe %s { }", text));

	ck_assert_msg(!diag.errors, "%s: %s", text, messages());
	ck_assert_str_eq(points_of(f->probes.v[0]), want);
	printed(arena_printf(&arena, "probe %s { }", text));
}

START_TEST(probe_points)
{
	expect_points("begin, end", "begin end");
	expect_points("begin(-1), kernel.function(\"a\" \"b\").return",
		      "begin(-1) kernel.function(\"ab\").return");
	expect_points("vfs.*, sys*call*2.**, *.x, a . b", "vfs.* sys*call*2.** *.x a.b");
	expect_points("next.return.global?", "next.return.global?");
	expect_points("a?, b!, c", "a? b! c");
	expect_points("s.{b,a}.return", "s.b.return s.a.return");
	expect_points("{a,b.c(\"x\")}.{d,{e,f}}",
		      "a.d a.e a.f b.c(\"x\").d b.c(\"x\").e b.c(\"x\").f");
	expect_points("s.{a?,b!}", "s.a? s.b!");
	expect_points("a.{b,c}?", "a.b? a.c?");
	expect_points("a if (x > 1), b", "a b");
}
END_TEST

START_TEST(aliases)
{
	struct ast_file *f = parse("probe a.b = c.d = begin?, end { x } , { y }\n"
				   "probe e += f { z } private probe g = h { }");

	ck_assert_uint_eq(diag.errors, 0);
	ck_assert_uint_eq(f->aliases.n, 3);
	ck_assert_uint_eq(f->probes.n, 0);
	ck_assert_uint_eq(f->aliases.v[0]->alias_names.n, 2);
	ck_assert_str_eq(points_of(f->aliases.v[0]), "begin? end");
	ck_assert(f->aliases.v[0]->body && f->aliases.v[0]->epilogue);
	ck_assert(!f->aliases.v[1]->body && f->aliases.v[1]->epilogue);
	ck_assert(f->aliases.v[2]->is_private);
	expect_error("probe a(1) = b { }", "E-PARSE", "alias");
	expect_error("probe a.* = b { }", "E-PARSE", "alias");
	expect_error("probe a? = b { }", "E-PARSE", "alias");
	expect_error("private probe begin { }", "E-PARSE", "private");
}
END_TEST

START_TEST(bad_probe_points)
{
	struct buf b;
	int i;

	expect_error("probe a.{b,c?}.d { }", "E-PARSE", "last component");
	expect_error("probe { }", "E-PARSE", "name of a probe point");
	expect_error("probe a.", "E-PARSE", "name of a probe point");
	expect_error("probe a(x) { }", "E-PARSE", "literal");
	expect_error("probe a() { }", "E-PARSE", "literal");
	expect_error("probe a b", "E-PARSE", "body");
	buf_init(&b);
	buf_puts(&b, "probe a");
	for (i = 0; i < 20; i++)
		buf_puts(&b, ".{b,c}");
	expect_error(b.p, "E-LIMIT", "10000 probe points");
	buf_reset(&b);
	buf_puts(&b, "probe a");
	for (i = 0; i < 100; i++)
		buf_puts(&b, ".b");
	expect_error(b.p, "E-LIMIT", "64 components");
	buf_fini(&b);
}
END_TEST

START_TEST(messages_and_recovery)
{
	struct ast_file *f;
	unsigned int i;

	expect_error("probe begin { x = 1 ", "E-UNBALANCED",
		     "note: this '{' is still open\n  t.stp:1:13");
	expect_error("probe begin { if (x) { y }\nprobe end { }", "E-UNBALANCED", "t.stp:2:1");
	expect_error("probe begin { x = (1", "E-UNBALANCED",
		     "note: this '(' is still open\n  t.stp:1:19");
	expect_error("probe begin { } }", "E-UNBALANCED", "no '{'");
	expect_error("probe begin { f(1 }", "E-PARSE", "to match this '('");
	expect_error("probe begin { x = = 1 }", "E-PARSE", "expected an expression, found '='");
	expect_error("hello", "E-PARSE", "'probe', 'global', 'private', 'function' or '%{'");
	expect_error("", "E-EMPTY-SCRIPT", "empty");
	expect_error("# nothing\n", "E-EMPTY-SCRIPT", "empty");
	expect_error("probe begin { x = 99999999999999999999 }", "E-NUMBER", "t.stp:1:19");
	expect_error("probe begin { long x = 3 }", "E-PARSE", "not declared");
	expect_error("probe begin { @count x }", "E-PARSE", "expected '('");
	expect_error("probe begin { @cast(x) }", "E-PARSE", "','");
	expect_error("probe begin { @avg(x, 1) }", "E-ARITY", "@avg");
	expect_error("probe begin { @hist_linear(x, 1, 2) }", "E-ARITY", "@hist_linear");
	expect_error("probe begin { print() }", "E-ARITY", "print takes at least 1");
	expect_error("probe begin { printd(\",\") }", "E-ARITY", "at least 2");
	expect_error("probe begin { print_char(1, 2) }", "E-ARITY", "exactly 1");
	expect_error("probe begin { printf(x) }", "E-FORMAT", "literal string");
	expect_error("probe begin { x =~ y }", "E-PARSE", "literal string");
	expect_error("probe begin { a in B in C }", "E-PARSE", "found 'in'");
	expect_error("probe begin { $$ }", "E-PARSE", "target variable");
	expect_error("probe begin { &x }", "E-PARSE", "address");
	expect_error("probe begin { $1 }", "E-SCRIPT-ARG", "0 arguments were given");
	expect_error("probe begin { x } else { }", "E-PARSE", "found 'else'");
	expect_error("@define x %( 1 probe begin { }", "E-UNBALANCED", "%)");
	expect_error("probe begin { %( kernel_v == \"1\" %? x %: y %) }", "E-CONDITION", "not known");
	expect_error("probe begin { %( 1 == 1 %? x ", "E-UNBALANCED", "%(");
	env.privileged = false;
	expect_error("function f() %{ C %}", "E-PRIVILEGE", "-g");
	expect_error("%{ C %}", "E-PRIVILEGE", "-g");
	/* what is right survives what is wrong; keywords as names are no place to go on */
	i = diag.errors;
	f = parse(
		"global g probe begin { ( } function ok() { } probe end { x->probe ) k.function(1 }\n"
		"probe never { }");
	ck_assert_uint_eq(diag.errors - i, 2);
	ck_assert(f->globals.n == 1 && f->functions.n == 1 && f->probes.n == 1);
	free(messages());
}
END_TEST

START_TEST(depth_is_bounded)
{
	static const char *const shapes[][3] = {
		{ "probe begin { x = ", "(", "" },
		{ "probe begin { x = ", "- ", "" },
		{ "probe begin { ", "{", "" },
		{ "probe begin { ", "if (a) ", "" },
		{ "probe begin { x = 1", "+1", "}" },
		{ "probe begin { x = a", " ? b : c", "}" },
		{ "probe begin { ", "a = ", "" },
		{ "probe begin { x = ", "f(", "" },
		{ "probe begin { x = ", "A[", "" },
		{ "probe begin { x = ", "a+(b*", "" },
		{ "probe ", "{", "" },
		{ "probe begin { x = ", "& ", "" },
		{ "probe begin { ", "if (a) b else ", "" },
		{ "probe begin { x = ", "a||b&&c|d^e&f<g<<h.i+j*(", "" },
	};
	struct buf b;
	size_t i;
	int k;

	buf_init(&b);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		buf_reset(&b);
		buf_puts(&b, shapes[i][0]);
		for (k = 0; k < 20000; k++)
			buf_puts(&b, shapes[i][1]);
		buf_puts(&b, shapes[i][2]);
		expect_error(b.p, "E-LIMIT", "1000 levels");
	}
	buf_fini(&b);
}
END_TEST

/* A list may be long; only nesting is bounded. */
START_TEST(length_is_not_bounded)
{
	struct buf b;
	int k;

	printed("probe begin { x = "
		"((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))) }");
	buf_init(&b);
	buf_puts(&b, "probe begin { x = f(0");
	for (k = 0; k < 5000; k++)
		buf_puts(&b, ", 1");
	buf_puts(&b, ") y = $a");
	for (k = 0; k < 5000; k++)
		buf_puts(&b, "->m");
	for (k = 0; k < 5000; k++)
		buf_puts(&b, " x = 1");
	buf_puts(&b, " }");
	printed(b.p);
	buf_fini(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parser");
	TCase *t = tcase_create("parser");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, precedence);
	tcase_add_test(t, values);
	tcase_add_test(t, details_of_nodes);
	tcase_add_test(t, spans);
	tcase_add_test(t, statements);
	tcase_add_test(t, foreach_heads);
	tcase_add_test(t, globals);
	tcase_add_test(t, functions);
	tcase_add_test(t, probe_points);
	tcase_add_test(t, aliases);
	tcase_add_test(t, bad_probe_points);
	tcase_add_test(t, messages_and_recovery);
	tcase_add_test(t, depth_is_bounded);
	tcase_add_test(t, length_is_not_bounded);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
