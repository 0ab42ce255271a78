/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mod.o, which modpost writes and which is compiled with kernel headers, differs between scripts in
 * the module's name alone: the name is replaced in the object.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "build/build.h"

/* The section of that name inside the image, or NULL. */
static char *find_section(const struct buf *b, const char *name, size_t *size)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)b->p;
	const Elf64_Shdr *sh, *strs;

	if (b->len < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_shentsize != sizeof(*sh) ||
	    h->e_shoff > b->len || h->e_shstrndx >= h->e_shnum ||
	    (b->len - h->e_shoff) / sizeof(*sh) < h->e_shnum)
		return NULL;
	sh = (const Elf64_Shdr *)(b->p + h->e_shoff);
	strs = &sh[h->e_shstrndx];
	if (strs->sh_offset > b->len || strs->sh_size > b->len - strs->sh_offset)
		return NULL;
	for (uint32_t i = 1; i < h->e_shnum; i++) {
		size_t room = sh[i].sh_name < strs->sh_size ? strs->sh_size - sh[i].sh_name : 0;

		if (room <= strlen(name) || strcmp(b->p + strs->sh_offset + sh[i].sh_name, name))
			continue;
		if (sh[i].sh_type == SHT_NOBITS || sh[i].sh_offset > b->len ||
		    sh[i].sh_size > b->len - sh[i].sh_offset)
			return NULL;
		*size = sh[i].sh_size;
		return b->p + sh[i].sh_offset;
	}
	return NULL;
}

static bool replace_in(const struct buf *b, const char *section, const char *placeholder,
		       const char *name)
{
	size_t size = 0, len = strlen(placeholder);
	char *p = find_section(b, section, &size),
	     *at = p ? memmem(p, size, placeholder, len) : NULL;

	if (!at)
		return false;
	memset(at, 0, len);
	memcpy(at, name, strlen(name));
	return true;
}

int modobj_rename(const char *from, const char *to, const char *placeholder, const char *name)
{
	struct buf b;
	int rc;

	if (strlen(name) > strlen(placeholder))
		return -ENAMETOOLONG;
	buf_init(&b);
	rc = buf_read_file(&b, from);
	if (!rc && (!replace_in(&b, ".gnu.linkonce.this_module", placeholder, name) ||
		    !replace_in(&b, ".modinfo", placeholder, name)))
		rc = -EINVAL;
	if (!rc)
		rc = buf_write_file(&b, to);
	buf_fini(&b);
	return rc;
}
