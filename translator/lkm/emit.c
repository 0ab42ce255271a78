/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A script's module: its data, its functions, and the tables that the runtime reads. */
#include "lkm/emit.h"

#include <string.h>

void lkm_put_string(struct lkm_emit *e, const char *s)
{
	size_t n = strnlen(s, (size_t)e->m->limits.maxstringlen - 1);

	buf_putc(e->out, '"');
	buf_put_escaped(e->out, s, n);
	buf_putc(e->out, '"');
}

/* Names and paths are not the script's strings: they are never cut. */
static void put_text(struct lkm_emit *e, const char *s)
{
	if (!s) {
		buf_puts(e->out, "NULL");
		return;
	}
	buf_putc(e->out, '"');
	buf_put_escaped(e->out, s, strlen(s));
	buf_putc(e->out, '"');
}

/* ---- globals ---- */

/* Embedded C sees scalars by a name that its text does not use. */
static void put_scalar_head(struct lkm_emit *e, const char *type, uint32_t k)
{
	bool shared = e->m->embeds.n;

	buf_printf(e->out, "%s%s g%u", shared ? "" : "static ", type, k);
	if (e->m->globals.v[k]->type == IR_STR)
		buf_printf(e->out, "[%lld]", (long long)e->m->limits.maxstringlen);
	if (shared)
		buf_printf(e->out, " __asm__(\"sp_global_%u\")", k);
	buf_puts(e->out, " = ");
}

static void put_scalars(struct lkm_emit *e)
{
	for (uint32_t k = 0; k < e->m->globals.n; k++) {
		const struct ir_global *g = e->m->globals.v[k];

		if (lkm_is_map(g))
			continue;
		if (g->type == IR_STR) {
			put_scalar_head(e, "char", k);
			lkm_put_string(e, g->init_str ? g->init_str : "");
			buf_printf(e->out, "; /* %s */\n", g->name);
		} else if (g->init_num == INT64_MIN) {
			put_scalar_head(e, "s64", k);
			buf_printf(e->out, "-0x7fffffffffffffffLL - 1; /* %s */\n", g->name);
		} else {
			put_scalar_head(e, "s64", k);
			buf_printf(e->out, "%lldLL; /* %s */\n", (long long)g->init_num, g->name);
		}
	}
	buf_printf(e->out, "static struct sp_map *maps[%u];\n\n", e->m->globals.n + 1);
}

/* A number that C's literals, which have no sign, can say. */
static void put_num(struct lkm_emit *e, int64_t v)
{
	buf_printf(e->out, "(s64)0x%llxULL", (unsigned long long)v);
}

static void put_hists(struct lkm_emit *e)
{
	for (uint32_t k = 0; k < e->m->globals.n; k++) {
		const struct agg_hist *h = &e->m->globals.v[k]->hist;

		if (!h->kind)
			continue;
		buf_printf(e->out, "static const struct agg_hist hist%u = { %u, %u, ", k, h->kind,
			   h->buckets);
		put_num(e, h->lo);
		buf_puts(e->out, ", ");
		put_num(e, h->hi);
		buf_puts(e->out, ", ");
		put_num(e, h->width);
		buf_puts(e->out, " };\n");
	}
}

static void put_globals(struct lkm_emit *e)
{
	put_hists(e);
	buf_puts(e->out, "\nstatic const struct sp_global globals[] = {\n");
	for (uint32_t k = 0; k < e->m->globals.n; k++) {
		const struct ir_global *g = e->m->globals.v[k];

		buf_puts(e->out, "\t{ ");
		put_text(e, g->name);
		buf_printf(e->out, ", %u, %u, %u, %u, %u, {", (unsigned int)g->type, g->is_stat,
			   g->wrap, g->sized, g->nkeys);
		for (uint32_t n = 0; n < g->nkeys; n++)
			buf_printf(e->out, " %u,", (unsigned int)g->keys[n]);
		buf_printf(e->out, " 0 }, %u, %u, %u, ", lkm_is_map(g), g->max_entries,
			   g->is_stat ? ir_stat_words(g) : 0);
		if (g->hist.kind)
			buf_printf(e->out, "&hist%u, ", k);
		else
			buf_puts(e->out, "NULL, ");
		if (lkm_is_map(g))
			buf_puts(e->out, "NULL },\n");
		else
			buf_printf(e->out, "&g%u },\n", k);
	}
	buf_puts(e->out, "\t{ 0 }\n};\n");
}

