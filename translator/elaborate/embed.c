/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Embedded C: bodies of functions, expressions, text at the top level. What the C does is told by
 * comments in it: pure, stable, unmangled, guru, string, long, pragma:read:NAME, pragma:write:NAME.
 */
#include <ctype.h>
#include <string.h>

#include "elaborate/internal.h"

/*
 * The next comment at or behind *@at, without its ends and the blanks inside of these. False when
 * there is none.
 */
static bool next_comment(const char **at, const char **text, size_t *len)
{
	const char *p = strstr(*at, "/*"), *end = p ? strstr(p + 2, "*/") : NULL;

	if (!end)
		return false;
	*at = end + 2;
	for (p += 2; p < end && isspace((unsigned char)*p); p++)
		;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	*text = p;
	*len = (size_t)(end - p);
	return true;
}

static bool is_marked(const char *text, const char *mark)
{
	const char *comment;
	size_t len;

	while (next_comment(&text, &comment, &len))
		if (len == strlen(mark) && !memcmp(comment, mark, len))
			return true;
	return false;
}

bool embed_is_pure(const char *text)
{
	return is_marked(text, "pure") || is_marked(text, "stable");
}

/* The next pragma:read:NAME or pragma:write:NAME. NULL at the end; else the interned name. */
static const char *next_global(struct elab *e, const char **at, bool *write)
{
	static const char *const prefix[] = { "pragma:read:", "pragma:write:" };
	const char *comment;
	size_t len;

	while (next_comment(at, &comment, &len)) {
		for (int k = 0; k < 2; k++) {
			size_t n = strlen(prefix[k]);

			if (len <= n || memcmp(comment, prefix[k], n))
				continue;
			*write = k;
			return strtab_intern(&e->s->names,
					     arena_strndup(e->arena, comment + n, len - n));
		}
	}
	return NULL;
}

static void touch_globals(struct infer *i, const char *text, struct span at)
{
	const char *name, *p = text;
	bool write;

	at.len = 2; /* the %{ */
	while ((name = next_global(i->e, &p, &write))) {
		struct global *g = elab_find_global(i->e, i->file, name);
		struct near_match m;

		if (g) {
			infer_use_global(i, g, at, write ? ACC_READ | ACC_WRITE : ACC_READ);
			continue;
		}
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, at,
			   "no global \"%s\" for embedded C to %s", name, write ? "write" : "read");
		near_init(&m, name);
		elab_near_globals(i->e, i->file, &m);
		if (near_best(&m))
			diag_hint(i->e->diag, "did you mean %s?", near_best(&m));
	}
}

/* Only a module is made from C. */
static void check_runtime(struct infer *i, struct span at)
{
	if (!i->live || (i->e->in->sides & SIDE_K))
		return;
	at.len = 2; /* the %{ */
	diag_error(i->e->diag, TAG_RUNTIME, at, "embedded C needs the kernel module runtime");
	diag_hint(i->e->diag, "use --runtime=kernel");
}

void embed_function(struct infer *i)
{
	struct function *fn = i->fn;
	const char *text = fn->ast->embedded;

	check_runtime(i, fn->ast->embedded_at);
	touch_globals(i, text, fn->ast->embedded_at);
	for (uint32_t n = 0; n < fn->locals.n; n++) {
		fn->locals.v[n]->read = true;
		fn->locals.v[n]->needed = true;
	}
	fn->valued = fn->valued || strstr(text, "STAP_RETVALUE") || strstr(text, "STAP_RETURN") ||
		     strstr(text, "__retvalue");
}

struct tvar *embed_expr(struct infer *i, struct expr *x)
{
	check_runtime(i, x->at);
	touch_globals(i, x->str, x->at);
	x->sym = i->file;
	for (uint32_t n = 0; i->fn && n < i->fn->ast->params.n; n++) {
		i->fn->locals.v[n]->read = true;
		i->fn->locals.v[n]->needed = true;
	}
	return type_new(i->e, is_marked(x->str, "string") ? T_STRING : T_LONG, x->at);
}

/* ---- lowering ---- */

