#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# Records that find no room while the reader stalls are counted: lines printed and records lost add up to the hits.
set -u
fail() { echo "$1"; tail -n 3 "$TMP/out"; cat "$TMP/err"; exit 1; }
"$STAP" --runtime="$RUNTIME" -s 1 -c 'dd if=/dev/zero of=/dev/null bs=1 count=60000' -e 'global hits
	probe kernel.trace("sys_enter") { if (pid() == target()) { hits++; printf("%500s\n", "x") } }
	probe end { printf("hits %d\n", hits) }' 2> "$TMP/err" | { read -r first; sleep 6; cat; } > "$TMP/out"
[ "${PIPESTATUS[0]}" = 0 ] || fail 'lost records alone are no failure, yet the exit status is not 0'
lost=$(sed -n 's/^WARNING: \([0-9]*\) records lost: buffer too small, try -s 2 \[W-LOST\]$/\1/p' "$TMP/err")
[ "${lost:-0}" -gt 0 ] || fail 'no word of lost records'
lines=$(($(grep -c ' x$' "$TMP/out") + 1)) # and the first
hits=$(sed -n 's/^hits \([0-9]*\)$/\1/p' "$TMP/out")
[ $((lines + lost)) = "$hits" ] || fail "$lines lines and $lost lost are not $hits hits"
