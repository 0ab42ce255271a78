/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "staprun/ktable.h"
#include "staprun/names_int.h"
#include "staprun/unwind.h"

static bool prints_user_names(const struct ir_module *m)
{
	for (uint32_t f = 0; f < m->fmts.n; f++)
		for (uint32_t k = 0; k < m->fmts.v[f]->specs.n; k++) {
			const struct fmt_spec *s = m->fmts.v[f]->specs.v[k];

			if (s && s->conv == FMT_NAME && ir_names[s->prec].user)
				return true;
		}
	return false;
}

static bool uses_user_names(const struct ir_module *m)
{
	for (uint32_t f = 0; f < m->funcs.n; f++) {
		for (uint32_t b = 0; b < m->funcs.v[f]->blocks.n; b++) {
			const struct ir_block *blk = m->funcs.v[f]->blocks.v[b];

			for (uint32_t k = 0; k < blk->insns.n; k++) {
				const struct ir_insn *i = &blk->insns.v[k];

				if ((i->op == IR_stack && i->imm & IRK_USER) ||
				    (i->op == IR_name && ir_names[i->imm].user))
					return true;
			}
		}
	}
	return false;
}

struct names *names_new(const struct ir_module *m)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		arena_oom();
	n->m = m;
	n->ktable = ktable_new();
	n->procs = procs_new();
	n->objects = uobjects_new();
	if (!n->ktable || !n->procs || !n->objects)
		arena_oom();
	n->user = prints_user_names(m) || uses_user_names(m);
	if (n->user)
		procs_listen(n->procs);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	ktable_free(n->ktable);
	procs_free(n->procs);
	uobjects_free(n->objects);
	free(n);
}

bool names_keep(struct names *n, const char *path)
{
	return uobject_open(n->objects, path);
}

void names_target(struct names *n, int64_t pid)
{
	if (n->user)
		procs_look(n->procs, pid);
}

/* ---- what is at an address ---- */

/* A process may see other files than we under the same name. */
static struct uobject *open_mapped(struct names *n, int64_t pid, const char *path)
{
	char own[4096];
	struct stat ours, its;
	struct uobject *o;

	if (path[0] != '/')
		return strcmp(path, "[vdso]") ? NULL : uobject_open(n->objects, path);
	snprintf(own, sizeof(own), "/proc/%lld/root/", (long long)pid);
	if (!stat("/", &ours) && !stat(own, &its) && (ours.st_dev != its.st_dev || ours.st_ino != its.st_ino)) {
		snprintf(own, sizeof(own), "/proc/%lld/root%s", (long long)pid, path);
		o = uobject_open(n->objects, own);
		if (o)
			return o;
	}
	return uobject_open(n->objects, path);
}

struct uobject *names_object(struct names *n, int64_t pid, uint64_t time, uint64_t pc, uint64_t *addr)
{
	struct proc_map map;
	struct uobject *o;

	if (!procs_find(n->procs, pid, time, pc, &map))
		return NULL;
	o = open_mapped(n, pid, map.path);
	return o && uobject_address(o, pc - map.start + map.offset, addr) ? o : NULL;
}

/* The kernel's file with debug information. */
static struct uobject *kernel_object(struct names *n)
{
	static const char *const places[] = { "%s/usr/lib/debug/boot/vmlinux-%s",
					      "%s/usr/lib/debug/lib/modules/%s/vmlinux",
					      "%s/lib/modules/%s/build/vmlinux" };
	const char *roots[] = { getenv("SPILE_KERNEL_ROOT"), "" };
	struct utsname u;
	char path[4096];

	if (n->vmlinux || n->vmlinux_tried || uname(&u))
		return n->vmlinux;
	n->vmlinux_tried = true;
	for (size_t k = 0; k < 2 * sizeof(places) / sizeof(places[0]) && !n->vmlinux; k++) {
		if (!roots[k & 1])
			continue;
		snprintf(path, sizeof(path), places[k / 2], roots[k & 1], u.release);
		if (!access(path, R_OK))
			n->vmlinux = uobject_open(n->objects, path);
	}
	if (n->vmlinux && uobject_find(n->vmlinux, "_stext", &n->stext))
		n->stext = ktable_address(n->ktable, "_stext") - n->stext;
	else
		n->vmlinux = NULL;
	return n->vmlinux;
}

void names_kernel(struct names *n, uint64_t pc, bool line, struct place *out)
{
	struct ktable_at k;

	*out = (struct place){ .pc = pc };
	if (ktable_find(n->ktable, pc, &k)) {
		out->name = k.name;
		out->offset = k.offset;
		out->size = k.size;
		out->module = k.module;
	}
	if (line && kernel_object(n))
		out->file = uobject_line(n->vmlinux, pc - n->stext, &out->line);
}

void names_user(struct names *n, int64_t pid, uint64_t time, uint64_t pc, bool line, struct place *out)
{
	struct proc_map map;
	struct uobject *o;
	uint64_t addr, first;

	*out = (struct place){ .pc = pc };
	if (!procs_find(n->procs, pid, time, pc, &map))
		return;
	out->module = map.path;
	out->module_offset = pc - map.start + map.offset;
	out->module_size = map.end - map.start;
	o = open_mapped(n, pid, map.path);
	if (!o || !uobject_address(o, out->module_offset, &addr))
		return;
	out->module_size = uobject_size(o, &first);
	out->module_offset = addr - first;
	out->name = uobject_symbol(o, addr, &out->offset, &out->size);
	if (line)
		out->file = uobject_line(o, addr, &out->line);
}

