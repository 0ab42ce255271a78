/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of the cache: files that nobody has written for days. */
#ifndef SPILE_BASE_PRUNE_H
#define SPILE_BASE_PRUNE_H

/*
 * Removes plain files of @dir whose name begins with @prefix and that are older than @days. What cannot be removed stays: a
 * cache that is too large is no error.
 */
void prune_files(const char *dir, const char *prefix, int days);

#endif
