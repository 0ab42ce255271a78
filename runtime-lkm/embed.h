/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Around a script's embedded C: what its text may use, and what the functions made of it need. The
 * text is compiled by kbuild, as a file of its own beside the script's.
 *
 * In these macros sp_c is the hit's context, sp_x what belongs to this call, THIS its arguments.
 */
#ifndef SPILE_EMBED_H
#define SPILE_EMBED_H

#include "kernel.h"
#include <linux/fdtable.h>
#include <linux/version.h>

#define SPILE_RT_H /* the kernel's headers are here: abi.h need not declare memcpy() */
#include "abi.h"
#include "base/record.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

/* Names that scripts of SystemTap's time know; its configuration tests are true on kernels that are served. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define strlcpy strscpy
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#define fcheck_files files_lookup_fd_raw
#endif
#define STAPCONF_DPATH_PATH 1
#define STAPCONF_LINUX_UIDGID_H 1

/* One call. CONTEXT in the text is a pointer to it. */
struct sp_embed {
	const char *last_error; /* the text may set it: the call fails with this message */
	const char *probe_point;
	struct pt_regs *kregs, *uregs;
	s32 failed; /* sp_c->err is set */
	char *text; /* one string, for messages */
	char *slot; /* strings of globals that were read: one each */
	char *result; /* one string */
};

/* The next place on the context's string stack, empty. */
static inline char *sp_embed_string(struct sp_ctx *c)
{
	char *s = c->frame;

	c->frame += MAXSTRINGLEN;
	*s = 0;
	return s;
}

/* A copy, which the text may change. */
static inline char *sp_embed_copy(struct sp_ctx *c, const char *from)
{
	char *s = sp_embed_string(c);

	sp_str_copy(s, from);
	return s;
}

static inline void sp_embed_begin(struct sp_ctx *c, struct sp_embed *x)
{
	struct pt_regs *regs = c->regs;

	memset(x, 0, sizeof(*x));
	x->probe_point = c->probe->name;
	if (regs && user_mode(regs))
		x->uregs = regs;
	else
		x->kregs = regs;
	x->text = sp_embed_string(c);
}

static inline s32 sp_embed_end(struct sp_ctx *c, struct sp_embed *x, char *frame)
{
	if (!x->failed && x->last_error && *x->last_error) {
		sp_raise(c, x->last_error);
		x->failed = 1;
	}
	c->frame = frame;
	return x->failed;
}

static inline __printf(3, 4) void sp_embed_error(struct sp_ctx *c, struct sp_embed *x, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(x->text, MAXSTRINGLEN, fmt, args);
	va_end(args);
	sp_raise(c, x->text);
	x->failed = 1;
}

/* Prints; a text that does not fit is an error, not a part of it. */
static inline __printf(4, 5) void sp_embed_printf(struct sp_ctx *c, struct sp_embed *x, u32 format,
						  const char *fmt, ...)
{
	union sp_data data = { .str = x->text };
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(x->text, MAXSTRINGLEN, fmt, args);
	va_end(args);
	if (n >= MAXSTRINGLEN)
		sp_embed_error(c, x, "STAP_PRINTF of %d bytes, MAXSTRINGLEN is %d", n, MAXSTRINGLEN);
	else
		sp_emit(c, REC_PRINT, format, 1, 1, &data);
}

/* 0, or 1 after a fault. */
static inline s32 sp_embed_store(struct sp_ctx *c, u64 addr, s64 v, u32 size, bool user)
{
	return sp_store(c, addr, v, size | (user ? 32 : 0)); /* as IR_MEM() and IR_USER of ir.h */
}

/* Reads a buffer; with @to NULL it only finds out whether that can be done. */
static inline s32 sp_embed_read(struct sp_ctx *c, void *to, const char *from, size_t n)
{
	char byte;
	size_t k;

	for (k = 0; k < n; k++) {
		if (copy_from_kernel_nofault(to ? (char *)to + k : &byte, from + k, 1)) {
			c->err.kind = SP_ERR_KFAULT;
			c->err.operand = (s64)(unsigned long)from;
			return 1;
		}
	}
	return 0;
}

#define CONTEXT sp_x

#define STAP_ERROR(...)                                                                            \
	do {                                                                                       \
		sp_embed_error(sp_c, sp_x, __VA_ARGS__);                                           \
		goto out;                                                                          \
	} while (0)
#define STAP_PRINTF(...)                                                                           \
	do {                                                                                       \
		sp_embed_printf(sp_c, sp_x, SP_TEXT_FORMAT, __VA_ARGS__);                          \
		if (sp_x->failed)                                                                  \
			goto out;                                                                  \
	} while (0)
#define _stp_printf STAP_PRINTF
#define STAP_NEXT                                                                                  \
	do {                                                                                       \
		sp_c->err.kind = SP_ERR_NEXT;                                                      \
		sp_c->err.operand = 0;                                                             \
		sp_x->failed = 1;                                                                  \
		goto out;                                                                          \
	} while (0)

#define SP_USER 32u /* IR_USER of ir.h */
#define SP_FAULT()                                                                                 \
	do {                                                                                       \
		sp_x->failed = 1;                                                                  \
		goto deref_fault;                                                                  \
	} while (0)
#define SP_LOAD(addr, mem)                                                                         \
	({                                                                                         \
		s64 sp_v;                                                                          \
		if (sp_load(sp_c, (u64)(unsigned long)(addr), (mem), &sp_v))                       \
			SP_FAULT();                                                                \
		sp_v;                                                                              \
	})
#define SP_STORE(addr, value, size, user)                                                          \
	({                                                                                         \
		if (sp_embed_store(sp_c, (u64)(unsigned long)(addr), (s64)(value), (size), (user))) \
			SP_FAULT();                                                                \
	})
#define kread(p) ((typeof(*(p)))SP_LOAD(p, sizeof(*(p))))
#define uread(p) ((typeof(*(p)))SP_LOAD(p, sizeof(*(p)) | SP_USER))
#define kwrite(p, v) SP_STORE(p, (typeof(*(p)))(v), sizeof(*(p)), false)
#define uwrite(p, v) SP_STORE(p, (typeof(*(p)))(v), sizeof(*(p)), true)
#define kderef_buffer(to, addr, size)                                                              \
	({                                                                                         \
		if (sp_embed_read(sp_c, (to), (const void *)(unsigned long)(addr), (size)))        \
			SP_FAULT();                                                                \
		(char *)(to);                                                                      \
	})
#define kderef(size, addr) SP_LOAD(addr, size)
#define uderef(size, addr) SP_LOAD(addr, (size) | SP_USER)
#define store_kderef(size, addr, v) SP_STORE(addr, v, size, false)
#define store_uderef(size, addr, v) SP_STORE(addr, v, size, true)
/* Where a failed access continues. A text without it continues at its end. */
#define CATCH_DEREF_FAULT()                                                                        \
	if (0) {                                                                                   \
	deref_fault:;                                                                              \
	}

#endif
