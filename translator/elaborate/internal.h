/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this folder share. Order of work: register files (names.c), probe points to
 * handlers (expand.c), names and types of every reachable body in one walk (infer*.c over types.c),
 * then lowering (lower*.c).
 */
#ifndef SPILE_ELABORATE_INTERNAL_H
#define SPILE_ELABORATE_INTERNAL_H

#include "elaborate/elaborate.h"

/* Trees deeper than this are refused before any walk recurses over them. */
#define ELAB_MAXDEPTH 2500
/* Aliases of aliases ..., and all points of a script together, aliases expanded. */
#define ELAB_MAXALIAS 32
#define ELAB_MAXPOINTS 100000

/*
 * A type to be found: union-find. Variables that must have one type are united; the root knows the
 * type and the place that settled it.
 */
struct tvar {
	struct tvar *up;
	enum script_type type;
	struct span at;
};

enum symbol_kind { SYM_LOCAL, SYM_GLOBAL };

/* A C type that a value has, and whether it lies in a program's memory. No type: NULL. */
struct ctype {
	const struct sym_type *type;
	bool user;
};

/*
 * What a name of a variable refers to: expr->sym of E_SYMBOL, E_INDEX, E_IN. First member of both
 * kinds.
 */
struct symbol {
	enum symbol_kind kind;
	const char *name;
	struct span at; /* declaration, or first use of a local */
	struct tvar *type;
	struct ctype ctype; /* of what was assigned to it; mixed: of several types */
	bool mixed;
};

struct local {
	struct symbol sym;
	bool is_param, assigned, read; /* read: in code of its own, not only in that of an alias */
	bool needed; /* read anywhere, or a variable of foreach or catch */
	bool pruned; /* named in code that was cut off */
	struct span read_at;
	struct span assigned_at; /* in code of its own; no source: only in that of an alias */
	uint32_t reg; /* by lowering */
};

struct global {
	struct symbol sym;
	const struct ast_global *ast;
	struct ast_file *file;
	struct global *next; /* of the same name, in other files */
	int nkeys; /* -1: not known yet, 0: scalar */
	struct span nkeys_at; /* what settled nkeys */
	struct tvar *keys[IR_MAXKEYS];
	unsigned int stat_ops;
	const struct expr *hist, *variance; /* the first that says how: all others must agree */
	bool hist_used;
	bool used; /* from a body that may run */
	bool read, written; /* likewise; "n++" alone does not read n */
	bool mentioned; /* from any body */
	bool pruned; /* named in code that was cut off */
	bool hex; /* holds an address: shown as one */
	bool synthetic; /* made by pass 2 */
	const char *setting; /* value that -G gives it; NULL: none */
	const struct expr *init; /* E_NUMBER or E_STRING: from its declaration or -G; NULL: none */
	struct span read_at; /* by the user's code */
	uint32_t index; /* by lowering */
};

typedef VEC(struct local *) local_vec;

typedef VEC(const char *) name_vec;

struct function {
	const char *name;
	struct ast_function *ast;
	struct ast_file *file;
	struct function *next; /* of the same name: another file or another number of parameters */
	local_vec locals; /* parameters first */
	struct tvar *ret;
	struct ctype ret_ctype;
	bool ret_mixed;
	bool valued; /* some return has a value, or the type is declared */
	bool visited, reachable;
	bool overloads; /* shares its types with others of its name */
	bool mentioned; /* in code that was cut off */
	bool searched;
	int context; /* context.c: whether it refers to the probe's context */
	struct handler *handler; /* whose copy this is, or NULL */
	struct function *original;
	name_vec pruned; /* names in code that was cut off */
	uint32_t index; /* by lowering */
};

typedef VEC(struct function *) function_vec;

/* Calls that are operations of their own and not rows of intrinsics.def. */
enum builtin_kind { BI_INTRINSIC, BI_OP, BI_ABORT, BI_WARN, BI_NAME };

