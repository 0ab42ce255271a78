#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each error's text is the same caught and not caught.
set -u
{
	echo 'global a, b[2], s, t[2], zero'
	n=0
	while IFS='|' read -r code text; do
		echo "probe begin($n) { try { $code } catch (m) { println(m) } $code }"
		echo "$text" >> "$TMP/want"
		n=$((n + 1))
	done <<'EOF'
println(1 / zero)|division by 0
println(1 % zero)|division by 0
for (i = 0; i < 9; i++) a[i] = 1|Array overflow, check MAXMAPENTRIES
for (i = 0; i < 9; i++) b[i]++|Array overflow, check size limit (2)
for (i = 0; i < 9; i++) t[i] <<< 1|aggregation overflow in t
println(@avg(s))|empty aggregate
println(@min(s))|empty aggregate
error("my own")|my own
EOF
	echo "probe begin($n) { s <<< 1; println(@sum(s)); exit() }"
} > "$TMP/script.stp"
"$STAP" -w --runtime="$RUNTIME" --no-global-var-display -DMAXERRORS=50 -DMAXMAPENTRIES=4 "$TMP/script.stp" > "$TMP/out" 2> "$TMP/err"
{ cat "$TMP/want"; echo 1; } | diff - "$TMP/out" || { cat "$TMP/err"; exit 1; }
sed -n 's/^ERROR: \(.*\) near .* in probe begin.*/\1/p' "$TMP/err" | diff "$TMP/want" - || exit 1
