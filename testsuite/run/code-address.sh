#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# Functions and statements by the address that nm shows: checked, .nearest, anything with -g; MATCHALL for callees.
set -u
fail() { echo "$1"; cat "$TMP"/*; exit 1; }
prog=$PROG_DIR/lines
addr() { echo "0x$(nm "$1" | awk -v name="$2" '$3 == name { print $1 }' | sed 's/^0*//')"; }
sum=$(addr "$prog" sum)
within=$(printf '0x%x' $((sum + 1))) # endbr64 or push: no statement begins there
stap() { "$STAP" --runtime="$RUNTIME" "$@" > "$TMP/out" 2> "$TMP/err"; }

stap -c "$prog" -e "
	probe process(\"$prog\").function($within) { printf(\"%s %d %d\n\", \$\$name, \$n, pp() =~ \"function.$within.\$\") }
	probe process(\"$prog\").function($sum).return { println(\"returns \", \$return) }
	probe process(\"$prog\").statement($within).nearest { println(\"nearest \", \$n) }
	probe process(\"$prog\").statement($sum) { println(\"begins\") }" || fail 'addresses'
[ "$(sort "$TMP/out" | tr '\n' ' ')" = 'begins nearest 3 returns 14 sum 3 1 ' ] || fail 'what addresses print'
stap -p2 -e "probe process(\"$prog\").statement($within) { println(1) }" && fail 'an address within a statement is taken'
grep -q "E-PROBE-ARG.*no statement begins at $within in sum" "$TMP/err" || fail 'no word of the statement'
grep -q 'hint: .nearest takes the first; with -g any address is taken' "$TMP/err" || fail 'no word of -g'
stap -g -p2 -e "probe process(\"$prog\").statement($within) { println(1) }" || fail 'with -g'
grep -q "statement($within)" "$TMP/out" || fail 'another address with -g'

stap -DSTAP_CALLEE_MATCHALL -c "$PROG_DIR/callees" -e "
	global n probe process(\"$PROG_DIR/callees\").function(\"other\").callee(\"leaf\") { n++ }
	probe end { println(n) }" || fail 'MATCHALL'
[ "$(cat "$TMP/out")" = 8 ] || fail 'MATCHALL counts calls by others, too'
