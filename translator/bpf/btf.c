/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Type information: map definitions that libbpf reads, key and value types that bpftool shows,
 * signatures of the functions. For what they access in the kernel see core.c.
 */
#include "bpf/gen.h"

#include <bpf/btf.h>
#include <string.h>

struct types {
	struct unit *u;
	struct btf *b;
	int t_int, t_uint, t_long, t_ulong, t_char, t_str, t_ctx;
	bool failed;
};

static int check(struct types *t, int id)
{
	if (id < 0)
		t->failed = true;
	return id;
}

static int add_struct(struct types *t, const char *name, uint32_t size)
{
	return check(t, btf__add_struct(t->b, name, size));
}

static void add_field(struct types *t, const char *name, int type, uint32_t off)
{
	check(t, btf__add_field(t->b, name, type, off * 8, 0));
}

static int add_array(struct types *t, int elem, uint32_t n)
{
	return check(t, btf__add_array(t->b, t->t_int, elem, n));
}

/* libbpf's way to write a number in a type: a pointer to an array of that many. */
static int add_number(struct types *t, uint32_t n)
{
	return check(t, btf__add_ptr(t->b, add_array(t, t->t_int, n)));
}

static void base_types(struct types *t)
{
	t->t_int = check(t, btf__add_int(t->b, "int", 4, BTF_INT_SIGNED));
	t->t_uint = check(t, btf__add_int(t->b, "unsigned int", 4, 0));
	t->t_long = check(t, btf__add_int(t->b, "long", 8, BTF_INT_SIGNED));
	t->t_ulong = check(t, btf__add_int(t->b, "unsigned long", 8, 0));
	t->t_char = check(t, btf__add_int(t->b, "char", 1, BTF_INT_SIGNED));
	t->t_str = add_array(t, t->t_char, t->u->lay.strsz);
	t->t_ctx = check(t, btf__add_ptr(t->b, 0));
}

/* The loader sets the array's length and the structure's size to the number of CPUs. */
static int stat_type(struct types *t, uint32_t global)
{
	static const char *const names[AGG_WORDS_SQUARES] = { "count",  "sum",   "min",  "max",
							      "sum_hi", "sq_lo", "sq_hi" };
	const struct bpf_global *bg = &t->u->lay.g[global];
	const struct agg_hist *hist = &t->u->m->globals.v[global]->hist;
	int part = add_struct(t, arena_printf(t->u->arena, "%s_part", bg->map), bg->part_size);
	int parts, buckets, cpu, cpus, id;

	for (uint32_t k = 0; k < bg->part_size / 8; k++)
		add_field(t, names[k], t->t_long, 8 * k);
	parts = add_array(t, part, BPF_LEVELS);
	buckets = hist->kind ? add_array(t, t->t_ulong, hist->buckets) : 0;
	cpu = add_struct(t, arena_printf(t->u->arena, "%s_cpu", bg->map), bg->cpu_size);
	add_field(t, "level", parts, 0);
	if (hist->kind)
		add_field(t, "hist", buckets, bg->hist_off);
	cpus = add_array(t, cpu, 1);
	id = add_struct(t, arena_printf(t->u->arena, BPF_STAT_STRUCT "%s", bg->map),
			bpf_value_size(bg, 1));
	add_field(t, "seq", t->t_ulong, 0);
	add_field(t, "cpu", cpus, BPF_STAT_HEAD);
	return id;
}

static int type_of(struct types *t, enum ir_type type)
{
	return type == IR_STR ? t->t_str : t->t_long;
}

static int key_type(struct types *t, uint32_t global)
{
	const struct ir_global *g = t->u->m->globals.v[global];
	const struct bpf_global *bg = &t->u->lay.g[global];
	int id;

	if (!g->nkeys)
		return t->t_uint;
	id = add_struct(t, arena_printf(t->u->arena, "%s_key", bg->map), bg->key_size);
	for (uint32_t k = 0; k < g->nkeys; k++)
		add_field(t, arena_printf(t->u->arena, "key%u", k + 1), type_of(t, g->keys[k]),
			  bg->key_off[k]);
	return id;
}

