/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the text of a pattern to its tree. */
#include <string.h>

#include "regex/regex_int.h"

struct re_parser {
	struct arena *a;
	const char *p, *end, *start;
	uint32_t ngroups, depth;
	struct regex_error *err, *warning;
};

static void complain(struct re_parser *r, const char *from, const char *to, const char *text,
		     const char *hint)
{
	if (r->err->text)
		return;
	*r->err = (struct regex_error){ .off = (uint32_t)(from - r->start),
					.len = to > from ? (uint32_t)(to - from) : 1,
					.text = text,
					.hint = hint };
	r->p = r->end;
}

static struct re_node *node(struct re_parser *r, enum re_kind kind)
{
	struct re_node *n = arena_new(r->a, struct re_node);

	n->kind = kind;
	n->nullable = kind != RE_SET;
	n->first_group = n->last_group = r->ngroups;
	return n;
}

static void add_range(struct byte_set *s, unsigned int lo, unsigned int hi)
{
	for (unsigned int c = lo; c <= hi; c++)
		set_add(s, c);
}

/* ---- brackets ---- */

/* Ranges of the classes, in pairs. */
static const struct {
	const char *name, *ranges;
} named_sets[] = {
	{ "alpha", "azAZ" },    { "alnum", "azAZ09" },
	{ "blank", "  \t\t" },  { "cntrl", "\001\037\177\177" },
	{ "digit", "09" },      { "d", "09" },
	{ "xdigit", "09afAF" }, { "graph", "!~" },
	{ "lower", "az" },      { "l", "az" },
	{ "print", " ~" },      { "punct", "!/:@[`{~" },
	{ "space", "  \t\r" },  { "s", "  \t\r" },
	{ "upper", "AZ" },      { "u", "AZ" },
};

/* At "[:". Adds the class and goes behind its ":]". */
static void named_set(struct re_parser *r, struct byte_set *s)
{
	const char *from = r->p, *name = r->p + 2, *q = name;
	size_t n;

	while (q < r->end && *q != ':' && *q != ']')
		q++;
	if (r->end - q < 2 || q[0] != ':' || q[1] != ']') {
		complain(r, from, q, "this class has no end", "write it as [[:alpha:]]");
		return;
	}
	n = (size_t)(q - name);
	r->p = q + 2;
	for (size_t k = 0; k < sizeof(named_sets) / sizeof(named_sets[0]); k++) {
		if (strlen(named_sets[k].name) != n || memcmp(named_sets[k].name, name, n) != 0)
			continue;
		for (const char *g = named_sets[k].ranges; *g; g += 2)
			add_range(s, (unsigned char)g[0], (unsigned char)g[1]);
		return;
	}
	complain(r, from, q + 2, "there is no such class of characters",
		 "the classes are alpha alnum blank cntrl digit d xdigit graph lower l print punct "
		 "space s upper u");
}

/* A member or a range of a bracket expression. */
static void bracket_range(struct re_parser *r, struct byte_set *s)
{
	const char *from = r->p;
	unsigned int lo = (unsigned char)*r->p++, hi = lo;

	if (r->end - r->p >= 2 && r->p[0] == '-' && r->p[1] != ']') {
		if (r->p[1] == '[' && r->end - r->p >= 3 && strchr(":.=", r->p[2])) {
			complain(r, from, r->p + 3, "a range cannot end in a class", NULL);
			return;
		}
		hi = (unsigned char)r->p[1];
		r->p += 2;
	}
	if (hi < lo) {
		complain(r, from, r->p, "this range is empty: it ends before it starts",
			 "write the lower character first; a '-' that means itself goes first or "
			 "last");
		return;
	}
	add_range(s, lo, hi);
}

static struct re_node *bracket(struct re_parser *r)
{
	const char *from = r->p++;
	struct re_node *n = node(r, RE_SET);
	bool negated = r->p < r->end && *r->p == '^', first = true;