/* expr->sym of E_CALL: a function of the script or the library, or (fn NULL) a built-in. */
struct callee {
	struct function *fn; /* the first of fns */
	function_vec fns; /* in the order in which they run; all but the last say "next" */
	enum builtin_kind builtin;
	enum ir_intrinsic intrinsic;
	enum ir_op op; /* of BI_OP */
	uint32_t imm;
	const char *operands;
	enum ir_type result;
};

/* expr->sym of E_TARGET: one variable, or a list of them for $$vars and $$parms. */
typedef VEC(const struct probe_var *) var_vec;
struct target {
	const struct probe_var *var;
	bool user; /* of a program, not of the kernel */
	struct path *path; /* of a typed variable: how to get from its place to the value */
	struct expr *entry_ip; /* the instruction pointer at the function's entry, where that says where the file lies */
	var_vec list;
	int pretty; /* printed whole: 1: one level, 2: all */
};

/* From a variable's place, or a pointer's value, to a member's value: found by inference, lowered as it stands. */
enum step_kind {
	STEP_OFFSET, /* add n, the place of a member, to the address */
	STEP_INDEX, /* add n times the index to the address */
	STEP_LOAD, /* the pointer at the address is the new address */
};
struct step {
	enum step_kind kind;
	int64_t n;
	struct expr *index;
	struct span at;
	const char *core; /* type path of the member, or of the elements; NULL: n is the same everywhere */
};
struct path {
	VEC(struct step) steps;
	const struct sym_type *type; /* of the result, for what is applied to it next */
	const struct sym_loc *loc; /* of a variable: where it starts */
	/* of one without an address: the bits that it starts with */
	uint64_t part_offset; /* bytes; within them: bit_offset */
	uint32_t part_bits;
	bool from_value; /* starts with a value, not with the address of a place */
	bool to_value; /* ends with reading width bytes at the address; else the address is the result */
	bool is_signed, user;
	uint32_t width, bit_size, bit_offset;
	const char *core; /* type path of the member that is read, where its width may differ; or NULL */
	int pretty; /* not 0: printed whole, which pretty.c does: 1: one level, 2: all */
	bool place; /* what the steps lead to is its address, not its value */
};

/* A function that pretty printing made: of what. */
struct pretty_fn {
	const struct sym_type *type;
	bool deep, user;
	uint32_t index;
};

/* A stretch of code of a handler; names in it are looked up from @file. */
struct part {
	struct stmt *s;
	struct ast_file *file;
};
struct guard {
	struct expr *e;
	struct ast_file *file;
};
typedef VEC(struct part) part_vec;
typedef VEC(struct guard) guard_vec;

/* A context variable or list whose values a shared handler takes from the probe: where they begin there. */
struct site_value {
	const char *name;
	uint32_t num, str;
};

struct handler {
	const struct ast_probe *origin;
	part_vec orig_parts,
		parts; /* as parsed (to find equal ones), and this handler's own copies */
	guard_vec orig_guards, guards;
	name_vec targets; /* context variables it names */
	name_vec entry_targets; /* inside @entry() */
	bool calls_context; /* calls functions that name some, or prints a list of whole variables: for one site only */
	const struct probe_site *site; /* the first; for the others see share.c */
	const char *key; /* what sites that share it have in common; NULL: none can */
	bool has_key, shared; /* the key was looked for; there are other sites */
	VEC(struct site_value) values;
	uint32_t nnums, nstrs;
	local_vec locals;
	bool synthetic; /* made by pass 2 */
	bool inferred;
	struct handler *entry; /* what keeps values of @entry(), or NULL */
	VEC(struct entry *) entries;
	function_vec functions; /* copies of those that refer to the context */
	name_vec pruned; /* names in code that was cut off */
	uint32_t index; /* by lowering */
};

/* A value of @entry(): expr->sym of such an E_ATOP. */
struct entry {
	const char *text; /* of the expression, in the names of @file */
	struct ast_file *file;
	struct global *store;
	struct expr *element; /* of the store */
};

