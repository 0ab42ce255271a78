/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and stops the table of processes (base/track.h; the programs are those of translator/bpf/track.c). The order makes
 * the start exact. First the keepers are attached, told that they are arming: from then on no fork escapes. Then the target's
 * descendants are found, by parents as /proc has them and by the makers that the keepers note, until a pass finds no more. Then
 * the script's probes are attached, the keepers told that events count, and all tasks shown to what looks for those that are
 * there: each of them begins by a fork, or by being found, never by both.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "runtime-bpf/runner.h"

static struct bpf_program *program(struct bpf_run *b, const char *name)
{
	return bpf_object__find_program_by_name(b->obj, name);
}

static bool is_keeper(const char *name)
{
	return strncmp(name, "track_", 6) == 0;
}

bool track_wanted(struct bpf_run *b)
{
	ir_track(b->run->ir, &b->track);
	b->tracks = b->track.always || (b->track.used && b->run->opt.target);
	return b->tracks;
}

int track_size(struct bpf_run *b)
{
	struct bpf_map *map = bpf_object__find_map_by_name(b->obj, BPF_MAP_TASKS);
	struct bpf_program *prog;
	int r = 0;

	bpf_object__for_each_program(prog, b->obj)
		if (is_keeper(bpf_program__name(prog)) && !b->tracks)
			r |= bpf_program__set_autoload(prog, false);
	if (map && !b->tracks)
		r |= bpf_map__set_max_entries(map, 1);
	return r;
}

static int failed(struct bpf_run *b, const char *what, int err)
{
	diag_error(&b->run->diag, TAG_ATTACH, SPAN_HERE, "cannot follow processes: %s: %s", what, strerror(err));
	return -1;
}

static int attach(struct bpf_run *b, const char *name)
{
	struct bpf_program *prog = program(b, name);
	struct bpf_link *link = prog ? bpf_program__attach(prog) : NULL;

	if (!link)
		return failed(b, name, prog ? errno : ENOENT);
	vec_push(&b->run->arena, &b->links, link);
	return 0;
}

/* ---- files told apart ---- */

/*
 * The kernel's inode of each is what processes are compared by: path names and mount namespaces play no part. The file is
 * held open so that no other gets that inode. One that is not there matches no process.
 */
static int learn_files(struct bpf_run *b)
{
	for (uint32_t k = 0; k < b->track.nexe; k++) {
		int fd = open(b->track.exe[k], O_PATH | O_CLOEXEC);
		uint64_t args[2] = { (uint64_t)fd, k };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

		if (fd < 0) {
			diag_error(&b->run->diag, TAG_ATTACH, SPAN_HERE, "cannot open \"%s\": %s", b->track.exe[k],
				   strerror(errno));
			return -1;
		}
		vec_push(&b->run->arena, &b->held_files, fd);
		if (bpf_prog_test_run_opts(bpf_program__fd(program(b, "track_inode")), &opts))
			return failed(b, b->track.exe[k], errno);
	}
	return 0;
}

/* ---- the target and its descendants ---- */

static void tell(struct bpf_run *b, uint64_t what)
{
	__atomic_store_n(bpf_word(b, BD_TRACK), what, __ATOMIC_SEQ_CST);
}

static int tasks_fd(const struct bpf_run *b)
{
	return bpf_map__fd(bpf_object__find_map_by_name(b->obj, BPF_MAP_TASKS));
}

static bool in_set(int fd, uint32_t id)
{
	struct bpf_task t;

	return !bpf_map_lookup_elem(fd, &id, &t) && (t.bits & TRACK_TARGET);
}

/* Marks a process; true when it was not. */
static bool mark(int fd, uint32_t id, uint64_t bits)
{
	struct bpf_task t = { 0 };

	if (!bpf_map_lookup_elem(fd, &id, &t) && (t.bits & bits) == bits)
		return false;
	t.bits |= bits;
	return !bpf_map_update_elem(fd, &id, &t, BPF_ANY);
}

