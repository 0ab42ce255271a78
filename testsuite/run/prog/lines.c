/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines, labels and inlined functions, not optimised: each statement is where it is written. */
static int total = 100;

static inline __attribute__((always_inline)) int twice(int v)
{
	int both = v + v;

	return both;
}

__attribute__((noinline)) int sum(int n)
{
	int s = 0;

	for (int i = 1; i <= n; i++) {
		int square = i * i;

		s += square;
	}
	total += s;
	return s;
}

static __attribute__((noinline)) int jumps(int n)
{
	int left = n;
again:
	left--;
	if (left > 0)
		goto again;
done:
	return left;
	goto done;
}

int main(void)
{
	int a = sum(3); /* 14 */
	int b = twice(a);

	return twice(b) + jumps(2) == 56 ? 0 : 1;
}
