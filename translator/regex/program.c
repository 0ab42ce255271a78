/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the tree to a program, and the classes of bytes that it tells apart.
 *
 * A repetition without an upper count may go round again only after a round that took something:
 * the machine enters no instruction twice at one place. Where its body may match nothing it is
 * therefore written (x+)?, so that the first round counts.
 */
#include <string.h>

#include "regex/regex_int.h"

struct coder {
	struct arena *a;
	struct re_program *out;
	bool groups;
};

/* How many instructions @n becomes at most; saturates. */
static uint64_t size_of(const struct re_node *n)
{
	uint64_t s = 0, round;

	for (uint32_t k = 0; k < n->sub.n && s <= REGEX_MAXPROGRAM; k++)
		s += size_of(n->sub.v[k]);
	switch (n->kind) {
	case RE_CAT:
	case RE_EMPTY:
		return s;
	case RE_ALT:
		return s + 2 * n->sub.n;
	case RE_GROUP:
		return s + 2;
	case RE_REPEAT:
		round = s + (n->first_group < n->last_group);
		if (n->max == RE_ENDLESS)
			return (uint64_t)n->min * round + round + 3;
		return (uint64_t)n->min * round + (uint64_t)(n->max - n->min) * (round + 1);
	default:
		return s + 1;
	}
}

static uint32_t emit(struct coder *c, enum re_op op, uint32_t x, uint32_t y)
{
	vec_push(c->a, &c->out->code, ((struct re_insn){ .op = op, .x = x, .y = y }));
	return c->out->code.n - 1;
}

static uint32_t here(const struct coder *c)
{
	return c->out->code.n;
}

static void emit_node(struct coder *c, const struct re_node *n);

static void emit_set(struct coder *c, const struct byte_set *s)
{
	uint32_t k = 0;

	while (k < c->out->sets.n && memcmp(&c->out->sets.v[k], s, sizeof(*s)) != 0)
		k++;
	if (k == c->out->sets.n)
		vec_push(c->a, &c->out->sets, *s);
	emit(c, RI_SET, k, 0);
}

static void emit_alternatives(struct coder *c, const struct re_node *n)
{
	uint32_t *ends = arena_alloc(c->a, n->sub.n * sizeof(*ends));
	uint32_t last = n->sub.n - 1;

	for (uint32_t k = 0; k < last; k++) {
		uint32_t split = emit(c, RI_SPLIT, here(c) + 1, 0);

		emit_node(c, n->sub.v[k]);
		ends[k] = emit(c, RI_JUMP, 0, 0);
		c->out->code.v[split].y = here(c);
	}
	emit_node(c, n->sub.v[last]);
	for (uint32_t k = 0; k < last; k++)
		c->out->code.v[ends[k]].x = here(c);
}

/* One round: what the groups inside held in the round before is forgotten. */
static void emit_round(struct coder *c, const struct re_node *body)
{
	if (c->groups && body->first_group < body->last_group) {
		uint32_t at = emit(c, RI_CLEAR, 0, 0);

		for (uint32_t g = body->first_group; g < body->last_group; g++)
			c->out->code.v[at].clear |= UINT64_C(3) << (2 * g);
	}
	emit_node(c, body);
}

static void emit_endless(struct coder *c, const struct re_node *body, bool once)
{
	uint32_t loop, skip = 0, split;

	if (!once && !body->nullable) {
		loop = emit(c, RI_SPLIT, here(c) + 1, 0);
		emit_round(c, body);
		emit(c, RI_JUMP, loop, 0);
		c->out->code.v[loop].y = here(c);
		return;
	}
	if (!once)
		skip = emit(c, RI_SPLIT, here(c) + 1, 0);
	loop = here(c);
	emit_round(c, body);
	split = emit(c, RI_SPLIT, loop, 0);
	c->out->code.v[split].y = here(c);
	if (!once)
		c->out->code.v[skip].y = here(c);
}

static void emit_repeat(struct coder *c, const struct re_node *n)
{
	const struct re_node *body = n->sub.v[0];
	int extra = n->max == RE_ENDLESS ? 0 : n->max - n->min;
	int fixed = n->max == RE_ENDLESS && n->min ? n->min - 1 : n->min;
	uint32_t *splits = arena_alloc(c->a, ((uint32_t)extra + 1) * sizeof(*splits));

	for (int k = 0; k < fixed; k++)
		emit_round(c, body);
	if (n->max == RE_ENDLESS) {
		emit_endless(c, body, n->min > 0);
		return;
	}
	for (int k = 0; k < extra; k++) {
		splits[k] = emit(c, RI_SPLIT, here(c) + 1, 0);
		emit_round(c, body);
	}
	for (int k = 0; k < extra; k++)
		c->out->code.v[splits[k]].y = here(c);
}

static void emit_mark(struct coder *c, uint32_t bit)
{
	if (c->groups)
		emit(c, RI_MARK, bit, 0);
}

static void emit_node(struct coder *c, const struct re_node *n)
{
	switch (n->kind) {
	case RE_EMPTY:
		break;
	case RE_SET:
		emit_set(c, &n->set);
		break;
	case RE_BOL:
		emit(c, RI_BOL, 0, 0);
		break;
	case RE_EOL:
		emit(c, RI_EOL, 0, 0);
		break;
	case RE_CAT:
		for (uint32_t k = 0; k < n->sub.n; k++)
			emit_node(c, n->sub.v[k]);
		break;
	case RE_ALT:
		emit_alternatives(c, n);
		break;
	case RE_REPEAT:
		emit_repeat(c, n);
		break;
	case RE_GROUP:
		emit_mark(c, 2 * n->group);
		emit_node(c, n->sub.v[0]);
		emit_mark(c, 2 * n->group + 1);
		break;
	}
}

/* Two bytes are of one class when every set has both or neither. */
static void classify(struct re_program *p)
{
	uint8_t renamed[256];
	uint16_t moved[2][256];

	p->nclasses = 1;
	memset(p->classes, 0, sizeof(p->classes));
	for (uint32_t k = 0; k < p->sets.n && p->nclasses < 256; k++) {
		uint32_t n = 0;

		memset(moved, 0xff, sizeof(moved));
		for (unsigned int c = 0; c < 256; c++) {
			uint16_t *to = &moved[set_has(&p->sets.v[k], c)][p->classes[c]];

			if (*to == 0xffff)
				*to = (uint16_t)n++;
			renamed[c] = (uint8_t)*to;
		}
		memcpy(p->classes, renamed, sizeof(renamed));
		p->nclasses = n;
	}
}

/* Sets of bytes become sets of classes. */
static void translate_sets(struct re_program *p)
{
	for (uint32_t k = 0; k < p->sets.n; k++) {
		struct byte_set s = { 0 };

		for (unsigned int c = 0; c < 256; c++)
			if (set_has(&p->sets.v[k], c))
				set_add(&s, p->classes[c]);
		p->sets.v[k] = s;
	}
}

bool re_program(struct arena *a, const struct re_node *root, bool groups, struct re_program *out)
{
	struct coder c = { .a = a, .out = out, .groups = groups };

	if (size_of(root) > REGEX_MAXPROGRAM)
		return false;
	emit_mark(&c, 0);
	emit_node(&c, root);
	emit_mark(&c, 1);
	emit(&c, RI_MATCH, 0, 0);
	classify(out);
	translate_sets(out);
	return true;
}
