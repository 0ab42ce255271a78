#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# host: no
# slow: yes
# timeout: 300
# The kernel's part of modules is built once, two builds at once do no harm, damage is noticed; kbuild alone gives the same.
set -u
fail() { echo "$1"; cat "$TMP"/err* "$TMP"/out*; exit 1; }
export XDG_CACHE_HOME="$TMP/cache"
mkdir -p "$XDG_CACHE_HOME"
hello() { # NUMBER
	"$STAP" -v --runtime=kernel -e 'probe begin { println("hello") exit() }' > "$TMP/out$1" 2> "$TMP/err$1" &&
		[ "$(cat "$TMP/out$1")" = hello ]
}
built() { grep -q 'built the kernel runtime' "$TMP/err$1"; }

hello 1 & first=$!
hello 2 || fail 'the second of two builds at once failed'
wait $first || fail 'the first of two builds at once failed'
built 1 || built 2 || fail 'nothing was built'
hello 3 || fail 'a run with the cache filled failed'
built 3 && fail 'the kernel part was built again'
for object in "$XDG_CACHE_HOME"/spile/lkm/*/runtime.o; do printf x >> "$object"; done
hello 4 || fail 'a run with a damaged cache failed'
built 4 || fail 'damage was not noticed'
SPILE_BUILD=kbuild hello 5 || fail 'the long road failed'
