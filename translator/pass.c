/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pass.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t timeval_ns(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_usec * 1000;
}

static void now(struct pass_clock *c)
{
	struct rusage self, kids;
	struct timespec ts;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &kids);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	c->usr = timeval_ns(self.ru_utime) + timeval_ns(kids.ru_utime);
	c->sys = timeval_ns(self.ru_stime) + timeval_ns(kids.ru_stime);
	c->real = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void pass_start(struct pass_clock *c)
{
	now(c);
}

static void print_memory(void)
{
	long virt = 0, res = 0, shr = 0, text, lib, data = 0, page = sysconf(_SC_PAGESIZE) / 1024;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		if (fscanf(f, "%ld %ld %ld %ld %ld %ld", &virt, &res, &shr, &text, &lib, &data) != 6)
			virt = res = shr = data = 0;
		fclose(f);
	}
	fprintf(stderr, " using %ldvirt/%ldres/%ldshr/%lddata kb,", virt * page, res * page, shr * page,
		data * page);
}

void pass_end(const struct session *s, const struct pass_clock *c, int pass, bool memory, const char *fmt, ...)
{
	struct pass_clock end;
	va_list ap;

	if (!s->verbose)
		return;
	now(&end);
	fprintf(stderr, "Pass %d: ", pass);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (memory)
		print_memory();
	fprintf(stderr, " in %lldusr/%lldsys/%lldreal ms.\n", (long long)(end.usr - c->usr) / 1000000,
		(long long)(end.sys - c->sys) / 1000000, (long long)(end.real - c->real) / 1000000);
}
