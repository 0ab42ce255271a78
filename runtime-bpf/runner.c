/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eBPF runner: opens the object, sizes its maps for this machine, loads, arms, reads, takes
 * down. Everything is held by descriptors of this process, so its death, however sudden, leaves
 * nothing in the kernel.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "runtime-bpf/runner.h"
#include "staprun/ksyms.h"

#define SETTLE_TRIES 500 /* of 0.1 ms, for handlers still running when the probes are gone */

/* libbpf's printer has no argument of its own. */
static struct buf *log_to;
static bool log_debug;

static int on_message(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (log_to && (level == LIBBPF_WARN || log_debug))
		buf_vprintf(log_to, fmt, ap);
	return 0;
}

static bool kernel_side(const struct ir_probe *p)
{
	return !p->user_side && p->kind != AT_NEVER;
}

static int load_error(struct bpf_run *b, const char *what, int err)
{
	char text[128];

	libbpf_strerror(err, text, sizeof(text));
	diag_error(&b->run->diag, TAG_LOAD, SPAN_HERE, "%s: %s", what, text);
	if (b->run->opt.verbose && b->log.len)
		fwrite(b->log.p, 1, b->log.len, stderr);
	if (err == ENOMEM || err == E2BIG)
		diag_hint(&b->run->diag,
			  "arrays take memory for all their elements at once: a smaller size, or "
			  "-D MAXMAPENTRIES= and -D MAXSTRINGLEN=, needs less");
	return -1;
}

/* ---- sizing ---- */

/*
 * The type of a statistic's value depends on the number of CPUs. libbpf has copied the types but
 * not loaded them; the two numbers are set in its copy, which its interface only lets us read.
 */
static void size_stat_type(struct bpf_run *b, const struct bpf_global *g)
{
	const struct btf *btf = bpf_object__btf(b->obj);
	const char *name = arena_printf(&b->run->arena, BPF_STAT_STRUCT "%s", g->map);
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) : -1;
	struct btf_type *t, *array;

	if (id < 0)
		return;
	t = (struct btf_type *)(uintptr_t)btf__type_by_id(btf, (uint32_t)id);
	array = (struct btf_type *)(uintptr_t)btf__type_by_id(btf, btf_members(t)[1].type);
	btf_array(array)->nelems = (uint32_t)b->ncpu;
	t->size = bpf_value_size(g, (uint32_t)b->ncpu);
}

static uint32_t ring_bytes(const struct run *r)
{
	uint32_t mb = r->opt.buffer_mb > 0 ? (uint32_t)r->opt.buffer_mb : 8, size = 1;

	if (mb > 1024)
		mb = 1024;
	while (size < mb)
		size *= 2;
	return size << 20;
}

/* Bytes that foreach may take for more than one handler at a time. */
#define ITER_BYTES (32ull << 20)

/* As many regions for foreach as handlers may run at once, within reason. */
static int size_iterators(struct bpf_run *b, char *ro)
{
	struct bpf_map *iter = bpf_object__find_map_by_name(b->obj, BPF_MAP_ITER);
	struct bpf_map *heap = bpf_object__find_map_by_name(b->obj, BPF_MAP_HEAP);
	uint64_t one, regions, bytes;
	uint32_t elems;

	if (!iter || !heap)
		return 0;
	memcpy(&one, ro + RD_REGIONS, 8);
	elems = bpf_map__max_entries(iter);
	bytes = (uint64_t)elems * bpf_map__value_size(iter) * one;
	regions = one;
	while (regions < one * (uint64_t)b->ncpu && regions + one <= BPF_REGIONS_MAX &&
	       bytes / one * (regions + one) <= ITER_BYTES)
		regions += one;
	if (elems * regions > UINT32_MAX)
		return -E2BIG;
	memcpy(ro + RD_REGIONS, &regions, 8);
	return bpf_map__set_max_entries(iter, (uint32_t)(elems * regions)) |
	       bpf_map__set_max_entries(heap, (uint32_t)(elems * regions));
}

/* Programs of several probes: by cookies, or by a stub for each. */
static int choose_programs(struct bpf_run *b, char *ro)
{
	uint64_t cookies;
	struct bpf_program *prog;
	struct bpf_map *site = bpf_object__find_map_by_name(b->obj, BPF_MAP_SITE);

	if (!b->ntails)
		return 0;
	b->cookies = bpf_has_cookies();
	cookies = b->cookies;
	memcpy(ro + RD_COOKIES, &cookies, 8);
	bpf_object__for_each_program(prog, b->obj)
		if (b->cookies && !strncmp(bpf_program__name(prog), "stub_", 5))
			bpf_program__set_autoload(prog, false);
	bpf_multi_choose(b);
	return site ? bpf_map__set_max_entries(site, (uint32_t)b->ncpu) : -EINVAL;
}

