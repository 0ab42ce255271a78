/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's debug information and its BTF say the same: places and types of the parameters of 500 functions at their
 * entry, results, addresses in the symbol table, members of structures, constants of enumerations. Both are chosen by a
 * fixed seed. Needs the debug package of 6.1 unpacked in the cache: ~/.cache/spile/dbg/root-6.1.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/kernel.h"
#include "symbols/proto.h"
#include "symbols/symbols.h"

#define FUNCTIONS 500
#define STRUCTS 200
#define CONSTANTS 200
#define SEED 20240607u
#define DEBUG_BOOT "usr/lib/debug/boot"

static struct session s;
static const char *root;
static struct sym_object *dwarf, *btf;
static const struct kbtf *b;
static VEC(const char *) names;
static VEC(uint32_t) ids;
static uint32_t seed;
static VEC(const char *) wrong;

/* The release whose debug information is there; NULL: none is. */
static const char *debug_release(void)
{
	DIR *dir = opendir(arena_printf(&s.arena, "%s/" DEBUG_BOOT, root));
	const struct dirent *d;
	const char *found = NULL;

	while (dir && (d = readdir(dir)))
		if (!strncmp(d->d_name, "vmlinux-", 8))
			found = arena_strdup(&s.arena, d->d_name + 8);
	if (dir)
		closedir(dir);
	return found;
}

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static bool collect(uint32_t id, const char *name, void *arg)
{
	(void)arg;
	vec_push(&s.arena, &names, name);
	vec_push(&s.arena, &ids, id);
	return true;
}

/* All named types of a kind, in an order that only the seed decides. */
static void shuffled(unsigned int kind)
{
	names.n = ids.n = 0;
	seed = SEED;
	kbtf_each(b, kind, collect, NULL);
	for (uint32_t i = names.n; i > 1; i--) {
		uint32_t k = next_random(i), id = ids.v[k];
		const char *name = names.v[k];

		names.v[k] = names.v[i - 1];
		ids.v[k] = ids.v[i - 1];
		names.v[i - 1] = name;
		ids.v[i - 1] = id;
	}
}

static void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vec_push(&s.arena, &wrong, arena_vprintf(&s.arena, fmt, ap));
	va_end(ap);
}

static void expect_none(void)
{
	for (uint32_t i = 0; i < wrong.n; i++)
		fprintf(stderr, "%s\n", wrong.v[i]);
	ck_assert_msg(!wrong.n, "%u differences", wrong.n);
}

/* ---- functions ---- */

struct found {
	VEC(struct sym_func) funcs;
	VEC(struct sym_var) params;
};

static bool on_func(const struct sym_func *f, void *arg)
{
	struct found *x = arg;

	if (!(f->flags & SYMF_NODEBUG))
		vec_push(&s.arena, &x->funcs, *f);
	return true;
}

static bool on_var(const struct sym_var *v, void *arg)
{
	struct found *x = arg;

	if (v->kind == SV_PARAM)
		vec_push(&s.arena, &x->params, *v);
	return true;
}

/* Kinds of types agree as far as reading a value and following it goes. */
static bool same_type(const struct sym_type *d, const struct sym_type *t, int depth)
{
	bool d_open = d->kind == ST_INCOMPLETE || !d->size, t_open = t->kind == ST_INCOMPLETE || !t->size;

	if (d->kind == ST_POINTER && t->kind == ST_POINTER)
		return !depth || same_type(sym_type_target(d), sym_type_target(t), depth - 1);
	/* one unit knows only the name of what is whole elsewhere */
	if (d_open || t_open)
		return d->kind == t->kind || (d->name && t->name && !strcmp(d->name, t->name));
	if (d->kind != t->kind || d->size != t->size)
		return false;
	if (d->kind == ST_STRUCT || d->kind == ST_UNION)
		return !d->name == !t->name && (!d->name || !strcmp(d->name, t->name));
	/* BTF of this age has no sign of enumerations */
	return d->kind == ST_ENUM || d->is_signed == t->is_signed;
}

