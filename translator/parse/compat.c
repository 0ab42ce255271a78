/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "parse.h"

bool parse_compatible(const struct parse_env *env, const char *since)
{
	return env->newest || !env->compatible || strverscmp(env->compatible, since) >= 0;
}
