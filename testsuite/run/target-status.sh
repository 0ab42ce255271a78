#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# The end of the command of -c ends the session with its output intact; its failure is reported and is the session's.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
try() { # STATUS WARNING COMMAND: the status expected, a line of stderr ("" for none)
	"$STAP" --runtime="$RUNTIME" -c "$3" -e 'probe begin { println("begin") } probe end { println("end") }
		probe timer.s(60) { println("late") exit() }' > "$TMP/out" 2> "$TMP/err"
	status=$?
	[ $status = "$1" ] || fail "$3: status $status, expected $1"
	[ "$(cat "$TMP/out")" = "$(printf 'begin\nchild\nend')" ] || fail "$3: wrong output"
	if [ "$2" ]; then
		grep -qx "$2" "$TMP/err" || fail "$3: stderr lacks: $2"
	else
		! grep -q WARNING "$TMP/err" || fail "$3: unexpected warning"
	fi
}
try 0 '' 'echo child'
try 0 '' "printf '%s\n' child"
try 1 'WARNING: Child process exited with status 3' 'echo child; exit 3'
try 1 'WARNING: Child process exited with signal 15 (SIGTERM)' 'echo child; kill -TERM $$'

# It inherits stdin, and target() is its id.
echo 'from stdin' | "$STAP" --runtime="$RUNTIME" -c cat -e 'probe end { println("end") }' > "$TMP/out" 2> "$TMP/err" ||
	fail 'cat failed'
[ "$(cat "$TMP/out")" = "$(printf 'from stdin\nend')" ] || fail 'stdin does not reach the command'
"$STAP" --runtime="$RUNTIME" -c 'echo $$' -e 'probe begin { println(target()) }' > "$TMP/out" 2> "$TMP/err" ||
	fail 'echo failed'
[ "$(sort -u "$TMP/out" | wc -l)" = 1 ] && [ "$(wc -l < "$TMP/out")" = 2 ] || fail 'target() is not the id of the command'

# exit() in begin: the command never runs.
"$STAP" --runtime="$RUNTIME" -c "touch $TMP/ran" -e 'probe begin { exit() } probe end { println("end") }' \
	> "$TMP/out" 2> "$TMP/err" || fail 'exit() in begin failed'
[ ! -e "$TMP/ran" ] || fail 'the command ran after exit() in begin'
[ "$(cat "$TMP/out")" = end ] || fail 'no end probe after exit() in begin'

# A process of -x is only named: the script runs on after its end.
sleep 6 &
"$STAP" --runtime="$RUNTIME" -x $! -e 'probe begin { println(target()) } probe end { println("end") }
	probe timer.s(7) { println("later") exit() }' > "$TMP/out" 2> "$TMP/err" || fail '-x failed'
[ "$(cat "$TMP/out")" = "$(printf '%d\nlater\nend' $!)" ] || fail '-x: wrong output'
