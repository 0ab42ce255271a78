/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's rings: one file for each CPU, whole records, merged by time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dirent.h>

#include "staprun/runner_lkm.h"

#define LEAST_ROOM (256u << 10)
#define MOST_HELD                                                                                  \
	(512u << 20) /* bytes here before what comes waits, and at last is lost, in the kernel */

int rings_open(struct lkm_rings *g, const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int rc = d ? 0 : -errno;

	memset(g, 0, sizeof(*g));
	while (!rc && d && (e = readdir(d))) {
		struct lkm_cpu *more;

		if (strncmp(e->d_name, "trace", 5))
			continue;
		more = realloc(g->cpus, (g->n + 1) * sizeof(*more));
		if (!more) {
			rc = -ENOMEM;
			break;
		}
		g->cpus = more;
		more[g->n] =
			(struct lkm_cpu){ .fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC) };
		if (more[g->n].fd < 0)
			rc = -errno;
		else
			g->n++;
	}
	if (d)
		closedir(d);
	return rc;
}

void rings_close(struct lkm_rings *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		close(g->cpus[i].fd);
		free(g->cpus[i].buf);
	}
	free(g->cpus);
	memset(g, 0, sizeof(*g));
}

/* Room for at least @need more bytes behind what is held. */
static int make_room(struct lkm_cpu *c, size_t need)
{
	size_t cap = c->cap ? c->cap : LEAST_ROOM;
	char *p;

	if (c->pos) {
		memmove(c->buf, c->buf + c->pos, c->len - c->pos);
		c->len -= c->pos;
		c->pos = 0;
	}
	while (cap - c->len < need)
		cap *= 2;
	if (cap == c->cap)
		return 0;
	p = realloc(c->buf, cap);
	if (!p)
		return -ENOMEM;
	c->buf = p;
	c->cap = cap;
	return 0;
}

/*
 * Until the ring is empty, or while probes are armed until it was when it was read: a script that probes what reading does
 * would never let it be empty.
 */
static int drain_cpu(struct lkm_rings *g, struct lkm_cpu *c, bool armed)
{
	size_t need = LEAST_ROOM / 2;
	bool more = true;

	while (more && g->held < MOST_HELD) {
		ssize_t n;

		if (c->cap - c->len < need && make_room(c, need))
			return -ENOMEM;
		n = read(c->fd, c->buf + c->len, c->cap - c->len);
		if (n < 0 && errno == EMSGSIZE)
			need = (c->cap - c->len) * 2; /* one record is larger than the room */
		else if (n < 0 && errno != EINTR)
			return -errno;
		else if (n == 0)
			break;
		else if (n > 0) {
			more = !armed || (size_t)n > (c->cap - c->len) / 2;
			c->len += (size_t)n;
			g->held += (size_t)n;
		}
	}
	return 0;
}

int rings_drain(struct lkm_rings *g, bool armed)
{
	for (uint32_t i = 0; i < g->n; i++) {
		int rc = drain_cpu(g, &g->cpus[i], armed);

		if (rc)
			return rc;
	}
	return 0;
}

static const struct rec *first_of(const struct lkm_cpu *c)
{
	return c->pos < c->len ? (const struct rec *)(c->buf + c->pos) : NULL;
}

int rings_merge(struct lkm_rings *g, struct run *r, uint64_t horizon)
{
	for (;;) {
		struct lkm_cpu *from = NULL;
		const struct rec *best = NULL;

		for (uint32_t i = 0; i < g->n; i++) {
			const struct rec *rec = first_of(&g->cpus[i]);

			if (rec && (!best || rec->time < best->time)) {
				best = rec;
				from = &g->cpus[i];
			}
		}
		if (!best || best->time > horizon)
			return 0;
		if (best->size < sizeof(*best) || best->size % 8 ||
		    best->size > from->len - from->pos)
			return -1;
		from->pos += best->size;
		g->held -= best->size;
		run_record(r, best);
	}
}
