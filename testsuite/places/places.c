/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of all kinds in all places, and what their values are: see places.h. */
#include "places.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

enum colour { RED = -2, GREEN, BLUE = 300 };
enum flags { BIT0 = 1u, BIT31 = 0x80000000u };

struct pair {
	long first;
	int second;
};
struct small {
	short a;
	char b;
};
struct mixed {
	double d;
	int i;
};
struct big {
	long v[4];
	int tail;
};
struct bits {
	unsigned int a : 3, b : 9;
	int c : 5;
	unsigned long d : 33;
	int e : 11;
	unsigned char f : 7;
	long g : 60;
	bool h : 1;
};
struct regbits {
	unsigned int a : 3, b : 9;
	int c : 5;
	unsigned int d : 20;
};
struct __attribute__((packed)) packed {
	char c;
	int i;
	unsigned int x : 5, y : 13, z : 14;
	long l;
};
struct node {
	int value;
	struct node *next;
	char text[8];
	union {
		long whole;
		struct {
			short lo, hi;
		};
		struct {
			int x, y;
		} point;
	};
	struct {
		unsigned char deep[3];
	} inner;
	int grid[2][3];
	int (*fn)(int);
	enum colour colour;
	struct pair *pairs;
	const volatile unsigned short *const weak;
};
struct holder {
	struct node *n;
	unsigned char *bytes;
};
typedef struct pair pair_t;
typedef int (*handler_t)(int);

static int hidden = 1100;
static struct twin {
	int id;
	long pad;
} twin = { 66, 1 };
long total = 1234567890123;
extern int shared_count;
static unsigned char octets[4] = { 1, 2, 200, 255 };
int matrix[3][4] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { -9, -10, -11, -12 } };
static long cube[2][2][2] = { { { 1, 2 }, { 3, 4 } }, { { 5, 6 }, { 7, 1L << 40 } } };
static const struct pair constant_pair = { 31, 32 };
static struct node *list_head;
static const char *const names[] = { "zero", "one", "two" };
static pair_t pair_table[3] = { { 1, 2 }, { 3, 4 }, { 5, -6 } };
static __thread int per_thread = 5;
__thread long thread_global = -6;
static __thread struct pair thread_pair = { 70, 71 };
static __thread char thread_room[40] __attribute__((aligned(32)));
static volatile int sink;

WHOLE int callback(int v)
{
	SEE("call callback", "$v", v);
	return v * 2;
}

WHOLE int ints(char c, signed char sc, unsigned char uc, short s, unsigned short us, int i, unsigned int ui, long l,
	       unsigned long ul, bool b, enum colour e, enum flags f)
{
	SEE("call ints", "$c", c);
	SEE("call ints", "$sc", sc);
	SEE("call ints", "$uc", uc);
	SEE("call ints", "$s", s);
	SEE("call ints", "$us", us);
	SEE("call ints", "$i", i);
	SEE("call ints", "$ui", ui);
	SEE("call ints", "$l", l);
	SEE("call ints", "$ul", ul);
	SEE("call ints", "$b", b);
	SEE("call ints", "$e", e);
	SEE("call ints", "$f", f);
	SEE("call ints", "$e == $BLUE", e == BLUE);
	return (int)(c + sc + uc + s + us + i + ui + l + ul + b + e + f);
}

