#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# timeout: 200
# What strains a verifier: thousands of statements, branches, locals, array operations and errors in a handler, long
# loops and strings, deep calls. Every case prints in the kernel what it prints in user space.
set -u
python3 "$TESTDIR/prog/large.py" "$TMP" || exit 1
status=0
lacking=0
for file in "$TMP"/*.user; do
	name=$(basename "$file" .user)
	read -r options < "$TMP/$name.options"
	# shellcheck disable=SC2086 # several options
	"$STAP" --runtime=user $options "$file" > "$TMP/want" 2> "$TMP/err" || { echo "$name: not in user space:"; cat "$TMP/err"; exit 1; }
	# shellcheck disable=SC2086
	"$STAP" --bpf $options -c "$PROG_DIR/work" "$TMP/$name.bpf" "$PROG_DIR/work" > "$TMP/got" 2> "$TMP/err"
	# 5.10 cannot iterate over an array
	if [ "$name" = foreach ] && grep -q E-KERNEL-FEATURE.*for_each "$TMP/err"; then
		lacking=1
		continue
	fi
	cmp -s "$TMP/want" "$TMP/got" && [ -s "$TMP/got" ] && continue
	echo "$name:"
	head -c 2000 "$TMP/err"
	head -c 300 "$TMP/got"
	status=1
done
[ $lacking = 0 ] || [ "$(uname -r | cut -d. -f1)" -lt 6 ] || status=1
exit $status
