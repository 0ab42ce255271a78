/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular expressions: syntax, errors, limits, and random patterns against a matcher of its own
 * that tries one way after the other.
 */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "regex/regex.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena);
}

static void teardown(void)
{
	arena_fini(&arena);
}

static const struct regex_tab *must_compile(const char *pattern, bool groups)
{
	struct regex_error err;
	const struct regex_tab *t = regex_compile(&arena, pattern, strlen(pattern), groups, &err);

	ck_assert_msg(t != NULL, "%s: %s", pattern, err.text);
	return t;
}

/* "0-3 1-2 -": the places of the groups; "no" without a match. */
static const char *places(const struct regex_tab *t, const char *s)
{
	static char text[1024];
	uint32_t pos[2 * REGEX_MAXGROUPS];
	uint16_t *log = malloc((strlen(s) + 1) * sizeof(*log));
	size_t n = 0;

	strcpy(text, "no");
	if (regex_capture(t, s, log, pos)) {
		for (uint32_t g = 0; g < t->ngroups; g++) {
			bool set = pos[2 * g] != REGEX_NOWHERE && pos[2 * g + 1] != REGEX_NOWHERE;

			n += (size_t)snprintf(text + n, sizeof(text) - n, g ? " " : "");
			if (set)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%u-%u",
						      pos[2 * g], pos[2 * g + 1]);
			else
				n += (size_t)snprintf(text + n, sizeof(text) - n, "-");
		}
	}
	free(log);
	return text;
}

/* ---- what must hold ---- */

static const struct {
	const char *pattern, *string, *want;
} cases[] = {
	{ "b", "abc", "1-2" },
	{ "", "abc", "0-0" },
	{ "^$", "", "0-0" },
	{ "^$", "a", "no" },
	{ "^b", "ab", "no" },
	{ "b$", "abab", "3-4" },
	{ "a|ab|abc", "xabcd", "1-4" }, /* the longest */
	{ "bcd|abcde|abc", "abcd", "0-3" }, /* the leftmost */
	{ "abcx|bc", "abcd", "1-3" },
	{ "a*", "baaa", "0-0" },
	{ "a+", "baaabaaaa", "1-4" },
	{ "(a*)(ab)*(b*)", "abb", "0-3 0-1 - 1-3" },
	{ "(a|ab)(bc|c)?", "abc", "0-3 0-1 1-3" },
	{ "(a|ab)(c|bcd)(d*)", "abcd", "0-4 0-1 1-4 4-4" },
	{ "((a)|b)*", "ab", "0-2 1-2 -" }, /* the last round only */
	{ "(a*)*", "b", "0-0 0-0" },
	{ "(a*)+", "aa", "0-2 0-2" },
	{ "(a|(b))", "a", "0-1 0-1 -" },
	{ "str(ing)", "an example string", "11-17 14-17" },
	{ "x{3}", "xxxx", "0-3" },
	{ "x{2,}", "axxxxb", "1-5" },
	{ "x{1,2}", "xxx", "0-2" },
	{ "x{0}y", "xy", "1-2" },
	{ "(x{0})", "x", "0-0 0-0" },
	{ "[]a]+", "x]a]", "1-4" },
	{ "[^]a]+", "]xya", "1-3" },
	{ "[a-c-]+", "xa-cd", "1-4" },
	{ "[-a]+", "b-a", "1-3" },
	{ "[\\.]", "\\", "0-1" }, /* a bracket takes '\' as itself */
	{ "a\\.b", "axb a.b", "4-7" },
	{ "\\(\\)\\[\\]\\{\\}\\*\\+\\?\\|\\^\\$\\\\", "()[]{}*+?|^$\\", "0-13" },
	{ "\\d", "0d", "1-2" },
	{ "a}b]", "a}b]", "0-4" },
	{ ".", "\377", "0-1" },
	{ ".", "\n", "0-1" },
	{ "[\200-\377]+", "ab\300\200c", "2-4" },
	{ "(|a)+", "aa", "0-2 1-2" }, /* no round for nothing */
	{ "()", "", "0-0 0-0" },
	{ "a||b", "b", "0-1" },
	{ "(a|b|)c", "bc", "0-2 0-1" },
	{ "x(^a)", "xa", "no" },
	{ "(^|,)b", ",b", "0-2 0-1" },
	{ "a($|c)", "ab ac", "3-5 4-5" },
	{ "a$b", "a$b", "no" },
	{ "([a-z]+)/([0-9]+)$", "/dev/sd/17", "5-10 5-7 8-10" },
	{ "a{2}{3}", "aaaaaaa", "0-6" },
	{ "a**", "aa", "0-2" },
};

