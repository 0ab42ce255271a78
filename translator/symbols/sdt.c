/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/sdt.h"

#include <elf.h>
#include <string.h>

#define SDT_OWNER "stapsdt"
#define SDT_TYPE 3

/* ---- notes ---- */

struct reader {
	const uint8_t *p;
	size_t left;
};

static bool take(struct reader *r, void *to, size_t n)
{
	if (n > r->left)
		return false;
	if (to)
		memcpy(to, r->p, n);
	r->p += n;
	r->left -= n;
	return true;
}

/* A text with its end. */
static const char *take_text(struct reader *r, struct arena *a)
{
	const uint8_t *end = r->left ? memchr(r->p, 0, r->left) : NULL;
	const char *s;

	if (!end)
		return NULL;
	s = arena_strndup(a, (const char *)r->p, (size_t)(end - r->p));
	take(r, NULL, (size_t)(end - r->p) + 1);
	return s;
}

/* @base: where .stapsdt.base was when the file was linked; a tool that moved the file moved it along. */
static bool read_note(struct reader desc, struct arena *a, uint64_t base, struct sdt_note *n)
{
	uint64_t words[3];

	if (!take(&desc, words, sizeof(words)))
		return false;
	n->provider = take_text(&desc, a);
	n->name = take_text(&desc, a);
	n->args = take_text(&desc, a);
	if (!n->provider || !n->name || !n->args)
		return false;
	if (!base)
		base = words[1];
	n->pc = words[0] + (base - words[1]);
	n->semaphore = words[2] ? words[2] + (base - words[1]) : 0;
	return true;
}

static size_t padded(uint32_t n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

void sdt_notes(struct elf_file *f, struct arena *a, sdt_note_vec *out)
{
	struct elf_section s, base = { 0 };
	struct reader r;
	Elf64_Nhdr h;

	if (!elf_find_section(f, ".note.stapsdt", &s))
		return;
	elf_find_section(f, ".stapsdt.base", &base);
	r = (struct reader){ s.bytes, s.len };
	while (take(&r, &h, sizeof(h))) {
		const uint8_t *owner = r.p;
		struct reader desc;
		struct sdt_note n;

		if (!take(&r, NULL, padded(h.n_namesz)))
			return;
		desc = (struct reader){ r.p, h.n_descsz };
		/* the last one need not be padded */
		if (h.n_descsz > r.left)
			return;
		take(&r, NULL, padded(h.n_descsz) < r.left ? padded(h.n_descsz) : r.left);
		if (h.n_type != SDT_TYPE || h.n_namesz != sizeof(SDT_OWNER) ||
		    memcmp(owner, SDT_OWNER, sizeof(SDT_OWNER)) != 0)
			continue;
		if (read_note(desc, a, base.addr, &n))
			vec_push(a, out, n);
	}
}

/* ---- operands, as gas for x86-64 has them ---- */

/* The parts of a register have names of their own; r8 to r15 have suffixes. */
static const struct {
	const char *name;
	struct sdt_register reg;
} registers[] = {
	{ "rax", { 0, 64, 0 } },  { "eax", { 0, 32, 0 } },  { "ax", { 0, 16, 0 } },
	{ "al", { 0, 8, 0 } },	  { "ah", { 0, 8, 8 } },    { "rdx", { 1, 64, 0 } },
	{ "edx", { 1, 32, 0 } },  { "dx", { 1, 16, 0 } },   { "dl", { 1, 8, 0 } },
	{ "dh", { 1, 8, 8 } },	  { "rcx", { 2, 64, 0 } },  { "ecx", { 2, 32, 0 } },
	{ "cx", { 2, 16, 0 } },	  { "cl", { 2, 8, 0 } },    { "ch", { 2, 8, 8 } },
	{ "rbx", { 3, 64, 0 } },  { "ebx", { 3, 32, 0 } },  { "bx", { 3, 16, 0 } },
	{ "bl", { 3, 8, 0 } },	  { "bh", { 3, 8, 8 } },    { "rsi", { 4, 64, 0 } },
	{ "esi", { 4, 32, 0 } },  { "si", { 4, 16, 0 } },   { "sil", { 4, 8, 0 } },
	{ "rdi", { 5, 64, 0 } },  { "edi", { 5, 32, 0 } },  { "di", { 5, 16, 0 } },
	{ "dil", { 5, 8, 0 } },	  { "rbp", { 6, 64, 0 } },  { "ebp", { 6, 32, 0 } },
	{ "bp", { 6, 16, 0 } },	  { "bpl", { 6, 8, 0 } },   { "rsp", { 7, 64, 0 } },
	{ "esp", { 7, 32, 0 } },  { "sp", { 7, 16, 0 } },   { "spl", { 7, 8, 0 } },
	{ "rip", { 16, 64, 0 } }, { "eip", { 16, 32, 0 } },
};

static const struct {
	const char *prefix, *why;
} beyond[] = {
	{ "xmm", "it is in a floating-point register, which probes cannot read" },
	{ "ymm", "it is in a vector register, which probes cannot read" },
	{ "zmm", "it is in a vector register, which probes cannot read" },
	{ "st", "it is in a floating-point register, which probes cannot read" },
	{ "mm", "it is in a vector register, which probes cannot read" },
	{ "k", "it is in a mask register, which probes cannot read" },
	{ "fs", "it is thread-local (relative to %fs), which probes of marks cannot read" },
	{ "gs", "it is relative to %gs, which probes of marks cannot read" },
};

static const char no_such_form[] = "its operand has a form that is not known";

struct operand_reader {
	const char *p;
	struct arena *a;
	struct sdt_operand *o;
};

static bool unreadable(struct sdt_operand *o, const char *why)
{
	o->kind = SDT_UNREADABLE;
	o->why = why;
	return false;
}

static size_t word_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$");
}

