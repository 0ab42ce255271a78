/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a kernel's modules can be built here. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "build/build.h"

static int no_headers(struct session *s, const char *fmt, const char *what)
{
	diag_error(&s->diag, TAG_NO_HEADERS, SPAN_NONE, fmt, what, s->release);
	diag_hint(&s->diag, "apt-get install linux-headers-%s", s->release);
	return -1;
}

/* The text between the quotes behind @name in a file, or NULL. */
static const char *quoted_value(struct arena *a, const char *path, const char *name)
{
	const char *v = NULL, *p, *end;
	struct buf b;

	buf_init(&b);
	p = buf_read_file(&b, path) == 0 && b.len ? strstr(b.p, name) : NULL;
	p = p ? strchr(p, '"') : NULL;
	end = p ? strchr(p + 1, '"') : NULL;
	if (end)
		v = arena_strndup(a, p + 1, (size_t)(end - p - 1));
	buf_fini(&b);
	return v;
}

static const char *tree_version(struct session *s, const char *dir)
{
	static const char *const files[] = { "utsversion.h", "compile.h" };
	const char *v = NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !v; i++)
		v = quoted_value(&s->arena,
				 arena_printf(&s->arena, "%s/include/generated/%s", dir, files[i]),
				 "UTS_VERSION");
	return v;
}

/*
 * The compiler the kernel was made with, by the first word of its version text; else the usual
 * ones.
 */
static const char *tree_compiler(struct session *s, const char *dir)
{
	const char *text = quoted_value(&s->arena, arena_printf(&s->arena, "%s/.config", dir),
					"CONFIG_CC_VERSION_TEXT");
	const char *found = NULL;

	if (text)
		found = find_program(&s->arena, arena_strndup(&s->arena, text, strcspn(text, " ")));
	if (!found)
		found = find_program(&s->arena, "gcc");
	return found ? found : find_program(&s->arena, "cc");
}

int tree_open(struct session *s, struct kernel_tree *t)
{
	static const char *const needed[] = { "Makefile", ".config", "Module.symvers" };
	char real[PATH_MAX];
	struct utsname uts;

	if (!realpath(s->kernel_build, real))
		return no_headers(
			s, "no kernel headers: there is no %s, which modules for %s are built with",
			s->kernel_build);
	t->dir = arena_strdup(&s->arena, real);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (access(arena_printf(&s->arena, "%s/%s", t->dir, needed[i]), R_OK))
			return no_headers(s,
					  "the kernel headers are not complete: no file %s for %s",
					  arena_printf(&s->arena, "%s/%s", t->dir, needed[i]));
	}
	t->version = tree_version(s, t->dir);
	if (!t->version)
		return no_headers(
			s, "the kernel headers in %s do not say which build of %s they belong to",
			t->dir);
	uname(&uts);
	if (!s->foreign_kernel && strcmp(t->version, uts.version))
		return no_headers(
			s,
			arena_printf(
				&s->arena,
				"the kernel headers are those of another build, \"%%s\", than the "
				"running %%s, \"%s\"",
				uts.version),
			t->version);
	t->compiler = tree_compiler(s, t->dir);
	if (t->compiler && find_program(&s->arena, "make") && find_program(&s->arena, "ld"))
		return 0;
	diag_error(&s->diag, TAG_BUILD, SPAN_NONE,
		   "a kernel module needs a C compiler, a linker and make; %s is missing",
		   !t->compiler                      ? "the compiler"
		   : find_program(&s->arena, "make") ? "the linker (ld)"
						     : "make");
	diag_hint(&s->diag, "apt-get install gcc make binutils");
	return -1;
}