START_TEST(known_matches)
{
	const char *pattern = cases[_i].pattern, *s = cases[_i].string;
	const struct regex_tab *plain = must_compile(pattern, false);

	ck_assert_str_eq(places(must_compile(pattern, true), s), cases[_i].want);
	ck_assert_int_eq(regex_match(plain, s), strcmp(cases[_i].want, "no") != 0);
}
END_TEST

/* Which bytes a class has, as the C locale's functions say. */
START_TEST(classes_are_those_of_the_c_locale)
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} classes[] = {
		{ "alpha", isalpha },   { "alnum", isalnum }, { "blank", isblank },
		{ "cntrl", iscntrl },   { "digit", isdigit }, { "d", isdigit },
		{ "xdigit", isxdigit }, { "graph", isgraph }, { "lower", islower },
		{ "l", islower },       { "print", isprint }, { "punct", ispunct },
		{ "space", isspace },   { "s", isspace },     { "upper", isupper },
		{ "u", isupper },
	};

	for (size_t k = 0; k < sizeof(classes) / sizeof(classes[0]); k++) {
		char pattern[32];
		const struct regex_tab *in, *out;

		snprintf(pattern, sizeof(pattern), "^[[:%s:]]$", classes[k].name);
		in = must_compile(pattern, false);
		snprintf(pattern, sizeof(pattern), "^[^[:%s:]]$", classes[k].name);
		out = must_compile(pattern, false);
		for (int c = 1; c < 256; c++) {
			char s[2] = { (char)c, 0 };

			ck_assert_int_eq(regex_match(in, s), !!classes[k].is(c));
			ck_assert_int_eq(regex_match(out, s), !classes[k].is(c));
		}
	}
}
END_TEST

static const struct {
	const char *pattern;
	uint32_t off, len;
	const char *text;
} errors[] = {
	{ "a(b", 1, 1, "never closed" },
	{ "ab)c", 2, 1, "closes nothing" },
	{ "a[bc", 1, 1, "never closed" },
	{ "a[]", 1, 1, "never closed" },
	{ "x[z-a]", 2, 3, "range is empty" },
	{ "x[a-[:digit:]]", 2, 4, "range cannot end" },
	{ "[[:foo:]]", 1, 7, "no such class" },
	{ "[[:alpha]", 1, 7, "has no end" },
	{ "[[.a.]]", 1, 2, "not supported" },
	{ "*a", 0, 1, "nothing here to repeat" },
	{ "a|+", 2, 1, "nothing here to repeat" },
	{ "(?)", 1, 1, "nothing here to repeat" },
	{ "{2}", 0, 1, "nothing here to repeat" },
	{ "^*", 0, 2, "cannot be repeated" },
	{ "a{", 1, 1, "no count of repetitions" },
	{ "a{x}", 1, 2, "no count of repetitions" },
	{ "a{1;2}", 1, 3, "no count of repetitions" },
	{ "a{1,2", 1, 4, "no count of repetitions" },
	{ "a{3,2}", 1, 5, "second count is below" },
	{ "a{12345}", 1, 7, "up to 12344" },
	{ "a{1,99999999999999999999}", 1, 24, "up to 12344" },
	{ "(a)\\1", 3, 2, "refer back" },
	{ "ab\\", 2, 1, "escapes nothing" },
	{ "x{1000}{1000}", 0, 13, "too large" },
	{ "((x{1,100}){1,100}){1,100}", 0, 26, "too large" },
	{ "x{12344}", 0, 8, "this pattern" },
	{ "(a|b)*a(a|b){13}", 0, 16, "4096 states" },
};

