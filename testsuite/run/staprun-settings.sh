#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# in-guest: yes
# NAME=VALUE behind the object: an object that is there already starts with other values.
set -u
fail() { echo "$1"; cat "$TMP"/err; exit 1; }
probe='begin'
command=true
[ "$RUNTIME" = user ] || { probe='process("'$PROG_DIR'/calls").function("main")'; command="$PROG_DIR/calls"; }
script='global n = 3, s = "text", kept = 1, arr
probe '$probe' { if (!arr[1]++) printf("%d [%s] %d\n", n, s, kept) }'
object=$("$STAP" --runtime="$RUNTIME" -m settings_test -p4 -e "$script" 2> "$TMP/err") || fail 'stap -p4 failed'
run() { timeout 60 "$STAPRUN" -c "$command" "$object" "$@" 2> "$TMP/err"; }
want() { # TEXT SETTING...
	local text=$1 got; shift
	got=$(run "$@") || fail "staprun $*: status $?"
	[ "$got" = "$text" ] || fail "staprun $*: $got"
}
refused() { # TEXT SETTING...
	local text=$1; shift
	run "$@" && fail "staprun $*: not refused"
	grep -q -- "$text" "$TMP/err" || fail "staprun $*: stderr lacks: $text"
}
want '3 [text] 1'
want '-9 [ two  words ] 1' n=-9 's= two  words '
want '9223372036854775807 [] 8' n=0x7fffffffffffffff s= kept=010
long=$(printf '%0600d' 7)
want "3 [${long:0:511}] 1" "s=$long"
refused 'E-OPTION.*no variable "m"' m=3
refused 'E-OPTION.*"3x" is no value for "n", which holds a number' n=3x
refused 'E-OPTION.*"arr" cannot be set: it is an array' arr=3
refused 'E-OPTION.*more than one object' n
