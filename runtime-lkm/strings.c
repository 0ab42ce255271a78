/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings: NUL-terminated, shorter than MAXSTRINGLEN, cut silently. */
#include "rt.h"

SP_CODE void sp_str_copy(char *to, const char *from)
{
	if (to != from)
		memmove(to, from, strlen(from) + 1);
}

/* Appends; either operand may be the destination. */
SP_CODE void sp_str_cat(char *to, const char *a, const char *b)
{
	size_t max = sp_script.maxstringlen - 1, na = strlen(a), nb = strlen(b);

	if (nb > max - na)
		nb = max - na;
	memmove(to + na, b, nb);
	if (to != a)
		memmove(to, a, na);
	to[na + nb] = 0;
}

SP_CODE s64 sp_str_cmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b ? 0 : (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

SP_CODE s64 sp_str_eq(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

SP_CODE s64 sp_in_strlen(struct sp_ctx *c, const char *s)
{
	return strlen(s);
}

SP_CODE void sp_in_substr(struct sp_ctx *c, char *to, const char *s, s64 start, s64 length)
{
	s64 n = strlen(s);

	if (start < 0 || start >= n || length <= 0) {
		to[0] = 0;
		return;
	}
	if (length > n - start)
		length = n - start;
	memmove(to, s + start, length);
	to[length] = 0;
}

SP_CODE s64 sp_in_isinstr(struct sp_ctx *c, const char *s, const char *what)
{
	return text_strpos(s, what) >= 0;
}

SP_CODE s64 sp_in_strpos(struct sp_ctx *c, const char *s, const char *what)
{
	return text_strpos(s, what);
}

SP_CODE s64 sp_in_stringat(struct sp_ctx *c, const char *s, s64 at)
{
	return at >= 0 && at < sp_script.maxstringlen && at < strlen(s) ? (unsigned char)s[at] : 0;
}

SP_CODE void sp_in_str_replace(struct sp_ctx *c, char *to, const char *s, const char *what,
			       const char *by)
{
	text_replace(c->scratch, sp_script.maxstringlen - 1, s, what, by);
	sp_str_copy(to, c->scratch);
}

SP_CODE void sp_in_text_strn(struct sp_ctx *c, char *to, const char *s, s64 most, s64 quoted)
{
	size_t max = sp_script.maxstringlen - 1;

	text_escape(c->scratch, most <= 0 || most > max ? max : most, s, strlen(s), quoted != 0);
	sp_str_copy(to, c->scratch);
}

SP_CODE void sp_in_tokenize(struct sp_ctx *c, char *to, const char *s, const char *delim)
{
	const char *token;
	size_t n;

	if (*s) {
		sp_str_copy(c->token, s);
		c->token_at = 0;
	}
	token = text_token(c->token, &c->token_at, delim, &n);
	memcpy(to, token, n);
	to[n] = 0;
}

static SP_CODE int sp_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 0x20;
	return ch >= 'a' && ch <= 'z' ? ch - 'a' + 10 : 99;
}

/*
 * As C's strtoll: blanks, a sign, the prefixes of base 0, 16 and 8; stops at what is no digit; out
 * of range saturates.
 */
SP_CODE s64 sp_in_strtol(struct sp_ctx *c, const char *s, s64 base)
{
	u64 v = 0, limit;
	bool minus;

	if (base < 0 || base == 1 || base > 36)
		return 0;
	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	minus = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' &&
	    sp_digit(s[2]) < 16) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = *s == '0' ? 8 : 10;
	}
	limit = (u64)S64_MAX + minus;
	for (; sp_digit(*s) < base; s++) {
		u64 digit = sp_digit(*s);

		if (v > limit / base || v * base > limit - digit) {
			v = limit;
			break;
		}
		v = v * base + digit;
	}
	return minus ? (s64)(0 - v) : (s64)v;
}

/* ---- texts of errors ---- */

static const char *const sp_error_texts[SP_ERR_COUNT] = {
#define ERR(id, text) text,
#include "base/errors.def"
#undef ERR
};

/* What ir/errors.def says an error's text is. */
static SP_CODE int sp_error_text(const struct sp_ctx *c, char *to, size_t size)
{
	static const struct fmt_spec dec = { 'd', FMT_F_NONE, FMT_NONE, FMT_NONE };
	static const struct fmt_spec hex = { 'x', FMT_F_NONE, FMT_NONE, FMT_NONE };
	struct fmt_out o = { to, 0, size };
	const char *t = sp_error_texts[c->err.kind < SP_ERR_COUNT ? c->err.kind : 0], *s;

	for (; *t; t++) {
		if (*t != '%') {
			fmt_lit(&o, t, 1);
			continue;
		}
		switch (*++t) {
		case 'd':
			fmt_int(&o, &dec, c->err.operand);
			break;
		case 'x':
			fmt_int(&o, &hex, c->err.operand);
			break;
		default:
			s = c->err.text;
			if (*t == 'g')
				s = (u64)c->err.operand < sp_script.nglobals
					    ? sp_script.globals[c->err.operand].name
					    : "?";
			fmt_lit(&o, s, strlen(s));
		}
	}
	fmt_end(&o);
	return o.len;
}

SP_CODE void sp_errmsg(struct sp_ctx *c, char *to)
{
	sp_error_text(c, to, sp_script.maxstringlen);
}

SP_CODE void sp_raise(struct sp_ctx *c, const char *text)
{
	c->err.kind = SP_ERR_USER;
	c->err.operand = 0;
	sp_str_copy(c->err.text, text);
}
