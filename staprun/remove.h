/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staprun -d: clears away a module that a killed staprun left loaded. */
#ifndef SPILE_STAPRUN_REMOVE_H
#define SPILE_STAPRUN_REMOVE_H

#include "base/diag.h"

/* 0, or -1 after an error in @d. Modules that are not Spile's are left alone. */
int remove_module(struct diag *d, const char *name) __attribute__((warn_unused_result));

#endif
