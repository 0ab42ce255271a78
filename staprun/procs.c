/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staprun/procs.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/strtab.h"

#define BUCKETS 1024u
#define MOST 8192u /* processes: of more, those that ended are forgotten */
#define RING_PAGES 16u /* of each CPU; a power of two */
#define PAGE 4096u

struct proc {
	struct proc *next;
	int64_t pid;
	bool whole; /* everything that it has mapped is known */
	bool ended;
	struct proc_map *v; /* in order of time */
	uint32_t n, cap;
};

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
	char *data;
};

struct procs {
	struct arena arena; /* paths */
	struct strtab paths;
	struct proc *bucket[BUCKETS];
	uint32_t n;
	struct ring *rings;
	uint32_t nrings;
};

struct procs *procs_new(void)
{
	struct procs *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	arena_init(&all->arena);
	strtab_init(&all->paths, &all->arena);
	return all;
}

static void proc_free(struct proc *p)
{
	free(p->v);
	free(p);
}

void procs_free(struct procs *all)
{
	if (!all)
		return;
	for (uint32_t i = 0; i < all->nrings; i++) {
		munmap(all->rings[i].page, (RING_PAGES + 1) * PAGE);
		close(all->rings[i].fd);
	}
	free(all->rings);
	for (uint32_t b = 0; b < BUCKETS; b++) {
		while (all->bucket[b]) {
			struct proc *p = all->bucket[b];

			all->bucket[b] = p->next;
			proc_free(p);
		}
	}
	strtab_fini(&all->paths);
	arena_fini(&all->arena);
	free(all);
}

static struct proc *proc_get(struct procs *all, int64_t pid)
{
	struct proc *p = all->bucket[(uint64_t)pid % BUCKETS];

	while (p && p->pid != pid)
		p = p->next;
	return p;
}

static void forget_ended(struct procs *all)
{
	for (uint32_t b = 0; b < BUCKETS; b++) {
		struct proc **at = &all->bucket[b];

		while (*at) {
			struct proc *p = *at;

			if (!p->ended) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			proc_free(p);
			all->n--;
		}
	}
}

static struct proc *proc_new(struct procs *all, int64_t pid)
{
	struct proc *p = proc_get(all, pid);

	if (p)
		return p;
	if (all->n >= MOST)
		forget_ended(all);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->next = all->bucket[(uint64_t)pid % BUCKETS];
	all->bucket[(uint64_t)pid % BUCKETS] = p;
	all->n++;
	return p;
}

static void proc_add(struct proc *p, const struct proc_map *m)
{
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? 2 * p->cap : 16;
		struct proc_map *v = realloc(p->v, cap * sizeof(*v));

		if (!v)
			return;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = *m;
}

/* ---- /proc ---- */

/* A file that is gone has the name that it had. */
static const char *file_name(struct procs *all, const char *path)
{
	static const char gone[] = " (deleted)";
	size_t n = strlen(path);

	if (n > sizeof(gone) && !strcmp(path + n - (sizeof(gone) - 1), gone))
		n -= sizeof(gone) - 1;
	return strtab_intern_n(&all->paths, path, n);
}

/* "start-end rwxp offset dev inode   path" */
static void maps_line(struct procs *all, struct proc *p, char *line)
{
	unsigned long long start, end, offset;
	char rights[5] = "";
	int at = 0;
	struct proc_map m;
	size_t n;

	if (sscanf(line, "%llx-%llx %4s %llx %*s %*s %n", &start, &end, rights, &offset, &at) < 4 || !at)
		return;
	n = strlen(line + at);
	if (n && line[at + n - 1] == '\n')
		line[at + --n] = 0;
	if (rights[2] != 'x' || !n)
		return;
	m = (struct proc_map){ start, end, offset, 0, file_name(all, line + at) };
	proc_add(p, &m);
}

void procs_look(struct procs *all, int64_t pid)
{
	char path[64], *line = NULL;
	size_t size = 0;
	struct proc *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/maps", (long long)pid);
	f = fopen(path, "re");
	if (!f)
		return;
	p = proc_new(all, pid);
	while (p && getline(&line, &size, f) > 0)
		maps_line(all, p, line);
	if (p)
		p->whole = true;
	free(line);
	fclose(f);
}

/* ---- perf events ---- */

