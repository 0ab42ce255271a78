/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks with arguments in every form that a compiler may write. The notes are made here, as <sys/sdt.h> would, so that
 * the operands are known; each value is printed by the program itself first.
 */
#include <stdint.h>
#include <stdio.h>

#define TEXT(x) #x
/* clang-format off */
#define NOTE(provider, name, sem, args)                                                   \
	"990: nop\n"                                                                      \
	".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                           \
	".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"         \
	"993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte " sem "\n"                       \
	".asciz \"" provider "\"\n.asciz \"" name "\"\n.asciz \"" args "\"\n"             \
	"994: .balign 4\n.popsection\n"                                                   \
	".ifndef _.stapsdt.base\n"                                                        \
	".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"           \
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n"        \
	".size _.stapsdt.base,1\n.popsection\n.endif\n"
#define MARK(name, args) NOTE("marks", TEXT(name), "0", args)
/* clang-format on */

unsigned short looked_semaphore __attribute__((section(".probes"), used));
unsigned short unlooked_semaphore __attribute__((section(".probes"), used));

struct pair {
	int first, second;
};
struct pair a_pair = { 17, -18 };
int64_t numbers[4] = { 100, -200, 300, -400 };
int32_t word = -77;
static const uint64_t pattern = 0x8182838485868788;

/* Every general register in each of its parts. */
#define ALL(reg, r8, r16, r32, r64)                                                           \
	__asm__ volatile("mov %0, %%" #reg "\n" MARK(reg, "8@%%" r64 " -8@%%" r64 " 4@%%" r32 \
						     " -4@%%" r32 " 2@%%" r16 " -2@%%" r16    \
						     " 1@%%" r8 " -1@%%" r8)                  \
			 :                                                                    \
			 : "m"(pattern)                                                       \
			 : #reg)

static void registers(void)
{
	ALL(rax, "al", "ax", "eax", "rax");
	ALL(rdx, "dl", "dx", "edx", "rdx");
	ALL(rcx, "cl", "cx", "ecx", "rcx");
	ALL(rbx, "bl", "bx", "ebx", "rbx");
	ALL(rsi, "sil", "si", "esi", "rsi");
	ALL(rdi, "dil", "di", "edi", "rdi");
	ALL(r8, "r8b", "r8w", "r8d", "r8");
	ALL(r9, "r9b", "r9w", "r9d", "r9");
	ALL(r10, "r10b", "r10w", "r10d", "r10");
	ALL(r11, "r11b", "r11w", "r11d", "r11");
	ALL(r12, "r12b", "r12w", "r12d", "r12");
	ALL(r13, "r13b", "r13w", "r13d", "r13");
	ALL(r14, "r14b", "r14w", "r14d", "r14");
	ALL(r15, "r15b", "r15w", "r15d", "r15");
	__asm__ volatile("mov %0, %%rax; mov %0, %%rbx; mov %0, %%rcx; mov %0, %%rdx\n" MARK(
				 high, "1@%%ah -1@%%bh 1@%%ch -1@%%dh %%rax %%ecx -4@%%al")
			 :
			 : "m"(pattern)
			 : "rax", "rbx", "rcx", "rdx");
}

static void say_registers(void)
{
	static const char *const names[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11",
					     "r12", "r13", "r14", "r15" };
	uint64_t p = pattern;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf("%s: %lld %lld %u %d %u %d %u %d\n", names[i], (long long)p, (long long)p, (uint32_t)p,
		       (int32_t)p, (uint16_t)p, (int16_t)p, (uint8_t)p, (int8_t)p);
	printf("high: %u %d %u %d %lld %u %d\n", (uint8_t)(p >> 8), (int8_t)(p >> 8), (uint8_t)(p >> 8),
	       (int8_t)(p >> 8), (long long)p, (uint32_t)p, (int8_t)p);
}

