/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object files: only the ELF header and section table are looked at, by hand, so that the user
 * and module runtimes do not wait for an ELF library. Everything read from the file is checked
 * against its size.
 */
#include "staprun/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct object {
	struct run *run;
	int fd;
	uint64_t size;
};

static int not_ours(struct object *o, const char *why)
{
	diag_error(&o->run->diag, TAG_FILE, SPAN_NONE, "%s was not made by Spile: %s",
		   o->run->opt.object, why);
	diag_hint(&o->run->diag, "give staprun what stap -p4 made: a .ko, .bo or .uo file");
	return -1;
}

static int object_open(struct object *o, struct run *r)
{
	struct stat st;

	o->run = r;
	o->fd = open(r->opt.object, O_RDONLY | O_CLOEXEC);
	if (o->fd < 0 || fstat(o->fd, &st)) {
		diag_error(&r->diag, TAG_FILE, SPAN_NONE, "cannot read %s: %s", r->opt.object,
			   strerror(errno));
		if (o->fd >= 0)
			close(o->fd);
		return -1;
	}
	o->size = (uint64_t)st.st_size;
	if (S_ISREG(st.st_mode))
		return 0;
	not_ours(o, "it is no plain file");
	close(o->fd);
	return -1;
}

/* @n bytes at @off; false when they are not all in the file. */
static bool object_read(const struct object *o, void *to, uint64_t n, uint64_t off)
{
	uint64_t done = 0;

	if (off > o->size || n > o->size - off)
		return false;
	while (done < n) {
		ssize_t got = pread(o->fd, (char *)to + done, n - done, (off_t)(off + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (uint64_t)got;
	}
	return true;
}

static bool is_elf(const struct object *o, Elf64_Ehdr *h)
{
	return object_read(o, h, sizeof(*h), 0) && !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_ident[EI_DATA] == ELFDATA2LSB;
}

/* The section of that name, or NULL. */
static const Elf64_Shdr *find_section(const struct object *o, const Elf64_Ehdr *h, const char *name)
{
	struct arena *a = &o->run->arena;
	Elf64_Shdr *v, *strs;
	char *names;

	if (!h->e_shnum || h->e_shentsize != sizeof(*v) || h->e_shstrndx >= h->e_shnum)
		return NULL;
	v = arena_alloc(a, sizeof(*v) * h->e_shnum);
	if (!object_read(o, v, sizeof(*v) * h->e_shnum, h->e_shoff))
		return NULL;
	strs = &v[h->e_shstrndx];
	if (strs->sh_size > o->size)
		return NULL;
	names = arena_alloc(a, strs->sh_size + 1);
	if (!object_read(o, names, strs->sh_size, strs->sh_offset))
		return NULL;
	for (uint32_t i = 1; i < h->e_shnum; i++) {
		if (v[i].sh_name < strs->sh_size && v[i].sh_type != SHT_NOBITS &&
		    !strcmp(names + v[i].sh_name, name))
			return &v[i];
	}
	return NULL;
}

/* Finds the image's place in the file. */
static int find_image(struct object *o, uint64_t *off, uint64_t *len)
{
	const Elf64_Shdr *s;
	Elf64_Ehdr h;

	*off = 0;
	*len = o->size;
	if (!is_elf(o, &h))
		return 0;
	s = find_section(o, &h, SPILE_SECTION);
	if (!s)
		return not_ours(o, "it has no section " SPILE_SECTION);
	*off = s->sh_offset;
	*len = s->sh_size;
	return 0;
}

static struct ir_module *load_image(struct object *o)
{
	struct arena *a = &o->run->arena;
	const char *wrong = "the file is cut short";
	struct ir_module *m = NULL;
	uint64_t off, len;
	void *image;

	if (find_image(o, &off, &len))
		return NULL;
	if (len && len <= o->size) {
		image = arena_alloc(a, len);
		if (object_read(o, image, len, off))
			m = ir_read(a, image, len, &wrong);
	}
	/* The interpreter and the formatter trust what is well formed. */
	if (m)
		wrong = ir_verify(m);
	if (m && !wrong)
		return m;
	not_ours(o, wrong);
	return NULL;
}

struct ir_module *run_load_image(struct run *r)
{
	struct ir_module *m;
	struct object o;

	if (object_open(&o, r))
		return NULL;
	m = load_image(&o);
	close(o.fd);
	return m;
}

const struct runner_ops *image_runner(struct run *r)
{
	const struct runner_ops *ops = &runner_user;
	struct object o;
	Elf64_Ehdr h;

	if (object_open(&o, r))
		return NULL;
	if (is_elf(&o, &h)) {
		ops = h.e_machine == EM_BPF ? &runner_bpf : &runner_lkm;
		if (h.e_type != ET_REL) {
			not_ours(&o, "it is a program, not an object file");
			ops = NULL;
		}
	}
	close(o.fd);
	return ops;
}
