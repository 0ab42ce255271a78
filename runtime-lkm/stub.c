/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands where a script's object will be. Its command line, saved by kbuild, is the recipe for
 * scripts; and naming what a compiler may refer to on its own makes modpost write those symbols'
 * versions (sp_syms.h: which of them this kernel exports).
 */
#include "abi.h"

#define SYM(s) asm(".pushsection .discard.sp_syms,\"a\",@progbits\n.quad " #s "\n.popsection");
#include "sp_syms.h"

const struct sp_script sp_script = { 0 };
