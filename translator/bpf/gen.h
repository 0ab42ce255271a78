/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code generator's state. A unit is one object; a handler is one program of it (with, when it
 * loops or recurses, a callback that bpf_loop drives); an fngen is one IR function inside a
 * handler.
 *
 * Register use: R9 points at the scratch slot, R6-R8 hold i64 registers, R0-R5 are scratch for one
 * operation. The context pointer is kept on the stack at FRAME_CTX.
 */
#ifndef SPILE_BPF_GEN_H
#define SPILE_BPF_GEN_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/record.h"
#include "bpf/asm.h"
#include "bpf/layout.h"
#include "session.h"

/* The slot's fixed head. */
enum {
	SH_BUSY = 0, /* u32 */
	SH_IDX = 4, /* u32: this slot's number, what routines are given */
	SH_CPU = 8, /* u32 */
	SH_LEVEL = 12, /* u32: of the slots of its CPU, from 0 */
	SH_ACTIONS = 16,
	SH_ERR_KIND = 24,
	SH_ERR_OPERAND = 32,
	SH_ERR_LOC = 40, /* u32; written with the next as one number, which clears it */
	SH_ERR_NCALLS = 44, /* u32: calls that failed because of the error */
	SH_STATE = 48, /* where the next step continues: chunk << 16 | state of it */
	SH_DONE = 56, /* enum done_state */
	SH_SP = 64, /* bytes in use of the call stack */
	SH_DEPTH = 72,
	SH_RECPOS = 80, /* bytes of the record built so far */
	SH_FMTLEN = 88,
	SH_RET = 96, /* an i64 function's result */
	SH_STAT = 104, /* struct agg: the last merge */
	SH_TMP = 160, /* for one operation or routine */
	SH_ITERS = 192, /* mask of the foreach regions held */
	SH_EXIT = 200, /* the handler called exit() */
	SH_LOOP = 208, /* the next index of a routine's loop */
	SH_TOKEN_AT = 216, /* where tokenize() goes on */
	SH_SITE = 224, /* programs of several probes: where the record of the one that was hit begins */
	SH_TASK = 232, /* events of tasks: the kernel's address of the one */
	SH_ERR_CALLS = 240, /* u32[REC_FRAMES]: locations of the innermost ones */
	SH_ARG = SH_ERR_CALLS + 4 * REC_FRAMES, /* i64 arguments of a call */
	SH_ARGS = 32,
	SH_SIZE = SH_ARG + 8 * SH_ARGS,
};

enum done_state { DONE_RUNNING, DONE_OK, DONE_FAILED };

/* The main program's stack. */
enum {
	FRAME_CTX = -8,
	FRAME_SLOT = -16,
	FRAME_IDX = -20,
	FRAME_BUF = -32,
	FRAME_ARG5 = -40,
	/* while a value is added to a statistic */
	FRAME_PART = -48,
	FRAME_VALUE = -56,
	FRAME_BLOCK = -64,
	/* until the slot is had; and of programs without one */
	FRAME_TASK = -72,
	FRAME_ELEM = -96 /* struct bpf_task */
};

#define NSTMP 3u /* string temporaries */

#define BPF_MAP_DEF_BYTES 48u /* a map's definition in .maps: at most six pointers */

enum loc_kind { LOC_NONE, LOC_REG, LOC_MEM };
struct loc {
	enum loc_kind kind;
	uint32_t idx; /* machine register; number of the home (i64) or string */
};

struct fngen {
	const struct ir_func *f;
	uint32_t index;
	uint32_t *order, norder; /* reachable blocks, every edge but back edges going forward */
	uint32_t *rank; /* by block; IR_NONE: unreachable */
	uint32_t *label; /* by block */
	uint32_t *state; /* by block; IR_NONE: no state entry */
	uint32_t *chunk; /* by block */
	struct loc *loc; /* by register */
	bool *fused; /* by register: only the branch right after its comparison reads it */
	uint32_t nhomes, nstrs;
	uint32_t iter_homes; /* the first home of its iterators */
	uint32_t home_base, str_base; /* offsets in the slot */
	uint32_t win_size; /* called functions: bytes saved around a call, from home_base */
};

/*
 * A part of a handler that is one BPF function: its jumps reach all of it, and the verifier can
 * follow all of its branches.
 */
struct chunk {
	uint32_t fn;
	uint32_t l_dispatch;
	VEC(uint32_t) states; /* label of each */
};

