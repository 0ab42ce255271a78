/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/remove.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULE_NAME_MAX 55 /* the kernel's MODULE_NAME_LEN, less the end */
#define CONTROL_DIR "/proc/spile:" /* what a loaded module of ours makes, with its name */

static bool name_ok(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return false;
	}
	return *name && strlen(name) <= MODULE_NAME_MAX;
}

/* Whether a descriptor of that process is open on a file of the folder. */
static bool holds_file(const char *pid, const char *folder)
{
	char path[PATH_MAX], to[PATH_MAX];
	size_t n = strlen(folder);
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), e->d_name, to, sizeof(to));

		found = len > (ssize_t)n && !memcmp(to, folder, n) && to[n] == '/';
	}
	closedir(d);
	return found;
}

/* The process that reads the module's output, or 0. */
static int find_reader(const char *folder)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int pid = 0;

	while (d && !pid && (e = readdir(d))) {
		if (isdigit((unsigned char)e->d_name[0]) && holds_file(e->d_name, folder))
			pid = (int)strtol(e->d_name, NULL, 10);
	}
	if (d)
		closedir(d);
	return pid;
}

/* The control file lets in one process at a time. */
static bool is_read(const char *folder)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/control", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

static int in_use(struct diag *d, const char *name, int reader)
{
	if (!reader) {
		diag_error(d, TAG_MODULE_BUSY, SPAN_NONE, "module %s is in use", name);
		diag_hint(d, "end what uses it, or wait until its last handler has returned");
		return -1;
	}
	diag_error(d, TAG_MODULE_BUSY, SPAN_NONE, "module %s is in use by process %d", name,
		   reader);
	diag_hint(d, "end that session first: kill %d", reader);
	return -1;
}

static int removal_failed(struct diag *d, const char *name, int why)
{
	if (why == EAGAIN || why == EBUSY)
		return in_use(d, name, 0);
	if (why == EPERM)
		diag_error(d, TAG_NOT_ROOT, SPAN_NONE, "only root may remove the module %s", name);
	else
		diag_error(d, TAG_LOAD, SPAN_NONE, "cannot remove the module %s: %s", name,
			   strerror(why));
	return -1;
}

int remove_module(struct diag *d, const char *given)
{
	char name[MODULE_NAME_MAX + 1], path[PATH_MAX];

	if (!name_ok(given)) {
		diag_error(d, TAG_OPTION, SPAN_NONE, "\"%s\" is no name of a module", given);
		return -1;
	}
	strcpy(name, given);
	for (char *p = name; (p = strchr(p, '-'));)
		*p = '_';
	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	if (access(path, F_OK)) {
		diag_error(d, TAG_LOAD, SPAN_NONE, "module %s is not loaded", name);
		return -1;
	}
	snprintf(path, sizeof(path), CONTROL_DIR "%s", name);
	if (access(path, F_OK)) {
		diag_error(d, TAG_LOAD, SPAN_NONE,
			   "module %s is not one of Spile's: it is left alone", name);
		return -1;
	}
	if (is_read(name))
		return in_use(d, name, find_reader(path));
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? removal_failed(d, name, errno) : 0;
}
