# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 120
# Programs by process id, PATH, pattern, link, build id, in another file system; stripped ones; what cannot be probed.
set -u
cd "$TMP" || exit 1
bad=0
say() { echo "$*"; bad=1; }
# expect WORDS COMMAND...: standard output is this
expect() {
	want=$1
	shift
	got=$("$@" 2> err)
	[ "$got" = "$want" ] || { say "wanted: $want; got: $got"; head -5 err; }
}
# refuse WORDS COMMAND...: an error that says so
refuse() {
	want=$1
	shift
	if "$@" > out 2> err; then say "not refused: $*"; fi
	grep -qF -- "$want" err || { say "no \"$want\" in:"; head -5 err; }
}
run() { timeout 60 "$STAP" --runtime="$RUNTIME" "$@"; }
check() { timeout 60 "$STAP" --runtime="$RUNTIME" -p2 "$@"; }

mkdir folder
cp "$PROG_DIR/stubs" folder/stubs-one
ln -s folder/stubs-one link
echo '#!./link' > script
chmod +x script
first='{ println(execname()) exit() }'

expect link run -c ./link -e "probe process(\"./link\").function(\"own\") $first"
PATH=$TMP/folder:$PATH expect stubs-one run -c stubs-one -e "probe process(\"stubs-one\").function(\"own\") $first"
PATH=$TMP/folder:$PATH expect stubs-one run -c stubs-one -e "probe process(\"stubs-o*\").function(\"own\") $first"
expect stubs-one run -c folder/stubs-one -e "probe process(\"$TMP/fold*/st*e\").function(\"own\") $first"
expect stubs-one run -c folder/stubs-one -e "probe process(\"./script\").function(\"own\") $first"

# a process that runs already: by its number, as the target, by its build id
folder/stubs-one 20 &
one=$!
"$PROG_DIR/stubs" 20 &
two=$!
expect stubs-one run -e "probe process($one).function(\"own\") $first"
expect stubs-one run -x $one -e "probe process.function(\"own\") $first"
expect stubs-one run -e "probe process($one).library(\"libc.so.6\").function(\"atoi\") $first"
expect "only $one" run -e "global n
	probe process($one).library(\"libc.so.6\").function(\"atoi\") { if (pid() != $one) println(\"wrong\") else if (n++ == 3) { println(\"only \", pid()) exit() } }"
# without a target: of all that use the library, only this program
expect "stubs-one" run -e "global n, other
	probe process(\"folder/stubs-one\").library(\"libc.so.6\").function(\"atoi\") {
		if (execname() != \"stubs-one\") other++
		if (n++ == 5) { println(other ? \"others, too\" : execname()) exit() } }"
kill $one
id=$(readelf -n folder/stubs-one | sed -n 's/ *Build ID: //p')
expect stubs run -x $two -e "probe process(\"$id\").function(\"own\") { println(execname()) exit() }"
kill $two

# one in a file system that only it sees
mkfifo ready
unshare -m sh -c 'mount -t tmpfs none /mnt && cp folder/stubs-one /mnt/inside && echo > ready && exec /mnt/inside 20' &
inner=$!
read -r _ < ready
while [ "$(cat /proc/$inner/comm)" != inside ]; do sleep 0.1; done
expect inside run -x $inner -e "probe process.function(\"own\") $first"
expect inside run -x $inner -e "probe process.library(\"libc.so.6\").function(\"atoi\") $first"
kill $inner

# stripped: what the dynamic symbols and .gnu_debugdata name
cp folder/stubs-one stripped
strip stripped
refuse 'no function of' check -e "probe process(\"./stripped\").function(\"own\") {}"
grep -q 'has no debug information' err || say "nothing said of missing symbols"
expect stripped run -c ./stripped -e "probe process(\"./stripped\").plt(\"atoi\") $first"
if command -v xz > /dev/null; then
	nm folder/stubs-one --format=posix --defined-only | awk '$2 == "T" || $2 == "t" { print $1 }' | sort > keep
	objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbols=keep folder/stubs-one mini
	xz -k mini
	objcopy --add-section .gnu_debugdata=mini.xz stripped withmini
	expect withmini run -c ./withmini -e "probe process(\"./withmini\").function(\"own\") $first"
fi

refuse 'it is a folder' check -e 'probe process("./folder").function("f") {}'
refuse 'not an ELF file' check -e 'probe process("/etc/passwd").function("f") {}'
refuse 'E-FILE' check -e 'probe process("./nothing").function("f") {}'
refuse 'found no program' check -e 'probe process("no-such-program").function("f") {}'
refuse 'no program or library matches' check -e 'probe process("./no*").function("f") {}'
refuse 'name the program' check -e 'probe process.function("f") {}'
refuse 'no such process' check -e 'probe process(4194303).function("f") {}'
refuse 'debuginfod' check -e 'probe process("0123456789abcdef0123456789abcdef01234567").function("f") {}'
refuse 'it has libc.so.6' check -e 'probe process("./link").library("libnothing*").function("f") {}'
cp folder/stubs-one plain
chmod 644 plain
refuse 'no execute permission' check -e 'probe process("./plain").function("own") {}'
printf '\177ELF\1\1\1123456789012345' > small
chmod +x small
refuse '32-bit' check -e 'probe process("./small").function("f") {}'
exit $bad
