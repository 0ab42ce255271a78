/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Visits every expression of a piece of tree, outer ones first. */
#ifndef SPILE_PARSE_WALK_H
#define SPILE_PARSE_WALK_H

#include "ast.h"

typedef void (*expr_visit_fn)(struct expr *e, void *arg);

void walk_expr(struct expr *e, expr_visit_fn fn, void *arg);
void walk_stmt(struct stmt *s, expr_visit_fn fn, void *arg);

#endif
