/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel can do, asked of the kernel itself and only for what the object needs.
 * An answer is kept for the life of the process.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime-bpf/runner.h"

static bool has_capability(unsigned int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return false;
	return d[cap / 32].effective >> (cap % 32) & 1;
}

static bool have_ringbuf(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
}

static bool have_helper(enum bpf_func_id id)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, id, NULL) == 1;
}

static bool have_loop(void)
{
	return have_helper(BPF_FUNC_loop);
}

static bool have_for_each(void)
{
	return have_helper(BPF_FUNC_for_each_map_elem);
}

static bool have_snprintf(void)
{
	return have_helper(BPF_FUNC_snprintf);
}

static bool have_long_keys(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 520, 8, 1, NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Asked by a program that calls it: kernels that are locked down know the helper and refuse it. */
static bool have_write_user(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_write_user },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", code, sizeof(code) / sizeof(code[0]), NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool have_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static bool have_kprobes(void)
{
	return !access("/sys/bus/event_source/devices/kprobe/type", R_OK) ||
	       !access("/sys/kernel/tracing/kprobe_events", R_OK) ||
	       !access("/sys/kernel/debug/tracing/kprobe_events", R_OK);
}

static bool have_uprobes(void)
{
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK) ||
	       !access("/sys/kernel/tracing/uprobe_events", R_OK) ||
	       !access("/sys/kernel/debug/tracing/uprobe_events", R_OK);
}

static const struct {
	const char *name, *what, *since;
	bool (*have)(void);
} features[BPF_NEED_COUNT] = {
	[BPF_NEED_RINGBUF] = { "ringbuf", "the BPF ring buffer", "5.8", have_ringbuf },
	[BPF_NEED_FOR_EACH] = { "for_each",
				"bpf_for_each_map_elem (foreach, delete of arrays, wrapping arrays)", "5.13",
				have_for_each },
	[BPF_NEED_LOOP] = { "loop", "bpf_loop (foreach)", "5.17",
			    have_loop },
	[BPF_NEED_LONG_KEYS] = { "long_keys",
				 "keys of more than 512 bytes in eBPF maps (arrays with several keys of "
				 "which one is a string; -DMAXSTRINGLEN=128 makes them shorter)",
				 "5.11", have_long_keys },
	[BPF_NEED_WRITE_USER] = { "write_user",
				  "the right of eBPF programs to change a process's memory, bpf_probe_write_user (kernel "
				  "lockdown forbids it)",
				  "4.8", have_write_user },
	[BPF_NEED_BTF] = { "btf",
			   "its own type information, CONFIG_DEBUG_INFO_BTF (ppid, euid, egid)",
			   "5.2", have_btf },
	[BPF_NEED_SNPRINTF] = { "snprintf",
				"bpf_snprintf (symname, symdata, modname and probefunc as values that are not just "
				"printed)", "5.13", have_snprintf },
	[BPF_NEED_KPROBES] = { "kprobes", "kprobes, CONFIG_KPROBE_EVENTS", "4.1", have_kprobes },
	[BPF_NEED_UPROBES] = { "uprobes", "uprobes, CONFIG_UPROBE_EVENTS", "4.1", have_uprobes },
};

/* SPILE_BPF_LACKS=loop,btf: tests run as on a kernel without these. */
static bool pretend_missing(const char *name)
{
	const char *s = getenv("SPILE_BPF_LACKS");
	size_t n = strlen(name);

	while (s && *s) {
		if (!strncmp(s, name, n) && (s[n] == ',' || !s[n]))
			return true;
		s = strchr(s, ',');
		s = s ? s + 1 : NULL;
	}
	return false;
}

bool bpf_feature_wanted(const char *name)
{
	return !pretend_missing(name);
}

bool bpf_has_cookies(void)
{
	return bpf_feature_wanted("cookies") &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie, NULL) == 1;
}

static bool have_feature(unsigned int f)
{
	static signed char known[BPF_NEED_COUNT];

	if (!known[f])
		known[f] = !pretend_missing(features[f].name) && features[f].have() ? 1 : -1;
	return known[f] > 0;
}

int bpf_check_features(struct bpf_run *b, uint64_t needs)
{
	struct diag *d = &b->run->diag;
	int missing = 0;

	if (!has_capability(CAP_SYS_ADMIN) &&
	    !(has_capability(CAP_BPF) && has_capability(CAP_PERFMON))) {
		diag_error(d, TAG_NOT_ROOT, SPAN_HERE, "not allowed to load eBPF programs");
		diag_hint(
			d,
			"run as root, or give staprun CAP_BPF and CAP_PERFMON; --runtime=user needs "
			"no privileges");
		return -1;
	}
	for (unsigned int f = 0; f < BPF_NEED_COUNT; f++) {
		if (!(needs & 1ull << f) || have_feature(f))
			continue;
		diag_error(d, TAG_KERNEL_FEATURE, SPAN_HERE, "this kernel lacks %s",
			   features[f].what);
		diag_hint(d,
			  "kernels have it from version %s on, where it is configured; or use "
			  "--runtime=kernel",
			  features[f].since);
		missing++;
	}
	return missing ? -1 : 0;
}
