/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name=value behind the object: other initial values for the script's scalars, at load time. */
#ifndef SPILE_STAPRUN_SETTINGS_H
#define SPILE_STAPRUN_SETTINGS_H

#include "staprun/run.h"

/*
 * Puts run->opt.settings into the globals of run->ir and lists those in run->set, for the runners whose globals are
 * elsewhere. 0, or -1 after an error in run->diag.
 */
int settings_apply(struct run *r) __attribute__((warn_unused_result));

#endif