/* ---- texts ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_hex(struct buf *out, uint64_t v)
{
	buf_printf(out, "0x%llx", (unsigned long long)v);
}

/* symbol+0xoffset/0xsize [module], or what is known of it */
static void put_data(struct buf *out, const struct place *p)
{
	if (!p->name) {
		put_hex(out, p->pc);
		if (p->module)
			buf_printf(out, " [%s+0x%llx/0x%llx]", p->module,
				   (unsigned long long)p->module_offset, (unsigned long long)p->module_size);
		return;
	}
	buf_printf(out, "%s+0x%llx", p->name, (unsigned long long)p->offset);
	if (p->size)
		buf_printf(out, "/0x%llx", (unsigned long long)p->size);
	if (p->file)
		buf_printf(out, " at %s:%d", p->file, p->line);
	if (p->module)
		buf_printf(out, " [%s]", p->module);
}

/* A line of sprint_backtrace(). */
static void put_simple(struct buf *out, const struct place *p)
{
	if (p->name)
		buf_printf(out, "%s+0x%llx", p->name, (unsigned long long)p->offset);
	else
		put_hex(out, p->pc);
	if (p->name && p->module)
		buf_printf(out, " [%s]", base_name(p->module));
	else if (p->module)
		buf_printf(out, " [%s+0x%llx]", base_name(p->module), (unsigned long long)p->module_offset);
	buf_putc(out, '\n');
}

/* A line of print_backtrace(). */
void names_put_full(struct buf *out, const struct place *p)
{
	buf_putc(out, ' ');
	put_hex(out, p->pc);
	if (p->name) {
		buf_puts(out, " : ");
		put_data(out, p);
	} else if (p->module) {
		buf_printf(out, " [%s+0x%llx/0x%llx]", p->module, (unsigned long long)p->module_offset,
			   (unsigned long long)p->module_size);
	}
	buf_putc(out, '\n');
}

void names_put_brief(struct buf *out, const struct place *p)
{
	if (p->name)
		buf_printf(out, "%s+0x%llx\n", p->name, (unsigned long long)p->offset);
	else
		buf_printf(out, "0x%llx\n", (unsigned long long)p->pc);
}

enum form { FORM_NAME, FORM_DATA, FORM_MODULE, FORM_FILE, FORM_LINE, FORM_FILELINE, FORM_SPRINT, FORM_PRINT };

static const uint8_t forms[NM_COUNT] = {
	[NM_symname] = FORM_NAME,      [NM_usymname] = FORM_NAME,     [NM_symdata] = FORM_DATA,
	[NM_usymdata] = FORM_DATA,     [NM_modname] = FORM_MODULE,    [NM_umodname] = FORM_MODULE,
	[NM_symfile] = FORM_FILE,      [NM_usymfile] = FORM_FILE,     [NM_symline] = FORM_LINE,
	[NM_usymline] = FORM_LINE,     [NM_symfileline] = FORM_FILELINE, [NM_usymfileline] = FORM_FILELINE,
	[NM_sprint_syms] = FORM_SPRINT, [NM_sprint_usyms] = FORM_SPRINT, [NM_print_syms] = FORM_PRINT,
	[NM_print_usyms] = FORM_PRINT,
};

static void put_place(struct buf *out, enum form form, const struct place *p, bool user)
{
	switch (form) {
	case FORM_NAME:
		if (p->name)
			buf_puts(out, p->name);
		else
			put_hex(out, p->pc);
		break;
	case FORM_DATA:
		put_data(out, p);
		break;
	case FORM_MODULE:
		buf_puts(out, p->module ? base_name(p->module) : user ? "<unknown>" : "");
		break;
	case FORM_SPRINT:
		put_simple(out, p);
		break;
	case FORM_PRINT:
		names_put_full(out, p);
		break;
	default:
		if (!p->file)
			put_hex(out, p->pc);
		else if (form == FORM_FILE)
			buf_puts(out, p->file);
		else if (form == FORM_LINE)
			buf_printf(out, "%d", p->line);
		else
			buf_printf(out, "%s:%d", p->file, p->line);
	}
}

void names_text(struct names *n, enum ir_name_row row, int64_t num, const char *s, size_t len, uint64_t time,
		struct buf *out)
{
	enum form form = (enum form)forms[row];
	bool user = ir_names[row].user, line = form >= FORM_FILE && form <= FORM_FILELINE;
	struct place p;
	char *text, *at, *end;
	int64_t pid = 0;

	if (ir_name_operand(row) == IR_I64) {
		names_kernel(n, (uint64_t)num, line, &p);
		put_place(out, form, &p, false);
		return;
	}
	text = strndup(s, len);
	if (!text)
		arena_oom();
	at = text;
	if (user)
		pid = strtoll(at, &at, 10);
	for (;; at = end) {
		uint64_t pc = strtoull(at, &end, 16);

		if (end == at)
			break;
		if (user)
			names_user(n, pid, time, pc, line, &p);
		else
			names_kernel(n, pc, line, &p);
		put_place(out, form, &p, user);
	}
	free(text);
}
