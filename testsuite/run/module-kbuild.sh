#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# host: no
# slow: yes
# timeout: 240
# guests: 6.12
# A module that the kernel's own makefiles made from the same C does the same.
set -u
SPILE_BUILD=kbuild "$STAP" --runtime=kernel -e 'global a[3] probe begin { a["x"] = 5; printf("%s %d\n", pp(), a["x"]) exit() }
	probe kprobe.function("vfs_read") { a["x"]++ }' > "$TMP/out" 2> "$TMP/err" || { cat "$TMP/err"; exit 1; }
[ "$(cat "$TMP/out")" = 'begin 5' ] || { cat "$TMP/out"; exit 1; }
[ ! -s "$TMP/err" ] || { cat "$TMP/err"; exit 1; }
