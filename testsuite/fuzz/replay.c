/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of corpus-frontend through the fuzzer's entry, without a fuzzer: what once crashed stays mended. Ends with
 * the line that unit tests end with.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	struct buf text;

	buf_init(&text);
	if (buf_read_file(&text, path)) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	printf("%s\n", path);
	fflush(stdout); /* the last line names what crashes */
	LLVMFuzzerTestOneInput((const uint8_t *)(text.p ? text.p : ""), text.len);
	buf_fini(&text);
}

int main(int argc, char **argv)
{
	const char *top = getenv("srcdir") ? getenv("srcdir") : ".";
	char dir[4096], path[5120];
	struct dirent **entries;
	int n, i, done = 0;

	if (argc > 1) {
		for (i = 1; i < argc; i++)
			replay(argv[i]);
		return 0;
	}
	snprintf(dir, sizeof(dir), "%s/testsuite/fuzz/corpus-frontend", top);
	n = scandir(dir, &entries, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
			replay(path);
			done++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	printf("%d%%: Checks: %d, Failures: 0, Errors: 0\n", done ? 100 : 0, done);
	return done ? 0 : 1;
}
