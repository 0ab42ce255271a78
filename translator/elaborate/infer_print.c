/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The print family: what formats and arguments must be. */
#include <string.h>

#include "elaborate/internal.h"
#include "parse/lex.h"

/* A printf being checked. */
struct format {
	struct infer *i;
	struct expr *x;
	const struct expr *lit; /* the format */
	uint32_t next; /* argument that the next conversion takes */
	struct span at; /* of the conversion being looked at */
	struct span lacking; /* the first conversion without an argument */
};

/* The conversion takes an argument of a type. */
static void take(struct format *f, enum script_type want, const char *what)
{
	struct expr *a;

	if (f->next >= f->x->args.n) {
		if (!f->lacking.src)
			f->lacking = f->at;
		f->next++;
		return;
	}
	a = f->x->args.v[f->next++];
	if (!type_want(f->i->e, infer_expr(f->i, a), want, a->at, TAG_FORMAT))
		diag_note(f->i->e->diag, f->at, "%s takes a %s", what, script_type_text(want));
}

static void check_conversion(struct format *f, const struct fmt_spec *spec)
{
	struct diag *d = f->i->e->diag;

	if (spec->width == FMT_STAR)
		take(f, T_LONG, "the '*' of the width");
	if (spec->prec == FMT_STAR)
		take(f, T_LONG, "the '*' of the precision");
	if (fmt_is_mem(spec) && spec->prec > FMT_MEM_MAX) {
		diag_error(d, TAG_FORMAT, f->at, "%%%c prints at most %d bytes", spec->conv,
			   FMT_MEM_MAX);
		diag_hint(d, "print the memory in several pieces");
	}
	take(f, spec->conv == 's' ? T_STRING : T_LONG, "this conversion");
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What stands at @s is no conversion: says why, as well as it can be told. */
static void refuse_conversion(struct format *f, const char *s)
{
	struct diag *d = f->i->e->diag;
	size_t n = 1 + strspn(s + 1, "0123456789+- #.*l");

	if (s[n] && (is_letter(s[n]) || s[n] == '%'))
		n++;
	f->at = lex_place_in_string(f->lit->at, (uint32_t)(s - f->lit->str),
				    (uint32_t)(s - f->lit->str + (long)n));
	diag_error(d, TAG_FORMAT, f->at, "not a valid conversion: \"%.*s\"", (int)n, s);
	if (!s[1])
		diag_hint(d, "write %%%% for a percent sign");
	else if (strstr(arena_strndup(f->i->e->arena, s, n), "ll"))
		diag_hint(d, "numbers have 64 bits: %%d will do, %%ld is taken, too");
	else if (strspn(s + 1, "0+- #") > 1)
		diag_hint(d, "a conversion takes one flag of 0 + - space #");
	else
		diag_hint(d, "there are %%d %%i %%u %%x %%X %%o %%p %%c %%s %%b %%m %%M, and %%%% for a "
			     "percent sign");
}

static void check_count(struct format *f)
{
	struct diag *d = f->i->e->diag;
	uint32_t want = f->next - 1, have = f->x->args.n - 1;

	if (want == have)
		return;
	diag_error(d, TAG_FORMAT, want > have ? f->lacking : f->x->args.v[want + 1]->at,
		   "the format takes %u argument%s, but %u %s given", want, want == 1 ? "" : "s", have,
		   have == 1 ? "is" : "are");
}

static void infer_format(struct infer *i, struct expr *x)
{
	struct format f = { .i = i, .x = x, .lit = x->args.n ? x->args.v[0] : NULL, .next = 1 };
	struct fmt_piece p;
	const char *s;
	int r;

	if (!f.lit || f.lit->kind != E_STRING) {
		diag_error(i->e->diag, TAG_FORMAT, f.lit ? f.lit->at : x->at,
			   "%s needs a literal format string first", print_name(x->op));
		return;
	}
	s = f.lit->str;
	for (;;) {
		const char *from = s;

		r = fmt_next_piece(&s, &p);
		if (r != 1)
			break;
		if (p.lit)
			continue;
		if (p.spec.conv == FMT_NAME) {
			/* pass 2's own */
			s = from;
			r = -1;
			break;
		}
		f.at = lex_place_in_string(f.lit->at, (uint32_t)(from - f.lit->str),
					   (uint32_t)(s - f.lit->str));
		check_conversion(&f, &p.spec);
	}
	if (r < 0)
		refuse_conversion(&f, s);
	else
		check_count(&f);
	for (; f.next < x->args.n; f.next++)
		infer_expr(i, x->args.v[f.next]);
}

static void infer_print_args(struct infer *i, struct expr *x)
{
	const char *name = print_name(x->op);
	uint32_t first = x->op & P_DELIM ? 1 : 0;

	if ((x->op & P_DELIM) && (!x->args.n || x->args.v[0]->kind != E_STRING)) {
		diag_error(i->e->diag, TAG_FORMAT, x->args.n ? x->args.v[0]->at : x->at,
			   "%s needs a literal delimiter first", name);
		return;
	}
	if (x->args.n <= first && !(x->op & P_NEWLINE && !first))
		diag_error(i->e->diag, TAG_ARITY, x->at, "%s needs a value to print", name);
	if ((x->op & P_CHAR) && x->args.n > 1)
		diag_error(i->e->diag, TAG_ARITY, x->at, "%s takes one argument", name);
	for (uint32_t n = 0; n < x->args.n; n++) {
		struct expr *a = x->args.v[n];

		if (is_hist(a) && (x->args.n > 1 || x->op & (P_DELIM | P_CHAR)))
			diag_error(i->e->diag, TAG_FORMAT, a->at,
				   "a histogram is printed alone, by print, println, sprint or sprintln");
		else if (is_hist(a))
			infer_hist(i, a);
		else if (x->op & P_CHAR)
			infer_long(i, a);
		else
			infer_printed(i, a);
	}
}

struct tvar *infer_print(struct infer *i, struct expr *x)
{
	if (i->in_guard && !(x->op & P_STRING))
		diag_error(i->e->diag, TAG_STATEMENT, x->at, "a probe's condition may not print");
	if (x->op & P_FORMAT)
		infer_format(i, x);
	else
		infer_print_args(i, x);
	return type_new(i->e, x->op & P_STRING ? T_STRING : T_VOID, x->at);
}