static void put_iters(struct lkm_emit *e)
{
	buf_puts(e->out, "\nstatic const struct sp_iter_desc iters[] = {\n");
	for (uint32_t k = 0; k < e->m->funcs.n; k++) {
		const struct ir_func *f = e->m->funcs.v[k];

		for (uint32_t n = 0; n < f->iters.n; n++)
			buf_printf(e->out, "\t{ %u, %d, %d, %u, %u },\n", f->iters.v[n].global,
				   f->iters.v[n].sort_dir, f->iters.v[n].sort_key,
				   (unsigned int)f->iters.v[n].sort_stat, f->iters.v[n].fixed);
	}
	buf_puts(e->out, "\t{ 0 }\n};\n");
}

/* ---- probes ---- */

enum { LKM_OPTIONAL = 1, LKM_FILTER = 2, LKM_JIFFIES = 4, LKM_ENTRY = 8 }; /* as SP_PF_* of abi.h */

enum { LOCK_NONE, LOCK_READ, LOCK_WRITE };

/*
 * By global: what the passes ask for, and more: a foreach uses arrays that exist once, so that the
 * handler which iterates has the global for itself.
 */
static uint8_t *wanted_locks(struct lkm_emit *e, const struct ir_probe *p)
{
	uint8_t *want = arena_alloc(&e->arena, e->m->globals.n + 1);
	struct ir_uses uses;

	for (uint32_t k = 0; k < p->locks.n; k++)
		want[p->locks.v[k].global] = p->locks.v[k].write ? LOCK_WRITE : LOCK_READ;
	ir_uses(&e->arena, e->m, p->handler, &uses);
	for (uint32_t k = 0; k < e->m->funcs.n; k++) {
		const struct ir_func *f = e->m->funcs.v[k];

		for (uint32_t n = 0; n < f->iters.n && uses.funcs[k]; n++)
			want[f->iters.v[n].global] = LOCK_WRITE;
	}
	return want;
}

/*
 * In order of the global's number, which keeps two handlers from waiting for each other. Returns
 * how many.
 */
static uint32_t put_locks(struct lkm_emit *e, uint32_t probe)
{
	const uint8_t *want = wanted_locks(e, e->m->probes.v[probe]);
	uint32_t n = 0;

	for (uint32_t g = 0; g < e->m->globals.n; g++) {
		if (!want[g])
			continue;
		if (!n++)
			buf_printf(e->out, "static const struct sp_lock_want locks%u[] = {", probe);
		buf_printf(e->out, " { %u, %d },", g, want[g] == LOCK_WRITE);
	}
	if (n)
		buf_puts(e->out, " };\n");
	return n;
}

/* How many of a tracepoint's arguments the handler and what it calls read. */
static uint32_t count_tpargs(const struct ir_module *m)
{
	uint32_t most = 0;

	for (uint32_t k = 0; k < m->funcs.n; k++) {
		const struct ir_func *f = m->funcs.v[k];

		for (uint32_t b = 0; b < f->blocks.n; b++) {
			for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++) {
				const struct ir_insn *i = &f->blocks.v[b]->insns.v[n];

				if (i->op == IR_tparg && IR_TPARG_N(i->imm) >= most)
					most = IR_TPARG_N(i->imm) + 1;
			}
		}
	}
	return most;
}

static bool runs_here(const struct ir_probe *p)
{
	return p->kind != AT_NEVER && !p->user_side;
}

static void put_site_values(struct lkm_emit *e, uint32_t index)
{
	const struct ir_probe *p = e->m->probes.v[index];

	if (p->nums.n)
		buf_printf(e->out, "static const s64 nums%u[] = {", index);
	for (uint32_t k = 0; k < p->nums.n; k++)
		buf_printf(e->out, " (s64)0x%llxULL,", (unsigned long long)p->nums.v[k]);
	if (p->nums.n)
		buf_puts(e->out, " };\n");
	if (p->strs.n)
		buf_printf(e->out, "static const char *const strs%u[] = {", index);
	for (uint32_t k = 0; k < p->strs.n; k++) {
		buf_putc(e->out, ' ');
		lkm_put_string(e, p->strs.v[k]);
		buf_putc(e->out, ',');
	}
	if (p->strs.n)
		buf_puts(e->out, " };\n");
}

static void put_site_table(struct lkm_emit *e, const char *name, uint32_t index, uint32_t n)
{
	if (n)
		buf_printf(e->out, ", %s%u", name, index);
	else
		buf_puts(e->out, ", NULL");
}

