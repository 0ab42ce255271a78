#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# guests: 6.1 6.12
# timeout: 300
# A module of the distribution, without debug information: functions by symbol, parameters, members and types by its BTF.
set -u
fail() { echo "$*"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
"$STAP" --runtime="$RUNTIME" -c "cat $TESTDIR/kmod/Kbuild" -e '
	probe module("overl*").function("ovl_open") {
		if (pid() == target())
			printf("%s %s\n", kernel_string($file->f_path->dentry->d_name->name),
				kernel_string(@cast($file->f_path->dentry->d_sb->s_fs_info, "ovl_fs")->config->upperdir))
	}
	probe module("overlay").function("ovl_open").return { if (pid() == target()) println("returns ", $return) }
	probe module("overlay").function("ovl_no_such")?, module("nosuch").function("*")? { println("never") }' \
	> "$TMP/out" 2> "$TMP/err" || fail "stap failed"
grep -q '^Kbuild /rw/u' "$TMP/out" || fail "no line of the file"
grep -q '^returns 0' "$TMP/out" || fail "no result"
grep -q never "$TMP/out" && fail "what is not there is probed"
exit 0
