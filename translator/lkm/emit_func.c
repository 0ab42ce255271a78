/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function or handler of the IR as a C function: a label for each block, rN for a number's
 * register. Strings live in the context's string stack, not on the kernel's. A
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
			buf_printf(e->out, ", const char *%c%u", lf->written[r] ? 'p' : 't', r);
	}
	buf_putc(e->out, ')');
}

void lkm_emit_prototype(struct lkm_emit *e, uint32_t index)
{
	put_signature(e, index);
	buf_puts(e->out, ";\n");
}

/* Not a variable: the compiler would keep hundreds of such sums on the kernel's stack. */
void lkm_put_string_reg(struct lkm_emit *e, uint32_t reg)
{
	if (!e->lf->written[reg])
		buf_printf(e->out, "t%u", reg);
	else if (!e->lf->slot[reg])
		buf_puts(e->out, "frame");
	else
		buf_printf(e->out, "(frame + %llu)",
			   (unsigned long long)e->lf->slot[reg] *
				   (unsigned long long)e->m->limits.maxstringlen);
}

/* The longest list of operands that some operation passes on as an array. */
static uint32_t longest_list(const struct ir_func *f)
{
	uint32_t n = 1;

	for (uint32_t b = 0; b < f->blocks.n; b++) {
		for (uint32_t k = 0; k < f->blocks.v[b]->insns.n; k++) {
			if (f->blocks.v[b]->insns.v[k].nargs > n)
				n = f->blocks.v[b]->insns.v[k].nargs;
		}
	}
	return n;
}

/*
 * What operations need for a moment exists once a function: the kernel's stack is small, and
 * variables of many inner blocks would not share it.
 */
static void put_registers(struct lkm_emit *e)
{
	const struct ir_func *f = e->f;

	buf_printf(e->out,
		   "\tunion sp_data list[%u];\n\tstruct fmt_out o;\n\tstruct fmt_spec spec;\n"
		   "\ts64 to;\n\ts32 failed;\n",
		   longest_list(f));
	if (e->lf->spilled)
		buf_printf(e->out, "\ts64 *const n = (s64 *)(frame + %llu);\n",
			   (unsigned long long)e->lf->number_base);

	for (uint32_t r = f->nparams; r < f->regs.n; r++) {
		if (f->regs.v[r] != IR_I64 || e->lf->spilled)
			continue;
		buf_printf(e->out, "\ts64 r%u;", r);
		if (f->reg_names.v[r])
			buf_printf(e->out, " /* %s */", f->reg_names.v[r]);
		buf_putc(e->out, '\n');
	}
}

static void put_prologue(struct lkm_emit *e)
{
	const struct ir_func *f = e->f;
	unsigned long long bytes = e->lf->frame_bytes;

	buf_puts(e->out, "{\n\tchar *const frame = c->frame;\n");
	put_registers(e);
	buf_putc(e->out, '\n');
	if (bytes)
		buf_printf(e->out, "\tc->frame = frame + %llu;\n", bytes);
	for (uint32_t r = 0; r < f->nparams; r++) {
		if (f->regs.v[r] != IR_STR || !e->lf->written[r])
			continue;
		buf_puts(e->out, "\tsp_str_copy(");
		lkm_put_string_reg(e, r);
		buf_printf(e->out, ", p%u);\n", r);
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
