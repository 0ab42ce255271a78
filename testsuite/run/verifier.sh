#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# A program that the verifier refuses (damaged on purpose: it reads a register that was never set) is reported as our bug,
# with the log kept; a kernel without a needed feature is named before anything is loaded.
set -u
object=$("$STAP" --bpf -p4 -m verifier_test_$$ -e 'global n probe kernel.trace("sched_process_exec") { n++ }' 2> "$TMP/err" | tail -n 1)
[ -s "$object" ] || { cat "$TMP/err"; exit 1; }
trap 'rm -f "$object"' EXIT
out=$(SPILE_BPF_LACKS=ringbuf "$STAPRUN" "$object" 2>&1) && { echo "it ran: $out"; exit 1; }
case $out in *E-KERNEL-FEATURE*ring\ buffer*5.8*) ;; *) echo "$out"; exit 1 ;; esac

python3 - "$object" "$TMP/damaged.bo" <<'P'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
shoff, = struct.unpack_from('<Q', b, 0x28)
size, count, names = struct.unpack_from('<HHH', b, 0x3a)
headers = [struct.unpack_from('<IIQQQQIIQQ', b, shoff + i * size) for i in range(count)]
table = headers[names][4]
for h in headers:
    name = bytes(b[table + h[0]:b.index(0, table + h[0])]).decode()
    if name.startswith('raw_tp') or name.startswith('raw_tracepoint'):
        b[h[4]:h[4] + 8] = bytes([0xbf, 0x90, 0, 0, 0, 0, 0, 0])  # r0 = r9
open(sys.argv[2], 'wb').write(b)
P
out=$(TMPDIR=$TMP "$STAPRUN" "$TMP/damaged.bo" 2>&1) && { echo "it ran: $out"; exit 1; }
case $out in *E-VERIFIER*bug\ in\ Spile*) ;; *) echo "$out"; exit 1 ;; esac
log=$(ls "$TMP"/spile-verifier-* 2>/dev/null | head -n 1)
[ -n "$log" ] || { echo "no log was kept: $out"; exit 1; }
grep -q '!read_ok' "$log" || { echo "the log does not say why"; cat "$log"; exit 1; }
