#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# para-callgraph.stp of systemtap-doc, unmodified, over ten threads at once: each thread's calls, arguments, results and
# indentation are what the program itself wrote down.
set -u
here=$(dirname "$(readlink -f "$0")")
fail() { echo "$1"; head -40 "$TMP/err" "$TMP/out"; exit 1; }
script=/usr/share/systemtap/examples/general/para-callgraph.stp
[ -f "$script" ] || fail "the package systemtap-doc is missing: $script"
gcc -O2 -g -pthread -fno-optimize-sibling-calls -o "$TMP/callgraph" "$here/prog/callgraph.c"
mkdir "$TMP/logs"
"$STAP" --runtime="$RUNTIME" -w -DMAXTRYLOCK=10000 "$script" "process(\"$TMP/callgraph\").function(\"[a-z]*_*@callgraph.c\")" \
	-c "$TMP/callgraph $TMP/logs" > "$TMP/out" 2> "$TMP/err" || fail 'stap failed'
[ ! -s "$TMP/err" ] || fail 'there were complaints'
# "   12 callgraph(123):  ->leaf_one letter=0x1": time and name away, one file a thread
sed -n 's/^ *[0-9]* callgraph(\([0-9]*\)):/\1|/p' "$TMP/out" | awk -F'|' -v dir="$TMP" '{ print $2 > (dir "/seen." $1) }'
for log in "$TMP"/logs/log.*; do
	awk '/^<-/ { depth-- } { printf "%*s%s\n", depth, "", $0 } /^->/ { depth++ }' "$log" > "$TMP/want"
	diff "$TMP/want" "$TMP/seen.${log##*.}" || fail "thread ${log##*.}: left is what it called"
done
[ "$(cat "$TMP"/logs/log.* | wc -l)" = "$(wc -l < "$TMP/out")" ] || fail 'more was seen than was called'
