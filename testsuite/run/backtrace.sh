#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# host: no
# timeout: 240
# Backtraces of the kernel at a function, at its return and at a tracepoint, and names that are only printed.
set -eu
cat > "$TMP/t.stp" <<'S'
global at
function where() { return "<" . symname(addr()) . ">" }
probe kernel.function("do_group_exit") {
	if (pid() != target()) next
	println("print")
	print_backtrace()
	println("syms")
	print_syms(backtrace())
	println("stack")
	print_stack(backtrace())
	println("callers")
	print_syms(callers(1))
	println("names")
	printf("%s %s %-14s|%s\n", ppfunc(), probefunc(), symname(addr()), where())
	printf("%d %d %d\n", stack(0) == addr(), caller_addr() == stack(1), stack(99))
	printf("%d %d\n", user_mode(), uaddr() != 0)
	at[addr()] = 1
}
probe kernel.function("vfs_write").return {
	if (pid() != target()) next
	println("return")
	print_backtrace()
	println("back")
	printf("%s\n", symname(addr()))
}
probe kernel.trace("sched_process_exit") {
	if (pid() != target()) next
	println("trace")
	print_backtrace()
	println("entered")
	printf("%d %d\n", addr(), umodname(uaddr()) == "" ? 1 : 0)
}
probe end {
	println("end")
	foreach (a in at)
		printf("%s\n", symname(a))
	printf("%s %s\n", symname(1), symdata(2))
}
S
sed -i 's/umodname(uaddr()) == "" ? 1 : 0/uaddr() != 0/' "$TMP/t.stp"
"$STAP" --runtime="$RUNTIME" -c "echo x" "$TMP/t.stp" > "$TMP/out" 2> "$TMP/err" ||
	{ cat "$TMP/err" "$TMP/out"; exit 1; }
# newer kernels have x64_sys_call; where functions start with an instruction for CONFIG_X86_KERNEL_IBT the probe is behind it
part() { sed -n "/^$1\$/,/^[a-z]*\$/p" "$TMP/out" | grep -v '^[a-z]*$' | grep -v ' x64_sys_call+' | sed -E 's/0x[0-9a-f]+/N/g'; }
want() { [ "$2" = "$3" ] || { echo "$1: \"$2\", not \"$3\""; cat "$TMP/out" "$TMP/err"; exit 1; }; }

stack=" N : do_group_exit+N/N [kernel]
 N : __x64_sys_exit_group+N/N [kernel]
 N : do_syscall_64+N/N [kernel]
 N : entry_SYSCALL_64_after_hwframe+N/N [kernel]"
want print "$(part print)" "$stack"
want syms "$(part syms)" "$stack"
want stack "$(part stack)" "$stack"
want callers "$(part callers)" " N : __x64_sys_exit_group+N/N [kernel]"
want names "$(part names | head -2 | sed 's/+N//')" "do_group_exit do_group_exit do_group_exit |<do_group_exit>
1 1 0"
want mode "$(part names | tail -1)" "0 1"
want return "$(part return | head -3)" "Returning from:  N : vfs_write+N/N [kernel]
Returning to  :  N : ksys_write+N/N [kernel]
 N : do_syscall_64+N/N [kernel]"
want back "$(part back)" "ksys_write"
want trace "$(part trace | head -2 | sed 's/\.[a-z0-9.]*+/+/')" " N : do_exit+N/N [kernel]
 N : do_group_exit+N/N [kernel]"
want end "$(sed -n '/^end$/,$p' "$TMP/out" | sed 1d)" "do_group_exit
0x1 0x2"
