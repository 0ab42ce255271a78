/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object that was compiled for another kernel: does this one have what its probes read? Members that have moved are
 * libbpf's business (CO-RE relocations); here it is told, before the verifier tells it in its own way, what is gone and
 * what is not what it was: structures, members, parameters of functions and of tracepoints.
 */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "ir/layout.h"
#include "runtime-bpf/runner.h"
#include "symbols/proto.h"

#define SYS_BTF "/sys/kernel/btf"
#define MAX_ANONYMOUS 16 /* structures within each other; more is damage */

struct check {
	struct bpf_run *b;
	struct arena *a;
	const struct ir_module *m;
	const struct kbtf *kernel;
	VEC(const struct kbtf *) modules;
	bool modules_read;
	const char **paths; /* by string: why not, "" when it is all right; NULL: not looked at yet */
	const char *loc; /* where the script says what is not there */
	char release[sizeof(((struct utsname *)0)->release)];
};

static const struct kbtf *read_btf(struct check *c, const char *name, const struct kbtf *base)
{
	const char *path = arena_printf(c->a, "%s/%s", SYS_BTF, name), *why;
	const struct kbtf *btf = NULL;
	struct buf bytes;

	buf_init(&bytes);
	if (buf_read_file(&bytes, path) >= 0 && bytes.len) {
		void *copy = arena_alloc(c->a, bytes.len);

		memcpy(copy, bytes.p, bytes.len);
		btf = kbtf_new(c->a, copy, bytes.len, base, &why);
	}
	buf_fini(&bytes);
	return btf;
}

/* The types of a module that is loaded; NULL: there are no more. */
static const struct kbtf *module_btf(struct check *c, uint32_t i)
{
	DIR *dir = c->modules_read ? NULL : opendir(SYS_BTF);
	const struct dirent *d;

	c->modules_read = true;
	while (dir && (d = readdir(dir))) {
		const struct kbtf *btf = *d->d_name != '.' && strcmp(d->d_name, "vmlinux") != 0
						 ? read_btf(c, d->d_name, c->kernel)
						 : NULL;

		if (btf)
			vec_push(c->a, &c->modules, btf);
	}
	if (dir)
		closedir(dir);
	return i < c->modules.n ? c->modules.v[i] : NULL;
}

/* ---- members ---- */

struct place {
	uint32_t type, bits;
	uint64_t bit; /* from the start of the structure that was asked */
};

static bool find_member(const struct kbtf *b, uint32_t id, struct ir_name name, int depth, struct place *out)
{
	const struct btf_type *t = kbtf_get(b, kbtf_strip_id(b, id));
	const struct btf_member *m = t ? (const void *)(t + 1) : NULL;
	uint32_t kind = t ? BTF_INFO_KIND(t->info) : 0;

	if ((kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION) || depth > MAX_ANONYMOUS)
		return false;
	for (uint32_t k = 0; k < BTF_INFO_VLEN(t->info); k++) {
		bool fields = BTF_INFO_KFLAG(t->info);
		uint32_t bit = fields ? BTF_MEMBER_BIT_OFFSET(m[k].offset) : m[k].offset;

		if (m[k].name_off && ir_name_is(name, kbtf_text(b, m[k].name_off))) {
			*out = (struct place){ m[k].type, fields ? BTF_MEMBER_BITFIELD_SIZE(m[k].offset) : 0, bit };
			return true;
		}
		if (!m[k].name_off && find_member(b, m[k].type, name, depth + 1, out)) {
			out->bit += bit;
			return true;
		}
	}
	return false;
}

static uint32_t word_size(uint32_t kind, const struct btf_type *t)
{
	return kind == BTF_KIND_PTR ? 8 : t->size;
}

/* Whether code for @old may read what is @type here, with another width where it is a number. */
static bool same_kind(const struct kbtf *b, const struct ir_ctype *old, uint32_t type)
{
	const struct btf_type *t = NULL;
	uint32_t kind = 0;

	for (uint32_t d = 0; d <= old->ndims; d++) {
		const struct btf_array *array;

		t = kbtf_get(b, kbtf_strip_id(b, type));
		kind = t ? BTF_INFO_KIND(t->info) : 0;
		if (d == old->ndims)
			break;
		array = t ? (const void *)(t + 1) : NULL;
		/* the first dimension is only how many there are */
		if (kind != BTF_KIND_ARRAY || (d && array->nelems != old->dims[d]))
			return false;
		type = array->type;
	}
	switch (old->kind) {
	case 's':
	case 'n':
		return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_FWD;
	case '*':
		return kind == BTF_KIND_PTR;
	case 'e':
		if (kind != BTF_KIND_ENUM && kind != BTF_KIND_ENUM64)
			return false;
		break;
	case 'f':
		if (kind != BTF_KIND_FLOAT)
			return false;
		break;
	default:
		if (kind != BTF_KIND_INT)
			return false;
	}
	return old->ndims ? word_size(kind, t) == old->size : word_size(kind, t) <= 8;
}

