#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# A kernel whose headers are not installed: the message names the package.
set -u
out=$("$STAP" --runtime=kernel -r 6.1.0-0-nosuch-amd64 -p4 -e 'probe begin { exit() }' 2>&1) && { echo "$out"; exit 1; }
case $out in *E-NO-HEADERS*linux-headers-6.1.0-0-nosuch-amd64*) ;; *) echo "$out"; exit 1 ;; esac