static int size_maps(struct bpf_run *b)
{
	struct bpf_map *map, *rodata = bpf_object__find_map_by_name(b->obj, ".rodata");
	uint32_t zero = 0;
	uint64_t ncpu = (uint64_t)b->ncpu;
	size_t size = 0;
	/*
	 * its interface gives a const pointer, but before loading the memory is the program's to
	 * fill
	 */
	char *ro = rodata ? (char *)(uintptr_t)bpf_map__initial_value(rodata, &size) : NULL;
	int r = 0;

	if (!ro || size < RD_ZERO)
		return -EINVAL;
	memcpy(ro + RD_NCPU, &ncpu, 8);
	r |= choose_programs(b, ro);
	r |= size_iterators(b, ro) | track_size(b);
	map = bpf_object__find_map_by_name(b->obj, BPF_MAP_SCRATCH);
	r |= map ? bpf_map__set_max_entries(map, BPF_LEVELS * (uint32_t)b->ncpu) : -EINVAL;
	map = bpf_object__find_map_by_name(b->obj, BPF_MAP_EVENTS);
	r |= map ? bpf_map__set_max_entries(map, ring_bytes(b->run)) : -EINVAL;
	for (uint32_t g = 0; g < b->run->ir->globals.n; g++) {
		uint32_t value = bpf_value_size(&b->lay.g[g], (uint32_t)b->ncpu);

		if (!b->run->ir->globals.v[g]->is_stat)
			continue;
		if (value > zero)
			zero = value;
		size_stat_type(b, &b->lay.g[g]);
		map = bpf_object__find_map_by_name(b->obj, b->lay.g[g].map);
		r |= map ? bpf_map__set_value_size(map, value) : -EINVAL;
	}
	map = bpf_object__find_map_by_name(b->obj, BPF_MAP_ZERO);
	if (map)
		r |= bpf_map__set_value_size(map, zero);
	return r;
}

/* Where the script's symbols lie: constants to the verifier. */
static int put_symbols(struct bpf_run *b)
{
	struct bpf_map *rodata = bpf_object__find_map_by_name(b->obj, ".rodata");
	uint32_t n = b->run->ir->syms.n;
	size_t size = 0;
	char *ro = (char *)(uintptr_t)bpf_map__initial_value(rodata, &size);
	uint64_t *addr;

	if (!n)
		return 0;
	if (size < b->lay.syms + 8 * n)
		return load_error(b, "the eBPF object's maps are not as expected", EINVAL);
	addr = ksyms_find(b->run);
	if (addr)
		memcpy(ro + b->lay.syms, addr, 8 * n);
	return addr ? 0 : -1;
}

/* ---- loading ---- */

static uint64_t needs_of(struct bpf_run *b)
{
	struct bpf_map *rodata = bpf_object__find_map_by_name(b->obj, ".rodata");
	size_t size = 0;
	const char *ro = rodata ? bpf_map__initial_value(rodata, &size) : NULL;
	uint64_t needs = 0;

	if (ro && size >= RD_ZERO)
		memcpy(&needs, ro + RD_NEEDS, 8);
	return needs;
}

/* Keeps the verifier's log, which is what a report needs. */
static void verifier_error(struct bpf_run *b, int err)
{
	const char *dir = getenv("TMPDIR");
	char *path = arena_printf(&b->run->arena, "%s/spile-verifier-XXXXXX",
				  dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path);

	if (fd >= 0)
		close(fd);
	diag_error(
		&b->run->diag, TAG_VERIFIER, SPAN_HERE,
		"the kernel's verifier refused the eBPF program: %s. This is a bug in Spile, not in "
		"your script",
		strerror(err));
	if (fd >= 0 && !buf_write_file(&b->log, path))
		diag_hint(
			&b->run->diag,
			"please report it with the script and the log in %s; --runtime=kernel may "
			"work",
			path);
	if (b->run->opt.verbose && b->log.len)
		fwrite(b->log.p, 1, b->log.len, stderr);
}

/* What the kernel made of each program: the verifier gives up after a million instructions. */
static void tell_sizes(const struct bpf_run *b)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, b->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			fprintf(stderr,
				"eBPF program %s: %u instructions, %u followed by the verifier, %u "
				"bytes of machine code\n",
				bpf_program__name(prog), info.xlated_prog_len / 8,
				info.verified_insns, info.jited_prog_len);
	}
}

static int load_object(struct bpf_run *b)
{
	int r = bpf_object__load(b->obj);

	if (!r && b->run->opt.verbose > 1)
		tell_sizes(b);
	if (!r)
		return 0;
	if (b->log.len && strstr(b->log.p, "BEGIN PROG LOAD LOG")) {
		verifier_error(b, -r);
		return -1;
	}
	return load_error(b, "cannot load the eBPF object", -r);
}