struct handler {
	uint32_t probe;
	bool found; /* for tasks that were there when the session started */
	bool machine; /* runs as a state machine */
	bool iterates; /* some foreach */
	bool exits; /* some exit() */
	VEC(struct fngen *) fns; /* the handler itself first */
	uint32_t *fn_of; /* by function: index in fns, or IR_NONE */
	VEC(struct chunk) chunks; /* of the state machine, at least one */
	bool uses_ctx; /* of the state machine: it reads the probe's context */
	/* probes that the program serves; of several: their table in .rodata, see site.c */
	uint32_t nsites, site_base, site_stride;
	uint32_t nnums, nstrs, ntexts;
	uint32_t text_pp, text_func; /* which texts these are */
	uint32_t *text_size;
};

/* Homes of one iterator. */
enum iter_home { ITER_REGION, ITER_BASE, ITER_COUNT, ITER_LEFT, ITER_ELEM, ITER_HOMES };
#define ITER_KEY_OFF 16u /* of the key in an element's copy */

/* Routines of one way to iterate. */
struct iter_fns {
	struct ir_iter it;
	uint32_t begin, pop;
};

/* Routines of one slice: its test, and what looks for an element or deletes all. */
struct slice_fns {
	uint32_t global, fixed, match, fn[2];
};

enum fn_kind { FN_PROG, FN_GLOBAL, FN_STATIC };

struct bpf_fn {
	const char *name;
	enum fn_kind kind;
	const char *section; /* FN_PROG: libbpf's name for its kind */
	uint32_t nargs;
	bool keeper; /* of the table of processes, not loaded where nobody asks */
	const char *ctx; /* FN_GLOBAL: the first argument is a context, of this structure */
	struct bpf_asm as;
};

/* A map of section .maps. Type ids are given by btf.c. */
struct bpf_map {
	const char *name;
	uint32_t type, max_entries, flags;
	uint32_t global; /* IR_NONE: an internal one */
	uint32_t key_size, value_size; /* 0: not given (ring buffer) or set by the loader */
};

/*
 * Routines: BPF functions shared by the programs of an object, built when first used (rt.c has the
 * table).
 */
enum rt_routine {
	RT_PAUSE,
	RT_LOCK,
	RT_DIV,
	RT_MOD,
	RT_SCMP,
	RT_SCAT,
	RT_SUBSTR,
	RT_STRPOS,
	RT_STR_REPLACE,
	RT_TOKENIZE,
	RT_STRTOL,
	RT_MATCHED,
	RT_FMT_STR,
	RT_FMT_INT,
	RT_FMT_QUOTE,
	RT_ERRMSG,
	RT_REC_STR,
	RT_REC_MEM,
	RT_TEXT,
	RT_NAME,
	RT_UREGS,
	RT_USTACK,
	RT_STACK_TEXT,
	RT_REC_STACK,
	RT_UTF,
	RT_ERROR,
	RT_ITER_END,
	RT_ITER_CLOSE,
	RT_LOG_BUCKET,
	RT_MUL_HI,
	RT_WIDE_DIV,
	RT_VARIANCE,
	RT_COUNT,
};

/* The last match's groups, in the slot. */
enum {
	SM_NGROUPS = 0, /* 0: it failed, or there was none */
	SM_SEEN = 8, /* while walking back: ends of groups that are known; those new at this step */
	SM_NEW = 16,
	SM_POS = 24, /* u32: start and end of each group */
	SM_SIZE = SM_POS + 8 * REGEX_MAXGROUPS,
};

/* One regular expression: its routine, and where its tables are in .rodata. */
struct bpf_regex {
	const struct regex_tab *tab;
	uint32_t fn; /* IR_NONE: not needed yet */
	uint32_t classes, next, end, final, back_at, back, first, marks;
};

struct slot_layout {
	bool tokens; /* some handler calls tokenize() */
	uint32_t token, delims; /* its text; a bit for each byte that is a delimiter */
	bool backtraces; /* some handler looks at a stack */
	uint32_t bt, bt_regs; /* u64 count and the addresses; a process's registers */
	bool captures; /* some handler asks for the groups of a match */
	uint32_t match, match_str, match_log; /* SM_..., the string, the state at each of its bytes */
	uint32_t homes, windows, strs, stmp, errtext, retstr, argstr, fmt, key, key2, val, rec,
		stack;
	uint32_t rec_max; /* largest record */
	uint32_t mem_max; /* most bytes of one %m or %M */
	uint32_t stack_size, frame_max;
	uint32_t size;
	uint32_t off_max; /* largest string offset a routine accepts */
};

