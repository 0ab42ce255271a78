#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# More probes than the limit of open files allows: the limit is raised, and no probe is missing.
set -u
fail() { echo "$1"; cat "$TMP"/err; exit 1; }
{ for i in $(seq 60); do echo "__attribute__((noinline, noclone)) int many_$i(int x) { __asm__ volatile(\"\"); return x + $i; }"; done
	echo 'int main(void) { int x = 0;'; for i in $(seq 60); do echo "x ^= many_$i(x);"; done; echo 'return x == 12345678; }'; } > "$TMP/many.c"
gcc -g -O1 -o "$TMP/many" "$TMP/many.c"
ulimit -Sn 100
"$STAP" --runtime="$RUNTIME" -e 'global n probe process(@1).function("many_*") { n++ } probe end { println(n) }' "$TMP/many" \
	-c "$TMP/many" > "$TMP/out" 2> "$TMP/err" || fail 'stap failed'
[ "$(cat "$TMP/out")" = 60 ] || fail "$(cat "$TMP/out") of 60 were seen"
