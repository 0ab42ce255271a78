/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script has staprun do: a function for each row of ir/sends.def. */
#include <stdio.h>
#include <string.h>

#include "staprun/kernel_log.h"
#include "staprun/loop.h"

/* A record's operands, by their order among those of their type. */
struct send {
	int64_t num;
	const char *str;
	uint32_t len;
};

static void send_log(struct loop *l, const struct send *s)
{
	out_flush(&l->out);
	fwrite(s->str, 1, s->len, stderr);
	if (!s->len || s->str[s->len - 1] != '\n')
		fputc('\n', stderr);
}

static void send_speculate(struct loop *l, const struct send *s)
{
	speculation_add(&l->speculation, s->num, s->str, s->len);
}

static void send_commit(struct loop *l, const struct send *s)
{
	size_t n;
	const char *text = speculation_text(&l->speculation, s->num, &n);
	char *to = n ? out_room(&l->out, n) : NULL;

	if (to) {
		memcpy(to, text, n);
		out_took(&l->out, n);
	} else if (n) {
		l->unprinted++;
	}
	speculation_drop(&l->speculation, s->num);
}

static void send_discard(struct loop *l, const struct send *s)
{
	speculation_drop(&l->speculation, s->num);
}

static void send_switch_file(struct loop *l, const struct send *s)
{
	(void)s;
	out_switch(&l->out);
}

/* What was printed before comes before what the command prints. */
static void send_system(struct loop *l, const struct send *s)
{
	out_flush(&l->out);
	command_start(&l->commands, s->str, s->len);
}

/* Says once why messages do not arrive. */
static void warn_once(struct loop *l, uint64_t *lost, int why, const char *fn, const char *what)
{
	if (!why || (*lost)++ || l->run->opt.no_warnings)
		return;
	out_flush(&l->out);
	fprintf(stderr, "WARNING: %s() cannot write to %s: %s; its messages are lost\n", fn, what,
		strerror(why));
}

static void send_printk(struct loop *l, const struct send *s)
{
	warn_once(l, &l->lost_printk, kernel_log_printk(s->num, s->str, s->len), "printk",
		  "the kernel's log, /dev/kmsg");
}

static void send_ftrace(struct loop *l, const struct send *s)
{
	warn_once(l, &l->lost_ftrace, kernel_log_trace(s->str, s->len), "ftrace",
		  "the kernel's trace, /sys/kernel/tracing/trace_marker");
}

void send_record(struct loop *l, const struct rec *rec)
{
	static void (*const sends[IR_SEND_COUNT])(struct loop * l, const struct send *s) = {
#define SEND(name, operands) [SEND_##name] = send_##name,
#include "ir/sends.def"
#undef SEND
	};
	struct send s = { .str = "" };
	struct payload in;
	bool ok = rec->id < IR_SEND_COUNT && payload_open(&in, rec);

	for (const char *t = ok ? ir_send_operands[rec->id] : ""; ok && *t; t++)
		ok = *t == 's' ? payload_str(&in, &s.str, &s.len) : payload_int(&in, &s.num);
	if (ok)
		sends[rec->id](l, &s);
	else
		l->damaged++;
}
