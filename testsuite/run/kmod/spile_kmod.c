// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module with something of everything that a probe can read. Writing to /proc/spile_kmod calls kmod_target() with
 * the number written; reading tells what it had, one "name=value" a line, as the script of the test prints it.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

enum kmod_color { KMOD_RED = 3, KMOD_GREEN = 7, KMOD_BLUE = -2 };

struct kmod_inner {
	char tag;
	int value;
	struct kmod_inner *next;
};

struct kmod_item {
#ifdef KMOD_OTHER
	long other[5]; /* another build: everything lies elsewhere */
#endif
	u8 u8v;
	s8 s8v;
	u16 u16v;
	s16 s16v;
	u32 u32v;
	s32 s32v;
	u64 u64v;
	s64 s64v;
	bool flag;
	enum kmod_color color;
	unsigned int b3 : 3, b5 : 5;
	int sb7 : 7;
	u64 b33 : 33, b20 : 20;
	union {
		u32 word;
		u8 bytes[4];
	};
	union {
		long num;
		struct kmod_inner *as_ptr;
	} un;
	struct {
		int x, y;
	};
	int numbers[8];
	struct kmod_inner inner, table[4];
	struct kmod_inner *ptr, **pptr;
	int (*fn)(int n);
	char text[16];
};

static int kmod_static = -77;
int kmod_global = 4711;
static unsigned short kmod_squares[10];
static struct kmod_item *kmod_item;
static const int kmod_limits[3] = { 70, 80, 90 };
static long kmod_calls; /* in .bss */
static DEFINE_PER_CPU(long, kmod_count);
static DEFINE_PER_CPU(struct kmod_inner, kmod_percpu);
DEFINE_PER_CPU(u16, kmod_small) = 21;
static char kmod_report[4096];
static size_t kmod_report_len;

static noinline int kmod_double(int n)
{
	barrier();
	return 2 * n;
}

static __always_inline int kmod_inlined(int a, int b)
{
	asm volatile("nop" : : "r"(a), "r"(b));
	asm volatile("nop" : : "r"(a), "r"(b));
	return (a + b) * 3;
}

#define SAY(name, format, value)                                                                   \
	kmod_report_len += scnprintf(kmod_report + kmod_report_len,                                \
				     sizeof(kmod_report) - kmod_report_len, name "=" format "\n", value)
#define SAY_NUM(name, value) SAY(name, "%lld", (long long)(value))

static void kmod_say_item(const struct kmod_item *i, int n)
{
	SAY_NUM("u8", i->u8v);
	SAY_NUM("s8", i->s8v);
	SAY_NUM("u16", i->u16v);
	SAY_NUM("s16", i->s16v);
	SAY_NUM("u32", i->u32v);
	SAY_NUM("s32", i->s32v);
	SAY_NUM("u64", i->u64v);
	SAY_NUM("s64", i->s64v);
	SAY_NUM("flag", i->flag);
	SAY_NUM("color", i->color);
	SAY_NUM("b3", i->b3);
	SAY_NUM("b5", i->b5);
	SAY_NUM("sb7", i->sb7);
	SAY_NUM("b33", i->b33);
	SAY_NUM("b20", i->b20);
	SAY_NUM("word", i->word);
	SAY_NUM("byte1", i->bytes[1]);
	SAY_NUM("byten", i->bytes[n & 3]);
	SAY_NUM("un.num", i->un.num);
	SAY_NUM("un.ptr", i->un.as_ptr->value);
	SAY_NUM("x", i->x);
	SAY_NUM("y", i->y);
	SAY_NUM("numbers3", i->numbers[3]);
	SAY_NUM("numbersn", i->numbers[n & 7]);
	SAY_NUM("inner", i->inner.value);
	SAY_NUM("tag", i->inner.tag);
	SAY_NUM("table", i->table[n & 3].value);
	SAY_NUM("ptr", i->ptr->value);
	SAY_NUM("next", i->ptr->next->next->value);
	SAY_NUM("pptr", (*i->pptr)->value);
	SAY_NUM("fn", i->fn);
	SAY("text", "%s", i->text);
}