struct elab_probe {
	struct probe_site *site;
	struct handler *handler;
	const char *chain;
	const char *alias; /* by way of which the script's point led here; NULL: none */
};

struct alias {
	struct ast_probe *ast;
	struct ast_file *file;
};

/* Interned name -> first symbol of that name. */
struct symtab {
	struct symtab_slot {
		const char *name;
		void *value;
	} * slot;
	uint32_t n, cap;
};

/* An expression whose type is settled at the end. */
struct pending {
	struct expr *e;
	struct tvar *t;
	bool value; /* its value is used: neither a statistic nor nothing will do */
	bool printed; /* its type decides what is printed: it must be known */
};

/* A pattern of =~ or !~: expr->sym of E_BINARY. */
struct elab_regex {
	const char *pattern;
	struct span at;
	const struct regex_tab *tab;
};

struct elab {
	struct session *s;
	struct diag *diag;
	struct arena *arena;
	const struct elab_input *in;
	struct probe_env env;
	uint32_t lib_seen; /* library files registered so far */
	struct symtab global_names, function_names;
	VEC(struct global *) globals;
	VEC(struct function *) functions;
	VEC(struct function *) queue; /* functions called, to be walked */
	VEC(struct alias) aliases;
	VEC(struct handler *) handlers;
	VEC(struct expr *) embeds; /* C text of the top level */
	VEC(struct elab_probe) probes;
	uint32_t points; /* looked at so far */
	VEC(struct pending) pending;
	uint32_t callees; /* functions being walked early, within each other */
	uint32_t errors_before; /* reported by earlier passes */
	uint32_t settled; /* of pending */
	uint32_t entries; /* made so far */
	bool aborts; /* some code calls abort() */
	VEC(struct elab_regex *) regexes;
	VEC(struct pretty_fn) pretty_fns; /* by lowering */
	bool captures; /* some code asks for the groups of a match */
};

/* elaborate.c: all sites of the script's probes */
struct elab *elab_start(const struct elab_input *in);

/* names.c */
void elab_add_file(struct elab *e, struct ast_file *f);
struct global *elab_add_global(struct elab *e, struct ast_file *f, const struct ast_global *ast);
/* One that no name leads to yet. */
struct function *elab_new_function(struct elab *e, struct ast_file *f, struct ast_function *ast);
struct global *elab_find_global(struct elab *e, struct ast_file *from, const char *name);
/* The first of that name, by struct function's next; NULL: none is known yet. */
struct function *elab_functions_named(struct elab *e, const char *name);
/* Asks the library; true when files came in. */
bool elab_need_function(struct elab *e, const char *name);
/* Makes aliases whose first component is @name (may hold '*') known. */
void elab_need_alias(struct elab *e, const char *name);
void elab_near_functions(struct elab *e, struct near_match *m);
void elab_near_globals(struct elab *e, struct ast_file *from, struct near_match *m);
/* "a.b.c" */
const char *point_names(struct elab *e, const struct probe_point *pp);
/* The known alias whose names are most like those of @pp, or NULL. */
const char *elab_near_alias(struct elab *e, const struct probe_point *pp);

/* overload.c */
/* Whether a second function of that signature would never run, and has no priority to say so. */
bool overload_hides(const struct function *first, const struct ast_function *ast,
		    const struct ast_file *file);
/*
 * The functions of that arity that a call in @from may run, in order. False when there is none;
 * *other then has the name and another arity, or is NULL.
 */
bool overload_find(struct elab *e, struct ast_file *from, const char *name, uint32_t arity,
		   function_vec *out, struct function **other);
/* A function that keeps @fn from being reached, or NULL. */
const struct function *overload_before(const struct elab *e, const struct function *fn);

/* types.c */
struct tvar *type_new(struct elab *e, enum script_type t, struct span at);
struct tvar *type_root(struct tvar *t);
enum script_type type_of(struct tvar *t);
/* The same, an unsettled type counting as long. */
enum script_type type_final(struct tvar *t);
/*
 * Requires @t to be @want, or @a and @b to agree, because of the code at @at. False after an error.
 */
