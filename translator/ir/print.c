/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text form. One line a thing; strings, locations and formats stand where they are used, so
 * that the text does not depend on how the tables are numbered. parse.c reads it back. It also
 * prints modules that do not verify.
 */
#include <inttypes.h>

#include "ir_int.h"

static void print_string(struct buf *out, const char *s)
{
	buf_putc(out, '"');
	buf_put_escaped(out, s, strlen(s));
	buf_putc(out, '"');
}

static void print_string_at(struct buf *out, const struct ir_module *m, uint32_t index)
{
	if (index < m->strings.n)
		print_string(out, m->strings.v[index]);
	else
		buf_printf(out, "?string%u", index);
}

static void print_loc(struct buf *out, const struct ir_module *m, uint32_t loc)
{
	if (!loc)
		return;
	buf_puts(out, " @");
	print_string_at(out, m, loc);
}

/* A name is followed by ~N, its index, where another thing of the same sort has the same name. */
static bool twin(const char *a, const char *b)
{
	return a == b || strcmp(a, b) == 0;
}

static void print_global_name(struct buf *out, const struct ir_module *m, uint32_t g)
{
	bool twins = false;

	if (g >= m->globals.n) {
		buf_printf(out, "@?global%u", g);
		return;
	}
	for (uint32_t i = 0; i < m->globals.n && !twins; i++)
		twins = i != g && twin(m->globals.v[i]->name, m->globals.v[g]->name);
	buf_printf(out, twins ? "@%s~%u" : "@%s", m->globals.v[g]->name, g);
}

static void print_func_name(struct buf *out, const struct ir_module *m, uint32_t index)
{
	bool twins = false;

	if (index >= m->funcs.n) {
		buf_printf(out, "@?func%u", index);
		return;
	}
	for (uint32_t i = 0; i < m->funcs.n && !twins; i++)
		twins = i != index && twin(m->funcs.v[i]->name, m->funcs.v[index]->name);
	buf_printf(out, twins ? "@%s~%u" : "@%s", m->funcs.v[index]->name, index);
}

static void print_val(struct buf *out, const struct ir_module *m, struct ir_val v)
{
	if (v.kind == IRV_REG)
		buf_printf(out, "%%%u", v.reg);
	else if (v.kind == IRV_INT)
		buf_printf(out, "%" PRId64, v.num);
	else
		print_string_at(out, m, v.str);
}

static void print_mem(struct buf *out, const struct ir_insn *i)
{
	if (i->op == IR_tparg)
		buf_printf(out, ".%u", IR_TPARG_N(i->imm));
	else
		buf_puts(out, i->imm & IR_USER ? ".user" : ".kernel");
	buf_printf(out, ".%c%u", IR_MEM_SIGNED(i->imm) ? 's' : 'u', IR_MEM_WIDTH(i->imm));
}

static void print_imm(struct buf *out, const struct ir_insn *i)
{
	switch (ir_imm_kind(i->op)) {
	case IMM_NONE:
		if (i->imm)
			buf_printf(out, ".?%u", i->imm);
		break;
	case IMM_STAT:
		buf_printf(out, ".%s", i->imm < IRS_NSTAT ? ir_stat_name[i->imm] : "?");
		break;
	case IMM_STREAM:
		buf_printf(out, ".%s", i->imm <= IRO_WARN ? ir_stream_name[i->imm] : "?");
		break;
	case IMM_ERROR:
		buf_printf(out, ".%s", i->imm < ERR_COUNT ? ir_error_name[i->imm] : "?");
		break;
	case IMM_NUM:
		buf_printf(out, ".%u", i->imm);
		break;
	case IMM_SEND:
		buf_printf(out, ".%s", i->imm < IR_SEND_COUNT ? ir_send_name[i->imm] : "?");
		break;
	case IMM_NAME:
		buf_printf(out, ".%s", i->imm < NM_COUNT ? ir_names[i->imm].name : "?");
		break;
	case IMM_BUF:
		buf_printf(out, ".%s.%s", i->imm & IR_USER ? "user" : "kernel",
			   IR_BUF_FORM(i->imm) < IRB_N ? ir_buf_name[IR_BUF_FORM(i->imm)] : "?");
		break;
	case IMM_LAYOUT:
		buf_printf(out, ".%s", i->imm < IRL_N ? ir_layout_name[i->imm] : "?");
		break;
	case IMM_MEM:
	case IMM_TPARG:
		print_mem(out, i);
		break;
	}
}

