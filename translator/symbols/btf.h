/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A light reader of BTF: names, function parameters, scalar sizes. Works over bytes that stay in
 * place; building the table of types is one linear walk, a look-up by name another.
 */
#ifndef SPILE_SYMBOLS_BTF_H
#define SPILE_SYMBOLS_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct kbtf;

/*
 * Reads @len bytes, which must outlive the result. @base: the kernel's own types for a module's
 * split BTF, else NULL. NULL with *@why set for bytes that are damaged or of an unknown form; they
 * are checked here, once.
 */
struct kbtf *kbtf_new(struct arena *a, const void *bytes, size_t len, const struct kbtf *base,
		      const char **why);

/*
 * The type of that kind (BTF_KIND_...) and name; 0: none. Split BTF: of the module's own types
 * only.
 */
uint32_t kbtf_find(const struct kbtf *b, unsigned int kind, const char *name);
/* How many structures or unions of that name there are, the kernel's own types too. The first call reads all names. */
/* The next of them after number @after (0: the first); 0: no more. */
uint32_t kbtf_each_record(const struct kbtf *b, uint32_t after, unsigned int kind, const char *name);
uint32_t kbtf_count(const struct kbtf *b, unsigned int kind, const char *name);
/* Visits the named types of a kind until @fn returns false. */
void kbtf_each(const struct kbtf *b, unsigned int kind,
	       bool (*fn)(uint32_t id, const char *name, void *arg), void *arg);

/* The same, of the kernel's own types too. */
uint32_t kbtf_find_any(const struct kbtf *b, unsigned int kind, const char *name);
/* A type as it stands in the file; NULL for void and for numbers past the end. */
const struct btf_type *kbtf_get(const struct kbtf *b, uint32_t id);
/* Past typedefs, qualifiers and tags. */
uint32_t kbtf_strip_id(const struct kbtf *b, uint32_t id);
const char *kbtf_text(const struct kbtf *b, uint32_t name_off);
const char *kbtf_name(const struct kbtf *b, const struct btf_type *t);
/* Visits enumerations, named or not, until @fn returns false. */
void kbtf_each_enum(const struct kbtf *b, bool (*fn)(const struct btf_type *t, void *arg), void *arg);

struct kbtf_param {
	const char *name; /* "" when unnamed */
	uint32_t type;
};
/*
 * The parameters of a function, or of what a typedef of a pointer to a function names. -1 when @id
 * is neither.
 * *@ret: type of the result (0: void); may be NULL. The array is in the arena.
 */
int kbtf_params(const struct kbtf *b, struct arena *a, uint32_t id, struct kbtf_param **out,
		uint32_t *ret);

/*
 * Size and sign of an integer, enumeration or pointer, through typedefs and qualifiers; false for
 * anything else.
 */
bool kbtf_scalar(const struct kbtf *b, uint32_t id, uint32_t *width, bool *is_signed);
/* As C would spell it: "struct page *", "const char *", "unsigned long". */
const char *kbtf_type_text(const struct kbtf *b, struct arena *a, uint32_t id);

#endif
