/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend-neutral form of a script. ir/ knows neither the parser nor a backend.
 *
 * A function or handler is a control-flow graph of blocks over typed virtual registers that may be
 * assigned more than once (not SSA). Each register is assigned on every path before it is read;
 * ir_verify() checks it. Block 0 is the entry. The last instruction of a block, and only that, is a
 * TERM operation.
 */
#ifndef SPILE_IR_IR_H
#define SPILE_IR_IR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/agg.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/fmt.h"
#include "base/strtab.h"
#include "base/track.h"
#include "regex/regex.h"

#define IR_MAXKEYS 9
#define IR_NONE UINT32_MAX /* no register, block, index */

enum ir_type { IR_VOID, IR_I64, IR_STR };

enum ir_op {
#define OP(name, result, operands, ref, flags) IR_##name,
#include "ops.def"
#undef OP
	IR_OP_COUNT
};

enum ir_intrinsic {
#define INTRINSIC(name, result, operands, flags, k, b, u) IN_##name,
#include "intrinsics.def"
#undef INTRINSIC
	IN_COUNT
};

enum ir_send {
#define SEND(name, operands) SEND_##name,
#include "sends.def"
#undef SEND
	IR_SEND_COUNT
};
enum ir_name_row {
#define NAME(name, operand, user, k, b) NM_##name,
#include "names.def"
#undef NAME
	NM_COUNT
};

extern const char *const ir_send_operands[IR_SEND_COUNT];
enum ir_send ir_send_find(const char *name); /* IR_SEND_COUNT when there is none */

enum ir_error {
#define ERR(id, text) ERR_##id,
#include "errors.def"
#undef ERR
	ERR_COUNT
};

enum ir_attach {
#define ATTACH(id, name, k, b, u, flags) AT_##id,
#include "attach.def"
#undef ATTACH
	AT_COUNT
};

enum ir_flags {
	IRF_PURE = 1,
	IRF_FAIL = 2,
	IRF_READ = 4,
	IRF_WRITE = 8,
	IRF_EFFECT = 16,
	IRF_TERM = 32,
	IRF_CTX = 64,
};

enum ir_ref { IRR_NONE, IRR_GLOBAL, IRR_FUNC, IRR_FMT, IRR_INTR, IRR_ITER, IRR_REGEX, IRR_EMBED, IRR_SYM, IRR_BLOCK };

/* Attach flags, and which sides can do a kind or an intrinsic. */
enum ir_attach_flags {
	ATF_SESSION = 1,
	ATF_TASK = 2,
	ATF_ARGS = 4,
	ATF_RETVAL = 8,
	ATF_TPARGS = 16,
	ATF_PROC = 32
};
enum ir_side { SIDE_K = 1, SIDE_B = 2, SIDE_U = 4 };

/* Statistic extractors; the numbers are those of enum stat_op in the parser's order. */
enum ir_stat { IRS_COUNT, IRS_SUM, IRS_MIN, IRS_MAX, IRS_AVG, IRS_VARIANCE, IRS_NSTAT };

enum ir_stream { IRO_OUT, IRO_WARN };

/*
 * What a layout operation tells of a type path: the offset of its member, the size of the type that it consists of; of a
 * bit field the distance to the top of a number of 64 bits, and from there to its low end.
 */
enum ir_layout { IRL_OFFSET, IRL_SIZE, IRL_LSHIFT, IRL_RSHIFT, IRL_N };
/* imm of stack: whose, and how much is said of each address */
enum ir_stack { IRK_KERNEL = 0, IRK_USER = 1, IRK_BRIEF = 2, IRK_FILELINE = 4, IRK_ALL = 7 };

#define IR_MAXREG 31 /* highest DWARF number of a general register, over all machines */

/* imm of load, loadstr, tparg */
#define IR_MEM(width, sign) ((width) | ((sign) ? 16u : 0u)) /* width in bytes: 1 2 4 8 */
#define IR_MEM_WIDTH(imm) ((imm) & 15u)
#define IR_MEM_SIGNED(imm) (((imm) >> 4) & 1u)
#define IR_KERNEL 0u
#define IR_USER 32u
/* imm of loadbuf: what becomes of the bytes */
enum ir_buf { IRB_TEXT, IRB_HEX, IRB_QUOTED, IRB_N }; /* text: up to the first NUL */
#define IR_BUF_FORM(imm) ((imm) & 15u)
#define IR_TPARG(n) ((uint32_t)(n) << 16)
#define IR_TPARG_N(imm) ((imm) >> 16)

