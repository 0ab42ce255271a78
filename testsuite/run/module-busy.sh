#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# host: no
# timeout: 120
# Two sessions cannot share a module's name; what a killed session left is replaced without a word.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
await() { # SECONDS COMMAND...
	local n=$(($1 * 10)); shift
	while ! "$@" && [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
	"$@"
}
began() { grep -q begin "$TMP/out"; }
: > "$TMP/out"
"$STAP" --runtime=kernel -m busytest -e 'probe begin { println("begin") } probe timer.s(100) { exit() }' \
	> "$TMP/out" 2> "$TMP/err" &
pid=$!
await 60 began || fail 'did not start'
"$STAP" --runtime=kernel -m busytest -e 'probe begin { exit() }' > "$TMP/out2" 2> "$TMP/err2" &&
	fail 'a second session took the name'
grep -q 'E-MODULE-BUSY.*busytest is loaded and in use' "$TMP/err2" || { cat "$TMP/err2"; fail 'no E-MODULE-BUSY'; }
kill -9 "$(pgrep -P $pid staprun)"
wait $pid && fail 'exit status 0 though staprun was killed'
[ -e /sys/module/busytest ] || fail 'the killed session left no module: this test shows nothing'
"$STAP" --runtime=kernel -m busytest -e 'probe begin { println("again") exit() }' > "$TMP/out" 2> "$TMP/err" ||
	fail 'what was left is in the way'
[ "$(cat "$TMP/out")" = again ] || fail 'wrong output'
[ ! -s "$TMP/err" ] || fail 'a complaint'
[ ! -e /sys/module/busytest ] || fail 'the module is still there'
rm -f busytest.ko
