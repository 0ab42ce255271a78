/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two roads from a script's C to its module. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/build.h"

/* What one run of the fast road needs to name its files. */
struct fast {
	struct session *s;
	const struct kernel_runtime *rt;
	const char *c_path, *out;
	const char *script_o, *mod_o, *log;
};

static void append(struct arena *a, words *to, const words *from)
{
	for (uint32_t i = 0; i < from->n; i++)
		vec_push(a, to, from->v[i]);
}

static int fast_compile(struct fast *f)
{
	struct arena *a = &f->s->arena;
	words argv = { 0 };
	int rc;

	append(a, &argv, &f->rt->recipe.cc);
	vec_push(a, &argv, "-I");
	vec_push(a, &argv, f->rt->dir);
	vec_push(a, &argv, "-o");
	vec_push(a, &argv, f->script_o);
	vec_push(a, &argv, f->c_path);
	rc = command_run(f->s, &argv, f->s->tmp_dir, f->log);
	if (!rc)
		return 0;
	if (rc == 1) {
		command_report(f->s, TAG_INTERNAL, "the compiler", rc, f->log);
		f->s->keep_tmp = true;
	} else {
		command_report(f->s, TAG_BUILD, arena_printf(a, "the compiler (%s)", argv.v[0]), rc,
			       f->log);
	}
	return -1;
}

static int fast_objtool(struct fast *f)
{
	struct arena *a = &f->s->arena;
	words argv = { 0 };
	int rc;

	if (!f->rt->recipe.objtool.n)
		return 0;
	append(a, &argv, &f->rt->recipe.objtool);
	vec_push(a, &argv, f->script_o);
	rc = command_run(f->s, &argv, f->rt->recipe.cwd, f->log);
	if (rc)
		command_report(f->s, TAG_BUILD, "the kernel's objtool", rc, f->log);
	return rc ? -1 : 0;
}

static int fast_link(struct fast *f)
{
	const struct recipe *r = &f->rt->recipe;
	struct arena *a = &f->s->arena;
	words argv = { 0 };
	int rc;

	append(a, &argv, &r->ld);
	vec_push(a, &argv, "-o");
	vec_push(a, &argv, f->out);
	vec_push(a, &argv, f->script_o);
	vec_push(a, &argv, arena_printf(a, "%s/runtime.o", f->rt->dir));
	vec_push(a, &argv, f->mod_o);
	for (uint32_t i = 0; i < r->more.n; i++)
		vec_push(a, &argv, arena_printf(a, "%s/%s", f->rt->dir, r->more.v[i]));
	rc = command_run(f->s, &argv, r->cwd, f->log);
	if (rc)
		command_report(f->s, TAG_BUILD, "the linker", rc, f->log);
	return rc ? -1 : 0;
}

static int build_fast(struct session *s, const struct kernel_tree *t, const char *c_path,
		      const char *out)
{
	struct kernel_runtime rt;
	struct fast f = { .s = s, .rt = &rt, .c_path = c_path, .out = out };
	int rc;

	f.script_o = arena_printf(&s->arena, "%s/script.o", s->tmp_dir);
	f.mod_o = arena_printf(&s->arena, "%s/mod.o", s->tmp_dir);
	f.log = arena_printf(&s->arena, "%s/build.log", s->tmp_dir);
	if (runtime_get(s, t, &rt))
		return -1;
	rc = modobj_rename(arena_printf(&s->arena, "%s/mod.o", rt.dir), f.mod_o,
			   rt.recipe.placeholder, s->module_name);
	if (rc) {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE, "cannot name the module %s: %s",
			   s->module_name, strerror(-rc));
		return -1;
	}
	return fast_compile(&f) || fast_objtool(&f) || fast_link(&f) ? -1 : 0;
}

/* ---- the long road ---- */

static int copy_file(const char *from, const char *to)
{
	struct buf b;
	int rc;

	buf_init(&b);
	rc = buf_read_file(&b, from);
	if (!rc)
		rc = buf_write_file(&b, to);
	buf_fini(&b);
	return rc;
}

static int build_kbuild(struct session *s, const struct kernel_tree *t, const char *c_path,
			const char *embed_path, const char *out)
{
	struct arena *a = &s->arena;
	const char *dir = arena_printf(a, "%s/kbuild", s->tmp_dir),
		   *log = arena_printf(a, "%s/build.log", s->tmp_dir);
	const char *image = arena_printf(a, "%s.img", s->module_name);
	words extra = { 0 };
	int rc;

	if (mkdir(dir, 0755) || runtime_copy_sources(s, dir) || runtime_write_syms(s, t, dir))
		return -1;
	rc = copy_file(c_path, arena_printf(a, "%s/script.c", dir));
	if (!rc)
		rc = copy_file(arena_printf(a, "%s/%s", s->tmp_dir, image),
			       arena_printf(a, "%s/%s", dir, image));
	if (!rc && embed_path)
		rc = copy_file(embed_path, arena_printf(a, "%s/embed.c", dir));
	if (rc) {
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE, "cannot copy the script's C to %s: %s",
			   dir, strerror(-rc));
		return -1;
	}
	vec_push(a, &extra, arena_printf(a, "sp-name=%s", s->module_name));
	vec_push(a, &extra, "sp-script=script");
	if (embed_path)
		vec_push(a, &extra, "sp-embed=embed.o");
	rc = runtime_make(s, t, dir, &extra, log);
	if (rc) {
		command_report(s, TAG_BUILD, embed_path ? "compiling the script's C with the kernel's own makefiles" :
				     "compiling the module with the kernel's own makefiles",
			       rc, log);
		return -1;
	}
	rc = copy_file(arena_printf(a, "%s/%s.ko", dir, s->module_name), out);
	if (rc)
		diag_error(&s->diag, TAG_BUILD, SPAN_NONE, "cannot copy the module to %s: %s", out,
			   strerror(-rc));
	return rc ? -1 : 0;
}

int build_module(struct session *s, const char *c_path, const char *embed_path, const char *out)
{
	const char *road = getenv("SPILE_BUILD");
	struct kernel_tree t;

	if (tree_open(s, &t))
		return -1;
	if (embed_path || (road && !strcmp(road, "kbuild")))
		return build_kbuild(s, &t, c_path, embed_path, out);
	return build_fast(s, &t, c_path, out);
}
