#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# timeout: 120
# A signal ends the session in order, whichever process gets it; a third one ends it at once.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
await() { # SECONDS COMMAND...
	local n=$(($1 * 20)); shift
	while ! "$@" && [ $n -gt 0 ]; do sleep 0.05; n=$((n - 1)); done
	"$@"
}
began() { grep -q begin "$TMP/out"; }
began_or_gone() { began || is_gone $pid; }
is_gone() { ! kill -0 "$1" 2> /dev/null; }
helper_of() { # the staprun that stap started
	pgrep -P "$1" staprun
}
script='probe begin { println("begin") } probe end { println("end") } probe timer.s(100) { exit() }'

start() {
	: > "$TMP/out"
	"$STAP" --runtime="$RUNTIME" -e "$script" > "$TMP/out" 2> "$TMP/err" &
	pid=$!
	await 60 began_or_gone
	began || fail 'did not start'
}
for sig in INT TERM HUP QUIT; do
	start
	kill -$sig "$(helper_of $pid)"
	wait $pid || fail "SIG$sig to staprun: exit status $?"
	[ "$(cat "$TMP/out")" = "$(printf 'begin\nend')" ] || fail "SIG$sig to staprun: the end probe did not run"
done
start
kill -TERM $pid
wait $pid || fail "SIGTERM to stap: exit status $?"
[ "$(cat "$TMP/out")" = "$(printf 'begin\nend')" ] || fail 'SIGTERM to stap: the end probe did not run'

# stap killed outright: staprun ends in order.
start
helper=$(helper_of $pid)
kill -9 $pid
wait $pid 2> /dev/null
await 20 is_gone "$helper" || fail 'staprun outlived stap'
[ "$(cat "$TMP/out")" = "$(printf 'begin\nend')" ] || fail 'kill -9 of stap: the end probe did not run'

# A reader that stalls: the third interrupt gives up on what cannot be written.
mkfifo "$TMP/fifo"
sleep 100 < "$TMP/fifo" &
reader=$!
"$STAP" --runtime="$RUNTIME" -e 'probe timer.ms(1) { for (i = 0; i < 20; i++)
	printf("%500s\n", "x") }' > "$TMP/fifo" 2> "$TMP/err" &
pid=$!
running_or_gone() { pgrep -P $pid staprun > /dev/null || is_gone $pid; }
await 60 running_or_gone
helper=$(helper_of $pid) || fail 'did not start'
sleep 1
for i in 1 2 3; do
	kill -TERM "$helper" 2> /dev/null
	sleep 0.2
done
await 20 is_gone "$helper" || { kill -9 "$helper"; fail 'three interrupts did not end staprun'; }
wait $pid && fail 'exit status 0 after three interrupts'
kill $reader
grep -q 'Too many interrupts received, exiting.' "$TMP/err" || fail 'no word of the interrupts'
grep -q 'E-OUTPUT' "$TMP/err" || fail 'no word of the output that is lost'
! ls -d /proc/spile:* 2> /dev/null || fail 'a module is left'
