/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses are found when the script is loaded, in /proc/kallsyms and /sys/module/NAME/sections. Translating asks for none:
 * a script may be translated on another machine, and the kernel lies elsewhere after each boot.
 */
#include "staprun/ksyms.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MAX 4096

const char *ksyms_module(struct run *r, const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? arena_strndup(&r->arena, name, (size_t)(colon - name)) : NULL;
}

bool ksyms_loaded(struct run *r, const char *module)
{
	/* parts of the kernel that could be modules have a folder, too, but no state */
	return !access(arena_printf(&r->arena, "/sys/module/%s/initstate", module), F_OK);
}

/* ---- build ids ---- */

static size_t read_some(const char *path, void *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (n < room && (got = read(fd, (char *)to + n, room - n)) > 0)
		n += (size_t)got;
	close(fd);
	return n;
}

/* The build id among ELF notes, as text; NULL: there is none. */
static const char *build_id_of(struct run *r, const char *path)
{
	unsigned char notes[NOTES_MAX];
	size_t n = read_some(path, notes, sizeof(notes)), at = 0;
	Elf64_Nhdr h;

	while (at + sizeof(h) <= n) {
		size_t name, desc, next;

		memcpy(&h, notes + at, sizeof(h));
		if (h.n_namesz > NOTES_MAX || h.n_descsz > NOTES_MAX)
			break;
		name = at + sizeof(h);
		desc = name + ((h.n_namesz + 3) & ~3u);
		next = desc + ((h.n_descsz + 3) & ~3u);
		if (next > n)
			break;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && !memcmp(notes + name, "GNU", 4)) {
			char *text = arena_alloc(&r->arena, 2 * h.n_descsz + 1);

			for (size_t i = 0; i < h.n_descsz; i++)
				snprintf(text + 2 * i, 3, "%02x", notes[desc + i]);
			return text;
		}
		at = next;
	}
	return NULL;
}

static int check_build(struct run *r, const struct ir_build *b)
{
	bool kernel = !strcmp(b->object, "kernel");
	const char *is = build_id_of(
		r, kernel ? "/sys/kernel/notes"
			  : arena_printf(&r->arena, "/sys/module/%s/notes/.note.gnu.build-id", b->object));

	/* what tells no build id cannot be compared */
	if (!is || !strcmp(is, b->id))
		return 0;
	diag_error(&r->diag, TAG_BUILD_ID, SPAN_NONE,
		   "%s%s that runs is not the one that the script was translated for: its build id is %s, not %s",
		   kernel ? "the kernel" : "the module ", kernel ? "" : b->object, is, b->id);
	diag_hint(&r->diag, kernel ? "translate the script for this kernel; is its debug information of this very build?"
				   : "load the module from the file that stap found, or name the loaded one's file: "
				     "module(\"/path/to.ko\")");
	return -1;
}

int ksyms_check_builds(struct run *r)
{
	int rc = 0;

	for (uint32_t i = 0; i < r->ir->builds.n; i++)
		rc |= check_build(r, &r->ir->builds.v[i]);
	return rc;
}

/* ---- addresses ---- */

static uint64_t section_address(struct run *r, const char *module, const char *section)
{
	char text[64];
	size_t n = read_some(arena_printf(&r->arena, "/sys/module/%s/sections/%s", module, section), text,
			     sizeof(text) - 1);

	text[n] = 0;
	return strtoull(text, NULL, 16);
}

struct wanted {
	const char *name, *module; /* module NULL: the kernel's own */
	size_t len;
	uint64_t addr;
	bool found;
};

/* A line "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME [MODULE]". */
static bool line_is(const char *sym, const struct wanted *w)
{
	const char *in = sym + w->len;

	if (strncmp(sym, w->name, w->len) != 0)
		return false;
	if (!w->module)
		return *in == '\n';
	return (*in == '\t' || *in == ' ') && in[1] == '[' && !strncmp(in + 2, w->module, strlen(w->module)) &&
	       in[2 + strlen(w->module)] == ']';
}