bool type_want(struct elab *e, struct tvar *t, enum script_type want, struct span at,
	       enum diag_tag tag);
bool type_unite(struct elab *e, struct tvar *a, struct tvar *b, struct span at);
/* Requires @g to have @n keys (0: a scalar). */
bool type_arity(struct elab *e, struct global *g, uint32_t n, struct span at);
void type_finish(struct elab *e);

/* tree.c */
struct tree_walker {
	void (*expr)(struct expr *e, void *arg); /* before its operands */
	void *arg;
	unsigned int depth;
	bool skip; /* set by expr(): not its operands */
	bool too_deep; /* stopped at ELAB_MAXDEPTH */
};
void tree_walk_expr(struct tree_walker *w, struct expr *e);
void tree_walk_stmt(struct tree_walker *w, struct stmt *s);
struct expr *clone_expr(struct arena *a, const struct expr *e);
struct stmt *clone_stmt(struct arena *a, const struct stmt *s);
/* Reports a tree too deep to work on (E-LIMIT); false then. */
bool check_depth(struct elab *e, struct stmt *s, struct expr *x, struct span at);
/* Whether evaluating @e may change a local variable of the body it is in. */
bool expr_assigns(struct expr *e);

/* expand.c */
void expand_probe(struct elab *e, struct ast_probe *p, struct ast_file *f);

struct infer;

/* context.c */
/* Whether @fn, or a function that it may call, refers to the context of a probe. */
bool context_used(struct elab *e, struct function *fn);
/* The same for what the call @x in @from may run. */
bool context_called(struct elab *e, struct ast_file *from, const struct expr *x);
/* What a call of @fn from here runs: @fn, or the handler's own copy. */
struct function *context_function(struct infer *i, struct function *fn);

/* entry.c */
/* Makes @x the value that @value had when the function was entered. */
struct tvar *infer_entry(struct infer *i, struct expr *x, struct expr *value);
/* A context variable at the entry of the function whose return @site is, or NULL. */
struct lower;
/* share.c. The key of a site for the code of @h: equal keys may share it. NULL: it needs a handler of its own. */
const char *share_key(struct elab *e, const struct handler *h, const struct probe_site *site);
/* One element of a list that can be taken from a register with only name, width and sign depending on the site. */
bool share_plain(const struct probe_var *v);
/* Room for @nvars of (mask and sign, name): of @name's value, or for each of a list. */
const struct site_value *share_value(struct lower *l, const char *name, uint32_t nvars);
void share_put_values(struct elab *e, const struct handler *h, const struct probe_site *site,
		      struct ir_probe *out);
/* infer_call.c: "$$vars" and its like, and what they list at a site */
bool target_is_list(const char *name);
void target_list(struct elab *e, const struct probe_site *site, const char *name, var_vec *out);

const struct probe_var *entry_var(struct elab *e, const struct probe_site *site, const char *name);
/* Adds the probes at entries, when all handlers are inferred. */
void entry_add_probes(struct elab *e);
/* And puts probes in the order in which they are to be attached. */
void entry_order_probes(struct elab *e);

/* prune.c */
/* 0 or 1 when the condition is known now, else -1. */
int known_condition(const struct expr *x);
void prune_stmt(struct infer *i, struct stmt **s);
void prune_expr(struct infer *i, struct expr *x, int64_t value);
bool is_pruned(const struct infer *i, const char *name);

/* make.c: trees that no script wrote */
struct expr *make_number(struct elab *e, int64_t n, struct span at);
struct expr *make_string(struct elab *e, const char *s, struct span at);
struct expr *make_name(struct elab *e, enum expr_kind kind, const char *name, struct span at);
struct expr *make_op(struct elab *e, enum expr_kind kind, unsigned int op, struct expr *a,
		      struct expr *b);
