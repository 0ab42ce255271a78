#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# timeout: 240
# The process that examples/pagecache.stp names is the one that read a file that was not cached, and its count is what tracefs
# itself recorded for it in the same run, from before the process existed until it ended. SECONDS_TO_RUN=30 MIB=64 runs the
# script as it is; the default suits an emulated machine.
set -eu
here=$(dirname "$(readlink -f "$0")")
t=/sys/kernel/tracing
[ -d $t/events ] || mount -t tracefs none $t
secs=${SECONDS_TO_RUN:-15}
sed "s/timer.s(30)/timer.s($secs)/" "$here/../../examples/pagecache.stp" > "$TMP/pagecache.stp"
big=$(find /usr/lib /usr/bin -xdev -maxdepth 2 -type f -size +64M 2> /dev/null | head -n 1)
[ -n "$big" ] || { echo "no file of 64 MiB under /usr/lib to read"; exit 1; }
echo 3 > /proc/sys/vm/drop_caches
inst=$t/instances/spile
mkdir $inst
trap 'echo 0 > $inst/events/filemap/mm_filemap_add_to_page_cache/enable; rmdir $inst' EXIT
echo 40000 > $inst/buffer_size_kb

cat > "$TMP/reader.sh" <<'R'
echo $$ > "$1/reader.pid"
exec dd if="$2" of=/dev/null bs=1M count=$3 status=none
R
# a virtual CPU may be off for longer than handlers wait for a lock by default
"$STAP" --runtime="$RUNTIME" -DMAXTRYLOCK=10000 -v "$TMP/pagecache.stp" > "$TMP/out" 2> "$TMP/err" &
stap=$!
for _ in $(seq 600); do grep -q 'starting run' "$TMP/err" && break; sleep 0.1; done
sleep 3
echo 1 > $inst/events/filemap/mm_filemap_add_to_page_cache/enable
sh "$TMP/reader.sh" "$TMP" "$big" "${MIB:-16}"
echo 0 > $inst/events/filemap/mm_filemap_add_to_page_cache/enable
kill -0 $stap || { echo "the reader took longer than stap ran"; exit 1; }
wait $stap || { cat "$TMP/err"; exit 1; }
pid=$(cat "$TMP/reader.pid")
counted=$(grep mm_filemap_add_to_page_cache $inst/trace | grep -c -- "-$pid  *\[")
grep -E '^WARNING' "$TMP/err" && { echo "hits were skipped or lost"; exit 1; }
echo "reader: pid $pid, tracefs saw $counted additions; stap says: $(cat "$TMP/out") (in $secs s)"
[ "$counted" -gt 100 ]
[ "$(cat "$TMP/out")" = "Pid $pid added $counted pages" ]