static int event_open(int cpu)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE,
				     .size = sizeof(a),
				     .config = PERF_COUNT_SW_DUMMY,
				     .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
				     .sample_id_all = 1,
				     .exclude_kernel = 1,
				     .mmap = 1,
				     .mmap2 = 1,
				     .comm = 1,
				     .comm_exec = 1,
				     .task = 1,
				     .use_clockid = 1,
				     .clockid = CLOCK_MONOTONIC };

	return (int)syscall(SYS_perf_event_open, &a, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

void procs_listen(struct procs *all)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	all->rings = calloc(n > 0 ? (size_t)n : 1, sizeof(*all->rings));
	for (int cpu = 0; cpu < n && all->rings; cpu++) {
		struct ring *r = &all->rings[all->nrings];
		void *p;

		r->fd = event_open(cpu);
		if (r->fd < 0)
			continue;
		p = mmap(NULL, (RING_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
		if (p == MAP_FAILED) {
			close(r->fd);
			continue;
		}
		r->page = p;
		r->data = (char *)p + PAGE;
		all->nrings++;
	}
}

struct mmap2_event {
	struct perf_event_header head;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, generation;
	uint32_t prot, flags;
	char name[];
};

struct task_event {
	struct perf_event_header head;
	uint32_t pid, ppid, tid, ptid;
};

static void on_mmap(struct procs *all, const struct mmap2_event *e, uint64_t time)
{
	struct proc *p = proc_new(all, e->pid);
	struct proc_map m = { e->addr, e->addr + e->len, e->pgoff, time, NULL };

	if (!p)
		return;
	m.path = file_name(all, e->name);
	proc_add(p, &m);
}

/* A child has what its parent has. A thread is no new process. */
static void on_fork(struct procs *all, const struct task_event *e)
{
	const struct proc *parent = proc_get(all, e->ppid);
	struct proc *p;

	if (e->pid == e->ppid)
		return;
	p = proc_get(all, e->pid);
	if (p) {
		/* the number of one that ended */
		p->n = 0;
		p->whole = p->ended = false;
	}
	if (!parent)
		return;
	p = proc_new(all, e->pid);
	for (uint32_t i = 0; p && i < parent->n; i++)
		proc_add(p, &parent->v[i]);
	if (p)
		p->whole = parent->whole;
}

/* Mappings of the old program stay: records from before may still come. */
static void on_exec(struct procs *all, const struct task_event *e)
{
	struct proc *p = proc_new(all, e->pid);

	if (p)
		p->whole = true;
}

static void on_end(struct procs *all, const struct task_event *e)
{
	struct proc *p = proc_get(all, e->pid);

	if (p && e->pid == e->tid)
		p->ended = true;
}

static void on_event(struct procs *all, const struct perf_event_header *h)
{
	uint64_t time;

	if (h->size < sizeof(struct task_event))
		return;
	memcpy(&time, (const char *)h + h->size - sizeof(time), sizeof(time));
	if (h->type == PERF_RECORD_MMAP2 && h->size > sizeof(struct mmap2_event))
		on_mmap(all, (const void *)h, time);
	else if (h->type == PERF_RECORD_FORK)
		on_fork(all, (const void *)h);
	else if (h->type == PERF_RECORD_COMM && h->misc & PERF_RECORD_MISC_COMM_EXEC)
		on_exec(all, (const void *)h);
	else if (h->type == PERF_RECORD_EXIT)
		on_end(all, (const void *)h);
}

/* The event at @tail, which may go round the end of the ring; false: there is none. */
static bool ring_take(const struct ring *r, uint64_t *tail, uint64_t head, char *to, size_t room)
{
	const size_t size = RING_PAGES * PAGE;
	struct perf_event_header h;

	if (head - *tail < sizeof(h))
		return false;
	memcpy(&h, r->data + *tail % size, sizeof(h)); /* aligned to 8: it does not go round */
	if (h.size < sizeof(h) || h.size > room || h.size > head - *tail)
		return false;
	for (size_t i = 0; i < h.size; i += 8)
		memcpy(to + i, r->data + (*tail + i) % size, 8);
	*tail += h.size;
	return true;
}

/*
 * CPU by CPU: the events of one process on several are out of order then, which matters only for a
 * number that is used again.
 */
static void procs_catch_up(struct procs *all)
{
	_Alignas(8) char event[8192];

	for (uint32_t i = 0; i < all->nrings; i++) {
		struct ring *r = &all->rings[i];
		uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE), tail = r->page->data_tail;

		while (ring_take(r, &tail, head, event, sizeof(event)))
			on_event(all, (const void *)event);
		__atomic_store_n(&r->page->data_tail, head, __ATOMIC_RELEASE);
	}
}

/* ---- questions ---- */

static struct proc *proc_known(struct procs *all, int64_t pid)
{
	struct proc *p;

	procs_catch_up(all);
	p = proc_get(all, pid);
	if (!p || (!p->whole && !p->ended)) {
		procs_look(all, pid);
		p = proc_get(all, pid);
		/* or it is gone */
		if (p)
			p->whole = true;
	}
	return p;
}

/*
 * The last that was there at the time; or, when all came later (a thread that runs while its library is
 * being reported), the first.
 */
static const struct proc_map *best(const struct proc *p, uint64_t time,
				   bool (*fits)(const struct proc_map *m, const void *what), const void *what)
{
	const struct proc_map *found = NULL;

	for (uint32_t i = 0; i < p->n; i++) {
		const struct proc_map *m = &p->v[i];

		if (!fits(m, what))
			continue;
		if (!found || (m->time >= found->time && (!time || m->time <= time)))
			found = m;
	}
	return found;
}

static bool holds(const struct proc_map *m, const void *what)
{
	uint64_t addr = *(const uint64_t *)what;

	return addr >= m->start && addr < m->end;
}

bool procs_find(struct procs *all, int64_t pid, uint64_t time, uint64_t addr, struct proc_map *out)
{
	const struct proc *p = proc_known(all, pid);
	const struct proc_map *m = p ? best(p, time, holds, &addr) : NULL;

	if (m)
		*out = *m;
	return m;
}

struct place {
	const char *path;
	uint64_t offset;
};

static bool of_file(const struct proc_map *m, const void *what)
{
	const struct place *w = what;

	return w->offset >= m->offset && w->offset - m->offset < m->end - m->start && !strcmp(m->path, w->path);
}

bool procs_find_file(struct procs *all, int64_t pid, uint64_t time, const char *path, uint64_t offset,
		     struct proc_map *out)
{
	const struct proc *p = proc_known(all, pid);
	struct place w = { path, offset };
	const struct proc_map *m = p ? best(p, time, of_file, &w) : NULL;

	if (m)
		*out = *m;
	return m;
}