static void print_regex(struct buf *out, const struct ir_module *m, uint32_t index)
{
	if (index < m->regexes.n)
		print_string(out, m->regexes.v[index].pattern);
	else
		buf_printf(out, "?regex%u", index);
}

static void print_fmt(struct buf *out, const struct ir_module *m, uint32_t index)
{
	struct buf text;

	if (index >= m->fmts.n) {
		buf_printf(out, "?fmt%u", index);
		return;
	}
	buf_init(&text);
	ir_fmt_text(&text, m->fmts.v[index]);
	buf_putc(out, '"');
	if (text.len)
		buf_put_escaped(out, text.p, text.len);
	buf_putc(out, '"');
	buf_fini(&text);
}

static bool print_ref(struct buf *out, const struct ir_module *m, const struct ir_insn *i)
{
	enum ir_ref ref = ir_ops[i->op].ref;

	if (ref == IRR_NONE || ref == IRR_BLOCK)
		return false;
	buf_putc(out, ' ');
	if (ref == IRR_GLOBAL)
		print_global_name(out, m, i->ref);
	else if (ref == IRR_FUNC)
		print_func_name(out, m, i->ref);
	else if (ref == IRR_FMT)
		print_fmt(out, m, i->ref);
	else if (ref == IRR_REGEX)
		print_regex(out, m, i->ref);
	else if (ref == IRR_INTR)
		buf_puts(out, i->ref < IN_COUNT ? ir_intrinsics[i->ref].name : "?");
	else
		buf_printf(out, "#%u", i->ref);
	return true;
}

/* Keys stand in brackets right behind their global. */
static uint32_t print_keys(struct buf *out, const struct ir_module *m, const struct ir_insn *i)
{
	uint32_t n;

	if (ir_ops[i->op].ref != IRR_GLOBAL || i->ref >= m->globals.n ||
	    strncmp(ir_ops[i->op].operands, "k*", 2))
		return 0;
	n = m->globals.v[i->ref]->nkeys;
	if (n > i->nargs)
		n = i->nargs;
	for (uint32_t k = 0; k < n; k++) {
		buf_puts(out, k ? ", " : " [");
		print_val(out, m, i->args[k]);
	}
	if (n)
		buf_putc(out, ']');
	return n;
}

static void print_insn(struct buf *out, const struct ir_module *m, const struct ir_insn *i)
{
	bool first;
	uint32_t done;

	buf_putc(out, '\t');
	if (i->dst != IR_NONE)
		buf_printf(out, "%%%u = ", i->dst);
	buf_puts(out, ir_ops[i->op].name);
	print_imm(out, i);
	first = !print_ref(out, m, i);
	done = print_keys(out, m, i);
	for (; done < i->nargs; done++, first = false) {
		buf_puts(out, first ? " " : ", ");
		print_val(out, m, i->args[done]);
	}
	for (uint32_t s = 0; s < 2; s++) {
		if (i->succ[s] == IR_NONE)
			continue;
		buf_printf(out, "%sb%u", first ? " " : ", ", i->succ[s]);
		first = false;
	}
	if (i->aux) {
		buf_puts(out, " type ");
		print_string_at(out, m, i->aux);
	}
	if (i->err != IR_NONE)
		buf_printf(out, " !b%u", i->err);
	print_loc(out, m, i->loc);
	buf_putc(out, '\n');
}

/* "long %0 n, string %1 s" */
static void print_regs(struct buf *out, const struct ir_func *f, uint32_t from, uint32_t to)
{
	for (uint32_t r = from; r < to; r++) {
		buf_printf(out, "%s%s %%%u", r == from ? "" : ", ", ir_type_name(f->regs.v[r]), r);
		if (r < f->reg_names.n && f->reg_names.v[r])
			buf_printf(out, " %s", f->reg_names.v[r]);
	}
}

