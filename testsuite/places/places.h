/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row of the table: the value that the program has for what a probe at @point reads as @script. places.py reads these
 * very lines for the probes that it writes. Points: "call F", "return F", "inline F", "at WORD" (the line with that comment).
 */
#define SEE(point, script, value) see(point "|" script, (long long)(value))

#define NOINLINE __attribute__((noinline))
#ifdef __clang__
#define WHOLE NOINLINE
#else
/* no clone with fewer parameters either */
#define WHOLE NOINLINE __attribute__((noclone, noipa))
#endif
#define INLINE static inline __attribute__((always_inline))

void see(const char *row, long long value);
/* What the compiler cannot look into. */
void barrier(void);
long opaque(long v);
int other_unit(int step);
