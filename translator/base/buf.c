/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing byte buffer. An empty one owns no memory: p points to a shared empty string while cap is 0. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

static char empty[1];

void buf_init(struct buf *b)
{
	b->p = empty;
	b->len = 0;
	b->cap = 0;
}

void buf_fini(struct buf *b)
{
	if (b->cap)
		free(b->p);
	buf_init(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->cap)
		b->p[0] = 0;
}

/* Room for @n more bytes and the terminator. */
static void buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 128;
	char *p;

	if (n >= SIZE_MAX / 4 - b->len)
		arena_oom();
	if (b->len + n < b->cap)
		return;
	while (cap <= b->len + n)
		cap *= 2;
	p = realloc(b->cap ? b->p : NULL, cap);
	if (!p)
		arena_oom();
	p[b->len] = 0;
	b->p = p;
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	buf_reserve(b, n);
	memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = 0;
}

void buf_putc(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->len++] = c;
	b->p[b->len] = 0;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, again);
	va_end(again);
	if (n < 0)
		arena_oom();
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	buf_reserve(b, (size_t)n);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

/* Bytes from 0x80 on stay as they are: text in UTF-8 stays readable, and C compilers pass them through. */
void buf_put_escaped(struct buf *b, const char *s, size_t n)
{
	static const char named[] = "\aa\bb\tt\nn\vv\ff\rr\\\\\"\"";
	size_t i, k;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		for (k = 0; k + 1 < sizeof(named) && named[k] != (char)c; k += 2)
			;
		if (k + 1 < sizeof(named)) {
			buf_putc(b, '\\');
			buf_putc(b, named[k + 1]);
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(b, "\\%03o", c);
		} else {
			buf_putc(b, (char)c);
		}
	}
}

static int read_all(struct buf *b, int fd)
{
	for (;;) {
		ssize_t n;

		buf_reserve(b, 4096);
		n = read(fd, b->p + b->len, b->cap - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		b->len += (size_t)n;
		b->p[b->len] = 0;
		if (!n)
			return 0;
	}
}

int buf_read_file(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		buf_reserve(b, (size_t)st.st_size + 4096);
	err = read_all(b, fd);
	close(fd);
	return err;
}

int buf_read_stream(struct buf *b, FILE *f)
{
	size_t n;

	do {
		buf_reserve(b, 4096);
		n = fread(b->p + b->len, 1, b->cap - b->len - 1, f);
		b->len += n;
		b->p[b->len] = 0;
	} while (n);
	return ferror(f) ? -EIO : 0;
}

int buf_write_file(const struct buf *b, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (done < b->len && !err) {
		ssize_t n = write(fd, b->p + done, b->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}
