/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that runs: where its symbols lie, and whether it is the one that the script was translated for. */
#ifndef SPILE_STAPRUN_KSYMS_H
#define SPILE_STAPRUN_KSYMS_H

#include "staprun/run.h"

/* The module's name in "ext4:.data" or "ext4:ext4_read"; NULL: of the kernel itself. In the run's arena. */
const char *ksyms_module(struct run *r, const char *name);
bool ksyms_loaded(struct run *r, const char *module);
/* Builds that differ from what the script was translated for are errors: -1. What is not loaded is not looked at. */
int ksyms_check_builds(struct run *r) __attribute__((warn_unused_result));
/*
 * The addresses of the script's symbols, in the arena; 0 for those of modules that are not loaded. NULL after an
 * error.
 */
uint64_t *ksyms_find(struct run *r);
/* The same of any names, "NAME" or "MODULE:NAME"; 0: it is not there, or hidden. */
uint64_t *ksyms_addresses(struct run *r, const char *const *names, uint32_t n);

#endif
