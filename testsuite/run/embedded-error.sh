#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel
# timeout: 240
# guests: 6.12
# What the C compiler says of embedded C names the script's file and line, not those of what was made of it.
set -eu
cat > "$TMP/wrong.stp" <<'S'
function f:long(x:long) %{
	int unused = 1;
	STAP_RETVALUE = no_such_thing(STAP_ARG_x);
%}
probe begin { println(f(1)) exit() }
S
if "$STAP" --runtime=kernel -g -p4 -m wrong "$TMP/wrong.stp" > "$TMP/out" 2> "$TMP/err"; then
	echo "it compiled"
	exit 1
fi
grep -F 'error[E-BUILD]' "$TMP/err"
grep -F "$TMP/wrong.stp:3:" "$TMP/err" | grep -F no_such_thing
