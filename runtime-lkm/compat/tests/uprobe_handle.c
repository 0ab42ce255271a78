/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/uprobes.h>

struct uprobe *sp_test(struct inode *inode, struct uprobe_consumer *uc);
struct uprobe *sp_test(struct inode *inode, struct uprobe_consumer *uc)
{
	uprobe_unregister_nosync(NULL, uc);
	uprobe_unregister_sync();
	return uprobe_register(inode, 0, 0, uc);
}
