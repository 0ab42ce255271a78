/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of regular expressions as data of the script's C. */
#include "lkm/emit.h"

/* "static const TYPE reN_NAME[] = {": what follows are the numbers, then end(). */
static void begin(struct lkm_emit *e, const char *type, uint32_t n, const char *name)
{
	buf_printf(e->out, "static const %s re%u_%s[] = {", type, n, name);
}

static void number(struct lkm_emit *e, uint32_t k, uint64_t v)
{
	buf_printf(e->out, k % 16 ? " %lluu," : "\n\t%lluu,", (unsigned long long)v);
}

static void end(struct lkm_emit *e)
{
	buf_puts(e->out, " };\n");
}

#define PUT(type, name, count)                                                                     \
	do {                                                                                       \
		begin(e, type, n, #name);                                                          \
		for (uint32_t k = 0; k < (count); k++)                                             \
			number(e, k, t->name[k]);                                                  \
		end(e);                                                                            \
	} while (0)

static void put_group_tables(struct lkm_emit *e, uint32_t n, const struct regex_tab *t)
{
	PUT("u16", final, t->nstates);
	PUT("u32", back_at, regex_cells(t));
	PUT("u32", back, t->nback);
	PUT("u16", first, t->nfirst);
	begin(e, "struct regex_mark", n, "marks");
	for (uint32_t k = 0; k < t->nmarks; k++)
		buf_printf(e->out, " { 0x%llxULL, 0x%llxULL },",
			   (unsigned long long)t->marks[k].set,
			   (unsigned long long)t->marks[k].clear);
	end(e);
}

static void put_regex(struct lkm_emit *e, uint32_t n)
{
	const struct regex_tab *t = e->m->regexes.v[n].tab;

	PUT("u8", classes, 256);
	PUT("u16", next, regex_cells(t));
	PUT("u16", end, t->nstates);
	if (t->ngroups)
		put_group_tables(e, n, t);
	buf_printf(e->out, "static const struct regex_tab re%u = {\n", n);
	buf_printf(e->out,
		   "\t.start = %u, .nstates = %u, .nclasses = %u, .ngroups = %u, "
		   ".first_final = %u,\n",
		   t->start, t->nstates, t->nclasses, t->ngroups, t->first_final);
	buf_printf(e->out, "\t.classes = re%u_classes, .next = re%u_next, .end = re%u_end,\n", n, n,
		   n);
	if (t->ngroups)
		buf_printf(e->out,
			   "\t.final = re%u_final, .back_at = re%u_back_at, .back = re%u_back,\n"
			   "\t.first = re%u_first, .marks = re%u_marks,\n",
			   n, n, n, n, n);
	buf_puts(e->out, "};\n\n");
}

bool lkm_emit_regexes(struct lkm_emit *e)
{
	bool captures = false;

	for (uint32_t n = 0; n < e->m->regexes.n; n++) {
		put_regex(e, n);
		captures |= e->m->regexes.v[n].groups;
	}
	return captures;
}
