/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed x86 kernel images: boot header, payload, the ELF file in it. Each decompressor is
 * loaded when an image asks for it: no other run of stap needs them, and libdw cannot take their
 * place (Debian 12's knows neither zstd nor lz4).
 */
#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include "symbols/elf.h"
#include "symbols/kernel.h"

/* Offsets in the boot sector, by the x86 boot protocol 2.08 and later. */
#define BOOT_SECTORS 0x1f1
#define BOOT_MAGIC 0x202
#define BOOT_VERSION 0x206
#define BOOT_PAYLOAD 0x248
#define BOOT_PAYLOAD_LEN 0x24c
#define BOOT_END 0x250

#define MAX_KERNEL (1u << 30) /* bytes, uncompressed: more is a damaged image */
#define LZ4_CHUNK (8u << 20) /* what a block of the legacy format unpacks to at most */
#define LZ4_MAGIC_LEN 4

typedef const unsigned char *bytes;

static uint32_t get32(bytes p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/*
 * Decoders: the bytes written to @out, or 0. @len is without the four bytes of size that follow the
 * data.
 */
static size_t decode_zstd(void *lib, bytes in, size_t len, unsigned char *out, size_t room)
{
	size_t (*decompress)(void *, size_t, const void *, size_t);
	size_t n;

	*(void **)&decompress = dlsym(lib, "ZSTD_decompress");
	n = decompress ? decompress(out, room, in, len) : 0;
	return n <= room ? n : 0; /* error codes are huge numbers */
}

static size_t decode_lz4(void *lib, bytes in, size_t len, unsigned char *out, size_t room)
{
	int (*decompress)(const char *, char *, int, int);
	size_t pos = LZ4_MAGIC_LEN, done = 0;

	*(void **)&decompress = dlsym(lib, "LZ4_decompress_safe");
	while (decompress && len - pos >= 4 && done < room) {
		uint32_t size = get32(in + pos);
		size_t left = room - done;
		int n;

		pos += 4;
		if (!size || size > len - pos || size > MAX_KERNEL)
			break;
		n = decompress((const char *)in + pos, (char *)out + done, (int)size,
			       (int)(left < LZ4_CHUNK ? left : LZ4_CHUNK));
		if (n < 0)
			return 0;
		pos += size;
		done += (size_t)n;
	}
	return done;
}

static size_t decode_xz(void *lib, bytes in, size_t len, unsigned char *out, size_t room)
{
	int (*decode)(uint64_t *, uint32_t, const void *, bytes, size_t *, size_t, unsigned char *,
		      size_t *, size_t);
	uint64_t limit = MAX_KERNEL;
	size_t in_pos = 0, out_pos = 0;

	*(void **)&decode = dlsym(lib, "lzma_stream_buffer_decode");
	if (!decode || decode(&limit, 0, NULL, in, &in_pos, len, out, &out_pos, room) != 0)
		return 0;
	return out_pos;
}

static size_t decode_gzip(void *lib, bytes in, size_t len, unsigned char *out, size_t room)
{
	z_stream z = {
		.next_in = (unsigned char *)in, .avail_in = len, .next_out = out, .avail_out = room
	};
	__typeof__(&inflateInit2_) init;
	__typeof__(&inflate) run;
	__typeof__(&inflateEnd) end;
	int r;

	*(void **)&init = dlsym(lib, "inflateInit2_");
	*(void **)&run = dlsym(lib, "inflate");
	*(void **)&end = dlsym(lib, "inflateEnd");
	if (!init || !run || !end || init(&z, 16 + MAX_WBITS, ZLIB_VERSION, sizeof(z)) != Z_OK)
		return 0;
	r = run(&z, Z_FINISH);
	end(&z);
	return r == Z_STREAM_END ? z.total_out : 0;
}

static const struct codec {
	const char *name, *magic;
	size_t magic_len;
	const char *lib, *package;
	size_t (*decode)(void *lib, bytes in, size_t len, unsigned char *out, size_t room);
} codecs[] = {
	{ "zstd", "\x28\xb5\x2f\xfd", 4, "libzstd.so.1", "libzstd1", decode_zstd },
	{ "lz4", "\x02\x21\x4c\x18", LZ4_MAGIC_LEN, "liblz4.so.1", "liblz4-1", decode_lz4 },
	{ "xz",
	  "\xfd"
	  "7zXZ",
	  5, "liblzma.so.5", "liblzma5", decode_xz },
	{ "gzip", "\x1f\x8b", 2, "libz.so.1", "zlib1g", decode_gzip },
};

static const char *kimage_section(struct arena *a, bytes kernel, size_t len, struct buf *out)
{
	const char *why;
	struct elf_file *f = elf_open_bytes(a, kernel, len, &why);
	const void *btf;
	size_t n;

	if (!f)
		return arena_printf(a, "what it holds is %s", why);
	btf = elf_section(f, ".BTF", &n);
	if (!btf)
		return "the kernel in it was built without BTF (CONFIG_DEBUG_INFO_BTF)";
	buf_add(out, btf, n);
	return NULL;
}

static const char *kimage_decode(struct arena *a, const struct codec *c, bytes in, size_t len,
				 struct buf *out)
{
	void *lib = dlopen(c->lib, RTLD_NOW | RTLD_LOCAL);
	/* The build appends the size of what it compressed. */
	size_t room = get32(in + len - 4), n;
	unsigned char *kernel;
	const char *bad;

	if (!lib)
		return arena_printf(a, "it is compressed with %s: install %s (%s)", c->name,
				    c->package, dlerror());
	kernel = room && room <= MAX_KERNEL ? mmap(NULL, room, PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
					    : MAP_FAILED;
	if (kernel == MAP_FAILED) {
		dlclose(lib);
		return "it is damaged: its size makes no sense";
	}
	/* gzip's own trailer ends with these bytes: there they are part of the data */
	n = c->decode(lib, in, c->decode == decode_gzip ? len : len - 4, kernel, room);
	bad = n ? kimage_section(a, kernel, n, out)
		: arena_printf(a, "its %s data is damaged", c->name);
	munmap(kernel, room);
	dlclose(lib);
	return bad;
}

const char *kimage_btf(struct arena *a, const char *image, struct buf *out)
{
	const char *bad = "it is no x86 kernel image";
	uint64_t at, len;
	struct buf b;
	bytes p;

	buf_init(&b);
	if (buf_read_file(&b, image) < 0) {
		bad = "it cannot be read";
		goto out;
	}
	p = (bytes)b.p;
	if (b.len < BOOT_END || memcmp(p + BOOT_MAGIC, "HdrS", 4) != 0 ||
	    (p[BOOT_VERSION] | p[BOOT_VERSION + 1] << 8) < 0x208)
		goto out;
	at = ((p[BOOT_SECTORS] ? p[BOOT_SECTORS] : 4) + 1) * 512u +
	     (uint64_t)get32(p + BOOT_PAYLOAD);
	len = get32(p + BOOT_PAYLOAD_LEN);
	bad = "it is damaged: its payload leaves the file";
	if (len < 16 || at > b.len || len > b.len - at)
		goto out;
	bad = "it is compressed in a way that is not known here";
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (memcmp(p + at, codecs[i].magic, codecs[i].magic_len) == 0)
			bad = kimage_decode(a, &codecs[i], p + at, len, out);
out:
	buf_fini(&b);
	return bad;
}
