/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel's symbols, from /proc/kallsyms, read when the first name is asked for. */
#ifndef SPILE_STAPRUN_KTABLE_H
#define SPILE_STAPRUN_KTABLE_H

#include <stdbool.h>
#include <stdint.h>

struct ktable;
struct ktable *ktable_new(void);
void ktable_free(struct ktable *k);

struct ktable_at {
	const char *name, *module; /* module: "kernel" for what is in none */
	uint64_t offset, size; /* size: up to the next symbol */
};
/* False: no symbol covers the address. */
bool ktable_find(struct ktable *k, uint64_t addr, struct ktable_at *out);
/* The address of the first symbol of that name; 0: there is none. */
uint64_t ktable_address(struct ktable *k, const char *name);

#endif
