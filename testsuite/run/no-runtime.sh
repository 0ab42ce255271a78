#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# Root without capabilities, as in a container: the message says what is missing.
set -u
out=$(setpriv --bounding-set=-all --inh-caps=-all "$STAP" --runtime="$RUNTIME" -e 'probe begin { exit() }' 2>&1) && { echo "it ran: $out"; exit 1; }
case $out in *E-NO-RUNTIME*CAP_BPF*) ;; *) echo "$out"; exit 1 ;; esac
