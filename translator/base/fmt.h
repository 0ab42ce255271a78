/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Print formatting, one piece at a time. Freestanding (no libc, no kernel header): the same source
 * is compiled into stap, staprun and the module runtime, so that one format has one meaning.
 * The kernel build defines SPILE_KERNEL and gets its integer types from abi.h.
 */
#ifndef SPILE_BASE_FMT_H
#define SPILE_BASE_FMT_H

#ifdef SPILE_KERNEL
#include "abi.h"
#else
#include <stddef.h>
#include <stdint.h>
#endif

/* At most one flag, as in SystemTap. */
enum fmt_flag { FMT_F_NONE, FMT_F_ZERO, FMT_F_PLUS, FMT_F_MINUS, FMT_F_SPACE, FMT_F_HASH };

/*
 * A name of names.def, by its number in place of a precision: only in records that staprun formats, and in no script. The
 * text is made there.
 */
#define FMT_NAME 'y'

#define FMT_NONE (-1) /* no width / no precision */
#define FMT_STAR (-2) /* taken from the argument list */

struct fmt_spec {
	char conv; /* one of d i u o x X p c s m M b */
	unsigned char flag; /* enum fmt_flag */
	int width, prec; /* a number, FMT_NONE or FMT_STAR (resolved before formatting) */
};

/*
 * A bounded output: bytes past @size are dropped (p[size - 1] is left for the terminator), @len
 * never exceeds size - 1. fmt_end() writes the NUL.
 */
struct fmt_out {
	char *p;
	size_t len, size;
};

/* What a "*" argument means, the same for sprintf and for records: below 0 it is as if none were given. */
#define FMT_STAR_MAX 131072
static inline int fmt_star(int64_t v)
{
	return v < 0 ? FMT_NONE : v > FMT_STAR_MAX ? FMT_STAR_MAX : (int)v;
}

/*
 * The escape of one byte, as in a script's string literal, with @quote also of '"'; returns its length
 * (1: stands for itself).
 */
int fmt_escape(char out[4], unsigned char c, int quote);

void fmt_lit(struct fmt_out *o, const char *s, size_t n);
/* d i u o x X p c b. A %c of 0 writes nothing for %c with width 0, as printf's "%s" of "" would. */
void fmt_int(struct fmt_out *o, const struct fmt_spec *f, int64_t v);
void fmt_str(struct fmt_out *o, const struct fmt_spec *f, const char *s, size_t n);
/* m M: @n bytes of memory as they are, or as hexadecimal digits. */
void fmt_mem(struct fmt_out *o, const struct fmt_spec *f, const void *bytes, size_t n);
void fmt_end(struct fmt_out *o);

/*
 * What one %m or %M prints at most. Its precision is the number of bytes: none, or one below 0 from
 * '*', means 1. Flag '#': of the current process, else of the kernel.
 */
#define FMT_MEM_MAX 8192
static inline int fmt_is_mem(const struct fmt_spec *f)
{
	return f->conv == 'm' || f->conv == 'M';
}

#ifndef SPILE_KERNEL
/* One parsed piece of a format string: literal text, or a conversion. */
struct fmt_piece {
	const char *lit; /* NULL for a conversion */
	uint32_t lit_len;
	struct fmt_spec spec;
};

/*
 * Takes the next piece of the format at *@s ("%%" becomes the literal "%"). 1: a piece, 0: end,
 * -1: malformed, *@s at the offending '%'. Literal pieces point into the format.
 */
int fmt_next_piece(const char **s, struct fmt_piece *out);
#endif

#endif
