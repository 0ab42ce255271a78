/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats for emit and sfmt, built piece by piece; constant text becomes part of the format. */
#include <string.h>

#include "elaborate/internal.h"

void fmt_build_init(struct fmt_build *b)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->text);
}

void fmt_build_lit(struct fmt_build *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%')
			buf_putc(&b->text, '%');
		buf_putc(&b->text, s[i]);
	}
}

static void put_size(struct buf *out, const char *before, int n)
{
	if (n == FMT_STAR)
		buf_printf(out, "%s*", before);
	else if (n != FMT_NONE)
		buf_printf(out, "%s%d", before, n);
}

void fmt_build_conv(struct fmt_build *b, const struct fmt_spec *spec)
{
	static const char *const flags[] = {
		[FMT_F_NONE] = "",   [FMT_F_ZERO] = "0",  [FMT_F_PLUS] = "+",
		[FMT_F_MINUS] = "-", [FMT_F_SPACE] = " ", [FMT_F_HASH] = "#",
	};

	buf_printf(&b->text, "%%%s", flags[spec->flag]);
	put_size(&b->text, "", spec->width);
	put_size(&b->text, ".", spec->prec);
	buf_putc(&b->text, spec->conv);
}

void fmt_build_arg(struct lower *l, struct fmt_build *b, struct ir_val v, enum ir_type t)
{
	vec_push(l->arena, &b->vals, v);
	vec_push(l->arena, &b->types, t);
}

/* The text of a format without conversions, "%%" undone. */
static struct ir_val plain_text(struct lower *l, const char *s)
{
	char *out = arena_strdup(l->arena, s), *p = out;

	for (; *s; s++) {
		if (s[0] == '%' && s[1] == '%')
			s++;
		*p++ = *s;
	}
	*p = '\0';
	return lower_str(l, out);
}

struct ir_val fmt_build_end(struct lower *l, struct fmt_build *b, bool to_string,
			    enum ir_stream stream)
{
	const char *text = arena_strndup(l->arena, b->text.p ? b->text.p : "", b->text.len);
	uint32_t fmt, r;
	struct ir_insn *i;
	bool mem;

	buf_fini(&b->text);
	if (to_string && !b->vals.n)
		return plain_text(l, text);
	if (!to_string && !*text)
		return ir_num(0);
	fmt = ir_fmt_add(l->m, text, b->types.v, b->types.n);
	if (to_string) {
		r = lower_temp(l, IR_STR);
		lower_insn(l, IR_sfmt, r, b->vals.v, b->vals.n)->ref = fmt;
		return ir_reg(r);
	}
	mem = ir_fmt_has_mem(l->m->fmts.v[fmt]);
	i = lower_insn(l, mem ? IR_emitmem : IR_emit, IR_NONE, b->vals.v, b->vals.n);
	i->ref = fmt;
	i->imm = stream;
	if (mem)
		i->loc = lower_loc(l, b->at);
	return ir_num(0);
}