START_TEST(errors_point_at_the_place)
{
	const char *pattern = errors[_i].pattern;

	for (int groups = 0; groups < 2; groups++) {
		struct regex_error err;

		ck_assert_ptr_null(regex_compile(&arena, pattern, strlen(pattern), groups, &err));
		ck_assert_uint_eq(err.off, errors[_i].off);
		ck_assert_uint_eq(err.len, errors[_i].len);
		if (!groups)
			ck_assert_msg(strstr(err.text, errors[_i].text) != NULL, "%s", err.text);
	}
}
END_TEST

START_TEST(nesting_is_bounded)
{
	static const char *const parts[] = { "(", "a*", "((", "(a{2}" };
	struct regex_error err;

	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		struct buf b;

		buf_init(&b);
		for (int n = 0; n < 100000; n++)
			buf_puts(&b, k == 1 && n ? "*" : parts[k]);
		ck_assert_ptr_null(regex_compile(&arena, b.p, b.len, true, &err));
		ck_assert_ptr_nonnull(strstr(err.text, "nested too deeply"));
		buf_fini(&b);
	}
}
END_TEST

START_TEST(groups_are_bounded)
{
	struct regex_error err;
	struct buf b;

	buf_init(&b);
	for (int n = 1; n < REGEX_MAXGROUPS; n++)
		buf_puts(&b, "(a?)");
	ck_assert_uint_eq(must_compile(b.p, true)->ngroups, REGEX_MAXGROUPS);
	ck_assert_ptr_nonnull(strstr(places(must_compile(b.p, true), "a"), "0-1 0-1 1-1 1-1"));
	buf_puts(&b, "(b)");
	ck_assert_ptr_null(regex_compile(&arena, b.p, b.len, true, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "more than 31 groups"));
	must_compile(b.p, false);
	buf_fini(&b);
}
END_TEST

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Patterns that would take for ever: refused, or done, in a moment. */
START_TEST(translation_is_bounded)
{
	static const char *const patterns[] = {
		"x{1000}{1000}",
		"(x{1,200}){1,60}",
		".*x.{1000}",
		"(a|b)*a(a|b){30}",
		"x{12000}",
		"(a*)*(b*)*(c*)*x{3000}",
		"(.*,){20}y",
		"([a-z]*[0-9]*){100}",
		"(a?){500}a{500}",
		"((a|b)(c|d)){500}",
		"(a{1,30}){1,30}(b{1,30}){1,3}",
		"(.?.?){200}z",
	};

	for (size_t k = 0; k < sizeof(patterns) / sizeof(patterns[0]); k++) {
		for (int groups = 0; groups < 2; groups++) {
			double from = seconds();
			struct regex_error err = { 0 };
			size_t used = arena.used;
			bool ok = regex_compile(&arena, patterns[k], strlen(patterns[k]), groups,
						&err);

			if (getenv("REGEX_TIMES"))
				printf("%-30s %d %6.1f ms %s\n", patterns[k], groups,
				       (seconds() - from) * 1e3, ok ? "ok" : err.text);
			/* generous: the machine may be slow, or a sanitizer be in */
			ck_assert(seconds() - from < 3);
			ck_assert_uint_lt(arena.used - used, 4u << 20);
		}
	}
}
END_TEST

START_TEST(small_patterns_have_small_tables)
{
	ck_assert_uint_le(must_compile("foo", false)->nstates, 5);
	ck_assert_uint_le(must_compile("(a|b|c|d)e", false)->nstates, 4);
	ck_assert_uint_le(must_compile("\\.(tar|tgz|zip)$", false)->nstates, 11);
	ck_assert_uint_le(must_compile("\\.(tar|tgz|zip)$", false)->nclasses, 10);
	/* an anchored pattern gives up at once */
	ck_assert_uint_eq(must_compile("^a^", false)->start, REGEX_DEAD);
	ck_assert_uint_eq(must_compile("x^", true)->start, REGEX_DEAD);
	ck_assert_uint_eq(must_compile("a*", false)->start, REGEX_FOUND);
}
END_TEST

/* ---- random patterns ---- */

enum kind { CHAR, SET, NOTSET, ANY, BOL, EOL, CAT, ALT, GROUP, REPEAT, NKINDS };

struct node {
	enum kind kind;
	char c;
	int min, max; /* max -1: endless */
	int group, last_group;
	int n;
	struct node *sub[4];
};

static uint64_t seed;

static int rnd(int n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)n);
}

static struct node *new_node(enum kind kind)
{
	struct node *n = arena_new(&arena, struct node);