/* "8" to "15", perhaps with b, w or d behind it. */
static bool numbered_register(const char *s, size_t n, struct sdt_register *reg)
{
	int number = n && s[0] >= '8' ? s[0] - '0' : 0;

	if (n >= 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5') {
		number = 10 + s[1] - '0';
		s++;
		n--;
	}
	if (number < 8 || number > 15 || n > 2)
		return false;
	*reg = (struct sdt_register){ (int16_t)number, 64, 0 };
	if (n == 1)
		return true;
	reg->bits = s[1] == 'd' ? 32 : s[1] == 'w' ? 16 : s[1] == 'b' || s[1] == 'l' ? 8 : 0;
	return reg->bits;
}

/* What stands behind '%'. */
static bool take_register(struct operand_reader *r, struct sdt_register *reg)
{
	size_t n = word_length(r->p);
	const char *name = r->p;

	r->p += n;
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		if (strlen(registers[i].name) == n && !memcmp(registers[i].name, name, n)) {
			*reg = registers[i].reg;
			return true;
		}
	if (n > 1 && name[0] == 'r' && numbered_register(name + 1, n - 1, reg))
		return true;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (!strncmp(name, beyond[i].prefix, strlen(beyond[i].prefix)))
			return unreadable(r->o, beyond[i].why);
	return unreadable(r->o, no_such_form);
}

/* A number in C's notation; it wraps. */
static bool take_number(struct operand_reader *r, uint64_t *n)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t base = 10;
	bool any = false;

	*n = 0;
	if (r->p[0] == '0') {
		base = 8;
		any = true;
		r->p++;
		if (*r->p == 'x' || *r->p == 'X') {
			base = 16;
			any = false;
			r->p++;
		}
	}
	for (;; r->p++) {
		char c = *r->p >= 'A' && *r->p <= 'F' ? (char)(*r->p + 'a' - 'A') : *r->p;
		const char *d = c ? strchr(digits, c) : NULL;

		if (!d || (uint64_t)(d - digits) >= base)
			return any;
		*n = *n * base + (uint64_t)(d - digits);
		any = true;
	}
}

static bool take_symbol(struct operand_reader *r, bool minus)
{
	size_t n = word_length(r->p);

	if (!n || minus || r->o->symbol)
		return unreadable(r->o, no_such_form);
	r->o->symbol = arena_strndup(r->a, r->p, n);
	r->p += n;
	return *r->p != '@' ? true : unreadable(r->o, "only the linker knew where it is");
}

