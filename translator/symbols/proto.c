/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/proto.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS 2 /* of pointers: behind them anything is the same */
#define MAX_DIMS 16
#define REGISTERS 6 /* for integers, of System V's x86-64 */

static const char *record_text(const struct kbtf *b, struct arena *a, const char *word, const struct btf_type *t)
{
	const char *name = kbtf_name(b, t);

	return arena_printf(a, "%s %s", word, *name ? name : "-");
}

static const char *type_text(const struct kbtf *b, struct arena *a, uint32_t id, int levels)
{
	const struct btf_type *t = kbtf_get(b, kbtf_strip_id(b, id));
	uint32_t width;
	bool is_signed;

	if (!t)
		return "void";
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
		return levels ? arena_printf(a, "*%s", type_text(b, a, t->type, levels - 1)) : "*";
	case BTF_KIND_STRUCT:
		return record_text(b, a, "struct", t);
	case BTF_KIND_UNION:
		return record_text(b, a, "union", t);
	case BTF_KIND_FWD:
		return record_text(b, a, BTF_INFO_KFLAG(t->info) ? "union" : "struct", t);
	case BTF_KIND_ARRAY:
		return "[]";
	case BTF_KIND_FUNC_PROTO:
		return "()";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return arena_printf(a, "e%u", t->size);
	default:
		if (!kbtf_scalar(b, id, &width, &is_signed))
			return arena_printf(a, "%u", t->size);
		return arena_printf(a, "%c%u", is_signed ? 'i' : 'u', width);
	}
}

/* Bytes of a type that is passed by value; 0: none, or not known. */
static uint64_t size_of(const struct kbtf *b, uint32_t id)
{
	uint64_t n = 1;

	for (int k = 0; k < MAX_DIMS; k++) {
		const struct btf_type *t = kbtf_get(b, kbtf_strip_id(b, id));
		const struct btf_array *array = t ? (const void *)(t + 1) : NULL;

		if (!t)
			return 0;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_ARRAY:
			n *= array->nelems;
			id = array->type;
			break;
		case BTF_KIND_PTR:
			return 8 * n;
		case BTF_KIND_FUNC_PROTO:
		case BTF_KIND_FWD:
			return 0;
		default:
			return t->size * n;
		}
	}
	return 0;
}

static bool is_record(const struct kbtf *b, uint32_t id)
{
	const struct btf_type *t = kbtf_get(b, kbtf_strip_id(b, id));

	return t && (BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION);
}

/* Structures of up to 16 bytes go in registers, all of it or nothing; the kernel passes nothing in vector registers. */
void proto_places(const struct kbtf *b, const struct kbtf_param *p, int n, uint32_t ret, uint32_t *place)
{
	uint32_t regs = is_record(b, ret) && size_of(b, ret) > 16, stack = REGISTERS;

	for (int i = 0; i < n; i++) {
		uint64_t words = (size_of(b, p[i].type) + 7) / 8;
		bool fits = words <= 2 && regs + words <= REGISTERS;

		place[i] = words != 1 || is_record(b, p[i].type) ? 0 : fits ? regs + 1 : stack + 1;
		/* what is aligned to 16 bytes may leave a gap */
		if (!fits && words == 2 && !is_record(b, p[i].type))
			stack += stack & 1;
		if (fits)
			regs += (uint32_t)words;
		else
			stack += (uint32_t)words;
	}
}

uint32_t proto_tracepoint(const struct kbtf *b, const char *name)
{
	struct arena a;
	uint32_t id;

	arena_init(&a);
	id = kbtf_find(b, BTF_KIND_FUNC, arena_printf(&a, "__traceiter_%s", name));
	if (!id)
		id = kbtf_find(b, BTF_KIND_TYPEDEF, arena_printf(&a, "btf_trace_%s", name));
	arena_fini(&a);
	return id;
}

const char *proto_text(const struct kbtf *b, struct arena *a, uint32_t id, bool tracepoint)
{
	struct kbtf_param *p;
	uint32_t ret, *place;
	const char *out = "";
	int n = kbtf_params(b, a, id, &p, &ret);

	if (n < 0)
		return NULL;
	place = arena_alloc(a, sizeof(*place) * ((size_t)n + 1));
	proto_places(b, p, n, ret, place);
	/* a tracepoint's first is the probe's own */
	for (int i = tracepoint; i < n; i++) {
		uint32_t at = tracepoint ? (uint32_t)i : place[i];

		out = arena_printf(a, "%s%s %s %s;", out, at ? arena_printf(a, "%u", at) : "-",
				   *p[i].name ? p[i].name : "-", type_text(b, a, p[i].type, LEVELS));
	}
	return arena_printf(a, "%s= %s", out, tracepoint ? "void" : type_text(b, a, ret, LEVELS));
}

static bool parse_entry(const char *s, size_t len, uint32_t *place, struct proto_entry *out)
{
	const char *space = memchr(s, ' ', len), *second;

	if (!space)
		return false;
	if (*s == '=') {
		*place = 0;
		*out = (struct proto_entry){ "", space + 1, 0, (int)(s + len - space - 1) };
		return true;
	}
	*place = *s == '-' ? UINT32_MAX : (uint32_t)strtoul(s, NULL, 10);
	second = memchr(space + 1, ' ', len - (size_t)(space + 1 - s));
	if (!second)
		return false;
	*out = (struct proto_entry){ space + 1, second + 1, (int)(second - space - 1), (int)(s + len - second - 1) };
	return true;
}

bool proto_entry(const char *line, uint32_t place, struct proto_entry *out)
{
	uint32_t at;

	for (; *line; line += strcspn(line, ";"), line += *line == ';')
		if (parse_entry(line, strcspn(line, ";"), &at, out) && at == place)
			return true;
	return false;
}

uint32_t proto_place_of(const char *line, const struct proto_entry *e)
{
	struct proto_entry x;
	uint32_t at;

	for (; *line; line += strcspn(line, ";"), line += *line == ';')
		if (parse_entry(line, strcspn(line, ";"), &at, &x) && x.name_len == e->name_len && e->name_len &&
		    !memcmp(x.name, e->name, (size_t)e->name_len))
			return at;
	return 0;
}
