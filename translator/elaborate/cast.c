/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * @cast(pointer, "type"[, "module"]): a number taken as a pointer to a type of the kernel, a module of it or a program. Several modules may
 * be named with ':' between them; "kernel<header.h>" means the kernel's types.
 */
#include <string.h>

#include "elaborate/internal.h"
#include "symbols/symbols.h"

struct cast {
	const struct sym_type *type; /* NULL: not found */
	bool user;
	struct sym_object *last; /* where it was looked for at last, for what is near */
	const char *why;
};

/* One module's object: the kernel, or a program's path. */
static struct sym_object *cast_object(struct infer *i, const char *module, bool *user,
				      const char **why)
{
	bool kernel = !strncmp(module, "kernel", 6) && (!module[6] || module[6] == '<');

	*user = !kernel && strchr(module, '/') && !strstr(strrchr(module, '/'), ".ko");
	if (*user)
		return i->e->env.symbols ? sym_open_file(i->e->env.symbols, module, why) : NULL;
	if (!kernel)
		return probe_module_types(&i->e->env, module, why);
	return probe_kernel_types(&i->e->env, why);
}

static bool is_user_probe(const struct infer *i)
{
	const struct probe_site *site = i->handler ? i->handler->site : NULL;

	return site && (site->probe.kind == AT_UPROBE || site->probe.kind == AT_URETPROBE);
}

static struct cast cast_find(struct infer *i, const struct expr *x)
{
	const char *name = x->args.v[1]->str, *modules;
	struct sym_object *own = i->handler ? probe_site_types(&i->e->env, i->handler->site) : NULL;
	struct cast c = { .why = "it is in no module that was named" };

	/* without a module: of what is probed, then the kernel's */
	if (own && x->args.n == 2) {
		c.last = own;
		c.type = sym_type_find(own, name);
	}
	if (x->args.n > 2)
		modules = x->args.v[2]->str;
	else if (is_user_probe(i))
		modules = arena_printf(i->e->arena, "%s:kernel", i->handler->site->probe.target);
	else
		modules = "kernel";
	while (*modules && !c.type) {
		size_t n = strcspn(modules, ":");
		struct sym_object *o =
			cast_object(i, arena_strndup(i->e->arena, modules, n), &c.user, &c.why);

		if (o) {
			c.last = o;
			c.type = sym_type_find(o, name);
		}
		modules += n + (modules[n] == ':');
	}
	return c;
}

static bool strings(const struct expr *x)
{
	return x->args.n >= 2 && x->args.n <= 3 && x->args.v[1]->kind == E_STRING &&
	       (x->args.n < 3 || x->args.v[2]->kind == E_STRING);
}

bool cast_defined(struct infer *i, const struct expr *x)
{
	struct cast c = { 0 };

	if (!strings(x))
		return false;
	c = cast_find(i, x);
	return c.type && path_exists(i, x, sym_type_pointer(c.type));
}

struct tvar *infer_cast(struct infer *i, struct expr *x)
{
	struct near_match near;
	struct cast c;

	if (!strings(x)) {
		diag_error(
			i->e->diag, TAG_ARITY, x->at,
			"@cast takes a pointer, the name of a type and perhaps a module, both as text");
		return type_new(i->e, T_UNKNOWN, SPAN_NONE);
	}
	infer_long(i, x->args.v[0]);
	c = cast_find(i, x);
	if (c.type) {
		x->sym = path_infer(i, x, sym_type_pointer(c.type), false, c.user);
		return path_result(i, x->sym, x->at);
	}
	diag_error(i->e->diag, TAG_NO_TYPE, x->args.v[1]->at, "type \"%s\" is not found%s%s",
		   x->args.v[1]->str, c.last ? "" : ": ", c.last ? "" : c.why);
	near_init(&near, x->args.v[1]->str);
	if (c.last)
		sym_near_types(c.last, &near);
	if (near_best(&near))
		diag_hint(i->e->diag, "did you mean \"%s\"?", near_best(&near));
	else
		diag_hint(i->e->diag, "@defined(@cast(...)) is 0 where it is not found");
	return type_new(i->e, T_UNKNOWN, SPAN_NONE);
}
