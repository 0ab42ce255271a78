#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# Backtraces of programs: the names are the tree of calls, static functions among them, with and without frame pointers,
# PIE or not, through a shared library, and after the process has ended.
set -eu
here=$(dirname "$(readlink -f "$0")")
cat > "$TMP/t.stp" <<'S'
probe process(@1).function("leaf") {
	println("unwind")
	print_ubacktrace()
	println("brief")
	print_ubacktrace_brief()
	println("pointers")
	print_usyms(ubacktrace())
	println("sprint")
	printf("%s", sprint_ubacktrace())
	printf("one %s|%-10s|%s\n", usymname(ustack(1)), usymname(uaddr()), umodname(addr()) . "!")
	printf("same %d %d %d\n", ustack(0) == uaddr(), uaddr() == addr(), user_mode())
	printf("funcs %s %s %s\n", ppfunc(), probefunc(), usymdata(uaddr()))
}
probe process(@1).function("leaf").return {
	println("return")
	print_ubacktrace()
	println("end")
}
S

# The lines between $1 and the next word alone on a line.
part() { sed -n "/^$1\$/,/^[a-z]*\$/p" "$TMP/out" | grep -v '^[a-z]*$'; }
names() { sed -E 's/^(Returning [a-z ]*: )? 0x[0-9a-f]+ : //; s/\+0x.*//' | head -n "$1" | tr '\n' ' '; }
want() { [ "$2" = "$3" ] || { echo "$what: $1: \"$2\", not \"$3\""; cat "$TMP/out" "$TMP/err"; exit 1; }; }

run() { # WHAT POINTERS: the program is $TMP/stack
	what=$1
	"$STAP" --runtime="$RUNTIME" -c "$TMP/stack" "$TMP/t.stp" "$TMP/stack" > "$TMP/out" 2> "$TMP/err" ||
		{ echo "$what"; cat "$TMP/err" "$TMP/out"; exit 1; }
	want unwind "$(part unwind | names 5)" "leaf callback through middle main "
	want brief "$(part brief | names 5)" "leaf callback through middle main "
	want return "$(part return | names 5)" "leaf callback through middle main "
	want 'lines of a return' "$(part return | sed -nE 's/^(Returning.*:)  0x.* :.*/\1/p' | tr '\n' ,)" "Returning from:,Returning to  :,"
	if [ "$2" ]; then
		want pointers "$(part pointers | names 5)" "leaf callback through middle main "
		want sprint "$(sed -n '/^sprint$/,/^one/p' "$TMP/out" | sed 1d | names 5)" "leaf callback through middle main "
		want one "$(grep '^one' "$TMP/out")" "one callback|leaf      |stack!"
	fi
	want same "$(grep '^same' "$TMP/out")" "same 1 1 1"
	want funcs "$(grep '^funcs' "$TMP/out" | sed -E 's/0x[0-9a-f]+$//; s/0x[1-9a-f][0-9a-f]*/N/')" "funcs leaf leaf leaf+0x0/N [$TMP/stack]"
	part unwind | head -1 | grep -Eq "^ 0x[0-9a-f]+ : leaf\+0x0/0x[0-9a-f]+ \[$TMP/stack\]\$" || { echo "$what: format"; part unwind; exit 1; }
}

gcc -O0 -fno-omit-frame-pointer -o "$TMP/stack" "$here/prog/stack.c"
run 'with frame pointers' yes
gcc -O2 -fomit-frame-pointer -no-pie -o "$TMP/stack" "$here/prog/stack.c"
run 'without frame pointers' ''
gcc -O2 -fomit-frame-pointer -fPIC -shared -DLIBRARY -o "$TMP/libstack.so" "$here/prog/stack.c"
gcc -O2 -fomit-frame-pointer -DMAIN_ONLY -o "$TMP/stack" "$here/prog/stack.c" -L"$TMP" -lstack -Wl,-rpath,"$TMP"
run 'through a library' ''
part unwind | grep -Eq "through\+0x[0-9a-f]+/0x[0-9a-f]+ \[$TMP/libstack.so\]\$" || { echo "no library"; part unwind; exit 1; }

# the file goes before the program runs: its symbols have been kept
gcc -O2 -fomit-frame-pointer -o "$TMP/stack" "$here/prog/stack.c"
"$STAP" --runtime="$RUNTIME" -d "$TMP/stack" --ldd -c "exec 3< $TMP/stack; rm $TMP/stack; exec /proc/self/fd/3" \
	-e 'probe process(@1).function("leaf") { print_ubacktrace_brief() }' "$TMP/stack" > "$TMP/out" 2> "$TMP/err" ||
	{ cat "$TMP/err" "$TMP/out"; exit 1; }
want '-d' "$(sed 's/+0x.*//' "$TMP/out" | head -5 | tr '\n' ' ')" "leaf callback through middle main "
