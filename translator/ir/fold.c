/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constant folding and copy propagation within blocks; branches that are known.
 *
 * known[r] is what register r holds: a constant, or the same as another register, good as long as
 * neither has been assigned since. Every assignment of a register gives it a new version number.
 */
#include "cfg.h"

#define ROUNDS 8

struct fact {
	struct ir_val val; /* kind 0: nothing known */
	uint64_t version, other; /* of the register, and of val.reg, when it was learnt */
};

struct folder {
	struct ir_module *m;
	struct ir_func *f;
	struct fact *known;
	uint64_t *version, clock;
	uint64_t start; /* the clock when this block began */
	bool changed;
};

static struct ir_val value_of(const struct folder *fo, struct ir_val v)
{
	const struct fact *k;

	if (v.kind != IRV_REG)
		return v;
	k = &fo->known[v.reg];
	if (!k->val.kind || k->version != fo->version[v.reg] || k->version < fo->start)
		return v;
	if (k->val.kind == IRV_REG && k->other != fo->version[k->val.reg])
		return v;
	return k->val;
}

static void assign(struct folder *fo, const struct ir_insn *i)
{
	struct fact *k;

	if (i->dst == IR_NONE)
		return;
	fo->version[i->dst] = ++fo->clock;
	k = &fo->known[i->dst];
	k->val.kind = 0;
	if ((i->op != IR_mov && i->op != IR_smov) ||
	    (i->args[0].kind == IRV_REG && i->args[0].reg == i->dst))
		return;
	k->val = i->args[0];
	k->version = fo->version[i->dst];
	k->other = k->val.kind == IRV_REG ? fo->version[k->val.reg] : 0;
}

static void become(struct folder *fo, struct ir_insn *i, enum ir_op mov, struct ir_val v)
{
	i->op = (uint8_t)mov;
	i->ref = i->err = IR_NONE;
	i->imm = 0;
	i->nargs = 1;
	i->args = arena_alloc(fo->m->arena, sizeof(*i->args));
	i->args[0] = v;
	fo->changed = true;
}

static bool const_ints(const struct ir_insn *i)
{
	for (uint32_t k = 0; k < i->nargs; k++)
		if (i->args[k].kind != IRV_INT)
			return false;
	return true;
}

#define PLAIN(op, expr)                                                                            \
	case IR_##op:                                                                              \
		*out = (expr);                                                                     \
		return true;
#define WRAPPING(op, expr) PLAIN(op, (int64_t)(expr))

/* Result of an integer operation on constants; false where there is none. */
static bool compute(enum ir_op op, int64_t a, int64_t b, int64_t *out)
{
	const uint64_t x = (uint64_t)a, y = (uint64_t)b;

	switch (op) {
		WRAPPING(add, x + y)
		WRAPPING(sub, x - y)
		WRAPPING(mul, x * y)
		WRAPPING(shl, x << (y & 63))
		WRAPPING(ushr, x >> (y & 63))
		WRAPPING(neg, 0 - x)
		PLAIN(and, a & b)
		PLAIN(or, a | b)
		PLAIN(xor, a ^ b)
		PLAIN(com, ~a)
		PLAIN(shr, ir_shr(a, b))
		PLAIN(eq, a == b)
		PLAIN(ne, a != b)
		PLAIN(lt, a < b)
		PLAIN(le, a <= b)
		PLAIN(gt, a > b)
		PLAIN(ge, a >= b)
	case IR_div:
		*out = b ? ir_div(a, b) : 0;
		return b;
	case IR_mod:
		*out = b ? ir_mod(a, b) : 0;
		return b;
	default:
		return false;
	}
}
#undef PLAIN
#undef WRAPPING

enum same { SAME_LEFT, SAME_ZERO, SAME_ONES };
/* x op right = ... ; left op x = ... */
struct identity {
	enum ir_op op;
	int64_t operand;
	enum same result;
	bool either_side;
};
static const struct identity identities[] = {
	{ IR_add, 0, SAME_LEFT, true },  { IR_sub, 0, SAME_LEFT, false },
	{ IR_mul, 1, SAME_LEFT, true },  { IR_mul, 0, SAME_ZERO, true },
	{ IR_div, 1, SAME_LEFT, false }, { IR_mod, 1, SAME_ZERO, false },
	{ IR_and, 0, SAME_ZERO, true },  { IR_and, -1, SAME_LEFT, true },
	{ IR_or, 0, SAME_LEFT, true },   { IR_or, -1, SAME_ONES, true },
	{ IR_xor, 0, SAME_LEFT, true },  { IR_shl, 0, SAME_LEFT, false },
	{ IR_shr, 0, SAME_LEFT, false }, { IR_ushr, 0, SAME_LEFT, false },
};

