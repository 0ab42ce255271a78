#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# -l and -L: points by pattern, aliases by their own names, variables with types; nothing found is told by the exit status.
set -u
here=$(dirname "$(readlink -f "$0")")
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
stap() { timeout 60 "$STAP" --bpf "$@" > "$TMP/out" 2> "$TMP/err"; }
want() { diff - "$TMP/out" || fail 'not what was wanted'; }

gcc -O2 -g -o "$TMP/places" "$here/prog/places.c"
p="process(\"$TMP/places\").function"
stap -l "$p(\"place_*\")" || fail 'nothing was listed'
sed -i 's/@.*:\([0-9]*\)/@\1/' "$TMP/out"
want << W
$p("place_first@13")
$p("place_second@19")
$p("place_third@25")
W
stap -L "$p(\"p*_*t\").call" || fail 'nothing was listed'
sed -i 's/.*\(p[a-z_]*\)@[^ ]* /\1 /' "$TMP/out"
grep -qx 'place_first $v:int $twice:long int' "$TMP/out" || fail 'variables'
stap -L "$p(\"point_early\")" && grep -q ' \$p:const struct early\*$' "$TMP/out" || fail 'a pointer'
stap -l "$p(\"nobody\")" && fail 'status 0 for nothing'
grep -q E-UNKNOWN-PROBE "$TMP/err" || fail 'no message'
[ ! -s "$TMP/out" ] || fail 'output for nothing'
# an alias is listed by its own name, once, with what it sets
stap -L 'mine.*' -E 'probe mine.first = begin, end { size = 3; name = "x" } probe mine.second = timer.s(1) { }' || fail 'aliases'
want << W
mine.first size:long name:string
mine.second
W
stap -l begin -e 'probe end { }' && fail 'a script and a list'
grep -q E-OPTION "$TMP/err" || fail 'no message'
stap --dump-probe-types || fail 'types'
grep -qxF 'kernel.function(string).return' "$TMP/out" && grep -qxF 'timer.ms(number)' "$TMP/out" || fail 'types'
