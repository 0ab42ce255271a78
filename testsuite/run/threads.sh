#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# thread_indent over a program of three threads: every thread's own lines are the tree of calls it made, whatever
# the order in which the threads ran.
set -eu
here=$(dirname "$(readlink -f "$0")")
gcc -O1 -g -fno-optimize-sibling-calls -pthread -o "$TMP/threads" "$here/prog/threads.c"
cat > "$TMP/t.stp" <<'S'
probe process(@1).function("outer"), process(@1).function("inner"), process(@1).function("leaf") {
	printf("%s -> %s\n", thread_indent(1), pp())
}
probe process(@1).function("outer").return, process(@1).function("inner").return, process(@1).function("leaf").return {
	printf("%s <- %s\n", thread_indent(-1), pp())
}
S
"$STAP" --runtime="$RUNTIME" -c "$TMP/threads" "$TMP/t.stp" "$TMP/threads" > "$TMP/out" 2> "$TMP/err" || { cat "$TMP/err" "$TMP/out"; exit 1; }
grep -E '^(WARNING|ERROR)' "$TMP/err" && { echo "something was skipped or lost"; exit 1; }

call() { # DEPTH NAME CALLEES...: the lines of one call, as "depth arrow name"
	local d=$1 n=$2; shift 2
	echo "$d -> $n"
	for c in "$@"; do
		case $c in
		inner) call $((d + 1)) inner leaf leaf ;;
		*) call $((d + 1)) "$c" ;;
		esac
	done
	echo "$d <- $n"
}
for _ in 1 2 3; do call 0 outer inner leaf; done > "$TMP/want"

# "  time name(tid):<indent> -> process("...").function("leaf")[.return]" to "depth arrow name", one file a thread
sed -n 's/^ *[0-9]* threads(\([0-9]*\)):\( *\) \(->\|<-\) .*function("\([a-z]*\)[@"].*/\1|\2|\3 \4/p' "$TMP/out" |
	awk -F'|' -v dir="$TMP" '{ print length($2), $3 > (dir "/thread." $1) }'
n=0
for f in "$TMP"/thread.*; do
	n=$((n + 1))
	diff "$TMP/want" "$f" || { echo "thread ${f##*.}: not the tree that it called (left: what it called)"; head -50 "$TMP/out"; exit 1; }
done
[ "$n" = 3 ] || { echo "$n threads were seen, not 3"; cat "$TMP/out"; exit 1; }
[ "$(wc -l < "$TMP/out")" = "$((n * $(wc -l < "$TMP/want")))" ]