static bool fold_identity(struct folder *fo, struct ir_insn *i)
{
	static const int64_t fixed[] = { [SAME_ZERO] = 0, [SAME_ONES] = -1 };

	for (size_t k = 0; k < sizeof(identities) / sizeof(identities[0]); k++) {
		const struct identity *id = &identities[k];
		bool right, left;

		if (id->op != i->op)
			continue;
		right = i->args[1].kind == IRV_INT && i->args[1].num == id->operand;
		left = id->either_side && i->args[0].kind == IRV_INT &&
		       i->args[0].num == id->operand;
		if (!right && !left)
			continue;
		become(fo, i, IR_mov,
		       id->result == SAME_LEFT ? i->args[right ? 0 : 1]
					       : ir_num(fixed[id->result]));
		return true;
	}
	return false;
}

/* x op x */
static bool fold_twins(struct folder *fo, struct ir_insn *i)
{
	static const int8_t results[IR_OP_COUNT] = {
		[IR_sub] = 1,  [IR_xor] = 1, [IR_ne] = 1, [IR_lt] = 1, [IR_gt] = 1,
		[IR_scmp] = 1, [IR_eq] = 2,  [IR_le] = 2, [IR_ge] = 2, [IR_seq] = 2,
	};

	if (i->nargs != 2 || !results[i->op] || i->args[0].kind != IRV_REG ||
	    !ir_val_eq(i->args[0], i->args[1]))
		return false;
	become(fo, i, IR_mov, ir_num(results[i->op] - 1));
	return true;
}

static void fold_int(struct folder *fo, struct ir_insn *i)
{
	int64_t v;

	if (const_ints(i) && i->nargs &&
	    compute(i->op, i->args[0].num, i->nargs > 1 ? i->args[1].num : 0, &v))
		become(fo, i, IR_mov, ir_num(v));
	else if (i->nargs == 2)
		(void)(fold_twins(fo, i) || fold_identity(fo, i));
}

static const char *const_str(const struct folder *fo, struct ir_val v)
{
	return v.kind == IRV_STR ? fo->m->strings.v[v.str] : NULL;
}

static void become_string(struct folder *fo, struct ir_insn *i, const char *s)
{
	become(fo, i, IR_smov, ir_strval(ir_string(fo->m, s)));
}

static void fold_cat(struct folder *fo, struct ir_insn *i, const char *a, const char *b)
{
	if (a && b && strlen(a) + strlen(b) < (size_t)fo->m->limits.maxstringlen)
		become_string(fo, i, arena_printf(fo->m->arena, "%s%s", a, b));
	else if (a && !*a)
		become(fo, i, IR_smov, i->args[1]);
	else if (b && !*b)
		become(fo, i, IR_smov, i->args[0]);
}

/* A constant is cut to MAXSTRINGLEN where it is used, so that only those that fit are known. */
static bool fits(const struct folder *fo, const char *s)
{
	return s && strlen(s) < (size_t)fo->m->limits.maxstringlen;
}

static void fold_string(struct folder *fo, struct ir_insn *i)
{
	const char *a = const_str(fo, i->args[0]), *b = const_str(fo, i->args[1]);

	if (i->op == IR_scat) {
		fold_cat(fo, i, a, b);
	} else if (fits(fo, a) && fits(fo, b)) {
		int64_t c = ir_scmp_result(a, b);

		become(fo, i, IR_mov, ir_num(i->op == IR_seq ? c == 0 : c));
	} else {
		fold_twins(fo, i);
	}
}

static void fold_match(struct folder *fo, struct ir_insn *i)
{
	const char *s = const_str(fo, i->args[0]);

	if (fits(fo, s))
		become(fo, i, IR_mov, ir_num(regex_match(fo->m->regexes.v[i->ref].tab, s)));
}

static void fold_intrinsic(struct folder *fo, struct ir_insn *i)
{
	const char *a = i->nargs ? const_str(fo, i->args[0]) : NULL;
	const char *b = i->nargs > 1 ? const_str(fo, i->args[1]) : NULL;

	if (!fits(fo, a))
		return;
	if (i->ref == IN_strlen)
		become(fo, i, IR_mov, ir_num((int64_t)strlen(a)));
	else if (i->ref == IN_isinstr && fits(fo, b))
		become(fo, i, IR_mov, ir_num(strstr(a, b) != NULL));
	else if (i->ref == IN_strtol && i->args[1].kind == IRV_INT)
		become(fo, i, IR_mov, ir_num(ir_strtol(a, i->args[1].num)));
}

