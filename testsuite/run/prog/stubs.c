/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls functions of the C library by way of its linkage table; with a number it waits so many milliseconds between rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) int own(const char *digits)
{
	return atoi(digits) + 1;
}

int main(int argc, char **argv)
{
	int wait = argc > 1 ? atoi(argv[1]) : 0;
	const char *digits = "41";

	/* a handler cannot wait for a page to be read */
	if (!*(const volatile char *)digits)
		return 1;
	if (!wait)
		return own(digits) == 42 ? 0 : 1;
	for (int i = 0; i < 6000; i++) {
		own(digits);
		usleep((unsigned int)wait * 1000);
	}
	return 0;
}
