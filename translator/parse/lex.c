/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lex.h"

#include <string.h>

#define ERROR_BUDGET 20
#define PASTE_TAIL 4096u /* how much of the line behind a $1 may join its last token */

enum char_class { C_OTHER, C_SPACE, C_ALPHA, C_DIGIT, C_DOLLAR, C_AT };

/* clang-format off */
static const uint8_t classes[256] = {
	[' '] = C_SPACE, ['\t'] = C_SPACE, ['\n'] = C_SPACE, ['\v'] = C_SPACE, ['\f'] = C_SPACE,
	['\r'] = C_SPACE, ['$'] = C_DOLLAR, ['@'] = C_AT, ['_'] = C_ALPHA,
	['a' ... 'z'] = C_ALPHA, ['A' ... 'Z'] = C_ALPHA, ['0' ... '9'] = C_DIGIT,
};
/* clang-format on */

static const char *const spellings[TK_COUNT] = {
	[TK_EOF] = "the end of the script",
	[TK_JUNK] = "a broken token",
	[TK_IDENT] = "a name",
	[TK_NUMBER] = "a number",
	[TK_STRING] = "a string",
	[TK_EMBEDDED] = "embedded C code",
	[TK_BADARG] = "a script argument",
#define KEYWORD(id, text) [KW_##id] = text,
#define OP(id, text) [OP_##id] = text,
#include "tokens.def"
#undef KEYWORD
#undef OP
};

const char *token_kind_text(enum token_kind k)
{
	return spellings[k];
}

static unsigned int class_of(char c)
{
	return classes[(unsigned char)c];
}

static bool in_name(char c)
{
	unsigned int k = class_of(c);

	return k == C_ALPHA || k == C_DIGIT || k == C_DOLLAR;
}

void lex_init(struct lexer *l, struct parse_env *env, struct source *src)
{
	int i;

	memset(l, 0, sizeof(*l));
	l->env = env;
	l->src = src;
	l->p = src->text;
	l->end = src->text + src->len;
	l->budget = ERROR_BUDGET;
	buf_init(&l->paste);
	for (i = KW_FIRST; i <= (int)KW_LAST; i++)
		l->keyword[i - KW_FIRST] = strtab_intern(env->names, spellings[i]);
	for (i = TK_COUNT - 1; i >= (int)OP_FIRST; i--)
		l->op_first[(unsigned char)spellings[i][0]] = (uint8_t)i;
}

void lex_fini(struct lexer *l)
{
	buf_fini(&l->paste);
}

void lex_count_error(struct lexer *l)
{
	if (--l->budget == 0)
		diag_note(l->env->diag, SPAN_NONE, "%d errors: the rest of %s is not looked at",
			  ERROR_BUDGET, l->src->name);
}

/* The place of [@from, l->p) in the source; text of an argument has the place of its $1. */
static struct span span_from(const struct lexer *l, const char *from)
{
	struct span s = { l->src, 0, 0 };
	uint32_t past;

	if (!l->pasting) {
		s.off = (uint32_t)(from - l->src->text);
		s.len = (uint32_t)(l->p - from);
		return s;
	}
	past = (uint32_t)(l->p - l->paste.p);
	s = l->paste_at;
	if (past > l->paste_len)
		s.len += past - l->paste_len;
	return s;
}

static void lex_error(struct lexer *l, struct token *t, enum diag_tag tag, const char *from,
		      const char *text)
{
	t->kind = TK_JUNK;
	t->at = span_from(l, from);
	if (!l->skipping)
		diag_error(l->env->diag, tag, t->at, "%s", text);
}

/* After lex_error(). */
static __attribute__((format(printf, 2, 3))) void lex_hint(struct lexer *l, const char *fmt, ...)
{
	va_list ap;

	if (l->skipping)
		return;
	va_start(ap, fmt);
	diag_hint(l->env->diag, "%s", arena_vprintf(l->env->arena, fmt, ap));
	va_end(ap);
}

static void leave_paste(struct lexer *l)
{
	uint32_t past = (uint32_t)(l->p - l->paste.p) - l->paste_len;

	l->pasting = false;
	l->p = l->src->text + l->resume + past;
	l->end = l->src->text + l->src->len;
}

