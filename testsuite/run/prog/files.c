/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes and reads a file of its own, with known counts. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/spile-files", text[32] = "hello, files";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, 12) != 12 || write(fd, text, 5) != 5)
		return 1;
	if (lseek(fd, 3, SEEK_SET) != 3 || read(fd, text, sizeof(text)) != 14)
		return 2;
	return close(fd) || unlink(name) ? 3 : 7;
}