static int value_type(struct types *t, uint32_t global)
{
	const struct ir_global *g = t->u->m->globals.v[global];
	const struct bpf_global *bg = &t->u->lay.g[global];
	int id;

	if (g->is_stat)
		return stat_type(t, global);
	id = add_struct(t, arena_printf(t->u->arena, "%s_value", bg->map), bg->value_size);
	add_field(t, "seq", t->t_ulong, 0);
	add_field(t, "value", type_of(t, g->type), BPF_ELEM_HEAD);
	return id;
}

/* A map's definition is a structure of pointers whose types carry the numbers. */
static int map_var(struct types *t, const struct bpf_map *m, uint32_t *size)
{
	struct {
		const char *name;
		int type;
	} f[6];
	uint32_t n = 0;
	int def;

	f[n].name = "type", f[n++].type = add_number(t, m->type);
	f[n].name = "max_entries", f[n++].type = add_number(t, m->max_entries);
	if (m->flags)
		f[n].name = "map_flags", f[n++].type = add_number(t, m->flags);
	if (m->global != IR_NONE) {
		f[n].name = "key",
		f[n++].type = check(t, btf__add_ptr(t->b, key_type(t, m->global)));
		f[n].name = "value",
		f[n++].type = check(t, btf__add_ptr(t->b, value_type(t, m->global)));
	} else if (m->key_size) {
		f[n].name = "key_size", f[n++].type = add_number(t, m->key_size);
		f[n].name = "value_size", f[n++].type = add_number(t, m->value_size);
	}
	def = add_struct(t, NULL, 8 * n);
	for (uint32_t k = 0; k < n; k++)
		add_field(t, f[k].name, f[k].type, 8 * k);
	*size = 8 * n;
	return check(t, btf__add_var(t->b, m->name, BTF_VAR_GLOBAL_ALLOCATED, def));
}

static void map_types(struct types *t)
{
	uint32_t n = t->u->maps.n, at = 0;
	int *vars = arena_alloc(t->u->arena, sizeof(int) * (n + 1));
	uint32_t *sizes = arena_alloc(t->u->arena, sizeof(uint32_t) * (n + 1));

	for (uint32_t k = 0; k < n; k++)
		vars[k] = map_var(t, &t->u->maps.v[k], &sizes[k]);
	check(t, btf__add_datasec(t->b, ".maps", n * BPF_MAP_DEF_BYTES));
	for (uint32_t k = 0; k < n; k++, at += BPF_MAP_DEF_BYTES)
		check(t, btf__add_datasec_var_info(t->b, vars[k], at, sizes[k]));
}

/* .data: the loader's own words, then scalars under the script's names */
static void data_types(struct types *t)
{
	const struct ir_module *m = t->u->m;
	int words = add_array(t, t->t_long, BD_GLOBALS / 8);
	int head = check(t, btf__add_var(t->b, "spile_state", BTF_VAR_GLOBAL_ALLOCATED, words));
	int *vars = arena_alloc(t->u->arena, sizeof(int) * 2 * (m->globals.n + 1));

	for (uint32_t k = 0; k < m->globals.n; k++) {
		const char *name = arena_printf(t->u->arena, "spile_lock_%u", k);

		vars[2 * k] =
			check(t, btf__add_var(t->b, name, BTF_VAR_GLOBAL_ALLOCATED, t->t_ulong));
		if (t->u->lay.g[k].map)
			continue;
		vars[2 * k + 1] =
			check(t, btf__add_var(t->b, t->u->lay.g[k].name, BTF_VAR_GLOBAL_ALLOCATED,
					      type_of(t, m->globals.v[k]->type)));
	}
	check(t, btf__add_datasec(t->b, ".data", t->u->lay.data_size));
	check(t, btf__add_datasec_var_info(t->b, head, 0, BD_GLOBALS));
	for (uint32_t k = 0; k < m->globals.n; k++) {
		const struct bpf_global *g = &t->u->lay.g[k];

		check(t, btf__add_datasec_var_info(t->b, vars[2 * k], g->lock, 8));
		if (!g->map)
			check(t, btf__add_datasec_var_info(
					 t->b, vars[2 * k + 1], g->off,
					 m->globals.v[k]->type == IR_STR ? t->u->lay.strsz : 8));
	}
}

