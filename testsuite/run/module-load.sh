#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# guests: 6.1
# kmod: yes
# timeout: 300
# Modules that are not loaded, come later, go and come again, or are of another build than the script.
set -u
ko=$KMOD_DIR/spile_kmod.ko
fail() { echo "$*"; cat "$TMP/out" "$TMP/err" 2> /dev/null; exit 1; }
stap() { "$STAP" --runtime="$RUNTIME" "$@" > "$TMP/out" 2> "$TMP/err"; }
wants() { [ "$(cat "$TMP/out")" = "$1" ] || fail "wanted: $1"; }

script="probe module(\"$ko\").function(\"kmod_started\") { printf(\"%d %d %d\\n\", \$value, \$kmod_static, \$kmod_global) }
	probe kprobe.module(\"spile_kmod\").function(\"kmod_double\").call { printf(\"double %d\\n\", \$arg1) }
	probe kprobe.module(\"spile_kmod\").function(\"kmod_double\").return { println(\$return) }
	probe end { println(\"end\") }"
if [ "$RUNTIME" = kernel ]; then
	stap -e "$script" -c "sh -c 'for i in 1 2; do insmod $ko; echo 5 > /proc/spile_kmod; rmmod spile_kmod; done'" ||
		fail "the module was not waited for"
	wants '-77 -77 4711
double 5
10
-77 -77 4711
double 5
10
end'
else
	stap -e "$script" -c true && fail "a module that is not loaded is probed"
	grep -q 'E-ATTACH.*the module spile_kmod is not loaded' "$TMP/err" || fail "no word of the missing module"
	stap -e "probe module(\"$ko\").function(\"kmod_started\")? { println(1) } probe end { println(\"end\") }" -c true ||
		fail "an optional probe is not left out"
	wants end
fi
insmod "$KMOD_DIR/other/spile_kmod.ko" || fail "the other module does not load"
trap 'rmmod spile_kmod' EXIT
stap -e "probe module(\"$ko\").function(\"kmod_target\") { println(\$n) }" -c true && fail "another build is probed"
grep -q 'E-BUILD-ID.*the module spile_kmod that runs is not the one' "$TMP/err" || fail "no word of the other build"
stap -e "probe module(\"$KMOD_DIR/other/spile_kmod.ko\").function(\"kmod_tar*\").call { println(\$item->u16v, \" \", \$n) }" \
	-c "sh -c 'echo 4 > /proc/spile_kmod'" || fail "a pattern is not probed"
wants '60000 4'
