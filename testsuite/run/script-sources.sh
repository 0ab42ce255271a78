#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# Where scripts come from: a file, standard input, -e, and more of them by -E; what messages call them.
set -u
fail() { echo "$1"; cat "$TMP"/err; exit 1; }
stap() { timeout 20 "$STAP" --runtime=user "$@" 2> "$TMP/err"; }
same() { [ "$1" = "$2" ] || fail "wanted $2, got $1"; }
says() { grep -qF -- "$1" "$TMP/err" || fail "standard error lacks: $1"; }

printf '#!/usr/bin/env stap\nprobe begin { println("file ", @1, $#) exit() }\n' > "$TMP/x.stp"
same "$(stap "$TMP/x.stp" arg)" 'file arg1'
same "$(stap - arg < "$TMP/x.stp")" 'file arg1'
same "$(stap -e 'probe begin { println(f(), @1) exit() }' -E 'function f() { return g }' -E 'global g = 3' arg)" 3arg
# options may follow the script; "--" ends them
same "$(stap "$TMP/x.stp" one -DMAXACTION=100 two)" 'file one2'
same "$(stap "$TMP/x.stp" -- -5)" 'file -51'
stap "$TMP/x.stp" -5 && fail 'no error'
says 'behind "--"'
stap -e 'probe begin { ' && fail 'no error'
says '<input>:1:'
echo 'probe begin { ' | stap - && fail 'no error'
says '<input>:1:'
stap -e 'probe begin { }' -E 'probe end { }' -E 'probe end { 3 + }' && fail 'no error'
says '<input2>:1:'
says '1 parse error.'
stap "$TMP/none.stp" && fail 'no error'
says 'E-FILE'
grep -q 'parse error' "$TMP/err" && fail 'a missing file is no parse error'
: > "$TMP/empty.stp"
stap "$TMP/empty.stp" && fail 'no error'
says 'E-EMPTY-SCRIPT'
says 'the script is empty'

# Arguments nobody uses are told; argv uses all of them.
same "$(stap -e 'probe begin { println(@1) exit() }' a b)" a
says "unused command line option \$2/@2"
same "$(stap -e 'probe begin { printf("%d %s %s\n", argc, argv[2], argv[4]) exit() }' a 'b c' d)" '3 b c '
[ -s "$TMP/err" ] && fail 'a warning where argv is used'

# A library of one's own: its macros, its part for this runtime; a broken file is left out with a warning.
mkdir -p "$TMP/lib/user" "$TMP/lib/bpf"
echo 'function where() { return "general" }' > "$TMP/lib/where.stp"
echo 'function here() { return "user" }' > "$TMP/lib/user/here.stp"
echo 'function here() { return "bpf" }' > "$TMP/lib/bpf/here.stp"
echo '@define twice(x) %( (@x) + (@x) %)' > "$TMP/lib/m.stpm"
same "$(stap -I "$TMP/lib" -e 'probe begin { println(where(), here(), @twice(4)) exit() }')" generaluser8
echo '@define twice(x) %( 3 %)' > "$TMP/lib/n.stpm"
stap -I "$TMP/lib" -e 'probe begin { println(@twice(4)) exit() }' && fail 'no error'
says 'E-DUPLICATE'
says 'the macro @twice is defined in two library files'
echo 'function here( { }' > "$TMP/lib/broken.stp"
same "$(stap -I "$TMP/lib" -e 'probe begin { println(where()) exit() }')" general
says 'W-LIBRARY'
says 'broken.stp is left out'
exit 0
