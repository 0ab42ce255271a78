#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# A target that is not there: E-TARGET, exit status 1, no probe run, nothing left loaded.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
try() { # WHAT OPTION...
	what=$1; shift
	"$STAP" --runtime="$RUNTIME" "$@" -e 'probe begin { println("ran") }' > "$TMP/out" 2> "$TMP/err" &&
		fail "$what: exit status 0"
	grep -q 'error\[E-TARGET\]' "$TMP/err" || fail "$what: no E-TARGET"
	[ ! -s "$TMP/out" ] || fail "$what: a probe ran"
}
echo data > "$TMP/plain"
try 'a command that PATH does not have' -c 'spile-no-such-command --now'
grep -q 'spile-no-such-command' "$TMP/err" || fail 'the command is not named'
try 'a command that does not exist' -c "$TMP/nothing"
try 'a file that cannot be executed' -c "$TMP/plain"
try 'a folder' -c "$TMP"
try 'a process that does not exist' -x 999999999
! ls -d /proc/spile:* 2> /dev/null || fail 'a module is left'

# What only the kernel can tell: no program at all, but marked as one.
printf '\177ELF nonsense' > "$TMP/broken"
chmod +x "$TMP/broken"
"$STAP" --runtime="$RUNTIME" -c "$TMP/broken" -e 'probe begin { println("ran") } probe timer.s(20) { exit() }' \
	> "$TMP/out" 2> "$TMP/err" && fail 'a broken program: exit status 0'
grep -q 'E-TARGET\|exited with status' "$TMP/err" || fail 'a broken program: no word of it'
! ls -d /proc/spile:* 2> /dev/null || fail 'a module is left'