static const uint8_t int_regs[] = { 5, 4, 1, 2, 8, 9 };

/* Whether the location is what the calling convention has for this place. */
static bool is_at(const struct sym_loc *loc, uint32_t place)
{
	const struct sym_piece *p = loc->pieces.v;
	int64_t sum = 0;

	if (loc->pieces.n != 1)
		return false;
	if (place <= 6)
		return p->is_value && p->ops.n == 1 && p->ops.v[0].op == SL_REG &&
		       p->ops.v[0].num == int_regs[place - 1];
	/* the stack's words behind the return address: the stack pointer and sums */
	if (p->is_value || !p->ops.n || p->ops.v[0].op != SL_REG || p->ops.v[0].num != 7)
		return false;
	for (uint32_t i = 1; i + 1 < p->ops.n; i += 2) {
		if (p->ops.v[i].op != SL_NUM || p->ops.v[i + 1].op != SL_ADD)
			return false;
		sum += p->ops.v[i].num;
	}
	return p->ops.n % 2 && sum == 8 * ((int64_t)place - 6);
}

static void print_loc(struct buf *out, const struct sym_loc *loc)
{
	for (uint32_t i = 0; i < loc->pieces.n; i++) {
		buf_printf(out, "[%u%s:", loc->pieces.v[i].bits, loc->pieces.v[i].is_value ? " value" : "");
		for (uint32_t k = 0; k < loc->pieces.v[i].ops.n; k++)
			buf_printf(out, " %d/%lld", loc->pieces.v[i].ops.v[k].op,
				   (long long)loc->pieces.v[i].ops.v[k].num);
		buf_printf(out, "]");
	}
}

static uint32_t compared, unread;

static void compare_param(const char *fn, struct sym_scope *sc, const struct sym_var *v, const struct kbtf_param *p,
			  uint32_t place)
{
	const struct sym_type *t = sym_btf_type(btf, p->type);
	struct sym_loc loc = { 0 };
	struct buf text;

	/* system calls are declared so before they are defined */
	if (strcmp(v->name, p->name) != 0 && strcmp(p->name, "__unused") != 0)
		complain("%s: parameter \"%s\" is \"%s\" in BTF", fn, v->name, p->name);
	if (!same_type(v->type, t, 2))
		complain("%s: the type of %s differs: %s, %s in BTF", fn, v->name, v->type_text,
			 kbtf_type_text(b, &s.arena, p->type));
	if (!place)
		return;
	/* debug information need not know a parameter that nothing reads */
	if (sym_locate(sc, v, &loc) || !loc.pieces.n || !loc.pieces.v[0].ops.n) {
		unread++;
		return;
	}
	compared++;
	if (is_at(&loc, place))
		return;
	buf_init(&text);
	print_loc(&text, &loc);
	complain("%s: %s is in another place than %u: %s", fn, v->name, place, text.p);
	buf_fini(&text);
}

static void compare_function(const char *name, uint32_t id, const struct sym_func *f)
{
	struct sym_scope *sc = sym_scope_new(dwarf, f, f->entry, false);
	struct found x = { 0 };
	struct kbtf_param *p;
	const struct sym_type *ret;
	uint32_t ret_id, place[64];
	uint64_t addr;
	int n = kbtf_params(b, &s.arena, id, &p, &ret_id);

	if (!sym_symbol_addr(dwarf, name, &addr) || addr != f->entry)
		complain("%s: its address is not the symbol's", name);
	sym_scope_vars(sc, on_var, &x);
	if (n != (int)x.params.n || n > 64) {
		complain("%s: %u parameters, %d in BTF", name, x.params.n, n);
		return;
	}
	proto_places(b, p, n, ret_id, place);
	for (int i = 0; i < n; i++)
		compare_param(name, sc, &x.params.v[i], &p[i], place[i]);
	ret = sym_return_type(sc, NULL);
	if (!ret || !same_type(ret, sym_btf_type(btf, ret_id), 2))
		complain("%s: the type of its result differs", name);
}

