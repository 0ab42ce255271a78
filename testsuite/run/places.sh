#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# slow: yes
# guests: 6.1
# timeout: 400
# The table of places (testsuite/places): every variable that a probe prints against what the program prints. On the host 32
# programs, in a guest two of them with eBPF and four as a module.
set -eu
only=()
case $RUNTIME:$TMP in
kernel:/job/*) only=(--only gcc-O2-dwarf5-pie,clang-O0-dwarf4-nopie) ;;
bpf:/job/*) only=(--only gcc-O2-dwarf5-pie) ;;
esac
python3 "$TOP/testsuite/places/places.py" --stap "$STAP" --runtime "$RUNTIME" --tmp "$TMP" "${only[@]}"