/* To the end of a comment at l->p. False when it has none. */
static bool skip_comment(struct lexer *l)
{
	const char *e;

	if (l->p[0] == '/' && l->p[1] == '*') {
		e = l->end - l->p >= 4 ? memmem(l->p + 2, (size_t)(l->end - l->p - 2), "*/", 2)
				       : NULL;
		l->p = e ? e + 2 : l->end;
		return e != NULL;
	}
	e = memchr(l->p, '\n', (size_t)(l->end - l->p));
	l->p = e ? e : l->end;
	return true;
}

/* White space and comments. False after an error, with @t set. */
static bool skip_blank(struct lexer *l, struct token *t)
{
	for (;;) {
		const char *from = l->p;

		if (l->pasting && (uint32_t)(l->p - l->paste.p) >= l->paste_len) {
			leave_paste(l);
			continue;
		}
		if (l->p == l->end)
			return true;
		if (class_of(*l->p) == C_SPACE) {
			l->p++;
		} else if (*l->p == '#' || (*l->p == '/' && (l->p[1] == '/' || l->p[1] == '*'))) {
			if (!skip_comment(l)) {
				l->p = from + 2;
				lex_error(l, t, TAG_LEX, from, "this comment is never closed");
				lex_hint(l, "end it with */");
				l->p = l->end;
				return false;
			}
		} else {
			return true;
		}
		t->space = true;
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Decimal, 0x or octal, to 2^64-1, which wraps. */
static bool number_value(const char *s, size_t n, int64_t *out)
{
	uint64_t base = 10, v = 0;
	size_t i = 0;

	if (n > 1 && s[0] == '0') {
		base = (s[1] | 0x20) == 'x' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	if (i == n)
		return false;
	for (; i < n; i++) {
		uint64_t d = (uint64_t)digit_value(s[i]);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	*out = (int64_t)v;
	return true;
}

static void lex_number(struct lexer *l, struct token *t)
{
	const char *from = l->p;
	size_t n;

	while (class_of(*l->p) == C_ALPHA || class_of(*l->p) == C_DIGIT)
		l->p++;
	n = (size_t)(l->p - from);
	t->kind = TK_NUMBER;
	t->num_ok = number_value(from, n, &t->num);
	t->name = strtab_intern_n(l->env->names, from, n);
	t->at = span_from(l, from);
}

static void lex_name(struct lexer *l, struct token *t)
{
	const char *from = l->p++;
	int i;

	while (in_name(*l->p))
		l->p++;
	t->kind = TK_IDENT;
	t->name = strtab_intern_n(l->env->names, from, (size_t)(l->p - from));
	t->at = span_from(l, from);
	if (*from < 'b' || *from > 'w') /* no keyword begins outside */
		return;
	for (i = KW_FIRST; i <= (int)KW_LAST; i++)
		if (l->keyword[i - KW_FIRST] == t->name)
			t->kind = (enum token_kind)i;
	if (t->kind == KW_PRIVATE && !parse_compatible(l->env, "3.0"))
		t->kind = TK_IDENT;
}

/* The escape at *@s, behind its backslash, before @end. Moves *@s past it. */
static char unescape(const char **s, const char *end, bool hex)
{
	static const char named[] = "a\ab\bt\tn\nv\vf\fr\r";
	const char *p = *s;
	int v = 0, i;

	if (*p >= '0' && *p <= '7') {
		for (i = 0; i < 3 && p < end && *p >= '0' && *p <= '7'; i++)
			v = v * 8 + (*p++ - '0');
		*s = p;
		return (char)v;
	}
	if (*p == 'x' && hex && end - p > 1 && digit_value(p[1]) < 16) {
		for (p++, i = 0; i < 2 && p < end && digit_value(*p) < 16; i++)
			v = v * 16 + digit_value(*p++);
		*s = p;
		return (char)v;
	}
	*s = p + 1;
	for (i = 0; named[i]; i += 2)
		if (named[i] == *p)
			return named[i + 1];
	return *p;
}

/* Decodes the inside [@s, @end) of a literal. False when it would hold a NUL. */
static bool decode_string(struct lexer *l, struct token *t, const char *s, const char *end)
{
	char *out = arena_alloc(l->env->arena, (size_t)(end - s) + 1), *o = out;
	bool hex = parse_compatible(l->env, "2.3");

	while (s < end) {
		char c = *s++;

		if (c == '\\')
			c = unescape(&s, end, hex);
		if (!c)
			return false;
		*o++ = c;
	}
	t->str = out;
	t->len = (uint32_t)(o - out);
	return true;
}

/* Behind the quote that ends a literal: into the literal that is glued to it, or NULL. */
static const char *next_literal(const char *p, const char *end)
{
	for (p++; p < end && (*p == ' ' || *p == '\t' || *p == '\n'); p++)
		;
	return p < end && *p == '"' ? p + 1 : NULL;
}

struct span lex_place_in_string(struct span at, uint32_t from, uint32_t to)
{
	const char *p = at.src ? at.src->text + at.off : "", *end = p + at.len, *first = NULL;

	if (!at.src || at.len < 2 || *p++ != '"')
		return at;
	for (uint32_t n = 0; n < to && p; n++) {
		while (p && p < end && *p == '"')
			p = next_literal(p, end);
		if (!p || p >= end)
			return at;
		if (n == from)
			first = p;
		if (*p++ == '\\' && p < end)
			unescape(&p, end, true);
	}
	if (!first)
		return at;
	return (struct span){ at.src, (uint32_t)(first - at.src->text), (uint32_t)(p - first) };
}

static void lex_string(struct lexer *l, struct token *t)
{
	const char *from = l->p++;

	while (l->p < l->end && *l->p != '"' && *l->p != '\n')
		l->p += l->p[0] == '\\' && l->p + 1 < l->end ? 2 : 1;
	if (l->p == l->end || *l->p != '"') {
		lex_error(l, t, TAG_LEX, from, "this string is not closed on its line");
		lex_hint(l, "end it with \"; write a newline in it as \\n");
		return;
	}
	l->p++;
	t->kind = TK_STRING;
	t->at = span_from(l, from);
	if (!decode_string(l, t, from + 1, l->p - 1)) {
		lex_error(l, t, TAG_LEX, from, "a string cannot hold a NUL byte");
		lex_hint(l, "printf(\"%%1b\", 0) writes one");
	}
}

static void lex_embedded(struct lexer *l, struct token *t)
{
	const char *from = l->p, *e = NULL, *typo;
	size_t n = (size_t)(l->end - l->p);

	if (n >= 4)
		e = memmem(from + 2, n - 2, "%}", 2);
	l->p = from + 2;
	if (!e) {
		lex_error(l, t, TAG_LEX, from, "this embedded C code is never closed");
		lex_hint(l, "end it with %%}");
		l->p = l->end;
		return;
	}
	t->kind = TK_EMBEDDED;
	t->len = (uint32_t)(e - from - 2);
	t->str = arena_strndup(l->env->arena, from + 2, t->len);
	typo = memmem(from + 2, t->len, "}%", 2);
	if (typo && typo + 2 < e && !l->skipping) {
		l->p = typo + 2;
		diag_warning(l->env->diag, TAG_TYPO, span_from(l, typo),
			     "'}%%' inside embedded C code does not end it");
		lex_hint(l, "the end of embedded C code is %%}");
	}
	l->p = e + 2;
	t->at = span_from(l, from);
}

/* A byte that begins no token; its like that follow are reported with it. */
static void lex_unknown(struct lexer *l, struct token *t)
{
	const char *from = l->p++;

	while (l->p < l->end && ((unsigned char)*l->p >= 0x80 || *l->p == 0) &&
	       ((unsigned char)*from >= 0x80 || *from == 0))
		l->p++;
	if ((unsigned char)*from >= 0x80) {
		lex_error(l, t, TAG_LEX, from,
			  "only strings and comments may hold such characters");
		if (!strncmp(from, "\xe2\x80", 2))
			lex_hint(l, "is it a typographic quote or dash? use \" or -");
	} else if ((unsigned char)*from < 0x20 || *from == 0x7f) {
		lex_error(l, t, TAG_LEX, from, "a control character: is this a script?");
	} else if (*from == '\'') {
		/* 'c' as in C: one error, not one for each quote */
		if (l->end - l->p > 1 && l->p[0] != '\n' && l->p[1] == '\'')
			l->p += 2;
		lex_error(l, t, TAG_LEX, from, "single quotes mean nothing here");
		lex_hint(l, "strings are written with \"");
	} else {
		lex_error(l, t, TAG_LEX, from, "this character means nothing here");
	}
}

static void lex_op(struct lexer *l, struct token *t)
{
	unsigned char c = (unsigned char)*l->p;
	int i = c < 128 ? l->op_first[c] : 0;

	for (; i && i < TK_COUNT && spellings[i][0] == (char)c; i++) {
		size_t n = strlen(spellings[i]);

		if (strncmp(l->p, spellings[i], n))
			continue;
		l->p += n;
		t->kind = (enum token_kind)i;
		t->at = span_from(l, l->p - n);
		return;
	}
	lex_unknown(l, t);
}

static void number_token(struct lexer *l, struct token *t, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	t->kind = TK_NUMBER;
	t->num = v;
	t->num_ok = true;
	t->name = strtab_intern(l->env->names, text);
}

static void string_token(struct token *t, const char *s)
{
	t->kind = TK_STRING;
	t->str = s;
	t->len = (uint32_t)strlen(s);
}

/* Makes the text of an argument what is read next; the $1 itself is at @at, l->p behind it. */
static void start_paste(struct lexer *l, const char *text, struct span at)
{
	const char *eol = memchr(l->p, '\n', (size_t)(l->end - l->p));
	size_t tail = (size_t)((eol ? eol : l->end) - l->p);

	l->paste_at = at;
	l->resume = (uint32_t)(l->p - l->src->text);
	l->paste_len = (uint32_t)strlen(text);
	buf_reset(&l->paste);
	buf_puts(&l->paste, text);
	buf_add(&l->paste, l->p, tail < PASTE_TAIL ? tail : PASTE_TAIL);
	l->pasting = true;
	l->p = l->paste.p;
	l->end = l->paste.p + l->paste.len;
}

void lex_report_argument(struct lexer *l, struct token *t)
{
	struct diag *d = l->env->diag;
	int argc = l->env->argc;
	char sigil = t->name[0];

	if (t->num_ok) /* it stood in an argument's text */
		diag_error(d, TAG_SCRIPT_ARG, t->at,
			   "a script argument cannot refer to script arguments");
	else if (t->num >= 1)
		diag_error(d, TAG_SCRIPT_ARG, t->at, "the script uses %s, but %d argument%s given",
			   t->name, argc, argc == 1 ? " was" : "s were");
	else
		diag_error(d, TAG_SCRIPT_ARG, t->at, "script arguments are counted from %c1",
			   sigil);
	if (!t->num_ok && t->num >= 1)
		diag_hint(d, "arguments are given behind the script's name");
	lex_count_error(l);
	number_token(l, t, 0);
	if (sigil == '@')
		string_token(t, "");
}

/* $N @N $# @#. True when @t is a token; false when text was pasted and is to be read next. */
static bool lex_argument(struct lexer *l, struct token *t)
{
	struct parse_env *env = l->env;
	const char *from = l->p;
	char sigil = *from;
	int64_t n = 0;

	for (l->p++; class_of(*l->p) == C_DIGIT; l->p++)
		n = n < INT32_MAX ? n * 10 + (*l->p - '0') : n;
	if (l->p == from + 1) { /* $# */
		l->p++;
		t->at = span_from(l, from);
		number_token(l, t, env->argc);
		if (sigil == '@')
			string_token(t, t->name);
		return true;
	}
	t->at = span_from(l, from);
	if (n < 1 || n > env->argc || l->pasting || l->skipping) {
		t->kind = TK_BADARG;
		t->num = n;
		t->num_ok = l->pasting;
		t->name = strtab_intern_n(env->names, from, (size_t)(l->p - from));
		return true;
	}
	if (env->arg_used)
		env->arg_used[n - 1] = true;
	if (sigil == '@') {
		string_token(t, env->argv[n - 1]);
		return true;
	}
	start_paste(l, env->argv[n - 1], t->at);
	return false;
}

static bool at_argument(const struct lexer *l)
{
	return class_of(l->p[1]) == C_DIGIT || l->p[1] == '#';
}

void lex_next(struct lexer *l, struct token *t)
{
	memset(t, 0, sizeof(*t));
	for (;;) {
		if (l->budget <= 0)
			l->p = l->end = l->src->text + l->src->len, l->pasting = false;
		if (!skip_blank(l, t))
			break;
		if (l->p == l->end) {
			t->kind = TK_EOF;
			t->at = span_from(l, l->p);
			return;
		}
		switch (class_of(*l->p)) {
		case C_DOLLAR:
		case C_AT:
			if (!at_argument(l))
				lex_name(l, t);
			else if (!lex_argument(l, t))
				continue;
			break;
		case C_ALPHA:
			lex_name(l, t);
			break;
		case C_DIGIT:
			lex_number(l, t);
			break;
		default:
			if (*l->p == '"')
				lex_string(l, t);
			else if (l->p[0] == '%' && l->p[1] == '{')
				lex_embedded(l, t);
			else
				lex_op(l, t);
		}
		break;
	}
	if (t->kind == TK_JUNK && !l->skipping)
		lex_count_error(l);
}
