/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/prune.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void prune_files(const char *dir, const char *prefix, int days)
{
	time_t oldest = time(NULL) - (time_t)days * 24 * 3600;
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) &&
		    !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		    st.st_mtime < oldest)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}
