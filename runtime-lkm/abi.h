/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between a script's generated C and the kernel-side runtime. A script includes nothing else, so
 * that compiling it costs no kernel header; the runtime includes it after the kernel's. Both sides
 * see the same layouts: what is shared is laid out here once, and its size asserted, because the
 * two are compiled apart and linked.
 */
#ifndef SPILE_ABI_H
#define SPILE_ABI_H

#define SP_ABI_VERSION 8u

/* The kernel's own definitions of these names are the same types: C11 lets them be repeated. */
typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;
typedef s64 int64_t;
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef unsigned long size_t;
#ifndef NULL
#define NULL ((void *)0)
#endif

#ifndef SPILE_RT_H /* the kernel's may be macros */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#endif

/* Code that runs in a handler. The kernel refuses kprobes on a module's .kprobes.text. */
#define SP_CODE __attribute__((section(".kprobes.text")))

#define SP_MAXKEYS 9
#define SP_MAXTPARGS 12
#define SP_ERR_CALLS 8 /* REC_FRAMES of record.h */

enum sp_error {
#define ERR(id, text) SP_ERR_##id,
#include "base/errors.def"
#undef ERR
	SP_ERR_COUNT
};

enum sp_attach {
#define ATTACH(id, name, k, b, u, flags) SP_AT_##id,
#include "base/attach.def"
#undef ATTACH
	SP_AT_COUNT
};

enum sp_type { SP_VOID, SP_I64, SP_STR };
enum sp_stat_op { SP_COUNT, SP_SUM, SP_MIN, SP_MAX, SP_AVG, SP_VARIANCE };

/* A key, a value, or an argument of a record: which one is known from where it goes. */
union sp_data {
	s64 num;
	const char *str;
};

#include "base/regex_walk.h"

struct agg_hist; /* base/agg.h */
struct sp_map; /* an array, a statistic, or several CPUs' parts of one */
struct sp_ctx;

/* ---- what a script exports ---- */

struct sp_global {
	const char *name;
	u8 type, is_stat, wrap, sized;
	u8 nkeys, keys[SP_MAXKEYS];
	u8 is_map; /* else a scalar in the script's own data */
	u32 max_entries;
	u32 stat_words; /* of struct agg, that a statistic keeps */
	const struct agg_hist *hist; /* and its histogram, or NULL */
	void *scalar; /* its place, unless it is a map: an s64, or maxstringlen bytes */
};

struct sp_lock_want {
	u32 global, write;
};

/* One foreach of the script. */
struct sp_iter_desc {
	u32 global;
	s32 dir, key; /* as struct ir_iter */
	u32 stat;
	u32 fixed; /* mask of the keys that are given: a slice */
};

/* How much the runtime has to know of processes: struct ir_track. */
enum { SP_TRACK_USED = 1, SP_TRACK_ALWAYS = 2, SP_TRACK_ALL = 4, SP_TRACK_THREADS = 8 };

enum { SP_PF_OPTIONAL = 1, SP_PF_FILTER = 2, SP_PF_JIFFIES = 4, SP_PF_ENTRY = 8 };

struct sp_probe {
	u32 kind, flags, index;
	u32 nlocks;
	const struct sp_lock_want *locks;
	const char *name; /* what pp() yields */
	const char *target;
	const char *func; /* what ppfunc() yields; NULL: "" */
	u64 offset;
	u64 semaphore; /* file offset of the counter of who looks; 0: none */
	s64 period, random;
	u32 maxactive, ntpargs;
	s32 pid, exe; /* hits of this process only, 0: any; of those that run this file, -1: any */
	s32 (*handler)(struct sp_ctx *c); /* 0, or 1 with c->err set */
	const s64 *nums; /* what sites that share a handler differ in */
	const char *const *strs;
};

/* A place of the kernel's memory: staprun finds the address, or the runtime when a module comes later. */
struct sp_sym {
	u64 addr;
	const char *name; /* "_stext", "ext4:.data", "ext4:ext4_count" */
	const char *anchor; /* of a section: a symbol in it, so far from its start; or NULL */
	u64 anchor_off;
};

