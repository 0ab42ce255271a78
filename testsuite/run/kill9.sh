#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# timeout: 240
# staprun killed outright: its probes are gone at once, the next run of the same name works, and staprun -d clears
# a module that was left behind.
set -eu
list=/sys/kernel/debug/kprobes/list
[ -e $list ] || mount -t debugfs none /sys/kernel/debug
armed() { grep -cw vfs_read $list || true; }
await() { # SECONDS COMMAND...
	local n=$(($1 * 10)); shift
	while ! "$@" && [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
	"$@"
}
is_armed() { [ "$(armed)" -gt 0 ]; }
is_disarmed() { [ "$(armed)" = 0 ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
object=$("$STAP" --runtime="$RUNTIME" -m killtest -p4 -e 'global n probe kprobe.function("vfs_read") { n++ }
	probe begin { println("started") } probe timer.s(100) { println(n) }' | tail -n 1)

start() {
	"$STAPRUN" "$object" > "$TMP/out" 2> "$TMP/err" &
	pid=$!
	await 60 is_armed || { echo "not armed"; cat "$TMP/err"; exit 1; }
}
is_disarmed
start
kill -9 $pid
wait $pid 2>/dev/null || true
await 10 is_disarmed || { echo "vfs_read is still probed after kill -9"; exit 1; }

start # over what was left behind
kill -INT $pid
wait $pid || { echo "the second run failed"; cat "$TMP/err"; exit 1; }
is_disarmed
[ ! -e /sys/module/killtest ]

start
kill -9 $pid
wait $pid 2>/dev/null || true
await 10 is_disarmed
if [ "$RUNTIME" = kernel ]; then
	[ -e /sys/module/killtest ]
	"$STAPRUN" -d killtest
	[ ! -e /sys/module/killtest ]
	if "$STAPRUN" -d killtest 2> "$TMP/err"; then echo "-d of what is not there succeeded"; exit 1; fi
	grep -q 'not loaded' "$TMP/err" || { cat "$TMP/err"; exit 1; }
fi