WHOLE int pointers(int **pp, struct node *n, const char *text, const char *const *list, handler_t fn, long at)
{
	SEE("call pointers", "$pp[0][0]", pp[0][0]);
	SEE("call pointers", "$pp[0][1]", pp[0][1]);
	SEE("call pointers", "$pp[1][$at]", pp[1][at]);
	SEE("call pointers", "$n->value", n->value);
	SEE("call pointers", "$n->next->value", n->next->value);
	SEE("call pointers", "$n->next->next", 0);
	SEE("call pointers", "$n->text[1]", n->text[1]);
	SEE("call pointers", "$n->whole", n->whole);
	SEE("call pointers", "$n->lo", n->lo);
	SEE("call pointers", "$n->hi", n->hi);
	SEE("call pointers", "$n->point->y", n->point.y);
	SEE("call pointers", "$n->inner->deep[2]", n->inner.deep[2]);
	SEE("call pointers", "$n->inner->deep[$at]", n->inner.deep[at]);
	SEE("call pointers", "$n->grid[1][2]", n->grid[1][2]);
	SEE("call pointers", "$n->grid[$at][$at - 1]", n->grid[at][at - 1]);
	SEE("call pointers", "$n->fn == $fn", n->fn == fn);
	SEE("call pointers", "$n->colour", n->colour);
	SEE("call pointers", "$n->pairs[1]->second", n->pairs[1].second);
	SEE("call pointers", "$n->pairs[$at + 1]->second", n->pairs[at + 1].second);
	SEE("call pointers", "$n->weak[0]", n->weak[0]);
	SEE("call pointers", "&$n->inner - $n", offsetof(struct node, inner));
	SEE("call pointers", "&$n->grid[1] - &$n->grid", sizeof(n->grid[0]));
	SEE("call pointers", "&$n->pairs[2] - $n->pairs", 2 * sizeof(struct pair));
	SEE("call pointers", "&$n->next->point->y - $n->next", offsetof(struct node, point.y));
	SEE("call pointers", "$text[2]", text[2]);
	SEE("call pointers", "$list[$at][0]", list[at][0]);
	SEE("call pointers", "@cast($n, \"node\")->next->colour", n->next->colour);
	SEE("call pointers", "@defined($n->nothing)", 0);
	return fn(n->value);
}

WHOLE int bitfields(const struct bits *b, struct regbits r, const struct packed *p)
{
	SEE("call bitfields", "$b->a", b->a);
	SEE("call bitfields", "$b->b", b->b);
	SEE("call bitfields", "$b->c", b->c);
	SEE("call bitfields", "$b->d", b->d);
	SEE("call bitfields", "$b->e", b->e);
	SEE("call bitfields", "$b->f", b->f);
	SEE("call bitfields", "$b->g", b->g);
	SEE("call bitfields", "$b->h", b->h);
	SEE("call bitfields", "$r->a", r.a);
	SEE("call bitfields", "$r->b", r.b);
	SEE("call bitfields", "$r->c", r.c);
	SEE("call bitfields", "$r->d", r.d);
	SEE("call bitfields", "$p->i", p->i);
	SEE("call bitfields", "$p->x", p->x);
	SEE("call bitfields", "$p->y", p->y);
	SEE("call bitfields", "$p->z", p->z);
	SEE("call bitfields", "$p->l", p->l);
	return b->a + r.b + p->i;
}

WHOLE long by_value(struct pair p, struct small s, struct mixed m, struct big g, struct holder q, int after, int last)
{
	SEE("call by_value", "$p->first", p.first);
	SEE("call by_value", "$p->second", p.second);
	SEE("call by_value", "$s->a", s.a);
	SEE("call by_value", "$s->b", s.b);
	SEE("call by_value", "$m->i", m.i);
	SEE("call by_value", "$g->v[2]", g.v[2]);
	SEE("call by_value", "$g->tail", g.tail);
	SEE("call by_value", "$q->n->value", q.n->value);
	SEE("call by_value", "$q->n->next->text[0]", q.n->next->text[0]);
	SEE("call by_value", "$q->bytes[1]", q.bytes[1]);
	SEE("call by_value", "$after", after);
	SEE("call by_value", "$last", last);
	return p.first + s.a + m.i + g.tail + after + last;
}

/* Six registers are taken before the pair, which then lies on the stack as a whole. */
WHOLE long pair_on_stack(long a, long b, long c, long d, long e, struct pair p, int f)
{
	SEE("call pair_on_stack", "$e", e);
	SEE("call pair_on_stack", "$p->first", p.first);
	SEE("call pair_on_stack", "$p->second", p.second);
	SEE("call pair_on_stack", "$f", f);
	return a + b + c + d + e + p.first + p.second + f;
}