struct sp_script {
	u32 abi, maxstringlen, maxnesting, maxerrors;
	u32 maxskipped, maxtrylock, trylockdelay; /* microseconds */
	u32 nglobals, nprobes, niters, nsession;
	u32 captures; /* some code asks for the groups of a match */
	u32 suppress_errors; /* they are counted, but not told */
	u32 nsyms;
	u32 maxbacktrace, maxustack;
	u32 kstacks; /* some code looks at the kernel's stack */
	u32 track, maxprocesses, nexe;
	s64 maxaction, maxaction_interruptible;
	s64 hist_width, hist_elision;
	u64 string_bytes; /* deepest use of a context's string stack */
	const struct sp_global *globals;
	struct sp_map **maps; /* by global; filled in by the runtime */
	const struct sp_iter_desc *iters;
	const struct sp_probe *probes;
	struct sp_sym *syms;
	const char *const *exe; /* files that processes are told apart by */
	const u32 *session; /* begin, end and error probes in the order of their sequence numbers */
};
extern const struct sp_script sp_script; /* the script defines it */

/* ---- a hit in progress ---- */

struct sp_err {
	u32 kind; /* enum sp_error; 0: none */
	u32 loc; /* string index of the IR */
	s64 operand;
	char *text; /* of SP_ERR_USER: maxstringlen bytes */
	u32 ncalls; /* failed because of it, so far */
	u32 calls[SP_ERR_CALLS]; /* locations of the innermost ones */
};

struct sp_ctx {
	s64 actions; /* left in this slice, see sp_more_actions() */
	struct sp_err err;
	char *frame; /* next free byte of the string stack */
	char *frame_end;
	u32 depth; /* nested calls now */
	u32 want_exit;
	unsigned long stack_base; /* address of the stack when the handler began */
	const struct sp_probe *probe;
	void *regs; /* struct pt_regs, or NULL */
	void *task; /* struct task_struct: the current one, or the one that an event is about */
	const unsigned long *tparg; /* a tracepoint's arguments */
	/* the runtime's */
	s64 actions_left; /* beyond this slice */
	struct sp_iter *open; /* iterators in use */
	struct sp_match *match; /* of sp_capture(); NULL when the script has none */
	char *strings, *scratch; /* the string stack; one string for what needs a copy */
	u64 *hist; /* a histogram being read */
	unsigned long *stack; /* a backtrace, maxbacktrace of it */
	u32 busy, interruptible;
	char *token; /* the text of tokenize(), and where it goes on */
	size_t token_at;
};

_Static_assert(sizeof(struct sp_probe) == 120, "struct sp_probe is shared");
_Static_assert(sizeof(struct sp_ctx) == 216, "struct sp_ctx is shared");
_Static_assert(sizeof(struct sp_global) == 48, "struct sp_global is shared");
_Static_assert(sizeof(struct sp_script) == 176, "struct sp_script is shared");

/* ---- what a script's code calls ---- */

/*
 * Strings are NUL-terminated and shorter than maxstringlen; destinations have maxstringlen bytes
 * and may be an operand.
 */
void sp_str_copy(char *to, const char *from);
void sp_str_cat(char *to, const char *a, const char *b);
s64 sp_str_cmp(const char *a, const char *b);
s64 sp_str_eq(const char *a, const char *b);

s64 sp_match(const struct regex_tab *t, const char *s);
/* The same, and keeps what sp_in_ngroups() and sp_in_matched() tell. */
s64 sp_capture(struct sp_ctx *c, const struct regex_tab *t, const char *s);

