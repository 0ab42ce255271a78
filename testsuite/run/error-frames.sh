#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a message says about where: the operation, the calls that lead to it, the probe. The same whether a runtime
# inlines calls or not.
set -u
cat > "$TMP/script.stp" <<'EOF'
global keys, s
function inner(x) { return 100 / x }
function middle(x) { if (x > 50) error("mine"); return 1 + inner(x) }
function outer(x) { foreach (k in keys) return middle(x); return 0 }
function down(n) { return n ? 1 + down(n - 1) : inner(0) }
function over(x) { next }
probe begin { keys[1] = 1; println(outer(0)) }
probe begin(1) { println(outer(60)) }
probe begin(2) { println(down(2)) }
probe begin(3) { println(down(9)) }
probe begin(4) { println(down(99)) }
probe begin(5) { try { outer(0) } catch (m) { println(m); println(@avg(s)) } }
probe begin(6) { over(3) }
probe begin(7) { s <<< 1; println(@max(s)); exit() }
EOF
cat > "$TMP/want" <<'EOF'
ERROR: division by 0 near operator '/' at <input>:2:32 (called from identifier 'inner' at <input>:3:60) (called from identifier 'middle' at <input>:4:48) (called from identifier 'outer' at <input>:7:36) in probe begin
ERROR: mine near identifier 'error' at <input>:3:34 (called from identifier 'middle' at <input>:4:48) (called from identifier 'outer' at <input>:8:26) in probe begin(1)
ERROR: division by 0 near operator '/' at <input>:2:32 (called from identifier 'inner' at <input>:5:49) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:9:26) in probe begin(2)
ERROR: division by 0 near operator '/' at <input>:2:32 (called from identifier 'inner' at <input>:5:49) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) ... in probe begin(3)
ERROR: MAXNESTING exceeded near identifier 'down' at <input>:5:35 (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) (called from identifier 'down' at <input>:5:35) ... in probe begin(4)
ERROR: empty aggregate near operator '@avg' at <input>:12:67 in probe begin(5)
ERROR: all functions exhausted near identifier 'over' at <input>:13:18 in probe begin(6)
WARNING: Number of errors: 7, skipped probes: 0
EOF
"$STAP" --runtime="$RUNTIME" -DMAXERRORS=10 - < "$TMP/script.stp" > "$TMP/out" 2> "$TMP/err"
[ $? = 1 ] || { echo 'exit status is not 1'; cat "$TMP/err"; exit 1; }
printf 'division by 0\n1\n' | cmp - "$TMP/out" || exit 1
grep -v '^Pass 5' "$TMP/err" | diff "$TMP/want" - || exit 1
