/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by names.c and stacks.c. */
#ifndef SPILE_STAPRUN_NAMES_INT_H
#define SPILE_STAPRUN_NAMES_INT_H

#include "staprun/names.h"
#include "staprun/procs.h"
#include "staprun/uobject.h"

struct names {
	const struct ir_module *m;
	struct ktable *ktable;
	struct procs *procs;
	struct uobjects *objects;
	bool user; /* names of processes' memory may be asked for */
	struct uobject *vmlinux;
	bool vmlinux_tried;
	uint64_t stext; /* by how much the kernel was moved */
};

/* What is known of an address. */
struct place {
	uint64_t pc;
	const char *name; /* symbol; NULL: not known */
	uint64_t offset, size; /* size 0: not known */
	const char *module; /* kernel module, "kernel", or path of a file; NULL: not known */
	uint64_t module_offset, module_size; /* of files */
	const char *file; /* source; NULL: not known */
	int line;
};
void names_kernel(struct names *n, uint64_t pc, bool line, struct place *out);
void names_user(struct names *n, int64_t pid, uint64_t time, uint64_t pc, bool line, struct place *out);

void names_put_full(struct buf *out, const struct place *p);
void names_put_brief(struct buf *out, const struct place *p);

#endif