/* outline.c: an operation on one array. */
struct op_routine {
	enum ir_op op;
	uint32_t global, fn;
};

struct unit {
	struct arena *arena;
	const struct ir_module *m;
	struct diag *diag;
	struct bpf_layout lay;
	uint32_t maxstr;
	struct slot_layout slot;
	VEC(struct handler *) handlers;
	VEC(struct bpf_fn *) fns;
	VEC(struct bpf_map) maps;
	uint32_t map_scratch, map_events, map_zero; /* zero: IR_NONE without statistics */
	uint32_t map_site, map_tail; /* with groups of several probes */
	struct bpf_group *groups; /* by probe */
	uint32_t ntails;
	uint32_t map_iter, map_heap; /* foreach */
	struct ir_track track;
	uint32_t map_tasks; /* IR_NONE unless track.used */
	uint32_t iter_max,
		iter_regions; /* elements of a region, regions a handler may need; 0: no foreach */
	VEC(struct iter_fns) iters;
	VEC(struct slice_fns) slices;
	VEC(struct op_routine) op_routines;
	uint32_t *map_of; /* by global; IR_NONE for scalars */
	struct buf rodata;
	VEC(uint32_t) literals; /* their offsets in rodata */
	uint32_t rt[RT_COUNT]; /* function, or IR_NONE */
	struct bpf_regex *regexes;
	uint32_t *stat_fn, *clear_fn, *evict_fn, *bucket_fn, *hist_fn; /* by global: routines of its own */
	struct buf btf, btf_ext;
	bool failed;
};

/* An error exit to be emitted after the function's code. */
struct stub {
	uint32_t label;
	const struct ir_insn *insn;
	uint32_t rank;
	enum ir_error kind;
	int64_t operand;
	uint32_t operand_arg; /* not 0: the operand is that of the arguments, from 1 */
};

struct gen {
	struct unit *u;
	struct handler *h;
	struct fngen *fg;
	struct bpf_asm *as;
	uint32_t rank; /* of the block being emitted */
	uint32_t chunk; /* being emitted */
	VEC(struct stub) stubs;
	uint32_t l_done, l_failed; /* straight-line handlers: ends */
	bool staged; /* an operation as a routine: its key is in the slot */
	uint32_t l_full; /* and here it goes on when the array is full */
};

/* plan.c: block order, states. 0, or -1 after an error. */
struct handler *plan_handler(struct unit *u, uint32_t probe);
bool plan_fits(const struct ir_module *m, const struct ir_probe *p); /* not too large */
/* regalloc.c */
void alloc_registers(struct unit *u, struct handler *h, struct fngen *fg);
/* slot.c: what all handlers need, once all are planned. */
void slot_plan(struct unit *u);
/* unit.c */
uint32_t unit_fn(struct unit *u, const char *name, enum fn_kind kind, const char *section,
		 uint32_t nargs);
uint32_t unit_map(struct unit *u, struct bpf_map map);
uint32_t unit_literal(struct unit *u,
		      const char *s); /* offset in rodata, cut to MAXSTRINGLEN - 1 bytes */
void unit_fail(struct unit *u, uint32_t loc, const char *what, const char *hint);
/* The 64-bit place of a module's string for messages: its text, or "". */
const char *unit_string(const struct unit *u, uint32_t index);

/* loop.c */
/*
 * A function that calls the global function @step with its own arguments (at most three) until that
 * returns other than 0, @n times at most; it returns what @step returned last.
 */
uint32_t rt_loop(struct unit *u, uint32_t step, uint64_t n);
/*
 * The same for a caller that loops itself: it calls the function returned up to *@times times, as
 * long as that yields 0. A function less in a chain of calls, of which the kernel allows 8.
 */
uint32_t rt_loop_part(struct unit *u, uint32_t step, uint64_t n, uint32_t *times);

/* prog.c: the program around a handler's body */
void emit_program(struct unit *u, struct handler *h);
/*
 * A program that staprun runs to add to a statistic: the key is at lay.stage, the value its first
 * argument.
 */
void emit_user_add(struct unit *u, uint32_t global);
/* track.c: the table of processes */
void track_programs(struct unit *u);
/*
 * Filters of a probe: goes to @out when the hit does not count. For events of tasks FRAME_TASK becomes the task, for
 * others nothing is kept. Changes all registers.
 */