/* Facts about an operation, from ops.def. */
struct ir_op_info {
	const char *name, *operands;
	enum ir_type result;
	bool any_result;
	enum ir_ref ref;
	unsigned int flags;
};
extern const struct ir_op_info ir_ops[IR_OP_COUNT];

struct ir_intrinsic_info {
	const char *name, *operands;
	enum ir_type result;
	unsigned int flags;
	unsigned int sides;
};
extern const struct ir_intrinsic_info ir_intrinsics[IN_COUNT];
/* IN_COUNT when there is none of that name. */
enum ir_intrinsic ir_intrinsic_find(const char *name);

/* A row of names.def. */
struct ir_name_info {
	const char *name;
	char operand; /* of the library's function */
	bool user;
	unsigned int sides;
};
extern const struct ir_name_info ir_names[NM_COUNT];
enum ir_name_row ir_name_find(const char *name); /* NM_COUNT when there is none */
enum ir_type ir_name_operand(enum ir_name_row n); /* of the operation */

struct ir_attach_info {
	const char *name;
	unsigned int sides, flags;
};
extern const struct ir_attach_info ir_attaches[AT_COUNT];
extern const char *const ir_error_text[ERR_COUNT];

/* An operand. */
enum ir_val_kind { IRV_REG = 1, IRV_INT, IRV_STR };
struct ir_val {
	enum ir_val_kind kind;
	union {
		uint32_t reg;
		int64_t num;
		uint32_t str; /* index in module->strings */
	};
};
#define ir_reg(r) ((struct ir_val){ .kind = IRV_REG, .reg = (r) })
#define ir_num(n) ((struct ir_val){ .kind = IRV_INT, .num = (n) })
#define ir_strval(s) ((struct ir_val){ .kind = IRV_STR, .str = (s) })

struct ir_insn {
	uint8_t op; /* enum ir_op */
	uint32_t dst; /* register or IR_NONE */
	uint32_t ref; /* index by ops.def's ref column; IR_NONE when the op has none */
	uint32_t imm;
	uint32_t aux; /* string index of the type path of a layout or load, else 0 */
	uint32_t err; /* block where a failure continues; IR_NONE for what cannot fail */
	/*
	 * String index of "operator '/' at top.stp:1:2", or 0: unknown. Each call that was inlined
	 * around it adds a line with the call's place.
	 */
	uint32_t loc;
	uint32_t nargs;
	struct ir_val *args;
	uint32_t succ[2]; /* jmp, br; else IR_NONE */
};

struct ir_block {
	VEC(struct ir_insn) insns;
};

/* Static description of one foreach. */
struct ir_iter {
	uint32_t global;
	int sort_dir; /* 0: insertion order, 1 ascending, -1 descending */
	int sort_key; /* from 1: that key; 0: the value */
	enum ir_stat sort_stat; /* for statistics sorted by value */
	uint32_t fixed; /* mask of the keys that it_begin is given: a slice */
};

/* A function, or a handler (ret IR_VOID, no parameters, ends with done or abort). */
struct ir_func {
	const char *name; /* interned; handlers: probe_N */
	bool is_handler;
	bool recursive; /* may be called again while it runs: by ir_mark_recursion() */
	enum ir_type ret;
	uint32_t nparams; /* registers 0 .. nparams - 1 */
	VEC(enum ir_type) regs; /* type of each register */
	VEC(const char *) reg_names; /* parallel: a local's name for dumps, or NULL */
	VEC(struct ir_block *) blocks;
	VEC(struct ir_iter) iters;
	uint32_t loc; /* string index of the definition's place */
};