static void put_probe(struct lkm_emit *e, uint32_t index, uint32_t ntpargs, uint32_t nlocks)
{
	const struct ir_probe *p = e->m->probes.v[index];
	unsigned int flags = (p->optional ? LKM_OPTIONAL : 0) |
			     (p->filter_target ? LKM_FILTER : 0) | (p->jiffies ? LKM_JIFFIES : 0) |
			     (p->at_entry ? LKM_ENTRY : 0);

	buf_printf(e->out, "\t{ %u, %u, %u, %u, ", (unsigned int)p->kind, flags, index, nlocks);
	if (nlocks)
		buf_printf(e->out, "locks%u, ", index);
	else
		buf_puts(e->out, "NULL, ");
	put_text(e, p->name);
	buf_puts(e->out, ", ");
	put_text(e, p->target);
	buf_puts(e->out, ", ");
	put_text(e, p->symbol);
	buf_printf(e->out, ", %lluULL, %lluULL, %lldLL, %lldLL, %u, %u, %d, %d, f%u",
		   (unsigned long long)p->offset, (unsigned long long)p->semaphore, (long long)p->period,
		   (long long)p->random, p->maxactive, p->kind == AT_TRACEPOINT ? ntpargs : 0, (int)p->pid,
		   p->exe ? (int)ir_track_exe(&e->track, p->exe) : -1, p->handler);
	put_site_table(e, "nums", index, p->nums.n);
	put_site_table(e, "strs", index, p->strs.n);
	buf_puts(e->out, " },\n");
}

/* Before the functions, which read the addresses. */
static void put_syms(struct lkm_emit *e)
{
	if (!e->m->syms.n)
		return;
	buf_printf(e->out, "static struct sp_sym syms[%u] = {\n", e->m->syms.n);
	for (uint32_t k = 0; k < e->m->syms.n; k++) {
		const struct ir_sym *s = &e->m->syms.v[k];

		buf_puts(e->out, "\t{ 0, ");
		put_text(e, s->name);
		buf_puts(e->out, ", ");
		put_text(e, s->anchor);
		buf_printf(e->out, ", %lluULL },\n", (unsigned long long)s->anchor_off);
	}
	buf_puts(e->out, "};\n");
}

/* Returns how many the table has. */
static uint32_t put_probes(struct lkm_emit *e)
{
	uint32_t *nlocks = arena_alloc(&e->arena, (e->m->probes.n + 1) * sizeof(*nlocks));
	uint32_t ntpargs = count_tpargs(e->m), n = 0;

	for (uint32_t k = 0; k < e->m->probes.n; k++) {
		if (!runs_here(e->m->probes.v[k]))
			continue;
		nlocks[k] = put_locks(e, k);
		put_site_values(e, k);
	}
	buf_puts(e->out, "\nstatic const struct sp_probe probes[] = {\n");
	for (uint32_t k = 0; k < e->m->probes.n; k++) {
		if (runs_here(e->m->probes.v[k])) {
			put_probe(e, k, ntpargs, nlocks[k]);
			n++;
		}
	}
	buf_puts(e->out, "\t{ 0 }\n};\n");
	return n;
}

/*
 * Begin, end and error probes by sequence number, as places in the table of probes. Returns how
 * many.
 */
static uint32_t put_session(struct lkm_emit *e)
{
	const struct ir_module *m = e->m;
	uint32_t *place = arena_alloc(&e->arena, (m->probes.n + 1) * sizeof(*place)), n = 0, at = 0;
	uint32_t *order = arena_alloc(&e->arena, (m->probes.n + 1) * sizeof(*order));

	for (uint32_t k = 0; k < m->probes.n; k++) {
		uint32_t to = n;

		if (!runs_here(m->probes.v[k]))
			continue;
		place[k] = at++;
		if (!(ir_attaches[m->probes.v[k]->kind].flags & ATF_SESSION))
			continue;
		for (; to && m->probes.v[order[to - 1]]->seq > m->probes.v[k]->seq; to--)
			order[to] = order[to - 1];
		order[to] = k;
		n++;
	}
	buf_puts(e->out, "\nstatic const u32 session[] = {");
	for (uint32_t k = 0; k < n; k++)
		buf_printf(e->out, " %u,", place[order[k]]);
	buf_puts(e->out, " 0 };\n");
	return n;
}

