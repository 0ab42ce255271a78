/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cflags: -O2 -fno-omit-frame-pointer */
/* The same, found by the frame pointer. */
#include "callees.c"