static void kmod_say_statics(int n)
{
	SAY_NUM("static", kmod_static);
	SAY_NUM("global", kmod_global);
	SAY_NUM("squares", kmod_squares[n % 10]);
	SAY_NUM("static_item", kmod_item->u16v);
	SAY_NUM("limit", kmod_limits[n % 3]);
	SAY_NUM("calls", kmod_calls);
	SAY_NUM("count", *this_cpu_ptr(&kmod_count));
	SAY_NUM("percpu", this_cpu_ptr(&kmod_percpu)->value);
	SAY_NUM("percpu_next", this_cpu_ptr(&kmod_percpu)->next->value);
	SAY_NUM("small", *this_cpu_ptr(&kmod_small));
	SAY_NUM("addr", &kmod_static);
	SAY_NUM("percpu_addr", this_cpu_ptr(&kmod_percpu));
}

noinline long kmod_target(struct kmod_item *item, int n, s8 narrow, enum kmod_color color, const char *name);
long kmod_target(struct kmod_item *item, int n, s8 narrow, enum kmod_color color, const char *name)
{
	int doubled;

	kmod_say_item(item, n);
	kmod_say_statics(n);
	SAY_NUM("n", n);
	SAY_NUM("narrow", narrow);
	SAY_NUM("param_color", color);
	SAY("name", "%s", name);
	SAY_NUM("cast", item->u16v);
	SAY_NUM("cast_named", item->table[2].value);
	SAY_NUM("cast_list", item->s64v);
	SAY_NUM("constant", KMOD_GREEN);
	SAY("defined", "%s", "10");
	SAY_NUM("double", n);
	doubled = kmod_double(n);
	SAY("inlined", "%s", "");
	kmod_report_len--;
	kmod_report_len += scnprintf(kmod_report + kmod_report_len, 50, "%d %d\n", n, doubled);
	return kmod_inlined(n, doubled) - 1000000;
}

static void kmod_fill(struct kmod_item *i, int n)
{
	*i = (struct kmod_item){
		.u8v = 200, .s8v = -100, .u16v = 60000, .s16v = -30000, .u32v = 4000000000u, .s32v = -2000000000,
		.u64v = 1ull << 62 | n, .s64v = -(1ll << 61) - n, .flag = true, .color = KMOD_BLUE, .b3 = 5,
		.b5 = 29, .sb7 = -60, .b33 = (1ull << 32) + 17, .b20 = 0xabcde, .word = 0x12345678, .x = -1,
		.y = 1 + n, .inner = { 'q', 300, NULL }, .fn = kmod_double, .text = "some text",
	};
	for (int k = 0; k < 8; k++)
		i->numbers[k] = 100 * k - 350;
	for (int k = 0; k < 4; k++)
		i->table[k] = (struct kmod_inner){ 'a' + k, 1000 + k, &i->table[(k + 1) & 3] };
	for (int k = 0; k < 10; k++)
		kmod_squares[k] = k * k;
	i->un.as_ptr = &i->table[2];
	i->ptr = &i->table[1];
	i->pptr = &i->ptr;
}

static ssize_t kmod_write(struct file *f, const char __user *from, size_t count, loff_t *at)
{
	long result;
	int n;

	if (kstrtoint_from_user(from, count, 10, &n))
		return -EINVAL;
	kmod_fill(kmod_item, n);
	kmod_report_len = 0;
	kmod_calls++;
	preempt_disable();
	__this_cpu_write(kmod_count, 500 + smp_processor_id());
	*this_cpu_ptr(&kmod_percpu) = (struct kmod_inner){ 'p', 600 + n, &kmod_item->table[3] };
	result = kmod_target(kmod_item, n, -5, KMOD_GREEN, "a name");
	preempt_enable();
	SAY_NUM("return", result);
	return count;
}

static ssize_t kmod_read(struct file *f, char __user *to, size_t count, loff_t *at)
{
	return simple_read_from_buffer(to, count, at, kmod_report, kmod_report_len);
}

static const struct proc_ops kmod_ops = {
	.proc_read = kmod_read,
	.proc_write = kmod_write,
	.proc_lseek = default_llseek,
};

static noinline int kmod_started(int value)
{
	kmod_static = value;
	return value;
}

static int __init kmod_init(void)
{
	kmod_item = kzalloc(sizeof(*kmod_item), GFP_KERNEL);
	if (!kmod_item || !proc_create("spile_kmod", 0600, NULL, &kmod_ops))
		return -ENOMEM;
	kmod_started(-77);
	return 0;
}

static void __exit kmod_exit(void)
{
	remove_proc_entry("spile_kmod", NULL);
	kfree(kmod_item);
}

module_init(kmod_init);
module_exit(kmod_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What probes of modules are tested with");
