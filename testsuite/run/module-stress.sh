#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# host: no
# timeout: 120
# Every CPU in handlers at once: a handler's changes are one whole, statistics of all CPUs add up to it, and nothing breaks.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err"; exit 1; }
cat > "$TMP/load" <<'LOAD'
for i in 1 2 3 4; do
	(for k in 1 2 3; do dd if=/dev/zero of=/dev/null bs=64 count=20000 2> /dev/null; ls -R /etc > /dev/null; done) &
done
wait
LOAD
"$STAP" --runtime=kernel -w -DMAXSKIPPED=100000000 -DMAXTRYLOCK=1000 -s 8 -c "sh $TMP/load" -e 'global n, s, a, b, w%[16], ret, prof, lines
	probe kernel.trace("sys_enter") {
		n++
		s <<< 1
		a[tid() % 50, execname()]++
		b[pid() % 50] <<< 1
		w[n % 100] = n
		if (n % 64 == 0) { lines++; printf("line %d of %s\n", n, execname()) }
	}
	probe kprobe.function("vfs_read").return { ret <<< retval() >= 0 }
	probe timer.profile { prof <<< 1 }
	function retval:long() { return 1 }
	probe timer.ms(7) {
		foreach ([t, e] in a- limit 5) top += a[t, e]
		foreach (p in b+) all += @count(b[p])
		if (all != n) { printf("statistics of %d for %d\n", all, n) }
	}
	probe end {
		foreach ([t, e] in a) sum += a[t, e]
		foreach (p in b) all += @count(b[p])
		foreach (k in w) if (w[k] > n) bad++
		printf("end %d %d %d %d %d bad %d %d %d\n", n == @count(s), n == sum, n == all, @count(ret) > 1000, @count(prof) > 10,
			bad, lines, n > 200000)
	}' > "$TMP/out" 2> "$TMP/err" || fail 'it failed'
lines=$(grep -c '^line ' "$TMP/out")
[ "$(grep -v '^line ' "$TMP/out")" = "end 1 1 1 1 1 bad 0 $lines 1" ] || { grep -v '^line ' "$TMP/out" | tail -n 5; fail 'wrong sums'; }
! grep -v 'WARNING: Number of errors: 0, skipped probes' "$TMP/err" || fail 'a complaint'
