#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# What staprun does for a script: files, commands, messages to standard error, the kernel's log and its trace.
set -u
fail() { echo "$1"; head -50 "$TMP"/out* "$TMP/err"; exit 1; }
run() { "$STAP" --runtime="$RUNTIME" "$@" 2> "$TMP/err"; }
same() { printf '%b' "$2" | cmp -s - "$1" || fail "$1 is not: $2"; }

# switch_file: FILE, FILE.1, FILE.2; nothing where there is no file
run -o "$TMP/out" -e 'probe begin { println("one"); switch_file(); println("two"); switch_file(); switch_file()
	println("four"); exit() }' || fail 'switch_file fails'
same "$TMP/out" 'one\n'; same "$TMP/out.1" 'two\n'; same "$TMP/out.2" ''; same "$TMP/out.3" 'four\n'
run -e 'probe begin { println("a"); switch_file(); println("b"); exit() }' > "$TMP/out" || fail 'switch_file without -o fails'
same "$TMP/out" 'a\nb\n'; [ ! -s "$TMP/err" ] || fail 'switch_file complains without -o'
mkdir "$TMP/file.1"
run -o "$TMP/file" -e 'probe begin { println("a"); switch_file(); println("b"); exit() }' && fail 'a file that cannot be opened is no error'
grep -q 'E-OUTPUT.*file.1' "$TMP/err" || fail 'no E-OUTPUT for the next file'

# system: what was printed before comes first; the handler does not wait, the session does
run -e 'probe begin { println("before"); system("sleep 0.3; echo from the shell; exit 3"); exit() }
	probe end { println("after") }' > "$TMP/out" || fail 'system fails'
[ "$(sort "$TMP/out" | tr '\n' ' ')" = 'after before from the shell ' ] || fail 'system: wrong output'
[ "$(head -n 1 "$TMP/out")" = before ] && [ "$(tail -n 1 "$TMP/out")" = 'from the shell' ] || fail 'system: wrong order'
run -e 'probe begin { system("id -u > '"$TMP"'/out.id; echo \"quoted $0\" >> '"$TMP"'/out.id"); exit() }' || fail 'system with quotes fails'
same "$TMP/out.id" "$(id -u)\\nquoted sh\\n"

# log and warn: standard error, in order with the output
"$STAP" --runtime="$RUNTIME" -e 'probe begin { println("1"); log("2"); println("3"); warn("4"); log("5\n"); println("6"); exit() }' > "$TMP/out" 2>&1 || fail 'log fails'
same "$TMP/out" '1\n2\n3\nWARNING: 4\n5\n6\n'

# printk and ftrace: there, or a warning that says why not, once
mark="spile-test-$$-$RUNTIME"
run -e 'probe begin { for (i = 0; i < 30; i++) printk(6, sprintf("%s %d", @1, i)); printk(3, @1 . " last"); ftrace(@1); ftrace(@1); exit() }' "$mark" > "$TMP/out" || fail 'printk fails'
if grep -q '/dev/kmsg' "$TMP/err"; then
	[ "$(grep -c '/dev/kmsg' "$TMP/err")" = 1 ] || fail 'printk warns more than once'
	[ ! -w /dev/kmsg ] || fail 'printk could have worked'
else
	[ "$(dmesg | grep -c "$mark")" = 31 ] || fail 'not all messages of printk are in the log'
fi
if grep -q 'trace_marker' "$TMP/err"; then
	[ "$(grep -c 'trace_marker' "$TMP/err")" = 1 ] || fail 'ftrace warns more than once'
elif [ -r /sys/kernel/tracing/trace ]; then
	[ "$(grep -c "$mark" /sys/kernel/tracing/trace)" = 2 ] || fail 'the messages of ftrace are not in the trace'
fi
exit 0
