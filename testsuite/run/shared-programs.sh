#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# Probes that share an eBPF program tell themselves apart by stubs where the kernel has no cookies.
set -u
fail() { echo "$1"; cat "$TMP"/err; exit 1; }
cd "$(dirname "$(readlink -f "$0")")"
gcc -O2 -g -o "$TMP/places" prog/places.c
SPILE_BPF_LACKS=cookies timeout 60 "$STAP" --bpf shared-handlers.stp "$TMP/places" -c "$TMP/places" > "$TMP/out" 2> "$TMP/err" || fail 'stap failed'
diff "$TMP/out" shared-handlers.out || fail 'not what cookies tell'
