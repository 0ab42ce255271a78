/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Target of the run tests: memory of known content, read before it is asked for. */
#include <stdint.h>

__attribute__((noinline)) int numbers(const void *p)
{
	return *(const volatile char *)p;
}

__attribute__((noinline)) int text(const char *p)
{
	return *(const volatile char *)p;
}

__attribute__((noinline)) int wide(const uint16_t *a, const uint32_t *b, const uint16_t *bad)
{
	return *(const volatile uint16_t *)a + (int)*(const volatile uint32_t *)b +
	       *(const volatile uint16_t *)bad;
}

/* Global, so that the compiler keeps what it does not see being read. */
uint64_t number = 0xfedcba9876543290u;
char string[] = "tab\there \"q\"\0after";
uint16_t utf16[] = { 'h', 0xe9, 0x20ac, 0xd83d, 0xde00, '!', 0 };
uint32_t utf32[] = { 'h', 0xe9, 0x20ac, 0x1f600, '!', 0 };
uint16_t bad[] = { 'x', 0xdc00, 0, 0, 0, 0 };

int main(void)
{
	return numbers(&number) + text(string) + wide(utf16, utf32, bad) == 0;
}
