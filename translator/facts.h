/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script's conditionals can learn about the target. */
#ifndef SPILE_FACTS_H
#define SPILE_FACTS_H

#include "parse/parse.h"
#include "session.h"

struct kconfig;

struct target_facts {
	struct parse_facts facts; /* points back here */
	struct session *s;
	struct kconfig *config; /* read when first asked for */
	const char *(*runtime)(void *arg);
	void *runtime_arg;
};

/* @runtime names the runtime, choosing it when first called. */
void facts_init(struct target_facts *f, struct session *s, const char *(*runtime)(void *arg),
		void *runtime_arg);

#endif
