#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# No compiler on the PATH: the message names the packages to install.
set -u
mkdir "$TMP/nothing"
release=$(basename "$(dirname "$(ls -d /lib/modules/*/build | head -n 1)")")
out=$(PATH=$TMP/nothing "$STAP" --runtime=kernel -r "$release" -p4 -e 'probe begin { exit() }' 2>&1) && { echo "$out"; exit 1; }
case $out in *E-BUILD*apt-get\ install\ gcc*) ;; *) echo "$out"; exit 1 ;; esac
