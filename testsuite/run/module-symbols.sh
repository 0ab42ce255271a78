#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# timeout: 180
# What a module leaves to others must be exported by the kernel: an object missing in its link is noticed here, where
# nothing is loaded. The script uses every part of the module runtime; all installed headers serve.
set -u
cat > "$TMP/all.stp" << 'END'
global a[50], text, st, by, wrapped%[3], n
function fact(x) { return x < 2 ? 1 : x * fact(x - 1) }
function kind:string(x) { if (x > 2) next; return "small" }
function kind:string(x) { return "large" }
probe begin(-1) {
	n += fact(5)
	a["x", n] = n; text[n] .= sprintf("%5d|%-8s|%#x|%c|%p|%b", n, "s", n, 65, n, n)
	st <<< n; by[n] <<< n; wrapped[n] = n
	printf("%d %d %d %d %d %d\n", @count(st), @sum(st), @min(st), @max(st), @avg(st), @variance(st))
	print(@hist_log(st)); println(sprint(@hist_linear(by[n], 0, 100, 10)), @hist_log(st)[3])
	foreach (b in @hist_log(st)) n += b
	foreach ([s, k-] in a["x", *] limit 5) printf("%s %d\n", s, k)
	foreach (k in by @max-) println(k, @count(by[k]))
	foreach (v = k in text+) { println(v); break }
	delete a["x", *]; delete text; delete st
	if (text[1] =~ "^([a-z]+)=(.*)$") println(matched(1), ngroups())
	println(substr(kind(n), 1, 2), " ", strlen("abc"), " ", isinstr("abc", "b"), " ", strtol("12", 10), " ", text_str("\t"),
		" ", str_replace("abc", "b", "x"), " ", tokenize("a b", " "), " ", stringat("a", 0), " ", strpos("ab", "b"))
	try { println(n / (n - n)) } catch (m) { println(m) }
	println(pid(), tid(), execname(), uid(), cpu(), gettimeofday_us(), pp())
	id = speculation(); speculate(id, "text"); commit(id); discard(id)
	warn("w"); log("l"); system("true"); printk(6, "k")
}
probe timer.ms(10), timer.jiffies(3) { n++ }
probe timer.profile { by[cpu()] <<< n }
probe kprobe.function("vfs_read") { a[execname(), tid()]++ }
probe kprobe.function("vfs_read").return { a[sprintf("%d", $return), 1]++ }
probe process(@1).function("work") { println(user_string($arg4), @uderef(4, $arg4), $arg1) }
probe process(@1).function("work").return { printf("%#m %d %d\n", n, $return, @entry($arg1)) }
probe end, error { println(n); exit() }
END
seen=0
for symbols in /lib/modules/*/build/Module.symvers; do
	[ -r "$symbols" ] || continue
	seen=1
	release=$(basename "${symbols%/build/*}")
	"$STAP" -w -g -p4 -r "$release" --runtime=kernel -m "sp_symbols" "$TMP/all.stp" "$PROG_DIR/work" > "$TMP/out" 2> "$TMP/err" ||
		{ echo "$release: no module was made"; cat "$TMP/err"; exit 1; }
	nm -u "sp_symbols.ko" | awk '{ print $2 }' | sort -u > "$TMP/wanted"
	[ "$(wc -l < "$TMP/wanted")" -gt 20 ] || { echo "$release: hardly an undefined symbol"; cat "$TMP/wanted"; exit 1; }
	awk '{ print $2 }' "$symbols" | sort -u | comm -23 "$TMP/wanted" - > "$TMP/missing"
	[ ! -s "$TMP/missing" ] || { echo "$release: neither linked nor exported:"; cat "$TMP/missing"; exit 1; }
done
[ $seen = 1 ] || echo 'skipped: no kernel headers are installed here (package linux-headers-...)'