/* A global. nkeys 0 and not is_stat: a scalar. */
struct ir_global {
	const char *name;
	enum ir_type type; /* of the value; IR_I64 for statistics */
	bool is_stat, wrap, sized; /* sized: the script wrote name[N] */
	uint32_t nkeys;
	enum ir_type keys[IR_MAXKEYS];
	uint32_t max_entries; /* arrays: written size or MAXMAPENTRIES */
	uint32_t stat_ops; /* mask of 1 << enum ir_stat that some code extracts */
	struct agg_hist hist; /* statistics: the histogram that some code reads */
	bool hex; /* print as an address in the automatic dump */
	int64_t init_num;
	const char *init_str; /* NULL: "" */
};

/* One lock a handler takes for its whole run, in order of the global's number. */
struct ir_lock {
	uint32_t global;
	bool write;
};

struct ir_probe {
	enum ir_attach kind;
	const char *name; /* what pp() yields */
	const char *chain; /* as the script wrote it, aliases last: for -p2 and messages */
	uint32_t handler; /* index in module->funcs */
	int64_t seq; /* begin, end, error: ascending order */
	int64_t period; /* timers: nanoseconds, or jiffies */
	int64_t random; /* timers: +- this much, same unit; 0: none */
	bool jiffies;
	const char *target; /* kernel symbol, tracepoint, or path of the object file */
	const char *symbol; /* uprobes: function name, for messages */
	const char *proto; /* k*, tracepoints: the parameters that it was compiled for (symbols/proto.h); NULL: unknown */
	uint64_t offset; /* k*: bytes past the symbol; u*: file offset */
	uint64_t semaphore; /* uprobes: file offset of the counter of who looks; 0: none */
	uint32_t maxactive; /* kretprobes: 0: the runtime's choice */
	bool optional; /* '?': not attaching is no error */
	/* Whose hits count: tgid @pid (0: any); processes that run the file @exe (NULL: any), see ir_track(). */
	int64_t pid;
	const char *exe;
	bool filter_target; /* with -c or -x: only hits of that process and its descendants */
	bool at_entry; /* uprobes: at a function's first instruction, where its frame is not set up */
	bool user_side; /* set by placement: run by staprun's interpreter */
	VEC(struct ir_lock) locks; /* by ir_locks() */
	/* where probes that share a handler differ: what its sitenum and sitestr yield */
	VEC(int64_t) nums;
	VEC(const char *) strs;
};

/* A print format: pieces of literal text and conversions, with the type of each argument taken. */
struct ir_fmt {
	VEC(struct fmt_piece) pieces;
	VEC(enum ir_type) args; /* includes '*' widths and precisions, in order */
	VEC(const struct fmt_spec *) specs; /* by argument: its conversion; NULL for a '*' */
};
/*
 * Whether argument @n is the address of a %m or %M. The count is argument *@star, or, when that is
 * IR_NONE, *@count.
 */
bool ir_fmt_mem(const struct ir_fmt *f, uint32_t n, uint32_t *star, uint32_t *count);
bool ir_fmt_has_mem(const struct ir_fmt *f);
bool ir_fmt_has_names(const struct ir_fmt *f); /* FMT_NAME */

/* A regular expression; two of one pattern may differ in groups. */
struct ir_regex {
	const char *pattern;
	bool groups; /* of capture, else of match */
	const struct regex_tab *tab;
};

/*
 * C text of the script. With a name it is a function, else it stands at the top level of the C file.
 * A backend without C of the kernel's refuses scripts that use it.
 */
struct ir_embed {
	const char *name;
	const char *sig; /* "v", "i" or "s" for the result, then "i" or "s" for each parameter */
	const char *params; /* their names, separated by spaces */
	const char *globals; /* "r3 w5": globals, by number, that the text reads or writes */
	const char *file, *text;
	uint32_t line; /* where the text begins in the file */
	uint32_t flags; /* enum ir_embed_flags */
};
enum ir_embed_flags {
	IRE_UNMANGLED = 1, /* parameters go by THIS->name, too */
	IRE_EXPR = 2, /* an expression, not statements */
	IRE_LAST = 4, /* at the end of the file */
	IRE_NEXT = 8, /* may pass the call on to the next function of that name */
};
/*
 * Takes the next global of the list at *@at, which begins as embed->globals. False at the end or
 * when it is malformed (*@at then is not at the end of the text).
 */
bool ir_embed_global(const char **at, uint32_t *global, bool *write);

