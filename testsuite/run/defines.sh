#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: user
# -D takes limits, silently what SystemTap knows and Spile has no use for, and with -g anything.
set -u
script='probe begin { println("ran") exit() }'
good() {
	[ "$("$STAP" --runtime=user "$@" -e "$script" 2> "$TMP/err")" = ran ] && [ ! -s "$TMP/err" ] ||
		{ echo "stap $*:"; cat "$TMP/err"; exit 1; }
}
refused() { # TEXT OPTION...
	text=$1; shift
	"$STAP" --runtime=user "$@" -e "$script" > "$TMP/out" 2> "$TMP/err" && { echo "stap $*: accepted"; exit 1; }
	grep -q "E-OPTION" "$TMP/err" && grep -q -e "$text" "$TMP/err" || { echo "stap $*:"; cat "$TMP/err"; exit 1; }
}
good -D MAXACTION=5 -DMAXNESTING=0 -DMAXERRORS=0x10
good -DSTP_NO_OVERLOAD -DKRETACTIVE=100 -DMAPHASHBIAS=2
good -g -DMY_OWN -DMY_OTHER=x
refused 'did you mean -DMAXACTION?' -DMAXACTIONS=5
refused 'did you mean -DSTP_NO_OVERLOAD?' -DSTP_NO_OVERLOADS
refused 'no limit is called MY_OWN' -DMY_OWN
refused 'write -DMAXACTION=NUMBER' -DMAXACTION
refused 'from 1 to 1000000000' -DMAXACTION=0
refused 'not "many"' -DMAXERRORS=many
refused 'needs guru mode' --suppress-time-limits
exit 0