void track_filter(struct gen *g, const struct ir_probe *p, uint32_t out);
void track_bits(struct gen *g, int reg, uint32_t none); /* R0 = those of the id in @reg; @none: 0, there are none */
/* @reg = the word of @size bytes at the type path @field of what @reg points to; 0 when that cannot be read. Changes R0-R5. */
void track_read(struct bpf_asm *as, int reg, const char *field, uint32_t size);
/* flow.c: bodies, block ends, calls */
void emit_bodies(struct gen *g);
uint32_t emit_chunks(struct gen *g); /* the state machine: a function that makes one step */
void emit_goto_block(struct gen *g, uint32_t block);
/* Continues at the instruction's error block when the jump to the returned label is taken. */
uint32_t emit_stub(struct gen *g, const struct ir_insn *i, enum ir_error kind, int64_t operand);
/* The same, the error's operand being argument @arg. */
uint32_t emit_stub_arg(struct gen *g, const struct ir_insn *i, enum ir_error kind, uint32_t arg);

/* operand.c: registers, memory of the slot, strings */
void g_ctx(struct gen *g, int reg); /* the probe's context */
void g_slot_ld(struct gen *g, int size, int reg, uint32_t off);
void g_slot_st(struct gen *g, int size, uint32_t off, int reg); /* may use R5 */
void g_slot_sti(struct gen *g, int size, uint32_t off, int32_t imm);
void g_slot_addr(struct gen *g, int reg, uint32_t off);
void g_load(struct gen *g, int reg, const struct ir_val *v);
int g_use(struct gen *g, const struct ir_val *v, int tmp);
int g_def(struct gen *g, uint32_t dst, int tmp); /* where to compute; finish with g_done() */
void g_done(struct gen *g, uint32_t dst, int reg);
bool g_is_reg(struct gen *g, const struct ir_val *v, int reg);
uint32_t g_str_of(struct gen *g, uint32_t reg); /* a string register's offset in the slot */
void g_str_ptr(struct gen *g, int reg, const struct ir_val *v);
uint32_t g_str_off(struct gen *g, const struct ir_val *v, uint32_t tmp);
void g_copy_str(struct gen *g, uint32_t dst_off, const struct ir_val *v);
void g_read_str(struct gen *g, uint32_t dst_off); /* R3: source; R0: bytes with the terminator */
void g_str_clear(struct gen *g, uint32_t dst_off);
/*
 * Takes the word at @base + @off, which is 0 when free, or goes on without it. No waiting. Changes R1,
 * R2.
 */
void g_try(struct gen *g, int base, int off, uint32_t got);
void g_release(struct gen *g, int base, int off); /* changes R2 */
/* Calls a routine; R2 ... must be set; R1 becomes the slot. */
void g_call_rt(struct gen *g, enum rt_routine rt);
void g_call_fn(struct gen *g, uint32_t fn);
bool g_dead(const struct gen *g, uint32_t dst);

/* emit_out.c: a record in the slot */
void rec_begin(struct gen *g, enum rec_type type, uint32_t id);
/* site.c */
void site_plan(struct unit *u, struct handler *h); /* lays out the table */
void emit_site(struct gen *g); /* at the start of a hit: which probe it is */
void emit_site_stub(struct unit *u, uint32_t probe, const char *section);
void g_probe_number(struct gen *g, int dst); /* changes R1 */
void rec_send(struct gen *g, uint32_t size); /* 0: as SH_RECPOS says */

/* emit_iter.c */
void iter_init(struct gen *g, const struct fngen *fg);
void iter_close_all(struct gen *g); /* of the function being emitted */

/* map.c */
/* R0 = this slot's part of the statistic at slot.key, R4 the block it is in. */
void g_stat_part(struct gen *g, uint32_t global, uint32_t fail);
void g_next_seq(struct gen *g); /* R0 = a number that nobody else is given; changes R1 */
void g_key(struct gen *g, uint32_t global, const struct ir_val *args);
/* The fixed keys of a slice at their places in slot.key. */
void g_slice_key(struct gen *g, uint32_t global, uint32_t fixed, const struct ir_val *args);
uint32_t g_overflow_stub(struct gen *g, const struct ir_insn *i);

/* stat.c */
/*
 * R0: a statistic's value. R0 becomes this slot's own part, which no other handler writes while
 * this one runs, R4 the block of this CPU.
 */
