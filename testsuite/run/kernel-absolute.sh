#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# timeout: 240
# Kernel code at the address that /proc/kallsyms shows: no questions asked, in guru mode only.
set -u
fail() { echo "$1"; cat "$TMP"/*; exit 1; }
addr=0x$(awk '$3 == "__x64_sys_getpgid" { print $1 }' /proc/kallsyms)
stap() { "$STAP" --runtime="$RUNTIME" "$@" > "$TMP/out" 2> "$TMP/err"; }
stap -g -c "$PROG_DIR/calls" -e "
	global n, m
	probe kernel.statement($addr).absolute { if (pid() == target()) n += pp() == \"kernel.statement($addr).absolute\" }
	probe kprobe.statement($addr).absolute { if (pid() == target()) m++ }
	probe end { println(n, \" \", m) }" || fail 'guru mode'
[ "$(cat "$TMP/out")" = '7 7' ] || fail 'not seven calls'
stap -p2 -e "probe kprobe.statement($addr).absolute { println(1) }" && fail 'without guru mode'
grep -q 'E-PRIVILEGE' "$TMP/err" || fail 'the reason is not told'
