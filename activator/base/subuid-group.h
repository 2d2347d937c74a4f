/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Subordinate uids (subuid(5)): newuidmap(1) lets one student act under tens of thousands of uids, so a limit
 * for each uid would not limit the student. All uids of one range count as one. The file has the
 * owner's name, but the activator never asks NSS, so it identifies a range by its first uid.
 */

#include <stdint.h>
#include <sys/stat.h>

#include "util.h"

struct subuid_range {
        uint32_t first, last;
};

/* What was read last; the empty value is all zero. */
struct subuid_groups {
        struct subuid_range *ranges; /* ordered by first */
        size_t n_ranges;
        struct stat stat; /* of the file as it was then */
};

void subuid_groups_done(struct subuid_groups *uids);

/*
 * The first uid of the range that uid is in, or uid itself. The file is read again if it has changed; one
 * that is not there, or cannot be read, has no ranges.
 */
uid_t subuid_group(struct subuid_groups *uids, const char *path, uid_t uid);
