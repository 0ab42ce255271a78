/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/uprobes.h>

int sp_test(struct uprobe_consumer *uc, struct pt_regs *regs, __u64 *data);
int sp_test(struct uprobe_consumer *uc, struct pt_regs *regs, __u64 *data)
{
	return uc->handler(uc, regs, data);
}