/* sprintf("%s", x) is x; one without conversions is its text. */
static void fold_sfmt(struct folder *fo, struct ir_insn *i)
{
	const struct ir_fmt *fmt = fo->m->fmts.v[i->ref];
	const struct fmt_piece *p = fmt->pieces.n ? &fmt->pieces.v[0] : NULL;

	if (fmt->pieces.n > 1)
		return;
	if (!p || p->lit)
		become_string(fo, i, p ? arena_strndup(fo->m->arena, p->lit, p->lit_len) : "");
	else if (p->spec.conv == 's' && p->spec.flag == FMT_F_NONE && p->spec.width == FMT_NONE &&
		 p->spec.prec == FMT_NONE)
		become(fo, i, IR_smov, i->args[0]);
}

/* A branch on x != 0 or x == 0 right before it branches on x. */
static void fold_test(struct folder *fo, struct ir_insn *br)
{
	const struct ir_insn *test = br - 1;
	uint32_t swap = br->succ[0];

	if ((test->op != IR_ne && test->op != IR_eq) || test->dst != br->args[0].reg ||
	    test->args[1].kind != IRV_INT || test->args[1].num || test->args[0].kind != IRV_REG ||
	    test->args[0].reg == test->dst)
		return;
	br->args[0] = test->args[0];
	if (test->op == IR_eq) {
		br->succ[0] = br->succ[1];
		br->succ[1] = swap;
	}
	fo->changed = true;
}

static void fold_branch(struct folder *fo, struct ir_insn *i, bool first)
{
	if (i->args[0].kind == IRV_INT) {
		i->succ[0] = i->succ[i->args[0].num ? 0 : 1];
		i->succ[1] = IR_NONE;
		i->op = IR_jmp;
		i->nargs = 0;
		fo->changed = true;
	} else if (!first) {
		fold_test(fo, i);
	}
}

static void fold_insn(struct folder *fo, struct ir_insn *i, bool first)
{
	for (uint32_t k = 0; k < i->nargs; k++) {
		struct ir_val v = value_of(fo, i->args[k]);

		if (ir_val_eq(v, i->args[k]))
			continue;
		i->args[k] = v;
		fo->changed = true;
	}
	switch (i->op) {
	case IR_scat:
	case IR_scmp:
	case IR_seq:
		fold_string(fo, i);
		break;
	case IR_match:
		fold_match(fo, i);
		break;
	case IR_intr:
		fold_intrinsic(fo, i);
		break;
	case IR_sfmt:
		fold_sfmt(fo, i);
		break;
	case IR_br:
		fold_branch(fo, i, first);
		break;
	default:
		fold_int(fo, i);
	}
}

/* Whether to keep a value in @x rather than in @t: a script's variable goes before a temporary. */
static bool prefer(const struct ir_func *f, uint32_t x, uint32_t t)
{
	bool x_named = f->reg_names.v[x], t_named = f->reg_names.v[t];

	return x_named != t_named ? x_named : x < t;
}

/*
 * `t = op ...; x = mov t` becomes `x = op ...; t = mov x`: then copy propagation makes t needless,
 * instead of making both needed.
 */
static void turn_move(struct folder *fo, struct ir_insn *i)
{
	struct ir_insn *mov = i + 1;
	uint32_t x = mov->dst;

	if ((mov->op != IR_mov && mov->op != IR_smov) || mov->args[0].kind != IRV_REG ||
	    i->dst == IR_NONE || mov->args[0].reg != i->dst || !prefer(fo->f, x, i->dst))
		return;
	mov->dst = i->dst;
	mov->args[0].reg = i->dst = x;
	fo->changed = true;
}

static void fold_func(struct ir_module *m, struct ir_func *f, bool *changed)
{
	struct folder fo = { .m = m, .f = f };
	struct arena a;

	arena_init(&a);
	fo.known = arena_alloc(&a, (f->regs.n + 1) * sizeof(*fo.known));
	fo.version = arena_alloc(&a, (f->regs.n + 1) * sizeof(*fo.version));
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *blk = f->blocks.v[b];

		/* Nothing is known at the start of a block: facts that are older are void. */
		fo.start = ++fo.clock;
		for (uint32_t n = 0; n < blk->insns.n; n++) {
			if (n + 1 < blk->insns.n)
				turn_move(&fo, &blk->insns.v[n]);
			fold_insn(&fo, &blk->insns.v[n], n == 0);
			assign(&fo, &blk->insns.v[n]);
		}
	}
	arena_fini(&a);
	*changed |= fo.changed;
}

void ir_fold(struct ir_module *m)
{
	for (uint32_t i = 0; i < m->funcs.n; i++) {
		bool changed = true;

		for (int round = 0; changed && round < ROUNDS; round++) {
			changed = ir_cfg_clean(m, m->funcs.v[i]);
			fold_func(m, m->funcs.v[i], &changed);
		}
		ir_cfg_clean(m, m->funcs.v[i]);
	}
}