/* Numbers and one symbol, added up: "8", "-4+8", "counter+8", "8+counter". */
static bool take_sum(struct operand_reader *r)
{
	uint64_t sum = 0, n;

	for (bool first = true; first || *r->p == '+' || *r->p == '-'; first = false) {
		bool minus = *r->p == '-';

		if (minus || *r->p == '+')
			r->p++;
		if (*r->p >= '0' && *r->p <= '9') {
			if (!take_number(r, &n))
				return unreadable(r->o, no_such_form);
			sum += minus ? 0 - n : n;
		} else if (!take_symbol(r, minus)) {
			return false;
		}
	}
	r->o->num = (int64_t)sum;
	return true;
}

/* "(base)", "(base,index)", "(base,index,scale)", "(,index,scale)"; the bracket is taken. */
static bool take_address(struct operand_reader *r)
{
	uint64_t scale = 1;

	if (*r->p == '%' && (r->p++, !take_register(r, &r->o->base)))
		return false;
	if (*r->p == ',' && r->p[1] == '%') {
		r->p += 2;
		if (!take_register(r, &r->o->index))
			return false;
		if (*r->p == ',' && (r->p++, !take_number(r, &scale)))
			return unreadable(r->o, no_such_form);
	}
	if (*r->p != ')' || (scale != 1 && scale != 2 && scale != 4 && scale != 8))
		return unreadable(r->o, no_such_form);
	r->p++;
	r->o->scale = (uint8_t)scale;
	return true;
}

/* Segments other than %fs and %gs start at 0. */
static void skip_segment(struct operand_reader *r)
{
	if (r->p[0] == '%' && r->p[1] && strchr("csde", r->p[1]) && r->p[2] == 's' && r->p[3] == ':')
		r->p += 4;
}

static bool take_place(struct operand_reader *r)
{
	struct sdt_operand *o = r->o;

	skip_segment(r);
	if (*r->p == '%') {
		r->p++;
		o->kind = SDT_REGISTER;
		return take_register(r, &o->base);
	}
	if (*r->p == '$') {
		r->p++;
		o->kind = SDT_NUMBER;
		return take_sum(r);
	}
	o->kind = SDT_MEMORY;
	if (*r->p != '(' && !take_sum(r))
		return false;
	if (*r->p == '(') {
		r->p++;
		return take_address(r);
	}
	return true;
}

/* "-4@", "8@", "8f@"; without it the operand is a whole register or word. */
static bool take_size(struct operand_reader *r)
{
	const char *at = strchr(r->p, '@'), *p = r->p;
	struct operand_reader size = *r;
	uint64_t n;

	if (!at || word_length(p + (*p == '-')) != (size_t)(at - p) - (*p == '-'))
		return true;
	r->o->is_signed = *p == '-';
	size.p += r->o->is_signed;
	if (!take_number(&size, &n))
		return true;
	r->p = at + 1;
	if (*size.p == 'f')
		return unreadable(r->o, "it is a floating-point number, which scripts do not have");
	if (size.p != at)
		return unreadable(r->o, no_such_form);
	if (n != 1 && n != 2 && n != 4 && n != 8)
		return unreadable(r->o, "its size is none that scripts can read: 1, 2, 4 or 8 bytes");
	r->o->width = (uint8_t)n;
	return true;
}

static void read_operand(struct arena *a, struct sdt_operand *o)
{
	struct operand_reader r = { o->text, a, o };

	o->base.dwarf = o->index.dwarf = -1;
	if (!take_size(&r) || !take_place(&r))
		return;
	if (*r.p)
		unreadable(o, no_such_form);
	else if (!o->width)
		o->width = o->kind == SDT_REGISTER ? o->base.bits / 8 : 8;
}

void sdt_operands(struct arena *a, const char *args, sdt_operand_vec *out)
{
	for (args += strspn(args, " "); *args; args += strspn(args, " ")) {
		size_t n = strcspn(args, " ");
		struct sdt_operand o = { .text = arena_strndup(a, args, n) };

		read_operand(a, &o);
		vec_push(a, out, o);
		args += n;
	}
}