void g_stat_own_part(struct gen *g, uint32_t global, uint32_t fail);
void g_accumulate(struct gen *g, uint32_t global); /* adds R3 to the part at R0 in block R4 */
void g_stat_value(struct gen *g, enum ir_stat stat); /* R0 = that of SH_STAT, not empty */
void g_extract_stat(struct gen *g, const struct ir_insn *i); /* insn's extractor of SH_STAT */

/* outline.c: true when @i was emitted as the call of a routine */
bool outline(struct gen *g, const struct ir_insn *i);

/* rt.c */
uint32_t rt_get(struct unit *u, enum rt_routine rt);
/*
 * Opens a routine's body: R6, R7, R8 and FRAME_ARG5 get arguments 2 to 5; those of @offsets (bit
 * n: argument n) become pointers.
 */
void rt_begin(struct gen *g, struct unit *u, uint32_t fn, uint32_t nargs, uint32_t offsets);
void rt_end(struct gen *g); /* returns R0 */
void rt_length(struct gen *g); /* R0: what a string copy returned, becomes the length */
void rt_compare(struct gen *g); /* R0 = -1, 0, 1 for the strings at R6 and R7 */
/* SH_STAT = all parts of the statistic at R0; changes R6, R7. */
void rt_merge_cpus(struct gen *g, uint32_t global);
/* Visits all elements of the global's map with the callback @cb; R9 goes along. */
void rt_each_elem(struct gen *g, uint32_t global, uint32_t cb);
void rt_build_div(struct unit *u, uint32_t fn);
void rt_build_mod(struct unit *u, uint32_t fn);
void rt_build_scmp(struct unit *u, uint32_t fn);
void rt_build_scat(struct unit *u, uint32_t fn);
void rt_build_substr(struct unit *u, uint32_t fn);
void rt_build_strpos(struct unit *u, uint32_t fn);
void rt_build_str_replace(struct unit *u, uint32_t fn);
void rt_build_tokenize(struct unit *u, uint32_t fn);
void rt_build_matched(struct unit *u, uint32_t fn);
void rt_build_strtol(struct unit *u, uint32_t fn);
void rt_build_fmt_str(struct unit *u, uint32_t fn);
void rt_build_fmt_int(struct unit *u, uint32_t fn);
void rt_build_fmt_quote(struct unit *u, uint32_t fn);
void rt_fill(struct gen *g, int reg, char c); /* appends @reg bytes @c to slot.fmt */
void rt_fmt_end(struct gen *g); /* terminates slot.fmt and returns */
void rt_escape(struct gen *g, bool quote);
/* Appends the R5 bytes in R4 to slot.fmt, which has room for four more than it may hold. */
void rt_put_bytes(struct gen *g);
/*
 * A step of a loop over the bytes of a string: R1 is its index from 0, and past MAXSTRINGLEN the step
 * ends the loop. Returns not 0 to end it.
 */
void rt_begin_step(struct gen *g, struct unit *u, uint32_t step);
void rt_end_step(struct gen *g, int32_t r);
void rt_each_byte(struct gen *g, uint32_t loop); /* @loop: of rt_loop() */
void rt_terminate(struct gen *g); /* slot.fmt */
/* The bytes in the third string temporary as text, by the flags of argument 5 */
enum { TEXT_QUOTED = 1, TEXT_STOP = 2, TEXT_HEX = 4 }; /* stop: at a NUL */
void rt_build_text(struct unit *u, uint32_t fn);
void rt_build_utf(struct unit *u, uint32_t fn);
/* rt_stack.c */
void rt_build_name(struct unit *u, uint32_t fn);
void rt_build_uregs(struct unit *u, uint32_t fn);
void rt_build_ustack(struct unit *u, uint32_t fn);
void rt_build_stack_text(struct unit *u, uint32_t fn);
void rt_build_rec_stack(struct unit *u, uint32_t fn);
#define REC_USTACK_AT ((uint32_t)sizeof(struct rec) + 8 * (5 + REC_REGS)) /* the stack in a REC_STACK */
void rt_build_errmsg(struct unit *u, uint32_t fn);
/* rt_stat.c */
void rt_build_log_bucket(struct unit *u, uint32_t fn);
void rt_build_mul_hi(struct unit *u, uint32_t fn);
void rt_build_wide_div(struct unit *u, uint32_t fn);
void rt_build_variance(struct unit *u, uint32_t fn);
void rt_clear_scalar(struct gen *g, uint32_t global, uint32_t none);
/* The routine in *@slot, built when it is first wanted. */
uint32_t rt_own(struct unit *u, uint32_t *slot, const char *what, uint32_t global, uint32_t nargs,
		void (*build)(struct unit *u, uint32_t fn, uint32_t global));