/* Where stubs continue. */
static int fill_tails(struct bpf_run *b)
{
	struct bpf_map *tails = bpf_object__find_map_by_name(b->obj, BPF_MAP_TAIL);

	for (uint32_t p = 0; b->ntails && !b->cookies && p < b->run->ir->probes.n; p++) {
		struct bpf_program *prog;
		char name[32];
		int fd;

		if (b->groups[p].leader != p || b->groups[p].size < 2)
			continue;
		snprintf(name, sizeof(name), "probe_%u", p);
		prog = bpf_object__find_program_by_name(b->obj, name);
		if (prog && !bpf_program__autoload(prog))
			continue;
		fd = prog ? bpf_program__fd(prog) : -1;
		if (!tails || fd < 0 ||
		    bpf_map_update_elem(bpf_map__fd(tails), &b->groups[p].tail, &fd, BPF_ANY))
			return load_error(b, "cannot link the eBPF programs", tails && fd >= 0 ? errno : EINVAL);
	}
	return 0;
}

static int map_memory(struct bpf_run *b)
{
	struct bpf_map *data = bpf_object__find_map_by_name(b->obj, ".data");
	struct bpf_map *scratch = bpf_object__find_map_by_name(b->obj, BPF_MAP_SCRATCH);
	void *p;

	if (!data || !scratch)
		return load_error(b, "the eBPF object has no map for globals", EINVAL);
	b->data_size = b->lay.data_size;
	p = mmap(NULL, b->data_size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(data), 0);
	if (p == MAP_FAILED)
		return load_error(b, "cannot map globals", errno);
	b->data = p;
	b->slot_size = bpf_map__value_size(scratch);
	b->slot_size = (b->slot_size + 7) & ~(size_t)7;
	b->scratch_size = b->slot_size * bpf_map__max_entries(scratch);
	p = mmap(NULL, b->scratch_size, PROT_READ, MAP_SHARED, bpf_map__fd(scratch), 0);
	if (p == MAP_FAILED)
		return load_error(b, "cannot map the scratch area", errno);
	b->scratch = p;
	return 0;
}

/* Handlers add this to the monotonic clock. */
static void set_real_time(struct bpf_run *b)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	__atomic_store_n(bpf_word(b, BD_REALTIME),
			 (uint64_t)((real.tv_sec - mono.tv_sec) * 1000000000ll + real.tv_nsec -
				    mono.tv_nsec),
			 __ATOMIC_RELAXED);
}

static int open_object(struct bpf_run *b)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "spile");

	b->obj = bpf_object__open_file(b->run->opt.object, &opts);
	if (!b->obj)
		return load_error(b, "cannot read the eBPF object", errno);
	if (bpf_check_features(b, needs_of(b) | (track_wanted(b) ? 1ull << BPF_NEED_BTF : 0)) || bpf_check_types(b))
		return -1;
	b->ncpu = libbpf_num_possible_cpus();
	if (b->ncpu <= 0)
		return load_error(b, "cannot count the CPUs", -b->ncpu);
	if (size_maps(b))
		return load_error(b, "the eBPF object's maps are not as expected", EINVAL);
	return put_symbols(b);
}

/* What the command line set; the object holds the other initial values. */
static void put_settings(struct bpf_run *b)
{
	const struct ir_module *m = b->run->ir;

	for (uint32_t i = 0; i < b->run->set.n; i++) {
		uint32_t k = b->run->set.v[i];
		const struct ir_global *g = m->globals.v[k];
		uint8_t *at = b->data + b->lay.g[k].off;

		if (g->type == IR_STR)
			memcpy(at, g->init_str, strlen(g->init_str) + 1);
		else
			memcpy(at, &g->init_num, 8);
	}
}

/* An attachment holds two descriptors. The command of -c has its own limit: it was made before. */
static void raise_open_files(const struct run *r)
{
	rlim_t wanted = 1024 + 2 * (rlim_t)r->ir->probes.n;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) || now.rlim_cur >= wanted)
		return;
	now.rlim_cur = wanted;
	if (now.rlim_max < wanted)
		now.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &now) && r->opt.verbose)
		fputs("staprun: cannot raise the limit of open files\n", stderr);
}