START_TEST(functions)
{
	uint32_t n = 0, several = 0, gone = 0;

	shuffled(BTF_KIND_FUNC);
	for (uint32_t i = 0; i < names.n && n < FUNCTIONS; i++) {
		struct sym_spec spec = { .func = names.v[i] };
		struct found x = { 0 };

		sym_functions(dwarf, &spec, false, on_func, &x);
		gone += !x.funcs.n;
		several += x.funcs.n > 1;
		if (x.funcs.n != 1)
			continue;
		compare_function(names.v[i], ids.v[i], &x.funcs.v[0]);
		n++;
	}
	printf("%u functions: %u parameters are in one place, of %u debug information knows none; left out: %u names "
	       "with several functions, %u with none\n", n, compared, unread, several, gone);
	ck_assert_uint_eq(n, FUNCTIONS);
	ck_assert_uint_gt(compared, FUNCTIONS);
	expect_none();
}
END_TEST

/* What System.map has. */
START_TEST(addresses)
{
	FILE *f = fopen(arena_printf(&s.arena, "%s/" DEBUG_BOOT "/System.map-%s", root, s.release), "r");
	char name[512], type;
	unsigned long long addr;
	uint32_t n = 0, line = 0;
	uint64_t ours;

	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%llx %c %511s", &addr, &type, name) == 3) {
		struct sym_spec spec = { .func = name };
		struct found x = { 0 };

		/* about 800 of them */
		if ((type != 't' && type != 'T') || line++ % 61)
			continue;
		sym_functions(dwarf, &spec, false, on_func, &x);
		if (x.funcs.n != 1 || !sym_symbol_addr(dwarf, name, &ours))
			continue;
		n++;
		if (x.funcs.v[0].entry != addr || ours != addr)
			complain("%s: %llx in System.map, entry %llx, symbol %llx", name, addr,
				 (unsigned long long)x.funcs.v[0].entry, (unsigned long long)ours);
	}
	fclose(f);
	printf("%u addresses\n", n);
	ck_assert_uint_ge(n, FUNCTIONS);
	expect_none();
}
END_TEST

/* ---- types ---- */

struct pair {
	const char *text; /* the way here */
	const struct sym_type *d, *t;
	uint32_t depth;
};
static VEC(struct pair) todo;
static uint32_t members;

static bool on_member(const struct sym_member *m, void *arg)
{
	struct pair *p = arg;
	struct sym_member o;

	/* those of anonymous structures are found through them */
	if (!m->name) {
		struct pair inner = { p->text, p->d, m->type, p->depth };

		sym_members(m->type, on_member, &inner);
		return true;
	}
	members++;
	if (!sym_member_find(p->d, m->name, &o)) {
		complain("%s has no %s in DWARF", p->text, m->name);
		return true;
	}
	if (!same_type(o.type, m->type, 2))
		complain("%s.%s: another type: %s, %s in BTF", p->text, m->name, o.type_text, m->type_text);
	if (p->depth < 3 && (m->type->kind == ST_STRUCT || m->type->kind == ST_UNION))
		vec_push(&s.arena, &todo, ((struct pair){ arena_printf(&s.arena, "%s.%s", p->text, m->name), o.type,
							   m->type, p->depth + 1 }));
	return true;
}

/* Places as a path finds them, from the top. */
static bool on_place(const struct sym_member *m, void *arg)
{
	const struct pair *p = arg;
	struct sym_member d, t;

	if (!m->name || !sym_member_find(p->t, m->name, &t) || !sym_member_find(p->d, m->name, &d))
		return true;
	if (d.offset * 8 + d.bit_offset != t.offset * 8 + t.bit_offset || d.bit_size != t.bit_size)
		complain("%s.%s: at %llu.%u:%u, %llu.%u:%u in BTF", p->text, m->name, (unsigned long long)d.offset,
			 d.bit_offset, d.bit_size, (unsigned long long)t.offset, t.bit_offset, t.bit_size);
	return true;
}

