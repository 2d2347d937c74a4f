/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a user's processes use of the machine, and may use: of user-UID.slice, as systemd has it. */

#include <stdint.h>

#include "base/json.h"

/* No limit, or not known: on a host whose kernel does not count it. */
#define USAGE_NONE UINT64_MAX

struct usage {
        uint64_t memory, memory_max; /* bytes */
        uint64_t tasks, tasks_max;
        uint64_t cpu_quota_usec; /* in each second */
        uint64_t cpu_weight, io_weight;
};

/* Asks systemd. Negative errno. */
int usage_read(uid_t uid, struct usage *ret);

/* The key "usage" of a seat in `status --json`. NULL: null. */
int usage_put(json_object *seat, const struct usage *usage);

/* "1.2G of 2G memory, 12 of 500 tasks, 150% of a processor". */
#define USAGE_TEXT_SIZE 160U
void usage_format(const struct usage *usage, char ret_text[static USAGE_TEXT_SIZE]);
