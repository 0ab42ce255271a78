/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many functions by one link (kprobe.multi, Linux 5.18 with CONFIG_FPROBE): hundreds of kprobes by perf events take
 * seconds to place and, with a grace period each, longer to remove.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime-bpf/runner.h"
#include "staprun/ksyms.h"

#define MULTI_MIN 8 /* functions; fewer are placed one by one */

/* DWARF numbers of the registers that hold arguments, and of the stack pointer: newer kernels fill in no others here. */
static bool register_known(uint32_t number)
{
	static const bool known[] = { [1] = true, [2] = true, [4] = true, [5] = true,
				      [7] = true, [8] = true, [9] = true };

	return number < sizeof(known) / sizeof(known[0]) && known[number];
}

/* What a handler needs beyond arguments and result is told by kprobes only. */
static bool suits_insn(const struct ir_insn *i, bool at_return)
{
	switch (i->op) {
	case IR_reg:
		return !at_return && register_known(i->imm);
	case IR_frame:
		return !at_return;
	case IR_call:
		return false;
	default:
		return true;
	}
}

static bool suits(const struct ir_func *f, bool at_return)
{
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t n = 0; n < f->blocks.v[b]->insns.n; n++)
			if (!suits_insn(&f->blocks.v[b]->insns.v[n], at_return))
				return false;
	return true;
}

static bool of_kernel_start(const struct ir_probe *p)
{
	return !strcmp(p->target, "_stext");
}

static bool group_suits(const struct bpf_run *b, uint32_t leader)
{
	const struct ir_module *m = b->run->ir;
	const struct ir_probe *first = m->probes.v[leader];

	if ((first->kind != AT_KPROBE && first->kind != AT_KRETPROBE) || b->groups[leader].size < MULTI_MIN ||
	    !suits(m->funcs.v[first->handler], first->kind == AT_KRETPROBE))
		return false;
	for (uint32_t p = leader; p < m->probes.n; p++)
		if (b->groups[p].leader == leader && m->probes.v[p]->offset && !of_kernel_start(m->probes.v[p]))
			return false;
	return true;
}

/* A kernel without the links says so before it looks at what is to be linked. */
static bool have_multi(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, link);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", code, 2, &opts), rc;

	if (fd < 0)
		return false;
	rc = bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &link);
	if (rc >= 0)
		close(rc);
	close(fd);
	return rc == -EINVAL;
}

void bpf_multi_choose(struct bpf_run *b)
{
	bool known = false, have = false;

	b->multi = arena_alloc(&b->run->arena, b->run->ir->probes.n + 1);
	for (uint32_t p = 0; p < b->run->ir->probes.n; p++) {
		struct bpf_program *prog;

		if (b->groups[p].leader != p || !b->cookies || !group_suits(b, p))
			continue;
		if (!known)
			have = bpf_feature_wanted("multi") && have_multi();
		known = true;
		prog = have ? bpf_object__find_program_by_name(b->obj, arena_printf(&b->run->arena, "probe_%u", p))
			    : NULL;
		if (prog && !bpf_program__set_expected_attach_type(prog, BPF_TRACE_KPROBE_MULTI))
			b->multi[p] = 1;
	}
}

struct multi {
	struct bpf_run *b;
	struct bpf_program *prog;
	bool at_return;
	uint32_t *probe;
	unsigned long *addr;
	__u64 *cookie;
};

/*
 * One that the kernel refuses makes it refuse all: halves are tried, so that the others are placed. -1 after an error that
 * was reported; an errno when the reason is no probe's own.
 */
static int attach_range(struct multi *m, uint32_t from, uint32_t n)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .addrs = m->addr + from, .cookies = m->cookie + from, .cnt = n,
		    .retprobe = m->at_return);
	struct bpf_link *link = bpf_program__attach_kprobe_multi_opts(m->prog, NULL, &opts);
	int err = errno, rc;

	if (link) {
		vec_push(&m->b->run->arena, &m->b->links, link);
		return 0;
	}
	if (bpf_attach_serious(err))
		return err;
	if (n == 1)
		return m->b->run->ir->probes.v[m->probe[from]]->optional ? 0 : bpf_attach_failed(m->b, m->probe[from], err);
	rc = attach_range(m, from, n / 2);
	return rc ? rc : attach_range(m, from + n / 2, n - n / 2);
}

/* Before anything is armed: a script may probe what reading the kernel's list of symbols does. */
void bpf_multi_find(struct bpf_run *b)
{
	const struct ir_module *ir = b->run->ir;
	struct arena *a = &b->run->arena;
	const char **names = arena_alloc(a, (ir->probes.n + 1) * sizeof(*names));
	uint32_t *probe = arena_alloc(a, (ir->probes.n + 1) * sizeof(*probe)), n = 0;
	uint64_t *found;

	for (uint32_t p = 0; p < ir->probes.n && b->multi; p++)
		if (b->groups[p].leader != IR_NONE && b->multi[b->groups[p].leader]) {
			names[n] = ir->probes.v[p]->target;
			probe[n++] = p;
		}
	if (!n)
		return;
	found = ksyms_addresses(b->run, names, n);
	b->multi_addr = arena_alloc(a, (ir->probes.n + 1) * sizeof(*b->multi_addr));
	for (uint32_t i = 0; i < n; i++)
		b->multi_addr[probe[i]] = found[i] ? found[i] + ir->probes.v[probe[i]]->offset : 0;
}

int bpf_multi_attach(struct bpf_run *b, uint32_t leader)
{
	const struct ir_module *ir = b->run->ir;
	struct arena *a = &b->run->arena;
	uint32_t size = b->groups[leader].size, n = 0;
	struct multi m = { .b = b, .at_return = ir->probes.v[leader]->kind == AT_KRETPROBE };
	int rc = 0;

	if (b->multi[leader] > 1)
		return 0;
	b->multi[leader] = 2;
	m.prog = bpf_object__find_program_by_name(b->obj, arena_printf(a, "probe_%u", leader));
	m.probe = arena_alloc(a, size * sizeof(*m.probe));
	m.addr = arena_alloc(a, size * sizeof(*m.addr));
	m.cookie = arena_alloc(a, size * sizeof(*m.cookie));
	for (uint32_t p = leader; p < ir->probes.n && !rc; p++) {
		const struct ir_probe *pr = ir->probes.v[p];

		if (b->groups[p].leader != leader || b->dropped[p])
			continue;
		/* what modules do not have here is told of by its own probe */
		if (!b->multi_addr[p] && !pr->optional && !ksyms_module(b->run, pr->target))
			rc = bpf_attach_failed(b, p, ENOENT);
		if (!b->multi_addr[p])
			continue;
		m.probe[n] = p;
		m.addr[n] = b->multi_addr[p];
		m.cookie[n++] = b->groups[p].nth;
	}
	if (!rc && m.prog && n)
		rc = attach_range(&m, 0, n);
	return rc > 0 ? bpf_attach_failed(b, leader, rc) : rc;
}
