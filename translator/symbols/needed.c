/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/needed.h"

#include <elf.h>
#include <string.h>

static const char *text_at(struct arena *a, const struct elf_section *s, uint64_t off)
{
	const uint8_t *end = off < s->len ? memchr(s->bytes + off, 0, s->len - off) : NULL;

	return end ? arena_strndup(a, (const char *)s->bytes + off,
				   (size_t)(end - s->bytes) - off)
		   : NULL;
}

void elf_read_needs(struct elf_file *f, struct arena *a, struct elf_needs *out)
{
	struct elf_section dyn, strs, interp;

	memset(out, 0, sizeof(*out));
	if (elf_find_section(f, ".interp", &interp))
		out->interpreter = text_at(a, &interp, 0);
	if (!elf_find_section(f, ".dynamic", &dyn) || !elf_find_section(f, ".dynstr", &strs))
		return;
	for (size_t at = 0; dyn.len - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;
		const char *text;

		memcpy(&d, dyn.bytes + at, sizeof(d));
		if (d.d_tag == DT_NULL)
			return;
		if (d.d_tag != DT_NEEDED && d.d_tag != DT_RPATH && d.d_tag != DT_RUNPATH &&
		    d.d_tag != DT_SONAME)
			continue;
		text = text_at(a, &strs, d.d_un.d_val);
		if (!text || !*text)
			continue;
		if (d.d_tag == DT_NEEDED)
			vec_push(a, &out->names, text);
		else if (d.d_tag == DT_RPATH)
			out->rpath = text;
		else if (d.d_tag == DT_RUNPATH)
			out->runpath = text;
		else
			out->soname = text;
	}
}

/* ---- /etc/ld.so.cache ---- */

static const char cache_magic[] = "glibc-ld.so.cache1.1";

struct cache_header {
	char magic[sizeof(cache_magic) - 1];
	uint32_t nlibs, strings;
	uint32_t rest[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key, value, osversion;
	uint64_t hwcap;
};

/* An ELF library for glibc 2 and this machine. */
#if defined(__x86_64__)
#define CACHE_FLAGS 0x0303
#else
#define CACHE_FLAGS 0x0a03
#endif

const char *ldcache_find(struct arena *a, const void *bytes, size_t len, const char *name)
{
	/* an older list may stand in front; places count from here */
	const uint8_t *at = len ? memmem(bytes, len, cache_magic, sizeof(cache_magic) - 1) : NULL;
	struct elf_section all;
	struct cache_header h;

	if (!at)
		return NULL;
	all = (struct elf_section){ .bytes = at, .len = len - (size_t)(at - (const uint8_t *)bytes) };
	if (all.len < sizeof(h))
		return NULL;
	memcpy(&h, all.bytes, sizeof(h));
	for (size_t i = 0, off = sizeof(h); i < h.nlibs && all.len - off >= sizeof(struct cache_entry);
	     i++, off += sizeof(struct cache_entry)) {
		struct cache_entry e;
		const char *key;

		memcpy(&e, all.bytes + off, sizeof(e));
		/* variants for newer processors are left to the loader */
		if (e.flags != CACHE_FLAGS || e.hwcap || e.key >= all.len)
			continue;
		key = (const char *)all.bytes + e.key;
		if (strnlen(key, all.len - e.key) == strlen(name) && !memcmp(key, name, strlen(name)))
			return text_at(a, &all, e.value);
	}
	return NULL;
}
