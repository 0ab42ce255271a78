/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Embedded C. The script's own C calls sp_embed_N(); these functions are in a file of their own,
 * which includes the kernel's headers and runtime-lkm/embed.h. The user's text is the body of
 * another function, so that it may leave by "goto out".
 */
#include <string.h>

#include "lkm/emit.h"

static uint32_t count_params(const struct ir_embed *x, char letter)
{
	uint32_t n = 0;

	for (const char *s = x->sig + 1; *s; s++)
		n += !letter || *s == letter;
	return n;
}

static uint32_t count_globals(const struct ir_embed *x)
{
	const char *at = x->globals;
	uint32_t global, n = 0;
	bool write;

	while (ir_embed_global(&at, &global, &write))
		n++;
	return n;
}

uint64_t lkm_embed_bytes(const struct lkm_emit *e, const struct ir_embed *x)
{
	return (uint64_t)e->m->limits.maxstringlen * (count_params(x, 's') + count_globals(x) + 2);
}

static void put_prototype(struct buf *out, const struct ir_embed *x, uint32_t index)
{
	buf_printf(out, "s32 sp_embed_%u(struct sp_ctx *c, void *result", index);
	for (uint32_t n = 0; x->sig[n + 1]; n++)
		buf_printf(out, x->sig[n + 1] == 's' ? ", const char *a%u" : ", s64 a%u", n);
	buf_putc(out, ')');
}

void lkm_emit_embed_prototypes(struct lkm_emit *e)
{
	for (uint32_t k = 0; k < e->m->embeds.n; k++) {
		if (!*e->m->embeds.v[k].name)
			continue;
		put_prototype(e->out, &e->m->embeds.v[k], k);
		buf_puts(e->out, ";\n");
	}
}

/* ---- the other file ---- */

/* Name @n of the list of parameters. */
static void put_param(struct buf *out, const struct ir_embed *x, uint32_t n)
{
	const char *p = x->params;

	for (; n; n--)
		p += strcspn(p, " ") + 1;
	buf_add(out, p, strcspn(p, " "));
}

static void put_text(struct buf *out, const struct ir_embed *x)
{
	buf_printf(out, "\n#line %u \"", x->line);
	buf_put_escaped(out, x->file, strlen(x->file));
	buf_puts(out, "\"\n");
	buf_puts(out, x->text);
	buf_puts(out, "\n#line 1 \"(made by Spile)\"\n");
}

static void put_this(struct buf *out, const struct ir_embed *x, uint32_t index)
{
	buf_printf(out, "struct sp_this_%u {\n", index);
	for (uint32_t n = 0; x->sig[n + 1]; n++) {
		const char *type = x->sig[n + 1] == 's' ? "char *" : "s64 ";

		if (x->flags & IRE_UNMANGLED) {
			buf_printf(out, "\tunion { %sl_", type);
			put_param(out, x, n);
			buf_printf(out, "; %s", type);
			put_param(out, x, n);
			buf_puts(out, "; };\n");
		} else {
			buf_printf(out, "\t%sl_", type);
			put_param(out, x, n);
			buf_puts(out, ";\n");
		}
	}
	buf_puts(out, x->sig[0] == 's' ? "\tchar *__retvalue;\n};\n" : "\ts64 __retvalue;\n};\n");
}

static void put_argument_macros(struct buf *out, const struct ir_embed *x, bool define)
{
	for (uint32_t n = 0; x->sig[n + 1]; n++) {
		buf_printf(out, "#%s STAP_ARG_", define ? "define" : "undef");
		put_param(out, x, n);
		if (define) {
			buf_puts(out, " (THIS->l_");
			put_param(out, x, n);
			buf_putc(out, ')');
		}
		buf_putc(out, '\n');
	}
	if (!define) {
		buf_puts(out, "#undef STAP_RETVALUE\n#undef STAP_RETURN\n");
		return;
	}
	buf_puts(out, "#define STAP_RETVALUE (THIS->__retvalue)\n");
	if (x->sig[0] == 'v')
		buf_puts(out, "#define STAP_RETURN(...) do { goto out; } while (0)\n");
	else if (x->sig[0] == 's')
		buf_puts(out,
			 "#define STAP_RETURN(v) do { strscpy(THIS->__retvalue, (v), MAXSTRINGLEN); goto out; } while (0)\n");
	else
		buf_puts(out,
			 "#define STAP_RETURN(v) do { THIS->__retvalue = (s64)(v); goto out; } while (0)\n");
}