WHOLE double floats(float f, int i, double d, long l, long double wide, short s, __int128 huge, char c, char more,
		    char stack)
{
	SEE("call floats", "$i", i);
	SEE("call floats", "$l", l);
	SEE("call floats", "$s", s);
	SEE("call floats", "$c", c);
	SEE("call floats", "$more", more);
	SEE("call floats", "$stack", stack);
	return f + i + d + (double)l + (double)wide + s + (double)huge + c + more + stack;
}

WHOLE int variadic(int n, const char *text, ...)
{
	va_list ap;
	int sum = 0;

	SEE("call variadic", "$n", n);
	SEE("call variadic", "$text[0]", text[0]);
	va_start(ap, text);
	for (int i = 0; i < n; i++)
		sum += va_arg(ap, int);
	va_end(ap);
	return sum;
}

WHOLE long statics(int at)
{
	static int calls = 3;
	static struct pair kept = { 8, 9 };

	SEE("call statics", "$at", at);
	SEE("call statics", "$calls", calls);
	SEE("call statics", "$kept->second", kept.second);
	SEE("call statics", "$hidden", hidden);
	SEE("call statics", "$twin->id", twin.id);
	SEE("call statics", "$total", total);
	SEE("call statics", "$shared_count", shared_count);
	SEE("call statics", "$octets[2]", octets[2]);
	SEE("call statics", "$octets[$at]", octets[at]);
	SEE("call statics", "$matrix[2][3]", matrix[2][3]);
	SEE("call statics", "$matrix[$at][$at + 1]", matrix[at][at + 1]);
	SEE("call statics", "$cube[1][1][$at]", cube[1][1][at]);
	SEE("call statics", "&$matrix[1][1] - &$matrix", sizeof(int) * 5);
	SEE("call statics", "$constant_pair->second", constant_pair.second);
	SEE("call statics", "$list_head->next->value", list_head->next->value);
	SEE("call statics", "$names[2][1]", names[2][1]);
	SEE("call statics", "$pair_table[$at + 1]->second", pair_table[at + 1].second);
	SEE("call statics", "@var(\"hidden\")", hidden);
	SEE("call statics", "@var(\"hidden@places.c\")", hidden);
	SEE("call statics", "@var(\"hidden@places2.c\")", 2200);
	SEE("call statics", "@var(\"twin@places2.c\")->id", 77);
	SEE("call statics", "@var(\"twin@places/places.c\")->id", twin.id);
	SEE("call statics", "@var(\"matrix\")[$at][2]", matrix[at][2]);
	SEE("call statics", "@var(\"list_head\")->next->value", list_head->next->value);
	SEE("call statics", "&@var(\"pair_table\")[1]->second - &@var(\"pair_table\")", sizeof(struct pair) + sizeof(long));
	SEE("call statics", "@defined(@var(\"nothing\"))", 0);
	SEE("call statics", "@defined(@var(\"twin\")->nothing)", 0);
	SEE("call statics", "@defined(@var(\"total\"))", 1);
	calls += at;
	kept.second--;
	hidden++;
	total -= at;
	SEE("return statics", "@var(\"hidden\")", hidden);
	SEE("return statics", "@var(\"total\")", total);
	SEE("return statics", "@var(\"hidden@places2.c\")", 2200);
	SEE("return statics", "@entry(@var(\"total\"))", total + at);
	SEE("return statics", "@entry($calls)", calls - at);
	SEE("return statics", "@entry($list_head->next)->value", list_head->next->value);
	return total;
}

WHOLE int thread_locals(int step)
{
	SEE("call thread_locals", "$per_thread", per_thread);
	SEE("call thread_locals", "$thread_global", thread_global);
	SEE("call thread_locals", "$thread_pair->second", thread_pair.second);
	SEE("call thread_locals", "$thread_room[39]", thread_room[39]);
	SEE("call thread_locals", "@var(\"per_thread\")", per_thread);
	SEE("call thread_locals", "@var(\"thread_pair@places.c\")->first", thread_pair.first);
	per_thread += step;
	thread_global *= 2;
	thread_pair.second -= step;
	thread_room[39] += (char)step;
	SEE("return thread_locals", "@var(\"per_thread\")", per_thread);
	return per_thread;
}