static void print_iter(struct buf *out, const struct ir_module *m, const struct ir_func *f,
		       uint32_t n)
{
	const struct ir_iter *it = &f->iters.v[n];

	buf_printf(out, "    iter #%u ", n);
	print_global_name(out, m, it->global);
	if (it->fixed)
		buf_printf(out, " fixed %u", it->fixed);
	if (it->sort_dir) {
		buf_printf(out, " %s", it->sort_dir > 0 ? "up" : "down");
		if (it->sort_key)
			buf_printf(out, " key %d", it->sort_key);
		else if (it->global < m->globals.n && m->globals.v[it->global]->is_stat)
			buf_printf(out, " %s",
				   (unsigned int)it->sort_stat < IRS_NSTAT
					   ? ir_stat_name[it->sort_stat]
					   : "?");
	}
	buf_putc(out, '\n');
}

static uint32_t func_index(const struct ir_module *m, const struct ir_func *f)
{
	uint32_t i = 0;

	while (i < m->funcs.n && m->funcs.v[i] != f)
		i++;
	return i;
}

void ir_print_func(struct buf *out, const struct ir_module *m, const struct ir_func *f)
{
	buf_puts(out, f->is_handler ? "handler " : "func ");
	print_func_name(out, m, func_index(m, f));
	if (!f->is_handler) {
		buf_puts(out, " (");
		print_regs(out, f, 0, f->nparams < f->regs.n ? f->nparams : f->regs.n);
		buf_printf(out, ") %s", ir_type_name(f->ret));
	}
	print_loc(out, m, f->loc);
	buf_puts(out, " {\n");
	if (f->regs.n > f->nparams) {
		buf_puts(out, "    regs ");
		print_regs(out, f, f->nparams, f->regs.n);
		buf_putc(out, '\n');
	}
	for (uint32_t n = 0; n < f->iters.n; n++)
		print_iter(out, m, f, n);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		buf_printf(out, "b%u:\n", b);
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++)
			print_insn(out, m, &f->blocks.v[b]->insns.v[n]);
	}
	buf_puts(out, "}\n");
}

static void print_stat_ops(struct buf *out, uint32_t mask)
{
	const char *sep = " ops ";

	for (unsigned int i = 0; i < IRS_NSTAT; i++) {
		if (!(mask & 1u << i))
			continue;
		buf_printf(out, "%s%s", sep, ir_stat_name[i]);
		sep = ",";
	}
}

static void print_global(struct buf *out, const struct ir_module *m, uint32_t n)
{
	const struct ir_global *g = m->globals.v[n];

	buf_puts(out, "global ");
	print_global_name(out, m, n);
	buf_printf(out, " %s", g->is_stat ? "stats" : ir_type_name(g->type));
	for (uint32_t k = 0; k < g->nkeys && k < IR_MAXKEYS; k++)
		buf_printf(out, "%c%s", k ? ',' : '[', ir_type_name(g->keys[k]));
	if (g->nkeys)
		buf_printf(out, "] size %u", g->max_entries);
	print_stat_ops(out, g->stat_ops);
	if (g->hist.kind == AGG_HIST_LOG)
		buf_puts(out, " hist log");
	else if (g->hist.kind == AGG_HIST_LINEAR)
		buf_printf(out, " hist linear %" PRId64 " %" PRId64 " %" PRId64, g->hist.lo,
			   g->hist.hi, g->hist.width);
	if (g->sized)
		buf_puts(out, " sized");
	if (g->wrap)
		buf_puts(out, " wrap");
	if (g->hex)
		buf_puts(out, " hex");
	if (g->init_num)
		buf_printf(out, " = %" PRId64, g->init_num);
	if (g->init_str) {
		buf_puts(out, " = ");
		print_string(out, g->init_str);
	}
	buf_putc(out, '\n');
}

static void print_probe_text(struct buf *out, const char *key, const char *s)
{
	if (!s)
		return;
	buf_printf(out, " %s ", key);
	print_string(out, s);
}

static void print_probe_num(struct buf *out, const char *key, int64_t v)
{
	if (v)
		buf_printf(out, " %s %" PRId64, key, v);
}