static bool looks_at_kernel_stack(const struct ir_module *m)
{
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		for (uint32_t b = 0; b < m->funcs.v[k]->blocks.n; b++) {
			const struct ir_block *blk = m->funcs.v[k]->blocks.v[b];

			for (uint32_t n = 0; n < blk->insns.n; n++) {
				const struct ir_insn *i = &blk->insns.v[n];

				if ((i->op == IR_stack && !(i->imm & IRK_USER)) ||
				    (i->op == IR_intr && (i->ref == IN_kstack_text || i->ref == IN_kstack_at)))
					return true;
			}
		}
	}
	return false;
}

static void put_exes(struct lkm_emit *e)
{
	buf_puts(e->out, "\nstatic const char *const exe[] = {");
	for (uint32_t k = 0; k < e->track.nexe; k++) {
		buf_puts(e->out, " ");
		put_text(e, e->track.exe[k]);
		buf_puts(e->out, ",");
	}
	buf_puts(e->out, " 0 };\n");
}

/* As SP_TRACK_* of abi.h. */
static unsigned int track_flags(const struct ir_track *t)
{
	return t->used | t->always << 1 | t->all << 2 | t->threads << 3;
}

static void put_script(struct lkm_emit *e, uint32_t nprobes, uint32_t nsession)
{
	const struct ir_limits *l = &e->m->limits;

	buf_puts(e->out, "\nconst struct sp_script sp_script = {\n\t.abi = SP_ABI_VERSION,\n");
#define NUMBER(field, v) buf_printf(e->out, "\t." #field " = %lldLL,\n", (long long)(v))
	NUMBER(maxstringlen, l->maxstringlen);
	NUMBER(maxnesting, l->maxnesting);
	NUMBER(maxerrors, l->maxerrors);
	NUMBER(maxskipped, l->maxskipped);
	NUMBER(suppress_errors, l->suppress_errors);
	NUMBER(track, track_flags(&e->track));
	NUMBER(maxprocesses, l->maxprocesses);
	NUMBER(nexe, e->track.nexe);
	NUMBER(maxtrylock, l->maxtrylock);
	NUMBER(trylockdelay, l->trylockdelay);
	NUMBER(nglobals, e->m->globals.n);
	NUMBER(nprobes, nprobes);
	NUMBER(niters, e->niters);
	NUMBER(nsession, nsession);
	NUMBER(captures, e->captures);
	NUMBER(nsyms, e->m->syms.n);
	NUMBER(maxbacktrace, l->maxbacktrace);
	NUMBER(maxustack, l->maxustack);
	NUMBER(kstacks, looks_at_kernel_stack(e->m));
	NUMBER(maxaction, l->maxaction);
	NUMBER(maxaction_interruptible, l->maxaction_interruptible);
	NUMBER(string_bytes, e->string_bytes);
	NUMBER(hist_width, l->hist_width);
	NUMBER(hist_elision, l->hist_elision);
#undef NUMBER
	if (e->m->syms.n)
		buf_puts(e->out, "\t.syms = syms,\n");
	buf_puts(e->out,
		 "\t.globals = globals,\n\t.maps = maps,\n\t.iters = iters,\n\t.probes = probes,\n"
		 "\t.exe = exe,\n\t.session = session,\n};\n");
}

int lkm_emit(struct buf *out, const struct ir_module *m, const char *image, struct diag *diag)
{
	struct lkm_emit e = { .out = out, .m = m, .diag = diag };
	unsigned int errors = diag->errors;
	uint32_t nprobes;

	arena_init(&e.arena);
	lkm_analyse(&e);
	ir_track(m, &e.track);
	buf_printf(
		out,
		"/* %s, made by Spile */\n#define SPILE_KERNEL\n#include \"abi.h\"\n#include \"base/agg.h\"\n#include \"base/fmt.h\"\n\n",
		m->name);
	put_scalars(&e);
	put_syms(&e);
	e.captures = lkm_emit_regexes(&e);
	lkm_emit_embed_prototypes(&e);
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		if (e.funcs[k].used)
			lkm_emit_prototype(&e, k);
	}
	for (uint32_t k = 0; k < m->funcs.n; k++) {
		if (e.funcs[k].used)
			lkm_emit_func(&e, k);
	}
	put_globals(&e);
	put_iters(&e);
	put_exes(&e);
	nprobes = put_probes(&e);
	put_script(&e, nprobes, put_session(&e));
	buf_puts(out, "\nasm(\".pushsection .spile,\\\"\\\",@progbits\\n.incbin \\\"");
	buf_put_escaped(out, image, strlen(image));
	buf_puts(out, "\\\"\\n.popsection\");\n");
	arena_fini(&e.arena);
	return diag->errors == errors ? 0 : -1;
}