	n->kind = kind;
	n->c = (char)('a' + rnd(3));
	return n;
}

static int ngroups;

static struct node *random_alternatives(int depth);

static struct node *random_atom(int depth)
{
	struct node *n;

	if (depth > 0 && rnd(3) == 0) {
		n = new_node(GROUP);
		n->group = ngroups++;
		n->sub[0] = random_alternatives(depth - 1);
		n->n = 1;
		n->last_group = ngroups;
		return n;
	}
	return new_node((enum kind)(rnd(4) ? CHAR : rnd(4)));
}

static struct node *random_repeat(int depth)
{
	static const struct {
		int min, max;
	} bounds[] = { { 0, -1 }, { 0, -1 }, { 1, -1 }, { 0, 1 }, { 2, 2 }, { 0, 2 },
		       { 1, 3 },  { 2, -1 }, { 0, 0 },  { 3, 4 }, { 1, 1 } };
	struct node *n, *atom;
	int group = ngroups, k;

	if (rnd(12) == 0)
		return new_node(rnd(2) ? BOL : EOL);
	atom = random_atom(depth);
	if (rnd(5) > 1)
		return atom;
	k = rnd((int)(sizeof(bounds) / sizeof(bounds[0])));
	n = new_node(REPEAT);
	n->min = bounds[k].min;
	n->max = bounds[k].max;
	n->group = group;
	n->last_group = ngroups;
	n->sub[n->n++] = atom;
	return n;
}

static struct node *random_sequence(int depth)
{
	struct node *n = new_node(CAT);

	for (int k = rnd(10) ? 1 + rnd(3) : 0; k > 0; k--)
		n->sub[n->n++] = random_repeat(depth);
	return n;
}

static struct node *random_alternatives(int depth)
{
	struct node *n = new_node(ALT);

	for (int k = rnd(3) ? 1 : 1 + rnd(3); k > 0; k--)
		n->sub[n->n++] = random_sequence(depth);
	return n;
}

static void print_node(struct buf *b, const struct node *n)
{
	switch (n->kind) {
	case CHAR:
		buf_putc(b, n->c);
		break;
	case SET:
		buf_printf(b, "[%cb]", n->c);
		break;
	case NOTSET:
		buf_printf(b, "[^%c]", n->c);
		break;
	case ANY:
		buf_putc(b, '.');
		break;
	case BOL:
		buf_putc(b, '^');
		break;
	case EOL:
		buf_putc(b, '$');
		break;
	case GROUP:
		buf_putc(b, '(');
		print_node(b, n->sub[0]);
		buf_putc(b, ')');
		break;
	case REPEAT:
		print_node(b, n->sub[0]);
		if (n->max < 0 && n->min < 2)
			buf_putc(b, n->min ? '+' : '*');
		else if (n->max < 0)
			buf_printf(b, "{%d,}", n->min);
		else if (n->min == 0 && n->max == 1)
			buf_putc(b, '?');
		else if (n->min == n->max)
			buf_printf(b, "{%d}", n->min);
		else
			buf_printf(b, "{%d,%d}", n->min, n->max);
		break;
	default:
		for (int k = 0; k < n->n; k++) {
			if (k && n->kind == ALT)
				buf_putc(b, '|');
			print_node(b, n->sub[k]);
		}
	}
}

/* The other matcher: all ways in the order of preference, each to its end. */
struct place {
	int from, to;
};
struct trial {
	const char *s;
	struct place g[REGEX_MAXGROUPS], best[REGEX_MAXGROUPS];
	int start, best_end, steps;
};
/* What is left to match after a node: a list on the stack. */
struct rest {
	const struct node *n; /* NULL: the end */
	int index,
		from; /* CAT: the next; REPEAT: rounds done, where the last began; GROUP: its start */
	const struct rest *up;
};

#define MAXSTEPS 200000

static void go_on(struct trial *t, const struct rest *r, int at);

static void try_round(struct trial *t, const struct node *n, int rounds, const struct rest *up,
		      int at);

