/* SPDX-License-Identifier: GPL-2.0-or-later */
/* begin, end, error, never: points of the session itself. */
#include "probes/families.h"

enum probe_result session_resolve(struct probe_env *env, const struct probe_family *fam,
				  const struct probe_point *pp, bool quiet, site_vec *out)
{
	struct probe_site site = probe_site_new(fam, pp, 0, probe_text(env, pp), quiet);

	site.probe.seq = pp->comps.v[0].arg == PP_NUM ? pp->comps.v[0].num : 0;
	vec_push(env->arena, out, site);
	return PROBE_OK;
}
