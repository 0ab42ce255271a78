/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Its variables are changed by probes in guru mode; a probe of seen() tells what it finds then. */
#include <stddef.h>

struct point {
	short x, y;
};
struct box {
	int id;
	unsigned int a : 3, b : 9;
	int c : 5;
	struct point at;
	struct box *next;
	char text[8], more[8];
	long big;
	unsigned char byte;
	_Bool yes;
	int list[3];
};

static int counter = 5;

__attribute__((noinline)) static int work(int first, struct box *p, char letter, long big, int last)
{
	counter++;
	return first + p->id + letter + (int)big + last;
}

/* only registers can be meant: what it is given it gives back */
__attribute__((noinline)) static long pass(long a, unsigned char b, short c)
{
	return a * 10000 + b * 100 + c;
}

__attribute__((noinline)) static int seen(int result, int count, struct box *p, long passed)
{
	return result + count + p->id + (int)passed;
}

int main(void)
{
	struct box last = { .id = 70 };
	struct box b = { .id = -7, .a = 5, .b = 300, .c = -3, .next = &last, .text = "hello", .more = "world",
			 .byte = 3, .list = { 1, 2, 3 } };
	int r;

	/* pages that nobody has touched cannot be changed by a probe */
	counter++;
	r = work(1, &b, 'x', 5, 9);
	return seen(r, counter, &b, pass(1, 2, 3)) == 0x7fffffff;
}