START_TEST(structures)
{
	uint32_t n = 0;

	shuffled(BTF_KIND_STRUCT);
	for (uint32_t i = 0; i < names.n && n < STRUCTS; i++) {
		const char *text = arena_printf(&s.arena, "struct %s", names.v[i]);
		const struct sym_type *d;

		/* a name that means several says nothing */
		if (kbtf_count(b, BTF_KIND_STRUCT, names.v[i]) != 1)
			continue;
		d = sym_type_find(dwarf, text);
		if (!d || d->kind != ST_STRUCT) {
			complain("%s is not in DWARF", text);
			continue;
		}
		n++;
		vec_push(&s.arena, &todo, ((struct pair){ text, d, sym_btf_type(btf, ids.v[i]), 0 }));
	}
	for (uint32_t i = 0; i < todo.n; i++) {
		struct pair p = todo.v[i];

		if (p.d->size != p.t->size)
			complain("%s: %llu bytes, %llu in BTF", p.text, (unsigned long long)p.d->size,
				 (unsigned long long)p.t->size);
		sym_members(p.t, on_member, &p);
		sym_members(p.t, on_place, &p);
	}
	printf("%u structures with %u members, %u ways\n", n, members, todo.n);
	ck_assert_uint_eq(n, STRUCTS);
	ck_assert_uint_ge(members, 1000);
	expect_none();
}
END_TEST

static bool on_enum(const struct btf_type *t, void *arg)
{
	const struct btf_enum *e = (const void *)(t + 1);

	(void)arg;
	for (uint32_t i = 0; BTF_INFO_KIND(t->info) == BTF_KIND_ENUM && i < BTF_INFO_VLEN(t->info); i++) {
		vec_push(&s.arena, &names, kbtf_text(b, e[i].name_off));
		vec_push(&s.arena, &ids, (uint32_t)e[i].val);
	}
	return true;
}

START_TEST(constants)
{
	uint32_t n = 0, local = 0, step;

	names.n = ids.n = 0;
	kbtf_each_enum(b, on_enum, NULL);
	ck_assert_uint_gt(names.n, CONSTANTS);
	step = names.n / CONSTANTS;
	for (uint32_t i = SEED % step; i < names.n; i += step) {
		int64_t d, t;

		if (!sym_enum_value(dwarf, names.v[i], &d))
			local++; /* within a function */
		else if (!sym_enum_value(btf, names.v[i], &t) || (int32_t)d != (int32_t)t)
			complain("%s: %lld, %lld in BTF", names.v[i], (long long)d, (long long)t);
		n++;
	}
	printf("%u constants, %u of them in functions\n", n, local);
	ck_assert_uint_ge(n, CONSTANTS);
	ck_assert_uint_le(local, CONSTANTS / 50);
	expect_none();
}
END_TEST

static bool open_both(void)
{
	const char *why = "", *hint = "", *home = getenv("HOME");

	arena_init(&s.arena);
	s.cache_dir = arena_printf(&s.arena, "%s/.cache/spile", home ? home : "");
	root = arena_printf(&s.arena, "%s/dbg/root-6.1", s.cache_dir);
	s.release = debug_release();
	s.foreign_kernel = true;
	if (!s.release) {
		printf("skipped: no debug package in %s\n", root);
		return false;
	}
	setenv("SPILE_KERNEL_ROOT", root, 1);
	b = kernel_btf(kernel_syms_new(&s), &why, &hint);
	if (!b) {
		fprintf(stderr, "no BTF: %s\n", why);
		exit(1);
	}
	dwarf = sym_open_kernel(symbols_new(&s), &why);
	if (!dwarf || !(sym_providers(dwarf) & SYM_DWARF)) {
		fprintf(stderr, "no debug information: %s\n", why);
		exit(1);
	}
	btf = sym_open_btf(symbols_new(&s), b);
	return true;
}

int main(void)
{
	Suite *suite = suite_create("dwarf_btf");
	TCase *tc = tcase_create("kernel");
	SRunner *sr;
	int failed;

	if (!open_both())
		return 0;
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, functions);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, structures);
	tcase_add_test(tc, constants);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
