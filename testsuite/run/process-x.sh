#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# in-guest: yes
# timeout: 240
# -x takes in the descendants that are there, and all that are made while the probes are armed. kernel.trace is not restricted.
set -u
storm=0
fail() { [ $storm = 0 ] || kill -- "-$storm" 2> /dev/null; echo "$1"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
cat > "$TMP/storm.c" <<'C'
#include <sys/wait.h>
#include <unistd.h>
static void pair(void)
{
	for (;;) {
		if (!fork()) {
			if (!fork())
				_exit(0);
			wait(0);
			_exit(0);
		}
		wait(0);
		usleep(500);
	}
}
int main(void)
{
	for (int k = 0; k < 3; k++)
		if (!fork())
			pair();
	for (;;)
		pause();
}
C
gcc -O1 -o "$TMP/spilestorm" "$TMP/storm.c" || fail 'no program'
cat > "$TMP/s.stp" <<'S'
global forks, ours, begins, ends, other, seen
probe kernel.trace("sched_process_fork") {
	# one that came and went while probes were armed has no begin
	if (execname() == "spilestorm" && @count(seen)) {
		forks <<< 1
		if (target_set_pid(pid())) ours <<< 1
	}
}
probe process.begin { if (execname() == "spilestorm") begins <<< 1; else other <<< 1; if (pid() == target()) seen <<< 1 }
probe process.end { if (execname() == "spilestorm") ends <<< 1; else other <<< 1 }
probe timer.s(2) { exit() }
probe end {
	printf("%d %d %d\n", target_set_pid(target()), target_set_pid(1), @count(seen))
	f = @count(forks); b = @count(begins); e = @count(ends)
	printf("%s %s %s %d\n", f > 50 ? "many" : "few", f == @count(ours) ? "all" : sprintf("%d of %d", @count(ours), f),
		b >= f && b <= f + 10 + f / 10 && e <= b && e + 10 >= b ? "balanced" : sprintf("%d forks, %d begins, %d ends", f, b, e), @count(other))
}
S
for round in 1 2; do
	setsid "$TMP/spilestorm" &
	storm=$!
	sleep 0.2
	"$STAP" --runtime="$RUNTIME" -DMAXSKIPPED=0 -x $storm "$TMP/s.stp" > "$TMP/out" 2> "$TMP/err"
	status=$?
	kill -- "-$storm"
	wait "$storm" 2> /dev/null
	storm=0
	[ $status = 0 ] || fail "round $round: exit status $status"
	[ ! -s "$TMP/err" ] || fail "round $round: a complaint"
	printf '1 0 1\nmany all balanced 0\n' | diff - "$TMP/out" || fail "round $round"
done

# A target that ends while the probes are armed: staprun has seen it, and begin probes take their time.
sleep 100 &
gone=$!
"$STAP" --runtime="$RUNTIME" -DMAXACTION_INTERRUPTIBLE=1000000000 -x $gone -e '
	probe begin { t = gettimeofday_ms(); while (gettimeofday_ms() < t + 4000) n++; printf("%d\n", n > 0) }
	probe process.end { exit() }' > "$TMP/out" 2> "$TMP/err" &
stap=$!
for _ in $(seq 600); do
	pgrep -f "staprun .*-x $gone" > "$TMP/found" && break
	sleep 0.1
done
sleep 1
kill $gone
wait $gone 2> /dev/null
wait $stap && fail 'a target that is gone: exit status 0'
grep -q 'error\[E-TARGET\]: process [0-9]* ended before the probes were armed' "$TMP/err" || fail 'a target that is gone: no word of it'
