#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# Output to a full disk ends the session: E-OUTPUT, how much is lost, exit status 1, nothing left loaded.
set -u
fail() { echo "$1"; cat "$TMP/err"; exit 1; }
script='probe begin { println("0123456789") } probe timer.ms(20) { println("more") } probe timer.s(20) { exit() }'

"$STAP" --runtime="$RUNTIME" -o /dev/full -e "$script" 2> "$TMP/err" && fail 'writing to /dev/full with -o succeeded'
grep -q 'E-OUTPUT.*/dev/full.*No space left.* [1-9][0-9]* bytes of output are lost' "$TMP/err" || fail 'no E-OUTPUT for -o'

"$STAP" --runtime="$RUNTIME" -e "$script" > /dev/full 2> "$TMP/err" && fail 'writing stdout to /dev/full succeeded'
grep -q 'E-OUTPUT.*standard output.*No space left' "$TMP/err" || fail 'no E-OUTPUT for stdout'

"$STAP" --runtime="$RUNTIME" -o "$TMP/no/such/folder" -e "$script" 2> "$TMP/err" && fail 'a missing folder was accepted'
grep -q 'E-OUTPUT.*no/such/folder' "$TMP/err" || fail 'no E-OUTPUT for a missing folder'

# What fits is written, to the last byte.
if [ "$(id -u)" = 0 ] && mkdir -p "$TMP/small" && mount -t tmpfs -o size=64k none "$TMP/small" 2> "$TMP/mount"; then
	"$STAP" --runtime="$RUNTIME" -o "$TMP/small/out" -e 'probe timer.ms(1) {
		for (i = 0; i < 20; i++) println("0123456789012345678901234567890123456789") }' 2> "$TMP/err"
	status=$? size=$(stat -c %s "$TMP/small/out")
	umount "$TMP/small"
	[ $status = 1 ] || fail "a full tmpfs: status $status"
	grep -q 'E-OUTPUT.*No space left' "$TMP/err" || fail 'no E-OUTPUT for a full tmpfs'
	[ "$size" = 65536 ] || fail "only $size of 65536 bytes were written"
fi

# A reader that goes away.
("$STAP" --runtime="$RUNTIME" -e "$script" 2> "$TMP/err"; echo $? > "$TMP/status") | head -n 1 > "$TMP/out"
[ "$(cat "$TMP/out")" = 0123456789 ] || fail "head saw $(cat "$TMP/out")"
[ "$(cat "$TMP/status")" = 1 ] || fail 'a broken pipe gave exit status 0'
grep -q 'E-OUTPUT.*Broken pipe' "$TMP/err" || fail 'no E-OUTPUT for a broken pipe'
! ls -d /proc/spile:* 2> /dev/null || fail 'a module is left'
