/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What staprun says at the end when not everything went well. */
#include <stdio.h>
#include <string.h>

#include "staprun/loop.h"

static void report_commands(const struct commands *c)
{
	if (c->lost && c->why)
		fprintf(stderr, "WARNING: %llu commands of system() not run: %s\n",
			(unsigned long long)c->lost, strerror(c->why));
	else if (c->lost)
		fprintf(stderr,
			"WARNING: %llu commands of system() not run: %d at once are the most\n",
			(unsigned long long)c->lost, COMMANDS_MOST);
}

static void report_lost(const struct loop *l, uint64_t lost, uint64_t untracked)
{
	int mb = l->run->opt.buffer_mb;

	if (lost)
		fprintf(stderr, "WARNING: %llu records lost: buffer too small, try -s %d [%s]\n",
			(unsigned long long)lost, mb ? mb * 2 : 16, diag_tag_text(TAG_LOST));
	if (l->unprinted)
		fprintf(stderr, "WARNING: %llu records lost: out of memory\n",
			(unsigned long long)l->unprinted);
	if (l->speculation.lost)
		fprintf(stderr,
			"WARNING: %llu texts of speculate() lost: more than %u MB waited for commit() "
			"or discard()\n",
			(unsigned long long)l->speculation.lost, SPECULATION_MOST >> 20);
	if (l->speculation.unknown)
		fprintf(stderr,
			"WARNING: %llu texts of speculate() lost: their ids are none of speculation()\n",
			(unsigned long long)l->speculation.unknown);
	report_commands(&l->commands);
	if (untracked)
		fprintf(stderr,
			"WARNING: %llu processes or threads not followed: more than MAXPROCESSES (%lld) at once, try "
			"-DMAXPROCESSES=%lld\n",
			(unsigned long long)untracked, (long long)l->run->ir->limits.maxprocesses,
			(long long)l->run->ir->limits.maxprocesses * 4);
	if (l->damaged)
		fprintf(stderr,
			"WARNING: %llu damaged records dropped: this is a bug of Spile, please report it\n",
			(unsigned long long)l->damaged);
}

bool report_end(struct loop *l)
{
	struct run *r = l->run;
	struct run_counts n = { 0 };
	bool bad;

	if (l->loaded)
		r->ops->counts(r, &n);
	/* A runner counts its errors even when their records are lost. */
	n.errors += l->user_errors;
	if (n.errors < l->errors)
		n.errors = l->errors;
	bad = (n.errors && !r->ir->limits.suppress_errors) || l->damaged || l->unprinted;
	if (n.skipped > (uint64_t)r->ir->limits.maxskipped) {
		fprintf(stderr,
			"ERROR: Skipped too many probes, check MAXSKIPPED or try again with stap -t "
			"for more details.\n");
		bad = true;
	}
	if (n.errors || n.skipped || n.nested)
		fprintf(stderr, "WARNING: Number of errors: %llu, skipped probes: %llu\n",
			(unsigned long long)n.errors, (unsigned long long)(n.skipped + n.nested));
	report_lost(l, n.lost, n.untracked);
	return bad;
}