/* Clones of it may lack a parameter, or know its value. */
static NOINLINE int clonable(int used, int unused, const struct pair *p)
{
	SEE("call clonable", "$used", used);
	SEE("call clonable", "$unused", 99);
	SEE("call clonable", "$p->second", p->second);
	(void)unused;
	return used + p->second + (int)opaque(1);
}

INLINE int in_line(int a, struct node *n, const struct pair *p)
{
	SEE("inline in_line", "$a", a);
	SEE("inline in_line", "$n->value", n->value);
	SEE("inline in_line", "$p->first", p->first);
	SEE("inline in_line", "$p->second", p->second);
	return a + n->value;
}

INLINE int deeper(short s)
{
	SEE("inline deeper", "$s", s);
	return in_line(s * 2, list_head, &pair_table[1]);
}

WHOLE int inlines(int v)
{
	struct pair mine = { opaque(17), (int)opaque(18) };

	SEE("call inlines", "$v", v);
	return in_line(v, list_head, &mine) + deeper((short)v) + in_line(7, list_head->next, &pair_table[0]);
}

WHOLE long recursive(int depth, long sum)
{
	long result;

	SEE("call recursive", "$depth", depth);
	SEE("call recursive", "$sum", sum);
	result = depth ? recursive(depth - 1, sum * 3) + depth : sum;
	SEE("return recursive", "$return", result);
	SEE("return recursive", "@entry($depth)", depth);
	return result;
}

WHOLE int locals(int count, struct node *n, int unused_later)
{
	int sum = (int)opaque(count), twice = sum * 2, constant = 42;
	struct pair mine = { sum, twice + 1 };
	struct pair *alias = &mine;
	struct big array = { { sum, 2, 3, sum * 4 }, 5 };
	unsigned char narrow = (unsigned char)(sum + 250);
	int gone = (int)opaque(3), rounds = (int)opaque(3);

	sink = gone;
	SEE("at first", "$count", count);
	SEE("at first", "$sum", sum);
	SEE("at first", "$twice", twice);
	SEE("at first", "$constant", constant);
	SEE("at first", "$mine->first", mine.first);
	SEE("at first", "$mine->second", mine.second);
	SEE("at first", "$alias->second", alias->second);
	SEE("at first", "$array->v[3]", array.v[3]);
	SEE("at first", "$array->v[$count - 3]", array.v[count - 3]);
	SEE("at first", "$narrow", narrow);
	SEE("at first", "$gone", gone);
	SEE("at first", "$n->next->value", n->next->value);
	SEE("at first", "$unused_later", unused_later);
	barrier(); /* at first */
	for (int i = 0; i < rounds; i++) {
		int part = i * sum + n->value;

		SEE("at loop", "$i", i);
		SEE("at loop", "$part", part);
		SEE("at loop", "$sum", sum);
		barrier(); /* at loop */
		sum += part;
	}
	if (sum > 1) {
		long sum = opaque(1L << 40);

		SEE("at block", "$sum", sum);
		SEE("at block", "$twice", twice);
		barrier(); /* at block */
		sink += (int)sum;
	}
	SEE("at late", "$sum", sum);
	SEE("at late", "$count", count);
	barrier(); /* at late */
	return sum + twice + narrow + mine.second + (int)array.v[opaque(1)] + (int)alias->first;
}

/* Results: in registers, pairs of them, and memory. */
WHOLE struct pair gives_pair(int v)
{
	struct pair p = { v * 1000L, -v };

	SEE("return gives_pair", "$return->first", p.first);
	SEE("return gives_pair", "$return->second", p.second);
	return p;
}

WHOLE struct small gives_small(int v)
{
	struct small s = { (short)-v, (char)v };

	SEE("return gives_small", "$return->a", s.a);
	SEE("return gives_small", "$return->b", s.b);
	return s;
}

WHOLE struct big gives_big(int v)
{
	struct big g = { { v, v + 1, v + 2, v + 3 }, -v };

	SEE("call gives_big", "$v", v);
	SEE("return gives_big", "$return->v[1]", g.v[1]);
	SEE("return gives_big", "$return->tail", g.tail);
	SEE("return gives_big", "@entry($v)", v);
	return g;
}