	r->p += negated;
	for (; r->p < r->end && (first || *r->p != ']'); first = false) {
		if (*r->p != '[' || r->end - r->p < 2 || !strchr(":.=", r->p[1]))
			bracket_range(r, &n->set);
		else if (r->p[1] == ':')
			named_set(r, &n->set);
		else
			complain(r, r->p, r->p + 2,
				 "collating elements and equivalence classes are not supported",
				 "list the characters");
	}
	if (r->p == r->end) {
		complain(r, from, from + 1, "this '[' is never closed",
			 "end it with ']', or write \\\\[ for the character itself");
		return n;
	}
	r->p++;
	for (unsigned int k = 0; k < 4 && negated; k++)
		n->set.w[k] = ~n->set.w[k];
	n->set.w[0] &= ~UINT64_C(1); /* no string holds a NUL */
	return n;
}

/* ---- atoms ---- */

static struct re_node *one_byte(struct re_parser *r, char c)
{
	struct re_node *n = node(r, RE_SET);

	set_add(&n->set, (unsigned char)c);
	return n;
}

static struct re_node *any_byte(struct re_parser *r)
{
	struct re_node *n = node(r, RE_SET);

	add_range(&n->set, 1, 255);
	r->p++;
	return n;
}

static struct re_node *escape(struct re_parser *r)
{
	const char *from = r->p++;
	char c;

	if (r->p == r->end) {
		complain(r, from, r->p, "a '\\' at the end escapes nothing",
			 "write four of them in the script for one that means itself");
		return node(r, RE_EMPTY);
	}
	c = *r->p++;
	if (c >= '1' && c <= '9')
		complain(r, from, r->p, "a pattern cannot refer back to a group",
			 "compare matched() with it instead");
	else if (strchr("dDsSwWbB<>", c) && r->warning && !r->warning->text)
		*r->warning = (struct regex_error){
			.off = (uint32_t)(from - r->start),
			.len = 2,
			.text = "a '\\' only takes the meaning away: this is the character behind it",
			.hint = "classes are written as [[:digit:]], [[:space:]], [[:alnum:]_]",
		};
	return one_byte(r, c);
}

static struct re_node *alternatives(struct re_parser *r);

static struct re_node *group(struct re_parser *r)
{
	const char *from = r->p++;
	struct re_node *n = node(r, RE_GROUP), *body;

	n->group = r->ngroups++;
	if (++r->depth > REGEX_MAXDEPTH) {
		complain(r, from, from + 1, "groups are nested too deeply", NULL);
		return n;
	}
	body = alternatives(r);
	r->depth--;
	if (r->p == r->end) {
		complain(r, from, from + 1, "this '(' is never closed",
			 "end it with ')', or write \\\\( for the character itself");
		return n;
	}
	r->p++;
	vec_push(r->a, &n->sub, body);
	n->nullable = body->nullable;
	n->last_group = r->ngroups;
	return n;
}

static struct re_node *anchor(struct re_parser *r, enum re_kind kind)
{
	r->p++;
	return node(r, kind);
}

static struct re_node *atom(struct re_parser *r)
{
	switch (*r->p) {
	case '(':
		return group(r);
	case '[':
		return bracket(r);
	case '.':
		return any_byte(r);
	case '^':
		return anchor(r, RE_BOL);
	case '$':
		return anchor(r, RE_EOL);
	case '\\':
		return escape(r);
	case '*':
	case '+':
	case '?':
	case '{':
		complain(r, r->p, r->p + 1, "there is nothing here to repeat",
			 "write \\\\ before a character that means itself");
		return node(r, RE_EMPTY);
	default:
		return one_byte(r, *r->p++);
	}
}

/* ---- repetition ---- */

