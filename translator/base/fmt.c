/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One formatter for every runtime. Conversions mean what C's printf means by them, with 64-bit integers and
 * at most one flag. A width below 0 counts as none: callers clamp what came from '*'.
 */
#include "base/fmt.h"

#define FMT_DIGITS                                                                                 \
	64 /* enough for 64 bits in octal; longer precisions are padded without storage */

static void put_byte(struct fmt_out *o, char c)
{
	if (o->len + 1 < o->size)
		o->p[o->len++] = c;
}

static void put_fill(struct fmt_out *o, char c, int64_t n)
{
	while (n-- > 0 && o->len + 1 < o->size)
		o->p[o->len++] = c;
}

void fmt_lit(struct fmt_out *o, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && o->len + 1 < o->size; i++)
		o->p[o->len++] = s[i];
}

void fmt_end(struct fmt_out *o)
{
	if (o->size)
		o->p[o->len] = 0;
}

int fmt_escape(char out[4], unsigned char c, int quote)
{
	static const char named[] = "\aa\bb\tt\nn\vv\ff\rr\\\\";
	int k;

	for (k = 0; named[k]; k += 2) {
		if (named[k] == (char)c) {
			out[0] = '\\';
			out[1] = named[k + 1];
			return 2;
		}
	}
	if (quote && c == '"') {
		out[0] = '\\';
		out[1] = '"';
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + (c >> 6));
	out[2] = (char)('0' + ((c >> 3) & 7));
	out[3] = (char)('0' + (c & 7));
	return 4;
}

/* Text of a known length, padded with spaces to the width. */
static void put_padded(struct fmt_out *o, const struct fmt_spec *f, const char *s, size_t n)
{
	int64_t pad = f->width < 0 ? 0 : (int64_t)f->width - (int64_t)n;

	if (f->flag != FMT_F_MINUS)
		put_fill(o, ' ', pad);
	fmt_lit(o, s, n);
	if (f->flag == FMT_F_MINUS)
		put_fill(o, ' ', pad);
}

static void put_char(struct fmt_out *o, const struct fmt_spec *f, int64_t v)
{
	char text[4] = { (char)v };
	int n = text[0] != 0;

	if (f->flag == FMT_F_HASH)
		n = fmt_escape(text, (unsigned char)v, 0);
	put_padded(o, f, text, (size_t)n);
}

/* 1, 2, 4 or 8 bytes, lowest first: as many as the precision, else the width, says; else 8. */
static void put_binary(struct fmt_out *o, const struct fmt_spec *f, int64_t v)
{
	int n = f->prec >= 0 ? f->prec : f->width, i;

	if (n != 1 && n != 2 && n != 4)
		n = 8;
	if (f->flag != FMT_F_MINUS)
		put_fill(o, 0, (int64_t)f->width - n);
	for (i = 0; i < n; i++)
		put_byte(o, (char)((uint64_t)v >> (8 * i)));
	if (f->flag == FMT_F_MINUS)
		put_fill(o, 0, (int64_t)f->width - n);
}

/* Digits of @v, most significant first, at the end of @buf; returns how many. None for 0. */
static int to_digits(char buf[FMT_DIGITS], uint64_t v, unsigned int base, char ten)
{
	int n = 0;

	while (v) {
		unsigned int digit = (unsigned int)(v % base);

		buf[FMT_DIGITS - ++n] = (char)(digit < 10 ? '0' + digit : ten + (digit - 10));
		v /= base;
	}
	return n;
}

/* What precedes the digits: a sign, or the base's mark. */
static int put_prefix(char out[2], const struct fmt_spec *f, int64_t v)
{
	if (f->conv == 'd' || f->conv == 'i') {
		out[0] = v < 0 ? '-' : f->flag == FMT_F_PLUS ? '+' : ' ';
		return v < 0 || f->flag == FMT_F_PLUS || f->flag == FMT_F_SPACE;
	}
	if (f->conv == 'p' || ((f->conv == 'x' || f->conv == 'X') && f->flag == FMT_F_HASH && v)) {
		out[0] = '0';
		out[1] = f->conv == 'X' ? 'X' : 'x';
		return 2;
	}
	return 0;
}

