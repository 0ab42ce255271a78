/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST 900 /* bytes: kernels refuse longer records */

static int write_lines(int fd, const char *prefix, const char *text, size_t n)
{
	char line[LINE_MOST + 16];

	for (;;) {
		const char *newline = memchr(text, '\n', n);
		size_t len = newline ? (size_t)(newline - text) : n, left = n - len;
		int bytes;

		if (len > LINE_MOST)
			len = LINE_MOST;
		bytes = snprintf(line, sizeof(line), "%s%.*s\n", prefix, (int)len, text);
		if (write(fd, line, (size_t)bytes) < 0 && errno != EINTR)
			return errno;
		text += len;
		n -= len;
		/* the newline itself; one at the end starts no empty line */
		if (n && n == left && *text == '\n') {
			text++;
			n--;
		}
		if (!n)
			return 0;
	}
}

static int write_file(const char *path, const char *prefix, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return errno;
	rc = write_lines(fd, prefix, text, n);
	close(fd);
	return rc;
}

/*
 * The file is opened anew for each text: the kernel limits the rate of an open file's messages, and
 * drops the rest without a word.
 */
int kernel_log_printk(int64_t level, const char *text, size_t n)
{
	char prefix[8];

	snprintf(prefix, sizeof(prefix), "<%d>", level < 0 ? 0 : level > 7 ? 7 : (int)level);
	return write_file("/dev/kmsg", prefix, text, n);
}

int kernel_log_trace(const char *text, size_t n)
{
	int why = write_file("/sys/kernel/tracing/trace_marker", "", text, n);

	if (why == ENOENT)
		why = write_file("/sys/kernel/debug/tracing/trace_marker", "", text, n);
	return why;
}
