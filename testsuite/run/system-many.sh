#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# More commands at once than staprun runs: some are not run, and counted; the others are waited for.
set -u
fail() { echo "$1"; cat "$TMP/err"; exit 1; }
mkfifo "$TMP/fifo"
# Opening the pipe takes until somebody opens its other end.
"$STAP" --runtime="$RUNTIME" -DMAXACTION_INTERRUPTIBLE=100000 -e 'probe begin {
	for (i = 0; i < 300; i++) system(sprintf(": < %s; echo x >> %s.ran", @1, @1)); println("ready"); exit() }' \
	"$TMP/fifo" > "$TMP/out" 2> "$TMP/err" &
stap=$!
until grep -qs ready "$TMP/out"; do kill -0 $stap 2> /dev/null || fail 'stap is gone'; sleep 0.1; done
[ ! -e "$TMP/fifo.ran" ] || fail 'commands did not wait'
exec 3<> "$TMP/fifo"
wait $stap || fail 'stap fails'
grep -q 'WARNING: 44 commands of system() not run: 256 at once are the most' "$TMP/err" || fail 'the lost commands are not counted'
[ "$(wc -l < "$TMP/fifo.ran")" = 256 ] || fail "$(wc -l < "$TMP/fifo.ran") of 256 commands ran"
