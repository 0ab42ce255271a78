/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of many kinds, with known values. */
#include <stdbool.h>
#include <stddef.h>

enum level { LOW = -2, HIGH = 9 };
struct inner {
	short lo, hi;
};
struct box {
	int id;
	unsigned int a : 3, b : 9;
	int c : 5;
	union {
		long whole;
		struct inner part;
	};
	struct box *next;
	char text[8];
	struct inner rows[3];
	unsigned char byte;
	enum level level;
	int (*call)(int);
};

static int counter = 41;
static char words[] = "?BC";

__attribute__((noinline)) static int twice(int v)
{
	return v + v;
}

__attribute__((noinline)) static long work(int first, struct box *p, bool yes, char letter, unsigned short small,
					   long long big, struct box whole, const char *text)
{
	counter++;
	return first + p->id + yes + letter + small + big + whole.id + text[0];
}

__attribute__((noinline)) static int negative(double d, int i)
{
	return (int)d - i;
}

int main(void)
{
	struct box last = { .id = 70, .next = NULL };
	struct box b = { .id = -7, .a = 5, .b = 300, .c = -3, .part = { 11, -12 }, .next = &last, .text = "hello",
			 .rows = { { 1, 2 }, { 3, 4 }, { 5, -6 } }, .byte = 200, .level = LOW, .call = twice };

	/* pages that nobody has touched cannot be read by a probe */
	words[0] = 'A';
	counter++;
	work(-1, &b, true, 'x', 65535, 1LL << 40, last, words);
	return negative(1.5, 9) == -8 && twice(1) == 2 ? 0 : 1;
}
