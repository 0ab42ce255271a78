/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process[("PATH") | (PID)] with .begin .end .thread.begin .thread.end .syscall .syscall.return: of every process, of those that
 * run a file, of one. With -c and -x only the target and its descendants count. System calls are two tracepoints of the
 * kernel and a filter.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "probes/program.h"

static bool pid_exists(struct probe_env *env, const struct pp_component *c, bool quiet)
{
	if (c->num > 0 && c->num <= INT32_MAX && (!kill((pid_t)c->num, 0) || errno != ESRCH))
		return true;
	if (!quiet)
		diag_error(env->diag, TAG_TARGET, probe_arg_span(c), "no process has the id %lld", (long long)c->num);
	return false;
}

enum probe_result lifecycle_resolve(struct probe_env *env, const struct probe_family *fam, const struct probe_point *pp,
				    bool quiet, site_vec *out)
{
	const struct pp_component *who = &pp->comps.v[0];
	program_vec programs = { 0 };
	enum probe_result r;
	uint32_t next;
	struct probe_site site = probe_site_new(fam, pp, pp->comps.n - 1, probe_text(env, pp), quiet);

	if (who->arg == PP_NUM) {
		if (!pid_exists(env, who, quiet))
			return PROBE_NOMATCH;
		site.probe.pid = who->num;
	} else if (who->arg == PP_STR) {
		r = probe_programs(env, pp, quiet, &programs, &next);
		if (r != PROBE_OK)
			return r;
	}
	if (fam->kind == AT_TRACEPOINT)
		site.probe.target = fam->param ? "sys_exit" : "sys_enter";
	site.probe.filter_target = true;
	if (!programs.n)
		vec_push(env->arena, out, site);
	for (uint32_t i = 0; i < programs.n; i++) {
		site.probe.exe = programs.v[i].path;
		site.probe.name = probe_text_with(env, pp, 0, site.probe.exe);
		vec_push(env->arena, out, site);
	}
	return PROBE_OK;
}

/* ---- variables of a system call ---- */

#define NARGS 6

static void syscall_number(struct probe_var *v)
{
	*v = (struct probe_var){ .name = "$syscall", .kind = PV_SYSARG, .width = 8, .is_signed = true, .type_name = "long" };
}

static void syscall_arg(struct probe_env *env, struct probe_var *v, uint32_t n)
{
	*v = (struct probe_var){
		.name = arena_printf(env->arena, "$arg%u", n),
		.kind = PV_SYSARG,
		.n = n,
		.width = 8,
		.is_signed = true,
		.type_name = "long",
		.is_param = true,
	};
}

/* The second argument of sys_exit. */
static void syscall_return(struct probe_var *v)
{
	*v = (struct probe_var){
		.name = "$return", .kind = PV_TPARG, .n = 1, .width = 8, .is_signed = true, .type_name = "long"
	};
}

static void syscall_name(const struct probe_site *site, struct probe_var *v)
{
	*v = (struct probe_var){ .name = "$$name", .kind = PV_STR, .str = site->family->param ? "syscall.return" : "syscall" };
}

const struct probe_var *syscall_var(struct probe_env *env, const struct probe_site *site, const char *name)
{
	struct probe_var *v = arena_new(env->arena, struct probe_var);
	uint32_t n = probe_arg_number(name);

	if (strcmp(name, "$syscall") == 0)
		syscall_number(v);
	else if (n && !site->family->param)
		syscall_arg(env, v, n);
	else if (strcmp(name, "$return") == 0 && site->family->param)
		syscall_return(v);
	else if (strcmp(name, "$$name") == 0)
		syscall_name(site, v);
	else
		return NULL;
	return v;
}

void syscall_each_var(struct probe_env *env, const struct probe_site *site,
		      void (*fn)(const struct probe_var *v, void *arg), void *arg)
{
	struct probe_var v;

	syscall_number(&v);
	fn(&v, arg);
	for (uint32_t n = 1; n <= NARGS && !site->family->param; n++) {
		syscall_arg(env, &v, n);
		fn(&v, arg);
	}
	if (site->family->param) {
		syscall_return(&v);
		fn(&v, arg);
	}
	syscall_name(site, &v);
	fn(&v, arg);
}
