/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of programs and libraries, and returns of their functions, in every process that
 * maps the file.
 */
#include "rt.h"

struct sp_up {
	struct uprobe_consumer uc;
	const struct sp_probe *p;
	struct inode *inode;
	void *handle;
};

static SP_CODE int sp_uprobe_hit(struct uprobe_consumer *uc,
				 struct pt_regs *regs COMPAT_UPROBE_DATA)
{
	sp_hit(container_of(uc, struct sp_up, uc)->p, regs, NULL);
	return 0;
}

static SP_CODE int sp_uretprobe_hit(struct uprobe_consumer *uc, unsigned long func,
				    struct pt_regs *regs COMPAT_UPROBE_DATA)
{
	sp_hit(container_of(uc, struct sp_up, uc)->p, regs, NULL);
	return 0;
}

static int sp_uprobe_attach_one(struct sp_up *u, const struct sp_probe *p, const char **why)
{
	struct path path;
	int rc = kern_path(p->target, LOOKUP_FOLLOW, &path);

	if (rc) {
		*why = "the file cannot be opened";
		return rc;
	}
	u->p = p;
	u->inode = igrab(d_real_inode(path.dentry));
	path_put(&path);
	if (!u->inode)
		return -ENOENT;
	rc = compat_uprobe_register(u->inode, p->offset, p->semaphore, &u->uc, &u->handle);
	if (rc)
		iput(u->inode);
	return rc;
}

static int sp_uprobe_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_up *u = own;

	u->uc.handler = sp_uprobe_hit;
	return sp_uprobe_attach_one(u, p, why);
}

static int sp_uretprobe_attach(void *own, const struct sp_probe *p, const char **why)
{
	struct sp_up *u = own;

	u->uc.ret_handler = sp_uretprobe_hit;
	return sp_uprobe_attach_one(u, p, why);
}

static void sp_uprobe_detach(void **own, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		struct sp_up *u = own[i];

		compat_uprobe_unregister(u->inode, u->p->offset, &u->uc, u->handle);
	}
	compat_uprobe_sync();
	for (i = 0; i < n; i++)
		iput(((struct sp_up *)own[i])->inode);
}

static const struct sp_kind sp_kind_uprobe = {
	.what = "function of a program",
	.size = sizeof(struct sp_up),
	.attach = sp_uprobe_attach,
	.detach = sp_uprobe_detach,
};

static const struct sp_kind sp_kind_uretprobe = {
	.what = "function's return in a program",
	.size = sizeof(struct sp_up),
	.attach = sp_uretprobe_attach,
	.detach = sp_uprobe_detach,
};
