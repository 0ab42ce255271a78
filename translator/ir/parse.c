/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the text form that print.c writes: tests are written in it. A ';' starts a comment. What is
 * read is not verified. Function heads are read before everything else, so that calls and probes
 * may name what comes later.
 */
#include "parse_int.h"

static bool next_line(struct ir_parser *p)
{
	const char *end;

	if (!*p->next)
		return false;
	end = strchr(p->next, '\n');
	if (!end)
		end = p->next + strlen(p->next);
	p->line = p->at = arena_strndup(p->m->arena, p->next, (size_t)(end - p->next));
	p->next = *end ? end + 1 : end;
	p->lineno++;
	return true;
}

static bool is_head(struct ir_parser *p, bool *handler)
{
	*handler = text_try(p, "handler @");
	return *handler || text_try(p, "func @");
}

/* "long %0 n", any number of them */
static bool regs(struct ir_parser *p, struct ir_func *f)
{
	do {
		enum ir_type t;
		uint32_t n;
		char *name = NULL;

		if (!text_type(p, &t) || !text_index(p, "%", &n))
			return false;
		if (n != f->regs.n)
			return text_fail(p, "expected %%%u", f->regs.n);
		if (!text_end(p) && !strchr(",)", *p->at))
			name = text_word(p);
		ir_new_reg(p->m, f, t, name);
	} while (text_try(p, ","));
	return true;
}

static bool head(struct ir_parser *p, bool handler)
{
	char *name = text_word(p), *tilde;
	struct ir_func *f;

	if (!name)
		return text_fail(p, "expected a name");
	tilde = strrchr(name, '~');
	if (tilde)
		*tilde = 0;
	f = ir_func_new(p->m, name, handler, NULL);
	if (!handler) {
		if (!text_expect(p, "(") ||
		    (!text_try(p, ")") && (!regs(p, f) || !text_expect(p, ")"))))
			return false;
		f->nparams = f->regs.n;
		if (!text_type(p, &f->ret))
			return false;
	}
	return text_loc(p, &f->loc) && text_expect(p, "{");
}

static bool heads(struct ir_parser *p)
{
	bool handler;

	while (next_line(p))
		if (is_head(p, &handler) && !head(p, handler))
			return false;
	return true;
}

static bool iter(struct ir_parser *p)
{
	struct ir_iter it = { 0 };
	const char *word;
	uint32_t n;
	int64_t key;

	if (!text_index(p, "#", &n) || !text_global(p, &it.global))
		return false;
	if (n != p->f->iters.n)
		return text_fail(p, "expected #%u", p->f->iters.n);
	if (text_try(p, "fixed")) {
		if (!text_num(p, &key))
			return false;
		it.fixed = (uint32_t)key;
	}
	if (text_try(p, "up"))
		it.sort_dir = 1;
	else if (text_try(p, "down"))
		it.sort_dir = -1;
	if (text_try(p, "key")) {
		if (!text_num(p, &key))
			return false;
		it.sort_key = (int)key;
	} else if (!text_end(p)) {
		word = text_word(p);
		it.sort_stat = text_find(ir_stat_name, IRS_NSTAT, word ? word : "");
		if ((unsigned int)it.sort_stat == IRS_NSTAT)
			return text_fail(p, "unknown order");
	}
	vec_push(p->m->arena, &p->f->iters, it);
	return true;
}

static bool func_line(struct ir_parser *p)
{
	uint32_t n;

	if (text_try(p, "regs "))
		return regs(p, p->f);
	if (text_try(p, "iter "))
		return iter(p);
	if (text_try(p, "b") && *p->at >= '0' && *p->at <= '9') {
		if (!text_index(p, "", &n) || !text_expect(p, ":"))
			return false;
		if (n != p->f->blocks.n)
			return text_fail(p, "expected b%u", p->f->blocks.n);
		ir_new_block(p->m, p->f);
		return true;
	}
	p->at = p->line;
	return p->f->blocks.n ? text_insn(p) : text_fail(p, "an instruction outside a block");
}

static bool global_hist(struct ir_parser *p, struct agg_hist *h)
{
	h->kind = text_try(p, "linear") ? AGG_HIST_LINEAR : AGG_HIST_LOG;
	if (h->kind == AGG_HIST_LINEAR
		    ? !text_num(p, &h->lo) || !text_num(p, &h->hi) || !text_num(p, &h->width)
		    : !text_expect(p, "log"))
		return false;
	ir_hist_complete(h);
	return true;
}

