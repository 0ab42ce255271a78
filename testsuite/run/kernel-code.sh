#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# slow: yes
# timeout: 500
# Lines, addresses and callees of the kernel. With the debug package of Debian's 6.1 unpacked in ~/.cache/spile/dbg the probes run there;
# any other kernel shows what is said without debug information.
set -u
fail() { echo "$1"; cat "$TMP"/*; exit 1; }
root=${SPILE_DEBUG_ROOT:-$HOME/.cache/spile/dbg/root-6.1}
stap() { "$STAP" --runtime="$RUNTIME" "$@" > "$TMP/out" 2> "$TMP/err"; }

if [ "$(uname -r)" != 6.1.0-56-cloud-amd64 ] || [ ! -d "$root" ]; then
	stap -p2 -e 'probe kernel.statement("vfs_read@fs/read_write.c:456") { println(1) }' && fail 'a line without debug information'
	grep -q 'E-UNKNOWN-PROBE.*lines are known by debug information only' "$TMP/err" || fail 'the reason is not told'
	stap -p2 -e 'probe kernel.function("vfs_read").callees { println(1) }' && fail 'callees without debug information'
	grep -q 'E-UNKNOWN-PROBE.*callees are known by debug information only' "$TMP/err" || fail 'no word of debug information'
	exit 0
fi
export SPILE_KERNEL_ROOT=$root
stap -w -c "$PROG_DIR/files" -e '
	global reads, at_line, within, verified, returned, others, all, calls, inlined, first
	probe kernel.function("vfs_read@fs/read_write.c:450").call { if (pid() == target()) reads++ }
	probe kernel.statement("vfs_read@fs/read_write.c:456") { if (pid() == target()) at_line += $count >= 0 }
	probe kernel.statement("vfs_read@read_write.c:449").nearest { if (pid() == target()) first++ }
	probe kernel.function("vfs_read").callee("rw_verify_area") { if (pid() == target()) verified++ }
	probe kernel.function("vfs_read").callee("rw_verify_area").return { if (pid() == target()) returned += $return == 0 }
	probe kernel.function("vfs_write").callee("rw_verify_area").call { if (pid() == target()) others++ }
	probe kernel.function("rw_verify_area").call { if (pid() == target()) all++ }
	probe kernel.function("rw_verify_area").return.maxactive(20) { if (pid() == target()) calls++ }
	probe kernel.function("add_rchar").inline { if (pid() == target()) inlined++ }
	probe end {
		printf("%d %d %d %d %d\n", reads > 0, reads == at_line, reads == first, verified == reads, returned == verified)
		printf("%d %d %d %d\n", others > 0, all >= verified + others, calls == all, inlined >= reads)
	}' # its program ends with a status of its own, and so does stap
diff "$TMP/out" - <<< $'1 1 1 1 1\n1 1 1 1' || fail 'counts do not agree'
stap -p2 -e 'probe kernel.function("*@init/main.c").call { println(1) }' || fail 'a pattern with functions that are refused'
grep -q 'W-LEFT-OUT' "$TMP/err" || fail 'functions that are left out are not told'
[ "$(wc -l < "$TMP/err")" -lt 6 ] || fail 'more than one warning'
stap -p2 -e 'probe kernel.statement("vfs_read@fs/read_write.c:450") { println(1) }' && fail 'a line without code'
grep -q '451' "$TMP/err" || fail 'the nearest line is not told'
stap -p2 -e 'probe kernel.function("vfs_read").label("nix") { println(1) }' && fail 'an unknown label'
grep -q 'E-UNKNOWN-PROBE.*no label' "$TMP/err" || fail 'the label is not told'
stap -p2 -e 'probe kernel.function(0x1000), kernel.statement("*@fs/read_write.c:455-460") { println(pp()) }' || fail 'an address'
grep -q 'kernel.statement("vfs_read@fs/read_write.c:458")' "$TMP/out" || fail 'a range'