/* The kernel knows a context by the name of its structure. */
static int ctx_ptr(struct types *t, const char *name)
{
	int id = btf__find_by_name_kind(t->b, name, BTF_KIND_STRUCT);

	if (id < 0)
		id = add_struct(t, name, 0);
	return check(t, btf__add_ptr(t->b, id));
}

static int function_type(struct types *t, const struct bpf_fn *f)
{
	int ctx = f->ctx ? ctx_ptr(t, f->ctx) : t->t_ctx;
	int proto = check(t, btf__add_func_proto(t->b, f->kind == FN_PROG ? t->t_int : t->t_long));

	for (uint32_t k = 0; k < f->nargs; k++) {
		static const char *const names[] = { "a", "b", "c", "d", "e" };

		if (f->kind == FN_PROG || (f->ctx && !k))
			check(t, btf__add_func_param(t->b, "ctx", ctx));
		else
			check(t, btf__add_func_param(t->b, names[k], t->t_long));
	}
	return check(t, btf__add_func(t->b, f->name,
				      f->kind == FN_STATIC ? BTF_FUNC_STATIC : BTF_FUNC_GLOBAL,
				      proto));
}

static void put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

const char *btf_section(const struct bpf_fn *f)
{
	return f->section ? f->section : ".text";
}

/*
 * A function belongs to @name's section; those of one section follow each other there in the order
 * of unit->fns.
 */
static uint32_t in_section(const struct unit *u, const char *name)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < u->fns.n; k++)
		n += !strcmp(btf_section(u->fns.v[k]), name);
	return n;
}

bool btf_first_of_section(const struct unit *u, uint32_t fn)
{
	for (uint32_t k = 0; k < fn; k++)
		if (!strcmp(btf_section(u->fns.v[k]), btf_section(u->fns.v[fn])))
			return false;
	return true;
}

static void func_infos(struct types *t, struct buf *out)
{
	const struct unit *u = t->u;
	int *ids = arena_alloc(u->arena, sizeof(int) * (u->fns.n + 1));

	for (uint32_t k = 0; k < u->fns.n; k++)
		ids[k] = function_type(t, u->fns.v[k]);
	put_u32(out, 8);
	for (uint32_t k = 0; k < u->fns.n; k++) {
		const char *name = btf_section(u->fns.v[k]);
		uint32_t off = 0;

		if (!btf_first_of_section(u, k))
			continue;
		put_u32(out, (uint32_t)check(t, btf__add_str(t->b, name)));
		put_u32(out, in_section(u, name));
		for (uint32_t j = k; j < u->fns.n; j++) {
			if (strcmp(btf_section(u->fns.v[j]), name))
				continue;
			put_u32(out, off);
			put_u32(out, (uint32_t)ids[j]);
			off += 8 * u->fns.v[j]->as.code.n;
		}
	}
}

static void write_ext(struct unit *u, const struct buf *funcs, const struct buf *cores)
{
	struct buf *out = &u->btf_ext;
	uint32_t fl = (uint32_t)funcs->len, cl = (uint32_t)cores->len;

	put_u32(out, 0xeb9f | 1u << 16);
	put_u32(out, 32);
	put_u32(out, 0);
	put_u32(out, fl);
	put_u32(out, fl);
	put_u32(out, 0);
	put_u32(out, fl);
	put_u32(out, cl);
	buf_add(out, funcs->p, fl);
	if (cl)
		buf_add(out, cores->p, cl);
}

int btf_write(struct unit *u)
{
	struct types t = { .u = u, .b = btf__new_empty() };
	struct buf funcs, cores;
	const void *raw;
	uint32_t size;

	if (!t.b)
		return -1;
	buf_init(&funcs);
	buf_init(&cores);
	base_types(&t);
	map_types(&t);
	data_types(&t);
	func_infos(&t, &funcs);
	if (core_write(u, t.b, &cores))
		t.failed = true;
	raw = btf__raw_data(t.b, &size);
	if (raw && !t.failed) {
		buf_add(&u->btf, raw, size);
		write_ext(u, &funcs, &cores);
	}
	buf_fini(&funcs);
	buf_fini(&cores);
	btf__free(t.b);
	return raw && !t.failed ? 0 : -1;
}