/* STAP_GLOBAL_GET_x and SET_x of an array; place @slot is for a string that is read. */
static void put_array_macros(struct buf *out, const struct ir_global *g, uint32_t index, uint32_t slot)
{
	const char *comma = "";

	for (int set = 0; set < 2; set++) {
		buf_printf(out, "#define STAP_GLOBAL_%s_%s(", set ? "SET" : "GET", g->name);
		for (uint32_t n = 0; n < g->nkeys; n++)
			buf_printf(out, "%sk%u", n ? ", " : "", n);
		buf_puts(out, set ? ", v) ({ " : ") ({ ");
		buf_printf(out, "union sp_data sp_k[] = {");
		comma = "";
		for (uint32_t n = 0; n < g->nkeys; n++, comma = ",")
			buf_printf(out, "%s { .%s = (k%u) }", comma,
				   g->keys[n] == IR_STR ? "str" : "num", n);
		buf_puts(out, " }; ");
		if (set)
			buf_printf(out,
				   "if (sp_map_set_%s(sp_c, %u, sp_k, (v))) { sp_x->failed = 1; goto out; } })\n",
				   g->type == IR_STR ? "str" : "num", index);
		else if (g->type == IR_STR)
			buf_printf(out,
				   "char *sp_s = sp_x->slot + %u * MAXSTRINGLEN; sp_map_str(sp_c, %u, sp_k, sp_s); sp_s; })\n",
				   slot, index);
		else
			buf_printf(out, "sp_map_num(sp_c, %u, sp_k); })\n", index);
	}
}

static void put_global_macros(struct buf *out, const struct ir_module *m, const struct ir_embed *x,
			      bool define)
{
	const char *at = x->globals;
	uint32_t index, slot = 0;
	bool write;

	for (; ir_embed_global(&at, &index, &write); slot++) {
		const struct ir_global *g = m->globals.v[index];

		buf_printf(out, "#undef STAP_GLOBAL_GET_%s\n#undef STAP_GLOBAL_SET_%s\n", g->name,
			   g->name);
		if (!define || g->is_stat)
			continue;
		if (g->nkeys)
			put_array_macros(out, g, index, slot);
		else if (g->type == IR_STR)
			buf_printf(out,
				   "#define STAP_GLOBAL_GET_%s() ((const char *)sp_global_%u)\n#define STAP_GLOBAL_SET_%s(v) sp_str_copy(sp_global_%u, (v))\n",
				   g->name, index, g->name, index);
		else
			buf_printf(out,
				   "#define STAP_GLOBAL_GET_%s() (sp_global_%u)\n#define STAP_GLOBAL_SET_%s(v) (sp_global_%u = (v))\n",
				   g->name, index, g->name, index);
	}
}

static void put_body(struct buf *out, const struct ir_embed *x, uint32_t index)
{
	buf_printf(out,
		   "static noinline SP_CODE void sp_body_%u(struct sp_ctx *sp_c, struct sp_embed *sp_x, struct sp_this_%u *THIS)\n{\n",
		   index, index);
	if (x->flags & IRE_EXPR && x->sig[0] == 's')
		buf_puts(out, "\tstrscpy(THIS->__retvalue, ({");
	else
		buf_puts(out, x->flags & IRE_EXPR ? "\tTHIS->__retvalue = (s64)({" : "\t{");
	put_text(out, x);
	if (x->flags & IRE_EXPR)
		buf_puts(out, x->sig[0] == 's' ? "\t;}), MAXSTRINGLEN);\n" : "\t;});\n");
	else
		buf_puts(out, "\t}\n");
	if (!strstr(x->text, "CATCH_DEREF_FAULT"))
		buf_puts(out, "\tCATCH_DEREF_FAULT();\n");
	buf_puts(out, "\tif (0)\n\t\tgoto out;\nout:;\n}\n");
}

