/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reads aggregates: @count and the like, @variance with its shift, histograms. */
#include "elaborate/internal.h"

#define SHIFT_MAX 62

bool is_hist(const struct expr *x)
{
	return x->kind == E_STAT && (x->op == S_HIST_LOG || x->op == S_HIST_LINEAR);
}

static struct span op_span(const struct expr *x)
{
	return x->op_at.src ? x->op_at : x->at;
}

/* The global that holds the aggregate of @x, or NULL after an error. */
static struct global *aggregate_of(struct infer *i, struct expr *x)
{
	const struct symbol *s;

	if (!infer_aggregate(i, x->a, ACC_READ))
		return NULL;
	s = x->a->sym;
	return s && s->kind == SYM_GLOBAL ? (struct global *)x->a->sym : NULL;
}

static bool same_params(const struct expr *a, const struct expr *b)
{
	if (a->op != b->op || a->args.n != b->args.n)
		return false;
	for (uint32_t n = 0; n < a->args.n; n++)
		if (a->args.v[n]->num != b->args.v[n]->num)
			return false;
	return true;
}

/* One aggregate keeps one set of numbers: false after an error that names both places. */
static bool agree(struct infer *i, struct global *g, const struct expr **first, struct expr *x,
		  const char *what)
{
	if (!*first)
		*first = x;
	if (same_params(*first, x))
		return true;
	diag_error(i->e->diag, TAG_STAT, x->at, "\"%s\" has %s already, with other numbers",
		   g->sym.name, what);
	diag_note(i->e->diag, (*first)->at, "the first");
	diag_hint(i->e->diag,
		  "give both the same numbers, or add the values to a second global as well");
	return false;
}

static int64_t shift_of(const struct expr *x)
{
	return x->args.n ? x->args.v[0]->num : 0;
}

/* No shift and a shift of 0 are one. */
static void check_shift(struct infer *i, struct global *g, struct expr *x)
{
	if (x->args.n && (x->args.v[0]->num < 0 || x->args.v[0]->num > SHIFT_MAX)) {
		diag_error(i->e->diag, TAG_STAT, x->args.v[0]->at,
			   "the shift of @variance is a number from 0 to %d", SHIFT_MAX);
		return;
	}
	if (!g->variance)
		g->variance = x;
	else if (shift_of(g->variance) != shift_of(x))
		agree(i, g, &g->variance, x, "a @variance");
}

struct tvar *infer_stat(struct infer *i, struct expr *x)
{
	struct global *g;

	if (is_hist(x)) {
		diag_error(i->e->diag, TAG_TYPE, op_span(x),
			   "a histogram is no value: it can be printed, indexed, or gone through by foreach");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	g = aggregate_of(i, x);
	if (g && x->op == S_VARIANCE)
		check_shift(i, g, x);
	if (g && i->live)
		g->stat_ops |= 1u << x->op;
	return type_new(i->e, T_LONG, x->at);
}

void infer_sort_stat(struct infer *i, struct global *g, enum stat_op op)
{
	if (i->live)
		g->stat_ops |= 1u << op;
}

static bool check_linear(struct infer *i, const struct expr *x)
{
	int64_t lo = x->args.v[0]->num, hi = x->args.v[1]->num, width = x->args.v[2]->num;

	if (hi <= lo) {
		diag_error(i->e->diag, TAG_STAT, x->args.v[1]->at,
			   "the upper limit of the histogram is not above the lower one");
		return false;
	}
	if (width <= 0) {
		diag_error(i->e->diag, TAG_STAT, x->args.v[2]->at,
			   "the width of a bucket must be positive");
		return false;
	}
	if (agg_linear_buckets(lo, hi, width))
		return true;
	diag_error(i->e->diag, TAG_STAT, x->at,
		   "the histogram has too many buckets: (%lld - %lld) / %lld + 3 is more than %u",
		   (long long)hi, (long long)lo, (long long)width, AGG_MAX_BUCKETS);
	diag_hint(i->e->diag, "a width of %llu makes few enough",
		  (unsigned long long)(((uint64_t)hi - (uint64_t)lo) / (AGG_MAX_BUCKETS - 2) + 1));
	return false;
}

struct global *infer_hist(struct infer *i, struct expr *x)
{
	struct global *g = aggregate_of(i, x);

	x->type = T_VOID;
	if (x->op == S_HIST_LINEAR && (x->args.n != 3 || !check_linear(i, x)))
		return NULL;
	if (!g || !agree(i, g, &g->hist, x, "a histogram"))
		return NULL;
	g->hist_used |= i->live;
	return g;
}

struct tvar *infer_hist_index(struct infer *i, struct expr *x)
{
	infer_hist(i, x->a);
	if (x->suffixes.n != 1 || x->suffixes.v[0].kind != SUF_INDEX)
		diag_error(i->e->diag, TAG_TYPE, x->at,
			   "of a histogram there are the buckets: [0] and up");
	else
		infer_long(i, x->suffixes.v[0].index);
	return type_new(i->e, T_LONG, x->at);
}
