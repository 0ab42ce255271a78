/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kbuild did for the stand-in of the script, as commands that can be repeated for any script.
 * A saved recipe is lines: a letter, a space, one word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Whether a word begins with one of a list. */
static bool any_prefix(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (starts(s, list[i]))
			return true;
	return false;
}

/*
 * What generated code has no use for: headers, warnings, debugging, tracing, sanitizers; and
 * protections of buffers on the stack and of uninitialised variables, of which it has none.
 */
static bool is_dropped(const char *w)
{
	static const char *const prefixes[] = {
		"-Wp,",
		"-I",
		"-D",
		"-g",
		"-fsanitize",
		"-fdiagnostics",
		"-fmacro-prefix",
		"-fstack-protector",
		"-ftrivial-auto-var-init",
		"-fprofile",
		"-fplugin",
		"-pg",
		"-mfentry",
		"-mrecord-mcount",
		"-mnop-mcount",
	};

	if (w[0] == '-' && w[1] == 'W')
		return !starts(w, "-Wa,");
	return any_prefix(w, prefixes, sizeof(prefixes) / sizeof(*prefixes));
}

static void make_compile(struct arena *a, const words *from, uint32_t n, words *cc)
{
	vec_push(a, cc, from->v[0]);
	for (uint32_t i = 1; i < n; i++) {
		const char *w = from->v[i];

		if (!strcmp(w, "-include") || !strcmp(w, "-o"))
			i++;
		else if (w[0] != '-' || !strcmp(w, "-c") || is_dropped(w))
			continue;
		else
			vec_push(a, cc, starts(w, "-O") ? "-O1" : w);
	}
	vec_push(a, cc, "-w");
	vec_push(a, cc, "-c");
}

/* The objtool command among several, less the object it ran on. */
static bool take_objtool(struct arena *a, const words *from, words *out)
{
	for (uint32_t i = 0; i < from->n; i++) {
		const char *w = from->v[i];
		size_t len = strlen(w);

		if (len < 7 || strcmp(w + len - 7, "objtool") || (i && strcmp(from->v[i - 1], ";")))
			continue;
		for (; i + 1 < from->n && strcmp(from->v[i + 1], ";"); i++)
			vec_push(a, out, from->v[i]);
		return out->n > 0;
	}
	return false;
}

/* "ld FLAGS -o OUT OBJECTS": the flags, and objects that are neither ours nor mod.o. */
static void take_link(struct arena *a, const words *from, struct recipe *r)
{
	uint32_t i;

	for (i = 0; i < from->n && strcmp(from->v[i], "-o"); i++)
		vec_push(a, &r->ld, from->v[i]);
	for (i += 2; i < from->n && strcmp(from->v[i], ";"); i++) {
		const char *base = strrchr(from->v[i], '/');

		base = base ? base + 1 : from->v[i];
		if (base[0] == '.')
			vec_push(a, &r->more, base);
	}
}

int recipe_make(struct session *s, const struct kernel_tree *t, const char *dir, struct recipe *r)
{
	struct arena *a = &s->arena;
	words stub = { 0 }, linked = { 0 }, ko = { 0 };
	uint32_t n = 0;
	bool absolute = false;

	if (cmdfile_read(a, arena_printf(a, "%s/.stub.o.cmd", dir), &stub) || !stub.n ||
	    cmdfile_read(a, arena_printf(a, "%s/.%s.o.cmd", dir, r->placeholder), &linked) ||
	    cmdfile_read(a, arena_printf(a, "%s/.%s.ko.cmd", dir, r->placeholder), &ko) || !ko.n)
		return -1;
	while (n < stub.n && strcmp(stub.v[n], ";"))
		n++;
	make_compile(a, &stub, n, &r->cc);
	if (!take_objtool(a, &stub, &r->objtool))
		r->objtool_links = take_objtool(a, &linked, &r->objtool);
	take_link(a, &ko, r);
	for (uint32_t i = 0; i + 1 < n; i++)
		absolute |= !strcmp(stub.v[i], "-o") && stub.v[i + 1][0] == '/';
	/* Kernels from 6.13 on run the compiler in the module's folder. */
	r->cwd = absolute ? t->dir : dir;
	return r->ld.n ? 0 : -1;
}

/* ---- saving ---- */

static void save_words(struct buf *b, char letter, const words *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		buf_printf(b, "%c %s\n", letter, w->v[i]);
}

int recipe_save(struct arena *a, const struct recipe *r, const char *path, uint64_t sum)
{
	struct buf b;
	int rc;

	(void)a;
	buf_init(&b);
	save_words(&b, 'c', &r->cc);
	save_words(&b, 'o', &r->objtool);
	save_words(&b, 'l', &r->ld);
	for (uint32_t i = 0; i < r->more.n; i++)
		buf_printf(&b, "m %s\n", r->more.v[i]);
	buf_printf(&b, "p %s\nd %s\nk %d\ns %llu\n", r->placeholder, r->cwd, r->objtool_links,
		   (unsigned long long)sum);
	rc = buf_write_file(&b, path);
	buf_fini(&b);
	return rc;
}

static void load_line(struct arena *a, struct recipe *r, char letter, const char *word,
		      uint64_t *sum)
{
	switch (letter) {
	case 'c':
		vec_push(a, &r->cc, word);
		break;
	case 'o':
		vec_push(a, &r->objtool, word);
		break;
	case 'l':
		vec_push(a, &r->ld, word);
		break;
	case 'm':
		vec_push(a, &r->more, word);
		break;
	case 'p':
		r->placeholder = word;
		break;
	case 'd':
		r->cwd = word;
		break;
	case 'k':
		r->objtool_links = word[0] == '1';
		break;
	case 's':
		*sum = strtoull(word, NULL, 10);
		break;
	}
}

/* The sum is the last line: with it the file is complete. */
int recipe_load(struct arena *a, struct recipe *r, const char *path, uint64_t *sum)
{
	struct buf b;
	int rc;

	memset(r, 0, sizeof(*r));
	*sum = 0;
	buf_init(&b);
	rc = buf_read_file(&b, path);
	for (char *p = rc || !b.len ? NULL : b.p, *end; p && *p; p = end) {
		end = strchr(p, '\n');
		if (!end)
			break;
		*end++ = 0;
		if (p[0] && p[1] == ' ')
			load_line(a, r, p[0], arena_strdup(a, p + 2), sum);
	}
	buf_fini(&b);
	if (!rc && (!*sum || !r->cc.n || !r->ld.n || !r->placeholder || !r->cwd))
		rc = -EINVAL;
	return rc;
}
