/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cflags: -O2 */
/* Who calls whom: leaf() from three functions, one of which is inlined. */
#define NOINLINE __attribute__((noinline, noclone, noipa))

volatile int sink;

NOINLINE int leaf(int n)
{
	sink += n;
	return n + 1;
}

static inline __attribute__((always_inline)) int inlined(int n)
{
	sink++;
	return leaf(n + 100) + sink;
}

NOINLINE int middle(int n)
{
	int r = leaf(n + 10);

	sink++;
	return r + leaf(n + 20);
}

NOINLINE int other(int n)
{
	int r = leaf(n + 30);

	sink++;
	return r;
}

NOINLINE int outer(int n)
{
	int r = middle(n);

	r += other(n);
	r += inlined(n);
	r += leaf(n + 40);
	sink++;
	return r;
}

int main(void)
{
	leaf(1);
	middle(2);
	outer(3);
	return 0;
}