struct expr *make_printf(struct elab *e, const char *format, struct span at);
void make_arg(struct elab *e, struct expr *x, struct expr *arg);
struct stmt *make_stmt(struct elab *e, enum stmt_kind kind, struct expr *x);
/* A handler of e->handlers, still to be inferred. */
struct handler *make_handler(struct elab *e, struct ast_file *f, const struct ast_probe *origin,
			      struct stmt *body);

/* dump.c: end probes that show globals which were written and never read */
void dump_globals(struct elab *e);

/* unused.c */
void warn_locals(const struct infer *i);
void warn_globals(struct elab *e);
/* Whether evaluating @x can be noticed but by its value. */
bool expr_has_effect(struct expr *x);

/* infer*.c: one walk over a body resolves its names and collects its types */
struct infer {
	struct elab *e;
	struct ast_file *file; /* where names are looked up from */
	local_vec *locals;
	struct function *fn; /* or NULL */
	struct handler *handler; /* or NULL */
	name_vec *pruned;
	bool live; /* may run: uses count */
	bool shared; /* in the code of an alias, where not every use assigns every variable */
	bool in_guard; /* in a probe's if (...) */
	bool dropped; /* the value of the expression that is about to be inferred is not used */
	unsigned int loops;
	struct foreach_frame {
		struct foreach_frame *up;
		struct global *g;
		struct span at;
	} * iterating;
};
void infer_handler(struct elab *e, struct handler *h);
/* One part of a handler that is made piece by piece. */
void infer_part(struct elab *e, struct handler *h, uint32_t n);
void infer_function(struct elab *e, struct function *fn, bool live);
void infer_stmt(struct infer *i, struct stmt *s);
/* Type of a value; infer_void() for a statement's expression, whose value is dropped. */
struct tvar *infer_expr(struct infer *i, struct expr *x);
struct tvar *infer_printed(struct infer *i, struct expr *x);
void infer_void(struct infer *i, struct expr *x);
void infer_long(struct infer *i, struct expr *x);
struct tvar *infer_call(struct infer *i, struct expr *x);
struct tvar *infer_print(struct infer *i, struct expr *x);
struct tvar *infer_target(struct infer *i, struct expr *x);
struct tvar *infer_atop(struct infer *i, struct expr *x);
bool atop_is(const struct expr *x, const char *name);
/* Whether all context variables and the like in an expression can be read. */
bool defined_within(struct infer *i, struct expr *x);
/* regex.c */
struct tvar *infer_regex(struct infer *i, struct expr *x);
/* Makes the tables, once it is known whether groups are asked for. */
void regex_finish(struct elab *e);

/*
 * path.c: follows the suffixes of @x from something of type @t; @place: its address is known, else only
 * its value. NULL after an error.
 */