static bool global_flags(struct ir_parser *p, struct ir_global *g)
{
	int64_t size;

	while (!text_end(p)) {
		if (text_try(p, "size")) {
			if (!text_num(p, &size))
				return false;
			g->max_entries = (uint32_t)size;
		} else if (text_try(p, "ops")) {
			do {
				const char *w = text_word(p);
				uint32_t s = text_find(ir_stat_name, IRS_NSTAT, w ? w : "");

				if (s == IRS_NSTAT)
					return text_fail(p, "unknown extractor");
				g->stat_ops |= 1u << s;
			} while (text_try(p, ","));
		} else if (text_try(p, "hist")) {
			if (!global_hist(p, &g->hist))
				return false;
		} else if (text_try(p, "sized")) {
			g->sized = true;
		} else if (text_try(p, "wrap")) {
			g->wrap = true;
		} else if (text_try(p, "hex")) {
			g->hex = true;
		} else if (!text_expect(p, "=")) {
			return false;
		} else if (g->type == IR_STR) {
			g->init_str = text_string(p);
			if (!g->init_str)
				return false;
		} else if (!text_num(p, &g->init_num)) {
			return false;
		}
	}
	return true;
}

static bool global(struct ir_parser *p)
{
	struct ir_global *g = arena_new(p->m->arena, struct ir_global);
	char *name = text_expect(p, "@") ? text_word(p) : NULL, *tilde;

	if (!name)
		return text_fail(p, "expected a name");
	tilde = strrchr(name, '~');
	if (tilde)
		*tilde = 0;
	g->name = name;
	g->type = IR_I64;
	g->is_stat = text_try(p, "stats");
	if (!g->is_stat && !text_type(p, &g->type))
		return false;
	if (text_try(p, "[")) {
		do {
			if (g->nkeys == IR_MAXKEYS || !text_type(p, &g->keys[g->nkeys]))
				return text_fail(p, "too many keys");
			g->nkeys++;
		} while (text_try(p, ","));
		if (!text_expect(p, "]"))
			return false;
	}
	vec_push(p->m->arena, &p->m->globals, g);
	return global_flags(p, g);
}

static bool probe_value(struct ir_parser *p, struct ir_probe *pr, bool is_text)
{
	const char *text;
	int64_t num;

	if (!is_text) {
		if (!text_num(p, &num))
			return false;
		vec_push(p->m->arena, &pr->nums, num);
		return true;
	}
	text = text_string(p);
	if (text)
		vec_push(p->m->arena, &pr->strs, text);
	return text;
}

static bool probe_lock(struct ir_parser *p, struct ir_probe *pr, bool write)
{
	struct ir_lock lock = { .write = write };

	if (!text_global(p, &lock.global))
		return false;
	vec_push(p->m->arena, &pr->locks, lock);
	return true;
}

static bool probe_field(struct ir_parser *p, struct ir_probe *pr, const char *word)
{
	const struct {
		const char *name;
		const char **at;
	} texts[] = {
		{ "name", &pr->name },
		{ "chain", &pr->chain },
		{ "target", &pr->target },
		{ "symbol", &pr->symbol },
		{ "proto", &pr->proto },
		{ "exe", &pr->exe },
	};
	const struct {
		const char *name;
		bool *at;
	} flags[] = {
		{ "jiffies", &pr->jiffies },
		{ "optional", &pr->optional },
		{ "filter", &pr->filter_target },
		{ "entry", &pr->at_entry },
		{ "user", &pr->user_side },
	};
	int64_t offset = (int64_t)pr->offset, maxactive = pr->maxactive;
	int64_t semaphore = (int64_t)pr->semaphore;
	const struct {
		const char *name;
		int64_t *at;
	} nums[] = {
		{ "seq", &pr->seq },   { "period", &pr->period },   { "random", &pr->random },
		{ "offset", &offset }, { "maxactive", &maxactive },
		{ "pid", &pr->pid },
		{ "semaphore", &semaphore },
	};

	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
		if (strcmp(texts[k].name, word) == 0)
			return (*texts[k].at = text_string(p)) != NULL;
	for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
		if (strcmp(flags[k].name, word) == 0)
			return *flags[k].at = true;
	for (size_t k = 0; k < sizeof(nums) / sizeof(nums[0]); k++) {
		if (strcmp(nums[k].name, word) != 0)
			continue;
		if (!text_num(p, nums[k].at))
			return false;
		pr->offset = (uint64_t)offset;
		pr->maxactive = (uint32_t)maxactive;
		pr->semaphore = (uint64_t)semaphore;
		return true;
	}
	if (strcmp(word, "num") == 0 || strcmp(word, "str") == 0)
		return probe_value(p, pr, *word == 's');
	if (strcmp(word, "read") == 0 || strcmp(word, "write") == 0)
		return probe_lock(p, pr, *word == 'w');
	return text_fail(p, "unknown word %s", word);
}