/* Decimal digits; false without any. Larger than every limit counts as just that. */
static bool count(struct re_parser *r, int *out)
{
	const char *from = r->p;

	for (*out = 0; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
		if (*out <= REGEX_MAXCOUNT)
			*out = *out * 10 + (*r->p - '0');
	return r->p > from;
}

/* {n} {n,} {n,m} */
static void interval(struct re_parser *r, int *min, int *max)
{
	const char *from = r->p++;
	bool ok = count(r, min);

	*max = *min;
	if (ok && r->p < r->end && *r->p == ',') {
		r->p++;
		if (!count(r, max))
			*max = RE_ENDLESS;
	}
	if (!ok || r->p == r->end || *r->p != '}') {
		complain(r, from, r->p < r->end ? r->p + 1 : r->p,
			 "this is no count of repetitions",
			 "write {n}, {n,} or {n,m}; \\\\{ is the character itself");
		return;
	}
	r->p++;
	if (*min > REGEX_MAXCOUNT || *max > REGEX_MAXCOUNT)
		complain(r, from, r->p, "repetition counts go up to 12344", NULL);
	else if (*max != RE_ENDLESS && *max < *min)
		complain(r, from, r->p, "the second count is below the first", NULL);
}

static struct re_node *repeated(struct re_parser *r)
{
	const char *from = r->p;
	struct re_node *n = atom(r);
	uint32_t levels = 0;

	while (r->p < r->end && strchr("*+?{", *r->p)) {
		struct re_node *rep = node(r, RE_REPEAT);

		if (n->kind == RE_BOL || n->kind == RE_EOL)
			complain(r, from, r->p + 1, "a '^' or '$' cannot be repeated",
				 "write \\\\ before a character that means itself");
		if (++levels + r->depth > REGEX_MAXDEPTH)
			complain(r, r->p, r->p + 1, "repetitions are nested too deeply", NULL);
		if (r->err->text)
			break;
		rep->min = *r->p == '+';
		rep->max = *r->p == '?' ? 1 : RE_ENDLESS;
		if (*r->p == '{')
			interval(r, &rep->min, &rep->max);
		else
			r->p++;
		vec_push(r->a, &rep->sub, n);
		rep->first_group = n->first_group;
		rep->last_group = n->last_group;
		rep->nullable = n->nullable || !rep->min;
		n = rep;
	}
	return n;
}

static struct re_node *sequence(struct re_parser *r)
{
	struct re_node *n = node(r, RE_CAT);

	while (r->p < r->end && *r->p != '|' && *r->p != ')') {
		struct re_node *sub = repeated(r);

		vec_push(r->a, &n->sub, sub);
		n->nullable &= sub->nullable;
	}
	n->last_group = r->ngroups;
	return n->sub.n == 1 ? n->sub.v[0] : n;
}

static struct re_node *alternatives(struct re_parser *r)
{
	struct re_node *first = sequence(r), *n;

	if (r->p == r->end || *r->p != '|')
		return first;
	n = node(r, RE_ALT);
	n->first_group = first->first_group;
	n->nullable = first->nullable;
	vec_push(r->a, &n->sub, first);
	while (r->p < r->end && *r->p == '|') {
		struct re_node *sub;

		r->p++;
		sub = sequence(r);
		vec_push(r->a, &n->sub, sub);
		n->nullable |= sub->nullable;
	}
	n->last_group = r->ngroups;
	return n;
}

struct re_node *re_parse(struct arena *a, const char *p, size_t len, uint32_t *ngroups,
			 struct regex_error *err, struct regex_error *warning)
{
	struct re_parser r = { .a = a,
			       .p = p,
			       .start = p,
			       .end = p + len,
			       .ngroups = 1,
			       .err = err,
			       .warning = warning };
	struct re_node *n;

	*err = (struct regex_error){ 0 };
	n = alternatives(&r);
	if (r.p < r.end)
		complain(&r, r.p, r.p + 1, "this ')' closes nothing",
			 "write \\\\) for the character itself");
	*ngroups = r.ngroups;
	return err->text ? NULL : n;
}