/* rt_slice.c */
uint32_t rt_match(struct unit *u, uint32_t global, uint32_t fixed);
/* The routine that tells whether a slice has an element, or deletes all. */
uint32_t rt_slice(struct unit *u, uint32_t global, uint32_t fixed, bool del);
/*
 * Routines of one global: stat merges the parts of the element at slot.key into SH_STAT; evict
 * drops the oldest element.
 */
/* rt_iter.c */
const struct iter_fns *rt_iter(struct unit *u,
			       const struct ir_iter *it); /* valid until the next call */
void rt_build_iter_end(struct unit *u, uint32_t fn);
void rt_build_iter_close(struct unit *u, uint32_t fn);
uint32_t iter_value_off(const struct unit *u, uint32_t global);
uint32_t iter_elem_size(const struct unit *u, uint32_t global);

uint32_t rt_stat(struct unit *u, uint32_t global);
uint32_t rt_bucket(struct unit *u, uint32_t global);
uint32_t rt_hist(struct unit *u, uint32_t global);
uint32_t rt_clear(struct unit *u, uint32_t global);
uint32_t rt_evict(struct unit *u, uint32_t global);

/* btf.c, elf.c */
const char *btf_section(const struct bpf_fn *f);
/* Records of functions are grouped by section: whether @fn is the first in its own. */
bool btf_first_of_section(const struct unit *u, uint32_t fn);
int btf_write(struct unit *u) __attribute__((warn_unused_result));
void elf_write(struct unit *u, struct buf *out);
/* core.c: the type path of a layout or load, NULL when there is none that another kernel could follow */
const char *core_path(const struct gen *g, const struct ir_insn *i);
/*
 * The structures that the code's type paths name, with the members that it names; then the records that tell libbpf which
 * instructions to fill in. 0, or -1.
 */
struct btf;
int core_write(struct unit *u, struct btf *btf, struct buf *out) __attribute__((warn_unused_result));
/* Members of the kernel's structures that programs read: where they are is the loader's business. */
#define CORE_TASK(member) "struct task_struct 8." member
#define CORE_REAL_PARENT CORE_TASK("real_parent@0 *")
#define CORE_CRED CORE_TASK("cred@0 *")
#define CORE_TGID CORE_TASK("tgid@0 i4")
#define CORE_PID CORE_TASK("pid@0 i4")
#define CORE_FLAGS CORE_TASK("flags@0 u4")
#define CORE_MM CORE_TASK("mm@0 *")
#define CORE_SIGNAL CORE_TASK("signal@0 *")
#define CORE_FILES CORE_TASK("files@0 *")
#define CORE_COMM "struct task_struct 16.comm@0 [16]i1" /* a structure is as large as its members */
#define CORE_ID(member) "struct cred 4." member "@0 struct - 4.val@0 u4"
#define CORE_UID CORE_ID("uid")
#define CORE_GID CORE_ID("gid")
#define CORE_EUID CORE_ID("euid")
#define CORE_EGID CORE_ID("egid")
#define CORE_EXE_FILE "struct mm_struct 8.exe_file@0 *"
#define CORE_INODE "struct file 8.f_inode@0 *"
#define CORE_FDT "struct files_struct 8.fdt@0 *"
#define CORE_FD "struct fdtable 8.fd@0 *"
#define CORE_LIVE "struct signal_struct 4.live@0 struct - 4.counter@0 i4"
#define CORE_STATUS "struct thread_info 4.status@0 u4" /* a task's first member */

/* emit tables */
typedef void (*emit_fn)(struct gen *g, const struct ir_insn *i);
extern const emit_fn bpf_emitters[IR_OP_COUNT];
extern const emit_fn bpf_intrinsics[IN_COUNT];
#define OP(name, ...) void em_##name(struct gen *g, const struct ir_insn *i);
#include "ir/ops.def"
#undef OP
#define INTRINSIC(name, ...) void bpf_in_##name(struct gen *g, const struct ir_insn *i);
#include "ir/intrinsics.def"
#undef INTRINSIC

#endif
