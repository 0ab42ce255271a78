/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for the kernel's log (printk) and its trace (ftrace), through their files. */
#ifndef SPILE_STAPRUN_KERNEL_LOG_H
#define SPILE_STAPRUN_KERNEL_LOG_H

#include <stddef.h>
#include <stdint.h>

/* Each 0, or an errno. A text of several lines makes several; long ones are split. */
int kernel_log_printk(int64_t level, const char *text, size_t n);
int kernel_log_trace(const char *text, size_t n);

#endif