/*
 * A place of the kernel's memory that is known when the script is loaded: "_stext", or of a module "ext4:.data" (a section) or
 * "ext4:ext4_count" (a symbol).
 */
struct ir_sym {
	const char *name;
	/* A section: a symbol of the module in it, and its distance from the start, for when sections cannot be asked. */
	const char *anchor;
	uint64_t anchor_off;
};

/* What the script was translated for: offsets fit this build of a module, or of the kernel ("kernel"), and no other. */
struct ir_build {
	const char *object;
	const char *id; /* the build id, as hexadecimal digits */
};

struct ir_limits {
#define LIMIT(name, field, def, lo, hi) int64_t field;
#include "limits.def"
#undef LIMIT
};
void ir_limits_default(struct ir_limits *l);
/*
 * Sets a limit by its -D name: 0; -ENOENT: no such limit; -ERANGE: @lo/@hi (may be NULL) say the
 * range.
 */
int ir_limits_set(struct ir_limits *l, const char *name, int64_t v, int64_t *lo, int64_t *hi);

struct ir_module {
	struct arena *arena;
	const char *name; /* of the session: stap_<hash>_<n> */
	VEC(const char *) strings; /* interned; index 0 is "" */
	VEC(struct ir_global *) globals;
	VEC(struct ir_func *) funcs; /* functions and handlers */
	VEC(struct ir_fmt *) fmts;
	VEC(struct ir_regex) regexes;
	uint64_t regex_cost; /* of their tables */
	VEC(struct ir_embed) embeds;
	VEC(struct ir_sym) syms;
	VEC(struct ir_build) builds;
	VEC(struct ir_probe *) probes;
	struct ir_limits limits;
	const char *release; /* of the kernel, where something depends on it; else NULL */
	uint64_t kernel_id; /* tells builds of that release apart: bytes of its type information; 0: unknown */
	bool recursive; /* some function may call itself: by ir_mark_recursion() */
	/* of ir_string(): indices + 1 in strings, by hash */
	uint32_t *string_slots, string_cap;
};

/* Words of struct agg that a statistic keeps. */
static inline uint32_t ir_stat_words(const struct ir_global *g)
{
	return g->stat_ops & 1u << IRS_VARIANCE ? AGG_WORDS_SQUARES : AGG_WORDS;
}

/* building (ir.c) */
struct ir_module *ir_module_new(struct arena *a);
uint32_t ir_string(struct ir_module *m, const char *s); /* index, added when new */
struct ir_func *ir_func_new(struct ir_module *m, const char *name, bool handler, uint32_t *index);
uint32_t ir_new_reg(struct ir_module *m, struct ir_func *f, enum ir_type t, const char *name);
uint32_t ir_new_block(struct ir_module *m, struct ir_func *f);
/* Appends an instruction with @nargs operands (copied) and returns it for its other fields. */
struct ir_insn *ir_add(struct ir_module *m, struct ir_func *f, uint32_t block, enum ir_op op,
		       uint32_t dst, const struct ir_val *args, uint32_t nargs);
/*
 * Parses @text (a printf format, kept by reference in the arena) into a new or an equal existing
 * format. IR_NONE when it is malformed.
 */
uint32_t ir_fmt_add(struct ir_module *m, const char *text, const enum ir_type *args,
		    uint32_t nargs);
/*
 * The number of a regular expression, a new one when there is none (then @pattern is kept). @tab:
 * its table, or NULL: made here. IR_NONE when it is malformed or too large, or all of them together
 * are (REGEX_MAXCOST).
 */
uint32_t ir_regex_add(struct ir_module *m, const char *pattern, bool groups,
		      const struct regex_tab *tab);
/* The number of a symbol, a new one when there is none. */
uint32_t ir_sym_add(struct ir_module *m, const struct ir_sym *sym);
/* Notes what the script is translated for; @id NULL: it cannot be told apart from others. */
void ir_build_add(struct ir_module *m, const char *object, const char *id);
/* IR_NONE when there is none. */
uint32_t ir_regex_find(const struct ir_module *m, const char *pattern, bool groups);
unsigned int ir_insn_flags(const struct ir_insn *i); /* ops.def's, with the intrinsic's for intr */
bool ir_block_ended(const struct ir_func *f, uint32_t block);
/*
 * Appends the text of an error, without its place: errors.def with its operand and the error's own
 * @text (may be NULL).
 */
