/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A slot that is freed too early, or not at all, does no harm: see SLOT_SECONDS. */

#include <limits.h>

#include "settings.h"
#include "slot-release.h"

#define HEAD SERVICE_CONTAINER "@"
#define TAIL ".service"

void slots_job_removed(void *userdata, const char *job, const char *unit, const char *result) {
        size_t length = strlen(unit), head = strlen(HEAD), tail = strlen(TAIL);
        const struct seats *seats = userdata;
        char path[PATH_MAX];
        int n;

        (void)job;
        (void)result;
        if (!string_starts_with(unit, HEAD) || length <= head + tail ||
                !string_equal(unit + length - tail, TAIL) || unit[head] == '.' || strchr(unit, '/'))
                return;
        n = snprintf(path, sizeof(path), "%s/%.*s", seats->slot_directory, (int)(length - head - tail),
                unit + head);
        if (n > 0 && (size_t)n < sizeof(path))
                (void)unlink(path);
}