static int runner_load(struct run *r)
{
	struct bpf_run *b = arena_new(&r->arena, struct bpf_run);
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct bpf_map *events;
	bool any = false;

	r->priv = b;
	b->run = r;
	buf_init(&b->log);
	for (uint32_t p = 0; p < r->ir->probes.n; p++)
		any |= kernel_side(r->ir->probes.v[p]);
	if (!any)
		return 0;
	log_to = &b->log;
	log_debug = r->opt.verbose > 3;
	libbpf_set_print(on_message);
	/* kernels before 5.11 count maps as locked memory */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) && r->opt.verbose)
		fputs("staprun: cannot raise the limit of locked memory\n", stderr);
	raise_open_files(r);
	bpf_layout(&r->arena, r->ir, &b->lay);
	b->groups = bpf_groups(&r->arena, r->ir, &b->ntails);
	if (ksyms_check_builds(r))
		return -1;
	if (open_object(b) || load_object(b) || fill_tails(b) || map_memory(b))
		return -1;
	*bpf_word(b, BD_TARGET) = (uint64_t)r->opt.target;
	set_real_time(b);
	put_settings(b);
	bpf_store_init(b);
	events = bpf_object__find_map_by_name(b->obj, BPF_MAP_EVENTS);
	return bpf_records_open(b, bpf_map__fd(events));
}

/*
 * What one event runs in this order: threads end before their processes do, and what an exec replaces before the new begins.
 */
#define ATTACH_LAST 2

static size_t attach_turn(enum ir_attach kind)
{
	return kind == AT_THREAD_END ? 0 : kind == AT_PROC_END ? 1 : ATTACH_LAST;
}

static int runner_start(struct run *r)
{
	struct bpf_run *b = r->priv;

	if (!b->obj)
		return 0;
	bpf_multi_find(b);
	if (track_begin(b))
		return -1;
	for (size_t k = 0; k <= ATTACH_LAST; k++)
		for (uint32_t p = 0; p < r->ir->probes.n; p++)
			if (kernel_side(r->ir->probes.v[p]) && !b->dropped[p] &&
			    attach_turn(r->ir->probes.v[p]->kind) == k && bpf_attach(b, p))
				return -1;
	return track_armed(b);
}

static int runner_read(struct run *r)
{
	struct bpf_run *b = r->priv;

	if (!b->obj)
		return 0;
	set_real_time(b);
	bpf_records_read(b);
	return 0;
}

static bool any_busy(const struct bpf_run *b)
{
	for (size_t at = 0; at < b->scratch_size; at += b->slot_size)
		if (__atomic_load_n((const uint32_t *)(const void *)(b->scratch + at),
				    __ATOMIC_ACQUIRE))
			return true;
	return false;
}

/* End probes see what the last handlers did: those still running are waited for. */
static int runner_stop(struct run *r, bool failed)
{
	struct bpf_run *b = r->priv;

	(void)failed;
	if (!b->obj)
		return 0;
	__atomic_store_n((uint32_t *)(void *)(b->data + BD_EXITING), 1, __ATOMIC_SEQ_CST);
	bpf_detach_all(b);
	for (int k = 0; k < SETTLE_TRIES && any_busy(b); k++)
		usleep(100);
	return 0;
}

static void runner_unload(struct run *r)
{
	struct bpf_run *b = r->priv;

	if (!b)
		return;
	bpf_detach_all(b);
	bpf_records_close(b);
	track_end(b);
	if (b->data)
		munmap(b->data, b->data_size);
	if (b->scratch)
		munmap((void *)(uintptr_t)b->scratch, b->scratch_size);
	if (b->obj)
		bpf_object__close(b->obj);
	log_to = NULL;
	buf_fini(&b->log);
}

/* Hits that the kernel itself turned away because the program was already running on that CPU. */
static uint64_t kernel_misses(const struct bpf_run *b)
{
	struct bpf_program *prog;
	uint64_t n = 0;

	bpf_object__for_each_program(prog, b->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			n += info.recursion_misses;
	}
	return n;
}

static void runner_counts(struct run *r, struct run_counts *out)
{
	const struct bpf_run *b = r->priv;

	*out = (struct run_counts){ 0 };
	if (!b->data)
		return;
	out->errors = *bpf_word(b, BD_ERRORS);
	out->skipped = *bpf_word(b, BD_SKIP_LOCK);
	out->nested = *bpf_word(b, BD_SKIP_NEST) + kernel_misses(b);
	out->lost = *bpf_word(b, BD_LOST);
	out->untracked = *bpf_word(b, BD_UNTRACKED);
}

static const struct ir_store_ops *runner_store(struct run *r, void **arg)
{
	struct bpf_run *b = r->priv;

	*arg = b;
	return b->obj ? &bpf_store : NULL;
}

static bool runner_target_set(struct run *r, int64_t pid)
{
	return track_target_set(r->priv, pid);
}

const struct runner_ops runner_bpf = {
	.name = "bpf",
	.load = runner_load,
	.start = runner_start,
	.read = runner_read,
	.stop = runner_stop,
	.unload = runner_unload,
	.counts = runner_counts,
	.store = runner_store,
	.target_set = runner_target_set,
};