void ir_error_render(struct buf *out, const struct ir_module *m, enum ir_error kind,
		     int64_t operand, const char *text);

/* text and binary forms */
void ir_print(struct buf *out, const struct ir_module *m); /* --dump-ir */
void ir_print_func(struct buf *out, const struct ir_module *m, const struct ir_func *f);
/* Reads what ir_print() wrote. NULL with a message "line N: ..." in @err (arena) on bad input. */
struct ir_module *ir_parse(struct arena *a, const char *text, const char **err);
void ir_write(struct buf *out, const struct ir_module *m); /* binary */
/* NULL with *err set for a damaged or foreign image; never reads past @len. */
struct ir_module *ir_read(struct arena *a, const void *image, size_t len, const char **err);

/* NULL when well formed, else a message in the arena that names function, block and instruction. */
const char *ir_verify(const struct ir_module *m);

/* passes: each may run on any verified module and leaves it verified */
/* Constant folding, copy propagation, known branches. */
void ir_fold(struct ir_module *m);
/* Dead code, unreachable blocks, registers nobody names; unused functions' bodies stay. */
void ir_dce(struct ir_module *m);
/* For code that runs only on the kernel that it is compiled for: layouts become constants. */
void ir_fix_layouts(struct ir_module *m);
/*
 * What is printed of a name (the operation) becomes its address with a conversion that staprun does. Also through
 * concatenations and sprintf in the same block.
 */
void ir_late(struct ir_module *m);
/* Replaces calls of non-recursive functions of at most @max_insns instructions by their bodies. */
void ir_inline(struct ir_module *m, uint32_t max_insns);
/*
 * Cuts blocks of more than @max instructions into several; four operands count as an instruction.
 */
void ir_split(struct ir_module *m, uint32_t max);
/* Sets what says "by ir_mark_recursion()", and MAXNESTING where no -D did. */
void ir_mark_recursion(struct ir_module *m);
/* The same; drops action counts that cannot exceed the limit, joins others. */
void ir_analyse(struct ir_module *m);
/* Fills probe->locks from what the handler and its callees touch. */
void ir_locks(struct ir_module *m);
/* What the runtimes have to know of processes: who descends from the target, who runs which file. See base/track.h. */
struct ir_track {
	bool used; /* something asks about the target's descendants, or more */
	bool always; /* there is more than that: even without -c and -x */
	bool all; /* every process, unless a target is given */
	bool threads; /* each thread, too */
	uint32_t nexe;
	const char *exe[TRACK_MAXEXE];
	const char *over; /* one file more than can be told apart; else NULL */
};
void ir_track(const struct ir_module *m, struct ir_track *out);
uint32_t ir_track_exe(const struct ir_track *t, const char *exe); /* its number; IR_NONE */
/*
 * Which side runs each probe: @sides is the backend's mask (SIDE_K; SIDE_B | SIDE_U; SIDE_U). NULL,
 * or a message that says which probe cannot run and why; *probe is its index.
 */
const char *ir_place(struct ir_module *m, unsigned int sides, uint32_t *probe);

/*
 * Per-function liveness: live_in[b] / live_out[b] are bit sets of @words 64-bit words over
 * registers. An instruction that may fail has an edge to its error block from the point before its
 * destination is written.
 */
struct ir_liveness {
	uint32_t words;
	uint64_t **live_in, **live_out;
};
void ir_liveness(struct arena *a, const struct ir_func *f, struct ir_liveness *out);
/* What a handler and the functions it may call use, transitively. */
struct ir_uses {
	uint8_t *reads, *writes; /* a byte a global */
	uint8_t *funcs; /* a byte a function that may run */
	uint8_t intrinsics[IN_COUNT];
	bool embeds; /* embedded C */
	bool loops, calls, iterates, loads; /* loops: some back edge; iterates: some foreach */
	bool hist_text; /* a histogram made a string */
	uint8_t names[NM_COUNT]; /* made strings */
	bool writes_kernel, writes_user, sets_registers; /* changes what is probed */
};
void ir_uses(struct arena *a, const struct ir_module *m, uint32_t func, struct ir_uses *out);

#endif