/* Children of marked processes as /proc knows them; whether some were new. */
static bool mark_by_proc(int fd)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	bool any = false;

	while (d && (e = readdir(d)) != NULL) {
		uint32_t id = (uint32_t)strtoul(e->d_name, NULL, 10);
		uint32_t parent = id ? (uint32_t)proc_parent((pid_t)id) : 0;

		if (parent && in_set(fd, parent))
			any |= mark(fd, id, TRACK_TARGET);
	}
	if (d)
		closedir(d);
	return any;
}

/* The same by their makers as the keepers noted them, for those whose parents are gone. */
static bool mark_by_maker(int fd)
{
	uint32_t id, *from = NULL;
	struct bpf_task t;
	bool any = false;

	while (!bpf_map_get_next_key(fd, from, &id)) {
		from = &id;
		if (!bpf_map_lookup_elem(fd, &id, &t) && !(t.bits & TRACK_TARGET) && t.parent && in_set(fd, t.parent))
			any |= mark(fd, id, TRACK_TARGET);
	}
	return any;
}

static void mark_target(struct bpf_run *b)
{
	int fd = tasks_fd(b);
	bool more = true;

	if (!b->run->opt.target)
		return;
	mark(fd, (uint32_t)b->run->opt.target, TRACK_TARGET | (b->run->opt.command ? TRACK_HELD : 0));
	/* our own child cannot have any yet */
	while (more && !b->run->opt.command) {
		more = mark_by_proc(fd);
		more |= mark_by_maker(fd);
	}
}

/* Those that ended while the probes were armed. */
static void drop_gone(struct bpf_run *b)
{
	uint32_t id, next;
	int fd = tasks_fd(b);
	int r = bpf_map_get_next_key(fd, NULL, &next);

	while (!r) {
		id = next;
		r = bpf_map_get_next_key(fd, &id, &next);
		if (kill((pid_t)(id & ~BPF_TASK_ENDING), 0) && errno == ESRCH)
			(void)bpf_map_delete_elem(fd, &id);
	}
}

/* ---- the order of things ---- */

int track_begin(struct bpf_run *b)
{
	bool all = b->track.all && !b->run->opt.target;

	if (!b->tracks)
		return 0;
	if (learn_files(b))
		return -1;
	tell(b, BPF_TRACK_ARMING | (all ? BPF_TRACK_ALL : 0));
	if (attach(b, "track_fork") || attach(b, "track_exec") || attach(b, "track_exit"))
		return -1;
	mark_target(b);
	return 0;
}

/* Shows every task to a program. */
static int show_tasks(struct bpf_run *b, const char *name)
{
	struct bpf_program *prog = program(b, name);
	struct bpf_link *link = prog ? bpf_program__attach_iter(prog, NULL) : NULL;
	char nothing[64];
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1, why = errno;
	ssize_t n = -1;

	while (fd >= 0) {
		n = read(fd, nothing, sizeof(nothing));
		if (n <= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR)))
			break;
	}
	if (n < 0 && fd >= 0)
		why = errno;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return n < 0 ? failed(b, "those that are there", why) : 0;
}

int track_armed(struct bpf_run *b)
{
	const struct ir_module *m = b->run->ir;

	if (!b->tracks)
		return 0;
	if (attach(b, "track_sweep"))
		return -1;
	tell(b, b->track.all && !b->run->opt.target ? BPF_TRACK_ALL : 0);
	if (show_tasks(b, "track_found"))
		return -1;
	for (uint32_t p = 0; p < m->probes.n; p++) {
		char name[32];

		snprintf(name, sizeof(name), "found_%u", p);
		if (program(b, name) && show_tasks(b, name))
			return -1;
	}
	drop_gone(b);
	return 0;
}

bool track_target_set(struct bpf_run *b, int64_t pid)
{
	return b->tracks && b->obj && pid > 0 && pid < INT32_MAX && in_set(tasks_fd(b), (uint32_t)pid);
}

void track_end(struct bpf_run *b)
{
	for (uint32_t k = 0; k < b->held_files.n; k++)
		close(b->held_files.v[k]);
	b->held_files.n = 0;
}
