/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: a known number of system calls. */
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	for (int i = 0; i < 7; i++)
		syscall(SYS_getpgid, 0);
	for (int i = 0; i < 4; i++)
		syscall(SYS_close, -1);
	return 0;
}
