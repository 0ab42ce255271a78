/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process whose task_struct holds numbers that a test knows; writes 7 bytes to core-FILE and ends with status 3. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct rlimit files = { 123, 321 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = 48, .policy = SCHED_OTHER, .flags = 1 /* SCHED_FLAG_RESET_ON_FORK */, .nice = 3, .runtime = 1000000 };
	int fd;

	/* a slice of its own sets a byte of sched_entity where on_rq's higher ones used to be */
	if (syscall(SYS_sched_setattr, 0, &attr, 0) || setrlimit(RLIMIT_NOFILE, &files) ||
	    prctl(PR_SET_NAME, "core-task"))
		return 1;
	fd = open("core-file", O_CREAT | O_RDWR | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "1234567", 7) != 7 || unlink("core-file"))
		return 2;
	return 3;
}
