/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the kernel a script is compiled for: its types (BTF) and the names of its
 * functions. Everything is read on first use, once a run.
 */
#ifndef SPILE_SYMBOLS_KERNEL_H
#define SPILE_SYMBOLS_KERNEL_H

#include "session.h"
#include "symbols/btf.h"

struct kernel_syms;

/* Lives in the session's arena; reads nothing yet. */
struct kernel_syms *kernel_syms_new(struct session *s);

/*
 * The kernel's BTF. NULL when none was found: then *@why says what is missing and *@hint what to
 * install.
 *
 * The running kernel gives its own. For another: an image or debug file of it in the build tree, on
 * this machine or under the folder that the environment variable SPILE_KERNEL_ROOT names (laid out
 * as /, with boot/vmlinuz-RELEASE). What had to be decompressed is kept in the cache, by the
 * image's time and size.
 */
const struct kbtf *kernel_btf(struct kernel_syms *k, const char **why, const char **hint);

/* Its bytes; 0 when it has not been read, or there is none. */
uint64_t kernel_btf_size(const struct kernel_syms *k);

/*
 * BTF of the running kernel's modules: the @i-th and its name; NULL past the last, and for other
 * kernels.
 */
const struct kbtf *kernel_module_btf(struct kernel_syms *k, uint32_t i, const char **module);

/*
 * BTF of one module: @bytes of its file's section (NULL: it has none), else what the running kernel keeps of it. NULL:
 * there is none.
 */
const struct kbtf *kernel_btf_of(struct kernel_syms *k, const char *module, const void *bytes, size_t len);

enum kernel_known { KERNEL_HAS, KERNEL_HAS_NOT, KERNEL_UNSURE };
/* Whether there is such a function. Feeds the names it saw to @near unless that is NULL. */
enum kernel_known kernel_has_function(struct kernel_syms *k, const char *name,
				      struct near_match *near);

/*
 * Whether the running kernel's tracefs has event @name in @system (NULL: any; then *@found is set
 * when it is known).
 */
enum kernel_known kernel_has_event(struct kernel_syms *k, const char *system, const char *name,
				   const char **found);

/*
 * in kallsyms.c: looks through text of lines "ADDRESS TYPE NAME [...]", as in /proc/kallsyms and
 * System.map
 */
enum kernel_known kallsyms_find(struct arena *a, const char *path, const char *name,
				struct near_match *near);

/*
 * in kimage.c: takes the section .BTF of a compressed kernel image. NULL, or what is wrong: "it is
 * damaged ..."
 */
const char *kimage_btf(struct arena *a, const char *image, struct buf *out);

#endif
