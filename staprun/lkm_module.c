/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting a module into the kernel and taking it out, with reasons when that fails. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "staprun/runner_lkm.h"

#define UNLOAD_TRIES 200
#define UNLOAD_PAUSE 10000000 /* ns */

int module_unload(const char *name)
{
	struct timespec pause = { .tv_nsec = UNLOAD_PAUSE };

	for (int i = 0;; i++) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK))
			return 0;
		if ((errno != EAGAIN && errno != EBUSY) || i >= UNLOAD_TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
}

static int insert(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

/*
 * A module of the same name is there. When it is ours and nobody holds its control file, a staprun
 * was killed: it is removed. 0: gone.
 */
static int remove_left_over(struct run *r, const char *name)
{
	const char *control = arena_printf(&r->arena, "/proc/spile:%s/control", name);
	int fd = open(control, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		if (!module_unload(name))
			return 0;
	}
	if (access(control, F_OK)) {
		diag_error(&r->diag, TAG_MODULE_BUSY, SPAN_NONE,
			   "a kernel module named %s is loaded that is not Spile's", name);
		diag_hint(&r->diag, "choose another name with stap -m");
	} else {
		diag_error(&r->diag, TAG_MODULE_BUSY, SPAN_NONE,
			   "the module %s is loaded and in use by another session", name);
		diag_hint(
			&r->diag,
			"end that session, or choose another name with stap -m; staprun -d %s removes a module "
			"that a killed session left",
			name);
	}
	return -1;
}

static bool locked_down(void)
{
	char text[128] = "";
	int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && !strstr(text, "[none]");
}

static void explain(struct run *r, int rc)
{
	switch (-rc) {
	case EPERM:
		if (locked_down() || !geteuid()) {
			diag_error(
				&r->diag, TAG_LOAD, SPAN_NONE,
				"this kernel loads no modules that are not signed (lockdown, or module loading is disabled)");
			diag_hint(&r->diag, "use --bpf, or turn Secure Boot off");
		} else {
			diag_error(&r->diag, TAG_NOT_ROOT, SPAN_NONE,
				   "only root may load kernel modules");
			diag_hint(&r->diag, "run as root");
		}
		break;
	case EKEYREJECTED:
	case ENOKEY:
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "this kernel loads signed modules only");
		diag_hint(&r->diag, "use --bpf, or sign %s with a key of this machine",
			  r->opt.object);
		break;
	case ENOEXEC:
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE,
			   "the kernel refuses %s: it was built for another kernel (see dmesg)",
			   r->opt.object);
		diag_hint(
			&r->diag,
			"build it on this kernel, or with stap -r RELEASE for this one's release");
		break;
	case ENOSYS:
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "this kernel has no loadable modules");
		diag_hint(&r->diag, "use --bpf");
		break;
	default:
		diag_error(&r->diag, TAG_LOAD, SPAN_NONE, "the kernel does not load %s: %s",
			   r->opt.object, strerror(-rc));
		diag_hint(&r->diag, "the kernel's reason is at the end of dmesg");
	}
}

int module_load(struct run *r, const char *name)
{
	int rc = insert(r->opt.object);

	if (rc == -EEXIST) {
		if (remove_left_over(r, name))
			return -1;
		rc = insert(r->opt.object);
	}
	if (rc)
		explain(r, rc);
	return rc ? -1 : 0;
}
