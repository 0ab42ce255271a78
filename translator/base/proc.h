/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of processes. */
#ifndef SPILE_BASE_PROC_H
#define SPILE_BASE_PROC_H

#include <sys/types.h>

pid_t proc_parent(pid_t pid); /* 0: there is no such process */

#endif