static void print_probe(struct buf *out, const struct ir_module *m, const struct ir_probe *p)
{
	buf_printf(out, "probe %s ",
		   (unsigned int)p->kind < AT_COUNT ? ir_attaches[p->kind].name : "?");
	print_func_name(out, m, p->handler);
	print_probe_text(out, "name", p->name);
	print_probe_text(out, "chain", p->chain);
	print_probe_text(out, "target", p->target);
	print_probe_text(out, "symbol", p->symbol);
	print_probe_text(out, "proto", p->proto);
	print_probe_text(out, "exe", p->exe);
	print_probe_num(out, "seq", p->seq);
	print_probe_num(out, "period", p->period);
	print_probe_num(out, "random", p->random);
	print_probe_num(out, "offset", (int64_t)p->offset);
	print_probe_num(out, "semaphore", (int64_t)p->semaphore);
	print_probe_num(out, "maxactive", p->maxactive);
	print_probe_num(out, "pid", p->pid);
	if (p->jiffies)
		buf_puts(out, " jiffies");
	if (p->optional)
		buf_puts(out, " optional");
	if (p->filter_target)
		buf_puts(out, " filter");
	if (p->at_entry)
		buf_puts(out, " entry");
	if (p->user_side)
		buf_puts(out, " user");
	for (uint32_t i = 0; i < p->locks.n; i++) {
		buf_puts(out, p->locks.v[i].write ? " write " : " read ");
		print_global_name(out, m, p->locks.v[i].global);
	}
	for (uint32_t i = 0; i < p->nums.n; i++)
		buf_printf(out, " num %" PRId64, p->nums.v[i]);
	for (uint32_t i = 0; i < p->strs.n; i++)
		print_probe_text(out, "str", p->strs.v[i]);
	buf_putc(out, '\n');
}

static void print_embed(struct buf *out, const struct ir_embed *x)
{
	const char *const texts[] = { x->name, x->sig, x->params, x->globals, x->file, x->text };

	buf_puts(out, "embed");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		buf_putc(out, ' ');
		print_string(out, texts[i]);
	}
	buf_printf(out, " %u %u\n", x->line, x->flags);
}

static void print_sym(struct buf *out, const struct ir_sym *x)
{
	buf_puts(out, "symbol ");
	print_string(out, x->name);
	if (x->anchor) {
		buf_putc(out, ' ');
		print_string(out, x->anchor);
		buf_printf(out, " %" PRId64, (int64_t)x->anchor_off);
	}
	buf_putc(out, '\n');
}

static void print_build(struct buf *out, const struct ir_build *x)
{
	buf_puts(out, "build ");
	print_string(out, x->object);
	buf_putc(out, ' ');
	print_string(out, x->id);
	buf_putc(out, '\n');
}

void ir_print(struct buf *out, const struct ir_module *m)
{
	buf_puts(out, "module ");
	print_string(out, m->name ? m->name : "");
	buf_puts(out, m->recursive ? " recursive\n" : "\n");
	if (m->release) {
		buf_puts(out, "kernel ");
		print_string(out, m->release);
		buf_printf(out, " %" PRId64 "\n", (int64_t)m->kernel_id);
	}
	for (unsigned int i = 0; i < ir_limit_n; i++) {
		int64_t v = *ir_limit_field(&m->limits, &ir_limit_table[i]);

		if (v != ir_limit_table[i].def)
			buf_printf(out, "limit %s %" PRId64 "\n", ir_limit_table[i].name, v);
	}
	for (uint32_t i = 0; i < m->globals.n; i++)
		print_global(out, m, i);
	for (uint32_t i = 0; i < m->embeds.n; i++)
		print_embed(out, &m->embeds.v[i]);
	for (uint32_t i = 0; i < m->builds.n; i++)
		print_build(out, &m->builds.v[i]);
	for (uint32_t i = 0; i < m->syms.n; i++)
		print_sym(out, &m->syms.v[i]);
	for (uint32_t i = 0; i < m->probes.n; i++)
		print_probe(out, m, m->probes.v[i]);
	for (uint32_t i = 0; i < m->funcs.n; i++) {
		buf_putc(out, '\n');
		ir_print_func(out, m, m->funcs.v[i]);
	}
}