static const char *record_name(struct check *c, const struct ir_ctype *t)
{
	const char *word = t->kind == 'n' ? "union" : "struct";

	return t->name.s ? arena_printf(c->a, "%s %.*s", word, (int)t->name.n, t->name.s) : word;
}

/* NULL, or why the path leads nowhere from @id on. */
static const char *follow(struct check *c, const struct kbtf *b, uint32_t id, const struct ir_path *p, uint64_t *bit)
{
	const struct ir_ctype *in = &p->root;

	*bit = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		const struct ir_path_step *s = &p->steps[k];
		struct place at;

		if (!find_member(b, id, s->member, 0, &at))
			return arena_printf(c->a, "this kernel's %s has no member \"%.*s\"", record_name(c, in),
					    (int)s->member.n, s->member.s);
		if (!same_kind(b, &s->type, at.type) || (at.bits && !s->bits))
			return arena_printf(c->a, "the member \"%.*s\" of this kernel's %s is of another kind",
					    (int)s->member.n, s->member.s, record_name(c, in));
		*bit += at.bit;
		id = at.type;
		in = &s->type;
	}
	return NULL;
}

static const char *look_in(struct check *c, const struct kbtf *b, const struct ir_path *p, const char *name)
{
	const char *why = NULL;
	uint32_t found = 0;
	uint64_t bit, first = 0;

	for (uint32_t id = 0; (id = kbtf_each_record(b, id, p->root.kind == 'n' ? BTF_KIND_UNION : BTF_KIND_STRUCT, name));) {
		const char *bad = follow(c, b, id, p, &bit);

		if (bad && !found)
			why = bad;
		if (bad)
			continue;
		if (found++ && bit != first)
			return arena_printf(c->a, "this kernel has several %s, which differ", record_name(c, &p->root));
		first = bit;
		why = "";
	}
	return why;
}

/* "" or why not. */
static const char *check_path(struct check *c, uint32_t string)
{
	const char *why = NULL, *name;
	struct ir_path p;

	if (c->paths[string])
		return c->paths[string];
	if (!ir_path_parse(c->m->strings.v[string], &p))
		why = "its image is damaged";
	else if (p.fixed)
		why = arena_printf(c->a, "%s is known by its place only, not by name", record_name(c, &p.root));
	if (!why) {
		name = arena_strndup(c->a, p.root.name.s, p.root.name.n);
		why = look_in(c, c->kernel, &p, name);
		for (uint32_t i = 0; !why && module_btf(c, i); i++)
			why = look_in(c, module_btf(c, i), &p, name);
		if (!why)
			why = arena_printf(c->a, "this kernel has no %s", record_name(c, &p.root));
	}
	return c->paths[string] = why;
}

/* ---- parameters ---- */

/* "struct file *buf" from the line's "*struct file" and the name; "u32 n" from "u4" */
static const char *spell(struct check *c, const struct proto_entry *e)
{
	const char *type;
	int stars = 0;

	while (stars < e->type_len && e->type[stars] == '*')
		stars++;
	type = arena_strndup(c->a, e->type + stars, (size_t)(e->type_len - stars));
	if ((*type == 'i' || *type == 'u') && isdigit((unsigned char)type[1]))
		type = arena_printf(c->a, "%c%d", *type == 'i' ? 's' : 'u', 8 * atoi(type + 1));
	return arena_printf(c->a, "\"%s %.*s%.*s\"", type, stars, e->type, e->name_len, e->name);
}

static const char *proto_here(struct check *c, const struct ir_probe *p)
{
	bool tp = p->kind == AT_TRACEPOINT;
	const struct kbtf *b = c->kernel;

	for (uint32_t i = 0; b; b = module_btf(c, i++)) {
		uint32_t id = tp ? proto_tracepoint(b, p->target) : kbtf_find(b, BTF_KIND_FUNC, p->target);

		if (id)
			return proto_text(b, c->a, id, tp);
	}
	return NULL;
}

static bool same_text(const char *a, int an, const char *b, int bn)
{
	return an == bn && !memcmp(a, b, (size_t)an);
}

/* A number that became an enumeration is the same number. */
static bool same_type(const struct proto_entry *a, const struct proto_entry *b)
{
	bool is_enum = a->type_len > 1 && b->type_len > 1 && (*a->type == 'e' || *b->type == 'e') &&
		       strchr("iue", *a->type) && strchr("iue", *b->type);

	return same_text(a->type + is_enum, a->type_len - is_enum, b->type + is_enum, b->type_len - is_enum);
}

/* NULL, or why what is at @place (0: the result) is not what it was. */
static const char *check_param(struct check *c, const struct ir_probe *p, const char *here, uint32_t place)
{
	struct proto_entry was, is;
	const char *what = place ? arena_printf(c->a, "parameter %u", place) : "the result";

	if (!here)
		return arena_printf(c->a, "this kernel does not tell the parameters of %s", p->target);
	if (!proto_entry(p->proto, place, &was))
		return NULL;
	if (!proto_entry(here, place, &is))
		return arena_printf(c->a, "%s of %s, %s, is not there on this kernel", what, p->target, spell(c, &was));
	if (!same_type(&was, &is) ||
	    (!same_text(was.name, was.name_len, is.name, is.name_len) && proto_place_of(here, &was)))
		return arena_printf(c->a, "%s of %s is %s on this kernel, and was %s", what, p->target,
				    spell(c, &is), spell(c, &was));
	return NULL;
}