/* Whether the members that @x names are there and can be read. */
bool path_exists(struct infer *i, const struct expr *x, const struct sym_type *t);
bool path_exists_var(struct infer *i, const struct expr *x, const struct probe_var *v);
struct path *path_infer_var(struct infer *i, struct expr *x, const struct probe_var *v, bool user);
/* A whole variable in a list such as $$vars: NULL and its path, or the text that stands for it ("?"). */
const char *path_of_whole(const struct probe_var *v, struct path *out);
/* The same for its text; false: it cannot be read. */
bool path_of_text(const struct probe_var *v, struct path *out);
/* Why some of these bits of a variable cannot be read, or NULL. */
const char *path_unreadable(const struct sym_loc *loc, uint64_t bit, uint64_t bits);
struct path *path_infer(struct infer *i, struct expr *x, const struct sym_type *t, bool place, bool user);
/* core.c: type paths; a structure's, and that with a member more */
struct sym_member;
const char *core_root(struct elab *e, const struct sym_type *t);
const char *core_member(struct elab *e, const char *path, const struct sym_member *m);
/* The type of what a path yields; NULL (an error was reported): unknown. */
struct tvar *path_result(struct infer *i, const struct path *p, struct span at);
/* Makes the expression a number: what it asks is known. */
void elab_settle(struct expr *x, int64_t value);
/* autocast.c */
struct ctype autocast_type(const struct expr *x);
void autocast_assign(const struct expr *variable, const struct expr *value);
void autocast_return(struct infer *i, const struct expr *value);
bool autocast_index(struct infer *i, struct expr *x);
bool infer_is_typed_local(const struct infer *i, const char *name);
struct tvar *infer_autocast(struct infer *i, struct expr *x);
/* var.c: @var */
bool var_defined(struct infer *i, const struct expr *x);
struct tvar *infer_var(struct infer *i, struct expr *x);
/* Completes a variable whose place depends on where its file was loaded. */
void var_find_base(struct infer *i, struct target *t, struct span at);
/* cast.c */
bool cast_defined(struct infer *i, const struct expr *x);
struct tvar *infer_cast(struct infer *i, struct expr *x);
/* infer_var.c */
/* ACC_UPDATE: the old value is needed for nothing but the new one */
enum access { ACC_READ = 1, ACC_WRITE = 2, ACC_UPDATE = 4 };
bool infer_is_local(const struct infer *i, const char *name);
struct tvar *infer_symbol(struct infer *i, struct expr *x, unsigned int access);
struct tvar *infer_index(struct infer *i, struct expr *x, unsigned int access);
/* A variable that is written to; NULL after an error. */
struct tvar *infer_lvalue(struct infer *i, struct expr *x, unsigned int access, const char *what);
/* The aggregate of @count(...) and <<<: a global scalar or an element. */
struct tvar *infer_aggregate(struct infer *i, struct expr *x, unsigned int access);
/* Embedded C reads or writes @g. */
void infer_use_global(struct infer *i, struct global *g, struct span at, unsigned int access);
/* Global @name for foreach, in, delete, []; E-UNKNOWN-VAR and NULL without one. */
struct global *infer_array(struct infer *i, const char *name, struct span at, unsigned int access);
/* @slice: a '*' may stand for a key. */
bool infer_keys(struct infer *i, struct global *g, const expr_vec *keys, struct span at,
		bool slice);
/* infer_stat.c: what reads aggregates */
struct tvar *infer_stat(struct infer *i, struct expr *x);
bool is_hist(const struct expr *x); /* @hist_log, @hist_linear */
/* A histogram where one may stand; NULL after an error. */
struct global *infer_hist(struct infer *i, struct expr *x);
struct tvar *infer_hist_index(struct infer *i, struct expr *x); /* @hist_log(x)[i] */
void infer_sort_stat(struct infer *i, struct global *g, enum stat_op op);
struct tvar *unsupported(struct infer *i, struct span at, const char *what);

/* embed.c: C text of the script */
void embed_function(struct infer *i);
struct tvar *embed_expr(struct infer *i, struct expr *x);
/* Whether the text says that nothing is lost when its value is not needed. */
bool embed_is_pure(const char *text);

/* lower*.c */
struct loop {
	struct loop *up;
	uint32_t brk, cont;
	uint32_t iter; /* of a foreach, else IR_NONE */
};
struct lower {
	struct elab *e;
	struct arena *arena;
	struct ir_module *m;
	struct ir_func *f;
	struct function *fn; /* or NULL in a handler */
	struct handler *h; /* or NULL in a function */
	uint32_t cur; /* block that is being filled */
	uint32_t err; /* where failures go */
	uint32_t fault; /* where those of reading what is pretty-printed go; 0: to err */
	uint32_t body_err; /* where those go that no try block of this body takes */
	bool in_try;
	bool uncounted; /* the translator's own code: bounded, and not counted as actions */
	struct loop *loop;
	uint32_t action_block, action_insn; /* the action count of the running stretch */
};
enum ir_type lower_type(enum script_type t);
/* "operator '/' at FILE:L:C" as a string index. */
uint32_t lower_loc(struct lower *l, struct span at);
uint32_t lower_keyword_loc(struct lower *l, struct span at);
struct ir_val lower_str(struct lower *l, const char *s);
/* Appends an operation to the current block; result type IR_VOID: no destination. */
struct ir_insn *lower_insn(struct lower *l, enum ir_op op, uint32_t dst, const struct ir_val *args,
			   uint32_t nargs);
