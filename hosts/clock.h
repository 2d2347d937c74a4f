/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Deadlines are on CLOCK_BOOTTIME: it goes on while the machine is suspended, as the store's clock does, and
 * nobody can set it. CLOCK_REALTIME is for people only.
 */

#include <stdint.h>
#include <time.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

static inline uint64_t clock_usec(clockid_t clock) {
        struct timespec now = {0};

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000U;
}

static inline uint64_t now_boottime_usec(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

static inline uint64_t now_realtime_usec(void) {
        return clock_usec(CLOCK_REALTIME);
}
