/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function or handler of the IR as a C function: a label for each block, rN for a number's
 * register, sN for a string's. Strings live in the context's string stack, not on the kernel's. A
 * function yields 0, or 1 when it failed, and puts its result where the caller says.
 */
#include "lkm/emit.h"

/* A comment must not end early. */
static void put_comment(struct lkm_emit *e, const char *text)
{
	buf_puts(e->out, "/* ");
	for (; *text; text++) {
		if (text[0] == '*' && text[1] == '/')
			buf_puts(e->out, "* ");
		else if (*text == '\n')
			buf_putc(e->out, ' ');
		else
			buf_putc(e->out, *text);
	}
	buf_puts(e->out, " */\n");
}

static void put_signature(struct lkm_emit *e, uint32_t index)
{
	const struct ir_func *f = e->m->funcs.v[index];
	const struct lkm_func *lf = &e->funcs[index];

	buf_printf(e->out, "static SP_CODE s32 f%u(struct sp_ctx *c", index);
	if (f->ret == IR_I64)
		buf_puts(e->out, ", s64 *result");
	else if (f->ret == IR_STR)
		buf_puts(e->out, ", char *result");
	for (uint32_t r = 0; r < f->nparams; r++) {
		if (f->regs.v[r] == IR_I64)
			buf_printf(e->out, ", s64 r%u", r);
		else
			buf_printf(e->out, ", const char *%c%u", lf->written[r] ? 'p' : 's', r);
	}
	buf_putc(e->out, ')');
}

void lkm_emit_prototype(struct lkm_emit *e, uint32_t index)
{
	put_signature(e, index);
	buf_puts(e->out, ";\n");
}

static void put_registers(struct lkm_emit *e)
{
	const struct ir_func *f = e->f;
	uint32_t slot = 0;

	for (uint32_t r = 0; r < f->regs.n; r++) {
		if (f->regs.v[r] == IR_I64 && r >= f->nparams)
			buf_printf(e->out, "\ts64 r%u;", r);
		else if (f->regs.v[r] == IR_STR && e->lf->written[r])
			buf_printf(e->out, "\tchar *const s%u = frame + %llu;", r,
				   (unsigned long long)slot++ *
					   (unsigned long long)e->m->limits.maxstringlen);
		else
			continue;
		if (f->reg_names.v[r])
			buf_printf(e->out, " /* %s */", f->reg_names.v[r]);
		buf_putc(e->out, '\n');
	}
}

static void put_prologue(struct lkm_emit *e)
{
	const struct ir_func *f = e->f;
	unsigned long long bytes = e->lf->nstrings * (unsigned long long)e->m->limits.maxstringlen;

	buf_puts(e->out, "{\n\tchar *const frame = c->frame;\n");
	put_registers(e);
	buf_putc(e->out, '\n');
	if (e->lf->recursive) {
		buf_printf(
			e->out,
			"\tif (sp_stack_low(c) || c->frame_end - frame < %llu) {\n"
			"\t\tc->err.kind = SP_ERR_NESTING;\n\t\tc->err.operand = 0;\n\t\tc->err.loc = %u;\n"
			"\t\treturn 1;\n\t}\n",
			bytes, f->loc);
	}
	if (bytes)
		buf_printf(e->out, "\tc->frame = frame + %llu;\n", bytes);
	for (uint32_t r = 0; r < f->nparams; r++) {
		if (f->regs.v[r] == IR_STR && e->lf->written[r])
			buf_printf(e->out, "\tsp_str_copy(s%u, p%u);\n", r, r);
	}
}

void lkm_emit_func(struct lkm_emit *e, uint32_t index)
{
	const struct ir_func *f = e->m->funcs.v[index];

	e->f = f;
	e->lf = &e->funcs[index];
	buf_putc(e->out, '\n');
	put_comment(e, f->name);
	put_signature(e, index);
	buf_putc(e->out, '\n');
	put_prologue(e);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		buf_printf(e->out, "b%u:\n", b);
		for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++)
			lkm_emit_insn(e, &f->blocks.v[b]->insns.v[k]);
	}
	buf_puts(e->out, "}\n");
}
