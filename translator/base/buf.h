/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing byte buffer on the heap; always NUL-terminated after p[len]. */
#ifndef SPILE_BASE_BUF_H
#define SPILE_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct buf {
	char *p;
	size_t len, cap;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Appends @n bytes of @s as the inside of a C string literal (escapes, no quotes). */
void buf_put_escaped(struct buf *b, const char *s, size_t n);
/* Reads a whole file or stream. 0, or -errno. */
int buf_read_file(struct buf *b, const char *path) __attribute__((warn_unused_result));
int buf_read_stream(struct buf *b, FILE *f) __attribute__((warn_unused_result));
/* Writes the buffer as a file (mode 0644), replacing it. 0, or -errno. */
int buf_write_file(const struct buf *b, const char *path) __attribute__((warn_unused_result));

#endif
