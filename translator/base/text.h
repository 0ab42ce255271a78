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

#endif
