#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# host: no
# staprun -d touches neither a module that is not Spile's nor one that is in use.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
await() { # SECONDS COMMAND...
	local n=$(($1 * 10)); shift
	while ! "$@" && [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
	"$@"
}
other=$(awk 'NR == 1 { print $1 }' /proc/modules)
if [ "$other" ]; then
	"$STAPRUN" -d "$other" > "$TMP/out" 2> "$TMP/err" && fail "-d removed $other"
	grep -q "E-LOAD.*$other is not one of Spile's" "$TMP/err" || fail 'no word of whose module it is'
	[ -e "/sys/module/$other" ] || fail "$other is gone"
fi

began() { grep -q begin "$TMP/out"; }
"$STAP" --runtime=kernel -m removetest -e 'probe begin { println("begin") } probe end { println("end") }
	probe timer.s(100) { exit() }' > "$TMP/out" 2> "$TMP/err" &
pid=$!
began_or_gone() { began || ! kill -0 $pid 2> /dev/null; }
await 60 began_or_gone
began || fail 'did not start'
"$STAPRUN" -d removetest 2> "$TMP/err2" && fail '-d removed a module in use'
grep -q 'E-MODULE-BUSY.*removetest is in use' "$TMP/err2" || { cat "$TMP/err2"; fail 'no E-MODULE-BUSY'; }
kill -INT "$(pgrep -P $pid staprun)"
wait $pid || fail 'the session failed'
[ "$(cat "$TMP/out")" = "$(printf 'begin\nend')" ] || fail 'wrong output'
[ ! -e /sys/module/removetest ] || fail 'the module is still there'
