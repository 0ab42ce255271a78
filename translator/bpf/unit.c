/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object: which programs it holds, its maps, its read-only data; and the backend's table. */
#include "backend.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/gen.h"

#define RINGBUF_MB 8
#define INLINE_MAX 200 /* instructions; calls of larger functions are states of the machine */
#define SHORT_KEY 512 /* bytes: what keys of maps may have before 5.11 */
#define BLOCK_MAX 100 /* instructions: what can be a piece of a large handler */
/* The verifier follows 8,192 jumps in a row; loops over a string make two for each 8 bytes. */
#define MAXSTRING 16384

uint32_t unit_fn(struct unit *u, const char *name, enum fn_kind kind, const char *section,
		 uint32_t nargs)
{
	struct bpf_fn *f = arena_new(u->arena, struct bpf_fn);

	*f = (struct bpf_fn){ .name = name, .kind = kind, .section = section, .nargs = nargs };
	ba_init(&f->as, u->arena);
	vec_push(u->arena, &u->fns, f);
	return u->fns.n - 1;
}

uint32_t unit_map(struct unit *u, struct bpf_map map)
{
	vec_push(u->arena, &u->maps, map);
	return u->maps.n - 1;
}

const char *unit_string(const struct unit *u, uint32_t index)
{
	return index < u->m->strings.n ? u->m->strings.v[index] : "";
}

uint32_t unit_literal(struct unit *u, const char *s)
{
	size_t n = strlen(s);
	uint32_t off;

	if (n >= u->maxstr)
		n = u->maxstr - 1;
	for (uint32_t k = 0; k < u->literals.n; k++) {
		const char *have = u->rodata.p + u->literals.v[k];

		if (strlen(have) == n && !memcmp(have, s, n))
			return u->literals.v[k];
	}
	off = (uint32_t)u->rodata.len;
	buf_add(&u->rodata, s, n);
	buf_putc(&u->rodata, 0);
	vec_push(u->arena, &u->literals, off);
	return off;
}

void unit_fail(struct unit *u, uint32_t loc, const char *what, const char *hint)
{
	const char *place = unit_string(u, loc);

	u->failed = true;
	diag_error(u->diag, TAG_UNSUPPORTED, (struct span){ 0 },
		   "the eBPF runtime cannot do %s%s%s", what, *place ? ": " : "", place);
	diag_hint(u->diag, "%s", hint);
}

static void add_maps(struct unit *u)
{
	const struct ir_module *m = u->m;

	u->map_zero = IR_NONE;
	/* the number of CPUs is the loader's to set */
	u->map_scratch =
		unit_map(u, (struct bpf_map){ BPF_MAP_SCRATCH, BPF_MAP_TYPE_ARRAY, BPF_LEVELS,
					      BPF_F_MMAPABLE, IR_NONE, 4, u->slot.size });
	u->map_events = unit_map(u, (struct bpf_map){ BPF_MAP_EVENTS, BPF_MAP_TYPE_RINGBUF,
						      RINGBUF_MB << 20, 0, IR_NONE, 0, 0 });
	if (u->ntails) {
		/* as many as there are CPUs: the loader's to set */
		u->map_site = unit_map(u, (struct bpf_map){ BPF_MAP_SITE, BPF_MAP_TYPE_ARRAY, 1, 0,
							    IR_NONE, 4, 8 });
		u->map_tail = unit_map(u, (struct bpf_map){ BPF_MAP_TAIL, BPF_MAP_TYPE_PROG_ARRAY,
							    u->ntails, 0, IR_NONE, 4, 4 });
	}
	u->map_tasks = IR_NONE;
	if (u->track.used)
		u->map_tasks =
			unit_map(u, (struct bpf_map){ BPF_MAP_TASKS, BPF_MAP_TYPE_HASH,
						      (uint32_t)m->limits.maxprocesses, 0, IR_NONE, 4,
						      sizeof(struct bpf_task) });
	for (uint32_t g = 0; g < m->globals.n; g++) {
		const struct bpf_global *bg = &u->lay.g[g];
		bool array = m->globals.v[g]->nkeys;

		u->map_of[g] = IR_NONE;
		if (!bg->map)
			continue;
		u->map_of[g] = unit_map(
			u,
			(struct bpf_map){ bg->map, array ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY,
					  array ? m->globals.v[g]->max_entries : 1, 0, g, 0, 0 });
		if (m->globals.v[g]->is_stat && u->map_zero == IR_NONE)
			u->map_zero =
				unit_map(u, (struct bpf_map){ BPF_MAP_ZERO, BPF_MAP_TYPE_ARRAY, 1,
							      0, IR_NONE, 4, 8 });
	}
}

