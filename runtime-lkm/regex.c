/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regular expressions: walks over the script's tables, and the last match's groups. */
#include "rt.h"

struct sp_match {
	u32 ngroups; /* 0: the last one failed, or there was none */
	u32 pos[2 * REGEX_MAXGROUPS];
	char *subject; /* maxstringlen bytes */
	u16 log[]; /* as many numbers */
};

SP_CODE s64 sp_match(const struct regex_tab *t, const char *s)
{
	return regex_match(t, s);
}

SP_CODE s64 sp_capture(struct sp_ctx *c, const struct regex_tab *t, const char *s)
{
	struct sp_match *m = c->match;
	int found = regex_capture(t, s, m->log, m->pos);

	m->ngroups = found ? t->ngroups : 0;
	if (found)
		sp_str_copy(m->subject, s);
	return found;
}

SP_CODE s64 sp_in_ngroups(struct sp_ctx *c)
{
	return c->match ? c->match->ngroups : 0;
}

SP_CODE void sp_in_matched(struct sp_ctx *c, char *to, s64 n)
{
	const struct sp_match *m = c->match;
	u32 from, len;

	to[0] = 0;
	if (!m || (u64)n >= m->ngroups)
		return;
	from = m->pos[2 * n];
	if (from == REGEX_NOWHERE || m->pos[2 * n + 1] == REGEX_NOWHERE)
		return;
	len = m->pos[2 * n + 1] - from;
	memcpy(to, m->subject + from, len);
	to[len] = 0;
}

/* ---- memory ---- */

static u64 sp_match_bytes(void)
{
	u64 str = sp_script.maxstringlen;

	return sp_script.captures ? sizeof(struct sp_match) + str * sizeof(u16) + str + 8 : 0;
}

static void sp_match_init(struct sp_ctx *c, char *memory)
{
	if (!sp_script.captures)
		return;
	c->match = (struct sp_match *)PTR_ALIGN(memory, 8);
	c->match->subject = (char *)(c->match->log + sp_script.maxstringlen);
}

static SP_CODE void sp_match_reset(struct sp_ctx *c)
{
	if (c->match)
		c->match->ngroups = 0;
}