static void try_node(struct trial *t, const struct node *n, const struct rest *up, int at)
{
	bool took = false;

	if (t->steps++ > MAXSTEPS)
		return;
	switch (n->kind) {
	case CHAR:
		took = t->s[at] == n->c;
		break;
	case SET:
		took = t->s[at] && (t->s[at] == n->c || t->s[at] == 'b');
		break;
	case NOTSET:
		took = t->s[at] && t->s[at] != n->c;
		break;
	case ANY:
		took = t->s[at];
		break;
	case BOL:
		if (at == 0)
			go_on(t, up, at);
		return;
	case EOL:
		if (!t->s[at])
			go_on(t, up, at);
		return;
	case CAT:
		go_on(t, &(struct rest){ n, 0, 0, up }, at);
		return;
	case ALT:
		for (int k = 0; k < n->n; k++)
			try_node(t, n->sub[k], up, at);
		return;
	case GROUP:
		try_node(t, n->sub[0], &(struct rest){ n, 0, at, up }, at);
		return;
	default:
		try_round(t, n, 0, up, at);
		return;
	}
	if (took)
		go_on(t, up, at + 1);
}

/* @rounds are done, and another may follow. */
static void try_round(struct trial *t, const struct node *n, int rounds, const struct rest *up,
		      int at)
{
	struct place saved[REGEX_MAXGROUPS];

	if (n->max < 0 || rounds < n->max) {
		memcpy(saved, t->g, sizeof(saved));
		for (int g = n->group; g < n->last_group; g++)
			t->g[g] = (struct place){ -1, -1 };
		try_node(t, n->sub[0], &(struct rest){ n, rounds + 1, at, up }, at);
		memcpy(t->g, saved, sizeof(saved));
	}
	if (rounds >= n->min)
		go_on(t, up, at);
}

static void end_group(struct trial *t, const struct rest *r, int at)
{
	struct place saved = t->g[r->n->group];

	t->g[r->n->group] = (struct place){ r->from, at };
	go_on(t, r->up, at);
	t->g[r->n->group] = saved;
}

static void go_on(struct trial *t, const struct rest *r, int at)
{
	if (t->steps++ > MAXSTEPS)
		return;
	if (!r) {
		if (at <= t->best_end)
			return;
		t->best_end = at;
		memcpy(t->best, t->g, sizeof(t->g));
	} else if (r->n->kind == CAT) {
		if (r->index == r->n->n)
			go_on(t, r->up, at);
		else
			try_node(t, r->n->sub[r->index],
				 &(struct rest){ r->n, r->index + 1, 0, r->up }, at);
	} else if (r->n->kind == GROUP) {
		end_group(t, r, at);
	} else if (r->n->max < 0 && at == r->from && r->index >= r->n->min) {
		/* a round that takes nothing is the last, and only made when it is the first */
		if (r->index <= r->n->min || r->index == 1)
			go_on(t, r->up, at);
	} else {
		try_round(t, r->n, r->index, r->up, at);
	}
}

/* As places(); NULL when there are too many ways. */
static const char *places_by_trial(const struct node *root, const char *s)
{
	static char text[1024];
	struct trial t = { .s = s, .best_end = -1 };
	size_t n;

	for (t.start = 0; t.start <= (int)strlen(s) && t.best_end < 0; t.start++) {
		memset(t.g, 0xff, sizeof(t.g));
		t.g[0].from = t.start;
		try_node(&t, root, NULL, t.start);
	}
	if (t.steps > MAXSTEPS)
		return NULL;
	if (t.best_end < 0)
		return strcpy(text, "no");
	n = (size_t)snprintf(text, sizeof(text), "%d-%d", t.best[0].from, t.best_end);
	for (int g = 1; g < ngroups; g++) {
		if (t.best[g].from < 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " -");
		else
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %d-%d", t.best[g].from,
					      t.best[g].to);
	}
	return text;
}

/* May @n match nothing? */
static bool nullable(const struct node *n)
{
	bool all = true, any = false;

	for (int k = 0; k < n->n; k++) {
		bool sub = nullable(n->sub[k]);

		all &= sub;
		any |= sub;
	}
	if (n->kind == REPEAT)
		return all || !n->min;
	return n->kind == ALT ? any : n->n || n->kind == CAT ? all : n->kind > ANY;
}

static bool has_repeat(const struct node *n)
{
	bool has = n->kind == REPEAT;

	for (int k = 0; k < n->n; k++)
		has |= has_repeat(n->sub[k]);
	return has;
}

