/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two source files of one name. */
#line 3 "one/same.c"
__attribute__((noinline)) int first(int n)
{
	return n + 1;
}
#line 3 "two/same.c"
__attribute__((noinline)) int second(int n)
{
	return n + 2;
}
#line 12 "same_main.c"
int main(void)
{
	return first(1) + second(2) - 6;
}
