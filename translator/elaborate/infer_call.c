/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls, the print family and context variables. */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

/* __user_int8(address) ...: every width and sign */
#define LOAD(space, sp, bits, name, sign)                                                          \
	{ "__" sp name #bits, "i", BI_OP, IR_I64, IR_load, IR_MEM(bits / 8, sign) | (space) }
#define LOADS(space, sp)                                                                           \
	LOAD(space, sp, 8, "int", 1), LOAD(space, sp, 16, "int", 1),                               \
		LOAD(space, sp, 32, "int", 1), LOAD(space, sp, 64, "int", 1),                      \
		LOAD(space, sp, 8, "uint", 0), LOAD(space, sp, 16, "uint", 0),                     \
		LOAD(space, sp, 32, "uint", 0)
/* __set_user_int8(address, value) ... */
#define STORE(space, sp, bits) \
	{ "__set_" sp "int" #bits, "ii", BI_OP, IR_VOID, IR_store, IR_MEM(bits / 8, 0) | (space) }
#define STORES(space, sp) STORE(space, sp, 8), STORE(space, sp, 16), STORE(space, sp, 32), STORE(space, sp, 64)
static const struct {
	const char *name, *operands;
	enum builtin_kind kind;
	enum ir_type result;
	enum ir_op op;
	uint32_t imm;
} builtins[] = {
	{ "__storestr_user", "iis", BI_OP, IR_VOID, IR_storestr, IR_USER },
	{ "__storestr_kernel", "iis", BI_OP, IR_VOID, IR_storestr, IR_KERNEL },
	STORES(IR_USER, "user_"),
	STORES(IR_KERNEL, "kernel_"),
	{ "__frame", "", BI_OP, IR_I64, IR_frame, 0 },
	{ "__ip", "", BI_OP, IR_I64, IR_reg, SYM_MAXREG },
	{ "__print_stack", "iii", BI_OP, IR_VOID, IR_stack, IRK_KERNEL },
	{ "__print_stack_fileline", "iii", BI_OP, IR_VOID, IR_stack, IRK_FILELINE },
	{ "__print_ustack", "iii", BI_OP, IR_VOID, IR_stack, IRK_USER },
	{ "__print_ustack_brief", "iii", BI_OP, IR_VOID, IR_stack, IRK_USER | IRK_BRIEF },
	{ "__print_ustack_fileline", "iii", BI_OP, IR_VOID, IR_stack, IRK_USER | IRK_FILELINE },
	{ "__raise", "s", BI_OP, IR_VOID, IR_raise, 0 },
	{ "__abort", "", BI_ABORT, IR_VOID, 0, 0 },
	{ "__warn", "s", BI_WARN, IR_VOID, 0, 0 },
	{ "__loadstr_user", "ii", BI_OP, IR_STR, IR_loadstr, IR_USER },
	{ "__loadstr_kernel", "ii", BI_OP, IR_STR, IR_loadstr, IR_KERNEL },
	{ "__load_utf16_user", "ii", BI_OP, IR_STR, IR_loadstr, IR_MEM(2, 0) | IR_USER },
	{ "__load_utf16_kernel", "ii", BI_OP, IR_STR, IR_loadstr, IR_MEM(2, 0) | IR_KERNEL },
	{ "__load_utf32_user", "ii", BI_OP, IR_STR, IR_loadstr, IR_MEM(4, 0) | IR_USER },
	{ "__load_utf32_kernel", "ii", BI_OP, IR_STR, IR_loadstr, IR_MEM(4, 0) | IR_KERNEL },
	{ "__quoted_user", "iii", BI_OP, IR_STR, IR_loadbuf, IR_USER | IRB_QUOTED },
	{ "__quoted_kernel", "iii", BI_OP, IR_STR, IR_loadbuf, IR_KERNEL | IRB_QUOTED },
	LOADS(IR_USER, "user_"),
	LOADS(IR_KERNEL, "kernel_"),
};

static bool find_builtin(const char *name, struct callee *c)
{
	enum ir_send send;
	enum ir_name_row row;

	if (strncmp(name, "__", 2) != 0)
		return false;
	for (size_t n = 0; n < sizeof(builtins) / sizeof(builtins[0]); n++)
		if (!strcmp(name, builtins[n].name)) {
			c->builtin = builtins[n].kind;
			c->operands = builtins[n].operands;
			c->result = builtins[n].result;
			c->op = builtins[n].op;
			c->imm = builtins[n].imm;
			return true;
		}
	send = ir_send_find(name + 2);
	if (send < IR_SEND_COUNT) {
		c->builtin = BI_OP;
		c->operands = ir_send_operands[send];
		c->result = IR_VOID;
		c->op = IR_send;
		c->imm = send;
		return true;
	}
	row = ir_name_find(name + 2);
	if (row < NM_COUNT) {
		c->builtin = BI_NAME;
		c->operands = ir_names[row].operand == 's' ? "s" : "i";
		c->result = IR_STR;
		c->op = IR_name;
		c->imm = row;
		return true;
	}
	c->intrinsic = ir_intrinsic_find(name + 2);
	if (c->intrinsic == IN_COUNT)
		return false;
	c->builtin = BI_INTRINSIC;
	c->operands = ir_intrinsics[c->intrinsic].operands;
	c->result = ir_intrinsics[c->intrinsic].result;
	return true;
}

static struct span name_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

static struct tvar *result_type(struct infer *i, enum ir_type t, struct span at)
{
	static const enum script_type map[] = {
		[IR_VOID] = T_VOID, [IR_I64] = T_LONG, [IR_STR] = T_STRING
	};

	return type_new(i->e, map[t], at);
}

static struct tvar *infer_builtin(struct infer *i, struct expr *x, struct callee *c)
{
	size_t want = strlen(c->operands);

	if (!i->file->src->library && !i->e->s->guru && !x->synthetic) {
		diag_error(i->e->diag, TAG_PRIVILEGE, name_span(x),
			   "\"%s\" is for the library only", x->name);
		diag_hint(i->e->diag, "run stap with -g to use it in a script");
		return result_type(i, c->result, x->at);
	}
	if (x->args.n != want)
		diag_error(i->e->diag, TAG_ARITY, x->at, "\"%s\" takes %zu argument%s, not %u",
			   x->name, want, want == 1 ? "" : "s", x->args.n);
	for (uint32_t n = 0; n < x->args.n; n++) {
		struct tvar *t = infer_expr(i, x->args.v[n]);

		if (n < want)
			type_want(i->e, t, c->operands[n] == 's' ? T_STRING : T_LONG,
				  x->args.v[n]->at, TAG_TYPE);
	}
	i->e->aborts |= c->builtin == BI_ABORT;
	i->e->captures |= i->live && c->builtin == BI_INTRINSIC &&
			  (c->intrinsic == IN_matched || c->intrinsic == IN_ngroups);
	return result_type(i, c->result, x->at);
}

static void report_no_function(struct infer *i, struct expr *x, const struct function *other)
{
	struct near_match m;

	if (other) {
		diag_error(i->e->diag, TAG_ARITY, name_span(x),
			   "function \"%s\" takes %u argument%s, not %u", x->name,
			   other->ast->params.n, other->ast->params.n == 1 ? "" : "s", x->args.n);
		diag_note(i->e->diag, other->ast->name_at, "defined here");
		return;
	}
	diag_error(i->e->diag, TAG_UNKNOWN_FUNC, name_span(x),
		   "no function \"%s\" with %u argument%s", x->name, x->args.n,
		   x->args.n == 1 ? "" : "s");
	near_init(&m, x->name);
	elab_near_functions(i->e, &m);
	if (near_best(&m))
		diag_hint(i->e->diag, "did you mean %s?", near_best(&m));
}

/* Functions of one call agree in their types. */
static void unite_overloads(struct infer *i, struct expr *x, const struct callee *c)
{
	for (uint32_t k = 1; k < c->fns.n; k++) {
		struct function *f = c->fns.v[k];

		for (uint32_t n = 0; n < x->args.n; n++)
			type_unite(i->e, c->fn->locals.v[n]->sym.type, f->locals.v[n]->sym.type,
				   f->locals.v[n]->sym.at);
		type_unite(i->e, c->fn->ret, f->ret, f->ast->name_at);
		f->overloads = c->fn->overloads = true;
	}
}

static void queue_functions(struct infer *i, const struct callee *c)
{
	for (uint32_t k = 0; k < c->fns.n && i->live; k++) {
		if (c->fns.v[k]->reachable)
			continue;
		c->fns.v[k]->reachable = true;
		vec_push(i->e->arena, &i->e->queue, c->fns.v[k]);
	}
}

struct tvar *infer_call(struct infer *i, struct expr *x)
{
	struct callee *c = arena_new(i->e->arena, struct callee);
	struct function *other;

	if (i->in_guard) {
		diag_error(i->e->diag, TAG_STATEMENT, name_span(x),
			   "a probe's condition can use globals only, not call \"%s\"", x->name);
		diag_hint(i->e->diag, "test it in the handler: if (!...) next");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	if (overload_find(i->e, i->file, x->name, x->args.n, &c->fns, &other)) {
		for (uint32_t n = 0; n < c->fns.n; n++)
			c->fns.v[n] = context_function(i, c->fns.v[n]);
		c->fn = c->fns.v[0];
	}
	if (!c->fn && !other && find_builtin(x->name, c)) {
		x->sym = c;
		return infer_builtin(i, x, c);
	}
	for (uint32_t n = 0; n < x->args.n; n++) {
		struct tvar *t = infer_expr(i, x->args.v[n]);

		if (c->fn)
			type_unite(i->e, t, c->fn->locals.v[n]->sym.type, x->args.v[n]->at);
	}
	if (!c->fn) {
		report_no_function(i, x, other);
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	x->sym = c;
	if (!i->e->s->guru && !i->file->src->library && assign_in_body(c->fn)) {
		diag_error(i->e->diag, TAG_PRIVILEGE, name_span(x), "\"%s\" changes memory, which needs guru mode",
			   x->name);
		diag_hint(i->e->diag, "run stap with -g");
	}
	unite_overloads(i, x, c);
	queue_functions(i, c);
	return c->fn->ret;
}

struct var_list {
	struct elab *e;
	var_vec *vars;
	struct near_match *near;
	struct buf *names;
	bool parms, locals, result; /* $$parms, $$locals, $$return: only these */
};

static void list_var(const struct probe_var *v, void *arg)
{
	struct var_list *l = arg;
	/* the family's own may be gone when it returns */
	const char *name = arena_strdup(l->e->arena, v->name);
	struct probe_var *copy;

	if (l->near)
		near_try(l->near, name);
	if (l->names)
		buf_printf(l->names, "%s%s", l->names->len ? " " : "", v->name);
	if (!l->vars || v->kind == PV_STR || (l->parms && (v->kind == PV_RETVAL || !strcmp(name, "$return"))) ||
	    (l->result && strcmp(name, "$return") != 0))
		return;
	if (v->kind == PV_SYSARG && l->parms && !v->is_param)
		return;
	if (v->kind == PV_SYM && ((l->parms && !v->is_param) || (l->locals && v->is_param)))
		return;
	if (!strncmp(name, "$$", 2))
		return;
	copy = arena_new(l->e->arena, struct probe_var);
	*copy = *v;
	copy->name = name;
	vec_push(l->e->arena, l->vars, copy);
}

static void report_no_target(struct infer *i, struct expr *x, const struct probe_site *site)
{
	struct near_match m;
	struct buf names;
	struct var_list l = { .e = i->e, .near = &m, .names = &names };
	const char *elsewhere;

	diag_error(i->e->diag, TAG_UNKNOWN_VAR, name_span(x), "no context variable \"%s\" in %s",
		   x->name, site->probe.name);
	elsewhere = probe_var_elsewhere(&i->e->env, site, x->name);
	if (elsewhere)
		diag_hint(i->e->diag, "it is out of scope here: %s", elsewhere);
	near_init(&m, x->name);
	buf_init(&names);
	if (site->family->each_var)
		site->family->each_var(&i->e->env, site, list_var, &l);
	if (near_best(&m))
		diag_hint(i->e->diag, "did you mean %s?", near_best(&m));
	if (names.len)
		diag_hint(i->e->diag, "there %s: %s", strchr(names.p, ' ') ? "are" : "is", names.p);
	else
		diag_hint(i->e->diag, "this probe point has no context variables");
	buf_fini(&names);
}

/* A parameter in a .return probe: what it was when the function was entered. */
static struct tvar *target_at_entry(struct infer *i, struct expr *x)
{
	struct expr *value = clone_expr(i->e->arena, x);

	diag_warning(i->e->diag, TAG_ENTRY, x->at,
		     "\"%s\" is the value that it had when the function was entered", x->name);
	diag_hint(i->e->diag, "write @entry(%s) to say so", x->name);
	return infer_entry(i, x, value);
}

/* A variable of the probed code, with its C type. */
static struct tvar *infer_symbol_var(struct infer *i, struct expr *x, struct target *t)
{
	const struct probe_var *v = t->var;

	if (v->kind == PV_SYM && !v->loc) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, name_span(x), "\"%s\" cannot be read in %s: %s",
			   x->name, i->handler->site->probe.name, v->why);
		diag_hint(i->e->diag, "@defined(%s) is 0 where it cannot be read", x->name);
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	var_find_base(i, t, x->at);
	t->path = v->kind == PV_SYM ? path_infer_var(i, x, v, t->user)
				    : path_infer(i, x, v->type, false, t->user);
	return path_result(i, t->path, x->at);
}

bool target_is_list(const char *name)
{
	static const char *const lists[] = { "$$vars", "$$parms", "$$locals", "$$return" };

	for (size_t n = 0; n < sizeof(lists) / sizeof(lists[0]); n++)
		if (!strcmp(lists[n], name))
			return true;
	return false;
}

void target_list(struct elab *e, const struct probe_site *site, const char *name, var_vec *out)
{
	struct var_list l = { .e = e,
			      .vars = out,
			      .parms = !strcmp(name, "$$parms"),
			      .locals = !strcmp(name, "$$locals"),
			      .result = !strcmp(name, "$$return") };

	site->family->each_var(&e->env, site, list_var, &l);
}

/* A '$' or '$$' right behind the name, and nothing else. */
static int whole_suffix(const struct expr *x)
{
	return x->suffixes.n == 1 && x->suffixes.v[0].kind == SUF_PRETTY ? x->suffixes.v[0].depth : 0;
}

struct tvar *infer_target(struct infer *i, struct expr *x)
{
	struct target *t = arena_new(i->e->arena, struct target);
	const struct probe_site *site = i->handler ? i->handler->site : NULL;
	int64_t number;

	if (i->in_guard) {
		diag_error(i->e->diag, TAG_STATEMENT, x->at,
			   "a probe's condition can use globals only, not \"%s\"", x->name);
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	if (!site) {
		diag_error(i->e->diag, TAG_UNKNOWN_VAR, x->at,
			   "\"%s\" means something in probes only, and no probe calls this function",
			   x->name);
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	t->var = site->family->var ? site->family->var(&i->e->env, site, x->name) : NULL;
	t->user = site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE;
	x->sym = t;
	if (t->var && t->var->type && (t->var->kind == PV_SYM || x->suffixes.n || x->address_of))
		return infer_symbol_var(i, x, t);
	t->pretty = whole_suffix(x);
	if ((x->suffixes.n && !t->pretty) || x->address_of)
		return unsupported(i, x->at,
				   "members, elements and addresses of context variables are");
	if (t->var)
		return type_new(i->e, t->var->kind == PV_STR || t->pretty ? T_STRING : T_LONG, x->at);
	if (entry_var(i->e, site, x->name))
		return target_at_entry(i, x);
	if (site->family->each_var && target_is_list(x->name)) {
		target_list(i->e, site, x->name, &t->list);
		return type_new(i->e, T_STRING, x->at);
	}
	if (!x->suffixes.n && !x->address_of && probe_constant(&i->e->env, site, x->name + 1, &number)) {
		elab_settle(x, number);
		return type_new(i->e, T_LONG, x->at);
	}
	report_no_target(i, x, site);
	return type_new(i->e, T_UNKNOWN, SPAN_NONE);
}
