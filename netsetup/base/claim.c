/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What cannot be read is no claim. */

#include <time.h>

#include "claim.h"
#include "number.h"
#include "runtime-file.h"
#include "seat-id.h"

uint64_t claims_deadline(void) {
        _cleanup_free_ char *text = NULL;

        if (runtime_file_read(HOSTS_DEADLINE_FILE, &text) < 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        return digits_only(text) ? strtoull(text, NULL, 10) : 0;
}

uint64_t claims_now(void) {
        struct timespec now;

        if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
                return UINT64_MAX;
        return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

bool claims_are_good(void) {
        return claims_now() < claims_deadline();
}

enum claim_state claim_look(const char *seat) {
        char path[sizeof(HOSTS_CLAIM_DIRECTORY "/") + SEAT_ID_SIZE];

        if (!claims_are_good())
                return CLAIM_OVER;
        (void)snprintf(path, sizeof(path), HOSTS_CLAIM_DIRECTORY "/%s", seat);
        return access(path, F_OK) >= 0 ? CLAIM_GOOD : CLAIM_MISSING;
}
