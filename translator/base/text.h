/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String routines that user space and the module runtime share, so that one function has one
 * meaning. Freestanding, as fmt.h is. (eBPF has code of its own: translator/bpf/rt_text.c.)
 */
#ifndef SPILE_BASE_TEXT_H
#define SPILE_BASE_TEXT_H

#include "base/fmt.h"

/*
 * @n bytes with those that cannot be printed as escapes, into @out, which has room for @most bytes
 * and a NUL; how many bytes that is. No escape is cut. Quoted: in '"', and one that does not fit
 * ends in '"...' ; at least 5 bytes are taken as room then.
 */
size_t text_escape(char *out, size_t most, const char *in, size_t n, int quoted);

/*
 * The next token of @s from *@at on, which moves behind it and the delimiter that ends it. Its place;
 * *@n is 0 when there is none.
 */
const char *text_token(const char *s, size_t *at, const char *delim, size_t *n);

/* @s with @by for each @what, cut at @most bytes. Returns the length; @out is neither of them. */
size_t text_replace(char *out, size_t most, const char *s, const char *what, const char *by);

/* Where @what occurs first in @s, or -1. */
int64_t text_strpos(const char *s, const char *what);

/*
 * Takes one unit of @width (2: UTF-16, 4: UTF-32) bytes of a text and yields the UTF-8 of what it
 * ends, at most 4 bytes: how many, 0 for the first half of a pair, -1 for what is not valid. *@high is 0 at
 * first, and again at the end of a valid text.
 */
int text_utf8(char out[4], uint32_t *high, uint32_t unit, int width);

#endif
