#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# in-guest: yes
# timeout: 240
# Probes of a program hold for processes started before and after, by whatever name and in whatever mount namespace they run
# it; not for a copy of it. Threads that are there already begin, too.
set -u
fail() { echo "$1"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
cat > "$TMP/p.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) void work(void) { __asm__ volatile("" ::: "memory"); }
static void *thread(void *arg) { pause(); return arg; }
int main(int argc, char **argv)
{
	pthread_t t;
	int threads = argc > 1 ? atoi(argv[1]) : 0;

	for (int k = 0; k < threads; k++)
		pthread_create(&t, NULL, thread, NULL);
	puts("up");
	fflush(stdout);
	while (getchar() != EOF)
		;
	work();
	return 0;
}
C
gcc -O1 -pthread -o "$TMP/p" "$TMP/p.c" || fail 'no program'
cp "$TMP/p" "$TMP/copy"
ln -s p "$TMP/link"
cp /bin/true "$TMP/last"
touch "$TMP/bound"
mkfifo "$TMP/in1" "$TMP/in2" "$TMP/up1" "$TMP/up2"
"$TMP/p" 3 < "$TMP/in1" > "$TMP/up1" &
one=$!
"$TMP/copy" 1 < "$TMP/in2" > "$TMP/up2" &
exec 5> "$TMP/in1" 6> "$TMP/in2"
read -r _ < "$TMP/up1"
read -r _ < "$TMP/up2"
cat > "$TMP/s.stp" <<'S'
global begins, ends, threads, tends, works, n
probe process(@1).begin { begins[pid()] = ++n }
probe process(@1).end { ends[pid()] = begins[pid()] }
probe process(@1).thread.begin { threads[pid()]++ }
probe process(@1).thread.end { tends[pid()]++ }
probe process(@1).function("work") { works[pid()]++ }
probe process(@1).syscall { if ($syscall == 231) n += 100 }
probe begin { println("armed") }
probe process(@3).begin { exit() }
probe end {
	foreach (p+ in begins) printf("%d: %d %d, threads %d %d, work %d\n", p == $2, begins[p] % 100, ends[p] % 100, threads[p], tends[p], works[p])
	printf("%d calls\n", n / 100)
}
S
"$STAP" --runtime="$RUNTIME" "$TMP/s.stp" "$TMP/p" "$one" "$TMP/last" > "$TMP/out" 2> "$TMP/err" 5>&- 6>&- &
stap=$!
for _ in $(seq 600); do
	grep -q armed "$TMP/out" && break
	kill -0 $stap 2> /dev/null || fail 'stap ended'
	sleep 0.1
done
sleep 2
exec 5>&- 6>&-
wait "$one"
: | "$TMP/link" 2 > "$TMP/log"
unshare -m sh -c 'mount --bind "$1/p" "$1/bound" && : | "$1/bound" 1' sh "$TMP" > "$TMP/log" || fail 'no mount namespace'
sleep 0.3
"$TMP/last"
wait $stap || fail 'an exit status'
[ ! -s "$TMP/err" ] || fail 'a complaint'
cat > "$TMP/want" <<'W'
armed
1: 1 1, threads 3 3, work 1
0: 2 2, threads 2 2, work 1
0: 3 3, threads 1 1, work 1
3 calls
W
# the ids of later processes may be smaller
sort -t: -k2 "$TMP/out" > "$TMP/sorted"
sort -t: -k2 "$TMP/want" | diff - "$TMP/sorted" || fail 'not what ran (left: what did)'
