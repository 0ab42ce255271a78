/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens of the text form. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "parse_int.h"

bool text_fail(struct ir_parser *p, const char *fmt, ...)
{
	va_list ap;

	if (p->err)
		return false;
	va_start(ap, fmt);
	p->err = arena_printf(p->m->arena, "line %u: %s", p->lineno,
			      arena_vprintf(p->m->arena, fmt, ap));
	va_end(ap);
	return false;
}

static void skip_blanks(struct ir_parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

bool text_end(struct ir_parser *p)
{
	skip_blanks(p);
	return !*p->at || *p->at == ';';
}

bool text_try(struct ir_parser *p, const char *symbol)
{
	size_t n = strlen(symbol);
	bool word = n && isalpha((unsigned char)symbol[n - 1]);

	skip_blanks(p);
	/* A word is not the start of a longer one. */
	if (strncmp(p->at, symbol, n) != 0 || (word && isalpha((unsigned char)p->at[n])))
		return false;
	p->at += n;
	return true;
}

bool text_expect(struct ir_parser *p, const char *symbol)
{
	return text_try(p, symbol) || text_fail(p, "expected %s before \"%s\"", symbol, p->at);
}

char *text_word(struct ir_parser *p)
{
	char *start;

	skip_blanks(p);
	start = p->at;
	while (*p->at && !strchr(" \t,()[];\"", *p->at))
		p->at++;
	return p->at == start ? NULL : arena_strndup(p->m->arena, start, (size_t)(p->at - start));
}

bool text_num(struct ir_parser *p, int64_t *out)
{
	char *end;

	skip_blanks(p);
	errno = 0;
	*out = strtoll(p->at, &end, 10);
	if (end == p->at || errno)
		return text_fail(p, "expected a number before \"%s\"", p->at);
	p->at = end;
	return true;
}

bool text_index(struct ir_parser *p, const char *sigil, uint32_t *out)
{
	int64_t v;

	if (!text_expect(p, sigil) || !text_num(p, &v))
		return false;
	if (v < 0 || v >= IR_NONE)
		return text_fail(p, "%s%lld is out of range", sigil, (long long)v);
	*out = (uint32_t)v;
	return true;
}

/* One character of a string literal at p->at, unescaped; -1 for a bad escape. */
static int string_char(struct ir_parser *p)
{
	static const char named[] = "a\ab\bt\tn\nv\vf\fr\r\\\\\"\"";
	int v = 0, n = 0;

	if (*p->at != '\\')
		return (unsigned char)*p->at++;
	p->at++;
	for (size_t k = 0; k + 1 < sizeof(named); k += 2)
		if (*p->at && *p->at == named[k])
			return p->at++, (unsigned char)named[k + 1];
	for (; n < 3 && *p->at >= '0' && *p->at <= '7'; n++)
		v = v * 8 + (*p->at++ - '0');
	return n && v && v < 256 ? v : -1;
}

const char *text_string(struct ir_parser *p)
{
	char *out, *to;

	if (!text_expect(p, "\""))
		return NULL;
	to = out = arena_alloc(p->m->arena, strlen(p->at) + 1);
	while (*p->at && *p->at != '"') {
		int c = string_char(p);

		if (c < 0) {
			text_fail(p, "bad escape in a string");
			return NULL;
		}
		*to++ = (char)c;
	}
	return text_expect(p, "\"") ? out : NULL;
}

uint32_t text_find(const char *const *names, uint32_t n, const char *name)
{
	uint32_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

bool text_type(struct ir_parser *p, enum ir_type *out)
{
	const char *w = text_word(p);

	for (unsigned int t = IR_VOID; w && t <= IR_STR; t++) {
		if (strcmp(ir_type_name(t), w) == 0) {
			*out = t;
			return true;
		}
	}
	return text_fail(p, "expected void, long or string");
}

/* Takes ~N off a name and returns N, else IR_NONE. */
static uint32_t take_number(char *name)
{
	char *tilde = strrchr(name, '~');

	if (!tilde)
		return IR_NONE;
	*tilde = 0;
	return (uint32_t)strtoul(tilde + 1, NULL, 10);
}

static bool named(struct ir_parser *p, bool func, uint32_t *out)
{
	uint32_t n = func ? p->m->funcs.n : p->m->globals.n, number, i = 0;
	char *name = text_expect(p, "@") ? text_word(p) : NULL;

	if (!name)
		return text_fail(p, "expected a name");
	number = take_number(name);
	if (number != IR_NONE)
		i = number;
	for (; i < n; i++) {
		if (strcmp(func ? p->m->funcs.v[i]->name : p->m->globals.v[i]->name, name) == 0) {
			*out = i;
			return true;
		}
		if (number != IR_NONE)
			break;
	}
	return text_fail(p, "there is no %s %s", func ? "function" : "global", name);
}

bool text_global(struct ir_parser *p, uint32_t *out)
{
	return named(p, false, out);
}

bool text_func(struct ir_parser *p, uint32_t *out)
{
	return named(p, true, out);
}

bool text_loc(struct ir_parser *p, uint32_t *out)
{
	const char *s;

	*out = 0;
	if (!text_try(p, "@"))
		return true;
	s = text_string(p);
	if (s)
		*out = ir_string(p->m, s);
	return s != NULL;
}