static const char *list_globals(struct lower *l, const char *text, const struct ast_file *file)
{
	const char *name;
	struct buf b;
	bool write;

	buf_init(&b);
	while ((name = next_global(l->e, &text, &write))) {
		const struct global *g = elab_find_global(l->e, (struct ast_file *)file, name);

		if (g)
			buf_printf(&b, "%s%c%u", b.len ? " " : "", write ? 'w' : 'r', g->index);
	}
	name = arena_strndup(l->arena, b.p ? b.p : "", b.len);
	buf_fini(&b);
	return name;
}

static struct ir_embed new_embed(struct lower *l, const char *text, struct span at)
{
	struct ir_embed x = { .name = "", .sig = "v", .params = "", .globals = "", .text = text };
	uint32_t col;

	x.file = at.src->name;
	source_pos(l->arena, at.src, at.off, &x.line, &col);
	return x;
}

/* The operation in the function that is being lowered, which has the parameters the C is given. */
static struct ir_val put_call(struct lower *l, struct ir_embed x, enum ir_type ret, struct span at)
{
	static const char letters[] = { [IR_VOID] = 'v', [IR_I64] = 'i', [IR_STR] = 's' };
	uint32_t n = l->fn ? l->fn->ast->params.n : 0, r;
	struct ir_val *args = arena_alloc(l->arena, (n + 1) * sizeof(*args));
	char *sig = arena_alloc(l->arena, n + 2);
	struct ir_insn *i;
	struct buf names;

	buf_init(&names);
	sig[0] = letters[ret];
	for (uint32_t k = 0; k < n; k++) {
		const struct local *v = l->fn->locals.v[k];

		args[k] = ir_reg(v->reg);
		sig[k + 1] = letters[l->f->regs.v[v->reg]];
		buf_printf(&names, "%s%s", k ? " " : "", v->sym.name);
	}
	x.sig = sig;
	x.params = arena_strndup(l->arena, names.p ? names.p : "", names.len);
	buf_fini(&names);
	if (is_marked(x.text, "unmangled") || strstr(x.text, "THIS->"))
		x.flags |= IRE_UNMANGLED;
	r = ret == IR_VOID ? IR_NONE : lower_temp(l, ret);
	i = lower_insn(l, IR_embed, r, args, n);
	i->ref = l->m->embeds.n;
	i->imm = embed_is_pure(x.text);
	i->loc = lower_loc(l, at);
	vec_push(l->arena, &l->m->embeds, x);
	return r == IR_NONE ? ir_num(0) : ir_reg(r);
}

void lower_embed_function(struct lower *l)
{
	const struct ast_function *ast = l->fn->ast;
	struct ir_embed x = new_embed(l, ast->embedded, ast->embedded_at);
	struct ir_val v;

	x.name = ast->name;
	x.globals = list_globals(l, x.text, l->fn->file);
	x.flags = ast->has_next ? IRE_NEXT : 0;
	v = put_call(l, x, l->f->ret, ast->name_at);
	lower_insn(l, IR_ret, IR_NONE, &v, l->f->ret != IR_VOID);
}

struct ir_val lower_embed_expr(struct lower *l, struct expr *x)
{
	struct ir_embed e = new_embed(l, x->str, x->at);

	e.name = "expression";
	e.flags = IRE_EXPR;
	e.globals = list_globals(l, x->str, l->fn ? l->fn->file : x->sym);
	return put_call(l, e, lower_type(x->type), (struct span){ x->at.src, x->at.off, 2 });
}

void lower_embeds(struct lower *l)
{
	const enum ir_type text = IR_STR;

	/* of STAP_PRINTF */
	if (l->m->embeds.n)
		(void)!ir_fmt_add(l->m, "%s", &text, 1);
	for (uint32_t i = 0; i < l->e->embeds.n; i++) {
		const struct expr *x = l->e->embeds.v[i];
		struct ir_embed e = new_embed(l, x->str, x->at);

		if (is_marked(x->str, "pragma:suffix"))
			e.flags |= IRE_LAST;
		vec_push(l->arena, &l->m->embeds, e);
	}
}
