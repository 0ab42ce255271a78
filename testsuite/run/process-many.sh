#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf user
# More programs than can be told apart are refused in pass 2, and 32 are not.
set -u
for k in $(seq 33); do
	cp /bin/true "$TMP/p$k"
	echo "probe process(\"$TMP/p$k\").begin { println(pp()) }"
done > "$TMP/33.stp"
head -32 "$TMP/33.stp" > "$TMP/32.stp"
[ "$RUNTIME" = user ] && runtime=bpf || runtime=$RUNTIME
"$STAP" --runtime="$runtime" -p2 "$TMP/32.stp" > "$TMP/out" 2> "$TMP/err" || { echo '32 are refused'; cat "$TMP/err"; exit 1; }
"$STAP" --runtime="$runtime" -p2 "$TMP/33.stp" > "$TMP/out" 2> "$TMP/err" && { echo '33 are taken'; exit 1; }
grep -q 'more than 32 programs in one script: .*/p33 is one too many' "$TMP/err" || { cat "$TMP/err"; exit 1; }
