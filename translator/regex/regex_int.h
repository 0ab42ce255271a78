/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the stages: text -> tree (parse.c) -> program (program.c) -> states (dfa.c) -> table. */
#ifndef SPILE_REGEX_INT_H
#define SPILE_REGEX_INT_H

#include "regex/regex.h"

struct byte_set {
	uint64_t w[4];
};

static inline bool set_has(const struct byte_set *s, unsigned int c)
{
	return s->w[c / 64] >> (c % 64) & 1;
}

static inline void set_add(struct byte_set *s, unsigned int c)
{
	s->w[c / 64] |= UINT64_C(1) << (c % 64);
}

enum re_kind { RE_EMPTY, RE_SET, RE_BOL, RE_EOL, RE_CAT, RE_ALT, RE_REPEAT, RE_GROUP };

#define RE_ENDLESS (-1)

struct re_node {
	enum re_kind kind;
	struct byte_set set; /* RE_SET */
	int min, max; /* RE_REPEAT; max may be RE_ENDLESS */
	uint32_t group; /* RE_GROUP: from 1 */
	uint32_t first_group, last_group; /* groups inside: first_group <= g < last_group */
	bool nullable; /* may match the empty string */
	VEC(struct re_node *) sub;
};

/* @ngroups: with the whole match. NULL with @err filled. @warning may be NULL. */
struct re_node *re_parse(struct arena *a, const char *p, size_t len, uint32_t *ngroups,
			 struct regex_error *err, struct regex_error *warning);

enum re_op { RI_SET, RI_SPLIT, RI_JUMP, RI_MARK, RI_CLEAR, RI_BOL, RI_EOL, RI_MATCH };

/* x, y: targets of SPLIT (x goes first) and JUMP; number of SET's set; group end of MARK. */
struct re_insn {
	enum re_op op;
	uint32_t x, y;
	uint64_t clear;
};

/* Instructions for a simulated machine that tries all ways at once. */
struct re_program {
	VEC(struct re_insn) code;
	VEC(struct byte_set) sets; /* of bytes; after re_classes(): of classes */
	uint32_t nclasses;
	uint8_t classes[256];
};

/* False when the program would be too large. */
bool re_program(struct arena *a, const struct re_node *root, bool groups, struct re_program *out);

/* A program as a deterministic automaton; NULL with @err filled when it is too large. */
struct regex_tab *re_determine(struct arena *a, const struct re_program *p, uint32_t ngroups,
			       struct regex_error *err);
/* Joins states that no string can tell apart, and those from which nothing matches. */
void re_minimise(struct arena *a, struct regex_tab *t);

#endif
