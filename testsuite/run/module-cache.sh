#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# timeout: 600
# The kernel's part of modules is built once, two builds at once do no harm, damage is noticed; kbuild alone works, too.
# Nothing is loaded: any kernel's headers do.
set -u
fail() { echo "$1"; cat "$TMP"/err* "$TMP"/out*; exit 1; }
headers=$(ls -d /lib/modules/*/build/Module.symvers 2> /dev/null | head -n 1)
[ "$headers" ] || { echo 'no kernel headers are installed here'; exit 1; }
release=$(basename "${headers%/build/*}")
export XDG_CACHE_HOME="$TMP/cache"
mkdir -p "$XDG_CACHE_HOME"
build() { # NUMBER
	"$STAP" -v -p4 -r "$release" --runtime=kernel -e 'probe begin { println("hello") exit() }' \
		> "$TMP/out$1" 2> "$TMP/err$1" && [ -s "$(cat "$TMP/out$1")" ]
}
built() { grep -q 'built the kernel runtime' "$TMP/err$1"; }

build 1 & first=$!
build 2 || fail 'the second of two builds at once failed'
wait $first || fail 'the first of two builds at once failed'
built 1 || built 2 || fail 'nothing was built'
[ "$(ls "$XDG_CACHE_HOME/spile/lkm" | wc -l)" = 1 ] || fail 'something else than one entry is in the cache'
build 3 || fail 'a build with the cache filled failed'
built 3 && fail 'the kernel part was built again'
for object in "$XDG_CACHE_HOME"/spile/lkm/*/runtime.o; do printf x >> "$object"; done
build 4 || fail 'a build with a damaged cache failed'
built 4 || fail 'damage was not noticed'
SPILE_BUILD=kbuild build 5 || fail 'the long road failed'
readelf -SW "$(cat "$TMP/out5")" | grep -q '\.spile ' || fail 'the long road lost the image'
