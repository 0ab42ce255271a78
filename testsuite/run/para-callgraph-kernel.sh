#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# timeout: 240
# para-callgraph.stp of systemtap-doc, unmodified, over kernel functions with vfs_read as trigger: calls and returns nest, nothing is
# lost. By debug information where that is installed (SPILE_TEST_DEBUG_ROOT), else by the kernel's own types.
set -u
fail() { echo "$1"; head -60 "$TMP/err" "$TMP/out"; exit 1; }
script=/usr/share/systemtap/examples/general/para-callgraph.stp
[ -f "$script" ] || fail "the package systemtap-doc is missing: $script"
points='kernel.function("proc_reg_*")'
[ -z "${SPILE_TEST_DEBUG_ROOT:-}" ] || { export SPILE_KERNEL_ROOT=$SPILE_TEST_DEBUG_ROOT; points='kernel.function("*@fs/proc*.c")'; }
"$STAP" --runtime="$RUNTIME" -w -DMAXTRYLOCK=10000 "$script" "$points" 'kernel.function("vfs_read")' \
	-c "cat /proc/version" > "$TMP/out" 2> "$TMP/err" || fail 'stap failed'
grep -E 'skipped|lost' "$TMP/err" && fail 'something was skipped or lost'
grep -q '^Linux version' "$TMP/out" || fail 'the command did not print'
grep -E '^ *[0-9]+ cat\([0-9]+\):' "$TMP/out" | sed 's/^ *[0-9]* cat([0-9]*)://' > "$TMP/cat"
awk '
	{ match($0, /^ */); depth = RLENGTH; line = substr($0, depth + 1); name = line; sub(/^../, "", name); sub(/ .*/, "", name) }
	line ~ /^->/ { if (depth != open) { print "depth " depth " where " open " are open: " $0; bad = 1 } stack[open++] = name }
	line ~ /^<-/ { if (!open || stack[open - 1] != name || depth != open - 1) { print "returns from what was not called last: " $0; bad = 1 } open-- }
	END { if (open) { print open " calls did not return"; bad = 1 } if (NR < 4) { print "only " NR " lines"; bad = 1 } exit bad }
' "$TMP/cat" || fail 'calls and returns do not nest'
