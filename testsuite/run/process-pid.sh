#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# in-guest: yes
# timeout: 200
# process(PID): that process only, from its being there to its end, not what it makes; exec is an end and a begin. A full table
# is told.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
mkfifo "$TMP/in"
sh -c 'read -r _; /bin/true; exec cat' < "$TMP/in" > "$TMP/log" &
pid=$!
exec 5> "$TMP/in"
cat > "$TMP/s.stp" <<'S'
global n
probe process($1).begin { printf("begin %s %d\n", execname(), pid() == $1) }
probe process($1).end { printf("end %d\n", tid() == $1) if (++n == 2) exit() }
probe process($1).syscall { calls <<< 1 }
global calls
probe begin { println("armed") }
probe end { println(@count(calls) > 2) }
S
"$STAP" --runtime="$RUNTIME" "$TMP/s.stp" $pid > "$TMP/out" 2> "$TMP/err" 5>&- &
stap=$!
for _ in $(seq 600); do
	grep -q begin "$TMP/out" && break
	kill -0 $stap 2> /dev/null || fail 'stap ended'
	sleep 0.1
done
echo go >&5
exec 5>&-
wait $pid
wait $stap || fail 'an exit status'
printf 'armed\nbegin sh 1\nend 1\nbegin cat 1\nend 1\n1\n' | diff - "$TMP/out" || fail 'not what happened (left: what did)'
[ ! -s "$TMP/err" ] || fail 'a complaint'

"$STAP" --runtime="$RUNTIME" -DMAXPROCESSES=16 -c 'for k in 1 2 3 4 5 6 7 8 9 a b c d e f g h i j k; do sleep 3 & done; wait' \
	-e 'global n; probe process.begin { n <<< 1 } probe end { println(@count(n) < 42) }' > "$TMP/out" 2> "$TMP/err" || fail 'a full table: exit status'
grep -q 'WARNING: [0-9]* processes or threads not followed: more than MAXPROCESSES (16)' "$TMP/err" || fail 'a full table is not told'
[ "$(cat "$TMP/out")" = 1 ] || fail 'a full table: too many begins'
