/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel-side runtime, as one unit: see rt.h. What is used comes before what uses it. */
#include "rt.h"

/* clang-format off */
#include "base/text.c"
#include "strings.c"
#include "regex.c"
#include "ring.c"
#include "context.c"
#include "map.c"
#include "stat.c"
#include "iter.c"
#include "memory.c"
#include "intrinsics.c"
#include "stack.c"
#include "attach_kprobe.c"
#include "attach_tracepoint.c"
#include "attach_uprobe.c"
#include "attach_timer.c"
#include "attach_profile.c"
#include "late.c"
#include "session.c"
#include "control.c"
