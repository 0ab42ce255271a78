/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions with parameters of equal names at different places and of different types. */
#define NOINLINE __attribute__((noinline, noclone))

struct early {
	int value, other;
};
struct late {
	long pad[4];
	short value;
};

NOINLINE long place_first(int v, long twice)
{
	__asm__ volatile("");
	return v + twice;
}

NOINLINE long place_second(long twice, int v)
{
	__asm__ volatile("");
	return v - twice;
}

NOINLINE long place_third(short a, long twice, signed char v)
{
	__asm__ volatile("");
	return v - twice * a;
}

NOINLINE long point_early(const struct early *p)
{
	__asm__ volatile("");
	return p->value;
}

NOINLINE long point_late(const struct late *p)
{
	__asm__ volatile("");
	return p->value;
}

NOINLINE int pick_ints(int a, long b)
{
	__asm__ volatile("");
	return a - (int)b;
}

NOINLINE short pick_narrow(signed char x, unsigned int number)
{
	__asm__ volatile("");
	return (short)(x - (int)number);
}

NOINLINE unsigned char pick_unsigned(unsigned short w, unsigned char c)
{
	__asm__ volatile("");
	return (unsigned char)(w + c);
}

int main(void)
{
	struct early e = { -5, 6 };
	struct late l = { { 1, 2, 3, 4 }, 7 };

	return place_first(21, 42) + place_second(-6, -3) + place_third(9, -8, -4) + point_early(&e) +
		       point_late(&l) + pick_ints(-1, 5) + pick_narrow(-3, 40) + pick_unsigned(65535, 200) ==
	       0;
}