/*
 * An endless repetition of what may match nothing and repeats itself: then a way may come twice to
 * one place between two bytes, and which of them goes on is not promised, so that only the whole
 * match is compared.
 */
static bool groups_are_open(const struct node *n)
{
	bool open = n->kind == REPEAT && n->max < 0 && nullable(n->sub[0]) && has_repeat(n->sub[0]);

	for (int k = 0; k < n->n; k++)
		open |= groups_are_open(n->sub[k]);
	return open;
}

static void random_string(char *s, int max)
{
	int n = rnd(max + 1);

	for (int k = 0; k < n; k++)
		s[k] = (char)('a' + rnd(3));
	s[n] = 0;
}

/* One pattern and some strings; how many were compared. */
static int compare_random(void)
{
	struct node *root;
	const struct regex_tab *groups, *plain = NULL;
	struct regex_error err;
	struct buf b;
	char s[16];
	int n = 0;

	ngroups = 1;
	root = random_alternatives(3);
	if (ngroups > REGEX_MAXGROUPS)
		return 0;
	buf_init(&b);
	print_node(&b, root);
	/* some of them are too large */
	groups = regex_compile(&arena, b.len ? b.p : "", b.len, true, &err);
	if (groups)
		plain = regex_compile(&arena, b.len ? b.p : "", b.len, false, &err);
	for (int k = 0; k < 12 && plain; k++) {
		const char *want, *have;
		size_t compare;

		random_string(s, 9);
		want = places_by_trial(root, s);
		if (!want)
			continue;
		have = places(groups, s);
		compare = groups_are_open(root) ? strcspn(want, " ") + 1 : strlen(want) + 1;
		ck_assert_msg(strncmp(have, want, compare) == 0, "/%s/ on \"%s\": %s, not %s",
			      b.len ? b.p : "", s, have, want);
		ck_assert_msg(regex_match(plain, s) == (strcmp(want, "no") != 0),
			      "/%s/ on \"%s\": plain %d", b.len ? b.p : "", s,
			      regex_match(plain, s));
		n++;
	}
	buf_fini(&b);
	return n;
}

START_TEST(random_patterns_match_as_by_trial)
{
	const char *given = getenv("REGEX_SEED"), *rounds = getenv("REGEX_ROUNDS");
	int n = 0;

	seed = given ? strtoull(given, NULL, 0) : 20240229;
	for (int k = 0; k < (rounds ? atoi(rounds) : 5000); k++) {
		n += compare_random();
		arena_fini(&arena);
		arena_init(&arena);
	}
	ck_assert_int_gt(n, rounds ? 0 : 50000);
}
END_TEST

/* Any bytes as a pattern: a table or an error inside the pattern, and tables that hold together. */
START_TEST(random_text_is_survived)
{
	static const char letters[] = "ab()[]{}|*+?^$\\.-,:12[:alpha:]";

	seed = 7;
	for (int k = 0; k < 20000; k++) {
		struct regex_error err;
		const struct regex_tab *t;
		char p[24];
		int n = rnd((int)sizeof(p));

		for (int i = 0; i < n; i++)
			p[i] = rnd(20) ? letters[rnd((int)sizeof(letters) - 1)]
				       : (char)(1 + rnd(255));
		p[n < (int)sizeof(p) ? n : (int)sizeof(p) - 1] = 0;
		t = regex_compile(&arena, p, strlen(p), rnd(2), &err);
		if (!t)
			ck_assert(err.text && err.off + err.len <= (strlen(p) ? strlen(p) : 1));
		else if (t->ngroups)
			places(t, "abc12");
		else
			regex_match(t, "abc12");
		arena_fini(&arena);
		arena_init(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regex");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, known_matches, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, classes_are_those_of_the_c_locale);
	tcase_add_loop_test(tc, errors_point_at_the_place, 0, sizeof(errors) / sizeof(errors[0]));
	tcase_add_test(tc, nesting_is_bounded);
	tcase_add_test(tc, groups_are_bounded);
	tcase_add_test(tc, translation_is_bounded);
	tcase_add_test(tc, small_patterns_have_small_tables);
	tcase_add_test(tc, random_patterns_match_as_by_trial);
	tcase_add_test(tc, random_text_is_survived);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