/* Each returns 0, or 1 with c->err.kind and operand set; the caller adds the location. */
s32 sp_map_set_num(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 v);
s32 sp_map_set_str(struct sp_ctx *c, u32 g, const union sp_data *keys, const char *v);
s32 sp_map_add(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 by, s64 *now);
s64 sp_map_num(struct sp_ctx *c, u32 g, const union sp_data *keys);
void sp_map_str(struct sp_ctx *c, u32 g, const union sp_data *keys, char *to);
s64 sp_map_has(struct sp_ctx *c, u32 g, const union sp_data *keys);
void sp_map_del(struct sp_ctx *c, u32 g, const union sp_data *keys);
/* Any or all elements of a slice: @keys has those of the mask @fixed. */
s64 sp_map_has_any(struct sp_ctx *c, u32 g, u32 fixed, const union sp_data *keys);
void sp_map_del_any(struct sp_ctx *c, u32 g, u32 fixed, const union sp_data *keys);
void sp_map_clear(struct sp_ctx *c, u32 g);
s32 sp_stat_add(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 v);
s32 sp_stat_get(struct sp_ctx *c, u32 g, const union sp_data *keys, u32 op, s64 *out);

s32 sp_hist_get(struct sp_ctx *c, u32 g, const union sp_data *keys, s64 bucket, s64 *out);
s32 sp_hist_emit(struct sp_ctx *c, u32 g, const union sp_data *keys);
s32 sp_hist_text(struct sp_ctx *c, u32 g, const union sp_data *keys, char *to);

/* @keys: the iterator's fixed ones. */
s32 sp_it_begin(struct sp_ctx *c, u32 iter, s64 limit, const union sp_data *keys);
s64 sp_it_next(struct sp_ctx *c, u32 iter);
s64 sp_it_key_num(struct sp_ctx *c, u32 iter, u32 key);
void sp_it_key_str(struct sp_ctx *c, u32 iter, u32 key, char *to);
s64 sp_it_val_num(struct sp_ctx *c, u32 iter);
void sp_it_val_str(struct sp_ctx *c, u32 iter, char *to);
s32 sp_it_stat(struct sp_ctx *c, u32 iter, u32 op, s64 *out);
void sp_it_end(struct sp_ctx *c, u32 iter);

/* A record of @type; bit i of @strings: argument i is a string. */
void sp_emit(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings, const union sp_data *args);

/*
 * The same with memory in it: argument @arg is an address, the bytes to read there are @count (below
 * 0: 1), or with @star the argument before it.
 */
struct sp_mem_arg {
	s32 arg, count;
	u8 user, star;
};
s32 sp_emit_mem(struct sp_ctx *c, u32 type, u32 id, u32 n, u64 strings, const union sp_data *args,
		const struct sp_mem_arg *mem, u32 nmem);

void sp_raise(struct sp_ctx *c, const char *text);
void sp_errmsg(struct sp_ctx *c, char *to);
/* The slice of actions is used up: 0 when there is another, else 1 with the error set. */
s32 sp_more_actions(struct sp_ctx *c);

s64 sp_arg(struct sp_ctx *c, u32 n);
s64 sp_reg(struct sp_ctx *c, u32 dwarf);
void sp_setreg(struct sp_ctx *c, u32 dwarf, s64 v);
s64 sp_retval(struct sp_ctx *c);
s64 sp_frame(struct sp_ctx *c);
s32 sp_load(struct sp_ctx *c, u64 addr, u32 mem, s64 *out); /* mem: IR_MEM | IR_USER */
s32 sp_store(struct sp_ctx *c, u64 addr, s64 v, u32 mem);
s32 sp_storestr(struct sp_ctx *c, u64 addr, s64 most, const char *text, u32 mem);
s32 sp_loadstr(struct sp_ctx *c, u64 addr, s64 most, u32 mem, char *to);
s32 sp_loadbuf(struct sp_ctx *c, u64 addr, s64 n, s64 most, u32 mem, char *to); /* mem: as imm of the operation */

/* The text of a row of names.def, for an address or a string of them. */
void sp_name(struct sp_ctx *c, u32 row, u64 addr, const char *addrs, char *to);
/* A backtrace as a record; how: enum ir_stack. */
void sp_stack(struct sp_ctx *c, u32 how, u64 pc, u64 top, u64 fp);