static bool probe(struct ir_parser *p)
{
	struct ir_probe *pr = arena_new(p->m->arena, struct ir_probe);
	const char *kind = text_word(p);
	unsigned int k = 0;

	while (kind && k < AT_COUNT && strcmp(ir_attaches[k].name, kind) != 0)
		k++;
	if (!kind || k == AT_COUNT)
		return text_fail(p, "unknown kind of probe");
	pr->kind = k;
	if (!text_func(p, &pr->handler))
		return false;
	while (!text_end(p)) {
		const char *word = text_word(p);

		if (!word)
			return text_fail(p, "unexpected \"%s\"", p->at);
		if (!probe_field(p, pr, word))
			return false;
	}
	vec_push(p->m->arena, &p->m->probes, pr);
	return true;
}

static bool embed(struct ir_parser *p)
{
	struct ir_embed x = { 0 };
	const char **const texts[] = { &x.name, &x.sig, &x.params, &x.globals, &x.file, &x.text };
	int64_t line, flags;

	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
		*texts[k] = text_string(p);
		if (!*texts[k])
			return false;
	}
	if (!text_num(p, &line) || !text_num(p, &flags))
		return false;
	x.line = (uint32_t)line;
	x.flags = (uint32_t)flags;
	vec_push(p->m->arena, &p->m->embeds, x);
	return true;
}

static bool symbol(struct ir_parser *p)
{
	struct ir_sym x = { .name = text_string(p) };
	int64_t off = 0;

	if (!x.name)
		return false;
	if (!text_end(p)) {
		x.anchor = text_string(p);
		if (!x.anchor || !text_num(p, &off))
			return false;
	}
	x.anchor_off = (uint64_t)off;
	vec_push(p->m->arena, &p->m->syms, x);
	return true;
}

static bool build(struct ir_parser *p)
{
	struct ir_build x = { .object = text_string(p) };

	x.id = x.object ? text_string(p) : NULL;
	if (x.id)
		vec_push(p->m->arena, &p->m->builds, x);
	return x.id;
}

static bool module_line(struct ir_parser *p)
{
	int64_t v;

	if (text_try(p, "module ")) {
		p->m->name = text_string(p);
		p->m->recursive = p->m->name && text_try(p, "recursive");
		return p->m->name != NULL;
	}
	if (text_try(p, "kernel ")) {
		p->m->release = text_string(p);
		if (!p->m->release || !text_num(p, &v))
			return false;
		p->m->kernel_id = (uint64_t)v;
		return true;
	}
	if (text_try(p, "limit ")) {
		const char *name = text_word(p);

		if (!name || !text_num(p, &v))
			return text_fail(p, "expected a name and a number");
		return !ir_limits_set(&p->m->limits, name, v, NULL, NULL) ||
		       text_fail(p, "bad limit %s", name);
	}
	if (text_try(p, "global "))
		return global(p);
	if (text_try(p, "probe "))
		return probe(p);
	if (text_try(p, "embed "))
		return embed(p);
	if (text_try(p, "symbol "))
		return symbol(p);
	if (text_try(p, "build "))
		return build(p);
	return text_fail(p, "unexpected \"%s\"", p->at);
}

static bool bodies(struct ir_parser *p)
{
	uint32_t nfunc = 0;
	bool handler;

	while (next_line(p)) {
		if (text_end(p))
			continue;
		if (!p->f && is_head(p, &handler))
			p->f = p->m->funcs.v[nfunc++];
		else if (p->f && text_try(p, "}"))
			p->f = NULL;
		else if (p->f ? !func_line(p) : !module_line(p))
			return false;
	}
	return !p->f || text_fail(p, "the last function has no end");
}

struct ir_module *ir_parse(struct arena *a, const char *text, const char **err)
{
	struct ir_parser p = { .m = ir_module_new(a), .next = text };
	bool ok = heads(&p);

	p.next = text;
	p.lineno = 0;
	ok = ok && bodies(&p);
	*err = p.err;
	return ok ? p.m : NULL;
}
