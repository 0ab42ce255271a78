/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of stap. */
#ifndef SPILE_OPTIONS_H
#define SPILE_OPTIONS_H

#include "session.h"

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD };

/*
 * Fills the session from the command line. DONE: -h or -V was answered; BAD: errors are in session->diag (E-OPTION). Strings of
 * argv are kept by reference.
 */
enum options_result options_parse(struct session *s, int argc, char **argv);

/* Applies what -D, --suppress-handler-errors and --suppress-time-limits said. 0, or -1 after an error (defines.c). */
int defines_apply(struct session *s) __attribute__((warn_unused_result));

#endif
