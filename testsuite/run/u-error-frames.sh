#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# The same from handlers in the kernel: inlined calls, calls that recurse, a function too large to be inlined.
set -u
{
	echo 'function big(x, t) {'
	for i in $(seq 60); do echo "if (x == $i) t += $i * x"; done
	echo 'return t / x }'
	cat <<'EOF'
function inner(x) { return 100 / x }
function down(n) { return n ? 1 + down(n - 1) : inner(n) }
function outer(x) { return big(x, x) }
probe process(@1).function("work") {
	if ($arg1 == 1) down(1)
	if ($arg1 == 2) down(8)
	if ($arg1 == 3) try { big(0, 3) } catch (m) { println(m) }
	if ($arg1 == 4) down(99)
	if ($arg1 == 5) outer(0)
}
EOF
} > "$TMP/script.stp"
name=$PROG_DIR/work
pp="process(\"$name\").function(\"work\")"
sed "s|PP|$pp|" > "$TMP/want" <<'EOF'
ERROR: division by 0 near operator '/' at <input>:63:32 (called from identifier 'inner' at <input>:64:49) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:67:18) in probe PP
ERROR: division by 0 near operator '/' at <input>:63:32 (called from identifier 'inner' at <input>:64:49) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) ... in probe PP
ERROR: MAXNESTING exceeded near identifier 'down' at <input>:64:35 (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) (called from identifier 'down' at <input>:64:35) ... in probe PP
ERROR: division by 0 near operator '/' at <input>:62:10 (called from identifier 'big' at <input>:65:28) (called from identifier 'outer' at <input>:71:18) in probe PP
WARNING: Number of errors: 4, skipped probes: 0
EOF
"$STAP" --runtime="$RUNTIME" -DMAXERRORS=10 -c "$name" - "$name" < "$TMP/script.stp" > "$TMP/out" 2> "$TMP/err"
[ $? = 1 ] || { echo 'exit status is not 1'; cat "$TMP/err"; exit 1; }
echo 'division by 0' | cmp - "$TMP/out" || exit 1
grep -v '^Pass 5' "$TMP/err" | sed 's/function("work@[^"]*work.c:[0-9]*")/function("work")/' | diff "$TMP/want" - || exit 1