/* Maps of foreach, with room for one region; the loader multiplies. */
static void add_iter_maps(struct unit *u)
{
	uint32_t size = 0;
	uint64_t regions = u->iter_regions;

	if (!u->iter_max)
		return;
	for (uint32_t g = 0; g < u->m->globals.n; g++)
		if (u->m->globals.v[g]->nkeys && iter_elem_size(u, g) > size)
			size = iter_elem_size(u, g);
	u->map_iter = unit_map(u, (struct bpf_map){ BPF_MAP_ITER, BPF_MAP_TYPE_ARRAY, u->iter_max,
						    0, IR_NONE, 4, size });
	u->map_heap = unit_map(u, (struct bpf_map){ BPF_MAP_HEAP, BPF_MAP_TYPE_ARRAY, u->iter_max,
						    0, IR_NONE, 4, 4 });
	memcpy(u->rodata.p + RD_REGIONS, &regions, sizeof(regions));
}

static uint32_t *none_vector(struct unit *u, uint32_t n)
{
	uint32_t *v = arena_alloc(u->arena, sizeof(*v) * (n + 1));

	memset(v, 0xff, sizeof(*v) * (n + 1));
	return v;
}

static void unit_init(struct unit *u, struct session *s, const struct ir_module *m)
{
	uint32_t n = m->globals.n;
	char *zeros;

	*u = (struct unit){ .arena = &s->arena, .m = m, .diag = &s->diag };
	bpf_layout(u->arena, m, &u->lay);
	ir_track(m, &u->track);
	u->maxstr = (uint32_t)m->limits.maxstringlen;
	u->map_of = none_vector(u, n);
	u->stat_fn = none_vector(u, n);
	u->clear_fn = none_vector(u, n);
	u->evict_fn = none_vector(u, n);
	u->bucket_fn = none_vector(u, n);
	u->hist_fn = none_vector(u, n);
	memset(u->rt, 0xff, sizeof(u->rt));
	u->regexes = arena_alloc(u->arena, sizeof(*u->regexes) * (m->regexes.n + 1));
	for (uint32_t k = 0; k < m->regexes.n; k++)
		u->regexes[k].fn = IR_NONE;
	buf_init(&u->rodata);
	buf_init(&u->btf);
	buf_init(&u->btf_ext);
	zeros = arena_alloc(u->arena, u->lay.syms + 8 * m->syms.n);
	buf_add(&u->rodata, zeros, u->lay.syms + 8 * m->syms.n);
}

static void unit_fini(struct unit *u)
{
	buf_fini(&u->rodata);
	buf_fini(&u->btf);
	buf_fini(&u->btf_ext);
}

static int finish_functions(struct unit *u)
{
	for (uint32_t k = 0; k < u->fns.n; k++) {
		if (!ba_finish(&u->fns.v[k]->as))
			continue;
		if (strstr(u->fns.v[k]->as.error, "too large")) {
			diag_error(u->diag, TAG_UNSUPPORTED, (struct span){ 0 },
				   "a handler is too large for eBPF");
			diag_hint(u->diag, "split the probe in several, or use --runtime=kernel");
			return -1;
		}
		diag_internal(u->diag, (struct span){ 0 }, "eBPF function %s: %s",
			      u->fns.v[k]->name, u->fns.v[k]->as.error);
		return -1;
	}
	return 0;
}

static uint64_t needs_of_code(const struct bpf_asm *as)
{
	uint64_t needs = as->cores.n ? 1ull << BPF_NEED_BTF : 0;

	for (uint32_t k = 0; k < as->code.n; k++) {
		const struct bpf_insn *in = &as->code.v[k];

		if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg)
			continue;
		if (in->imm == BPF_FUNC_loop)
			needs |= 1ull << BPF_NEED_LOOP;
		if (in->imm == BPF_FUNC_snprintf)
			needs |= 1ull << BPF_NEED_SNPRINTF;
		if (in->imm == BPF_FUNC_probe_write_user)
			needs |= 1ull << BPF_NEED_WRITE_USER;
		if (in->imm == BPF_FUNC_for_each_map_elem)
			needs |= 1ull << BPF_NEED_FOR_EACH;
	}
	return needs;
}

/* For the loader's check, which comes before the verifier's less readable one. */
static void write_needs(struct unit *u)
{
	static const uint64_t by_kind[AT_COUNT] = {
		[AT_KPROBE] = 1ull << BPF_NEED_KPROBES,
		[AT_KRETPROBE] = 1ull << BPF_NEED_KPROBES,
		[AT_UPROBE] = 1ull << BPF_NEED_UPROBES,
		[AT_URETPROBE] = 1ull << BPF_NEED_UPROBES,
	};
	uint64_t needs = 1ull << BPF_NEED_RINGBUF;

	for (uint32_t k = 0; k < u->fns.n; k++)
		needs |= u->fns.v[k]->keeper ? 0 : needs_of_code(&u->fns.v[k]->as) |
			 (u->fns.v[k]->ctx ? 1ull << BPF_NEED_BTF : 0);
	for (uint32_t g = 0; g < u->m->globals.n; g++)
		if (u->lay.g[g].map && u->lay.g[g].key_size > SHORT_KEY)
			needs |= 1ull << BPF_NEED_LONG_KEYS;
	for (uint32_t h = 0; h < u->handlers.n; h++)
		needs |= by_kind[u->m->probes.v[u->handlers.v[h]->probe]->kind];
	memcpy(u->rodata.p + RD_NEEDS, &needs, sizeof(needs));
}

