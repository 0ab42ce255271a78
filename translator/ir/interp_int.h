/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter's inside. A function is decoded once into an array of struct code whose operands
 * are slots of the frame: registers first, then constants, then one pointer to a buffer of its own
 * for each string register, then a slot for results nobody wants.
 *
 * A string register's slot points to a constant, to the register's own buffer or, in a callee, to a
 * string of a caller's frame, which stays as it is while the callee runs. Whoever writes a string
 * register writes its own buffer.
 */
#ifndef SPILE_IR_INTERP_INT_H
#define SPILE_IR_INTERP_INT_H

#include "interp.h"
#include "ir_int.h"

/* A string with its length, NUL-terminated. Buffers have room for MAXSTRINGLEN bytes. */
struct istr {
	uint32_t len;
	char s[];
};

union slot {
	int64_t i;
	struct istr *s;
};

struct code;
/* An operation out of the main loop: 0, or 1 with the error state set. */
typedef int (*interp_fn)(struct interp *in, union slot *r, const struct code *c);

struct code {
	const void *label; /* where interp_exec() goes on */
	uint32_t d, a, b; /* slots: destination, operands */
	uint32_t n; /* the slot of a string destination's own buffer; action: the count */
	const struct code *t0, *t1; /* taken and not taken; t0 of what may fail: the error block */
	interp_fn fn;
	const struct ir_insn *insn;
	const uint32_t *args; /* slots of all operands */
};

struct ifunc {
	const struct ir_func *f;
	const struct code *code;
	uint32_t nslots, first_const, nconsts, first_own, nown;
	const union slot *consts;
};

struct iter_state {
	bool open;
	struct arena arena;
	struct ir_elem *v;
	uint32_t n, next; /* next: element the next it_next yields; the current one is next - 1 */
};

struct frame {
	const struct ifunc *f; /* constants and buffers are set up for it */
	const struct code *call; /* the caller's call instruction */
	union slot *r;
	uint32_t r_cap;
	char *strings;
	size_t strings_cap;
	struct iter_state *iters;
	uint32_t iters_cap, nopen;
};

/* The operations that interp_exec() does itself. CMP: compare and branch in one. */
#define INTERP_LABELS(X, CMP)                                                                      \
	X(mov)                                                                                     \
	X(add)                                                                                     \
	X(sub) X(mul) X(div) X(mod) X(and) X(or) X(xor) X(shl) X(shr) X(ushr) X(neg) X(com) X(eq)  \
		X(ne) X(lt) X(le) X(gt) X(ge) CMP(beq) CMP(bne) CMP(blt) CMP(ble) CMP(bgt)         \
			CMP(bge) X(br) X(jmp) X(action) X(call) X(ret) X(done) X(abort) X(share)   \
				X(fn)
enum interp_label {
#define LABEL(name) L_##name,
	INTERP_LABELS(LABEL, LABEL)
#undef LABEL
		L_COUNT
};

struct interp {
	const struct ir_module *m;
	struct interp_env env;
	struct arena arena; /* decoded code and constants */
	struct ifunc *funcs;
	const void *const *labels;
	uint32_t maxlen; /* MAXSTRINGLEN - 1 */
	size_t stride; /* bytes of one string buffer */
	struct frame *frames; /* 0: the handler's, then one for each nested call */
	uint32_t depth, maxdepth;
	uint32_t nesting; /* open calls of recursive functions */
	int64_t limit; /* actions allowed in this run */
	uint32_t probe;
	bool exit;
	struct {
		enum ir_error kind;
		int64_t operand;
		uint32_t loc;
		struct istr *text;
		uint32_t ncalls; /* failed because of it */
		uint32_t calls[REC_FRAMES]; /* locations of the innermost ones */
	} err;
	struct istr *tmp;
	struct istr *token; /* the text of tokenize(), and where it goes on */
	size_t token_at;
	/* of the run's last capture; without any such operation in the module no memory */
	struct {
		uint32_t ngroups; /* 0: it failed, or there was none */
		uint32_t *pos;
		uint16_t *log;
		struct istr *subject;
	} match;
	struct buf rec; /* the record being made */
	void *local_store; /* ours when the environment names none */
};

/*
 * Runs the handler in frame 0 until it ends; 1 when it aborted. Without @pc it only tells its
 * labels.
 */
int interp_exec(struct interp *in, const struct code *pc);
void interp_decode(struct interp *in);
interp_fn interp_op_fn(enum ir_op op);
extern const interp_fn interp_intrinsic_fn[IN_COUNT];

/* Sets the error state, with the place of @c. */
int interp_fail(struct interp *in, const struct code *c, enum ir_error kind, int64_t operand);
/* Makes the frame at in->depth ready for @f. */
void interp_frame_setup(struct interp *in, const struct ifunc *f);
/* Closes what iterators a frame left open. */
void interp_frame_close(struct frame *fr);
void interp_record(struct interp *in, enum rec_type type, uint32_t id);
void interp_record_int(struct interp *in, int64_t v);
void interp_record_str(struct interp *in, const struct istr *s);
void interp_record_send(struct interp *in);

/* Fills a buffer, cutting at the limit. @p may lie inside @s. */
static inline void istr_set(const struct interp *in, struct istr *s, const char *p, size_t n)
{
	if (n > in->maxlen)
		n = in->maxlen;
	memmove(s->s, p, n);
	s->s[n] = 0;
	s->len = (uint32_t)n;
}

/* The result of a string operation: its destination's own buffer holds it. */
static inline struct istr *interp_result(union slot *r, const struct code *c)
{
	return r[c->n].s;
}

#endif
