/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT end the session. Handlers rather than a signalfd: an
 * interrupt has to get through to a write that a stalled reader blocks and to a user-side
 * handler that loops.
 */
#ifndef SPILE_STAPRUN_SIGNALS_H
#define SPILE_STAPRUN_SIGNALS_H

#include <stdbool.h>

#define SIGNALS_ENOUGH 3

/* Catches them. Returns a descriptor that becomes readable with each, or -1 and errno. */
int signals_start(void) __attribute__((warn_unused_result));
/* Gives the signals back and closes the descriptor. */
void signals_stop(void);
/* Takes what the descriptor holds; how many signals came so far. */
unsigned int signals_count(void);
/* So many came that everything has to stop at once. */
bool signals_enough(void);
/*
 * Between these the process may spend long in a handler of the script, and holds nothing that
 * the kernel does not take back when it ends: there the last interrupt ends the process.
 */
void signals_handler_begin(void);
void signals_handler_end(void);

extern const char signals_message[]; /* what staprun says then, with a newline */

#endif