static void put_number(struct fmt_out *o, const struct fmt_spec *f, int64_t v)
{
	char digits[FMT_DIGITS], prefix[2];
	int is_signed = f->conv == 'd' || f->conv == 'i';
	uint64_t mag = is_signed && v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	unsigned int base = f->conv == 'o' ? 8 : is_signed || f->conv == 'u' ? 10 : 16;
	int prec = f->conv == 'p' ? FMT_NONE : f->prec;
	int n = to_digits(digits, mag, base, f->conv == 'X' ? 'A' : 'a');
	int np = put_prefix(prefix, f, v);
	int64_t zeros = (int64_t)(prec < 0 ? 1 : prec) - n, pad;

	if (zeros < 0)
		zeros = 0;
	if (f->conv == 'o' && f->flag == FMT_F_HASH && !zeros)
		zeros = 1;
	pad = f->width < 0 ? 0 : (int64_t)f->width - np - zeros - n;
	if (f->flag == FMT_F_ZERO && prec < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (f->flag != FMT_F_MINUS)
		put_fill(o, ' ', pad);
	fmt_lit(o, prefix, (size_t)np);
	put_fill(o, '0', zeros);
	fmt_lit(o, digits + FMT_DIGITS - n, (size_t)n);
	if (f->flag == FMT_F_MINUS)
		put_fill(o, ' ', pad);
}

void fmt_int(struct fmt_out *o, const struct fmt_spec *f, int64_t v)
{
	if (f->conv == 'c')
		put_char(o, f, v);
	else if (f->conv == 'b')
		put_binary(o, f, v);
	else
		put_number(o, f, v);
}

void fmt_str(struct fmt_out *o, const struct fmt_spec *f, const char *s, size_t n)
{
	char text[4];
	int64_t width = 2, pad;
	size_t i;

	if (f->prec >= 0 && (size_t)f->prec < n)
		n = (size_t)f->prec;
	if (f->flag != FMT_F_HASH) {
		put_padded(o, f, s, n);
		return;
	}
	for (i = 0; i < n; i++)
		width += fmt_escape(text, (unsigned char)s[i], 1);
	pad = f->width < 0 ? 0 : (int64_t)f->width - width;
	put_fill(o, ' ', pad);
	put_byte(o, '"');
	for (i = 0; i < n; i++) {
		int len = fmt_escape(text, (unsigned char)s[i], 1);

		fmt_lit(o, text, (size_t)len);
	}
	put_byte(o, '"');
}

void fmt_mem(struct fmt_out *o, const struct fmt_spec *f, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	int64_t pad;
	size_t i;

	if (f->conv == 'm') {
		put_padded(o, f, bytes, n);
		return;
	}
	pad = f->width < 0 ? 0 : (int64_t)f->width - 2 * (int64_t)n;
	if (f->flag != FMT_F_MINUS)
		put_fill(o, ' ', pad);
	for (i = 0; i < n; i++) {
		put_byte(o, digits[p[i] >> 4]);
		put_byte(o, digits[p[i] & 15]);
	}
	if (f->flag == FMT_F_MINUS)
		put_fill(o, ' ', pad);
}

#ifndef SPILE_KERNEL

#define FMT_WIDEST                                                                                 \
	1000000 /* a width or precision beyond is malformed: no output line is that long */

static int is_one_of(char c, const char *set)
{
	for (; *set; set++)
		if (*set == c)
			return 1;
	return 0;
}

/* A number or '*' at *@p; @none when neither is there. Returns 0 when the number is too large. */
static int parse_size(const char **p, int none, int *out)
{
	int v = 0;

	*out = none;
	if (**p == '*') {
		++*p;
		*out = FMT_STAR;
		return 1;
	}
	if (**p < '0' || **p > '9')
		return 1;
	for (; **p >= '0' && **p <= '9'; ++*p) {
		v = v * 10 + (**p - '0');
		if (v > FMT_WIDEST)
			return 0;
	}
	*out = v;
	return 1;
}

/* @p is behind the '%'. Returns what follows the conversion, NULL when it is malformed. */
static const char *parse_conversion(const char *p, struct fmt_spec *f)
{
	static const char flags[] = "0+- #"; /* in the order of enum fmt_flag */
	int i;

	f->flag = FMT_F_NONE;
	f->prec = FMT_NONE;
	for (i = 0; flags[i]; i++) {
		if (*p == flags[i]) {
			f->flag = (unsigned char)(i + 1);
			p++;
			break;
		}
	}
	if (!parse_size(&p, FMT_NONE, &f->width))
		return NULL;
	if (*p == '.') {
		p++;
		if (!parse_size(&p, 0, &f->prec))
			return NULL;
	}
	if (*p == 'l')
		p++;
	if (!*p || !is_one_of(*p, "diuoxXpcsmMby"))
		return NULL;
	f->conv = *p;
	return p + 1;
}

int fmt_next_piece(const char **s, struct fmt_piece *out)
{
	const char *p = *s, *end;

	if (!*p)
		return 0;
	out->lit = NULL;
	out->lit_len = 0;
	if (*p == '%' && p[1] != '%') {
		end = parse_conversion(p + 1, &out->spec);
		if (!end)
			return -1;
		*s = end;
		return 1;
	}
	if (*p == '%')
		p++;
	/* The '%' of "%%" starts a literal that runs on to the next '%'. */
	for (end = p + 1; *end && *end != '%'; end++)
		;
	out->lit = p;
	out->lit_len = (uint32_t)(end - p);
	*s = end;
	return 1;
}

#endif
