/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that no kernel has, with known arguments: by the 64-bit and by the 32-bit way. */
#include <unistd.h>

int main(void)
{
	long r = 1001;

	syscall(1000, 1, 2, 3, 4, 5, -6);
	/* arguments beyond 32 bits are cut */
	__asm__ volatile("push %%rbp\n\tmov $17, %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "+a"(r)
			 : "b"(0x10000000cL), "c"(13L), "d"(14L), "S"(15L), "D"(-16L)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return 0;
}