/* Values that are in the file, and places relative to registers. */
__attribute__((noinline)) static void places(int64_t *base, uint64_t index)
{
	__asm__ volatile(MARK(numbers, "8@$5 -4@$-5 4@$-5 -8@$0x7fffffffffffffff 1@$255 -1@$255 2@$010 $7 8@$+3-5")
			 ::);
	__asm__ volatile("mov %0, %%rax; mov %1, %%rcx\n" MARK(
				 memory, "8@(%%rax) -8@8(%%rax) 8@(%%rax,%%rcx,8) -8@-8(%%rax,%%rcx,8) -4@(%%rax,%%rcx) "
					 "2@8+8(%%rax) -8@%%ds:24(%%rax) 1@0x10(%%rax,%%rcx,1) 16(%%rax)")
			 :
			 : "r"(base), "r"(index)
			 : "rax", "rcx", "memory");
	__asm__ volatile(MARK(symbols, "-4@word(%%rip) -4@a_pair+4(%%rip) -4@4+a_pair(%%rip) 8@numbers+16(%%rip) "
				       "-8@numbers+32-8(%%rip)") ::);
	__asm__ volatile("mov %0, %%rdx\nmov $2, %%ecx\n"
			 "push %%rdx\npush %%rdx\n" MARK(stack, "-8@(%%rsp) -8@(%%rsp,%%rcx,4)") "pop %%rdx\npop %%rdx\n"
			 :
			 : "r"(base[1])
			 : "rcx", "rdx", "memory");
}

static void say_places(const int64_t *base)
{
	printf("numbers: 5 -5 %u %lld 255 -1 8 7 -2\n", (unsigned int)-5, (long long)INT64_MAX);
	printf("memory: %lld %lld %lld %lld %d %u %lld %u %lld\n", (long long)base[0], (long long)base[1],
	       (long long)base[2], (long long)base[1], *(const int *)((const char *)base + 2), (uint16_t)base[2],
	       (long long)base[3], *((const uint8_t *)base + 18), (long long)base[2]);
	printf("symbols: %d %d %d %lld %lld\n", word, a_pair.second, a_pair.second, (long long)base[2],
	       (long long)base[3]);
	printf("stack: %lld %lld\n", (long long)base[1], (long long)base[1]);
}

/* What cannot be read must say so, and nothing but that argument. */
static void unreadable(void)
{
	__asm__ volatile(MARK(unreadable, "8@$1 8f@%%xmm0 4f@(%%rsp) 8@%%xmm3 8@%%fs:0 8@no_such_symbol(%%rip) 16@(%%rsp) "
					  "8@word@GOTPCREL(%%rip) 8@%%nix 8@$12") ::);
}

static void twelve(void)
{
	__asm__ volatile(MARK(twelve, "4@$1 4@$2 4@$3 4@$4 4@$5 4@$6 4@$7 4@$8 4@$9 4@$10 4@$11 4@$12") ::);
}

/* Its first instruction is a mark. */
__attribute__((naked, noinline)) static void begins_with_mark(__attribute__((unused)) long n)
{
	__asm__(NOTE("other", "first", "looked_semaphore", "8@%rdi") "ret");
}

/* The kernel counts in a semaphore who looks at its mark. */
static void semaphores(void)
{
	unsigned int looked = *(volatile unsigned short *)&looked_semaphore;
	unsigned int unlooked = *(volatile unsigned short *)&unlooked_semaphore;

	__asm__ volatile(NOTE("other", "with__dash", "looked_semaphore", "8@$21") ::);
	__asm__ volatile(NOTE("marks", "with__dash", "0", "8@$22") ::);
	__asm__ volatile(NOTE("other", "nobody__looks", "unlooked_semaphore", "") ::);
	__asm__ volatile(NOTE("other", "pointer", "0", "8@%0") : : "r"(&a_pair));
	__asm__ volatile(NOTE("other", "enabled", "0", "4@%0 4@%1") : : "r"(looked), "r"(unlooked));
}

/* With an argument it prints the values first. */
int main(int argc, char **argv)
{
	/* what a handler reads must be in memory */
	if (*(volatile int64_t *)numbers != 100 || *(volatile int *)&word != -77)
		return 1;
	(void)argv;
	if (argc > 1) {
		say_registers();
		say_places(numbers);
		fflush(stdout);
	}
	registers();
	places(numbers, 2);
	unreadable();
	twelve();
	begins_with_mark(33);
	semaphores();
	return 0;
}
