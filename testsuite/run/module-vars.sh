#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# guests: 6.1 6.12
# kmod: yes
# timeout: 300
# What a script prints of a module's variables is what the module (run/kmod/spile_kmod.c) prints itself: bit fields, unions,
# anonymous members, elements, pointers, statics, variables of each CPU, parameters, results.
set -u
fail() { echo "$*"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
insmod "$KMOD_DIR/spile_kmod.ko" || fail "the module does not load"
trap 'rmmod spile_kmod' EXIT
for n in 6 11; do
	"$STAP" --runtime="$RUNTIME" -c "sh -c 'echo $n > /proc/spile_kmod'" "$TESTDIR/kmod/vars.stp" \
		"$KMOD_DIR/spile_kmod.ko" > "$TMP/out" 2> "$TMP/err" || fail "stap failed"
	[ ! -s "$TMP/err" ] || fail "stap complains"
	diff /proc/spile_kmod "$TMP/out" || fail "module and script differ"
	[ "$(wc -l < "$TMP/out")" -ge 50 ] || fail "too few lines"
done