/* By the text of the name, whatever module has it. */
static int by_name(const void *pa, const void *pb)
{
	const struct wanted *a = *(const struct wanted *const *)pa, *b = *(const struct wanted *const *)pb;

	return strcmp(a->name, b->name);
}

/* The first of the sorted @v whose name is not below that of the line. */
static uint32_t lower(struct wanted **v, uint32_t n, const char *sym)
{
	size_t len = strcspn(sym, " \t\n");
	uint32_t lo = 0;

	while (lo < n) {
		uint32_t mid = lo + (n - lo) / 2;
		int c = strncmp(v[mid]->name, sym, len);

		if (c < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

/* Goes through the kernel's list once; the first of a name counts, as for the kernel itself. */
static void search_list(struct wanted *w, uint32_t n)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	struct wanted **v = calloc(n + 1, sizeof(struct wanted *));
	uint32_t left = n;
	size_t cap = 0;
	char *line = NULL;

	if (!v)
		arena_oom();
	for (uint32_t i = 0; i < n; i++) {
		left -= w[i].found;
		v[i] = &w[i];
	}
	qsort(v, n, sizeof(struct wanted *), by_name);
	while (f && left && getline(&line, &cap, f) > 0) {
		const char *sym = strchr(line, ' ');

		if (!sym || strlen(sym) < 4)
			continue;
		sym += 3;
		for (uint32_t i = lower(v, n, sym); i < n && !strncmp(v[i]->name, sym, strcspn(sym, " \t\n")); i++)
			if (!v[i]->found && line_is(sym, v[i])) {
				v[i]->found = true;
				v[i]->addr = strtoull(line, NULL, 16);
				left--;
			}
	}
	free(line);
	free(v);
	if (f)
		fclose(f);
}

static struct wanted want(struct run *r, const char *name)
{
	const char *colon = strchr(name, ':');
	struct wanted w = { .name = colon ? colon + 1 : name, .module = ksyms_module(r, name) };

	w.len = strlen(w.name);
	if (w.module && w.name[0] == '.') {
		w.addr = section_address(r, w.module, w.name);
		w.found = true;
	}
	return w;
}

uint64_t *ksyms_addresses(struct run *r, const char *const *names, uint32_t n)
{
	uint64_t *out = arena_alloc(&r->arena, (n + 1) * sizeof(*out));
	struct wanted *w = arena_alloc(&r->arena, (n + 1) * sizeof(*w));

	for (uint32_t i = 0; i < n; i++)
		w[i] = want(r, names[i]);
	search_list(w, n);
	for (uint32_t i = 0; i < n; i++)
		out[i] = w[i].addr;
	return out;
}

static int not_found(struct run *r, const struct wanted *w)
{
	if (w->module && !ksyms_loaded(r, w->module))
		return 0;
	if (w->found) {
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE,
			   "the kernel hides its addresses, and a variable of %s%s is wanted",
			   w->module ? "the module " : "the kernel", w->module ? w->module : "");
		diag_hint(&r->diag, "run as root; with kernel.kptr_restrict set to 2, set it to 1 (sysctl)");
		return -1;
	}
	diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "this kernel has no symbol \"%s\"%s%s", w->name,
		   w->module ? " in the module " : "", w->module ? w->module : "");
	diag_hint(&r->diag, "only kernels with CONFIG_KALLSYMS_ALL tell where their variables are");
	return -1;
}

uint64_t *ksyms_find(struct run *r)
{
	uint32_t n = r->ir->syms.n;
	uint64_t *out = arena_alloc(&r->arena, (n + 1) * sizeof(*out));
	struct wanted *w = arena_alloc(&r->arena, (n + 1) * sizeof(*w));
	int bad = 0;

	for (uint32_t i = 0; i < n; i++)
		w[i] = want(r, r->ir->syms.v[i].name);
	search_list(w, n);
	for (uint32_t i = 0; i < n; i++) {
		out[i] = w[i].addr;
		bad |= w[i].addr ? 0 : not_found(r, &w[i]);
	}
	return bad ? NULL : out;
}
