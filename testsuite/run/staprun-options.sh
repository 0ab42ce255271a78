#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# What staprun says to bad options and to files that are not Spile's.
set -u
fail() { echo "$1"; cat "$TMP/err"; exit 1; }
refused() { # TEXT OPTION...: exit status 1 and a message that matches
	text=$1; shift
	timeout 20 "$STAPRUN" "$@" > "$TMP/out" 2> "$TMP/err"
	status=$?
	[ $status = 1 ] || fail "staprun $*: status $status"
	grep -q "$text" "$TMP/err" || fail "staprun $*: stderr lacks: $text"
}
object=$("$STAP" --runtime=user -m options_test -p4 -e 'probe begin { println("ran") exit() }' 2> "$TMP/err") ||
	fail 'stap -p4 failed'
[ "$("$STAPRUN" "$object")" = ran ] || fail 'the object does not run'
"$STAPRUN" "$object" >&- 2> "$TMP/err" && fail 'a closed standard output is no error'
grep -q 'E-OUTPUT.*4 bytes of output are lost' "$TMP/err" || fail 'no word of a closed standard output'
"$STAPRUN" -V | grep -q Spile || fail 'no version'
"$STAPRUN" -h | grep -q -e '-d NAME' || fail 'no help'

refused 'E-OPTION.*no object'
refused 'E-OPTION.*more than one' "$object" "$object"
refused 'E-OPTION.*-q' -q "$object"
refused 'E-OPTION.*lacks its value' -c
for mb in 0 4096 x 1x -1 ''; do refused 'E-OPTION.*-b takes 1 to 4095' -b "$mb" "$object"; done
for pid in 0 -1 x 99999999999; do refused 'E-OPTION.*-x takes' -x "$pid" "$object"; done
refused 'E-OPTION.*exclude' -x 1 -c true "$object"

refused 'E-FILE.*No such file' "$TMP/nothing.uo"
refused 'E-FILE.*not made by Spile' "$TMP"
refused 'E-FILE.*not made by Spile' /bin/true
refused 'E-FILE.*not made by Spile' /dev/null
echo 'some text' > "$TMP/text.uo"
refused 'E-FILE.*not made by Spile' "$TMP/text.uo"
: > "$TMP/empty.uo"
refused 'E-FILE.*not made by Spile' "$TMP/empty.uo"
echo 'int x;' | gcc -c -x c - -o "$TMP/plain.ko"
refused 'E-FILE.*not made by Spile.*\.spile' "$TMP/plain.ko"

# Cut anywhere, an object is refused, never a crash.
size=$(stat -c %s "$object")
for ((n = 0; n < size; n += size / 40 + 1)); do
	head -c $n "$object" > "$TMP/cut.uo"
	refused 'E-FILE' "$TMP/cut.uo"
done

refused 'E-LOAD.*not loaded' -d no_such_module
refused 'E-OPTION.*no name' -d ../etc
