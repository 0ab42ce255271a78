/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backtraces: REC_STACK. */
#include <string.h>

#include "staprun/format.h"
#include "staprun/ktable.h"
#include "staprun/names_int.h"
#include "staprun/unwind.h"

/* A stack being printed. */
struct stack {
	struct names *names;
	struct buf *out;
	const struct ir_probe *probe;
	unsigned int how; /* enum ir_stack */
	int64_t pid;
	uint64_t time;
	uint32_t n; /* addresses so far */
};

static bool is_return(const struct stack *s)
{
	return s->probe->kind == AT_KRETPROBE || s->probe->kind == AT_URETPROBE;
}

static void put_address(struct stack *s, uint64_t pc)
{
	struct place p;

	if (s->how & IRK_USER)
		names_user(s->names, s->pid, s->time, pc, s->how & IRK_FILELINE, &p);
	else
		names_kernel(s->names, pc, s->how & IRK_FILELINE, &p);
	if (s->how & IRK_BRIEF)
		names_put_brief(s->out, &p);
	else
		names_put_full(s->out, &p);
	s->n++;
}

/* The first instruction of the function that has returned; 0: not known. */
static uint64_t probed_address(struct stack *s)
{
	const struct ir_probe *p = s->probe;
	struct proc_map map;
	const char *name;
	uint64_t at;

	if (p->kind == AT_URETPROBE)
		return p->target && procs_find_file(s->names->procs, s->pid, s->time, p->target, p->offset, &map)
			       ? map.start + p->offset - map.offset
			       : 0;
	name = p->target ? strrchr(p->target, ':') : NULL; /* "module:function" */
	name = name ? name + 1 : p->target;
	at = name ? ktable_address(s->names->ktable, name) : 0;
	return at ? at + p->offset : 0;
}

/* Before the first address of a stack seen at a function's return. */
static void begin_return(struct stack *s)
{
	uint64_t at = probed_address(s);

	if (!is_return(s) || s->how & IRK_BRIEF || !at)
		return;
	buf_puts(s->out, "Returning from: ");
	put_address(s, at);
	buf_puts(s->out, "Returning to  : ");
}

/* Functions through which the kernel calls an eBPF program at a tracepoint: not what the script asked for. */
static bool is_machinery(struct stack *s, uint64_t pc)
{
	static const char *const starts[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_", "__traceiter_",
					      "bpf_get_stack", "bpf_dispatcher_" };
	struct ktable_at k;

	if (!ktable_find(s->names->ktable, pc, &k))
		return false;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (!strncmp(k.name, starts[i], strlen(starts[i])))
			return true;
	return false;
}

static bool kernel_stack(struct stack *s, struct payload *in)
{
	int64_t n, pc;

	if (!payload_int(in, &n) || n < 0 || n > 1024)
		return false;
	begin_return(s);
	for (bool lead = s->probe->kind == AT_TRACEPOINT; n > 0; n--) {
		if (!payload_int(in, &pc))
			return false;
		lead = lead && is_machinery(s, (uint64_t)pc);
		if (!lead)
			put_address(s, (uint64_t)pc);
	}
	return true;
}

static bool user_stack(struct stack *s, struct payload *in)
{
	struct unwind u = { .names = s->names, .pid = s->pid, .time = s->time };
	int64_t most = s->names->m->limits.maxbacktrace, own[3];
	const unsigned char *regs;

	for (int k = 0; k < 3; k++)
		if (!payload_int(in, &own[k]))
			return false;
	regs = in->p;
	if ((size_t)(in->end - in->p) < 8 * REC_REGS)
		return false;
	unwind_init(&u, regs, regs + 8 * REC_REGS, (uint64_t)(in->end - regs) - 8 * REC_REGS);
	if (own[0] || own[1] || own[2]) {
		u.reg[UR_IP] = (uint64_t)own[0];
		u.reg[UR_SP] = u.at = (uint64_t)own[1];
		u.reg[UR_BP] = (uint64_t)own[2];
		u.known = 1u << UR_IP | 1u << UR_SP | 1u << UR_BP;
	}
	if (!u.reg[UR_IP])
		return true;
	begin_return(s);
	do
		put_address(s, u.reg[UR_IP]);
	while (s->n < most && unwind_step(&u));
	return true;
}

bool names_stack(struct names *n, const struct rec *rec, struct buf *out)
{
	struct stack s = { .names = n, .out = out, .how = rec->id, .time = rec->time };
	struct payload in;
	int64_t probe;

	if (rec->id > IRK_ALL || !payload_open(&in, rec) || !payload_int(&in, &s.pid) ||
	    !payload_int(&in, &probe) || probe < 0 || probe >= n->m->probes.n)
		return false;
	s.probe = n->m->probes.v[probe];
	return s.how & IRK_USER ? user_stack(&s, &in) : kernel_stack(&s, &in);
}
