/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function that is entered with a known value in every register that a program may choose. */
__asm__(".text\n.globl marked\n.type marked, @function\nmarked:\n"
	"	ret\n"
	".size marked, . - marked\n");
void marked(void);

/* The value in a register is 0x1000 and its DWARF number; bp's is kept on the stack. */
static void fill(void)
{
	__asm__ volatile("sub $128, %%rsp\n"
			 "push %%rbp\n"
			 "mov $0x1000, %%eax\nmov $0x1001, %%edx\nmov $0x1002, %%ecx\nmov $0x1003, %%ebx\n"
			 "mov $0x1004, %%esi\nmov $0x1005, %%edi\nmov $0x1006, %%ebp\nmov $0x1008, %%r8d\n"
			 "mov $0x1009, %%r9d\nmov $0x100a, %%r10d\nmov $0x100b, %%r11d\nmov $0x100c, %%r12d\n"
			 "mov $0x100d, %%r13d\nmov $0x100e, %%r14d\nmov $0x100f, %%r15d\n"
			 "call marked\n"
			 "pop %%rbp\n"
			 "add $128, %%rsp\n" ::
				 : "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
				   "memory", "cc");
}

int main(void)
{
	fill();
	return 0;
}
