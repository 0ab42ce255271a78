/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "staprun/clock.h"
#include "staprun/signals.h"

/* @path with the time in it; what strftime cannot do (or yields nothing for) stays as written. */
static const char *expand_name(struct arena *a, const char *path)
{
	char name[4096];
	time_t t = time(NULL);
	struct tm tm;

	if (!strchr(path, '%') || !localtime_r(&t, &tm))
		return path;
	return strftime(name, sizeof(name), path, &tm) ? arena_strdup(a, name) : path;
}

static int open_file(const char *name)
{
	return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

int out_open(struct out *o, const char *path, struct arena *a, struct diag *d)
{
	memset(o, 0, sizeof(*o));
	o->fd = STDOUT_FILENO;
	o->name = "standard output";
	o->path = path;
	o->arena = a;
	if (!path)
		return 0;
	o->name = expand_name(a, path);
	o->fd = open_file(o->name);
	if (o->fd >= 0)
		return 0;
	diag_error(d, TAG_OUTPUT, SPAN_NONE, "cannot write to %s: %s", o->name, strerror(errno));
	diag_hint(d, "give -o a file in a folder that can be written");
	return -1;
}

/* After a failed write: 0 to try again, -1 to give up. */
static int out_retry(struct out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	/* A reader that stalls must not keep staprun from ending: the last interrupt gives up. */
	if (errno == EINTR && !signals_enough())
		return 0;
	if (errno == EAGAIN && (poll(&p, 1, -1) >= 0 || (errno == EINTR && !signals_enough())))
		return 0;
	o->error = errno;
	return -1;
}

void out_flush(struct out *o)
{
	size_t done = 0;

	while (done < o->len && !o->error) {
		ssize_t n = write(o->fd, o->p + done, o->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (out_retry(o))
			break;
	}
	o->lost += o->len - done;
	o->len = 0;
}

void out_switch(struct out *o)
{
	struct stat st;

	if (!o->path || o->error || fstat(o->fd, &st) || !S_ISREG(st.st_mode))
		return;
	out_flush(o);
	if (close(o->fd) && !o->error)
		o->error = errno;
	o->fd = -1;
	if (o->error)
		return;
	o->number++;
	o->name = arena_printf(o->arena, "%s.%u", expand_name(o->arena, o->path), o->number);
	o->fd = open_file(o->name);
	if (o->fd < 0)
		o->error = errno;
}

char *out_room(struct out *o, size_t n)
{
	char *p;

	if (o->len && o->len + n > OUT_FULL)
		out_flush(o);
	if (o->len + n > o->cap) {
		size_t cap = o->len + n < OUT_FULL ? OUT_FULL : o->len + n;

		p = realloc(o->p, cap);
		if (!p)
			return NULL;
		o->p = p;
		o->cap = cap;
	}
	return o->p + o->len;
}

void out_took(struct out *o, size_t n)
{
	if (!n)
		return;
	if (!o->len)
		o->since = clock_now();
	o->len += n;
	if (o->len >= OUT_FULL || o->error)
		out_flush(o);
}

int out_close(struct out *o, struct diag *d)
{
	out_flush(o);
	/* A network file system reports a full disk only now. */
	if (o->fd > STDERR_FILENO && close(o->fd) && !o->error)
		o->error = errno;
	free(o->p);
	o->p = NULL;
	o->cap = 0;
	if (!o->error)
		return 0;
	diag_error(d, TAG_OUTPUT, SPAN_NONE,
		   "cannot write to %s: %s; %llu bytes of output are lost", o->name,
		   strerror(o->error), (unsigned long long)o->lost);
	if (o->error == ENOSPC || o->error == EDQUOT)
		diag_hint(d, "make room there, or give -o a file on another file system");
	return -1;
}
