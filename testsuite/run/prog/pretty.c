/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What $x$ and $x$$ print: types of all kinds, with values that do not depend on where the program lies. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum colour { RED = 3, BLUE = -4 };
struct point {
	short x, y;
};
struct cell {
	struct point at;
	enum colour colour;
};
struct all {
	int number;
	unsigned char byte;
	char letter, word[6];
	unsigned char raw[4];
	bool yes;
	unsigned int low : 3, mid : 12;
	int neg : 5;
	struct cell cell;
	union {
		int whole;
		struct {
			short low_half, high_half;
		};
	};
	union {
		long l;
		char c[8];
	} named;
	struct point points[2];
	int six[6], grid[2][2];
	char *text, *nowhere;
	void *pointer;
	struct all *next;
	int (*call)(int);
	double real;
	unsigned long big;
	struct point *none;
};
struct many {
	int a[40];
	int m00, m01, m02, m03, m04, m05, m06, m07, m08, m09, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19;
	int m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39;
};
struct tail {
	int n;
	char text[];
};
struct packet {
	int n;
	int data[];
};
struct texts {
	char a[300], b[300];
};

__attribute__((noinline)) static int show(struct all *p, struct all *null, int *number, char **list, void *any,
					  signed char tiny)
{
	int local = 12, *there = &local;

	return local + p->number + (null != NULL) + *number + list[0][0] + !any + tiny + *there;
}

__attribute__((noinline)) static int sizes(struct many *many, struct tail *tail, struct packet *packet,
					   struct texts *texts)
{
	return many->m00 + tail->n + packet->n + texts->a[0];
}

/* a struct in a register */
__attribute__((noinline, optimize("O2"))) static int pair(struct cell cell, struct point one)
{
	__asm__ volatile("");
	return one.x + cell.at.y;
}

static int twice(int n)
{
	return 2 * n;
}

static int numbers[7] = { 1, 2, 3, 4, 5, 6, 7 };
static struct cell cells[2] = { { { 1, 2 }, RED }, { { 3, 4 }, BLUE } };
static char *words[] = { "first", "second" };
static int (*pointer)(int) = twice;

int main(void)
{
	static char room[64], space[64];
	static struct all a = {
		.number = -1, .byte = 200, .letter = '\n', .word = "hello", .raw = { 'a', 'b', 'c', 'd' }, .yes = true,
		.low = 5, .mid = 4000, .neg = -7, .cell = { { 10, -20 }, BLUE }, .whole = 0x20001, .named = { .l = 65 },
		.points = { { 1, 2 }, { 3, 4 } }, .six = { 1, 2, 3, 4, 5, 6 }, .grid = { { 1, 2 }, { 3, 4 } },
		.nowhere = (char *)1, .pointer = (void *)0x1234, .next = NULL, .real = 1.5, .big = ~0ul,
	};
	static struct many m;
	static struct texts t;
	struct tail *tail = (void *)room;
	struct packet *packet = (void *)space;
	struct point one = { 7, -8 };
	int n = 99;

	a.text = words[0];
	n += *(volatile char *)words[0] - 'f' + *(volatile char *)words[1] - 's';
	/* pages that nobody has touched cannot be read by a probe */
	numbers[6] = cells[0].at.x + 6;
	tail->n = 3;
	strcpy(tail->text, "tail");
	packet->n = packet->data[0] = 4;
	for (int i = 0; i < 40; i++)
		m.a[i] = i;
	m.m39 = 39;
	memset(t.a, 'a', sizeof(t.a));
	memset(t.b, 'b', sizeof(t.b));
	show(&a, NULL, &n, words, &n, -3);
	pair(cells[1], one);
	return sizes(&m, tail, packet, &t) == 3 + 4 + 'a' && pointer(2) == 4 ? 0 : 1;
}