/* Statistics that user-side probes add to while kernel-side ones run. */
static void emit_user_adds(struct unit *u)
{
	uint8_t *wanted = arena_alloc(u->arena, u->m->globals.n + 1);

	for (uint32_t p = 0; p < u->m->probes.n && u->handlers.n; p++) {
		struct ir_uses uses;

		if (!u->m->probes.v[p]->user_side)
			continue;
		ir_uses(u->arena, u->m, u->m->probes.v[p]->handler, &uses);
		for (uint32_t g = 0; g < u->m->globals.n; g++)
			wanted[g] |= uses.writes[g];
	}
	for (uint32_t g = 0; g < u->m->globals.n; g++)
		if (wanted[g] && u->m->globals.v[g]->is_stat)
			emit_user_add(u, g);
}

static int generate(struct unit *u, struct buf *out)
{
	u->groups = bpf_groups(u->arena, u->m, &u->ntails);
	for (uint32_t p = 0; p < u->m->probes.n; p++) {
		enum ir_attach kind = u->m->probes.v[p]->kind;

		if (u->groups[p].leader != p)
			continue;
		vec_push(u->arena, &u->handlers, plan_handler(u, p));
		if (kind == AT_PROC_BEGIN || kind == AT_THREAD_BEGIN) {
			vec_push(u->arena, &u->handlers, plan_handler(u, p));
			u->handlers.v[u->handlers.n - 1]->found = true;
		}
	}
	for (uint32_t h = 0; h < u->handlers.n; h++)
		site_plan(u, u->handlers.v[h]);
	slot_plan(u);
	add_maps(u);
	add_iter_maps(u);
	for (uint32_t h = 0; h < u->handlers.n; h++)
		emit_program(u, u->handlers.v[h]);
	emit_user_adds(u);
	track_programs(u);
	if (u->failed || finish_functions(u))
		return -1;
	write_needs(u);
	if (btf_write(u)) {
		diag_internal(u->diag, (struct span){ 0 },
			      "cannot build the type information of the eBPF object");
		return -1;
	}
	elf_write(u, out);
	return 0;
}

static int translate(struct session *s, const struct ir_module *m, struct artifact *out)
{
	struct unit u;
	int r;

	unit_init(&u, s, m);
	r = generate(&u, &out->code);
	unit_fini(&u);
	return r;
}

static int build(struct session *s, const struct ir_module *m, struct artifact *out)
{
	int r;

	out->path = arena_printf(&s->arena, "%s/%s.bo", s->tmp_dir, m->name);
	r = buf_write_file(&out->code, out->path);
	if (r) {
		diag_error(&s->diag, TAG_FILE, (struct span){ 0 }, "cannot write \"%s\": %s",
			   out->path, strerror(-r));
		diag_hint(&s->diag,
			  "the folder for temporary files must be writable and have room: see "
			  "TMPDIR");
	}
	return r ? -1 : 0;
}

/* What the verifier could not take is refused here, in pass 2. */
static void check_limits(struct session *s, const struct ir_module *m)
{
	bool any = false;

	for (uint32_t p = 0; p < m->probes.n; p++) {
		const struct ir_probe *pr = m->probes.v[p];

		if (pr->user_side || pr->kind == AT_NEVER)
			continue;
		any = true;
		if (plan_fits(m, pr))
			continue;
		diag_error(&s->diag, TAG_LIMIT, (struct span){ 0 },
			   "the handler of %s is too large for eBPF programs, which may have a million "
			   "instructions",
			   pr->name);
		diag_hint(&s->diag, "divide the probe in several, or use --runtime=kernel");
	}
	if (any && m->limits.maxstringlen > MAXSTRING) {
		diag_error(&s->diag, TAG_LIMIT, (struct span){ 0 },
			   "the eBPF runtime takes MAXSTRINGLEN up to %d", MAXSTRING);
		diag_hint(&s->diag, "--runtime=kernel takes up to 65536");
	}
}

/* What remains called is recursive or large. */
static void prepare(struct session *s, struct ir_module *m)
{
	ir_inline(m, INLINE_MAX);
	ir_fold(m);
	ir_dce(m);
	ir_split(m, BLOCK_MAX);
	check_limits(s, m);
}

static bool has_capability(unsigned int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return false;
	return d[cap / 32].effective >> (cap % 32) & 1;
}

static const char *unusable(struct session *s)
{
	(void)s;
	if (!has_capability(CAP_SYS_ADMIN) &&
	    !(has_capability(CAP_BPF) && has_capability(CAP_PERFMON)))
		return "eBPF programs need root, or CAP_BPF and CAP_PERFMON";
	if (syscall(SYS_bpf, -1, NULL, 0) < 0 && errno == ENOSYS)
		return "this kernel was built without the bpf system call";
	return NULL;
}

const struct backend backend_bpf = {
	.name = "bpf",
	.suffix = ".bo",
	.sides = SIDE_B | SIDE_U,
	.relocates = true,
	.unusable = unusable,
	.prepare = prepare,
	.translate = translate,
	.build = build,
	.pass3_text = "translated to eBPF into \"%s\"",
	.pass4_text = "wrote eBPF into \"%s\"",
};
