/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of what is in programs and libraries over arbitrary bytes, as libFuzzer calls it: headers, symbols, notes of
 * marks and their operands, linkage tables, names of libraries, the loader's cache. The same bytes are also read as
 * the text of operands.
 */
#include "symbols/needed.h"
#include "symbols/plt.h"
#include "symbols/sdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_program(struct arena *a, struct elf_file *f)
{
	struct elf_needs needs;
	sdt_note_vec notes = { 0 };
	sdt_operand_vec operands = { 0 };
	plt_vec stubs = { 0 };
	const uint8_t *id;
	uint64_t addr, offset;
	uint32_t n;

	sdt_notes(f, a, &notes);
	for (uint32_t i = 0; i < notes.n; i++) {
		sdt_operands(a, notes.v[i].args, &operands);
		elf_offset(f, notes.v[i].pc, &offset);
		elf_offset(f, notes.v[i].semaphore, &offset);
	}
	for (uint32_t i = 0; i < operands.n; i++)
		if (operands.v[i].symbol)
			elf_symbol(f, operands.v[i].symbol, &addr);
	elf_plt(f, a, &stubs);
	for (uint32_t i = 0; i < stubs.n; i++)
		elf_offset(f, stubs.v[i].addr, &offset);
	elf_read_needs(f, a, &needs);
	elf_build_id(f, &id);
	elf_funcs(f, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sdt_operand_vec operands = { 0 };
	struct arena a;
	struct elf_file *f;
	const char *why;

	arena_init(&a);
	f = elf_open_bytes(&a, data, size, &why);
	if (f)
		read_program(&a, f);
	else
		sdt_operands(&a, arena_strndup(&a, (const char *)data, size), &operands);
	ldcache_find(&a, data, size, "libc.so.6");
	arena_fini(&a);
	return 0;
}
