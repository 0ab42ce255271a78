/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timer.UNIT(n)[.randomize(m)], timer.hz(n), timer.profile. */
#include "probes/families.h"

#define NSEC_PER_SEC 1000000000LL
/*
 * A period of more than 292 years does not fit into nanoseconds; jiffies are bounded likewise at
 * 1000 a second.
 */
#define MAX_JIFFIES (INT64_MAX / 1000000)

/* Reads period and randomize; @max in units of the point. */
static bool timer_numbers(struct probe_env *env, const struct probe_point *pp, int64_t max,
			  int64_t *n, int64_t *random)
{
	const struct pp_component *c = &pp->comps.v[1],
				  *r = pp->comps.n > 2 ? &pp->comps.v[2] : NULL;

	if (c->num < 1 || c->num > max) {
		diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(c),
			   "the period of timer.%s must be from 1 to %lld, not %lld", c->name,
			   (long long)max, (long long)c->num);
		return false;
	}
	if (r && (r->num < 0 || r->num > c->num)) {
		diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(r),
			   "randomize must be from 0 to the period, %lld, not %lld",
			   (long long)c->num, (long long)r->num);
		return false;
	}
	*n = c->num;
	*random = r ? r->num : 0;
	return true;
}

enum probe_result timer_resolve(struct probe_env *env, const struct probe_family *fam,
				const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site = probe_site_new(fam, pp, 1, probe_text(env, pp), quiet);
	int64_t n, random;

	/* Half of the range: period + randomize must fit, too. */
	if (!timer_numbers(env, pp, INT64_MAX / 2 / fam->param, &n, &random))
		return PROBE_BAD;
	site.probe.period = n * fam->param;
	site.probe.random = random * fam->param;
	vec_push(env->arena, out, site);
	return PROBE_OK;
}

enum probe_result timer_resolve_jiffies(struct probe_env *env, const struct probe_family *fam,
					const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site = probe_site_new(fam, pp, 1, probe_text(env, pp), quiet);

	if (!timer_numbers(env, pp, MAX_JIFFIES, &site.probe.period, &site.probe.random))
		return PROBE_BAD;
	site.probe.jiffies = true;
	vec_push(env->arena, out, site);
	return PROBE_OK;
}

enum probe_result timer_resolve_hz(struct probe_env *env, const struct probe_family *fam,
				   const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site = probe_site_new(fam, pp, 1, probe_text(env, pp), quiet);
	const struct pp_component *c = &pp->comps.v[1];

	if (c->num < 1 || c->num > NSEC_PER_SEC) {
		diag_error(env->diag, TAG_PROBE_ARG, probe_arg_span(c),
			   "the frequency of timer.hz must be from 1 to %lld, not %lld",
			   NSEC_PER_SEC, (long long)c->num);
		return PROBE_BAD;
	}
	site.probe.period = fam->param / c->num;
	vec_push(env->arena, out, site);
	return PROBE_OK;
}

enum probe_result timer_resolve_profile(struct probe_env *env, const struct probe_family *fam,
					const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site =
		probe_site_new(fam, pp, pp->comps.n - 1, probe_text(env, pp), quiet);

	vec_push(env->arena, out, site);
	return PROBE_OK;
}
