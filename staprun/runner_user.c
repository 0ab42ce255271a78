/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user runtime: every probe is run by the session's interpreter, so there is nothing to
 * load, arm or read.
 */
#include "staprun/run.h"

static int user_nothing(struct run *r)
{
	(void)r;
	return 0;
}

static int user_stop(struct run *r, bool failed)
{
	(void)r;
	(void)failed;
	return 0;
}

static void user_unload(struct run *r)
{
	(void)r;
}

static void user_counts(struct run *r, struct run_counts *out)
{
	(void)r;
	*out = (struct run_counts){ 0 };
}

static const struct ir_store_ops *user_store(struct run *r, void **arg)
{
	(void)r;
	*arg = NULL;
	return NULL;
}

const struct runner_ops runner_user = {
	.name = "user",
	.load = user_nothing,
	.start = user_nothing,
	.read = user_nothing,
	.stop = user_stop,
	.unload = user_unload,
	.counts = user_counts,
	.store = user_store,
};
