/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What conditionals ask: names of the target, and the configuration of its kernel. */
#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"

#define CONFIG_GZ "/proc/config.gz"

struct option {
	const char *name, *value; /* name interned */
};

struct kconfig {
	bool known;
	VEC(struct option) set;
};

/* SystemTap's names of machines, by how uname -m begins. */
static const struct {
	const char *begins, *arch;
} machines[] = {
	{ "x86_64", "x86_64" }, { "i386", "i386" },	{ "i486", "i386" },   { "i586", "i386" },
	{ "i686", "i386" },	{ "aarch64", "arm64" }, { "arm", "arm" },     { "ppc", "powerpc" },
	{ "s390", "s390" },	{ "riscv", "riscv" },	{ "mips", "mips" },   { "sparc", "sparc64" },
	{ "ia64", "ia64" },
};

static const char *arch_of(struct arena *a, const char *machine)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (!strncmp(machine, machines[i].begins, strlen(machines[i].begins)))
			return machines[i].arch;
	}
	return arena_strdup(a, machine);
}

/* ---- the kernel's configuration ---- */

static bool read_packed(struct buf *b)
{
	FILE *f = popen("exec gzip -dc " CONFIG_GZ " 2> /dev/null", "re");
	bool ok = f && !buf_read_stream(b, f) && b->len;

	return (f && pclose(f) == 0) && ok;
}

/* Where distributions and build trees keep it, the nearest to the target first. */
static bool read_config(struct session *s, struct buf *b)
{
	const char *root = getenv("SPILE_KERNEL_ROOT");
	struct arena *a = &s->arena;
	const char *places[] = {
		root ? arena_printf(a, "%s/boot/config-%s", root, s->release) : NULL,
		arena_printf(a, "%s/.config", s->kernel_build),
		arena_printf(a, "%s/include/config/auto.conf", s->kernel_build),
		arena_printf(a, "/boot/config-%s", s->release),
		arena_printf(a, "/lib/modules/%s/config", s->release),
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i] && !buf_read_file(b, places[i]) && b->len)
			return true;
		buf_reset(b);
	}
	return !s->foreign_kernel && read_packed(b);
}

/* CONFIG_NAME=VALUE; strings lose their quotes. Lines of other shapes say that something is not set. */
static void add_line(struct session *s, struct kconfig *c, const char *line, size_t n)
{
	const char *eq = memchr(line, '=', n), *value;
	struct option o;
	size_t len;

	if (!eq || n < 8 || memcmp(line, "CONFIG_", 7))
		return;
	value = eq + 1;
	len = n - (size_t)(value - line);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	o.name = strtab_intern_n(&s->names, line, (size_t)(eq - line));
	o.value = arena_strndup(&s->arena, value, len);
	vec_push(&s->arena, &c->set, o);
}

static struct kconfig *load_config(struct session *s)
{
	struct kconfig *c = arena_new(&s->arena, struct kconfig);
	struct buf b;

	buf_init(&b);
	c->known = read_config(s, &b);
	for (size_t at = 0; c->known && at < b.len;) {
		const char *end = memchr(b.p + at, '\n', b.len - at);
		size_t n = end ? (size_t)(end - b.p) - at : b.len - at;

		add_line(s, c, b.p + at, n);
		at += n + 1;
	}
	buf_fini(&b);
	if (c->known)
		return c;
	diag_warning(&s->diag, TAG_KCONFIG, SPAN_NONE,
		     "the configuration of kernel %s is not found: CONFIG_ names count as not set",
		     s->release);
	diag_hint(&s->diag, "install linux-image-%s, or put its configuration in /boot/config-%s",
		  s->release, s->release);
	return c;
}

static const char *ask_config(void *arg, const char *name)
{
	struct target_facts *f = arg;

	if (!f->config)
		f->config = load_config(f->s);
	for (uint32_t i = 0; i < f->config->set.n; i++) {
		if (!strcmp(f->config->set.v[i].name, name))
			return f->config->set.v[i].value;
	}
	return f->config->known ? "" : NULL;
}

static const char *ask_runtime(void *arg)
{
	struct target_facts *f = arg;

	return f->runtime(f->runtime_arg);
}

void facts_init(struct target_facts *f, struct session *s, const char *(*runtime)(void *arg),
		void *runtime_arg)
{
	struct utsname uts;

	uname(&uts);
	memset(f, 0, sizeof(*f));
	f->s = s;
	f->runtime = runtime;
	f->runtime_arg = runtime_arg;
	f->facts = (struct parse_facts){
		.kernel_vr = s->release,
		.kernel_v = arena_strndup(&s->arena, s->release, strcspn(s->release, "-")),
		.arch = arch_of(&s->arena, uts.machine),
		.privilege = "stapdev",
		.guru = s->guru,
		.runtime = ask_runtime,
		.config = ask_config,
		.arg = f,
	};
}
