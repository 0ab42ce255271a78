/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel-module runtime, as the driver sees it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "build/build.h"
#include "lkm/emit.h"

#define LKM_MAXNAME 54 /* of a module: the placeholder in the cached mod.o has as many bytes */

static const char *lkm_unusable(struct session *s)
{
	if (geteuid())
		return "only root may load kernel modules";
	if (access("/proc/modules", F_OK))
		return "this kernel has no loadable modules";
	if (access(arena_printf(&s->arena, "%s/Makefile", s->kernel_build), R_OK))
		return arena_printf(&s->arena, "no headers of kernel %s (package linux-headers-%s)",
				    s->release, s->release);
	return NULL;
}

static bool name_ok(const char *name)
{
	return strlen(name) <= LKM_MAXNAME &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_")] == 0;
}

static int write_failed(struct session *s, const char *path, int rc)
{
	diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot write %s: %s", path, strerror(-rc));
	return -1;
}

static const char *embed_path(struct session *s)
{
	return arena_printf(&s->arena, "%s/embed.c", s->tmp_dir);
}

/* What -D names and Spile does not know is for the script's C. */
static void put_defines(struct session *s, struct buf *b)
{
	struct ir_limits scratch;

	ir_limits_default(&scratch);
	for (uint32_t k = 0; k < s->defines.n; k++) {
		const char *d = s->defines.v[k];
		const char *name = arena_strndup(&s->arena, d, strcspn(d, "="));

		if (ir_limits_set(&scratch, name, 1, NULL, NULL) == -ENOENT)
			buf_printf(b, "#define %s %s\n", name, d[strlen(name)] ? d + strlen(name) + 1 : "1");
	}
}

static int write_embeds(struct session *s, const struct ir_module *m)
{
	struct buf b;
	int rc;

	buf_init(&b);
	put_defines(s, &b);
	lkm_emit_embeds(&b, m);
	rc = buf_write_file(&b, embed_path(s));
	buf_fini(&b);
	return rc ? write_failed(s, embed_path(s), rc) : 0;
}

static int lkm_translate(struct session *s, const struct ir_module *m, struct artifact *out)
{
	const char *image = arena_printf(&s->arena, "%s.img", s->module_name);
	const char *image_path = arena_printf(&s->arena, "%s/%s", s->tmp_dir, image);
	struct buf b;
	int rc;

	if (!name_ok(s->module_name)) {
		diag_error(&s->diag, TAG_OPTION, SPAN_NONE, "\"%s\" cannot be a module's name",
			   s->module_name);
		diag_hint(&s->diag, "give -m at most %d letters, digits and underscores",
			  LKM_MAXNAME);
		return -1;
	}
	if (lkm_emit(&out->code, m, image, &s->diag))
		return -1;
	out->code_path = arena_printf(&s->arena, "%s/%s_src.c", s->tmp_dir, s->module_name);
	rc = buf_write_file(&out->code, out->code_path);
	if (rc)
		return write_failed(s, out->code_path, rc);
	if (m->embeds.n && write_embeds(s, m))
		return -1;
	buf_init(&b);
	ir_write(&b, m);
	rc = buf_write_file(&b, image_path);
	buf_fini(&b);
	return rc ? write_failed(s, image_path, rc) : 0;
}

static int lkm_build(struct session *s, const struct ir_module *m, struct artifact *out)
{
	out->path = arena_printf(&s->arena, "%s/%s.ko", s->tmp_dir, s->module_name);
	return build_module(s, out->code_path, m->embeds.n ? embed_path(s) : NULL, out->path);
}

const struct backend backend_lkm = {
	.name = "kernel",
	.suffix = ".ko",
	.sides = SIDE_K,
	.unusable = lkm_unusable,
	.translate = lkm_translate,
	.build = lkm_build,
	.pass3_text = "translated to C into \"%s\"",
	.pass4_text = "compiled C into \"%s\"",
};
