/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eBPF assembler: encodings, labels, removal of what is never reached. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/asm.h"

static struct arena arena;
static struct bpf_asm as;

static void setup(void)
{
	arena_init(&arena);
	ba_init(&as, &arena);
}

static void teardown(void)
{
	arena_fini(&arena);
}

static uint64_t word(uint32_t pos)
{
	uint64_t w;

	memcpy(&w, &as.code.v[pos], sizeof(w));
	return w;
}

START_TEST(encodes_as_the_kernel_reads)
{
	ba_movi(&as, R0, 5);
	ba_mov(&as, R1, R2);
	ba_mov(&as, R3, R3); /* nothing */
	ba_ld(&as, BPF_W, R1, R9, -4);
	ba_st(&as, BPF_DW, FP, -8, R7);
	ba_xadd(&as, BPF_W, R6, 16, R2);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), 0);
	ck_assert_uint_eq(as.code.n, 6);
	ck_assert_uint_eq(word(0), 0x00000005000000b7ull);
	ck_assert_uint_eq(word(1), 0x00000000000021bfull);
	ck_assert_uint_eq(word(2), 0x00000000fffc9161ull);
	ck_assert_uint_eq(word(3), 0x00000000fff87a7bull);
	ck_assert_uint_eq(word(4), 0x00000000001026c3ull);
	ck_assert_uint_eq(word(5), 0x0000000000000095ull);
}
END_TEST

START_TEST(wide_constants_take_two_slots)
{
	ba_movi(&as, R1, INT32_MIN);
	ba_movi(&as, R1, 0x80000000ll);
	ba_movi(&as, R2, -0x123456789abcdefll);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), 0);
	ck_assert_uint_eq(as.code.n, 6);
	ck_assert_int_eq(as.code.v[1].imm, INT32_MIN);
	ck_assert_int_eq(as.code.v[2].imm, 0);
	ck_assert_int_eq(as.code.v[3].imm, (int32_t)0x76543211);
	ck_assert_int_eq(as.code.v[4].imm, (int32_t)0xfedcba98);
}
END_TEST

START_TEST(labels_forward_and_back)
{
	uint32_t top = ba_label(&as), out = ba_label(&as);

	ba_place(&as, top);
	ba_ji(&as, BPF_JEQ, R1, 0, out);
	ba_alui(&as, BPF_SUB, R1, 1);
	ba_ja(&as, top);
	ba_place(&as, out);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), 0);
	ck_assert_int_eq(as.code.v[0].off, 2);
	ck_assert_int_eq(as.code.v[2].off, -3);
}
END_TEST

START_TEST(drops_what_is_not_reached)
{
	uint32_t out = ba_label(&as), never = ba_label(&as);

	ba_ja(&as, out);
	ba_ld_map(&as, R1, 7); /* skipped, with its relocation */
	ba_ja(&as, never);
	ba_place(&as, out);
	ba_ld_map(&as, R2, 8);
	ba_exit(&as);
	ba_place(&as, never);
	ba_movi(&as, R0, 1);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), 0);
	ck_assert_uint_eq(as.code.n, 4);
	ck_assert_int_eq(as.code.v[0].off, 0);
	ck_assert_uint_eq(as.relocs.n, 1);
	ck_assert_uint_eq(as.relocs.v[0].index, 8);
	ck_assert_uint_eq(as.relocs.v[0].pos, 1);
}
END_TEST

START_TEST(a_label_without_a_place_is_an_error)
{
	ba_ja(&as, ba_label(&as));
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), -1);
	ck_assert_ptr_nonnull(as.error);
}
END_TEST

START_TEST(far_jumps_are_an_error)
{
	uint32_t out = ba_label(&as);

	ba_ji(&as, BPF_JEQ, R1, 0, out);
	for (int k = 0; k < 40000; k++)
		ba_alui(&as, BPF_ADD, R1, 1);
	ba_place(&as, out);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), -1);
	ck_assert_ptr_nonnull(strstr(as.error, "too large"));
}
END_TEST

START_TEST(far_offsets_are_an_error)
{
	ba_ld(&as, BPF_DW, R1, R9, 40000);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), -1);
}
END_TEST

START_TEST(narrowing)
{
	ba_narrow(&as, R1, 8, 1); /* nothing */
	ba_narrow(&as, R1, 4, 0);
	ba_narrow(&as, R2, 1, 1);
	ba_exit(&as);
	ck_assert_int_eq(ba_finish(&as), 0);
	ck_assert_uint_eq(as.code.n, 5);
	ck_assert_int_eq(as.code.v[0].imm, 32);
	ck_assert_int_eq(as.code.v[1].code, BPF_ALU64 | BPF_RSH | BPF_K);
	ck_assert_int_eq(as.code.v[2].imm, 56);
	ck_assert_int_eq(as.code.v[3].code, BPF_ALU64 | BPF_ARSH | BPF_K);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bpf_asm");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, encodes_as_the_kernel_reads);
	tcase_add_test(tc, wide_constants_take_two_slots);
	tcase_add_test(tc, labels_forward_and_back);
	tcase_add_test(tc, drops_what_is_not_reached);
	tcase_add_test(tc, a_label_without_a_place_is_an_error);
	tcase_add_test(tc, far_jumps_are_an_error);
	tcase_add_test(tc, far_offsets_are_an_error);
	tcase_add_test(tc, narrowing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