/*
 * Intrinsics: sp_in_NAME(c, operands) gives a number, or sp_in_NAME(c, to, operands) writes a
 * string.
 */
s64 sp_in_pid(struct sp_ctx *c);
s64 sp_in_tid(struct sp_ctx *c);
s64 sp_in_ppid(struct sp_ctx *c);
s64 sp_in_uid(struct sp_ctx *c);
s64 sp_in_euid(struct sp_ctx *c);
s64 sp_in_gid(struct sp_ctx *c);
s64 sp_in_egid(struct sp_ctx *c);
void sp_in_execname(struct sp_ctx *c, char *to);
s64 sp_in_thread_pointer(struct sp_ctx *c);
s64 sp_in_cpu(struct sp_ctx *c);
s64 sp_in_target(struct sp_ctx *c);
s64 sp_in_target_set(struct sp_ctx *c, s64 pid);
s64 sp_in_sysarg(struct sp_ctx *c, s64 n);
void sp_in_pp(struct sp_ctx *c, char *to);
void sp_in_ppfunc(struct sp_ctx *c, char *to);
void sp_in_probefunc(struct sp_ctx *c, char *to);
s64 sp_in_addr(struct sp_ctx *c);
s64 sp_in_uaddr(struct sp_ctx *c);
s64 sp_in_user_mode(struct sp_ctx *c);
void sp_in_kstack_text(struct sp_ctx *c, char *to, s64 skip, s64 most);
void sp_in_ustack_text(struct sp_ctx *c, char *to, s64 skip, s64 most);
s64 sp_in_kstack_at(struct sp_ctx *c, s64 n);
s64 sp_in_ustack_at(struct sp_ctx *c, s64 n);
s64 sp_in_realtime_ns(struct sp_ctx *c);
s64 sp_in_monotonic_ns(struct sp_ctx *c);
s64 sp_in_cycles(struct sp_ctx *c);
void sp_in_exit(struct sp_ctx *c);
s64 sp_in_speculation(struct sp_ctx *c);
s64 sp_in_strlen(struct sp_ctx *c, const char *s);
void sp_in_substr(struct sp_ctx *c, char *to, const char *s, s64 start, s64 length);
s64 sp_in_isinstr(struct sp_ctx *c, const char *s, const char *what);
s64 sp_in_ngroups(struct sp_ctx *c);
void sp_in_matched(struct sp_ctx *c, char *to, s64 n);
s64 sp_in_strpos(struct sp_ctx *c, const char *s, const char *what);
s64 sp_in_stringat(struct sp_ctx *c, const char *s, s64 at);
void sp_in_str_replace(struct sp_ctx *c, char *to, const char *s, const char *what, const char *by);
void sp_in_text_strn(struct sp_ctx *c, char *to, const char *s, s64 most, s64 quoted);
void sp_in_tokenize(struct sp_ctx *c, char *to, const char *s, const char *delim);
s64 sp_in_strtol(struct sp_ctx *c, const char *s, s64 base);

/* ---- small enough to be part of the script's own code ---- */

#define SP_STACK_LIMIT 4096 /* bytes of kernel stack that a handler's nested calls may take */

static inline s32 sp_stack_low(const struct sp_ctx *c)
{
	return c->stack_base - (unsigned long)__builtin_frame_address(0) > SP_STACK_LIMIT;
}

/* A call at @loc fails because of what failed inside. */
static inline void sp_call_failed(struct sp_ctx *c, u32 loc)
{
	if (c->err.ncalls < SP_ERR_CALLS)
		c->err.calls[c->err.ncalls] = loc;
	c->err.ncalls++;
}

/* By anything but 0. INT64_MIN / -1 wraps. */
static inline s64 sp_div(s64 a, s64 b)
{
	return b == -1 ? (s64)(0 - (u64)a) : a / b;
}

static inline s64 sp_mod(s64 a, s64 b)
{
	return b == -1 ? 0 : a % b;
}

#endif
