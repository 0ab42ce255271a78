/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another unit with statics of the same names; and what the compiler must not see through. */
#include "places.h"

#include <stdio.h>
#include <stdlib.h>

static int hidden = 2200;
static struct twin {
	char pad;
	int id;
} twin = { 'p', 77 };
int shared_count = 5;

WHOLE void see(const char *row, long long value)
{
	static FILE *out;

	if (!out && !(out = fopen(getenv("PLACES_OUT"), "w")))
		exit(2);
	fprintf(out, "%s|%lld\n", row, value);
	fflush(out);
}

WHOLE void barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

WHOLE long opaque(long v)
{
	__asm__ volatile("" : "+r"(v));
	return v;
}

WHOLE int other_unit(int step)
{
	SEE("call other_unit", "$step", step);
	SEE("call other_unit", "$hidden", hidden);
	SEE("call other_unit", "$twin->id", twin.id);
	hidden += step;
	twin.id += step;
	shared_count++;
	return hidden;
}
