/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user runtime as a backend: nothing is translated, the IR itself is what staprun runs. */
#include <string.h>

#include "backend.h"

static const char *user_unusable(struct session *s)
{
	(void)s;
	return NULL;
}

/* There is no other form; -p3 shows the IR. */
static int user_translate(struct session *s, const struct ir_module *m, struct artifact *out)
{
	if (s->last_pass == 3)
		ir_print(&out->code, m);
	return 0;
}

static int user_build(struct session *s, const struct ir_module *m, struct artifact *out)
{
	struct buf image;
	int err;

	out->path = arena_printf(&s->arena, "%s/%s.uo", s->tmp_dir, s->module_name);
	buf_init(&image);
	ir_write(&image, m);
	err = buf_write_file(&image, out->path);
	buf_fini(&image);
	if (!err)
		return 0;
	diag_error(&s->diag, TAG_FILE, SPAN_NONE, "cannot write %s: %s", out->path, strerror(-err));
	return -1;
}

const struct backend backend_user = {
	.name = "user",
	.suffix = ".uo",
	.sides = SIDE_U,
	.unusable = user_unusable,
	.translate = user_translate,
	.build = user_build,
	.pass3_text = "pass skipped for the user runtime",
	.pass4_text = "wrote the intermediate form into \"%s\"",
};