static void put_function(struct buf *out, const struct ir_embed *x, uint32_t index)
{
	put_prototype(out, x, index);
	buf_puts(out, ";\nSP_CODE ");
	put_prototype(out, x, index);
	buf_printf(out,
		   "\n{\n\tstruct sp_this_%u this;\n\tstruct sp_embed x;\n\tchar *frame = c->frame;\n\n\tsp_embed_begin(c, &x);\n\tx.result = sp_embed_string(c);\n",
		   index);
	for (uint32_t n = 0; x->sig[n + 1]; n++) {
		buf_puts(out, "\tthis.l_");
		put_param(out, x, n);
		buf_printf(out, x->sig[n + 1] == 's' ? " = sp_embed_copy(c, a%u);\n" : " = a%u;\n",
			   n);
	}
	buf_puts(out, "\tx.slot = c->frame;\n");
	buf_printf(out, "\tc->frame += %u * MAXSTRINGLEN;\n", count_globals(x));
	buf_puts(out, x->sig[0] == 's' ? "\tthis.__retvalue = x.result;\n"
				       : "\tthis.__retvalue = 0;\n");
	buf_printf(out, "\tsp_body_%u(c, &x, &this);\n\tif (sp_embed_end(c, &x, frame))\n\t\treturn 1;\n",
		   index);
	if (x->sig[0] == 's')
		buf_puts(out,
			 "\tif (result) {\n\t\tx.result[MAXSTRINGLEN - 1] = 0;\n\t\tsp_str_copy(result, x.result);\n\t}\n");
	else if (x->sig[0] == 'i')
		buf_puts(out, "\tif (result)\n\t\t*(s64 *)result = this.__retvalue;\n");
	buf_puts(out, "\treturn 0;\n}\n\n");
}

/* The number of the format "%s", which lowering made. */
static uint32_t text_format(const struct ir_module *m)
{
	for (uint32_t k = 0; k < m->fmts.n; k++) {
		const struct ir_fmt *f = m->fmts.v[k];
		const struct fmt_spec *p = &f->pieces.v[0].spec;

		if (f->pieces.n == 1 && !f->pieces.v[0].lit && p->conv == 's' &&
		    p->flag == FMT_F_NONE && p->width == FMT_NONE && p->prec == FMT_NONE)
			return k;
	}
	return 0;
}

static void put_scalar_names(struct buf *out, const struct ir_module *m)
{
	for (uint32_t k = 0; k < m->globals.n; k++) {
		const struct ir_global *g = m->globals.v[k];

		if (lkm_is_map(g))
			continue;
		buf_printf(out, g->type == IR_STR ? "extern char sp_global_%u[MAXSTRINGLEN];\n"
						  : "extern s64 sp_global_%u;\n",
			   k);
	}
}

static void put_top(struct buf *out, const struct ir_module *m, uint32_t last)
{
	for (uint32_t k = 0; k < m->embeds.n; k++) {
		const struct ir_embed *x = &m->embeds.v[k];

		if (!*x->name && (x->flags & IRE_LAST) == last)
			put_text(out, x);
	}
}

void lkm_emit_embeds(struct buf *out, const struct ir_module *m)
{
	buf_printf(out, "#define MAXSTRINGLEN %lld\n#define SP_TEXT_FORMAT %u\n#include \"embed.h\"\n",
		   (long long)m->limits.maxstringlen, text_format(m));
	put_scalar_names(out, m);
	put_top(out, m, 0);
	for (uint32_t k = 0; k < m->embeds.n; k++) {
		const struct ir_embed *x = &m->embeds.v[k];

		if (!*x->name)
			continue;
		put_this(out, x, k);
		put_argument_macros(out, x, true);
		put_global_macros(out, m, x, true);
		put_body(out, x, k);
		put_function(out, x, k);
		put_argument_macros(out, x, false);
		put_global_macros(out, m, x, false);
	}
	put_top(out, m, IRE_LAST);
}