uint32_t lower_temp(struct lower *l, enum ir_type t);
struct ir_val lower_op1(struct lower *l, enum ir_op op, struct ir_val a);
struct ir_val lower_op2(struct lower *l, enum ir_op op, struct ir_val a, struct ir_val b,
			struct span at);
void lower_move(struct lower *l, uint32_t reg, struct ir_val v);
void lower_jump(struct lower *l, uint32_t to);
void lower_branch(struct lower *l, struct ir_val c, uint32_t yes, uint32_t no);
struct ir_val lower_expr(struct lower *l, struct expr *x);
/*
 * Evaluates in order; a local's register is copied when a later operand, or @after, may change the
 * local.
 */
struct ir_val lower_nth(struct lower *l, const expr_vec *xs, uint32_t n, struct expr *after);
struct ir_val *lower_exprs(struct lower *l, const expr_vec *xs, struct expr *after, uint32_t extra);
/* The given keys of a slice, behind @first other operands; *fixed: a mask of them. */
struct ir_val *lower_slice(struct lower *l, const expr_vec *keys, uint32_t first, uint32_t *n,
			   uint32_t *fixed);
bool is_slice(const expr_vec *keys);
/* An operation on the aggregate or histogram @x; its keys, then room for one more operand. */
struct ir_insn *lower_aggregate(struct lower *l, enum ir_op op, uint32_t dst, const struct expr *x,
				struct ir_val *keys, uint32_t extra);
struct ir_val lower_hist_index(struct lower *l, struct expr *x);
void lower_cond(struct lower *l, struct expr *x, uint32_t yes, uint32_t no);
struct ir_val lower_binary_op(struct lower *l, enum bin_op op, struct ir_val a, struct ir_val b,
			      struct span at);
struct ir_val lower_regex(struct lower *l, struct expr *x);
struct ir_val lower_call(struct lower *l, struct expr *x);
/* embed.c: the body of a function of C, a C expression, and the C of the top level */
void lower_embed_function(struct lower *l);
struct ir_val lower_embed_expr(struct lower *l, struct expr *x);
void lower_embeds(struct lower *l);
/* One function, or the built-in that it wraps. */
struct ir_val lower_call_of(struct lower *l, const struct function *fn, const struct ir_val *args,
			    struct span at);
/* Several, or one that may say "next": overload.c */
struct ir_val overload_lower(struct lower *l, const struct callee *c, enum ir_type ret,
			     const struct ir_val *args, struct span at);
struct ir_val lower_print(struct lower *l, struct expr *x);
struct ir_val lower_target(struct lower *l, struct expr *x);
/* lower_callers.c: 1 when the hit was called from there, else 0 */
struct ir_val lower_callers(struct lower *l, const struct probe_callers *c, bool user, struct span at);
/* lower_path.c: the value of a variable of the probed code */
struct ir_val lower_symbol_var(struct lower *l, const struct target *t, const struct path *p, struct span at);
/* The run-time address of link-time address @link of the kernel or of a module; of the current CPU's copy. */
struct ir_val lower_symaddr(struct lower *l, struct sym_object *o, uint64_t link, struct span at);
struct ir_val lower_percpu(struct lower *l, struct sym_object *o, uint64_t link, struct span at);
/* What @path's layout has of @what, which is @here on the kernel that the script is compiled for. */
struct ir_val lower_layout(struct lower *l, enum ir_layout what, int64_t here, const char *path, struct span at);
/* From a value (a pointer) on. */
struct ir_val lower_path(struct lower *l, struct ir_val x, const struct path *p, struct span at);
/* Where its steps lead to. */
struct ir_val lower_steps(struct lower *l, struct ir_val x, const struct path *p);
/* The value there. */
struct ir_val lower_at(struct lower *l, struct ir_val x, const struct path *p, struct span at);
struct sym_piece;
/* One part: its address or value. */
struct ir_val lower_part(struct lower *l, const struct target *t, const struct sym_piece *p, struct span at);
/* Where its steps start: the variable's address, or of its value what the path is about. */
struct ir_val lower_base(struct lower *l, const struct target *t, const struct path *p, struct span at);
/* At most 64 bits of a variable in parts. */
struct ir_val lower_parts(struct lower *l, const struct target *t, const struct sym_loc *loc, uint64_t first,
			  uint32_t bits, struct span at);
