/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kind of object staprun was given. */
#ifndef SPILE_STAPRUN_IMAGE_H
#define SPILE_STAPRUN_IMAGE_H

#include "staprun/run.h"

/* The runner for r->opt.object by its content, or NULL after an error in r->diag. */
const struct runner_ops *image_runner(struct run *r);

#endif