WHOLE struct mixed gives_mixed(int v)
{
	struct mixed m = { v / 2.0, v };

	SEE("return gives_mixed", "$return->i", m.i);
	return m;
}

WHOLE struct node *gives_node(struct node *n)
{
	SEE("return gives_node", "$return->value", n->next->value);
	SEE("return gives_node", "$return->text[0]", n->next->text[0]);
	SEE("return gives_node", "$return == @entry($n->next)", 1);
	return n->next;
}

WHOLE signed char gives_char(int v)
{
	SEE("return gives_char", "$return", (signed char)v);
	return (signed char)v;
}

WHOLE bool gives_bool(int v)
{
	SEE("return gives_bool", "$return", v > 1);
	return v > 1;
}

WHOLE enum colour gives_enum(int v)
{
	SEE("return gives_enum", "$return", v ? RED : BLUE);
	SEE("return gives_enum", "$return == $RED", v ? 1 : 0);
	return v ? RED : BLUE;
}

WHOLE unsigned int gives_unsigned(unsigned int v)
{
	SEE("return gives_unsigned", "$return", -v);
	return -v;
}

static void *thread(void *arg)
{
	(void)arg;
	per_thread = 50;
	thread_locals(3);
	thread_locals(4);
	return NULL;
}

static void call_all(void)
{
	static const unsigned short weak[] = { 65000 };
	static int row[] = { 10, -11 }, *rows[] = { row, row };
	static struct node last = { .value = -3, .text = "last", .colour = RED, .weak = weak };
	static struct node first = { .value = 12, .next = &last, .text = "first", .whole = 0x1122334455667788,
				     .inner = { { 7, 8, 250 } }, .grid = { { 1, 2, 3 }, { 4, 5, -6 } }, .fn = callback,
				     .colour = BLUE, .pairs = pair_table, .weak = weak };
	static const struct bits bits = { 5, 300, -7, 0x1aaaabbbb, -1000, 100, -(1L << 50), true };
	static const struct packed packed = { 'x', -77777, 21, 5000, 9999, -5 };
	static unsigned char bytes[] = { 9, 240 };
	struct big big = { { 1, 2, 1L << 50, 4 }, -99 };
	pthread_t t;

	list_head = &first;
	ints((char)-1, -2, 254, -30000, 65535, -5, 4000000000u, -(1L << 40), 1UL << 63, true, BLUE, BIT31);
	ints('a', 2, 0, 3, 4, 5, 6, 7, 8, false, RED, BIT0);
	pointers(rows, &first, "text", names, callback, 1);
	bitfields(&bits, (struct regbits){ 6, 257, -9, 0xabcde }, &packed);
	by_value((struct pair){ -(1L << 35), -2 }, (struct small){ -300, 'b' }, (struct mixed){ 1.5, -44 }, big,
		 (struct holder){ &first, bytes }, 88, -89);
	pair_on_stack(1, 2, 3, 4, -5, (struct pair){ 606, -607 }, 708);
	floats(1.5f, -3, 2.5, 1L << 33, 3.5L, -4, (__int128)1 << 70, 'c', 'm', 's');
	variadic(3, "variadic", 1, 2, 3);
	statics(1);
	statics(0);
	other_unit(9);
	thread_locals(1);
	if (pthread_create(&t, NULL, thread, NULL))
		exit(3);
	pthread_join(t, NULL);
	thread_locals(2);
	clonable((int)opaque(4), 99, &pair_table[2]);
	clonable((int)opaque(5), 99, &pair_table[1]);
	inlines(-6);
	recursive(3, 2);
	locals(4, &first, 1);
	gives_pair(5);
	gives_small(6);
	gives_big(7);
	gives_mixed(8);
	gives_node(&first);
	gives_char(0x1fe);
	gives_bool(1);
	gives_bool(2);
	gives_enum(1);
	gives_unsigned(9);
}

int main(void)
{
	/* pages that nobody has touched cannot be read by a probe */
	if (mlockall(MCL_CURRENT))
		return 4;
	call_all();
	return 0;
}