/* @mem: imm of the operation load. */
struct ir_val lower_load(struct lower *l, struct ir_val addr, uint32_t mem, struct span at);
/* As many bits as said, from that bit on; 0 bits: all. */
struct ir_val lower_cut(struct lower *l, struct ir_val v, uint32_t bits, uint32_t from, bool is_signed,
			struct span at);
/* Bytes that a load takes to hold so many bits. */
uint32_t lower_bytes(uint32_t bits);
/* pretty.c: the text of what a path from @x leads to, of a variable by its location, of one by its value */
struct ir_val pretty_path(struct lower *l, struct ir_val x, const struct path *p, struct span at);
struct ir_val pretty_symbol(struct lower *l, const struct target *t, const struct path *p, struct span at);
/* "a=1 b={...}" of a list, or the text of the one variable, which has no type */
struct ir_val pretty_list(struct lower *l, const struct target *t, struct span at);
/* lower_call.c: a context variable without location */
struct ir_val lower_plain_var(struct lower *l, const struct probe_var *v, bool user, struct span at);
struct ir_val lower_assign(struct lower *l, struct expr *x);
/* assign.c: variables, members and elements of what is probed. NULL after an error. */
struct tvar *assign_infer(struct infer *i, struct expr *x);
struct ir_val assign_lower(struct lower *l, struct expr *x);
struct ir_val assign_incdec(struct lower *l, struct expr *x);
/* Whether a library's function is for guru mode only: it changes memory. */
bool assign_in_body(const struct function *fn);
struct ir_val lower_incdec(struct lower *l, struct expr *x);
struct ir_val lower_read_symbol(struct lower *l, struct expr *x);
struct ir_val lower_read_index(struct lower *l, struct expr *x);
/* Gives a variable without keys a value: foreach and catch variables. */
void lower_set_symbol(struct lower *l, struct expr *x, struct ir_val v);
void lower_stmt(struct lower *l, struct stmt *s);
/* What a handler does before it ends, in any way. */
void lower_leave(struct lower *l);
struct ir_val lower_atop(struct lower *l, struct expr *x);
/* Whether calls of @fn are replaced by the one built-in that it wraps. */
const struct expr *lower_wrapped(const struct function *fn);

/* A formatted text from pieces: lower_fmt.c */
struct fmt_build {
	struct span at; /* of the print, for what may fail */
	struct buf text;
	VEC(struct ir_val) vals;
	VEC(enum ir_type) types;
};
void fmt_build_init(struct fmt_build *b);
void fmt_build_lit(struct fmt_build *b, const char *s, size_t n);
void fmt_build_conv(struct fmt_build *b, const struct fmt_spec *spec);
void fmt_build_arg(struct lower *l, struct fmt_build *b, struct ir_val v, enum ir_type t);
/* emit, or with @to_string the sprintf operation, whose value it yields. Ends @b. */
struct ir_val fmt_build_end(struct lower *l, struct fmt_build *b, bool to_string,
			    enum ir_stream stream);

/* site.c */
void site_share_semaphores(struct elab *e);

/* settings.c: -G */
void settings_find(struct elab *e);
void settings_apply(struct elab *e);

#endif
