#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 120
# Without privileges: a clear refusal that says what to do, and the user runtime still works.
set -u
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups env -u HOME "$@"; }
script='probe begin { println("hello") exit() }'
out=$(as_nobody "$STAP" --runtime="$RUNTIME" -e "$script" 2>&1) && { echo "it ran: $out"; exit 1; }
case $out in *E-NOT-ROOT*root*) ;; *) echo "$out"; exit 1 ;; esac
out=$(as_nobody "$STAP" -e "$script" 2>&1) && { echo "it ran: $out"; exit 1; }
case $out in *E-NOT-ROOT*--runtime=user*) ;; *) echo "$out"; exit 1 ;; esac
[ "$(as_nobody "$STAP" --runtime=user -e "$script")" = hello ]