/* ---- probes ---- */

static bool in_kernel(const struct ir_probe *p)
{
	return p->kind == AT_KPROBE || p->kind == AT_KRETPROBE;
}

/* NULL, or why the instruction cannot do its work. */
static const char *check_insn(struct check *c, const struct ir_probe *p, const struct ir_insn *i, const char **here)
{
	const char *why;

	if (i->aux) {
		why = check_path(c, i->aux);
		return *why ? why : NULL;
	}
	if (i->op == IR_reg && in_kernel(p))
		return "its variables are in places that are known for the kernel it was compiled for";
	if (!p->proto || (i->op != IR_arg && i->op != IR_tparg && i->op != IR_retval))
		return NULL;
	if (!*here)
		*here = proto_here(c, p);
	return check_param(c, p, *here, i->op == IR_arg ? i->imm : i->op == IR_tparg ? IR_TPARG_N(i->imm) + 1 : 0);
}

static const char *check_probe(struct check *c, const struct ir_probe *p)
{
	const char *why = NULL, *here = NULL;
	struct ir_uses uses;

	c->loc = "";
	if (in_kernel(p) && p->offset)
		return "it is at a place within a function, which is known for the kernel it was compiled for";
	ir_uses(c->a, c->m, p->handler, &uses);
	for (uint32_t f = 0; f < c->m->funcs.n; f++) {
		const struct ir_func *fn = c->m->funcs.v[f];

		for (uint32_t b = 0; b < fn->blocks.n && (uses.funcs[f] || f == p->handler); b++)
			for (uint32_t n = 0; n < fn->blocks.v[b]->insns.n; n++) {
				const struct ir_insn *i = &fn->blocks.v[b]->insns.v[n];

				why = check_insn(c, p, i, &here);
				if (!why)
					continue;
				c->loc = c->m->strings.v[i->loc];
				return why;
			}
	}
	return NULL;
}

static bool same_kernel(const struct ir_module *m, const char *release)
{
	struct stat st;

	return !strcmp(m->release, release) &&
	       (!m->kernel_id || (!stat(SYS_BTF "/vmlinux", &st) && (uint64_t)st.st_size == m->kernel_id));
}

static void report(struct check *c, uint32_t probe, const char *why)
{
	const struct ir_probe *p = c->m->probes.v[probe];
	struct diag *d = &c->b->run->diag;
	const char *at = *c->loc ? arena_printf(c->a, " (near %s)", c->loc) : "";

	if (!p->optional) {
		diag_error(d, TAG_KERNEL_CHANGED, SPAN_HERE, "%s does not fit this kernel: %s%s", p->name, why, at);
		diag_hint(d, "it was compiled for %s, this is %s: translate the script for this kernel, or make the probe "
			  "optional with '?'", c->m->release, c->release);
		return;
	}
	if (!c->b->run->opt.no_warnings)
		diag_warning(d, TAG_DROPPED, SPAN_HERE, "%s is left out: %s%s; it was compiled for %s, this is %s", p->name,
			     why, at, c->m->release, c->release);
	c->b->dropped[probe] = true;
}

/* A program stays as long as one of its probes does. */
static void drop_programs(struct check *c)
{
	const struct bpf_group *g = c->b->groups;
	uint32_t *left = arena_alloc(c->a, (c->m->probes.n + 1) * sizeof(*left));

	for (uint32_t p = 0; p < c->m->probes.n; p++)
		if (g[p].leader != IR_NONE)
			left[g[p].leader] += !c->b->dropped[p];
	for (uint32_t p = 0; p < c->m->probes.n; p++) {
		struct bpf_program *prog;

		if (g[p].leader != p || left[p])
			continue;
		prog = bpf_object__find_program_by_name(c->b->obj, arena_printf(c->a, "probe_%u", p));
		if (prog)
			bpf_program__set_autoload(prog, false);
	}
}

int bpf_check_types(struct bpf_run *b)
{
	const struct ir_module *m = b->run->ir;
	struct check c = { .b = b, .a = &b->run->arena, .m = m };
	uint32_t errors = b->run->diag.errors;
	struct utsname u;

	b->dropped = arena_alloc(c.a, m->probes.n + 1);
	if (!m->release || uname(&u) || same_kernel(m, u.release))
		return 0;
	memcpy(c.release, u.release, sizeof(c.release));
	c.kernel = read_btf(&c, "vmlinux", NULL);
	c.paths = arena_alloc(c.a, sizeof(*c.paths) * (m->strings.n + 1));
	for (uint32_t p = 0; p < m->probes.n; p++) {
		const struct ir_probe *pr = m->probes.v[p];
		const char *why = pr->user_side || pr->kind == AT_NEVER ? NULL : check_probe(&c, pr);

		if (why)
			report(&c, p, why);
	}
	drop_programs(&c);
	return b->run->diag.errors > errors ? -1 : 0;
}
