/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type paths, and layouts as constants. */
#include "ir/layout.h"

#include <ctype.h>
#include <string.h>

#define MAX_NUMBER (1u << 30)

struct text {
	const char *at;
	bool bad;
};

static bool take(struct text *t, const char *what)
{
	size_t n = strlen(what);

	if (strncmp(t->at, what, n) != 0)
		return false;
	t->at += n;
	return true;
}

static uint32_t number(struct text *t)
{
	uint64_t v = 0;

	t->bad |= !isdigit((unsigned char)*t->at);
	while (isdigit((unsigned char)*t->at) && v < MAX_NUMBER)
		v = v * 10 + (uint64_t)(*t->at++ - '0');
	t->bad |= v >= MAX_NUMBER;
	return (uint32_t)v;
}

static struct ir_name name(struct text *t)
{
	struct ir_name out = { .s = t->at };

	while (isalnum((unsigned char)*t->at) || *t->at == '_')
		t->at++;
	out.n = (uint32_t)(t->at - out.s);
	t->bad |= !out.n;
	return out;
}

static void record(struct text *t, struct ir_ctype *out)
{
	if (!take(t, "-"))
		out->name = name(t);
	t->bad |= !take(t, " ");
	out->size = number(t);
}

static struct ir_ctype type(struct text *t)
{
	struct ir_ctype out = { 0 };

	while (!t->bad && take(t, "[")) {
		t->bad |= out.ndims == IR_PATH_DIMS;
		if (!t->bad)
			out.dims[out.ndims++] = number(t);
		t->bad |= !take(t, "]");
	}
	if (take(t, "struct ")) {
		out.kind = 's';
		record(t, &out);
	} else if (take(t, "union ")) {
		out.kind = 'n';
		record(t, &out);
	} else if (take(t, "*")) {
		out.kind = '*';
		out.size = 8;
	} else {
		t->bad |= !*t->at || !strchr("iubef", *t->at);
		out.kind = t->bad ? 0 : *t->at++;
		out.size = number(t);
	}
	return out;
}

static bool is_record(const struct ir_ctype *t)
{
	return (t->kind == 's' || t->kind == 'n') && !t->ndims;
}

bool ir_path_parse(const char *text, struct ir_path *out)
{
	struct text t = { .at = text };
	const struct ir_ctype *in = &out->root;

	out->fixed = take(&t, IR_PATH_FIXED);
	out->root = type(&t);
	out->n = 0;
	t.bad |= !is_record(in) || (!out->fixed && !in->name.s);
	while (!t.bad && take(&t, ".")) {
		struct ir_path_step *s = &out->steps[out->n];

		if (out->n++ == IR_PATH_MAX || !is_record(in))
			return false;
		s->member = name(&t);
		t.bad |= !take(&t, "@");
		s->bit = number(&t);
		s->bits = take(&t, ":") ? number(&t) : 0;
		t.bad |= s->bits > 64 || !take(&t, " ");
		s->type = type(&t);
		t.bad |= !s->bits && s->bit % 8;
		in = &s->type;
	}
	return !t.bad && !*t.at;
}

void ir_fix_layouts(struct ir_module *m)
{
	for (uint32_t f = 0; f < m->funcs.n; f++)
		for (uint32_t b = 0; b < m->funcs.v[f]->blocks.n; b++) {
			struct ir_block *blk = m->funcs.v[f]->blocks.v[b];

			for (uint32_t n = 0; n < blk->insns.n; n++) {
				struct ir_insn *i = &blk->insns.v[n];

				if (i->op == IR_layout) {
					i->op = IR_mov;
					i->imm = 0;
				}
				i->aux = 0;
			}
		}
}
